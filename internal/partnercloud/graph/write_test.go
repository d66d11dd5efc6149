package graph

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

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
		{"PATCH", "users/NEW", `{"jobTitle":"x","accountEnabled":false}`, 204, "Update user, Disable account"},
		{"PATCH", "users/NEW", `{"passwordProfile":{"password":"Correct-Horse-2"}}`, 204, "Reset user password"},
		{"POST", "users/NEW/revokeSignInSessions", ``, 200, "Update StsRefreshTokenValidFrom Timestamp"},
		{"POST", "users/NEW/authentication/externalAuthenticationMethods", `{"configurationId":"ext-1","displayName":"Other"}`, 201,
			"Admin registered security info"},
		{"DELETE", "users/" + rhea + "/authentication/softwareOathMethods/99999999-0000-4000-8000-000000000001", ``, 204, "Admin deleted security info"},
		{"DELETE", "users/NEW", ``, 204, "Delete user"},
		{"POST", "groups", `{"displayName":"G","mailEnabled":false,"mailNickname":"g","securityEnabled":true,"members@odata.bind":["https://graph.microsoft.com/v1.0/users/` + plain + `"]}`, 201, "Add group"},
		{"PATCH", "groups/NEW", `{"description":"x"}`, 204, "Update group"},
		{"POST", "groups/NEW/members/$ref", `{"@odata.id":"` + rhea + `"}`, 204, "Add member to group"},
		{"DELETE", "groups/NEW/members/" + rhea + "/$ref", ``, 204, "Remove member from group"},
		{"DELETE", "groups/NEW", ``, 204, "Delete group"},
		{"POST", "identity/conditionalAccess/namedLocations",
			`{"@odata.type":"#microsoft.graph.countryNamedLocation","displayName":"DACH","countriesAndRegions":["DE","AT"],"includeUnknownCountriesAndRegions":false}`, 201, "Add named location"},
		{"PATCH", "identity/conditionalAccess/namedLocations/NEW", `{"@odata.type":"#microsoft.graph.countryNamedLocation","displayName":"D"}`, 204,
			"Update named location"},
		{"DELETE", "identity/conditionalAccess/namedLocations/NEW", ``, 204, "Delete named location"},
		{"POST", "identity/conditionalAccess/policies",
			`{"displayName":"P","state":"enabledForReportingButNotEnforced","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, 201, "Add conditional access policy"},
		{"PATCH", "identity/conditionalAccess/policies/NEW", `{"state":"enabled"}`, 204, "Update conditional access policy"},
		{"DELETE", "identity/conditionalAccess/policies/NEW", ``, 204, "Delete conditional access policy"},
		{"POST", "policies/authenticationStrengthPolicies", `{"displayName":"Keys","allowedCombinations":["fido2"]}`, 201,
			"Add authentication strength policy"},
		{"PATCH", "policies/authenticationStrengthPolicies/NEW", `{"description":"x"}`, 204, "Update authentication strength policy"},
		{"DELETE", "policies/authenticationStrengthPolicies/NEW", ``, 204, "Delete authentication strength policy"},
		{"PATCH", "policies/authenticationMethodsPolicy", `{"policyMigrationState":"migrationInProgress"}`, 204, "Authentication Methods Policy Update"},
		{"PATCH", "policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Fido2", `{"state":"disabled"}`, 204,
			"Authentication Methods Policy Update"},
		{"POST", "applications", `{"displayName":"A"}`, 201, "Add application"},
		{"PATCH", "applications/NEW", `{"displayName":"B","web":{"redirectUris":["https://b.example"]}}`, 204, "Update application"},
		{"POST", "applications/NEW/addPassword", `{"passwordCredential":{"displayName":"s"}}`, 200,
			"Update application \u2013 Certificates and secrets management"},
		{"POST", "applications/NEW/federatedIdentityCredentials",
			`{"name":"n","issuer":"https://i.example","subject":"s","audiences":["api://AzureADTokenExchange"]}`, 201,
			"Update application \u2013 Certificates and secrets management"},
		{"POST", "servicePrincipals", `{"appId":"04b07795-8ddb-461a-bbee-02f9e1bf7b46"}`, 201, "Add service principal"},
		{"PATCH", "servicePrincipals/NEW", `{"accountEnabled":false}`, 204, "Update service principal"},
		{"DELETE", "servicePrincipals/NEW", ``, 204, "Remove service principal"},
		{"PATCH", "oauth2PermissionGrants/grant-1", `{"scope":"User.Read"}`, 204, "Update delegated permission grant"},
		{"DELETE", "oauth2PermissionGrants/grant-1", ``, 204, "Remove delegated permission grant"},
		{"POST", "roleManagement/directory/roleAssignments", `{"principalId":"` + plain + `","roleDefinitionId":"` + entra.RoleGlobalReader +
			`","directoryScopeId":"/"}`, 201, "Add member to role"},
		{"DELETE", "roleManagement/directory/roleAssignments/NEW", ``, 204, "Remove member from role"},
		{"POST", "identityProtection/riskyUsers/dismiss", `{"userIds":["` + plain + `"]}`, 204, "DismissUser"},
		{"POST", "tenantRelationships/delegatedAdminRelationships", `{"displayName":"R","duration":"P30D","customer":{"tenantId":"` + freeID +
			`"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"` + entra.RoleGlobalReader + `"}]}}`, 201, "Create delegated admin relationship"},
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
		if got := strings.Join(after[before:], ", "); got != s.activity {
			t.Errorf("%s %s: audit rows %s, want %s", s.method, path, got, s.activity)
		}
	}
	// What was written can be read back from the log, with its properties and its author.
	rows := l.get("/v1.0/auditLogs/directoryAudits?$filter=activityDisplayName eq 'Update user'", tok).rows()
	if len(rows) != 1 || str(inner(inner(rows[0], "initiatedBy"), "user"), "id") != ada ||
		len(objs(objs(rows[0], "targetResources")[0], "modifiedProperties")) == 0 {
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
		"User Administrator changes a user": {"PATCH", "users/" + plain, l.token(partnerID, ursa, "User.ReadWrite.All"), `{"jobTitle":"x"}`, 204},
		"not without ReadWrite":             {"PATCH", "users/" + plain, l.token(partnerID, ursa, "User.Read.All"), `{"jobTitle":"x"}`, 403},
		"not without the role":              {"PATCH", "users/" + plain, l.token(partnerID, plain, "User.ReadWrite.All"), `{"jobTitle":"x"}`, 403},
		"not the password of a Global Administrator": {"PATCH", "users/" + ada, l.token(partnerID, ursa, "User.ReadWrite.All"),
			`{"passwordProfile":{"password":"Correct-Horse-1"}}`, 403},
		"not revoke a Global Administrator": {"POST", "users/" + ada + "/revokeSignInSessions",
			l.token(partnerID, ursa, "User.RevokeSessions.All"), ``, 403},
		"an app by permission": {"PATCH", "users/" + plain, l.app(partnerID, "User.ReadWrite.All"), `{"jobTitle":"y"}`, 204},
		"policies need Policy.Read.All too": {"DELETE", "identity/conditionalAccess/policies/" + polID,
			l.token(partnerID, ada, "Policy.ReadWrite.ConditionalAccess"), ``, 403},
		"policies need a role": {"DELETE", "identity/conditionalAccess/policies/" + polID, l.token(partnerID, ursa, everything()), ``,
			403},
		"an owner edits the group": {"POST", "groups/" + agents + "/members/$ref", l.token(partnerID, ada, "GroupMember.ReadWrite.All"),
			`{"@odata.id":"` + plain + `"}`, 204},
		"a stranger does not": {"POST", "groups/" + nested + "/members/$ref", l.token(partnerID, plain, "GroupMember.ReadWrite.All"),
			`{"@odata.id":"` + plain + `"}`, 403},
		"AOBO with reading roles writes nothing": {"PATCH", "users/" + carla, l.aobo(ada, customerID, everything()), `{"jobTitle":"x"}`, 403},
		"AOBO by DAP is a Global Administrator": {"PATCH", "users/cccccccc-0000-4000-8000-000000000009", l.aobo(agent, freeID, everything()),
			`{"jobTitle":"x"}`, 204},
		"roles are for Privileged Role Administrators": {"POST", "roleManagement/directory/roleAssignments", l.token(partnerID, ursa, everything()),
			`{"principalId":"` + plain + `","roleDefinitionId":"` + entra.RoleGlobalAdministrator + `","directoryScopeId":"/"}`, 403},
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
