package graph

import (
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/world"
)

const (
	scopeA = "aaaa1111-0000-4000-8000-000000000001"
	scopeB = "aaaa1111-0000-4000-8000-000000000002"
	roleA  = "aaaa1111-0000-4000-8000-000000000003"
	wide   = `{"displayName":"Wide","description":"d","notes":"n","tags":["a","b"],"serviceManagementReference":"cmdb 5",
		"groupMembershipClaims":"SecurityGroup, ApplicationGroup","signInAudience":"AzureADMultipleOrgs","isFallbackPublicClient":true,
		"isDeviceOnlyAuthSupported":false,"defaultRedirectUri":"https://wide.contoso.com/in",
		"identifierUris":["https://wide.contoso.com","api://wide"],
		"info":{"marketingUrl":"https://wide.example/m","logoUrl":null},
		"optionalClaims":{"idToken":[{"name":"email","essential":true,"source":null,"additionalProperties":[]}],"accessToken":[{"name":"upn"}],"saml2Token":[]},
		"parentalControlSettings":{"countriesBlockedForMinors":["DE"],"legalAgeGroupRule":"Allow"},
		"web":{"redirectUris":["https://wide.contoso.com/in","http://localhost:8080/in"],"homePageUrl":"https://wide.contoso.com",
			"logoutUrl":"https://wide.contoso.com/out",
			"implicitGrantSettings":{"enableIdTokenIssuance":true},"redirectUriSettings":[{"uri":"https://wide.contoso.com/in","index":1}]},
		"spa":{"redirectUris":["https://wide.contoso.com/spa"]},"publicClient":{"redirectUris":["myapp://auth"]},
		"api":{"requestedAccessTokenVersion":2,"acceptMappedClaims":true,"knownClientApplications":["` + toolApp + `"],
			"oauth2PermissionScopes":[{"id":"` + scopeA + `","value":"Use.It","type":"User","isEnabled":true,"adminConsentDescription":"Use it",
				"adminConsentDisplayName":"Use","userConsentDescription":"You use it","userConsentDisplayName":"You use"}],
			"preAuthorizedApplications":[{"appId":"` + toolApp + `","delegatedPermissionIds":["` + scopeA + `"]}]},
		"appRoles":[{"id":"` + roleA + `","value":"Run.It","displayName":"Run","description":"Runs it",
			"allowedMemberTypes":["User","Application"],"isEnabled":true}],
		"requiredResourceAccess":[{"resourceAppId":"00000003-0000-0000-c000-000000000000",
			"resourceAccess":[{"id":"e1fe6dd8-ba31-4d61-89e7-88639da4683d","type":"Scope"}]}]}`
)

// at digs into an answer: at(m, "web", "redirectUris").
func at(v any, path ...string) any {
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

func TestMembersOfAnApplicationAreKept(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	a := l.do("POST", "/v1.0/applications", tok, wide).want(201)
	path := "/v1.0/applications/" + str(a.body, "id")
	want := map[string]string{
		"notes": `"n"`, "description": `"d"`, "tags": `["a","b"]`, "serviceManagementReference": `"cmdb 5"`, "info.marketingUrl": `"https://wide.example/m"`,
		"info.supportUrl": `null`, "groupMembershipClaims": `"SecurityGroup, ApplicationGroup"`, "web.logoutUrl": `"https://wide.contoso.com/out"`,
		"web.homePageUrl": `"https://wide.contoso.com"`, "web.implicitGrantSettings": `{"enableAccessTokenIssuance":false,"enableIdTokenIssuance":true}`,
		"web.redirectUriSettings":       `[{"index":1,"uri":"https://wide.contoso.com/in"},{"index":null,"uri":"http://localhost:8080/in"}]`,
		"spa.redirectUris":              `["https://wide.contoso.com/spa"]`,
		"publicClient.redirectUris":     `["myapp://auth"]`,
		"api.acceptMappedClaims":        `true`,
		"api.knownClientApplications":   `["` + toolApp + `"]`,
		"api.preAuthorizedApplications": `[{"appId":"` + toolApp + `","delegatedPermissionIds":["` + scopeA + `"]}]`,
		"isDeviceOnlyAuthSupported":     `false`,
		"optionalClaims.accessToken":    `[{"name":"upn"}]`,
		"samlMetadataUrl":               `null`,
	}
	check := func(when string) {
		t.Helper()
		got := l.get(path, tok).want(200).body
		for k, v := range want {
			if g := jsonText(at(got, strings.Split(k, ".")...)); g != v {
				t.Errorf("%s: %s is %s, want %s", when, k, g, v)
			}
		}
		role := objs(got, "appRoles")[0]
		if jsonText(role["allowedMemberTypes"]) != `["User","Application"]` || str(role, "description") != "Runs it" {
			t.Errorf("%s: role %v", when, role)
		}
		scope := objs(inner(got, "api"), "oauth2PermissionScopes")[0]
		if str(scope, "userConsentDescription") != "You use it" || scope["isEnabled"] != true {
			t.Errorf("%s: scope %v", when, scope)
		}
	}
	check("created")
	// PATCH changes what it says, and nothing beside it.
	l.do("PATCH", path, tok, `{"notes":null,"web":{"logoutUrl":null},"tags":[]}`).want(204)
	want["notes"], want["web.logoutUrl"], want["tags"] = "null", "null", "[]"
	check("changed")
	// What was read may be sent back whole.
	back := l.get(path, tok).body
	delete(back, "@odata.context")
	l.do("PATCH", path, tok, jsonText(back)).want(204)
	check("sent back")
	if ids := l.get("/beta/applications/"+str(a.body, "id"), tok).body; jsonText(at(ids, "api", "preAuthorizedApplications")) !=
		`[{"appId":"`+toolApp+`","permissionIds":["`+scopeA+`"]}]` {
		t.Errorf("beta's name of permissions: %v", at(ids, "api"))
	}
	l.do("PATCH", strings.Replace(path, "v1.0", "beta", 1), tok,
		`{"api":{"preAuthorizedApplications":[{"appId":"`+toolApp+`","permissionIds":["`+scopeA+`"]}]}}`).
		want(204)
	check("changed by beta")
}

func TestApplicationsAreJudged(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	scope := func(id, value string, on bool) string {
		return fmt.Sprintf(`{"id":"%s","value":"%s","type":"User","isEnabled":%v,"adminConsentDescription":"d","adminConsentDisplayName":"n"}`, id, value, on)
	}
	role := func(id, value, name string) string {
		return fmt.Sprintf(`{"id":"%s","value":"%s","displayName":"%s","description":"d","allowedMemberTypes":["Application"],"isEnabled":true}`,
			id, value, name)
	}
	for name, c := range map[string]struct{ body, code string }{
		"http elsewhere":       {`"web":{"redirectUris":["http://wide.example/in"]}`, "Request_BadRequest"},
		"a fragment":           {`"web":{"redirectUris":["https://wide.example/#in"]}`, "Request_BadRequest"},
		"a scheme on the web":  {`"spa":{"redirectUris":["myapp://auth"]}`, "Request_BadRequest"},
		"no address":           {`"publicClient":{"redirectUris":["auth"]}`, "Request_BadRequest"},
		"an address twice":     {`"web":{"redirectUris":["https://a.example","https://a.example"]}`, "Request_BadRequest"},
		"a foreign domain":     {`"identifierUris":["https://fabrikam.com"]`, "HostNameNotOnVerifiedDomain"},
		"no identifier":        {`"identifierUris":["wide"]`, "Request_BadRequest"},
		"somebody's":           {`"identifierUris":["api://` + toolApp + `"]`, "Request_BadRequest"},
		"a scope's id twice":   {`"api":{"oauth2PermissionScopes":[` + scope(scopeA, "A", true) + `,` + scope(scopeA, "B", true) + `]}`, "Request_BadRequest"},
		"a scope twice":        {`"api":{"oauth2PermissionScopes":[` + scope(scopeA, "A", true) + `,` + scope(scopeB, "A", true) + `]}`, "Request_BadRequest"},
		"a scope with a space": {`"api":{"oauth2PermissionScopes":[` + scope(scopeA, "A B", true) + `]}`, "Request_BadRequest"},
		"a scope without GUID": {`"api":{"oauth2PermissionScopes":[` + scope("x", "A", true) + `]}`, "Request_BadRequest"},
		"scope and role": {`"api":{"oauth2PermissionScopes":[` + scope(scopeA, "A", true) + `]},
			"appRoles":[` + role(roleA, "A", "n") + `]`, "Request_BadRequest"},
		"one id, two meanings": {`"api":{"oauth2PermissionScopes":[` + scope(scopeA, "A", true) + `]},
			"appRoles":[` + role(scopeA, "A", "other") + `]`, "Request_BadRequest"},
		"another origin": {`"appRoles":[` + strings.Replace(role(roleA, "A", "n"), "{", `{"origin":"ServicePrincipal",`, 1) + `]`, "Request_BadRequest"},
		"a role for nobody": {`"appRoles":[{"id":"` + roleA + `","value":"A","displayName":"n","description":"d",
			"allowedMemberTypes":[]}]`, "Request_BadRequest"},
		"a role for machines": {`"appRoles":[{"id":"` + roleA + `","value":"A","displayName":"n","description":"d",
			"allowedMemberTypes":["Machine"]}]`, "Request_BadRequest"},
		"version 3":        {`"api":{"requestedAccessTokenVersion":3}`, "Request_BadRequest"},
		"personal with v1": {`"signInAudience":"AzureADandPersonalMicrosoftAccount"`, "Request_BadRequest"},
		"groups of a kind": {`"groupMembershipClaims":"Everyone"`, "Request_BadRequest"},
		"pre-authorized for nothing": {`"api":{"preAuthorizedApplications":[{"appId":"` + toolApp + `","delegatedPermissionIds":["` + scopeB + `"]}]}`,
			"InvalidPreAuthorizedApplication"},
		"a claim without a name": {`"optionalClaims":{"idToken":[{"essential":true,"kind":"x"}]}`, "Request_BadRequest"},
		"an unknown member":      {`"web":{"frobnicate":1}`, "Request_BadRequest"},
		"a resource twice": {`"requiredResourceAccess":[{"resourceAppId":"00000003-0000-0000-c000-000000000000","resourceAccess":[]},
			{"resourceAppId":"00000003-0000-0000-C000-000000000000","resourceAccess":[]}]`, "Request_BadRequest"},
		"another's app id": {`"appId":"` + toolApp + `"`, "Request_BadRequest"},
	} {
		if a := l.do("POST", "/v1.0/applications", tok, `{"displayName":"J",`+c.body+`}`); a.code != 400 || a.errorCode() != c.code {
			t.Errorf("%s: %d %s: %.300s", name, a.code, a.errorCode(), a.raw)
		}
	}
	good := `{"displayName":"J","api":{"requestedAccessTokenVersion":2,"oauth2PermissionScopes":[` + scope(scopeA, "A", true) + `]},
		"signInAudience":"AzureADandPersonalMicrosoftAccount","appRoles":[` + role(scopeA, "A", "n") + `]}`
	path := "/v1.0/applications/" + str(l.do("POST", "/v1.0/applications", tok, good).want(201).body, "id")
	// Enabled permissions stay; disabled ones go.
	l.do("PATCH", path, tok, `{"appRoles":[]}`).refused(400, "CannotDeleteOrUpdateEnabledEntitlement")
	l.do("PATCH", path, tok, `{"appRoles":[`+role(scopeA, "Renamed", "n")+`],"api":{"oauth2PermissionScopes":[`+scope(scopeA, "Renamed", true)+`]}}`).
		refused(400, "CannotDeleteOrUpdateEnabledEntitlement")
	off := strings.ReplaceAll(role(scopeA, "A", "n"), `"isEnabled":true`, `"isEnabled":false`)
	l.do("PATCH", path, tok, `{"appRoles":[`+off+`],"api":{"oauth2PermissionScopes":[`+scope(scopeA, "A", false)+`]}}`).want(204)
	l.do("PATCH", path, tok, `{"appRoles":[],"api":{"oauth2PermissionScopes":[]}}`).want(204)
}

// A disabled permission is published no more, and shown as what it is.
func TestADisabledPermissionCannotBeGranted(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	l.do("PATCH", "/v1.0/applications/"+toolObj, tok, `{"appRoles":[{"id":"12121212-0000-4000-8000-000000000002","value":"Run",
		"displayName":"Run","description":"d","allowedMemberTypes":["Application"],"isEnabled":false}]}`).want(204)
	sp := l.get("/v1.0/servicePrincipals(appId='"+toolApp+"')", tok).want(200).body
	if r := objs(sp, "appRoles"); len(r) != 1 || r[0]["isEnabled"] != false {
		t.Errorf("roles %v", r)
	}
	l.w.Read(func(s *world.State) {
		if r := s.Resource(toolApp); len(r.Roles) != 0 || len(r.Scopes) != 1 {
			t.Errorf("published: %v %v", r.Roles, r.Scopes)
		}
	})
	l.do("POST", "/v1.0/servicePrincipals/"+str(sp, "id")+"/appRoleAssignedTo", tok, `{"principalId":"`+plain+`","resourceId":"`+str(sp, "id")+
		`","appRoleId":"12121212-0000-4000-8000-000000000002"}`).want(400)
}

func TestOwnersOfApplications(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	spID := str(l.get("/v1.0/servicePrincipals(appId='"+toolApp+"')", tok).body, "id")
	ref := func(id string) string {
		return `{"@odata.id":"https://graph.microsoft.com/beta/` + partnerID + `/directoryObjects/` + id + `"}`
	}
	for _, base := range []string{"/v1.0/applications/" + toolObj, "/v1.0/applications(appId='" + toolApp + "')", "/v1.0/servicePrincipals/" + spID} {
		if got := l.get(base+"/owners", tok).ids(); len(got) != 0 {
			t.Fatalf("%s: owners %v", base, got)
		}
		l.do("POST", base+"/owners/$ref", tok, ref(plain)).want(204)
		l.do("POST", base+"/owners/$ref", tok, ref(plain)).refused(400, "Request_BadRequest")
		l.do("POST", base+"/owners/$ref", tok, ref(agents)).refused(400, "Request_BadRequest")
		l.do("POST", base+"/owners/$ref", tok, ref(carla)).refused(404, "Request_ResourceNotFound")
		if got := l.get(base+"/owners?$select=id", tok).ids(); len(got) != 1 || got[0] != plain {
			t.Errorf("%s: owners %v", base, got)
		}
		got := l.get(base+"/owners/"+plain+"/$ref?$select=id,url", tok).want(200).body
		if str(got, "id") != plain || str(got, "@odata.type") != "#microsoft.graph.user" {
			t.Errorf("%s: reference %v", base, got)
		}
		l.get(base+"/owners/"+rhea+"/$ref", tok).want(404)
		l.do("DELETE", base+"/owners/"+rhea+"/$ref", tok, "").want(404)
		if got := l.get("/v1.0/users/"+plain+"/ownedObjects", tok).ids(); len(got) != 1 {
			t.Errorf("%s: owned %v", base, got)
		}
		l.do("DELETE", base+"/owners/"+plain+"/$ref", tok, "").want(204)
	}
	// Who makes an application owns it, or whom the maker names.
	a := l.do("POST", "/v1.0/applications", tok, `{"displayName":"Mine"}`).want(201)
	if got := l.get("/v1.0/applications/"+str(a.body, "id")+"/owners", tok).ids(); len(got) != 1 || got[0] != ada {
		t.Errorf("owners %v", got)
	}
	b := l.do("POST", "/v1.0/applications", tok, `{"displayName":"His",
		"owners@odata.bind":["https://graph.microsoft.com/v1.0/directoryObjects/`+spID+`"]}`).want(201)
	if got := l.get("/v1.0/applications/"+str(b.body, "id")+"/owners", tok).ids(); len(got) != 1 || got[0] != spID {
		t.Errorf("owners %v", got)
	}
	if got := l.get("/v1.0/servicePrincipals/"+spID+"/ownedObjects", tok).ids(); len(got) != 1 || got[0] != str(b.body, "id") {
		t.Errorf("owned %v", got)
	}
}

func TestServicePrincipals(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	app := l.do("POST", "/v1.0/applications", tok, wide).want(201).body
	sp := l.do("POST", "/v1.0/servicePrincipals", tok, `{"appId":"`+str(app, "appId")+`","notes":"why","tags":["x"],"loginUrl":"https://wide.contoso.com/login",
		"notificationEmailAddresses":["ops@contoso.com"],"preferredSingleSignOnMode":"saml","appRoleAssignmentRequired":true}`).want(201).body
	path := "/v1.0/servicePrincipals/" + str(sp, "id")
	got := l.get(path, tok).want(200).body
	for k, v := range map[string]string{
		"notes": `"why"`, "loginUrl": `"https://wide.contoso.com/login"`, "notificationEmailAddresses": `["ops@contoso.com"]`, "tags": `["x"]`,
		"preferredSingleSignOnMode": `"saml"`, "appRoleAssignmentRequired": "true", "homepage": `"https://wide.contoso.com"`, "appDescription": `"d"`,
		"logoutUrl": `"https://wide.contoso.com/out"`, "alternativeNames": "[]", "samlSingleSignOnSettings": "null",
	} {
		if g := jsonText(got[k]); g != v {
			t.Errorf("%s is %s, want %s", k, g, v)
		}
	}
	delete(got, "@odata.context")
	l.do("PATCH", path, tok, jsonText(got)).want(204) // sent back whole
	l.do("PATCH", path, tok, `{"displayName":"Other"}`).refused(400, "Request_BadRequest")
	l.do("PATCH", path, tok, `{"preferredSingleSignOnMode":"magic"}`).refused(400, "Request_BadRequest")
	l.do("PATCH", path, tok, `{"notificationEmailAddresses":["nobody"]}`).refused(400, "Request_BadRequest")
	l.do("PATCH", path, tok, `{"appRoles":[{"value":"x"}]}`).refused(400, "Request_BadRequest")
	l.do("PATCH", path, tok, `{"samlSingleSignOnSettings":{"relayState":"r"}}`).want(204)

	secret := l.do("POST", path+"/addPassword", tok, `{"passwordCredential":{"displayName":"sp"}}`).want(200).body
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant().SPs.Get(str(sp, "id"))
		if len(p.Passwords) != 1 || p.Passwords[0].Hash != world.HashSecret(str(secret, "secretText")) {
			t.Error("the secret is not kept as the authority looks for it")
		}
	})
	l.do("POST", path+"/removePassword", tok, `{"keyId":"`+str(secret, "keyId")+`"}`).want(204)
	l.do("POST", path+"/removePassword", tok, `{"keyId":"`+str(secret, "keyId")+`"}`).want(400)
	if rows := l.get(path+"/transitiveMemberOf", tok).rows(); len(rows) != 0 {
		t.Errorf("memberships %v", rows)
	}
	l.get(path+"/delegatedPermissionClassifications", tok).refused(501, "NotImplemented")
}

func TestUpsertOfAnApplication(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	l.do("PATCH", "/v1.0/applications(appId='"+toolApp+"')", tok, `{"notes":"by app id"}`).want(204)
	unknown := "/v1.0/applications(uniqueName='pipeline')"
	l.do("PATCH", unknown, tok, `{"displayName":"Pipeline"}`).want(404)
	a := l.do("PATCH", unknown, tok, `{"displayName":"Pipeline"}`, "Prefer", "create-if-missing").want(201)
	if a.header.Get("Preference-Applied") != "create-if-missing" || str(a.body, "uniqueName") != "pipeline" {
		t.Errorf("%v %s", a.header, a.raw)
	}
	l.do("PATCH", unknown, tok, `{"notes":"again"}`, "Prefer", "create-if-missing").want(204)
	if got := l.get(unknown, tok).want(200).body; str(got, "notes") != "again" || str(got, "id") != str(a.body, "id") {
		t.Errorf("%v", got)
	}
	l.do("PATCH", "/v1.0/applications(appId='"+plain+"')", tok, `{"displayName":"x"}`, "Prefer", "create-if-missing").want(404)
}

// What is left out answers by its name, whatever is sent to it.
func TestLeftOutByName(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	for _, c := range []struct{ method, path, body, media string }{
		{"PUT", "/v1.0/applications/" + toolObj + "/logo", "\x89PNG", "image/png"}, {"GET", "/v1.0/applications/" + toolObj + "/logo", "", ""},
		{"GET", "/v1.0/directory/recovery/snapshots", "", ""}, {"POST", "/v1.0/directory/recovery/snapshots/1/recoveryJobs", "{}", "application/json"},
		{"POST", "/v1.0/policies/featureRolloutPolicies", "{}", "application/json"},
		{"POST", "/v1.0/servicePrincipals/" + toolObj + "/addTokenSigningCertificate", "{}", "application/json"},
		{"GET", "/v1.0/me/messages", "", ""}, {"POST", "/v1.0/users/x/sendMail", "{}", "application/json"}, {"GET", "/v1.0/groups/x/drive/root", "", ""},
		{"GET", "/beta/deviceManagement/managedDevices", "", ""}, {"GET", "/v1.0/sites/root", "", ""}, {"GET", "/v1.0/directory/subscriptions", "", ""},
	} {
		a := l.do(c.method, c.path, tok, c.body, "Content-Type", c.media).refused(501, "NotImplemented")
		if !strings.Contains(string(a.raw), "is not part of the partner cloud") {
			t.Errorf("%s: %s", c.path, a.raw)
		}
	}
}

// A deleted application lies in the bin for 30 days, its service principal beside it.
func TestADeletedApplicationCanBeRestored(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	before := l.get("/v1.0/applications/"+toolObj, tok).body
	sp := str(l.get("/v1.0/servicePrincipals(appId='"+toolApp+"')", tok).body, "id")
	l.do("DELETE", "/v1.0/applications/"+toolObj, tok, "").want(204)
	l.get("/v1.0/servicePrincipals/"+sp, tok).want(404)
	if ids := l.get("/v1.0/directory/deletedItems/microsoft.graph.application", tok).ids(); len(ids) != 1 || ids[0] != toolObj {
		t.Errorf("in the bin: %v", ids)
	}
	l.do("POST", "/v1.0/directory/deletedItems/"+toolObj+"/restore", tok, "").want(200)
	l.do("POST", "/v1.0/directory/deletedItems/"+sp+"/restore", tok, "").want(200)
	if after := l.get("/v1.0/applications/"+toolObj, tok).want(200).body; jsonText(after) != jsonText(before) {
		t.Errorf("restored otherwise than it was: %v", after)
	}
	if rows := l.get("/v1.0/servicePrincipals/"+sp+"/appRoleAssignments", tok).rows(); len(rows) != 1 {
		t.Errorf("its permissions: %v", rows)
	}
}

func TestWhatHangsOnApplications(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	l.do("POST", "/v1.0/applications/"+toolObj+"/owners/$ref", tok, `{"@odata.id":"https://graph.microsoft.com/v1.0/users/`+plain+`"}`).want(204)
	got := l.get("/v1.0/applications/"+toolObj+"?$expand=owners", tok).want(200).body
	if len(objs(got, "owners")) != 1 || str(objs(got, "owners")[0], "id") != plain {
		t.Errorf("owners %v", got["owners"])
	}
	rows := l.get("/v1.0/servicePrincipals?$filter=appId eq '"+toolApp+"'&$expand=appRoleAssignments", tok).rows()
	if len(rows) != 1 || len(objs(rows[0], "appRoleAssignments")) != 1 ||
		str(objs(rows[0], "appRoleAssignments")[0], "resourceDisplayName") != "Microsoft Graph" {
		t.Errorf("%v", rows)
	}
	for path, want := range map[string]string{
		"applications/" + toolObj + "/appRoles":                                     "Run",
		"servicePrincipals(appId='" + toolApp + "')/oauth2PermissionScopes":         "Use",
		"servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/appRoles":  "User.Read.All",
		"applications/" + toolObj + "/passwordCredentials":                          "",
		"servicePrincipals(appId='" + toolApp + "')?$expand=oauth2PermissionGrants": "",
		"servicePrincipals(appId='" + toolApp + "')?$expand=owners":                 "",
		"servicePrincipals(appId='" + toolApp + "')?$expand=appRoleAssignedTo":      "",
		"servicePrincipals(appId='" + toolApp + "')?$expand=memberOf":               "",
		"servicePrincipals(appId='" + toolApp + "')?$expand=ownedObjects":           "",
		"applications(appId='" + toolApp + "')/identifierUris":                      "",
	} {
		a := l.get("/v1.0/"+path, tok).want(200)
		if want != "" && !strings.Contains(string(a.raw), `"value":"`+want+`"`) {
			t.Errorf("%s: %.300s", path, a.raw)
		}
	}
}
