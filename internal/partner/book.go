package partner

import (
	"slices"
	"time"

	"partnerguard/internal/evidence"
)

// Where the rules are written.
const (
	requirementsPage = "https://learn.microsoft.com/partner-center/security/partner-security-requirements"
	mandatingPage    = "https://learn.microsoft.com/partner-center/security/partner-security-requirements-mandating-mfa"
	dashboardPage    = "https://learn.microsoft.com/partner-center/security/security-requirements"
	gdapPage         = "https://learn.microsoft.com/partner-center/customers/gdap-introduction"
	dapPage          = "https://learn.microsoft.com/partner-center/customers/monitor-admin-relationships"
	fraudPage        = "https://learn.microsoft.com/partner-center/security/azure-fraud-notification"
	practicePage     = "https://learn.microsoft.com/partner-center/security/csp-security-best-practices"
	legacyPage       = "https://learn.microsoft.com/entra/identity/conditional-access/policy-block-legacy-authentication"
	appPasswordPage  = "https://learn.microsoft.com/entra/identity/authentication/howto-mfa-app-passwords"
	outlookPage      = "https://learn.microsoft.com/microsoft-365/admin/security-and-compliance/enable-modern-authentication"
)

// Revised is the day of the last change of the rule book: of a rule, a date or a
// source in it. A test fails when the book changes and this does not.
var Revised = day(2026, time.November, 30)

// How old evidence may be, and why. The spans are ours; what they follow from is
// Microsoft's: sign-ins are kept for 30 days with Entra ID P1 (contracts.md 3.1),
// an alert is to be answered within 24 hours (contracts.md 1.5).
var (
	settingsAge  = MaxAge{30 * day24, "settings and accounts can change any day, and the log that would show what came of it is kept for 30 days"}
	logAge       = MaxAge{30 * day24, "sign-ins are kept for 30 days: an older log says nothing of what signs in now"}
	countedAge   = MaxAge{30 * day24, "Partner Center counts anew all the time, and authorisation looks at it in one month of the year"}
	customersAge = MaxAge{30 * day24, "relationships are granted, extended and ended any day"}
	averageAge   = MaxAge{7 * day24, "the average is taken over 30 days: after a week a quarter of it is not seen"}
	waitingAge   = MaxAge{day24, "an alert has to be answered within 24 hours: what was raised since the export may be overdue already"}
	licencesAge  = MaxAge{90 * day24, "licences are bought for a month, a year or three, and lapse after a grace of 30 to 90 days"}
)

// Book is the rule book, in report order: the duties of the contract first,
// then what they imply, then the items of the CSP authorisation, then the
// recommended practice. The caller may change what it gets.
//
// Dates and bindings: contracts.md sections 1.1, 1.2 and 1.5. It is long because it
// is one table.
func Book() []Rule {
	kinds := func(k ...evidence.Kind) []evidence.Kind { return append([]evidence.Kind{}, k...) }
	// What a proof over all sign-ins is made from; and what more, when a policy
	// names it.
	settings := kinds(evidence.ConditionalAccessPolicy, evidence.SecurityDefaults, evidence.User)
	named := kinds(evidence.Group, evidence.NamedLocation, evidence.AuthenticationStrength, evidence.GroupEligibility)
	roles := kinds(evidence.RoleAssignment, evidence.RoleEligibility)
	announced, contract := month(2019, time.June), day(2019, time.August, 1)
	safeguards := Step{day(2019, time.November, 18), "MFA is asked at every AOBO operation"}
	portal := Step{day(2025, time.September, 8), "MFA is enforced on every Partner Center page"}
	api := Step{day(2026, time.June, 8), "App+User API calls without MFA are refused, by rising share of traffic"}
	authorisation := day(2025, time.October, 1)
	book := []Rule{
		{
			ID: "mfa-every-user", MaxAge: settingsAge, Title: "MFA for every user", Level: Mandatory, Unit: "accounts",
			Text: "Every enabled account of the partner tenant has MFA: employees, guests, service accounts that sign in as users, shared and " +
				"break-glass accounts. Only the directory synchronisation account is outside.",
			Source:    requirementsPage,
			Announced: announced, Contract: contract, Enforced: []Step{safeguards, portal, api},
			Needs: slices.Clone(settings),
			May:   slices.Concat(named, roles),
			Helps: kinds(evidence.SignIn, evidence.RegistrationDetails, evidence.GroupAssignment,
				evidence.RoleDefinition, evidence.PerUserMFA, evidence.UnifiedAuditSignIn),
		},
		{
			ID: "mfa-every-sign-in", MaxAge: settingsAge, Title: "MFA at every sign-in", Level: Mandatory, Unit: "sign-ins",
			Text: "Every sign-in to Microsoft commercial cloud services, to Partner Center and through its APIs carries an MFA claim. Trusted " +
				"locations, remembered devices and exclusions do not excuse one.",
			Source:    mandatingPage,
			Announced: announced, Contract: contract, Enforced: []Step{safeguards, portal, api},
			Needs: slices.Clone(settings),
			May:   slices.Concat(named, roles),
			Helps: kinds(evidence.SignIn, evidence.PartnerRequest, evidence.NonCompliantPrincipal, evidence.MFAAdoption, evidence.GroupAssignment,
				evidence.RoleDefinition, evidence.UnifiedAuditSignIn),
		},
		{
			ID: "secure-application-model", MaxAge: logAge, Title: "Secure Application Model", Level: Mandatory, Unit: "apps",
			Text: "Every integration that calls Partner Center or Microsoft APIs as app+user does so with a consent captured under MFA, not with " +
				"stored user credentials.",
			Source:    requirementsPage,
			Announced: announced, Contract: contract, Enforced: []Step{api},
			Needs: kinds(evidence.MFAAdoption, evidence.SignIn),
			Helps: kinds(evidence.PartnerRequest, evidence.User),
		},
		{
			ID: "automation-without-user-credentials", MaxAge: logAge, Title: "Automation without user credentials", Level: Mandatory, Unit: "accounts",
			Text:      "No script or service signs in with a stored user name and password.",
			Source:    requirementsPage,
			Announced: announced, Contract: contract,
			Needs: kinds(evidence.SignIn),
			Helps: kinds(evidence.User, evidence.UnifiedAuditSignIn),
		},
		{
			ID: "legacy-authentication", MaxAge: settingsAge, Title: "No legacy authentication", Level: Mandatory, Unit: "accounts",
			Text: "No sign-in uses a protocol that cannot carry MFA (SMTP AUTH, IMAP, POP, Exchange ActiveSync with basic authentication and their " +
				"like). It follows from MFA at every sign-in.",
			Source:    legacyPage,
			Announced: announced, Contract: contract,
			Needs: slices.Clone(settings),
			May:   slices.Concat(named, roles),
			Helps: kinds(evidence.SignIn, evidence.GroupAssignment, evidence.RoleDefinition, evidence.UnifiedAuditSignIn),
		},
		{
			ID: "third-party-mfa-claim", MaxAge: settingsAge, Title: "Third-party MFA yields the claim", Level: Mandatory, Unit: "policies",
			Text: "Where another provider does the MFA, its answer becomes an MFA claim in the token (External MFA or federation). Conditional " +
				"Access custom controls never do.",
			Source:    mandatingPage,
			Announced: announced, Contract: contract, Enforced: []Step{safeguards, portal, api},
			Needs: kinds(evidence.ConditionalAccessPolicy, evidence.AuthenticationMethods, evidence.SignIn),
			Helps: kinds(),
		},
		{
			ID: "third-party-mfa-exception", MaxAge: settingsAge, Title: "No expired MFA exception relied on", Level: Mandatory, Unit: "exceptions",
			Text: "Exceptions granted for third-party MFA ended on 1 March 2022 for anyone who manages customer tenants, and never covered AOBO or " +
				"GDAP work.",
			Source:    mandatingPage,
			Announced: announced, Contract: day(2022, time.March, 1),
			Enforced: []Step{{day(2022, time.March, 1), "exceptions no longer cover the management of customer tenants"}},
			Needs:    kinds(evidence.ConditionalAccessPolicy, evidence.AuthenticationMethods, evidence.SignIn),
			Helps:    kinds(),
		},
		{
			ID: "mfa-admin-roles", MaxAge: settingsAge, Title: "MFA for admin roles", Level: Mandatory, Unit: "accounts",
			Text: "Every account with an administrator role in the partner tenant has MFA. This is the only MFA item Microsoft's score looks at; " +
				"the contract asks for more.",
			Source:   dashboardPage,
			Contract: authorisation,
			Needs:    slices.Concat(settings, roles),
			May:      slices.Clone(named),
			Helps: kinds(evidence.SignIn, evidence.RegistrationDetails, evidence.RoleDefinition, evidence.GroupAssignment, evidence.ServicePrincipal,
				evidence.UnifiedAuditSignIn),
		},
		{
			ID: "security-contact", MaxAge: countedAge, Title: "Security contact on file", Level: Mandatory, Unit: "contacts",
			Text:     "A security contact is on file in Partner Center.",
			Source:   dashboardPage,
			Contract: authorisation,
			Needs:    kinds(evidence.SecurityRequirement),
			Helps:    kinds(evidence.SecurityScore),
		},
		{
			ID: "security-alerts-answered", MaxAge: averageAge, Title: "Security alerts answered within 24 hours", Level: Mandatory, Unit: "alerts",
			Text:     "Partner security alerts of the last 30 days are answered within 24 hours on average.",
			Source:   dashboardPage,
			Except:   []Kind{IndirectReseller},
			Contract: authorisation,
			Needs:    kinds(evidence.SecurityAlert),
			Helps:    kinds(evidence.SecurityRequirement, evidence.FraudEvent),
		},
		{
			ID: "security-defaults-or-conditional-access", MaxAge: settingsAge,
			Title: "Security defaults or Conditional Access in force", Level: Recommended, Unit: "accounts",
			Text:      "One of Microsoft's own means asks for MFA: security defaults, or Conditional Access policies that are enabled.",
			Source:    mandatingPage,
			Announced: announced, Contract: contract,
			Needs: kinds(evidence.ConditionalAccessPolicy, evidence.SecurityDefaults),
			Helps: kinds(),
		},
		{
			ID: "app-passwords", MaxAge: logAge, Title: "No app passwords", Level: Recommended, Unit: "accounts",
			Text:      "App passwords carry no MFA claim and outlive a password reset. None are in use.",
			Source:    appPasswordPage,
			Announced: announced, Contract: contract,
			Needs: kinds(evidence.RegistrationDetails, evidence.SignIn),
			Helps: kinds(evidence.PerUserMFA),
		},
		{
			ID: "modern-authentication-clients", MaxAge: logAge, Title: "Clients that speak modern authentication", Level: Recommended, Unit: "accounts",
			Text:      `Outlook 2013 SP1 or later everywhere, on 2013 with EnableADAL=1 and Version=1 under HKCU\SOFTWARE\Microsoft\Office\15.0\Common\Identity; no client falls back to basic authentication.`,
			Source:    outlookPage,
			Announced: announced, Contract: contract,
			Needs: kinds(evidence.SignIn),
			Helps: kinds(),
		},
		{
			ID: "no-dap", MaxAge: customersAge, Title: "No delegated admin privileges (DAP)", Level: Recommended, Unit: "customers",
			Text:      "No customer relationship carries DAP any more; granular delegated admin privileges (GDAP) replace it.",
			Source:    gdapPage,
			Announced: month(2022, time.February), Contract: day(2023, time.November, 1),
			Needs: kinds(evidence.Customer),
			Helps: kinds(),
		},
		{
			ID: "inactive-dap", MaxAge: customersAge, Title: "No inactive DAP", Level: Recommended, Unit: "customers",
			Text:      "DAP unused for more than 90 days is removed; Microsoft removes what is left.",
			Source:    dapPage,
			Announced: month(2022, time.January), Contract: month(2022, time.January),
			Needs: kinds(evidence.Customer),
			Helps: kinds(),
		},
		{
			ID: "gdap-least-privilege", MaxAge: customersAge, Title: "GDAP with least privilege", Level: Recommended, Unit: "relationships",
			Text: "No active relationship carries Global Administrator, Privileged Role Administrator or Privileged Authentication Administrator. " +
				"Microsoft's default sets carry the last two, so a default is not least privilege. " +
				"None gives a role that nobody used for 90 days, where the customers' logs show that.",
			Source:    gdapPage,
			Clouds:    []Cloud{Public, USGov},
			Announced: month(2022, time.February), Contract: day(2023, time.November, 1),
			Needs: kinds(evidence.Relationship),
			Helps: kinds(evidence.AccessAssignment),
		},
		{
			ID: "azure-fraud-watch", MaxAge: waitingAge, Title: "Azure fraud is watched", Level: Recommended, Unit: "alerts",
			Text:      "Azure fraud events and partner security alerts are read, and none is left unanswered for more than 24 hours.",
			Source:    fraudPage,
			Announced: month(2021, time.December), Contract: month(2021, time.December),
			Needs: kinds(evidence.SecurityAlert),
			Helps: kinds(evidence.FraudEvent),
		},
		{
			ID: "customer-admin-mfa", MaxAge: countedAge, Title: "MFA for customers' administrators", Level: Recommended, Unit: "customers",
			Text:     "Administrators in customers' tenants have MFA.",
			Source:   dashboardPage,
			Contract: authorisation,
			Needs:    kinds(evidence.SecurityRequirement),
			Helps:    kinds(evidence.CustomerInsight),
		},
		{
			ID: "customer-spending-budget", MaxAge: countedAge, Title: "Spending budget for every Azure customer", Level: Recommended, Unit: "customers",
			Text:     "Every customer with Azure has a spending budget. A budget notifies; it never caps.",
			Source:   dashboardPage,
			Contract: authorisation,
			Needs:    kinds(evidence.SecurityRequirement),
			Helps:    kinds(evidence.CustomerUsage),
		},
		{
			ID: "entra-id-p2-admin-agents", MaxAge: licencesAge, Title: "Entra ID P2 for admin agents", Level: Recommended, Unit: "licences",
			Text:      "Admin agents have Entra ID P2, which privileged identity management and risk policies need.",
			Source:    practicePage,
			Announced: month(2021, time.December), Contract: month(2021, time.December),
			Needs: kinds(evidence.SubscribedSku),
			Helps: kinds(),
		},
		{
			ID: "privileged-identity-management", MaxAge: settingsAge, Title: "Privileged roles only on request", Level: Recommended, Unit: "accounts",
			Text:      "Privileged roles are held by eligibility and activated when needed; nobody but break-glass accounts holds one permanently.",
			Source:    practicePage,
			Announced: month(2021, time.December), Contract: month(2021, time.December),
			Needs: slices.Clone(roles),
			Helps: kinds(evidence.RoleDefinition, evidence.Group, evidence.GroupEligibility, evidence.GroupAssignment),
		},
		{
			ID: "risk-based-access", MaxAge: settingsAge, Title: "Risk-based access policies", Level: Recommended, Unit: "policies",
			Text:      "Enabled policies act on sign-in risk and on user risk.",
			Source:    practicePage,
			Announced: month(2021, time.December), Contract: month(2021, time.December),
			Needs: kinds(evidence.ConditionalAccessPolicy),
			Helps: kinds(),
		},
		{
			ID: "sign-in-log-access", MaxAge: logAge, Title: "Sign-in logs can be read", Level: Recommended, Unit: "sign-ins",
			Text:      "The tenant's sign-in logs are available with the fields that show MFA (beta endpoint, Entra ID P1 or P2).",
			Source:    practicePage,
			Announced: month(2021, time.December), Contract: month(2021, time.December),
			Needs: kinds(evidence.SignIn),
			Helps: kinds(evidence.SubscribedSku),
		},
	}
	for i := range book {
		if book[i].May == nil {
			book[i].May = []evidence.Kind{} // a list is always a list
		}
	}
	return book
}
