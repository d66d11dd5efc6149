package evidence

import "slices"

// handRequests read what best practices alone are decided by and nothing collects: a
// person makes them and keeps the answer beside the other exports (contracts-2026-11
// section 7).
var handRequests = []Request{
	{
		Kind: AppActivity, File: "servicePrincipalSignInActivities.json", Service: Graph, Version: "beta",
		Path: "/reports/servicePrincipalSignInActivities", Paged: true, Permissions: []string{"AuditLog.Read.All"}, Roles: reportReaders, Licence: P1,
		Without: "the sign-in logs of apps say it for 30 days", Source: "Microsoft Graph beta, servicePrincipalSignInActivity: list",
	},
	{
		Kind: RolePolicy, File: "roleManagementPolicyAssignments.json", Service: Graph, Version: "v1.0",
		Path: "/policies/roleManagementPolicyAssignments", Paged: true,
		Query:       "?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'&$expand=policy($expand=rules)",
		Permissions: []string{"RoleManagementPolicy.Read.Directory"}, Roles: securityReaders, Licence: P2,
		Without: "without Entra ID P2 nobody activates a role", Nobody: true, Source: "Microsoft Graph v1.0, unifiedRoleManagementPolicyAssignment: list",
	},
	{
		Kind: AuditConfig, File: "adminAuditLogConfig.json", Service: ExchangeOnline, Path: "Get-AdminAuditLogConfig | ConvertTo-Json", One: true,
		Roles: []string{"View-Only Audit Logs", "Audit Logs"}, Licence: Free, Note: "no Graph request shows it: once in each customer's tenant",
		Source: "contracts-2026-11.md 7 (P29)",
	},
	{
		Kind: CostAlert, File: "scheduledActions.json", Service: ARM, Version: "2023-11-01", Path: subscriptions, Query: subsQuery, Paged: true,
		Each: &Each{Of: "each subscription", ID: "subscriptionId",
			Path: "/subscriptions/{id}/providers/Microsoft.CostManagement/scheduledActions", Query: "?api-version=2023-11-01"},
		Roles: []string{"Cost Management Reader"}, Licence: Free, Source: "REST API reference, Scheduled Actions - List By Scope",
	},
	{
		Kind: ActivityAlert, File: "activityLogAlerts.json", Service: ARM, Version: "2020-10-01", Path: subscriptions, Query: subsQuery, Paged: true,
		Each: &Each{Of: "each subscription", ID: "subscriptionId",
			Path: "/subscriptions/{id}/providers/Microsoft.Insights/activityLogAlerts", Query: "?api-version=2020-10-01"},
		Roles: azureReaders, Licence: Free, Source: "REST API reference, Activity Log Alerts - List By Subscription Id",
	},
	{
		Kind: AzurePolicy, File: "policyAssignments.json", Service: ARM, Version: "2022-06-01", Path: subscriptions, Query: subsQuery, Paged: true,
		Each: &Each{Of: "each subscription", ID: "subscriptionId",
			Path: "/subscriptions/{id}/providers/Microsoft.Authorization/policyAssignments", Query: "?api-version=2022-06-01"},
		Roles: azureReaders, Licence: Free, Source: "REST API reference, Policy Assignments - List",
	},
}

// ByHand are the requests of what best practices are decided by and nothing collects. The
// caller may change what it gets, but not what the pointers lead to.
func ByHand() []Request { return slices.Clone(handRequests) }

// ReadingOf is the one request that reads the whole list of a kind, on one line, be it one
// of those that are exported, that are collected alone, or that a person makes for best
// practices. "" where no request gives it.
func ReadingOf(k Kind) string {
	if r := RequestFor(k); r != "" {
		return r
	}
	for _, r := range handRequests {
		if r.Kind == k {
			return r.String()
		}
	}
	for i := range collected {
		if collected[i].Kind == k {
			return collected[i].Request.String()
		}
	}
	return ""
}
