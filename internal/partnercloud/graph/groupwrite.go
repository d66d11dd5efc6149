package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

func groupTarget(g *world.Group) world.AuditTarget { return target("Group", g.ID, g.Name) }

// mayEdit: owners edit their groups; role-assignable groups are for Privileged
// Role Administrators.
func (c *call) mayEdit(s *world.State, t *world.Tenant, g *world.Group) error {
	if g.RoleAssignable {
		if c.mayMakeAssignable() {
			return nil
		}
		return denied()
	}
	if c.caller.AppOnly() || c.hasRole(entra.RoleGroupsAdministrator, entra.RoleUserAdministrator, entra.RoleDirectoryWriters) {
		return nil
	}
	u, home := c.user(s, t)
	if u != nil && home == t && hasFold(g.Owners, u.ID) {
		return nil
	}
	return denied()
}

// mayMakeAssignable: groups that can be given roles, and their members, need the
// permission over roles, of users their role too (Microsoft Graph, "Create group").
func (c *call) mayMakeAssignable() bool {
	return c.holds(words("RoleManagement.ReadWrite.Directory")) && (c.caller.AppOnly() || c.hasRole(entra.RolePrivilegedRoleAdministrator))
}

// bound resolves an @odata.id or @odata.bind reference to an object's id.
func (c *call) bound(t *world.Tenant, ref string) (string, error) {
	id := strings.TrimRight(ref, "/")
	if i := strings.LastIndexByte(id, '/'); i > 0 && strings.HasPrefix(id[i+1:], "Microsoft.DirectoryServices.") {
		id = id[:i] // as @odata.id ends
	}
	if i := strings.LastIndexByte(id, '/'); i >= 0 {
		id = id[i+1:]
	}
	if i := strings.IndexByte(id, '('); i >= 0 {
		id = strings.Trim(id[i:], "()'")
	}
	e := c.object(t, id)
	if e == nil {
		if u := t.UserByName(id); u != nil && strings.Contains(id, "@") {
			return u.ID, nil
		}
		return "", notFound(id)
	}
	return e.key(e.row), nil
}

// boundAll resolves the references of a member of the body.
func (c *call) boundAll(t *world.Tenant, name string) (ids []string, err error) {
	for _, ref := range strs(c.in, name) {
		id, err := c.bound(t, ref)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func createGroup(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := groupFields().check("", c.in); err != nil {
		return nil, err
	}
	if str(c.in, "displayName") == "" || c.in["mailNickname"] == nil || c.in["mailEnabled"] == nil || c.in["securityEnabled"] == nil {
		return nil, badRequest("A value is required for the properties displayName, mailEnabled, mailNickname and securityEnabled of resource 'Group'.")
	}
	if str(c.in, "mailNickname") == "" {
		return nil, badRequest("Invalid value specified for property 'mailNickname' of resource 'Group'.")
	}
	if truth(c.in, "isAssignableToRole") && !c.mayMakeAssignable() {
		return nil, denied()
	}
	g := &world.Group{
		ID: world.NewGUID(), Name: str(c.in, "displayName"), Description: str(c.in, "description"), RoleAssignable: truth(c.in, "isAssignableToRole"),
		Members: []string{},
	}
	if err := c.groupType(t, g); err != nil {
		return nil, err
	}
	if err := c.groupNames(t, g); err != nil {
		return nil, err
	}
	if err := c.firstLinks(t, g); err != nil {
		return nil, err
	}
	c.keepGroup(g, new(change))
	g.Created, g.Changed = c.now, s.Change()
	s.ReplicateGroup(g, true, nil)
	t.Groups.Put(g)
	s.Touch(t)
	ch := change{activity: "Add group", category: "GroupManagement", operation: "Add", target: groupTarget(g)}
	ch.changed("DisplayName", nil, []string{g.Name})
	c.audit(s, t, ch)
	return c.created(t, "groups", c.g.sh.group, g)
}

// firstLinks takes members and owners of a new group from the body.
func (c *call) firstLinks(t *world.Tenant, g *world.Group) error {
	members, err := c.boundAll(t, "members@odata.bind")
	if err != nil {
		return err
	}
	owners, err := c.boundAll(t, "owners@odata.bind")
	if err != nil {
		return err
	}
	if len(members)+len(owners) > maxLinks {
		return badRequest("A group can be made with up to %d members and owners.", maxLinks)
	}
	for _, id := range members {
		if err := c.mayJoin(t, g, id); err != nil {
			return err
		}
		if !hasFold(g.Members, id) {
			g.Members = append(g.Members, id)
		}
	}
	for _, id := range owners {
		if err := mayOwn(t, id); err != nil {
			return err
		}
		if !hasFold(g.Owners, id) {
			g.Owners = append(g.Owners, id)
		}
	}
	return nil
}

// maxLinks is how many members and owners a body may bind (Microsoft Graph, "Create
// group", "Add members").
const maxLinks = 20

func changeGroup(c *call, s *world.State, t *world.Tenant, g *world.Group) (*reply, error) {
	if err := c.mayEdit(s, t, g); err != nil {
		return nil, err
	}
	fs := groupFields()
	for _, k := range []string{"mailEnabled", "isAssignableToRole", "resourceBehaviorOptions", "resourceProvisioningOptions"} {
		fs[k] = readOnly()
	}
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	add, err := c.boundAll(t, "members@odata.bind")
	if err != nil {
		return nil, err
	}
	for i, id := range add {
		if err := c.mayJoin(t, g, id); err != nil {
			return nil, err
		}
		if hasFold(g.Members, id) || hasFold(add[:i], id) {
			return nil, badRequest("One or more added object references already exist for the following modified properties: 'members'.")
		}
	}
	own, err := c.boundAll(t, "owners@odata.bind")
	if err != nil {
		return nil, err
	}
	for i, id := range own {
		if err := mayOwn(t, id); err != nil {
			return nil, err
		}
		if hasFold(g.Owners, id) || hasFold(own[:i], id) {
			return nil, badRequest("One or more added object references already exist for the following modified properties: 'owners'.")
		}
	}
	next := *g
	if err := c.groupType(t, &next); err != nil {
		return nil, err
	}
	if err := c.groupNames(t, &next); err != nil {
		return nil, err
	}
	ch := change{activity: "Update group", category: "GroupManagement", target: groupTarget(g)}
	ch.changed("MembershipRule", []string{g.Rule}, []string{next.Rule})
	ch.changed("Visibility", []string{g.Visibility}, []string{next.Visibility})
	ch.changed("MailNickname", []string{groupNickname(g)}, []string{groupNickname(&next)})
	n := s.Change()
	t.Groups.Change(g.ID, func(g *world.Group) {
		*g = next
		g.Changed = n
		c.keepGroup(g, &ch)
		if given(c.in, "displayName") {
			ch.changed("DisplayName", []string{g.Name}, []string{str(c.in, "displayName")})
			g.Name = str(c.in, "displayName")
		}
		if given(c.in, "description") {
			ch.changed("Description", []string{g.Description}, []string{str(c.in, "description")})
			g.Description = str(c.in, "description")
		}
		if len(add) > 0 {
			s.ReplicateGroup(g, false, g.Members)
		}
		g.Members = append(slices.Clone(g.Members), add...)
		if len(own) > 0 {
			g.Owners = append(slices.Clone(g.Owners), own...)
		}
	})
	s.Touch(t)
	c.audit(s, t, ch)
	return noContent()
}

func deleteGroup(c *call, s *world.State, t *world.Tenant, g *world.Group) (*reply, error) {
	if err := c.mayEdit(s, t, g); err != nil {
		return nil, err
	}
	s.Delete(t, "group", g.ID)
	c.audit(s, t, change{activity: "Delete group", category: "GroupManagement", operation: "Delete", target: groupTarget(g)})
	return noContent()
}

// addLink adds a member or an owner.
func addLink(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	ref, err := c.refBody()
	if err != nil {
		return nil, err
	}
	return c.link(s, t, ref, true)
}

func removeLink(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.link(s, t, c.params[1], false)
}

// link adds or removes a member or an owner, whichever the path names.
func (c *call) link(s *world.State, t *world.Tenant, ref string, add bool) (*reply, error) {
	which := c.route.parts[2] // members or owners
	g, err := findGroup(c, s, t)
	if err != nil {
		return nil, err
	}
	if err := c.mayEdit(s, t, g); err != nil {
		return nil, err
	}
	id, err := c.bound(t, ref)
	if err != nil {
		return nil, err
	}
	is := func(v string) bool { return strings.EqualFold(v, id) }
	have := g.Members
	if which == "owners" {
		have = g.Owners
	}
	switch has := slices.ContainsFunc(have, is); {
	case add && has:
		return nil, badRequest("One or more added object references already exist for the following modified properties: '%s'.", which)
	case !add && !has:
		return nil, notFound(id)
	case !add && which == "owners" && len(have) == 1:
		return nil, badRequest("The group must have at least one owner, hence this owner cannot be removed.")
	}
	if which == "members" {
		err = c.mayJoin(t, g, id)
		if g.Rule == "" && !add {
			err = nil
		}
	} else if add {
		err = mayOwn(t, id)
	}
	if err != nil {
		return nil, err
	}
	ch := change{activity: "Add member to group", category: "GroupManagement", operation: "Assign", target: groupTarget(g)}
	next := append(slices.Clone(have), id)
	if !add {
		ch.activity, ch.operation = "Remove member from group", "Unassign"
		next = slices.DeleteFunc(slices.Clone(have), is)
	}
	if which == "owners" {
		ch.activity = strings.Replace(ch.activity, "member", "owner", 1)
	}
	ch.changed("Group.ObjectID", nil, g.ID)
	ch.changed("Member.ObjectID", nil, id)
	n := s.Change()
	t.Groups.Change(g.ID, func(g *world.Group) {
		g.Changed = n
		if which == "owners" {
			g.Owners = next
		} else {
			s.ReplicateGroup(g, false, g.Members)
			g.Members = next
		}
	})
	s.Touch(t)
	c.audit(s, t, ch)
	return noContent()
}
