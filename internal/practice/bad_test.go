package practice_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
)

// leaver is a disabled account with a mailbox.
const leaver = `{"id":"eve","userPrincipalName":"eve@contoso.com","accountEnabled":false,"userType":"Member","onPremisesSyncEnabled":true,
	"assignedPlans":[{"service":"exchange","capabilityStatus":"Enabled"}],"signInActivity":{"lastSignInDateTime":"2026-01-18T08:00:00Z"}}`

const mailed = `{"id":"ada","userPrincipalName":"ada@contoso.com","accountEnabled":true,"userType":"Member","onPremisesSyncEnabled":true,
	"assignedPlans":[{"service":"exchange","capabilityStatus":"Enabled"}],"signInActivity":{"lastSignInDateTime":"2026-11-18T08:00:00Z"}}`

// badHouse is a partner who does nothing of it.
func badHouse() records {
	x := house()
	x[evidence.User] = []string{mailed, person("bea"), person("gus"), person("hal"), person("ivo"), leaver}
	x[evidence.RegistrationDetails] = append(x[evidence.RegistrationDetails][1:],
		`{"id":"ada","userPrincipalName":"ada@contoso.com","isMfaRegistered":false,"isMfaCapable":false,"methodsRegistered":[]}`)
	x[evidence.ConditionalAccessPolicy] = []string{}
	x[evidence.RoleAssignment] = nil
	for _, id := range []string{"ada", "bea", "gus", "hal", "ivo", "eve"} {
		x[evidence.RoleAssignment] = append(x[evidence.RoleAssignment], fmt.Sprintf(`{"id":"a%[1]s","principalId":"%[1]s","roleDefinitionId":"%[2]s",
			"directoryScopeId":"/","assignmentType":"Assigned"}`, id, globalAdmin))
	}
	x[evidence.RolePolicy] = []string{strings.ReplaceAll(x[evidence.RolePolicy][0], "true", "false")}
	x[evidence.Group] = []string{strings.Replace(x[evidence.Group][0], `"members":[]`, `"members":[{"id":"eve","@odata.type":"#microsoft.graph.user"}]`, 1),
		strings.Replace(x[evidence.Group][1], `"members":[]`, `"members":[{"id":"ada","@odata.type":"#microsoft.graph.user"}]`, 1)}
	x[evidence.SecureScore] = []string{strings.ReplaceAll(x[evidence.SecureScore][0], ":60", ":80"), x[evidence.SecureScore][1]}
	x[evidence.RiskyUser] = []string{`{"id":"ada","riskState":"atRisk","riskLevel":"high","riskLastUpdatedDateTime":"2026-11-01T00:00:00Z"}`}
	x[evidence.AuthorizationPolicy] = []string{`{"id":"authorizationPolicy","defaultUserRolePermissions":{"permissionGrantPoliciesAssigned":
		["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"]}}`}
	x[evidence.Application] = []string{strings.ReplaceAll(x[evidence.Application][0], "2027-02-01", "2026-10-01")}
	x[evidence.Customer] = []string{strings.ReplaceAll(x[evidence.Customer][0], `"allowDelegatedAccess":false`, `"allowDelegatedAccess":true`)}
	x[evidence.CustomerInsight] = []string{strings.ReplaceAll(x[evidence.CustomerInsight][0], "enabled", "disabled")}
	x[evidence.CustomerUsage] = []string{strings.ReplaceAll(x[evidence.CustomerUsage][0], `"amount":100`, `"amount":null`)}
	x[evidence.Relationship] = []string{strings.ReplaceAll(x[evidence.Relationship][0], "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", globalAdmin),
		strings.ReplaceAll(x[evidence.Relationship][0], `"id":"g"`, `"id":"h"`)}
	for i := range x[evidence.SecurityRequirement] {
		x[evidence.SecurityRequirement][i] = strings.ReplaceAll(x[evidence.SecurityRequirement][i], `"compliant"`, `"nonCompliant"`)
	}
	x[evidence.SecurityAlert] = []string{strings.ReplaceAll(x[evidence.SecurityAlert][0], "2026-11-10T09:00:00Z", "2026-11-18T09:00:00Z")}
	x[evidence.MFAAdoption] = []string{strings.ReplaceAll(x[evidence.MFAAdoption][0], `"mfaCompliantRequestCount":10`, `"mfaCompliantRequestCount":4`)}
	x[evidence.PartnerRequest] = []string{strings.ReplaceAll(x[evidence.PartnerRequest][0], `"mfaCompliant":true`, `"mfaCompliant":false`)}
	return x
}

func badClient() records {
	x := client()
	x[evidence.User] = append(x[evidence.User], strings.ReplaceAll(person("gina"), `gina@contoso.com`, `gina_contoso.com#EXT#@fabrikam.com`))
	x[evidence.ConditionalAccessPolicy] = []string{}
	x[evidence.RoleAssignment] = x[evidence.RoleAssignment][:1]
	x[evidence.AuditConfig] = []string{`{"UnifiedAuditLogIngestionEnabled":false}`}
	x[evidence.AzureRoleAssignment] = []string{strings.ReplaceAll(x[evidence.AzureRoleAssignment][0], "b24988ac-6180-42a0-ab88-20f7382dd24c",
		"8e3af657-a8ff-443c-a75c-2fe8c4bcb635")}
	x[evidence.CostAlert], x[evidence.ActivityAlert], x[evidence.AzurePolicy] = []string{}, []string{}, []string{}
	return x
}

func badRows() (rows []string) {
	for d := range 31 {
		rows = append(rows, fmt.Sprintf(`{"id":"b%d","createdDateTime":"%s","userId":"ada","userPrincipalName":"ada@contoso.com","userType":"member","appId":"a",
			"appDisplayName":"Mail","clientAppUsed":"Authenticated SMTP","isInteractive":%t,"status":{"errorCode":0},
			"authenticationRequirement":"singleFactorAuthentication"}`, d, now.AddDate(0, 0, -d).Add(-time.Hour).Format(time.RFC3339), d%2 == 0))
	}
	return rows
}

// TestWorldInWhichNothingIsMet: every practice that data can speak against is not met, and
// its evidence says where that was read.
func TestWorldInWhichNothingIsMet(t *testing.T) {
	t.Parallel()
	r := (&world{own: badHouse(), customer: badClient(), rows: badRows()}).judge(t)
	silent := []string{"P22", "P26", "P27", "P28", "P30", "P31", "P35", "P37", "P38"} // against these no data speaks
	for i := range r.Practices {
		q := &r.Practices[i]
		want := assess.NotMet
		for _, id := range silent {
			if q.ID == id {
				want = map[bool]assess.Verdict{true: assess.Met, false: assess.Unknown}[id == "P28"] // its logs are kept here too
			}
		}
		if q.Verdict != want {
			t.Errorf("%s is %s: %s (%s)", q.ID, q.Verdict, q.Reason, q.Settles)
		}
		if q.Verdict == assess.NotMet && (len(q.Evidence) == 0 && q.ID != "P25" && q.ID != "P02" || q.Action == "") {
			t.Errorf("%s shows nothing, or nothing to do: %s", q.ID, q.Reason)
		}
	}
}
