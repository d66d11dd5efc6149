package graph

import (
	"iter"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

const (
	readGroups  = "GroupMember.Read.All Group.Read.All Group.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
	writeGroups = "Group.ReadWrite.All Directory.ReadWrite.All"
)

func newGroupShape() *shape {
	type g = *world.Group
	return newShape("group", func(r any) string { return r.(g).ID },
		f("id", func(x g) any { return x.ID }),
		f("deletedDateTime", func(g) any { return nil }),
		f("classification", func(g) any { return nil }),
		f("createdDateTime", func(x g) any { return x.Created }),
		f("description", func(x g) any {
			if x.Description == "" {
				return nil
			}
			return x.Description
		}),
		f("displayName", func(x g) any { return x.Name }),
		f("expirationDateTime", func(g) any { return nil }),
		f("groupTypes", func(g) any { return []string{} }),
		f("isAssignableToRole", func(x g) any {
			if x.RoleAssignable {
				return true
			}
			return nil
		}),
		f("mail", func(g) any { return nil }),
		f("mailEnabled", func(g) any { return false }),
		f("mailNickname", func(x g) any { return strings.ReplaceAll(x.Name, " ", "") }),
		f("membershipRule", func(g) any { return nil }),
		f("onPremisesSyncEnabled", func(g) any { return nil }),
		f("proxyAddresses", func(g) any { return []string{} }),
		f("renewedDateTime", func(x g) any { return x.Created }),
		f("securityEnabled", func(g) any { return true }),
		f("visibility", func(g) any { return nil }),
	)
}

func groupFields() fields {
	return fields{
		"displayName": text().need().upTo(256), "description": text().upTo(1024), "mailEnabled": flag(), "mailNickname": text().upTo(64), "securityEnabled": flag(),
		"groupTypes": list(text()), "isAssignableToRole": flag(), "visibility": text(),
		"owners@odata.bind": list(text()).upTo(20), "members@odata.bind": list(text()).upTo(20),
		"id": readOnly(), "createdDateTime": readOnly(), "mail": readOnly(), "proxyAddresses": readOnly(), "renewedDateTime": readOnly(), "deletedDateTime": readOnly(),
		"onPremisesSyncEnabled": readOnly(), "securityIdentifier": readOnly(), "members": readOnly(), "owners": readOnly(),
	}
}

// object finds a directory object of any kind that can be a member.
func (sh *shapes) object(c *call, t *world.Tenant, id string) *entity {
	if u := t.Users.Get(id); u != nil {
		return &entity{shape: sh.user, row: u, beta: c.beta, mark: true}
	}
	if g := t.Groups.Get(id); g != nil {
		return &entity{shape: sh.group, row: g, beta: c.beta, mark: true}
	}
	if p := t.SPs.Get(id); p != nil {
		return &entity{shape: sh.sp, row: p, beta: c.beta, mark: true}
	}
	return nil
}

// members lists direct or all members of a group.
func (sh *shapes) members(c *call, t *world.Tenant, g *world.Group, deep bool) []*entity {
	var out []*entity
	seen := map[string]bool{strings.ToLower(g.ID): true}
	todo := [][]string{g.Members}
	for len(todo) > 0 {
		list := todo[0]
		todo = todo[1:]
		for _, id := range list {
			k := strings.ToLower(id)
			if seen[k] {
				continue
			}
			seen[k] = true
			if e := sh.object(c, t, id); e != nil {
				out = append(out, e)
				if sub, ok := e.row.(*world.Group); ok && deep {
					todo = append(todo, sub.Members)
				}
			}
		}
	}
	return out
}

func findGroup(c *call, t *world.Tenant) (*world.Group, error) {
	if g := t.Groups.Get(c.params[0]); g != nil {
		return g, nil
	}
	return nil, notFound(c.params[0])
}

func (p *router) groups(sh *shapes) {
	read := allow(readGroups)
	p.add("GET", "groups", route{permit: read, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.list(s, t, &listing{shape: sh.group, context: "groups", since: table(&t.Groups), top: 100, max: 999, advanced: true})
	}})
	p.add("GET", "groups/delta", route{permit: read, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.delta(s, t, sh.group, "group", "groups", func(after string, at int) iter.Seq2[int, any] { return table(&t.Groups)(after, at) }, func(r any) int64 { return r.(*world.Group).Changed })
	}})
	p.add("GET", "groups/{}", route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		g, err := findGroup(c, t)
		if err != nil {
			return nil, err
		}
		return c.one(s, t, "groups", sh.group, g)
	}})
	for _, which := range []string{"members", "transitiveMembers", "owners", "memberOf", "transitiveMemberOf"} {
		p.add("GET", "groups/{}/"+which, route{permit: read, cost: 3, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			g, err := findGroup(c, t)
			if err != nil {
				return nil, err
			}
			switch which {
			case "owners":
				var all []*entity
				for _, id := range g.Owners {
					if e := sh.object(c, t, id); e != nil {
						all = append(all, e)
					}
				}
				return c.objects(s, t, all)
			case "memberOf", "transitiveMemberOf":
				return c.objects(s, t, memberships(c, t, sh, g.ID, which == "transitiveMemberOf"))
			}
			return c.objects(s, t, sh.members(c, t, g, which == "transitiveMembers"))
		}})
	}
	sh.group.navs["members"] = nav{many: true, of: func(c *call, _ *world.State, t *world.Tenant, row any) []*entity {
		return sh.members(c, t, row.(*world.Group), false)
	}}
	sh.group.navs["owners"] = nav{many: true, of: func(c *call, _ *world.State, t *world.Tenant, row any) []*entity {
		var all []*entity
		for _, id := range row.(*world.Group).Owners {
			if e := sh.object(c, t, id); e != nil {
				all = append(all, e)
			}
		}
		return all
	}}
	sh.group.navs["memberOf"] = nav{many: true, of: func(c *call, _ *world.State, t *world.Tenant, row any) []*entity {
		return memberships(c, t, sh, row.(*world.Group).ID, false)
	}}
	p.groupWrites(sh)
}

func groupTarget(g *world.Group) world.AuditTarget { return target("Group", g.ID, g.Name) }

// mayEdit: owners edit their groups; role-assignable groups are for Privileged
// Role Administrators.
func (c *call) mayEdit(s *world.State, t *world.Tenant, g *world.Group) error {
	if g.RoleAssignable {
		if c.caller.AppOnly() && c.holds(words("RoleManagement.ReadWrite.Directory")) || c.hasRole(privilegedRoleAdmin) {
			return nil
		}
		return denied()
	}
	if c.caller.AppOnly() || c.hasRole(groupsAdmin, userAdmin, directoryWriters) {
		return nil
	}
	u, home := c.user(s, t)
	if u != nil && home == t && slices.ContainsFunc(g.Owners, func(o string) bool { return strings.EqualFold(o, u.ID) }) {
		return nil
	}
	return denied()
}

// bound resolves an @odata.id or @odata.bind reference to an object's id.
func (sh *shapes) bound(c *call, t *world.Tenant, ref string) (string, error) {
	id := strings.TrimRight(ref, "/")
	if i := strings.LastIndexByte(id, '/'); i >= 0 {
		id = id[i+1:]
	}
	if i := strings.IndexByte(id, '('); i >= 0 {
		id = strings.Trim(id[i:], "()'")
	}
	e := sh.object(c, t, id)
	if e == nil {
		return "", notFound(id)
	}
	return e.key(e.row), nil
}

func (p *router) groupWrites(sh *shapes) {
	write := allow(writeGroups)
	p.add("POST", "groups", route{permit: write.with(groupsAdmin, userAdmin, directoryWriters), do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if err := groupFields().checkAll(c.in); err != nil {
			return nil, err
		}
		if str(c.in, "displayName") == "" || c.in["mailNickname"] == nil || c.in["mailEnabled"] == nil || c.in["securityEnabled"] == nil {
			return nil, badRequest("A value is required for the properties displayName, mailEnabled, mailNickname and securityEnabled of resource 'Group'.")
		}
		if truth(c.in, "mailEnabled") || !truth(c.in, "securityEnabled") || len(strs(c.in, "groupTypes")) > 0 {
			return nil, badRequest("Only security groups are part of the partner cloud.")
		}
		if truth(c.in, "isAssignableToRole") && !c.caller.AppOnly() && !c.hasRole(privilegedRoleAdmin) {
			return nil, denied()
		}
		g := &world.Group{ID: world.NewGUID(), Name: str(c.in, "displayName"), Description: str(c.in, "description"), RoleAssignable: truth(c.in, "isAssignableToRole"), Members: []string{}, Created: c.now}
		for _, ref := range strs(c.in, "members@odata.bind") {
			id, err := sh.bound(c, t, ref)
			if err != nil {
				return nil, err
			}
			g.Members = append(g.Members, id)
		}
		for _, ref := range strs(c.in, "owners@odata.bind") {
			id, err := sh.bound(c, t, ref)
			if err != nil {
				return nil, err
			}
			g.Owners = append(g.Owners, id)
		}
		g.Changed = s.Change()
		t.Groups.Put(g)
		s.Touch(t)
		ch := change{activity: "Add group", category: "GroupManagement", operation: "Add", target: groupTarget(g)}
		ch.changed("DisplayName", nil, []string{g.Name})
		c.audit(s, t, ch)
		return c.created(s, t, "groups", sh.group, g)
	}})
	p.add("PATCH", "groups/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		g, err := findGroup(c, t)
		if err != nil {
			return nil, err
		}
		if err := c.mayEdit(s, t, g); err != nil {
			return nil, err
		}
		fs := groupFields()
		for _, k := range []string{"mailEnabled", "securityEnabled", "groupTypes", "isAssignableToRole", "owners@odata.bind"} {
			fs[k] = readOnly()
		}
		if err := fs.checkAll(c.in); err != nil {
			return nil, err
		}
		var add []string
		for _, ref := range strs(c.in, "members@odata.bind") {
			id, err := sh.bound(c, t, ref)
			if err != nil {
				return nil, err
			}
			add = append(add, id)
		}
		ch := change{activity: "Update group", category: "GroupManagement", target: groupTarget(g)}
		n := s.Change()
		t.Groups.Change(g.ID, func(g *world.Group) {
			g.Changed = n
			if given(c.in, "displayName") {
				ch.changed("DisplayName", []string{g.Name}, []string{str(c.in, "displayName")})
				g.Name = str(c.in, "displayName")
			}
			if given(c.in, "description") {
				ch.changed("Description", []string{g.Description}, []string{str(c.in, "description")})
				g.Description = str(c.in, "description")
			}
			g.Members = append(slices.Clone(g.Members), add...)
		})
		s.Touch(t)
		c.audit(s, t, ch)
		return noContent()
	}})
	p.add("DELETE", "groups/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		g, err := findGroup(c, t)
		if err != nil {
			return nil, err
		}
		if err := c.mayEdit(s, t, g); err != nil {
			return nil, err
		}
		s.Delete(t, "group", g.ID)
		c.audit(s, t, change{activity: "Delete group", category: "GroupManagement", operation: "Delete", target: groupTarget(g)})
		return noContent()
	}})
	edit := allow("GroupMember.ReadWrite.All " + writeGroups)
	for _, which := range []string{"members", "owners"} {
		p.add("POST", "groups/{}/"+which+"/$ref", route{permit: edit, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			ref := str(c.in, "@odata.id")
			if ref == "" || len(c.in) != 1 {
				return nil, badRequest("The body must hold @odata.id and nothing else.")
			}
			return c.membership(s, t, sh, which, ref, true)
		}})
		p.add("DELETE", "groups/{}/"+which+"/{}/$ref", route{permit: edit, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			return c.membership(s, t, sh, which, c.params[1], false)
		}})
	}
}

// checkAll checks a body whose @odata.bind members count.
func (f fields) checkAll(m map[string]any) error {
	for k, v := range m {
		if strings.HasSuffix(k, "@odata.bind") {
			s := f[k]
			if s == nil {
				return badRequest("Invalid property '%s'.", clip(k))
			}
			if err := s.check(k, v); err != nil {
				return err
			}
		}
	}
	return f.check("", m)
}

// membership adds or removes a member or owner.
func (c *call) membership(s *world.State, t *world.Tenant, sh *shapes, which, ref string, add bool) (*reply, error) {
	g, err := findGroup(c, t)
	if err != nil {
		return nil, err
	}
	if err := c.mayEdit(s, t, g); err != nil {
		return nil, err
	}
	id, err := sh.bound(c, t, ref)
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
	case add && is(g.ID):
		return nil, badRequest("A group cannot be a member of itself.")
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
			g.Members = next
		}
	})
	s.Touch(t)
	c.audit(s, t, ch)
	return &reply{status: http.StatusNoContent}, nil
}
