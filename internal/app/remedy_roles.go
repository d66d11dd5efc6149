//go:build !judge

package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	remedyrun "partnerguard/internal/remedy/run"
)

// heldRole is one active assignment of a directory role, as Graph lists them; PIM's
// activations are among them.
type heldRole struct {
	Principal string `json:"principalId"`
	Role      string `json:"roleDefinitionId"`
	Scope     string `json:"directoryScopeId"`
}

// liveRoles lays over a tenant who holds directory roles now, and says whether that could be
// read. A connection that changes no roles may not be let read them: then what was collected
// stands, and the gate says so, unless the plan itself takes roles away.
func liveRoles(ctx context.Context, t *access.Tenant, a *remedyrun.Ask) (read bool, err error) {
	var held []heldRole
	for raw, err := range a.Cloud.Graph.Items(ctx, "/v1.0/roleManagement/directory/roleAssignments") {
		if e, ok := errors.AsType[*msapi.APIError](err); ok && e.Status == http.StatusForbidden {
			if changes(a.Plan, remedy.Role) {
				return false, problem.Wrap(err, problem.Forbidden, "the plan takes roles away, and the connection may not read who holds them").
					WithHint("consent to RoleManagement.Read.Directory: partnerguard connect --name remedy --feature remedy --feature remedy-apps")
			}
			return false, nil
		}
		if err != nil {
			return false, err
		}
		var x heldRole
		if json.Unmarshal(raw, &x) != nil || x.Principal == "" || x.Role == "" {
			return false, unreadableNow("who holds directory roles")
		}
		held = append(held, x)
	}
	t.Users = withRoles(t.Users, held)
	t.RolesKnown, t.RolesLack = true, ""
	return true, nil
}

func changes(p *remedy.Plan, kind remedy.Kind) bool {
	return slices.ContainsFunc(p.Steps, func(s remedy.Step) bool { return s.Kind == kind })
}

// withRoles are accounts with the roles that they hold over the whole directory, by
// themselves or by a group. A role's id is its template's for all that policies name.
func withRoles(users []access.Subject, held []heldRole) []access.Subject {
	by := map[string][]string{}
	for _, x := range held {
		if x.Scope == "/" {
			id := strings.ToLower(x.Principal)
			by[id] = append(by[id], strings.ToLower(x.Role))
		}
	}
	users = slices.Clone(users)
	for i := range users {
		u := &users[i]
		roles := slices.Clone(by[strings.ToLower(u.ID)])
		for _, g := range u.Groups {
			roles = append(roles, by[strings.ToLower(g)]...)
		}
		slices.Sort(roles)
		u.Roles = slices.Compact(roles)
		now := func(r string) bool { return slices.Contains(u.Roles, strings.ToLower(r)) }
		u.PerhapsRoles = slices.DeleteFunc(slices.Clone(u.PerhapsRoles), now)
		u.Admin = u.Admin || len(u.Roles) > 0
	}
	return users
}
