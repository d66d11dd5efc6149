package dates

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// tellers say of each change by what was read whom it hits; a test keeps them
// and the table equal.
var tellers = map[string]func(*looker) found{
	"partner-center-mfa":       (*looker).centerPages,
	"legacy-mfa-policies":      (*looker).migration,
	"csp-authorisation":        (*looker).authorisation,
	"azure-mfa-phase-2":        (*looker).azure,
	"admin-center-mfa":         (*looker).adminCenter,
	"app-user-mfa":             (*looker).appUser,
	"hard-match":               untold("whether objects are matched from on premises: Entra Connect's own settings"),
	"resource-exclusions":      (*looker).exclusions,
	"azure-mfa-postponement":   untold("Azure portal, Multifactor authentication for Azure: whether the tenant postponed"),
	"device-code-flow":         untold("it binds new tenants only: look when the tenant was made"),
	"pop-imap-tls":             (*looker).popImap,
	"partner-tier-roles":       (*looker).tierRoles,
	"passkey-campaign":         (*looker).phoneMethods,
	"sspr-registered-methods":  (*looker).unregistered,
	"custom-controls-frozen":   (*looker).customControls,
	"entra-connect-version":    untold("the version of Entra Connect on its server"),
	"ews-blocked":              (*looker).webServices,
	"legacy-risk-policies":     (*looker).riskPolicies,
	"pim-beta-api":             untold("scripts and tools that call /beta/privilegedAccess"),
	"customer-managed-telecom": untold("it is an offer, and takes nothing away: of use to those who must keep SMS"),
	"partner-agreement":        (*looker).agreement,
	"smtp-auth-basic":          (*looker).smtp,
	"exchange-powershell-ropc": (*looker).exchangePassword,
	"sms-voice-end":            (*looker).phoneOnly,
	"sspr-security-questions":  (*looker).questions,
	"custom-controls-end":      (*looker).customControls,
	"fido2-settings":           untold("scripts and templates that write authenticationMethodConfigurations/fido2"),
	"smtp-auth-removal":        (*looker).smtp,
	"dap-end":                  (*looker).dap,
}

func untold(where string) func(*looker) found {
	return func(*looker) found { return found{open: where} }
}

// beside is for a use that the log shows in part only: without a hit it is not
// known, and where says where to look.
func (v found) beside(why, where string) found {
	if len(v.who) == 0 {
		v.unsure, v.settle = why, where
	}
	return v
}

const unclearMFA = "do not show whether MFA was done"
const unclearClient = "are of old clients of which the log does not say which protocol they speak"

func (l *looker) centerPages() found {
	v := l.fromLog(useCenter, unclearMFA)
	for _, p := range l.Principals {
		if at := p.Last(); !at.Set || !at.After(l.asOf) {
			v.add(cmp.Or(l.Directory.FindUser(p.ObjectID, p.UPN), p.ObjectID, p.UPN), cmp.Or(p.UPN, p.ObjectID))
		}
	}
	if l.Extent(evidence.NonCompliantPrincipal) != evidence.Absent { // it need not be there; half or an old one will not do
		v.kinds = append(v.kinds, evidence.NonCompliantPrincipal)
	}
	v.hit, v.none = "%s came to Partner Center without MFA", "nobody came to Partner Center without MFA"
	v.action = "have them register a method, and require MFA by policy"
	return v
}

func (l *looker) azure() found {
	v := l.fromLog(useAzure, unclearMFA)
	v.hit, v.none = "%s {sign|signs} in to Azure CLI, Azure PowerShell or the Azure app without MFA",
		"nobody signs in to Azure CLI, Azure PowerShell or the Azure app without MFA"
	v.action = "require MFA for them; scripts move to a service principal or a managed identity"
	return v
}

func (l *looker) adminCenter() found {
	v := l.fromLog(useAdmin, unclearMFA)
	v.hit, v.none = "%s {sign|signs} in to the Microsoft 365 admin center without MFA", "nobody signs in to the Microsoft 365 admin center without MFA"
	v.action = "have them register a method, and require MFA by policy"
	return v
}

func (l *looker) popImap() found {
	v := l.fromLog(usePopImap, unclearClient)
	v.hit, v.none = "%s {read|reads} mail by POP or IMAP; whether by TLS 1.2 is not in the log", "nobody reads mail by POP or IMAP"
	v.action = "bring the clients to a version that speaks TLS 1.2, or better to modern authentication"
	return v.beside("clients that read mail by POP or IMAP with modern authentication are not told apart in the log",
		"Exchange admin center, Reports, Mail clients: who uses POP and IMAP")
}

func (l *looker) webServices() found {
	v := l.fromLog(useEWS, unclearClient)
	v.hit, v.none = "%s {use|uses} Exchange Web Services with basic authentication", "nobody uses Exchange Web Services with basic authentication"
	v.action = "move the application to Microsoft Graph"
	return v.beside("applications that use Exchange Web Services with modern authentication are not told apart in the log",
		"Microsoft 365 admin center, Reports, Usage, Exchange: EWS usage")
}

func (l *looker) smtp() found {
	v := l.fromLog(useSMTP, unclearClient)
	v.unit, v.hit, v.none = "senders", "%s by SMTP AUTH {stop|stops}", "nobody sends by SMTP AUTH"
	v.action = "move to High Volume Email, a mail relay, or SMTP AUTH with OAuth"
	return v
}

func (l *looker) exchangePassword() found {
	v := l.fromLog(useExchangePS, unclearClient)
	v.hit, v.none = "%s {sign|signs} in to Exchange Online PowerShell with a password alone",
		"nobody signs in to Exchange Online PowerShell with a password alone"
	v.action = "connect with a certificate or a managed identity"
	return v
}

func (l *looker) appUser() found {
	v := found{kinds: []evidence.Kind{evidence.MFAAdoption}, unit: "apps", hit: "%s {call|calls} Partner Center without MFA",
		none: "every counted request to Partner Center carried MFA", action: "consent again with MFA: partnerguard connect"}
	for _, a := range l.Adoption {
		if a.LoginDate.Set && a.LoginDate.After(l.asOf) {
			continue
		}
		switch {
		case !a.Total.Set || !a.Compliant.Set:
			v.unsure = "a count of API requests cannot be read"
		case a.Compliant.Value < a.Total.Value:
			v.add(cmp.Or(a.ApplicationID, string(a.ApplicationName)), cmp.Or(string(a.ApplicationName), a.ApplicationID))
		}
	}
	return v
}

func (l *looker) authorisation() found {
	v := found{kinds: []evidence.Kind{evidence.SecurityRequirement}, unit: "requirements", hit: "%s of Microsoft's score {are|is} not compliant",
		none: "Microsoft's score records every mandatory item that it shows as compliant", action: "see partnerguard assess"}
	items := 0
	for _, r := range l.Requirements {
		name := strings.ToLower(string(r.Type))
		if !strings.HasPrefix(name, "mfaenforcedforadmin") && name != "securitycontactprovided" && name != "securityalertspromptlyresolved" ||
			strings.Contains(name, "customer") || strings.EqualFold(string(r.State), "preview") {
			continue
		}
		items++
		switch ok, known := r.Compliant(); {
		case !known:
			v.unsure = "the status of " + string(r.Type) + " is not known"
		case !ok:
			v.add(string(r.Type), string(r.Type))
		}
	}
	if items < 2 || items < 3 && l.kind != partner.IndirectReseller {
		v.unsure = "not every mandatory item is among the requirements that were read"
	}
	return v
}

func (l *looker) migration() found {
	v := found{kinds: []evidence.Kind{evidence.AuthenticationMethods}, unit: "tenants", hit: "%s has not migrated to the authentication methods policy",
		none:   "the migration to the authentication methods policy is complete",
		action: "finish the migration: Entra ID, Authentication methods, Manage migration"}
	if l.Methods == nil {
		return v
	}
	switch state := strings.ToLower(string(l.Methods.MigrationState)); state {
	case "migrationcomplete":
	case "premigration", "migrationinprogress":
		v.add("", "policyMigrationState is "+string(l.Methods.MigrationState))
	default:
		v.unsure = "policyMigrationState is not in the export"
	}
	return v
}

// about reports what is not understood of the parts of a policy that are named,
// or of all its conditions.
func about(parts ...string) func(string) bool {
	return func(unsupported string) bool {
		low := strings.ToLower(unsupported)
		return strings.HasPrefix(low, "conditions (") || slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(low, p) })
	}
}

func (l *looker) policies(unit, hit, none string, take func(*access.Policy) bool, tells func(string) bool) found {
	v := found{kinds: []evidence.Kind{evidence.ConditionalAccessPolicy}, unit: unit, hit: hit, none: none}
	for key, p := range l.Policies {
		switch {
		case !p.MayBeEnforced():
		case take(p):
			v.add(key, cmp.Or(p.DisplayName, p.ID))
		case slices.ContainsFunc(p.Unsupported, tells): // what is asked about may stand in what was not understood
			why := "not all of " + cmp.Or(p.DisplayName, p.ID) + " was understood: " + p.Unsupported[0]
			if v.unsure == "" || why < v.unsure { // whatever the order of a map
				v.unsure = why
			}
		}
	}
	return v
}

func (l *looker) exclusions() found {
	v := l.policies("policies", "%s for all resources {exclude|excludes} some, and {bind|binds} the baseline scopes too",
		"no enabled policy for all resources excludes any",
		func(p *access.Policy) bool {
			all := slices.ContainsFunc(p.Conditions.Applications.IncludeApplications, func(s string) bool { return strings.EqualFold(s, "All") })
			return all && len(p.Conditions.Applications.ExcludeApplications) > 0
		}, about("conditions.applications", "application "))
	v.action = "look whether clients that ask for baseline scopes alone can answer: partnerguard prove, partnerguard rehearse"
	return v
}

func (l *looker) customControls() found {
	v := l.policies("policies", "%s {grant|grants} by custom controls, which end", "no enabled policy uses custom controls", func(p *access.Policy) bool {
		return p.GrantControls != nil && len(p.GrantControls.CustomFactors) > 0
	}, about("grant"))
	v.action = directory.WayExternalMFA.Text
	return v
}

func (l *looker) riskPolicies() found {
	v := found{kinds: []evidence.Kind{evidence.SubscribedSku}, unit: "tenants", none: "the tenant has no Entra ID P2, and so no such policy",
		hit: "%s may rely on them"}
	if !l.Directory.HasServicePlan("AAD_PREMIUM_P2") {
		return v
	}
	byRisk := l.policies("", "", "", func(p *access.Policy) bool {
		return len(p.Conditions.SignInRiskLevels)+len(p.Conditions.UserRiskLevels) > 0
	}, about("conditions.signinrisklevels", "conditions.userrisklevels"))
	if len(byRisk.who) > 0 {
		v.kinds, v.none = append(v.kinds, evidence.ConditionalAccessPolicy), "Conditional Access policies act on risk; the old ones are not relied on alone"
		return v
	}
	v.unsure, v.settle = "the tenant has Entra ID P2 and no enabled Conditional Access policy by risk, so the old ones may be in use",
		"Entra ID, Identity Protection: whether the user risk and sign-in risk policies there are on"
	return v
}

func (l *looker) tierRoles() found {
	v := found{kinds: []evidence.Kind{evidence.RoleAssignment}, unit: "holders", hit: "%s {keep|keeps} a role that can no longer be given to anybody",
		none: "nobody holds these roles", action: "give a role of the least privilege instead"}
	for _, a := range l.Directory.Assignments {
		id := cmp.Or(l.Directory.Role(a.RoleDefinitionID).TemplateID, strings.ToLower(a.RoleDefinitionID))
		if id == entra.RolePartnerTier1Support || id == entra.RolePartnerTier2Support {
			v.add(a.PrincipalID, l.name(a.PrincipalID))
		}
	}
	return v
}

// name is a principal's name for people.
func (l *looker) name(id string) string {
	key := strings.ToLower(id)
	if u := l.Directory.Users[key]; u != nil {
		return cmp.Or(u.UserPrincipalName, u.DisplayName, id)
	}
	if g := l.Directory.Groups[key]; g != nil {
		return cmp.Or(g.DisplayName, id)
	}
	return id
}

func (l *looker) agreement() found {
	if l.kind == partner.ControlPanelVendor || l.kind == partner.Advisor {
		return found{none: "it binds CSP partners, and this is none"}
	}
	return found{unit: "partners", who: []one{{"", "this partner"}}, hit: "%s: it binds every CSP partner",
		action: "accept it in Partner Center where that is asked, and read what it says of security"}
}

func (l *looker) dap() found {
	v := found{kinds: []evidence.Kind{evidence.Customer}, unit: "customers", hit: "%s still {grant|grants} DAP", none: "no customer grants DAP",
		action: "set up GDAP, then remove DAP"}
	for id, c := range l.Customers {
		switch {
		case c.AllowDelegatedAccess.True():
			v.add(id, c.Name())
		case !c.AllowDelegatedAccess.Set:
			v.unsure = "of a customer the export does not say whether DAP is in place"
		}
	}
	return v
}
