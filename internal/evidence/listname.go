package evidence

import "fmt"

// ListName is the list of a kind as a sentence names it.
func ListName(k Kind) string {
	if w := listNames[k]; w != "" {
		return w
	}
	return "the list of kind " + string(k)
}

// Sentence says of a list that it is not whole, and why.
func (c Cut) Sentence(more int) string {
	s := c.clause(ListName(c.Kind))
	if at := c.Source.String(); at != "" {
		s += " (" + at + ")"
	}
	if more > 0 {
		s += fmt.Sprintf(", and %d more of the kind", more)
	}
	return s
}

var listNames = map[Kind]string{
	SignIn: "the sign-in log", User: "the list of users", ConditionalAccessPolicy: "the list of Conditional Access policies",
	RoleAssignment: "the list of role assignments", RoleEligibility: "the list of eligible role assignments",
	RoleDefinition: "the list of role definitions", AuthenticationMethods: "the authentication methods policy",
	SubscribedSku: "the list of licences", Relationship: "the list of delegated admin relationships",
	Customer: "the list of customers", SecurityAlert: "the list of security alerts", FraudEvent: "the list of fraud events",
	MFAAdoption: "Partner Center's count of API requests", NonCompliantPrincipal: "Partner Center's record of accounts without MFA",
	CustomerUsage:  "Partner Center's list of customers' Azure usage",
	PartnerRequest: "Partner Center's record of API requests", SecurityRequirement: "the list of Microsoft's security requirements",
	CustomerInsight: "Microsoft's list of customers",
	Group:           "the list of groups", GroupEligibility: "the list of who may activate membership of a group", NamedLocation: "the list of named locations",
	RegistrationDetails: "the list of registered methods", DirectoryRole: "the list of activated roles", ServicePrincipal: "the list of service principals",
	Vouched: "the file of attestations", UnifiedAuditSignIn: "the unified audit log", AuthenticationStrength: "the list of authentication strengths",
	AccessAssignment: "the list of access assignments", SecurityDefaults: "the setting of security defaults",
	AuthorizationPolicy: "the authorization policy", AdminConsentPolicy: "the policy of requests for consent", RiskyUser: "the list of risky users",
	SecureScore: "the history of the secure score", AppActivity: "the list of when apps were last used", RolePolicy: "the list of role settings",
	AuditConfig: "Exchange's settings of the audit log", CostAlert: "the list of Cost Management's scheduled actions",
	ActivityAlert: "the list of alerts on Azure's activity log", AzurePolicy: "the list of assignments of Azure's policies",
	AzureRoleAssignment: "the list of Azure role assignments", AzureSubscription: "the list of Azure subscriptions",
	Application: "the list of app registrations", OAuth2PermissionGrant: "the list of delegated consents", AppRoleAssignment: "the list of apps' permissions",
	DirectoryAudit: "the directory's audit log", DelegatedCustomer: "Graph's list of customers",
}
