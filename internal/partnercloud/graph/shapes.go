package graph

import (
	"maps"
	"slices"

	"partnerguard/internal/partnercloud/world"
)

// shapes are how rows of every type are shown, made once.
type shapes struct {
	user, group, role                                                            *shape
	app, federated, sp, appRole, grant                                           *shape
	definition, assigned, eligible, eligibleNow, heldNow, askEligible, askActive *shape
	groupEligible, groupActive, askGroup                                         *shape
	organization, domain, contract, sku                                          *shape
	policy, location, defaults, strength                                         *shape
	method, requirements, registration, methods, config                          *shape
	audit, customer, detail, alert, score, history, insight                      *shape
	detection                                                                    *shape
	groupSetting, settingTemplate                                                *shape
	licence, template, unit, scoped                                              *shape
	settings                                                                     map[string]*shape // of the tenant's other policies, by type
}

func newShapes() *shapes {
	sh := &shapes{
		user: newUserShape(), group: newGroupShape(), role: newActiveRoleShape(),
		app: newAppShape(), federated: newFederatedShape(), sp: newSPShape(), appRole: newAppRoleShape(), grant: newGrantShape(),
		definition: newDefinitionShape(), organization: newOrganizationShape(), domain: newDomainShape(), contract: newContractShape(), sku: newSKUShape(),
		policy: documentShape("conditionalAccessPolicy", nil, policyNames()...), location: newLocationShape(), defaults: newDefaultsShape(),
		strength: newStrengthShape(),
		method:   newMethodShape(), requirements: newRequirementsShape(), registration: newRegistrationShape(), methods: newMethodsPolicyShape(),
		config: newConfigShape(),
		audit:  newAuditShape(), customer: newGDAPCustomerShape(), detail: newDetailShape(),
		groupSetting: newGroupSettingShape(), settingTemplate: newGroupSettingTemplateShape(),
		licence: newLicenceShape(), template: newTemplateShape(), unit: newUnitShape(), scoped: newScopedShape(),
		alert: newAlertShape(), score: newScoreShape(), history: newHistoryShape(), insight: newInsightShape(),
	}
	sh.assigned = newRoleAssignmentShape(sh.definition)
	sh.askEligible, sh.askActive = newRoleAskShape(sh.definition, askEligible), newRoleAskShape(sh.definition, askActive)
	sh.addSchedules()
	sh.addAppLinks()
	sh.detection = newDetectionShape()
	sh.settings = map[string]*shape{
		"secureScore":               documentShape("secureScore", nil, namesOf("secureScore")...),
		"secureScoreControlProfile": documentShape("secureScoreControlProfile", nil, namesOf("secureScoreControlProfile")...),
		"stsPolicy":                 documentShape("stsPolicy", nil, words("id deletedDateTime definition displayName description isOrganizationDefault")...),
		"permissionGrantPolicy":     documentShape("permissionGrantPolicy", nil, words("id deletedDateTime displayName description")...),
		"applicationTemplate":       documentShape("applicationTemplate", nil, namesOf("applicationTemplate")...),
	}
	for _, p := range singletons() {
		sh.settings[p.typ] = documentShape(p.typ, nil, namesOf(p.typ)...)
	}
	sh.user.navs["memberOf"] = many(func(c *call, t *world.Tenant, u *world.User) []*entity { return c.memberships(t, u.ID, false) })
	sh.user.navs["transitiveMemberOf"] = many(func(c *call, t *world.Tenant, u *world.User) []*entity { return c.memberships(t, u.ID, true) })
	sh.user.navs["manager"] = nav{levels: true, of: func(c *call, t *world.Tenant, row any) []*entity {
		if m := managerOf(t, row.(*world.User)); m != nil {
			return []*entity{c.userEntity(m)}
		}
		return nil
	}}
	sh.user.navs["directReports"] = many((*call).reportsOf)
	sh.user.navs["ownedObjects"] = many(func(c *call, t *world.Tenant, u *world.User) []*entity { return c.ownings(t, u.ID) })
	sh.group.navs["members"] = many(func(c *call, t *world.Tenant, g *world.Group) []*entity { return c.members(t, g, false) })
	sh.group.navs["owners"] = many(func(c *call, t *world.Tenant, g *world.Group) []*entity { return c.ownersOf(t, g.Owners) })
	sh.group.navs["memberOf"] = many(func(c *call, t *world.Tenant, g *world.Group) []*entity { return c.memberships(t, g.ID, false) })
	sh.unit.navs["members"] = many((*call).unitMembers)
	sh.role.navs["members"] = many(func(c *call, t *world.Tenant, r *activeRoleRow) []*entity { return c.holders(t, r.role.ID) })
	return sh
}

// many is a navigation to several objects.
func many[T any](of func(*call, *world.Tenant, T) []*entity) nav {
	return nav{many: true, of: func(c *call, t *world.Tenant, row any) []*entity { return of(c, t, row.(T)) }}
}

// namesOf are the properties of a type, the id first.
func namesOf(typ string) []string {
	out := slices.Sorted(maps.Keys(properties()[typ]))
	if i := slices.Index(out, "id"); i > 0 {
		out = slices.Insert(slices.Delete(out, i, i+1), 0, "id")
	}
	return out
}
