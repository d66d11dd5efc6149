package center

import (
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// op makes one operation of a table.
func op(method, pattern string, do func(*call) (reply, *fault), mend func(*route)) *route {
	r := &route{method: method, pattern: pattern, segments: strings.Split(strings.Trim(pattern, "/"), "/"), do: do}
	mend(r)
	return r
}

// Who may call: both kinds of caller, or app+user alone; agents of any kind, or
// Admin Agents; or by a role in the customer's tenant.
func forBoth(r *route)      { r.app, r.agents = true, readers }
func forBothWrite(r *route) { r.app, r.agents = true, managers }
func forUser(r *route)      { r.agents = readers }
func forUserWrite(r *route) { r.agents = managers }

// forSales also lets Sales Agents write: they sell.
func forSales(r *route) { r.app, r.agents = true, []string{world.AdminAgents, world.SalesAgents} }

func forUserSales(r *route) { r.agents = []string{world.AdminAgents, world.SalesAgents} }

// forDesk also lets Helpdesk Agents write: they support.
func forDesk(r *route) { r.agents = []string{world.AdminAgents, world.HelpdeskAgents} }

// forBilling also lets the directory roles of the partner tenant that look at bills.
func forBilling(r *route) {
	r.app, r.agents, r.admins = true, managers, []string{entra.RoleGlobalAdministrator, entra.RoleBillingAdministrator}
}

func inside(roles ...string) func(*route) { return func(r *route) { r.inside = roles } }

// moreRoutes are the tables of the topics that stand in files of their own.
func moreRoutes() []*route {
	var all []*route
	for _, topic := range []func() []*route{userRoutes, catalogueRoutes, orderRoutes, subscriptionRoutes, invoiceRoutes,
		accountRoutes, usageRoutes, supportRoutes, leftOutRoutes} {
		all = append(all, topic()...)
	}
	return all
}
