//go:build !judge

package run

import (
	"errors"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// notWhole wants that it is said of a run, whose one policy was not taken back, what is left and
// what to do about it: in its status, in drift, in the trail; and that a person's word settles it.
func (r *rig) notWhole(s *Status, id string) {
	r.Helper()
	if len(s.Left) != 1 || s.Left[0].ID != id || s.Left[0].Name != "MFA" || !strings.Contains(s.Left[0].Why, "somebody else") {
		r.Fatalf("%+v", s.Left)
	}
	for _, words := range []string{s.Next, s.Why} {
		if !strings.Contains(words, `1 object was not taken back: conditional-access-policy "MFA"`) {
			r.Errorf("it is not said what is left: %s", words)
		}
	}
	if !strings.Contains(s.Next, "partnerguard remedy rollback "+s.ID+" --print FILE") || !strings.Contains(s.Next, "--done") {
		r.Errorf("it is not said how it is settled: %s", s.Next)
	}
	events := r.trail.Events()
	if e := events[len(events)-1]; e.Action != audit.RemedyEnded || e.Outcome != audit.Failed || e.Details["not taken back"] != "1" {
		r.Errorf("the trail says %+v", e)
	}
	if d, err := r.Drift(r.Context(), ""); err != nil || len(d) != 1 || d[0].State != NotBack || d[0].ID != id || len(d[0].Words) != 2 {
		r.Errorf("%v %+v", err, d)
	}
	if _, err := r.Confirm(r.Context(), s.ID, 999); !errors.Is(err, problem.NotFound) {
		r.Errorf("%v", err)
	}
	// Once it is gone by somebody's hand, nothing drifts; and their word, or another rollback, settles it.
	r.do("DELETE", "/v1.0/identity/conditionalAccess/policies/"+id, "")
	if d, err := r.Drift(r.Context(), ""); err != nil || len(d) != 1 || d[0].State != Same {
		r.Errorf("%v %+v", err, d)
	}
	_, err := r.Confirm(r.Context(), s.ID, s.Left[0].Step)
	r.ok(err)
	if *s = r.status(s.ID); s.State != Undone || len(s.Left) != 0 || !strings.HasPrefix(s.Next, "nothing is left to do") {
		r.Errorf("%s %+v", s.Next, s.Left)
	}
	if _, err := r.Confirm(r.Context(), s.ID, 1); !errors.Is(err, problem.Conflict) {
		r.Errorf("%v", err)
	}
	if _, err := r.Rollback(r.Context(), s.ID, "once more"); !errors.Is(err, problem.Conflict) {
		r.Errorf("%v", err)
	}
}

// TestAcceptedIsSaid: once a surprise is accepted the status says so and by whom, and a stage that
// passes says whom it broke by name.
func TestAcceptedIsSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	r.effects = []remedy.Effect{{Account: r.users[1].ID, Name: "scanner@partner.example", App: "Exchange", Client: "SMTP", Result: "failure", Count: 3}}
	run := r.approved(r.plan(nil, r.newPolicy("MFA")), remedy.ReportOnly)
	s := r.drive(r.Runner, run.ID, 50)
	if s.State != Stopped || !strings.Contains(s.Next, "--accept "+s.Findings[0].ID) {
		t.Fatal(s.tell())
	}
	_, err := r.Accept(t.Context(), run.ID, s.Findings[0].ID, "the scanner is replaced on Monday", time.Time{})
	r.ok(err)
	if s = r.status(run.ID); !strings.Contains(s.Next, "is accepted by name ("+s.Findings[0].ID+", by local:ada): apply the plan again") {
		t.Errorf("%s", s.Next)
	}
	_, err = r.Apply(t.Context(), r.raw(run), remedy.ReportOnly)
	r.ok(err)
	s = r.drive(r.Runner, run.ID, 60)
	want := "1 surprise accepted by name: scanner@partner.example with Exchange (SMTP), accepted by local:ada"
	if s.State != Holding || !strings.Contains(s.Past[0].Evidence, want) {
		t.Fatal(s.tell(), s.Past)
	}
}

// TestShutSaysHow: a gate that shuts before a later stage names the command that accepts what may
// be accepted, and says of the rest that nobody can.
func TestShutSaysHow(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	findings := []remedy.Finding{{ID: "0badcafe", Kind: remedy.Breaks, Text: "the scanner breaks", Acceptable: true}}
	r.gate = func(a Ask) (*remedy.Gate, error) {
		if a.To != remedy.Pilot {
			return &remedy.Gate{Stage: a.To, Passed: true}, nil
		}
		return &remedy.Gate{Stage: a.To, Findings: findings}, nil
	}
	raw := r.plan(nil, r.newPolicy("MFA"))
	run := r.approved(raw, "")
	s := r.drive(r.Runner, run.ID, 60)
	if s.State != Stopped || !strings.Contains(s.Next, "partnerguard remedy approve "+run.ID+" --accept 0badcafe --why TEXT") {
		t.Fatal(s.tell(), s.Next)
	}
	_, err := r.Accept(t.Context(), run.ID, "0badcafe", "the scanner is replaced on Monday", time.Time{})
	r.ok(err)
	if s = r.status(run.ID); !strings.Contains(s.Next, "is accepted by name (0badcafe, by local:ada)") {
		t.Errorf("%s", s.Next)
	}
	findings = append(findings, remedy.Finding{ID: "0badbeef", Kind: remedy.LocksOut, Text: "one alone gets in"})
	_, err = r.Apply(t.Context(), raw, "")
	r.ok(err)
	s = r.drive(r.Runner, run.ID, 60)
	if s.State != Stopped || !strings.Contains(s.Next, "1 of them nobody can accept") || strings.Contains(s.Next, "--accept") {
		t.Fatal(s.tell(), s.Next)
	}
}
