//go:build !judge

package app

import (
	"fmt"
	"testing"
	"time"

	"partnerguard/internal/delegation/use"
	"partnerguard/internal/remedy"
)

// TestReach: what was read behind a hole does not count, in whatever order it was read.
func TestReach(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 11, 1, h, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		spans []use.Span
		want  time.Time
	}{
		"nothing":       {nil, at(2)},
		"all":           {[]use.Span{{From: at(4), To: at(9)}, {From: at(0), To: at(5)}}, at(9)},
		"a hole":        {[]use.Span{{From: at(6), To: at(9)}, {From: at(0), To: at(5)}}, at(5)},
		"begins behind": {[]use.Span{{From: at(3), To: at(9)}}, at(2)},
		"one in one":    {[]use.Span{{From: at(0), To: at(9)}, {From: at(1), To: at(3)}}, at(9)},
	} {
		if got := reach(c.spans, at(2)); !got.Equal(c.want) {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
}

// TestSeen: rows count once, by the policy's id and never by its name, from the moment on, and only
// where the row says what the policy did.
func TestSeen(t *testing.T) {
	since := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	row := func(id, at, policy, name, result string) []byte {
		return fmt.Appendf(nil, `{"id":%q,"createdDateTime":%q,"userId":"U","appDisplayName":"Exchange","clientAppUsed":"SMTP",
			"appliedConditionalAccessPolicies":[{"id":%q,"displayName":%q,"result":%q}]}`, id, at, policy, name, result)
	}
	p := &applied{policy: "ours", since: since, rows: map[string]bool{}, counts: map[effectKey]*remedy.Effect{}}
	for _, r := range [][]byte{
		row("1", "2026-11-01T13:00:00Z", "OURS", "x", "reportOnlyFailure"),
		row("1", "2026-11-01T13:00:00Z", "ours", "x", "reportOnlyFailure"),
		row("2", "2026-11-01T11:59:59Z", "ours", "x", "failure"),
		row("3", "2026-11-01T13:00:00Z", "theirs", "ours", "failure"),
		row("4", "2026-11-01T13:00:00Z", "ours", "x", "notEnabled"),
		row("5", "2026-11-01T13:00:00Z", "ours", "x", "unknownFutureValue"),
		row("6", "2026-11-01T13:00:00Z", "ours", "x", "reportOnlyNotApplied"),
		[]byte(`{"id":"7","createdDateTime":"2026-11-01T13:00:00Z"}`), []byte(`{`),
	} {
		p.see(r)
	}
	list := p.effects()
	if p.evaluated != 2 || len(list) != 2 || list[0].Result != "failure" || list[0].Count != 1 || list[1].Result != "notApplied" {
		t.Errorf("%d evaluated: %+v", p.evaluated, list)
	}
}
