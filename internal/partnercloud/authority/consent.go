package authority

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/world"
)

// want is permissions on one resource.
type want struct {
	res    *world.Resource
	scopes []world.Scope
	roles  []world.Scope // application permissions: only an administrator can grant them
}

// firstPartyScopes is what Microsoft's own clients hold on Graph (K).
func firstPartyScopes(appID string) []string {
	switch appID {
	case entra.AppAzureCLI, entra.AppAzurePowerShell, entra.AppPartner, entra.AppAzurePortal:
		return []string{"AuditLog.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All",
			"Directory.AccessAsUser.All", "Directory.Read.All", "Group.ReadWrite.All", "User.Read.All", "User.ReadWrite.All"}
	}
	return []string{"User.Read"}
}

// granted gives the scopes that a token of the subject may hold, or says why
// there can be none without somebody's consent.
func granted(s *world.State, sub subject, c *client, t *target) ([]string, *oauth.Fault) {
	if c.FirstParty {
		return firstParty(c, t), nil
	}
	sp := sub.tenant.SP(c.AppID)
	if sp == nil && sub.tenant.ID == c.Owner {
		sp = s.EnsureSP(sub.tenant, c.AppID)
	}
	if sp != nil && !sp.Enabled {
		return nil, oauth.Refuse(entra.CodeAppDisabled, c.AppID)
	}
	var have []string
	res := sub.tenant.SP(t.res.AppID)
	if res == nil && t.res.Owner == "" {
		res = s.EnsureSP(sub.tenant, t.res.AppID)
	}
	if sp != nil && res != nil {
		have = s.Granted(sub.tenant, sp.ID, res.ID, sub.user.ID)
	}
	if sub.aobo {
		return delegatedGrants(s, sub, c, t, sp, have)
	}
	for _, sc := range t.res.Scopes {
		if t.res.App.PreAuthorized(c.AppID, sc.ID) {
			have = append(have, sc.Value)
		}
	}
	if t.res.AppID == c.AppID && sp != nil {
		for _, sc := range t.res.Scopes { // an app needs no consent to itself
			have = append(have, sc.Value)
		}
	}
	if sp == nil {
		return nil, oauth.Refuse(entra.CodeNoConsent, c.AppID)
	}
	if res == nil && t.res.AppID != c.AppID {
		return nil, oauth.Refuse(entra.CodeResourceNotFound, t.res.Name, sub.tenant.Name)
	}
	if sp.AssignmentRequired && !assigned(sub.tenant, sp, sub.user.ID) {
		return nil, oauth.Refuse(entra.CodeNotAssigned, c.AppID)
	}
	return chosen(c, t, have)
}

// chosen weighs what is granted against what is asked.
func chosen(c *client, t *target, have []string) ([]string, *oauth.Fault) {
	switch {
	case t.basic:
		return publishedOnly(t.res, have), nil
	case t.all && len(have) == 0:
		if !listed(c, t.res) {
			return nil, oauth.Refuse(entra.CodeResourceNotRequested, c.AppID, t.res.Name)
		}
		return nil, oauth.Refuse(entra.CodeNoConsent, c.AppID)
	}
	for _, v := range t.scopes {
		if !slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, v) }) {
			return nil, oauth.Refuse(entra.CodeNoConsent, c.AppID)
		}
	}
	return publishedOnly(t.res, have), nil
}

// publishedOnly keeps scopes that the resource has, in its spelling, and leaves
// those of OpenID Connect to the answer.
func publishedOnly(r *world.Resource, have []string) []string {
	var out []string
	for _, h := range have {
		sc, ok := r.ScopeByValue(h)
		if ok && !slices.Contains(out, sc.Value) && !oidc(sc.Value) {
			out = append(out, sc.Value)
		}
	}
	return out
}

func oidc(v string) bool {
	return v == "openid" || v == "profile" || v == "email" || v == "offline_access"
}

func listed(c *client, r *world.Resource) bool {
	return c.App != nil && (c.AppID == r.AppID || slices.ContainsFunc(c.App.Required, func(q world.RequiredAccess) bool {
		return strings.EqualFold(q.Resource, r.AppID)
	}))
}

func firstParty(c *client, t *target) []string {
	if !t.all && !t.basic {
		return t.scopes
	}
	if t.res.AppID != entra.AppGraph {
		var out []string
		for _, sc := range t.res.Scopes {
			if sc.Value == "user_impersonation" {
				out = append(out, sc.Value)
			}
		}
		return out
	}
	return publishedOnly(t.res, firstPartyScopes(c.AppID))
}

// delegatedGrants is consent for work in a customer's tenant. Nobody consents
// there by signing in: the partner consents through Partner Center, or, by DAP,
// by making the app's service principal an admin agent (contracts.md 2.5, 5.3).
func delegatedGrants(s *world.State, sub subject, c *client, t *target, sp *world.ServicePrincipal, have []string) ([]string, *oauth.Fault) {
	if home := sub.home.SP(c.AppID); !sub.rights.GDAP && home != nil && sub.home.InGroup(home.ID, world.AdminAgents) {
		if res := sub.home.SP(t.res.AppID); res != nil {
			have = append(have, s.Granted(sub.home, home.ID, res.ID, sub.self.ID)...)
		}
		sp = home
	}
	if sp == nil {
		return nil, oauth.Refuse(entra.CodeNotAuthorizedForPartner, c.AppID, sub.tenant.Name)
	}
	if t.all && len(have) == 0 {
		return nil, oauth.Refuse(entra.CodeNoConsent, c.AppID)
	}
	return chosen(c, t, have)
}

// assigned reports that a user may use an app that wants assignment.
func assigned(t *world.Tenant, sp *world.ServicePrincipal, userID string) bool {
	who := append(t.GroupsOf(userID), userID)
	for r := range t.AppRoles.All() {
		if strings.EqualFold(r.Resource, sp.ID) && slices.ContainsFunc(who, func(w string) bool { return strings.EqualFold(w, r.Principal) }) {
			return true
		}
	}
	return false
}

// asksFor lists what consent would be given to: the scopes named, or what the
// registration lists.
func asksFor(s *world.State, c *client, t *target, roles bool) []want {
	var out []want
	graph := world.FindResource(entra.AppGraph)
	if t != nil && !t.all && !t.basic {
		w := want{res: t.res}
		for _, v := range t.scopes {
			if sc, ok := t.res.ScopeByValue(v); ok {
				w.scopes = append(w.scopes, sc)
			}
		}
		return []want{w}
	}
	if t == nil || t.all {
		for _, req := range c.App.Required {
			res := s.Resource(req.Resource)
			if res == nil {
				continue
			}
			w := want{res: res}
			for _, sc := range res.Scopes {
				if slices.ContainsFunc(req.Scopes, func(id string) bool { return strings.EqualFold(id, sc.ID) }) {
					w.scopes = append(w.scopes, sc)
				}
			}
			for _, role := range res.Roles {
				if roles && slices.ContainsFunc(req.Roles, func(id string) bool { return strings.EqualFold(id, role.ID) }) {
					w.roles = append(w.roles, role)
				}
			}
			if len(w.scopes)+len(w.roles) > 0 {
				out = append(out, w)
			}
		}
	}
	if len(out) == 0 {
		sc, _ := graph.ScopeByValue("User.Read")
		out = []want{{res: graph, scopes: []world.Scope{sc}}}
	}
	return out
}

// needsAdmin reports that no ordinary user may consent to all of this.
func needsAdmin(list []want) bool {
	for _, w := range list {
		if len(w.roles) > 0 || slices.ContainsFunc(w.scopes, func(sc world.Scope) bool { return sc.Admin }) {
			return true
		}
	}
	return false
}

// usersMay reports that the tenant's authorization policy leaves this to its users:
// everything, or what is harmless of the tenant's own apps.
func usersMay(t *world.Tenant, c *client, list []want) bool {
	switch t.UserConsent() {
	case "all":
		return true
	case "low":
		harmless := func(sc world.Scope) bool { return oidc(sc.Value) || sc.Value == "User.Read" }
		return c.Owner == t.ID && !slices.ContainsFunc(list, func(w want) bool {
			return slices.ContainsFunc(w.scopes, func(sc world.Scope) bool { return !harmless(sc) })
		})
	}
	return false
}

// mayConsent reports that a user may consent for the whole tenant: application
// administrators may for all but Graph's application permissions.
func mayConsent(s *world.State, t *world.Tenant, userID string, list []want) bool {
	now := s.Clock.Now()
	if t.HasRole(userID, now, entra.RoleGlobalAdministrator, entra.RolePrivilegedRoleAdministrator) {
		return true
	}
	for _, w := range list {
		if len(w.roles) > 0 && w.res.AppID == entra.AppGraph {
			return false
		}
	}
	return t.HasRole(userID, now, entra.RoleApplicationAdministrator, entra.RoleCloudApplicationAdministrator)
}

// consent writes a consent down: the service principals, the grants for one
// user or for everybody, and the audit rows.
func (q *request) consent(s *world.State, t *world.Tenant, u *world.User, c *client, list []want, everybody bool) {
	by := world.Initiator{User: &world.AuditUser{ID: u.ID, Name: &u.Name, UPN: u.UPN, IP: q.ipText()}}
	fresh := t.SP(c.AppID) == nil
	sp := s.EnsureSP(t, c.AppID)
	if sp == nil {
		return
	}
	target := world.AuditTarget{ID: sp.ID, Name: &sp.Name, Type: "ServicePrincipal", Modified: []world.Modified{}}
	audit := func(activity, category, operation string) {
		s.Audit(t, &world.DirectoryAudit{Activity: activity, Category: category, Operation: operation, Correlation: q.correlation, By: by,
			Targets: []world.AuditTarget{target}})
	}
	if fresh {
		audit("Add service principal", "ApplicationManagement", "Add")
	}
	principal := u.ID
	if everybody {
		principal = ""
	}
	for _, w := range list {
		res := s.EnsureSP(t, w.res.AppID)
		if res == nil {
			continue
		}
		if len(w.scopes) > 0 {
			grantScopes(t, sp.ID, res.ID, principal, w.scopes)
			audit("Add delegated permission grant", "ApplicationManagement", "Assign")
		}
		for _, role := range w.roles {
			if everybody && grantRole(s, t, sp.ID, res.ID, role.ID) {
				audit("Add app role assignment to service principal", "ApplicationManagement", "Assign")
			}
		}
	}
	audit("Consent to application", "ApplicationManagement", "Assign")
	s.Touch(t)
}

func (q *request) ipText() *string {
	if !q.ip.IsValid() {
		return nil
	}
	v := q.ip.String()
	return &v
}

func grantScopes(t *world.Tenant, client, resource, principal string, scopes []world.Scope) {
	for g := range t.Grants.All() {
		if strings.EqualFold(g.Client, client) && strings.EqualFold(g.Resource, resource) && strings.EqualFold(g.Principal, principal) {
			list := slices.Clone(g.Scopes)
			for _, sc := range scopes {
				if !slices.Contains(list, sc.Value) {
					list = append(list, sc.Value)
				}
			}
			t.Grants.Change(g.ID, func(g *world.Grant) { g.Scopes = list })
			return
		}
	}
	g := &world.Grant{ID: world.NewGUID(), Client: client, Resource: resource, Principal: principal}
	for _, sc := range scopes {
		g.Scopes = append(g.Scopes, sc.Value)
	}
	t.Grants.Put(g)
}

func grantRole(s *world.State, t *world.Tenant, client, resource, role string) bool {
	for r := range t.AppRoles.All() {
		if strings.EqualFold(r.Principal, client) && strings.EqualFold(r.Resource, resource) && strings.EqualFold(r.Role, role) {
			return false
		}
	}
	t.AppRoles.Put(&world.AppRoleAssignment{ID: world.NewGUID(), Principal: client, PrincipalType: "ServicePrincipal", Resource: resource, Role: role,
		Created: s.Clock.Now()})
	return true
}
