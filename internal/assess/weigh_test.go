package assess_test

import (
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
)

// TestEvidenceHandedInIsWeighed starts from an export in which everything is
// met, adds one thing that speaks against it or cannot be weighed, and looks at
// the verdicts it must change.
func TestEvidenceHandedInIsWeighed(t *testing.T) {
	t.Parallel()
	const portal = `{"objectId":"%s","upn":"eve@contoso.com","lastNonMfaCompliantRequestDateTime":"2026-11-18T21:00:00"}`
	for name, c := range map[string]struct {
		kind     evidence.Kind
		record   string
		rules    []string // that are no longer met
		says     string   // in the reason of the first of them
		verdict  assess.Verdict
		disagree string // in a disagreement
	}{
		"the portal without MFA": {evidence.NonCompliantPrincipal, strings.ReplaceAll(portal, "%s", "ada"), []string{"mfa-every-user", "mfa-every-sign-in",
			"mfa-admin-roles"},
			"1 account is not asked for MFA or signed in without it", assess.NotMet, "the settings say: every sign-in is asked for MFA; Partner Center says"},
		"the portal, by nobody in the users": {evidence.NonCompliantPrincipal, strings.ReplaceAll(portal, "%s", "stranger"),
			[]string{"mfa-every-user", "mfa-every-sign-in"},
			"1 account is not", assess.NotMet, "the last on 2026-11-18"},
		"the portal, no readable clock": {evidence.NonCompliantPrincipal,
			`{"objectId":"ada","upn":"ada@contoso.com","lastNonMfaCompliantRequestDateTime":"gisteren"}`,
			[]string{"mfa-every-sign-in"}, "1 account at its portal without an MFA claim", assess.NotMet, ""},
		"a request without MFA": {evidence.PartnerRequest,
			`{"requestId":"r2","operationName":"GET v1/customers","upn":"ben@contoso.com","objectId":"ben","applicationId":"app","mfaCompliant":false}`,
			[]string{"secure-application-model", "mfa-every-user", "mfa-every-sign-in"}, "1 API request was made without an MFA claim", assess.NotMet,
			"API request GET v1/customers by app Billing"},
		"a request that cannot be read": {evidence.PartnerRequest,
			`{"requestId":"r2","operationName":"GET v1/customers","upn":"ben@contoso.com","mfaCompliant":"vielleicht"}`,
			[]string{"secure-application-model", "mfa-every-user", "mfa-every-sign-in", "mfa-admin-roles"},
			"of 1 request at Partner Center it cannot be read whether MFA was done", assess.Unknown, ""},
		"an app's day without MFA, whose is not known": {evidence.MFAAdoption,
			`{"loginDate":"2026-11-18","mfaCompliantRequestCount":39,"totalRequestCount":100,"applicationId":"cp","applicationName":"Control panel"}`,
			[]string{"secure-application-model", "mfa-every-sign-in"}, "(Control panel: 61 of 100 requests)", assess.NotMet,
			"61 of 100 Partner Center API requests without MFA"},
		"the accounts behind it are not known": {evidence.MFAAdoption,
			`{"loginDate":"2026-11-18","mfaCompliantRequestCount":39,"totalRequestCount":100,"applicationId":"cp","applicationName":"Control panel"}`,
			[]string{"mfa-every-user", "mfa-admin-roles"},
			"Partner Center counts 61 of 100 API requests of Control panel without MFA, and whose they were is not in the export", assess.Unknown, ""},
		"numbers that cannot be read": {evidence.MFAAdoption,
			`{"loginDate":"2026-11-18","mfaCompliantRequestCount":"neununddreißig","totalRequestCount":"100","applicationId":"cp"}`,
			[]string{"secure-application-model", "mfa-every-sign-in", "mfa-every-user"}, "1 count of API requests of Partner Center cannot be read",
			assess.Unknown, ""},
		"numbers that cannot be": {evidence.MFAAdoption,
			`{"loginDate":"2026-11-18","mfaCompliantRequestCount":200,"totalRequestCount":100,"applicationId":"app"}`,
			[]string{"secure-application-model"}, "cannot be read", assess.Unknown, ""},
		"Microsoft's score of administrators": {evidence.SecurityRequirement,
			`{"id":"x","requirementType":"mfaEnforcedForAdmins","complianceStatus":"noncomplaint","updatedDateTime":"2026-11-19T00:00:00Z","totalAdminsCount":4,"adminsRequiredNotUsingMfaCount":1}`,
			[]string{"mfa-admin-roles"}, "but Microsoft's score records it as not compliant (1 of 4 administrators not using MFA)", assess.Unknown,
			"the export says: the settings ask the one administrator for MFA"},
		"Microsoft's score, with whom nobody asks": {evidence.SecurityRequirement,
			`{"id":"x","requirementType":"mfaEnforcedForAdmins","complianceStatus":"noncomplaint","updatedDateTime":"2026-11-19T00:00:00Z","totalAdminsCount":4,` +
				`"mfaEnabledAdminsCount":3,"adminsRequiredNotUsingMfaCount":0}`,
			[]string{"mfa-admin-roles"}, "not compliant (3 of 4 administrators with MFA)", assess.Unknown,
			"the export says: the settings ask the one administrator for MFA"},
		"Microsoft's score, as its state": {evidence.SecurityRequirement,
			`{"id":"x","requirementType":"mfaEnforcedForAdmins","state":"nonCompliant","updatedDateTime":"2026-11-19T00:00:00Z"}`,
			[]string{"mfa-admin-roles"}, "but Microsoft's score records it as not compliant", assess.Unknown, "says of mfaEnforcedForAdmins: not compliant"},
		"Microsoft's score of alerts": {evidence.SecurityRequirement,
			`{"id":"x","requirementType":"securityAlertsPromptlyResolved","complianceStatus":"nonCompliant","updatedDateTime":"2026-11-19T00:00:00Z","averageResponseTimeInHours":70.5}`,
			[]string{"security-alerts-answered"}, "answered after 1 hour on average, but Microsoft's score records it as not compliant (70.5 hours " +
				"on average)", assess.Unknown, "Microsoft's score says of securityAlertsPromptlyResolved"},
		"a score whose numbers speak against it": {evidence.SecurityRequirement,
			`{"id":"x","requirementType":"spendingBudgetSetForCustomerAzureSubscriptions","complianceStatus":"compliant","updatedDateTime":"2026-11-19T00:00:00Z","customersWithSpendBudgetCount":3,"totalCustomersCount":5}`,
			[]string{"customer-spending-budget"}, "compliant, but its own numbers do not (3 of 5 customers)", assess.Unknown, ""},
		"a customer with nothing on": {evidence.CustomerInsight,
			`{"tenantId":"c2","mfa":{"securityDefaultsStatus":"disabled","mfaConditionalAccessPolicyStatus":"disabled","legacyPerUserMfaStatus":"disabled"}}`,
			[]string{"customer-admin-mfa"}, "1 customer has no means on that asks for MFA", assess.Unknown, "its list of customers says"},
		"an alert whose clock cannot be read": {evidence.SecurityAlert,
			`{"id":"b","displayName":"mining","status":"active","detectedDateTime":"last Wednesday"}`,
			[]string{"security-alerts-answered", "azure-fraud-watch"}, `its clock "last Wednesday" cannot be read`, assess.Unknown, ""},
		"an alert without a clock": {evidence.SecurityAlert, `{"id":"b","displayName":"mining","status":"active"}`,
			[]string{"security-alerts-answered", "azure-fraud-watch"}, "when it was detected is not in the export", assess.Unknown, ""},
		"an alert of a status nobody knows": {evidence.SecurityAlert,
			`{"id":"b","displayName":"mining","status":"aktiv","detectedDateTime":"2026-11-10T00:00:00Z"}`,
			[]string{"security-alerts-answered", "azure-fraud-watch"}, `its status "aktiv" is not known`, assess.Unknown, ""},
		"an alert left open": {evidence.SecurityAlert, `{"id":"b","displayName":"mining","status":"active","detectedDateTime":"2026-11-10T00:00:00Z"}`,
			[]string{"security-alerts-answered", "azure-fraud-watch"}, "waited 5 days", assess.NotMet,
			"Microsoft's score says of securityAlertsPromptlyResolved: compliant"},
		"a relationship whose roles are type names": {evidence.Relationship,
			`{"id":"g2","displayName":"Legacy admin","status":"active","accessDetails":{"unifiedRoles":["Microsoft.Graph.PowerShell.Models.MicrosoftGraphUnifiedRole"]}}`,
			[]string{"gdap-least-privilege"}, "the roles of 1 active relationship were lost by the export", assess.Unknown, ""},
		"a relationship without details": {evidence.Relationship, `{"id":"g2","displayName":"Legacy admin","status":"active","accessDetails":null}`,
			[]string{"gdap-least-privilege"}, "the roles of 1 active relationship were lost", assess.Unknown, ""},
		"a relationship whose role has no id": {evidence.Relationship,
			`{"id":"g2","displayName":"Legacy admin","status":"active","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"},{}]}}`,
			[]string{"gdap-least-privilege"}, "were lost", assess.Unknown, ""},
		"a group that holds a role": {evidence.RoleAssignment,
			`{"id":"x","principalId":"grp","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","principal":{"@odata.type":"#microsoft.graph.group","id":"grp","displayName":"Admins"}}`,
			[]string{"privileged-identity-management"}, "1 group holds a privileged role permanently", assess.Unknown, ""},
		"a role nobody defined": {evidence.RoleAssignment, `{"id":"x","principalId":"bea","roleDefinitionId":"c0ffee00-0000-4000-8000-000000000001"}`,
			[]string{"privileged-identity-management"}, "does not show whether the role is privileged", assess.Unknown, ""},
		"DAP, said two ways": {evidence.Customer, `{"id":"c","allowDelegatedAccess":true}`,
			[]string{"no-dap", "inactive-dap"}, "the export does not say whether DAP is in place", assess.Unknown, ""},
		"a custom control": {evidence.ConditionalAccessPolicy,
			`{"id":"duo","displayName":"Require Duo","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":[],"customAuthenticationFactors":["RequireDuoMfa"]}}`,
			[]string{"third-party-mfa-claim"}, "never becomes an MFA claim", assess.NotMet, ""},
	} {
		r := metTenant(t).add(c.kind, c.record).report(assess.Options{})
		for i, id := range c.rules {
			q := find(t, r, id)
			if i == 0 && (q.Verdict != c.verdict || !strings.Contains(q.Reason, c.says)) || q.Verdict == assess.Met || q.Action == "" {
				t.Errorf("%s: %s is %s: %s (%s)", name, id, q.Verdict, q.Reason, q.Action)
			}
		}
		if c.disagree != "" && !slices.ContainsFunc(r.Disagreements, func(e assess.Evidence) bool { return strings.Contains(e.Detail, c.disagree) }) {
			t.Errorf("%s: both sides are not shown: %+v", name, r.Disagreements)
		}
		if c.disagree == "" && c.verdict == assess.Unknown && len(r.Disagreements) > 0 && c.kind != evidence.MFAAdoption {
			t.Errorf("%s: %+v", name, r.Disagreements)
		}
	}
}

// TestScoreMakesNothingGood: Microsoft's status does not outweigh what the
// export shows, nor make met what it leaves open.
func TestScoreMakesNothingGood(t *testing.T) {
	t.Parallel()
	compliant := func(kind string) string {
		return `{"id":"1","requirementType":"` + kind + `","complianceStatus":"compliant","state":"active"}`
	}
	// An alert of two months ago that nobody answered is in no average.
	r := newTenant(t).add(evidence.SecurityAlert, `{"id":"b","status":"active","detectedDateTime":"2026-09-10T00:00:00Z"}`).
		add(evidence.SecurityRequirement, compliant("securityAlertsPromptlyResolved")).report(assess.Options{})
	if q := find(t, r, "security-alerts-answered"); q.Verdict != assess.NotMet || len(r.Disagreements) != 1 {
		t.Errorf("%s: %s, %+v", q.Verdict, q.Reason, r.Disagreements)
	}
	r = newTenant(t).add(evidence.SecurityAlert, `{"id":"b","status":"active","detectedDateTime":"25. nov"}`).
		add(evidence.SecurityRequirement, compliant("securityAlertsPromptlyResolved")).report(assess.Options{})
	if q := find(t, r, "security-alerts-answered"); q.Verdict != assess.Unknown {
		t.Errorf("%s: %s", q.Verdict, q.Reason)
	}
	r = newTenant(t).add(evidence.SecurityRequirement, compliant("mfaEnforcedForAdmins")).report(assess.Options{})
	if q := find(t, r, "mfa-admin-roles"); q.Verdict != assess.Unknown {
		t.Errorf("the score stands in for the contract: %s: %s", q.Verdict, q.Reason)
	}
}

// TestPartnerCenterNamesTheUser: the account behind a request is named with its
// way out, and an account that the users lack is in the report.
func TestPartnerCenterNamesTheUser(t *testing.T) {
	t.Parallel()
	r := newTenant(t).
		add(evidence.User, `{"id":"BEN","userPrincipalName":"ben.osei@contoso.com","accountEnabled":true,"userType":"Member"}`).
		add(evidence.PartnerRequest, `{"requestId":"r2","operationName":"GET v1/customers","requestDateTime":"2026-11-19T08:00:00","upn":"Ben.Osei@contoso.com","objectId":"","applicationId":"app","mfaCompliant":false}`).
		add(evidence.NonCompliantPrincipal, `{"objectId":"S1","upn":"erp.sync@contoso.com","LastNonMfaCompliantLoginDateTime":"2026-11-18T21:00:00"}`).
		report(assess.Options{})
	if len(r.Accounts) != 2 {
		t.Fatalf("%+v", r.Accounts)
	}
	for _, a := range r.Accounts {
		var ways []string
		for _, w := range a.WaysOut {
			ways = append(ways, w.ID)
		}
		switch a.UserPrincipalName {
		case "ben.osei@contoso.com":
			if a.MFA != assess.NotMet || ways[0] != "consent_again" || !strings.Contains(a.Reason, "API request GET v1/customers") {
				t.Errorf("%+v", a)
			}
		case "erp.sync@contoso.com":
			if a.ID != "S1" || a.MFA != assess.NotMet || !strings.Contains(a.Reason, "on 2026-11-18") || slices.Contains(ways, "consent_again") {
				t.Errorf("%+v", a)
			}
		default:
			t.Errorf("%+v", a)
		}
	}
	// What happened after the moment of judgement is not held against it.
	r = metTenant(t).add(evidence.NonCompliantPrincipal,
		`{"objectId":"ada","upn":"ada@contoso.com","lastNonMfaCompliantRequestDateTime":"2026-11-25T00:00:00"}`).report(assess.Options{})
	if q := find(t, r, "mfa-every-user"); q.Verdict != assess.Met {
		t.Errorf("%s: %s", q.Verdict, q.Reason)
	}
}

// TestRefusedLog: a tenant without a licence is told so beside what the log
// would have shown.
func TestRefusedLog(t *testing.T) {
	t.Parallel()
	x := newTenant(t)
	x.f.Inputs = []evidence.Input{{Path: "signIns.json", Status: evidence.Unreadable,
		Notes: []evidence.Note{{Message: "an error answer instead of data (Authentication_RequestFromNonPremiumTenantOrB2CTenant)"}}}}
	r := x.report(assess.Options{})
	for id, want := range map[string]assess.Verdict{"sign-in-log-access": assess.NotMet, "mfa-every-sign-in": assess.Unknown} {
		if q := find(t, r, id); q.Verdict != want ||
			!strings.Contains(q.Reason, "the sign-in log could not be read because the tenant has no Entra ID P1 or P2") {
			t.Errorf("%s is %s: %s", id, q.Verdict, q.Reason)
		}
	}
}

// TestRoomsMailboxesAndBreakGlass: what an account is for decides its way out,
// and an exclusion through a group counts like one by id.
func TestRoomsMailboxesAndBreakGlass(t *testing.T) {
	t.Parallel()
	r := newTenant(t).
		add(evidence.User, `{"id":"mtr","userPrincipalName":"utrecht-2@contoso.com","accountEnabled":true,"userType":"Member","mailboxSettings":{"userPurpose":"room"}}`,
			`{"id":"re","userPrincipalName":"rechnung@contoso.com","accountEnabled":true,"userType":"Member","mailboxSettings":{"userPurpose":"shared"}}`,
			`{"id":"ea","userPrincipalName":"a7@contoso.com","accountEnabled":true,"userType":"Member"}`).
		add(evidence.Group, `{"id":"GRP","displayName":"Emergency","members":[{"@odata.type":"#microsoft.graph.user","id":"ea"}]}`).
		add(evidence.RoleAssignment, `{"id":"a","principalId":"ea","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}`).
		add(evidence.ConditionalAccessPolicy, `{"id":"p","displayName":"MFA","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":["mtr","re"],"excludeGroups":["grp"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`).
		report(assess.Options{})
	want := map[string]string{"mtr": "resource block_sign_in", "re": "shared block_sign_in", "ea": "break_glass_candidate security_key require_mfa"}
	for _, a := range r.Accounts {
		got := a.Class
		for _, w := range a.WaysOut {
			got += " " + w.ID
		}
		if got != want[a.ID] || a.MFA != assess.NotMet {
			t.Errorf("%s: %q, %s; want %q", a.ID, got, a.MFA, want[a.ID])
		}
	}
}
