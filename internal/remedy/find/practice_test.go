package find_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/remedy/object"
)

// practised is a tenant of which everything that plans of practices are made of was read.
func practised(t *testing.T) find.Input {
	t.Helper()
	in := input(t)
	in.Tenant.Users[0].Roles, in.Tenant.Users[0].Admin = []string{entra.RoleGlobalAdministrator}, true
	in.Tenant.Users[1].Admin, in.Tenant.Users[2].BreakGlass = true, true // the first by a role that policies do not see
	in.Users = map[string]find.User{guid('a', 0): {Name: "ada@contoso.example"}, guid('a', 1): {Name: "old@contoso.example", Disabled: true},
		guid('a', 2): {Name: "idle@contoso.example", Idle: "was last used on 2026-01-18"}}
	in.Reach = []find.Group{{ID: guid('b', 1), Name: "GDAP Service Desk"}}
	in.Apps = []find.App{{ID: guid('9', 7), Name: "Old sync", Why: "was last used on 2026-01-18"}}
	in.Objects[remedy.Role] = map[string]find.Read{}
	for i := range 3 {
		in.Objects[remedy.Role][fmt.Sprint("assignment", i)] = find.Read{Raw: fmt.Appendf(nil,
			`{"id":"assignment%d","principalId":%q,"roleDefinitionId":%q,"directoryScopeId":"/"}`, i, guid('a', i), entra.RoleGlobalAdministrator)}
	}
	in.Objects[remedy.Authorization] = map[string]find.Read{"": {Raw: []byte(`{"id":"authorizationPolicy","allowInvitesFrom":"everyone",
		"guestUserRoleId":"` + entra.RoleUser + `","defaultUserRolePermissions":{"allowedToCreateApps":true,"permissionGrantPoliciesAssigned":[
		"ManagePermissionGrantsForSelf.microsoft-user-default-legacy","managePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team"]}}`)}}
	in.Objects[remedy.Credential] = map[string]find.Read{}
	for i, days := range []string{`"startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2026-01-01T00:00:00Z"`, `"startDateTime":"2020-01-01T00:00:00Z"`,
		`"startDateTime":"2026-10-01T00:00:00Z","endDateTime":"2027-10-01T00:00:00Z"`} {
		id := "applications/" + guid('9', 1) + "/" + guid('8', i)
		in.Objects[remedy.Credential][id] = find.Read{Raw: []byte(`{"keyId":"` + guid('8', i) + `","type":"password","app":"Reporting",` + days + `}`)}
	}
	in.Objects[remedy.Method] = map[string]find.Read{"fido2": {Raw: []byte(`{"@odata.type":"#microsoft.graph.fido2AuthenticationMethodConfiguration","id":"Fido2",
		"state":"disabled","includeTargets":[{"id":"all_users","targetType":"group"}]}`)}}
	for _, p := range partner.Practices() {
		u := find.Unmet{ID: p.ID, Title: p.Title, Verdict: "not_met", Steps: []string{"do it"}, Check: "partnerguard practices " + p.ID}
		if p.ID == "P02" {
			u.Command = "partnerguard fraud list"
		}
		in.Unmet = append(in.Unmet, u)
	}
	return in
}

// TestPracticesHavePlans: each practice is a goal. By settings where settings decide it, by
// exact steps of a person with a check where none do, and by the name of another command
// where one does it.
func TestPracticesHavePlans(t *testing.T) {
	in := practised(t)
	for _, p := range partner.Practices() {
		got, err := find.Plan(in, find.Goal{ID: strings.ToLower(p.ID)})
		if p.ID == "P02" {
			if !errors.Is(err, problem.NotFound) || !strings.Contains(problem.HintOf(err), "partnerguard fraud list") {
				t.Errorf("P02: %v", err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v (%s)", p.ID, err, problem.HintOf(err))
			continue
		}
		if err := errors.Join(got.Check(), object.Check(got)); err != nil || got.Goal != p.ID || !slices.Contains(got.Serves, p.ID) {
			t.Errorf("%s: %v; goal %s, serves %q", p.ID, err, got.Goal, got.Serves)
		}
		asked := len(got.Steps) == 1 && got.Steps[0].Do == remedy.Ask
		if asked != (find.PracticeGoal(p.ID) == "") {
			t.Errorf("%s: %+v", p.ID, got.Steps)
		}
		if asked && (got.Steps[0].Task.Check != "partnerguard practices "+p.ID || !slices.Equal(got.Steps[0].Task.Do, []string{"do it"})) {
			t.Errorf("%s: %+v", p.ID, got.Steps[0].Task)
		}
	}
	list := find.List(in)
	for _, p := range partner.Practices() {
		at := slices.IndexFunc(list, func(c find.Choice) bool { return c.Requirement == p.ID })
		if at < 0 || (list[at].Goal == p.ID) != (find.PracticeGoal(p.ID) != "") || list[at].Way == "" || list[at].Check == "" {
			t.Errorf("%s in the list: %+v", p.ID, list[max(at, 0)])
		}
	}
}

// TestPracticesPlans: what the plans of practices change, object by object.
func TestPracticesPlans(t *testing.T) {
	in := practised(t)
	says := func(goal string, n int, words ...string) *remedy.Plan {
		t.Helper()
		p := plan(t, in, find.Goal{ID: goal})
		if len(p.Steps) != n {
			t.Fatalf("%s has %d steps: %+v", goal, len(p.Steps), p.Steps)
		}
		all := ""
		for i := range p.Steps {
			all += string(p.Steps[i].Kind) + " " + p.Steps[i].ID + " " + p.Steps[i].Text + string(p.Steps[i].After) + "\n"
		}
		for _, w := range words {
			if !strings.Contains(all, w) {
				t.Errorf("%s: %q is not in %s", goal, w, all)
			}
		}
		return p
	}
	p := says("P11", 2, "authorization-policy", "dynamically-managed", "admin consent workflow")
	if strings.Contains(strings.ToLower(string(p.Steps[0].After)), "default-legacy") || p.Steps[1].Do != remedy.Ask || p.Steps[1].Task.Check == "" {
		t.Errorf("consent stays, or nobody answers: %+v", p.Steps)
	}
	in.Objects[remedy.ConsentRequests] = map[string]find.Read{"": {Raw: []byte(`{"isEnabled":false,"notifyReviewers":true,"reviewers":[{"query":"/users/` +
		guid('a', 0) + `","queryType":"MicrosoftGraph"}]}`)}}
	says("P11", 2, "admin-consent-request-policy", `"isEnabled":true`)
	says("guest-access", 1, `"allowInvitesFrom":"adminsAndGuestInviters"`, entra.RoleRestrictedGuestUser)

	p = says("P12", 3, "app-credential applications/"+guid('9', 1)+"/"+guid('8', 0), "ended on 2026-01-01", "switch Old sync off")
	if p.Steps[0].Undo != remedy.Irreversible || p.Steps[2].Do != remedy.Ask || !strings.Contains(p.Steps[2].Task.Do[0], "2020-01-01") ||
		strings.Contains(fmt.Sprint(p.Steps), guid('8', 2)) {
		t.Errorf("credentials: %+v", p.Steps)
	}
	says("P15", 2, "from old@contoso.example, which is disabled", "from idle@contoso.example, which was last used")
	says("P16", 2, "assignment1", "assignment2")

	p = says("P07", 2, "authentication-method fido2", `"state":"enabled"`, entra.StrengthPhishing, entra.RoleGlobalAdministrator, guid('a', 1))
	if !p.Steps[0].First || !p.Steps[1].Staged || strings.Contains(string(p.Steps[1].After), guid('a', 2)) {
		t.Errorf("%+v", p.Steps)
	}
	moves, err := gate.Expand(p, "", remedy.All, in.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	then, err := gate.Over(in.Tenant, moves, -1, nil)
	if err != nil {
		t.Fatal(err)
	}
	q, _ := access.FindQuestion("phishing-resistant-admins")
	if proof, err := access.Compile(then).Prove(q); err != nil || proof.Verdict != access.Proved {
		t.Errorf("administrators: %s %v", proof.Reason, err)
	}

	says("P25", 1, guid('b', 1), "compliantDevice")
	p = says("P26", 2, "mark the devices", `"mode":"exclude"`, `\"SAW\"`, guid('a', 2))
	if p.Steps[0].Do != remedy.Ask || !p.Steps[0].First {
		t.Errorf("%+v", p.Steps[0])
	}
	in.Reach = nil
	if _, err := find.Plan(in, find.Goal{ID: "P25"}); !errors.Is(err, problem.NotFound) || !strings.Contains(problem.HintOf(err), "accessAssignments") {
		t.Errorf("whom it is for is not known: %v", err)
	}
}

// TestGlobalsAreChosen: from whom Global Administrator is taken, where all are in use, a
// person says, by name or id; nobody is chosen for them.
func TestGlobalsAreChosen(t *testing.T) {
	in := practised(t)
	in.Users[guid('a', 1)], in.Users[guid('a', 2)] = find.User{Name: "ben@contoso.example"}, find.User{Name: "cleo@contoso.example"}
	if _, err := find.Plan(in, find.Goal{ID: "P15"}); !errors.Is(err, problem.NotFound) || !strings.Contains(err.Error(), "ben@contoso.example") ||
		!strings.Contains(problem.HintOf(err), "--take-from") {
		t.Errorf("%v (%s)", err, problem.HintOf(err))
	}
	p := plan(t, in, find.Goal{ID: "P15", Take: []string{"BEN@contoso.example", guid('a', 2)}})
	if len(p.Steps) != 2 || p.Steps[0].ID != "assignment1" || p.Steps[1].ID != "assignment2" {
		t.Errorf("%+v", p.Steps)
	}
	if _, err := find.Plan(in, find.Goal{ID: "P15", Take: []string{"nobody@contoso.example"}}); !errors.Is(err, problem.BadInput) {
		t.Errorf("somebody who is not there: %v", err)
	}
	in.Objects[remedy.Role] = nil
	if _, err := find.Plan(in, find.Goal{ID: "P15"}); err == nil || !strings.Contains(err.Error(), "was not read") {
		t.Errorf("roles were not read: %v", err)
	}
}

// TestOldIsNotGone: a credential that ends after the settings were read is not removed.
func TestOldIsNotGone(t *testing.T) {
	in := practised(t)
	in.Head.AsOf = time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)
	p := plan(t, in, find.Goal{ID: "P12"})
	for i := range p.Steps {
		if p.Steps[i].Kind == remedy.Credential {
			t.Errorf("%+v", p.Steps[i])
		}
	}
}
