package arm

import (
	"encoding/json"
	"testing"
	"time"
)

// What is sent back as it was read passes; anything else of it is refused, and so is a
// condition on a write that nobody looks at.
func TestSentBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	group := sub + "/resourceGroups/rg-sent"
	body := func(m map[string]any) string { b, _ := json.Marshal(m); return string(b) }
	made := l.as("owner", "PUT", group, `{"location":"westeurope"}`).wants(t, "made", 201, "").m
	l.as("owner", "PUT", group, body(made)).wants(t, "sent back", 200, "")
	for member, other := range map[string]any{"name": "another", "id": "/subscriptions/x", "type": 7,
		"properties": map[string]any{"provisioningState": "Failed"}} {
		m := map[string]any{}
		for k, v := range made {
			m[k] = v
		}
		m[member] = other
		l.as("owner", "PUT", group, body(m)).wants(t, "another "+member, 400, "InvalidRequestContent")
		l.as("owner", "PATCH", group, body(map[string]any{member: other})).wants(t, "another "+member, 400, "InvalidRequestContent")
	}
	lock := group + "/providers/Microsoft.Authorization/locks/keep"
	l.as("owner", "PUT", lock, `{"name":"other","properties":{"level":"ReadOnly"}}`).wants(t, "another lock", 400, "InvalidRequestContent")
}

func TestUnchanged(t *testing.T) {
	for _, c := range []struct {
		sent, now any
		ok        bool
	}{
		{nil, "x", true}, {"X", "x", true}, {"y", "x", false}, {1.0, 1, true}, {"x", nil, false}, {map[string]any{"a": 1}, object{"a": 1}, true},
		{"2026-11-22T08:00:00.123Z", "2026-11-22T08:00:00.1234567Z", true}, {"2026-11-22T08:00:01Z", "2026-11-22T08:00:00Z", false},
	} {
		if f := unchanged("m", c.sent, c.now); (f == nil) != c.ok {
			t.Errorf("%v for %v: %v", c.sent, c.now, f)
		}
	}
}

// Conditions narrow; none is lost, and what is no condition is refused.
func TestFiltersLoseNothing(t *testing.T) {
	for text, want := range map[string]bool{
		"name eq 'a'": true, "(name eq 'a') and (location eq 'b')": true, "name eq ''": false, "name eq 'a' and name eq 'b'": false,
		"name eq 'a' or name eq 'b'": false, "(name eq 'a'": false, "name eq 'a')": false, "substringof('a', name)": true,
		"substringof('a', name) and substringof('b', name)": false, "other eq 'a'": false,
	} {
		if _, f := conditions(text, "name", "location", "substringof"); (f == nil) != want {
			t.Errorf("%s: %v", text, f)
		}
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	for text, want := range map[string][2]time.Time{
		"usageStart ge '2026-11-03' and usageEnd le '2026-11-05'":                {d(3), d(6)},
		"date ge '2026-11-03' and date ge '2026-11-07' and date lt '2026-11-09'": {d(7), d(9)},
		"date gt '2026-11-03T00:00:00Z' and date lt '2026-11-05T06:00:00Z'":      {d(4), d(6)}, "date eq '2026-11-03'": {d(3), d(4)},
		"date ge '2026-11-03T06:00:00Z' and date le '2026-11-05'": {d(4), d(6)},
	} {
		if f, no := parseUsageFilter(text, now); no != nil || !f.from.Equal(want[0]) || !f.to.Equal(want[1]) {
			t.Errorf("%s: %+v, %v", text, f, no)
		}
	}
	for _, text := range []string{"date ge '2026-11-03garbage'", "resourceGroup eq 'a' and resourceGroup eq 'b'", "(date ge '2026-11-03'", "date ge 'x'"} {
		if _, no := parseUsageFilter(text, now); no == nil {
			t.Errorf("%s was taken", text)
		}
	}
}
