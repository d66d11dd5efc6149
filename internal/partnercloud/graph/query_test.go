package graph

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// What production refuses is refused.
func TestQueriesOfDirectoryObjects(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	eventual := []string{"ConsistencyLevel", "eventual"}
	for _, c := range []struct {
		path    string
		headers []string
		want    int
		code    string
	}{
		{"/v1.0/users?$skip=1", nil, 400, "Request_UnsupportedQuery"},
		{"/v1.0/users?$skip=1&$count=true", eventual, 400, "Request_UnsupportedQuery"},
		{"/v1.0/groups/" + agents + "/members?$skip=1", nil, 400, "Request_UnsupportedQuery"},
		{"/v1.0/users?$filter=accountEnabled eq true&$orderby=displayName", nil, 400, "Request_UnsupportedQuery"},
		{"/v1.0/users?$filter=accountEnabled eq true&$orderby=displayName", eventual, 400, "Request_UnsupportedQuery"},
		{"/v1.0/users?$filter=accountEnabled eq true&$orderby=displayName&$count=true", eventual, 200, ""},
		{"/v1.0/users?$orderby=displayName", nil, 200, ""},
		{"/v1.0/users?$filter=endsWith(userPrincipalName,'@contoso.com')", nil, 400, "Request_UnsupportedQuery"},
		{"/v1.0/users?$filter=endsWith(userPrincipalName,'@contoso.com')", eventual, 400, "Request_UnsupportedQuery"},
		{"/v1.0/users?$filter=endsWith(userPrincipalName,'@contoso.com')&$count=true", nil, 400, "Request_UnsupportedQuery"},
		{"/v1.0/users?$filter=endsWith(userPrincipalName,'@contoso.com')&$count=true", eventual, 200, ""},
		{"/v1.0/users?$filter=not(accountEnabled eq true)", eventual, 400, "Request_UnsupportedQuery"},
		{"/v1.0/users?$filter=userType ne 'Guest'", eventual, 400, "Request_UnsupportedQuery"},
		{"/v1.0/users/$count?$filter=userType ne 'Guest'", eventual, 200, ""},
		{"/v1.0/users?$search=%22displayName:a%22", eventual, 200, ""},
		{"/v1.0/users?top=1", nil, 400, "BadRequest"},
		{"/beta/users?top=1&select=id", nil, 200, ""},
		{"/v1.0/users?page=1", nil, 400, "BadRequest"},
		{"/beta/users?page=1", nil, 400, "BadRequest"},
		{"/v1.0/users?$format=json", nil, 200, ""},
		{"/v1.0/users?$format=atom", nil, 400, "BadRequest"},
		{"/v1.0/users?$expand=manager($select=nonsense)", nil, 400, "BadRequest"},
		{"/v1.0/users?$filter=employeeOrgData/team eq 'x'", nil, 400, "BadRequest"},
		{"/v1.0/users?$filter=employeeOrgData/division eq 'x'", nil, 200, ""},
		{"/v1.0/users?$select=employeeOrgData/division,id", nil, 200, ""},
		{"/v1.0/users?$select=employeeOrgData/team", nil, 400, "BadRequest"},
		{"/v1.0/users?$orderby=employeeOrgData/team", nil, 400, "BadRequest"},
		{"/v1.0/users?$orderby=employeeOrgData/division", nil, 200, ""},
		{"/v1.0/groups?$expand=members($levels=2)", nil, 400, "Request_UnsupportedQuery"},
		{"/v1.0/groups?$expand=members($top=2)", nil, 400, "Request_UnsupportedQuery"},
		{"/v1.0/users", []string{"ConsistencyLevel", "session"}, 400, "BadRequest"},
		{"/v1.0/users", []string{"Prefer", "respond-async"}, 400, "BadRequest"},
		{"/v1.0/users", []string{"Accept", "application/json;odata.metadata=some"}, 400, "BadRequest"},
		{"/v1.0/users", []string{"X-HTTP-Method-Override", "DELETE"}, 400, "BadRequest"},
		{"/v1.0/groups/garbage", nil, 400, "Request_BadRequest"},
		{"/v1.0/groups(uniqueName='garbage')", nil, 404, "Request_ResourceNotFound"},
		{"/v1.0/applications/garbage", nil, 400, "Request_BadRequest"},
		{"/v1.0/directoryObjects/garbage", nil, 400, "Request_BadRequest"},
		{"/v1.0/directoryRoles/garbage", nil, 400, "Request_BadRequest"},
		{"/v1.0/users/garbage", nil, 404, "Request_ResourceNotFound"},
		{"/v1.0/myorganization/users", nil, 200, ""},
		{"/v1.0/contoso.com/users", nil, 200, ""},
		{"/beta/" + strings.ToUpper(partnerID) + "/users", nil, 200, ""},
		{"/v1.0/" + customerID + "/users", nil, 403, "Authorization_RequestDenied"},
		{"/v1.0/fabrikam.com/users", nil, 403, "Authorization_RequestDenied"},
		{"/v1.0/nowhere/users", nil, 400, "BadRequest"},
		{"/v1.0/myorganization/me", nil, 200, ""},
	} {
		if a := l.get(c.path, tok, c.headers...); a.code != c.want || a.errorCode() != c.code {
			t.Errorf("%s %v: %d %q, want %d %q: %.200s", c.path, c.headers, a.code, a.errorCode(), c.want, c.code, a.raw)
		}
	}
	if a := l.get("/v1.0/users/"+ada+"?$select=EmployeeOrgData/division,employeeOrgData/costCenter,id", tok).want(200); len(a.body) != 3 {
		t.Errorf("%s", a.raw)
	}
	l.do("PATCH", "/v1.0/groups/"+agents, tok, `{}`, "If-Match", "*").refused(400, "BadRequest")
	l.get("/v1.0/me", l.app(partnerID, "User.Read.All")).refused(400, "BadRequest")
	if h := l.get("/v1.0/subscribedSkus", tok, "Prefer", "odata.maxpagesize=2").want(200).header.Get("Preference-Applied"); h != "" {
		t.Errorf("applied: %s", h)
	}
	if n := len(l.get("/v1.0/users/delta", tok, "Prefer", "odata.maxpagesize=2").rows()); n != 2 {
		t.Errorf("%d rows of the delta query, want 2", n)
	}
	if n := len(l.get("/v1.0/users", tok, "Prefer", "odata.maxpagesize=2").rows()); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	// The pages of a path with a tenant keep it, and go on.
	next := str(l.get("/v1.0/contoso.com/users?$top=4", tok).want(200).body, "@odata.nextLink")
	if !strings.Contains(next, "/v1.0/contoso.com/users?") || len(l.get(strings.TrimPrefix(next, "http://graph.test"), tok).rows()) != 2 {
		t.Errorf("next page %q", next)
	}
	next = str(l.get("/beta/users?top=4", tok).want(200).body, "@odata.nextLink")
	if len(l.get(strings.TrimPrefix(next, "http://graph.test"), tok).rows()) != 2 {
		t.Errorf("next page %q", next)
	}
}

func TestNamesWithoutCase(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	u := l.get("/v1.0/users?$select=ID,DISPLAYNAME&$filter=UserPrincipalname eq 'ada@contoso.com'", tok).rows()[0]
	if len(u) != 2 || u["id"] != ada || u["displayName"] != "Ada Admin" {
		t.Errorf("%v", u)
	}
	if ids := l.get("/v1.0/users?$orderby=DisplayName desc&$top=1", tok).ids(); ids[0] != ursa {
		t.Errorf("%v", ids)
	}
	g := l.get("/v1.0/groups/"+agents+"?$expand=MEMBERS($select=DisplayName)", tok).want(200).body
	if m := objs(g, "members"); len(m) != 3 || m[0]["displayName"] == nil {
		t.Errorf("%v", g)
	}
	if n := len(l.get("/beta/auditLogs/signIns?$filter=STATUS/ErrorCode eq 0", tok).rows()); n != 2 {
		t.Errorf("%d sign-ins", n)
	}
	l.do("PATCH", "/v1.0/users/"+plain, tok, `{"JobTitle":"Clerk"}`).want(204)
	if u := l.get("/v1.0/users/"+plain, tok).want(200).body; u["jobTitle"] != "Clerk" {
		t.Errorf("%v", u["jobTitle"])
	}
	l.do("PATCH", "/v1.0/users/"+plain, tok, `{"JobTitle":"A","jobTitle":"x"}`).refused(400, "Request_BadRequest")
	l.do("POST", "/v1.0/groups", tok, `{"DisplayName":"G","mailenabled":false,"mailNickName":"g","securityEnabled":true,
		"OWNERS@odata.bind":["`+ada+`"]}`).want(201)
}

// The log keeps names in lower case and compares them with it.
func TestSignInNamesHaveTheirCase(t *testing.T) {
	l := newLab(t)
	l.w.Read(func(s *world.State) {
		for _, r := range s.PartnerTenant().SignIns {
			if r.UserPrincipalName != "ada@contoso.com" {
				t.Errorf("%q in the log", r.UserPrincipalName)
			}
		}
	})
	for filter, want := range map[string]int{"userPrincipalName eq 'ada@contoso.com'": 4, "userPrincipalName eq 'Ada@contoso.com'": 0,
		"startsWith(userPrincipalName,'ADA@')": 4, "userDisplayName eq 'ada admin'": 4} {
		if n := len(l.get("/v1.0/auditLogs/signIns?$filter="+url.QueryEscape(filter), l.admin()).rows()); n != want {
			t.Errorf("%s: %d rows, want %d", filter, n, want)
		}
	}
}

func TestControlInformation(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	a := l.get("/v1.0/groups/"+agents+"/members?$top=2&$count=true", tok, "Accept", "application/json;odata.metadata=none",
		"ConsistencyLevel", "eventual").want(200)
	if strings.Contains(string(a.raw), "@odata.type") || strings.Contains(string(a.raw), "@odata.context") || a.body["@odata.nextLink"] == nil ||
		a.body["@odata.count"] != 3.0 || len(a.rows()) != 2 || !strings.Contains(a.header.Get("Content-Type"), "odata.metadata=none") {
		t.Errorf("none: %s", a.raw)
	}
	for _, how := range []string{"application/json; charset=utf-8; IEEE754Compatible=false; odata.metadata=full", "application/json;odata.metadata=full, */*"} {
		a = l.get("/v1.0/users/"+ada, tok, "Accept", how).want(200)
		id := "http://graph.test/v2/" + partnerID + "/directoryObjects/" + ada + "/Microsoft.DirectoryServices.User"
		if a.body["@odata.id"] != id || a.body["@odata.type"] != "#microsoft.graph.user" || str(a.body, "@odata.editLink") == "" {
			t.Errorf("full: %s", a.raw)
		}
	}
	// Such an id names the object when it comes back.
	l.do("POST", "/v1.0/groups/"+nested+"/owners/$ref", tok, `{"@odata.id":"`+str(a.body, "@odata.id")+`"}`).want(204)
	minimal := l.get("/v1.0/users/"+ada, tok, "Accept", "application/json;odata.metadata=minimal").want(200)
	if minimal.body["@odata.id"] != nil || minimal.body["@odata.context"] == nil {
		t.Errorf("minimal: %s", minimal.raw)
	}
	// Whatever is stripped stays JSON, and keeps all else.
	for in, want := range map[string]string{
		`{"@odata.context":"x","a":[{"b@odata.type":"y","c":1.50}],"d":null}`: `{"a":[{"c":1.50}],"d":null}`,
		`{"@odata.nextLink":"x"}`: `{"@odata.nextLink":"x"}`, `{"@odata.type":{"a":[1]}}`: `{}`, `[`: `[`,
	} {
		if got := string(stripped([]byte(in))); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestBatchWithNumbers(t *testing.T) {
	l := newLab(t)
	a := l.do("POST", "/v1.0/$batch", l.admin(),
		`{"requests":[{"id":1,"method":"GET","url":"/users/`+ada+`"},{"id":2,"method":"GET","url":"/users/`+rhea+`","dependsOn":[1]},
		{"id":"three","method":"GET","url":"/myorganization/me"}]}`).want(200)
	var ids []string
	for _, r := range objs(a.body, "responses") {
		if r["status"] != 200.0 {
			t.Errorf("%v", r)
		}
		ids = append(ids, fmt.Sprint(r["id"]))
	}
	if slices.Sort(ids); !slices.Equal(ids, []string{"1", "2", "three"}) {
		t.Errorf("%v", ids)
	}
	l.do("POST", "/v1.0/$batch", l.admin(), `{"requests":[{"id":1,"method":"GET","url":"/me"},{"id":"1","method":"GET","url":"/me"}]}`).want(400)
	l.do("POST", "/v1.0/$batch", l.admin(), `{"requests":[{"id":true,"method":"GET","url":"/me"}]}`).want(400)
}

func TestUserInfo(t *testing.T) {
	l := newLab(t)
	l.w.Read(func(s *world.State) {
		s.PartnerTenant().Users.Change(ada, func(u *world.User) { u.Given, u.Surname, u.Mail = "Ada", "Admin", "ada@contoso.com" })
	})
	for _, method := range []string{"GET", "POST"} {
		a := l.do(method, "/oidc/userinfo", l.token(partnerID, ada, "openid profile email"), "").want(200)
		if a.body["sub"] != bearer.Pairwise(partnerID, ada, toolApp) || a.body["name"] != "Ada Admin" || a.body["given_name"] != "Ada" ||
			a.body["family_name"] != "Admin" || a.body["email"] != "ada@contoso.com" || a.body["picture"] == nil {
			t.Errorf("%s: %s", method, a.raw)
		}
	}
	if a := l.get("/oidc/userinfo", l.token(partnerID, ada, "openid profile")).want(200); a.body["email"] != nil {
		t.Error("an address without the scope email")
	}
	l.get("/oidc/userinfo", l.token(partnerID, ada, "User.Read")).refused(403, "Authorization_RequestDenied")
	l.get("/oidc/userinfo", l.app(partnerID, "User.Read.All")).refused(403, "Authorization_RequestDenied")
	l.get("/oidc/userinfo", "").refused(401, "InvalidAuthenticationToken")
	l.do("DELETE", "/oidc/userinfo", l.admin(), "").want(405)
	l.get("/oidc/userinfo?x=1", l.admin()).want(400)
}

func FuzzStripped(f *testing.F) {
	f.Add([]byte(`{"@odata.context":"x","a":[{"b@odata.type":"y","c":1.50,"d":"\u2028"}],"d":null,"e":{}}`))
	f.Add([]byte(`{"a":`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if json.Valid(b) && !json.Valid(stripped(b)) {
			t.Fatalf("%s is no JSON", stripped(b))
		}
	})
}

func TestPathsToProperties(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	a := l.get("/v1.0/users/"+ada+"/DisplayName", tok).want(200).body
	if a["value"] != "Ada Admin" || a["@odata.context"] != "http://graph.test/v1.0/$metadata#users('"+ada+"')/displayName" || len(a) != 2 {
		t.Errorf("%v", a)
	}
	if a := l.get("/v1.0/me/accountEnabled", tok).want(200).body; a["value"] != true {
		t.Errorf("%v", a)
	}
	if a := l.get("/v1.0/servicePrincipals(appId='"+toolApp+"')/appRoles", tok).want(200).body; len(objs(a, "value")) != 1 {
		t.Errorf("%v", a)
	}
	l.get("/v1.0/users/"+ada+"/jobTitle", tok).want(204)
	l.get("/v1.0/users/"+ada+"/nonsense", tok).refused(400, "BadRequest")
	l.get("/v1.0/users/"+ada+"/displayName?$select=id", tok).refused(400, "BadRequest")
	l.get("/v1.0/users/"+ada+"/displayName", "").want(401)
	l.get("/v1.0/users/"+ada+"/displayName", l.token(partnerID, ada, "openid")).want(403)
	l.get("/v1.0/users/"+ada+"/signInActivity", l.token(partnerID, ada, "User.Read.All")).want(403) // as with $select
	l.get("/v1.0/users/"+ada+"/signInActivity", tok).want(200)
	l.get("/v1.0/users/nobody@contoso.com/displayName", tok).want(404)
	l.do("PATCH", "/v1.0/users/"+ada+"/displayName", tok, `{}`).want(400)
	l.get("/v1.0/users/"+ada+"/revokeSignInSessions", tok).want(405)
}

func TestWhatChangesNothing(t *testing.T) {
	value := func(s string) (v any) {
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		now, said string
		want      bool
	}{
		{`"a"`, `"a"`, true}, {`"a"`, `"A"`, false}, {`null`, `null`, true}, {`null`, `""`, false}, {`1`, `1.0`, true}, {`true`, `false`, false},
		{`{"a":1,"b":null}`, `{"a":1}`, true}, {`{"a":1}`, `{"b":null}`, true}, {`{"a":1}`, `{"a":2}`, false}, {`{"a":1}`, `{}`, true},
		{`null`, `{}`, true}, {`null`, `{"a":1}`, false}, {`[1,2]`, `[1,2]`, true}, {`[1,2]`, `[1]`, false}, {`[]`, `null`, false},
		{`{"a":{"b":[{"c":1,"d":2}]}}`, `{"a":{"b":[{"c":1}]}}`, false}, {`[{"c":1,"d":null}]`, `[{"c":1}]`, true},
		{`{"a":{"b":{"c":1,"d":2}}}`, `{"a":{"b":{"c":1}}}`, true}, {`"a"`, `{}`, false}, {`{}`, `"a"`, false}, {`[1]`, `1`, false},
	} {
		if got := says(value(c.now), value(c.said)); got != c.want {
			t.Errorf("%s against %s: %v", c.said, c.now, got)
		}
	}
	l := newLab(t)
	g := l.get("/v1.0/oauth2PermissionGrants/grant-1", l.admin()).want(200).body
	delete(g, "@odata.context")
	g["scope"] = "User.Read"
	l.do("PATCH", "/v1.0/oauth2PermissionGrants/grant-1", l.admin(), jsonText(g)).want(204)
	g["clientId"] = ada
	l.do("PATCH", "/v1.0/oauth2PermissionGrants/grant-1", l.admin(), jsonText(g)).refused(400, "Request_BadRequest")
}
