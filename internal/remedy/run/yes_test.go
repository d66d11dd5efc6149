//go:build !judge

package run

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// TestAcceptingTakesTwo: where the installation wants two people for everything, one person's
// yes to a surprise waits for another's; the same person's twice is one.
func TestAcceptingTakesTwo(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	r.config.Approval = approvalAlways
	r.effects = []remedy.Effect{{Account: r.users[1].ID, Name: "scanner@partner.example", App: "Exchange", Client: "SMTP", Result: "failure", Count: 3}}
	run := r.approved(r.plan(nil, r.newPolicy("MFA")), remedy.ReportOnly)
	s := r.drive(r.Runner, run.ID, 50)
	if s.State != Stopped || len(s.Findings) != 1 {
		t.Fatal(s.tell())
	}
	id := s.Findings[0].ID
	ben := r.as("local:ben")
	for range 2 {
		_, err := ben.Accept(t.Context(), run.ID, id, "the scanner is replaced on Monday", time.Time{})
		r.ok(err)
		_, err = r.Apply(t.Context(), r.raw(run), remedy.ReportOnly)
		r.ok(err)
		if s = r.drive(r.Runner, run.ID, 10); s.State != Stopped || len(s.Seconds) != 1 ||
			!strings.Contains(s.Next, "a second person says yes to what local:ben") {
			t.Fatal("one person's yes is taken for two: ", s.tell(), s.Next)
		}
	}
	if _, err := r.as("LOCAL:BEN").Accept(t.Context(), run.ID, id, "", time.Time{}); err == nil {
		t.Error("the same person in capitals is another")
	}
	if _, err := r.as("LOCAL:BEN").Second(t.Context(), run.ID, id); !errors.Is(err, problem.Forbidden) {
		t.Errorf("the same person says the second yes: %v", err)
	}
	if _, err := r.Second(t.Context(), run.ID, NoEvidence(remedy.ReportOnly)); !errors.Is(err, problem.Conflict) {
		t.Errorf("a second yes to what nobody accepted: %v", err)
	}
	_, err := r.Second(t.Context(), run.ID, id)
	r.ok(err)
	if _, err := r.as("local:eve").Second(t.Context(), run.ID, id); !errors.Is(err, problem.Conflict) {
		t.Errorf("a third person's yes: %v", err)
	}
	_, err = r.Apply(t.Context(), r.raw(run), remedy.ReportOnly)
	r.ok(err)
	if s = r.drive(r.Runner, run.ID, 50); s.State != Holding || len(s.Seconds) != 0 || s.Accepted[0].By != "local:ben" || s.Accepted[0].Second != "local:ada" {
		t.Fatal(s.tell())
	}
	last := audit.Event{}
	for _, e := range r.trail.Events() {
		if e.Action == audit.RemedyApproved && e.Details["finding"] == id {
			last = e
		}
	}
	if last.Details["plan"] != run.Plan || last.Details["accepted by"] != "local:ben" || last.Details["waits"] != "" || last.Actor != "local:ada" {
		t.Errorf("the trail has %+v", last)
	}
	one, err := r.run(t.Context(), run.ID)
	r.ok(err)
	if one.Accepted[0].Plan = strings.Repeat("0", 64); len(r.said(&one)) != 0 {
		t.Error("a yes to another plan counts")
	}
}

// TestOpeningTakesTwo: a signed plan whose file accepts that something opens is not one
// person's, whatever the setting says: neither at the first gate nor at a later one.
func TestOpeningTakesTwo(t *testing.T) {
	t.Parallel()
	opening := remedy.Finding{ID: "0badcafe", Kind: remedy.Opens, Text: "scanner could sign in by a password alone", Acceptable: true}
	start := func(at remedy.Stage) (*rig, Run) {
		r := newRig(t, sqlite(t))
		r.gate = func(a Ask) (*remedy.Gate, error) {
			g := &remedy.Gate{Stage: a.To, Passed: true}
			if f := opening; a.To == at {
				i := slices.IndexFunc(a.Plan.Accepted, func(y remedy.Acceptance) bool { return y.Finding == f.ID })
				if g.Passed = i >= 0; i >= 0 {
					f.Accepted = &a.Plan.Accepted[i]
				}
				g.Findings = []remedy.Finding{f}
			}
			return g, nil
		}
		raw, keys := r.signed(func(p *remedy.Plan) {
			p.Accepted = []remedy.Acceptance{{Finding: opening.ID, By: "Ada", Why: "for a day", Until: r.lab.Now().AddDate(0, 1, 0)}}
		}, r.newPolicy("MFA"))
		r.d.Verifiers = keys
		run, err := r.Apply(t.Context(), raw, "")
		r.ok(err)
		return r, run
	}
	r, run := start(remedy.ReportOnly)
	if run.State != Waiting || len(run.Second) != 1 {
		t.Fatalf("%s %q", run.State, run.Second)
	}
	ben := r.as("local:ben")
	_, err := ben.Approve(t.Context(), run.ID)
	r.ok(err)
	if s := r.drive(r.Runner, run.ID, 400); s.State != Ended {
		t.Fatal(s.tell())
	}

	r, run = start(remedy.Pilot)
	if run.State != Running {
		t.Fatalf("%s %q", run.State, run.Second)
	}
	s := r.drive(r.Runner, run.ID, 400)
	if s.State != Stopped || s.Shut == nil || s.Shut.Passed || !strings.Contains(s.Why, "one person alone") {
		t.Fatal(s.tell())
	}
	ben = r.as("local:ben")
	_, err = r.Accept(t.Context(), run.ID, opening.ID, "it is for a day", time.Time{})
	r.ok(err)
	_, err = r.Apply(t.Context(), r.raw(run), "")
	r.ok(err)
	if s = r.drive(r.Runner, run.ID, 10); s.State != Stopped {
		t.Fatal("one person accepts an opening: ", s.tell())
	}
	_, err = ben.Accept(t.Context(), run.ID, opening.ID, "", time.Time{})
	r.ok(err)
	_, err = r.Apply(t.Context(), r.raw(run), "")
	r.ok(err)
	if s = r.drive(r.Runner, run.ID, 400); s.State != Ended {
		t.Fatal(s.tell())
	}
	if _, err := ben.Accept(t.Context(), run.ID, opening.ID, "too late", time.Time{}); !errors.Is(err, problem.Conflict) {
		t.Errorf("%v", err)
	}
}

// TestUnsignedForetellsNothing: the gate in the file of a plan that nobody signed is anybody's
// writing: what it says would break is a surprise all the same; in a signed one it is not.
func TestUnsignedForetellsNothing(t *testing.T) {
	t.Parallel()
	for _, signed := range []bool{true, false} {
		r := newRig(t, sqlite(t))
		who := r.users[1].ID
		r.effects = []remedy.Effect{{Account: who, Name: "scanner@partner.example", App: "Exchange", Client: "SMTP", Result: "failure", Count: 3}}
		told := func(p *remedy.Plan) {
			p.Gate = &remedy.Gate{At: r.lab.Now(), Stage: remedy.All, Findings: []remedy.Finding{{ID: "0badcafe", Kind: remedy.Breaks, Subject: "scanner",
				SubjectID: who, App: "Exchange", Client: "SMTP", Text: "scanner would be blocked", Acceptable: true}}}
		}
		raw, want := r.plan(told, r.newPolicy("MFA")), Stopped
		if signed {
			raw, r.d.Verifiers = r.signed(told, r.newPolicy("MFA"))
			want = Holding
		}
		run := r.approved(raw, remedy.ReportOnly)
		if s := r.drive(r.Runner, run.ID, 50); s.State != want {
			t.Errorf("signed %v: %s", signed, s.tell())
		}
	}
}

// TestAloneAfterTwoEnded: what two people accepted until a day does not hold after it, be it that
// the plan's file goes on to accept it.
func TestAloneAfterTwoEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	now := r.lab.Now()
	f := remedy.Finding{ID: "0badcafe", Kind: remedy.Opens, Acceptable: true, Accepted: &remedy.Acceptance{Finding: "0badcafe", By: "Ada"}}
	g := &remedy.Gate{Findings: []remedy.Finding{f}}
	run := &Run{Plan: "p", Past: []Passage{{Gate: g}}, Accepted: []Yes{{Plan: "p", Second: "local:ben", Acceptance: remedy.Acceptance{Finding: f.ID,
		By: "local:ada", Why: "for a day", Until: now.AddDate(0, 0, 1)}}}}
	if r.alone(run, g) != nil {
		t.Error("two people are one")
	}
	if run.Accepted[0].Until = now.AddDate(0, 0, -1); r.alone(run, g) == nil {
		t.Error("what two people accepted until yesterday holds today")
	}
}
