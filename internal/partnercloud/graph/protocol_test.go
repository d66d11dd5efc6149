package graph

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

func TestErrorsHaveGraphsForm(t *testing.T) {
	l := newLab(t)
	a := l.get("/v1.0/users/nobody@contoso.com", l.admin(), "client-request-id", "11111111-1111-4111-8111-111111111111").
		refused(404, "Request_ResourceNotFound")
	in := inner(inner(a.body, "error"), "innerError")
	if str(in, "request-id") == "" || str(in, "request-id") != a.header.Get("request-id") ||
		str(in, "client-request-id") != "11111111-1111-4111-8111-111111111111" || str(in, "date") == "" {
		t.Errorf("innerError %v", in)
	}
	for path, want := range map[string]struct {
		code int
		name string
	}{
		"/v3/users": {400, "BadRequest"}, "/v1.0/nothing": {400, "BadRequest"}, "/v1.0/users/" + ada + "/nothing": {400, "BadRequest"},
		"/v1.0": {400, "BadRequest"},
		"/v1.0/users/" + ada + "/revokeSignInSessions": {405, "Request_BadRequest"}, "/v1.0/security/partner/securityScore": {400, "BadRequest"},
	} {
		l.get(path, l.admin()).refused(want.code, want.name)
	}
}

func TestTokens(t *testing.T) {
	l := newLab(t)
	a := l.get("/v1.0/users", "").refused(401, "InvalidAuthenticationToken")
	if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
		t.Error("no WWW-Authenticate")
	}
	l.get("/v1.0/users", "garbage").refused(401, "InvalidAuthenticationToken")
	c := l.claims(partnerID, ada, everything())
	c.Audience = "https://management.azure.com"
	l.get("/v1.0/users", l.sign(c)).refused(401, "InvalidAuthenticationToken")
	c = l.claims(partnerID, ada, everything())
	c.Expires = l.clock.Now().Unix()
	l.get("/v1.0/users", l.sign(c)).refused(401, "InvalidAuthenticationToken")
	// Continuous access evaluation: a revocation is a claims challenge at once for a client that can answer it.
	c = l.claims(partnerID, rhea, everything())
	c.CC = []string{"cp1"}
	tok := l.sign(c)
	l.get("/v1.0/me", tok).want(200)
	l.do("POST", "/v1.0/users/"+rhea+"/revokeSignInSessions", l.admin(), "").want(200)
	a = l.get("/v1.0/me", tok).refused(401, "InvalidAuthenticationToken")
	if h := a.header.Get("WWW-Authenticate"); !strings.Contains(h, "insufficient_claims") || !strings.Contains(h, `claims="`) {
		t.Errorf("challenge %q", h)
	}
	l.get("/v1.0/me", l.token(partnerID, rhea, "User.Read")).want(200) // the others live until they expire
	_ = bearer.Mark
}

func TestPermissions(t *testing.T) {
	l := newLab(t)
	si := "/beta/auditLogs/signIns"
	for name, c := range map[string]struct {
		token string
		path  string
		want  int
	}{
		"no scope":                        {l.token(partnerID, ada, "User.Read"), "/v1.0/users", 403},
		"own account with User.Read":      {l.token(partnerID, plain, "User.Read"), "/v1.0/me", 200},
		"own account by id":               {l.token(partnerID, plain, "User.Read"), "/v1.0/users/" + plain, 200},
		"another account with User.Read":  {l.token(partnerID, plain, "User.Read"), "/v1.0/users/" + ada, 403},
		"a member reads users":            {l.token(partnerID, plain, "User.Read.All"), "/v1.0/users", 200},
		"a guest does not":                {l.token(partnerID, guest, "User.Read.All"), "/v1.0/users", 403},
		"sign-ins without a role":         {l.token(partnerID, plain, "AuditLog.Read.All Directory.Read.All"), si, 403},
		"sign-ins by a Reports Reader":    {l.token(partnerID, rhea, "AuditLog.Read.All"), si, 200},
		"sign-ins with a role, no scope":  {l.token(partnerID, rhea, "Directory.Read.All"), si, 403},
		"sign-ins by an app":              {l.app(partnerID, "AuditLog.Read.All"), si, 200},
		"an app without it":               {l.app(partnerID, "User.Read.All"), si, 403},
		"sign-ins of a free tenant":       {l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything()), si, 403},
		"risky users with P1 only":        {l.token(customerID, carla, everything()), "/v1.0/identityProtection/riskyUsers", 403},
		"PIM with P1 only":                {l.token(customerID, carla, everything()), "/v1.0/roleManagement/directory/roleEligibilitySchedules", 403},
		"AOBO by an assigned group":       {l.aobo(ada, customerID, everything()), "/v1.0/users", 200},
		"AOBO sign-ins by Reports Reader": {l.aobo(agent, customerID, "AuditLog.Read.All"), si, 200},
		"AOBO without a group":            {l.aobo(plain, customerID, everything()), "/v1.0/users", 403},
		"AOBO by DAP":                     {l.aobo(agent, freeID, everything()), "/v1.0/users", 200},
		"GDAP without AdminAgents":        {l.token(partnerID, ursa, everything()), "/v1.0/tenantRelationships/delegatedAdminRelationships", 403},
		"GDAP as an admin agent":          {l.token(partnerID, agent, everything()), "/v1.0/tenantRelationships/delegatedAdminRelationships", 200},
		"GDAP by nested membership":       {l.token(partnerID, rhea, everything()), "/v1.0/tenantRelationships/delegatedAdminRelationships", 200},
		"GDAP app without its principal": {l.app(partnerID, "DelegatedAdminRelationship.Read.All"), "/v1.0/tenantRelationships/delegatedAdminRelationships",
			403},
		"GDAP in a customer tenant":   {l.token(customerID, carla, everything()), "/v1.0/tenantRelationships/delegatedAdminRelationships", 403},
		"score without a role":        {l.token(partnerID, plain, everything()), "/beta/security/partner/securityScore", 403},
		"methods of another":          {l.token(partnerID, plain, everything()), "/v1.0/users/" + ada + "/authentication/methods", 403},
		"own methods":                 {l.token(partnerID, plain, everything()), "/v1.0/me/authentication/methods", 200},
		"an object of another tenant": {l.admin(), "/v1.0/users/" + carla, 404},
	} {
		if a := l.get(c.path, c.token); a.code != c.want {
			t.Errorf("%s: %d, want %d: %.200s", name, a.code, c.want, a.raw)
		}
	}
	l.get(si, l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything())).refused(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
	l.get("/v1.0/identityProtection/riskyUsers", l.token(customerID, carla, everything())).refused(403, "AadPremiumLicenseRequired")
	noMFA := l.claims(partnerID, agent, everything())
	noMFA.AMR = []string{"pwd"}
	if a := l.get("/v1.0/tenantRelationships/delegatedAdminRelationships", l.sign(noMFA)).
		refused(403, "Authorization_RequestDenied"); !strings.Contains(string(a.raw), "multifactor") {
		t.Errorf("%s", a.raw)
	}
	// Rights are those of this moment: the group's assignment goes, the token stays.
	tok := l.aobo(agent, customerID, everything())
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.Relationships.Change(relID, func(r *world.Relationship) { r.Assignments = nil })
		s.Touch(p)
	})
	l.get("/v1.0/users", tok).refused(403, "Authorization_RequestDenied")
}

func TestPoliciesOfASignInAreForPolicyReaders(t *testing.T) {
	l := newLab(t)
	has := func(tok string) int {
		return len(objs(l.get("/beta/auditLogs/signIns?$top=1", tok).rows()[0], "appliedConditionalAccessPolicies"))
	}
	if n := has(l.admin()); n == 0 {
		t.Error("the administrator sees no policies")
	}
	if n := has(l.token(partnerID, ada, "AuditLog.Read.All")); n != 0 {
		t.Error("without Policy.Read.All policies are shown")
	}
	if n := has(l.token(partnerID, rhea, everything())); n != 0 {
		t.Error("a Reports Reader sees policies")
	}
}

func TestSignIns(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	rows := l.get("/beta/auditLogs/signIns", tok).rows()
	if len(rows) != 4 {
		t.Fatalf("%d interactive rows, want 4", len(rows))
	}
	for i := 1; i < len(rows); i++ {
		if str(rows[i], "createdDateTime") >= str(rows[i-1], "createdDateTime") {
			t.Error("not newest first")
		}
	}
	if rows[0]["authenticationRequirement"] == nil || rows[0]["authenticationDetails"] == nil {
		t.Error("beta lacks the MFA fields")
	}
	v1 := l.get("/v1.0/auditLogs/signIns", tok).rows()
	for _, k := range []string{"authenticationRequirement", "authenticationDetails", "authenticationRequirementPolicies", "crossTenantAccessType",
		"signInEventTypes", "mfaDetail", "userType"} {
		if _, ok := v1[0][k]; ok {
			t.Errorf("v1.0 shows %s", k)
		}
	}
	for filter, want := range map[string]int{
		"signInEventTypes/any(t: t eq 'nonInteractiveUser')": 1,
		"status/errorCode eq 0":                              2,
		"status/errorCode ne 0":                              2,
		"createdDateTime ge 2026-11-22T06:30:00Z":            1,
		"createdDateTime ge '2026-11-22T06:30:00Z' and createdDateTime lt 2026-11-22T08:30:00Z": 1,
		"startsWith(userPrincipalName,'ADA@')":                                                  4,
		"userId eq '" + rhea + "'":                                                              0,
		"isInteractive eq true and (appId eq '" + toolApp + "' or appId eq 'x')":                4,
		"not (conditionalAccessStatus eq 'success')":                                            2,
		"authenticationRequirement eq 'multiFactorAuthentication'":                              4,
		"appliedConditionalAccessPolicies/any(p: p/id eq '" + polID + "')":                      4,
		"location/countryOrRegion eq 'DE'":                                                      0,
	} {
		if n := len(l.get("/beta/auditLogs/signIns?$filter="+url.QueryEscape(filter), tok).rows()); n != want {
			t.Errorf("%s: %d rows, want %d", filter, n, want)
		}
	}
	// Pages of one never repeat and never lose a row.
	var seen []string
	path := "/beta/auditLogs/signIns?$top=1"
	for range 10 {
		a := l.get(path, tok)
		seen = append(seen, a.ids()...)
		next := str(a.body, "@odata.nextLink")
		if next == "" {
			break
		}
		path = strings.TrimPrefix(next, "http://graph.test")
	}
	if len(seen) != 4 || len(slices.Compact(slices.Sorted(slices.Values(seen)))) != 4 {
		t.Errorf("pages gave %v", seen)
	}
	a := l.get("/beta/auditLogs/signIns?$select=id,status,authenticationDetails&$top=1", tok).rows()[0]
	if len(a) != 3 || a["authenticationDetails"] == nil {
		t.Errorf("$select gave %v", a)
	}
	l.get("/v1.0/auditLogs/signIns?$select=authenticationRequirement", tok).refused(400, "BadRequest")
	l.get("/beta/auditLogs/signIns?$top=1001", tok).refused(400, "BadRequest")
	if one := l.get("/beta/auditLogs/signIns/"+seen[0], tok).want(200); str(one.body, "id") != seen[0] {
		t.Error("the row by id is another one")
	}
}

func TestLag(t *testing.T) {
	l := newLab(t, func(d *Deps) { d.Lag = nil })
	l.w.Read(func(s *world.State) {
		s.LogSignIn(s.PartnerTenant(), &world.SignIn{ID: "fresh", EventTypes: []string{"interactiveUser"}})
	})
	lag := PublishedLag("fresh", false)
	if lag < 30*time.Second || lag > 5*time.Minute {
		t.Fatalf("lag %s", lag)
	}
	visible := func() bool {
		return slices.Contains(l.get("/beta/auditLogs/signIns", l.admin()).ids(), "fresh")
	}
	if visible() {
		t.Error("seen at once")
	}
	_, _ = l.clock.Jump(lag - time.Second)
	if visible() {
		t.Error("seen a second too early")
	}
	_, _ = l.clock.Jump(time.Second)
	if !visible() {
		t.Error("not seen when due")
	}
}

func TestPaging(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	for _, order := range []string{"", "&$orderby=displayName%20desc"} {
		var names []string
		path, pages := "/v1.0/users?$top=2&$select=displayName"+order, 0
		for path != "" {
			a := l.get(path, tok)
			for _, r := range a.rows() {
				names = append(names, str(r, "displayName"))
			}
			path = strings.TrimPrefix(str(a.body, "@odata.nextLink"), "http://graph.test")
			pages++
		}
		if len(names) != 6 || pages != 3 {
			t.Errorf("%d names in %d pages: %v", len(names), pages, names)
		}
		if order != "" && !slices.IsSortedFunc(names, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("not in order: %v", names)
		}
	}
	a := l.get("/v1.0/users?$top=2", tok)
	next := strings.TrimPrefix(str(a.body, "@odata.nextLink"), "http://graph.test")
	tokenAt := strings.Index(next, "$skiptoken=") + len("$skiptoken=")
	for name, bad := range map[string]string{
		"one letter changed": next[:tokenAt+5] + flip(next[tokenAt+5]) + next[tokenAt+6:],
		"another query":      strings.Replace(next, "$top=2", "$top=3", 1),
		"another resource":   strings.Replace(next, "/users", "/groups", 1),
		"cut":                next[:len(next)-3],
		"empty":              "/v1.0/users?$skiptoken=",
		"another version":    strings.Replace(next, "/v1.0/", "/beta/", 1),
	} {
		if a := l.get(bad, tok); a.code != 400 {
			t.Errorf("%s: %d", name, a.code)
		}
	}
	l.get(next, l.token(customerID, carla, everything())).want(400) // of another tenant
	l.get("/v1.0/users?$top=1000", tok).refused(400, "Request_UnsupportedQuery")
	l.get("/v1.0/users?$top=0", tok).want(400)
	l.get("/v1.0/users?$count=true", tok).refused(400, "Request_UnsupportedQuery")
	a = l.get("/v1.0/users?$count=true&$top=1", tok, "ConsistencyLevel", "eventual")
	if a.want(200).body["@odata.count"] != 6.0 {
		t.Errorf("count %v", a.body["@odata.count"])
	}
	if got := string(l.get("/v1.0/users/$count", tok, "ConsistencyLevel", "eventual").want(200).raw); got != "6" {
		t.Errorf("$count %q", got)
	}
	l.get("/v1.0/users/$count", tok).want(400)
	l.get("/v1.0/users?$filter=userType ne 'Guest'", tok).want(400)
	if n := len(l.get("/v1.0/users?$filter=userType+ne+'Guest'&$count=true", tok, "ConsistencyLevel", "eventual").rows()); n != 5 {
		t.Errorf("ne gave %d", n)
	}
	if n := len(l.get("/v1.0/users?$search=%22displayName:pla%22", tok, "ConsistencyLevel", "eventual").rows()); n != 1 {
		t.Errorf("$search gave %d", n)
	}
	l.get("/v1.0/users?$select=nonsense", tok).refused(400, "BadRequest")
	l.get("/v1.0/users?$filter=nonsense eq 1", tok).refused(400, "BadRequest")
	l.get("/v1.0/users?$expand=memberOf,manager", tok).want(400)
	l.get("/v1.0/users?$frobnicate=1", tok).want(400)
	// A row deleted between two pages loses no other.
	first := l.get("/v1.0/users?$top=3", tok)
	l.do("DELETE", "/v1.0/users/"+first.ids()[2], tok, "").want(204)
	rest := l.get(strings.TrimPrefix(str(first.body, "@odata.nextLink"), "http://graph.test"), tok)
	if n := len(rest.rows()); n != 3 || str(rest.body, "@odata.nextLink") != "" {
		t.Errorf("after a deletion the next page holds %d and a link %v, want the 3 that are left", n, rest.body["@odata.nextLink"])
	}
	for _, id := range rest.ids() {
		if slices.Contains(first.ids(), id) {
			t.Errorf("%s is given twice", id)
		}
	}
	for _, r := range l.get("/v1.0/groups?$select=displayName,description", tok).rows() {
		if len(r) != 2 || r["displayName"] == nil {
			t.Errorf("$select gave %v", r)
		}
	}
}

func flip(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}
