package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// Policies of tokens and claims, and the built-in policies of consent. Token and
// claims policies are kept and shown; tokens do not follow them.

// stsPolicies are the collections of token policies, with the type of each.
func stsPolicies() map[string]string {
	return map[string]string{
		"activityBasedTimeoutPolicies": "activityBasedTimeoutPolicy", "claimsMappingPolicies": "claimsMappingPolicy",
		"homeRealmDiscoveryPolicies": "homeRealmDiscoveryPolicy", "tokenIssuancePolicies": "tokenIssuancePolicy",
		"tokenLifetimePolicies": "tokenLifetimePolicy",
	}
}

func (c *call) stsType() string { return stsPolicies()[c.stsName()] }

// stsName is the collection that the path names.
func (c *call) stsName() string {
	for _, part := range c.route.parts {
		if stsPolicies()[part] != "" {
			return part
		}
	}
	return ""
}

func stsFields() fields {
	return fields{
		"id": readOnly(), "displayName": text().need().upTo(256), "description": text().upTo(1024), "isOrganizationDefault": flag(),
		"definition": list(text().upTo(20_000)).need().upTo(1), "deletedDateTime": unused(),
	}
}

// isType reports a kept policy of a type.
func isType(d *world.Document, typ string) bool {
	return str(decodeObject(d.Raw), "@odata.type") == "#microsoft.graph."+typ
}

func shownSTS(d *world.Document) *document {
	m := decodeObject(d.Raw)
	delete(m, "@odata.type")
	m["id"] = d.ID
	return newDocument(d.ID, json.RawMessage(jsonText(m)))
}

func listSTS(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, policiesRoot+c.stsName(), c.g.sh.settings["stsPolicy"], rowsAs(&t.Settings, func(d *world.Document) any {
		if !isType(d, c.stsType()) {
			return nil
		}
		return shownSTS(d)
	}))
}

func findSTS(c *call, _ *world.State, t *world.Tenant) (*world.Document, error) {
	if d := t.Settings.Get(c.params[0]); d != nil && isType(d, c.stsType()) {
		return d, nil
	}
	return nil, notFound(c.params[0])
}

func getSTS(c *call, s *world.State, t *world.Tenant, d *world.Document) (*reply, error) {
	return c.one(t, policiesRoot+c.stsName(), c.g.sh.settings["stsPolicy"], shownSTS(d))
}

func createSTS(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	d := &world.Document{ID: world.NewGUID(), Created: c.now}
	if err := c.saveSTS(s, t, d, map[string]any{"description": nil, "isOrganizationDefault": false}); err != nil {
		return nil, err
	}
	return c.created(t, policiesRoot+c.stsName(), c.g.sh.settings["stsPolicy"], shownSTS(d))
}

func changeSTS(c *call, s *world.State, t *world.Tenant, old *world.Document) (*reply, error) {
	d := *old
	d.Changed = c.now
	if err := c.saveSTS(s, t, &d, decodeObject(old.Raw)); err != nil {
		return nil, err
	}
	return noContent()
}

// saveSTS judges and keeps a token policy: its definition is one JSON text that names
// what it defines.
func (c *call) saveSTS(s *world.State, t *world.Tenant, d *world.Document, old map[string]any) error {
	if err := stsFields().check("", c.in); err != nil {
		return err
	}
	typ := c.stsType()
	m := merge(old, c.in)
	m["@odata.type"] = "#microsoft.graph." + typ
	if str(m, "displayName") == "" || len(strs(m, "definition")) != 1 {
		return badRequest("A value is required for property 'definition' and property 'displayName' of resource 'Policy'.")
	}
	var what map[string]json.RawMessage
	word := strings.ToUpper(typ[:1]) + typ[1:]
	if json.Unmarshal([]byte(strs(m, "definition")[0]), &what) != nil || what[word] == nil {
		return badRequest("Property definition has an invalid value: a JSON object with the member %s is expected.", word)
	}
	if truth(m, "isOrganizationDefault") {
		for o := range t.Settings.All() {
			if o.ID != d.ID && isType(o, typ) && truth(decodeObject(o.Raw), "isOrganizationDefault") {
				return badRequest("Another policy of this type is the default of the organization already.")
			}
		}
	}
	delete(m, "id")
	operation := "Update"
	if t.Settings.Get(d.ID) == nil {
		operation = "Add"
	}
	ch := change{activity: operation + " policy", category: "Policy", operation: operation, target: target("Policy", d.ID, str(m, "displayName"))}
	ch.changed("PolicyDetail", old["definition"], m["definition"])
	if err := keepDocument(s, t, &t.Settings, d, m); err != nil {
		return err
	}
	c.audit(s, t, ch)
	return nil
}

func deleteSTS(c *call, s *world.State, t *world.Tenant, d *world.Document) (*reply, error) {
	t.Settings.Delete(d.ID)
	for p := range t.SPs.All() {
		if ids := strs(inner(p.More, assignedKey), c.stsName()); slices.Contains(ids, d.ID) {
			setAssigned(t, p, c.stsName(), slices.DeleteFunc(ids, func(v string) bool { return v == d.ID }))
		}
	}
	s.Touch(t)
	c.audit(s, t, change{
		activity: "Delete policy", category: "Policy", operation: "Delete", target: target("Policy", d.ID, str(decodeObject(d.Raw), "displayName")),
	})
	return noContent()
}

// assignedKey keeps the ids of policies assigned to a service principal among its
// kept members.
const assignedKey = "assigned policies"

func setAssigned(t *world.Tenant, p *world.ServicePrincipal, name string, ids []string) {
	list := make([]any, 0, len(ids))
	for _, id := range ids {
		list = append(list, id)
	}
	t.SPs.Change(p.ID, func(p *world.ServicePrincipal) {
		p.More = merge(p.More, map[string]any{assignedKey: map[string]any{name: list}})
	})
}

// assignedSTS lists, adds and removes the token policies of a service principal.
func assignedSTS(c *call, s *world.State, t *world.Tenant, p *world.ServicePrincipal) (*reply, error) {
	ids := strs(inner(p.More, assignedKey), c.stsName())
	var id string
	switch c.r.Method {
	case http.MethodGet:
		all := []*document{}
		for _, id := range ids {
			if d := t.Settings.Get(id); d != nil {
				all = append(all, shownSTS(d))
			}
		}
		sh := c.g.sh.settings["stsPolicy"]
		return c.list(t, policiesRoot+c.stsName(), sh, slice(all, sh.key))
	case http.MethodPost:
		ref, err := c.refBody()
		if err != nil {
			return nil, err
		}
		ref = strings.TrimRight(ref, "/")
		id = ref[strings.LastIndexByte(ref, '/')+1:]
		if d := t.Settings.Get(id); d == nil || !isType(d, c.stsType()) {
			return nil, notFound(id)
		}
		if slices.Contains(ids, id) {
			return nil, badRequest("One or more added object references already exist for the following modified properties: '%s'.", c.stsName())
		}
		ids = append(ids, id)
	default:
		id = c.params[1]
		if !slices.Contains(ids, id) {
			return nil, notFound(id)
		}
		ids = slices.DeleteFunc(ids, func(v string) bool { return v == id })
	}
	setAssigned(t, p, c.stsName(), ids)
	s.Touch(t)
	ch := change{activity: "Add policy to service principal", category: "Policy", operation: "Assign", target: spTarget(p)}
	if c.r.Method == http.MethodDelete {
		ch.activity, ch.operation = "Remove policy from service principal", "Unassign"
	}
	ch.changed("PolicyId", nil, id)
	c.audit(s, t, ch)
	return noContent()
}

// grantPolicies are the built-in policies of consent.
func grantPolicies() []*document {
	var out []*document
	for _, p := range [][3]string{
		{"microsoft-all-application-permissions", "All application permissions, for any client app", "All application permissions, for all APIs."},
		{"microsoft-application-admin", "Application Admin Policy", "Permissions consentable by Application Administrators."},
		{"microsoft-company-admin", "Company Admin Policy", "Permissions consentable by Company Administrators."},
		{"microsoft-user-default-legacy", "Default User Permission Grant Policy", "Permissions that users may grant on their own behalf by default."},
		{"microsoft-user-default-low", "Default User Low Risk Policy", "Permissions of low risk, for apps of this organization or verified publishers."},
		{"microsoft-user-default-recommended", "Microsoft User Default Recommended Policy", "Permissions consentable by Microsoft's recommendations."},
	} {
		out = append(out, newDocument(p[0], json.RawMessage(jsonText(map[string]any{
			"id": p[0], "displayName": p[1], "description": p[2], "deletedDateTime": nil,
		}))))
	}
	return out
}

func grantPolicy(id string) *document {
	for _, d := range grantPolicies() {
		if d.id == id {
			return d
		}
	}
	return nil
}

func consentPolicies(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	sh := c.g.sh.settings["permissionGrantPolicy"]
	return c.show(t, policiesRoot+"permissionGrantPolicies", sh, slice(grantPolicies(), sh.key))
}

// appTemplates shows the one template that is no product of the gallery.
func appTemplates(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	sh := c.g.sh.settings["applicationTemplate"]
	custom := newDocument("8adf8e6e-67b2-4cf2-a259-e3dc5476c621", json.RawMessage(`{"id":"8adf8e6e-67b2-4cf2-a259-e3dc5476c621","displayName":"Custom",
		"homePageUrl":null,"supportedSingleSignOnModes":["oidc","password","saml","notSupported"],"supportedProvisioningTypes":[],"logoUrl":null,
		"categories":[],"publisher":null,"description":null}`))
	return c.show(t, "applicationTemplates", sh, slice([]*document{custom}, sh.key))
}

// noPolicies shows a collection that is empty: its members cannot be made here.
func noPolicies(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	sh := c.g.sh.settings["permissionGrantPolicy"]
	return c.list(t, policiesRoot+c.route.last(), sh, slice([]*document{}, sh.key))
}
