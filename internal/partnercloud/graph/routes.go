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

		get("applications", mayReadApps, listApps).objects().units(2),
		get("applications/{}", mayReadApps, getApp),
		post("applications", mayWriteApps, createApp),
		patch("applications/{}", mayWriteApps, changeApp),
		del("applications/{}", mayWriteApps, deleteApp),
		post("applications/{}/addPassword", mayWriteApps, addPassword).bodiless(),
		post("applications/{}/removePassword", mayWriteApps, removePassword),
		post("applications/{}/addKey", mayWriteApps, addKey),
		post("applications/{}/removeKey", mayWriteApps, removeKey),
		get("applications/{}/federatedIdentityCredentials", mayReadApps, listFederated).pages(100, 999),
		get("applications/{}/federatedIdentityCredentials/{}", mayReadApps, getFederated),
		post("applications/{}/federatedIdentityCredentials", mayWriteApps, createFederated),
		patch("applications/{}/federatedIdentityCredentials/{}", mayWriteApps, changeFederated),
		del("applications/{}/federatedIdentityCredentials/{}", mayWriteApps, deleteFederated),

		get("servicePrincipals", mayReadApps, listSPs).objects().units(2),
		get("servicePrincipals/{}", mayReadApps, getSP),
		post("servicePrincipals", mayWriteApps, createSP),
		patch("servicePrincipals/{}", mayWriteApps, changeSP),
		del("servicePrincipals/{}", mayWriteApps, deleteSP),
		get("servicePrincipals/{}/appRoleAssignments", mayReadAppRoles, listAppRoles).pages(100, 999).units(2),
		post("servicePrincipals/{}/appRoleAssignments", mayWriteAppRoles, createAppRole),
		del("servicePrincipals/{}/appRoleAssignments/{}", mayWriteAppRoles, deleteAppRole),
		get("servicePrincipals/{}/appRoleAssignedTo", mayReadAppRoles, listAppRoles).pages(100, 999).units(2),
		post("servicePrincipals/{}/appRoleAssignedTo", mayWriteAppRoles, createAppRole),
		del("servicePrincipals/{}/appRoleAssignedTo/{}", mayWriteAppRoles, deleteAppRole),
		get("servicePrincipals/{}/oauth2PermissionGrants", mayReadGrants, listGrantsOfSP).pages(100, 999).units(2),

		get("oauth2PermissionGrants", mayReadGrants, listGrants).pages(100, 999).units(2),
		get("oauth2PermissionGrants/{}", mayReadGrants, getGrant),
		post("oauth2PermissionGrants", mayWriteGrants, createGrant),
		patch("oauth2PermissionGrants/{}", mayWriteGrants, changeGrant),
		del("oauth2PermissionGrants/{}", mayWriteGrants, deleteGrant),
	}
	p := &router{}
	p.methods()
	p.audits()
	p.signIns()
	p.policies(sh)
	p.roles(sh)
	p.tenant(sh)
	p.risky()
	p.gdap()
	p.scores()
	p.alerts()
	return append(rows, p.rows...)
}
