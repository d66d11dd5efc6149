package evidence

import "time"

// eventType is the filter for one of the four lists behind the sign-in log; one
// type a query is the safest (contracts.md 3.1).
func eventType(t string) string { return "signInEventTypes/any(t: t eq '" + t + "')" }

// signIns is one of the four lists of the sign-in log.
func signIns(t, proves string) Resource {
	return Resource{
		Name: "signIns." + t, Way: Sliced, Scope: OfBoth, Every: time.Hour, Time: "createdDateTime", Filter: eventType(t),
		Back: 30 * day, FreeBack: 7 * day, Overlap: 2 * time.Hour, Slice: day, Bucket: BucketReports, Proves: proves,
		Fallback: []string{"directoryAudits", "applicationMfaAdoptionStatus", "nonMfaCompliantPartnerPrincipals", "userRegistrationDetails"},
	}
}

// readings say how the requests of a kind are read from a live tenant.
var readings = map[Kind][]Resource{
	ConditionalAccessPolicy: {{
		Name: "conditionalAccessPolicies", Scope: OfBoth, Every: time.Hour, Bucket: BucketPolicy,
		Proves:   "which policies ask for MFA, of whom, and what they leave out",
		Fallback: []string{"identitySecurityDefaultsEnforcementPolicy", "perUserMfa"},
	}},
	SecurityDefaults: {{
		Name: "identitySecurityDefaultsEnforcementPolicy", Scope: OfBoth, Every: time.Hour, Bucket: BucketDirectory,
		Proves: "whether security defaults ask for MFA",
	}},
	NamedLocation: {{Name: "namedLocations", Scope: OfBoth, Bucket: BucketPolicy, Proves: "which addresses a policy lets through"}},
	AuthenticationStrength: {{
		Name: "authenticationStrengthPolicies", Scope: OfBoth, Bucket: BucketDirectory, Proves: "which methods a strength of your own takes",
	}},
	AuthenticationMethods: {{
		Name: "authenticationMethodsPolicy", Scope: OfBoth, Bucket: BucketDirectory, Proves: "which methods accounts may register",
	}},
	Organization:  {{Name: "organization", Scope: OfBoth, Bucket: BucketDirectory, Proves: "whose tenant it is"}},
	SubscribedSku: {{Name: "subscribedSkus", Scope: OfBoth, Bucket: BucketDirectory, Proves: "which lists can exist in the tenant"}},
	User: {{
		Name: "users", Way: Delta, Scope: OfBoth, Every: 6 * time.Hour, Bucket: BucketDirectory, Proves: "who is there, and who is a guest or switched off",
		Delta: "/users/delta?$select=id,userPrincipalName,displayName,userType,accountEnabled,creationType,externalUserState,onPremisesSyncEnabled",
	}},
	RegistrationDetails: {{
		Name: "userRegistrationDetails", Scope: OfBoth, Bucket: BucketReports, Proves: "who can do MFA, and by which methods",
		Fallback: []string{"perUserMfa", "nonMfaCompliantPartnerPrincipals"},
	}},
	RoleAssignment: {{
		Name: "roleAssignments", Scope: OfBoth, Every: 6 * time.Hour, Bucket: BucketDirectory, Proves: "who holds which role now",
	}},
	RoleEligibility: {{
		Name: "roleEligibilityScheduleInstances", Scope: OfBoth, Bucket: BucketDirectory, Proves: "who may take which role",
		Fallback: []string{"roleAssignments"},
	}},
	RoleDefinition: {{Name: "roleDefinitions", Scope: OfBoth, Bucket: BucketDirectory, Proves: "what a role may do"}},
	Group: {{
		Name: "groups", Scope: OfBoth, Every: 6 * time.Hour, Bucket: BucketDirectory, Only: Named,
		Proves: "who is in a group that a policy names or a role is given to",
	}},
	GroupEligibility: {{Name: "groupEligibility", Scope: OfBoth, Bucket: BucketDirectory, Only: Named, Proves: "who may become a member of a group"}},
	GroupAssignment:  {{Name: "groupAssignments", Scope: OfBoth, Bucket: BucketDirectory, Only: Named, Proves: "whose membership of a group is active"}},
	PerUserMFA: {{
		Name: "perUserMfa", Scope: OfPartner, Every: 7 * day, Bucket: BucketDirectory, Proves: "of which accounts the older setting asks for MFA",
	}},
	Application: {{Name: "applications", Bucket: BucketDirectory, Scope: OfBoth, Proves: "which apps are registered, and until when their credentials last"}},
	ServicePrincipal: {{
		Name: "servicePrincipals", Bucket: BucketDirectory, Scope: OfBoth, Proves: "which apps are in the tenant, and which of them a role is given to",
	}},
	OAuth2PermissionGrant: {{
		Name: "oauth2PermissionGrants", Bucket: BucketDirectory, Scope: OfBoth, Proves: "which apps may act for which accounts",
	}},
	SignIn: {
		signIns("interactiveUser", "who signed in, and whether MFA was asked for and done"),
		signIns("nonInteractiveUser", "what ran in an account's name without it being there, and on which proof of MFA"),
		signIns("servicePrincipal", "which apps signed in by themselves, from where, and by which credential"),
		signIns("managedIdentity", "which of Azure's own identities signed in"),
	},
	SecurityScore: {{Name: "securityScore", Bucket: BucketSecurity, Proves: "how Microsoft counts the partner itself"}},
	CustomerUsage: {{Name: "usageRecords", Every: 6 * time.Hour, Bucket: BucketCenter,
		Proves: "what each customer's Azure costs this month, beside its spending budget"}},
	SecurityRequirement: {{Name: "securityRequirements", Bucket: BucketSecurity, Proves: "how Microsoft judges each of its own requirements"}},
	SecurityAlert: {{
		Name: "securityAlerts", Every: 15 * time.Minute, Bucket: BucketSecurity, Proves: "what Microsoft warned of, and when it was answered",
		Fallback: []string{"fraudEvents"},
	}},
	FraudEvent: {{Name: "fraudEvents", Every: time.Hour, Bucket: BucketCenter, Proves: "what Azure usage Microsoft holds for fraud"}},
	CustomerInsight: {{
		Name: "customerInsights", Bucket: BucketSecurity, Proves: "how many of each customer's accounts Microsoft counts with MFA",
	}},
	Relationship: {{
		Name: "delegatedAdminRelationships", Every: 6 * time.Hour, Bucket: BucketDirectory, Proves: "what the partner may do at which customer, and until when",
	}},
	AccessAssignment: {{
		Name: "delegatedAdminAccessAssignments", Bucket: BucketDirectory, Proves: "which groups of the partner use a relationship, with which roles",
	}},
	Customer:              {{Name: "customers", Bucket: BucketCenter, Proves: "who the customers are, and where the older delegated access is still open"}},
	MFAAdoption:           {{Name: "applicationMfaAdoptionStatus", Bucket: BucketCenter, Proves: "how many requests to Partner Center carried MFA, by app"}},
	NonCompliantPrincipal: {{Name: "nonMfaCompliantPartnerPrincipals", Bucket: BucketCenter, Proves: "whom Partner Center saw without MFA"}},
	PartnerRequest: {{
		Name: "partnerRequests", Every: day, Back: 7 * day, Bucket: BucketCenter, Proves: "which request to Partner Center came without MFA, and when",
	}},
}
