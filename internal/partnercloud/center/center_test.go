package center

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// TestRules is who gets which answer. Each case has a world of its own.
func TestRules(t *testing.T) {
	t.Parallel()
	const addr = `{"addressLine1":"1 Main","city":"X","country":"US","postalCode":"12345"}`
	consentBody := func(app, resource, scope string) string {
		return fmt.Sprintf(`{"applicationId":%q,"applicationGrants":[{"enterpriseApplicationId":%q,"scope":%q}]}`, app, resource, scope)
	}
	sub := "/v1/customers/" + dapID + "/subscriptions/" + licenceID
	whole := func(status, etag string) string {
		return fmt.Sprintf(`{"id":%q,"offerId":"CFQ7TTC0LH18:0001","quantity":5,"status":%q,"attributes":{"etag":%q}}`, licenceID, status, etag)
	}
	cancel := "/v1/customers/" + dapID + "/subscriptions/" + planID + "/azureEntitlements/" + entID + "/cancel"
	cases := []struct {
		name, who, method, path, body string
		status                        int
		code                          string
		change                        func(*world.State)
	}{
		{"no agent sees customers", "nobody", "GET", "/v1/customers", "", 403, "900308", nil},
		{"a sales agent sees customers", "sales", "GET", "/v1/customers", "", 200, "", nil},
		{"an app sees customers", "app", "GET", "/v1/customers", "", 200, "", nil},
		{"path without case", "agent", "GET", "/V1/Customers", "", 200, "", nil},
		{"one customer", "desk", "GET", "/v1/customers/" + dapID, "", 200, "", nil},
		{"a tenant that is no customer", "agent", "GET", "/v1/customers/" + otherID, "", 403, "900159", nil},
		{"a tenant that does not exist", "agent", "GET", "/v1/customers/c0000000-0000-4000-8000-0000000000ff", "", 404, "60003", nil},
		{"a malformed id", "agent", "GET", "/v1/customers/xyz", "", 400, "800002", nil},
		{"unknown path", "agent", "GET", "/v1/nothing", "", 404, "404", nil},
		{"unknown method", "agent", "PUT", "/v1/customers", "", 405, "405", nil},
		{"a bad size", "agent", "GET", "/v1/customers?size=0", "", 400, "400", nil},
		{"next without a token", "agent", "GET", "/v1/customers?seekOperation=Next", "", 400, "400", nil},
		{"a filter on a field that is none", "agent", "GET",
			`/v1/customers?filter=%7B%22Field%22%3A%22Secret%22%2C%22Value%22%3A%22x%22%2C%22Operator%22%3A%22equals%22%7D`, "", 400, "400", nil},
		{"app-only makes no customer", "app", "POST", "/v1/customers", "{}", 403, "900329", nil},
		{"helpdesk makes no customer", "desk", "POST", "/v1/customers", "{}", 403, "900308", nil},
		{"a customer of an unknown reseller", "agent", "POST", "/v1/customers",
			`{"associatedPartnerId":"7","companyProfile":{"domain":"x.onmicrosoft.com"},` +
				`"billingProfile":{"companyName":"x","defaultAddress":{"country":"DE"}}}`, 400, "400", nil},
		{"a customer of a reseller", "agent", "POST", "/v1/customers",
			`{"associatedPartnerId":"1234567","companyProfile":{"domain":"x.onmicrosoft.com"},` +
				`"billingProfile":{"companyName":"x","defaultAddress":{"country":"DE"}}}`, 201, "", nil},
		{"a disabled user", "agent", "GET", "/v1/customers", "", 403, "900308", func(s *world.State) {
			s.PartnerTenant().Users.Change(uid("agent"), func(u *world.User) { u.Enabled = false })
		}},
		{"DAP cannot be given", "agent", "PATCH", "/v1/customers/" + gdapID, `{"AllowDelegatedAccess":true}`, 400, "400", nil},
		{"relationship to something else", "agent", "PATCH", "/v1/customers/" + gdapID, `{"relationshipToPartner":"reseller"}`, 400, "400", nil},
		{"an empty change", "agent", "PATCH", "/v1/customers/" + gdapID, `{}`, 400, "400", nil},
		{"a reservation holds the relationship", "agent", "PATCH", "/v1/customers/" + dapID, `{"relationshipToPartner":"none"}`, 400, "400",
			func(s *world.State) {
				s.PartnerTenant().Customers.Change(dapID, func(c *world.Customer) { c.Subscriptions[1].Name = "Reserved VM Instance" })
			}},
		{"relationships need a type", "agent", "GET", "/v1/relationships", "", 400, "400", nil},
		{"relationships are for app+user", "app", "GET", "/v1/relationships?relationship_type=IsIndirectCloudSolutionProviderOf", "", 403, "900329", nil},
		{"invitation", "agent", "GET", "/v1/customers/relationshiprequests", "", 200, "", nil},

		{"users by GDAP with a reader role, no agent at all", "nobody", "GET", "/v1/customers/" + gdapID + "/users", "", 200, "", nil},
		{"users by DAP", "agent", "GET", "/v1/customers/" + dapID + "/users", "", 200, "", nil},
		{"users without any right", "agent", "GET", "/v1/customers/" + bareID + "/users", "", 403, "900308", nil},
		{"a reader changes no user", "nobody", "DELETE", "/v1/customers/" + gdapID + "/users/" + custUser(gdapID), "", 403, "900308", nil},
		{"a user of another tenant", "agent", "GET", "/v1/customers/" + gdapID + "/users/" + custUser(dapID), "", 404, "60002", nil},
		{"roles are for Privileged Role Administrator", "agent", "POST", "/v1/customers/" + gdapID + "/directoryroles/" + entra.RoleGlobalReader +
			"/usermembers", `{"Id":"` + custUser(gdapID) + `"}`, 403, "900308", nil},
		{"by DAP roles can be given", "agent", "POST", "/v1/customers/" + dapID + "/directoryroles/" + entra.RoleGlobalReader + "/usermembers",
			`{"Id":"` + custUser(dapID) + `"}`, 201, "", nil},
		{"a role that does not exist", "agent", "GET", "/v1/customers/" + dapID + "/directoryroles/" + entID + "/usermembers", "", 404, "404", nil},
		{"User Administrator resets no Global Administrator", "agent", "PATCH", "/v1/customers/" + gdapID + "/users/" + bossUser(gdapID),
			`{"passwordProfile":{"password":"long enough 1"}}`, 403, "900308", nil},
		{"helpdesk by DAP resets a plain user", "desk", "PATCH", "/v1/customers/" + dapID + "/users/" + custUser(dapID),
			`{"passwordProfile":{"password":"long enough 1"}}`, 200, "", nil},
		{"helpdesk renames nobody", "desk", "PATCH", "/v1/customers/" + dapID + "/users/" + custUser(dapID), `{"displayName":"X"}`, 403, "900308", nil},
		{"a short password", "agent", "PATCH", "/v1/customers/" + dapID + "/users/" + custUser(dapID), `{"passwordProfile":{"password":"x"}}`, 400, "400", nil},
		{"a name in somebody's domain", "agent", "PATCH", "/v1/customers/" + dapID + "/users/" + custUser(dapID), `{"userPrincipalName":"kim@gdap.example"}`,
			400, "400", nil},
		{"skus", "agent", "GET", "/v1/customers/" + dapID + "/subscribedskus", "", 200, "", nil},

		{"suspend without the ETag", "agent", "PATCH", sub, whole("suspended", ""), 400, "2055", nil},
		{"suspend with a stale ETag", "agent", "PATCH", sub, whole("suspended", "9"), 400, "2055", nil},
		{"suspend with half a resource", "agent", "PATCH", sub, `{"status":"suspended"}`, 400, "800002", nil},
		{"suspend", "agent", "PATCH", sub, whole("suspended", "1"), 200, "", nil},
		{"suspend by sales", "sales", "PATCH", sub, whole("suspended", "1"), 403, "900308", nil},
		{"a locked customer", "agent", "PATCH", sub, whole("suspended", "1"), 403, "900416", func(s *world.State) {
			s.PartnerTenant().Customers.Change(dapID, func(c *world.Customer) { c.Locked = true })
		}},
		{"entitlements of a licence", "agent", "GET", sub + "/azureEntitlements", "", 400, "400", nil},
		{"cancel by an admin agent who is no Global Administrator", "agent", "POST", cancel, `{"cancellationReason":"compromise"}`, 403, "900308", nil},
		{"cancel by a Global Administrator", "admin", "POST", cancel, `{"cancellationReason":"compromise"}`, 202, "", nil},
		{"cancel by an app", "app", "POST", cancel, `{"cancellationReason":"compromise"}`, 202, "", nil},
		{"cancel for another reason", "admin", "POST", cancel, `{"cancellationReason":"bored"}`, 400, "900307", nil},
		{"cancel what is cancelled", "admin", "POST", cancel, `{"cancellationReason":"compromise"}`, 400, "800111", func(s *world.State) {
			s.PartnerTenant().Customers.Change(dapID, func(c *world.Customer) { c.Subscriptions[0].Entitlements[0].Status = "inactive" })
		}},
		{"a negative budget", "agent", "PATCH", "/v1/customers/" + dapID + "/usagebudget", `{"Amount":-1}`, 400, "400", nil},
		{"a budget as a text", "agent", "PATCH", "/v1/customers/" + dapID + "/usagebudget", `{"Amount":"1"}`, 400, "400", nil},

		{"consent for another app than the token's", "agent", "POST", "/v1/customers/" + gdapID + "/applicationconsents",
			consentBody(panelApp, entra.AppGraph, "User.Read"), 403, "900308", nil},
		{"consent by an app", "app", "POST", "/v1/customers/" + gdapID + "/applicationconsents", consentBody(appID, entra.AppGraph, "User.Read"), 403,
			"900329", nil},
		{"consent by no agent", "nobody", "POST", "/v1/customers/" + gdapID + "/applicationconsents", consentBody(appID, entra.AppGraph, "User.Read"), 403,
			"900308", nil},
		{"consent by an agent without a GDAP role that may", "admin", "POST", "/v1/customers/" + gdapID + "/applicationconsents",
			consentBody(appID, entra.AppGraph, "User.Read"), 403, "900308", nil},
		{"consent by GDAP", "agent", "POST", "/v1/customers/" + gdapID + "/applicationconsents",
			consentBody(appID, entra.AppGraph, "User.Read, Directory.Read.All"), 201, "", nil},
		{"consent by DAP", "agent", "POST", "/v1/customers/" + dapID + "/applicationconsents", consentBody(appID, entra.AppARM, "user_impersonation"), 201,
			"", nil},
		{"consent to an unknown permission", "agent", "POST", "/v1/customers/" + gdapID + "/applicationconsents",
			consentBody(appID, entra.AppGraph, "Make.Coffee"), 400, "400", nil},
		{"consent to an application permission", "agent", "POST", "/v1/customers/" + gdapID + "/applicationconsents",
			consentBody(appID, entra.AppGraph, appOnlyRole()), 400, "400", nil},
		{"consent to what the customer never used", "agent", "POST", "/v1/customers/" + gdapID + "/applicationconsents",
			consentBody(appID, entra.AppExchange, "Exchange.Manage"), 400, "400", nil},
		{"consent to nothing", "agent", "POST", "/v1/customers/" + gdapID + "/applicationconsents", consentBody(appID, entra.AppGraph, " , "), 400, "400", nil},
		{"consent in a customer without a right", "agent", "POST", "/v1/customers/" + bareID + "/applicationconsents",
			consentBody(appID, entra.AppGraph, "User.Read"), 403, "900308", nil},
		{"withdraw what is not there", "agent", "DELETE", "/v1/customers/" + gdapID + "/applicationconsents/" + appID, "", 404, "404", nil},

		{"adoption for a Security Reader", "reader", "GET", "/v1/applicationmfaadoptionstatus", "", 200, "", nil},
		{"adoption for a sales agent", "sales", "GET", "/v1/applicationmfaadoptionstatus", "", 403, "900308", nil},
		{"adoption for an app", "app", "GET", "/v1/partnerRequests", "", 403, "900329", nil},
		{"audit of 90 days", "app", "GET", "/v1/auditrecords?startDate=2026-08-24", "", 200, "", nil},
		{"audit of 91 days", "app", "GET", "/v1/auditrecords?startDate=2026-08-23", "", 400, "400", nil},
		{"audit backwards", "agent", "GET", "/v1/auditrecords?startDate=2026-11-20&endDate=2026-11-19", "", 400, "400", nil},
		{"fraud events for an app", "app", "GET", "/v1/fraudEvents", "", 403, "900329", nil},
		{"fraud events by a status that is none", "agent", "GET", "/v1/fraudEvents?EventStatus=Open", "", 400, "400", nil},
		{"answer with a reason that is none", "agent", "POST", "/v1/fraudEvents/subscription/" + azureID + "/status",
			`{"EventStatus":"Resolved","ResolvedReason":"Bored"}`, 400, "400", nil},
		{"answer an event of another subscription", "agent", "POST", "/v1/fraudEvents/subscription/" + azureID + "/status",
			`{"EventIds":["x"],"EventStatus":"Resolved","ResolvedReason":"Fraud"}`, 400, "400", nil},
		{"an address", "agent", "POST", "/v1/validations/address", addr, 200, "", nil},
		{"account status", "agent", "GET", "/v1/customers/" + dapID + "/validationStatus?type=account", "", 200, "", nil},
		{"profile", "agent", "GET", "/v1/profiles/mpn", "", 200, "", nil},
		{"no webhook yet", "agent", "GET", "/webhooks/v1/registration", "", 404, "404", nil},
		{"test without registration", "agent", "POST", "/webhooks/v1/registration/validationEvents", "", 400, "400", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, c.change)
			a := l.as(c.who, c.method, c.path, c.body)
			if a.Code != c.status || a.code() != c.code && c.status >= 400 {
				t.Errorf("%d %s, want %d %s: %s", a.Code, a.code(), c.status, c.code, a.Body)
			}
			if c.status >= 400 {
				for _, n := range []string{"code", "description", "data", "source"} {
					if _, found := a.m[n]; !found {
						t.Errorf("the error lacks %s: %s", n, a.Body)
					}
				}
			}
		})
	}
}

// appOnlyRole finds an application permission of Graph that no delegated one
// has the name of.
func appOnlyRole() string {
	r := world.FindResource(entra.AppGraph)
	for _, a := range r.Roles {
		if _, found := r.ScopeByValue(a.Value); !found {
			return a.Value
		}
	}
	return "none"
}

func TestTokens(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	cases := []struct {
		name   string
		token  string
		status int
		code   string
		bare   bool
	}{
		{"none", "", 401, "800001", false},
		{"Azure AD Graph's audience", l.token("agent", func(c *bearer.Claims) { c.Audience = "https://graph.windows.net" }), 401, "900420", false},
		{"Graph's audience", l.token("agent", func(c *bearer.Claims) { c.Audience = "https://graph.microsoft.com" }), 401, "900420", false},
		{"not a token", "abc", 401, "", true},
		{"expired", l.token("agent", func(c *bearer.Claims) { c.Expires = start.Unix() }), 401, "", true},
		{"a customer's tenant", l.token("agent", func(c *bearer.Claims) { c.TenantID, c.HomeTenant = dapID, partnerID }), 403, "900308", false},
		{"an indirect reseller", l.token("agent", func(c *bearer.Claims) { c.TenantID = resellerID }), 403, "900308", false},
		{"an indirect reseller's app", l.token("app", func(c *bearer.Claims) { c.TenantID = resellerID }), 403, "900308", false},
		{"a panel's app without a user, in its own tenant", l.token("app", func(c *bearer.Claims) { c.TenantID, c.AppID = panelID, panelApp }), 403, "900329",
			false},
		{"a panel's app without a user, in the partner's", l.token("app", func(c *bearer.Claims) { c.AppID = panelApp }), 403, "900329", false},
		{"a panel's app with a user", l.token("agent", func(c *bearer.Claims) { c.AppID = panelApp }), 200, "", false},
		{"a user who is gone", l.token("agent", func(c *bearer.Claims) { c.ObjectID = entID }), 403, "900308", false},
	}
	for _, c := range cases {
		a := l.do(c.token, "GET", "/v1/customers", "")
		if a.Code != c.status || a.code() != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.name, a.Code, a.code(), c.status, c.code)
		}
		if c.bare && (a.Body.Len() != 0 || !strings.HasPrefix(a.Header().Get("WWW-Authenticate"), "OAuth realm=urn:cpsvc:cpid:")) {
			t.Errorf("%s: the gateway's refusal has a body or no realm", c.name)
		}
	}
}

// TestEnforcement: the claim is a whole element, the refusal has both kinds of
// code, app-only is never asked, and the header tells before that.
func TestEnforcement(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	if a := l.as("agent-", "GET", "/v1/customers", "", "ValidateMfa", "true"); a.Code != 200 || a.Header().Get("isMfaCompliant") != "false" {
		t.Errorf("not enforced: %d %q", a.Code, a.Header().Get("isMfaCompliant"))
	}
	if a := l.as("agent", "GET", "/v1/customers", "", "validatemfa", "True"); a.Header().Get("isMfaCompliant") != "true" {
		t.Errorf("with MFA: %q", a.Header().Get("isMfaCompliant"))
	}
	if a := l.as("agent", "GET", "/v1/customers", ""); a.Header().Values("isMfaCompliant") != nil {
		t.Error("told unasked")
	}
	if a := l.as("app", "GET", "/v1/customers", "", "ValidateMfa", "true"); a.Header().Values("isMfaCompliant") != nil {
		t.Error("told for an app-only call")
	}
	if err := l.c.SetEnforcement([]byte(`{"api":"on"}`)); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for range 2 {
		a := l.as("agent-", "GET", "/v1/customers", "", "ValidateMfa", "true")
		if a.Code != 401 || a.code() != "900421" || !strings.Contains(a.Header().Get("WWW-Authenticate"), `error="invalid_token"`) || a.Header().
			Get("isMfaCompliant") != "false" || !strings.Contains(a.Body.String(), "MFA required") {
			t.Errorf("%d %s %v", a.Code, a.Body, a.Header())
		}
		kinds[fmt.Sprintf("%T", a.m["code"])] = true
	}
	if len(kinds) != 2 {
		t.Errorf("codes came as %v, want a number and a text", kinds)
	}
	for _, who := range []string{"agent", "app"} {
		if a := l.as(who, "GET", "/v1/customers", ""); a.Code != 200 {
			t.Errorf("%s: %d", who, a.Code)
		}
	}
	if err := l.c.SetEnforcement([]byte(`{"api":0.25}`)); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for range 40 {
		if l.as("agent-", "GET", "/v1/customers", "").Code == 401 {
			refused++
		}
	}
	if refused != 10 {
		t.Errorf("%d of 40 refused at a share of a quarter", refused)
	}
}

// TestExceptionsNeverCoverGDAP: before March 2022 an exception lets plain calls
// pass, and DAP work, but no GDAP work and no consent.
func TestExceptionsNeverCoverGDAP(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		day := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
		s.Enforcement = world.Enforcement{API: world.Activation{Ramp: day, Enforced: day},
			Exceptions: []world.Exception{{Tenant: partnerID, Vendor: "X", From: day}}}
		s.PartnerTenant().Relationships.Change("r1", func(r *world.Relationship) { r.Ends = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) })
	})
	l.now = time.Date(2022, 2, 1, 0, 0, 0, 0, time.UTC)
	want := func(path string, status int) {
		t.Helper()
		if a := l.as("agent-", "GET", path, ""); a.Code != status {
			t.Errorf("%s: %d, want %d", path, a.Code, status)
		}
	}
	want("/v1/customers", 200)
	want("/v1/customers/"+dapID+"/users", 200)
	want("/v1/customers/"+gdapID+"/users", 401)
	if a := l.as("agent-", "POST", "/v1/customers/"+dapID+"/applicationconsents", "{}"); a.Code != 401 {
		t.Errorf("consent: %d", a.Code)
	}
	l.now = time.Date(2022, 3, 1, 0, 0, 0, 0, time.UTC)
	want("/v1/customers", 401)
}

// TestSandbox enforces whatever the world says of production.
func TestSandbox(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) { s.PartnerTenant().Sandbox = true })
	for who, want := range map[string]int{"agent-": 401, "agent": 200, "app": 200} {
		if a := l.as(who, "GET", "/v1/customers", ""); a.Code != want {
			t.Errorf("%s: %d, want %d", who, a.Code, want)
		}
	}
	if a := l.as("agent", "PATCH", "/v1/customers/"+dapID+"/usagebudget", `{"amount":1}`); a.Code != 403 {
		t.Errorf("budget: %d", a.Code)
	}
}

func TestSetEnforcementRefuses(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for _, bad := range []string{
		``, `[]`, `{"api":"sometimes"}`, `{"api":2}`, `{"api":-0.1}`, `{"what":1}`, `{"preset":"x"}`,
		`{"api":{"ramp":"2026-01-02T00:00:00Z","enforced":"2026-01-01T00:00:00Z"}}`,
		`{"api":{"firstShare":3}}`, `{"api":{"secret":1}}`, `{"api":[1]}`, `{"exceptions":[{"tenant":"nobody"}]}`,
		`{"exceptions":[{"tenant":"` + partnerID + `","from":"2021-01-01T00:00:00Z","until":"2020-01-01T00:00:00Z"}]}`,
	} {
		if err := l.c.SetEnforcement([]byte(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	if err := l.c.SetEnforcement([]byte(`{"preset":"history"}`)); err != nil {
		t.Fatal(err)
	}
	if s := l.c.Enforcement().(Standing); s.API.Stage != world.StageRamping || s.Port.Stage != world.StageEnforced || s.API.Share <= .1 {
		t.Errorf("%+v", s.API)
	}
}
