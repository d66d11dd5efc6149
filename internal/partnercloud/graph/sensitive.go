package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Who may do what is sensitive to whom (Microsoft Graph, "Working with users", who can
// perform sensitive actions).

// above are the roles that may act on holders of a role. Everybody else with a role is
// for Privileged Authentication Administrators and Global Administrators alone.
var above = map[string][]string{
	entra.RoleDirectoryReaders:            help,
	entra.RoleGuestInviter:                help,
	entra.RolePasswordAdministrator:       help,
	entra.RoleMessageCenterReader:         help[1:],
	entra.RoleReportsReader:               help[1:],
	entra.RoleUsageSummaryReportsReader:   help[1:],
	entra.RoleHelpdeskAdministrator:       {entra.RoleHelpdeskAdministrator, entra.RoleUserAdministrator},
	entra.RoleAuthenticationAdministrator: {entra.RoleAuthenticationAdministrator},
	entra.RoleGroupsAdministrator:         {entra.RoleUserAdministrator},
	entra.RoleUserAdministrator:           {entra.RoleUserAdministrator},
}

// help are the roles that help users, the least first.
var help = []string{entra.RolePasswordAdministrator, entra.RoleHelpdeskAdministrator, entra.RoleAuthenticationAdministrator, entra.RoleUserAdministrator}

// belowApps are the roles of users whom an app without a role may still act on.
var belowApps = []string{entra.RoleDirectoryReaders, entra.RoleGuestInviter, entra.RoleHelpdeskAdministrator, entra.RoleMessageCenterReader,
	entra.RoleReportsReader}

// standing is what protects a user: roles, and groups that can be given some.
type standing struct {
	id     string
	roles  []string
	groups []string
}

func (c *call) standingOf(t *world.Tenant, u *world.User) standing {
	out := standing{id: u.ID, roles: append(t.RolesOf(u.ID, c.now), t.EligibleOf(u.ID, c.now)...), groups: t.GroupsOf(u.ID)}
	for g := range t.Groups.All() {
		if g.RoleAssignable && hasFold(g.Owners, u.ID) {
			out.groups = append(out.groups, g.ID)
		}
	}
	return out
}

// standingBefore is what a deleted user will have again.
func standingBefore(d *world.Deleted) standing {
	out := standing{id: d.ID, groups: slices.Concat(d.MemberOf, d.OwnerOf)}
	for _, a := range slices.Concat(d.Held, d.Eligible) {
		out.roles = append(out.roles, a.Role)
	}
	return out
}

// outranks reports that the caller's roles suffice for a user of this standing.
func (c *call) outranks(t *world.Tenant, x standing) bool {
	if c.hasRole(entra.RolePrivilegedAuthenticationAdministrator) {
		return true
	}
	if slices.ContainsFunc(x.groups, func(id string) bool { g := t.Groups.Get(id); return g != nil && g.RoleAssignable }) {
		return false
	}
	return !slices.ContainsFunc(x.roles, func(role string) bool {
		role = strings.ToLower(role)
		return !c.hasRole(above[role]...) && !(c.caller.AppOnly() && slices.Contains(belowApps, role))
	})
}

// maySensitive checks a caller of any kind against a user's standing. An app's roles are
// those of its service principal.
func (c *call) maySensitive(s *world.State, t *world.Tenant, x standing) error {
	if c.caller.AppOnly() {
		c.roles = t.RolesOf(c.caller.ObjectID, c.now)
	} else if who, home := c.user(s, t); who != nil && home == t && strings.EqualFold(who.ID, x.id) {
		return nil
	}
	if c.outranks(t, x) {
		return nil
	}
	return denied()
}

// mayTouch is maySensitive for what an app's permission suffices for, whoever the user
// is: sessions and authentication methods.
func (c *call) mayTouch(s *world.State, t *world.Tenant, u *world.User) error {
	if c.caller.AppOnly() {
		return nil
	}
	return c.maySensitive(s, t, c.standingOf(t, u))
}

// sensitive are the properties whose change is a sensitive action.
var sensitive = words("accountEnabled businessPhones mobilePhone onPremisesImmutableId otherMails passwordProfile userPrincipalName")

// mayReset lets passwords be set: a user's token needs a permission of its own for
// that, besides the user's role, and an app a role or that permission (Microsoft
// Graph, "Update user").
func (c *call) mayReset(t *world.Tenant) error {
	switch {
	case c.holds(words("User-PasswordProfile.ReadWrite.All")):
		return nil
	case !c.caller.AppOnly() && c.holds(words("Directory.AccessAsUser.All")):
		return nil
	case !c.caller.AppOnly():
		return denied()
	}
	if c.roles = t.RolesOf(c.caller.ObjectID, c.now); !c.hasRole(append(help[:4:4], entra.RolePrivilegedAuthenticationAdministrator)...) {
		return denied()
	}
	return nil
}
