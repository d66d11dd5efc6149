package world

import (
	"strings"

	"partnerguard/internal/entra"
)

// Roles lists the built-in directory roles of this cloud by name: those of the
// contracts. The result must not be changed.
func Roles() []entra.Role { return entra.ContractRoles() }

// RoleByID finds a built-in role by template id.
func RoleByID(id string) (entra.Role, bool) {
	r, ok := entra.FindRole(id)
	return r, ok && r.ID == id && r.Contract()
}

// RoleName is a role's name by its id in any case, or the id where it is not built in.
func RoleName(id string) string {
	if r, ok := entra.FindRole(strings.ToLower(id)); ok {
		return r.Name
	}
	return id
}
