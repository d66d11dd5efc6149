package center

import (
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// Operations are all operations that Partner Center serves or names as left out.
func Operations() []kit.Operation {
	var out []kit.Operation
	for _, r := range makeRoutes() {
		out = append(out, kit.Operation{Method: r.method, Path: r.pattern, Permission: r.who(), Options: r.options, LeftOut: r.missing, Source: r.source})
	}
	return out
}

// who says in words who may call.
func (r *route) who() string {
	if len(r.inside) > 0 {
		names := make([]string, len(r.inside))
		for i, id := range r.inside {
			names[i] = world.RoleName(id)
		}
		return "by GDAP or DAP in the customer's tenant: " + strings.Join(names, " | ")
	}
	list := slices.Clone(r.agents)
	for _, id := range r.admins {
		list = append(list, world.RoleName(id))
	}
	if r.app {
		return "app-only; users as " + strings.Join(list, " | ")
	}
	return "users as " + strings.Join(list, " | ")
}
