package app_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/delegation/probe"
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
)

// probed is an installation of the partner cloud that probes.
type probed struct{ *watched }

func newProbed(t *testing.T) *probed {
	w := newWatched(t)
	w.s.LabInfo().Roots = w.lab.Server.CA.Pool()
	w.reopen()
	if _, _, err := w.s.ConnectLab(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &probed{w}
}

func (p *probed) ask(a app.ProbeAsk) map[string]app.Probed {
	p.Helper()
	out := map[string]app.Probed{}
	a.Sleep = func(_ context.Context, d time.Duration) error { p.lab.Jump(d); return nil }
	if err := p.s.ProbeDelegation(p.Context(), a, func(x app.Probed) { out[x.Customer] = x }); err != nil {
		p.Fatal(err)
	}
	return out
}

// one is the result of a kind whose subject holds a text.
func one(x app.Probed, k probe.Kind, subject string) probe.Result {
	for _, r := range x.Results {
		if r.Kind == k && strings.Contains(r.Subject, subject) {
			return r
		}
	}
	return probe.Result{}
}

// group is the id of a group of the partner.
func (p *probed) group(name string) (id string) {
	p.lab.Server.World.Read(func(s *world.State) { id = s.PartnerTenant().GroupByName(name).ID })
	return id
}

// relationship is the id of a relationship by its name.
func (p *probed) relationship(name string) (id string) {
	p.lab.Server.World.Read(func(s *world.State) {
		for r := range s.PartnerTenant().Relationships.All() {
			if r.Name == name {
				id = r.ID
			}
		}
	})
	if id == "" {
		p.Fatalf("no relationship %s", name)
	}
	return id
}

// What is there is as Microsoft says; where the account may have a token, by the token.
// Nothing is written.
func TestProbeOfWhatThereIs(t *testing.T) {
	t.Parallel()
	p := newProbed(t)
	all := p.ask(app.ProbeAsk{})
	if len(all) < 8 {
		t.Errorf("%d customers", len(all))
	}
	for id, x := range all {
		if x.Outcome != probe.Pass {
			t.Errorf("%s %s: %s %s", x.Name, id, x.Outcome, x.Words)
		}
	}
	fabrikam := one(all[p.lab.Customer("fabrikam.example")], probe.TokenRoles, "sam-agent@")
	if fabrikam.Outcome != probe.Pass || fabrikam.Proof != probe.ByToken || !strings.Contains(fabrikam.Got, "Cloud Application Administrator") {
		t.Errorf("%+v", fabrikam)
	}
	// Nobody agreed to the app at Woodgrove: its roles there are not known, and say so.
	if r := one(all[p.lab.Customer("woodgrove.example")], probe.TokenRoles, ""); r.Outcome != probe.Unknown || r.Fix == "" {
		t.Errorf("%+v", r)
	}
	for _, s := range p.lab.Server.Gate.Seen(gate.Filter{}) {
		if s.Method != http.MethodGet && s.Service != gate.Login {
			t.Errorf("it wrote: %s %s %s", s.Service, s.Method, s.Path)
		}
	}
	tailspin := p.relationship("Tailspin_Operations")
	p.lab.Edit(func(_ *world.State, tenant *world.Tenant) {
		tenant.Relationships.Change(tailspin, func(r *world.Relationship) { r.Assignments[0].Status = "error" })
	})
	if x := p.ask(app.ProbeAsk{Customer: "tailspin.example"}); len(x) != 1 || x[p.lab.Customer("tailspin.example")].Outcome != probe.Fail {
		t.Errorf("an assignment in error: %+v", x)
	}
}

// What a plan wants is not so before, waits while it comes about, and is so after.
func TestProbeOfAPlan(t *testing.T) {
	t.Parallel()
	p := newProbed(t)
	desk, ops := p.group("GDAP Service Desk"), p.group("GDAP Operations")
	plan := &move.Plan{Customers: []move.Customer{{Tenant: p.lab.Customer("wingtip.example"), Name: "Wingtip Toys",
		Relationship: &move.Relationship{Name: "Wingtip least"}, Groups: []move.Group{{ID: desk, Roles: []string{entra.RoleHelpdeskAdministrator}}},
		Goes: []move.Going{{Role: entra.RoleGlobalAdministrator, Group: ops}}, DAP: move.DAPRemove}}}
	id := p.lab.Customer("wingtip.example")
	before := p.ask(app.ProbeAsk{Plan: plan})[id]
	if before.Outcome != probe.Fail || one(before, probe.DAPGone, "").Outcome != probe.Fail || one(before, probe.RelationshipActive, "").Outcome != probe.Fail {
		t.Errorf("before: %+v", before)
	}
	p.lab.Edit(func(s *world.State, tenant *world.Tenant) {
		now := s.Clock.Now()
		tenant.Relationships.Put(&world.Relationship{ID: "aaaaaaaa-1111-4111-8111-111111111111-" + tenant.ID, Name: "Wingtip least", Duration: "P30D",
			Customer: id, Status: "active", Activated: now, Ends: now.AddDate(0, 0, 30), Roles: []string{entra.RoleHelpdeskAdministrator},
			Assignments: []world.AccessAssignment{{ID: "a", Group: desk, Roles: []string{entra.RoleHelpdeskAdministrator}, Status: "pending",
				Due: now.Add(3 * time.Minute)}}})
		tenant.Customers.Change(id, func(c *world.Customer) { c.DAP = false })
	})
	if x := p.ask(app.ProbeAsk{Plan: plan, Patience: time.Second})[id]; x.Outcome != probe.Wait {
		t.Errorf("coming about: %+v", x)
	}
	after := p.ask(app.ProbeAsk{Plan: plan, Patience: 10 * time.Minute})[id]
	if after.Outcome != probe.Pass {
		t.Errorf("after: %+v", after)
	}
	// The plan says that the group shall not have a role that it still has elsewhere.
	p.lab.Edit(func(_ *world.State, tenant *world.Tenant) {
		tenant.Relationships.Change("aaaaaaaa-1111-4111-8111-111111111111-"+tenant.ID, func(r *world.Relationship) {
			r.Assignments = append(slices.Clone(r.Assignments), world.AccessAssignment{ID: "b", Group: ops, Roles: []string{entra.RoleGlobalAdministrator},
				Status: "active"})
		})
	})
	if x := p.ask(app.ProbeAsk{Plan: plan})[id]; x.Outcome != probe.Fail || one(x, probe.RoleGone, ops).Outcome != probe.Fail {
		t.Errorf("a role that stayed: %+v", x)
	}
}

// A move's probe waits for what takes its time, and fails when it had its time.
func TestProbeOfAMove(t *testing.T) {
	t.Parallel()
	p := newProbed(t)
	rel, desk := p.relationship("Fabrikam_Operations"), p.group("GDAP Service Desk")
	ask := move.ProbeAsk{Tenant: p.lab.Customer("fabrikam.example"), Relationship: rel,
		Groups: []move.Group{{ID: desk, Roles: []string{entra.RoleDirectoryReaders, entra.RoleHelpdeskAdministrator, entra.RoleServiceSupportAdministrator}}}}
	check := func(when string, want move.Passed) {
		t.Helper()
		a, err := p.s.Prober().Probe(t.Context(), ask) // each as another process
		if err != nil || a.Pass != want || a.Words == "" {
			t.Errorf("%s: %+v %v", when, a, err)
		}
	}
	check("as it is", move.Pass)
	ask.Groups[0].Roles, ask.Since = append(ask.Groups[0].Roles, entra.RoleUserAdministrator), p.lab.Now()
	check("a role too few, just asked", move.Unknown)
	p.lab.Jump(11 * time.Minute)
	check("a role too few, for long", move.Fail)
}
