package find_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/lenient"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/remedy/gate"
)

func guid(kind byte, n int) string { return fmt.Sprintf("%c0000000-0000-4000-8000-%012d", kind, n) }

const rest = `"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]`

// raw are policies of every clause that a change edits.
var raw = []string{
	`{"id":"` + guid('d', 0) + `","displayName":"P0","state":"enabledForReportingButNotEnforced","conditions":{"users":{"includeUsers":["All"]},` + rest +
		`},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`,
	`{"id":"` + guid('d', 1) + `","displayName":"P1","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":["` + guid('a', 1) + `","` +
		guid('a', 2) + `"],"excludeGroups":["` + guid('b', 1) + `"],"excludeRoles":["62e90394-69f5-4237-9190-012177145e10"]},"applications":{"includeApplications":["All"],` +
		`"excludeApplications":["` + guid('9', 1) + `"]},"clientAppTypes":["browser"],"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted","` +
		guid('c', 1) + `"]},"platforms":{"includePlatforms":["windows"]}},"grantControls":{"operator":"OR","builtInControls":["mfa","compliantDevice"]},` +
		`"sessionControls":{"signInFrequency":{"isEnabled":true,"type":"hours","value":4}}}`,
	`{"id":"` + guid('d', 2) + `","displayName":"P2","state":"disabled","conditions":{"users":{"includeGroups":["` + guid('b', 1) + `"]},` + rest +
		`},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`,
}

func input(t testing.TB) find.Input {
	t.Helper()
	off := &access.SecurityDefaults{IsEnabled: lenient.Bool{Set: true}}
	tenant := &access.Tenant{Whole: true, RolesKnown: true, KnownGroups: map[string]bool{guid('b', 1): true}, Defaults: off,
		At: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)}
	objects := find.Objects{remedy.Policy: {}}
	for _, r := range raw {
		list, err := access.ParsePolicies([]byte(r), 1)
		if err != nil {
			t.Fatal(err)
		}
		tenant.Policies = append(tenant.Policies, list...)
		objects[remedy.Policy][list[0].ID] = find.Read{Raw: json.RawMessage(r)}
	}
	for i := range 4 {
		tenant.Users = append(tenant.Users, access.Subject{ID: guid('a', i), Name: fmt.Sprintf("u%d@contoso.example", i), MethodsKnown: true,
			Methods: []string{"mobilePhone"}, Groups: []string{guid('b', 1)}, PerUserMFA: []string{"", "enforced"}[i%2]})
	}
	return find.Input{Tenant: tenant, Objects: objects, Accounts: map[string]rehearse.Account{}, NewID: func() string { return "1a2b3c4d" },
		Head: find.Head{Tenant: remedy.Tenant{ID: guid('7', 1)}, AsOf: tenant.At, Now: tenant.At, By: "test", Program: "test", RuleBook: "2026-11-30"}}
}

func plan(t *testing.T, in find.Input, goal find.Goal) *remedy.Plan {
	t.Helper()
	p, err := find.Plan(in, goal)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(); err != nil {
		t.Errorf("%s: %v", p.Goal, err)
	}
	return p
}

// TestEditsAreTheChanges: what a plan writes for a change of a policy is what the engine
// makes of that change, each by itself and all together, and nothing else is touched.
func TestEditsAreTheChanges(t *testing.T) {
	in := input(t)
	all := in.Tenant.Changes()
	sets := [][]access.Change{all}
	for _, c := range all {
		sets = append(sets, []access.Change{c})
	}
	if len(all) < 10 {
		t.Fatalf("only %d changes are tried", len(all))
	}
	for _, set := range sets {
		in.Unmet = []find.Unmet{{ID: "mfa-every-sign-in", Title: "MFA", Changes: [][]access.Change{set}}}
		p := plan(t, in, find.Goal{ID: "mfa-every-sign-in", Variant: "edit"})
		moves, err := gate.Expand(p, "", remedy.All, in.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		got, err := gate.Over(in.Tenant, moves, -1, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := in.Tenant.Apply(set...)
		q, _ := access.FindQuestion("mfa-every-sign-in")
		a, _ := access.Compile(got).Prove(q)
		b, _ := access.Compile(want).Prove(q)
		if a.Verdict != b.Verdict || fmt.Sprint(a.Gaps) != fmt.Sprint(b.Gaps) {
			t.Errorf("%s: %s and %s", set[0].Text, a.Reason, b.Reason)
		}
		for _, s := range p.Steps {
			if s.ID == guid('d', 1) && !strings.Contains(string(s.After), `"value":4`) {
				t.Errorf("%s: the session control is gone: %s", set[0].Text, s.After)
			}
		}
	}
}

// TestDefaultsOn: policies beside security defaults that are on come in one window.
func TestDefaultsOn(t *testing.T) {
	in := input(t)
	in.Tenant.Policies, in.Tenant.Defaults.IsEnabled.Value = nil, true
	p := plan(t, in, find.Goal{Preset: "partner-baseline"})
	if len(p.Steps) != 3 || p.Steps[0].Kind != remedy.Defaults || !slices.Equal(p.Stages, []remedy.Stage{remedy.ReportOnly, remedy.All}) {
		t.Errorf("%d steps, stages %v", len(p.Steps), p.Stages)
	}
	moves, _ := gate.Expand(p, remedy.ReportOnly, remedy.All, in.Tenant)
	if len(moves) != 3 || moves[0].Kind != remedy.Defaults || moves[1].Do != remedy.Update {
		t.Errorf("%d moves", len(moves))
	}
}

// TestOneInThePlaceOfDefaults: where one policy has security defaults go, the baseline takes
// their place in the same window.
func TestOneInThePlaceOfDefaults(t *testing.T) {
	in := input(t)
	in.Tenant.Policies, in.Tenant.Defaults.IsEnabled.Value = nil, true
	for goal, most := range map[string]int{"risk-based-access": 5, "phishing-resistant-admins": 4} {
		p := plan(t, in, find.Goal{ID: goal})
		moves, err := gate.Expand(p, "", remedy.All, in.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		then, err := gate.Over(in.Tenant, moves, -1, nil)
		if err != nil {
			t.Fatal(err)
		}
		q, _ := access.FindQuestion("mfa-every-sign-in")
		if a, err := access.Compile(then).Prove(q); err != nil || a.Verdict != access.Proved || len(p.Steps) != most {
			t.Errorf("%s: %v %s %s, %d steps", goal, err, a.Verdict, a.Reason, len(p.Steps))
		}
	}
}

// TestProposed: a policy that is stricter than the one in its place goes through stages, one
// that opens something comes last; another tool's form is said as far as it is known.
func TestProposed(t *testing.T) {
	in := input(t)
	in.Tenant.Users[0].Groups = nil // whom the policy takes
	strict := strings.Replace(raw[1], `"excludeUsers":["`+guid('a', 1)+`","`+guid('a', 2)+`"],`, "", 1)
	loose := strings.Replace(raw[1], `"clientAppTypes":["browser"]`, `"clientAppTypes":["other"]`, 1)
	for text, staged := range map[string]bool{strict: true, loose: false} {
		p := plan(t, in, find.Goal{Policies: []json.RawMessage{[]byte(text)}})
		if len(p.Steps) != 1 || p.Steps[0].Staged != staged || !staged && !gate.Late(&p.Steps[0]) {
			t.Errorf("staged %v: %d steps, staged %v, late %v", staged, len(p.Steps), p.Steps[0].Staged, gate.Late(&p.Steps[0]))
		}
	}
	if _, err := find.Plan(in, find.Goal{Policies: []json.RawMessage{[]byte(raw[1])}}); err == nil {
		t.Error("a policy as it is makes a plan")
	}
	delete(in.Objects[remedy.Policy], guid('d', 1))
	p := plan(t, in, find.Goal{Policies: []json.RawMessage{[]byte(strict)}})
	if !strings.Contains(strings.Join(p.Steps[0].Traps, " "), "another form than Graph's") {
		t.Errorf("it does not say that it was read otherwise: %v", p.Steps[0].Traps)
	}
}

// TestOtherGoals: roles of disabled accounts and guests, per-user MFA, External MFA; and
// goals that are none.
func TestOtherGoals(t *testing.T) {
	in := input(t)
	in.Users = map[string]find.User{guid('a', 1): {Name: "old", Disabled: true}, guid('a', 2): {Name: "guest", Guest: true}, guid('a', 3): {Name: "ada"}}
	in.Objects[remedy.Role] = map[string]find.Read{}
	for i := range 4 {
		id := fmt.Sprintf("assignment%d", i)
		in.Objects[remedy.Role][id] = find.Read{Raw: []byte(fmt.Sprintf(`{"id":%q,"principalId":%q,"roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10",`+
			`"directoryScopeId":%q}`, id, guid('a', i), []string{"/", "/", "/", "/administrativeUnits/x"}[i]))}
	}
	p := plan(t, in, find.Goal{ID: "spare-roles"})
	if len(p.Steps) != 2 || p.Steps[0].ID != "assignment1" || !slices.Equal(p.Stages, []remedy.Stage{remedy.All}) {
		t.Errorf("%+v", p.Steps)
	}
	if p := plan(t, in, find.Goal{ID: "per-user-mfa"}); len(p.Steps) != 2 || !gate.Late(&p.Steps[0]) {
		t.Errorf("%+v", p.Steps)
	}
	if _, err := find.Plan(in, find.Goal{ID: "eam"}); err == nil {
		t.Error("External MFA that is not there")
	}
	in.Objects[remedy.Method] = map[string]find.Read{guid('8', 1): {Raw: []byte(`{"@odata.type":"#microsoft.graph.externalAuthenticationMethodConfiguration","id":"` +
		guid('8', 1) + `","displayName":"Ours","state":"disabled","appId":"` + guid('8', 2) + `","openIdConnectSetting":{"clientId":"x","discoveryUrl":"https://x.example"}}`)}}
	if p := plan(t, in, find.Goal{ID: "eam"}); len(p.Steps) != 1 || !strings.Contains(string(p.Steps[0].After), `"state":"enabled"`) {
		t.Errorf("%+v", p.Steps)
	}
	for _, goal := range []find.Goal{{ID: "no-dap"}, {ID: "nothing"}, {Preset: "none"}, {ID: "legacy-authentication", Variant: "other"}} {
		if _, err := find.Plan(in, goal); err == nil {
			t.Errorf("%+v makes a plan", goal)
		}
	}
}

// TestCheapestFirst: what is proved comes before what is not, and what breaks fewer first.
func TestCheapestFirst(t *testing.T) {
	in := input(t)
	in.Unmet = []find.Unmet{{ID: "mfa-every-sign-in", Title: "MFA", Verdict: "not_met", Changes: [][]access.Change{in.Tenant.Changes()[:1]}},
		{ID: "no-dap", Title: "DAP"}, {ID: "P99", Title: "A practice", Action: "do it"}}
	list := find.List(in)
	if len(list) != 4 || list[0].After != "proved" || list[0].Objects > list[1].Objects || list[2].Command == "" || list[3].Task != "do it" {
		t.Errorf("%+v", list)
	}
}
