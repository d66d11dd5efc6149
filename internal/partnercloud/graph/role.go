package graph

import (
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// builtinRoles are the built-in directory roles, whose description is our
// shorthand, not Microsoft's.
func builtinRoles() []*entra.Role {
	all := world.Roles()
	out := make([]*entra.Role, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}

// findRole finds a built-in role by template id, or nil.
func findRole(id string) *entra.Role {
	if r, ok := world.RoleByID(strings.ToLower(id)); ok {
		return &r
	}
	return nil
}

// activeRoleRow is a directoryRole: a role that is active (contracts.md section 3.4).
type activeRoleRow struct {
	id   string
	role *entra.Role
}

// activeRole is the directoryRole object of a template in a tenant; its id is
// reproducible and differs from the template's.
func activeRole(t *world.Tenant, template string) *activeRoleRow {
	r := findRole(template)
	if r == nil {
		r = &entra.Role{ID: template, Name: "Custom role"}
		if x := t.CustomRoles.Get(template); x != nil {
			r.Name, r.Gist = x.Name, x.Description
		}
	}
	h := world.HashSecret("directoryRole/" + t.ID + "/" + strings.ToLower(template))
	return &activeRoleRow{id: h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32], role: r}
}

func newActiveRoleShape() *shape {
	type r = *activeRoleRow
	return newShape("directoryRole", func(x any) string { return x.(r).id },
		f("id", func(x r) any { return x.id }),
		f("deletedDateTime", func(r) any { return nil }),
		f("description", func(x r) any { return x.role.Gist }),
		f("displayName", func(x r) any { return x.role.Name }),
		f("roleTemplateId", func(x r) any { return x.role.ID }),
	)
}

func listRoles(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	all := []*activeRoleRow{}
	for _, id := range c.activeRoles(t) {
		all = append(all, activeRole(t, id))
	}
	return c.list(t, "directoryRoles", c.g.sh.role, slice(all, c.g.sh.role.key))
}

// findActive resolves {id} or roleTemplateId={id}.
func findActive(c *call, _ *world.State, t *world.Tenant) (*activeRoleRow, error) {
	key := c.params[0]
	if name, val, named := strings.Cut(key, "="); named && strings.EqualFold(name, "roleTemplateId") {
		key = val
	}
	for _, id := range c.activeRoles(t) {
		if r := activeRole(t, id); strings.EqualFold(r.id, key) || strings.EqualFold(id, key) {
			return r, nil
		}
	}
	return nil, notFound(key)
}

func getRole(c *call, s *world.State, t *world.Tenant, r *activeRoleRow) (*reply, error) {
	return c.one(t, "directoryRoles", c.g.sh.role, r)
}

// holders lists who holds a role at this moment.
func (c *call) holders(t *world.Tenant, role string) []*entity {
	var out []*entity
	for a := range t.Held.All() {
		if a.In(c.now) && strings.EqualFold(a.Role, role) {
			if e := c.object(t, a.Principal); e != nil {
				out = append(out, e)
			}
		}
	}
	return out
}

func roleMembers(c *call, s *world.State, t *world.Tenant, r *activeRoleRow) (*reply, error) {
	return c.objects(t, c.holders(t, r.role.ID))
}
