//go:build !judge

package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/delegation/use"
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
	p := newApplied("ours", []string{"Ours-Too"}, since)
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

// TestSeenPrompts: a prompt that was answered is no failure, one that nobody answered is, and what
// another policy blocks is none of ours.
func TestSeenPrompts(t *testing.T) {
	since := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	n := 0
	row := func(minute int, session string, code int, ours, theirs string) string {
		n++
		return fmt.Sprintf(`{"id":"%d","createdDateTime":%q,"userId":"U","appDisplayName":"Portal","clientAppUsed":"Browser","correlationId":%q,
			"status":{"errorCode":%d},"appliedConditionalAccessPolicies":[{"id":"ours","result":%q,"enforcedGrantControls":["mfa"]}%s]}`,
			n, since.Add(time.Duration(minute)*time.Minute).Format(time.RFC3339), session, code, ours, theirs)
	}
	const theirs = `,{"id":"theirs","result":%q,"enforcedGrantControls":["Block"]}`
	const asks = `,{"id":%q,"result":%q,"enforcedGrantControls":[%q]}`
	mfa := func(id, result string) string { return fmt.Sprintf(asks, id, result, "Mfa") }
	for name, c := range map[string]struct {
		rows           []string
		fail, prompted int64
	}{
		"answered":                     {[]string{row(1, "s", 50076, "failure", ""), row(2, "s", 0, "success", "")}, 0, 1},
		"answered, newest first":       {[]string{row(2, "s", 0, "success", ""), row(1, "s", 50076, "failure", "")}, 0, 1},
		"answered, told as no success": {[]string{row(1, "s", 50074, "failure", ""), row(2, "s", 0, "notApplied", "")}, 0, 1},
		"nobody answers":               {[]string{row(1, "s", 50076, "failure", "")}, 1, 0},
		"in before, not since":         {[]string{row(1, "r", 0, "success", ""), row(9, "s", 50079, "failure", "")}, 1, 0},
		"too late, another session":    {[]string{row(1, "s", 50076, "failure", ""), row(40, "r", 0, "notApplied", "")}, 1, 0},
		"another day it works":         {[]string{row(1, "s", 50076, "failure", ""), row(600, "r", 0, "success", "")}, 0, 1},
		"no session is said":           {[]string{row(1, "", 50076, "failure", ""), row(2, "", 0, "notApplied", "")}, 1, 0},
		"refused":                      {[]string{row(1, "s", 53003, "failure", ""), row(2, "s", 0, "success", "")}, 1, 0},
		"blocked by another":           {[]string{row(1, "s", 53003, "failure", fmt.Sprintf(theirs, "failure"))}, 0, 0},
		"blocked by the plan's other":  {[]string{row(1, "s", 53003, "failure", fmt.Sprintf(asks, "ours-too", "failure", "block"))}, 1, 0},
		"reports, another's prompt":    {[]string{row(1, "s", 50076, "reportOnlyFailure", ""), row(2, "s", 0, "reportOnlyNotApplied", "")}, 1, 0},
		"reports, and passes then":     {[]string{row(1, "s", 50097, "reportOnlyFailure", ""), row(2, "s", 0, "reportOnlySuccess", "")}, 0, 1},
		"another asks for it too":      {[]string{row(1, "s", 50076, "failure", mfa("theirs", "failure"))}, 0, 1},
		"another would ask for it":     {[]string{row(1, "s", 50076, "failure", mfa("theirs", "reportOnlyFailure"))}, 1, 0},
		"another asks for a device":    {[]string{row(1, "s", 50076, "failure", fmt.Sprintf(asks, "theirs", "failure", "RequireCompliantDevice"))}, 1, 0},
		"ours asks for more":           {[]string{strings.Replace(row(1, "s", 50076, "failure", mfa("theirs", "failure")), `["mfa"]`, `["Str"]`, 1)}, 1, 0},
		"the plan's other asks too":    {[]string{row(1, "s", 50076, "failure", mfa("ours-too", "failure"))}, 1, 0},
		"another would block":          {[]string{row(1, "s", 53003, "failure", fmt.Sprintf(theirs, "reportOnlyFailure"))}, 1, 0},
		"another is for others":        {[]string{row(1, "s", 53003, "failure", fmt.Sprintf(theirs, "notApplied"))}, 1, 0},
	} {
		p, got := newApplied("ours", []string{"Ours-Too"}, since), map[string]int64{}
		for _, r := range c.rows {
			p.see([]byte(r))
		}
		for _, e := range p.effects() {
			got[e.Result] += e.Count
		}
		if got["failure"] != c.fail || got["interrupted"] != c.prompted {
			t.Errorf("%s: %v", name, got)
		}
	}
}
