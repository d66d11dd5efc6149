package scenario

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/partnercloud/world"
)

// clientTypes are the words of clientAppTypes.
var clientTypes = []string{"all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other"}

// policy checks a policy by trying to write it.
func (c *checker) policy(path string, p *Policy, n *tenantNames) {
	c.moment(path+".created", p.Created)
	if p.Raw != nil {
		c.rawPolicy(path, p)
		return
	}
	if len(p.Users)+len(p.Roles)+len(p.Groups)+len(p.Guests) == 0 {
		c.fault(path, "add users: [All], roles, groups or guests", "policy %q takes nobody", p.Name)
	}
	if len(p.Grant) == 0 && p.Strength == "" && p.Frequency == "" && p.Browser == "" {
		c.fault(path, "add grant: [mfa], a strength or a session control", "policy %q demands nothing", p.Name)
	}
	c.policyWords(path, p)
	// named faults what a list says of something that is not there.
	named := func(key string, list []string, known func(string) bool, what, fix string) {
		for i, v := range list {
			if !known(v) {
				c.fault(fmt.Sprintf("%s.%s[%d]", path, key, i), fix, "policy %q: "+what+" is called %q", p.Name, v)
			}
		}
	}
	person := func(v string) bool {
		k := strings.ToLower(v)
		return k == "all" || k == "none" || k == "guestsorexternalusers" || n.people[k]
	}
	place := func(v string) bool { return v == "All" || v == "AllTrusted" || n.locations[strings.ToLower(v)] }
	app := func(v string) bool { return appID(c.sc, v) != "" }
	const (
		people = "write All, GuestsOrExternalUsers, or a person of the tenant"
		places = "write All, AllTrusted, or a location of the tenant"
		apps   = "write All, Office365, MicrosoftAdminPortals, a resource, an app of the scenario, or an app id"
	)
	named("users", p.Users, person, "nobody", people)
	named("exceptUsers", p.ExceptUsers, person, "nobody", people)
	c.groups(path+".groups", p.Groups, n.groups)
	c.groups(path+".exceptGroups", p.ExceptGroups, n.groups)
	c.roles(path+".roles", p.Roles)
	c.roles(path+".exceptRoles", p.ExceptRoles)
	named("locations", p.Locations, place, "no location", places)
	named("exceptLocations", p.ExceptLocations, place, "no location", places)
	named("apps", p.Apps, app, "no app", apps)
	named("exceptApps", p.ExceptApps, app, "no app", apps)
	if _, known := builtinStrength(p.Strength); p.Strength != "" && !known && !n.strengths[strings.ToLower(p.Strength)] {
		c.fault(path+".strength", "use Multifactor authentication, Passwordless MFA, Phishing-resistant MFA, or a strength of the tenant",
			"policy %q: no strength is called %q", p.Name, p.Strength)
	}
}

// rawPolicy checks a policy that is written as Graph does.
func (c *checker) rawPolicy(path string, p *Policy) {
	if p.short() {
		c.fault(path, "use raw alone, or the short form alone", "a policy is both raw and short")
	}
	b, err := json.Marshal(p.Raw)
	var got access.Policy
	switch {
	case err != nil || json.Unmarshal(b, &got) != nil:
		c.fault(path+".raw", "write a conditionalAccessPolicy as Graph does", "the raw policy is not one")
	case got.DisplayName == "":
		c.fault(path+".raw", "add displayName", "the raw policy has no displayName")
	case got.State != access.Enabled && got.State != access.Disabled && got.State != access.ReportOnly:
		c.fault(path+".raw", "state is enabled, disabled or enabledForReportingButNotEnforced", "%q is no state", string(got.State))
	}
	if id, _ := p.Raw["id"].(string); id != "" {
		c.id(path+".raw.id", id)
	}
}

// policyWords holds a policy's words to Graph's.
func (c *checker) policyWords(path string, p *Policy) {
	c.words(path+".state", p.State, "on", "off", "report-only")
	c.words(path+".operator", p.Operator, "AND", "OR")
	c.words(path+".browser", p.Browser, "always", "never")
	guests := []string{"internalGuest", "b2bCollaborationGuest", "b2bCollaborationMember", "b2bDirectConnectUser", "otherExternalUser", "serviceProvider"}
	c.each(path+".guests", p.Guests, guests...)
	c.each(path+".exceptGuests", p.ExceptGuests, guests...)
	c.each(path+".clients", p.Clients, clientTypes...)
	platforms := []string{"all", "android", "iOS", "windows", "windowsPhone", "macOS", "linux"}
	c.each(path+".platforms", p.Platforms, platforms...)
	c.each(path+".exceptPlatforms", p.ExceptPlatforms, platforms...)
	risks := []string{"none", "low", "medium", "high"}
	c.each(path+".signInRisk", p.SignInRisk, risks...)
	c.each(path+".userRisk", p.UserRisk, risks...)
	c.each(path+".flows", p.Flows, "deviceCodeFlow", "authenticationTransfer")
	c.each(path+".actions", p.Actions, "urn:user:registersecurityinfo", "urn:user:registerdevice")
	c.each(path+".grant", p.Grant, "block", "mfa", "compliantDevice", "domainJoinedDevice", "approvedApplication", "compliantApplication", "passwordChange")
	if p.Frequency != "" && p.Frequency != "every time" {
		if _, ok := distance(p.Frequency); !ok || strings.HasSuffix(p.Frequency, "m") {
			c.fault(path+".frequency", "write 4h, 7d or every time", "%q is no sign-in frequency", p.Frequency)
		}
	}
	if p.Devices != nil {
		c.words(path+".devices.mode", p.Devices.Mode, "include", "exclude")
		if p.Devices.Rule == "" {
			c.fault(path+".devices", `add rule: device.isCompliant -eq True`, "a device filter without a rule")
		}
	}
}

// short reports any key of the short form.
func (p *Policy) short() bool {
	return p.Name != "" || p.State != "" || p.Operator != "" || p.Strength != "" || p.Frequency != "" || p.Browser != "" || p.Devices != nil ||
		len(slices.Concat(p.Users, p.Roles, p.Groups, p.Guests, p.ExceptUsers, p.ExceptRoles, p.ExceptGroups, p.ExceptGuests, p.Apps, p.ExceptApps, p.Actions,
			p.Contexts, p.Clients, p.Platforms, p.ExceptPlatforms, p.Locations, p.ExceptLocations, p.SignInRisk, p.UserRisk, p.Flows, p.Grant)) > 0
}

// appID resolves what a policy calls an app.
func appID(sc *Scenario, name string) string {
	switch name {
	case "All", "None", "Office365", "MicrosoftAdminPortals":
		return name
	}
	if r := resource(name); r != nil {
		return r.AppID
	}
	if a := sc.app(name); a != nil {
		if a.ID != "" {
			return strings.ToLower(a.ID)
		}
		return "app:" + a.Name // its id comes from the seed
	}
	if world.IsGUID(name) {
		return strings.ToLower(name)
	}
	return ""
}

// policy writes a policy as Graph does.
func (b *builder) policy(t *world.Tenant, p *Policy) *world.Document {
	if p.Raw != nil {
		return b.policyDocument(t, p, maps.Clone(p.Raw))
	}
	var grant any
	if len(p.Grant) > 0 || p.Strength != "" {
		var strength any
		if p.Strength != "" {
			strength = json.RawMessage(b.strength(t, p.Strength))
		}
		grant = map[string]any{
			"operator": cmp.Or(p.Operator, "OR"), "builtInControls": list(p.Grant), "customAuthenticationFactors": []string{},
			"termsOfUse": []string{}, "authenticationStrength": strength,
		}
	}
	states := map[string]string{"": "enabled", "on": "enabled", "off": "disabled", "report-only": "enabledForReportingButNotEnforced"}
	return b.policyDocument(t, p, map[string]any{
		"displayName": p.Name, "templateId": nil, "state": states[p.State],
		"conditions": b.conditions(t, p), "grantControls": grant, "sessionControls": p.session(),
	})
}

// policyDocument fills in what every policy has.
func (b *builder) policyDocument(t *world.Tenant, p *Policy, v map[string]any) *world.Document {
	created := p.Created.or(b.created, b.created.AddDate(-1, 0, 0)).UTC().Truncate(time.Second)
	id, _ := v["id"].(string)
	if id == "" {
		name, _ := v["displayName"].(string)
		id = b.state.GUID("policy/" + t.ID + "/" + name)
		v["id"] = id
	}
	if _, ok := v["createdDateTime"]; !ok {
		v["createdDateTime"] = created.Format(time.RFC3339)
	}
	if _, ok := v["modifiedDateTime"]; !ok {
		v["modifiedDateTime"] = nil
	}
	return &world.Document{ID: id, Raw: mustJSON(v), Created: created}
}

// list is a list that JSON shows as one, also when it is empty.
func list(in []string) []string { return listOf(in, func(v string) string { return v }) }

func listOf(in []string, of func(string) string) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = of(v)
	}
	return out
}

// or is the list, or the one word where it is empty.
func or(in []string, word string) []string {
	if len(in) == 0 {
		return []string{word}
	}
	return in
}

// conditions are a policy's, as Graph writes them.
func (b *builder) conditions(t *world.Tenant, p *Policy) map[string]any {
	person := func(u string) string {
		switch strings.ToLower(u) {
		case "all":
			return "All"
		case "none":
			return "None"
		case "guestsorexternalusers":
			return "GuestsOrExternalUsers"
		}
		return b.person(t, u)
	}
	group := func(g string) string { return b.groupID(t, g) }
	role := func(r string) string { id, _ := roleID(r); return id }
	app := func(a string) string {
		id := appID(b.sc, a)
		if name, ok := strings.CutPrefix(id, "app:"); ok {
			id = b.appIDOf(b.sc.app(name))
		}
		return id
	}
	place := func(l string) string {
		if l != "All" && l != "AllTrusted" {
			l = b.state.GUID("location/" + t.ID + "/" + strings.ToLower(l))
		}
		return l
	}
	include := listOf(or(p.Apps, "All"), app)
	if len(p.Actions)+len(p.Contexts) > 0 {
		include = []string{}
	}
	out := map[string]any{
		"users": map[string]any{
			"includeUsers": listOf(p.Users, person), "excludeUsers": listOf(p.ExceptUsers, person),
			"includeGroups": listOf(p.Groups, group), "excludeGroups": listOf(p.ExceptGroups, group),
			"includeRoles": listOf(p.Roles, role), "excludeRoles": listOf(p.ExceptRoles, role),
			"includeGuestsOrExternalUsers": guests(p.Guests), "excludeGuestsOrExternalUsers": guests(p.ExceptGuests),
		},
		"applications": map[string]any{
			"includeApplications": include, "excludeApplications": listOf(p.ExceptApps, app), "includeUserActions": list(p.Actions),
			"includeAuthenticationContextClassReferences": list(p.Contexts), "applicationFilter": nil,
		},
		"clientAppTypes": or(p.Clients, "all"), "signInRiskLevels": list(p.SignInRisk), "userRiskLevels": list(p.UserRisk),
		"servicePrincipalRiskLevels": []string{}, "insiderRiskLevels": nil, "platforms": nil, "locations": nil, "devices": nil,
		"clientApplications": nil, "authenticationFlows": nil,
	}
	if len(p.Platforms)+len(p.ExceptPlatforms) > 0 {
		out["platforms"] = map[string]any{"includePlatforms": or(p.Platforms, "all"), "excludePlatforms": list(p.ExceptPlatforms)}
	}
	if len(p.Locations)+len(p.ExceptLocations) > 0 {
		out["locations"] = map[string]any{"includeLocations": listOf(or(p.Locations, "All"), place), "excludeLocations": listOf(p.ExceptLocations, place)}
	}
	if len(p.Flows) > 0 {
		out["authenticationFlows"] = map[string]any{"transferMethods": strings.Join(p.Flows, ",")}
	}
	if p.Devices != nil {
		out["devices"] = map[string]any{"deviceFilter": map[string]any{"mode": p.Devices.Mode, "rule": p.Devices.Rule}}
	}
	return out
}

func guests(in []string) any {
	if len(in) == 0 {
		return nil
	}
	return map[string]any{"guestOrExternalUserTypes": strings.Join(in, ","), "externalTenants": map[string]any{
		"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all",
	}}
}

func (p *Policy) session() any {
	out := map[string]any{"disableResilienceDefaults": nil, "applicationEnforcedRestrictions": nil, "cloudAppSecurity": nil, "signInFrequency": nil,
		"persistentBrowser": nil}
	switch {
	case p.Frequency == "every time":
		out["signInFrequency"] = map[string]any{"isEnabled": true, "value": nil, "type": nil, "authenticationType": "primaryAndSecondaryAuthentication",
			"frequencyInterval": "everyTime"}
	case p.Frequency != "":
		n, _ := strconv.Atoi(p.Frequency[:len(p.Frequency)-1])
		unit := map[byte]string{'h': "hours", 'd': "days"}[p.Frequency[len(p.Frequency)-1]]
		out["signInFrequency"] = map[string]any{"isEnabled": true, "value": n, "type": unit, "authenticationType": "primaryAndSecondaryAuthentication",
			"frequencyInterval": "timeBased"}
	case p.Browser == "":
		return nil
	}
	if p.Browser != "" {
		out["persistentBrowser"] = map[string]any{"isEnabled": true, "mode": p.Browser}
	}
	return out
}

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // only for values that JSON cannot say, which were refused
		panic("scenario: " + err.Error())
	}
	return b
}
