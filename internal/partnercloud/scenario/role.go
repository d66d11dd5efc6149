package scenario

import (
	"strings"
	"sync"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// roleIDs maps the names of built-in directory roles, in lower case, to their
// template ids: those of the cloud, and the one by which customers answer a partner.
// A template id names itself.
var roleIDs = sync.OnceValue(func() map[string]string {
	out := make(map[string]string)
	for _, r := range world.Roles() {
		out[strings.ToLower(r.Name)], out[r.ID] = r.ID, r.ID
	}
	if r, ok := entra.FindRole(entra.RoleCustomerRelationshipAdministrator); ok {
		out[strings.ToLower(r.Name)], out[r.ID] = r.ID, r.ID
	}
	return out
})

// roleID finds a role by name or template id.
func roleID(name string) (string, bool) {
	id, ok := roleIDs()[strings.ToLower(name)]
	return id, ok
}
