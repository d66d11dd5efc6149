package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// findApp resolves {id} or appId={id}.
func findApp(c *call, _ *world.State, t *world.Tenant) (*world.Application, error) {
	if id, ok := strings.CutPrefix(c.params[0], "appId="); ok {
		for a := range t.Apps.All() {
			if strings.EqualFold(a.AppID, id) {
				return a, nil
			}
		}
		return nil, notFound(id)
	}
	if a := t.Apps.Get(c.params[0]); a != nil {
		return a, nil
	}
	return nil, notFound(c.params[0])
}

func appTarget(a *world.Application) world.AuditTarget { return target("Application", a.ID, a.Name) }

func listApps(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, "applications", c.g.sh.app, rows(&t.Apps))
}

func getApp(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
	return c.one(t, "applications", c.g.sh.app, a)
}

func createApp(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := appFields().check("", c.in); err != nil {
		return nil, err
	}
	if str(c.in, "displayName") == "" {
		return nil, badRequest("A value is required for property 'displayName' of resource 'Application'.")
	}
	a := &world.Application{ID: world.NewGUID(), AppID: world.NewGUID(), Audience: "AzureADMyOrg", Created: c.now}
	if err := c.applyApp(s, a); err != nil {
		return nil, err
	}
	s.PutApp(t, a)
	ch := change{activity: "Add application", category: "ApplicationManagement", operation: "Add", target: appTarget(a)}
	ch.changed("DisplayName", nil, []string{a.Name})
	c.audit(s, t, ch)
	return c.created(t, "applications", c.g.sh.app, a)
}

func changeApp(c *call, s *world.State, t *world.Tenant, old *world.Application) (*reply, error) {
	if err := appFields().check("", c.in); err != nil {
		return nil, err
	}
	a := *old
	if err := c.applyApp(s, &a); err != nil {
		return nil, err
	}
	if given(c.in, "keyCredentials") {
		next, err := replaceKeys(old, objs(c.in, "keyCredentials"))
		if err != nil {
			return nil, err
		}
		c.setApp(s, t, &a, func(a *world.Application) { a.Keys = next })
		a.Keys = next
	}
	s.PutApp(t, &a)
	ch := change{activity: "Update application", category: "ApplicationManagement", target: appTarget(&a)}
	ch.changed("DisplayName", []string{old.Name}, []string{a.Name})
	ch.changed("SignInAudience", []string{old.Audience}, []string{a.Audience})
	ch.changed("RequiredResourceAccess", old.Required, a.Required)
	ch.changed("AppAddress", slices.Concat(old.Web, old.SPA, old.Public), slices.Concat(a.Web, a.SPA, a.Public))
	c.audit(s, t, ch)
	return noContent()
}

func deleteApp(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
	s.DeleteApp(t, a.ID)
	if sp := t.SP(a.AppID); sp != nil { // the home tenant's service principal goes with it
		t.SPs.Delete(sp.ID)
		s.Touch(t)
	}
	c.audit(s, t, change{activity: "Delete application", category: "ApplicationManagement", operation: "Delete", target: appTarget(a)})
	return noContent()
}

// applyApp takes the body over into an application.
func (c *call) applyApp(s *world.State, a *world.Application) error {
	take(c.in, "displayName", &a.Name, str)
	take(c.in, "signInAudience", &a.Audience, str)
	if given(c.in, "identifierUris") {
		a.Identifiers = strs(c.in, "identifierUris")
		for _, u := range a.Identifiers {
			if r := s.Resource(u); r != nil && !strings.EqualFold(r.AppID, a.AppID) {
				return badRequest("Another object with the same value for property identifierUris already exists.")
			}
		}
	}
	take(c.in, "isFallbackPublicClient", &a.Fallback, truth)
	for k, to := range map[string]*[]string{"web": &a.Web, "spa": &a.SPA, "publicClient": &a.Public} {
		if m := inner(c.in, k); m != nil && given(m, "redirectUris") {
			*to = strs(m, "redirectUris")
		}
	}
	if m := inner(c.in, "api"); m != nil {
		if given(m, "requestedAccessTokenVersion") {
			n, _ := m["requestedAccessTokenVersion"].(float64)
			a.TokenV2 = n == 2
		}
		if given(m, "oauth2PermissionScopes") {
			a.Scopes = nil
			for _, x := range objs(m, "oauth2PermissionScopes") {
				a.Scopes = append(a.Scopes, world.Scope{
					ID: str(x, "id"), Value: str(x, "value"), Name: str(x, "adminConsentDisplayName"), Admin: str(x, "type") == "Admin",
				})
			}
		}
	}
	if given(c.in, "appRoles") {
		a.Roles = nil
		for _, x := range objs(c.in, "appRoles") {
			a.Roles = append(a.Roles, world.Scope{ID: str(x, "id"), Value: str(x, "value"), Name: str(x, "displayName")})
		}
	}
	if given(c.in, "requiredResourceAccess") {
		a.Required = nil
		for _, x := range objs(c.in, "requiredResourceAccess") {
			r := world.RequiredAccess{Resource: str(x, "resourceAppId")}
			for _, y := range objs(x, "resourceAccess") {
				if str(y, "type") == "Role" {
					r.Roles = append(r.Roles, str(y, "id"))
				} else {
					r.Scopes = append(r.Scopes, str(y, "id"))
				}
			}
			a.Required = append(a.Required, r)
		}
	}
	return nil
}
