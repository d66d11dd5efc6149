//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"partnerguard/internal/entra"
)

// rights answers whether we may, by the permissions that Azure says we have.
type rights struct {
	c    *Cloud
	sub  string
	held map[string]allowed
	said map[string]Held
}

type allowed struct {
	rows []permission
	err  error
}

type permission struct {
	Actions []string `json:"actions"`
	Not     []string `json:"notActions"`
}

func (r *rights) at(ctx context.Context, scope string) allowed {
	if a, ok := r.held[scope]; ok {
		return a
	}
	var a allowed
	for raw, err := range r.c.ARM.Items(ctx, at(scope+"/providers/Microsoft.Authorization/permissions", versionRoles)) {
		var p permission
		if err == nil && json.Unmarshal(raw, &p) != nil {
			err = errors.New("cannot be read")
		}
		if a.err = err; err != nil {
			break
		}
		a.rows = append(a.rows, p)
	}
	r.held[scope] = a
	return a
}

// may says whether an action of Azure is allowed on a thing: by the subscription, else by its
// resource group.
func (r *rights) may(ctx context.Context, action, id string) Have {
	scopes := []string{r.sub}
	if p := strings.Split(id, "/"); len(p) > 4 && strings.EqualFold(p[3], "resourceGroups") {
		scopes = append(scopes, strings.Join(p[:5], "/"))
	}
	out := No
	for _, scope := range scopes {
		a := r.at(ctx, scope)
		if a.err != nil {
			out = Unknown
			continue
		}
		for _, p := range a.rows {
			if matches(p.Actions, action) && !matches(p.Not, action) {
				return Yes
			}
		}
	}
	return out
}

func matches(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return wild(strings.ToLower(p), strings.ToLower(action)) })
}

// wild matches a pattern in which a star stands for anything.
func wild(pattern, v string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == v
	}
	if !strings.HasPrefix(v, first) {
		return false
	}
	v = v[len(first):]
	for {
		part, more, star := strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(v, part)
		}
		i := strings.Index(v, part)
		if i < 0 {
			return false
		}
		v, rest = v[i+len(part):], more
	}
}

// needs are what kinds need: an action of Azure, or permissions of Graph (any of them) with a
// role of the directory (any of them).
var needs = map[Kind]need{
	RevokeSessions: {scopes: []string{"User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"},
		roles: []string{entra.RoleGlobalAdministrator, entra.RolePrivilegedAuthenticationAdministrator, entra.RoleUserAdministrator}},
	DisableUser: {scopes: []string{"User.EnableDisableAccount.All", "User.ReadWrite.All", "Directory.ReadWrite.All"},
		roles: []string{entra.RoleGlobalAdministrator, entra.RolePrivilegedAuthenticationAdministrator, entra.RoleUserAdministrator}},
	DisableApp: {scopes: []string{"Application.ReadWrite.All", "Directory.ReadWrite.All"},
		roles: []string{entra.RoleGlobalAdministrator, entra.RoleCloudApplicationAdministrator, entra.RoleApplicationAdministrator}},
	RemoveCredential: {scopes: []string{"Application.ReadWrite.All", "Directory.ReadWrite.All"},
		roles: []string{entra.RoleGlobalAdministrator, entra.RoleCloudApplicationAdministrator, entra.RoleApplicationAdministrator}},
	RemoveRole:     {action: "Microsoft.Authorization/roleAssignments/delete"},
	StopMachine:    {action: "Microsoft.Compute/virtualMachines/deallocate/action"},
	StopSet:        {action: "Microsoft.Compute/virtualMachineScaleSets/deallocate/action"},
	StopPool:       {action: "Microsoft.Batch/batchAccounts/pools/write"},
	StopCompute:    {action: "Microsoft.MachineLearningServices/workspaces/computes/stop/action"},
	StopContainers: {action: "Microsoft.ContainerInstance/containerGroups/stop/action"},
	LowerQuota:     {action: "Microsoft.Quota/quotas/write"},
	SetBudget:      {center: true},
	Cancel:         {center: true, roles: []string{entra.RoleGlobalAdministrator}},
	Suspend:        {center: true},
}

type need struct {
	action string
	scopes []string
	roles  []string
	center bool
}

// words say what is needed.
func (n need) words() string {
	switch {
	case n.action != "":
		return n.action + " on it (Owner of the subscription has it)"
	case n.center && len(n.roles) > 0:
		return "Admin Agent and Global Administrator of the partner's tenant"
	case n.center:
		return "Admin Agent of the partner's tenant"
	}
	return "permission " + n.scopes[0] + " and the role " + roleName(n.roles[len(n.roles)-1]) + " in the tenant"
}

// set fills in what a step needs, and whether it is there.
func (r *rights) set(ctx context.Context, s *Step) {
	n := needs[s.Kind]
	s.Right = n.words()
	switch {
	case n.action != "":
		if s.Kind == StopCompute && s.Before != "" {
			n.action = "Microsoft.MachineLearningServices/workspaces/computes/write"
			s.Right = n.words()
		}
		s.Have = r.may(ctx, n.action, s.Target)
	case n.center:
		s.Have = r.token(ctx, r.c.Self.Tenant, "partner-center", n)
	default:
		s.Have = r.token(ctx, s.Tenant, "graph", n)
	}
	if s.Have != Yes {
		s.Call = r.c.Contact
		if s.Tenant == r.c.Self.Tenant || n.center {
			s.Call = "a Global Administrator of the partner's own tenant"
		}
		if s.Call == "" {
			s.Call = "an administrator of the customer: nobody is named in Partner Center"
		}
	}
}

// token says whether a token has what is needed, as it says itself. That it names no role is
// not that the account has none.
func (r *rights) token(ctx context.Context, tenant, api string, n need) Have {
	if r.c.Held == nil {
		return Unknown
	}
	key := tenant + " " + api
	h, known := r.said[key]
	if !known {
		var err error
		if h, err = r.c.Held(ctx, tenant, api); err != nil {
			return Unknown
		}
		r.said[key] = h
	}
	any := func(want, have []string) bool {
		return slices.ContainsFunc(want, func(w string) bool {
			return slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(w, h) })
		})
	}
	switch {
	case len(n.scopes) > 0 && !any(n.scopes, h.Scopes):
		return No
	case h.Alone && !n.center:
		return Yes
	case n.center && len(n.roles) == 0, len(h.Roles) == 0:
		return Unknown // being an Admin Agent is in no token
	case !any(n.roles, h.Roles):
		return No
	case n.center:
		return Unknown
	}
	return Yes
}

// roleName is a directory role for people.
func roleName(id string) string {
	if r, ok := entra.FindRole(id); ok {
		return r.Name
	}
	return id
}
