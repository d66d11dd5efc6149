package graph

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// judgeApp refuses a registration that production would not take. old is what it
// was, nil for a new one.
func judgeApp(s *world.State, t *world.Tenant, old, a *world.Application) error {
	for _, f := range []func() error{
		func() error { return judgeIdentifiers(s, t, a) },
		func() error { return judgeRedirects(a) },
		func() error { return judgePermissions(a) },
		func() error { return judgeDisabledFirst(old, a) },
		func() error { return judgePreAuthorized(a) },
		func() error { return judgeUnique(t, a) },
	} {
		if err := f(); err != nil {
			return err
		}
	}
	if strings.Contains(a.Audience, "Personal") && !a.TokenV2 && (old == nil || old.Audience != a.Audience || old.TokenV2) {
		return badRequest("Property api.requestedAccessTokenVersion is invalid.")
	}
	seen := map[string]bool{}
	for _, r := range a.Required {
		if k := strings.ToLower(r.Resource); seen[k] {
			return badRequest("Property requiredResourceAccess names the resource '%s' twice.", clip(r.Resource))
		} else {
			seen[k] = true
		}
	}
	return nil
}

// judgeIdentifiers: absolute, of a verified domain where they are addresses, and
// nobody else's.
func judgeIdentifiers(s *world.State, t *world.Tenant, a *world.Application) error {
	seen := map[string]bool{}
	for _, id := range a.Identifiers {
		u, err := url.Parse(id)
		if err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "" || strings.HasSuffix(id, "/") && u.Scheme == "api" {
			return badRequest("Invalid value specified for property 'identifierUris' of resource 'Application'.")
		}
		if seen[strings.ToLower(id)] {
			return badRequest("It contains duplicate value. Please Provide unique value.")
		}
		seen[strings.ToLower(id)] = true
		verified := func(d string) bool {
			host := strings.ToLower(u.Hostname())
			return host == strings.ToLower(d) || strings.HasSuffix(host, "."+strings.ToLower(d))
		}
		if (u.Scheme == "https" || u.Scheme == "http") && !slices.ContainsFunc(t.Domains, verified) {
			return refuse(http.StatusBadRequest, "HostNameNotOnVerifiedDomain",
				"Values of identifierUris property must use a verified domain of the organization or its subdomain: '%s'", clip(id))
		}
		if r := s.Resource(id); r != nil && !strings.EqualFold(r.AppID, a.AppID) {
			return badRequest("Another object with the same value for property identifierUris already exists.")
		}
	}
	return nil
}

// judgeRedirects: the web takes https and, on the own machine, http; installed
// apps any scheme.
func judgeRedirects(a *world.Application) error {
	for _, p := range []struct {
		platform string
		list     []string
	}{{"web", a.Web}, {"spa", a.SPA}, {"publicClient", a.Public}} {
		seen := map[string]bool{}
		for _, text := range p.list {
			u, err := url.Parse(text)
			local := err == nil && (u.Hostname() == "localhost" || loopback(u.Hostname()))
			web := err == nil && (u.Scheme == "https" && u.Host != "" || u.Scheme == "http" && local)
			if err != nil || u.Scheme == "" || u.Fragment != "" || strings.Contains(text, "#") ||
				p.platform != "publicClient" && !web && !brokered(p.platform, u.Scheme) || u.Scheme == "http" && !local {
				return badRequest("Invalid value specified for property '%s.redirectUris' of resource 'Application': '%s'.", p.platform, clip(text))
			}
			if seen[text] {
				return badRequest("It contains duplicate value. Please Provide unique value.")
			}
			seen[text] = true
		}
	}
	return nil
}

// brokered are redirects that Microsoft's own libraries use outside of the web.
func brokered(platform, scheme string) bool {
	return platform == "spa" && scheme == "brk-multihub" || platform == "web" && strings.HasPrefix(scheme, "ms-appx")
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// judgePermissions: ids and values of scopes and roles stand for themselves; a
// scope and a role may share an id when they say the same.
func judgePermissions(a *world.Application) error {
	twice := badRequest("It contains duplicate value. Please Provide unique value.")
	seen := map[string]string{} // value to id
	for _, list := range [][]world.Scope{a.Scopes, a.Roles} {
		ids := map[string]bool{}
		for _, x := range list {
			id := strings.ToLower(x.ID)
			if !world.IsGUID(x.ID) {
				return badRequest("Invalid value specified for property 'id' of a permission: '%s'.", clip(x.ID))
			}
			if strings.HasPrefix(x.Value, ".") || strings.ContainsFunc(x.Value, func(r rune) bool {
				return r <= ' ' || r > '~' || strings.ContainsRune("\"\\", r)
			}) {
				return badRequest("Invalid value specified for property 'value' of a permission: '%s'.", clip(x.Value))
			}
			other, taken := seen[x.Value]
			if ids[id] || taken && x.Value != "" && other != id {
				return twice
			}
			ids[id], seen[x.Value] = true, id
		}
	}
	for _, sc := range a.Scopes {
		for _, role := range a.Roles {
			if strings.EqualFold(sc.ID, role.ID) && (sc.Value != role.Value || sc.Enabled() != role.Enabled() || named(sc) != named(role) ||
				wording(sc).Description != wording(role).Description) {
				return badRequest("The following values must match for the 'oauth2PermissionScopes' and 'appRoles' properties with identifier '%s': "+
					"(description, adminConsentDescription),(displayName, adminConsentDisplayName),(isEnabled, isEnabled),(origin, origin),(value, value). "+
					"Ensure that you are intending to have entries with the same identifier, and if so, are updating them together.", sc.ID)
			}
		}
	}
	return nil
}

// judgeDisabledFirst: what is enabled is neither removed nor renamed.
func judgeDisabledFirst(old, a *world.Application) error {
	if old == nil {
		return nil
	}
	for _, lists := range [][2][]world.Scope{{old.Scopes, a.Scopes}, {old.Roles, a.Roles}} {
		for _, was := range lists[0] {
			same := func(x world.Scope) bool { return strings.EqualFold(x.ID, was.ID) && x.Value == was.Value }
			if was.Enabled() && !slices.ContainsFunc(lists[1], same) {
				return refuse(http.StatusBadRequest, "CannotDeleteOrUpdateEnabledEntitlement",
					"Permission (scope or role) cannot be deleted or updated unless disabled first.")
			}
		}
	}
	return nil
}

// judgePreAuthorized: clients by app id, and scopes of the app's own.
func judgePreAuthorized(a *world.Application) error {
	seen := map[string]bool{}
	for _, x := range objs(inner(a.More, "api"), "preAuthorizedApplications") {
		id := strings.ToLower(str(x, "appId"))
		if !world.IsGUID(id) || seen[id] {
			return badRequest("Property api.preAuthorizedApplications.appId is invalid.")
		}
		seen[id] = true
		for _, p := range strs(x, "delegatedPermissionIds") {
			if !slices.ContainsFunc(a.Scopes, func(sc world.Scope) bool { return strings.EqualFold(sc.ID, p) }) {
				return refuse(http.StatusBadRequest, "InvalidPreAuthorizedApplication",
					"Property PreAuthorizedApplication references permissions that cannot be found: '%s'.", clip(p))
			}
		}
	}
	for _, id := range strs(inner(a.More, "api"), "knownClientApplications") {
		if !world.IsGUID(id) {
			return badRequest("Property api.knownClientApplications is invalid.")
		}
	}
	return nil
}

// judgeUnique: uniqueName is an alternate key.
func judgeUnique(t *world.Tenant, a *world.Application) error {
	name := str(a.More, "uniqueName")
	if name == "" {
		return nil
	}
	for o := range t.Apps.All() {
		if o.ID != a.ID && strings.EqualFold(str(o.More, "uniqueName"), name) {
			return badRequest("Another object with the same value for property uniqueName already exists.")
		}
	}
	return nil
}
