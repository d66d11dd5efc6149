package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

func newDefinitionShape() *shape {
	type r = roleDef
	return newShape("unifiedRoleDefinition", func(x any) string { return x.(r).ID },
		f("id", func(x r) any { return x.ID }),
		f("description", func(x r) any {
			if x.Gist == "" {
				return nil
			}
			return x.Gist
		}),
		f("displayName", func(x r) any { return x.Name }),
		f("isBuiltIn", func(x r) any { return x.custom == nil }),
		f("isEnabled", func(x r) any { return x.custom == nil || !x.custom.Disabled }),
		f("isPrivileged", func(x r) any { return entra.PrivilegedRole(x.ID) }),
		f("resourceScopes", func(r) any { return []string{"/"} }),
		f("templateId", func(x r) any { return x.ID }),
		f("version", func(x r) any {
			switch {
			case x.custom == nil:
				return "1"
			case x.custom.Version == "":
				return nil
			}
			return x.custom.Version
		}),
		// Which actions a built-in role allows is not part of this cloud.
		f("rolePermissions", func(x r) any {
			actions := []string{}
			if x.custom != nil {
				actions = x.custom.Actions
			}
			return []object{{{"allowedResourceActions", actions}, {"condition", nil}}}
		}),
	)
}

const roleBase = "roleManagement/directory/"

func newRoleAssignmentShape(def *shape) *shape {
	type row = *world.RoleAssignment
	shape := newShape("unifiedRoleAssignment", func(x any) string { return x.(row).ID },
		f("id", func(x row) any { return x.ID }),
		f("principalId", func(x row) any { return x.Principal }),
		f("roleDefinitionId", func(x row) any { return x.Role }),
		f("directoryScopeId", func(x row) any { return scopeOf(x) }),
		f("appScopeId", func(row) any { return nil }),
		f("condition", func(row) any { return nil }),
	)
	expandRole(shape, def, func(x any) (string, string) { a := x.(row); return a.Principal, a.Role })
	return shape
}

func definitions(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	return c.show(t, roleBase+"roleDefinitions", c.g.sh.definition, slice(allDefinitions(t), c.g.sh.definition.key))
}

func roleAssignments(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	in := func(a *world.RoleAssignment) bool { return a.In(c.now) }
	all := rowsWhere(&t.Held, in)
	if t.Scoped.Len() > 0 {
		both := append(slices.DeleteFunc(t.Held.List(), func(a *world.RoleAssignment) bool { return !in(a) }), t.Scoped.List()...)
		all = slice(both, c.g.sh.assigned.key)
	}
	return c.show(t, roleBase+"roleAssignments", c.g.sh.assigned, all)
}

func createRoleAssignment(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	fs := fields{
		"principalId": text().need(), "roleDefinitionId": text().need(), "directoryScopeId": text(), "appScopeId": unused(), "id": readOnly(),
		"condition": unused(),
	}
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	principal, role := str(c.in, "principalId"), str(c.in, "roleDefinitionId")
	if u := unitOf(t, str(c.in, "directoryScopeId")); u != nil {
		a, err := c.assignOver(s, t, u, principal, role)
		if err != nil {
			return nil, err
		}
		return c.created(t, roleBase+"roleAssignments", c.g.sh.assigned, a)
	}
	if err := c.judgeRole(t, principal, role, str(c.in, "directoryScopeId")); err != nil {
		return nil, err
	}
	for a := range t.Held.All() {
		if a.In(c.now) && strings.EqualFold(a.Principal, principal) && strings.EqualFold(a.Role, role) && !a.Activated {
			return nil, badRequest("A conflicting object with one or more of the specified property values is present in the directory.")
		}
	}
	a := &world.RoleAssignment{ID: world.NewGUID(), Principal: principal, Role: strings.ToLower(role), Scope: "/", Start: c.now, Created: c.now}
	t.Held.Put(a)
	s.Touch(t)
	c.auditRole(s, t, "Add member to role", "Assign", a)
	return c.created(t, roleBase+"roleAssignments", c.g.sh.assigned, a)
}

func deleteRoleAssignment(c *call, s *world.State, t *world.Tenant, a *world.RoleAssignment) (*reply, error) {
	if a.Role == entra.RoleGlobalAdministrator && c.lastAdmin(t, a) {
		return nil, badRequest("The last Global Administrator of the directory cannot be removed from the role.")
	}
	if !t.Held.Delete(a.ID) {
		t.Scoped.Delete(a.ID)
	}
	s.Touch(t)
	c.auditRole(s, t, "Remove member from role", "Unassign", a)
	return noContent()
}

// findHeld finds an active assignment, of the whole tenant or over a unit.
func findHeld(c *call, _ *world.State, t *world.Tenant) (*world.RoleAssignment, error) {
	if a := t.Held.Get(c.params[0]); a != nil {
		return a, nil
	}
	if a := t.Scoped.Get(c.params[0]); a != nil {
		return a, nil
	}
	return nil, notFound(c.params[0])
}

func scopeOf(a *world.RoleAssignment) string {
	if a.Scope == "" {
		return "/"
	}
	return a.Scope
}

// expandRole adds the navigations principal and roleDefinition.
func expandRole(shape, def *shape, of func(any) (principal, role string)) {
	shape.navs["principal"] = nav{of: func(c *call, t *world.Tenant, row any) []*entity {
		id, _ := of(row)
		if e := c.object(t, id); e != nil {
			return []*entity{e}
		}
		return nil
	}}
	shape.navs["roleDefinition"] = nav{of: func(c *call, t *world.Tenant, row any) []*entity {
		_, id := of(row)
		if r, ok := roleIn(t, id); ok {
			return []*entity{{shape: def, row: r, beta: c.beta}}
		}
		return nil
	}}
}

// judgeRole refuses assignments of what does not exist.
func (c *call) judgeRole(t *world.Tenant, principal, role, scope string) error {
	e := c.object(t, principal)
	_, known := roleIn(t, role)
	switch {
	case e == nil:
		return notFound(principal)
	case !known:
		return notFound(role)
	case scope != "/":
		return badRequest("The directoryScopeId must be '/' or that of an administrative unit.")
	}
	if g, ok := e.row.(*world.Group); ok && !g.RoleAssignable {
		return badRequest("The group is not assignable to roles: isAssignableToRole must be true.")
	}
	return nil
}

func (c *call) auditRole(s *world.State, t *world.Tenant, activity, operation string, a *world.RoleAssignment) {
	name := a.Role
	if r, ok := roleIn(t, a.Role); ok {
		name = r.Name
	}
	ch := change{activity: activity, category: "RoleManagement", operation: operation, target: target("Role", a.Role, name)}
	ch.changed("Role.DisplayName", nil, name)
	ch.changed("Role.TemplateId", nil, a.Role)
	ch.changed("Principal.ObjectID", nil, a.Principal)
	c.audit(s, t, ch)
}
