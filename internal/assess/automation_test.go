package assess_test

import (
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
)

// thirtyDays is a log that is long enough to show an absence.
func thirtyDays(t *testing.T) *tenant {
	x := newTenant(t)
	for d := range 31 {
		r := row(fmt.Sprint("d", d), "ada", withMFA)
		r = strings.Replace(r, "2026-11-19T10", fmt.Sprintf("2026-%02d-%02dT10", 10+(19+d)/31, 1+(19+d)%31), 1)
		if d%2 == 0 {
			r = strings.Replace(r, `"isInteractive":true`, `"isInteractive":false`, 1)
		}
		x.signIns(r)
	}
	return x
}

// The verdict is never better than what was found.
func TestAutomationVerdict(t *testing.T) {
	t.Parallel()
	item := func(account string, sure bool) assess.AutomationItem {
		return assess.AutomationItem{Account: account, Sure: sure, Evidence: assess.Evidence{Subject: account, Detail: "a script"}}
	}
	for name, c := range map[string]struct {
		found    *assess.Automation
		short    bool
		want     assess.Verdict
		affected int
	}{
		"nothing, by a long log":       {&assess.Automation{}, false, assess.Met, 0},
		"nothing, by a short log":      {&assess.Automation{}, true, assess.Unknown, 0},
		"a sure one":                   {&assess.Automation{Items: []assess.AutomationItem{item("u1", true)}}, false, assess.NotMet, 1},
		"a sure one, by a short log":   {&assess.Automation{Items: []assess.AutomationItem{item("u1", true)}}, true, assess.NotMet, 1},
		"two of one account":           {&assess.Automation{Items: []assess.AutomationItem{item("u1", true), item("u1", true)}}, false, assess.NotMet, 1},
		"a possible one":               {&assess.Automation{Items: []assess.AutomationItem{item("u1", false)}}, false, assess.Unknown, 0},
		"a possible one beside a sure": {&assess.Automation{Items: []assess.AutomationItem{item("u1", false), item("u2", true)}}, false, assess.NotMet, 1},
		"more than are kept apart":     {&assess.Automation{Incomplete: "there are more"}, false, assess.Unknown, 0},
		"the synchronisation account":  {&assess.Automation{Items: []assess.AutomationItem{item("sync", true)}}, false, assess.Met, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := thirtyDays(t)
			if c.short {
				x = newTenant(t).signIns(row("1", "ada", withMFA))
			}
			x.add(evidence.User, `{"id":"sync","userPrincipalName":"Sync_A@contoso.com","displayName":"On-Premises Directory Synchronization Service Account","accountEnabled":true}`)
			x.add(evidence.RoleAssignment, `{"id":"a","principalId":"sync","roleDefinitionId":"a92aed5d-d78a-4d16-b381-09adb37eb3b0"}`)
			x.add(evidence.MFAAdoption, `{"loginDate":"2026-11-19","mfaCompliantRequestCount":14,"totalRequestCount":14,"applicationId":"a"}`)
			r := x.report(assess.Options{Automation: c.found})
			q := find(t, r, "automation-without-user-credentials")
			if q.Verdict != c.want || q.Affected != c.affected || q.Reason == "" || (c.want != assess.Met) != (q.Action != "") {
				t.Errorf("%s, %d affected: %s; %s", q.Verdict, q.Affected, q.Reason, q.Action)
			}
			if q := find(t, r, "secure-application-model"); q.Verdict != c.want {
				t.Errorf("secure-application-model: %s: %s", q.Verdict, q.Reason)
			}
		})
	}
}

// What the log holds decides, through the one place that knows automation.
func TestAutomationFromTheLog(t *testing.T) {
	t.Parallel()
	nightly := func(x *tenant) {
		for d := range 14 {
			r := row(fmt.Sprint("n", d), "bob", `"authenticationRequirement":"multiFactorAuthentication"`)
			r = strings.Replace(r, `"errorCode":0`, `"errorCode":0,"additionalDetails":"MFA requirement satisfied by claim in the token"`, 1)
			r = strings.Replace(r, `"appId":"app","appDisplayName":"Azure Portal"`,
				`"appId":"1950a258-227b-4e31-a9cf-717495945fc2","appDisplayName":"Microsoft Azure PowerShell"`, 1)
			r = strings.Replace(r, `"isInteractive":true`, `"isInteractive":false`, 1)
			x.signIns(strings.Replace(r, "2026-11-19T10", fmt.Sprintf("2026-11-%02dT02", 3+d), 1))
		}
	}
	for name, c := range map[string]struct {
		rows func(*tenant)
		want assess.Verdict
	}{
		"people only": {func(*tenant) {}, assess.Met},
		"guesses at a password": {func(x *tenant) {
			x.signIns(strings.Replace(row("g", "eve", `"authenticationProtocol":"ropc"`), `"errorCode":0`, `"errorCode":50126`, 1))
		}, assess.Met},
		"PowerShell each night":        {func(x *tenant) { nightly(x) }, assess.NotMet},
		"a stored password":            {func(x *tenant) { x.signIns(row("r", "eve", `"authenticationProtocol":"ropc",`+passwordOnly)) }, assess.NotMet},
		"one that may be a script":     {func(x *tenant) { x.signIns(row("p", "eve", `"userAgent":"python-requests/2",`+passwordOnly)) }, assess.Unknown},
		"a service account, not shown": {func(x *tenant) { x.signIns(row("s", "svc-a", "")) }, assess.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := thirtyDays(t)
			c.rows(x)
			if q := find(t, x.report(assess.Options{}), "automation-without-user-credentials"); q.Verdict != c.want {
				t.Errorf("%s: %s", q.Verdict, q.Reason)
			}
		})
	}
}

// Nobody looked: that is not an absence.
func TestAutomationNotLookedFor(t *testing.T) {
	t.Parallel()
	x := thirtyDays(t)
	x.searched = false
	if q := find(t, x.report(assess.Options{}), "automation-without-user-credentials"); q.Verdict != assess.Unknown {
		t.Errorf("%s: %s", q.Verdict, q.Reason)
	}
}
