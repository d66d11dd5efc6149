package guard

import (
	"errors"
	"strings"
	"testing"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/run"
)

// TestNotBackIsSaid: what a rollback left is named with what to do about it, and the exit code is
// that of what is not met; a gate that is shut names the command that accepts.
func TestNotBackIsSaid(t *testing.T) {
	s := run.Status{Run: run.Run{ID: "rr-1", State: run.Undone, Shut: &remedy.Gate{Stage: remedy.All, Findings: []remedy.Finding{
		{ID: "0badcafe", Kind: remedy.Breaks, Text: "the scanner breaks", Acceptable: true, WaysOut: []string{"a new one"}},
		{ID: "0badbeef", Kind: remedy.LocksOut, Text: "one alone gets in"}}}}}
	if err := notBack([]run.Status{s}); err != nil {
		t.Error(err)
	}
	s.Left = []run.Leftover{{Step: 4, Kind: remedy.Policy, ID: "x", Name: "Partner baseline 1", Why: "somebody else changed it", Settle: "look at it"}}
	var b strings.Builder
	writeRun(&b, kit.Paint{}, &s, true)
	for _, want := range []string{"not taken back: conditional-access-policy Partner baseline 1: somebody else changed it", "→ look at it",
		"accept it: partnerguard remedy approve rr-1 --accept 0badcafe --why TEXT", "one alone gets in (nobody can accept this)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not said in\n%s", want, b.String())
		}
	}
	err := notBack([]run.Status{s})
	if !errors.Is(err, problem.Unmet) || !strings.Contains(err.Error(), "1 object was not taken back: Partner baseline 1") ||
		problem.HintOf(err) != "look at it" {
		t.Errorf("%v, %s", err, problem.HintOf(err))
	}
}
