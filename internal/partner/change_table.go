package partner

import "time"

// Where single changes are written.
const (
	adminDroid   = "AdminDroid's list of changes in Microsoft 365 and Entra"
	smsPage      = "entra-docs concept-sms-voice-retirement"
	customPage   = "entra-docs, migrating from custom controls to External MFA"
	smtpPost     = "techcommunity Exchange 4489835, third version of 29 January 2026"
	phase2Answer = "learn answers 5793227"
)

func monthEnd(y int, m time.Month) Date {
	return Date{Time: time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC)}
}

// Changes are the dated changes of Microsoft that partners are hit by, by date;
// what has none comes last. Where only one source names a date, Sure says so.
//
// It is long because it is a table. The caller may change what it gets.
func Changes() []Change {
	return []Change{
		{
			ID: "partner-center-mfa", Date: day(2025, time.September, 8), Precision: ByDay, Sure: SureHigh,
			What: "MFA is enforced on every page of Partner Center",
			Who:  "users of Partner Center", Tells: "Partner Center's record of accounts without MFA; sign-ins to it",
			Source: mandatingPage,
		},
		{
			ID: "legacy-mfa-policies", Date: day(2025, time.September, 30), Precision: ByDay, Sure: SureMid,
			What: "the legacy MFA and password reset policies can no longer be edited; the authentication methods policy alone counts",
			Who:  "all tenants", Tells: "policyMigrationState of the authentication methods policy",
			Source: "general knowledge; AdminDroid's list of Entra changes",
		},
		{
			ID: "csp-authorisation", Date: day(2025, time.October, 1), Precision: ByDay, Sure: SureHigh,
			What: "three security items become mandatory for the CSP authorisation, checked in the anniversary month",
			Who:  "the partner", Tells: "the requirements of the partner security score",
			Source: "learn partner-center security-requirements; techcommunity 4415817",
		},
		{
			ID: "azure-mfa-phase-2", Date: day(2025, time.October, 1), Precision: ByDay, Sure: SureHigh,
			What: "Azure asks for MFA at every change of resources, phase 2: CLI, PowerShell, SDKs, REST, infrastructure as code",
			Who:  "people who change Azure resources without MFA", Tells: "sign-ins without MFA to Azure CLI, Azure PowerShell and the Azure app",
			Source: "learn answers 5793227; nineliveszerotrust; MC1143999",
		},
		{
			ID: "admin-center-mfa", Date: day(2026, time.February, 9), Precision: ByDay, Sure: SureMid,
			What: "the Microsoft 365 admin center refuses sign-ins without MFA",
			Who:  "all administrators", Tells: "sign-ins without MFA to the admin center",
			Source: "release notes digest",
		},
		{
			ID: "app-user-mfa", Date: day(2026, time.April, 1), Precision: ByDay, Sure: SureHigh,
			What: "Partner Center refuses App+User calls without MFA (announced for this day; the ramp began on 8 June 2026)",
			Who:  "the partner's integrations", Tells: "Partner Center's record and count of API requests",
			Source: "learn partner-center-authentication; Partner Center announcement csp-technical-changes-fy26-q4",
			Note:   "the announced day and the real ramp differ",
		},
		{
			ID: "hard-match", Date: day(2026, time.June, 1), Precision: ByDay, Sure: SureMid,
			What: "objects from on premises are no longer matched hard to cloud accounts that hold roles",
			Who:  "hybrid tenants", Tells: "nothing that is exported",
			Source: adminDroid,
		},
		{
			ID: "resource-exclusions", Date: day(2026, time.June, 15), Precision: ByDay, Sure: SureHigh,
			What: "policies for all resources that exclude an app bind the baseline scopes too (rolled out over weeks)",
			Who:  "tenants with such a policy", Tells: "policies that include all resources and exclude some",
			Source: "entra-docs concept-enforcement-resource-exclusions",
			Note:   "moved from 27 March and 13 May; one source says 22 June",
		},
		{
			ID: "azure-mfa-postponement", Date: day(2026, time.July, 1), Precision: ByDay, Sure: SureHigh,
			What: "the last postponement of Azure's phase 2 that one could choose ends",
			Who:  "tenants that postponed", Tells: "nothing that is exported",
			Source: phase2Answer,
		},
		{
			ID: "device-code-flow", Date: day(2026, time.July, 1), Precision: ByDay, Sure: SureMid,
			What: "security defaults of new tenants block the device code flow",
			Who:  "new tenants", Tells: "nothing that is exported",
			Source: "contracts.md 9.4",
		},
		{
			ID: "pop-imap-tls", Date: day(2026, time.August, 1), Precision: ByDay, Sure: SureMid,
			What: "POP and IMAP take TLS 1.2 and later only",
			Who:  "old mail clients", Tells: "sign-ins by POP or IMAP",
			Source: adminDroid,
		},
		{
			ID: "partner-tier-roles", Date: day(2026, time.August, 3), Precision: ByDay, Sure: SureMid,
			What: "Partner Tier1 and Tier2 Support can no longer be given to anybody; what is given stays",
			Who:  "tenants that use these roles", Tells: "role assignments",
			Source: "MC1409305 via AdminDroid list",
		},
		{
			ID: "passkey-campaign", Date: day(2026, time.September, 1), Precision: ByDay, Sure: SureHigh,
			What: "who may use SMS or voice is asked to register a passkey",
			Who:  "tenants with SMS or voice on", Tells: "the authentication methods policy",
			Source: smsPage,
		},
		{
			ID: "sspr-registered-methods", Date: day(2026, time.September, 7), Precision: ByDay, Sure: SureMid,
			What: "password reset takes registered methods only",
			Who:  "users of password reset", Tells: "the registration report",
			Source: adminDroid,
		},
		{
			ID: "custom-controls-frozen", Date: day(2026, time.September, 30), Precision: ByDay, Sure: SureHigh,
			What: "Conditional Access custom controls can no longer be added or edited",
			Who:  "tenants with custom controls", Tells: "customAuthenticationFactors of policies",
			Source: "entra-docs migrate guide; Help Net Security 2026-03-25; zerowl blog",
			Note:   "that it ends is sure; Microsoft says no more edits, the press no more support",
		},
		{
			ID: "entra-connect-version", Date: day(2026, time.September, 30), Precision: ByDay, Sure: SureMid,
			What: "Entra Connect before 2.5.79.0 stops",
			Who:  "hybrid tenants", Tells: "nothing that is exported",
			Source: adminDroid,
		},
		{
			ID: "ews-blocked", Date: day(2026, time.October, 1), Precision: ByDay, Sure: SureMid,
			What: "Exchange Web Services are closed to applications that are not Microsoft's (extensions until April 2027 exist)",
			Who:  "line-of-business applications", Tells: "sign-ins by Exchange Web Services",
			Source: adminDroid,
		},
		{
			ID: "legacy-risk-policies", Date: day(2026, time.October, 1), Precision: ByDay, Sure: SureMid,
			What: "the legacy user risk and sign-in risk policies of Identity Protection end",
			Who:  "tenants with Entra ID P2 that use them", Tells: "licences, and policies by risk",
			Source: adminDroid,
		},
		{
			ID: "pim-beta-api", Date: day(2026, time.October, 28), Precision: ByDay, Sure: SureMid,
			What: "the beta interfaces of Privileged Identity Management's second round end",
			Who:  "tools that call /beta/privilegedAccess", Tells: "nothing that is exported",
			Source: adminDroid,
		},
		{
			ID: "customer-managed-telecom", Date: day(2026, time.October, 30), Precision: ByDay, Sure: SureHigh,
			What: "SMS and voice by a provider of one's own can be had through the Security Store",
			Who:  "tenants that must keep SMS", Tells: "nothing that is exported",
			Source: smsPage,
		},
		{
			ID: "partner-agreement", Date: day(2026, time.December, 1), Precision: ByDay, Sure: SureHigh,
			What: "the revised Microsoft Partner Agreement and CSP Program Guide come into force (in France it has to be accepted until 28 February 2027)",
			Who:  "every CSP partner", Tells: "being a CSP partner",
			Source: "blog.cloudfactorygroup.com; qloudblog.com",
			Note:   "the day is sure, what the clauses say of security is not",
		},
		{
			ID: "smtp-auth-basic", Date: monthEnd(2026, time.December), Precision: ByMonth, Sure: SureHigh,
			What: "basic authentication for SMTP AUTH is switched off in existing tenants; an administrator can switch it on again",
			Who:  "senders by SMTP AUTH and app passwords", Tells: "sign-ins by SMTP AUTH",
			Source: smtpPost,
		},
		{
			ID: "exchange-powershell-ropc", Date: monthEnd(2026, time.December), Precision: ByMonth, Sure: SureMid,
			What: "Exchange Online PowerShell no longer takes a user's password (-Credential)",
			Who:  "automation with users' passwords", Tells: "password sign-ins to Exchange Online PowerShell",
			Source: adminDroid,
		},
		{
			ID: "sms-voice-end", Date: day(2027, time.February, 1), Precision: ByDay, Sure: SureHigh,
			What: "Microsoft's own SMS and voice end for MFA and password reset; users are held up to register a passkey, and nobody can opt out",
			Who:  "users whose only second factor is SMS or voice", Tells: "methods in the registration report",
			Source: smsPage,
		},
		{
			ID: "sspr-security-questions", Date: monthEnd(2027, time.March), Precision: ByMonth, Sure: SureMid,
			What: "security questions for password reset end",
			Who:  "tenants whose password reset asks questions", Tells: "methods in the registration report",
			Source: adminDroid,
		},
		{
			ID: "custom-controls-end", Date: monthEnd(2027, time.June), Precision: ByHalfYear, Sure: SureMid,
			What: "Conditional Access custom controls end altogether (\"early 2027\")",
			Who:  "tenants with custom controls", Tells: "customAuthenticationFactors of policies",
			Source: customPage,
			Note:   "only \"early 2027\" is said",
		},
		{
			ID: "fido2-settings", Date: day(2027, time.October, 14), Precision: ByDay, Sure: SureMid,
			What: "isAttestationEnforced and keyRestrictions of the FIDO2 method give way to passkey profiles",
			Who:  "tools that write the FIDO2 method", Tells: "nothing that is exported",
			Source: adminDroid,
		},
		{
			ID: "smtp-auth-removal", Date: monthEnd(2027, time.December), Precision: ByHalfYear, Sure: SureHigh,
			What: "the day on which basic authentication for SMTP AUTH goes for good is to be announced",
			Who:  "senders by SMTP AUTH", Tells: "sign-ins by SMTP AUTH",
			Source: smtpPost,
			Note:   "only that a date will be announced then",
		},
		{
			ID: "dap-end", Date: Date{}, Precision: Undated, Sure: SureNone,
			What: "DAP ends altogether",
			Who:  "partners that still have DAP", Tells: "allowDelegatedAccess of customers",
			Source: "windowsnews.ai only",
			Note:   "no official date was found; a single news site names one, which is not used",
		},
	}
}
