package world

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
)

// Application is an app registration, in the tenant that owns it.
type Application struct {
	ID       string    `json:"id"` // object id
	AppID    string    `json:"appId"`
	Name     string    `json:"name"`
	Audience string    `json:"audience"` // signInAudience
	Created  time.Time `json:"created"`
	Web      []string  `json:"web,omitempty"` // redirect URIs by platform
	SPA      []string  `json:"spa,omitempty"`
	Public   []string  `json:"public,omitempty"`
	// Fallback is isFallbackPublicClient: device code and the password grant
	// without a credential.
	Fallback    bool                  `json:"fallback,omitempty"`
	Identifiers []string              `json:"identifiers,omitempty"` // identifierUris
	Scopes      []Scope               `json:"scopes,omitempty"`      // oauth2PermissionScopes it publishes
	Roles       []Scope               `json:"roles,omitempty"`       // appRoles it publishes
	Required    []RequiredAccess      `json:"required,omitempty"`    // requiredResourceAccess
	Passwords   []PasswordCredential  `json:"passwords,omitempty"`
	Keys        []KeyCredential       `json:"keys,omitempty"`
	Federated   []FederatedCredential `json:"federated,omitempty"`
	TokenV2     bool                  `json:"tokenV2,omitempty"` // api.requestedAccessTokenVersion 2
	Panel       bool                  `json:"panel,omitempty"`   // enrolled as a control panel vendor's app
	About       string                `json:"about,omitempty"`
	Owners      []string              `json:"owners,omitempty"` // object ids
	// More holds the members that are kept as they were written, by Graph's names:
	// notes, tags, info, optionalClaims and their like, and the rest of web and api.
	// It is replaced, never written into.
	More map[string]any `json:"more,omitempty"`
}

// Key is the object id.
func (a *Application) Key() string { return a.ID }

// Optional names the optional claims that the registration asks for in a kind of
// token: accessToken, idToken.
func (a *Application) Optional(token string) []string {
	if a == nil {
		return nil
	}
	claims, _ := a.More["optionalClaims"].(map[string]any)
	list, _ := claims[token].([]any)
	var out []string
	for _, x := range list {
		if m, ok := x.(map[string]any); ok {
			if name, ok := m["name"].(string); ok {
				out = append(out, name)
			}
		}
	}
	return out
}

// GroupClaims are the words of groupMembershipClaims: which groups tokens for the
// app name.
func (a *Application) GroupClaims() []string {
	if a == nil {
		return nil
	}
	text, _ := a.More["groupMembershipClaims"].(string)
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// PreAuthorized reports that an API lets a client use a scope without consent.
func (a *Application) PreAuthorized(client, scope string) bool {
	if a == nil {
		return false
	}
	api, _ := a.More["api"].(map[string]any)
	list, _ := api["preAuthorizedApplications"].([]any)
	for _, x := range list {
		m, _ := x.(map[string]any)
		if id, _ := m["appId"].(string); !strings.EqualFold(id, client) {
			continue
		}
		ids, _ := m["delegatedPermissionIds"].([]any)
		if slices.ContainsFunc(ids, func(v any) bool { id, _ := v.(string); return strings.EqualFold(id, scope) }) {
			return true
		}
	}
	return false
}

// IDTokens reports that the authorization endpoint may give the app ID tokens
// itself, without a code or beside it: web.implicitGrantSettings.
func (a *Application) IDTokens() bool {
	web, _ := a.More["web"].(map[string]any)
	implicit, _ := web["implicitGrantSettings"].(map[string]any)
	on, _ := implicit["enableIdTokenIssuance"].(bool)
	return on
}

// MultiTenant reports an app that other tenants may use.
func (a *Application) MultiTenant() bool { return a.Audience != "" && a.Audience != "AzureADMyOrg" }

// Confidential reports an app that has a credential of its own.
func (a *Application) Confidential() bool {
	return len(a.Passwords)+len(a.Keys)+len(a.Federated) > 0
}

// Scope is a permission that a resource publishes.
type Scope struct {
	ID    string `json:"id"`
	Value string `json:"value"`
	Name  string `json:"name,omitempty"`
	// Admin says that only an administrator may consent.
	Admin bool `json:"admin,omitempty"`
	// Text is what else was written of a registered app's; nil for built-in ones.
	Text *ScopeText `json:"text,omitempty"`
}

// ScopeText is the rest of an oauth2PermissionScope or an appRole.
type ScopeText struct {
	Disabled        bool     `json:"disabled,omitempty"`
	Description     string   `json:"description,omitempty"`
	UserName        string   `json:"userName,omitempty"`        // userConsentDisplayName
	UserDescription string   `json:"userDescription,omitempty"` // userConsentDescription
	Members         []string `json:"members,omitempty"`         // allowedMemberTypes of a role
}

// Enabled reports a permission that may be granted and asked for.
func (s *Scope) Enabled() bool { return s.Text == nil || !s.Text.Disabled }

// enabledOf keeps the permissions that are enabled.
func enabledOf(list []Scope) []Scope {
	if !slices.ContainsFunc(list, func(s Scope) bool { return !s.Enabled() }) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(s Scope) bool { return !s.Enabled() })
}

// RequiredAccess is one element of requiredResourceAccess.
type RequiredAccess struct {
	Resource string   `json:"resource"`         // app id
	Scopes   []string `json:"scopes,omitempty"` // delegated permission ids
	Roles    []string `json:"roles,omitempty"`  // application permission ids
}

// PasswordCredential is a client secret, kept as a hash.
type PasswordCredential struct {
	KeyID string    `json:"keyId"`
	Name  string    `json:"name"`
	Hint  string    `json:"hint"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// Hash is HashSecret of the secret; "" is the seeded secret.
	Hash string `json:"hash"`
}

// KeyCredential is a certificate to check assertions with.
type KeyCredential struct {
	KeyID string    `json:"keyId"`
	Name  string    `json:"name"`
	Type  string    `json:"type"`  // AsymmetricX509Cert
	Usage string    `json:"usage"` // Verify
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	DER   []byte    `json:"der"`
}

// FederatedCredential trusts another issuer's tokens (contracts.md section 3.10).
type FederatedCredential struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Issuer      string   `json:"issuer"`
	Subject     string   `json:"subject"`
	Audiences   []string `json:"audiences"`
	Description string   `json:"description,omitempty"`
	// JWKS holds the issuer's keys where it cannot be reached: nothing leaves the
	// machine. Otherwise the issuer must be a tenant of this cloud.
	JWKS []byte `json:"jwks,omitempty"`
}

// ServicePrincipal is an app's presence in a tenant.
type ServicePrincipal struct {
	ID      string    `json:"id"`
	AppID   string    `json:"appId"`
	Name    string    `json:"name"`
	Owner   string    `json:"owner"` // appOwnerOrganizationId
	Type    string    `json:"type"`  // Application, ManagedIdentity, Legacy
	Enabled bool      `json:"enabled"`
	Tags    []string  `json:"tags,omitempty"`
	Created time.Time `json:"created"`
	// AssignmentRequired is appRoleAssignmentRequired: 50105 for the others.
	AssignmentRequired bool                 `json:"assignmentRequired,omitempty"`
	Passwords          []PasswordCredential `json:"passwords,omitempty"`
	Keys               []KeyCredential      `json:"keys,omitempty"`
	Owners             []string             `json:"owners,omitempty"` // object ids
	// More holds the members that are kept as they were written, by Graph's names.
	// It is replaced, never written into.
	More map[string]any `json:"more,omitempty"`
}

// Key is the object id.
func (p *ServicePrincipal) Key() string { return p.ID }

// Grant is an oauth2PermissionGrant: delegated scopes granted to a client.
type Grant struct {
	ID        string   `json:"id"`
	Client    string   `json:"client"`    // service principal's object id
	Resource  string   `json:"resource"`  // service principal's object id
	Principal string   `json:"principal"` // user's object id; "" for AllPrincipals
	Scopes    []string `json:"scopes"`
}

// Key is the grant id.
func (g *Grant) Key() string { return g.ID }

// AppRoleAssignment gives an application permission.
type AppRoleAssignment struct {
	ID            string    `json:"id"`
	Principal     string    `json:"principal"` // object id
	PrincipalType string    `json:"principalType"`
	Resource      string    `json:"resource"` // service principal's object id
	Role          string    `json:"role"`     // app role id
	Created       time.Time `json:"created"`
}

// Key is the assignment id.
func (a *AppRoleAssignment) Key() string { return a.ID }

// Client is what the authority needs of any client app, ours or built in.
type Client struct {
	AppID      string
	Name       string
	Owner      string // tenant id; FirstPartyTenant for built-in ones
	FirstParty bool
	App        *Application // nil for first-party clients
}

// App finds a registration by app id in any tenant that exists. Customers' own
// apps are found once their tenant was asked for.
func (s *State) App(appID string) (*Tenant, *Application) {
	owner := s.appOwner[strings.ToLower(appID)]
	if owner == "" {
		return nil, nil
	}
	t := s.Tenant(owner)
	if t == nil {
		return nil, nil
	}
	for a := range t.Apps.All() {
		if strings.EqualFold(a.AppID, appID) {
			return t, a
		}
	}
	return nil, nil
}

// PutApp registers or replaces an application in its tenant.
func (s *State) PutApp(t *Tenant, a *Application) {
	t.Apps.Put(a)
	if s.appOwner == nil {
		s.appOwner = make(map[string]string)
	}
	s.appOwner[strings.ToLower(a.AppID)] = t.ID
	s.Touch(t)
}

// DeleteApp removes a registration; its service principals elsewhere remain,
// orphaned, as in production.
func (s *State) DeleteApp(t *Tenant, id string) bool {
	a := t.Apps.Get(id)
	if a == nil {
		return false
	}
	delete(s.appOwner, strings.ToLower(a.AppID))
	t.Apps.Delete(id)
	s.Touch(t)
	return true
}

// Client finds a client by app id: a registration, or a first-party client.
func (s *State) Client(appID string) (Client, bool) {
	if t, a := s.App(appID); a != nil {
		return Client{AppID: strings.ToLower(a.AppID), Name: a.Name, Owner: t.ID, App: a}, true
	}
	if name, ok := FirstPartyClient(appID); ok {
		return Client{AppID: strings.ToLower(appID), Name: name, Owner: entra.TenantMicrosoftServices, FirstParty: true}, true
	}
	return Client{}, false
}

// EnsureSP finds or makes the service principal of an app in a tenant. nil when
// no such app exists.
func (s *State) EnsureSP(t *Tenant, appID string) *ServicePrincipal {
	if p := t.SP(appID); p != nil {
		return p
	}
	name, owner := "", ""
	if r := FindResource(appID); r != nil {
		name, owner = r.Name, entra.TenantMicrosoftServices
	} else if c, ok := s.Client(appID); ok {
		name, owner = c.Name, c.Owner
	} else {
		return nil
	}
	p := &ServicePrincipal{
		ID: s.GUID("sp/" + t.ID + "/" + strings.ToLower(appID)), AppID: strings.ToLower(appID), Name: name, Owner: owner,
		Type: "Application", Enabled: true, Created: s.Clock.Now(),
	}
	t.SPs.Put(p)
	s.Touch(t)
	return p
}

// Granted lists the delegated scopes that a client has for a resource in a
// tenant: those granted for everybody, and those the user granted.
func (s *State) Granted(t *Tenant, clientSP, resourceSP, userID string) []string {
	var out []string
	for g := range t.Grants.All() {
		if !strings.EqualFold(g.Client, clientSP) || !strings.EqualFold(g.Resource, resourceSP) || g.Principal != "" &&
			!strings.EqualFold(g.Principal, userID) {
			continue
		}
		for _, v := range g.Scopes {
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

// AppPermissions lists the application permissions (app role values) that a
// service principal holds on a resource in a tenant.
func (s *State) AppPermissions(t *Tenant, clientSP string, r *Resource) []string {
	var out []string
	sp := t.SP(r.AppID)
	if sp == nil {
		return nil
	}
	for a := range t.AppRoles.All() {
		if strings.EqualFold(a.Principal, clientSP) && strings.EqualFold(a.Resource, sp.ID) {
			for _, role := range r.Roles {
				if strings.EqualFold(role.ID, a.Role) {
					out = append(out, role.Value)
				}
			}
		}
	}
	return out
}

// Shown is the name that pages show: what of the first-party apps is played
// here by a page of ours says so.
func (c Client) Shown() string {
	if c.AppID == entra.AppPartner {
		return "Partner cloud portal"
	}
	return c.Name
}
