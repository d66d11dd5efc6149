package graph

import (
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// Roles over administrative units, as scopedRoleMembers.

type scopedRow struct {
	*world.RoleAssignment
	unit, role, id, name string
}

func newScopedShape() *shape {
	type r = scopedRow
	return newShape("scopedRoleMembership", func(x any) string { return x.(r).ID },
		f("id", func(x r) any { return x.ID }),
		f("roleId", func(x r) any { return x.role }),
		f("administrativeUnitId", func(x r) any { return x.unit }),
		f("roleMemberInfo", func(x r) any { return object{{"id", x.id}, {"displayName", x.name}} }),
	)
}

func (c *call) scopedRows(t *world.Tenant, u *world.Unit) (out []scopedRow) {
	for a := range t.Scoped.All() {
		if !strings.EqualFold(a.Scope, world.UnitScope(u.ID)) || !a.In(c.now) {
			continue
		}
		out = append(out, c.scopedRow(t, u, a))
	}
	return out
}

func (c *call) scopedRow(t *world.Tenant, u *world.Unit, a *world.RoleAssignment) scopedRow {
	name := ""
	if e := c.object(t, a.Principal); e != nil {
		v, _ := e.Field("displayName")
		name, _ = v.(string)
	}
	return scopedRow{a, u.ID, activeRole(t, a.Role).id, a.Principal, name}
}

func scopedMembers(c *call, _ *world.State, t *world.Tenant, u *world.Unit) (*reply, error) {
	sh := c.g.sh.scoped
	return c.show(t, "administrativeUnits('"+u.ID+"')/scopedRoleMembers", sh, slice(c.scopedRows(t, u), sh.key))
}

func addScopedMember(c *call, s *world.State, t *world.Tenant, u *world.Unit) (*reply, error) {
	err := (fields{
		"id": readOnly(), "administrativeUnitId": text(), "roleId": text().need(),
		"roleMemberInfo": obj(fields{"id": text().need(), "displayName": text(), "tenantId": text()}).need(),
	}).check("", c.in)
	if err != nil {
		return nil, err
	}
	role := ""
	for _, id := range c.activeRoles(t) {
		if want := str(c.in, "roleId"); strings.EqualFold(activeRole(t, id).id, want) || strings.EqualFold(id, want) {
			role = id
		}
	}
	if role == "" {
		return nil, notFound(str(c.in, "roleId"))
	}
	a, err := c.assignOver(s, t, u, str(inner(c.in, "roleMemberInfo"), "id"), role)
	if err != nil {
		return nil, err
	}
	return c.created(t, "administrativeUnits('"+u.ID+"')/scopedRoleMembers", c.g.sh.scoped, c.scopedRow(t, u, a))
}

// assignOver gives a role over a unit.
func (c *call) assignOver(s *world.State, t *world.Tenant, u *world.Unit, principal, role string) (*world.RoleAssignment, error) {
	if err := c.judgeRole(t, principal, role, "/"); err != nil {
		return nil, err
	}
	if !unitRole(role) {
		return nil, badRequest("The given built-in role %s is not supported to be assigned to a single resource scope.", clip(role))
	}
	for a := range t.Scoped.All() {
		if a.In(c.now) && strings.EqualFold(a.Principal, principal) && strings.EqualFold(a.Role, role) && strings.EqualFold(a.Scope, world.UnitScope(u.ID)) {
			return nil, badRequest("A conflicting object with one or more of the specified property values is present in the directory.")
		}
	}
	a := &world.RoleAssignment{ID: world.NewGUID(), Principal: principal, Role: strings.ToLower(role), Scope: world.UnitScope(u.ID), Start: c.now,
		Created: c.now}
	t.Scoped.Put(a)
	s.Touch(t)
	c.auditRole(s, t, "Add scoped member to role", "Assign", a)
	return a, nil
}

func removeScopedMember(c *call, s *world.State, t *world.Tenant, u *world.Unit) (*reply, error) {
	a := t.Scoped.Get(c.params[1])
	if a == nil || !strings.EqualFold(a.Scope, world.UnitScope(u.ID)) {
		return nil, notFound(c.params[1])
	}
	t.Scoped.Delete(a.ID)
	s.Touch(t)
	c.auditRole(s, t, "Remove scoped member from role", "Unassign", a)
	return noContent()
}

// scopedOfRole lists who holds a role over any unit.
func scopedOfRole(c *call, _ *world.State, t *world.Tenant, r *activeRoleRow) (*reply, error) {
	var out []scopedRow
	for u := range t.Units.All() {
		for _, x := range c.scopedRows(t, u) {
			if strings.EqualFold(x.Role, r.role.ID) {
				out = append(out, x)
			}
		}
	}
	sh := c.g.sh.scoped
	return c.list(t, "scopedRoleMemberships", sh, slice(out, sh.key))
}
