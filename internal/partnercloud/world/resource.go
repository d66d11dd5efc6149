package world

import (
	"slices"
	"strings"
	"sync"

	"partnerguard/internal/entra"
)

// Resource is an API that tokens can be asked for.
type Resource struct {
	AppID  string
	Name   string
	URIs   []string // audiences, the first is the one put into tokens
	V2     bool     // issues v2 access tokens
	Scopes []Scope  // delegated permissions
	Roles  []Scope  // application permissions
	// Managed marks APIs that nobody consents to: what the token says is
	// user_impersonation, and the caller's own rights decide.
	Retired bool
	Owner   string       // tenant id of a registered API; FirstPartyTenant otherwise
	App     *Application // the registration; nil for built-in APIs
}

var resources = sync.OnceValue(func() []*Resource {
	impersonation := func(id string) []Scope { return []Scope{{ID: id, Value: "user_impersonation"}} }
	of := func(appID string, scopes ...Scope) *Resource {
		a, _ := entra.FindApp(appID)
		return &Resource{AppID: a.ID, Name: a.Service, URIs: a.URIs, Scopes: scopes}
	}
	graph := of(entra.AppGraph, slices.Concat(graphScopes(), directoryScopes(), policyScopes())...)
	old := of(entra.AppAADGraph, impersonation("a42657d6-7f20-40e3-b6f0-cee03008a62a")...)
	graph.Roles, old.Retired = slices.Concat(graphRoles(), directoryRoles(), policyRoles()), true
	return []*Resource{
		graph,
		of(entra.AppARM, impersonation("41094075-9dad-400e-a0bd-54e686782033")...),
		of(entra.AppPartnerCenter, impersonation("1cebfa2a-fb4d-419e-b5f9-839b4383e05a")...),
		exchange(of),
		of(entra.AppManagementAPIs, Scope{ID: "594c1fb6-4f81-4475-ae41-0c394909246c", Value: "ActivityFeed.Read", Admin: true}),
		of(entra.AppSharePoint),
		of(entra.AppPartner, impersonation("eabf9ef3-1f9e-f3da-19a1-bcd60d080567")...),
		of(entra.AppKeyVault, impersonation("f53da476-18e3-4152-8e01-aec403e6edc0")...),
		old,
	}
})

// exchange is Exchange Online. That the id of SMTP.SendAsApp is Microsoft's is said by
// registrations that others published, and by no list of Microsoft's.
func exchange(of func(string, ...Scope) *Resource) *Resource {
	r := of(entra.AppExchange,
		Scope{ID: "ab4f2b77-0b06-4fc1-a9de-02113fc2ab7c", Value: "Exchange.Manage", Admin: true},
		Scope{ID: "76faac2a-0f20-42f1-928a-50de5b9dbe52", Value: "SMTP.Send"},
		Scope{ID: "195adc35-e27b-454b-a7ed-1ecdffa1c09f", Value: "IMAP.AccessAsUser.All"},
		Scope{ID: "fb698133-92fa-453e-a9ed-688e10f2e5ac", Value: "POP.AccessAsUser.All"})
	r.Roles = []Scope{
		{ID: "7146a1f0-8703-45b3-9eae-527a64c00995", Value: "SMTP.SendAsApp", Admin: true},
		{ID: "5e5addcd-3e8d-4e90-baf5-964efab2b20a", Value: "IMAP.AccessAsApp", Admin: true},
		{ID: "cb842b43-da6e-4506-86fe-bb12199c656d", Value: "POP.AccessAsApp", Admin: true},
	}
	return r
}

// FindResource finds a built-in resource by app id or any of its URIs, or nil.
// The result must not be changed.
func FindResource(idOrURI string) *Resource {
	for _, r := range resources() {
		if strings.EqualFold(r.AppID, idOrURI) {
			return r
		}
		for _, u := range r.URIs {
			if strings.EqualFold(strings.TrimSuffix(u, "/"), strings.TrimSuffix(idOrURI, "/")) {
				return r
			}
		}
	}
	return nil
}

// Resources lists the built-in resources.
func Resources() []*Resource { return resources() }

// Resource finds a built-in resource, or the API of a registered app by app id
// or identifier URI.
func (s *State) Resource(idOrURI string) *Resource {
	if r := FindResource(idOrURI); r != nil {
		return r
	}
	id := strings.TrimPrefix(idOrURI, "api://")
	t, a := s.App(id)
	if a == nil {
		for owner := range s.ownersOfApps() {
			for c := range owner.Apps.All() {
				for _, u := range c.Identifiers {
					if strings.EqualFold(u, idOrURI) {
						t, a = owner, c
					}
				}
			}
		}
	}
	if a == nil {
		return nil
	}
	uris := append([]string{}, a.Identifiers...)
	if len(uris) == 0 {
		uris = append(uris, "api://"+a.AppID)
	}
	return &Resource{
		AppID: strings.ToLower(a.AppID), Name: a.Name, URIs: append(uris, a.AppID), V2: a.TokenV2, Scopes: enabledOf(a.Scopes), Roles: enabledOf(a.Roles),
		Owner: t.ID, App: a,
	}
}

// FirstPartyClient names one of Microsoft's own public clients that tools sign in
// with, by app id in lower case. They need no consent and no secret.
func FirstPartyClient(appID string) (name string, ok bool) {
	a, _ := entra.FindApp(appID)
	return a.Client, a.Client != ""
}

// ScopeByValue finds a delegated permission by its value, without case.
func (r *Resource) ScopeByValue(v string) (Scope, bool) {
	for _, s := range r.Scopes {
		if strings.EqualFold(s.Value, v) {
			return s, true
		}
	}
	return Scope{}, false
}
