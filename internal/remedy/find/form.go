package find

import (
	"encoding/json"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// asKnown writes a policy as far as it is known: for what is made, and for one that was
// read in a form that is not Graph's.
func asKnown(p *access.Policy) map[string]any {
	c := &p.Conditions
	users := map[string]any{}
	list := func(o map[string]any, name string, values []string) {
		if len(values) > 0 {
			o[name] = slices.Clone(values)
		}
	}
	list(users, "includeUsers", c.Users.IncludeUsers)
	list(users, "excludeUsers", c.Users.ExcludeUsers)
	list(users, "includeGroups", c.Users.IncludeGroups)
	list(users, "excludeGroups", c.Users.ExcludeGroups)
	list(users, "includeRoles", c.Users.IncludeRoles)
	list(users, "excludeRoles", c.Users.ExcludeRoles)
	for name, x := range map[string][]access.Externals{"includeGuestsOrExternalUsers": c.Users.IncludeExternals.Items,
		"excludeGuestsOrExternalUsers": c.Users.ExcludeExternals.Items} {
		if len(x) > 0 {
			users[name] = externals(&x[0])
		}
	}
	apps := map[string]any{}
	list(apps, "includeApplications", c.Applications.IncludeApplications)
	list(apps, "excludeApplications", c.Applications.ExcludeApplications)
	list(apps, "includeUserActions", c.Applications.UserActions)
	list(apps, "includeAuthenticationContextClassReferences", c.Applications.Contexts)
	conditions := map[string]any{"users": users, "applications": apps}
	list(conditions, "clientAppTypes", c.ClientAppTypes)
	list(conditions, "signInRiskLevels", c.SignInRiskLevels)
	list(conditions, "userRiskLevels", c.UserRiskLevels)
	for _, x := range c.Platforms.Items {
		o := map[string]any{}
		list(o, "includePlatforms", x.Include)
		list(o, "excludePlatforms", x.Exclude)
		conditions["platforms"] = o
	}
	for _, x := range c.Locations.Items {
		o := map[string]any{}
		list(o, "includeLocations", x.IncludeLocations)
		list(o, "excludeLocations", x.ExcludeLocations)
		conditions["locations"] = o
	}
	for _, x := range c.Devices.Items {
		if x.Filter != nil {
			conditions["devices"] = map[string]any{"deviceFilter": map[string]any{"mode": string(x.Filter.Mode), "rule": x.Filter.Rule}}
		}
	}
	for _, x := range c.Flows.Items {
		conditions["authenticationFlows"] = map[string]any{"transferMethods": strings.Join(x.TransferMethods, ",")}
	}
	if len(c.InsiderRisk) > 0 {
		conditions["insiderRiskLevels"] = strings.Join(c.InsiderRisk, ",")
	}
	out := map[string]any{"displayName": p.DisplayName, "state": string(p.State), "conditions": conditions, "grantControls": grantOf(p.GrantControls)}
	return out
}

func externals(x *access.Externals) map[string]any {
	out := map[string]any{"guestOrExternalUserTypes": strings.Join(x.Types, ",")}
	if x.Tenants != nil {
		tenants := map[string]any{"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all"}
		if strings.EqualFold(string(x.Tenants.Kind), "enumerated") {
			tenants = map[string]any{"@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants", "membershipKind": "enumerated",
				"members": slices.Clone(x.Tenants.Members)}
		}
		out["externalTenants"] = tenants
	}
	return out
}

// grantOf writes what a policy asks for; nil where it asks for nothing.
func grantOf(g *access.GrantControls) any {
	if g == nil {
		return nil
	}
	out := map[string]any{"operator": strings.ToUpper(string(g.Operator))}
	if len(g.BuiltInControls) > 0 {
		out["builtInControls"] = slices.Clone(g.BuiltInControls)
	}
	if len(g.CustomFactors) > 0 {
		out["customAuthenticationFactors"] = slices.Clone(g.CustomFactors)
	}
	if len(g.TermsOfUse) > 0 {
		out["termsOfUse"] = slices.Clone(g.TermsOfUse)
	}
	if g.Strength != nil && g.Strength.ID != "" {
		out["authenticationStrength"] = map[string]any{"id": g.Strength.ID}
	}
	return out
}

// graphs reports an object in Graph's own form: other tools write members in other cases
// and shapes.
func graphs(raw json.RawMessage) (map[string]any, bool) {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return nil, false
	}
	conditions, ok := m["conditions"].(map[string]any)
	if !ok {
		return nil, false
	}
	if _, ok = conditions["users"].(map[string]any); !ok {
		return nil, false
	}
	_, named := m["displayName"].(string)
	return m, named
}

// before is a policy as it was read: Graph's own words where they are there, with ids in
// the place of names. known says that they are whole.
func (f *finder) before(p *access.Policy) (m map[string]any, known bool, place *remedy.Place) {
	r, ok := f.Objects[remedy.Policy][strings.ToLower(p.ID)]
	if ok {
		if m, whole := graphs(r.Raw); whole && len(p.Unsupported) == 0 {
			f.ids(m, p)
			return m, true, r.Place
		}
	}
	return asKnown(p), false, r.Place
}

// ids puts ids where a tool wrote names: the policy as it is judged has them.
func (f *finder) ids(m map[string]any, p *access.Policy) {
	u := &p.Conditions.Users
	put := func(o map[string]any, name string, values []string) {
		var have []string
		list, _ := o[name].([]any)
		for _, v := range list {
			s, _ := v.(string)
			have = append(have, s)
		}
		if len(have) > 0 && len(have) == len(values) && !slices.Equal(have, values) {
			o[name] = slices.Clone(values)
		}
	}
	users, _ := down(m, "conditions", "users")
	for name, values := range map[string][]string{"includeUsers": u.IncludeUsers, "excludeUsers": u.ExcludeUsers, "includeGroups": u.IncludeGroups,
		"excludeGroups": u.ExcludeGroups, "includeRoles": u.IncludeRoles, "excludeRoles": u.ExcludeRoles} {
		put(users, name, values)
	}
	if places, ok := down(m, "conditions", "locations"); ok && len(p.Conditions.Locations.Items) == 1 {
		put(places, "includeLocations", p.Conditions.Locations.Items[0].IncludeLocations)
		put(places, "excludeLocations", p.Conditions.Locations.Items[0].ExcludeLocations)
	}
}

func down(m map[string]any, path ...string) (map[string]any, bool) {
	for _, name := range path {
		next, ok := m[name].(map[string]any)
		if !ok {
			return map[string]any{}, false
		}
		m = next
	}
	return m, true
}

// change puts into an object what a change of a field makes of the policy.
func change(m map[string]any, field string, then *access.Policy) {
	known := asKnown(then)
	path := strings.Split(field, ".")
	last := path[len(path)-1]
	from, here := down(known, path[:len(path)-1]...)
	to := m
	for _, name := range path[:len(path)-1] {
		next, ok := to[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			to[name] = next
		}
		to = next
	}
	v, ok := from[last]
	if last == "grantControls" {
		to[last] = v
		return
	}
	if !here || !ok {
		delete(to, last)
		return
	}
	to[last] = v
}

// clone copies an object.
func clone(m map[string]any) map[string]any {
	raw, err := json.Marshal(m)
	if err != nil {
		return m
	}
	var out map[string]any
	_ = json.Unmarshal(raw, &out) // it was written before
	return out
}

// canonical writes an object in canonical form.
func canonical(kind remedy.Kind, o any) (remedy.Object, error) {
	raw, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	return object.Canonical(kind, raw)
}
