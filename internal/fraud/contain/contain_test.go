//go:build !judge

package contain

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/fraud"
	"partnerguard/internal/problem"
)

// TestWhole: an attack with one thing of each kind is planned, approved by a second person,
// stopped, verified, answered, and taken back as far as it can be.
func TestWhole(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.attack()
		p, err := r.Plan(t.Context(), Ask{Alert: "fa-test", Budget: 500, Cancel: true})
		r.ok(err)
		kinds := map[Kind]int{}
		for _, s := range p.Steps {
			kinds[s.Kind]++
		}
		for _, k := range Kinds() {
			if k != Suspend && kinds[k] == 0 {
				t.Errorf("no step %s; told: %q", k, p.Told)
			}
		}
		if kinds[StopMachine] != 2 || kinds[StopCompute] != 2 || kinds[Cancel] != 1 || p.Steps[len(p.Steps)-1].Kind != Cancel {
			t.Errorf("%v", kinds)
		}
		raw, err := p.YAML()
		r.ok(err)
		p, err = Read("plan.yaml", raw)
		r.ok(err)
		p.Steps = slices.DeleteFunc(p.Steps, func(s Step) bool { return s.Kind == Cancel })
		run, err := r.Apply(t.Context(), p)
		r.ok(err)
		if run.State != Waiting {
			t.Fatalf("%s", run.State)
		}
		if s := r.drive(r.Containment, run.ID, 5); len(r.wireWrites()) != 0 || s.Counts[Ready] != len(p.Steps) {
			t.Errorf("before it is approved: %v", s.Counts)
		}
		if _, err := r.Approve(t.Context(), run.ID); !errors.Is(err, problem.Forbidden) {
			t.Errorf("who applied approves: %v", err)
		}
		_, err = r.as("local:ben").Approve(t.Context(), run.ID)
		r.ok(err)
		s := r.drive(r.Containment, run.ID, 60)
		if s.State != Over || s.Counts[Done] != len(p.Steps) {
			t.Fatalf("%s %v %q %s", s.State, s.Counts, s.Left, s.Why)
		}
		if v := s.Verified; v == nil || len(v.Running) != 0 || len(v.New) != 0 || len(v.Unread) != 0 {
			t.Errorf("%+v", v)
		}
		_, err = r.Tell(t.Context(), run.ID, fraud.Fraud)
		r.ok(err)
		_, err = r.Tell(t.Context(), run.ID, fraud.Fraud)
		r.ok(err)
		if len(r.answers) != 1 || r.answers[0] != "fa-test fraud local:ada" {
			t.Errorf("%q", r.answers)
		}
		for _, a := range []audit.Action{audit.ContainPlanned, audit.ContainApplied, audit.ContainApproved, audit.ContainAsked, audit.ContainChanged,
			audit.ContainOver, audit.ContainAnswered} {
			if !slices.ContainsFunc(r.trail.Events(), func(e audit.Event) bool { return e.Action == a }) {
				t.Errorf("the trail has no %s", a)
			}
		}
		_, err = r.Rollback(t.Context(), run.ID, "it was a drill")
		r.ok(err)
		s = r.drive(r.Containment, run.ID, 60)
		if s.State != Over || s.Counts[Stays] != kinds[RevokeSessions]+kinds[RemoveCredential] || s.Counts[Undone] != len(p.Steps)-s.Counts[Stays] {
			t.Fatalf("%s %v %q %s", s.State, s.Counts, s.Left, s.Why)
		}
		// All of it runs again, but for what cannot be taken back: a new plan says so.
		again, err := r.Plan(t.Context(), Ask{Alert: "fa-test"})
		r.ok(err)
		for _, x := range p.Steps {
			if x.Undo && x.Kind != SetBudget && x.Kind != LowerQuota && !slices.ContainsFunc(again.Steps, func(y Step) bool { return y.Kind == x.Kind && y.Target == x.Target }) {
				t.Errorf("%s %s is not as it was", x.Kind, x.Name)
			}
		}
	})
}

// wireWrites are the changes that were asked of the cloud.
func (r *rig) wireWrites() (out []string) {
	r.wire.mu.Lock()
	defer r.wire.mu.Unlock()
	for _, w := range r.wire.writes {
		if !strings.HasSuffix(w, "/token") {
			out = append(out, w)
		}
	}
	return out
}
