//go:build !judge

package move

import (
	"context"
	"errors"
	"strings"
	"testing"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/problem"
)

// mute takes DAP away, and its answer is lost.
type mute struct{ Cloud }

func (x mute) RemoveDAP(ctx context.Context, tenant string) error {
	if err := x.Cloud.RemoveDAP(ctx, tenant); err != nil {
		return err
	}
	return apiError(503)
}

// DAP was taken away, and the answer was lost: a rollback does not end the new relationship,
// which is the only access that is left.
func TestRollbackLeavesAnAccess(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	f.dap[tenantOf(0)] = true
	inv := f.inventory(1)
	p := r.plan(inv, nil, func(a *Ask) {
		a.Template = &Template{Name: "t", Groups: []TemplateGroup{{ID: helpers, Roles: []string{helpdesk}}}}
	})
	run, err := r.Apply(t.Context(), p, 0, inv)
	r.ok(err)
	r.Mover = r.another(r.d.DB, mute{f}, nil)
	for range 50 {
		if r.status(run.ID).Moves[0].State == Removing {
			break
		}
		r.ok(r.step(run.ID))
	}
	if f.dap[tenantOf(0)] {
		t.Fatalf("DAP is there still: %+v", r.status(run.ID).Moves[0])
	}
	r.ok(r.Rollback(t.Context(), run.ID, tenantOf(0)))
	x := statusOf(t, r, run.ID, 50).Moves[0]
	if x.State != Done || !strings.Contains(x.Why, "DAP is gone") || f.at(x.Progress.Relationship).Status != statusActive {
		t.Errorf("%+v, the new relationship is %s", x, f.at(x.Progress.Relationship).Status)
	}
}

// A stage does not begin as long as the second probe of one before it has not passed.
func TestStageWaitsForBothProbes(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	for n := range 2 {
		f.seed(n, "MLT_"+tenantOf(n)[30:], false, []string{helpdesk, users}, []string{helpdesk, users}, nil)
	}
	inv := f.inventory(2)
	r.d.Probe = silentAfter{r.p}
	run, err := r.Apply(t.Context(), r.plan(inv, least(inv, recommend.ByEvidence, helpdesk), func(a *Ask) { a.Stages = []int{50, 100} }), 0, inv)
	r.ok(err)
	if s := statusOf(t, r, run.ID, 40); s.Stage != 1 || s.Counts[Proving] != 1 || s.Counts[Waiting] != 1 {
		t.Errorf("stage %d of %v", s.Stage, s.Counts)
	}
	r.d.Probe = r.p
	if s := statusOf(t, r, run.ID, 200); s.State != Over || s.Counts[Done] != 2 {
		t.Errorf("%s %v", s.State, s.Counts)
	}
}

// What a person wrote into a plan takes no access away that nothing replaces, and ends
// nothing that is not the partner's to end.
func TestPlansThatReachTooFar(t *testing.T) {
	t.Parallel()
	p, _ := aPlan(t)
	c := &p.Customers[0]
	if c.DAP != DAPRemove {
		c = &p.Customers[1]
	}
	end := c.End[0].ID
	now := &delegation.Inventory{AsOf: p.Facts, Customers: []delegation.Customer{{Tenant: tenantOf(0), DAP: delegation.Yes,
		Relationships: []delegation.Relationship{{ID: end, Name: "MLT_x", Active: true, Governance: true}}}}}
	p.Customers = []Customer{*c}
	if d := Differences(&p, now); len(d) != 1 || !strings.Contains(d[0], "tenant governance") {
		t.Errorf("a relationship of tenant governance would be ended: %v", d)
	}
	c = &p.Customers[0]
	c.Change, c.Relationship, c.Groups = Keep, nil, nil
	if err := p.Check(); !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "DAP goes only where") {
		t.Errorf("DAP goes, and nothing is probed: %v", err)
	}
}
