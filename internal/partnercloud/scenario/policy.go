package scenario

import (
	"encoding/json"
	"fmt"
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
		return
	}
	c.words(path+".state", p.State, "on", "off", "report-only")
	c.words(path+".operator", p.Operator, "AND", "OR")
	c.words(path+".browser", p.Browser, "always", "never")
	if len(p.Users)+len(p.Roles)+len(p.Groups)+len(p.Guests) == 0 {
		c.fault(path, "add users: [All], roles, groups or guests", "policy %q takes nobody", p.Name)
	}
	if len(p.Grant) == 0 && p.Strength == "" && p.Frequency == "" && p.Browser == "" {
		c.fault(path, "add grant: [mfa], a strength or a session control", "policy %q demands nothing", p.Name)
	}
	for _, l := range []struct {
		key  string
		list []string
	}{{"users", p.Users}, {"exceptUsers", p.ExceptUsers}} {
		for i, u := range l.list {
			if k := strings.ToLower(u); k != "all" && k != "none" && k != "guestsorexternalusers" && !n.people[k] {
				c.fault(fmt.Sprintf("%s.%s[%d]", path, l.key, i), "write All, GuestsOrExternalUsers, or a person of the tenant", "policy %q: nobody is called %q", p.Name, u)
			}
		}
	}
	c.list(path+".groups", p.Groups, n.groups, "group")
	c.list(path+".exceptGroups", p.ExceptGroups, n.groups, "group")
	c.roles(path+".roles", p.Roles)
	c.roles(path+".exceptRoles", p.ExceptRoles)
	each := func(key string, list, allowed []string) {
		for i, v := range list {
			c.words(fmt.Sprintf("%s.%s[%d]", path, key, i), v, allowed...)
		}
	}
	guests := []string{"internalGuest", "b2bCollaborationGuest", "b2bCollaborationMember", "b2bDirectConnectUser", "otherExternalUser", "serviceProvider"}
	each("guests", p.Guests, guests)
	each("exceptGuests", p.ExceptGuests, guests)
	each("clients", p.Clients, clientTypes)
	platforms := []string{"all", "android", "iOS", "windows", "windowsPhone", "macOS", "linux"}
	each("platforms", p.Platforms, platforms)
	each("exceptPlatforms", p.ExceptPlatforms, platforms)
	risks := []string{"none", "low", "medium", "high"}
	each("signInRisk", p.SignInRisk, risks)
	each("userRisk", p.UserRisk, risks)
	each("flows", p.Flows, []string{"deviceCodeFlow", "authenticationTransfer"})
	each("actions", p.Actions, []string{"urn:user:registersecurityinfo", "urn:user:registerdevice"})
	each("grant", p.Grant, []string{"block", "mfa", "compliantDevice", "domainJoinedDevice", "approvedApplication", "compliantApplication", "passwordChange"})
	for _, l := range []struct {
		key  string
		list []string
	}{{"locations", p.Locations}, {"exceptLocations", p.ExceptLocations}} {
		for i, v := range l.list {
			if v != "All" && v != "AllTrusted" && !n.locations[strings.ToLower(v)] {
				c.fault(fmt.Sprintf("%s.%s[%d]", path, l.key, i), "write All, AllTrusted, or a location of the tenant", "policy %q: no location is called %q", p.Name, v)
			}
		}
	}
	for _, l := range []struct {
		key  string
		list []string
	}{{"apps", p.Apps}, {"exceptApps", p.ExceptApps}} {
		for i, v := range l.list {
			if appID(c.sc, v) == "" {
				c.fault(fmt.Sprintf("%s.%s[%d]", path, l.key, i), "write All, Office365, MicrosoftAdminPortals, a resource, an app of the scenario, or an app id", "policy %q: no app is called %q", p.Name, v)
			}
		}
	}
	if _, known := builtinStrength(p.Strength); p.Strength != "" && !known && !n.strengths[strings.ToLower(p.Strength)] {
		c.fault(path+".strength", "use Multifactor authentication, Passwordless MFA, Phishing-resistant MFA, or a strength of the tenant", "policy %q: no strength is called %q", p.Name, p.Strength)
	}
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
	created := p.Created.or(b.created, b.created.AddDate(-1, 0, 0)).UTC().Truncate(time.Second)
	doc := func(v map[string]any) *world.Document {
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
	if p.Raw != nil {
		v := make(map[string]any, len(p.Raw)+3)
		for k, x := range p.Raw {
			v[k] = x
		}
		return doc(v)
	}
	list := func(in []string) []string {
		if in == nil {
			return []string{}
		}
		return in
	}
	people := func(in []string) []string {
		out := []string{}
		for _, u := range in {
			switch strings.ToLower(u) {
			case "all":
				out = append(out, "All")
			case "none":
				out = append(out, "None")
			case "guestsorexternalusers":
				out = append(out, "GuestsOrExternalUsers")
			default:
				out = append(out, b.person(t, u))
			}
		}
		return out
	}
	groups := func(in []string) []string {
		out := []string{}
		for _, g := range in {
			out = append(out, b.groupID(t, g))
		}
		return out
	}
	roles := func(in []string) []string {
		out := []string{}
		for _, r := range in {
			id, _ := roleID(r)
			out = append(out, id)
		}
		return out
	}
	apps := func(in []string) []string {
		out := []string{}
		for _, a := range in {
			id := appID(b.sc, a)
			if name, ok := strings.CutPrefix(id, "app:"); ok {
				id = b.appIDOf(b.sc.app(name))
			}
			out = append(out, id)
		}
		return out
	}
	places := func(in []string) []string {
		out := []string{}
		for _, l := range in {
			if l != "All" && l != "AllTrusted" {
				l = b.state.GUID("location/" + t.ID + "/" + strings.ToLower(l))
			}
			out = append(out, l)
		}
		return out
	}
	guests := func(in []string) any {
		if len(in) == 0 {
			return nil
		}
		return map[string]any{"guestOrExternalUserTypes": strings.Join(in, ","), "externalTenants": map[string]any{"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all"}}
	}
	all := func(in []string) []string {
		if len(in) == 0 {
			return []string{"All"}
		}
		return in
	}
	include := apps(all(p.Apps))
	if len(p.Actions)+len(p.Contexts) > 0 {
		include = []string{}
	}
	clients := p.Clients
	if len(clients) == 0 {
		clients = []string{"all"}
	}
	conditions := map[string]any{
		"users": map[string]any{"includeUsers": people(p.Users), "excludeUsers": people(p.ExceptUsers), "includeGroups": groups(p.Groups), "excludeGroups": groups(p.ExceptGroups),
			"includeRoles": roles(p.Roles), "excludeRoles": roles(p.ExceptRoles), "includeGuestsOrExternalUsers": guests(p.Guests), "excludeGuestsOrExternalUsers": guests(p.ExceptGuests)},
		"applications": map[string]any{"includeApplications": include, "excludeApplications": apps(p.ExceptApps), "includeUserActions": list(p.Actions),
			"includeAuthenticationContextClassReferences": list(p.Contexts), "applicationFilter": nil},
		"clientAppTypes": clients, "signInRiskLevels": list(p.SignInRisk), "userRiskLevels": list(p.UserRisk), "servicePrincipalRiskLevels": []string{},
		"insiderRiskLevels": nil, "platforms": nil, "locations": nil, "devices": nil, "clientApplications": nil, "authenticationFlows": nil,
	}
	if len(p.Platforms)+len(p.ExceptPlatforms) > 0 {
		in := p.Platforms
		if len(in) == 0 {
			in = []string{"all"}
		}
		conditions["platforms"] = map[string]any{"includePlatforms": in, "excludePlatforms": list(p.ExceptPlatforms)}
	}
	if len(p.Locations)+len(p.ExceptLocations) > 0 {
		conditions["locations"] = map[string]any{"includeLocations": places(all(p.Locations)), "excludeLocations": places(p.ExceptLocations)}
	}
	if len(p.Flows) > 0 {
		conditions["authenticationFlows"] = map[string]any{"transferMethods": strings.Join(p.Flows, ",")}
	}
	if p.Devices != nil {
		conditions["devices"] = map[string]any{"deviceFilter": map[string]any{"mode": p.Devices.Mode, "rule": p.Devices.Rule}}
	}
	operator := p.Operator
	if operator == "" {
		operator = "OR"
	}
	var grant any
	if len(p.Grant) > 0 || p.Strength != "" {
		var strength any
		if p.Strength != "" {
			strength = json.RawMessage(b.strength(t, p.Strength))
		}
		grant = map[string]any{"operator": operator, "builtInControls": list(p.Grant), "customAuthenticationFactors": []string{}, "termsOfUse": []string{}, "authenticationStrength": strength}
	}
	return doc(map[string]any{
		"displayName": p.Name, "templateId": nil, "state": map[string]string{"": "enabled", "on": "enabled", "off": "disabled", "report-only": "enabledForReportingButNotEnforced"}[p.State],
		"conditions": conditions, "grantControls": grant, "sessionControls": p.session(),
	})
}

func (p *Policy) session() any {
	out := map[string]any{"disableResilienceDefaults": nil, "applicationEnforcedRestrictions": nil, "cloudAppSecurity": nil, "signInFrequency": nil, "persistentBrowser": nil}
	switch {
	case p.Frequency == "every time":
		out["signInFrequency"] = map[string]any{"isEnabled": true, "value": nil, "type": nil, "authenticationType": "primaryAndSecondaryAuthentication", "frequencyInterval": "everyTime"}
	case p.Frequency != "":
		n, _ := strconv.Atoi(p.Frequency[:len(p.Frequency)-1])
		unit := map[byte]string{'h': "hours", 'd': "days"}[p.Frequency[len(p.Frequency)-1]]
		out["signInFrequency"] = map[string]any{"isEnabled": true, "value": n, "type": unit, "authenticationType": "primaryAndSecondaryAuthentication", "frequencyInterval": "timeBased"}
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
