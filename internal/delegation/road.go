package delegation

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
)

// steps say how the holder of a role comes to be Global Administrator, in one step more.
// They follow Microsoft's descriptions of the roles (Microsoft Entra built-in roles, list of
// July 2026; contracts.md section 8.1).
var steps = map[string]string{
	entra.RoleGlobalAdministrator:                   "",
	entra.RolePrivilegedRoleAdministrator:           "gives itself, or anybody, Global Administrator",
	entra.RolePrivilegedAuthenticationAdministrator: "resets the password or the methods of a Global Administrator, and signs in as that account",
	entra.RolePartnerTier2Support:                   "resets the password of a Global Administrator, and signs in as that account",
	entra.RoleApplicationAdministrator:              "adds a credential to an app that may change roles, and signs in as the app",
	entra.RoleCloudApplicationAdministrator:         "adds a credential to an app that may change roles, and signs in as the app",
	entra.RoleDirectorySync:                         "changes accounts that come from on-premises, a Global Administrator's among them where one does",
	entra.RoleOnPremisesDirectorySync:               "changes accounts that come from on-premises, a Global Administrator's among them where one does",
	entra.RoleDomainNameAdministrator:               "has an identity provider of its own sign in a domain, and so signs in as any account of it",
	entra.RoleExternalIdentityProviderAdministrator: "adds an identity provider, and signs in by it as an account that it names",
	entra.RoleHybridIdentityAdministrator:           "has an identity provider of its own sign in a domain, and so signs in as any account of it",
}

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

// Road says whether a role is Global Administrator or leads there, and in words how.
func Road(role string) (step string, leads bool) {
	step, leads = steps[role]
	return step, leads
}

// RoleName is the name of a role; its id where nobody knows it.
func RoleName(id string) string {
	if r, ok := entra.FindRole(id); ok {
		return r.Name
	}
	return id
}

// RoleNames are the names of roles: those that lead to Global Administrator first, then by name.
func RoleNames(ids []string) []string {
	out := slices.Clone(ids)
	slices.SortStableFunc(out, func(a, b string) int {
		_, x := steps[a]
		_, y := steps[b]
		switch {
		case a == b:
			return 0
		case a == entra.RoleGlobalAdministrator, b != entra.RoleGlobalAdministrator && x && !y:
			return -1
		case b == entra.RoleGlobalAdministrator, y && !x:
			return 1
		}
		return strings.Compare(RoleName(a), RoleName(b))
	})
	for i := range out {
		out[i] = RoleName(out[i])
	}
	return out
}
