package intake

import (
	"strings"

	"partnerguard/internal/entra"
)

// roleIDs are the template ids of the built-in directory roles by their English
// names, for exports that name roles instead of giving their ids. A role that is
// not here has no id to us.
var roleIDs = func() map[string]string {
	out := make(map[string]string)
	for _, r := range entra.Roles() {
		out[strings.ToLower(r.Name)] = r.ID
	}
	return out
}()
