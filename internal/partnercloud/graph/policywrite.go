package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

const policiesPath = "identity/conditionalAccess/policies"

// policyPaths: the same policies lie at two addresses.
var policyPaths = []string{policiesPath, "policies/conditionalAccessPolicies"}

// policyContext is the collection of the path for @odata.context.
func (c *call) policyContext() string {
	if c.route.parts[0] == "policies" {
		return policyPaths[1]
	}
	return policiesPath
}

func listPolicies(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, c.policyContext(), c.g.sh.policy, c.documents(&t.Policies, func(d *world.Document) any { return c.shownPolicy(t, d) }))
}

func getPolicy(c *call, s *world.State, t *world.Tenant, d *world.Document) (*reply, error) {
	return c.one(t, c.policyContext(), c.g.sh.policy, c.shownPolicy(t, d))
}

func createPolicy(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := c.checkPolicy(); err != nil {
		return nil, err
	}
	if str(c.in, "state") == "" || c.in["conditions"] == nil {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "The policy needs displayName, state and conditions.")
	}
	d := &world.Document{ID: world.NewGUID(), Created: c.now}
	if err := c.savePolicy(s, t, d, fill(policyFields(true), c.in)); err != nil {
		return nil, err
	}
	c.auditDocument(s, t, policySettings, "Add", nil, d)
	return c.created(t, c.policyContext(), c.g.sh.policy, c.shownPolicy(t, d))
}

func changePolicy(c *call, s *world.State, t *world.Tenant, old *world.Document) (*reply, error) {
	if err := c.checkPolicy(); err != nil {
		return nil, err
	}
	d := *old
	d.Changed = c.now
	if err := c.savePolicy(s, t, &d, merge(decodeObject(old.Raw), c.in)); err != nil {
		return nil, err
	}
	c.auditDocument(s, t, policySettings, "Update", old, &d)
	return noContent()
}

// checkPolicy checks the body of a policy. A strength that is bound by its address
// becomes the reference to it.
func (c *call) checkPolicy() error {
	delete(c.in, "#microsoft.graph.restore") // an action that full metadata announces
	if g := inner(c.in, "grantControls"); given(g, strengthBind) {
		ref, ok := g[strengthBind].(string)
		if !ok {
			return badRequest("Invalid value specified for property 'grantControls.%s': it must be text.", strengthBind)
		}
		id := ref[strings.LastIndexByte(ref, '/')+1:]
		if i := strings.IndexByte(id, '('); i >= 0 {
			id = id[i:]
		}
		delete(g, strengthBind)
		g["authenticationStrength"] = map[string]any{"id": strings.Trim(id, "()'")}
	}
	return policyFields(c.beta).check("", c.in)
}

const strengthBind = "authenticationStrength@odata.bind"

func deletePolicy(c *call, s *world.State, t *world.Tenant, old *world.Document) (*reply, error) {
	c.putAside(s, t, &t.Policies, &t.DeletedPolicies, old)
	c.auditDocument(s, t, policySettings, "Delete", old, nil)
	return noContent()
}

// settings are a kind of settings object as the audit log calls it.
type settings struct{ noun, service, target, property string }

var (
	policySettings   = settings{"conditional access policy", "Conditional Access", "Policy", "ConditionalAccessPolicy"}
	locationSettings = settings{"named location", "Conditional Access", "NamedLocation", "NamedLocation"}
	strengthSettings = settings{"authentication strength policy", "Authentication Methods", "Policy", "AuthenticationStrength"}
)

// change is the row of what is done to one of them.
func (k *settings) change(operation string) change {
	return change{activity: operation + " " + k.noun, category: "Policy", operation: operation, service: k.service}
}

// auditDocument writes the row of a settings object's change with both forms of it;
// nil: there was none, or is none.
func (c *call) auditDocument(s *world.State, t *world.Tenant, k settings, operation string, old, next *world.Document) {
	ch := k.change(operation)
	m := world.Modified{Name: k.property}
	now := old
	if old != nil {
		m.Old = string(old.Raw)
	}
	if next != nil {
		m.New, now = string(next.Raw), next
	}
	ch.target, ch.props = target(k.target, now.ID, str(decodeObject(now.Raw), "displayName")), []world.Modified{m}
	c.audit(s, t, ch)
}

// savePolicy judges a policy and keeps it in the form Graph gives.
func (c *call) savePolicy(s *world.State, t *world.Tenant, d *world.Document, m map[string]any) error {
	if !t.Premium() {
		return refuse(http.StatusForbidden, "AccessDenied", "Your tenant is not licensed for this feature: Conditional Access needs Microsoft Entra ID P1.")
	}
	if err := c.judgePolicy(t, m); err != nil {
		return err
	}
	if g := inner(m, "grantControls"); g != nil {
		if st := inner(g, "authenticationStrength"); st != nil { // the strength itself lies elsewhere and may change
			g["authenticationStrength"] = map[string]any{"id": str(st, "id")}
		}
	}
	m = fill(policyFields(true), m)
	m["id"] = d.ID
	m["createdDateTime"] = json.RawMessage(appendTime(nil, d.Created))
	m["modifiedDateTime"] = json.RawMessage(appendTime(nil, d.Changed))
	d.ETag++
	return keepDocument(s, t, &t.Policies, d, m)
}

// keepDocument keeps a settings object as m.
func keepDocument(s *world.State, t *world.Tenant, table *documents, d *world.Document, m map[string]any) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	d.Raw = raw
	s.Replicate(d, table.Get(d.ID))
	table.Put(d)
	s.Touch(t)
	return nil
}

// mention is one id in a policy and where it stands.
type mention struct{ path, id string }

func mentions(m map[string]any, path ...string) []mention {
	for _, p := range path[:len(path)-1] {
		m = inner(m, p)
	}
	var out []mention
	for _, id := range strs(m, path[len(path)-1]) {
		out = append(out, mention{strings.Join(path, "."), id})
	}
	return out
}

// judgePolicy refuses a policy that could not be what it says: unknown ids,
// dangling strengths, contradictions, features without their licence.
func (c *call) judgePolicy(t *world.Tenant, m map[string]any) error {
	cond := inner(m, "conditions")
	if err := judgeScope(m, cond); err != nil {
		return err
	}
	if err := judgeMentions(t, m); err != nil {
		return err
	}
	if err := judgeControls(t, m); err != nil {
		return err
	}
	if len(strs(cond, "signInRiskLevels"))+len(strs(cond, "userRiskLevels")) > 0 && !t.HasPlan(world.PlanP2) {
		return refuse(http.StatusForbidden, "AccessDenied", "Conditions on risk need Microsoft Entra ID P2.")
	}
	if str(m, "state") == "enabled" && t.SecurityDefaults {
		return badPolicy("Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a Conditional Access policy.")
	}
	return nil
}

func badPolicy(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "BadRequest", format, args...)
}

// judgeScope refuses a policy that is for nobody or for nothing.
func judgeScope(m, cond map[string]any) error {
	users, apps := inner(cond, "users"), inner(cond, "applications")
	if forAgents(cond) && !slices.Equal(strs(users, "includeUsers"), []string{"None"}) {
		return badPolicy("A policy for agents must include the users None and nobody else.")
	}
	if str(m, "displayName") == "" {
		return badPolicy("The policy needs a displayName.")
	}
	if apps == nil || apps["applicationFilter"] == nil &&
		!names(apps, "includeApplications", "includeUserActions", "includeAuthenticationContextClassReferences") {
		return badPolicy("The policy must include applications, user actions or authentication contexts.")
	}
	if inner(cond, "clientApplications") == nil &&
		(users == nil || users["includeGuestsOrExternalUsers"] == nil && !names(users, "includeUsers", "includeGroups", "includeRoles")) {
		return badPolicy("The policy must include users, groups or roles.")
	}
	if len(strs(cond, "clientAppTypes")) == 0 {
		return badPolicy("The policy must name clientAppTypes.")
	}
	return nil
}

// forAgents reports conditions on agents, which no person meets.
func forAgents(cond map[string]any) bool {
	client := inner(cond, "clientApplications")
	return str(cond, "agentIdRiskLevels") != "" || inner(cond, "agents") != nil || inner(cond, "agentContext") != nil ||
		names(client, "includeAgentIdServicePrincipals", "excludeAgentIdServicePrincipals") || client["agentIdServicePrincipalFilter"] != nil
}

// names reports that one of the collections is not empty.
func names(m map[string]any, lists ...string) bool {
	return slices.ContainsFunc(lists, func(k string) bool { return len(strs(m, k)) > 0 })
}

// judgeMentions refuses ids that lead nowhere.
func judgeMentions(t *world.Tenant, m map[string]any) error {
	for _, k := range []string{"includeUsers", "excludeUsers"} {
		for _, x := range mentions(m, "conditions", "users", k) {
			if x.id == "All" && k == "includeUsers" || x.id == "None" && k == "includeUsers" || x.id == "GuestsOrExternalUsers" || t.Users.Get(x.id) != nil {
				continue
			}
			return badPolicy("1011: Policy contains an invalid user '%s' in %s.", clip(x.id), x.path)
		}
	}
	for _, k := range []string{"includeGroups", "excludeGroups"} {
		for _, x := range mentions(m, "conditions", "users", k) {
			if t.Groups.Get(x.id) == nil {
				return badPolicy("1012: Policy contains an invalid group '%s' in %s.", clip(x.id), x.path)
			}
		}
	}
	for _, k := range []string{"includeRoles", "excludeRoles"} {
		for _, x := range mentions(m, "conditions", "users", k) {
			if findRole(x.id) == nil && x.id != entra.RoleDirectorySync {
				return badPolicy("1013: Policy contains an invalid role '%s' in %s.", clip(x.id), x.path)
			}
		}
	}
	for _, k := range []string{"includeApplications", "excludeApplications"} {
		for _, x := range mentions(m, "conditions", "applications", k) {
			if !world.IsGUID(x.id) && !slices.Contains([]string{"All", "None", "Office365", "MicrosoftAdminPortals", "AllAgentIdResources"}, x.id) {
				return badPolicy("1014: Policy contains an invalid application '%s' in %s.", clip(x.id), x.path)
			}
		}
	}
	for _, k := range []string{"includeLocations", "excludeLocations"} {
		for _, x := range mentions(m, "conditions", "locations", k) {
			if x.id != "All" && x.id != "AllTrusted" && t.Locations.Get(x.id) == nil {
				return badPolicy("1040: NamedLocation with id '%s' does not exist in the directory.", clip(x.id))
			}
		}
	}
	users := inner(inner(m, "conditions"), "users")
	for _, side := range []string{"includeGuestsOrExternalUsers", "excludeGuestsOrExternalUsers"} {
		for _, id := range strs(inner(inner(users, side), "externalTenants"), "members") {
			if !world.IsGUID(id) {
				return badPolicy("Policy contains an invalid tenant '%s'.", clip(id))
			}
		}
	}
	return nil
}

// judgeControls refuses controls that contradict each other or say nothing.
func judgeControls(t *world.Tenant, m map[string]any) error {
	grant, session := inner(m, "grantControls"), inner(m, "sessionControls")
	if grant == nil && session == nil {
		return badPolicy("The policy must have grant controls or session controls.")
	}
	if grant != nil {
		controls := strs(grant, "builtInControls")
		strength := inner(grant, "authenticationStrength")
		if len(controls)+len(strs(grant, "customAuthenticationFactors"))+len(strs(grant, "termsOfUse")) == 0 && strength == nil {
			return badPolicy("The grant controls of the policy are empty.")
		}
		if grant["operator"] == nil {
			return badPolicy("The grant controls of the policy need an operator.")
		}
		if slices.Contains(controls, "block") && (len(controls) > 1 || strength != nil) {
			return badPolicy("The control block cannot be combined with other controls.")
		}
		if strength != nil {
			if slices.Contains(controls, "mfa") {
				return badPolicy("The control mfa cannot be combined with an authentication strength.")
			}
			if t.Strengths.Get(str(strength, "id")) == nil {
				return badPolicy("Authentication strength policy '%s' does not exist.", clip(str(strength, "id")))
			}
		}
	}
	if f := inner(session, "signInFrequency"); f != nil && truth(f, "isEnabled") && str(f, "frequencyInterval") != "everyTime" {
		if n, _ := f["value"].(float64); n < 1 || str(f, "type") == "" {
			return badPolicy("The sign-in frequency needs a value and a type.")
		}
	}
	return nil
}
