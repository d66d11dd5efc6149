package graph

// routes is the table of everything that is served. A constant segment stands
// before a key. It is long because it is one table.
func routes(sh *shapes) []*route {
	rows := []*route{
		get("users", mayListUsers, listUsers).objects().units(2),
		get("users/delta", mayListUsers, deltaUsers).units(2),
		get("users/{}", mayReadUser, getUser),
		post("users", mayCreateUser, nil).unlocked(createUser),
		patch("users/{}", mayChangeUser, nil).unlocked(changeUser),
		del("users/{}", mayDeleteUser, deleteUser),
		get("users/{}/memberOf", mayReadMemberships, userMemberships).objects().units(2),
		get("users/{}/transitiveMemberOf", mayReadMemberships, userMemberships).objects().units(2),
		post("users/{}/checkMemberGroups", mayReadUser, checkMemberGroups),
		post("users/{}/revokeSignInSessions", mayRevoke, revoke).bodiless(),

		get("groups", mayReadGroups, listGroups).objects().units(2),
		get("groups/delta", mayReadGroups, deltaGroups).units(2),
		get("groups/{}", mayReadGroups, getGroup),
		post("groups", mayCreateGroup, createGroup),
		patch("groups/{}", mayChangeGroup, changeGroup),
		del("groups/{}", mayChangeGroup, deleteGroup),
		get("groups/{}/members", mayReadGroups, groupLinks).objects().units(3),
		get("groups/{}/transitiveMembers", mayReadGroups, groupLinks).objects().units(3),
		get("groups/{}/owners", mayReadGroups, groupLinks).objects().units(3),
		get("groups/{}/memberOf", mayReadGroups, groupLinks).objects().units(3),
		get("groups/{}/transitiveMemberOf", mayReadGroups, groupLinks).objects().units(3),
		post("groups/{}/members/$ref", mayChangeMember, addLink),
		del("groups/{}/members/{}/$ref", mayChangeMember, removeLink),
		post("groups/{}/owners/$ref", mayChangeMember, addLink),
		del("groups/{}/owners/{}/$ref", mayChangeMember, removeLink),
	}
	p := &router{}
	p.methods()
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
	return append(rows, p.rows...)
}
