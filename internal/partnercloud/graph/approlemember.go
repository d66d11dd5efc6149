package graph

import (
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// App role assignments of users and groups, by which they may use an app.

func (c *call) memberAppRoles(id string) string {
	return c.route.parts[0] + "('" + id + "')/appRoleAssignments"
}

func listMemberAppRoles(c *call, _ *world.State, t *world.Tenant, id string) (*reply, error) {
	all := []*appRoleRow{}
	for a := range t.AppRoles.All() {
		if strings.EqualFold(a.Principal, id) {
			all = append(all, appRole(t, a))
		}
	}
	return c.show(t, c.memberAppRoles(id), c.g.sh.appRole, slice(all, c.g.sh.appRole.key))
}

func createMemberAppRole(c *call, s *world.State, t *world.Tenant, id string) (*reply, error) {
	err := (fields{
		"principalId": text().need(), "resourceId": text().need(), "appRoleId": text().need(), "id": readOnly(), "principalType": readOnly(),
		"principalDisplayName": readOnly(), "resourceDisplayName": readOnly(), "createdDateTime": readOnly(), "deletedDateTime": readOnly(),
	}).check("", c.in)
	if err != nil {
		return nil, err
	}
	a := &world.AppRoleAssignment{
		ID: strings.ReplaceAll(world.NewSecret()[:43], "=", ""), Principal: str(c.in, "principalId"), Resource: str(c.in, "resourceId"),
		Role: str(c.in, "appRoleId"), Created: c.now,
	}
	if !strings.EqualFold(a.Principal, id) {
		return nil, badRequest("The principal of the path is not the one of the body.")
	}
	res, name, err := judgeAppRole(s, t, a)
	if err != nil {
		return nil, err
	}
	t.AppRoles.Put(a)
	s.Touch(t)
	ch := change{activity: "Add app role assignment grant to " + strings.ToLower(a.PrincipalType), category: "UserManagement", operation: "Assign",
		target: spTarget(res)}
	if a.PrincipalType == "Group" {
		ch.activity, ch.category = "Add app role assignment to group", "GroupManagement"
	}
	ch.changed("AppRole.Value", nil, name)
	ch.changed("Principal.ObjectID", nil, a.Principal)
	c.audit(s, t, ch)
	return c.created(t, c.memberAppRoles(id), c.g.sh.appRole, appRole(t, a))
}

func deleteMemberAppRole(c *call, s *world.State, t *world.Tenant, id string) (*reply, error) {
	a := t.AppRoles.Get(c.params[1])
	if a == nil || !strings.EqualFold(a.Principal, id) {
		return nil, notFound(c.params[1])
	}
	t.AppRoles.Delete(a.ID)
	s.Touch(t)
	ch := change{activity: "Remove app role assignment from " + strings.ToLower(a.PrincipalType), category: "UserManagement", operation: "Unassign",
		target: target("ServicePrincipal", a.Resource, "")}
	if a.PrincipalType == "Group" {
		ch.category = "GroupManagement"
	}
	ch.changed("AppRole.Id", a.Role, nil)
	ch.changed("Principal.ObjectID", nil, a.Principal)
	c.audit(s, t, ch)
	return noContent()
}
