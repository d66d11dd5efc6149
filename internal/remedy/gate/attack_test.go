package gate_test

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
)

// asked is a person's step.
func asked() remedy.Step {
	return remedy.Step{Do: remedy.Ask, Kind: remedy.Person, Name: "a task", Text: "do it", Undo: remedy.ByPerson, Task: &remedy.Task{Do: []string{"click"}}}
}

// TestNotSilent: what no question over sign-ins decides refuses all the same where it widens
// something, or where it is not known whom it lets past a policy.
func TestNotSilent(t *testing.T) {
	nested, unread := guid('b', 7), guid('f', 9)
	put := func(who string) remedy.Step {
		return step(t, remedy.Create, remedy.Member, "", "", `{"group":"`+bgGroup+`","member":"`+who+`"}`)
	}
	allowed := func(s string) string {
		return `{"defaultUserRolePermissions":{"permissionGrantPoliciesAssigned":[` + s + `]}}`
	}
	grant := func(scope string) string {
		return `{"clientId":"` + unread + `","consentType":"AllPrincipals","resourceId":"` + nested + `","scope":"` + scope + `"}`
	}
	provider := `{"@odata.type":"#microsoft.graph.externalAuthenticationMethodConfiguration","displayName":"X","appId":"` + unread +
		`","state":"enabled","includeTargets":[{"id":"all_users","targetType":"group"}],"openIdConnectSetting":{"clientId":"` + unread +
		`","discoveryUrl":"https://other.example/.well-known/openid-configuration"}}`
	for name, c := range map[string]struct {
		step remedy.Step
		text string
	}{
		"a group into a group left out": {put(nested), "who that is was not read"},
		"an unread account into one":    {put(unread), "who that is was not read"},
		"an unread account out of one": {step(t, remedy.Delete, remedy.Member, bgGroup+"/"+unread,
			`{"group":"`+bgGroup+`","member":"`+unread+`"}`, ""), "who that is was not read"},
		"users consent": {step(t, remedy.Update, remedy.Authorization, "",
			allowed(""), allowed(`"managePermissionGrantsForSelf.microsoft-user-default-legacy"`)), "allows more"},
		"everybody invites": {step(t, remedy.Update, remedy.Authorization, "",
			`{"allowInvitesFrom":"none"}`, `{"allowInvitesFrom":"everyone"}`), "allowInvitesFrom"},
		"a consent that is wider": {step(t, remedy.Update, remedy.Grant, "abcdefghijk",
			grant("User.Read"), grant("User.Read Directory.ReadWrite.All")), "Directory.ReadWrite.All"},
		"an application that is on again": {step(t, remedy.Update, remedy.Principal, unread, `{"accountEnabled":false}`,
			`{"accountEnabled":true}`), "switched on"},
		"a provider that nobody knows":      {step(t, remedy.Create, remedy.Method, "", "", provider), "other.example"},
		"an application that is taken away": {step(t, remedy.Update, remedy.Principal, unread, `{"accountEnabled":true}`, `{"accountEnabled":false}`), ""},
		"a consent that is narrower":        {step(t, remedy.Update, remedy.Grant, "abcdefghijk", grant("User.Read Mail.Read"), grant("User.Read")), ""},
		"nobody invites": {step(t, remedy.Update, remedy.Authorization, "",
			`{"allowInvitesFrom":"everyone"}`, `{"allowInvitesFrom":"none"}`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := gate.Look(input(plan(c.step)))
			if err != nil {
				t.Fatal(err)
			}
			if g.Passed != (c.text == "") || !strings.Contains(said(g), c.text) {
				t.Errorf("passed %v, and without %q:\n%s", g.Passed, c.text, said(g))
			}
			if c.text == "" && !strings.Contains(said(g), "tells who uses what step 1 changes is not looked at") {
				t.Errorf("nothing is said of it:\n%s", said(g))
			}
		})
	}
}

// TestMemberOfGroupAbove: who comes into a group whose members are all left out by another may be
// left out too: which groups are in which was not read.
func TestMemberOfGroupAbove(t *testing.T) {
	inner := guid('b', 8)
	in := input(plan(step(t, remedy.Create, remedy.Member, "", "", `{"group":"`+inner+`","member":"`+guid('e', 1)+`"}`)))
	for i := range in.Tenant.Users {
		if u := &in.Tenant.Users[i]; u.BreakGlass {
			u.Groups = append(u.Groups, inner)
		}
	}
	g, err := gate.Look(in)
	if err != nil || g.Passed || !strings.Contains(said(g), "would not be") {
		t.Errorf("it passes (%v):\n%s", err, said(g))
	}
}

// TestWaitsForPerson: a stage that opens something until a person has done a step is refused; the
// same with the person first is not, for that.
func TestWaitsForPerson(t *testing.T) {
	off := step(t, remedy.Update, remedy.Defaults, "", `{"isEnabled":true}`, `{"isEnabled":false}`)
	on := create(t, policy("", "New", "enabled", gentle, "", `"mfa"`))
	for name, steps := range map[string][]remedy.Step{"between": {off, asked(), on}, "first": {asked(), off, on}} {
		in := input(plan(steps...))
		in.Tenant.Policies, in.Tenant.Defaults.IsEnabled.Value = nil, true
		in.Plan.Stages = []remedy.Stage{remedy.ReportOnly, remedy.All}
		g, err := gate.Look(in)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(said(g), "which may take days") != (name == "between") {
			t.Errorf("%s:\n%s", name, said(g))
		}
	}
}

// TestNotForEver: an acceptance of more than a year counts for nothing.
func TestNotForEver(t *testing.T) {
	for until, holds := range map[time.Time]bool{now.AddDate(1, 0, 0): true, now.AddDate(2, 0, 0): false, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC): false} {
		p := plan(step(t, remedy.Delete, remedy.Policy, mfaAll, policy(mfaAll, "MFA for all", "enabled", today, "", `"mfa"`), ""))
		g, err := gate.Look(input(p))
		if err != nil || g.Passed {
			t.Fatal(err, said(g))
		}
		for _, f := range g.Findings {
			p.Accepted = append(p.Accepted, remedy.Acceptance{Finding: f.ID, By: "Ada", Why: "a test", Until: until})
		}
		if g, err = gate.Look(input(p)); err != nil || g.Passed != holds {
			t.Errorf("until %s: passed %v (%v)", until, g.Passed, err)
		}
	}
}

// TestAcceptedIsNotWider: who accepted that legacy mail opens for an account did not accept that
// everything does.
func TestAcceptedIsNotWider(t *testing.T) {
	mine := policy(mfaAll, "MFA for all", "enabled", today, "", `"mfa"`)
	narrow := strings.Replace(mine, `"includeApplications":["All"]`,
		`"includeApplications":["All"],"excludeApplications":["00000002-0000-0ff1-ce00-000000000000"]`, 1)
	p := plan(step(t, remedy.Update, remedy.Policy, mfaAll, mine, narrow))
	g, err := gate.Look(input(p))
	if err != nil || g.Passed {
		t.Fatal(err, said(g))
	}
	wide := plan(step(t, remedy.Delete, remedy.Policy, mfaAll, mine, ""))
	for _, f := range g.Findings {
		wide.Accepted = append(wide.Accepted, remedy.Acceptance{Finding: f.ID, By: "Ada", Why: "a test", Until: now.AddDate(0, 1, 0)})
	}
	wide.Accepted = wide.Accepted[:len(g.Findings)]
	in := input(wide)
	in.History = nil
	if g, err = gate.Look(in); err != nil {
		t.Fatal(err)
	}
	for _, f := range g.Findings {
		if f.Kind == remedy.Opens && f.Accepted != nil {
			t.Errorf("accepted for another opening: %s", f.Text)
		}
	}
}

// TestGuestIsNoWay: a guest who is Global Administrator signs in by a directory of others.
func TestGuestIsNoWay(t *testing.T) {
	in := input(plan(create(t, policy("", "New", "enabled", `"includeUsers":["`+bg2+`"]`, "", `"block"`))))
	for i := range in.Tenant.Users {
		if u := &in.Tenant.Users[i]; u.ID == bg1 {
			u.External = access.CollaborationGuest
		}
	}
	if g, err := gate.Look(in); err != nil || g.Passed || !strings.Contains(said(g), "by a directory of others") {
		t.Errorf("a guest counts (%v):\n%s", err, said(g))
	}
}
