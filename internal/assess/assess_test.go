package assess_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/assess"
	"partnerguard/internal/automation"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/fold"
	"partnerguard/internal/signin/read"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// tenant builds facts from JSON as it is exported.
type tenant struct {
	t    *testing.T
	f    *facts.Facts
	fold *fold.Fold
	auto *automation.Fold
	n    int

	searched bool // the log was searched for automation, as app does
}

func newTenant(t *testing.T) *tenant {
	x := &tenant{t: t, f: facts.New(), searched: true}
	x.auto = automation.NewFold(x.f.Directory, 0)
	x.fold = fold.New(fold.Options{Visit: x.auto.Visitor})
	return x
}

func (x *tenant) add(kind evidence.Kind, records ...string) *tenant {
	x.t.Helper()
	for _, r := range records {
		x.n++
		if err := x.f.Take(kind, []byte(r), evidence.Source{Path: "export.json", Index: x.n}); err != nil {
			x.t.Fatalf("%s: %v", r, err)
		}
	}
	return x
}

func (x *tenant) signIns(rows ...string) *tenant {
	x.t.Helper()
	for _, r := range rows {
		x.n++
		var e signin.Event
		if _, err := read.DecodeEvent([]byte(r), &e); err != nil {
			x.t.Fatalf("%s: %v", r, err)
		}
		x.f.Seen[evidence.SignIn]++
		x.fold.Add(&e, signin.SourceRef{Seq: 1, Source: evidence.Source{Path: "signins.jsonl", Line: x.n}})
	}
	return x
}

func (x *tenant) report(o assess.Options) *assess.Report {
	x.t.Helper()
	if x.f.Seen[evidence.SignIn] > 0 {
		sum, err := x.fold.Finish(context.Background(), nil)
		if err != nil {
			x.t.Fatal(err)
		}
		x.f.SignIns = &sum
	}
	if o.AsOf.IsZero() {
		o.AsOf = now
	}
	if o.Automation == nil && x.searched {
		o.Automation = &assess.Automation{}
		for _, it := range automation.Items(x.auto, x.f).Items {
			o.Automation.Items = append(o.Automation.Items, assess.AutomationItem{Account: it.Account, Sure: it.Decides(), Evidence: assess.Evidence{Subject: it.Name}})
		}
	}
	return assess.Assess(x.f, o)
}

func row(id, user, change string) string {
	base := `"id":"%s","createdDateTime":"2026-11-19T10:00:00Z","userId":"%s","userPrincipalName":"%s@contoso.com","appId":"app","appDisplayName":"Azure Portal","clientAppUsed":"Browser","ipAddress":"203.0.113.7","correlationId":"c-%s","isInteractive":true,"status":{"errorCode":0}`
	s := fmt.Sprintf("{"+base, id, user, user, id)
	if change != "" {
		s += "," + change
	}
	return s + "}"
}

const (
	passwordOnly = `"authenticationRequirement":"singleFactorAuthentication","authenticationDetails":[{"authenticationMethod":"Password","succeeded":true,"authenticationStepRequirement":"Primary authentication"}]`
	withMFA      = `"authenticationRequirement":"multiFactorAuthentication","authenticationDetails":[{"authenticationMethod":"Authenticator App","succeeded":true,"authenticationStepRequirement":"Multifactor authentication"}]`
)

func find(t *testing.T, r *assess.Report, id string) assess.Requirement {
	t.Helper()
	for _, q := range r.Requirements {
		if q.ID == id {
			return q
		}
	}
	t.Fatalf("no requirement %s", id)
	return assess.Requirement{}
}

func TestNothingReadIsUnknownNotMet(t *testing.T) {
	t.Parallel()
	r := newTenant(t).report(assess.Options{})
	for _, q := range r.Requirements {
		if q.Verdict != assess.Unknown {
			t.Errorf("%s is %s without any evidence: %s", q.ID, q.Verdict, q.Reason)
		}
		if q.Reason == "" {
			t.Errorf("%s gives no reason", q.ID)
		}
	}
	if len(r.Failing()) == 0 {
		t.Error("an empty export must not pass")
	}
}

// TestMetNeedsTheSettings: registration, roles and a clean log alone never
// make an MFA requirement met; the whole list of policies that cover
// everything does; with a page of that list missing it does not.
func TestMetNeedsTheSettings(t *testing.T) {
	t.Parallel()
	ids := []string{"mfa-every-user", "mfa-every-sign-in", "mfa-admin-roles", "legacy-authentication", "security-defaults-or-conditional-access"}
	build := func() *tenant {
		return newTenant(t).
			add(evidence.User, `{"id":"u1","userPrincipalName":"ada@contoso.com","accountEnabled":true,"userType":"Member"}`).
			add(evidence.RegistrationDetails, `{"id":"u1","userPrincipalName":"ada@contoso.com","isMfaRegistered":true,"isMfaCapable":true,"methodsRegistered":["microsoftAuthenticatorPush"]}`).
			add(evidence.RoleAssignment, `{"id":"a","principalId":"u1","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}`).
			add(evidence.SecurityDefaults, `{"id":"00000000-0000-0000-0000-000000000005","isEnabled":false}`).
			signIns(row("1", "u1", withMFA))
	}
	const everything = `{"id":"p","displayName":"MFA","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`
	for name, c := range map[string]struct {
		policy string
		input  evidence.Input
		want   assess.Verdict
	}{
		"no settings":            {"", evidence.Input{}, assess.Unknown},
		"covered":                {everything, evidence.Input{}, assess.Met},
		"a page of it missing":   {everything, evidence.Input{Path: "p", Status: evidence.Read, NextLink: true, Kinds: map[evidence.Kind]int{evidence.ConditionalAccessPolicy: 1}}, assess.Unknown},
		"an empty list, in full": {"", evidence.Input{Path: "p", Status: evidence.Read, Kinds: map[evidence.Kind]int{evidence.ConditionalAccessPolicy: 0}}, assess.NotMet},
	} {
		x := build()
		if c.policy != "" {
			x.add(evidence.ConditionalAccessPolicy, c.policy)
		}
		if c.input.Path != "" {
			x.f.Inputs = []evidence.Input{c.input}
		}
		r := x.report(assess.Options{})
		for _, id := range ids {
			want := c.want
			if q := find(t, r, id); q.Verdict != want {
				t.Errorf("%s: %s is %s because %q, want %s", name, id, q.Verdict, q.Reason, want)
			}
		}
	}
}

// TestAccountLeftOutBySettings: an account that no policy asks is not met, also
// without a recorded sign-in, and the reason names the clause.
func TestAccountLeftOutBySettings(t *testing.T) {
	t.Parallel()
	r := newTenant(t).
		add(evidence.User, `{"id":"u1","userPrincipalName":"ada@contoso.com","accountEnabled":true,"userType":"Member"}`, `{"id":"u2","userPrincipalName":"eve@contoso.com","accountEnabled":true,"userType":"Member"}`).
		add(evidence.ConditionalAccessPolicy, `{"id":"p","displayName":"MFA","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":["u2"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`).
		report(assess.Options{})
	if a := r.Accounts[0]; a.ID != "u2" || a.MFA != assess.NotMet || !strings.Contains(a.Reason, "excludes the account") || len(a.WaysOut) == 0 {
		t.Errorf("eve: %+v", a)
	}
	if a := r.Accounts[1]; a.ID != "u1" || a.MFA != assess.Met || len(a.WaysOut) != 0 {
		t.Errorf("ada: %+v", a)
	}
	if q := find(t, r, "mfa-every-user"); q.Verdict != assess.NotMet || q.Affected != 1 || q.Total != 2 {
		t.Errorf("mfa-every-user: %+v", q)
	}
}

// TestTrustedLocationIsAGap: the exclusion that scripts overlook decides
// against every sign-in, and not against the ordinary one.
func TestTrustedLocationIsAGap(t *testing.T) {
	t.Parallel()
	r := newTenant(t).
		add(evidence.User, `{"id":"u1","userPrincipalName":"ada@contoso.com","accountEnabled":true,"userType":"Member"}`).
		add(evidence.NamedLocation, `{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"hq","displayName":"HQ","isTrusted":true,"ipRanges":[{"cidrAddress":"203.0.113.0/24"}]}`).
		add(evidence.ConditionalAccessPolicy, `{"id":"p","displayName":"MFA","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`).
		report(assess.Options{})
	if q := find(t, r, "mfa-every-sign-in"); q.Verdict != assess.NotMet || len(q.Evidence) == 0 || !strings.Contains(q.Evidence[0].Detail, "HQ") || !strings.Contains(q.Evidence[0].Detail, "excludes all trusted locations") {
		t.Errorf("mfa-every-sign-in: %s %+v", q.Verdict, q.Evidence)
	}
	if q := find(t, r, "mfa-every-user"); q.Verdict != assess.Met {
		t.Errorf("mfa-every-user: %s because %s", q.Verdict, q.Reason)
	}
}

func TestOneNotChallengedSuccessIsEnough(t *testing.T) {
	t.Parallel()
	r := newTenant(t).
		add(evidence.User, `{"id":"u1","userPrincipalName":"u1@contoso.com","accountEnabled":true}`, `{"id":"u2","userPrincipalName":"u2@contoso.com","accountEnabled":true}`).
		add(evidence.RoleAssignment, `{"id":"a","principalId":"u2","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}`).
		signIns(row("1", "u1", withMFA), row("2", "u2", passwordOnly)).
		report(assess.Options{})
	for id, affected := range map[string]int{"mfa-every-user": 1, "mfa-every-sign-in": 1, "mfa-admin-roles": 1} {
		q := find(t, r, id)
		if q.Verdict != assess.NotMet || q.Affected != affected {
			t.Errorf("%s: %s, %d affected", id, q.Verdict, q.Affected)
		}
		if len(q.Evidence) == 0 || q.Evidence[0].RecordID != "2" || q.Evidence[0].Source.Line == 0 || q.Evidence[0].Subject != "u2@contoso.com" {
			t.Errorf("%s: evidence %+v", id, q.Evidence)
		}
	}
	if r.Accounts[0].UserPrincipalName != "u2@contoso.com" || r.Accounts[0].MFA != assess.NotMet || len(r.Accounts[0].WaysOut) == 0 {
		t.Errorf("the unmet account does not come first with its way out: %+v", r.Accounts[0])
	}
}

// TestSatisfiedRowsAreNotUnchallenged is the trap of the collected data: rows
// that say single factor and, elsewhere, that MFA was satisfied.
func TestSatisfiedRowsAreNotUnchallenged(t *testing.T) {
	t.Parallel()
	r := newTenant(t).signIns(row("1", "u1", `"authenticationRequirement":"singleFactorAuthentication","status":{"errorCode":0,"additionalDetails":"MFA requirement satisfied by claim in the token"}`)).report(assess.Options{})
	if q := find(t, r, "mfa-every-sign-in"); q.Verdict != assess.Unknown {
		t.Errorf("%s: %s", q.Verdict, q.Reason)
	}
	if r.SignIns.Total.SatisfiedByClaim != 1 || r.SignIns.Total.NotChallenged != 0 {
		t.Errorf("counts: %+v", r.SignIns.Total)
	}
}

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
		add(evidence.User, `{"id":"u1","userPrincipalName":"u1@contoso.com","accountEnabled":true}`, `{"id":"u2","userPrincipalName":"u2@contoso.com","accountEnabled":true}`).
		add(evidence.Group, `{"id":"G1","displayName":"Admins","members":[{"@odata.type":"#microsoft.graph.group","id":"G2"}]}`,
			`{"id":"G2","displayName":"Inner","members":[{"id":"U1"},{"@odata.type":"#microsoft.graph.group","id":"G1"}]}`, `{"id":"G3","displayName":"Closed"}`).
		add(evidence.RoleDefinition, `{"id":"62e90394-69f5-4237-9190-012177145e10","templateId":"62e90394-69f5-4237-9190-012177145e10","displayName":"Global Administrator"}`).
		add(evidence.RoleAssignment, `{"principalId":"g1","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}`, `{"principalId":"g3","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}`,
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
		return `{"id":"p","displayName":"P","state":"` + state + `","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":` + grant + `}`
	}
	const id = "security-defaults-or-conditional-access"
	for name, c := range map[string]struct {
		defaults, policy string
		want             assess.Verdict
	}{
		"defaults on":                {on, "", assess.Met},
		"only report-only":           {off, policy("enabledForReportingButNotEnforced", `{"operator":"OR","builtInControls":["mfa"]}`), assess.NotMet},
		"MFA or compliant device":    {off, policy("enabled", `{"operator":"OR","builtInControls":["mfa","compliantDevice"]}`), assess.NotMet},
		"MFA and compliant device":   {off, policy("enabled", `{"operator":"AND","builtInControls":["mfa","compliantDevice"]}`), assess.Met},
		"custom control is not MFA":  {off, policy("enabled", `{"operator":"OR","builtInControls":[],"customAuthenticationFactors":["Duo"]}`), assess.NotMet},
		"strength":                   {off, policy("enabled", `{"operator":"OR","authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}`), assess.Met},
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
		return `{"id":"r","displayName":"MLT_1","status":"` + status + `","customer":{"displayName":"Fabrikam"},"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"` + role + `"}]}}`
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
		"answered in time":              {evidence.SecurityAlert, alert("resolved", "2026-11-18T00:00:00Z", `{"statusTo":"investigating","updatedDateTime":"2026-11-18T03:00:00Z"}`), "security-alerts-answered", assess.Met},
		"answered late":                 {evidence.SecurityAlert, alert("resolved", "2026-11-10T00:00:00Z", `{"statusTo":"resolved","updatedDateTime":"2026-11-15T03:00:00Z"}`), "security-alerts-answered", assess.NotMet},
		"answered within the day":       {evidence.SecurityAlert, alert("resolved", "2026-11-10T00:00:00Z", `{"statusTo":"resolved","updatedDateTime":"2026-11-11T00:00:00Z"}`), "security-alerts-answered", assess.Met},
		"answered an hour later":        {evidence.SecurityAlert, alert("resolved", "2026-11-10T00:00:00Z", `{"statusTo":"resolved","updatedDateTime":"2026-11-11T01:00:00Z"}`), "security-alerts-answered", assess.NotMet},
		"answered, when not shown":      {evidence.SecurityAlert, alert("resolved", "2026-11-10T00:00:00Z", ""), "security-alerts-answered", assess.Unknown},
		"contact":                       {evidence.SecurityRequirement, score("securityContactProvided", "compliant"), "security-contact", assess.Met},
		"no contact, as misspelt":       {evidence.SecurityRequirement, score("securityContactProvided", "noncomplaint"), "security-contact", assess.NotMet},
		"contact, unknown status":       {evidence.SecurityRequirement, score("securityContactProvided", "soon"), "security-contact", assess.Unknown},
		"score never decides admins":    {evidence.SecurityRequirement, score("mfaEnforcedForAdmins", "compliant"), "mfa-admin-roles", assess.Unknown},
		"adoption short":                {evidence.MFAAdoption, `{"loginDate":"2026-11-19","mfaCompliantRequestCount":7,"totalRequestCount":14,"applicationId":"a"}`, "secure-application-model", assess.NotMet},
		"adoption whole, log missing":   {evidence.MFAAdoption, `{"loginDate":"2026-11-19","mfaCompliantRequestCount":14,"totalRequestCount":14,"applicationId":"a"}`, "secure-application-model", assess.Unknown},
		"adoption, nothing asked":       {evidence.MFAAdoption, `{"loginDate":"2026-11-19","mfaCompliantRequestCount":0,"totalRequestCount":0,"applicationId":"a"}`, "secure-application-model", assess.Unknown},
		"portal without MFA":            {evidence.NonCompliantPrincipal, `{"objectId":"o","upn":"x@contoso.com","lastNonMfaCompliantRequestDateTime":"2026-11-10T22:09:53.051"}`, "mfa-every-sign-in", assess.NotMet},
		"portal, after the as-of date":  {evidence.NonCompliantPrincipal, `{"objectId":"o","lastNonMfaCompliantRequestDateTime":"2026-11-21T22:09:53.051"}`, "mfa-every-sign-in", assess.Unknown},
		"API request without MFA":       {evidence.PartnerRequest, `{"requestId":"q","mfaCompliant":false}`, "secure-application-model", assess.NotMet},
		"no P2":                         {evidence.SubscribedSku, `{"id":"s","capabilityStatus":"Enabled","prepaidUnits":{"enabled":5},"servicePlans":[{"servicePlanName":"AAD_PREMIUM"}]}`, "entra-id-p2-admin-agents", assess.NotMet},
		"P2 suspended":                  {evidence.SubscribedSku, `{"id":"s","capabilityStatus":"Suspended","prepaidUnits":{"enabled":5},"servicePlans":[{"servicePlanName":"AAD_PREMIUM_P2"}]}`, "entra-id-p2-admin-agents", assess.NotMet},
		"P2 present":                    {evidence.SubscribedSku, `{"id":"s","capabilityStatus":"Enabled","prepaidUnits":{"enabled":5},"servicePlans":[{"servicePlanName":"AAD_PREMIUM_P2"}]}`, "entra-id-p2-admin-agents", assess.Unknown},
		"app password registered":       {evidence.RegistrationDetails, `{"id":"u","userPrincipalName":"u@x","isMfaRegistered":true,"methodsRegistered":["appPassword","mobilePhone"]}`, "app-passwords", assess.NotMet},
		"custom control":                {evidence.ConditionalAccessPolicy, `{"id":"p","displayName":"Duo","state":"enabled","grantControls":{"operator":"OR","customAuthenticationFactors":["RequireDuoMfa"]}}`, "third-party-mfa-claim", assess.NotMet},
		"permanent privileged role":     {evidence.RoleAssignment, `{"id":"a","principalId":"u","roleDefinitionId":"` + global + `","principal":{"@odata.type":"#microsoft.graph.user","id":"u","userPrincipalName":"u@x"}}`, "privileged-identity-management", assess.NotMet},
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
	for id, affected := range map[string]int{"automation-without-user-credentials": 2, "legacy-authentication": 2, "modern-authentication-clients": 1, "secure-application-model": 2} {
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
	if !slices.Contains(ways["svc-billing"], "secure_application_model") || !slices.Contains(ways["printer"], "app_password") || !slices.Contains(ways["olduser"], "client_upgrade") {
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
	for _, in := range []evidence.Input{{Path: "a", Status: evidence.Partial}, {Path: "a", Status: evidence.Unreadable}, {Path: "a", Status: evidence.Read, NextLink: true}} {
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
			add(evidence.User, `{"id":"u1","userPrincipalName":"u1@contoso.com","accountEnabled":true}`, `{"id":"u2","userPrincipalName":"u2@contoso.com","accountEnabled":true}`).
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
