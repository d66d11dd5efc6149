package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Directory roles: templates, activation and members (Microsoft Graph, "directoryRole
// resource"). A role that somebody holds is active, and one that was activated.

func newTemplateShape() *shape {
	type r = *entra.Role
	return newShape("directoryRoleTemplate", func(x any) string { return x.(r).ID },
		f("id", func(x r) any { return x.ID }),
		f("deletedDateTime", func(r) any { return nil }),
		f("description", func(x r) any { return x.Gist }),
		f("displayName", func(x r) any { return x.Name }),
	)
}

func roleTemplates(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	sh := c.g.sh.template
	return c.show(t, "directoryRoleTemplates", sh, slice(builtinRoles(), sh.key))
}

// activeRoles are the template ids of the built-in roles that are active, each once.
func (c *call) activeRoles(t *world.Tenant) (out []string) {
	add := func(id string) {
		if !hasFold(out, id) && findRole(id) != nil {
			out = append(out, id)
		}
	}
	for a := range t.Held.All() {
		if a.In(c.now) {
			add(a.Role)
		}
	}
	for _, id := range t.ActiveRoles {
		add(id)
	}
	return out
}

func activateRole(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	err := (fields{"roleTemplateId": text().need(), "id": readOnly(), "displayName": readOnly(), "description": readOnly()}).check("", c.in)
	if err != nil {
		return nil, err
	}
	id := strings.ToLower(str(c.in, "roleTemplateId"))
	if findRole(id) == nil {
		return nil, badRequest("Invalid value specified for property 'roleTemplateId' of resource 'DirectoryRole'.")
	}
	if hasFold(c.activeRoles(t), id) {
		return nil, badRequest("A conflicting object with one or more of the specified property values is present in the directory.")
	}
	t.ActiveRoles = append(slices.Clone(t.ActiveRoles), id)
	s.Touch(t)
	r := activeRole(t, id)
	ch := change{activity: "Add role from template", category: "RoleManagement", operation: "Add", target: target("Role", r.id, r.role.Name)}
	ch.changed("Role.TemplateId", nil, id)
	c.audit(s, t, ch)
	return c.created(t, "directoryRoles", c.g.sh.role, r)
}

// roleAssignmentOf finds the assignment by hand that makes an object a member of a
// role, or nil.
func (c *call) roleAssignmentOf(t *world.Tenant, role, principal string) *world.RoleAssignment {
	for a := range t.Held.All() {
		if a.In(c.now) && strings.EqualFold(a.Role, role) && strings.EqualFold(a.Principal, principal) {
			return a
		}
	}
	return nil
}

func addRoleMember(c *call, s *world.State, t *world.Tenant, r *activeRoleRow) (*reply, error) {
	ref, err := c.refBody()
	if err != nil {
		return nil, err
	}
	id, err := c.bound(t, ref)
	if err != nil {
		return nil, err
	}
	if err := c.judgeRole(t, id, r.role.ID, "/"); err != nil {
		return nil, err
	}
	if c.roleAssignmentOf(t, r.role.ID, id) != nil {
		return nil, badRequest("One or more added object references already exist for the following modified properties: 'members'.")
	}
	a := &world.RoleAssignment{ID: world.NewGUID(), Principal: id, Role: r.role.ID, Scope: "/", Start: c.now, Created: c.now}
	t.Held.Put(a)
	s.Touch(t)
	c.auditRole(s, t, "Add member to role", "Assign", a)
	return noContent()
}

func removeRoleMember(c *call, s *world.State, t *world.Tenant, r *activeRoleRow) (*reply, error) {
	a := c.roleAssignmentOf(t, r.role.ID, c.params[1])
	if a == nil {
		return nil, notFound(c.params[1])
	}
	if r.role.ID == entra.RoleGlobalAdministrator && c.lastAdmin(t, a) {
		return nil, badRequest("The last Global Administrator of the directory cannot be removed from the role.")
	}
	if !hasFold(t.ActiveRoles, r.role.ID) { // a role stays active when nobody is left
		t.ActiveRoles = append(slices.Clone(t.ActiveRoles), r.role.ID)
	}
	t.Held.Delete(a.ID)
	s.Touch(t)
	c.auditRole(s, t, "Remove member from role", "Unassign", a)
	return noContent()
}

// lastAdmin reports that nobody else holds the assignment's role.
func (c *call) lastAdmin(t *world.Tenant, a *world.RoleAssignment) bool {
	for x := range t.Held.All() {
		if x.ID != a.ID && x.In(c.now) && strings.EqualFold(x.Role, a.Role) {
			return false
		}
	}
	return true
}

func oneRoleMember(c *call, _ *world.State, t *world.Tenant, r *activeRoleRow) (*reply, error) {
	var ids []string
	for _, e := range c.holders(t, r.role.ID) {
		ids = append(ids, e.key(e.row))
	}
	return c.oneOf(t, ids)
}
