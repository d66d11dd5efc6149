package facts_test

import (
	"strings"
	"testing"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/signin"
)

// TestTellLog: what only the whole log can tell is said with the input it is of.
func TestTellLog(t *testing.T) {
	t.Parallel()
	at := func(path string) evidence.Source { return evidence.Source{Path: path, Line: 7} }
	for name, c := range map[string]struct {
		sum  signin.Summary
		says map[string]string // of which input
	}{
		"nothing": {signin.Summary{}, nil},
		"undecided": {signin.Summary{Clocks: []signin.ClockNote{{Source: at("b"), Rows: 3}}},
			map[string]string{"b": "the clocks of 3 sign-ins can be read with the day or the month first, and nothing"}},
		"one":  {signin.Summary{Clocks: []signin.ClockNote{{Source: at("b"), Rows: 1}}}, map[string]string{"b": "the clock of 1 sign-in can be read"}},
		"both": {signin.Summary{Clocks: []signin.ClockNote{{Source: at("a"), Rows: 2, Contrary: true}}}, map[string]string{"a": "dates of both orders"}},
		"local time": {signin.Summary{Clocks: []signin.ClockNote{{Source: at("a"), Rows: 2, LocalTime: true}}},
			map[string]string{"a": "set the display time to UTC"}},
		"two inputs": {signin.Summary{Clocks: []signin.ClockNote{{Source: at("a"), Rows: 2}, {Source: at("b"), Rows: 1, LocalTime: true}}},
			map[string]string{"a": "the clocks of 2", "b": "the clock of 1 sign-in: local time"}},
		"orphans":       {signin.Summary{OrphanSteps: 4}, map[string]string{"details": "4 sign-ins whose authentication details stand here"}},
		"no such input": {signin.Summary{Clocks: []signin.ClockNote{{Source: at("z"), Rows: 2}}}, nil},
		"orphans, clocks": {signin.Summary{OrphanSteps: 1, Clocks: []signin.ClockNote{{Source: at("a"), Rows: 2}}},
			map[string]string{"a": "the clocks", "details": "1 sign-ins"}},
	} {
		inputs := []evidence.Input{{Path: "a"}, {Path: "b"}, {Path: "details", Kinds: map[evidence.Kind]int{evidence.AuthenticationDetail: 2}},
			{Path: "more details", Kinds: map[evidence.Kind]int{evidence.AuthenticationDetail: 2}}}
		f := facts.New()
		f.Inputs = inputs
		f.TellLog(&c.sum)
		for _, in := range inputs {
			want := c.says[in.Path]
			if (want == "") != (in.NoteCount == 0) || in.NoteCount > 1 || want != "" && !strings.Contains(in.Notes[0].Message, want) {
				t.Errorf("%s: of %s it says %+v, want %q", name, in.Path, in.Notes, want)
			}
			short := in.Path == "details" && c.sum.OrphanSteps > 0
			if short != (len(in.Cuts) == 1 && in.Cuts[0].Kind == evidence.SignIn) {
				t.Errorf("%s: %s is cut: %+v", name, in.Path, in.Cuts)
			}
		}
	}
}
