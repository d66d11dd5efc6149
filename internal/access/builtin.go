package access

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
)

// adminRoles are the roles that security defaults challenge at every sign-in
// (contracts.md section 9.4).
var adminRoles = []string{
	entra.RoleGlobalAdministrator, entra.RoleApplicationAdministrator, entra.RoleAuthenticationAdministrator,
	entra.RoleAuthenticationPolicyAdministrator, entra.RoleBillingAdministrator, entra.RoleCloudApplicationAdministrator,
	entra.RoleConditionalAccessAdministrator, entra.RoleExchangeAdministrator, entra.RoleHelpdeskAdministrator,
	entra.RoleIdentityGovernanceAdministrator, entra.RolePasswordAdministrator, entra.RolePrivilegedAuthenticationAdministrator,
	entra.RolePrivilegedRoleAdministrator, entra.RoleSecurityAdministrator, entra.RoleSharePointAdministrator, entra.RoleUserAdministrator,
}

// managementApps are challenged for everybody by security defaults and by the
// old baseline policy for service management (contracts.md 9.4; ids K). The
// other admin portals of Microsoft are not promised.
var managementApps = []string{
	entra.AppARM, entra.AppAzurePortal,
}

// baselineRoles are the nine roles of the old baseline policy for admins (K).
var baselineRoles = []string{
	entra.RoleGlobalAdministrator, entra.RoleAuthenticationAdministrator, entra.RoleBillingAdministrator,
	entra.RoleConditionalAccessAdministrator, entra.RoleExchangeAdministrator, entra.RoleHelpdeskAdministrator, entra.RoleSecurityAdministrator,
	entra.RoleSharePointAdministrator, entra.RoleUserAdministrator,
}

// perUserID marks the stand-in for per-user MFA, whose users are those whose
// own state says so.
const perUserID = "partnerguard:per-user-mfa"

// builtins brings what protects besides Conditional Access policies to the
// same form: security defaults, the old baseline policies, per-user MFA. Each
// stand-in says exactly what is promised at every sign-in, no more: that
// security defaults challenge others "when necessary" is no promise.
func builtins(t *Tenant) (out []*Policy) {
	mfa := &GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}}
	block := &GrantControls{Operator: "OR", BuiltInControls: []string{"block"}}
	stand := func(id, name string, grant *GrantControls, change func(*Conditions)) {
		p := &Policy{ID: id, DisplayName: name, State: Enabled, GrantControls: grant}
		p.Conditions.Applications.IncludeApplications = []string{"All"}
		p.Conditions.ClientAppTypes = []string{"browser", "mobileAppsAndDesktopClients"}
		change(&p.Conditions)
		out = append(out, p)
	}
	all := func(c *Conditions) { c.Users.IncludeUsers = []string{"All"} }
	legacy := func(c *Conditions) { all(c); c.ClientAppTypes = []string{"exchangeActiveSync", "other"} }
	roles := func(ids []string) func(*Conditions) {
		return func(c *Conditions) { c.Users.IncludeRoles = ids }
	}
	management := func(c *Conditions) { all(c); c.Applications.IncludeApplications = managementApps }
	enforced := slices.ContainsFunc(t.Policies, func(p *Policy) bool { return p.Enforced() })
	// Security defaults that nobody exported may be on where no policy is.
	if open := t.Defaults == nil && !enforced; open || t.Defaults.On() {
		first := len(out)
		stand("partnerguard:defaults-legacy", "security defaults: legacy authentication blocked", block, legacy)
		stand("partnerguard:defaults-admins", "security defaults: administrators challenged at every sign-in", mfa, roles(adminRoles))
		stand("partnerguard:defaults-management", "security defaults: Azure management challenged", mfa, management)
		for _, p := range out[first:] {
			if open {
				p.Unsupported = []string{"state (security defaults are not in the export)"}
			}
		}
	}
	for _, p := range t.Policies {
		// The preview's own policies showed no users and apps. One that does is
		// somebody's own policy of that name, and counts for what it says.
		if !p.Enforced() || !strings.HasPrefix(strings.ToLower(p.DisplayName), "baseline policy:") || p.selects() || len(p.Unsupported) > 0 {
			continue
		}
		switch name := strings.ToLower(p.DisplayName); {
		case strings.Contains(name, "admins"):
			stand("partnerguard:baseline-admins", p.DisplayName, mfa, roles(baselineRoles))
		case strings.Contains(name, "legacy"):
			stand("partnerguard:baseline-legacy", p.DisplayName, block, legacy)
		case strings.Contains(name, "service management"):
			stand("partnerguard:baseline-management", p.DisplayName, mfa, management)
		}
	}
	for i := range t.Users {
		if perUserMFA(&t.Users[i]) {
			// The service settings of per-user MFA may name addresses that skip it.
			stand(perUserID, "per-user MFA", mfa, func(c *Conditions) {
				c.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: []string{entra.NilID}}}
			})
			break
		}
	}
	return out
}

// selects reports a policy that names anybody or any app.
func (p *Policy) selects() bool {
	u, a := &p.Conditions.Users, &p.Conditions.Applications
	return len(u.IncludeUsers)+len(u.IncludeGroups)+len(u.IncludeRoles)+len(u.IncludeExternals.Items)+
		len(a.IncludeApplications)+len(a.UserActions)+len(a.Contexts) > 0
}

// perUserMFA reports a state that challenges modern sign-ins. Legacy clients
// pass it with an app password.
func perUserMFA(s *Subject) bool {
	return strings.EqualFold(s.PerUserMFA, "enabled") || strings.EqualFold(s.PerUserMFA, "enforced")
}
