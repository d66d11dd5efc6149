package find_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/remedy/object"
)

// TestTasksNameTheirs: the task of a person for accounts that no assignment of their own was
// planned for names each, with its roles, in the plan itself.
func TestTasksNameTheirs(t *testing.T) {
	in := practised(t)
	in.Users = map[string]find.User{guid('a', 5): {Name: "old@contoso.example", Disabled: true}}
	in.Objects[remedy.Role] = map[string]find.Read{"scoped": {Raw: fmt.Appendf(nil,
		`{"id":"scoped","principalId":%q,"roleDefinitionId":%q,"directoryScopeId":"/administrativeUnits/7"}`, guid('a', 5), entra.RoleGlobalAdministrator)}}
	for i := range in.Unmet {
		u := &in.Unmet[i]
		u.Steps = []string{"take roles and memberships from the accounts that it is about"}
		if u.ID == "P16" {
			u.More = 4
			for n := range 52 {
				u.About = append(u.About, find.About{ID: guid('a', 5+n), Name: fmt.Sprintf("old%d@contoso.example", n),
					Why: "is disabled and is in AdminAgents"})
			}
		}
	}
	p, err := find.Plan(in, find.Goal{ID: "P16"})
	if err != nil || len(p.Steps) != 1 || p.Steps[0].Task == nil {
		t.Fatalf("%v %+v", err, p)
	}
	do := p.Steps[0].Task.Do
	want := "about: old0@contoso.example (" + guid('a', 5) + "): is disabled and is in AdminAgents; by an assignment of its own: " +
		in.Tenant.RoleName(entra.RoleGlobalAdministrator) + " over " +
		"/administrativeUnits/7"
	if do[0] != want || do[50] != "about: 6 more: partnerguard practices P16" || !strings.HasPrefix(do[51], "take roles") {
		t.Errorf("it says %q", do)
	}
	if err := errors.Join(p.Check(), object.Check(p)); err != nil {
		t.Error(err)
	}
	for i := range in.Unmet {
		if u := &in.Unmet[i]; u.ID == "P16" {
			u.Verdict, u.Settles = "unknown", "GET /users with signInActivity"
		}
	}
	p, err = find.Plan(in, find.Goal{ID: "P16"})
	if err != nil || p.Steps[0].Task.Do[0] != "find out first what is not known yet: GET /users with signInActivity" {
		t.Errorf("%v %+v", err, p.Steps)
	}
}
