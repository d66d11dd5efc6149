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

		get("directoryRoles", mayReadRoles, listRoles).whole().units(2),
		get("directoryRoles/{}", mayReadRoles, getRole),
		get("directoryRoles/{}/members", mayReadRoles, roleMembers).objects().units(3),
		get(roleBase+"roleDefinitions", mayReadRoleManagement, listDefinitions).pages(500, 999).units(2),
		get(roleBase+"roleDefinitions/{}", mayReadRoleManagement, getDefinition),
		get(roleBase+"roleAssignments", mayReadRoleManagement, listRoleAssignments).objects().units(2),
		get(roleBase+"roleAssignments/{}", mayReadRoleManagement, getRoleAssignment),
		post(roleBase+"roleAssignments", mayAssignRoles, createRoleAssignment),
		del(roleBase+"roleAssignments/{}", mayAssignRoles, deleteRoleAssignment),
		get(roleBase+"roleEligibilitySchedules", mayReadEligible, listSchedules).pages(100, 999).units(2),
		get(roleBase+"roleEligibilitySchedules/{}", mayReadEligible, getSchedule),
		get(roleBase+"roleEligibilitySchedules/filterByCurrentUser/{}", mayReadEligible.with(), ownSchedules).pages(100, 999),
		get(roleBase+"roleEligibilityScheduleInstances", mayReadEligible, listSchedules).pages(100, 999).units(2),
		get(roleBase+"roleEligibilityScheduleInstances/{}", mayReadEligible, getSchedule),
		get(roleBase+"roleEligibilityScheduleInstances/filterByCurrentUser/{}", mayReadEligible.with(), ownSchedules).pages(100, 999),
		get(roleBase+"roleAssignmentScheduleInstances", mayReadActive, listSchedules).pages(100, 999).units(2),
		get(roleBase+"roleAssignmentScheduleInstances/{}", mayReadActive, getSchedule),
		get(roleBase+"roleAssignmentScheduleInstances/filterByCurrentUser/{}", mayReadActive.with(), ownSchedules).pages(100, 999),
		get(roleBase+"roleEligibilityScheduleRequests", mayAskEligible, listRoleAsks).pages(100, 999),
		get(roleBase+"roleEligibilityScheduleRequests/{}", mayAskEligible, getRoleAsk),
		post(roleBase+"roleEligibilityScheduleRequests", mayAskEligible, askRole),
		get(roleBase+"roleAssignmentScheduleRequests", mayAskActive, listRoleAsks).pages(100, 999),
		get(roleBase+"roleAssignmentScheduleRequests/{}", mayAskActive, getRoleAsk),
		post(roleBase+"roleAssignmentScheduleRequests", mayAskActive, askRole),

		get("organization", mayReadOrganization, listOrganizations).whole().units(2),
		get("organization/{}", mayReadOrganization, getOrganization),
		get("domains", mayReadDomains, listDomains).pages(100, 999).units(2),
		get("domains/{}", mayReadDomains, getDomain),
		get("contracts", mayReadContracts, listContracts).pages(100, 999).units(3),
		get("contracts/{}", mayReadContracts, getContract),
		get("subscribedSkus", mayReadSKUs, listSKUs).whole().units(3),
		get("subscribedSkus/{}", mayReadSKUs, getSKU),
		get("directoryObjects/{}", mayReadObject, getObject),
		post("directoryObjects/getByIds", mayReadObjects, objectsByID),

		get(riskyPath, mayReadRisk, listRisky).pages(20, 500).of(identity),
		get(riskyPath+"/{}", mayReadRisk, getRisky).of(identity),
		post(riskyPath+"/dismiss", mayJudgeRisk, judgeRisk).of(identity),
		post(riskyPath+"/confirmCompromised", mayJudgeRisk, judgeRisk).of(identity),
		post(riskyPath+"/confirmSafe", mayJudgeRisk, judgeRisk).of(identity),
	}
	p := &router{}
	p.methods()
	p.audits()
	p.signIns()
	p.policies(sh)
	p.gdap()
	p.scores()
	p.alerts()
	return append(rows, p.rows...)
}
