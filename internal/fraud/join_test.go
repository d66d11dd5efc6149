package fraud

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// view is an alert of a world as one interface tells it.
func view(i int, graph bool, kind string, sub int, detected time.Time) Alert {
	text := fmt.Sprintf(`{"id":"g%d","alertType":%q,"status":"active","subscriptionId":"s%d","customerTenantId":"c","detectedDateTime":%q,
		"affectedResources":[{"resourceId":"/r/%d"}]}`, i, kind, sub, detected.Format(time.RFC3339), i)
	if !graph {
		text = fmt.Sprintf(`{"eventId":"s%d_e%d","eventType":%q,"eventStatus":"Active","subscriptionId":"S%d","customerTenantId":"C","eventTime":%q,
			"affectedResources":[{"azureResourceId":"/R/%d"}]}`, sub, i, kind, sub, detected.Format("2006-01-02T15:04:05.9999999"), i)
	}
	a, err := Read([]byte(text))
	if err != nil {
		panic(err)
	}
	return a
}

// TestJoinWorlds: whatever each interface tells, in whatever order and how often, each alert
// of the world is one, and what is joined once stays as it is.
func TestJoinWorlds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var list []Alert
		n := rapid.IntRange(1, 12).Draw(t, "n")
		for i := range n {
			kind := rapid.SampledFrom([]string{"CryptoMining", "VM_AnomalousDeployment", "NewThing"}).Draw(t, "kind")
			sub, detected := rapid.IntRange(0, 1).Draw(t, "sub"), noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "s"))*time.Second)
			told := rapid.IntRange(1, 3).Draw(t, "told")
			for range rapid.IntRange(1, 2).Draw(t, "copies") {
				if told&1 != 0 {
					list = append(list, view(i, true, kind, sub, detected))
				}
				if told&2 != 0 {
					list = append(list, view(i, false, kind, sub, detected))
				}
			}
		}
		list = rapid.Permutation(list).Draw(t, "order")
		out := Join(list)
		if len(out) != n {
			t.Fatalf("%d alerts are %d", n, len(out))
		}
		ids := map[string]bool{}
		for i := range out {
			ids[out[i].ID] = true
		}
		if len(ids) != n {
			t.Fatal("two alerts have one id")
		}
		if again := Join(slices.Concat(out, list)); !reflect.DeepEqual(again, out) {
			t.Fatalf("joined again it is another:\n%+v\n%+v", out, again)
		}
	})
}

// TestUnsure: what may be one and is not sure to be stays two, which name each other.
func TestUnsure(t *testing.T) {
	t.Parallel()
	g := view(1, true, "CryptoMining", 1, noon)
	for name, change := range map[string]func(*Alert){
		"another kind":     func(a *Alert) { a.Type, a.Kind = "UsageAnomalyDetection", Consumption },
		"another resource": func(a *Alert) { a.Resources[0].ID = "/r/9" },
		"a minute later":   func(a *Alert) { a.Detected = a.Detected.Add(time.Minute) },
		"a kind not known": func(a *Alert) { a.Type, a.Kind = "", "" },
		"a test, and not":  func(a *Alert) { a.Test = true },
		"another customer": func(a *Alert) { a.Customer = "d" },
	} {
		e := view(1, false, "CryptoMining", 1, noon)
		change(&e)
		out := Join([]Alert{g, e})
		if len(out) != 2 || !slices.Equal(out[0].Linked, []string{out[1].ID}) || !slices.Equal(out[1].Linked, []string{out[0].ID}) {
			t.Errorf("%s: %+v", name, out)
		}
	}
	// Two that fit one are not sure either.
	one, two := view(1, false, "CryptoMining", 1, noon), view(1, false, "CryptoMining", 1, noon)
	two.EventID = "s1_other"
	if out := Join([]Alert{g, one, two}); len(out) != 3 {
		t.Errorf("%+v", out)
	}
	// What names the other is sure, whatever else differs.
	e := view(1, false, "UsageAnomalyDetection", 1, noon.Add(time.Hour))
	g.Details = map[string]json.RawMessage{"EventId": json.RawMessage(`"` + e.EventID + `"`)}
	if out := Join([]Alert{g, e}); len(out) != 1 {
		t.Errorf("%+v", out)
	}
}

// TestUpdate: changed, late and reopened alerts.
func TestUpdate(t *testing.T) {
	t.Parallel()
	read := func(status, log string) Alert {
		a, err := Read([]byte(`{"id":"g","alertType":"CryptoMining","status":"` + status + `","detectedDateTime":"2026-11-30T10:00:00Z",
			"activityLogs":[` + log + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		a.ID = "fa-x"
		return a
	}
	const seen = `{"statusFrom":"active","statusTo":"investigating","updatedDateTime":"2026-11-30T10:30:00Z"}`
	const done = seen + `,{"statusFrom":"investigating","statusTo":"resolved","updatedDateTime":"2026-11-30T11:00:00Z"}`
	const open = done + `,{"statusFrom":"resolved","statusTo":"active","updatedDateTime":"2026-11-30T12:00:00Z"}`
	for name, c := range map[string]struct {
		kept, fresh Alert
		since       time.Duration
		want        Status
	}{
		"changed":                {read("active", ""), read("resolved", done), time.Minute, Resolved},
		"late":                   {read("resolved", done), read("investigating", seen), time.Minute, Resolved},
		"late for long is so":    {read("resolved", done), read("investigating", seen), Lag, Investigating},
		"opened again":           {read("resolved", done), read("active", open), time.Minute, Active},
		"the same":               {read("resolved", done), read("resolved", done), time.Minute, Resolved},
		"changed without a time": {read("active", ""), read("investigating", ""), time.Minute, Investigating},
	} {
		got := Update(c.kept, c.fresh, c.since)
		if got.Status != c.want || got.ID != "fa-x" {
			t.Errorf("%s: %+v", name, got)
		}
		if c.want == Active && (!got.Answered.IsZero() || !got.ResolvedAt.IsZero() || got.Reason != "") {
			t.Errorf("%s: an open alert has an answer: %+v", name, got)
		}
	}
}
