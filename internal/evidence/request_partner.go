package evidence

// partnerRequests read the partner's relationship with Microsoft and its
// customers (contracts.md sections 2.3, 2.4, 2.9, 3.11 to 3.13).
var partnerRequests = []Request{
	{
		Kind: SecurityScore, File: "securityScore.json", Service: Graph, Version: "beta", Path: "/security/partner/securityScore", One: true,
		Permissions: []string{"PartnerSecurity.Read.All"}, Roles: partnerReaders, Licence: Free, Not21Vianet: true, Source: "contracts.md 1.5, 3.12",
	},
	{
		Kind: SecurityRequirement, File: "securityRequirements.json", Service: Graph, Version: "beta",
		Path: "/security/partner/securityScore/requirements", Paged: true,
		Permissions: []string{"PartnerSecurity.Read.All"}, Roles: partnerReaders, Licence: Free, Not21Vianet: true, Source: "contracts.md 1.5, 3.12",
	},
	{
		Kind: SecurityAlert, File: "securityAlerts.json", Service: Graph, Version: "beta", Path: "/security/partner/securityAlerts", Paged: true,
		Permissions: []string{"PartnerSecurity.Read.All"}, Roles: partnerReaders, Licence: Free, Not21Vianet: true, Instead: []Kind{FraudEvent},
		Note: "with activityLogs, which say when an alert was answered", Source: "contracts.md 3.13, contracts-2026-11.md 4",
	},
	{
		Kind: FraudEvent, File: "fraudEvents.json", Service: PartnerCenter, Path: "/v1/fraudEvents",
		Roles: agents, Licence: Free, Note: "deprecated: only where Graph's securityAlerts cannot be read. Send the header X-NewEventsModel: true",
		Source: "contracts.md 2.9, contracts-2026-11.md 0",
	},
	{
		Kind: CustomerInsight, File: "customerInsights.json", Service: Graph, Version: "beta",
		Path: "/security/partner/securityScore/customerInsights", Paged: true,
		Permissions: []string{"PartnerSecurity.Read.All"}, Roles: partnerReaders, Licence: Free, Not21Vianet: true, Source: "contracts.md 3.12",
	},
	{
		Kind: Relationship, File: "delegatedAdminRelationships.json", Service: Graph, Version: "v1.0",
		Path: "/tenantRelationships/delegatedAdminRelationships", Paged: true,
		Permissions: []string{"DelegatedAdminRelationship.Read.All"}, Roles: agents, Licence: Free, Not21Vianet: true, Source: "contracts.md 3.0, 3.11",
	},
	{
		Kind: AccessAssignment, File: "delegatedAdminAccessAssignments.json", Service: Graph, Version: "v1.0",
		Path: "/tenantRelationships/delegatedAdminRelationships", Paged: true,
		Each:        &Each{Of: "each relationship", Path: "/tenantRelationships/delegatedAdminRelationships/{id}/accessAssignments"},
		Permissions: []string{"DelegatedAdminRelationship.Read.All"}, Roles: agents, Licence: Free, Not21Vianet: true, Source: "contracts.md 3.11",
	},
	{
		Kind: Customer, File: "customers.json", Service: PartnerCenter, Path: "/v1/customers", Query: "?size=500", Paged: true,
		Each:  &Each{Of: "each customer", Path: "/v1/customers/{id}", One: true},
		Roles: agents, Licence: Free, Note: "the list does not say allowDelegatedAccess, each customer does", Source: "contracts.md 2.2, 2.3",
	},
	{
		Kind: MFAAdoption, File: "applicationmfaadoptionstatus.json", Service: PartnerCenter, Path: "/v1/applicationmfaadoptionstatus",
		Roles: agents, Licence: Free, Source: "contracts.md 2.4",
	},
	{
		Kind: NonCompliantPrincipal, File: "nonMfaCompliantPartnerPrincipals.json", Service: PartnerCenter, Path: "/v1/nonMfaCompliantPartnerPrincipals",
		Roles: agents, Licence: Free, Note: "at most 10,000", Source: "contracts.md 2.4",
	},
	{
		Kind: PartnerRequest, File: "partnerRequests.json", Service: PartnerCenter, Path: "/v1/partnerRequests",
		Roles: agents, Licence: Free, Note: "the newest 10,000 of the last 7 days", Source: "contracts.md 2.4",
	},
	{
		Kind: CustomerUsage, File: "usageRecords.json", Service: PartnerCenter, Path: "/v1/customers/usagerecords", Query: "?size=500", Paged: true,
		Roles: agents, Licence: Free, Note: "only customers with Azure are in it; it is Microsoft's estimate of the month, made about once a day",
		Source: "contracts.md 7.2",
	},
}
