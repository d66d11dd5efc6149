package graph

import (
	"slices"

	"partnerguard/internal/entra"
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

// Roles that come together.
var (
	readers      = []string{entra.RoleGlobalReader, entra.RoleSecurityReader, entra.RoleSecurityAdministrator}
	watchers     = slices.Concat(readers, []string{entra.RoleSecurityOperator})
	policyAdmins = []string{entra.RoleConditionalAccessAdministrator, entra.RoleSecurityAdministrator}
	appAdmins    = []string{entra.RoleApplicationAdministrator, entra.RoleCloudApplicationAdministrator}
	methodAdmins = []string{entra.RoleAuthenticationAdministrator, entra.RolePrivilegedAuthenticationAdministrator}
)

var (
	mayListUsers       = allow(readUsers + " User.ReadBasic.All")
	mayReadUser        = mayListUsers.orOwn(ownUser)
	mayReadMemberships = allow(readUsers + " GroupMember.Read.All Group.Read.All").orOwn(ownUser)
	mayRevoke          = allow("User.RevokeSessions.All "+writeUsers).
				by(methodAdmins, entra.RoleUserAdministrator, entra.RoleHelpdeskAdministrator, entra.RolePasswordAdministrator, entra.RoleDirectoryWriters).
				orOwn("User.ReadWrite User.RevokeSessions.All")
	mayCreateUser = allow(writeUsers).with(entra.RoleUserAdministrator, entra.RoleDirectoryWriters, entra.RolePrivilegedAuthenticationAdministrator)
	mayChangeUser = mayCreateUser.
			by(mayCreateUser.roles, entra.RoleAuthenticationAdministrator, entra.RoleHelpdeskAdministrator, entra.RolePasswordAdministrator)
	mayDeleteUser = allow(writeUsers).with(entra.RoleUserAdministrator, entra.RolePrivilegedAuthenticationAdministrator)

	mayReadGroups   = allow(readGroups)
	mayCreateGroup  = allow(writeGroups).with(entra.RoleGroupsAdministrator, entra.RoleUserAdministrator, entra.RoleDirectoryWriters)
	mayChangeGroup  = allow(writeGroups) // the handlers ask for the role or the ownership
	mayChangeMember = allow("GroupMember.ReadWrite.All " + writeGroups)

	mayReadApps      = allow(readApps)
	mayWriteApps     = allow(writeApps).by(appAdmins)
	mayCreateApps    = allow(writeApps).when(createsApps)
	mayReadAppRoles  = allow(readApps + " AppRoleAssignment.ReadWrite.All")
	mayWriteAppRoles = allow("AppRoleAssignment.ReadWrite.All").and(readApps).with(entra.RolePrivilegedRoleAdministrator)
	mayReadGrants    = allow("Directory.Read.All Directory.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All").
				by(slices.Concat(readers, appAdmins), entra.RoleDirectoryReaders, entra.RoleDirectoryWriters,
			entra.RolePrivilegedRoleAdministrator, entra.RoleUserAdministrator)
	mayWriteGrants = allow("DelegatedPermissionGrant.ReadWrite.All Directory.ReadWrite.All").by(appAdmins, entra.RolePrivilegedRoleAdministrator)

	mayReadRoles          = allow(readRoles + " Directory.Read.All Directory.ReadWrite.All")
	mayReadRoleManagement = mayReadRoles.
				by(watchers, entra.RoleDirectoryReaders, entra.RolePrivilegedRoleAdministrator, entra.RoleUserAdministrator, entra.RoleDirectoryWriters)
	mayAssignRoles  = allow("RoleManagement.ReadWrite.Directory").with(entra.RolePrivilegedRoleAdministrator)
	mayReadEligible = allow("RoleEligibilitySchedule.Read.Directory RoleEligibilitySchedule.ReadWrite.Directory "+readRoles).
			by(watchers, entra.RolePrivilegedRoleAdministrator).licensed("Microsoft Entra ID P2", needP2)
	mayReadActive = allow("RoleAssignmentSchedule.Read.Directory RoleAssignmentSchedule.ReadWrite.Directory "+readRoles).
			by(watchers, entra.RolePrivilegedRoleAdministrator).licensed("Microsoft Entra ID P2", needP2)
	mayAskEligible = allow("RoleEligibilitySchedule.ReadWrite.Directory RoleManagement.ReadWrite.Directory").licensed("Microsoft Entra ID P2", needP2)
	mayAskActive   = allow("RoleAssignmentSchedule.ReadWrite.Directory RoleManagement.ReadWrite.Directory").licensed("Microsoft Entra ID P2", needP2)

	mayReadOrganization = allow("Organization.Read.All User.Read User.Read.All Directory.Read.All Directory.ReadWrite.All").
				byApps("Organization.Read.All User.Read.All Directory.Read.All Directory.ReadWrite.All")
	mayReadDomains   = allow("Domain.Read.All Directory.Read.All Directory.ReadWrite.All")
	mayReadContracts = allow("Directory.Read.All Directory.ReadWrite.All").when(agentOrReader)
	mayReadSKUs      = allow("LicenseAssignment.Read.All Organization.Read.All Directory.Read.All Directory.ReadWrite.All")
	mayReadObject    = allow("Directory.Read.All Directory.ReadWrite.All User.Read.All Group.Read.All Application.Read.All")
	mayReadObjects   = allow("Directory.Read.All Directory.ReadWrite.All")

	mayReadRisk = allow("IdentityRiskyUser.Read.All IdentityRiskyUser.ReadWrite.All").
			by(watchers).licensed("Microsoft Entra ID P2", needP2Risk)
	mayReadDetections = allow("IdentityRiskEvent.Read.All").by(watchers).licensed("Microsoft Entra ID P2", needP2Risk)
	mayReadEvents     = allow("SecurityEvents.Read.All SecurityEvents.ReadWrite.All").by(readers, entra.RoleSecurityOperator, entra.RoleReportsReader)
	mayJudgeRisk      = allow("IdentityRiskyUser.ReadWrite.All").with(entra.RoleSecurityOperator, entra.RoleSecurityAdministrator).
				licensed("Microsoft Entra ID P2", needP2Risk)

	mayReadPolicies      = allow("Policy.Read.All Policy.Read.ConditionalAccess").by(watchers, entra.RoleConditionalAccessAdministrator)
	mayWritePolicies     = allow("Policy.ReadWrite.ConditionalAccess").and("Policy.Read.All").by(policyAdmins)
	mayEvaluate          = allow("Policy.Read.ConditionalAccess Policy.Read.All").by(readers, entra.RoleConditionalAccessAdministrator)
	mayReadDefaults      = allow("Policy.Read.All")
	mayWriteDefaults     = allow("Policy.ReadWrite.SecurityDefaults").and("Policy.Read.All").by(policyAdmins)
	mayWriteSTS          = allow("Policy.ReadWrite.ApplicationConfiguration").by(appAdmins)
	mayReadBackup        = allow("EntraBackup.Read.All EntraBackup.ReadWrite.Preview EntraBackup.ReadWrite.Recovery")
	mayReadGrantPolicies = allow("Policy.Read.PermissionGrant Policy.ReadWrite.PermissionGrant Policy.Read.All")
	mayReadStrengths     = allow("Policy.Read.AuthenticationMethod Policy.Read.All Policy.ReadWrite.AuthenticationMethod").
				by(readers, entra.RoleConditionalAccessAdministrator, entra.RoleAuthenticationPolicyAdministrator)
	mayWriteStrengths = allow("Policy.ReadWrite.AuthenticationMethod").by(policyAdmins, entra.RoleAuthenticationPolicyAdministrator)

	mayReadMethods   = allow(readMethods).by(methodAdmins, entra.RoleGlobalReader).orOwn(readMethods)
	mayWriteMethods  = allow(writeMethods).by(methodAdmins).orOwn(writeMethods)
	mayResetPassword = allow(writeMethods+" UserAuthMethod-Password.ReadWrite.All").byApps("-").by(methodAdmins, entra.RoleHelpdeskAdministrator,
		entra.RolePasswordAdministrator, entra.RoleUserAdministrator) // users alone, and not to themselves
	mayReadExternal     = mayReadMethods.or("UserAuthMethod-External.Read.All UserAuthMethod-External.ReadWrite.All")
	mayWriteExternal    = mayWriteMethods.or("UserAuthMethod-External.ReadWrite.All")
	mayReadRequirements = allow("Policy.Read.All Policy.ReadWrite.AuthenticationMethod").
				by(methodAdmins, entra.RoleGlobalReader, entra.RoleAuthenticationPolicyAdministrator)
	mayWriteRequirements = allow("Policy.ReadWrite.AuthenticationMethod").by(methodAdmins, entra.RoleAuthenticationPolicyAdministrator)
	mayReadLogs          = allow("AuditLog.Read.All").by(watchers, entra.RoleReportsReader)
	mayReadReports       = mayReadLogs.licensed("Microsoft Entra ID P1", needPremium)
	mayReadMethodsPolicy = allow("Policy.Read.AuthenticationMethod Policy.Read.All Policy.ReadWrite.AuthenticationMethod").
				by(readers, entra.RoleAuthenticationPolicyAdministrator)
	mayWriteMethodsPolicy = allow("Policy.ReadWrite.AuthenticationMethod").with(entra.RoleAuthenticationPolicyAdministrator)

	mayReadOath = allow("Policy.Read.AuthenticationMethod Policy.Read.All Policy.ReadWrite.AuthenticationMethod").
			by(slices.Concat(methodAdmins, readers), entra.RoleAuthenticationPolicyAdministrator)
	mayUploadOath = allow("Policy.ReadWrite.AuthenticationMethod").with(entra.RoleAuthenticationPolicyAdministrator)
	mayReadOathOf = mayReadMethods.or("UserAuthMethod-HardwareOATH.Read.All UserAuthMethod-HardwareOATH.ReadWrite.All")
	mayAssignOath = mayWriteMethods.or("UserAuthMethod-HardwareOATH.ReadWrite.All")

	mayReadGDAP    = allow(gdapRead).forPartner().forGDAP()
	mayWriteGDAP   = allow(gdapAll).forPartner().forGDAP()
	mayMoveGDAP    = allow(gdapAll).when(mayMove)
	mayReadAlerts  = allow(readPartnerSecurity).forPartner().when(agentOr(watchers...))
	mayWriteAlerts = allow("PartnerSecurity.ReadWrite.All").forPartner().when(agentOr(entra.RoleSecurityAdministrator))
	mayReadBilling = allow("PartnerBilling.Read.All").forPartner().when(agentOr(entra.RoleBillingAdministrator, entra.RoleGlobalReader))
	mayReadScore   = allow(readPartnerSecurity).forPartner().when(agentOr(watchers...))
)

// mayWriteSetting is who may change a policy of which a tenant has one.
func mayWriteSetting(name string) permit {
	switch name {
	case "authorizationPolicy":
		return allow("Policy.ReadWrite.Authorization").with(entra.RolePrivilegedRoleAdministrator)
	case "adminConsentRequestPolicy":
		return allow("Policy.ReadWrite.ConsentRequest").with()
	case "authenticationFlowsPolicy":
		return allow("Policy.ReadWrite.AuthenticationFlows").with(entra.RoleUserFlowAdministrator)
	}
	return allow("Policy.ReadWrite.CrossTenantAccess").with(entra.RoleSecurityAdministrator)
}
