package graph

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

func TestErrorsHaveGraphsForm(t *testing.T) {
	l := newLab(t)
	a := l.get("/v1.0/users/nobody@contoso.com", l.admin(), "client-request-id", "11111111-1111-4111-8111-111111111111").refused(404, "Request_ResourceNotFound")
	in := inner(inner(a.body, "error"), "innerError")
	if str(in, "request-id") == "" || str(in, "request-id") != a.header.Get("request-id") || str(in, "client-request-id") != "11111111-1111-4111-8111-111111111111" || str(in, "date") == "" {
		t.Errorf("innerError %v", in)
	}
	for path, want := range map[string]struct {
		code int
		name string
	}{
		"/v3/users": {400, "BadRequest"}, "/v1.0/nothing": {400, "BadRequest"}, "/v1.0/users/" + ada + "/messages": {400, "BadRequest"}, "/v1.0": {400, "BadRequest"},
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
		"GDAP app without its principal":  {l.app(partnerID, "DelegatedAdminRelationship.Read.All"), "/v1.0/tenantRelationships/delegatedAdminRelationships", 403},
		"GDAP in a customer tenant":       {l.token(customerID, carla, everything()), "/v1.0/tenantRelationships/delegatedAdminRelationships", 403},
		"score without a role":            {l.token(partnerID, plain, everything()), "/beta/security/partner/securityScore", 403},
		"methods of another":              {l.token(partnerID, plain, everything()), "/v1.0/users/" + ada + "/authentication/methods", 403},
		"own methods":                     {l.token(partnerID, plain, everything()), "/v1.0/me/authentication/methods", 200},
		"an object of another tenant":     {l.admin(), "/v1.0/users/" + carla, 404},
	} {
		if a := l.get(c.path, c.token); a.code != c.want {
			t.Errorf("%s: %d, want %d: %.200s", name, a.code, c.want, a.raw)
		}
	}
	l.get(si, l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything())).refused(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
	l.get("/v1.0/identityProtection/riskyUsers", l.token(customerID, carla, everything())).refused(403, "AadPremiumLicenseRequired")
	noMFA := l.claims(partnerID, agent, everything())
	noMFA.AMR = []string{"pwd"}
	if a := l.get("/v1.0/tenantRelationships/delegatedAdminRelationships", l.sign(noMFA)).refused(403, "Authorization_RequestDenied"); !strings.Contains(string(a.raw), "multifactor") {
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
	for _, k := range []string{"authenticationRequirement", "authenticationDetails", "authenticationRequirementPolicies", "crossTenantAccessType", "signInEventTypes", "mfaDetail", "userType"} {
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

func TestEnums(t *testing.T) {
	l := newLab(t)
	path := "/v1.0/identity/conditionalAccess/policies/" + polID
	platform := func(prefer string) any {
		a := l.get(path, l.admin(), "Prefer", prefer).want(200)
		return inner(inner(a.body, "conditions"), "platforms")["includePlatforms"].([]any)[0]
	}
	if got := platform(""); got != "unknownFutureValue" {
		t.Errorf("without Prefer: %v", got)
	}
	if got := platform("odata.maxpagesize=5, include-unknown-enum-members"); got != "linux" {
		t.Errorf("with Prefer: %v", got)
	}
	l.w.Read(func(s *world.State) {
		s.LogSignIn(s.PartnerTenant(), &world.SignIn{ID: "x", EventTypes: []string{"interactiveUser"}, Protocol: "refreshTokenGrant", IncomingTokenType: "refreshToken", Applied: []world.AppliedPolicy{{ID: "p", Result: "reportOnlySuccess", GrantControls: []string{}, SessionControls: []string{}}}})
	})
	for prefer, want := range map[string][3]string{"": {"unknownFutureValue", "unknownFutureValue", "unknownFutureValue"}, "include-unknown-enum-members": {"refreshTokenGrant", "refreshToken", "reportOnlySuccess"}} {
		row := l.get("/beta/auditLogs/signIns/x", l.admin(), "Prefer", prefer).want(200).body
		got := [3]string{str(row, "authenticationProtocol"), str(row, "incomingTokenType"), str(objs(row, "appliedConditionalAccessPolicies")[0], "result")}
		if got != want {
			t.Errorf("%q: %v", prefer, got)
		}
	}
}

func TestBatch(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	post := func(body string) *answer { return l.do("POST", "/v1.0/$batch", tok, body) }
	a := post(`{"requests":[
		{"id":"1","method":"GET","url":"/users/` + ada + `?$select=id"},
		{"id":"2","method":"GET","url":"users/nobody"},
		{"id":"3","method":"POST","url":"/groups","headers":{"Content-Type":"application/json"},"body":{"displayName":"New","mailEnabled":false,"mailNickname":"new","securityEnabled":true}},
		{"id":"4","method":"GET","url":"/me","dependsOn":["2"]},
		{"id":"5","method":"GET","url":"/groups?$filter=displayName eq 'New'","dependsOn":["3"]},
		{"id":"6","method":"POST","url":"/$batch","headers":{"Content-Type":"application/json"},"body":{"requests":[]}},
		{"id":"7","method":"POST","url":"/groups","body":{"displayName":"New"}}]}`).want(200)
	status := map[string]float64{}
	bodies := map[string]map[string]any{}
	for _, r := range objs(a.body, "responses") {
		status[str(r, "id")], _ = r["status"].(float64)
		bodies[str(r, "id")] = inner(r, "body")
	}
	for id, want := range map[string]float64{"1": 200, "2": 404, "3": 201, "4": 424, "5": 200, "6": 400, "7": 415} {
		if status[id] != want {
			t.Errorf("part %s: %v, want %v: %v", id, status[id], want, bodies[id])
		}
	}
	if len(objs(bodies["5"], "value")) != 1 {
		t.Error("a dependent part did not see what it depended on")
	}
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf(`{"id":"%d","method":"GET","url":"/me"}`, i)
	}
	post(`{"requests":[`+strings.Join(many, ",")+`]}`).refused(400, "BadRequest")
	post(`{"requests":[` + strings.Join(many[:20], ",") + `]}`).want(200)
	post(`{"requests":[]}`).refused(400, "BadRequest")
	post(`{"requests":[{"id":"1","method":"GET","url":"/me","dependsOn":["2"]},{"id":"2","method":"GET","url":"/me","dependsOn":["1"]}]}`).refused(400, "BadRequest")
	post(`{"requests":[{"id":"1","method":"GET","url":"/me"},{"id":"1","method":"GET","url":"/me"}]}`).refused(400, "BadRequest")
	l.do("POST", "/v1.0/$batch", "", `{"requests":[{"id":"1","method":"GET","url":"/me"}]}`).refused(401, "InvalidAuthenticationToken")
	// The order is anybody's guess.
	orders := map[string]bool{}
	for range 20 {
		var ids []string
		for _, r := range objs(post(`{"requests":[`+strings.Join(many[:6], ",")+`]}`).body, "responses") {
			ids = append(ids, str(r, "id"))
		}
		orders[strings.Join(ids, "")] = true
	}
	if len(orders) < 3 {
		t.Error("answers come in order")
	}
	// Each part is throttled alone.
	l = newLab(t, func(d *Deps) { d.Unthrottled = false })
	tok = l.admin()
	for i := range 8 {
		many[i] = fmt.Sprintf(`{"id":"%d","method":"GET","url":"/auditLogs/signIns"}`, i)
	}
	codes := map[any]int{}
	for _, r := range objs(l.do("POST", "/v1.0/$batch", tok, `{"requests":[`+strings.Join(many[:8], ",")+`]}`).body, "responses") {
		codes[r["status"]]++
		if r["status"] == 429.0 && str(inner(r, "headers"), "Retry-After") == "" {
			t.Error("429 of a part without Retry-After")
		}
	}
	if codes[200.0] != 5 || codes[429.0] != 3 {
		t.Errorf("parts: %v", codes)
	}
}

func TestThrottle(t *testing.T) {
	l := newLab(t, func(d *Deps) { d.Unthrottled = false })
	tok := l.admin()
	for range 5 {
		l.get("/beta/auditLogs/signIns", tok).want(200)
	}
	a := l.get("/beta/auditLogs/signIns", tok).want(429)
	if a.header.Get("Retry-After") != "10" {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	other := l.claims(customerID, carla, everything())
	l.get("/beta/auditLogs/signIns", l.sign(other)).want(200) // another tenant
	_, _ = l.clock.Jump(10 * time.Second)
	l.get("/beta/auditLogs/signIns", tok).want(200)
	l.get("/v1.0/identity/conditionalAccess/policies", tok).want(200)
	a = l.get("/v1.0/identityProtection/riskyUsers", tok).refused(429, "TooManyRequests")
	if a.header.Get("Retry-After") != "" {
		t.Error("identity protection gives Retry-After")
	}
	_, _ = l.clock.Jump(time.Second)
	l.get("/v1.0/identityProtection/riskyUsers", tok).want(200)
	if u := l.get("/v1.0/users", tok).want(200).header.Get("x-ms-resource-unit"); u != "2" {
		t.Errorf("x-ms-resource-unit %q", u)
	}
	if u := l.get("/v1.0/users?$select=id", tok).header.Get("x-ms-resource-unit"); u != "1" {
		t.Errorf("with $select %q", u)
	}
	n := 0
	for ; n < 4000; n++ {
		if a := l.get("/v1.0/users", tok); a.code == 429 {
			if a.header.Get("Retry-After") == "" || a.header.Get("x-ms-throttle-scope") == "" {
				t.Error("429 without its headers")
			}
			break
		}
	}
	if n < 1740 || n > 1750 { // 3,500 units for a small tenant, 2 each
		t.Errorf("%d lists of users passed", n)
	}
}

func TestDelta(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	rel := func(a *answer, k string) string { return strings.TrimPrefix(str(a.body, k), "http://graph.test") }
	a := l.get("/v1.0/users/delta?$select=displayName&$top=4", tok)
	n := len(a.rows())
	for rel(a, "@odata.nextLink") != "" {
		a = l.get(rel(a, "@odata.nextLink"), tok)
		n += len(a.rows())
	}
	if n != 6 {
		t.Errorf("initial delta gave %d users", n)
	}
	link := rel(a, "@odata.deltaLink")
	if a := l.get(link, tok); len(a.rows()) != 0 || rel(a, "@odata.deltaLink") == "" {
		t.Errorf("nothing changed, and yet: %s", a.raw)
	}
	l.do("PATCH", "/v1.0/users/"+plain, tok, `{"jobTitle":"Clerk"}`).want(204)
	l.do("DELETE", "/v1.0/users/"+guest, tok, "").want(204)
	rows := l.get(link, tok).rows()
	if len(rows) != 2 || str(rows[0], "id") != plain || str(rows[1], "id") != guest || rows[1]["@removed"] == nil {
		t.Errorf("changes: %v", rows)
	}
	if a := l.get("/v1.0/users/delta?$deltatoken=latest", tok); len(a.rows()) != 0 || rel(a, "@odata.deltaLink") == "" {
		t.Error("latest")
	}
	gone := l.get("/v1.0/users/delta?$deltatoken=unknown", tok).refused(410, "syncStateNotFound")
	if !strings.HasSuffix(gone.header.Get("Location"), "/v1.0/users/delta") {
		t.Errorf("Location %q", gone.header.Get("Location"))
	}
	gl := rel(l.get("/v1.0/groups/delta", tok), "@odata.deltaLink")
	l.do("POST", "/v1.0/groups/"+nested+"/members/$ref", tok, `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/`+plain+`"}`).want(204)
	if rows := l.get(gl, tok).rows(); len(rows) != 1 || len(objs(rows[0], "members@delta")) != 2 {
		t.Errorf("group delta %v", rows)
	}
	_, _ = l.clock.Jump(31 * 24 * time.Hour)
	l.get(link, l.admin()).refused(410, "syncStateNotFound")
}

func TestBodiesAreHostile(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	deep := strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000)
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		want               int
	}{
		"too large":                   {"POST", "/v1.0/groups", `{"displayName":"` + strings.Repeat("x", maxBody) + `"}`, nil, 413},
		"no JSON":                     {"POST", "/v1.0/groups", `displayName=x`, nil, 400},
		"an array":                    {"POST", "/v1.0/groups", `[]`, nil, 400},
		"null":                        {"POST", "/v1.0/groups", `null`, nil, 400},
		"form":                        {"POST", "/v1.0/groups", `a=b`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		"too deep":                    {"POST", "/v1.0/groups", deep, nil, 400},
		"unknown member":              {"POST", "/v1.0/groups", `{"displayName":"x","owner":"me"}`, nil, 400},
		"wrong type":                  {"POST", "/v1.0/groups", `{"displayName":5}`, nil, 400},
		"read-only id":                {"PATCH", "/v1.0/users/" + plain, `{"id":"x"}`, nil, 400},
		"read-only createdDateTime":   {"PATCH", "/v1.0/users/" + plain, `{"createdDateTime":"2020-01-01T00:00:00Z"}`, nil, 400},
		"read-only appId":             {"PATCH", "/v1.0/applications/" + toolObj, `{"appId":"x"}`, nil, 400},
		"credentials by PATCH":        {"PATCH", "/v1.0/applications/" + toolObj, `{"passwordCredentials":[]}`, nil, 400},
		"a name in a foreign domain":  {"PATCH", "/v1.0/users/" + plain, `{"userPrincipalName":"pat@fabrikam.com"}`, nil, 400},
		"a name that exists":          {"PATCH", "/v1.0/users/" + plain, `{"userPrincipalName":"ada@contoso.com"}`, nil, 400},
		"a weak password":             {"PATCH", "/v1.0/users/" + plain, `{"passwordProfile":{"password":"short"}}`, nil, 400},
		"a member of another tenant":  {"POST", "/v1.0/groups/" + nested + "/members/$ref", `{"@odata.id":"https://graph.microsoft.com/v1.0/users/` + carla + `"}`, nil, 404},
		"a group in itself":           {"POST", "/v1.0/groups/" + nested + "/members/$ref", `{"@odata.id":"` + nested + `"}`, nil, 400},
		"a member twice":              {"POST", "/v1.0/groups/" + nested + "/members/$ref", `{"@odata.id":"` + rhea + `"}`, nil, 400},
		"delete in another tenant":    {"DELETE", "/v1.0/users/" + carla, "", nil, 404},
		"a role that does not exist":  {"POST", "/v1.0/roleManagement/directory/roleAssignments", `{"principalId":"` + plain + `","roleDefinitionId":"` + plain + `","directoryScopeId":"/"}`, nil, 404},
		"a group that takes no roles": {"POST", "/v1.0/roleManagement/directory/roleAssignments", `{"principalId":"` + nested + `","roleDefinitionId":"` + entra.RoleGlobalAdministrator + `","directoryScopeId":"/"}`, nil, 400},
		"consent to nothing":          {"POST", "/v1.0/oauth2PermissionGrants", `{"clientId":"x","consentType":"AllPrincipals","resourceId":"y","scope":"z"}`, nil, 404},
		"a key that is none by PATCH": {"PATCH", "/v1.0/applications/" + toolObj, `{"keyCredentials":[{"type":"AsymmetricX509Cert","usage":"Verify","key":"AAAA"}]}`, nil, 400},
		"a key that is not there":     {"PATCH", "/v1.0/applications/" + toolObj, `{"keyCredentials":[{"type":"AsymmetricX509Cert","usage":"Verify","keyId":"x"}]}`, nil, 400},
		"a certificate that is none":  {"POST", "/v1.0/applications/" + toolObj + "/addKey", `{"keyCredential":{"type":"AsymmetricX509Cert","usage":"Verify","key":"AAAA"},"proof":"x"}`, nil, 400},
	} {
		if a := l.do(c.method, c.path, tok, c.body, c.headers...); a.code != c.want {
			t.Errorf("%s: %d, want %d: %.200s", name, a.code, c.want, a.raw)
		}
	}
	// Generated clients compress what they send.
	squeeze := func(text string) string {
		var b strings.Builder
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
		return b.String()
	}
	for name, c := range map[string]struct {
		body, encoding string
		want           int
	}{
		"gzip":                   {squeeze(`{"displayName":"Squeezed","mailEnabled":false,"mailNickname":"squeezed","securityEnabled":true}`), "gzip", 201},
		"gzip in capitals":       {squeeze(`{"displayName":"Squeezed","mailEnabled":false,"mailNickname":"squeezed2","securityEnabled":true}`), "GZIP", 201},
		"a bomb":                 {squeeze(`{"displayName":"` + strings.Repeat("x", 50<<20) + `"}`), "gzip", 413},
		"not gzip":               {`{"displayName":"x"}`, "gzip", 400},
		"half of gzip":           {squeeze(`{"displayName":"x"}`)[:20], "gzip", 400},
		"another encoding":       {"x", "br", 415},
		"two encodings":          {squeeze("x"), "gzip, gzip", 415},
		"gzip that nobody names": {squeeze(`{"displayName":"x"}`), "", 400},
	} {
		if a := l.do("POST", "/v1.0/groups", tok, c.body, "Content-Encoding", c.encoding); a.code != c.want {
			t.Errorf("%s: %d, want %d: %.200s", name, a.code, c.want, a.raw)
		}
	}
	for _, f := range []string{
		strings.Repeat("(", 500) + "id eq 'x'" + strings.Repeat(")", 500), strings.Repeat("not ", 500) + "accountEnabled", "id eq", "id eq 'x", "'x'", "eq eq eq", "id eq 'x' and", "a/b/c/d/e/f/g/h/i/j/k eq 1",
		"id in (", "any(x: x)", "startswith(id)", "startswith(id,'a','b')", "id eq 1 2", "id eq 'x')", strings.Repeat("id eq 'x' or ", 600) + "id eq 'x'", "\x00", "id eq \xff", "members/any(", "1 eq 1 or", "length(id) and true",
	} {
		if a := l.get("/v1.0/users?$filter="+url.QueryEscape(f), tok); a.code != 400 {
			t.Errorf("$filter %.40q: %d", f, a.code)
		}
	}
}
