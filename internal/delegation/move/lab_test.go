//go:build !judge

package move_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/entra"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// ground is the partner cloud, and a mover that works there by a token of an Admin Agent.
type ground struct {
	*labtest.Lab
	m *move.Mover
}

func newGround(t *testing.T, d *db.DB) *ground {
	t.Helper()
	g := &ground{Lab: labtest.Start(t)}
	path := filepath.Join(t.TempDir(), "key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(path), vault.Options{Books: move.Books()})
	if err != nil {
		t.Fatal(err)
	}
	refresh := g.Grant(labtest.PanelApp, labtest.SAMAgent).Refresh
	bearer := func(resource string) msapi.Bearer {
		return func(ctx context.Context) (secret.Text, error) {
			x, err := g.API.Refresh(ctx, msapi.RefreshRequest{Cloud: g.Cloud, App: g.App(labtest.PanelApp), Tenant: g.Info.Tenant.ID, Refresh: refresh,
				Scope: resource + "/.default"})
			if err != nil {
				return secret.Text{}, err
			}
			return x.Access, nil
		}
	}
	graph, err := g.API.Graph(g.Cloud, g.Info.Tenant.ID, bearer(g.Cloud.GraphResource))
	if err != nil {
		t.Fatal(err)
	}
	center, err := g.API.PartnerCenter(g.Cloud, g.Info.Tenant.ID, bearer(g.Cloud.PartnerCenterResource))
	if err != nil {
		t.Fatal(err)
	}
	if g.m, err = move.New(move.Deps{DB: d, Marks: v, Record: &audittest.Recorder{}, Probe: g, Actor: "local:test", Now: g.Now,
		Cloud: func(context.Context, string) (move.Cloud, error) { return move.Live(graph, center), nil }}); err != nil {
		t.Fatal(err)
	}
	return g
}

// Probe looks at the cloud itself.
func (g *ground) Probe(_ context.Context, ask move.ProbeAsk) (a move.ProbeAnswer, err error) {
	has := map[string][]string{}
	now := g.Now()
	g.Server.World.Read(func(s *world.State) {
		for r := range s.PartnerTenant().Relationships.All() {
			for i := range r.Assignments {
				if x := &r.Assignments[i]; r.Customer == ask.Tenant && r.StatusAt(now) == "active" && x.StatusAt(now) == "active" {
					has[x.Group] = append(has[x.Group], x.Roles...)
				}
			}
		}
	})
	for _, w := range ask.Groups {
		for _, role := range w.Roles {
			if !slices.Contains(has[w.ID], role) {
				return move.ProbeAnswer{Pass: move.Fail, Words: "missing: " + role}, nil
			}
		}
	}
	for _, x := range ask.Gone {
		if slices.Contains(has[x.Group], x.Role) {
			return move.ProbeAnswer{Pass: move.Fail, Words: "still there: " + x.Role}, nil
		}
	}
	return move.ProbeAnswer{Pass: move.Pass, Words: "as it should be"}, nil
}

// inventory is what the cloud holds, of some customers.
func (g *ground) inventory(domains ...string) *delegation.Inventory {
	now := g.Now()
	inv := &delegation.Inventory{AsOf: now, Tenant: g.Info.Tenant.ID, Groups: map[string]*delegation.Group{}, Lists: map[string]delegation.ListRead{}}
	g.Server.World.Read(func(s *world.State) {
		t := s.PartnerTenant()
		for _, domain := range domains {
			w := t.CustomerOf(domain)
			c := delegation.Customer{Tenant: w.TenantID, Name: w.Name, Domain: w.Domain, DAP: delegation.No}
			if w.DAP {
				c.DAP = delegation.Yes
			}
			for r := range t.Relationships.All() {
				if r.Customer != w.TenantID {
					continue
				}
				x := delegation.Relationship{ID: r.ID, Name: r.Name, Status: r.StatusAt(now), Active: r.StatusAt(now) == "active", Roles: r.Roles,
					End:        r.EndAt(now),
					AutoExtend: r.AutoExtend, Read: delegation.Yes, Microsoft: strings.HasPrefix(r.Name, "MLT_")}
				for i := range r.Assignments {
					a := &r.Assignments[i]
					x.Assignments = append(x.Assignments, delegation.Assignment{ID: a.ID, Group: a.Group, Status: a.StatusAt(now),
						Active: a.StatusAt(now) == "active", Roles: a.Roles})
				}
				c.Relationships = append(c.Relationships, x)
			}
			inv.Customers = append(inv.Customers, c)
		}
	})
	return inv
}

func (g *ground) groupID(name string) (id string) {
	g.Server.World.Read(func(s *world.State) {
		for x := range s.PartnerTenant().Groups.All() {
			if x.Name == name {
				id = x.ID
			}
		}
	})
	return id
}

// approve has the customers say yes to whatever they were offered.
func (g *ground) approve() {
	g.Edit(func(s *world.State, t *world.Tenant) {
		for r := range t.Relationships.All() {
			if r.StatusAt(g.Now()) == "approvalPending" && strings.HasPrefix(r.Name, "PG-") {
				next := *r
				next.Answer(s.Tenant(r.Customer), true, 730*24*time.Hour, g.Now())
				t.Relationships.Put(&next)
			}
		}
	})
}

func (g *ground) writes() (n int) {
	for _, x := range g.Server.Gate.Seen(gate.Filter{}) {
		if (x.Service == gate.Graph || x.Service == gate.Center) && x.Method != "GET" {
			n++
		}
	}
	return n
}

// TestAtTheCloud moves a customer with DAP to a new relationship, and one with Global
// Administrator to fewer roles, by HTTP at the partner cloud; on a bad day too.
func TestAtTheCloud(t *testing.T) {
	t.Parallel()
	for _, bad := range []bool{false, true} {
		t.Run(map[bool]string{false: "calm", true: "bad day"}[bad], func(t *testing.T) {
			t.Parallel()
			g := newGround(t, dbtest.SQLite(t))
			ops := g.groupID("GDAP Operations")
			tmpl := move.Template{Version: 1, Name: "desk", Groups: []move.TemplateGroup{{ID: ops, Roles: []string{entra.RoleDirectoryReaders,
				entra.RoleLicenseAdministrator}}}}
			inv := g.inventory("fabrikam.example", "adatum.example")
			before := g.writes()
			p, err := move.Make(&move.Ask{Cloud: "partner-cloud", Now: g.Now(), Seed: "lab", Inventory: inv, Template: &tmpl, Tight: true, Stages: []int{100}})
			if err != nil || len(p.Customers) != 2 {
				t.Fatal(err, p.Customers)
			}
			if n := g.writes(); n != before {
				t.Fatalf("a plan sent %d writes", n-before)
			}
			run, err := g.m.Apply(t.Context(), p, 0, inv)
			if err != nil {
				t.Fatal(err)
			}
			if bad {
				for _, f := range []gate.Fault{{Service: gate.Graph, Kind: gate.Lost, Share: 0.1}, {Service: gate.Graph, Kind: gate.Throttle, Share: 0.1},
					{Service: gate.Graph, Kind: gate.Error503, Share: 0.1}, {Service: gate.Center, Kind: gate.Lost, Share: 0.3}} {
					f.PathPrefix = map[string]string{gate.Graph: "/v1.0/tenantRelationships", gate.Center: "/v1/customers"}[f.Service]
					if _, err := g.Server.Gate.Inject(f); err != nil {
						t.Fatal(err)
					}
				}
			}
			var s move.Status
			for range 3000 {
				if err := g.m.Now(t.Context(), run.ID, true, nil); err != nil {
					t.Fatal(err)
				}
				list, err := g.m.Status(t.Context(), run.ID)
				if err != nil {
					t.Fatal(err)
				}
				if s = list[0]; s.State != move.Running {
					break
				}
				g.approve()
				g.Jump(45 * time.Second)
			}
			if s.State != move.Over || s.Counts[move.Done] != 2 {
				t.Fatalf("%s %v %s %s / %s", s.State, s.Counts, s.Why, s.Moves[0].Why, s.Moves[1].Why)
			}
			g.after(ops)
		})
	}
}

// after is how the two customers should be afterwards.
func (g *ground) after(ops string) {
	g.Helper()
	for _, c := range g.inventory("fabrikam.example", "adatum.example").Customers {
		active := 0
		for _, r := range c.Relationships {
			if !r.Active {
				continue
			}
			active++
			for _, a := range r.Assignments {
				if a.Active && (a.Group != ops || !slices.Equal(slices.Sorted(slices.Values(a.Roles)),
					slices.Sorted(slices.Values([]string{entra.RoleDirectoryReaders, entra.RoleLicenseAdministrator})))) {
					g.Errorf("%s: %s has %v", c.Domain, a.Group, a.Roles)
				}
			}
			if slices.Contains(r.Roles, entra.RoleGlobalAdministrator) {
				g.Errorf("%s: %s still holds Global Administrator", c.Domain, r.Name)
			}
		}
		if active != 1 || c.DAP != delegation.No {
			g.Errorf("%s: %d relationships, DAP %s", c.Domain, active, c.DAP)
		}
	}
	g.Server.World.Read(func(s *world.State) { // the reseller relationship and subscriptions are as they were
		c := s.PartnerTenant().CustomerOf("fabrikam.example")
		if c.Relationship != "reseller" {
			g.Errorf("the reseller relationship is %s", c.Relationship)
		}
	})
}
