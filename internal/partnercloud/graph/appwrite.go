package graph

import (
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// alternate splits an alternate key, appId=x or uniqueName=x; "" is the object id.
func alternate(key string) (name, value string) {
	name, value, ok := strings.Cut(key, "=")
	if !ok {
		return "", key
	}
	return name, value
}

// findApp resolves {id}, appId={id} or uniqueName={name}.
func findApp(c *call, _ *world.State, t *world.Tenant) (*world.Application, error) {
	name, value := alternate(c.params[0])
	if name == "" {
		if a := t.Apps.Get(value); a != nil {
			return a, nil
		}
		return nil, notFound(value)
	}
	for a := range t.Apps.All() {
		if strings.EqualFold(name, "appId") && strings.EqualFold(a.AppID, value) ||
			strings.EqualFold(name, "uniqueName") && strings.EqualFold(str(a.More, "uniqueName"), value) {
			return a, nil
		}
	}
	return nil, notFound(value)
}

// shownApp is an application in the form of the call's version.
func (c *call) shownApp(a *world.Application) *appRow { return &appRow{a, c.beta} }

func appTarget(a *world.Application) world.AuditTarget { return target("Application", a.ID, a.Name) }

func listApps(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, "applications", c.g.sh.app, rowsAs(&t.Apps, func(a *world.Application) any { return c.shownApp(a) }))
}

func getApp(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
	e := c.entity(c.g.sh.app, c.shownApp(a))
	if slices.Contains(c.selection(), "keyCredentials") { // the certificates themselves come by name alone
		sh := *c.g.sh.app
		sh.fields = slices.Clone(sh.fields)
		sh.fields[sh.index["keyCredentials"]].get = func(x any) any { return certificates(appOf(x).Keys) }
		e.shape = &sh
	}
	return c.one(t, "applications", c.g.sh.app, e)
}

func createApp(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.newApp(s, t, appFields(), "")
}

// newApp registers an application. unique is its uniqueName when it is made by that
// key, else "".
func (c *call) newApp(s *world.State, t *world.Tenant, fs fields, unique string) (*reply, error) {
	fs["owners@odata.bind"] = list(text()).upTo(20)
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	if str(c.in, "displayName") == "" {
		return nil, badRequest("A value is required for property 'displayName' of resource 'Application'.")
	}
	a := &world.Application{ID: world.NewGUID(), AppID: world.NewGUID(), Audience: "AzureADMyOrg", Created: c.now}
	if unique != "" {
		a.More = map[string]any{"uniqueName": unique}
	}
	if err := c.applyApp(s, t, nil, a); err != nil {
		return nil, err
	}
	owners, err := c.boundOwners(s, t)
	if err != nil {
		return nil, err
	}
	a.Owners = owners
	if a.Keys, err = replaceKeys(a.Keys, objs(c.in, "keyCredentials")); err != nil {
		return nil, err
	}
	s.PutApp(t, a)
	ch := change{activity: "Add application", category: "ApplicationManagement", operation: "Add", target: appTarget(a)}
	ch.changed("DisplayName", nil, []string{a.Name})
	c.audit(s, t, ch)
	return c.created(t, "applications", c.g.sh.app, c.shownApp(a))
}

// upsertApp answers PATCH: by an alternate key it makes what is not there, when the
// client prefers that.
func upsertApp(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	name, value := alternate(c.params[0])
	a, err := findApp(c, s, t)
	if err == nil {
		return changeApp(c, s, t, a)
	}
	if !strings.EqualFold(name, "uniqueName") || value == "" || !c.prefers("create-if-missing") {
		return nil, err
	}
	c.head.Add("Preference-Applied", "create-if-missing")
	return c.newApp(s, t, appFields(), value)
}

// prefers reports a preference of the client.
func (c *call) prefers(what string) bool {
	for _, v := range c.r.Header.Values("Prefer") {
		for p := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(p), what) {
				return true
			}
		}
	}
	return false
}

func changeApp(c *call, s *world.State, t *world.Tenant, old *world.Application) (*reply, error) {
	c.dropUnchanged(s, old, nil)
	if err := appFields().check("", c.in); err != nil {
		return nil, err
	}
	a := *old
	if err := c.applyApp(s, t, old, &a); err != nil {
		return nil, err
	}
	if given(c.in, "keyCredentials") {
		next, err := replaceKeys(old.Keys, objs(c.in, "keyCredentials"))
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
	ch.changed("Entitlement", old.Scopes, a.Scopes)
	ch.changed("AppRole", old.Roles, a.Roles)
	ch.changed("AppIdentifierUri", old.Identifiers, a.Identifiers)
	for _, name := range slices.Sorted(maps.Keys(keptByApps())) {
		ch.changed(strings.ToUpper(name[:1])+name[1:], old.More[name], a.More[name])
	}
	c.audit(s, t, ch)
	return noContent()
}

func deleteApp(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
	if sp := t.SP(a.AppID); sp != nil { // the home tenant's service principal goes with it
		s.Delete(t, "servicePrincipal", sp.ID)
	}
	s.Delete(t, "application", a.ID)
	c.audit(s, t, change{activity: "Delete application", category: "ApplicationManagement", operation: "Delete", target: appTarget(a)})
	return noContent()
}

// applyApp takes the body over into an application and judges what it becomes.
func (c *call) applyApp(s *world.State, t *world.Tenant, old, a *world.Application) error {
	take(c.in, "displayName", &a.Name, str)
	take(c.in, "signInAudience", &a.Audience, str)
	take(c.in, "identifierUris", &a.Identifiers, strs)
	take(c.in, "isFallbackPublicClient", &a.Fallback, truth)
	for k, to := range map[string]*[]string{"web": &a.Web, "spa": &a.SPA, "publicClient": &a.Public} {
		if m := inner(c.in, k); m != nil {
			take(m, "redirectUris", to, strs)
		}
	}
	if m := inner(c.in, "api"); m != nil {
		if given(m, "requestedAccessTokenVersion") {
			n, said := m["requestedAccessTokenVersion"].(float64)
			if said && n != 1 && n != 2 {
				return badRequest("Property api.requestedAccessTokenVersion is invalid.")
			}
			a.TokenV2 = n == 2
		}
		if given(m, "oauth2PermissionScopes") {
			a.Scopes = scopesIn(objs(m, "oauth2PermissionScopes"))
		}
	}
	if given(c.in, "appRoles") {
		a.Roles = appRolesIn(objs(c.in, "appRoles"))
		if slices.ContainsFunc(a.Roles, func(r world.Scope) bool { return len(r.Text.Members) == 0 || r.Name == "" || r.Text.Description == "" }) {
			return badRequest("Invalid value specified for property 'appRoles' of resource 'Application': a role needs displayName, description and " +
				"allowedMemberTypes.")
		}
	}
	if given(c.in, "requiredResourceAccess") {
		a.Required = requiredIn(objs(c.in, "requiredResourceAccess"))
	}
	if list := objs(inner(c.in, "api"), "preAuthorizedApplications"); len(list) > 0 {
		for _, x := range list { // beta's name for it
			if ids, older := x["permissionIds"]; older {
				delete(x, "permissionIds")
				x["delegatedPermissionIds"] = ids
			}
		}
	}
	if name := str(c.in, "uniqueName"); given(c.in, "uniqueName") && str(a.More, "uniqueName") != "" && name != str(a.More, "uniqueName") {
		return badRequest("Property 'uniqueName' is read-only and cannot be set.")
	}
	a.More = keep(keptByApps(), a.More, c.in)
	return judgeApp(s, t, old, a)
}

// enabled reads isEnabled, which is true when it is not said.
func enabled(m map[string]any) bool { return m["isEnabled"] == nil || truth(m, "isEnabled") }

func scopesIn(list []map[string]any) []world.Scope {
	var out []world.Scope
	for _, x := range list {
		out = append(out, world.Scope{
			ID: str(x, "id"), Value: str(x, "value"), Name: str(x, "adminConsentDisplayName"), Admin: str(x, "type") == "Admin",
			Text: &world.ScopeText{
				Disabled: !enabled(x), Description: str(x, "adminConsentDescription"), UserName: str(x, "userConsentDisplayName"),
				UserDescription: str(x, "userConsentDescription"),
			},
		})
	}
	return out
}

func appRolesIn(list []map[string]any) []world.Scope {
	var out []world.Scope
	for _, x := range list {
		out = append(out, world.Scope{
			ID: str(x, "id"), Value: str(x, "value"), Name: str(x, "displayName"),
			Text: &world.ScopeText{Disabled: !enabled(x), Description: str(x, "description"), Members: strs(x, "allowedMemberTypes")},
		})
	}
	return out
}

func requiredIn(list []map[string]any) []world.RequiredAccess {
	var out []world.RequiredAccess
	for _, x := range list {
		r := world.RequiredAccess{Resource: str(x, "resourceAppId")}
		for _, y := range objs(x, "resourceAccess") {
			if str(y, "type") == "Role" {
				r.Roles = append(r.Roles, str(y, "id"))
			} else {
				r.Scopes = append(r.Scopes, str(y, "id"))
			}
		}
		out = append(out, r)
	}
	return out
}
