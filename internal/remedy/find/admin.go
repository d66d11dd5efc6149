package find

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// administrators puts into a policy whom it is for: the roles that Microsoft marks as
// privileged, each other that somebody holds or may activate, and by themselves the accounts
// whose role policies do not see. Directory synchronisation is not an administrator.
func (f *finder) administrators(p *access.Policy) {
	not := func(id string) bool {
		return id == entra.RoleDirectorySync || id == entra.RoleOnPremisesDirectorySync || f.Tenant.CustomRoles[id]
	}
	var roles, users []string
	for _, r := range entra.Roles() {
		if r.Privileged && !not(r.ID) {
			roles = append(roles, r.ID)
		}
	}
	for i := range f.Tenant.Users {
		u := &f.Tenant.Users[i]
		held := slices.Concat(u.Roles, u.Eligible, u.PerhapsRoles)
		seen := false
		for _, r := range held {
			if r = strings.ToLower(r); !not(r) {
				if _, is := entra.FindRole(r); is {
					roles, seen = append(roles, r), true
				}
			}
		}
		if u.Admin && !seen && !u.Exempt && !u.Anyone && !u.Unidentified {
			users = append(users, strings.ToLower(u.ID))
		}
	}
	p.Conditions.Users.IncludeRoles, p.Conditions.Users.IncludeUsers = sorted(roles), sorted(users)
}

// resistant is Microsoft's strength of that name, as it was read where it was.
func (f *finder) resistant() *access.Strength {
	for _, s := range f.Tenant.Strengths {
		if strings.EqualFold(s.ID, entra.StrengthPhishing) {
			return s
		}
	}
	return &access.Strength{ID: entra.StrengthPhishing}
}

// passkeys lets everybody register a passkey where that is switched off: before the stages,
// so that administrators have one when they are asked.
func (b *builder) passkeys() error {
	r, ok := b.Objects[remedy.Method]["fido2"]
	var m map[string]any
	if !ok || json.Unmarshal(r.Raw, &m) != nil || m["state"] != "disabled" {
		return nil // it is on, or was not read: the gate sees who can answer
	}
	after := clone(m)
	after["state"] = "enabled"
	s := remedy.Step{Do: remedy.Update, Kind: remedy.Method, ID: "fido2", Name: "Passkeys", Serves: b.plan.Serves, Place: r.Place, First: true,
		Text: "let people register passkeys and security keys"}
	return b.change(&s, m, after)
}

// change adds a step with an object as it was and as it is wanted, unless both are the same.
func (b *builder) change(s *remedy.Step, was, want map[string]any) (err error) {
	if s.Before, err = canonical(s.Kind, was); err == nil {
		s.After, err = canonical(s.Kind, want)
	}
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "%.80q cannot be written as Graph would", s.Name)
	}
	if string(s.Before) != string(s.After) {
		b.plan.Steps = append(b.plan.Steps, *s)
	}
	return nil
}

// spare says why an account needs no role, a clause; "" it may.
func (u *User) spare() string {
	switch {
	case u.Disabled:
		return "is disabled"
	case u.Guest:
		return "is a guest"
	}
	return ""
}

// left says why an account counts as one of somebody who left.
func (u *User) left() string {
	if u.Disabled {
		return "is disabled"
	}
	return u.Idle
}

// takeRoles takes roles over the whole directory, or one of them, from the accounts that
// somebody names, else from those of which why says that they need none.
func (b *builder) takeRoles(named []string, only string, why func(*User) string) error {
	from, err := b.accounts(named)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(b.Objects[remedy.Role])) {
		r := b.Objects[remedy.Role][id]
		var is assignment
		if json.Unmarshal(r.Raw, &is) != nil || is.ID == "" || is.Scope != "/" || only != "" && !strings.EqualFold(is.Role, only) {
			continue
		}
		u := b.Users[strings.ToLower(is.Principal)]
		words := why(&u)
		if len(named) > 0 {
			words = "was named for it"
			if !from[strings.ToLower(is.Principal)] {
				continue
			}
		}
		if words == "" {
			continue
		}
		before, err := canonical(remedy.Role, map[string]any{"principalId": is.Principal, "roleDefinitionId": is.Role, "directoryScopeId": is.Scope})
		if err != nil {
			continue
		}
		role := b.Tenant.RoleName(is.Role)
		b.plan.Steps = append(b.plan.Steps, remedy.Step{Do: remedy.Delete, Kind: remedy.Role, ID: is.ID, Name: role + " of " + u.Name,
			Text: "take the role " + role + " from " + u.Name + ", which " + words, Before: before, Place: r.Place, Serves: b.plan.Serves})
	}
	if len(named) > 0 && len(b.plan.Steps) == 0 {
		return problem.New(problem.NotFound, "none of those who are named holds such a role by an assignment of its own over the whole directory").
			WithHint("a role by a group or an activation is taken back there: partnerguard practices P17")
	}
	return nil
}

// assignment is a role assignment as Graph writes it.
type assignment struct {
	ID        string `json:"id"`
	Principal string `json:"principalId"`
	Role      string `json:"roleDefinitionId"`
	Scope     string `json:"directoryScopeId"`
}

// accounts finds accounts by id or user principal name, by lower-case id.
func (b *builder) accounts(names []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, name := range names {
		found := ""
		for id := range b.Users {
			if strings.EqualFold(id, name) || strings.EqualFold(b.Users[id].Name, name) {
				found = id
			}
		}
		if found == "" {
			return nil, problem.New(problem.BadInput, "no account that was read is called %.100q", name).WithHint("give its user principal name or its id")
		}
		out[found] = true
	}
	return out, nil
}

// globals takes Global Administrator from the accounts that are named, else from those that
// surely need it not. From whom else it is taken is a person's choice.
func (b *builder) globals(named []string) error {
	err := b.takeRoles(named, entra.RoleGlobalAdministrator, func(u *User) string { return cmp.Or(u.spare(), u.Idle) })
	if err != nil || len(b.plan.Steps) > 0 {
		return err
	}
	var who []string
	for _, id := range slices.Sorted(maps.Keys(b.Objects[remedy.Role])) {
		var is assignment
		if json.Unmarshal(b.Objects[remedy.Role][id].Raw, &is) == nil && strings.EqualFold(is.Role, entra.RoleGlobalAdministrator) {
			who = append(who, cmp.Or(b.Users[strings.ToLower(is.Principal)].Name, is.Principal))
		}
	}
	if len(who) == 0 {
		return problem.New(problem.NotFound, "who holds Global Administrator was not read").
			WithHint("GET /roleManagement/directory/roleAssignments (RoleManagement.Read.Directory)")
	}
	const most = 10
	words := strings.Join(who[:min(len(who), most)], ", ")
	if len(who) > most {
		words += fmt.Sprintf(" and %d more", len(who)-most)
	}
	return problem.New(problem.NotFound, "from whom Global Administrator is taken is a person's choice: it is held by %s", words).
		WithHint("name those who do not need it: partnerguard remedy plan P15 --take-from %s", who[len(who)-1])
}
