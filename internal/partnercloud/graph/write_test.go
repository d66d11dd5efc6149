package graph

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// audits gives the activities in the tenant's audit log, oldest first.
func (l *lab) audits(tenant string) (out []string) {
	l.w.Read(func(s *world.State) {
		for _, a := range s.Tenant(tenant).Audits {
			out = append(out, a.Activity)
		}
	})
	return out
}

func TestEveryWriteIsAudited(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	newID := ""
	steps := []struct {
		method, path, body string
		want               int
		activity           string
	}{
		{"POST", "users", `{"accountEnabled":true,"displayName":"Nia","mailNickname":"nia","userPrincipalName":"nia@contoso.com","passwordProfile":{"password":"Correct-Horse-1","forceChangePasswordNextSignIn":false}}`, 201, "Add user"},
		{"PATCH", "users/NEW", `{"jobTitle":"x","accountEnabled":false}`, 204, "Update user"},
		{"PATCH", "users/NEW", `{"passwordProfile":{"password":"Correct-Horse-2"}}`, 204, "Reset user password"},
		{"POST", "users/NEW/revokeSignInSessions", ``, 200, "Update StsRefreshTokenValidFrom Timestamp"},
		{"POST", "users/NEW/authentication/externalAuthenticationMethods", `{"configurationId":"ext-1","displayName":"Other"}`, 201, "Admin registered security info"},
		{"DELETE", "users/" + rhea + "/authentication/softwareOathMethods/99999999-0000-4000-8000-000000000001", ``, 204, "Admin deleted security info"},
		{"DELETE", "users/NEW", ``, 204, "Delete user"},
		{"POST", "groups", `{"displayName":"G","mailEnabled":false,"mailNickname":"g","securityEnabled":true,"members@odata.bind":["https://graph.microsoft.com/v1.0/users/` + plain + `"]}`, 201, "Add group"},
		{"PATCH", "groups/NEW", `{"description":"x"}`, 204, "Update group"},
		{"POST", "groups/NEW/members/$ref", `{"@odata.id":"` + rhea + `"}`, 204, "Add member to group"},
		{"DELETE", "groups/NEW/members/" + rhea + "/$ref", ``, 204, "Remove member from group"},
		{"DELETE", "groups/NEW", ``, 204, "Delete group"},
		{"POST", "identity/conditionalAccess/namedLocations", `{"@odata.type":"#microsoft.graph.countryNamedLocation","displayName":"DACH","countriesAndRegions":["DE","AT"],"includeUnknownCountriesAndRegions":false}`, 201, "Add named location"},
		{"PATCH", "identity/conditionalAccess/namedLocations/NEW", `{"@odata.type":"#microsoft.graph.countryNamedLocation","displayName":"D"}`, 204, "Update named location"},
		{"DELETE", "identity/conditionalAccess/namedLocations/NEW", ``, 204, "Delete named location"},
		{"POST", "identity/conditionalAccess/policies", `{"displayName":"P","state":"enabledForReportingButNotEnforced","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, 201, "Add conditional access policy"},
		{"PATCH", "identity/conditionalAccess/policies/NEW", `{"state":"enabled"}`, 204, "Update conditional access policy"},
		{"DELETE", "identity/conditionalAccess/policies/NEW", ``, 204, "Delete conditional access policy"},
		{"POST", "policies/authenticationStrengthPolicies", `{"displayName":"Keys","allowedCombinations":["fido2"]}`, 201, "Add authentication strength policy"},
		{"PATCH", "policies/authenticationStrengthPolicies/NEW", `{"description":"x"}`, 204, "Update authentication strength policy"},
		{"DELETE", "policies/authenticationStrengthPolicies/NEW", ``, 204, "Delete authentication strength policy"},
		{"PATCH", "policies/authenticationMethodsPolicy", `{"policyMigrationState":"migrationInProgress"}`, 204, "Authentication Methods Policy Update"},
		{"PATCH", "policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Fido2", `{"state":"disabled"}`, 204, "Authentication Methods Policy Update"},
		{"POST", "applications", `{"displayName":"A"}`, 201, "Add application"},
		{"PATCH", "applications/NEW", `{"displayName":"B","web":{"redirectUris":["https://b.example"]}}`, 204, "Update application"},
		{"POST", "applications/NEW/addPassword", `{"passwordCredential":{"displayName":"s"}}`, 200, "Update application \u2013 Certificates and secrets management"},
		{"POST", "applications/NEW/federatedIdentityCredentials", `{"name":"n","issuer":"https://i.example","subject":"s","audiences":["api://AzureADTokenExchange"]}`, 201, "Update application \u2013 Certificates and secrets management"},
		{"POST", "servicePrincipals", `{"appId":"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}`, 201, "Add service principal"},
		{"PATCH", "servicePrincipals/NEW", `{"accountEnabled":false}`, 204, "Update service principal"},
		{"DELETE", "servicePrincipals/NEW", ``, 204, "Remove service principal"},
		{"PATCH", "oauth2PermissionGrants/grant-1", `{"scope":"User.Read"}`, 204, "Update delegated permission grant"},
		{"DELETE", "oauth2PermissionGrants/grant-1", ``, 204, "Remove delegated permission grant"},
		{"POST", "roleManagement/directory/roleAssignments", `{"principalId":"` + plain + `","roleDefinitionId":"` + entra.RoleGlobalReader + `","directoryScopeId":"/"}`, 201, "Add member to role"},
		{"DELETE", "roleManagement/directory/roleAssignments/NEW", ``, 204, "Remove member from role"},
		{"POST", "identityProtection/riskyUsers/dismiss", `{"userIds":["` + plain + `"]}`, 204, "DismissUser"},
		{"POST", "tenantRelationships/delegatedAdminRelationships", `{"displayName":"R","duration":"P30D","customer":{"tenantId":"` + freeID + `"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"` + entra.RoleGlobalReader + `"}]}}`, 201, "Create delegated admin relationship"},
	}
	for _, s := range steps {
		before := len(l.audits(partnerID))
		path := strings.ReplaceAll(s.path, "NEW", newID)
		a := l.do(s.method, "/v1.0/"+path, tok, s.body)
		if a.code != s.want {
			t.Fatalf("%s %s: %d, want %d: %.300s", s.method, path, a.code, s.want, a.raw)
		}
		if a.code == 201 && !strings.Contains(path, newID+"/") || newID == "" {
			newID = str(a.body, "id")
			if loc := a.header.Get("Location"); !strings.HasSuffix(loc, newID) {
				t.Errorf("%s: Location %q", path, loc)
			}
		}
		after := l.audits(partnerID)
		if len(after) != before+1 || after[len(after)-1] != s.activity {
			t.Errorf("%s %s: audit rows %v, want one more: %s", s.method, path, after[before:], s.activity)
		}
	}
	// What was written can be read back from the log, with its properties and its author.
	rows := l.get("/v1.0/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Update user'", tok).rows()
	if len(rows) != 1 || str(inner(inner(rows[0], "initiatedBy"), "user"), "id") != ada || len(objs(objs(rows[0], "targetResources")[0], "modifiedProperties")) == 0 {
		t.Errorf("the row of the change: %v", rows)
	}
	for _, a := range l.audits(partnerID) {
		if strings.Contains(a, "Correct-Horse") {
			t.Error("a password is in the log")
		}
	}
	l.w.Read(func(s *world.State) {
		for _, a := range s.PartnerTenant().Audits {
			for _, x := range a.Targets {
				for _, m := range x.Modified {
					if strings.Contains(m.New+m.Old, "Correct-Horse") {
						t.Error("a password is in the log")
					}
				}
			}
		}
	})
}

func TestSecretsAreShownOnce(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	a := l.do("POST", "/v1.0/applications/"+toolObj+"/addPassword", tok, `{}`).want(200)
	secret := str(a.body, "secretText")
	if len(secret) < 32 {
		t.Fatalf("secret %q", secret)
	}
	var hash string
	l.w.Read(func(s *world.State) {
		_, app := s.App(toolApp)
		hash = app.Passwords[len(app.Passwords)-1].Hash
	})
	if hash != world.HashSecret(secret) {
		t.Error("the authority would not know the secret")
	}
	for _, p := range []string{"/v1.0/applications/" + toolObj, "/v1.0/auditLogs/directoryAudits"} {
		if bytes.Contains(l.get(p, tok).raw, []byte(secret)) {
			t.Errorf("%s shows the secret", p)
		}
	}
	l.do("POST", "/v1.0/applications/"+toolObj+"/removePassword", tok, `{"keyId":"`+str(a.body, "keyId")+`"}`).want(204)
}

func TestWritesNeedPermissionAndRole(t *testing.T) {
	l := newLab(t)
	for name, c := range map[string]struct {
		method, path, token, body string
		want                      int
	}{
		"User Administrator changes a user":            {"PATCH", "users/" + plain, l.token(partnerID, ursa, "User.ReadWrite.All"), `{"jobTitle":"x"}`, 204},
		"not without ReadWrite":                        {"PATCH", "users/" + plain, l.token(partnerID, ursa, "User.Read.All"), `{"jobTitle":"x"}`, 403},
		"not without the role":                         {"PATCH", "users/" + plain, l.token(partnerID, plain, "User.ReadWrite.All"), `{"jobTitle":"x"}`, 403},
		"not the password of a Global Administrator":   {"PATCH", "users/" + ada, l.token(partnerID, ursa, "User.ReadWrite.All"), `{"passwordProfile":{"password":"Correct-Horse-1"}}`, 403},
		"not revoke a Global Administrator":            {"POST", "users/" + ada + "/revokeSignInSessions", l.token(partnerID, ursa, "User.RevokeSessions.All"), ``, 403},
		"an app by permission":                         {"PATCH", "users/" + plain, l.app(partnerID, "User.ReadWrite.All"), `{"jobTitle":"y"}`, 204},
		"policies need Policy.Read.All too":            {"DELETE", "identity/conditionalAccess/policies/" + polID, l.token(partnerID, ada, "Policy.ReadWrite.ConditionalAccess"), ``, 403},
		"policies need a role":                         {"DELETE", "identity/conditionalAccess/policies/" + polID, l.token(partnerID, ursa, everything()), ``, 403},
		"an owner edits the group":                     {"POST", "groups/" + agents + "/members/$ref", l.token(partnerID, ada, "GroupMember.ReadWrite.All"), `{"@odata.id":"` + plain + `"}`, 204},
		"a stranger does not":                          {"POST", "groups/" + nested + "/members/$ref", l.token(partnerID, plain, "GroupMember.ReadWrite.All"), `{"@odata.id":"` + plain + `"}`, 403},
		"AOBO with reading roles writes nothing":       {"PATCH", "users/" + carla, l.aobo(ada, customerID, everything()), `{"jobTitle":"x"}`, 403},
		"AOBO by DAP is a Global Administrator":        {"PATCH", "users/cccccccc-0000-4000-8000-000000000009", l.aobo(agent, freeID, everything()), `{"jobTitle":"x"}`, 204},
		"roles are for Privileged Role Administrators": {"POST", "roleManagement/directory/roleAssignments", l.token(partnerID, ursa, everything()), `{"principalId":"` + plain + `","roleDefinitionId":"` + entra.RoleGlobalAdministrator + `","directoryScopeId":"/"}`, 403},
		"a relationship without MFA": {"POST", "tenantRelationships/delegatedAdminRelationships", func() string {
			c := l.claims(partnerID, ada, everything())
			c.AMR = []string{"pwd", "ngcmfa"}
			return l.sign(c)
		}(), `{}`, 403},
	} {
		if a := l.do(c.method, "/v1.0/"+c.path, c.token, c.body); a.code != c.want {
			t.Errorf("%s: %d, want %d: %.200s", name, a.code, c.want, a.raw)
		}
	}
}

func TestPolicyWritesAreJudged(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	body := func(users, apps, grant, more string) string {
		return fmt.Sprintf(`{"displayName":"P","state":"enabled","conditions":{"users":{%s},"applications":{%s},"clientAppTypes":["all"]%s},"grantControls":%s}`, users, apps, more, grant)
	}
	all, apps, mfa := `"includeUsers":["All"]`, `"includeApplications":["All"]`, `{"operator":"OR","builtInControls":["mfa"]}`
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"good":                    {body(all, apps, mfa, ""), 201},
		"unknown user":            {body(`"includeUsers":["`+carla+`"]`, apps, mfa, ""), 400},
		"unknown excluded user":   {body(all+`,"excludeUsers":["`+carla+`"]`, apps, mfa, ""), 400},
		"unknown group":           {body(`"includeGroups":["`+carla+`"]`, apps, mfa, ""), 400},
		"unknown role":            {body(`"includeRoles":["`+carla+`"]`, apps, mfa, ""), 400},
		"unknown location":        {body(all, apps, mfa, `,"locations":{"includeLocations":["`+carla+`"]}`), 400},
		"known location":          {body(all, apps, mfa, `,"locations":{"includeLocations":["All"],"excludeLocations":["`+locID+`"]}`), 201},
		"no application":          {body(all, apps[:24]+`]`, mfa, ""), 400},
		"odd application":         {body(all, `"includeApplications":["Everything"]`, mfa, ""), 400},
		"no users":                {body(``, apps, mfa, ""), 400},
		"no controls":             {body(all, apps, `null`, ""), 400},
		"block with mfa":          {body(all, apps, `{"operator":"OR","builtInControls":["block","mfa"]}`, ""), 400},
		"dangling strength":       {body(all, apps, `{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"`+carla+`"}}`, ""), 400},
		"strength":                {body(all, apps, `{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"`+strID+`"}}`, ""), 201},
		"unknown control":         {body(all, apps, `{"operator":"OR","builtInControls":["mfaa"]}`, ""), 400},
		"unknown member":          {body(all, apps, mfa, `,"weather":"rain"`), 400},
		"unknown state":           {strings.Replace(body(all, apps, mfa, ""), `"enabled"`, `"on"`, 1), 400},
		"unknown client app type": {strings.Replace(body(all, apps, mfa, ""), `["all"]`, `["telnet"]`, 1), 400},
	} {
		if a := l.do("POST", "/v1.0/identity/conditionalAccess/policies", tok, c.body); a.code != c.want {
			t.Errorf("%s: %d, want %d: %.250s", name, a.code, c.want, a.raw)
		}
	}
	good := body(all, apps, mfa, "")
	free := l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything())
	l.do("POST", "/v1.0/identity/conditionalAccess/policies", free, good).refused(403, "AccessDenied") // no P1
	cust := l.token(customerID, carla, everything())
	l.do("POST", "/v1.0/identity/conditionalAccess/policies", cust, body(all, apps, mfa, `,"signInRiskLevels":["high"]`)).refused(403, "AccessDenied") // no P2
	// Security defaults and enabled policies exclude each other, both ways.
	def := "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
	l.do("PATCH", def, tok, `{"isEnabled":true}`).want(400)
	l.do("PATCH", def, cust, `{"isEnabled":true}`).want(204)
	l.do("POST", "/v1.0/identity/conditionalAccess/policies", cust, good).want(400)
	report := strings.Replace(good, `"enabled"`, `"enabledForReportingButNotEnforced"`, 1)
	id := str(l.do("POST", "/v1.0/identity/conditionalAccess/policies", cust, report).want(201).body, "id")
	l.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+id, cust, `{"state":"enabled"}`).want(400)
	l.do("PATCH", def, cust, `{"isEnabled":false}`).want(204)
	l.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+id, cust, `{"state":"enabled"}`).want(204)
	l.do("DELETE", "/v1.0/policies/authenticationStrengthPolicies/"+strID, tok, "").want(400)
	l.do("DELETE", "/v1.0/identity/conditionalAccess/namedLocations/"+locID, tok, "").want(400)
	// A policy read and written back changes nothing.
	p := l.get("/v1.0/identity/conditionalAccess/policies/"+polID, tok, "Prefer", "include-unknown-enum-members").want(200)
	l.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+polID, tok, string(p.raw)).want(204)
	// It decides at once: the engine sees the new policy.
	l.w.Read(func(s *world.State) {
		c := s.Tenant(customerID)
		if n := len(s.Engine(c).Tenant().Policies); n != 1 {
			t.Errorf("the engine sees %d policies", n)
		}
	})
}

func TestWhatIf(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	ask := func(conditions string, more string) map[string]any {
		a := l.do("POST", "/v1.0/identity/conditionalAccess/evaluate", tok, `{"signInIdentity":{"@odata.type":"#microsoft.graph.userSignIn","userId":"`+plain+`"},"signInContext":{"@odata.type":"#microsoft.graph.applicationContext","includeApplications":["`+entra.AppGraph+`"]},"signInConditions":{`+conditions+`}`+more+`}`)
		rows := a.rows()
		if len(rows) == 0 {
			return nil
		}
		return rows[0]
	}
	for name, c := range map[string]struct {
		conditions string
		applies    bool
		reason     string
	}{
		"it applies":         {`"devicePlatform":"linux","clientAppType":"browser","ipAddress":"203.0.113.5","country":"DE"`, true, "notSet"},
		"another platform":   {`"devicePlatform":"windows","clientAppType":"browser","ipAddress":"203.0.113.5","country":"DE"`, false, "devicePlatform"},
		"a trusted place":    {`"devicePlatform":"linux","clientAppType":"browser","ipAddress":"192.0.2.9","country":"DE"`, false, "location"},
		"both":               {`"devicePlatform":"windows","clientAppType":"browser","ipAddress":"192.0.2.9","country":"DE"`, false, "devicePlatform,location"},
		"nothing said of it": {`"clientAppType":"browser"`, false, "notEnoughInformation"},
	} {
		r := ask(c.conditions, "")
		if r["policyApplies"] != c.applies || str(r, "analysisReasons") != c.reason {
			t.Errorf("%s: %v %q, want %v %q", name, r["policyApplies"], r["analysisReasons"], c.applies, c.reason)
		}
	}
	if r := ask(`"devicePlatform":"windows"`, `,"appliedPoliciesOnly":true`); r != nil {
		t.Errorf("appliedPoliciesOnly gave %v", r)
	}
	s := readSchema(t, "v1.0")
	r := ask(`"devicePlatform":"linux","ipAddress":"203.0.113.5"`, "")
	s.check("evaluate", "microsoft.graph.whatIfAnalysisResult", map[string]any(r), t.Errorf)
	l.do("POST", "/v1.0/identity/conditionalAccess/evaluate", tok, `{"signInIdentity":{"userId":"`+carla+`"},"signInContext":{"includeApplications":["x"]}}`).want(404)
	l.do("POST", "/v1.0/identity/conditionalAccess/evaluate", tok, `{}`).want(400)
}

func TestRelationshipLife(t *testing.T) {
	l := newLab(t)
	tok := func() string { return l.admin() }
	base := "/v1.0/tenantRelationships/delegatedAdminRelationships"
	body := func(name, extra string) string {
		return `{"displayName":"` + name + `","duration":"P30D","customer":{"tenantId":"` + customerID + `"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"` + entra.RoleGlobalAdministrator + `"},{"roleDefinitionId":"` + entra.RoleUserAdministrator + `"}]}` + extra + `}`
	}
	l.do("POST", base, tok(), body("GA", `,"autoExtendDuration":"P180D"`)).want(400)
	l.do("POST", base, tok(), body("Support", "")).refused(409, "Conflict") // the name exists
	l.do("POST", base, tok(), strings.Replace(body("x", ""), "P30D", "P3Y", 1)).want(400)
	l.do("POST", base, tok(), strings.Replace(body("x", ""), "P30D", "PT5H", 1)).want(400)
	l.do("POST", base, tok(), strings.Replace(body("x", ""), customerID, carla, 1)).want(400)
	a := l.do("POST", base, tok(), body("GA", "")).want(201)
	id, tag := str(a.body, "id"), str(a.body, "@odata.etag")
	one := base + "/" + id
	if str(a.body, "status") != "created" || a.header.Get("Location") != "http://graph.test"+one {
		t.Errorf("created: %s, Location %q", a.raw, a.header.Get("Location"))
	}
	l.do("PATCH", one, tok(), `{"duration":"P60D"}`).want(400) // no If-Match
	l.do("PATCH", one, tok(), `{"duration":"P60D"}`, "If-Match", `W/"old"`).refused(412, "PreconditionFailed")
	a = l.do("PATCH", one, tok(), `{"duration":"P60D"}`, "If-Match", tag).want(200)
	if str(a.body, "@odata.etag") == tag || str(a.body, "duration") != "P60D" {
		t.Error("the change left the ETag as it was")
	}
	req := func(token, action string) *answer {
		return l.do("POST", one+"/requests", token, `{"action":"`+action+`"}`)
	}
	status := func() string { return str(l.get(one, tok()).want(200).body, "status") }
	carlas := func() string { return l.token(customerID, carla, everything()) }
	req(tok(), "terminate").refused(409, "Conflict")
	req(tok(), "approve").want(403)
	req(carlas(), "approve").want(409)
	if got := req(tok(), "lockForApproval").want(201); str(got.body, "status") != "created" || str(got.body, "action") != "lockForApproval" {
		t.Errorf("request: %s", got.raw)
	}
	if status() != "approvalPending" {
		t.Errorf("status %s", status())
	}
	l.do("DELETE", one, tok(), "", "If-Match", "*").refused(409, "Conflict")
	req(l.token(freeID, "cccccccc-0000-4000-8000-000000000009", everything()), "approve").want(404) // another customer's
	req(carlas(), "approve").want(201)
	if status() != "activating" {
		t.Errorf("status %s", status())
	}
	assign := func(group, role string) *answer {
		return l.do("POST", one+"/accessAssignments", tok(), `{"accessContainer":{"accessContainerId":"`+group+`","accessContainerType":"securityGroup"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"`+role+`"}]}}`)
	}
	assign(nested, entra.RoleUserAdministrator).refused(409, "Conflict") // not active yet
	_, _ = l.clock.Jump(activatingTakes)
	if status() != "active" {
		t.Errorf("status %s", status())
	}
	assign(nested, entra.RoleReportsReader).want(400)    // not of the relationship
	assign(plain, entra.RoleUserAdministrator).want(400) // not a group
	a = assign(nested, entra.RoleUserAdministrator).want(201)
	if str(a.body, "status") != "pending" {
		t.Errorf("assignment %s", a.raw)
	}
	assign(nested, entra.RoleGlobalAdministrator).refused(409, "Conflict")
	aid, atag := str(a.body, "id"), str(a.body, "@odata.etag")
	// The right comes with the active assignment and not before.
	users := func() int {
		return l.do("PATCH", "/v1.0/users/"+carla, l.aobo(rhea, customerID, everything()), `{"jobTitle":"x"}`).code
	}
	if got := users(); got != 403 {
		t.Errorf("pending assignment: %d", got)
	}
	_, _ = l.clock.Jump(assigningTakes)
	if got := users(); got != 204 {
		t.Errorf("active assignment: %d", got)
	}
	as := one + "/accessAssignments/" + aid
	same := `{"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"` + entra.RoleUserAdministrator + `"}]}}`
	l.do("PATCH", as, tok(), same, "If-Match", atag).want(200)
	a = l.do("PATCH", as, tok(), strings.Replace(same, entra.RoleUserAdministrator, entra.RoleGlobalAdministrator, 1), "If-Match", atag).want(202)
	loc := strings.TrimPrefix(a.header.Get("Location"), "http://graph.test")
	if a.header.Get("Retry-After") != "10" || !strings.Contains(loc, "/operations/") {
		t.Errorf("202 with %v", a.header)
	}
	_, _ = l.clock.Jump(time.Second)
	if st := str(l.get(loc, tok()).want(200).body, "status"); st != "running" {
		t.Errorf("operation %s", st)
	}
	_, _ = l.clock.Jump(operationTakes)
	if st := str(l.get(loc, tok()).want(200).body, "status"); st != "succeeded" {
		t.Errorf("operation %s", st)
	}
	l.do("PATCH", as, tok(), same, "If-Match", atag).refused(412, "PreconditionFailed")
	// An active relationship gives up Global Administrator, and then may extend itself.
	l.do("PATCH", one, tok(), `{"displayName":"other"}`, "If-Match", "*").refused(409, "Conflict")
	l.do("PATCH", one, tok(), `{"autoExtendDuration":"P180D"}`, "If-Match", "*").want(400)
	l.do("PATCH", one, tok(), `{"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"`+entra.RoleUserAdministrator+`"}]}}`, "If-Match", "*").want(202)
	l.do("PATCH", one, tok(), `{"autoExtendDuration":"P180D"}`, "If-Match", "*").want(202)
	l.do("DELETE", as, tok(), "", "If-Match", "*").want(204)
	if st := str(l.get(as, tok()).want(200).body, "status"); st != "deleting" {
		t.Errorf("assignment %s", st)
	}
	_, _ = l.clock.Jump(assigningTakes)
	if st := str(l.get(as, tok()).want(200).body, "status"); st != "deleted" {
		t.Errorf("assignment %s", st)
	}
	req(tok(), "terminate").want(201)
	if status() != "terminationRequested" {
		t.Errorf("status %s", status())
	}
	_, _ = l.clock.Jump(terminatingTakes / 2)
	if status() != "terminating" {
		t.Errorf("status %s", status())
	}
	_, _ = l.clock.Jump(terminatingTakes / 2)
	if status() != "terminated" {
		t.Errorf("status %s", status())
	}
	if ids := l.get(base+"?$filter=status eq 'active'&$top=300", tok()).ids(); !slices.Equal(ids, []string{relID}) {
		t.Errorf("active: %v", ids)
	}
	l.get(base+"?$top=301", tok()).want(400)
	// What nobody accepts lapses after 90 days.
	a = l.do("POST", base, tok(), body("Lapse", "")).want(201)
	one = base + "/" + str(a.body, "id")
	req(tok(), "lockForApproval").want(201)
	_, _ = l.clock.Jump(world.OfferLapse)
	if status() != "expired" {
		t.Errorf("status %s", status())
	}
	// An approved relationship ends when its duration is over, though nobody looked in between.
	a = l.do("POST", base, tok(), body("Short", "")).want(201)
	one = base + "/" + str(a.body, "id")
	req(tok(), "lockForApproval").want(201)
	req(carlas(), "approve").want(201)
	_, _ = l.clock.Jump(31 * 24 * time.Hour)
	if status() != "expired" {
		t.Errorf("status %s", status())
	}
	_ = http.MethodGet
}

func TestPIM(t *testing.T) {
	l := newLab(t)
	path := "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests"
	body := func(duration, justification string) string {
		return `{"action":"selfActivate","principalId":"` + plain + `","roleDefinitionId":"` + entra.RoleSecurityReader + `","directoryScopeId":"/","justification":"` + justification + `","scheduleInfo":{"startDateTime":"2026-11-22T09:00:00Z","expiration":{"type":"afterDuration","duration":"` + duration + `"}}}`
	}
	tok := l.token(partnerID, plain, everything())
	l.get("/beta/auditLogs/signIns", tok).want(403)
	l.do("POST", path, l.admin(), body("PT4H", "x")).want(403) // for somebody else
	l.do("POST", path, tok, body("PT4H", "")).want(400)
	l.do("POST", path, tok, body("PT9H", "x")).want(400)
	weak := l.claims(partnerID, plain, everything())
	weak.AMR = []string{"pwd"}
	l.do("POST", path, l.sign(weak), body("PT4H", "x")).want(400)
	l.do("POST", path, tok, body("PT4H", "x")).want(201)
	l.do("POST", path, tok, body("PT4H", "x")).want(400) // twice
	l.get("/beta/auditLogs/signIns", tok).want(200)      // the role is there
	rows := l.get("/v1.0/roleManagement/directory/roleAssignmentScheduleInstances?$filter=principalId eq '"+plain+"'", l.admin()).rows()
	if len(rows) != 1 || str(rows[0], "assignmentType") != "Activated" || rows[0]["endDateTime"] == nil {
		t.Errorf("instances %v", rows)
	}
	_, _ = l.clock.Jump(4 * time.Hour)
	l.get("/beta/auditLogs/signIns", l.token(partnerID, plain, everything())).want(403) // and gone
}

func TestScoreFollowsTheWorld(t *testing.T) {
	l := newLab(t)
	tok := l.admin()
	req := func() map[string]map[string]any {
		out := map[string]map[string]any{}
		for _, r := range l.get("/beta/security/partner/securityScore/requirements", tok).rows() {
			out[str(r, "requirementType")] = r
		}
		return out
	}
	before := req()
	if len(before) != 5 {
		t.Fatalf("%d requirements", len(before))
	}
	admins := before["mfaEnforcedForAdmins"]
	if str(admins, "complianceStatus") != "noncomplaint" || admins["totalAdminsCount"] != 4.0 {
		t.Errorf("admins: %v", admins) // the policy leaves the office and every platform but one out
	}
	if before["securityAlertsPromptlyResolved"]["averageResponseTimeInHours"] != 2.0 || str(before["securityContactProvided"], "complianceStatus") != "compliant" {
		t.Errorf("%v", before)
	}
	if b := before["spendingBudgetSetForCustomerAzureSubscriptions"]; b["totalCustomersCount"] != 1.0 || b["customersWithSpendBudgetCount"] != 0.0 {
		t.Errorf("budgets: %v", b)
	}
	if c := before["mfaEnforcedForAdminsOfCustomers"]; c["totalTenantCount"] != 2.0 || c["compliantTenantCount"] != 1.0 { // the one with security defaults
		t.Errorf("customers: %v", c)
	}
	l.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+polID, tok, `{"conditions":{"platforms":null,"locations":null}}`).want(204)
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.SecurityContact = ""
		p.Customers.Change(customerID, func(c *world.Customer) { n := 5.0; c.Budget = &n })
		s.Dirty()
	})
	l.do("POST", "/v1.0/identity/conditionalAccess/policies", l.token(customerID, carla, everything()), `{"displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`).want(201)
	_, _ = l.clock.Jump(23 * time.Hour)
	tok = l.admin()
	after := req()
	for kind, want := range map[string]string{"mfaEnforcedForAdmins": "compliant", "securityContactProvided": "noncomplaint", "mfaEnforcedForAdminsOfCustomers": "compliant", "spendingBudgetSetForCustomerAzureSubscriptions": "compliant", "securityAlertsPromptlyResolved": "noncomplaint"} {
		if got := str(after[kind], "complianceStatus"); got != want {
			t.Errorf("%s: %s, want %s: %v", kind, got, want, after[kind])
		}
	}
	// Who is asked and has nothing to answer with is counted apart.
	if a := after["mfaEnforcedForAdmins"]; a["adminsRequiredNotUsingMfaCount"] != 2.0 || a["mfaEnabledAdminsCount"] != 2.0 {
		t.Errorf("admins: %v", a)
	}
	l.do("PATCH", "/beta/security/partner/securityAlerts/alert-1", tok, `{"status":"resolved"}`).want(400)
	l.do("PATCH", "/beta/security/partner/securityAlerts/alert-1", tok, `{"status":"resolved","resolvedReason":"fraud"}`).want(200)
	root := l.get("/beta/security/partner/securityScore", tok).want(200).body
	if root["maxScore"] != 100.0 || root["currentScore"] != 60.0 {
		t.Errorf("score %v of %v", root["currentScore"], root["maxScore"])
	}
	l.get("/beta/security/partner/securityScore/customerInsights?$top=1", tok).want(400)
}
