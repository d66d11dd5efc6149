package delegation

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/entra"
)

// Paths are the ways to roles at customers that a question asks for, in the order of the
// inventory: those of one customer together, its relationships as they stand there. What is
// not known to be a way is given with Perhaps and why. It is pure, and safe for concurrent
// use over one inventory.
func Paths(inv *Inventory, q Question) []Path {
	b := &paths{inv: inv, q: q}
	for i := range inv.Customers {
		c := &inv.Customers[i]
		if q.Customer != "" && q.Customer != c.Tenant {
			continue
		}
		for k := range c.Relationships {
			if r := &c.Relationships[k]; r.Active {
				b.relationship(c, r)
			}
		}
		b.dap(c)
		b.azure(c)
		b.apps(c)
	}
	return b.out
}

type paths struct {
	inv *Inventory
	q   Question
	out []Path
}

// wants reports a role that is asked for.
func (b *paths) wants(role string, leads bool) bool {
	if b.q.Roads {
		return leads
	}
	return b.q.Role == "" || b.q.Role == role
}

func (b *paths) relationship(c *Customer, r *Relationship) {
	for i := range r.Assignments {
		a := &r.Assignments[i]
		if !a.Active {
			continue
		}
		for _, role := range a.Roles {
			b.through(gdap(c, r, a, role))
		}
		if a.RolesLost { // it may be any of the relationship's
			for _, role := range r.Roles {
				if !slices.Contains(a.Roles, role) {
					p := gdap(c, r, a, role)
					p.Perhaps, p.Why = true, "not all roles of its access assignment could be read"
					b.through(p)
				}
			}
		}
	}
	if r.Read != Yes && b.q.Person == "" {
		for _, role := range r.Roles {
			if p := gdap(c, r, &Assignment{}, role); b.wants(role, p.Leads()) {
				p.Perhaps, p.Why, p.Ask = true, r.Why, r.Ask
				b.out = append(b.out, p)
			}
		}
	}
	if r.RolesLost && b.q.Person == "" {
		p := gdap(c, r, &Assignment{}, "")
		p.RoleName, p.Perhaps, p.Why = "roles that were not read", true, "not all roles of the relationship could be read"
		p.Ask = "GET /tenantRelationships/delegatedAdminRelationships/" + r.ID
		b.out = append(b.out, p)
	}
}

func gdap(c *Customer, r *Relationship, a *Assignment, role string) Path {
	p := Path{Kind: ByGDAP, Group: a.Group, Relationship: r.ID, Assignment: a.ID, Customer: c.Tenant, Role: role, RoleName: RoleName(role),
		Global: role == entra.RoleGlobalAdministrator}
	p.Step, _ = Road(role)
	return p
}

// through adds the ways of everybody in the path's group.
func (b *paths) through(p Path) {
	if !b.wants(p.Role, p.Leads()) {
		return
	}
	g := b.inv.Groups[p.Group]
	if g == nil {
		g = &Group{Why: "the group is in no list of groups", Ask: "GET /groups/" + p.Group + "/members"}
	}
	for i := range g.Members {
		m := &g.Members[i]
		if b.q.Person != "" && b.q.Person != m.Person {
			continue
		}
		way := p
		way.Person, way.Via, way.Eligible = m.Person, m.Via, m.Eligible
		switch who := b.inv.People[m.Person]; {
		case m.Perhaps:
			way.Perhaps, way.Why = true, "one list has the membership and another has not"
		case who != nil && who.Enabled == No:
			way.Perhaps, way.Why = true, "the account is disabled: who enables it opens the way"
		}
		b.out = append(b.out, way)
	}
	if g.Whole {
		return
	}
	if b.q.Person == "" || !slices.ContainsFunc(g.Members, func(m Member) bool { return m.Person == b.q.Person }) {
		p.Person, p.Perhaps, p.Why, p.Ask = b.q.Person, true, cmp.Or(g.Why, "its members were not all read"), g.Ask
		b.out = append(b.out, p)
	}
}

// dap adds what delegated admin privileges open: AdminAgents act as Global Administrator,
// HelpdeskAgents as Helpdesk Administrator (contracts.md section 2.3).
func (b *paths) dap(c *Customer) {
	if c.DAP == No {
		return
	}
	for _, door := range []struct {
		groups []string
		name   string
		role   string
	}{{b.inv.AdminAgents, AdminAgents, entra.RoleGlobalAdministrator}, {b.inv.HelpdeskAgents, HelpdeskAgents, entra.RoleHelpdeskAdministrator}} {
		p := Path{Kind: ByDAP, Customer: c.Tenant, Role: door.role, RoleName: RoleName(door.role), Global: door.role == entra.RoleGlobalAdministrator}
		if c.DAP != Yes {
			p.Perhaps, p.Why, p.Ask = true, "whether DAP is in place is not known: "+c.DAPWhy, "GET /v1/customers/"+c.Tenant
		}
		if !b.wants(p.Role, p.Leads()) {
			continue
		}
		if len(door.groups) == 0 {
			p.Person, p.Perhaps, p.Why, p.Ask = b.q.Person, true, "the group "+door.name+" was not read", "GET /groups?$filter=displayName eq '"+door.name+"'"
			b.out = append(b.out, p)
			continue
		}
		for _, g := range door.groups {
			p.Group = g
			n := len(b.out)
			b.through(p)
			for i := n; i < len(b.out); i++ {
				if way := &b.out[i]; way.Person != "" && !way.Perhaps && b.assigned(c, way.Person) {
					way.Perhaps, way.Why = true, "GDAP goes before DAP for whoever is in an assigned group: leaving it opens this way"
				}
			}
		}
	}
}

// assigned reports somebody who surely has GDAP at a customer.
func (b *paths) assigned(c *Customer, person string) bool {
	for i := range c.Relationships {
		for k := range c.Relationships[i].Assignments {
			a := &c.Relationships[i].Assignments[k]
			if g := b.inv.Groups[a.Group]; a.Active && g != nil && slices.ContainsFunc(g.Members, func(m Member) bool {
				return m.Person == person && !m.Perhaps && !m.Eligible
			}) {
				return true
			}
		}
	}
	return false
}

// azure adds rights on subscriptions that reach the partner.
func (b *paths) azure(c *Customer) {
	for i := range c.Azure {
		z := &c.Azure[i]
		p := Path{Kind: ByAzure, Customer: c.Tenant, Subscription: z.Subscription, Role: z.Role, RoleName: z.Role + " in Azure"}
		if b.q.Roads || b.q.Role != "" && !strings.EqualFold(b.q.Role, z.Role) {
			continue
		}
		switch who := b.inv.People[z.Principal]; {
		case who != nil:
			if b.q.Person == "" || b.q.Person == who.ID {
				p.Person = who.ID
				b.out = append(b.out, p)
			}
		default:
			p.Group = z.Principal
			b.through(p)
		}
	}
}

// apps adds permissions that an app of the partner has by itself.
func (b *paths) apps(c *Customer) {
	if b.q.Person != "" {
		return
	}
	for i := range c.Consents {
		a := &c.Consents[i]
		if !a.AppOnly {
			continue
		}
		for _, permission := range a.Permissions {
			p := Path{Kind: ByConsent, App: a.App, Customer: c.Tenant, Role: permission, RoleName: permission, Step: grants[strings.ToLower(permission)]}
			if b.q.Roads && p.Step == "" || b.q.Role != "" && !b.q.Roads && !strings.EqualFold(b.q.Role, permission) {
				continue
			}
			b.out = append(b.out, p)
		}
	}
}
