package app_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/doctor"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

const (
	trapGroup  = "11111111-1111-4111-8111-111111111111"
	trapPolicy = `{"id":"22222222-2222-4222-8222-222222222222","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"],` +
		`"excludeGroups":["` + trapGroup + `"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},` +
		`"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`
	trapPolicies = `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#identity/conditionalAccess/policies","value":[` + trapPolicy + `]}`
	trapSignIn   = `{"@odata.context":"https://graph.microsoft.com/%s/$metadata#auditLogs/signIns","value":[{"id":"33333333-3333-4333-8333-333333333333",` +
		`"createdDateTime":"2026-11-20T06:00:00Z","userPrincipalName":"ada@contoso.com","userId":"44444444-4444-4444-8444-444444444444",` +
		`"appDisplayName":"Azure Portal","appId":"c44b4083-3bb0-49c1-b47d-974e53cbdf3c","clientAppUsed":"Browser","isInteractive":true,` +
		`"status":{"errorCode":0}%s}]}`
)

// trapItem makes one record of a kind, numbered.
var trapItem = map[evidence.Kind]string{
	evidence.User: `{"id":"%08d-0000-4000-8000-000000000000","userPrincipalName":"u%[1]d@contoso.com","userType":"Member","accountEnabled":true,` +
		`"displayName":"U"}`,
	evidence.RegistrationDetails: `{"id":"%08d-0000-4000-8000-000000000000","userPrincipalName":"u%[1]d@contoso.com","isMfaRegistered":true,` +
		`"isMfaCapable":true,"methodsRegistered":["fido2SecurityKey"]}`,
	evidence.RoleAssignment: `{"id":"a%d","principalId":"%08[1]d-0000-4000-8000-000000000000","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10",` +
		`"directoryScopeId":"/"}`,
	evidence.RoleEligibility: `{"id":"a%d","principalId":"%08[1]d-0000-4000-8000-000000000000","memberType":"Direct",` +
		`"roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/","roleEligibilityScheduleId":"s%[1]d"}`,
	evidence.Group:            `{"id":"%08d-0000-4000-8000-000000000000","displayName":"G","securityEnabled":true,"groupTypes":[]}`,
	evidence.Application:      `{"id":"%08d-0000-4000-8000-000000000000","appId":"%08[1]d-0000-4000-8000-000000000001","displayName":"A","signInAudience":"AzureADMyOrg"}`,
	evidence.ServicePrincipal: `{"id":"%08d-0000-4000-8000-000000000000","appId":"%08[1]d-0000-4000-8000-000000000001","servicePrincipalType":"Application"}`,
	evidence.Relationship: `{"id":"%08d-0000-4000-8000-000000000000-00000000-0000-4000-8000-000000000000","displayName":"R","duration":"P730D",` +
		`"status":"active","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}]},` +
		`"customer":{"tenantId":"55555555-5555-4555-8555-555555555555"}}`,
	evidence.ConditionalAccessPolicy: trapPolicy,
	evidence.NamedLocation: `{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"%08d-0000-4000-8000-000000000000","displayName":"L","isTrusted":false,` +
		`"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"203.0.113.0/24"}]}`,
	evidence.OAuth2PermissionGrant: `{"id":"g%d","clientId":"%08[1]d-0000-4000-8000-000000000000","consentType":"AllPrincipals","resourceId":"r","scope":"User.Read"}`,
	evidence.SecurityRequirement: `{"@odata.type":"#microsoft.graph.partner.security.responseTimeSecurityRequirement","id":"r%d",` +
		`"requirementType":"securityAlertsPromptlyResolved","complianceStatus":"compliant","state":"active","score":20,"maxScore":20,` +
		`"averageResponseTimeInHours":1}`,
	evidence.SecurityAlert: `{"id":"a%d","displayName":"Alert","alertType":"x","severity":"high","confidenceLevel":"high","status":"resolved",` +
		`"customerTenantId":"55555555-5555-4555-8555-555555555555","subscriptionId":"66666666-6666-4666-8666-666666666666","isTest":false,` +
		`"detectedDateTime":"2026-11-01T00:00:00Z","activityLogs":[]}`,
	evidence.CustomerInsight: `{"tenantId":"%08d-0000-4000-8000-000000000000","mfa":{"compliantAdminsCount":1,"compliantNonAdminsCount":1,"totalUsersCount":2}}`,
	evidence.SignIn:          `{"id":"%08d","createdDateTime":"2026-11-20T06:00:00Z","userPrincipalName":"ada@contoso.com","appDisplayName":"A","clientAppUsed":"Browser","status":{"errorCode":0},"authenticationRequirement":"singleFactorAuthentication","isInteractive":true}`,
}

// trapSet is what Graph calls the list.
var trapSet = map[evidence.Kind]string{
	evidence.User: "users", evidence.RegistrationDetails: "userRegistrationDetails", evidence.RoleAssignment: "roleManagement/directory/roleAssignments",
	evidence.RoleEligibility: "roleManagement/directory/roleEligibilityScheduleInstances", evidence.Application: "applications",
	evidence.ServicePrincipal: "servicePrincipals", evidence.Relationship: "tenantRelationships/delegatedAdminRelationships",
	evidence.ConditionalAccessPolicy: "identity/conditionalAccess/policies", evidence.NamedLocation: "identity/conditionalAccess/namedLocations",
	evidence.OAuth2PermissionGrant: "oauth2PermissionGrants", evidence.SecurityRequirement: "security/partner/securityScore/requirements",
	evidence.SecurityAlert: "security/partner/securityAlerts", evidence.CustomerInsight: "security/partner/securityScore/customerInsights",
	evidence.SignIn: "auditLogs/signIns",
}

func trapItems(k evidence.Kind, n int) string {
	one := make([]string, n)
	for i := range one {
		one[i] = trapItem[k]
		if strings.Contains(one[i], "%") {
			one[i] = fmt.Sprintf(one[i], i+1)
		}
	}
	return strings.Join(one, ",\n")
}

// trapped makes the folder that somebody has who fell into a trap.
func trapped(k evidence.Kind, t evidence.Trap) map[string]string {
	list := func(n int) map[string]string { return map[string]string{"list.json": "[" + trapItems(k, n) + "]"} }
	one := func(text string) map[string]string { return map[string]string{"list.json": text} }
	says := t.Says
	switch {
	case strings.Contains(says, "exactly 100 records long"):
		return list(100)
	case strings.Contains(says, "exactly 999 records long"):
		return list(999)
	case strings.Contains(says, "Get-MsolUser"):
		rows := make([]string, 500)
		for i := range rows {
			rows[i] = fmt.Sprintf(`{"ObjectId":"%08d-0000-4000-8000-000000000000","UserPrincipalName":"u%[1]d@contoso.com","BlockCredential":false,`+
				`"UserType":0,"IsLicensed":true,"StrongAuthenticationRequirements":[]}`, i+1)
		}
		return one("[" + strings.Join(rows, ",") + "]")
	case strings.Contains(says, "a link to a further page"):
		return one(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#` + trapSet[k] + `","@odata.nextLink":` +
			`"https://graph.microsoft.com/v1.0/` + trapSet[k] + `?$skiptoken=x","value":[` + trapItems(k, 2) + `]}`)
	case strings.Contains(says, "to the export's depth"):
		return one(trapShallow[k])
	case strings.HasPrefix(says, "is one "), strings.HasPrefix(says, "has exactly"):
		if k == evidence.UnifiedAuditSignIn {
			var n int
			_, _ = fmt.Sscanf(says, "has exactly %d", &n)
			rows := make([]string, n)
			for i := range rows {
				rows[i] = fmt.Sprintf(`{"CreationTime":"2026-11-20T06:00:00","Id":"i%d","Operation":"UserLoggedIn","Workload":"AzureActiveDirectory",`+
					`"UserId":"ada@contoso.com","UserKey":"k","ClientIP":"203.0.113.7","ResultStatus":"Success","UserType":0,"RecordType":15}`, i)
			}
			return one("[" + strings.Join(rows, ",") + "]")
		}
		if text, ok := trapOne[k]; ok {
			return one(text)
		}
		return one(trapItems(k, 1))
	}
	return trapFolder(k, says)
}

// trapShallow is what ConvertTo-Json leaves at its own depth.
var trapShallow = map[evidence.Kind]string{
	evidence.NamedLocation: `[{"Id":"l","DisplayName":"L","IsTrusted":false,"IpRanges":["Microsoft.Graph.PowerShell.Models.MicrosoftGraphIPRange"],` +
		`"@odata.type":"#microsoft.graph.ipNamedLocation","CreatedDateTime":"2026-01-01T00:00:00Z"}]`,
	evidence.AuthenticationStrength: `[{"Id":"s","DisplayName":"S","PolicyType":"custom","RequirementsSatisfied":"mfa",` +
		`"AllowedCombinations":"System.Collections.Generic.List[string]"}]`,
	evidence.AuthenticationMethods: `{"Id":"authenticationMethodsPolicy","DisplayName":"M","PolicyVersion":"1.5",` +
		`"AuthenticationMethodConfigurations":["Microsoft.Graph.PowerShell.Models.MicrosoftGraphAuthenticationMethodConfiguration"]}`,
	evidence.SubscribedSku: `[{"Id":"k","SkuId":"k","SkuPartNumber":"AAD_PREMIUM","CapabilityStatus":"Enabled","ConsumedUnits":1,` +
		`"PrepaidUnits":{"Enabled":1},"ServicePlans":["Microsoft.Graph.PowerShell.Models.MicrosoftGraphServicePlanInfo"]},` +
		`{"Id":"k2","SkuId":"k2","SkuPartNumber":"X","CapabilityStatus":"Enabled","ConsumedUnits":1,"PrepaidUnits":{"Enabled":1},"ServicePlans":[]}]`,
	evidence.RegistrationDetails: `[{"Id":"1","UserPrincipalName":"ada@contoso.com","IsMfaRegistered":true,"IsMfaCapable":true,` +
		`"MethodsRegistered":"System.Collections.Generic.List[string]"}]`,
	evidence.Group: `[{"Id":"` + trapGroup + `","DisplayName":"G","SecurityEnabled":true,"GroupTypes":[],` +
		`"Members":["Microsoft.Graph.PowerShell.Models.MicrosoftGraphDirectoryObject"]}]`,
	evidence.Relationship: `[{"Id":"r-r","DisplayName":"R","Status":"active","Duration":"730.00:00:00","AutoExtendDuration":"00:00:00",` +
		`"AccessDetails":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphDelegatedAdminAccessDetails","Customer":{"TenantId":"t"}}]`,
	evidence.AccessAssignment: `[{"Id":"a","Status":"active","AccessDetails":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphDelegatedAdminAccessDetails",` +
		`"AccessContainer":{"AccessContainerId":"` + trapGroup + `","AccessContainerType":"securityGroup"}}]`,
}

var trapOne = map[evidence.Kind]string{
	evidence.SubscribedSku: `{"id":"k","skuId":"k","skuPartNumber":"AAD_PREMIUM","capabilityStatus":"Enabled","consumedUnits":1,` +
		`"prepaidUnits":{"enabled":1},"servicePlans":[{"servicePlanId":"41781fb2-bc02-4b7c-bd55-b576c07bb09d","servicePlanName":"AAD_PREMIUM","provisioningStatus":"Success","appliesTo":"User"}]}`,
	evidence.GroupEligibility: `{"id":"e","accessId":"member","principalId":"44444444-4444-4444-8444-444444444444","groupId":"` + trapGroup + `",` +
		`"eligibilityScheduleId":"s","memberType":"direct","startDateTime":"2026-01-01T00:00:00Z"}`,
}

// trapFolder makes the folders that need more than one list.
func trapFolder(k evidence.Kind, says string) map[string]string {
	log := func(version, more string) string { return fmt.Sprintf(trapSignIn, version, more) }
	beta := `,"authenticationRequirement":"multiFactorAuthentication"`
	switch {
	case strings.Contains(says, "cut off by the export's depth"):
		return map[string]string{"policies.json": `[{"Id":"p","DisplayName":"P","State":"enabled","Conditions":{"Users":` +
			`"Microsoft.Graph.PowerShell.Models.MicrosoftGraphConditionalAccessUsers","Applications":` +
			`"Microsoft.Graph.PowerShell.Models.MicrosoftGraphConditionalAccessApplications","ClientAppTypes":["all"]},` +
			`"GrantControls":{"Operator":"OR","BuiltInControls":["mfa"]}}]`}
	case says == "lacks the policy":
		return map[string]string{"policies.json": trapPolicies, "log.json": log("beta", beta+`,"appliedConditionalAccessPolicies":[{"id":`+
			`"77777777-7777-4777-8777-777777777777","displayName":"Preview","enforcedGrantControls":["Mfa"],"result":"success"}]`)}
	case k == evidence.User && strings.Contains(says, "members or owners"):
		return map[string]string{"list.json": `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#directoryObjects","value":[` +
			`{"@odata.type":"#microsoft.graph.user","id":"44444444-4444-4444-8444-444444444444","userPrincipalName":"ada@contoso.com","displayName":"Ada"}]}`}
	case k == evidence.User:
		return map[string]string{"policies.json": trapPolicies,
			"users.csv": "userPrincipalName,displayName,userType,accountEnabled\nada@contoso.com,Ada,Member,True\nben@contoso.com,Ben,Member,True\n"}
	case k == evidence.Group:
		return map[string]string{"policies.json": trapPolicies, "groups.json": `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#groups","value":[` +
			`{"id":"` + trapGroup + `","displayName":"G","securityEnabled":true,"groupTypes":[]}]}`}
	case k == evidence.Customer:
		return map[string]string{"customers.json": `{"totalCount":1,"items":[{"id":"55555555-5555-4555-8555-555555555555","companyProfile":` +
			`{"tenantId":"55555555-5555-4555-8555-555555555555","domain":"fabrikam.example","companyName":"Fabrikam"},"relationshipToPartner":"reseller"}]}`}
	case strings.Contains(says, "comes from v1.0"):
		return map[string]string{"log.json": log("v1.0", "")}
	case strings.Contains(says, "less than 30 days"), strings.Contains(says, "no non-interactive"):
		return map[string]string{"log.json": log("beta", beta)}
	case strings.Contains(says, "how each sign-in ended"):
		return map[string]string{"log.csv": `"AppDisplayName","AppId","ClientAppUsed","ConditionalAccessStatus","CorrelationId","CreatedDateTime","Id","IPAddress",` +
			`"IsInteractive","ResourceDisplayName","Status","UserId","UserPrincipalName"` + "\n" +
			`"Azure Portal","c44b4083-3bb0-49c1-b47d-974e53cbdf3c","Browser","success","33333333-3333-4333-8333-333333333333","11/20/2026 6:00:00 AM",` +
			`"33333333-3333-4333-8333-333333333334","203.0.113.7","True","Windows Azure Service Management API",` +
			`"Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus","44444444-4444-4444-8444-444444444444","ada@contoso.com"` + "\n"}
	case strings.Contains(says, "a script's report"):
		raw, _ := os.ReadFile(filepath.Join("testdata", "script-report.csv"))
		return map[string]string{"report.csv": string(raw)}
	case strings.Contains(says, "the portal's download stops"):
		return map[string]string{"log.json": "[" + trapItems(evidence.SignIn, 100_000) + "]"}
	}
	return nil
}

// TestTrapsAreSaid falls into every trap that docs/exports.md tells of, and holds
// the words of the check to what stands there.
func TestTrapsAreSaid(t *testing.T) {
	t.Parallel()
	seen, used := 0, map[evidence.Kind]bool{}
	for _, rule := range partner.Book() {
		for _, k := range slices.Concat(rule.Needs, rule.May, rule.Helps) {
			used[k] = true
		}
	}
	for _, r := range evidence.Requests() {
		for _, trap := range evidence.TollOf(r.Kind).Traps {
			if !used[r.Kind] {
				continue // the check does not look at what no rule uses
			}
			seen++
			t.Run(r.File+"/"+trap.Says, func(t *testing.T) {
				t.Parallel()
				files := trapped(r.Kind, trap)
				if len(files) == 0 {
					t.Fatal("nobody falls into it here: add a folder")
				}
				dir := t.TempDir()
				for name, text := range files {
					if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				f, err := app.Read(t.Context(), app.Reading{From: []string{dir}}, io.Discard)
				if err != nil {
					t.Fatal(err)
				}
				c := doctor.MakeCheck(f, doctor.Options{AsOf: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)})
				var said []string
				for i := range c.Files {
					if c.Files[i].Kind != r.Kind {
						continue
					}
					for _, why := range c.Files[i].Why {
						said = append(said, why.Why)
						// A report that is no log leaves the log absent; all else is part of a list.
						if strings.Contains(why.Why, trap.Says) && (c.Files[i].Extent == evidence.Partly) != strings.Contains(trap.Says, "script's report") {
							return
						}
					}
				}
				for i := range c.Input {
					t.Logf("%+v", c.Input[i])
				}
				t.Errorf("the check says %q", said)
			})
		}
	}
	if seen < 30 {
		t.Errorf("only %d traps", seen)
	}
}
