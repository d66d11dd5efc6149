package graph

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

func newGroupShape() *shape {
	type g = *world.Group
	opt := func(v string) any {
		if v == "" {
			return nil
		}
		return v
	}
	own := []field{
		f("id", func(x g) any { return x.ID }),
		f("deletedDateTime", func(g) any { return nil }),
		f("createdDateTime", func(x g) any { return x.Created }),
		f("description", func(x g) any {
			if x.Description == "" {
				return nil
			}
			return x.Description
		}),
		f("displayName", func(x g) any { return x.Name }),
		f("expirationDateTime", func(g) any { return nil }),
		f("groupTypes", func(x g) any {
			out := []string{}
			if x.Rule != "" {
				out = append(out, "DynamicMembership")
			}
			if x.Unified {
				out = append(out, "Unified")
			}
			return out
		}),
		f("isAssignableToRole", func(x g) any {
			if x.RoleAssignable {
				return true
			}
			return nil
		}),
		f("mail", func(x g) any { return opt(x.Mail) }),
		f("mailEnabled", func(x g) any { return x.Unified }),
		f("mailNickname", func(x g) any { return groupNickname(x) }),
		f("membershipRule", func(x g) any { return opt(x.Rule) }),
		f("membershipRuleProcessingState", func(x g) any {
			switch {
			case x.Rule == "":
				return nil
			case x.Paused:
				return "Paused"
			}
			return "On"
		}),
		f("onPremisesSyncEnabled", func(g) any { return nil }),
		f("proxyAddresses", func(x g) any {
			if x.Mail == "" {
				return []string{}
			}
			return []string{"SMTP:" + x.Mail}
		}),
		f("renewedDateTime", func(x g) any { return later(x.Renewed, x.Created) }),
		f("securityEnabled", func(x g) any { return !x.Unified || x.Secure }),
		f("securityIdentifier", func(x g) any { return securityIdentifier(x.ID) }),
		f("visibility", func(x g) any { return opt(x.Visibility) }),
	}
	return newShape("group", func(r any) string { return r.(g).ID }, append(own, keptGroupFields()...)...)
}

// findGroup resolves {id} or uniqueName={name}.
func findGroup(c *call, _ *world.State, t *world.Tenant) (*world.Group, error) {
	key := c.params[0]
	if g := t.Groups.Get(key); g != nil {
		if c.route.method == http.MethodGet && g.Late.Hides(c.now) && g.Late.New {
			return nil, notFound(key)
		}
		return g, nil
	}
	if name, val, named := strings.Cut(key, "="); named && strings.EqualFold(name, "uniqueName") {
		for g := range t.Groups.All() {
			var have string
			if raw := g.Props["uniqueName"]; raw != nil && json.Unmarshal(raw, &have) == nil && have == val {
				return g, nil
			}
		}
	}
	return nil, notFound(key)
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
	fs := fields{
		"displayName": text().need().upTo(256), "description": text().upTo(1024), "mailEnabled": flag(), "mailNickname": text().upTo(64),
		"securityEnabled": flag(), "groupTypes": list(enum("Unified DynamicMembership")), "isAssignableToRole": flag(),
		"visibility": enum("Private Public HiddenMembership"), "membershipRule": text().upTo(3072), "membershipRuleProcessingState": enum("On Paused"),
		"owners@odata.bind": list(text()).upTo(20), "members@odata.bind": list(text()).upTo(20),
		"id": readOnly(), "createdDateTime": readOnly(), "mail": readOnly(), "proxyAddresses": readOnly(), "renewedDateTime": readOnly(),
		"deletedDateTime":       readOnly(),
		"onPremisesSyncEnabled": readOnly(), "securityIdentifier": readOnly(), "members": readOnly(), "owners": readOnly(),
		"expirationDateTime": readOnly(), "assignedLicenses": readOnly(), "assignedLabels": readOnly(), "onPremisesDomainName": readOnly(),
		"onPremisesLastSyncDateTime": readOnly(), "onPremisesNetBiosName": readOnly(), "onPremisesSamAccountName": readOnly(),
		"onPremisesSecurityIdentifier": readOnly(), "onPremisesProvisioningErrors": readOnly(), "serviceProvisioningErrors": readOnly(),
		"creationOptions": readOnly(), "createdByAppId": readOnly(), "organizationId": readOnly(), "infoCatalogs": readOnly(),
		"isManagementRestricted": readOnly(), "unseenCount": readOnly(), "licenseProcessingState": readOnly(), "hasMembersWithLicenseErrors": readOnly(),
	}
	maps.Copy(fs, keptOfGroups())
	return fs
}

// members lists direct or all members of a group.
func (c *call) members(t *world.Tenant, g *world.Group, deep bool) []*entity {
	var out []*entity
	seen := map[string]bool{strings.ToLower(g.ID): true}
	todo := [][]string{g.SeenMembers(c.now)}
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
					todo = append(todo, sub.SeenMembers(c.now))
				}
			}
		}
	}
	return out
}

func listGroups(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, "groups", c.g.sh.group, rowsWhere(&t.Groups, func(g *world.Group) bool { return !g.Late.Hides(c.now) || !g.Late.New }))
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
		return c.objects(t, c.ownersOf(t, g.Owners))
	case "memberOf", "transitiveMemberOf":
		return c.objects(t, c.memberships(t, g.ID, which == "transitiveMemberOf"))
	default:
		return c.objects(t, c.members(t, g, which == "transitiveMembers"))
	}
}
