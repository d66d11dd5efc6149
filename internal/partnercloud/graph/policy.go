package graph

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

const (
	readPolicies  = "Policy.Read.All"
	writePolicies = "Policy.ReadWrite.ConditionalAccess"
)

// policyFields is the Conditional Access policy of contracts.md section 3.6. A
// body is refused whole when it says anything else.
func policyFields(beta bool) fields {
	ids := list(text().upTo(200)).need()
	external := obj(fields{
		"guestOrExternalUserTypes": flags("none internalGuest b2bCollaborationGuest b2bCollaborationMember b2bDirectConnectUser otherExternalUser serviceProvider"),
		"externalTenants":          obj(fields{"membershipKind": enum("all enumerated"), "members": list(text().upTo(40))}),
	})
	levels := list(enum("low medium high hidden none")).need()
	platforms := list(enum("android iOS windows windowsPhone macOS linux all")).need()
	filter := obj(fields{"mode": enum("include exclude"), "rule": text().upTo(3072)})
	conditions := fields{
		"users": obj(fields{
			"includeUsers": ids, "excludeUsers": ids, "includeGroups": ids, "excludeGroups": ids, "includeRoles": ids, "excludeRoles": ids,
			"includeGuestsOrExternalUsers": external, "excludeGuestsOrExternalUsers": external,
		}),
		"applications": obj(fields{
			"includeApplications": ids, "excludeApplications": ids, "includeUserActions": list(enum("urn:user:registersecurityinfo urn:user:registerdevice")).need(),
			"includeAuthenticationContextClassReferences": ids, "applicationFilter": filter,
		}),
		"clientAppTypes":             list(enum("all browser mobileAppsAndDesktopClients exchangeActiveSync easSupported other")).need(),
		"platforms":                  obj(fields{"includePlatforms": platforms, "excludePlatforms": platforms}),
		"locations":                  obj(fields{"includeLocations": ids, "excludeLocations": ids}),
		"devices":                    obj(fields{"deviceFilter": filter}),
		"signInRiskLevels":           levels,
		"userRiskLevels":             levels,
		"servicePrincipalRiskLevels": levels,
		"insiderRiskLevels":          flags("minor moderate elevated"),
		"authenticationFlows":        obj(fields{"transferMethods": flags("none deviceCodeFlow authenticationTransfer")}),
		"clientApplications":         obj(fields{"includeServicePrincipals": ids, "excludeServicePrincipals": ids, "servicePrincipalFilter": filter}),
	}
	session := fields{
		"signInFrequency": obj(fields{
			"isEnabled": flag(), "value": number(), "type": enum("days hours"),
			"authenticationType": enum("primaryAndSecondaryAuthentication secondaryAuthentication"), "frequencyInterval": enum("timeBased everyTime"),
		}),
		"persistentBrowser":               obj(fields{"isEnabled": flag(), "mode": enum("always never")}),
		"cloudAppSecurity":                obj(fields{"isEnabled": flag(), "cloudAppSecurityType": enum("mcasConfigured monitorOnly blockDownloads")}),
		"applicationEnforcedRestrictions": obj(fields{"isEnabled": flag()}),
		"disableResilienceDefaults":       flag(),
		"secureSignInSession":             obj(fields{"isEnabled": flag()}),
	}
	if beta {
		session["continuousAccessEvaluation"] = obj(fields{"mode": enum("strictEnforcement disabled strictLocation")})
	}
	return fields{
		"id": anything(), "createdDateTime": anything(), "modifiedDateTime": anything(), "templateId": anything(), "deletedDateTime": anything(),
		"displayName": text().need().upTo(256), "description": text().upTo(1500), "state": enum("enabled disabled enabledForReportingButNotEnforced").need(),
		"conditions": obj(conditions).need(),
		"grantControls": obj(fields{
			"operator":        enum("AND OR"),
			"builtInControls": list(enum("block mfa compliantDevice domainJoinedDevice approvedApplication compliantApplication passwordChange riskRemediation")).need(),
			// References that clients send back from what they read.
			"authenticationStrength": obj(fields{
				"id": text(), "displayName": text(), "description": text(), "policyType": text(), "requirementsSatisfied": text(), "createdDateTime": text(), "modifiedDateTime": text(),
				"allowedCombinations": list(text()), "combinationConfigurations": list(anything()),
			}),
			"customAuthenticationFactors": list(text()).need(), "termsOfUse": list(text()).need(),
		}),
		"sessionControls": obj(session),
	}
}

// fill completes an object to the form Graph gives: every member is there, null
// or an empty collection where nothing was said.
func fill(fs fields, m map[string]any) map[string]any {
	out := make(map[string]any, len(fs))
	for k, v := range m {
		if !strings.Contains(k, "@odata.") || k == "@odata.type" {
			out[k] = v
		}
	}
	for k, s := range fs {
		v, ok := out[k]
		switch {
		case s.kind == kList && v == nil && s.must:
			out[k] = []any{}
		case !ok:
			out[k] = nil
		case s.kind == kObject && v != nil:
			out[k] = fill(s.props, v.(map[string]any))
		}
	}
	return out
}

func decodeObject(raw json.RawMessage) map[string]any {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil || m == nil {
		m = map[string]any{}
	}
	return m
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
	bad := func(format string, args ...any) error {
		return refuse(http.StatusBadRequest, "BadRequest", format, args...)
	}
	cond := inner(m, "conditions")
	users, apps := inner(cond, "users"), inner(cond, "applications")
	clients := inner(cond, "clientApplications")
	if str(m, "displayName") == "" {
		return bad("The policy needs a displayName.")
	}
	if apps == nil || len(strs(apps, "includeApplications"))+len(strs(apps, "includeUserActions"))+len(strs(apps, "includeAuthenticationContextClassReferences")) == 0 && apps["applicationFilter"] == nil {
		return bad("The policy must include applications, user actions or authentication contexts.")
	}
	if clients == nil && (users == nil || len(strs(users, "includeUsers"))+len(strs(users, "includeGroups"))+len(strs(users, "includeRoles")) == 0 && users["includeGuestsOrExternalUsers"] == nil) {
		return bad("The policy must include users, groups or roles.")
	}
	if len(strs(cond, "clientAppTypes")) == 0 {
		return bad("The policy must name clientAppTypes.")
	}
	for _, k := range []string{"includeUsers", "excludeUsers"} {
		for _, x := range mentions(m, "conditions", "users", k) {
			if x.id == "All" && k == "includeUsers" || x.id == "None" && k == "includeUsers" || x.id == "GuestsOrExternalUsers" || t.Users.Get(x.id) != nil {
				continue
			}
			return bad("1011: Policy contains an invalid user '%s' in %s.", clip(x.id), x.path)
		}
	}
	for _, k := range []string{"includeGroups", "excludeGroups"} {
		for _, x := range mentions(m, "conditions", "users", k) {
			if t.Groups.Get(x.id) == nil {
				return bad("1012: Policy contains an invalid group '%s' in %s.", clip(x.id), x.path)
			}
		}
	}
	for _, k := range []string{"includeRoles", "excludeRoles"} {
		for _, x := range mentions(m, "conditions", "users", k) {
			if findRole(x.id) == nil && x.id != entra.RoleDirectorySync {
				return bad("1013: Policy contains an invalid role '%s' in %s.", clip(x.id), x.path)
			}
		}
	}
	for _, k := range []string{"includeApplications", "excludeApplications"} {
		for _, x := range mentions(m, "conditions", "applications", k) {
			if !world.IsGUID(x.id) && !slices.Contains([]string{"All", "None", "Office365", "MicrosoftAdminPortals"}, x.id) {
				return bad("1014: Policy contains an invalid application '%s' in %s.", clip(x.id), x.path)
			}
		}
	}
	for _, k := range []string{"includeLocations", "excludeLocations"} {
		for _, x := range mentions(m, "conditions", "locations", k) {
			if x.id != "All" && x.id != "AllTrusted" && t.Locations.Get(x.id) == nil {
				return bad("1040: NamedLocation with id '%s' does not exist in the directory.", clip(x.id))
			}
		}
	}
	for _, side := range []string{"includeGuestsOrExternalUsers", "excludeGuestsOrExternalUsers"} {
		for _, id := range strs(inner(inner(users, side), "externalTenants"), "members") {
			if !world.IsGUID(id) {
				return bad("Policy contains an invalid tenant '%s'.", clip(id))
			}
		}
	}
	grant, session := inner(m, "grantControls"), inner(m, "sessionControls")
	if grant == nil && session == nil {
		return bad("The policy must have grant controls or session controls.")
	}
	if grant != nil {
		controls := strs(grant, "builtInControls")
		strength := inner(grant, "authenticationStrength")
		if len(controls)+len(strs(grant, "customAuthenticationFactors"))+len(strs(grant, "termsOfUse")) == 0 && strength == nil {
			return bad("The grant controls of the policy are empty.")
		}
		if grant["operator"] == nil {
			return bad("The grant controls of the policy need an operator.")
		}
		if slices.Contains(controls, "block") && (len(controls) > 1 || strength != nil) {
			return bad("The control block cannot be combined with other controls.")
		}
		if strength != nil {
			if slices.Contains(controls, "mfa") {
				return bad("The control mfa cannot be combined with an authentication strength.")
			}
			if t.Strengths.Get(str(strength, "id")) == nil {
				return bad("Authentication strength policy '%s' does not exist.", clip(str(strength, "id")))
			}
		}
	}
	if f := inner(session, "signInFrequency"); f != nil && truth(f, "isEnabled") && str(f, "frequencyInterval") != "everyTime" {
		if n, _ := f["value"].(float64); n < 1 || str(f, "type") == "" {
			return bad("The sign-in frequency needs a value and a type.")
		}
	}
	if len(strs(cond, "signInRiskLevels"))+len(strs(cond, "userRiskLevels")) > 0 && !t.HasPlan(world.PlanP2) {
		return refuse(http.StatusForbidden, "AccessDenied", "Conditions on risk need Microsoft Entra ID P2.")
	}
	if str(m, "state") == "enabled" && t.SecurityDefaults {
		return bad("Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a Conditional Access policy.")
	}
	return nil
}

// document shows a settings object that is kept as written.
type document struct {
	id   string
	raw  json.RawMessage
	all  map[string]json.RawMessage // decoded when first asked
	keys []string
}

func newDocument(id string, raw json.RawMessage) *document {
	d := &document{id: id, raw: raw}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return d
	}
	d.all = map[string]json.RawMessage{}
	for dec.More() {
		k, err := dec.Token()
		if err != nil {
			break
		}
		name, _ := k.(string)
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			break
		}
		if _, dup := d.all[name]; !dup {
			d.keys = append(d.keys, name)
		}
		d.all[name] = v
	}
	return d
}

// documentShape shows documents of a type: the listed properties in order.
func documentShape(typ string, kind func(*document) string, names ...string) *shape {
	var fs []field
	for _, n := range names {
		fs = append(fs, f(n, func(d *document) any {
			if v, ok := d.all[n]; ok {
				return v
			}
			if known, isList := knownProperty(typ, n, true); known && isList {
				return []string{}
			}
			return nil
		}))
	}
	sh := newShape(typ, func(r any) string { return r.(*document).id }, fs...)
	if kind != nil {
		sh.kind = func(r any) string { return kind(r.(*document)) }
	}
	return sh
}

func policyNames() []string {
	return []string{"id", "templateId", "displayName", "description", "createdDateTime", "modifiedDateTime", "state", "deletedDateTime", "conditions", "grantControls", "sessionControls"}
}

// shownPolicy is a policy as Graph shows it: the strength in full, newer enum
// members hidden from who did not ask.
func (c *call) shownPolicy(t *world.Tenant, d *world.Document) *document {
	m := fill(policyFields(c.beta), decodeObject(d.Raw))
	delete(m, "continuousAccessEvaluation")
	if g := inner(m, "grantControls"); g != nil {
		if st := inner(g, "authenticationStrength"); st != nil {
			if full := t.Strengths.Get(str(st, "id")); full != nil {
				g["authenticationStrength"] = shownStrength(full)
			}
		}
		c.evolveWords(g, "builtInControls", "riskRemediation")
	}
	if p := inner(inner(m, "conditions"), "platforms"); p != nil {
		c.evolveWords(p, "includePlatforms", "linux")
		c.evolveWords(p, "excludePlatforms", "linux")
	}
	for _, side := range []string{"includeGuestsOrExternalUsers", "excludeGuestsOrExternalUsers"} {
		if x := inner(inner(inner(inner(m, "conditions"), "users"), side), "externalTenants"); x != nil {
			if x["@odata.type"] == nil {
				x["@odata.type"] = "#microsoft.graph.conditionalAccessAllExternalTenants"
				if str(x, "membershipKind") == "enumerated" {
					x["@odata.type"] = "#microsoft.graph.conditionalAccessEnumeratedExternalTenants"
				}
			}
			if str(x, "membershipKind") != "enumerated" {
				delete(x, "members")
			}
		}
	}
	delete(m, "@odata.type")
	raw, err := json.Marshal(m)
	if err != nil {
		raw = d.Raw
	}
	return newDocument(d.ID, raw)
}

// evolveWords hides one newer member in a collection.
func (c *call) evolveWords(m map[string]any, key, member string) {
	l, _ := m[key].([]any)
	if c.unknown || len(l) == 0 {
		return
	}
	l = slices.Clone(l)
	for i, v := range l {
		if v == member {
			l[i] = futureValue
		}
	}
	m[key] = l
}

func (p *router) policies(sh *shapes) {
	shape := documentShape("conditionalAccessPolicy", nil, policyNames()...)
	read := allow(readPolicies+" Policy.Read.ConditionalAccess").with(securityReader, globalReader, securityAdmin, conditionalAdmin, securityOperator)
	write := allow(writePolicies).and("Policy.Read.All").with(conditionalAdmin, securityAdmin)
	const path = "identity/conditionalAccess/policies"
	context := "identity/conditionalAccess/policies"
	p.add("GET", path, route{permit: read, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		all := []*document{}
		for d := range t.Policies.All() {
			all = append(all, c.shownPolicy(t, d))
		}
		return c.list(s, t, &listing{shape: shape, context: context, since: slice(all, shape.key), top: 1000, max: 1000})
	}})
	p.add("GET", path+"/{}", route{permit: read, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		d := t.Policies.Get(c.params[0])
		if d == nil {
			return nil, notFound(c.params[0])
		}
		return c.one(s, t, context, shape, c.shownPolicy(t, d))
	}})
	save := func(c *call, s *world.State, t *world.Tenant, d *world.Document, m map[string]any) error {
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
		m["createdDateTime"] = string(appendTime(nil, d.Created)[1 : len(appendTime(nil, d.Created))-1])
		m["modifiedDateTime"] = nil
		if !d.Changed.IsZero() {
			at := appendTime(nil, d.Changed)
			m["modifiedDateTime"] = string(at[1 : len(at)-1])
		}
		raw, err := json.Marshal(m)
		if err != nil {
			return err
		}
		d.Raw = raw
		d.ETag++
		t.Policies.Put(d)
		s.Touch(t)
		return nil
	}
	p.add("POST", path, route{permit: write, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if err := policyFields(c.beta).check("", c.in); err != nil {
			return nil, err
		}
		if str(c.in, "state") == "" || c.in["conditions"] == nil {
			return nil, refuse(http.StatusBadRequest, "BadRequest", "The policy needs displayName, state and conditions.")
		}
		d := &world.Document{ID: world.NewGUID(), Created: c.now}
		if err := save(c, s, t, d, fill(policyFields(true), c.in)); err != nil {
			return nil, err
		}
		ch := change{activity: "Add conditional access policy", category: "Policy", operation: "Add", service: "Conditional Access", target: target("Policy", d.ID, str(c.in, "displayName"))}
		ch.props = []world.Modified{{Name: "ConditionalAccessPolicy", Old: "", New: string(d.Raw)}}
		c.audit(s, t, ch)
		return c.created(s, t, context, shape, c.shownPolicy(t, d))
	}})
	p.add("PATCH", path+"/{}", route{permit: write, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		old := t.Policies.Get(c.params[0])
		if old == nil {
			return nil, notFound(c.params[0])
		}
		if err := policyFields(c.beta).check("", c.in); err != nil {
			return nil, err
		}
		d := *old
		d.Changed = c.now
		if err := save(c, s, t, &d, merge(decodeObject(old.Raw), c.in)); err != nil {
			return nil, err
		}
		ch := change{activity: "Update conditional access policy", category: "Policy", service: "Conditional Access", target: target("Policy", d.ID, str(decodeObject(d.Raw), "displayName"))}
		ch.props = []world.Modified{{Name: "ConditionalAccessPolicy", Old: string(old.Raw), New: string(d.Raw)}}
		c.audit(s, t, ch)
		return noContent()
	}})
	p.add("DELETE", path+"/{}", route{permit: write, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		old := t.Policies.Get(c.params[0])
		if old == nil {
			return nil, notFound(c.params[0])
		}
		t.Policies.Delete(old.ID)
		s.Touch(t)
		ch := change{activity: "Delete conditional access policy", category: "Policy", operation: "Delete", service: "Conditional Access", target: target("Policy", old.ID, str(decodeObject(old.Raw), "displayName"))}
		ch.props = []world.Modified{{Name: "ConditionalAccessPolicy", Old: string(old.Raw), New: ""}}
		c.audit(s, t, ch)
		return noContent()
	}})
	p.locations(read, write)
	p.whatIf()
	p.defaults()
	p.strengths()
}

// Named locations.

func locationFields(kind string) fields {
	fs := fields{"id": anything(), "createdDateTime": anything(), "modifiedDateTime": anything(), "deletedDateTime": anything(), "displayName": text().need().upTo(256)}
	if kind == "ipNamedLocation" {
		fs["isTrusted"] = flag().need()
		fs["ipRanges"] = list(obj(fields{"cidrAddress": text().need().upTo(60)})).need().upTo(2000)
	} else {
		fs["countriesAndRegions"] = list(text().upTo(2)).need().upTo(300)
		fs["includeUnknownCountriesAndRegions"] = flag().need()
		fs["countryLookupMethod"] = enum("clientIpAddress authenticatorAppGps")
	}
	return fs
}

func locationKind(d *document) string {
	var typ string
	_ = json.Unmarshal(d.all["@odata.type"], &typ)
	if strings.HasSuffix(typ, "countryNamedLocation") {
		return "countryNamedLocation"
	}
	if typ == "" && d.all["countriesAndRegions"] != nil {
		return "countryNamedLocation"
	}
	return "ipNamedLocation"
}

func (p *router) locations(read, write permit) {
	shape := documentShape("namedLocation", locationKind, "id", "displayName", "createdDateTime", "modifiedDateTime", "deletedDateTime",
		"isTrusted", "ipRanges", "countriesAndRegions", "includeUnknownCountriesAndRegions", "countryLookupMethod")
	const path = "identity/conditionalAccess/namedLocations"
	p.add("GET", path, route{permit: read, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		all := []*document{}
		for d := range t.Locations.All() {
			all = append(all, newDocument(d.ID, d.Raw))
		}
		return c.list(s, t, &listing{shape: shape, context: path, since: slice(all, shape.key), top: 1000, max: 1000})
	}})
	p.add("GET", path+"/{}", route{permit: read, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		d := t.Locations.Get(c.params[0])
		if d == nil {
			return nil, notFound(c.params[0])
		}
		return c.one(s, t, path, shape, newDocument(d.ID, d.Raw))
	}})
	save := func(c *call, s *world.State, t *world.Tenant, d *world.Document, m map[string]any, kind string) error {
		if !t.Premium() {
			return refuse(http.StatusForbidden, "AccessDenied", "Your tenant is not licensed for this feature: named locations need Microsoft Entra ID P1.")
		}
		if str(m, "displayName") == "" {
			return badRequest("The named location needs a displayName.")
		}
		if kind == "ipNamedLocation" {
			ranges, _ := m["ipRanges"].([]any)
			if len(ranges) == 0 {
				return badRequest("The named location needs ipRanges.")
			}
			for _, r := range ranges {
				x, _ := r.(map[string]any)
				prefix, err := netip.ParsePrefix(str(x, "cidrAddress"))
				if err != nil {
					return badRequest("'%s' is not a range of addresses in CIDR form.", clip(str(x, "cidrAddress")))
				}
				want := "#microsoft.graph.iPv4CidrRange"
				if prefix.Addr().Is6() {
					want = "#microsoft.graph.iPv6CidrRange"
				}
				if typ := str(x, "@odata.type"); typ != "" && !strings.EqualFold(typ, want) {
					return badRequest("'%s' is not of type %s.", clip(str(x, "cidrAddress")), clip(typ))
				}
				x["@odata.type"] = want
			}
			if m["isTrusted"] == nil {
				m["isTrusted"] = false
			}
		} else {
			if len(strs(m, "countriesAndRegions")) == 0 {
				return badRequest("The named location needs countriesAndRegions.")
			}
			for _, code := range strs(m, "countriesAndRegions") {
				if len(code) != 2 || strings.ToUpper(code) != code {
					return badRequest("'%s' is not a two-letter country code.", clip(code))
				}
			}
			if m["includeUnknownCountriesAndRegions"] == nil {
				m["includeUnknownCountriesAndRegions"] = false
			}
			if m["countryLookupMethod"] == nil {
				m["countryLookupMethod"] = "clientIpAddress"
			}
		}
		m["@odata.type"] = "#microsoft.graph." + kind
		m["id"] = d.ID
		m["createdDateTime"], m["modifiedDateTime"] = d.Created, d.Changed
		raw, err := json.Marshal(m)
		if err != nil {
			return err
		}
		d.Raw = raw
		t.Locations.Put(d)
		s.Touch(t)
		return nil
	}
	p.add("POST", path, route{permit: write, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		kind := strings.TrimPrefix(str(c.in, "@odata.type"), "#microsoft.graph.")
		if kind != "ipNamedLocation" && kind != "countryNamedLocation" {
			return nil, badRequest("The @odata.type of a named location must be #microsoft.graph.ipNamedLocation or #microsoft.graph.countryNamedLocation.")
		}
		if err := locationFields(kind).check("", c.in); err != nil {
			return nil, err
		}
		d := &world.Document{ID: world.NewGUID(), Created: c.now, Changed: c.now}
		if err := save(c, s, t, d, merge(nil, c.in), kind); err != nil {
			return nil, err
		}
		ch := change{activity: "Add named location", category: "Policy", operation: "Add", service: "Conditional Access", target: target("NamedLocation", d.ID, str(c.in, "displayName"))}
		ch.props = []world.Modified{{Name: "NamedLocation", Old: "", New: string(d.Raw)}}
		c.audit(s, t, ch)
		return c.created(s, t, path, shape, newDocument(d.ID, d.Raw))
	}})
	p.add("PATCH", path+"/{}", route{permit: write, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		old := t.Locations.Get(c.params[0])
		if old == nil {
			return nil, notFound(c.params[0])
		}
		kind := locationKind(newDocument(old.ID, old.Raw))
		if typ := str(c.in, "@odata.type"); typ != "" && typ != "#microsoft.graph."+kind {
			return nil, badRequest("The type of a named location cannot be changed.")
		}
		if err := locationFields(kind).check("", c.in); err != nil {
			return nil, err
		}
		d := *old
		d.Changed = c.now
		if err := save(c, s, t, &d, merge(decodeObject(old.Raw), c.in), kind); err != nil {
			return nil, err
		}
		ch := change{activity: "Update named location", category: "Policy", service: "Conditional Access", target: target("NamedLocation", d.ID, str(decodeObject(d.Raw), "displayName"))}
		ch.props = []world.Modified{{Name: "NamedLocation", Old: string(old.Raw), New: string(d.Raw)}}
		c.audit(s, t, ch)
		return noContent()
	}})
	p.add("DELETE", path+"/{}", route{permit: write, service: identity, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		old := t.Locations.Get(c.params[0])
		if old == nil {
			return nil, notFound(c.params[0])
		}
		for d := range t.Policies.All() {
			if bytes.Contains(bytes.ToLower(d.Raw), []byte(strings.ToLower(old.ID))) {
				return nil, badRequest("1037: The named location is used by the policy '%s' and cannot be deleted.", clip(str(decodeObject(d.Raw), "displayName")))
			}
		}
		if truth(decodeObject(old.Raw), "isTrusted") {
			return nil, badRequest("A trusted named location cannot be deleted: set isTrusted to false first.")
		}
		t.Locations.Delete(old.ID)
		s.Touch(t)
		c.audit(s, t, change{activity: "Delete named location", category: "Policy", operation: "Delete", service: "Conditional Access", target: target("NamedLocation", old.ID, str(decodeObject(old.Raw), "displayName"))})
		return noContent()
	}})
}
