package world

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
)

// GroupsOf lists the groups that an object is in, nested ones included, by id
// as written. Cycles are harmless.
func (t *Tenant) GroupsOf(objectID string) []string {
	parents := t.parents()
	var out []string
	seen := map[string]bool{}
	todo := []string{strings.ToLower(objectID)}
	for len(todo) > 0 {
		k := todo[0]
		todo = todo[1:]
		for _, g := range parents[k] {
			if !seen[g] {
				seen[g] = true
				out = append(out, t.Groups.Get(g).ID)
				todo = append(todo, g)
			}
		}
	}
	return out
}

// parents maps a member's lower id to the lower ids of its groups, cached until
// the tenant changes.
func (t *Tenant) parents() map[string][]string {
	if t.engine != nil && t.engine.parents != nil && t.engine.version == t.version {
		return t.engine.parents
	}
	m := make(map[string][]string)
	for g := range t.Groups.All() {
		for _, id := range g.Members {
			k := strings.ToLower(id)
			m[k] = append(m[k], strings.ToLower(g.ID))
		}
	}
	t.cache().parents = m
	return m
}

// InGroup reports membership, nested included, by the group's name or id.
func (t *Tenant) InGroup(objectID, group string) bool {
	g := t.GroupByName(group)
	return g != nil && slices.ContainsFunc(t.GroupsOf(objectID), func(id string) bool { return strings.EqualFold(id, g.ID) })
}

// RolesOf lists the directory roles (template ids) that an object holds at a
// moment, directly and through groups.
func (t *Tenant) RolesOf(objectID string, now time.Time) []string {
	holders := append(t.GroupsOf(objectID), objectID)
	var out []string
	for a := range t.Held.All() {
		if a.In(now) && slices.ContainsFunc(holders, func(h string) bool { return strings.EqualFold(h, a.Principal) }) && !slices.Contains(out, a.Role) {
			out = append(out, a.Role)
		}
	}
	return out
}

// EligibleOf lists the roles that PIM lets an object activate at a moment.
func (t *Tenant) EligibleOf(objectID string, now time.Time) []string {
	holders := append(t.GroupsOf(objectID), objectID)
	var out []string
	for a := range t.Eligible.All() {
		if a.In(now) && slices.ContainsFunc(holders, func(h string) bool { return strings.EqualFold(h, a.Principal) }) && !slices.Contains(out, a.Role) {
			out = append(out, a.Role)
		}
	}
	return out
}

// Delegation is what a partner's user may do in a customer's tenant.
type Delegation struct {
	Roles         []string // role template ids
	GDAP          bool     // by an access assignment; else by DAP
	Relationships []string // ids of the relationships that gave them
}

// Delegated finds the rights of a partner's user in a customer's tenant. A user
// in a group with an active access assignment gets that group's roles; others
// keep DAP where the customer still allows it (contracts.md section 3.11).
// ok is false when there is no right at all.
func (s *State) Delegated(u *User, customer *Tenant) (d Delegation, ok bool) {
	p := s.PartnerTenant()
	if p == nil || customer == nil || p.Users.Get(u.ID) == nil {
		return d, false
	}
	now := s.Clock.Now()
	groups := p.GroupsOf(u.ID)
	for r := range p.Relationships.All() {
		if !strings.EqualFold(r.Customer, customer.ID) || r.StatusAt(now) != "active" {
			continue
		}
		for i := range r.Assignments {
			a := &r.Assignments[i]
			if a.StatusAt(now) != "active" || len(a.Roles) == 0 || !slices.ContainsFunc(groups, func(g string) bool { return strings.EqualFold(g, a.Group) }) {
				continue
			}
			d.GDAP = true
			d.Relationships = append(d.Relationships, r.ID)
			for _, role := range a.Roles {
				if !slices.Contains(d.Roles, role) {
					d.Roles = append(d.Roles, role)
				}
			}
		}
	}
	if d.GDAP {
		return d, true
	}
	if c := p.Customers.Get(customer.ID); c != nil && c.DAP {
		switch {
		case p.InGroup(u.ID, AdminAgents):
			d.Roles = []string{entra.RoleGlobalAdministrator}
		case p.InGroup(u.ID, HelpdeskAgents):
			d.Roles = []string{entra.RoleHelpdeskAdministrator}
		}
	}
	return d, len(d.Roles) > 0
}

// HasRole reports any of the roles held at a moment.
func (t *Tenant) HasRole(objectID string, now time.Time, roles ...string) bool {
	held := t.RolesOf(objectID, now)
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(held, r) })
}
