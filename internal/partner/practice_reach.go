package partner

import "partnerguard/internal/evidence"

// reachPractices are of what reaches customers.
func reachPractices() []Practice {
	return []Practice{
		{
			Rule: Rule{
				ID: "P18", Title: "No DAP that is unused or replaced", Unit: "customers", MaxAge: customersAge,
				Text:  "Inactive DAP removed; no DAP where GDAP serves.",
				Needs: kindsOf(evidence.Customer),
				Helps: kindsOf(evidence.Relationship),
			},
			Area: "customer access", Mode: ByData,
			Decides:   "DAP flag, last use",
			Interface: "Partner Center customers relationshipToPartner, AllowDelegatedAccess; DAP monitoring report (portal)",
			Rules:     []string{"no-dap", "inactive-dap"},
		},
		{
			Rule: Rule{
				ID: "P19", Title: "GDAP with the least roles", Unit: "relationships", MaxAge: customersAge, Clouds: []Cloud{Public, USGov},
				Text:  "GDAP roles are the least that the work needs; no Global Administrator.",
				Needs: kindsOf(evidence.Relationship),
				Helps: kindsOf(evidence.AccessAssignment),
			},
			Area: "customer access", Mode: ByData,
			Decides:   "roles against observed use",
			Interface: "delegatedAdminRelationships; customer directoryAudits of Technician actors",
			Rules:     []string{"gdap-least-privilege"},
		},
		{
			Rule: Rule{
				ID: "P20", Title: "GDAP relationships reviewed", Unit: "relationships", MaxAge: customersAge, Clouds: []Cloud{Public, USGov},
				Text:  "GDAP relationships and group assignments reviewed regularly.",
				Needs: kindsOf(evidence.Relationship, evidence.AccessAssignment),
				Helps: kindsOf(evidence.Group),
			},
			Area: "customer access", Mode: ByBoth,
			Decides:   "dated review",
			Interface: "accessAssignments",
		},
		{
			Rule: Rule{
				ID: "P21", Title: "No standing Owner in customers' Azure", Unit: "assignments", MaxAge: customersAge,
				Text:  "Azure: no standing Owner by AdminAgents where not needed; foreign-principal assignments known.",
				Needs: kindsOf(evidence.AzureRoleAssignment),
				Helps: kindsOf(evidence.AzureSubscription, evidence.Group),
			},
			Area: "customer access", Mode: ByData,
			Decides:   "roleAssignments with principalType ForeignGroup",
			Interface: "ARM roleAssignments",
		},
	}
}

// apartPractices keep apart, and are of devices. It is long because it is a table.
func apartPractices() []Practice {
	return []Practice{
		{
			Rule: Rule{
				ID: "P22", Title: "Partner tenant apart from the mail tenant", Unit: "tenants", MaxAge: licencesAge,
				Text:  "Partner Center tenant is not the corporate mail tenant (or is isolated).",
				Helps: kindsOf(evidence.SubscribedSku),
			},
			Area: "isolation", Mode: ByPersons,
			Decides:   "Exchange plans in the CSP tenant; declared",
			Interface: "subscribedSkus; attest",
		},
		{
			Rule: Rule{
				ID: "P23", Title: "Dedicated accounts for customers' work", Unit: "accounts", MaxAge: logAge,
				Text:  "Customer work is done with dedicated accounts of the partner tenant.",
				Needs: kindsOf(evidence.Group, evidence.AccessAssignment, evidence.User),
				Helps: kindsOf(evidence.SignIn),
			},
			Area: "isolation", Mode: ByData,
			Decides:   "admins who also use mail, Teams",
			Interface: "signIns app mix of GDAP group members",
		},
		{
			Rule: Rule{
				ID: "P24", Title: "No accounts of the partner in customers' tenants", Unit: "customers", MaxAge: customersAge,
				Text:  "No partner-owned local or guest accounts in customer tenants.",
				Needs: kindsOf(evidence.Customer),
				Helps: kindsOf(evidence.User, evidence.RoleAssignment),
			},
			Area: "isolation", Mode: ByData,
			Decides:   "users in customer tenants with partner mail domain or guests of the partner tenant holding roles",
			Interface: "customer users, roleAssignments",
		},
		{
			Rule: Rule{
				ID: "P25", Title: "Only healthy devices for customers' work", Unit: "policies",
				Text:  "Only registered, healthy devices do customer work (CA compliant device).",
				Needs: kindsOf(evidence.ConditionalAccessPolicy),
				May:   kindsOf(evidence.Group),
				Helps: kindsOf(evidence.AccessAssignment),
			},
			Area: "devices", Mode: ByData,
			Decides:   "CA policy for the admin groups",
			Interface: "conditionalAccess/policies",
		},
		{
			Rule: Rule{
				ID: "P26", Title: "Privileged access workstations", Unit: "policies",
				Text:  "Privileged access workstations for privileged work.",
				Needs: kindsOf(evidence.ConditionalAccessPolicy),
			},
			Area: "devices", Mode: ByBoth,
			Decides:   "device filter in CA; attest",
			Interface: "conditionalAccess/policies; attest",
		},
	}
}

// watchPractices are of logs and of whoever looks. It is long because it is a table.
func watchPractices() []Practice {
	return []Practice{
		{
			Rule: Rule{
				ID: "P27", Title: "Control panels record every act", Unit: "tools", MaxAge: attestedAge,
				Text: "Control-panel software logs every user action and every sign-in of an agent.",
			},
			Area: "monitoring", Mode: ByPersons,
			Decides:   "own audit chain; other tools attested",
			Interface: "own log; attest",
		},
		{
			Rule: Rule{
				ID: "P28", Title: "Audit logs kept", Unit: "tenants", MaxAge: averageAge,
				Text:  "Audit logs of partner and customer tenants kept at full detail (at least 30 days; longer is better).",
				Needs: kindsOf(evidence.DirectoryAudit),
				Helps: kindsOf(evidence.SignIn),
			},
			Area: "monitoring", Mode: ByData,
			Decides:   "collection gaps; retention",
			Interface: "directoryAudits; own archive",
		},
		{
			Rule: Rule{
				ID: "P29", Title: "Unified audit log on at each customer", Unit: "customers",
				Text:  "Unified audit log is on in each customer.",
				Needs: kindsOf(evidence.AuditConfig),
				Helps: kindsOf(evidence.Customer),
			},
			Area: "monitoring", Mode: ByData,
			Decides:   "Exchange AdminAuditLogConfig UnifiedAuditLogIngestionEnabled",
			Interface: "Exchange admin API",
		},
		{
			Rule: Rule{
				ID: "P30", Title: "Recovery contacts of Global Administrators", Unit: "accounts",
				Text:  "Recovery e-mail and phone of Global Administrators are known and correct.",
				Needs: kindsOf(evidence.RegistrationDetails, evidence.RoleAssignment),
				May:   kindsOf(evidence.RoleEligibility),
				Helps: kindsOf(evidence.User),
			},
			Area: "monitoring", Mode: ByBoth,
			Decides:   "methods and contact of GA holders",
			Interface: "users authentication/methods (phone, e-mail)",
		},
		{
			Rule: Rule{
				ID: "P31", Title: "Delegated work reviewed", Unit: "customers", MaxAge: logAge,
				Text:  "Delegated admin activity reviewed: sign-ins of service-provider type, Technician audit rows.",
				Helps: kindsOf(evidence.DirectoryAudit, evidence.SignIn, evidence.Relationship),
			},
			Area: "monitoring", Mode: ByBoth,
			Decides:   "dated review of the list",
			Interface: "signIns crossTenantAccessType; directoryAudits",
		},
	}
}

// moneyPractices are of fraud.
func moneyPractices() []Practice {
	return []Practice{
		{
			Rule: Rule{
				ID: "P32", Title: "Spending budget for every Azure customer", Unit: "customers", MaxAge: countedAge,
				Text:  "Spending budget on every customer with Azure.",
				Needs: kindsOf(evidence.SecurityRequirement),
				Helps: kindsOf(evidence.CustomerUsage),
			},
			Area: "fraud", Mode: ByData,
			Decides:   "customersSpendingBudget requirement; budgets",
			Interface: "Partner Center usagebudget; securityScore requirements",
			Rules:     []string{"customer-spending-budget"},
		},
		{
			Rule: Rule{
				ID: "P33", Title: "Cost and activity alerts set", Unit: "subscriptions", MaxAge: customersAge,
				Text:  "Cost anomaly alerts and Azure Activity log alerts set.",
				Needs: kindsOf(evidence.AzureSubscription, evidence.CostAlert, evidence.ActivityAlert),
			},
			Area: "fraud", Mode: ByData,
			Decides:   "scheduledActions InsightAlert; activity log alerts",
			Interface: "ARM CostManagement; Insights",
		},
		{
			Rule: Rule{
				ID: "P34", Title: "Unused regions forbidden", Unit: "subscriptions", MaxAge: customersAge,
				Text:  "Quota kept low and unused regions forbidden.",
				Needs: kindsOf(evidence.AzureSubscription, evidence.AzurePolicy),
			},
			Area: "fraud", Mode: ByData,
			Decides:   "quota; Azure Policy allowed locations",
			Interface: "ARM policyAssignments, Quota",
		},
	}
}

// personPractices are of what people say and customers do.
func personPractices() []Practice {
	return []Practice{
		{
			Rule: Rule{
				ID: "P35", Title: "Customers review partners and subscriptions", Unit: "customers", MaxAge: attestedAge,
				Source: customerPage, Contract: customerDay,
				Text:  "Customer reviews subscriptions and partner relationships; removes unknown partners.",
				Helps: kindsOf(evidence.Customer),
			},
			Area: "customer side", Mode: ByPersons,
			Decides:   "dated attestation",
			Interface: "directory/.. customer partners page; attest",
		},
		{
			Rule: Rule{
				ID: "P36", Title: "Customers' own administrators", Unit: "customers", MaxAge: customersAge, Source: customerPage, Contract: customerDay,
				Text:  "Customer has emergency accounts, separate admin accounts and no shared admins.",
				Helps: kindsOf(evidence.Customer, evidence.RoleAssignment, evidence.SignIn, evidence.User),
			},
			Area: "customer side", Mode: ByBoth,
			Decides:   "role holders, sign-in spread",
			Interface: "roleAssignments; signIns",
		},
		{
			Rule: Rule{
				ID: "P37", Title: "Advice on nation-state attacks worked through", Unit: "lists", MaxAge: attestedAge,
				Text: "Nation-state guidance for delegated access read and worked through (NOBELIUM list).",
			},
			Area: "threat advice", Mode: ByPersons,
			Decides:   "dated attestation",
			Interface: "attest",
		},
		{
			Rule: Rule{
				ID: "P38", Title: "Duties on payment, fraud and misuse known", Unit: "duties", MaxAge: attestedAge,
				Text: "Non-payment, fraud and misuse duties known; contact route defined.",
			},
			Area: "payment", Mode: ByPersons,
			Decides:   "dated attestation",
			Interface: "attest",
		},
	}
}
