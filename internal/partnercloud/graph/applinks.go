package graph

import (
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// What hangs on applications and service principals, when it is asked for by
// expansion or by the name of a property.

// addAppLinks makes the navigations that can be expanded.
func (sh *shapes) addAppLinks() {
	of := func(list func(c *call, t *world.Tenant, p *world.ServicePrincipal) []*entity) nav {
		return nav{many: true, of: func(c *call, t *world.Tenant, row any) []*entity { return list(c, t, spOf(row)) }}
	}
	assigned := func(side func(*world.AppRoleAssignment) string) nav {
		return of(func(c *call, t *world.Tenant, p *world.ServicePrincipal) (out []*entity) {
			for a := range t.AppRoles.All() {
				if strings.EqualFold(side(a), p.ID) {
					out = append(out, c.entity(sh.appRole, appRole(t, a)))
				}
			}
			return out
		})
	}
	sh.sp.navs["appRoleAssignments"] = assigned(func(a *world.AppRoleAssignment) string { return a.Principal })
	sh.sp.navs["appRoleAssignedTo"] = assigned(func(a *world.AppRoleAssignment) string { return a.Resource })
	sh.sp.navs["owners"] = of(func(c *call, t *world.Tenant, p *world.ServicePrincipal) []*entity { return c.ownersOf(t, p.Owners) })
	sh.sp.navs["ownedObjects"] = of(func(c *call, t *world.Tenant, p *world.ServicePrincipal) []*entity { return c.ownings(t, p.ID) })
	sh.sp.navs["memberOf"] = of(func(c *call, t *world.Tenant, p *world.ServicePrincipal) []*entity {
		return c.memberships(t, p.ID, false)
	})
	sh.sp.navs["oauth2PermissionGrants"] = of(func(c *call, t *world.Tenant, p *world.ServicePrincipal) (out []*entity) {
		for g := range t.Grants.All() {
			if strings.EqualFold(g.Client, p.ID) {
				out = append(out, c.entity(sh.grant, g))
			}
		}
		return out
	})
	sh.app.navs["owners"] = nav{many: true, of: func(c *call, t *world.Tenant, row any) []*entity { return c.ownersOf(t, appOf(row).Owners) }}
}

// ownersOf shows owners, as far as they still are.
func (c *call) ownersOf(t *world.Tenant, ids []string) []*entity {
	all := []*entity{}
	for _, id := range ids {
		if e := c.object(t, id); e != nil {
			all = append(all, e)
		}
	}
	return all
}

// property gives a collection that is a property of an object, by its own address.
func (c *call) property(context string, e *entity) (*reply, error) {
	name := c.route.last()
	v, ok := e.Field(name)
	if !ok {
		return nil, notFound(name)
	}
	return give(object{{"@odata.context", c.contextURL(context+"/"+name, false)}, {"value", v}})
}

func appProperty(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
	return c.property("applications('"+a.ID+"')", c.entity(c.g.sh.app, c.shownApp(a)))
}

func spProperty(c *call, s *world.State, t *world.Tenant, sp *world.ServicePrincipal) (*reply, error) {
	return c.property("servicePrincipals('"+sp.ID+"')", c.entity(c.g.sh.sp, fullSP(s, sp)))
}
