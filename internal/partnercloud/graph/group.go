package graph

import (
	"strings"

	"partnerguard/internal/partnercloud/world"
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
		f("mailNickname", func(x g) any { return groupNickname(x) }),
		f("membershipRule", func(g) any { return nil }),
		f("onPremisesSyncEnabled", func(g) any { return nil }),
		f("proxyAddresses", func(g) any { return []string{} }),
		f("renewedDateTime", func(x g) any { return x.Created }),
		f("securityEnabled", func(g) any { return true }),
		f("visibility", func(g) any { return nil }),
	)
}

// groupNickname is mailNickname: groups made without one have their name.
func groupNickname(g *world.Group) string {
	if g.Nickname != "" {
		return g.Nickname
	}
	return strings.ReplaceAll(g.Name, " ", "")
}

// groupByNickname finds a Microsoft 365 group by its mailNickname, or nil.
func groupByNickname(t *world.Tenant, name string) *world.Group {
	for g := range t.Groups.All() {
		if g.Unified && strings.EqualFold(groupNickname(g), name) {
			return g
		}
	}
	return nil
}

func groupFields() fields {
	return fields{
		"displayName": text().need().upTo(256), "description": text().upTo(1024), "mailEnabled": flag(), "mailNickname": text().
				upTo(64), "securityEnabled": flag(),
		"groupTypes": list(text()), "isAssignableToRole": flag(), "visibility": text(),
		"owners@odata.bind": list(text()).upTo(20), "members@odata.bind": list(text()).upTo(20),
		"id": readOnly(), "createdDateTime": readOnly(), "mail": readOnly(), "proxyAddresses": readOnly(), "renewedDateTime": readOnly(),
		"deletedDateTime":       readOnly(),
		"onPremisesSyncEnabled": readOnly(), "securityIdentifier": readOnly(), "members": readOnly(), "owners": readOnly(),
	}
}

// members lists direct or all members of a group.
func (c *call) members(t *world.Tenant, g *world.Group, deep bool) []*entity {
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
			if e := c.object(t, id); e != nil {
				out = append(out, e)
				if sub, ok := e.row.(*world.Group); ok && deep {
					todo = append(todo, sub.Members)
				}
			}
		}
	}
	return out
}

func listGroups(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, "groups", c.g.sh.group, rows(&t.Groups))
}

func deltaGroups(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.delta(s, t, c.g.sh.group, "groups", rows(&t.Groups), func(r any) int64 { return r.(*world.Group).Changed })
}

func getGroup(c *call, s *world.State, t *world.Tenant, g *world.Group) (*reply, error) {
	return c.one(t, "groups", c.g.sh.group, g)
}

// groupLinks answers members, owners and memberOf, direct and transitive.
func groupLinks(c *call, s *world.State, t *world.Tenant, g *world.Group) (*reply, error) {
	switch which := c.route.last(); which {
	case "owners":
		return c.objects(t, c.owners(t, g))
	case "memberOf", "transitiveMemberOf":
		return c.objects(t, c.memberships(t, g.ID, which == "transitiveMemberOf"))
	default:
		return c.objects(t, c.members(t, g, which == "transitiveMembers"))
	}
}

func (c *call) owners(t *world.Tenant, g *world.Group) []*entity {
	var all []*entity
	for _, id := range g.Owners {
		if e := c.object(t, id); e != nil {
			all = append(all, e)
		}
	}
	return all
}
