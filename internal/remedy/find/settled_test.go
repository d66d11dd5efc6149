package find_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/remedy/gate"
)

// done is the input with a plan's steps done: its policies are among the settings, by other ids
// and under their own names.
func done(t *testing.T, in find.Input, p *remedy.Plan) find.Input {
	t.Helper()
	moves, err := gate.Expand(p, "", remedy.All, in.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	if in.Tenant, err = gate.Over(in.Tenant, moves, -1, nil); err != nil {
		t.Fatal(err)
	}
	objects := find.Objects{remedy.Policy: {}}
	for id, r := range in.Objects[remedy.Policy] {
		objects[remedy.Policy][id] = r
	}
	for i, s := range p.Steps {
		if s.Kind != remedy.Policy || s.Do != remedy.Create {
			continue
		}
		for _, o := range in.Tenant.Policies {
			if o.DisplayName == s.Name {
				o.ID = guid('e', i)
				objects[remedy.Policy][o.ID] = find.Read{Raw: json.RawMessage(s.After)}
			}
		}
	}
	in.Objects = objects
	return in
}

// TestSecondPlanIsEmpty: what a plan did is not planned once more, whatever still counts
// against the requirement, and it is said what does and until when.
func TestSecondPlanIsEmpty(t *testing.T) {
	until := time.Date(2026, 12, 29, 7, 0, 0, 0, time.UTC)
	proposed := []json.RawMessage{[]byte(strings.Replace(raw[2], guid('d', 2), guid('d', 9), 1))}
	for _, goal := range []find.Goal{{ID: "mfa-every-sign-in", Variant: "baseline"}, {ID: "legacy-authentication"}, {ID: "mfa-every-user"},
		{Preset: "partner-baseline"}, {ID: "risk-based-access"}, {ID: "P07"}, {ID: "P04"}, {ID: "P09"},
		{ID: "P25"}, {ID: "phishing-resistant-admins"}, {Policies: proposed}} {
		name := goal.ID + goal.Preset
		in := input(t)
		in.Tenant.Policies = in.Tenant.Policies[:1]
		in.Tenant.Users[0].Roles, in.Tenant.Users[0].Admin = []string{"62e90394-69f5-4237-9190-012177145e10"}, true
		in.Reach = []find.Group{{ID: guid('b', 1), Name: "Helpers"}}
		for _, id := range []string{"mfa-every-sign-in", "mfa-every-user", "legacy-authentication", "risk-based-access", "P04", "P07", "P09", "P25"} {
			u := find.Unmet{ID: id, Title: id, Verdict: "not_met", Reason: "3 sign-ins succeeded without MFA"}
			if id[0] != 'P' && id != "risk-based-access" {
				u.Until = until
			}
			in.Unmet = append(in.Unmet, u)
		}
		then := done(t, in, plan(t, in, goal))
		p, err := find.Plan(then, goal)
		if err == nil {
			t.Errorf("%s: a second plan has %d steps: %s", name, len(p.Steps), p.Steps[0].Text)
			continue
		}
		if !errors.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
		words := err.Error() + " " + problem.HintOf(err)
		if len(goal.Policies) == 0 && !strings.Contains(words, "in force") && !strings.Contains(words, "the settings of today prove it") {
			t.Errorf("%s: %s", name, words)
		}
		if strings.Contains(name, "mfa") && !strings.Contains(words, "after 2026-12-29") {
			t.Errorf("%s does not say until when: %s", name, words)
		}
		if goal.ID == "P25" && !strings.Contains(words, "3 sign-ins succeeded") {
			t.Errorf("%s does not say what is left: %s", name, words)
		}
		for _, c := range find.List(then) {
			if c.Requirement == goal.ID && (!c.Settled || c.Goal != "") {
				t.Errorf("%s is offered again: %+v", name, c)
			}
		}
	}
}

// TestSettledIsNoMoreThanThat: a policy that is off, that reports, that leaves more people out
// or takes fewer in, or that asks for less is not what would be made.
func TestSettledIsNoMoreThanThat(t *testing.T) {
	in := input(t)
	in.Tenant.Policies = nil
	goal := find.Goal{ID: "risk-based-access"}
	base := done(t, in, plan(t, in, goal))
	if _, err := find.Plan(base, goal); err == nil {
		t.Fatal("it is planned again")
	}
	for what, change := range map[string]func(*access.Policy){
		"off":        func(p *access.Policy) { p.State = access.Disabled },
		"reports":    func(p *access.Policy) { p.State = access.ReportOnly },
		"leaves out": func(p *access.Policy) { p.Conditions.Users.ExcludeUsers = []string{guid('a', 1)} },
		"fewer":      func(p *access.Policy) { p.Conditions.Users.IncludeUsers = []string{guid('a', 1)} },
		"less": func(p *access.Policy) {
			p.GrantControls = &access.GrantControls{Operator: "OR", BuiltInControls: []string{"compliantDevice"}}
		},
		"one level": func(p *access.Policy) { p.Conditions.SignInRiskLevels = []string{"low"} },
		"not known": func(p *access.Policy) { p.Unsupported = []string{"x"} },
	} {
		tenant := *base.Tenant
		own := *tenant.Policies[0]
		change(&own)
		tenant.Policies = append([]*access.Policy{&own}, tenant.Policies[1:]...)
		then := base
		then.Tenant = &tenant
		if p, err := find.Plan(then, goal); err != nil || len(p.Steps) != 1 {
			t.Errorf("%s: %v", what, err)
		}
	}
	more := *base.Tenant
	own := *more.Policies[0]
	own.DisplayName, own.Conditions.Users.IncludeRoles = "another name", []string{guid('f', 1)}
	more.Policies = append([]*access.Policy{&own}, more.Policies[1:]...)
	base.Tenant = &more
	if _, err := find.Plan(base, goal); err == nil {
		t.Error("a policy for more people under another name does not count")
	}
}

// TestSettledText: a list says what nothing is to be changed for, and how long it waits.
func TestSettledText(t *testing.T) {
	in := input(t)
	in.Tenant.Policies = nil
	in.Unmet = []find.Unmet{{ID: "legacy-authentication", Title: "Old clients", Verdict: "not_met",
		Reason: "2 accounts sign in with a protocol that cannot carry MFA",
		Until:  time.Date(2026, 12, 29, 7, 0, 0, 0, time.UTC)}}
	in = done(t, in, plan(t, in, find.Goal{ID: "legacy-authentication"}))
	var b strings.Builder
	if err := find.Text(&b, find.List(in), "", false, print.Options{Width: 200}); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{"settings decide 0 of them, and settled 1 already",
		"Nothing is to be changed: the settings of today prove it (legacy-blocked)",
		"after 2026-12-29",
		"2 accounts sign in with a protocol", "partnerguard prove --question legacy-blocked"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said in\n%s", want, b.String())
		}
	}
	if strings.Contains(said, "remedy plan") {
		t.Error(fmt.Sprint("a plan is offered: ", b.String()))
	}
}
