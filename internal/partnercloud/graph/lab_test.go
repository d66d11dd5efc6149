package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// Ids of the small world of these tests.
const (
	partnerID  = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	customerID = "11111111-2222-4333-8444-555555555555"
	freeID     = "22222222-2222-4333-8444-555555555555"

	ada    = "aaaaaaaa-0000-4000-8000-000000000001" // Global Administrator, admin agent
	rhea   = "aaaaaaaa-0000-4000-8000-000000000002" // Reports Reader
	plain  = "aaaaaaaa-0000-4000-8000-000000000003"
	guest  = "aaaaaaaa-0000-4000-8000-000000000004"
	ursa   = "aaaaaaaa-0000-4000-8000-000000000005" // User Administrator
	agent  = "aaaaaaaa-0000-4000-8000-000000000006" // admin agent, no role
	carla  = "cccccccc-0000-4000-8000-000000000001" // the customer's Global Administrator
	agents = "bbbbbbbb-0000-4000-8000-000000000001"
	nested = "bbbbbbbb-0000-4000-8000-000000000002"

	toolApp = "dddddddd-0000-4000-8000-000000000001"
	toolObj = "dddddddd-0000-4000-8000-000000000002"
	polID   = "eeeeeeee-0000-4000-8000-000000000001"
	locID   = "eeeeeeee-0000-4000-8000-000000000002"
	relID   = "ffffffff-0000-4000-8000-000000000001-" + partnerID
	strID   = "00000000-0000-0000-0000-000000000002"
)

var keysOnce = sync.OnceValues(func() (*bearer.Keys, error) {
	return bearer.NewKeys(func() time.Time { return start })
})

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

type lab struct {
	t     testing.TB
	g     *Graph
	w     *world.World
	keys  *bearer.Keys
	clock *world.Clock
	gate  *gate.Gate // nil: none before it
}

func newLab(t testing.TB, change ...func(*Deps)) *lab {
	t.Helper()
	clock := world.NewClock(func() time.Time { return start })
	clock.Freeze()
	keys, err := bearer.ImportKeys(clock.Now, exported(t))
	if err != nil {
		t.Fatal(err)
	}
	w := world.New(1, clock)
	w.Read(func(s *world.State) { populate(s) })
	d := Deps{World: w, Keys: keys, Unthrottled: true, Lag: NoLag}
	for _, f := range change {
		f(&d)
	}
	return &lab{t: t, g: New(d), w: w, keys: keys, clock: clock}
}

func exported(t testing.TB) []byte {
	t.Helper()
	k, err := keysOnce()
	if err != nil {
		t.Fatal(err)
	}
	pem, err := k.Export()
	if err != nil {
		t.Fatal(err)
	}
	return pem
}

func populate(s *world.State) {
	now := s.Clock.Now()
	old := now.AddDate(0, -3, 0)
	s.Partner = partnerID
	p := &world.Tenant{
		ID: partnerID, Name: "Contoso Cloud Partners", Domains: []string{"contoso.com", "contoso.onmicrosoft.com"}, Kind: world.PartnerTenant, Created: old,
		Country: "DE",
		SKUs: []world.SKU{{ID: "84a661c4-e949-4bd2-a560-ed7766fcaf2b", Part: "AAD_PREMIUM_P2", Status: "Enabled", Enabled: 25, Consumed: 5,
			Plans: []world.Plan{{ID: "eec0eb4f-6444-4f95-aba0-50c24d67f998", Name: world.PlanP2},
				{ID: "41781fb2-bc02-4b7c-bd55-b576c07bb09d", Name: world.PlanP1}}}},
		SecurityContact: "security@contoso.com",
	}
	user := func(t *world.Tenant, id, upn, name string, f func(*world.User)) {
		u := &world.User{ID: id, UPN: upn, Name: name, Enabled: true, Created: old, Mail: upn}
		if f != nil {
			f(u)
		}
		t.Users.Put(u)
	}
	totp := world.Method{ID: "99999999-0000-4000-8000-000000000001", Type: world.MethodTOTP, Created: old}
	all := []world.Method{
		totp, {ID: "m-fido", Type: world.MethodFIDO2, Name: "Key", Created: old}, {ID: "m-push", Type: world.MethodPush, Created: old},
		{ID: "m-phone", Type: world.MethodPhone, Phone: "+49 5551234567", Created: old}, {ID: "m-hello", Type: world.MethodHello, Created: old},
		{ID: "m-pass", Type: world.MethodPass, Created: old}, {ID: "m-ext", Type: world.MethodExternal, Name: "Other", Configuration: "ext-1", Created: old},
	}
	user(p, ada, "ada@contoso.com", "Ada Admin", func(u *world.User) {
		u.Methods, u.LastInteractive, u.Licences = all, now, []string{"84a661c4-e949-4bd2-a560-ed7766fcaf2b"}
	})
	user(p, rhea, "rhea@contoso.com", "Rhea Reader", func(u *world.User) { u.Methods = []world.Method{totp} })
	user(p, plain, "pat@contoso.com", "Pat Plain", func(u *world.User) { u.Risk, u.RiskState, u.RiskDetail = "high", "atRisk", "none" })
	user(p, guest, "guest_other.com#EXT#@contoso.onmicrosoft.com", "Gus Guest", func(u *world.User) { u.Guest = true })
	user(p, ursa, "ursa@contoso.com", "Ursa", nil)
	user(p, agent, "agent@contoso.com", "Agent", nil)
	p.Groups.Put(&world.Group{ID: agents, Name: world.AdminAgents, Description: "Admin agents", Members: []string{ada, agent, nested}, Owners: []string{ada},
		Created: old})
	p.Groups.Put(&world.Group{ID: nested, Name: "Nested", Members: []string{rhea}, Created: old})
	give := func(t *world.Tenant, who, role string) {
		t.Held.Put(&world.RoleAssignment{ID: "held-" + who + role[:4], Principal: who, Role: role, Scope: "/", Start: old, Created: old})
	}
	give(p, ada, entra.RoleGlobalAdministrator)
	give(p, rhea, entra.RoleReportsReader)
	give(p, ursa, entra.RoleUserAdministrator)
	p.Eligible.Put(&world.RoleAssignment{ID: "elig-1", Principal: plain, Role: entra.RoleSecurityReader, Scope: "/", Start: old, End: now.AddDate(1, 0, 0),
		Created: old})
	p.Apps.Put(&world.Application{
		ID: toolObj, AppID: toolApp, Name: "Tool", Audience: "AzureADMultipleOrgs", Created: old, Web: []string{"http://localhost/cb"}, Fallback: true,
		Identifiers: []string{"api://" + toolApp}, Scopes: []world.Scope{{ID: "12121212-0000-4000-8000-000000000001", Value: "Use"}},
		Roles: []world.Scope{{ID: "12121212-0000-4000-8000-000000000002", Value: "Run"}},
		Required: []world.RequiredAccess{{Resource: entra.AppGraph, Scopes: []string{"e1fe6dd8-ba31-4d61-89e7-88639da4683d"},
			Roles: []string{"7ab1d382-f21e-4acd-a863-ba3e13f7da61"}}},
		Passwords: []world.PasswordCredential{{KeyID: "13131313-0000-4000-8000-000000000001", Name: "one", Hint: "pc8", Start: old, End: now.AddDate(1, 0, 0)}},
		Keys: []world.KeyCredential{{KeyID: "13131313-0000-4000-8000-000000000002", Name: "CN=x", Type: "AsymmetricX509Cert", Usage: "Verify",
			Start: old, End: now.AddDate(1, 0, 0), DER: []byte{1}}},
		Federated: []world.FederatedCredential{{ID: "13131313-0000-4000-8000-000000000003", Name: "ci", Issuer: "https://issuer.example", Subject: "repo",
			Audiences: []string{"api://AzureADTokenExchange"}}},
	})
	p.Policies.Put(&world.Document{ID: polID, Created: old,
		Raw: json.RawMessage(`{"id":"` + polID + `","displayName":"MFA for all","state":"enabled","createdDateTime":"2026-08-22T09:00:00Z","modifiedDateTime":null,
		"conditions":{"users":{"includeUsers":["All"],"excludeUsers":[],"includeGroups":[],"excludeGroups":[],"includeRoles":[],"excludeRoles":[],"includeGuestsOrExternalUsers":null,"excludeGuestsOrExternalUsers":null},
		"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"platforms":{"includePlatforms":["linux"],"excludePlatforms":[]},"locations":{"includeLocations":["All"],"excludeLocations":["` + locID + `"]}},
		"grantControls":{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"` + strID + `"}},"sessionControls":null}`)})
	p.Locations.Put(&world.Document{ID: locID, Created: old, Raw: json.RawMessage(`{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"` + locID +
		`","displayName":"Office","isTrusted":true,"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"192.0.2.0/24"}],"createdDateTime":"2026-08-22T09:00:00Z","modifiedDateTime":"2026-08-22T09:00:00Z"}`)})
	p.Strengths.Put(&world.Document{ID: strID, Created: old,
		Raw: json.RawMessage(`{"id":"` + strID + `","displayName":"Multifactor authentication","policyType":"builtIn","requirementsSatisfied":"mfa","allowedCombinations":["fido2","password,softwareOath"]}`)})
	p.MethodConfigs.Put(&world.Document{ID: "SoftwareOath",
		Raw: json.RawMessage(`{"@odata.type":"#microsoft.graph.softwareOathAuthenticationMethodConfiguration","id":"SoftwareOath","state":"enabled","excludeTargets":[],"includeTargets":[{"targetType":"group","id":"all_users","isRegistrationRequired":false}]}`)})
	p.MethodConfigs.Put(&world.Document{ID: "Fido2", Raw: json.RawMessage(`{"id":"Fido2","state":"enabled"}`)})
	p.MethodConfigs.Put(&world.Document{ID: "ext-1",
		Raw: json.RawMessage(`{"@odata.type":"#microsoft.graph.externalAuthenticationMethodConfiguration","id":"ext-1","displayName":"Other MFA","appId":"` +
			toolApp + `","state":"enabled","openIdConnectSetting":{"clientId":"x","discoveryUrl":"https://mfa.example/.well-known/openid-configuration"},"includeTargets":[],"excludeTargets":[]}`)})
	p.Customers.Put(&world.Customer{TenantID: customerID, Domain: "fabrikam.com", Name: "Fabrikam", Relationship: "reseller", Since: old,
		Subscriptions: []world.Subscription{{ID: "s", AzurePlan: true, Status: "active"}}})
	p.Customers.Put(&world.Customer{TenantID: freeID, Domain: "free.example", Name: "Free", Relationship: "reseller", DAP: true, Since: old})
	p.Relationships.Put(&world.Relationship{
		ID: relID, Name: "Support", Duration: "P365D", AutoExtend: "P180D", Customer: customerID, CustomerName: "Fabrikam",
		Roles:  []string{entra.RoleGlobalReader, entra.RoleSecurityReader, entra.RoleReportsReader},
		Status: "active", Created: old, Changed: old, Activated: old, Ends: old.AddDate(1, 0, 0), ETag: 3,
		Asks: []world.RelationshipRequest{{ID: "ask-1", Action: "lockForApproval", Status: "succeeded", Created: old}},
		Assignments: []world.AccessAssignment{{ID: "assign-1", Group: agents, Roles: []string{entra.RoleGlobalReader, entra.RoleReportsReader},
			Status: "active", Created: old, ETag: 1}},
		Operations: []world.RelationshipOperation{{ID: "op-1", Type: "delegatedAdminAccessAssignmentUpdate", Data: "{}", Created: old, Due: old}},
	})
	p.Alerts.Put(&world.Alert{
		ID: "alert-1", Type: "CryptoMining", Name: "Mining", Description: "d", Severity: "high", Confidence: "high", Status: "active",
		Detected: now.Add(-2 * time.Hour), First: now.Add(-3 * time.Hour), Last: now,
		Customer: customerID, Subscription: "sub", Resources: []world.AlertResource{{ID: "/r", Type: "vm"}},
		Activity: []world.AlertActivity{{From: "active", To: "active", By: "system", At: now}}, Details: map[string]string{"VM_IP": "192.0.2.1"},
	})
	p.ScoreHistory = []world.Score{{At: now.AddDate(0, 0, -1), Score: 40, Compliant: 2, Total: 5}}
	s.Put(p)
	c := &world.Tenant{ID: customerID, Name: "Fabrikam", Domains: []string{"fabrikam.com"}, Kind: world.CustomerTenant, Created: old, Country: "DE",
		SKUs: []world.SKU{{ID: "sku", Part: "AAD_PREMIUM", Status: "Enabled", Enabled: 5, Plans: []world.Plan{{ID: "p1", Name: world.PlanP1}}}}}
	user(c, carla, "carla@fabrikam.com", "Carla", nil)
	give(c, carla, entra.RoleGlobalAdministrator)
	s.Put(c)
	f := &world.Tenant{ID: freeID, Name: "Free", Domains: []string{"free.example"}, Kind: world.CustomerTenant, Created: old, SecurityDefaults: true}
	user(f, "cccccccc-0000-4000-8000-000000000009", "frida@free.example", "Frida", nil)
	give(f, "cccccccc-0000-4000-8000-000000000009", entra.RoleGlobalAdministrator)
	s.Put(f)
	graphSP := s.EnsureSP(p, entra.AppGraph)
	toolSP := s.EnsureSP(p, toolApp)
	p.Grants.Put(&world.Grant{ID: "grant-1", Client: toolSP.ID, Resource: graphSP.ID, Scopes: []string{"User.Read", "openid"}})
	p.AppRoles.Put(&world.AppRoleAssignment{ID: "ara-1", Principal: toolSP.ID, PrincipalType: "ServicePrincipal", Resource: graphSP.ID,
		Role: "7ab1d382-f21e-4acd-a863-ba3e13f7da61", Created: old})
	for i := range 5 {
		a := &signon.Attempt{Tenant: p, Home: p, User: p.Users.Get(ada), AppID: toolApp, AppName: "Tool", Resource: entra.AppGraph,
			ResourceName: "Microsoft Graph", Client: signon.Browser, Interactive: i != 4, SID: "sid", Platform: "linux"}
		if i%2 == 0 {
			a.MFA, a.Combos = true, []string{"fido2"}
		}
		r := signon.Judge(s, a)
		row := signon.Row(s, a, &r, -1)
		row.CreatedDateTime = world.Stamp{Time: now.Add(-time.Duration(5-i) * time.Hour)}
		s.LogSignIn(p, row)
	}
}

// everything are all delegated permissions there are.
func everything() string {
	var out []string
	for _, s := range world.FindResource(entra.AppGraph).Scopes {
		out = append(out, s.Value)
	}
	return strings.Join(append(out, "Domain.Read.All"), " ")
}

func (l *lab) claims(tenant, user, scopes string) *bearer.Claims {
	now := l.clock.Now().Unix()
	return &bearer.Claims{
		Audience: "https://graph.microsoft.com", Issuer: bearer.IssuerV1(tenant), IssuedAt: now, NotBefore: now, Expires: now + 4000, Version: "1.0",
		TenantID: tenant, ObjectID: user, Subject: user,
		Scope: scopes, UPN: "someone@contoso.com", AMR: []string{"pwd", "mfa"}, AppID: toolApp, IDType: "user",
	}
}

func (l *lab) sign(c *bearer.Claims) string {
	l.helper()
	tok, err := l.keys.Sign(c)
	if err != nil {
		l.t.Fatal(err)
	}
	return tok
}

func (l *lab) token(tenant, user, scopes string) string {
	return l.sign(l.claims(tenant, user, scopes))
}

// admin is a token of Ada with every permission.
func (l *lab) admin() string { return l.token(partnerID, ada, everything()) }

// app is an app-only token.
func (l *lab) app(tenant string, roles ...string) string {
	c := l.claims(tenant, "sp", "")
	c.UPN, c.IDType, c.AMR, c.Roles = "", "app", nil, roles
	return l.sign(c)
}

// aobo is a token of a partner's user for a customer's tenant.
func (l *lab) aobo(user, tenant, scopes string) string {
	c := l.claims(tenant, user, scopes)
	c.HomeTenant = partnerID
	return l.sign(c)
}

type answer struct {
	t      testing.TB
	code   int
	header http.Header
	raw    []byte
	body   map[string]any
}

func (l *lab) do(method, path, token, body string, headers ...string) *answer {
	l.helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	path = strings.ReplaceAll(path, " ", "%20")
	r := httptest.NewRequest(method, "http://graph.test"+path, rd)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	var h http.Handler = l.g
	if l.gate != nil {
		h = l.gate.Wrap(gate.Graph, h)
	}
	h.ServeHTTP(w, r)
	a := &answer{t: l.t, code: w.Code, header: w.Header(), raw: w.Body.Bytes()}
	if len(a.raw) > 0 && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.NewDecoder(bytes.NewReader(a.raw)).Decode(&a.body); err != nil {
			l.t.Fatalf("%s %s: the answer is no JSON: %v\n%s", method, path, err, a.raw)
		}
	}
	return a
}

func (l *lab) get(path, token string, headers ...string) *answer {
	l.helper()
	return l.do("GET", path, token, "", headers...)
}

func (a *answer) want(code int) *answer {
	if _, fuzzing := a.t.(*testing.F); !fuzzing {
		a.t.Helper()
	}
	if a.code != code {
		a.t.Fatalf("status %d, want %d: %.600s", a.code, code, a.raw)
	}
	return a
}

func (a *answer) errorCode() string {
	e, _ := a.body["error"].(map[string]any)
	return str(e, "code")
}

func (a *answer) refused(code int, errorCode string) *answer {
	if _, fuzzing := a.t.(*testing.F); !fuzzing {
		a.t.Helper()
	}
	a.want(code)
	if a.errorCode() != errorCode {
		a.t.Fatalf("code %q, want %q: %.400s", a.errorCode(), errorCode, a.raw)
	}
	return a
}

func (a *answer) rows() []map[string]any {
	if _, fuzzing := a.t.(*testing.F); !fuzzing {
		a.t.Helper()
	}
	a.want(200)
	if _, ok := a.body["value"].([]any); !ok {
		a.t.Fatalf("no collection: %.300s", a.raw)
	}
	return objs(a.body, "value")
}

func (a *answer) ids() []string {
	if _, fuzzing := a.t.(*testing.F); !fuzzing {
		a.t.Helper()
	}
	var out []string
	for _, r := range a.rows() {
		out = append(out, fmt.Sprint(r["id"]))
	}
	return out
}

// helper marks a helper of a test; a fuzz target's own F refuses that.
func (l *lab) helper() {
	if _, fuzzing := l.t.(*testing.F); !fuzzing {
		l.t.Helper()
	}
}
