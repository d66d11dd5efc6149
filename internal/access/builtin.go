package access

import (
	"slices"
	"strings"
)

// adminRoles are the roles that security defaults challenge at every sign-in
// (contracts.md section 9.4).
var adminRoles = []string{
	"62e90394-69f5-4237-9190-012177145e10", // Global Administrator
	"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", // Application Administrator
	"c4e39bd9-1100-46d3-8c65-fb160da0071f", // Authentication Administrator
	"0526716b-113d-4c15-b2c8-68e3c22b9f80", // Authentication Policy Administrator
	"b0f54661-2d74-4c50-afa3-1ec803f12efe", // Billing Administrator
	"158c047a-c907-4556-b7ef-446551a6b5f7", // Cloud Application Administrator
	"b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", // Conditional Access Administrator
	"29232cdf-9323-42fd-ade2-1d097af3e4de", // Exchange Administrator
	"729827e3-9c14-49f7-bb1b-9608f156bbb8", // Helpdesk Administrator
	"45d8d3c5-c802-45c6-b32a-1d70b5e1e86e", // Identity Governance Administrator
	"966707d0-3269-4727-9be2-8c3a10f19b9d", // Password Administrator
	"7be44c8a-adaf-4e2a-84d6-ab2649e08a13", // Privileged Authentication Administrator
	"e8611ab8-c189-46e8-94e1-60213ab1f814", // Privileged Role Administrator
	"194ae4cb-b126-40b2-bd5b-6091b380977d", // Security Administrator
	"f28a1f50-f6e7-4571-818b-6a12f2af6b6c", // SharePoint Administrator
	"fe930be7-5e62-47db-91af-98c3a49a38b1", // User Administrator
}

// managementApps are challenged for everybody by security defaults and by the
// old baseline policy for service management (contracts.md 9.4; ids K). The
// other admin portals of Microsoft are not promised.
var managementApps = []string{
	"797f4846-ba00-4fd7-ba43-dac1f8f63013", // Azure Resource Manager, PowerShell, CLI
	"c44b4083-3bb0-49c1-b47d-974e53cbdf3c", // Azure portal, Entra admin centre
}

// baselineRoles are the nine roles of the old baseline policy for admins (K).
var baselineRoles = []string{
	"62e90394-69f5-4237-9190-012177145e10", // Global Administrator
	"c4e39bd9-1100-46d3-8c65-fb160da0071f", // Authentication Administrator
	"b0f54661-2d74-4c50-afa3-1ec803f12efe", // Billing Administrator
	"b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", // Conditional Access Administrator
	"29232cdf-9323-42fd-ade2-1d097af3e4de", // Exchange Administrator
	"729827e3-9c14-49f7-bb1b-9608f156bbb8", // Helpdesk Administrator
	"194ae4cb-b126-40b2-bd5b-6091b380977d", // Security Administrator
	"f28a1f50-f6e7-4571-818b-6a12f2af6b6c", // SharePoint Administrator
	"fe930be7-5e62-47db-91af-98c3a49a38b1", // User Administrator
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
				c.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: []string{locMFATrusted}}}
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
