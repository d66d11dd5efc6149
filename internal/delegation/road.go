package delegation

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"partnerguard/internal/delegation/role"
)

// known is what the role data says of each role, by template id.
var known = sync.OnceValue(func() map[string]role.Role {
	m := map[string]role.Role{}
	for _, r := range role.Load().All() {
		m[r.ID] = r
	}
	return m
})

// grants are app-only permissions that lead to Global Administrator, in lower case, with how.
var grants = map[string]string{
	"rolemanagement.readwrite.directory":          "gives itself, or anybody, Global Administrator",
	"roleassignmentschedule.readwrite.directory":  "gives itself, or anybody, Global Administrator",
	"roleeligibilityschedule.readwrite.directory": "makes anybody eligible for Global Administrator",
	"approleassignment.readwrite.all":             "grants itself the permission to change roles",
	"application.readwrite.all":                   "adds a credential to an app that may change roles, and signs in as the app",
	"userauthenticationmethod.readwrite.all":      "gives a Global Administrator a new method, and signs in as that account",
	"directory.readwrite.all":                     "changes groups and apps, those with rights among them",
}

// Road says whether a role is Global Administrator or leads there, and in words how; of
// Global Administrator itself there are none.
func Road(id string) (step string, leads bool) {
	r := known()[id]
	if !r.Road || id == role.GlobalAdministrator {
		return "", r.Road
	}
	return cmp.Or(r.RoadWhy, "leads to Global Administrator"), true
}

// RoleName is the name of a role; its id where nobody knows it.
func RoleName(id string) string {
	if r, ok := known()[id]; ok {
		return r.Name
	}
	return id
}

// RoleNames are the names of roles: Global Administrator first, then those that lead there,
// then by name.
func RoleNames(ids []string) []string {
	rank := func(id string) int {
		_, leads := Road(id)
		switch {
		case id == role.GlobalAdministrator:
			return 0
		case leads:
			return 1
		}
		return 2
	}
	out := slices.Clone(ids)
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Or(rank(a)-rank(b), strings.Compare(RoleName(a), RoleName(b))) })
	for i := range out {
		out[i] = RoleName(out[i])
	}
	return out
}
