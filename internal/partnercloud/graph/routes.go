package graph

// routes is the table of everything that is served.
func routes() *router {
	p := &router{byHead: map[string][]*route{}}
	sh := &shapes{user: newUserShape(), group: newGroupShape(), sp: newSPShape(), role: newActiveRoleShape()}
	p.users(sh)
	p.methods()
	p.groups(sh)
	p.audits()
	p.signIns()
	p.policies(sh)
	p.roles(sh)
	p.apps()
	p.servicePrincipals(sh)
	p.tenant(sh)
	p.risky()
	p.gdap()
	p.scores()
	p.alerts()
	return p
}
