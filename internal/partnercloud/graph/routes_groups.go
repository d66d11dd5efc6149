package graph

import (
	"slices"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// groupRoutes are what groups have besides the old table's.
func groupRoutes() []*route {
	return slices.Concat(
		from(kit.Read, "Graph: group resource",
			post("groups/{}/renew", mayChangeGroup, found(findGroup, renewGroup)).bodiless(),
		),
		from(kit.Read, "Graph: groupSetting resource",
			get("groupSettingTemplates", mayReadSettings, listSettingTemplates).pages(100, 999).v1(),
			get("groupSettingTemplates/{}", mayReadSettings, listSettingTemplates).v1(),
			get("groupSettings", mayReadSettings, listGroupSettings).pages(100, 999).v1(),
			get("groupSettings/{}", mayReadSettings, listGroupSettings).v1(),
			post("groupSettings", mayChangeSettings, createGroupSetting).v1(),
			patch("groupSettings/{}", mayChangeSettings, found(findGroupSetting, changeGroupSetting)).v1(),
			del("groupSettings/{}", mayChangeSettings, found(findGroupSetting, deleteGroupSetting)).v1(),
		),
		// Read by Microsoft's older clients with $ref; documented by name alone.
		from(kit.Known, "Graph: group resource",
			get("groups/{}/members/{}", mayReadGroups, found(findGroup, oneLink)),
			get("groups/{}/owners/{}", mayReadGroups, found(findGroup, oneLink)),
		),
	)
}

// oneLink gives one member or owner of a group.
func oneLink(c *call, _ *world.State, t *world.Tenant, g *world.Group) (*reply, error) {
	list := g.Members
	if c.route.parts[2] == "owners" {
		list = g.Owners
	}
	return c.oneOf(t, list)
}

// oneOf gives the directory object that the path's second key names, if it is one of
// these.
func (c *call) oneOf(t *world.Tenant, ids []string) (*reply, error) {
	id := c.params[1]
	e := c.object(t, id)
	if e == nil || !hasFold(ids, id) {
		return nil, notFound(id)
	}
	return c.one(t, "directoryObjects", e.shape, e)
}

// renewGroup prolongs the life of a Microsoft 365 group. Expiration policies are not
// part of this cloud: only the date moves.
func renewGroup(c *call, s *world.State, t *world.Tenant, g *world.Group) (*reply, error) {
	if err := c.mayEdit(s, t, g); err != nil {
		return nil, err
	}
	if !g.Unified {
		return nil, badRequest("Only Microsoft 365 groups can be renewed.")
	}
	n := s.Change()
	t.Groups.Change(g.ID, func(g *world.Group) { g.Renewed, g.Changed = c.now, n })
	ch := change{activity: "Renew group", category: "GroupManagement", target: groupTarget(g)}
	ch.changed("RenewedDateTime", later(g.Renewed, g.Created), c.now)
	c.audit(s, t, ch)
	return noContent()
}
