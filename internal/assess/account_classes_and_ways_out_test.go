package assess_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
)

func TestAccountClassesAndWaysOut(t *testing.T) {
	t.Parallel()
	const noMethod = `{"id":"%s","userPrincipalName":"%s","isMfaRegistered":false,"isMfaCapable":false,"methodsRegistered":[]}`
	x := newTenant(t).add(evidence.User,
		`{"id":"m","userPrincipalName":"ada@contoso.com","displayName":"Ada Byron","accountEnabled":true,"userType":"Member"}`,
		`{"id":"g","userPrincipalName":"bob_fabrikam.com#EXT#@contoso.onmicrosoft.com","accountEnabled":true,"userType":"Guest"}`,
		`{"id":"s","userPrincipalName":"svc-billing@contoso.com","accountEnabled":true,"userType":"Member"}`,
		`{"id":"f","userPrincipalName":"frontdesk@contoso.com","accountEnabled":true,"userType":"Member"}`,
		`{"id":"b","userPrincipalName":"breakglass1@contoso.onmicrosoft.com","accountEnabled":true,"userType":"Member"}`,
		`{"id":"y","userPrincipalName":"Sync_SRV1_abc@contoso.onmicrosoft.com","displayName":"On-Premises Directory Synchronization Service Account","accountEnabled":true,"userType":"Member"}`,
		`{"id":"z","userPrincipalName":"Sync_Mallory@contoso.com","displayName":"Mallory","accountEnabled":true,"userType":"Member"}`,
		`{"id":"d","userPrincipalName":"gone@contoso.com","accountEnabled":false,"userType":"Member"}`)
	x.add(evidence.RoleAssignment, `{"id":"a","principalId":"y","roleDefinitionId":"d29b2b05-8046-44ba-8758-1e26182fcf32"}`)
	for _, id := range []string{"m", "g", "s", "f", "b", "y", "z", "d"} {
		x.add(evidence.RegistrationDetails, fmt.Sprintf(noMethod, id, id+"@x"))
	}
	r := x.report(assess.Options{})
	want := map[string]struct {
		class string
		mfa   assess.Verdict
		way   string
	}{
		"m": {"member", assess.NotMet, "register"}, "g": {"guest", assess.NotMet, "register"}, "s": {"service", assess.NotMet, "secure_application_model"},
		"f": {"shared", assess.NotMet, "totp_secured_desktop"}, "b": {"break_glass_candidate", assess.NotMet, "security_key"},
		"y": {"directory_sync", assess.NotApplicable, ""}, "z": {"member", assess.NotMet, "register"}, "d": {"disabled", assess.NotApplicable, ""},
	}
	for _, a := range r.Accounts {
		w := want[a.ID]
		if a.Class != w.class || a.MFA != w.mfa {
			t.Errorf("%s: class %s, MFA %s; want %s, %s", a.UserPrincipalName, a.Class, a.MFA, w.class, w.mfa)
		}
		if w.way != "" && !slices.ContainsFunc(a.WaysOut, func(o assess.WayOut) bool { return o.ID == w.way }) {
			t.Errorf("%s: ways out %+v lack %s", a.UserPrincipalName, a.WaysOut, w.way)
		}
		if w.way == "" && len(a.WaysOut) > 0 {
			t.Errorf("%s is out of scope and has ways out", a.UserPrincipalName)
		}
	}
	if q := find(t, r, "mfa-every-user"); q.Affected != 6 || q.Total != 6 {
		t.Errorf("mfa-every-user: %d of %d", q.Affected, q.Total)
	}
}

func TestRolesThroughGroupsAndEligibility(t *testing.T) {
	t.Parallel()
	r := newTenant(t).
		add(evidence.User, `{"id":"u1","userPrincipalName":"u1@contoso.com","accountEnabled":true}`,
			`{"id":"u2","userPrincipalName":"u2@contoso.com","accountEnabled":true}`).
		add(evidence.Group, `{"id":"G1","displayName":"Admins","members":[{"@odata.type":"#microsoft.graph.group","id":"G2"}]}`,
			`{"id":"G2","displayName":"Inner","members":[{"id":"U1"},{"@odata.type":"#microsoft.graph.group","id":"G1"}]}`,
			`{"id":"G3","displayName":"Closed"}`).
		add(evidence.RoleDefinition, `{"id":"62e90394-69f5-4237-9190-012177145e10","templateId":"62e90394-69f5-4237-9190-012177145e10","displayName":"Global Administrator"}`).
		add(evidence.RoleAssignment, `{"principalId":"g1","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}`,
			`{"principalId":"g3","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}`,
			`{"principalId":"stranger","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}`).
		add(evidence.RoleEligibility, `{"principalId":"u2","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}`).
		report(assess.Options{})
	for _, a := range r.Accounts {
		if !a.Admin {
			t.Errorf("%s is an administrator: %v", a.ID, a.Roles)
		}
		if a.ID == "u2" && (len(a.Roles) != 1 || a.Roles[0] != "Global Administrator (eligible)") {
			t.Errorf("u2: %v", a.Roles)
		}
	}
	if r.Complete || len(r.Incomplete) != 2 {
		t.Errorf("a group without members and a stranger with a role must make it incomplete: %v", r.Incomplete)
	}
}

func TestSettingsFacts(t *testing.T) {
	t.Parallel()
	const off, on = `{"id":"00000000-0000-0000-0000-000000000005","isEnabled":false}`, `{"isEnabled":true}`
	policy := func(state, grant string) string {
		return `{"id":"p","displayName":"P","state":"` + state +
			`","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":` + grant + `}`
	}
	const id = "security-defaults-or-conditional-access"
	for name, c := range map[string]struct {
		defaults, policy string
		want             assess.Verdict
	}{
		"defaults on":               {on, "", assess.Met},
		"only report-only":          {off, policy("enabledForReportingButNotEnforced", `{"operator":"OR","builtInControls":["mfa"]}`), assess.NotMet},
		"MFA or compliant device":   {off, policy("enabled", `{"operator":"OR","builtInControls":["mfa","compliantDevice"]}`), assess.NotMet},
		"MFA and compliant device":  {off, policy("enabled", `{"operator":"AND","builtInControls":["mfa","compliantDevice"]}`), assess.Met},
		"custom control is not MFA": {off, policy("enabled", `{"operator":"OR","builtInControls":[],"customAuthenticationFactors":["Duo"]}`), assess.NotMet},
		"strength": {off, policy("enabled", `{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}`),
			assess.Met},
		"block only":                 {off, policy("enabled", `{"operator":"OR","builtInControls":["block"]}`), assess.Met},
		"unknown state":              {off, policy("somethingNew", `{"operator":"OR","builtInControls":["mfa"]}`), assess.Unknown},
		"no policies exported":       {off, "", assess.Unknown},
		"defaults not exported":      {"", policy("disabled", `{"operator":"OR","builtInControls":["mfa"]}`), assess.Unknown},
		"null grant controls":        {off, policy("enabled", `null`), assess.Unknown},
		"unknown control beside mfa": {off, policy("enabled", `{"operator":"OR","builtInControls":["mfa","unknownFutureValue"]}`), assess.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newTenant(t)
			if c.defaults != "" {
				x.add(evidence.SecurityDefaults, c.defaults)
			}
			if c.policy != "" {
				x.add(evidence.ConditionalAccessPolicy, c.policy)
			}
			if q := find(t, x.report(assess.Options{}), id); q.Verdict != c.want {
				t.Errorf("%s because %s, want %s", q.Verdict, q.Reason, c.want)
			}
		})
	}
}

func TestProgrammeRules(t *testing.T) {
	t.Parallel()
	rel := func(status, role string) string {
		return `{"id":"r","displayName":"MLT_1","status":"` + status +
			`","customer":{"displayName":"Fabrikam"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"` + role + `"}]}}`
	}
	const reader, global = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "62e90394-69f5-4237-9190-012177145e10"
	alert := func(status, detected, log string) string {
		return `{"id":"al","displayName":"Crypto","status":"` + status + `","detectedDateTime":"` + detected + `","isTest":false,"activityLogs":[` + log + `]}`
	}
	score := func(kind, status string) string {
		return `{"id":"x","requirementType":"` + kind + `","complianceStatus":"` + status + `","state":"active"}`
	}
	for name, c := range map[string]struct {
		kind   evidence.Kind
		record string
		id     string
		want   assess.Verdict
	}{
		"DAP in place":                  {evidence.Customer, `{"id":"c","allowDelegatedAccess":true}`, "no-dap", assess.NotMet},
		"DAP gone":                      {evidence.Customer, `{"id":"c","allowDelegatedAccess":false}`, "no-dap", assess.Met},
		"DAP not said":                  {evidence.Customer, `{"id":"c"}`, "no-dap", assess.Unknown},
		"inactive DAP is in no API":     {evidence.Customer, `{"id":"c","allowDelegatedAccess":true}`, "inactive-dap", assess.Unknown},
		"global administrator":          {evidence.Relationship, rel("active", global), "gdap-least-privilege", assess.NotMet},
		"global administrator, ended":   {evidence.Relationship, rel("terminated", global), "gdap-least-privilege", assess.NotApplicable},
		"directory readers":             {evidence.Relationship, rel("active", reader), "gdap-least-privilege", assess.Met},
		"open alert":                    {evidence.SecurityAlert, alert("active", "2026-11-18T00:00:00Z", ""), "security-alerts-answered", assess.NotMet},
		"open alert is fraud unwatched": {evidence.SecurityAlert, alert("active", "2026-11-18T00:00:00Z", ""), "azure-fraud-watch", assess.NotMet},
		"young alert":                   {evidence.SecurityAlert, alert("active", "2026-11-20T10:00:00Z", ""), "security-alerts-answered", assess.Met},
		"answered in time": {evidence.SecurityAlert,
			alert("resolved", "2026-11-18T00:00:00Z", `{"statusTo":"investigating","updatedDateTime":"2026-11-18T03:00:00Z"}`), "security-alerts-answered",
			assess.Met},
		"answered late": {evidence.SecurityAlert,
			alert("resolved", "2026-11-10T00:00:00Z", `{"statusTo":"resolved","updatedDateTime":"2026-11-15T03:00:00Z"}`), "security-alerts-answered",
			assess.NotMet},
		"answered within the day": {evidence.SecurityAlert,
			alert("resolved", "2026-11-10T00:00:00Z", `{"statusTo":"resolved","updatedDateTime":"2026-11-11T00:00:00Z"}`), "security-alerts-answered",
			assess.Met},
		"answered an hour later": {evidence.SecurityAlert,
			alert("resolved", "2026-11-10T00:00:00Z", `{"statusTo":"resolved","updatedDateTime":"2026-11-11T01:00:00Z"}`), "security-alerts-answered",
			assess.NotMet},
		"answered, when not shown":   {evidence.SecurityAlert, alert("resolved", "2026-11-10T00:00:00Z", ""), "security-alerts-answered", assess.Unknown},
		"contact":                    {evidence.SecurityRequirement, score("securityContactProvided", "compliant"), "security-contact", assess.Met},
		"no contact, as misspelt":    {evidence.SecurityRequirement, score("securityContactProvided", "noncomplaint"), "security-contact", assess.NotMet},
		"contact, unknown status":    {evidence.SecurityRequirement, score("securityContactProvided", "soon"), "security-contact", assess.Unknown},
		"score never decides admins": {evidence.SecurityRequirement, score("mfaEnforcedForAdmins", "compliant"), "mfa-admin-roles", assess.Unknown},
		"adoption short": {evidence.MFAAdoption,
			`{"loginDate":"2026-11-19","mfaCompliantRequestCount":7,"totalRequestCount":14,"applicationId":"a"}`, "secure-application-model", assess.NotMet},
		"adoption whole, log missing": {evidence.MFAAdoption,
			`{"loginDate":"2026-11-19","mfaCompliantRequestCount":14,"totalRequestCount":14,"applicationId":"a"}`, "secure-application-model", assess.Unknown},
		"adoption, nothing asked": {evidence.MFAAdoption,
			`{"loginDate":"2026-11-19","mfaCompliantRequestCount":0,"totalRequestCount":0,"applicationId":"a"}`, "secure-application-model", assess.Unknown},
		"portal without MFA": {evidence.NonCompliantPrincipal,
			`{"objectId":"o","upn":"x@contoso.com","lastNonMfaCompliantRequestDateTime":"2026-11-10T22:09:53.051"}`, "mfa-every-sign-in", assess.NotMet},
		"portal, after the as-of date": {evidence.NonCompliantPrincipal, `{"objectId":"o","lastNonMfaCompliantRequestDateTime":"2026-11-21T22:09:53.051"}`,
			"mfa-every-sign-in", assess.Unknown},
		"API request without MFA": {evidence.PartnerRequest, `{"requestId":"q","mfaCompliant":false}`, "secure-application-model", assess.NotMet},
		"no P2": {evidence.SubscribedSku,
			`{"id":"s","capabilityStatus":"Enabled","prepaidUnits":{"enabled":5},"servicePlans":[{"servicePlanName":"AAD_PREMIUM"}]}`,
			"entra-id-p2-admin-agents", assess.NotMet},
		"P2 suspended": {evidence.SubscribedSku,
			`{"id":"s","capabilityStatus":"Suspended","prepaidUnits":{"enabled":5},"servicePlans":[{"servicePlanName":"AAD_PREMIUM_P2"}]}`,
			"entra-id-p2-admin-agents", assess.NotMet},
		"P2 present": {evidence.SubscribedSku,
			`{"id":"s","capabilityStatus":"Enabled","prepaidUnits":{"enabled":5},"servicePlans":[{"servicePlanName":"AAD_PREMIUM_P2"}]}`,
			"entra-id-p2-admin-agents", assess.Unknown},
		"app password registered": {evidence.RegistrationDetails,
			`{"id":"u","userPrincipalName":"u@x","isMfaRegistered":true,"methodsRegistered":["appPassword","mobilePhone"]}`, "app-passwords", assess.NotMet},
		"custom control": {evidence.ConditionalAccessPolicy,
			`{"id":"p","displayName":"Duo","state":"enabled","grantControls":{"operator":"OR","customAuthenticationFactors":["RequireDuoMfa"]}}`,
			"third-party-mfa-claim", assess.NotMet},
		"permanent privileged role": {evidence.RoleAssignment, `{"id":"a","principalId":"u","roleDefinitionId":"` + global +
			`","principal":{"@odata.type":"#microsoft.graph.user","id":"u","userPrincipalName":"u@x"}}`, "privileged-identity-management", assess.NotMet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newTenant(t).add(c.kind, c.record).report(assess.Options{})
			if q := find(t, r, c.id); q.Verdict != c.want {
				t.Errorf("%s is %s because %s, want %s", c.id, q.Verdict, q.Reason, c.want)
			}
		})
	}
}

// TestAlertsAreAveraged: one late answer among quick ones keeps the average,
// is named, and still counts as fraud not watched.
func TestAlertsAreAveraged(t *testing.T) {
	t.Parallel()
	x := newTenant(t).add(evidence.SecurityAlert, `{"id":"late","displayName":"Late","status":"active","detectedDateTime":"2026-11-19T06:00:00Z"}`)
	for i := range 5 {
		x.add(evidence.SecurityAlert, fmt.Sprintf(`{"id":"quick%d","status":"resolved","detectedDateTime":"2026-11-10T00:00:00Z","resolvedOnDateTime":"2026-11-10T01:00:00Z"}`, i))
	}
	r := x.report(assess.Options{})
	if q := find(t, r, "security-alerts-answered"); q.Verdict != assess.Met || !strings.Contains(q.Reason, "still unanswered") || q.Total != 6 {
		t.Errorf("%s: %s", q.Verdict, q.Reason)
	}
	if q := find(t, r, "azure-fraud-watch"); q.Verdict != assess.NotMet || q.Affected != 1 {
		t.Errorf("%s: %s", q.Verdict, q.Reason)
	}
}

func TestAutomationAndLegacy(t *testing.T) {
	t.Parallel()
	r := newTenant(t).signIns(
		row("1", "svc-billing", `"authenticationProtocol":"ropc",`+passwordOnly),
		strings.Replace(row("2", "printer", passwordOnly), `"Browser"`, `"Authenticated SMTP"`, 1),
		strings.Replace(row("3", "olduser", passwordOnly), `"Browser"`, `"Exchange Web Services"`, 1),
	).report(assess.Options{})
	for id, affected := range map[string]int{"automation-without-user-credentials": 2, "legacy-authentication": 2, "modern-authentication-clients": 1,
		"secure-application-model": 2} {
		if q := find(t, r, id); q.Verdict != assess.NotMet || q.Affected != affected {
			t.Errorf("%s: %s, %d affected, want %d: %s", id, q.Verdict, q.Affected, affected, q.Reason)
		}
	}
	ways := map[string][]string{}
	for _, a := range r.Accounts {
		for _, w := range a.WaysOut {
			ways[a.ID] = append(ways[a.ID], w.ID)
		}
	}
	if !slices.Contains(ways["svc-billing"], "secure_application_model") || !slices.Contains(ways["printer"], "app_password") ||
		!slices.Contains(ways["olduser"], "client_upgrade") {
		t.Errorf("ways out: %v", ways)
	}
}

func TestAsOf(t *testing.T) {
	t.Parallel()
	for asOf, want := range map[string]assess.Verdict{"2019-05-01": assess.NotApplicable, "2019-07-15": assess.NotMet, "2026-11-20": assess.NotMet} {
		at, _ := time.Parse(time.DateOnly, asOf)
		r := newTenant(t).signIns(row("1", "u", passwordOnly)).report(assess.Options{AsOf: at})
		if q := find(t, r, "mfa-every-sign-in"); q.Verdict != want {
			t.Errorf("as of %s: %s (%s)", asOf, q.Verdict, q.Binding)
		}
		if failing := len(r.Failing()) > 0; failing != (asOf == "2026-11-20") {
			t.Errorf("as of %s: failing %v", asOf, failing)
		}
	}
	r := newTenant(t).signIns(row("1", "u", passwordOnly)).report(assess.Options{Cloud: partner.USGov})
	if q := find(t, r, "mfa-every-sign-in"); q.Verdict != assess.NotMet || q.Binding != "advised" || len(r.Failing()) != 0 {
		t.Errorf("sovereign: %s %s, failing %d", q.Verdict, q.Binding, len(r.Failing()))
	}
}

func TestIncomplete(t *testing.T) {
	t.Parallel()
	for _, in := range []evidence.Input{{Path: "a", Status: evidence.Partial}, {Path: "a", Status: evidence.Unreadable},
		{Path: "a", Status: evidence.Read, NextLink: true}} {
		x := newTenant(t)
		x.f.Inputs = []evidence.Input{in}
		if r := x.report(assess.Options{}); r.Complete || len(r.Incomplete) != 1 {
			t.Errorf("%+v: complete %v, %v", in, r.Complete, r.Incomplete)
		}
	}
	x := newTenant(t)
	x.f.Inputs = []evidence.Input{{Path: "a", Status: evidence.Read}, {Path: "b", Status: evidence.NotRecognised}}
	if r := x.report(assess.Options{}); !r.Complete {
		t.Errorf("not complete: %v", r.Incomplete)
	}
}

// TestOpenPageIsNotAbsence: with a page missing, nothing may be called absent.
func TestOpenPageIsNotAbsence(t *testing.T) {
	t.Parallel()
	for _, open := range []bool{false, true} {
		x := newTenant(t).add(evidence.Customer, `{"id":"c","allowDelegatedAccess":false}`)
		x.f.Inputs = []evidence.Input{{Path: "a", Status: evidence.Read, NextLink: open, Kinds: map[evidence.Kind]int{evidence.Customer: 1}}}
		want := assess.Met
		if open {
			want = assess.Unknown
		}
		if q := find(t, x.report(assess.Options{}), "no-dap"); q.Verdict != want {
			t.Errorf("open page %v: %s", open, q.Verdict)
		}
	}
}

func TestEveryRuleHasAJudgeAndReportsAreStable(t *testing.T) {
	t.Parallel()
	build := func() *assess.Report {
		return newTenant(t).
			add(evidence.User, `{"id":"u1","userPrincipalName":"u1@contoso.com","accountEnabled":true}`,
				`{"id":"u2","userPrincipalName":"u2@contoso.com","accountEnabled":true}`).
			signIns(row("1", "u1", passwordOnly), row("2", "u2", passwordOnly), row("3", "u3", withMFA)).
			report(assess.Options{})
	}
	a, b := build(), build()
	if len(a.Requirements) != len(partner.Book()) {
		t.Errorf("%d requirements for %d rules", len(a.Requirements), len(partner.Book()))
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if diff := cmp.Diff(string(x), string(y)); diff != "" {
		t.Errorf("equal facts gave different reports: %s", diff)
	}
}

func TestWrongTypesCostOnlyTheField(t *testing.T) {
	t.Parallel()
	f := facts.New()
	err := f.Take(evidence.User, []byte(`{"id":"u1","userPrincipalName":{"x":1},"accountEnabled":"TRUE"}`), evidence.Source{Path: "a"})
	if err == nil || !strings.Contains(err.Error(), "userPrincipalName") {
		t.Errorf("error = %v", err)
	}
	if u := f.Directory.Users["u1"]; u == nil || !u.AccountEnabled.True() {
		t.Errorf("the rest of the record was lost: %+v", u)
	}
}
