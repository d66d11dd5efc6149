package intake

import "partnerguard/internal/evidence"

// emptyListOf begins what is said of a list without records.
const emptyListOf = "an empty list of "

// auditEntries is said of rows of the directory's audit log.
const auditEntries = "directory audit entries, not sign-ins: of them those of app passwords alone are looked at"

// Reasons for what is kept and judged by nothing yet.
const (
	riskStates    = "risky users: risk states, not sign-ins or users"
	risks         = "risk detections, not sign-ins"
	otherScore    = "Microsoft Secure Score, not the partner security score"
	contractNames = "contracts: names of customers only"
	customerNames = "names of customers only"
	operations    = "operations on a relationship, not the relationship"
	requests      = "requests on a relationship, not the relationship"
	centerAudit   = "Partner Center audit records, which nothing here judges yet"
	authorization = "what accounts may do by themselves, by which best practices alone are decided"
	consentAsking = "who is asked for consent to apps, by which best practices alone are decided"
	crossTenant   = "settings for other tenants, which nothing here judges yet"
	azureSubs     = "Azure subscriptions, which nothing here judges yet"
	azureRoles    = "Azure resource role assignments, not directory roles"
	azureEvents   = "Azure activity, not sign-ins"
	azureThings   = "resources of Azure, which nothing here judges"
	boughtThings  = "a customer's subscriptions, which nothing here judges yet"
	azureUses     = "Azure's usage details, by which no requirement is decided"
	azureBudgets  = "budgets of Azure's own, not Partner Center's spending budgets"
	appUses       = "sign-in activity totals per app, not sign-ins"
	rolePolicies  = "role settings, by which best practices alone are decided"
	auditConfigs  = "Exchange's settings of the audit log, by which best practices alone are decided"
	costAlerts    = "scheduled actions of Cost Management, by which best practices alone are decided"
	logAlerts     = "alerts on Azure's activity log, by which best practices alone are decided"
	azurePolicies = "assignments of Azure's policies, by which best practices alone are decided"
)

// unjudged are the kinds of what is known, kept, and judged by nothing yet: such
// a file is read, and says so.
var unjudged = map[string]evidence.Kind{
	riskStates: evidence.RiskyUser, risks: evidence.RiskDetection, otherScore: evidence.SecureScore,
	contractNames: evidence.Contract, customerNames: evidence.DelegatedCustomer, operations: evidence.RelationshipAction,
	requests: evidence.RelationshipRequest, centerAudit: evidence.PartnerAuditRecord, authorization: evidence.AuthorizationPolicy,
	consentAsking: evidence.AdminConsentPolicy, crossTenant: evidence.CrossTenantAccess, azureSubs: evidence.AzureSubscription,
	azureRoles: evidence.AzureRoleAssignment, azureEvents: evidence.AzureActivity, azureThings: evidence.AzureResource,
	boughtThings: evidence.CustomerSubscription, azureBudgets: evidence.AzureBudget, azureUses: evidence.AzureUsage,
	appUses: evidence.AppActivity, rolePolicies: evidence.RolePolicy, auditConfigs: evidence.AuditConfig, costAlerts: evidence.CostAlert,
	logAlerts: evidence.ActivityAlert, azurePolicies: evidence.AzurePolicy,
}
