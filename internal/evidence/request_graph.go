package evidence

// Roles that read much, and the rights that many requests share.
var (
	securityReaders  = []string{"Security Reader", "Global Reader"}
	directoryReaders = []string{"Directory Readers", "Global Reader"}
	reportReaders    = []string{"Reports Reader", "Security Reader", "Global Reader"}
	partnerReaders   = []string{"Security Reader", "Security Administrator", "Admin Agent"}
	agents           = []string{"Admin Agent"}
)

const adminCentre = "Microsoft Entra admin center"

// settingsRequests read what asks for MFA (contracts.md sections 3.5 to 3.8).
var settingsRequests = []Request{
	{
		Kind: ConditionalAccessPolicy, File: "conditionalAccessPolicies.json", Service: Graph, Version: "beta",
		Path: "/identity/conditionalAccess/policies", Paged: true,
		Permissions: []string{"Policy.Read.All"}, Roles: securityReaders, Licence: Free,
		Note: "v1.0 leaves out policies that use preview conditions, so ask beta. Without Entra ID P1 the list is empty, and an empty " +
			"list is an answer: save it too",
		Source: "contracts.md 3.0, 3.6",
	},
	{
		Kind: SecurityDefaults, File: "identitySecurityDefaultsEnforcementPolicy.json", Service: Graph, Version: "v1.0",
		Path: "/policies/identitySecurityDefaultsEnforcementPolicy", One: true,
		Permissions: []string{"Policy.Read.All"}, Roles: securityReaders, Licence: Free, Source: "contracts.md 3.0, 3.5",
	},
	{
		Kind: NamedLocation, File: "namedLocations.json", Service: Graph, Version: "v1.0", Path: "/identity/conditionalAccess/namedLocations", Paged: true,
		Permissions: []string{"Policy.Read.All"}, Roles: securityReaders, Licence: Free, When: "a policy names a location", Source: "contracts.md 3.0, 3.6",
	},
	{
		Kind: AuthenticationStrength, File: "authenticationStrengthPolicies.json", Service: Graph, Version: "v1.0",
		Path:        "/policies/authenticationStrengthPolicies",
		Permissions: []string{"Policy.Read.AuthenticationMethod"}, Roles: securityReaders, Licence: Free, When: "a policy asks for a strength of your own",
		Source: "contracts.md 3.0, 3.6",
	},
	{
		Kind: AuthenticationMethods, File: "authenticationMethodsPolicy.json", Service: Graph, Version: "v1.0",
		Path: "/policies/authenticationMethodsPolicy", One: true,
		Permissions: []string{"Policy.Read.AuthenticationMethod"}, Roles: []string{"Global Reader", "Authentication Policy Administrator"}, Licence: Free,
		Source: "contracts.md 3.0, 3.8",
	},
}

// directoryRequests read who there is (contracts.md sections 3.3, 3.4, 3.9).
var directoryRequests = []Request{
	{
		Kind: Organization, File: "organization.json", Service: Graph, Version: "v1.0", Path: "/organization",
		Permissions: []string{"Organization.Read.All"}, Roles: directoryReaders, Licence: Free, Note: "names the tenant in the report",
		Source: "contracts.md 3.9",
	},
	{
		Kind: SubscribedSku, File: "subscribedSkus.json", Service: Graph, Version: "v1.0", Path: "/subscribedSkus",
		Permissions: []string{"LicenseAssignment.Read.All"}, Roles: directoryReaders, Licence: Free,
		Note: "says whether the tenant has Entra ID P1 or P2, and so which lists can exist", Source: "contracts.md 3.0, 3.9",
	},
	{
		Kind: User, File: "users.json", Service: Graph, Version: "v1.0", Path: "/users", Paged: true,
		Query:       "?$select=id,userPrincipalName,displayName,userType,accountEnabled,creationType,externalUserState,onPremisesSyncEnabled&$top=999",
		Permissions: []string{"User.Read.All"}, Roles: directoryReaders, Licence: Free,
		Portal: []string{adminCentre, "Users", "All users", "Download users"},
		Note: "without id an exclusion by id cannot be matched, without userType a guest cannot be told from a member. The portal's " +
			"download lacks what $select names here: take the request where you can",
		Source: "contracts.md 3.0, 3.3",
	},
	{
		Kind: RegistrationDetails, File: "userRegistrationDetails.json", Service: Graph, Version: "v1.0",
		Path: "/reports/authenticationMethods/userRegistrationDetails", Paged: true,
		Permissions: []string{"AuditLog.Read.All"}, Roles: reportReaders, Licence: P1,
		Without: "per-user MFA states say something of who registered; nothing else lists the methods of all accounts",
		Portal:  []string{adminCentre, "Entra ID", "Authentication methods", "User registration details", "Download"}, Source: "contracts.md 3.0, 3.3",
	},
	{
		Kind: RoleAssignment, File: "roleAssignments.json", Service: Graph, Version: "v1.0",
		Path: "/roleManagement/directory/roleAssignments", Query: "?$expand=principal", Paged: true,
		Permissions: []string{"RoleManagement.Read.Directory"}, Roles: directoryReaders, Licence: Free,
		When: "a policy names a role", Instead: []Kind{DirectoryRole, ScubaPrivilegedRole},
		Source: "contracts.md 3.0, 3.4",
	},
	{
		Kind: RoleEligibility, File: "roleEligibilityScheduleInstances.json", Service: Graph, Version: "v1.0",
		Path: "/roleManagement/directory/roleEligibilityScheduleInstances", Paged: true,
		Permissions: []string{"RoleEligibilitySchedule.Read.Directory"}, Roles: securityReaders, Licence: P2, When: "a policy names a role",
		Without: "nothing to do: without Entra ID P2 the request is refused and nobody can be eligible. Save subscribedSkus, which shows it",
		Nobody:  true, Source: "contracts.md 3.0, 3.4",
	},
	{
		Kind: RoleDefinition, File: "roleDefinitions.json", Service: Graph, Version: "v1.0", Path: "/roleManagement/directory/roleDefinitions",
		Permissions: []string{"RoleManagement.Read.Directory"}, Roles: directoryReaders, Licence: Free, Note: "says what a role of your own may do",
		Source: "contracts.md 3.0, 3.4",
	},
	{
		Kind: Group, File: "groups.json", Service: Graph, Version: "v1.0", Path: "/groups", Paged: true,
		Each: &Each{Of: "each group that a policy names or a role is given to, and each group in one of these",
			Path: "/groups/{id}/members", Into: "members"},
		Permissions: []string{"GroupMember.Read.All"}, Roles: directoryReaders, Licence: Free, When: "a policy names a group, or a group holds a role",
		Portal: []string{adminCentre, "Groups", "the group", "Members", "Bulk operations", "Download members"},
		Note: "never by $expand=members: it gives 20 members at most and says nothing of the rest. The portal's file holds one group's " +
			"members: name the file after the group's id",
		Source: "contracts.md 3.0, 3.4",
	},
	{
		Kind: GroupEligibility, File: "groupEligibility.json", Service: Graph, Version: "v1.0",
		Path: "/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances", Query: "?$filter=groupId eq '{id}'",
		Permissions: []string{"PrivilegedEligibilitySchedule.Read.AzureADGroup"}, Roles: securityReaders, Licence: P2,
		When:    "a policy leaves out a group whose membership can be activated",
		Without: "nothing to do: without Entra ID P2 nobody can be an eligible member",
		Nobody:  true, Note: "one request for each such group; what comes is one list",
		Source: "contracts-2026-11.md 7 (P17)",
	},
	{
		Kind: GroupAssignment, File: "groupAssignments.json", Service: Graph, Version: "v1.0",
		Path: "/identityGovernance/privilegedAccess/group/assignmentScheduleInstances", Query: "?$filter=groupId eq '{id}'",
		Permissions: []string{"PrivilegedAssignmentSchedule.Read.AzureADGroup"}, Roles: securityReaders, Licence: P2,
		When:    "a policy names a group, or a group holds a role",
		Without: "nothing to do: without Entra ID P2 no membership is activated",
		Nobody:  true, Note: "one request for each such group; what comes is one list",
		Source: "contracts-2026-11.md 7 (P17)",
	},
	{
		Kind: PerUserMFA, File: "perUserMfa.json", Service: Graph, Version: "beta",
		Path: "/users", Query: "?$select=id,userPrincipalName&$top=999", Paged: true,
		Each:        &Each{Of: "each account", Path: "/users/{id}/authentication/requirements", One: true},
		Permissions: []string{"User.Read.All", "Policy.Read.All"}, Roles: []string{"Authentication Administrator", "Global Reader"}, Licence: Free,
		Note: "where neither security defaults nor a policy asks for MFA, this may", Source: "contracts.md 3.3, contracts-2026-11.md 5",
	},
	{
		Kind: Application, File: "applications.json", Service: Graph, Version: "v1.0", Path: "/applications", Query: "?$top=999", Paged: true,
		Permissions: []string{"Application.Read.All"}, Roles: directoryReaders, Licence: Free, Note: "names apps in the report",
		Source: "contracts.md 3.0, 3.10",
	},
	{
		Kind: ServicePrincipal, File: "servicePrincipals.json", Service: Graph, Version: "v1.0",
		Path: "/servicePrincipals", Query: "?$top=999", Paged: true,
		Permissions: []string{"Application.Read.All"}, Roles: directoryReaders, Licence: Free,
		Note: "names apps in the report, and tells a role's holder that is an app from a person", Source: "contracts.md 3.0, 3.10",
	},
	{
		Kind: OAuth2PermissionGrant, File: "oauth2PermissionGrants.json", Service: Graph, Version: "v1.0", Path: "/oauth2PermissionGrants", Paged: true,
		Permissions: []string{"Directory.Read.All"}, Roles: directoryReaders, Licence: Free, Source: "contracts.md 3.0, 3.10",
	},
}

// logRequests read what happened (contracts.md section 3.1).
var logRequests = []Request{
	{
		Kind: SignIn, File: "signIns.json", Service: Graph, Version: "beta", Path: "/auditLogs/signIns", Paged: true,
		Permissions: []string{"AuditLog.Read.All"}, Roles: reportReaders, Licence: P1,
		Without: "search the unified audit log for UserLoggedIn: weak evidence, it says who signed in and not what MFA was asked for",
		Portal: []string{adminCentre, "Monitoring & health", "Sign-in logs", "a range of one month", "Download", "JSON, once for " +
			"interactive and once for non-interactive user sign-ins"},
		Note: "30 days, interactive and non-interactive apart; by day, because a wide range times out. v1.0 lacks every field that " +
			"proves MFA. Who reads it needs Policy.Read.All too, or the policies applied come out empty",
		Source: "contracts.md 3.0, 3.1",
	},
	{
		Kind: UnifiedAuditSignIn, File: "unifiedAuditSignIns.json", Service: ExchangeOnline,
		Path: "Search-UnifiedAuditLog -Operations UserLoggedIn", Paged: true,
		Roles: []string{"View-Only Audit Logs", "Audit Logs"}, Licence: Free,
		When:   "the tenant has no Entra ID P1, so that the sign-in log cannot be exported",
		Portal: []string{"Microsoft Purview portal", "Audit", "Search", "Activities - operation names: UserLoggedIn", "Export, Download all results"},
		Note:   "weak evidence: it never says that MFA was asked for", Source: "contracts-2026-11.md 3.1, 7 (P29); cmdlet parameters by general knowledge",
	},
}
