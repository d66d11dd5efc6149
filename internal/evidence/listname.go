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
}
