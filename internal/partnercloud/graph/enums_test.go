package graph

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

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
		s.LogSignIn(s.PartnerTenant(), &world.SignIn{ID: "x", EventTypes: []string{"interactiveUser"}, Protocol: "refreshTokenGrant",
			IncomingTokenType: "refreshToken", Applied: []world.AppliedPolicy{{ID: "p", Result: "reportOnlySuccess", GrantControls: []string{},
				SessionControls: []string{}}}})
	})
	for prefer, want := range map[string][3]string{"": {"unknownFutureValue", "unknownFutureValue", "unknownFutureValue"},
		"include-unknown-enum-members": {"refreshTokenGrant", "refreshToken", "reportOnlySuccess"}} {
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
		{"id":"7","method":"POST","url":"/groups","headers":{"Content-Type":"text/plain"},"body":"TmV3"}]}`).want(200)
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
	revoke := `"method":"POST","url":"/users/` + plain + `/revokeSignInSessions"`
	for _, part := range []string{revoke, revoke + `,"headers":{"Content-Type":"application/json"}`, revoke + `,"body":{}`,
		`"method":"GET","url":"/me","atomicityGroup":"g"`, `"method":"GET","url":"/me","headers":{"prefer":"a","Prefer":"b"}`} {
		post(`{"requests":[{"id":"0","method":"GET","url":"/me"},{"id":"1",` + part + `}]}`).want(400)
	}
	post(`{"requests":[{"id":"1",` + revoke + `,"headers":{"content-type":"application/json"},"body":{}}]}`).want(200)
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf(`{"id":"%d","method":"GET","url":"/me"}`, i)
	}
	post(`{"requests":[`+strings.Join(many, ",")+`]}`).refused(400, "BadRequest")
	post(`{"requests":[` + strings.Join(many[:20], ",") + `]}`).want(200)
	post(`{"requests":[]}`).refused(400, "BadRequest")
	post(`{"requests":[{"id":"1","method":"GET","url":"/me","dependsOn":["2"]},{"id":"2","method":"GET","url":"/me","dependsOn":["1"]}]}`).
		refused(400, "BadRequest")
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
		"too large":                  {"POST", "/v1.0/groups", `{"displayName":"` + strings.Repeat("x", maxBody) + `"}`, nil, 413},
		"no JSON":                    {"POST", "/v1.0/groups", `displayName=x`, nil, 400},
		"an array":                   {"POST", "/v1.0/groups", `[]`, nil, 400},
		"null":                       {"POST", "/v1.0/groups", `null`, nil, 400},
		"form":                       {"POST", "/v1.0/groups", `a=b`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		"too deep":                   {"POST", "/v1.0/groups", deep, nil, 400},
		"unknown member":             {"POST", "/v1.0/groups", `{"displayName":"x","owner":"me"}`, nil, 400},
		"wrong type":                 {"POST", "/v1.0/groups", `{"displayName":5}`, nil, 400},
		"read-only id":               {"PATCH", "/v1.0/users/" + plain, `{"id":"x"}`, nil, 400},
		"read-only createdDateTime":  {"PATCH", "/v1.0/users/" + plain, `{"createdDateTime":"2020-01-01T00:00:00Z"}`, nil, 400},
		"read-only appId":            {"PATCH", "/v1.0/applications/" + toolObj, `{"appId":"x"}`, nil, 400},
		"credentials by PATCH":       {"PATCH", "/v1.0/applications/" + toolObj, `{"passwordCredentials":[]}`, nil, 400},
		"a name in a foreign domain": {"PATCH", "/v1.0/users/" + plain, `{"userPrincipalName":"pat@fabrikam.com"}`, nil, 400},
		"a name that exists":         {"PATCH", "/v1.0/users/" + plain, `{"userPrincipalName":"ada@contoso.com"}`, nil, 400},
		"a weak password":            {"PATCH", "/v1.0/users/" + plain, `{"passwordProfile":{"password":"short"}}`, nil, 400},
		"a member of another tenant": {"POST", "/v1.0/groups/" + nested + "/members/$ref", `{"@odata.id":"https://graph.microsoft.com/v1.0/users/` + carla +
			`"}`, nil, 404},
		"a group in itself":        {"POST", "/v1.0/groups/" + nested + "/members/$ref", `{"@odata.id":"` + nested + `"}`, nil, 400},
		"a member twice":           {"POST", "/v1.0/groups/" + nested + "/members/$ref", `{"@odata.id":"` + rhea + `"}`, nil, 400},
		"delete in another tenant": {"DELETE", "/v1.0/users/" + carla, "", nil, 404},
		"a role that does not exist": {"POST", "/v1.0/roleManagement/directory/roleAssignments", `{"principalId":"` + plain + `","roleDefinitionId":"` +
			plain + `","directoryScopeId":"/"}`, nil, 404},
		"a group that takes no roles": {"POST", "/v1.0/roleManagement/directory/roleAssignments", `{"principalId":"` + nested + `","roleDefinitionId":"` +
			entra.RoleGlobalAdministrator + `","directoryScopeId":"/"}`, nil, 400},
		"consent to nothing": {"POST", "/v1.0/oauth2PermissionGrants", `{"clientId":"x","consentType":"AllPrincipals","resourceId":"y","scope":"z"}`,
			nil, 404},
		"a key that is none by PATCH": {"PATCH", "/v1.0/applications/" + toolObj,
			`{"keyCredentials":[{"type":"AsymmetricX509Cert","usage":"Verify","key":"AAAA"}]}`, nil, 400},
		"a key that is not there": {"PATCH", "/v1.0/applications/" + toolObj,
			`{"keyCredentials":[{"type":"AsymmetricX509Cert","usage":"Verify","keyId":"x"}]}`, nil, 400},
		"a certificate that is none": {"POST", "/v1.0/applications/" + toolObj + "/addKey",
			`{"keyCredential":{"type":"AsymmetricX509Cert","usage":"Verify","key":"AAAA"},"proof":"x"}`, nil, 400},
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
		strings.Repeat("(", 500) + "id eq 'x'" + strings.Repeat(")", 500), strings.Repeat("not ", 500) + "accountEnabled", "id eq", "id eq 'x", "'x'",
		"eq eq eq", "id eq 'x' and", "a/b/c/d/e/f/g/h/i/j/k eq 1",
		"id in (", "any(x: x)", "startswith(id)", "startswith(id,'a','b')", "id eq 1 2", "id eq 'x')", strings.Repeat("id eq 'x' or ", 600) + "id eq 'x'",
		"\x00", "id eq \xff", "members/any(", "1 eq 1 or", "length(id) and true",
	} {
		if a := l.get("/v1.0/users?$filter="+url.QueryEscape(f), tok); a.code != 400 {
			t.Errorf("$filter %.40q: %d", f, a.code)
		}
	}
}
