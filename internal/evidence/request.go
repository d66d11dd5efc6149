package evidence

// RequestFor is the one request that reads the whole list of a kind, with the
// permission it needs, in a form that can be pasted. It is "" for kinds that no
// request gives. (contracts.md sections 2 and 3)
func RequestFor(k Kind) string { return requests[k] }

var requests = map[Kind]string{
	SignIn:                  "GET /beta/auditLogs/signIns, every page (AuditLog.Read.All)",
	User:                    "GET /users?$select=id,userPrincipalName,displayName,userType,accountEnabled,creationType,externalUserState,onPremisesSyncEnabled&$top=999, every page (User.Read.All)",
	RegistrationDetails:     "GET /reports/authenticationMethods/userRegistrationDetails, every page (AuditLog.Read.All)",
	SecurityDefaults:        "GET /policies/identitySecurityDefaultsEnforcementPolicy (Policy.Read.All)",
	ConditionalAccessPolicy: "GET /beta/identity/conditionalAccess/policies, every page (Policy.Read.All)",
	NamedLocation:           "GET /identity/conditionalAccess/namedLocations, every page (Policy.Read.All)",
	AuthenticationStrength:  "GET /policies/authenticationStrengthPolicies (Policy.Read.All)",
	RoleAssignment:          "GET /roleManagement/directory/roleAssignments?$expand=principal, every page (RoleManagement.Read.Directory)",
	RoleEligibility:         "GET /roleManagement/directory/roleEligibilityScheduleInstances, every page (RoleEligibilitySchedule.Read.Directory)",
	RoleDefinition:          "GET /roleManagement/directory/roleDefinitions (RoleManagement.Read.Directory)",
	Group:                   "GET /groups, then GET /groups/{id}/members for each, every page (GroupMember.Read.All)",
	GroupEligibility:        "GET /identityGovernance/privilegedAccess/group/eligibilityScheduleInstances?$filter=groupId eq '{id}' (PrivilegedEligibilitySchedule.Read.AzureADGroup)",
	Relationship:            "GET /tenantRelationships/delegatedAdminRelationships, every page (DelegatedAdminRelationship.Read.All)",
	SubscribedSku:           "GET /subscribedSkus (LicenseAssignment.Read.All)",
	AuthenticationMethods:   "GET /policies/authenticationMethodsPolicy (Policy.Read.All)",
	SecurityAlert:           "GET /beta/security/partner/securityAlerts, every page (PartnerSecurity.Read.All)",
	FraudEvent:              "GET /beta/security/partner/securityAlerts, every page (PartnerSecurity.Read.All)",
	SecurityRequirement:     "GET /beta/security/partner/securityScore/requirements, every page (PartnerSecurity.Read.All)",
	CustomerInsight:         "GET /beta/security/partner/securityScore/customerInsights, every page (PartnerSecurity.Read.All)",
	Customer:                "GET /v1/customers, every page, then GET /v1/customers/{id} for each (Partner Center, App+User)",
	MFAAdoption:             "GET /v1/applicationmfaadoptionstatus (Partner Center, App+User)",
	NonCompliantPrincipal:   "GET /v1/nonMfaCompliantPartnerPrincipals (Partner Center, App+User)",
	PartnerRequest:          "GET /v1/partnerRequests (Partner Center, App+User)",
}
