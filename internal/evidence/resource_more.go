package evidence

import "time"

// Roles that read what no export needs.
var (
	riskReaders  = []string{"Security Reader", "Global Reader"}
	azureReaders = []string{"Reader"} // of Azure, on the subscription
)

const (
	relationships = "/tenantRelationships/delegatedAdminRelationships"
	subscriptions = "/subscriptions"
	subsQuery     = "?api-version=2022-12-01"
)

// collected are resources that nobody exports by hand: what features read from
// live tenants beyond what the rules need.
var collected = []Resource{
	{
		Request: Request{
			Kind: DirectoryAudit, File: "directoryAudits.json", Service: Graph, Version: "v1.0", Path: "/auditLogs/directoryAudits", Query: "?$top=999",
			Paged: true, Permissions: []string{"AuditLog.Read.All"}, Roles: reportReaders, Licence: Free,
			Note: "a technician of a partner is user_ and the object id in it", Source: "contracts.md 3.0, 3.10",
		},
		Name: "directoryAudits", Way: Sliced, Scope: OfBoth, Every: time.Hour, Time: "activityDateTime", Back: 30 * day, FreeBack: 7 * day,
		Overlap: time.Hour, Slice: day, Bucket: BucketReports,
		Proves: "who changed a policy, an account, a role or an app, and what a partner's technician did in a customer",
	},
	{
		Request: Request{
			Kind: RoleAssignment, File: "roleAssignmentScheduleInstances.json", Service: Graph, Version: "v1.0",
			Path: "/roleManagement/directory/roleAssignmentScheduleInstances", Paged: true,
			Permissions: []string{"RoleAssignmentSchedule.Read.Directory"}, Roles: securityReaders, Licence: P2,
			Without: "without Entra ID P2 nobody activates a role: roleAssignments says all", Nobody: true, Source: "contracts.md 3.0, 3.4",
		},
		Name: "roleAssignmentScheduleInstances", Scope: OfBoth, Every: 6 * time.Hour, Bucket: BucketDirectory,
		Proves: "which role is held for good, and which was activated and until when", Fallback: []string{"roleAssignments"},
	},
	{
		Request: Request{
			Kind: AuthorizationPolicy, File: "authorizationPolicy.json", Service: Graph, Version: "v1.0", Path: "/policies/authorizationPolicy", One: true,
			Permissions: []string{"Policy.Read.All"}, Roles: securityReaders, Licence: Free, Source: "Microsoft Graph v1.0, authorizationPolicy: get",
		},
		Name: "authorizationPolicy", Scope: OfBoth, Bucket: BucketDirectory, Proves: "what accounts and guests may do by themselves, such as consent to apps",
	},
	{
		Request: Request{
			Kind: AdminConsentPolicy, File: "adminConsentRequestPolicy.json", Service: Graph, Version: "v1.0", Path: "/policies/adminConsentRequestPolicy",
			One: true, Permissions: []string{"Policy.Read.All"}, Roles: securityReaders, Licence: Free,
			Source: "Microsoft Graph v1.0, adminConsentRequestPolicy: get",
		},
		Name: "adminConsentRequestPolicy", Scope: OfBoth, Bucket: BucketDirectory, Proves: "who is asked when an account wants an app",
	},
	{
		Request: Request{
			Kind: CrossTenantAccess, File: "crossTenantAccessPolicyDefault.json", Service: Graph, Version: "v1.0",
			Path: "/policies/crossTenantAccessPolicy/default", One: true, Permissions: []string{"Policy.Read.All"}, Roles: securityReaders, Licence: Free,
			Source: "Microsoft Graph v1.0, crossTenantAccessPolicyConfigurationDefault: get",
		},
		Name: "crossTenantAccessPolicy", Scope: OfBoth, Bucket: BucketDirectory, Proves: "whether MFA done in another tenant is taken for done",
	},
	{
		Request: Request{
			Kind: RiskyUser, File: "riskyUsers.json", Service: Graph, Version: "v1.0", Path: "/identityProtection/riskyUsers", Paged: true,
			Permissions: []string{"IdentityRiskyUser.Read.All"}, Roles: riskReaders, Licence: P2,
			Without: "riskState of the sign-ins says something of it", Source: "contracts.md 3.0, 3.10",
		},
		Name: "riskyUsers", Scope: OfBoth, Every: time.Hour, Bucket: BucketPolicy, Proves: "which accounts Microsoft holds for compromised",
		Fallback: []string{"signIns.interactiveUser"},
	},
	{
		Request: Request{
			Kind: RiskDetection, File: "riskDetections.json", Service: Graph, Version: "v1.0", Path: "/identityProtection/riskDetections", Paged: true,
			Permissions: []string{"IdentityRiskEvent.Read.All"}, Roles: riskReaders, Licence: P2,
			Without: "riskEventTypes_v2 of the sign-ins says something of it", Source: "Microsoft Graph v1.0, riskDetection: list",
		},
		Name: "riskDetections", Way: Sliced, Scope: OfBoth, Every: time.Hour, Time: "detectedDateTime", Back: 90 * day, Overlap: 2 * time.Hour,
		Slice: 7 * day, Bucket: BucketPolicy, Proves: "why, and when, Microsoft held a sign-in or an account for risky",
		Fallback: []string{"signIns.interactiveUser"},
	},
	{
		Request: Request{
			Kind: SecureScore, File: "secureScores.json", Service: Graph, Version: "v1.0", Path: "/security/secureScores", Paged: true,
			Permissions: []string{"SecurityEvents.Read.All"}, Roles: securityReaders, Licence: Free, Source: "Microsoft Graph v1.0, secureScore: list",
		},
		Name: "secureScores", Scope: OfBoth, Back: 90 * day, Bucket: BucketSecurity, Proves: "how Microsoft scores the tenant's settings, day by day",
	},
	{
		Request: Request{
			Kind: Contract, File: "contracts.json", Service: Graph, Version: "v1.0", Path: "/contracts", Paged: true,
			Permissions: []string{"Directory.Read.All"}, Roles: directoryReaders, Licence: Free, Source: "contracts.md 3.0, 3.10",
		},
		Name: "contracts", Bucket: BucketDirectory, Proves: "which tenants the directory holds for customers", Fallback: []string{"customers"},
	},
	{
		Request: Request{
			Kind: DelegatedCustomer, File: "delegatedAdminCustomers.json", Service: Graph, Version: "v1.0",
			Path: "/tenantRelationships/delegatedAdminCustomers", Paged: true,
			Permissions: []string{"DelegatedAdminRelationship.Read.All"}, Roles: agents, Licence: Free, Not21Vianet: true,
			Source: "contracts.md 3.11",
		},
		Name: "delegatedAdminCustomers", Bucket: BucketDirectory, Proves: "which customers have a relationship that is active",
	},
	{
		Request: Request{
			Kind: RelationshipRequest, File: "delegatedAdminRelationshipRequests.json", Service: Graph, Version: "v1.0", Path: relationships, Paged: true,
			Each:        &Each{Of: "each relationship", Path: relationships + "/{id}/requests"},
			Permissions: []string{"DelegatedAdminRelationship.Read.All"}, Roles: agents, Licence: Free, Not21Vianet: true, Source: "contracts.md 3.11",
		},
		Name: "delegatedAdminRelationshipRequests", Bucket: BucketDirectory, Proves: "who asked to approve or end a relationship, and when",
	},
	{
		Request: Request{
			Kind: RelationshipAction, File: "delegatedAdminRelationshipOperations.json", Service: Graph, Version: "v1.0", Path: relationships, Paged: true,
			Each:        &Each{Of: "each relationship", Path: relationships + "/{id}/operations"},
			Permissions: []string{"DelegatedAdminRelationship.Read.All"}, Roles: agents, Licence: Free, Not21Vianet: true, Source: "contracts.md 3.11",
		},
		Name: "delegatedAdminRelationshipOperations", Bucket: BucketDirectory, Proves: "what was changed about a relationship, and whether that worked",
	},
	{
		Request: Request{
			Kind: PartnerAuditRecord, File: "auditRecords.json", Service: PartnerCenter, Path: "/v1/auditrecords", Query: "?size=500", Paged: true,
			Roles: agents, Licence: Free, Source: "contracts.md 2.6",
		},
		Name: "auditRecords", Way: Sliced, Every: time.Hour, Time: "startDate endDate", Back: 89 * day, Overlap: day, Slice: 7 * day, Bucket: BucketCenter,
		Proves: "who of the partner ordered, consented, gave access or ended it, at which customer",
	},
	{
		Request: Request{
			Kind: CustomerSubscription, File: "customerSubscriptions.json", Service: PartnerCenter, Path: "/v1/customers", Query: "?size=500", Paged: true,
			Each:  &Each{Of: "each customer", Path: "/v1/customers/{id}/subscriptions"},
			Roles: agents, Licence: Free, Source: "contracts.md 7.1",
		},
		Name: "customerSubscriptions", Bucket: BucketCenter, Proves: "what each customer has bought, and whether it is active or suspended",
	},
	{
		Request: Request{
			Kind: AzureSubscription, File: "azureSubscriptions.json", Service: ARM, Version: "2022-12-01", Path: subscriptions, Query: subsQuery, Paged: true,
			Roles: azureReaders, Licence: Free, Source: "contracts.md 7.3",
		},
		Name: "azureSubscriptions", Scope: OfBoth, Bucket: BucketARM, Proves: "which subscriptions of Azure can be seen, and in which state they are",
	},
	{
		Request: Request{
			Kind: AzureRoleAssignment, File: "azureRoleAssignments.json", Service: ARM, Version: "2022-04-01", Path: subscriptions, Query: subsQuery,
			Paged: true,
			Each: &Each{Of: "each subscription", ID: "subscriptionId",
				Path: "/subscriptions/{id}/providers/Microsoft.Authorization/roleAssignments", Query: "?api-version=2022-04-01"},
			Roles: azureReaders, Licence: Free, Source: "contracts.md 7.3; REST API reference, Role Assignments - List For Subscription",
		},
		Name: "azureRoleAssignments", Scope: OfBoth, Bucket: BucketARM,
		Proves: "who holds which right on a subscription, and where the partner's group is among them",
	},
	azureList("azureResources", "/resources", "2021-04-01", "&$expand=createdTime,provisioningState",
		"what there is in a subscription, where, and since when", "Resources - List"),
	azureList("azureMachines", "/providers/Microsoft.Compute/virtualMachines", "2024-07-01", "",
		"which virtual machines there are, of which size and where", "Virtual Machines - List All"),
	azureList("azureScaleSets", "/providers/Microsoft.Compute/virtualMachineScaleSets", "2024-07-01", "",
		"which scale sets there are, of which size and where", "Virtual Machine Scale Sets - List All"),
	{
		Request: Request{
			Kind: AzureBudget, File: "azureBudgets.json", Service: ARM, Version: "2024-08-01", Path: subscriptions, Query: subsQuery, Paged: true,
			Each: &Each{Of: "each subscription", ID: "subscriptionId",
				Path: "/subscriptions/{id}/providers/Microsoft.Consumption/budgets", Query: "?api-version=2024-08-01"},
			Roles: azureReaders, Licence: Free, Source: "contracts.md 7.3; REST API reference, Budgets - List",
		},
		Name: "azureBudgets", Scope: OfBoth, Bucket: BucketARM, Proves: "which budgets of Azure's own a subscription has, whom they tell and at what share",
	},
	{
		Request: Request{
			Kind: AzureActivity, File: "azureActivity.json", Service: ARM, Version: "2015-04-01", Path: subscriptions, Query: subsQuery, Paged: true,
			Each: &Each{Of: "each subscription", ID: "subscriptionId",
				Path: "/subscriptions/{id}/providers/Microsoft.Insights/eventtypes/management/values", Query: "?api-version=2015-04-01"},
			Roles: azureReaders, Licence: Free, Source: "contracts.md 7.3",
		},
		Name: "azureActivity", Way: Sliced, Scope: OfBoth, Every: time.Hour, Time: "eventTimestamp", Back: 89 * day, Overlap: time.Hour, Slice: 7 * day,
		Bucket: BucketARM, Proves: "who made, changed or deleted what in a subscription",
	},
	{
		Request: Request{
			Kind: AzureUsage, File: "azureUsage.json", Service: ARM, Version: "2021-10-01", Path: subscriptions, Query: subsQuery, Paged: true,
			Each: &Each{Of: "each subscription", ID: "subscriptionId",
				Path:  "/subscriptions/{id}/providers/Microsoft.Consumption/usageDetails",
				Query: "?api-version=2021-10-01&metric=ActualCost&$expand=properties/additionalInfo"},
			Roles: azureReaders, Licence: Free,
			Note:   "of the 13 months that Microsoft keeps 90 days; a customer's own people see costs only where the partner lets them",
			Source: "REST API reference, Usage Details - List (2021-10-01); contracts.md 7.3",
		},
		Name: "azureUsage", Way: Sliced, Scope: OfCustomer, Every: 6 * time.Hour, Time: "properties/usageStart", Back: 90 * day, Overlap: 4 * day,
		Slice: 31 * day, Bucket: BucketARM, Proves: "what each thing in a subscription used and cost each day: an unusual use of Azure shows in it",
	},
}

// azureList is a list of what is in each subscription of a tenant.
func azureList(name, path, version, more, proves, source string) Resource {
	return Resource{
		Request: Request{
			Kind: AzureResource, File: name + ".json", Service: ARM, Version: version, Path: subscriptions, Query: subsQuery, Paged: true,
			Each:  &Each{Of: "each subscription", ID: "subscriptionId", Path: subscriptions + "/{id}" + path, Query: "?api-version=" + version + more},
			Roles: azureReaders, Licence: Free, Source: "contracts.md 7.3; REST API reference, " + source,
		},
		Name: name, Scope: OfBoth, Bucket: BucketARM, Proves: proves,
	}
}
