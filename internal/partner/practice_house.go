package partner

import "partnerguard/internal/evidence"

// contactPractices are of the contact and of Microsoft's score.
func contactPractices() []Practice {
	return []Practice{
		{
			Rule: Rule{
				ID: "P01", Title: "Security contact", Unit: "contacts", MaxAge: countedAge,
				Text:  "Security contact for issues is named in Partner Center; one accountable person, watched.",
				Needs: kindsOf(evidence.SecurityRequirement),
				Helps: kindsOf(evidence.SecurityScore),
			},
			Area: "security contact", Mode: ByData,
			Decides:   "securityContactProvided requirement; contact record",
			Interface: "Graph beta security/partner/securityScore/requirements (securityContactProvided)",
			Rules:     []string{"security-contact"},
		},
		{
			Rule: Rule{
				ID: "P02", Title: "Fraud alerts answered within 24 hours", Unit: "alerts", MaxAge: averageAge,
				Text:  "Partner answers Azure fraud alerts within 24 h on average.",
				Needs: kindsOf(evidence.SecurityAlert),
				Helps: kindsOf(evidence.SecurityRequirement, evidence.FraudEvent),
			},
			Area: "security contact", Mode: ByData,
			Decides:   "responseTime requirement; own alert clock",
			Interface: "Graph beta securityScore/requirements (securityAlertsPromptlyResolved), securityAlerts",
			Rules:     []string{"security-alerts-answered"},
		},
		{
			Rule: Rule{
				ID: "P03", Title: "Identity secure score watched", Unit: "tenants", MaxAge: averageAge,
				Text:  "Identity secure score is reviewed regularly (partner tenant, and customers).",
				Needs: kindsOf(evidence.SecureScore),
			},
			Area: "identity secure score", Mode: ByData,
			Decides:   "score history with dates",
			Interface: "Graph v1.0 /security/secureScores (SecurityEvents.Read.All)",
		},
	}
}

// identityPractices are of MFA and of what it guards. It is long because it is a table.
func identityPractices() []Practice {
	return []Practice{
		{
			Rule: Rule{
				ID: "P04", Title: "MFA for every account of the partner", Unit: "accounts",
				Text:  "Every user account of the partner tenant is registered for and required to use MFA.",
				Needs: kindsOf(evidence.ConditionalAccessPolicy, evidence.SecurityDefaults, evidence.User, evidence.RegistrationDetails),
				May: kindsOf(evidence.Group, evidence.NamedLocation, evidence.AuthenticationStrength, evidence.GroupEligibility,
					evidence.RoleAssignment, evidence.RoleEligibility),
				Helps: kindsOf(evidence.SignIn, evidence.PerUserMFA),
			},
			Area: "identity", Mode: ByData,
			Decides:   "user register, CA/security-defaults proof, sign-in evidence",
			Interface: "userRegistrationDetails; conditionalAccess/policies; signIns",
			Rules:     []string{"mfa-every-user"},
		},
		{
			Rule: Rule{
				ID: "P05", Title: "MFA for every account of each customer", Unit: "customers", MaxAge: countedAge,
				Text: "Every user of every customer tenant is registered for and required to use MFA (security defaults, or CA with " +
					"P1, plus risk policies with P2).",
				Needs: kindsOf(evidence.Customer, evidence.CustomerInsight),
				Helps: kindsOf(evidence.Relationship, evidence.DelegatedCustomer, evidence.SecurityRequirement),
			},
			Area: "identity", Mode: ByData,
			Decides:   "the same per customer",
			Interface: "the same under GDAP; identitySecurityDefaultsEnforcementPolicy",
		},
		{
			Rule: Rule{
				ID: "P06", Title: "No reach into a customer without MFA", Unit: "customers", MaxAge: customersAge,
				Text:  "Customer without MFA gets no admin role and no write to Azure from the partner.",
				Needs: kindsOf(evidence.Customer, evidence.CustomerInsight, evidence.Relationship),
				Helps: kindsOf(evidence.AzureRoleAssignment, evidence.AccessAssignment),
			},
			Area: "identity", Mode: ByData,
			Decides:   "customer MFA state against the partner assignments",
			Interface: "accessAssignments; ARM roleAssignments",
		},
		{
			Rule: Rule{
				ID: "P07", Title: "Phishing-resistant methods for administrators", Unit: "accounts",
				Text: "Phishing-resistant methods for administrators (passkey, FIDO2, WHfB, certificate).",
				Needs: kindsOf(evidence.ConditionalAccessPolicy, evidence.SecurityDefaults, evidence.User, evidence.RoleAssignment,
					evidence.RegistrationDetails),
				May:   kindsOf(evidence.RoleEligibility, evidence.AuthenticationStrength, evidence.Group),
				Helps: kindsOf(evidence.RoleDefinition),
			},
			Area: "identity", Mode: ByData,
			Decides:   "registered methods; CA with authentication strength",
			Interface: "userRegistrationDetails; authenticationStrength policies",
		},
		{
			Rule: Rule{
				ID: "P08", Title: "Risky users acted on", Unit: "accounts", MaxAge: averageAge,
				Text:  "Risky users and risk detections are read and acted on (P2).",
				Needs: kindsOf(evidence.RiskyUser),
				Helps: kindsOf(evidence.SubscribedSku, evidence.RiskDetection),
			},
			Area: "identity", Mode: ByData,
			Decides:   "riskyUsers with state and age",
			Interface: "identityProtection/riskyUsers",
		},
		{
			Rule: Rule{
				ID: "P09", Title: "Legacy authentication blocked", Unit: "accounts",
				Text:  "Legacy authentication blocked.",
				Needs: kindsOf(evidence.ConditionalAccessPolicy, evidence.SecurityDefaults, evidence.User),
				May: kindsOf(evidence.Group, evidence.NamedLocation, evidence.AuthenticationStrength, evidence.GroupEligibility,
					evidence.RoleAssignment, evidence.RoleEligibility),
				Helps: kindsOf(evidence.SignIn),
			},
			Area: "identity", Mode: ByData,
			Decides:   "CA policy; sign-ins by legacy clients",
			Interface: "policies; signIns clientAppUsed",
			Rules:     []string{"legacy-authentication"},
		},
	}
}

// appPractices are of apps.
func appPractices() []Practice {
	return []Practice{
		{
			Rule: Rule{
				ID: "P10", Title: "Secure Application Model everywhere", Unit: "apps", MaxAge: logAge,
				Text:  "Secure Application Model used by every integration (no stored user password).",
				Needs: kindsOf(evidence.MFAAdoption, evidence.SignIn),
				Helps: kindsOf(evidence.PartnerRequest, evidence.User),
			},
			Area: "application access", Mode: ByData,
			Decides:   "connector register; ROPC sign-ins",
			Interface: "signIns (ropc), vault connectors",
			Rules:     []string{"secure-application-model", "automation-without-user-credentials"},
		},
		{
			Rule: Rule{
				ID: "P11", Title: "Consent to apps restricted", Unit: "settings",
				Text:  "User consent is off or restricted, or the admin consent workflow is on.",
				Needs: kindsOf(evidence.AuthorizationPolicy),
				Helps: kindsOf(evidence.AdminConsentPolicy),
			},
			Area: "application access", Mode: ByData,
			Decides:   "authorizationPolicy; adminConsentRequestPolicy",
			Interface: "policies/authorizationPolicy; policies/adminConsentRequestPolicy",
		},
		{
			Rule: Rule{
				ID: "P12", Title: "Apps and credentials reviewed", Unit: "apps",
				Text:  "Enterprise apps, their grants and credentials reviewed; unused ones removed.",
				Needs: kindsOf(evidence.Application, evidence.ServicePrincipal, evidence.AppActivity),
				Helps: kindsOf(evidence.OAuth2PermissionGrant, evidence.AppRoleAssignment),
			},
			Area: "application access", Mode: ByData,
			Decides:   "app register with age and last use",
			Interface: "servicePrincipals; oauth2PermissionGrants; appRoleAssignments; beta servicePrincipalSignInActivities",
		},
	}
}

// leastPractices are of who holds what. It is long because it is a table.
func leastPractices() []Practice {
	return []Practice{
		{
			Rule: Rule{
				ID: "P13", Title: "Separate accounts for administrators", Unit: "accounts",
				Text:  "Administrators have a separate account; it is cloud-only and has no mailbox.",
				Needs: kindsOf(evidence.User, evidence.RoleAssignment),
				May:   kindsOf(evidence.RoleEligibility, evidence.Group),
				Helps: kindsOf(evidence.RoleDefinition, evidence.SubscribedSku),
			},
			Area: "least privilege", Mode: ByData,
			Decides:   "role holders with licence service plan EXCHANGE or onPremisesSyncEnabled",
			Interface: "roleAssignments; users(assignedPlans,onPremisesSyncEnabled)",
		},
		{
			Rule: Rule{
				ID: "P14", Title: "Membership of the agents' groups reviewed", Unit: "accounts",
				Text:  "AdminAgents (and Helpdesk, Sales agents) membership reviewed.",
				Needs: kindsOf(evidence.Group, evidence.User),
				Helps: kindsOf(evidence.SignIn),
			},
			Area: "least privilege", Mode: ByBoth,
			Decides:   "membership with last sign-in; dated attestation",
			Interface: "groups/{AdminAgents}/members",
		},
		{
			Rule: Rule{
				ID: "P15", Title: "Few Global Administrators", Unit: "accounts",
				Text:  "High-privilege Entra roles reviewed; few Global Administrators (2 to 4).",
				Needs: kindsOf(evidence.RoleAssignment, evidence.RoleEligibility, evidence.User),
				May:   kindsOf(evidence.Group, evidence.GroupEligibility),
				Helps: kindsOf(evidence.RoleDefinition, evidence.ServicePrincipal),
			},
			Area: "least privilege", Mode: ByData,
			Decides:   "role holders count and age",
			Interface: "roleAssignments, roleEligibilitySchedules",
		},
		{
			Rule: Rule{
				ID: "P16", Title: "Leavers lose access at once", Unit: "accounts",
				Text:  "Leavers lose access at once.",
				Needs: kindsOf(evidence.User, evidence.Group, evidence.RoleAssignment),
				May:   kindsOf(evidence.RoleEligibility),
				Helps: kindsOf(evidence.SignIn),
			},
			Area: "least privilege", Mode: ByData,
			Decides:   "disabled or deleted people still in role groups; accounts idle",
			Interface: "users(accountEnabled,signInActivity); group members",
		},
		{
			Rule: Rule{
				ID: "P17", Title: "Roles activated when needed, with approval", Unit: "accounts",
				Text:  "Just-in-time activation with approval (PIM, two people) for partner roles and for the groups mapped to GDAP (P2).",
				Needs: kindsOf(evidence.RoleAssignment, evidence.RoleEligibility, evidence.RolePolicy),
				May:   kindsOf(evidence.Group, evidence.GroupEligibility, evidence.GroupAssignment),
				Helps: kindsOf(evidence.RoleDefinition, evidence.AccessAssignment),
			},
			Area: "least privilege", Mode: ByData,
			Decides:   "eligible against active; approval rule",
			Interface: "roleEligibilitySchedules; policies/roleManagementPolicies; identityGovernance/privilegedAccess/group",
			Rules:     []string{"privileged-identity-management"},
		},
	}
}
