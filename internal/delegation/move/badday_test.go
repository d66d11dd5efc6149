//go:build !judge

package move

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// begun applies a plan that replaces one relationship of one customer, and looks at it
// until it is in a state.
func begun(t *testing.T, r *rig, f *fake, until State) (Run, Plan) {
	t.Helper()
	f.seed(0, "MLT_x", true, []string{helpdesk, users}, []string{helpdesk, users}, []string{users})
	inv := f.inventory(1)
	p := r.plan(inv, least(inv, recommend.ByEvidence, helpdesk))
	run, err := r.Apply(t.Context(), p, 0, inv)
	r.ok(err)
	for range 50 {
		if r.status(run.ID).Moves[0].State == until {
			return run, p
		}
		r.ok(r.step(run.ID))
	}
	t.Fatalf("never %s: %+v", until, r.status(run.ID).Moves[0])
	return run, p
}

// step lets one move do what it can, and time pass until the next look.
func (r *rig) step(plan string) error {
	x := r.status(plan).Moves[0]
	if d := x.Next.Sub(r.f.clock()); d > 0 {
		r.f.jump(d)
	}
	_, err := r.Do(r.Context(), plan, x.Customer)
	return err
}

// failing is a cloud that refuses some calls.
type failing struct {
	Cloud
	on func(call string) error
}

func (x failing) Assign(ctx context.Context, id, group string, roles []string) error {
	if err := x.on("assign"); err != nil {
		return err
	}
	return x.Cloud.Assign(ctx, id, group, roles)
}

func (x failing) Unassign(ctx context.Context, id, assignment, etag string) error {
	if err := x.on("unassign"); err != nil {
		return err
	}
	return x.Cloud.Unassign(ctx, id, assignment, etag)
}

func (x failing) Ask(ctx context.Context, id, action string) error {
	if err := x.on(action); err != nil {
		return err
	}
	return x.Cloud.Ask(ctx, id, action)
}

// A customer that does not answer is reminded; the offer lapses and is made anew, three
// times; one that says no is not asked again.
func TestSilentCustomer(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	f.answers = func(_ string, offer int) (bool, time.Duration) {
		if offer == 2 {
			return true, 40 * 24 * time.Hour
		}
		return true, 0
	}
	run, _ := begun(t, r, f, Inviting)
	s := r.drive(r.Mover, run.ID, 20_000)
	if s.State != Over || s.Moves[0].State != Done || s.Moves[0].Progress.Offer != 1 || !strings.HasSuffix(s.Moves[0].Progress.Name, "-2") {
		t.Fatalf("%s %+v", s.State, s.Moves[0])
	}
	if n := len(r.told); n != 1+12+1+5 { // 90 days and 40, a week each
		t.Errorf("told %d times", n)
	}
	f.answers = func(string, int) (bool, time.Duration) { return false, time.Hour }
	f.seed(1, "MLT_y", false, []string{helpdesk, users}, []string{helpdesk, users}, nil)
	inv := f.inventory(2)
	p := r.plan(inv, least(inv, recommend.ByEvidence, helpdesk), func(a *Ask) { a.Customers, a.Seed = []string{tenantOf(1)}, "2" })
	run, err := r.Apply(t.Context(), p, 0, inv)
	r.ok(err)
	s = statusOf(t, r, run.ID, 100)
	if s.Moves[0].State != Held || !strings.Contains(s.Moves[0].Why, "said no") {
		t.Errorf("%+v", s.Moves[0])
	}
}

func statusOf(t *testing.T, r *rig, plan string, looks int) Status {
	t.Helper()
	r.drive(r.Mover, plan, looks)
	list, err := r.Status(t.Context(), plan)
	r.ok(err)
	return list[0]
}

// Another tenant accepted the link, or somebody changed the new relationship: nothing is
// assigned.
func TestWrongTenant(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	f.answers = func(string, int) (bool, time.Duration) { return true, 0 }
	run, _ := begun(t, r, f, Inviting)
	id := r.status(run.ID).Moves[0].Progress.Relationship
	f.rel[id].Customer, f.rel[id].Status = tenantOf(7), statusActive
	if s := statusOf(t, r, run.ID, 50); s.Moves[0].State != Held || !strings.Contains(s.Moves[0].Why, "another tenant") || len(f.rel[id].as) != 0 {
		t.Errorf("%+v", s.Moves[0])
	}
}

// Rollback gives everything back as long as it can, and says clearly where it cannot.
func TestRollback(t *testing.T) {
	t.Parallel()
	for _, at := range []State{Assigning, Probing, Easing, Proving, Ending} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			f := newFake()
			r := newRig(t, dbtest.SQLite(t), f)
			// The turn ends in the state that is wanted.
			r.Mover = r.another(r.d.DB, failing{f, func(call string) error {
				if call == map[State]string{Assigning: "assign", Easing: "unassign", Ending: "terminate"}[at] {
					return apiError(503)
				}
				return nil
			}}, nil)
			r.d.Probe = r.p
			if at == Probing {
				r.d.Probe = silent{}
			} else if at == Proving {
				r.d.Probe = silentAfter{r.p}
			}
			run, _ := begun(t, r, f, at)
			old := "bbbbbbbb-0000-0000-0000-000000000001-" + partner
			r.Mover = r.another(r.d.DB, f, nil)
			r.ok(r.Rollback(t.Context(), run.ID, tenantOf(0)))
			s := statusOf(t, r, run.ID, 100)
			if s.Moves[0].State != RolledBack {
				t.Fatalf("%+v", s.Moves[0])
			}
			has := map[string][]string{}
			for _, a := range f.at(old).as {
				if a.Status == assignActive {
					has[a.Group] = a.Roles
				}
			}
			if !same(has[helpers], []string{helpdesk, users}) || !same(has[admins], []string{users}) || !f.dap[tenantOf(0)] {
				t.Errorf("not given back: %v", has)
			}
			if x := f.at(s.Moves[0].Progress.Relationship); x.Status != statusEnded {
				t.Errorf("the new relationship is %s", x.Status)
			}
			if len(r.trail.Of(audit.DelegationRolledBack)) != 1 {
				t.Error("the trail does not say it")
			}
		})
	}
}

type silent struct{}

func (silent) Probe(context.Context, ProbeAsk) (ProbeAnswer, error) {
	return ProbeAnswer{Unknown, "nobody was there to ask"}, nil
}

type silentAfter struct{ Prober }

func (s silentAfter) Probe(ctx context.Context, ask ProbeAsk) (ProbeAnswer, error) {
	if ask.Gone != nil {
		return ProbeAnswer{Unknown, "nobody was there to ask"}, nil
	}
	return s.Prober.Probe(ctx, ask)
}

// What cannot be had back is said, with what to do instead.
func TestNoRollback(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	run, _ := begun(t, r, f, Done)
	err := r.Rollback(t.Context(), run.ID, tenantOf(0))
	if !errors.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "DAP was taken away") || !strings.Contains(problem.HintOf(err), "plan --to") {
		t.Errorf("%v", err)
	}
	x := Move{State: Held, Progress: Progress{HeldIn: Ending, Ended: []string{"r1"}}, wish: Customer{End: []Former{{ID: "r1", Name: "Old"}}}}
	if err := x.returns(Ending); err == nil || !strings.Contains(err.Error(), "the relationship Old was ended") {
		t.Errorf("%v", err)
	}
	if err := (&Move{State: Inviting}).returns(Inviting); err == nil || !strings.Contains(problem.HintOf(err), "cancel") {
		t.Errorf("%v", err)
	}
}

// A move that is cancelled takes its offer back; one that a customer accepts after that is
// ended at once.
func TestCancel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFake()
		r := newRig(t, d, f)
		f.answers = func(string, int) (bool, time.Duration) { return true, 30 * time.Hour }
		run, p := begun(t, r, f, Inviting)
		if _, err := r.Apply(t.Context(), r.plan(f.inventory(1), least(f.inventory(1), recommend.ByEvidence), func(a *Ask) { a.Seed = "2" }), 0,
			f.inventory(1)); !errors.Is(err, problem.Conflict) {
			t.Errorf("two plans move one customer: %v", err)
		}
		n, err := r.Cancel(t.Context(), run.ID, "")
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		s := statusOf(t, r, run.ID, 200)
		id := s.Moves[0].Progress.Relationship
		if s.Moves[0].State != Cancelled || f.at(id).Status != statusEnded || len(f.at(id).as) != 0 {
			t.Fatalf("%+v %s", s.Moves[0], f.at(id).Status)
		}
		if f.at(p.Customers[0].End[0].ID).Status != statusActive {
			t.Error("the old relationship was ended")
		}
		if _, err := r.Invite(t.Context(), tenantOf(0)); !errors.Is(err, problem.NotFound) {
			t.Errorf("there is an invitation still: %v", err)
		}
	})
}

// The right to change delegation is lost half-way: the plan stops as a whole, and goes on
// from there.
func TestPermissionLost(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	lost := true
	r.Mover = r.another(r.d.DB, failing{f, func(call string) error {
		if lost && call == "assign" {
			return apiError(403)
		}
		return nil
	}}, nil)
	run, _ := begun(t, r, f, Assigning)
	s := statusOf(t, r, run.ID, 50)
	if s.State != Stopped || s.Moves[0].State != Assigning || !strings.Contains(s.Why, "does not let this account") {
		t.Fatalf("%+v", s)
	}
	lost = false
	if _, err := r.Resume(t.Context(), run.ID, ""); err != nil {
		t.Fatal(err)
	}
	if s = statusOf(t, r, run.ID, 50); s.State != Over || s.Moves[0].State != Done {
		t.Errorf("%+v", s.Moves[0])
	}
}

// An operation that never ends, and a group that was deleted, are for a person to look at.
func TestHeld(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.never = true
	r := newRig(t, dbtest.SQLite(t), f)
	f.seed(0, "Contoso", false, []string{helpdesk, users}, []string{helpdesk, users}, nil)
	inv := f.inventory(1)
	run, err := r.Apply(t.Context(), r.plan(inv, least(inv, recommend.ByEvidence, helpdesk)), 0, inv)
	r.ok(err)
	if s := statusOf(t, r, run.ID, 1000); s.Moves[0].State != Held || !strings.Contains(s.Moves[0].Why, "within a day") {
		t.Errorf("%+v", s.Moves[0])
	}
	f = newFake()
	r = newRig(t, dbtest.SQLite(t), f)
	f.seed(0, "MLT_x", false, []string{helpdesk, users}, []string{helpdesk}, nil)
	inv = f.inventory(1)
	p := r.plan(inv, least(inv, recommend.ByEvidence, helpdesk))
	p.Customers[0].Groups[0].ID = "ffffffff-0000-0000-0000-000000000000"
	run, err = r.Apply(t.Context(), p, 0, inv)
	r.ok(err)
	if s := statusOf(t, r, run.ID, 100); s.Moves[0].State != Held || !strings.Contains(s.Moves[0].Why, "was it deleted?") {
		t.Errorf("%+v", s.Moves[0])
	}
}

// Rows that something else wrote steer nothing.
func TestForged(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFake()
		r := newRig(t, d, f)
		run, _ := begun(t, r, f, Inviting)
		writes := f.writes
		if _, err := d.ExecContext(t.Context(), "UPDATE delegation_moves SET state = 'ending'"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Do(t.Context(), run.ID, tenantOf(0)); !errors.Is(err, vault.ErrForged) || f.writes != writes {
			t.Errorf("a forged move is done: %v", err)
		}
		if err := r.Rollback(t.Context(), run.ID, tenantOf(0)); !errors.Is(err, vault.ErrForged) {
			t.Errorf("%v", err)
		}
		if _, err := d.ExecContext(t.Context(), "UPDATE delegation_runs SET stage = 99"); err != nil {
			t.Fatal(err)
		}
		if err := r.Advance(t.Context()); !errors.Is(err, vault.ErrForged) {
			t.Errorf("%v", err)
		}
		p, err := r.Pin(t.Context(), Pin{Role: "Directory Readers", Reason: "needed at night"})
		r.ok(err)
		if _, err := r.Pin(t.Context(), Pin{Role: readers, Reason: "once more"}); !errors.Is(err, problem.Conflict) {
			t.Errorf("%v", err)
		}
		if list, err := r.Pinned(t.Context()); err != nil || len(list) != 1 || list[0].Role != readers {
			t.Errorf("%+v %v", list, err)
		}
		if _, err := d.ExecContext(t.Context(), "UPDATE delegation_pins SET role = '"+global+"'"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Pinned(t.Context()); !errors.Is(err, vault.ErrForged) {
			t.Errorf("a forged pin steers: %v", err)
		}
		r.ok(r.Unpin(t.Context(), p.ID))
		if err := r.Unpin(t.Context(), p.ID); !errors.Is(err, problem.NotFound) {
			t.Errorf("%v", err)
		}
	})
}

// Two processes never do one move at once; a lease that a dead one left runs out.
func TestLease(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	run, _ := begun(t, r, f, Waiting)
	other := r.another(r.d.DB, f, nil)
	r.ok(other.lease(t.Context(), run.ID, tenantOf(0), f.clock(), f.clock().Add(leaseFor)))
	if next, err := r.Do(t.Context(), run.ID, tenantOf(0)); err != nil || !next.Equal(f.clock().Add(soon)) || f.writes > 0 {
		t.Fatal(next, err)
	}
	if _, err := r.Cancel(t.Context(), run.ID, ""); !errors.Is(err, problem.Conflict) {
		t.Errorf("a move that is being done was turned round: %v", err)
	}
	f.jump(leaseFor + time.Second)
	if _, err := r.Do(t.Context(), run.ID, tenantOf(0)); err != nil || f.writes == 0 {
		t.Error(err)
	}
}
