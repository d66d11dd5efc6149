package practice_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/practice"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/fold"
	"partnerguard/internal/signin/read"
	"partnerguard/internal/vouch"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const (
	globalAdmin = "62e90394-69f5-4237-9190-012177145e10"
	customerID  = "cccccccc-0000-4000-8000-000000000001"
	azureSub    = "dddddddd-0000-4000-8000-000000000001"
	gdapGroup   = "eeeeeeee-0000-4000-8000-000000000001"
)

// records are exports, by kind; an empty list is a list that was read and is empty.
type records map[evidence.Kind][]string

// with is a copy in which one list is another; nil: it was not read.
func (r records) with(kind evidence.Kind, list []string) records {
	c := maps.Clone(r)
	if list == nil {
		delete(c, kind)
	} else {
		c[kind] = list
	}
	return c
}

// policyOfAll asks everybody for a phishing-resistant method from a compliant device.
const policyOfAll = `{"id":"p1","displayName":"everybody","state":"enabled","conditions":{"users":{"includeUsers":["All"]},
	"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"AND","builtInControls":["compliantDevice"],
	"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004","displayName":"Phishing-resistant MFA",
	"allowedCombinations":["windowsHelloForBusiness","fido2","x509CertificateMultiFactor"]}}}`

func person(id string) string {
	return fmt.Sprintf(`{"id":"%[1]s","userPrincipalName":"%[1]s@contoso.com","accountEnabled":true,"userType":"Member","onPremisesSyncEnabled":null,
		"assignedPlans":[],"signInActivity":{"lastSignInDateTime":"2026-11-18T08:00:00Z"}}`, id)
}

// house are the exports of a partner who does everything that can be done.
func house() records {
	score := func(day, current string) string {
		return fmt.Sprintf(`{"id":"s%[1]s","createdDateTime":"%[1]sT00:00:00Z","currentScore":%[2]s,"maxScore":100,"controlScores":[]}`, day, current)
	}
	x := records{
		evidence.User:                    {person("ada"), person("bea")},
		evidence.RegistrationDetails:     {},
		evidence.ConditionalAccessPolicy: {policyOfAll},
		evidence.SecurityDefaults:        {`{"id":"d","displayName":"Security Defaults","isEnabled":false}`},
		evidence.RoleDefinition:          {`{"id":"` + globalAdmin + `","templateId":"` + globalAdmin + `","displayName":"Global Administrator","isPrivileged":true}`},
		evidence.RoleAssignment:          {},
		evidence.RoleEligibility:         {},
		evidence.RolePolicy: {`{"id":"rp","scopeId":"/","scopeType":"DirectoryRole","roleDefinitionId":"` + globalAdmin + `","policy":{"rules":[
			{"id":"Approval_EndUser_Assignment","setting":{"isApprovalRequired":true}}]}}`},
		evidence.Group: {`{"id":"aaaaaaaa-0000-4000-8000-000000000001","displayName":"AdminAgents","securityEnabled":true,"members":[]}`,
			`{"id":"` + gdapGroup + `","displayName":"GDAP desk","securityEnabled":true,"members":[]}`},
		evidence.GroupEligibility: {`{"id":"ge","groupId":"` + gdapGroup + `","principalId":"ada","accessId":"member","eligibilityScheduleId":"x"}`},
		evidence.GroupAssignment:  {},
		evidence.SecurityAlert: {`{"id":"al","displayName":"mining","alertType":"x","status":"resolved","detectedDateTime":"2026-11-10T08:00:00Z",
			"resolvedOnDateTime":"2026-11-10T09:00:00Z"}`},
		evidence.SecureScore: {score("2026-10-20", "60"), score("2026-11-19", "62")},
		evidence.MFAAdoption: {`{"loginDate":"2026-11-19","mfaCompliantRequestCount":10,"totalRequestCount":10,"applicationId":"app","applicationName":"Billing"}`},
		evidence.PartnerRequest: {`{"requestId":"r","operationName":"GET v1/customers","requestDateTime":"2026-11-19T08:00:00","upn":"ada@contoso.com",
			"applicationId":"app","mfaCompliant":true}`},
		evidence.RiskyUser:           {`{"id":"ada","userPrincipalName":"ada@contoso.com","riskState":"remediated","riskLevel":"none"}`},
		evidence.AuthorizationPolicy: {`{"id":"authorizationPolicy","defaultUserRolePermissions":{"permissionGrantPoliciesAssigned":[]}}`},
		evidence.AdminConsentPolicy:  {`{"isEnabled":false,"reviewers":[]}`},
		evidence.Application: {`{"id":"o1","appId":"app","displayName":"Billing","passwordCredentials":[{"keyId":"k","startDateTime":"2026-09-01T00:00:00Z",
			"endDateTime":"2027-02-01T00:00:00Z"}],"keyCredentials":[]}`},
		evidence.ServicePrincipal: {`{"id":"sp1","appId":"app","displayName":"Billing","servicePrincipalType":"Application","accountEnabled":true}`},
		evidence.AppActivity:      {`{"id":"x","appId":"app","lastSignInActivity":{"lastSignInDateTime":"2026-11-19T00:00:00Z"}}`},
		evidence.SubscribedSku: {`{"id":"s","skuId":"s","capabilityStatus":"Enabled","prepaidUnits":{"enabled":5},"servicePlans":[
			{"servicePlanName":"AAD_PREMIUM_P2","provisioningStatus":"Success"}]}`},
		evidence.Customer: {`{"id":"` + customerID + `","companyProfile":{"tenantId":"` + customerID + `","companyName":"Fabrikam"},"allowDelegatedAccess":false}`},
		evidence.CustomerInsight: {`{"tenantId":"` + customerID + `","mfa":{"compliantAdminsCount":1,"compliantNonAdminsCount":1,"totalUsersCount":2,
			"securityDefaultsStatus":"enabled","mfaConditionalAccessPolicyStatus":"disabled","legacyPerUserMfaStatus":"disabled"}}`},
		evidence.CustomerUsage: {`{"resourceId":"` + customerID + `","resourceName":"Fabrikam","budget":{"amount":100},"totalCost":1,"currencyCode":"EUR"}`},
		evidence.Relationship: {`{"id":"g","displayName":"support","status":"active","customer":{"tenantId":"` + customerID + `","displayName":"Fabrikam"},
			"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}]}}`},
		evidence.AccessAssignment: {`{"id":"aa","status":"active","delegatedAdminRelationshipId":"g","accessContainer":{"accessContainerId":"` + gdapGroup +
			`","accessContainerType":"securityGroup"},"accessDetails":{"unifiedRoles":[]}}`},
		evidence.DirectoryAudit: {`{"id":"da","activityDateTime":"2026-10-01T00:00:00Z","activityDisplayName":"Add user","initiatedBy":{},"targetResources":[]}`},
	}
	for _, id := range []string{"ada", "bea"} {
		x[evidence.RegistrationDetails] = append(x[evidence.RegistrationDetails], fmt.Sprintf(`{"id":"%[1]s","userPrincipalName":"%[1]s@contoso.com",
			"isMfaRegistered":true,"isMfaCapable":true,"methodsRegistered":["fido2SecurityKey","mobilePhone"]}`, id))
		x[evidence.RoleAssignment] = append(x[evidence.RoleAssignment], fmt.Sprintf(`{"id":"a%[1]s","principalId":"%[1]s","roleDefinitionId":"%[2]s",
			"directoryScopeId":"/","assignmentType":"Activated","endDateTime":"2026-11-20T20:00:00Z"}`, id, globalAdmin))
		x[evidence.RoleEligibility] = append(x[evidence.RoleEligibility], fmt.Sprintf(`{"id":"e%[1]s","principalId":"%[1]s","roleDefinitionId":"%[2]s",
			"directoryScopeId":"/"}`, id, globalAdmin))
	}
	for i, kind := range []string{"mfaEnforcedForAdmins", "securityContactProvided", "securityAlertsPromptlyResolved", "mfaEnforcedForAdminsOfCustomers",
		"spendingBudgetSetForCustomerAzureSubscriptions"} {
		x[evidence.SecurityRequirement] = append(x[evidence.SecurityRequirement],
			fmt.Sprintf(`{"id":"%d","requirementType":"%s","complianceStatus":"compliant","state":"active"}`, i, kind))
	}
	return x
}

// client are the exports of a customer who does likewise.
func client() records {
	h := house()
	thing := func(kind, typ, rest string) string {
		return `{"id":"/subscriptions/` + azureSub + `/providers/` + typ + `/x","name":"x","type":"` + typ + `"` + kind + `,"properties":{` + rest + `}}`
	}
	return records{
		evidence.User: {strings.ReplaceAll(person("cleo"), "contoso.com", "fabrikam.com"),
			strings.ReplaceAll(person("dora"), "contoso.com", "fabrikam.com")},
		evidence.ConditionalAccessPolicy: h[evidence.ConditionalAccessPolicy], evidence.SecurityDefaults: h[evidence.SecurityDefaults],
		evidence.RoleDefinition: h[evidence.RoleDefinition], evidence.SecureScore: h[evidence.SecureScore], evidence.DirectoryAudit: h[evidence.DirectoryAudit],
		evidence.RoleAssignment: {`{"id":"1","principalId":"cleo","roleDefinitionId":"` + globalAdmin + `","directoryScopeId":"/"}`,
			`{"id":"2","principalId":"dora","roleDefinitionId":"` + globalAdmin + `","directoryScopeId":"/"}`},
		evidence.RoleEligibility:   {},
		evidence.AuditConfig:       {`{"UnifiedAuditLogIngestionEnabled":true}`},
		evidence.AzureSubscription: {`{"subscriptionId":"` + azureSub + `","displayName":"Production","state":"Enabled"}`},
		evidence.AzureRoleAssignment: {`{"id":"ra","name":"ra","type":"Microsoft.Authorization/roleAssignments","properties":{"principalType":"ForeignGroup",
			"principalId":"` + gdapGroup + `","scope":"/subscriptions/` + azureSub + `","roleDefinitionId":"/x/b24988ac-6180-42a0-ab88-20f7382dd24c"}}`},
		evidence.CostAlert:     {thing(`,"kind":"InsightAlert"`, "Microsoft.CostManagement/scheduledActions", `"status":"Enabled"`)},
		evidence.ActivityAlert: {thing("", "Microsoft.Insights/activityLogAlerts", `"enabled":true`)},
		evidence.AzurePolicy: {thing("", "Microsoft.Authorization/policyAssignments",
			`"policyDefinitionId":"/providers/Microsoft.Authorization/policyDefinitions/e56962a6-4747-49cd-b67b-bf8b01975c4c","enforcementMode":"Default"`)},
	}
}

// world is what is judged.
type world struct {
	own, customer records // a nil customer: nothing of it was read
	vouched       []vouch.Statement
	rows          []string // sign-ins; nil: those of a good log
	cut           func(own bool, in *evidence.Input)
	at            time.Time // zero: now
	exported      time.Time // zero: undated
}

// take brings records to facts.
func (w *world) take(t *testing.T, r records, own bool) *facts.Facts {
	t.Helper()
	f := facts.New()
	f.SetTime(now)
	for _, kind := range slices.Sorted(maps.Keys(r)) {
		in := evidence.Input{Path: string(kind) + ".json", Status: evidence.Read, Kinds: map[evidence.Kind]int{kind: len(r[kind])}}
		if !w.exported.IsZero() {
			in.Times.Stated = &w.exported
		}
		for i, raw := range r[kind] {
			_ = f.Take(kind, []byte(raw), evidence.Source{Path: in.Path, Index: i + 1})
		}
		if w.cut != nil {
			w.cut(own, &in)
		}
		f.Inputs = append(f.Inputs, in)
	}
	return f
}

// log folds a good month of sign-ins, or those of the world.
func (w *world) log(t *testing.T, f *facts.Facts) {
	t.Helper()
	rows := w.rows
	if rows == nil {
		for d := range 31 {
			for _, id := range []string{"ada", "bea"} {
				rows = append(rows, fmt.Sprintf(`{"id":"%s%d","createdDateTime":"%s","userId":"%s","userPrincipalName":"%s@contoso.com","userType":"member",
					"appId":"a","appDisplayName":"Portal","clientAppUsed":"Browser","isInteractive":%t,"status":{"errorCode":0},
					"authenticationRequirement":"multiFactorAuthentication","authenticationDetails":[{"authenticationMethod":"Passkey (FIDO2)","succeeded":true}]}`,
					id, d, now.AddDate(0, 0, -d).Add(-time.Hour).Format(time.RFC3339), id, id, d%2 == 0))
			}
		}
	}
	if len(rows) == 0 {
		return
	}
	x := fold.New(fold.Options{})
	for i, raw := range rows {
		var e signin.Event
		if _, err := read.DecodeEvent([]byte(raw), &e); err != nil {
			t.Fatal(err)
		}
		f.Seen[evidence.SignIn]++
		x.Add(&e, signin.SourceRef{Seq: 1, Source: evidence.Source{Path: "signins.jsonl", Line: i + 1}})
	}
	sum, err := x.Finish(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	in := evidence.Input{Path: "signins.jsonl", Status: evidence.Read, Kinds: map[evidence.Kind]int{evidence.SignIn: len(rows)}}
	if !w.exported.IsZero() {
		in.Times.Stated = &w.exported
	}
	if w.cut != nil {
		w.cut(true, &in)
	}
	f.Inputs = append(f.Inputs, in)
	f.SignIns = &sum
}

func (w *world) judge(t *testing.T) *practice.Report {
	t.Helper()
	at := w.at
	if at.IsZero() {
		at = now
	}
	f := w.take(t, w.own, true)
	f.Vouched = w.vouched
	w.log(t, f)
	o := assess.Options{AsOf: at, Automation: &assess.Automation{}}
	p := practice.Options{AsOf: at, Assess: o}
	if w.customer != nil {
		cf := w.take(t, w.customer, false)
		p.Customers = []practice.Customer{{Tenant: customerID, Name: "Fabrikam", Facts: cf, Report: assess.Assess(cf, assess.Options{AsOf: at})}}
	}
	return practice.Judge(f, assess.Assess(f, o), p)
}
