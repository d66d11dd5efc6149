package intake

import (
	"encoding/json"
	"strings"
	"testing"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// TestRecognise: every kind by its keys alone, and what resembles it. An empty
// kind wants the words of the reason; no words want no idea at all.
func TestRecognise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, raw string
		kind      evidence.Kind
		reason    string
	}{
		{"graph sign-in", signInN(1), evidence.SignIn, ""},
		{"v1.0 sign-in of a service principal", `{"id":"1","createdDateTime":"2026-01-01T00:00:00Z","servicePrincipalId":"s","appId":"a","resourceId":"r","status":{"errorCode":0},"ipAddress":"1.2.3.4"}`, evidence.SignIn, ""},
		{"diagnostic sign-in", `{"time":"2026-01-01T00:00:00Z","category":"NonInteractiveUserSignInLogs","resultType":"0","properties":{"id":"1","userPrincipalName":"a@x","createdDateTime":"2026-01-01T00:00:00Z"}}`, evidence.SignIn, ""},
		{"log analytics sign-in", `{"TimeGenerated [UTC]":"4/28/2021, 2:08:45.221 PM","ResultType":"0","UserPrincipalName":"a@x","AppId":"a","Type":"SigninLogs","Category":"SignInLogs"}`, evidence.SignIn, ""},
		{"a time and a category", `{"time":"01/09/2007 09:41:00","category":"SignInLogs"}`, "", "no event"},
		{"another category", `{"time":"2026-01-01T00:00:00Z","category":"AuditLogs","operationName":"Update user","properties":{"id":"1","activityDateTime":"2026-01-01T00:00:00Z"}}`, "", "another category"},
		{"graph activity", `{"TimeGenerated":"2026-01-01T00:00:00Z","AppId":"a","UserId":"u","IPAddress":"1.2.3.4","ResponseStatusCode":200,"RequestUri":"https://graph.microsoft.com/v1.0/users","Type":"MicrosoftGraphActivityLogs"}`, "", ""},
		{"directory audit", `{"id":"1","activityDateTime":"2026-01-01T00:00:00Z","activityDisplayName":"Add user","category":"UserManagement","correlationId":"c","initiatedBy":{"user":{"userPrincipalName":"a@x"}},"targetResources":[],"result":"success"}`, evidence.DirectoryAudit, ""},
		{"risky user", `{"id":"u","riskLevel":"high","riskState":"atRisk","riskDetail":"none","riskLastUpdatedDateTime":"2026-01-01T00:00:00Z","userPrincipalName":"a@x","userDisplayName":"A"}`, "", "risky users"},
		{"risky user in log analytics", `{"TimeGenerated":"2026-01-01T00:00:00Z","CorrelationId":"c","RiskState":"atRisk","RiskLastUpdatedDateTime":"2026-01-01T00:00:00Z","UserPrincipalName":"a@x","UserId":"u"}`, "", "risky users"},
		{"risk detection", `{"id":"1","riskEventType":"unfamiliarFeatures","detectionTimingType":"realtime","ipAddress":"1.2.3.4","userPrincipalName":"a@x","activityDateTime":"2026-01-01T00:00:00Z"}`, "", "risk detections"},
		{"app activity", `{"id":"1","appId":"a","lastSignInActivity":{"lastSignInDateTime":null}}`, "", "totals per app"},

		{"user", user(1), evidence.User, ""},
		{"user of a role's members", `{"@odata.type":"#microsoft.graph.user","id":"u"}`, evidence.User, ""},
		{"user who was created", `{"createdDateTime":"2026-01-01T00:00:00Z","userPrincipalName":"a@x","id":"u","displayName":"A","correlationId":"c"}`,
			evidence.User, ""},
		{"a deleted one", `{"id":"u","@removed":{"reason":"deleted"}}`, "", "deleted"},
		{"registration", `{"id":"u","userPrincipalName":"a@x","isMfaRegistered":true,"isMfaCapable":true,"methodsRegistered":["sms"]}`,
			evidence.RegistrationDetails, ""},
		{"older registration", `{"id":"u","userPrincipalName":"a@x","authMethods":["sms"],"isMfaRegistered":true,"isCapable":true}`,
			evidence.CredentialRegistration, ""},
		{"totals of registration", `{"id":"t","mfaAndSsprCapableUserCount":2,"totalUserCount":9,"tenantDisplayName":"x"}`, "", "totals"},

		{"security defaults", `{"id":"00000000-0000-0000-0000-000000000005","displayName":"Sicherheitsstandards","isEnabled":true}`,
			evidence.SecurityDefaults, ""},
		{"security defaults by name", `{"displayName":"Security Defaults","isEnabled":"False"}`, evidence.SecurityDefaults, ""},
		{"something else that is enabled", `{"id":"x","displayName":"Sales","isEnabled":true}`, "", ""},
		{"policy", aPolicy, evidence.ConditionalAccessPolicy, ""},
		{"policy with a state nobody knows", strings.Replace(aPolicy, "enabled", "enabledForMars", 1), evidence.ConditionalAccessPolicy, ""},
		{"fragment", `{"Conditions":{"Users":{}}}`, "", "fragment"},
		{"what-if answer", aPolicy[:len(aPolicy)-1] + `,"policyApplies":true,"analysisReasons":"notSet"}`, "", "what-if"},
		{"named location", `{"id":"l","displayName":"Office","ipRanges":[]}`, evidence.NamedLocation, ""},
		{"country location", `{"id":"l","countriesAndRegions":["NL"]}`, evidence.NamedLocation, ""},
		{"strength", `{"id":"s","displayName":"MFA","allowedCombinations":["fido2"],"policyType":"builtIn"}`, evidence.AuthenticationStrength, ""},
		{"methods", `{"id":"authenticationMethodsPolicy","policyMigrationState":"migrationComplete"}`, evidence.AuthenticationMethods, ""},

		{"role definition", `{"id":"r","displayName":"X","isBuiltIn":true,"rolePermissions":[]}`, evidence.RoleDefinition, ""},
		{"role definition of another service", `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#roleManagement/cloudPC/roleDefinitions/$entity","id":"r","rolePermissions":[],"displayName":"X"}`, "", "Cloud PC"},
		{"assignment", aRole, evidence.RoleAssignment, ""},
		{"active instance", `{"id":"1","principalId":"u","roleDefinitionId":"r","assignmentType":"Activated","memberType":"Direct"}`, evidence.RoleAssignment,
			""},
		{"eligible instance", `{"id":"1","principalId":"u","roleDefinitionId":"r","memberType":"Direct","roleEligibilityScheduleId":"s"}`,
			evidence.RoleEligibility, ""},
		{"eligible schedule", `{"id":"1","principalId":"u","roleDefinitionId":"r","scheduleInfo":{},"status":"Provisioned"}`, evidence.RoleEligibility, ""},
		{"request", `{"id":"1","principalId":"u","roleDefinitionId":"r","action":"adminAssign","scheduleInfo":{}}`, "", "requests"},
		{"azure assignment", `{"principalId":"u","roleDefinitionId":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/r","scope":"/"}`, "",
			"Azure"},
		{"directory role", `{"id":"1","displayName":"Global Administrator","roleTemplateId":"t","members":[]}`, evidence.DirectoryRole, ""},
		{"directory role template", `{"id":"1","displayName":"Global Administrator","description":"d"}`, "", "templates"},
		{"scubagear role", `{"RoleTemplateId":"t","DisplayName":"Global Administrator","Assignments":[],"Rules":[]}`, evidence.ScubaPrivilegedRole, ""},
		{"group", `{"id":"g","displayName":"G","securityEnabled":true}`, evidence.Group, ""},
		{"role-assignable group with members", `{"id":"g","displayName":"G","members":[]}`, evidence.Group, ""},

		{"application", `{"id":"1","appId":"a","displayName":"A","signInAudience":"AzureADMyOrg"}`, evidence.Application, ""},
		{"service principal", `{"id":"1","appId":"a","displayName":"A","appOwnerOrganizationId":"t","signInAudience":"AzureADMyOrg"}`,
			evidence.ServicePrincipal, ""},
		{"a list of apps", `{"AppId":"a","AppDisplayName":"A","AppOwnerOrganizationId":"t","Source":"Graph"}`, "", "list of known apps"},
		{"grant", `{"id":"1","clientId":"c","consentType":"AllPrincipals","principalId":null,"resourceId":"r","scope":"User.Read"}`,
			evidence.OAuth2PermissionGrant, ""},
		{"app role assignment", `{"id":"1","appRoleId":"a","principalId":"p","resourceId":"r"}`, evidence.AppRoleAssignment, ""},
		{"sku", `{"skuId":"s","skuPartNumber":"X","consumedUnits":1}`, evidence.SubscribedSku, ""},
		{"licence of a user", `{"id":"l","skuId":"s","skuPartNumber":"X","servicePlans":[]}`, "", "one user"},
		{"organization", `{"id":"t","displayName":"Contoso","verifiedDomains":[]}`, evidence.Organization, ""},

		{"relationship", `{"id":"r","displayName":"R","status":"frozen","duration":"P730D","accessDetails":{"unifiedRoles":[]},"customer":{}}`,
			evidence.Relationship, ""},
		{"access assignment", `{"id":"a","status":"active","accessContainer":{},"accessDetails":{}}`, evidence.AccessAssignment, ""},
		{"customer", `{"id":"c","companyProfile":{"tenantId":"t"},"relationshipToPartner":"reseller"}`, evidence.Customer, ""},
		{"customer's roles", `{"name":"Helpdesk Administrator","id":"r","attributes":{"objectType":"DirectoryRole"}}`, "", "customer"},
		{"customer's licences", `{"availableUnits":1,"consumedUnits":1,"productSku":{"id":"s"},"servicePlans":[]}`, "", "customer"},
		{"contract", `{"customerId":"c","displayName":"C","defaultDomainName":"c.example","contractType":"x"}`, "", "contracts"},
		{"fraud event, old", `{"eventTime":"2021-12-08T00:25:45.69","eventId":"e","partnerTenantId":"p","eventStatus":"Active"}`, evidence.FraudEvent, ""},
		{"fraud event, new", `{"eventId":"e","customerTenantId":"c","eventStatus":"New","eventType":"X","severity":"High","IsTest":"false"}`,
			evidence.FraudEvent, ""},
		{"security alert", `{"id":"a","alertType":"x","detectedDateTime":"2026-01-01T00:00:00Z","customerTenantId":"c","status":"active"}`,
			evidence.SecurityAlert, ""},
		{"adoption", `{"loginDate":"2026-01-01","mfaCompliantRequestCount":1,"totalRequestCount":2}`, evidence.MFAAdoption, ""},
		{"principal, one name", `{"objectId":"o","lastNonMfaCompliantRequestDateTime":"x"}`, evidence.NonCompliantPrincipal, ""},
		{"principal, other name", `{"objectId":"o","LastNonMfaCompliantLoginDateTime":"x"}`, evidence.NonCompliantPrincipal, ""},
		{"partner request", `{"requestId":"r","operationName":"Get /v{version}/customers","requestDateTime":"x","mfaCompliant":false,"upn":"a@x","ipAddress":"1.2.3.4","applicationId":"a"}`, evidence.PartnerRequest, ""},
		{"partner score", `{"currentScore":1,"maxScore":2,"updatedDateTime":"x"}`, evidence.SecurityScore, ""},
		{"secure score", `{"currentScore":1,"maxScore":2,"controlScores":[]}`, "", "Secure Score"},
		{"requirement", `{"id":"r","requirementType":"x","complianceStatus":"noncomplaint"}`, evidence.SecurityRequirement, ""},
		{"insight", `{"tenantId":"t","mfa":{"totalUsersCount":1}}`, evidence.CustomerInsight, ""},

		{"graph's refusal", `{"error":{"code":"Forbidden","message":"x","innerError":{}}}`, "", "error answer instead of data (Forbidden)"},
		{"partner center's refusal", `{"code":900421,"description":"x","data":[],"source":"y"}`, "", "error answer"},
		{"throttled", `{"statusCode":429,"message":"Rate limit is exceeded."}`, "", "error answer"},
		{"placeholder", `{"@odata.type":"#microsoft.graph.user","id":"String (identifier)","displayName":"String","accountEnabled":"Boolean"}`, "",
			"names of types"},
		{"nothing but nulls", `{"id":null,"userPrincipalName":null,"displayName":null,"assignedLicenses":[]}`, "", "nulls"},
		{"model row", `{"isZtModelRow":true,"id":"1","userPrincipalName":"x","displayName":"y"}`, "", "model row"},
		{"unknown Graph type", `{"@odata.type":"#microsoft.graph.orgContact","id":"1","displayName":"x","mail":"y"}`, "",
			"microsoft.graph.orgcontact, which nothing here judges"},
		{"discovery", `{"issuer":"https://x","authorization_endpoint":"https://x","jwks_uri":"https://x"}`, "", "discovery"},
		{"scubagear verdict", `{"PolicyId":"MS.AAD.1.1v1","RequirementMet":true,"Commandlet":[]}`, "", "verdicts"},
		{"anything", `{"colour":"red"}`, "", ""},
	} {
		f := &file{}
		for _, raw := range []string{c.raw, pascal(c.raw), pretty(c.raw)} {
			kind, reason := f.recognise([]byte(raw), nil)
			if kind != c.kind || !strings.Contains(reason, c.reason) || c.kind == "" && c.reason == "" && reason != "" {
				t.Errorf("%s: got %q, %q; want %q, %q\n%s", c.name, kind, reason, c.kind, c.reason, raw)
			}
		}
	}
}

// pascal writes every top-level key as PowerShell would.
func pascal(raw string) string {
	var b strings.Builder
	b.WriteByte('{')
	text.Members([]byte(raw), func(k, v []byte) bool {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		if k[1] >= 'a' && k[1] <= 'z' {
			k = append([]byte{'"', k[1] - 0x20}, k[2:]...)
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(v)
		return true
	})
	b.WriteByte('}')
	if !json.Valid([]byte(b.String())) {
		panic(b.String())
	}
	return b.String()
}

func TestBySet(t *testing.T) {
	t.Parallel()
	for context, want := range map[string]string{
		"https://graph.microsoft.com/v1.0/$metadata#users":                                                                  "user",
		"https://graph.microsoft.com/v1.0/$metadata#users(id,displayName)/$entity":                                          "user",
		"https://graph.microsoft.us/beta/$metadata#Collection(microsoft.graph.user)":                                        "user",
		"https://graph.microsoft.com/v1.0/$metadata#auditLogs/signIns":                                                      "signIn",
		"https://graph.microsoft.com/v1.0/$metadata#auditLogs/directoryAudits":                                              "directoryAudit",
		"https://graph.microsoft.com/v1.0/$metadata#directoryObjects":                                                       "",
		"https://graph.microsoft.com/v1.0/$metadata#directoryRoles('1')/members":                                            "",
		"https://graph.microsoft.com/beta/$metadata#roleManagement/directory/roleAssignments(principal())":                  "roleAssignment",
		"https://graph.microsoft.com/beta/$metadata#roleManagement/directory/roleEligibilityScheduleInstances":              "roleEligibility",
		"https://graph.microsoft.com/beta/$metadata#roleManagement/directory/roleEligibilityScheduleRequests":               "!requests",
		"https://graph.microsoft.com/beta/$metadata#roleManagement/entitlementManagement/roleAssignments":                   "!entitlement",
		"https://graph.microsoft.com/v1.0/$metadata#servicePrincipals('x')/appRoleAssignments":                              "appRoleAssignment",
		"https://graph.microsoft.com/v1.0/$metadata#users('x')/licenseDetails":                                              "!one user",
		"https://graph.microsoft.com/v1.0/$metadata#users('x')/manager/$entity":                                             "",
		"https://graph.microsoft.com/beta/$metadata#servicePrincipals/microsoft.graph.agentIdentity(sponsors(id))":          "servicePrincipal",
		"https://graph.microsoft.com/beta/$metadata#tenantRelationships/managedTenants/conditionalAccess":                   "!multi-tenant",
		"https://graph.microsoft.com/beta/$metadata#security/partner/securityScore/requirements":                            "partnerSecurityRequirement",
		"https://graph.microsoft.com/beta/$metadata#security/partner/securityScore/$entity":                                 "partnerSecurityScore",
		"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies/$entity":                            "conditionalAccessPolicy",
		"https://graph.microsoft.com/v1.0/$metadata#policies/authenticationStrengthPolicies":                                "authenticationStrengthPolicy",
		"https://graph.microsoft.com/v1.0/$metadata#tenantRelationships/delegatedAdminRelationships('x')/accessAssignments": "delegatedAdminAccessAssignment",
		"https://graph.microsoft.com/v1.0/$metadata#tenantRelationships/delegatedAdminRelationships('x')/operations":        "!operations",
		"https://graph.microsoft.com/v1.0/$metadata#education/users":                                                        "",
		"https://graph.microsoft.com/v1.0/$metadata#sites('x')/termStore/groups":                                            "",
		"nonsense": "",
		"#":        "",
		"#((":      "",
	} {
		kind, reason := bySet(context)
		got := string(kind)
		if reason != "" {
			got = "!" + reason
		}
		if got != want && !(strings.HasPrefix(want, "!") && strings.Contains(got, want[1:])) {
			t.Errorf("%s: got %q, want %q", context, got, want)
		}
	}
}
