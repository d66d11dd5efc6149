package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// Memberships as ids: getMemberGroups, getMemberObjects, checkMemberGroups and
// checkMemberObjects of anything that can be a member.

// findMember finds the object that the path names, of the kind that it names.
func findMember(c *call, s *world.State, t *world.Tenant) (string, error) {
	key := c.params[0]
	switch strings.ToLower(c.route.parts[0]) {
	case "users":
		u, err := c.findUser(s, t)
		if err != nil {
			return "", err
		}
		return u.ID, nil
	case "groups":
		g, err := findGroup(c, s, t)
		if err != nil {
			return "", err
		}
		return g.ID, nil
	case "serviceprincipals":
		p, err := findSP(c, s, t)
		if err != nil {
			return "", err
		}
		return p.ID, nil
	default:
		if e := c.object(t, key); e != nil {
			return e.key(e.row), nil
		}
	}
	return "", notFound(key)
}

// memberIDs lists the groups that an object is in, directly or not, and with roles
// its directory roles and administrative units too.
func (c *call) memberIDs(t *world.Tenant, id string, roles bool) []string {
	out := append([]string{}, t.GroupsOf(id)...)
	if roles {
		for _, e := range c.memberships(t, id, true) {
			if e.typ != "group" {
				out = append(out, e.key(e.row))
			}
		}
	}
	return out
}

func (c *call) idList(ids []string) (*reply, error) {
	return give(object{{"@odata.context", c.root() + "/$metadata#Collection(Edm.String)"}, {"value", ids}})
}

// maxMemberOf is how many ids getMemberGroups and getMemberObjects give
// (Microsoft Graph: 11,000; more is an error).
const maxMemberOf = 11_000

// getMembers answers getMemberGroups and getMemberObjects.
func getMembers(c *call, _ *world.State, t *world.Tenant, id string) (*reply, error) {
	if err := (fields{"securityEnabledOnly": flag()}).check("", c.in); err != nil {
		return nil, err
	}
	secure := truth(c.in, "securityEnabledOnly")
	all := strings.EqualFold(c.route.last(), "getMemberObjects")
	if secure && !all && t.Users.Get(id) == nil && t.SPs.Get(id) == nil {
		return nil, badRequest("The parameter securityEnabledOnly can be true for users and service principals alone.")
	}
	out := c.memberIDs(t, id, all)
	if secure {
		out = slices.DeleteFunc(out, func(x string) bool { g := t.Groups.Get(x); return g != nil && g.Unified && !g.Secure })
	}
	if len(out) > maxMemberOf {
		return nil, refuse(400, "Directory_ResultSizeLimitExceeded", "The result set is larger than %d.", maxMemberOf)
	}
	return c.idList(out)
}

// checkMembers answers checkMemberGroups and checkMemberObjects.
func checkMembers(c *call, _ *world.State, t *world.Tenant, id string) (*reply, error) {
	name, roles := "groupIds", false
	if strings.EqualFold(c.route.last(), "checkMemberObjects") {
		name, roles = "ids", true
	}
	if err := (fields{name: list(text()).need().upTo(20)}).check("", c.in); err != nil {
		return nil, err
	}
	if !given(c.in, name) {
		return nil, badRequest("The parameter %s is missing.", name)
	}
	in, out := c.memberIDs(t, id, roles), []string{}
	for _, want := range strs(c.in, name) {
		if !world.IsGUID(want) {
			return nil, badRequest("Invalid object identifier '%s'.", clip(want))
		}
		if slices.ContainsFunc(in, func(g string) bool { return strings.EqualFold(g, want) }) {
			out = append(out, want)
		}
	}
	return c.idList(out)
}

// memberOf answers memberOf and transitiveMemberOf.
func memberOf(c *call, _ *world.State, t *world.Tenant, id string) (*reply, error) {
	return c.objects(t, c.memberships(t, id, strings.EqualFold(c.route.last(), "transitiveMemberOf")))
}
