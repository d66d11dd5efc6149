package assess_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// metTenant is an export in which everything that can be met is.
func metTenant(t *testing.T) *tenant {
	t.Helper()
	const policy = `{"id":"%s","displayName":"%s","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]%s},"grantControls":{"operator":"OR","builtInControls":["%s"]}}`
	x := thirtyDays(t).
		signIns(row("p", "ada", `"authenticationRequirement":"multiFactorAuthentication","status":{"errorCode":0,"additionalDetails":"MFA requirement satisfied by claim provided by external provider"}`)).
		add(evidence.User, `{"id":"ada","userPrincipalName":"ada@contoso.com","accountEnabled":true,"userType":"Member"}`,
			`{"id":"bea","userPrincipalName":"bea@contoso.com","accountEnabled":true,"userType":"Member"}`).
		add(evidence.RegistrationDetails, `{"id":"ada","userPrincipalName":"ada@contoso.com","isMfaRegistered":true,"isMfaCapable":true,"methodsRegistered":["microsoftAuthenticatorPush"]}`).
		add(evidence.ConditionalAccessPolicy, fmt.Sprintf(policy, "p1", "MFA", "", "mfa"),
			fmt.Sprintf(policy, "p2", "sign-in risk", `,"signInRiskLevels":["high"]`, "block"),
			fmt.Sprintf(policy, "p3", "user risk", `,"userRiskLevels":["high"]`, "block")).
		add(evidence.SecurityDefaults, `{"id":"d","isEnabled":false}`).
		add(evidence.AuthenticationMethods, `{"id":"authenticationMethodsPolicy","authenticationMethodConfigurations":[]}`).
		add(evidence.RoleDefinition, `{"id":"62e90394-69f5-4237-9190-012177145e10","templateId":"62e90394-69f5-4237-9190-012177145e10","displayName":"Global Administrator","isPrivileged":true}`).
		add(evidence.RoleAssignment, `{"id":"a","principalId":"ada","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","assignmentType":"Activated","endDateTime":"2026-11-20T20:00:00Z"}`).
		add(evidence.RoleEligibility, `{"id":"e","principalId":"ada","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}`).
		add(evidence.MFAAdoption, `{"loginDate":"2026-11-19","mfaCompliantRequestCount":10,"totalRequestCount":10,"applicationId":"app","applicationName":"Billing"}`).
		add(evidence.PartnerRequest, `{"requestId":"r","operationName":"GET v1/customers","requestDateTime":"2026-11-19T08:00:00","upn":"ada@contoso.com","applicationId":"app","mfaCompliant":true}`).
		add(evidence.SecurityAlert, `{"id":"al","displayName":"mining","status":"resolved","detectedDateTime":"2026-11-10T08:00:00Z","resolvedOnDateTime":"2026-11-10T09:00:00Z"}`).
		add(evidence.Customer, `{"id":"c","companyProfile":{"companyName":"Fabrikam"},"allowDelegatedAccess":false}`).
		add(evidence.Relationship, `{"id":"g","displayName":"support","status":"active","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}]}}`).
		add(evidence.SubscribedSku, `{"id":"s","skuId":"s","capabilityStatus":"Enabled","prepaidUnits":{"enabled":5},"servicePlans":[{"servicePlanName":"AAD_PREMIUM_P2","provisioningStatus":"Success"}]}`).
		add(evidence.CustomerInsight, `{"tenantId":"c","mfa":{"securityDefaultsStatus":"enabled","mfaConditionalAccessPolicyStatus":"disabled","legacyPerUserMfaStatus":"disabled"}}`)
	for i, kind := range []string{"mfaEnforcedForAdmins", "securityContactProvided", "securityAlertsPromptlyResolved", "mfaEnforcedForAdminsOfCustomers",
		"spendingBudgetSetForCustomerAzureSubscriptions"} {
		x.add(evidence.SecurityRequirement, fmt.Sprintf(`{"id":"%d","requirementType":"%s","complianceStatus":"compliant","state":"active"}`, i, kind))
	}
	// Two kinds are empty lists.
	for _, k := range append(kindsSeen(x), evidence.NonCompliantPrincipal, evidence.FraudEvent) {
		x.f.Inputs = append(x.f.Inputs, evidence.Input{Path: string(k) + ".json", Status: evidence.Read, Kinds: map[evidence.Kind]int{k: x.f.Seen[k]}})
	}
	return x
}

func kindsSeen(x *tenant) (kinds []evidence.Kind) {
	for k := range x.f.Seen {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	return kinds
}

// cannotBeMet are the rules that no export can show to be met.
var cannotBeMet = []string{"app-passwords", "third-party-mfa-exception", "entra-id-p2-admin-agents"}

// TestHalfOfAListIsNeverMet: every rule is met by the whole export; with one
// list of its evidence cut, in whatever way that shows, it is unknown, names the
// list, and says how to read it.
func TestHalfOfAListIsNeverMet(t *testing.T) {
	t.Parallel()
	// Lists that the settings here do without: the policy asks everybody.
	without := map[string][]evidence.Kind{
		"mfa-every-user": {evidence.User, evidence.RegistrationDetails, evidence.SecurityDefaults, evidence.RoleAssignment,
			evidence.RoleEligibility, evidence.RoleDefinition},
		"mfa-every-sign-in": {evidence.User, evidence.SecurityDefaults, evidence.RoleAssignment, evidence.RoleEligibility,
			evidence.RoleDefinition},
		"mfa-admin-roles": {evidence.User, evidence.RoleAssignment, evidence.RoleEligibility, evidence.RoleDefinition,
			evidence.RegistrationDetails, evidence.SecurityDefaults},
		"legacy-authentication": {evidence.User, evidence.SecurityDefaults, evidence.RoleAssignment, evidence.RoleEligibility,
			evidence.RoleDefinition},
		"secure-application-model":                {evidence.User}, // the log names the accounts
		"security-defaults-or-conditional-access": {evidence.SecurityDefaults},
		"third-party-mfa-claim":                   {evidence.AuthenticationMethods},   // the log shows the claim
		"automation-without-user-credentials":     {evidence.User},                    // the log names the accounts
		"risk-based-access":                       {evidence.ConditionalAccessPolicy}, // both policies are there
		"gdap-least-privilege":                    {evidence.AccessAssignment},
		"privileged-identity-management":          {evidence.RoleDefinition}, // a role that neither it nor Microsoft's list names is asked about by itself
		"sign-in-log-access":                      {evidence.SubscribedSku},
	}
	whole := metTenant(t).report(assess.Options{})
	for _, q := range whole.Requirements {
		if slices.Contains(cannotBeMet, q.ID) {
			continue
		}
		if q.Verdict != assess.Met {
			t.Errorf("the whole export: %s is %s: %s", q.ID, q.Verdict, q.Reason)
		}
	}
	cuts := map[string]func(*evidence.Input, evidence.Kind){
		"read in part": func(in *evidence.Input, _ evidence.Kind) { in.Status = evidence.Partial },
		"unreadable":   func(in *evidence.Input, _ evidence.Kind) { in.Status = evidence.Unreadable },
		"first page":   func(in *evidence.Input, _ evidence.Kind) { in.NextLink = true },
		"known to be cut": func(in *evidence.Input, k evidence.Kind) {
			in.Shorten(evidence.Cut{Kind: k, Why: "is one record, not the list"})
		},
		"cut by the other": func(in *evidence.Input, k evidence.Kind) {
			in.Kinds = nil
			in.Shorten(evidence.Cut{Kind: k, Why: "lost its records"})
		},
	}
	for name, cut := range cuts {
		for _, kind := range append(kindsSeen(metTenant(t)), evidence.NonCompliantPrincipal, evidence.FraudEvent) {
			x := metTenant(t)
			for i := range x.f.Inputs {
				if _, here := x.f.Inputs[i].Kinds[kind]; here {
					cut(&x.f.Inputs[i], kind)
				}
			}
			r := x.report(assess.Options{})
			for _, rule := range partner.Book() {
				q := find(t, r, rule.ID)
				weighs := slices.Contains(rule.Evidence(), kind) && !slices.Contains(without[rule.ID], kind)
				switch {
				case slices.Contains(cannotBeMet, rule.ID):
				case weighs && (q.Verdict != assess.Unknown || q.Action == ""):
					t.Errorf("%s %s: %s is %s: %s (%s)", kind, name, rule.ID, q.Verdict, q.Reason, q.Action)
				case q.Verdict != assess.Met && q.Verdict != assess.Unknown:
					t.Errorf("%s %s: %s is %s: %s", kind, name, rule.ID, q.Verdict, q.Reason)
				}
			}
		}
	}
}

// TestFileThatCannotBeRead: it may be the other half of a log, unless it is the
// refusal of a service.
func TestFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   evidence.Input
		want assess.Verdict
	}{
		"unreadable": {evidence.Input{Path: "x.gz", Status: evidence.Unreadable}, assess.Unknown},
		"refused":    {evidence.Input{Path: "x.json", Status: evidence.Unreadable, Refused: "Forbidden"}, assess.Met},
		"not ours":   {evidence.Input{Path: "x.png", Status: evidence.NotRecognised}, assess.Met},
		"another list, named": {evidence.Input{Path: "x.csv", Status: evidence.Unreadable,
			Cuts: []evidence.Cut{{Kind: evidence.Relationship, Why: "lost its roles"}}}, assess.Met},
	} {
		x := metTenant(t)
		x.f.Inputs = append(x.f.Inputs, c.in)
		r := x.report(assess.Options{})
		for _, id := range []string{"mfa-every-sign-in", "mfa-every-user", "secure-application-model", "security-alerts-answered"} {
			if q := find(t, r, id); q.Verdict != c.want || c.want == assess.Unknown && !strings.Contains(q.Reason, "x.gz") {
				t.Errorf("%s: %s is %s: %s", name, id, q.Verdict, q.Reason)
			}
		}
	}
}

// TestPeriodIsSaid: that no recorded sign-in went without MFA is said of the
// rows that were read, with their period, and of nothing else.
func TestPeriodIsSaid(t *testing.T) {
	t.Parallel()
	r := metTenant(t).report(assess.Options{})
	for id, did := range map[string]string{"mfa-every-sign-in": "went without", "mfa-every-user": "went without", "mfa-admin-roles": "went without",
		"legacy-authentication": "used it"} {
		if q := find(t, r, id); !strings.Contains(q.Reason, "and no recorded sign-in from 2026-10-20 to 2026-11-19 "+did) {
			t.Errorf("%s: %s", id, q.Reason)
		}
	}
	x := metTenant(t)
	x.f.Seen[evidence.SignIn] = 0
	x.f.Inputs = slices.DeleteFunc(x.f.Inputs, func(in evidence.Input) bool { _, log := in.Kinds[evidence.SignIn]; return log })
	for _, q := range x.report(assess.Options{}).Requirements {
		if strings.Contains(q.Reason, "recorded sign-in") {
			t.Errorf("no log was read, and %s says: %s", q.ID, q.Reason)
		}
	}
	x = metTenant(t)
	for i := range x.f.Inputs {
		if _, log := x.f.Inputs[i].Kinds[evidence.SignIn]; log {
			x.f.Inputs[i].Status = evidence.Partial
		}
	}
	for _, q := range x.report(assess.Options{}).Requirements {
		if strings.Contains(q.Reason, "went without") || strings.Contains(q.Reason, "used it") {
			t.Errorf("half of the log was read, and %s says: %s", q.ID, q.Reason)
		}
	}
}
