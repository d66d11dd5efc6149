package main

import "time"

// What the Conditional Access policies ask of one sign-in; the policies
// themselves follow below and must say the same.

// demands reports whether an enforced policy asks p for MFA from this place.
func demands(p *person, from place) bool {
	for _, g := range groups {
		if g.name != noGlass && g.name != noScripts {
			continue
		}
		for _, m := range g.members {
			if who(m) == p {
				return false
			}
		}
	}
	if p.admin() && p.roles[0] != "Directory Synchronization Accounts" {
		return true
	}
	return !from.trusted
}

var adminRoles = []string{"Global Administrator", "Security Administrator", "Conditional Access Administrator", "Helpdesk Administrator",
	"Exchange Administrator", "User Administrator", "Billing Administrator", "Cloud Application Administrator", "Global Reader"}

type policy struct {
	name, state    string
	created        time.Time
	users          o
	clients        []string
	locations      any
	flows          any
	risk           []string
	control        []string
	strength       any
	applies        func(p *person, from place, client string) bool
	whenReportOnly bool
}

func ids(names ...string) []string {
	out := []string{}
	for _, n := range names {
		out = append(out, guid("group/"+n))
	}
	return out
}

func roleIDs(names []string) []string {
	out := []string{}
	for _, n := range names {
		out = append(out, roleID(n))
	}
	return out
}

func users(includeUsers, includeRoles, excludeGroups []string) o {
	none := []string{}
	if includeUsers == nil {
		includeUsers = none
	}
	if includeRoles == nil {
		includeRoles = none
	}
	if excludeGroups == nil {
		excludeGroups = none
	}
	return o{"includeUsers", includeUsers, "excludeUsers", none, "includeGroups", none, "excludeGroups", excludeGroups,
		"includeRoles", includeRoles, "excludeRoles", none, "includeGuestsOrExternalUsers", nil, "excludeGuestsOrExternalUsers", nil}
}

var everyApp = o{"includeApplications", []string{"All"}, "excludeApplications", []string{}, "includeUserActions", []string{},
	"includeAuthenticationContextClassReferences", []string{}, "applicationFilter", nil}

const phishingResistant = "00000000-0000-0000-0000-000000000004"

// policies lists the six, in the order of their names.
func policies() []policy {
	notScripts := func(p *person) bool { return demands(p, place{}) }
	legacy := func(c string) bool { return c != "Browser" && c != "Mobile Apps and Desktop clients" }
	return []policy{
		{name: "CA001 - Admins - Require MFA", state: "enabled", created: time.Date(2023, 2, 14, 10, 0, 0, 0, time.UTC),
			users: users(nil, roleIDs(adminRoles), ids(noGlass)), clients: []string{"all"}, control: []string{"mfa"},
			applies: func(p *person, _ place, _ string) bool { return p.admin() && notScripts(p) }},
		{name: "CA002 - All users - Require MFA", state: "enabled", created: time.Date(2023, 2, 14, 10, 5, 0, 0, time.UTC),
			users: users([]string{"All"}, nil, ids(noGlass, noScripts)), clients: []string{"all"}, control: []string{"mfa"},
			locations: o{"includeLocations", []string{"All"}, "excludeLocations", []string{guid("location/office")}},
			applies:   func(p *person, from place, _ string) bool { return notScripts(p) && !from.trusted }},
		{name: "CA003 - All users - Block legacy authentication", state: "enabledForReportingButNotEnforced", created: time.Date(2024, 9, 3, 8, 30, 0, 0, time.UTC),
			users: users([]string{"All"}, nil, ids(noGlass)), clients: []string{"exchangeActiveSync", "other"}, control: []string{"block"}, whenReportOnly: true,
			applies: func(p *person, _ place, c string) bool { return legacy(c) }},
		{name: "CA004 - All users - Block device code flow", state: "enabled", created: time.Date(2025, 5, 19, 12, 0, 0, 0, time.UTC),
			users: users([]string{"All"}, nil, ids(noGlass)), clients: []string{"all"}, control: []string{"block"},
			flows:   o{"transferMethods", "deviceCodeFlow"},
			applies: func(*person, place, string) bool { return false }},
		{name: "CA005 - All users - Risky sign-ins need MFA", state: "enabled", created: time.Date(2026, 6, 11, 9, 0, 0, 0, time.UTC),
			users: users([]string{"All"}, nil, ids(noGlass)), clients: []string{"all"}, control: []string{"mfa"}, risk: []string{"high", "medium"},
			applies: func(*person, place, string) bool { return false }},
		{name: "CA006 - Global admins - Phishing-resistant MFA", state: "enabledForReportingButNotEnforced", created: time.Date(2026, 9, 28, 9, 0, 0, 0, time.UTC),
			users: users(nil, roleIDs([]string{"Global Administrator"}), ids(noGlass)), clients: []string{"all"}, strength: phishingResistant, whenReportOnly: true,
			applies: func(p *person, _ place, _ string) bool {
				return p.admin() && p.roles[0] == "Global Administrator" && notScripts(p)
			}},
	}
}

func policyID(name string) string { return guid("policy/" + name) }

func conditionalAccess() o {
	var items []any
	for _, p := range policies() {
		risk := p.risk
		if risk == nil {
			risk = []string{}
		}
		control := p.control
		if control == nil {
			control = []string{}
		}
		var strength any
		if p.strength != nil {
			strength = strengths()[1]
		}
		items = append(items, o{
			"id", policyID(p.name), "templateId", nil, "displayName", p.name,
			"createdDateTime", stamp(p.created), "modifiedDateTime", nil, "state", p.state,
			"conditions", o{
				"userRiskLevels", []string{}, "signInRiskLevels", risk, "clientAppTypes", p.clients, "servicePrincipalRiskLevels", []string{},
				"insiderRiskLevels", nil, "platforms", nil, "locations", p.locations, "devices", nil, "clientApplications", nil,
				"authenticationFlows", p.flows, "applications", everyApp, "users", p.users,
			},
			"grantControls", o{"operator", "OR", "builtInControls", control, "customAuthenticationFactors", []string{}, "termsOfUse", []string{}, "authenticationStrength", strength},
			"sessionControls", nil,
		})
	}
	return page("v1.0/$metadata#identity/conditionalAccess/policies", items)
}

func strengths() []o {
	return []o{
		{"id", "00000000-0000-0000-0000-000000000002", "createdDateTime", "2021-12-01T00:00:00Z", "modifiedDateTime", "2021-12-01T00:00:00Z",
			"displayName", "Multifactor authentication", "description", "Combinations of methods that satisfy strong authentication, such as a password + SMS",
			"policyType", "builtIn", "requirementsSatisfied", "mfa",
			"allowedCombinations", []string{"windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor", "deviceBasedPush", "temporaryAccessPassOneTime", "temporaryAccessPassMultiUse",
				"password,microsoftAuthenticatorPush", "password,softwareOath", "password,hardwareOath", "password,sms", "password,voice", "federatedMultiFactor"}},
		{"id", phishingResistant, "createdDateTime", "2021-12-01T00:00:00Z", "modifiedDateTime", "2021-12-01T00:00:00Z",
			"displayName", "Phishing-resistant MFA", "description", "Phishing-resistant methods for the strongest authentication, such as a FIDO2 security key",
			"policyType", "builtIn", "requirementsSatisfied", "mfa",
			"allowedCombinations", []string{"windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"}},
	}
}

func namedLocations() o {
	return page("v1.0/$metadata#conditionalAccess/namedLocations", []any{
		o{"@odata.type", "#microsoft.graph.ipNamedLocation", "id", guid("location/office"), "displayName", "Headquarters Dublin",
			"createdDateTime", "2022-01-10T09:00:00Z", "modifiedDateTime", "2022-01-10T09:00:00Z", "isTrusted", true,
			"ipRanges", []any{o{"@odata.type", "#microsoft.graph.iPv4CidrRange", "cidrAddress", office.net + "0/24"}}},
		o{"@odata.type", "#microsoft.graph.countryNamedLocation", "id", guid("location/countries"), "displayName", "Countries we work in",
			"createdDateTime", "2022-01-10T09:04:00Z", "modifiedDateTime", "2024-04-02T07:31:00Z",
			"countriesAndRegions", []string{"IE", "SE", "DE", "NL"}, "countryLookupMethod", "clientIpAddress", "includeUnknownCountriesAndRegions", false},
	})
}

func methodsPolicy() o {
	all := []any{o{"targetType", "group", "id", "all_users", "isRegistrationRequired", false}}
	method := func(typ, id, state string) o {
		return o{"@odata.type", "#microsoft.graph." + typ + "AuthenticationMethodConfiguration", "id", id, "state", state, "excludeTargets", []any{}, "includeTargets", all}
	}
	return o{
		"@odata.context", "https://graph.microsoft.com/v1.0/$metadata#policies/authenticationMethodsPolicy/$entity",
		"id", "authenticationMethodsPolicy", "displayName", "Authentication Methods Policy",
		"description", "The tenant-wide policy that controls which authentication methods are allowed in the tenant",
		"lastModifiedDateTime", "2025-08-21T11:02:19.3371284Z", "policyVersion", "1.5", "policyMigrationState", "migrationComplete",
		"registrationEnforcement", o{"authenticationMethodsRegistrationCampaign", o{"snoozeDurationInDays", 1, "state", "default", "excludeTargets", []any{},
			"includeTargets", []any{o{"id", "all_users", "targetType", "group", "targetedAuthenticationMethod", "microsoftAuthenticator"}}}},
		"authenticationMethodConfigurations", []any{
			method("fido2", "Fido2", "enabled"), method("microsoftAuthenticator", "MicrosoftAuthenticator", "enabled"), method("sms", "Sms", "enabled"),
			method("temporaryAccessPass", "TemporaryAccessPass", "enabled"), method("softwareOath", "SoftwareOath", "enabled"),
			method("voice", "Voice", "disabled"), method("email", "Email", "enabled"), method("x509Certificate", "X509Certificate", "disabled"),
		},
	}
}

func securityDefaults() o {
	return o{
		"@odata.context", "https://graph.microsoft.com/v1.0/$metadata#policies/identitySecurityDefaultsEnforcementPolicy/$entity",
		"id", "00000000-0000-0000-0000-000000000005", "displayName", "Security Defaults",
		"description", "Security defaults is a set of basic identity security mechanisms recommended by Microsoft. When enabled, these recommendations will be automatically enforced in your organization. Administrators and users will be better protected from common identity related attacks.",
		"isEnabled", false,
	}
}
