package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Custom role definitions (Microsoft Graph, "unifiedRoleDefinition resource"). They
// can be made, assigned and read; which actions a role allows is not part of this
// cloud, so that a custom role gives no right.

// roleDef is a built-in role or a custom one.
type roleDef struct {
	*entra.Role
	custom *world.CustomRole
}

func customDef(x *world.CustomRole) roleDef {
	return roleDef{&entra.Role{ID: x.ID, Name: x.Name, Gist: x.Description}, x}
}

// roleIn finds a role of a tenant by its definition's id.
func roleIn(t *world.Tenant, id string) (roleDef, bool) {
	if r := findRole(id); r != nil {
		return roleDef{r, nil}, true
	}
	if x := t.CustomRoles.Get(id); x != nil {
		return customDef(x), true
	}
	return roleDef{}, false
}

func allDefinitions(t *world.Tenant) (out []roleDef) {
	for _, r := range builtinRoles() {
		out = append(out, roleDef{r, nil})
	}
	for x := range t.CustomRoles.All() {
		out = append(out, customDef(x))
	}
	return out
}

func definitionFields() fields {
	return fields{
		"displayName": text().need().upTo(256), "description": text().upTo(1024), "isEnabled": flag().need(), "id": readOnly(), "isBuiltIn": readOnly(),
		"isPrivileged": readOnly(), "resourceScopes": list(enum("/")), "templateId": text().upTo(64), "version": text().upTo(64),
		"rolePermissions": list(obj(fields{
			"allowedResourceActions": list(text().upTo(256)).upTo(300), "condition": text().upTo(256), "excludedResourceActions": list(text()).upTo(0),
		})).need().upTo(10),
	}
}

// readDefinition takes a body over into a custom role.
func (c *call) readDefinition(x *world.CustomRole) error {
	if err := definitionFields().check("", c.in); err != nil {
		return err
	}
	take(c.in, "displayName", &x.Name, str)
	take(c.in, "description", &x.Description, str)
	take(c.in, "version", &x.Version, str)
	if given(c.in, "isEnabled") {
		x.Disabled = !truth(c.in, "isEnabled")
	}
	if given(c.in, "rolePermissions") {
		x.Actions = nil
		for _, p := range objs(c.in, "rolePermissions") {
			for _, a := range strs(p, "allowedResourceActions") {
				if !strings.HasPrefix(strings.ToLower(a), "microsoft.") || strings.Count(a, "/") < 2 {
					return badRequest("The resource action '%s' is not valid.", clip(a))
				}
				if !slices.Contains(x.Actions, a) {
					x.Actions = append(x.Actions, a)
				}
			}
		}
	}
	if x.Name == "" || len(x.Actions) == 0 {
		return badRequest("A custom role needs displayName, isEnabled and rolePermissions with allowedResourceActions.")
	}
	return nil
}

func roleDefTarget(x *world.CustomRole) world.AuditTarget { return target("Role", x.ID, x.Name) }

func createDefinition(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := needPremium(c, s, t); err != nil {
		return nil, err
	}
	x := &world.CustomRole{ID: world.NewGUID(), Created: c.now}
	if err := c.readDefinition(x); err != nil {
		return nil, err
	}
	if id := str(c.in, "templateId"); world.IsGUID(id) {
		if _, taken := roleIn(t, id); taken {
			return nil, badRequest("A conflicting object with one or more of the specified property values is present in the directory.")
		}
		x.ID = strings.ToLower(id)
	}
	t.CustomRoles.Put(x)
	s.Touch(t)
	ch := change{activity: "Add role definition", category: "RoleManagement", operation: "Add", target: roleDefTarget(x)}
	ch.changed("DisplayName", nil, []string{x.Name})
	c.audit(s, t, ch)
	return c.created(t, roleBase+"roleDefinitions", c.g.sh.definition, customDef(x))
}

// findCustom finds the custom role of the path; a built-in one cannot be changed.
func findCustom(c *call, _ *world.State, t *world.Tenant) (*world.CustomRole, error) {
	if x := t.CustomRoles.Get(c.params[0]); x != nil {
		return x, nil
	}
	if findRole(c.params[0]) != nil {
		return nil, badRequest("A built-in role cannot be changed or deleted.")
	}
	return nil, notFound(c.params[0])
}

func changeDefinition(c *call, s *world.State, t *world.Tenant, x *world.CustomRole) (*reply, error) {
	next := *x
	if err := c.readDefinition(&next); err != nil {
		return nil, err
	}
	t.CustomRoles.Put(&next)
	s.Touch(t)
	ch := change{activity: "Update role definition", category: "RoleManagement", target: roleDefTarget(&next)}
	ch.changed("DisplayName", []string{x.Name}, []string{next.Name})
	ch.changed("AllowedResourceActions", x.Actions, next.Actions)
	c.audit(s, t, ch)
	return noContent()
}

func deleteDefinition(c *call, s *world.State, t *world.Tenant, x *world.CustomRole) (*reply, error) {
	for a := range t.Held.All() {
		if a.In(c.now) && strings.EqualFold(a.Role, x.ID) {
			return nil, badRequest("The role definition cannot be deleted: it is assigned.")
		}
	}
	t.CustomRoles.Delete(x.ID)
	s.Touch(t)
	c.audit(s, t, change{activity: "Delete role definition", category: "RoleManagement", operation: "Delete", target: roleDefTarget(x)})
	return noContent()
}
