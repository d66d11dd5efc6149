//go:build !judge

package move

import (
	"context"
	"errors"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/problem"
)

// lastOf has rows held to what the test's trail says last.
func (r *rig) lastOf(context.Context) (func(object, tenant string) audit.Action, error) {
	return func(object, tenant string) (last audit.Action) {
		for _, a := range []audit.Action{audit.DelegationCancelled, audit.DelegationRolledBack, audit.DelegationUnpinned} {
			for _, e := range r.trail.Of(a) {
				if e.Object == object && e.Tenant == tenant {
					last = a
				}
			}
		}
		return last
	}, nil
}

// Whoever writes the database puts a cancelled move, a move that was taken back, and a pin
// back as they were, with their marks: nothing goes on by them.
func TestOlderRows(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFake()
		r := newRig(t, d, f)
		r.d.Last = r.lastOf
		f.seed(0, "MLT_abc_partner", true, []string{helpdesk, users, privrole}, []string{helpdesk, users, privrole}, []string{users})
		inv := f.inventory(1)
		run, err := r.Apply(t.Context(), r.plan(inv, least(inv, recommend.ByEvidence, helpdesk)), 0, inv)
		r.ok(err)
		old, err := r.move(t.Context(), run.ID, tenantOf(0))
		r.ok(err)
		_, err = r.Cancel(t.Context(), run.ID, tenantOf(0))
		r.ok(err)
		r.exec(d, "UPDATE delegation_moves SET state = $1, body = $2, version = $3, mark = $4 WHERE plan = $5", string(old.State), old.rawBody, old.version,
			old.mark, run.ID)
		if _, err := r.Do(t.Context(), run.ID, tenantOf(0)); !errors.Is(err, problem.Conflict) {
			t.Errorf("a cancelled move goes on: %v", err)
		}

		pin, err := r.Pin(t.Context(), Pin{Role: helpdesk, Reason: "lock-outs at night"})
		r.ok(err)
		list, err := r.pins(t.Context())
		r.ok(err)
		r.ok(r.Unpin(t.Context(), pin.ID))
		r.ok(r.insertPin(t.Context(), &list[0]))
		if _, err := r.Pinned(t.Context()); !errors.Is(err, problem.Conflict) {
			t.Errorf("a pin that was taken away steers: %v", err)
		}
	})
}

func (r *rig) exec(d *db.DB, query string, args ...any) {
	r.Helper()
	if _, err := d.ExecContext(r.Context(), query, args...); err != nil {
		r.Fatal(err)
	}
}

// A time that nobody writes does not keep a move from being looked at.
func TestOddTimes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFake()
		r := newRig(t, d, f)
		f.seed(0, "MLT_abc_partner", true, []string{helpdesk, users}, []string{helpdesk}, []string{users})
		inv := f.inventory(1)
		_, err := r.Apply(t.Context(), r.plan(inv, least(inv, recommend.ByEvidence, helpdesk)), 0, inv)
		r.ok(err)
		for next, want := range map[int64]int{-1: 1, db.Micros(r.now().Add(-time.Second)): 1, 1 << 62: 1, db.Micros(r.now().Add(time.Hour)): 0, 0: 0} {
			r.exec(d, "UPDATE delegation_moves SET next = $1", next)
			if list, err := r.due(t.Context(), r.now(), 10); err != nil || len(list) != want {
				t.Errorf("next %d: %d are due, %v", next, len(list), err)
			}
		}
	})
}
