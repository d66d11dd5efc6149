package graph

import (
	"slices"
)

// Who may do what, as the table of routes names it (contracts.md sections 3 and 8.3):
// permissions, then directory roles of which a user needs one besides.

const (
	readUsers           = "User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
	writeUsers          = "User.ReadWrite.All Directory.ReadWrite.All"
	readMethods         = "UserAuthenticationMethod.Read.All UserAuthenticationMethod.ReadWrite.All"
	writeMethods        = "UserAuthenticationMethod.ReadWrite.All"
	readPartnerSecurity = "PartnerSecurity.Read.All PartnerSecurity.ReadWrite.All"
	gdapRead            = "DelegatedAdminRelationship.Read.All DelegatedAdminRelationship.ReadWrite.All"
	gdapAll             = "DelegatedAdminRelationship.ReadWrite.All"
	ownUser             = "User.Read User.ReadWrite"
	readGroups          = "GroupMember.Read.All Group.Read.All Group.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
	readRoles           = "RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory"
	readApps            = "Application.Read.All Application.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
	writeApps           = "Application.ReadWrite.All Directory.ReadWrite.All"
	writeGroups         = "Group.ReadWrite.All Directory.ReadWrite.All"
)

var (
	mayListUsers       = allow(readUsers + " User.ReadBasic.All")
	mayReadUser        = mayListUsers.orOwn(ownUser)
	mayReadMemberships = allow(readUsers + " GroupMember.Read.All Group.Read.All").orOwn(ownUser)
	mayRevoke          = allow("User.RevokeSessions.All "+writeUsers).
				with(userAdmin, helpdeskAdmin, passwordAdmin, privilegedAuthAdmin, authAdmin, directoryWriters).orOwn("User.ReadWrite User.RevokeSessions.All")
	mayCreateUser = allow(writeUsers).with(userAdmin, directoryWriters, privilegedAuthAdmin)
	mayChangeUser = mayCreateUser.with(slices.Concat(mayCreateUser.roles, []string{authAdmin, helpdeskAdmin, passwordAdmin})...)
	mayDeleteUser = allow(writeUsers).with(userAdmin, privilegedAuthAdmin)

	mayReadGroups   = allow(readGroups)
	mayCreateGroup  = allow(writeGroups).with(groupsAdmin, userAdmin, directoryWriters)
	mayChangeGroup  = allow(writeGroups) // the handlers ask for the role or the ownership
	mayChangeMember = allow("GroupMember.ReadWrite.All " + writeGroups)

	mayReadApps      = allow(readApps)
	mayWriteApps     = allow(writeApps).with(applicationAdmin, cloudAppAdmin)
	mayReadAppRoles  = allow(readApps + " AppRoleAssignment.ReadWrite.All")
	mayWriteAppRoles = allow("AppRoleAssignment.ReadWrite.All").and(readApps).with(privilegedRoleAdmin)
	mayReadGrants    = allow("Directory.Read.All Directory.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All").
				with(directoryReaders, directoryWriters, globalReader, applicationAdmin, cloudAppAdmin, privilegedRoleAdmin, userAdmin, securityReader, securityAdmin)
	mayWriteGrants = allow("DelegatedPermissionGrant.ReadWrite.All Directory.ReadWrite.All").with(applicationAdmin, cloudAppAdmin, privilegedRoleAdmin)

	mayReadRoles          = allow(readRoles + " Directory.Read.All Directory.ReadWrite.All")
	mayReadRoleManagement = mayReadRoles.
				with(directoryReaders, globalReader, privilegedRoleAdmin, securityReader, securityAdmin, securityOperator, userAdmin, directoryWriters)
	mayAssignRoles  = allow("RoleManagement.ReadWrite.Directory").with(privilegedRoleAdmin)
	mayReadEligible = allow("RoleEligibilitySchedule.Read.Directory RoleEligibilitySchedule.ReadWrite.Directory "+readRoles).
			with(privilegedRoleAdmin, globalReader, securityReader, securityOperator, securityAdmin).when(needP2)
	mayReadActive = allow("RoleAssignmentSchedule.Read.Directory RoleAssignmentSchedule.ReadWrite.Directory "+readRoles).
			with(privilegedRoleAdmin, globalReader, securityReader, securityOperator, securityAdmin).when(needP2)
	mayAskEligible = allow("RoleEligibilitySchedule.ReadWrite.Directory RoleManagement.ReadWrite.Directory").when(needP2)
	mayAskActive   = allow("RoleAssignmentSchedule.ReadWrite.Directory RoleManagement.ReadWrite.Directory").when(needP2)

	mayReadOrganization = allow("Organization.Read.All User.Read User.Read.All Directory.Read.All Directory.ReadWrite.All").
				byApps("Organization.Read.All User.Read.All Directory.Read.All Directory.ReadWrite.All")
	mayReadDomains   = allow("Domain.Read.All Directory.Read.All Directory.ReadWrite.All")
	mayReadContracts = allow("Directory.Read.All Directory.ReadWrite.All").when(agentOrReader)
	mayReadSKUs      = allow("LicenseAssignment.Read.All Organization.Read.All Directory.Read.All Directory.ReadWrite.All")
	mayReadObject    = allow("Directory.Read.All Directory.ReadWrite.All User.Read.All Group.Read.All Application.Read.All")
	mayReadObjects   = allow("Directory.Read.All Directory.ReadWrite.All")

	mayReadRisk = allow("IdentityRiskyUser.Read.All IdentityRiskyUser.ReadWrite.All").
			with(securityReader, securityOperator, securityAdmin, globalReader).when(needP2Risk)
	mayJudgeRisk = allow("IdentityRiskyUser.ReadWrite.All").with(securityOperator, securityAdmin).when(needP2Risk)

	mayReadPolicies  = allow("Policy.Read.All Policy.Read.ConditionalAccess").with(securityReader, globalReader, securityAdmin, conditionalAdmin, securityOperator)
	mayWritePolicies = allow("Policy.ReadWrite.ConditionalAccess").and("Policy.Read.All").with(conditionalAdmin, securityAdmin)
	mayEvaluate      = allow("Policy.Read.ConditionalAccess Policy.Read.All").with(securityReader, globalReader, securityAdmin, conditionalAdmin)
	mayReadDefaults  = allow("Policy.Read.All")
	mayWriteDefaults = allow("Policy.ReadWrite.SecurityDefaults").and("Policy.Read.All").with(conditionalAdmin, securityAdmin)
	mayReadStrengths = allow("Policy.Read.AuthenticationMethod Policy.Read.All Policy.ReadWrite.AuthenticationMethod").
				with(securityReader, globalReader, securityAdmin, conditionalAdmin, authPolicyAdmin)
	mayWriteStrengths = allow("Policy.ReadWrite.AuthenticationMethod").with(conditionalAdmin, securityAdmin, authPolicyAdmin)

	mayReadMethods       = allow(readMethods).with(authAdmin, privilegedAuthAdmin, globalReader).orOwn(readMethods)
	mayWriteMethods      = allow(writeMethods).with(authAdmin, privilegedAuthAdmin).orOwn(writeMethods)
	mayReadExternal      = mayReadMethods.or("UserAuthMethod-External.Read.All UserAuthMethod-External.ReadWrite.All")
	mayWriteExternal     = mayWriteMethods.or("UserAuthMethod-External.ReadWrite.All")
	mayReadRequirements  = allow("Policy.Read.All Policy.ReadWrite.AuthenticationMethod").with(globalReader, authAdmin, privilegedAuthAdmin, authPolicyAdmin)
	mayWriteRequirements = allow("Policy.ReadWrite.AuthenticationMethod").with(authAdmin, privilegedAuthAdmin, authPolicyAdmin)
	mayReadLogs          = allow("AuditLog.Read.All").with(reportsReader, securityReader, securityOperator, securityAdmin, globalReader)
	mayReadReports       = mayReadLogs.when(needPremium)
	mayReadMethodsPolicy = allow("Policy.Read.AuthenticationMethod Policy.Read.All Policy.ReadWrite.AuthenticationMethod").
				with(globalReader, authPolicyAdmin, securityReader, securityAdmin)
	mayWriteMethodsPolicy = allow("Policy.ReadWrite.AuthenticationMethod").with(authPolicyAdmin)

	mayReadGDAP    = allow(gdapRead).forPartner().forGDAP()
	mayWriteGDAP   = allow(gdapAll).forPartner().forGDAP()
	mayMoveGDAP    = allow(gdapAll).when(mayMove)
	mayReadAlerts  = allow(readPartnerSecurity).forPartner().when(agentOr(securityReader, securityAdmin, globalReader, securityOperator))
	mayWriteAlerts = allow("PartnerSecurity.ReadWrite.All").forPartner().when(agentOr(securityAdmin))
	mayReadScore   = allow(readPartnerSecurity).forPartner().when(agentOr(securityReader, securityAdmin, securityOperator, globalReader))
)
