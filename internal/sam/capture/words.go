package capture

// allows says in a few words what each delegated permission lets the app do, always
// within what the signed-in account itself may (Microsoft Graph permissions
// reference; contracts.md sections 2.5 and 3.0).
var allows = map[string]map[string]string{
	PartnerCenterApp: {"user_impersonation": "work in Partner Center as the account that consented"},
	ARMApp:           {"user_impersonation": "work in the customer's Azure subscriptions as the account that consented"},
	ExchangeApp: {"SMTP.Send": "send mail from the account's own mailbox by SMTP", "IMAP.AccessAsUser.All": "read and change the account's mail by IMAP",
		"POP.AccessAsUser.All": "read and delete the account's mail by POP3"},
	GraphApp: {
		"openid": "sign in", "profile": "sign in", "offline_access": "stay signed in: a refresh token", "User.Read": "read the profile of the account itself",
		"AuditLog.Read.All":                               "read the sign-in and audit logs",
		"Directory.Read.All":                              "read users, groups, roles, apps and licences; change nothing",
		"Policy.Read.All":                                 "read Conditional Access and the other policies",
		"UserAuthenticationMethod.Read.All":               "read who registered which sign-in methods, no secret of them",
		"RoleEligibilitySchedule.Read.Directory":          "read who may activate which role",
		"PrivilegedEligibilitySchedule.Read.AzureADGroup": "read who may become a member of a group",
		"PrivilegedAssignmentSchedule.Read.AzureADGroup":  "read whose membership of a group is active",
		"IdentityRiskyUser.Read.All":                      "read which accounts are taken to be at risk",
		"IdentityRiskEvent.Read.All":                      "read why an account or a sign-in is taken to be at risk",
		"SecurityEvents.Read.All":                         "read security events and the secure score",
		"Organization.Read.All":                           "read the tenant's own properties and licences",
		"DelegatedAdminRelationship.Read.All":             "read delegated admin relationships (GDAP)",
		"DelegatedAdminRelationship.ReadWrite.All":        "ask for, change and end delegated admin relationships (GDAP)",
		"PartnerSecurity.Read.All":                        "read partner security alerts and the security score",
		"PartnerSecurity.ReadWrite.All":                   "read and answer partner security alerts",
		"Application.ReadWrite.All":                       "make and change app registrations and their service principals",
		"Policy.ReadWrite.AuthenticationMethod":           "change which authentication methods people may use",
		"UserAuthMethod-External.ReadWrite.All":           "register people for external MFA",
		"UserAuthMethod-HardwareOATH.ReadWrite.All":       "give people hardware OATH tokens, and activate them",
		"Policy.ReadWrite.ConditionalAccess":              "change Conditional Access policies, named locations and authentication strengths",
		"Policy.ReadWrite.SecurityDefaults":               "switch security defaults on and off",
		"Application.Read.All":                            "read app registrations and service principals",
		"Group.ReadWrite.All":                             "make groups, and change who is in them",
		"RoleManagement.ReadWrite.Directory":              "change who holds which role",
		"DelegatedPermissionGrant.ReadWrite.All":          "change what apps may do for people",
		"AppRoleAssignment.ReadWrite.All":                 "change what apps may do by themselves",
		"Policy.ReadWrite.Authorization":                  "change what people may consent to",
		"Policy.ReadWrite.ConsentRequest":                 "change who is asked for consent",
	},
}

// why says what each feature does with its permissions.
var why = map[Feature]string{
	Customers: "list customers and exchange tokens for them", Forecast: "foretell when a connection dies", SignIns: "judge the sign-in log",
	Accounts: "judge accounts, groups, roles and apps", Policies: "judge Conditional Access and security defaults", Methods: "see who can answer an MFA prompt",
	Eligibility: "see who could activate a role", Risk: "see accounts at risk, and why",
	SecureScore: "see the identity secure score", Licences: "see what the licences allow",
	Delegation: "read GDAP relationships", DelegationChange: "change GDAP relationships", Alerts: "read security alerts",
	AlertsAnswer: "answer security alerts",
	Azure:        "work in customers' subscriptions",
	Collect:      "read into the archive what the partner is judged by",
	HardwareOATH: "upload the seeds of Partnerguard's own factors as hardware OATH tokens",
	ExternalMFA:  "register Partnerguard's own MFA provider with Entra ID",
	Mail:         "send and read mail for devices that know no modern authentication (the mail bridge)",
	Remedy:       "change settings by a plan that was checked, in stages, and take it back",
	RemedyApps:   "take roles, consents and credentials away by a plan, and give back what can be",
}

// Allows says what a permission of a resource lets the app do; "" for one that is
// not known here.
func Allows(resource, permission string) string { return allows[resource][permission] }

// Why says what a feature needs its permissions for.
func (f Feature) Why() string { return why[f] }
