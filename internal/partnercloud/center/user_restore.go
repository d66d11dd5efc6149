package center

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// changeOrRestoreUser changes a user; a deleted one it restores, when that is what
// the body asks for (Microsoft: Restore a deleted user for a customer).
func changeOrRestoreUser(k *call) (reply, *fault) {
	u, f := k.userOf()
	if f == nil {
		return changeUser(k, u)
	}
	d := k.s.DeletedItem(k.tenant, k.params["user"])
	if d == nil || d.User == nil {
		return reply{}, f
	}
	return k.restoreUser(d)
}

func (k *call) restoreUser(d *world.Deleted) (reply, *fault) {
	var in userInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	switch {
	case !strings.EqualFold(in.State, "active"):
		return reply{}, deny(entra.CenterUserUnknown)
	case in.Password != nil:
		return reply{}, deny(entra.CenterMalformed, "a deleted user is restored first and gets a password then.")
	case !contains(k.rights.Roles, entra.RoleUserAdministrator) && !contains(k.rights.Roles, entra.RoleGlobalAdministrator):
		return reply{}, forbidden("This needs User Administrator in the customer's tenant.")
	case slices.ContainsFunc(d.Held, func(a *world.RoleAssignment) bool { return entra.PrivilegedRole(a.Role) }) &&
		!contains(k.rights.Roles, entra.RoleGlobalAdministrator):
		return reply{}, forbidden("The user held a privileged role: this needs Global Administrator.")
	case k.tenant.UserByName(d.User.UPN) != nil:
		return reply{}, refuse(http.StatusConflict, 409, "The name %s was taken meanwhile.", d.User.UPN)
	}
	before := k.deletedUserOf(d)
	in.State = "" // a change of anything else comes after
	if f := unchanged(in, before); f != nil {
		return reply{}, f
	}
	k.s.Restore(k.tenant, d.ID)
	u := k.tenant.Users.Get(d.ID)
	after := k.customerUserOf(u)
	k.auditDirectory("Restore user", "UserManagement", "Restore", u)
	k.record("customer_user", "restore_customer_user", before, after)
	return ok(after), nil
}

// resetPassword is the other way to set a password (Microsoft: Reset user password
// for a customer).
func resetPassword(k *call, u *world.User) (reply, *fault) {
	var in userInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if in.Password == nil {
		return reply{}, deny(entra.CenterMalformed, "passwordProfile is missing.")
	}
	return changeUser(k, u)
}
