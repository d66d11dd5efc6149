//go:build !judge

package move

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/entra"
)

const (
	global   = entra.RoleGlobalAdministrator
	helpdesk = entra.RoleHelpdeskAdministrator
	users    = entra.RoleUserAdministrator
	license  = entra.RoleLicenseAdministrator
	readers  = entra.RoleDirectoryReaders
	privrole = entra.RolePrivilegedRoleAdministrator
)

// A relationship of Microsoft's transition is replaced by one with the roles that are
// needed, which the customer approves; DAP goes last.
func TestReplace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFake()
		r := newRig(t, d, f)
		old := f.seed(0, "MLT_abc_partner", true, []string{global, helpdesk, users, privrole}, []string{helpdesk, users, privrole}, []string{global, users})
		inv := f.inventory(1)
		p := r.plan(inv, least(inv, recommend.ByEvidence, helpdesk, users))
		c := p.Customers[0]
		if c.Change != Replace || !same(c.Relationship.Roles, []string{helpdesk, users}) || c.Relationship.AutoExtend != "P180D" || c.DAP != DAPRemove ||
			len(c.End) != 1 || len(c.Goes) != 2 {
			t.Fatalf("%+v %+v", c, c.Relationship)
		}
		run, err := r.Apply(t.Context(), p, 0, inv)
		r.ok(err)
		s := r.drive(r.Mover, run.ID, 100)
		if s.State != Over || s.Moves[0].State != Done {
			t.Fatalf("%+v", s.Moves[0])
		}
		if f.at(old).Status != statusEnded || f.dap[tenantOf(0)] {
			t.Error("the old access is still there")
		}
		if len(r.told) != 1 || !strings.Contains(r.told[0].Text, "Customer Delegated Admin Relationship Administrator") ||
			!strings.Contains(r.told[0].Link, "granularAdminRelationships/dddddddd-") {
			t.Errorf("told: %+v", r.told)
		}
		steps, err := r.History(t.Context(), run.ID, tenantOf(0))
		r.ok(err)
		asked, answered := r.trail.Of(audit.DelegationAsked), r.trail.Of(audit.DelegationChanged)
		if len(steps) != 8 || len(asked) != 8 || len(answered) != 8 { // create, offer, 2 given, 2 taken, end, DAP
			t.Errorf("%d steps, %d asked, %d answered: %+v", len(steps), len(asked), len(answered), steps)
		}
	})
}

// An active relationship that holds all that is needed is narrowed without anybody's
// approval, and loses Global Administrator.
func TestNarrow(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	id := f.seed(0, "Contoso 1", false, []string{global, helpdesk, license}, []string{helpdesk, license}, []string{global})
	inv := f.inventory(1)
	p := r.plan(inv, least(inv, recommend.ByEvidence, helpdesk))
	c := p.Customers[0]
	if c.Change != Narrow || !c.Relationship.DropGlobal || len(c.Groups) != 1 || len(c.End) != 0 {
		t.Fatalf("%+v", c)
	}
	run, err := r.Apply(t.Context(), p, 0, inv)
	r.ok(err)
	if s := r.drive(r.Mover, run.ID, 50); s.State != Over || s.Moves[0].State != Done || len(r.told) != 0 {
		t.Fatalf("%+v", s.Moves[0])
	}
	x := f.at(id)
	if x.Status != statusActive || !same(x.Roles, []string{helpdesk, license}) ||
		!same(x.as[0].Roles, []string{helpdesk}) && !same(x.as[1].Roles, []string{helpdesk}) {
		t.Errorf("%+v", x)
	}
	for _, a := range x.as {
		if a.Group == admins && a.Status != assignDeleted {
			t.Error("the admins still have Global Administrator")
		}
	}
}

// Making a plan and looking at it sends no write; roles without evidence stay unless they
// are asked to go, and go by name.
func TestPlan(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	f.seed(0, "A", false, []string{helpdesk, readers}, []string{helpdesk, readers}, nil)
	f.seed(1, "B", true, []string{helpdesk, entra.RolePartnerTier2Support}, []string{helpdesk, entra.RolePartnerTier2Support}, nil)
	f.seed(2, "C", false, []string{helpdesk}, []string{helpdesk}, nil)
	f.dap[tenantOf(3)] = true
	inv := f.inventory(4)
	res := least(inv, recommend.NoEvidence, helpdesk)
	p := r.plan(inv, res)
	if len(p.Customers) != 1 || p.Customers[0].Tenant != tenantOf(1) || p.Customers[0].Change != Replace || len(p.Unchanged) != 3 {
		t.Fatalf("%+v\n%+v", p.Customers, p.Unchanged)
	}
	if !strings.Contains(p.Unchanged[2].Why, "say which with --to template.yaml") {
		t.Errorf("DAP alone: %+v", p.Unchanged[2])
	}
	for _, g := range p.Customers[0].Groups {
		if slices.ContainsFunc(g.Roles, legacy) {
			t.Error("Partner Tier2 Support is carried over")
		}
	}
	p = r.plan(inv, res, func(a *Ask) { a.DropUnseen = true })
	if len(p.Customers) != 2 || p.Customers[0].Tenant != tenantOf(0) || p.Customers[0].Change != Narrow || p.Customers[0].Goes[0].Sure != "no-evidence" {
		t.Fatalf("%+v", p.Customers)
	}
	raw, err := p.YAML()
	r.ok(err)
	back, err := Read("plan.yaml", raw)
	r.ok(err)
	if back.ID() != p.ID() {
		t.Errorf("a plan that is written and read is another:\n%s", raw)
	}
	if f.writes != 0 {
		t.Errorf("%d writes for a plan", f.writes)
	}
	tmpl, err := ReadTemplate("t.yaml", []byte("version: 1\nname: desk\ngroups:\n  - id: "+helpers+"\n    roles: [Helpdesk Administrator]\n"))
	r.ok(err)
	p = r.plan(inv, nil, func(a *Ask) {
		a.Template, a.Customers = &tmpl, []string{"c3.example", tenantOf(0)}
		a.Pins = []recommend.Pin{{Role: readers, Reason: "asked for by audit"}}
	})
	if len(p.Customers) != 1 || p.Customers[0].Tenant != tenantOf(3) || p.Customers[0].DAP != DAPRemove || len(p.Unchanged) != 1 {
		t.Fatalf("%+v", p)
	}
	if _, err := Make(&Ask{Cloud: "public", Inventory: inv, Result: res, Customers: []string{"nobody.example"}}); err == nil {
		t.Error("an unknown customer was left out silently")
	}
}

// What others own is never offered for ending.
func TestNeverEnds(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	f.seed(0, "Governed", true, []string{users}, []string{users}, nil)
	f.seed(0, "Provider", true, []string{users}, []string{users}, nil)
	f.seed(0, "MLT_x", true, []string{helpdesk, users}, []string{helpdesk, users}, nil)
	inv := f.inventory(1)
	inv.Customers[0].Relationships[0].Governance = true
	inv.Customers[0].Relationships[1].Provider = "99999999-9999-9999-9999-999999999999"
	p := r.plan(inv, least(inv, recommend.ByEvidence, helpdesk))
	c := p.Customers[0]
	if len(c.Goes) != 0 { // the desk has User Administrator by the governed one still
		t.Errorf("goes: %+v", c.Goes)
	}
	if len(c.End) != 1 || c.End[0].Name != "MLT_x" || len(c.Was.Relationships) != 1 || len(c.Groups) != 1 || !same(c.Groups[0].Roles, []string{helpdesk}) {
		t.Errorf("%+v", c)
	}
	inv.Customers[0].Relationships[2].Read = delegation.Unknown
	if _, err := Make(&Ask{Cloud: "public", Inventory: inv, Result: least(inv, recommend.ByEvidence)}); err == nil ||
		!strings.Contains(err.Error(), "was not read whole") {
		t.Errorf("a relationship whose assignments were not read is ended: %v", err)
	}
}

// A plan of something that is not so any more is refused, with the differences.
func TestOldPlan(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	f.seed(0, "MLT_x", false, []string{helpdesk}, []string{helpdesk}, nil)
	inv := f.inventory(1)
	p := r.plan(inv, least(inv, recommend.ByEvidence, helpdesk))
	f.seed(0, "Another", false, []string{users}, nil, []string{users})
	f.rel["bbbbbbbb-0000-0000-0000-000000000001-"+partner].as[0].Roles = []string{helpdesk, users}
	_, err := r.Apply(t.Context(), p, 0, f.inventory(1))
	if err == nil || !strings.Contains(err.Error(), "Another is new") || !strings.Contains(err.Error(), "User Administrator") {
		t.Fatalf("%v", err)
	}
	// Facts older than the plan say nothing.
	inv.AsOf = inv.AsOf.Add(-time.Hour)
	if _, err := r.Apply(t.Context(), p, 0, inv); err == nil {
		t.Error("held against older facts")
	}
	// Where nobody saw it in time, the move itself does before its first write.
	inv.AsOf = p.Facts
	run, err := r.Apply(t.Context(), p, 0, inv)
	r.ok(err)
	if s := r.drive(r.Mover, run.ID, 5); s.Moves[0].State != Held || !strings.Contains(s.Moves[0].Why, "User Administrator") || f.writes != 0 {
		t.Errorf("%d writes, %+v", f.writes, s.Moves[0])
	}
}

// A failing probe stops the plan: no further customer is begun, and nothing was ended.
func TestProbeStops(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFake()
		r := newRig(t, d, f)
		for n := range 10 {
			f.seed(n, "MLT_"+tenantOf(n), true, []string{helpdesk, users}, []string{helpdesk, users}, nil)
			r.p.fail[tenantOf(n)] = "401 from Exchange"
		}
		inv := f.inventory(10)
		p := r.plan(inv, least(inv, recommend.ByEvidence, helpdesk), func(a *Ask) { a.Stages = []int{20, 100} })
		run, err := r.Apply(t.Context(), p, 0, inv)
		r.ok(err)
		s := r.drive(r.Mover, run.ID, 50)
		if s.State != Stopped || s.Stage != 1 || s.Counts[Waiting] != 8 || s.Counts[Held] == 0 {
			t.Fatalf("%s %d %v", s.State, s.Stage, s.Counts)
		}
		for id := range f.rel {
			if x := f.at(id); strings.HasPrefix(x.Name, "MLT_") && (x.Status != statusActive || x.as[0].Status != assignActive) {
				t.Errorf("%s: %s %s", x.Name, x.Status, x.as[0].Status)
			}
		}
		// Mended, it goes on from there.
		clear(r.p.fail)
		if n, err := r.Resume(t.Context(), run.ID, ""); err != nil || n == 0 {
			t.Fatal(n, err)
		}
		if s = r.drive(r.Mover, run.ID, 100); s.State != Over || s.Counts[Done] != 10 {
			t.Fatalf("%s %v", s.State, s.Counts)
		}
		if len(r.trail.Of(audit.DelegationStopped)) != 1 || len(r.trail.Of(audit.DelegationStage)) != 1 {
			t.Errorf("%v", r.trail.Actions())
		}
	})
}

// --stage lets one stage begin and no other, until a person says so.
func TestStages(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	for n := range 10 {
		f.seed(n, "MLT_"+tenantOf(n), false, []string{helpdesk, users}, []string{helpdesk, users}, nil)
	}
	inv := f.inventory(10)
	p := r.plan(inv, least(inv, recommend.ByEvidence, helpdesk), func(a *Ask) { a.Stages = []int{20, 50, 100} })
	if _, err := r.Apply(t.Context(), p, 5, inv); err == nil || !strings.Contains(err.Error(), "no stage of 5%") {
		t.Fatal(err)
	}
	run, err := r.Apply(t.Context(), p, 20, inv)
	r.ok(err)
	if s := r.drive(r.Mover, run.ID, 50); s.Counts[Done] != 2 || s.Counts[Waiting] != 8 || s.State != Running {
		t.Fatalf("%+v", s.Counts)
	}
	_, err = r.Apply(t.Context(), p, 50, nil)
	r.ok(err)
	if s := r.drive(r.Mover, run.ID, 50); s.Counts[Done] != 5 {
		t.Fatalf("%+v", s.Counts)
	}
	_, err = r.Apply(t.Context(), p, 100, nil)
	r.ok(err)
	if s := r.drive(r.Mover, run.ID, 50); s.State != Over || s.Counts[Done] != 10 {
		t.Fatalf("%+v", s.Counts)
	}
}

// What stays for want of evidence does what a smaller role would be taken for, so that nobody
// has to approve a relationship that is larger than the old one.
func TestNothingBesideWhatStays(t *testing.T) {
	t.Parallel()
	f := newFake()
	r := newRig(t, dbtest.SQLite(t), f)
	f.seed(0, "Desk", false, []string{users, helpdesk}, []string{users, helpdesk}, nil)
	inv := f.inventory(1)
	res := least(inv, recommend.NoEvidence, helpdesk)
	it := &res.Items[0]
	it.Recommended, it.Cautious = []string{entra.RoleLicenseAdministrator}, []string{users, helpdesk}
	it.Dropped = nil
	for _, id := range []string{users, helpdesk} {
		it.Dropped = append(it.Dropped, recommend.Dropped{Role: id, Sure: recommend.NoEvidence, Why: "29 of 90 days"})
	}
	_, err := Make(&Ask{Cloud: "public", Now: inv.AsOf, Seed: "seed", Inventory: inv, Result: res})
	if err == nil || !strings.Contains(err.Error(), "it is so already") {
		t.Errorf("the plan: %v", err)
	}
	p := r.plan(inv, res, func(a *Ask) { a.DropUnseen = true })
	if c := p.Customers[0]; c.Change != Replace || !slices.Equal(c.Groups[0].Roles, []string{entra.RoleLicenseAdministrator}) {
		t.Errorf("with --drop-unseen: %s %v", c.Change, c.Groups)
	}
}
