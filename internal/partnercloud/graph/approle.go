package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// appRoleRow is an assignment with the names it shows.
type appRoleRow struct {
	*world.AppRoleAssignment
	principal, resource string
}

func newAppRoleShape() *shape {
	type r = *appRoleRow
	return newShape("appRoleAssignment", func(x any) string { return x.(r).ID },
		f("id", func(x r) any { return x.ID }),
		f("deletedDateTime", func(r) any { return nil }),
		f("appRoleId", func(x r) any { return x.Role }),
		f("createdDateTime", func(x r) any { return x.Created }),
		f("principalDisplayName", func(x r) any { return x.principal }),
		f("principalId", func(x r) any { return x.Principal }),
		f("principalType", func(x r) any { return x.PrincipalType }),
		f("resourceDisplayName", func(x r) any { return x.resource }),
		f("resourceId", func(x r) any { return x.Resource }),
	)
}

// appRole is an assignment with the names of both sides.
func appRole(t *world.Tenant, a *world.AppRoleAssignment) *appRoleRow {
	row := &appRoleRow{AppRoleAssignment: a}
	switch {
	case t.SPs.Get(a.Principal) != nil:
		row.principal = t.SPs.Get(a.Principal).Name
	case t.Users.Get(a.Principal) != nil:
		row.principal = t.Users.Get(a.Principal).Name
	case t.Groups.Get(a.Principal) != nil:
		row.principal = t.Groups.Get(a.Principal).Name
	}
	if sp := t.SPs.Get(a.Resource); sp != nil {
		row.resource = sp.Name
	}
	return row
}

// appRoleSide is the id of the path's side of an assignment: appRoleAssignments are
// those of a principal, appRoleAssignedTo those of a resource.
func (c *call) appRoleSide(a *world.AppRoleAssignment) string {
	if c.route.parts[2] == "appRoleAssignments" {
		return a.Principal
	}
	return a.Resource
}

func (c *call) appRoleContext(sp *world.ServicePrincipal) string {
	return "servicePrincipals('" + sp.ID + "')/" + c.route.parts[2]
}

func listAppRoles(c *call, s *world.State, t *world.Tenant, sp *world.ServicePrincipal) (*reply, error) {
	all := []*appRoleRow{}
	for a := range t.AppRoles.All() {
		if strings.EqualFold(c.appRoleSide(a), sp.ID) {
			all = append(all, appRole(t, a))
		}
	}
	return c.list(t, c.appRoleContext(sp), c.g.sh.appRole, slice(all, c.g.sh.appRole.key))
}

func createAppRole(c *call, s *world.State, t *world.Tenant, sp *world.ServicePrincipal) (*reply, error) {
	fs := fields{
		"principalId": text().need(), "resourceId": text().need(), "appRoleId": text().need(), "id": readOnly(), "principalType": readOnly(),
	}
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	a := &world.AppRoleAssignment{
		ID: strings.ReplaceAll(world.NewSecret()[:43], "=", ""), Principal: str(c.in, "principalId"), Resource: str(c.in, "resourceId"),
		Role: str(c.in, "appRoleId"), Created: c.now,
	}
	if !strings.EqualFold(c.appRoleSide(a), sp.ID) {
		return nil, badRequest("The service principal of the path is not the one of the body.")
	}
	res, name, err := judgeAppRole(s, t, a)
	if err != nil {
		return nil, err
	}
	t.AppRoles.Put(a)
	s.Touch(t)
	ch := change{activity: "Add app role assignment to service principal", category: "ApplicationManagement", operation: "Assign", target: spTarget(res)}
	ch.changed("AppRole.Value", nil, name)
	ch.changed("ServicePrincipal.ObjectID", nil, a.Principal)
	c.audit(s, t, ch)
	return c.created(t, c.appRoleContext(sp), c.g.sh.appRole, appRole(t, a))
}

// judgeAppRole refuses assignments of what does not exist, or exists already, and
// fills in what the principal is.
func judgeAppRole(s *world.State, t *world.Tenant, a *world.AppRoleAssignment) (res *world.ServicePrincipal, role string, err error) {
	switch {
	case t.SPs.Get(a.Principal) != nil:
		a.PrincipalType = "ServicePrincipal"
	case t.Users.Get(a.Principal) != nil:
		a.PrincipalType = "User"
	case t.Groups.Get(a.Principal) != nil:
		a.PrincipalType = "Group"
	default:
		return nil, "", notFound(a.Principal)
	}
	res = t.SPs.Get(a.Resource)
	if res == nil {
		return nil, "", notFound(a.Resource)
	}
	full := fullSP(s, res)
	for _, x := range full.roles {
		if strings.EqualFold(x.ID, a.Role) && x.Enabled() && takesMember(res, &x, a.PrincipalType) {
			role = x.Value
		}
	}
	if role == "" && a.Role != entra.NilID {
		return nil, "", badRequest("Permission being assigned was not found on application '%s'.", res.AppID)
	}
	for o := range t.AppRoles.All() {
		if strings.EqualFold(o.Principal, a.Principal) && strings.EqualFold(o.Resource, a.Resource) && strings.EqualFold(o.Role, a.Role) {
			return nil, "", badRequest("Permission being assigned already exists on the object.")
		}
	}
	return res, role, nil
}

// takesMember reports that a role may be given to what the principal is. Those of
// Microsoft's own APIs are for apps.
func takesMember(res *world.ServicePrincipal, role *world.Scope, principal string) bool {
	want := "User"
	if principal == "ServicePrincipal" {
		want = "Application"
	}
	if role.Text != nil && len(role.Text.Members) > 0 {
		return slices.Contains(role.Text.Members, want)
	}
	return want == "Application" || world.FindResource(res.AppID) == nil
}

func deleteAppRole(c *call, s *world.State, t *world.Tenant, sp *world.ServicePrincipal) (*reply, error) {
	a := t.AppRoles.Get(c.params[1])
	if a == nil || !strings.EqualFold(c.appRoleSide(a), sp.ID) {
		return nil, notFound(c.params[1])
	}
	t.AppRoles.Delete(a.ID)
	s.Touch(t)
	ch := change{activity: "Remove app role assignment from service principal", category: "ApplicationManagement", operation: "Unassign", target: spTarget(sp)}
	ch.changed("AppRole.Id", a.Role, nil)
	c.audit(s, t, ch)
	return noContent()
}
