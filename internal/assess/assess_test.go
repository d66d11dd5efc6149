package assess_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/automation"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
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
			o.Automation.Items = append(o.Automation.Items, assess.AutomationItem{Account: it.Account, Sure: it.Decides(),
				Evidence: assess.Evidence{Subject: it.Name}})
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
		"no settings": {"", evidence.Input{}, assess.Unknown},
		"covered":     {everything, evidence.Input{}, assess.Met},
		"a page of it missing": {everything, evidence.Input{Path: "p", Status: evidence.Read, NextLink: true,
			Kinds: map[evidence.Kind]int{evidence.ConditionalAccessPolicy: 1}}, assess.Unknown},
		"an empty list, in full": {"", evidence.Input{Path: "p", Status: evidence.Read, Kinds: map[evidence.Kind]int{evidence.ConditionalAccessPolicy: 0}},
			assess.NotMet},
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
		add(evidence.User, `{"id":"u1","userPrincipalName":"ada@contoso.com","accountEnabled":true,"userType":"Member"}`,
			`{"id":"u2","userPrincipalName":"eve@contoso.com","accountEnabled":true,"userType":"Member"}`).
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
	if q := find(t, r, "mfa-every-sign-in"); q.Verdict != assess.NotMet || len(q.Evidence) == 0 || !strings.Contains(q.Evidence[0].Detail, "HQ") ||
		!strings.Contains(q.Evidence[0].Detail, "excludes all trusted locations") {
		t.Errorf("mfa-every-sign-in: %s %+v", q.Verdict, q.Evidence)
	}
	if q := find(t, r, "mfa-every-user"); q.Verdict != assess.Met {
		t.Errorf("mfa-every-user: %s because %s", q.Verdict, q.Reason)
	}
}

func TestOneNotChallengedSuccessIsEnough(t *testing.T) {
	t.Parallel()
	r := newTenant(t).
		add(evidence.User, `{"id":"u1","userPrincipalName":"u1@contoso.com","accountEnabled":true}`,
			`{"id":"u2","userPrincipalName":"u2@contoso.com","accountEnabled":true}`).
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
