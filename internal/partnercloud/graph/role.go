package graph

import (
	"net/http"
	"strings"
	"time"

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

// activeRoleRow is a directoryRole: a role that somebody holds (contracts.md
// section 3.4).
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

func (p *router) roles(sh *shapes) {
	read := allow("RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory Directory.Read.All Directory.ReadWrite.All")
	p.add("GET", "directoryRoles", route{permit: read, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		seen := map[string]bool{}
		rows := []*activeRoleRow{}
		for a := range t.Held.All() {
			if a.In(c.now) && !seen[a.Role] {
				seen[a.Role] = true
				rows = append(rows, activeRole(t, a.Role))
			}
		}
		return c.list(s, t, &listing{shape: sh.role, context: "directoryRoles", since: slice(rows, sh.role.key)})
	}})
	find := func(c *call, t *world.Tenant) (*activeRoleRow, error) {
		key := strings.TrimPrefix(c.params[0], "roleTemplateId=")
		for a := range t.Held.All() {
			if r := activeRole(t, a.Role); a.In(c.now) && (strings.EqualFold(r.id, key) || strings.EqualFold(a.Role, key)) {
				return r, nil
			}
		}
		return nil, notFound(key)
	}
	p.add("GET", "directoryRoles/{}", route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := find(c, t)
		if err != nil {
			return nil, err
		}
		return c.one(s, t, "directoryRoles", sh.role, r)
	}})
	members := func(c *call, t *world.Tenant, role string) []*entity {
		var out []*entity
		for a := range t.Held.All() {
			if a.In(c.now) && strings.EqualFold(a.Role, role) {
				if e := sh.object(c, t, a.Principal); e != nil {
					out = append(out, e)
				}
			}
		}
		return out
	}
	sh.role.navs["members"] = nav{many: true, of: func(c *call, _ *world.State, t *world.Tenant, row any) []*entity {
		return members(c, t, row.(*activeRoleRow).role.ID)
	}}
	p.add("GET", "directoryRoles/{}/members", route{permit: read, cost: 3, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := find(c, t)
		if err != nil {
			return nil, err
		}
		return c.objects(s, t, members(c, t, r.role.ID))
	}})
	p.definitions(sh)
}

func newDefinitionShape() *shape {
	type r = *entra.Role
	return newShape("unifiedRoleDefinition", func(x any) string { return x.(r).ID },
		f("id", func(x r) any { return x.ID }),
		f("description", func(x r) any { return x.Gist }),
		f("displayName", func(x r) any { return x.Name }),
		f("isBuiltIn", func(r) any { return true }),
		f("isEnabled", func(r) any { return true }),
		f("isPrivileged", func(x r) any { return entra.PrivilegedRole(x.ID) }),
		f("resourceScopes", func(r) any { return []string{"/"} }),
		f("templateId", func(x r) any { return x.ID }),
		f("version", func(r) any { return "1" }),
		// Which actions a role allows is not part of this cloud.
		f("rolePermissions", func(r) any {
			return []object{{{"allowedResourceActions", []string{}}, {"condition", nil}}}
		}),
	)
}

const roleBase = "roleManagement/directory/"

func (p *router) definitions(sh *shapes) {
	def := newDefinitionShape()
	readers := []string{directoryReaders, globalReader, privilegedRoleAdmin, securityReader, securityAdmin, securityOperator, userAdmin, directoryWriters}
	read := allow("RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory Directory.Read.All Directory.ReadWrite.All").with(readers...)
	p.add("GET", roleBase+"roleDefinitions", route{permit: read, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.list(s, t, &listing{shape: def, context: roleBase + "roleDefinitions", since: slice(builtinRoles(), def.key), top: 500, max: 999})
	}})
	p.add("GET", roleBase+"roleDefinitions/{}", route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if r := findRole(c.params[0]); r != nil {
			return c.one(s, t, roleBase+"roleDefinitions", def, r)
		}
		return nil, notFound(c.params[0])
	}})
	type row = *world.RoleAssignment
	shape := newShape("unifiedRoleAssignment", func(x any) string { return x.(row).ID },
		f("id", func(x row) any { return x.ID }),
		f("principalId", func(x row) any { return x.Principal }),
		f("roleDefinitionId", func(x row) any { return x.Role }),
		f("directoryScopeId", func(x row) any { return scopeOf(x) }),
		f("appScopeId", func(row) any { return nil }),
		f("condition", func(row) any { return nil }),
	)
	expandRole(shape, sh, def, func(x any) (string, string) { a := x.(row); return a.Principal, a.Role })
	live := func(c *call, t *world.Tenant) []row {
		rows := []row{}
		for a := range t.Held.All() {
			if a.In(c.now) {
				rows = append(rows, a)
			}
		}
		return rows
	}
	p.add("GET", roleBase+"roleAssignments", route{permit: read, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.list(s, t, &listing{shape: shape, context: roleBase + "roleAssignments", since: slice(live(c, t), shape.key), top: 100, max: 999, advanced: true})
	}})
	p.add("GET", roleBase+"roleAssignments/{}", route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if a := t.Held.Get(c.params[0]); a != nil && a.In(c.now) {
			return c.one(s, t, roleBase+"roleAssignments", shape, a)
		}
		return nil, notFound(c.params[0])
	}})
	write := allow("RoleManagement.ReadWrite.Directory").with(privilegedRoleAdmin)
	p.add("POST", roleBase+"roleAssignments", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		fs := fields{"principalId": text().need(), "roleDefinitionId": text().need(), "directoryScopeId": text(), "appScopeId": unused(), "id": readOnly(), "condition": unused()}
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		if err := judgeRole(t, sh, c, str(c.in, "principalId"), str(c.in, "roleDefinitionId"), str(c.in, "directoryScopeId")); err != nil {
			return nil, err
		}
		for a := range t.Held.All() {
			if a.In(c.now) && strings.EqualFold(a.Principal, str(c.in, "principalId")) && strings.EqualFold(a.Role, str(c.in, "roleDefinitionId")) && !a.Activated {
				return nil, badRequest("A conflicting object with one or more of the specified property values is present in the directory.")
			}
		}
		a := &world.RoleAssignment{ID: world.NewGUID(), Principal: str(c.in, "principalId"), Role: strings.ToLower(str(c.in, "roleDefinitionId")), Scope: "/", Start: c.now, Created: c.now}
		t.Held.Put(a)
		s.Touch(t)
		c.auditRole(s, t, sh, "Add member to role", "Assign", a)
		return c.created(s, t, roleBase+"roleAssignments", shape, a)
	}})
	p.add("DELETE", roleBase+"roleAssignments/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		a := t.Held.Get(c.params[0])
		if a == nil {
			return nil, notFound(c.params[0])
		}
		t.Held.Delete(a.ID)
		s.Touch(t)
		c.auditRole(s, t, sh, "Remove member from role", "Unassign", a)
		return noContent()
	}})
	p.schedules(sh, def)
}

func scopeOf(a *world.RoleAssignment) string {
	if a.Scope == "" {
		return "/"
	}
	return a.Scope
}

// expandRole adds the navigations principal and roleDefinition.
func expandRole(shape *shape, sh *shapes, def *shape, of func(any) (principal, role string)) {
	shape.navs["principal"] = nav{of: func(c *call, _ *world.State, t *world.Tenant, row any) []*entity {
		id, _ := of(row)
		if e := sh.object(c, t, id); e != nil {
			return []*entity{e}
		}
		return nil
	}}
	shape.navs["roleDefinition"] = nav{of: func(c *call, _ *world.State, _ *world.Tenant, row any) []*entity {
		_, id := of(row)
		if r := findRole(id); r != nil {
			return []*entity{{shape: def, row: r, beta: c.beta}}
		}
		return nil
	}}
}

// judgeRole refuses assignments of what does not exist.
func judgeRole(t *world.Tenant, sh *shapes, c *call, principal, role, scope string) error {
	e := sh.object(c, t, principal)
	switch {
	case e == nil:
		return notFound(principal)
	case findRole(role) == nil:
		return notFound(role)
	case scope != "/":
		return badRequest("The directoryScopeId must be '/': administrative units are not part of the partner cloud.")
	}
	if g, ok := e.row.(*world.Group); ok && !g.RoleAssignable {
		return badRequest("The group is not assignable to roles: isAssignableToRole must be true.")
	}
	return nil
}

func (c *call) auditRole(s *world.State, t *world.Tenant, sh *shapes, activity, operation string, a *world.RoleAssignment) {
	name := a.Role
	if r := findRole(a.Role); r != nil {
		name = r.Name
	}
	ch := change{activity: activity, category: "RoleManagement", operation: operation, target: target("Role", a.Role, name)}
	ch.changed("Role.DisplayName", nil, name)
	ch.changed("Role.TemplateId", nil, a.Role)
	ch.changed("Principal.ObjectID", nil, a.Principal)
	c.audit(s, t, ch)
}

// expiryOf is the end a schedule asks for; zero: none.
func expiryOf(m map[string]any, start time.Time) (time.Time, error) {
	e := inner(m, "expiration")
	switch str(e, "type") {
	case "", "notSpecified", "noExpiration":
		return time.Time{}, nil
	case "afterDateTime":
		end := moment(e, "endDateTime")
		if !end.After(start) {
			return end, badRequest("The endDateTime of the schedule must lie after its start.")
		}
		return end, nil
	}
	d, ok := isoDuration(str(e, "duration"))
	if !ok || d <= 0 {
		return time.Time{}, badRequest("The duration of the schedule is not valid.")
	}
	return start.Add(d), nil
}

// isoDuration reads PnYnMnDTnHnMnS with years of 365 and months of 30 days.
func isoDuration(s string) (time.Duration, bool) {
	if len(s) < 3 || len(s) > 30 || s[0] != 'P' {
		return 0, false
	}
	var total time.Duration
	clock, n, digits := false, int64(0), 0
	for _, r := range s[1:] {
		if r >= '0' && r <= '9' {
			if digits++; digits > 9 {
				return 0, false
			}
			n = n*10 + int64(r-'0')
			continue
		}
		if r == 'T' {
			if clock || digits > 0 {
				return 0, false
			}
			clock = true
			continue
		}
		if digits == 0 {
			return 0, false
		}
		day := 24 * time.Hour
		var unit time.Duration
		switch {
		case r == 'Y' && !clock:
			unit = 365 * day
		case r == 'M' && !clock:
			unit = 30 * day
		case r == 'W' && !clock:
			unit = 7 * day
		case r == 'D' && !clock:
			unit = day
		case r == 'H' && clock:
			unit = time.Hour
		case r == 'M' && clock:
			unit = time.Minute
		case r == 'S' && clock:
			unit = time.Second
		default:
			return 0, false
		}
		if n > int64(100*365*day/unit) {
			return 0, false
		}
		total += time.Duration(n) * unit
		n, digits = 0, 0
	}
	return total, digits == 0
}

var errP2 = refuse(http.StatusForbidden, "AadPremiumLicenseRequired", "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.")
