package access

import (
	"math/rand/v2"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
)

// randomTry draws a sign-in that can be.
func randomTry(r *rand.Rand, q *Question) try {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	s := try{
		client: pick("browser", "native", "device-code", "transfer", "eas", "other"), app: pick(entra.AppExchange, sharePoint, appUnknown, appOwn, appOther,
			appBasic),
		platform: pick("windows", "iOS", "linux"), ip: pick(probes...), country: pick("NL", "DE", ""), gps: pick("NL", "DE", ""), risk: pick("none", "high"),
		dev: devices[r.IntN(len(devices))],
	}
	if has(q.Clients, "legacy") {
		s.client = pick("eas", "other")
	}
	switch s.client {
	case "eas":
		s.app = entra.AppExchange
	case "other":
		if s.dev = (device{}); s.app == appBasic { // legacy protocols ask for no scopes
			s.app = appOther
		}
	}
	return s
}

// partialTenant is a random tenant of which something is not known.
func partialTenant(r *rand.Rand) *Tenant {
	t := randomTenant(r)
	off := false
	t.Defaults.IsEnabled.Value = off
	t.OpenActivation, t.OpenRoles, t.CustomRoles, t.OwnApps = map[string]string{}, map[string]string{}, map[string]bool{}, map[string]bool{appOwn: true}
	t.KnownGroups = map[string]bool{"g1": r.IntN(3) > 0, "g2": r.IntN(4) > 0}
	if t.KnownGroups["g2"] && r.IntN(4) == 0 {
		t.OpenActivation["g2"] = "x"
	}
	if t.RolesKnown && r.IntN(4) == 0 {
		t.OpenRoles["r2"] = "x"
	}
	if r.IntN(4) == 0 {
		t.EligibleLack = "x"
	}
	if r.IntN(6) == 0 {
		t.CustomRoles["r1"] = true
	}
	t.OpenEligible = map[string]string{}
	if r.IntN(5) == 0 {
		t.OpenEligible["r1"] = "x"
	}
	if r.IntN(4) == 0 {
		t.LocationsLack = "x"
	}
	t.At = baselineTo.AddDate(0, []int{-6, -1, 1}[r.IntN(3)], 0)
	t.Locations = append(t.Locations,
		&NamedLocation{ID: "vague", DisplayName: "Vague", IsTrusted: lenient.Bool{Value: r.IntN(2) == 0, Set: r.IntN(3) > 0}},
		&NamedLocation{ID: "nlgps", DisplayName: "NL by GPS", Countries: []string{"NL"}, LookupMethod: "authenticatorAppGps",
			IsTrusted: lenient.Bool{Set: true}})
	for i := range t.Users {
		s := &t.Users[i]
		s.PerUserMFA, s.Groups = "", slices.DeleteFunc(s.Groups, func(g string) bool { return g == "g2" && r.IntN(3) == 0 })
		switch r.IntN(8) {
		case 0:
			s.PerhapsGroups = []string{"g1"}
		case 1:
			s.Activate = []string{"g2"}
		case 2:
			s.PerhapsRoles = []string{"r1"}
		case 3:
			if s.External == Member {
				s.Kinds = []External{Member, InternalGuest}
			}
		case 4:
			s.Unidentified, s.ID = true, s.Name
		case 5:
			s.Admin = true
		}
		s.Groups = slices.DeleteFunc(s.Groups, func(g string) bool { return slices.Contains(s.PerhapsGroups, g) || slices.Contains(s.Activate, g) })
		s.Roles = slices.DeleteFunc(s.Roles, func(g string) bool { return slices.Contains(s.PerhapsRoles, g) })
	}
	for _, p := range t.Policies {
		loosen(r, p)
	}
	if r.IntN(6) > 0 {
		t.Policies = append(t.Policies, halves(r)...)
	}
	return t
}

// halves are policies that come near to covering everything: for all but
// something, and for that; sometimes the second is missing or is not its
// counterpart.
func halves(r *rand.Rand) []*Policy {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	make1 := func(id string) *Policy {
		p := covering(nil)
		p.ID, p.DisplayName = id, id
		return p
	}
	filter := func(mode, rule string) []DeviceCondition {
		return []DeviceCondition{{Filter: &struct {
			Mode lenient.String `json:"mode"`
			Rule string         `json:"rule"`
		}{lenient.String(mode), rule}}}
	}
	split := func(but, only *Policy) {
		a, b := &but.Conditions, &only.Conditions
		switch r.IntN(9) {
		case 0:
			g := pick("g1", "g2", "strange")
			a.Users.ExcludeGroups, b.Users.IncludeUsers, b.Users.IncludeGroups = []string{g}, nil, []string{g}
		case 1:
			role := pick("r1", "r2")
			a.Users.ExcludeRoles, b.Users.IncludeUsers, b.Users.IncludeRoles = []string{role}, nil, []string{role}
		case 2:
			id := pick("gone", "u1")
			a.Users.ExcludeUsers, b.Users.IncludeUsers = []string{id}, []string{id}
		case 3:
			a.Users.ExcludeUsers, b.Users.IncludeUsers = []string{"GuestsOrExternalUsers"}, []string{"GuestsOrExternalUsers"}
		case 4:
			list := []string{pick("hq", "lost", "vague", "nl", "nlgps", "AllTrusted", entra.NilID), pick("lab", "vague", "AllTrusted")}
			a.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: list}}
			b.Locations.Items = []LocationCondition{{IncludeLocations: list}}
		case 5:
			rule := filterRules[r.IntN(len(filterRules))]
			a.Devices.Items, b.Devices.Items = filter("exclude", rule), filter("include", rule)
		case 6:
			app := pick("Office365", appUnknown, "MicrosoftAdminPortals", sharePoint, appOwn)
			a.Applications.ExcludeApplications, b.Applications.IncludeApplications = []string{app}, []string{app}
		case 7:
			a.ClientAppTypes, b.ClientAppTypes = []string{"browser", "mobileAppsAndDesktopClients"}, []string{"exchangeActiveSync", "other"}
			only.GrantControls = &GrantControls{Operator: "OR", BuiltInControls: []string{"block"}}
		case 8: // what is not compliant is refused, and what is compliant asked
			but.GrantControls = &GrantControls{Operator: "OR", BuiltInControls: []string{pick("compliantDevice", "domainJoinedDevice")}}
			b.Devices.Items = filter("include", pick(`device.isCompliant -eq True`, `device.trustType -eq "ServerAD"`))
		}
	}
	but, only, other := make1("but"), make1("only"), make1("other")
	split(but, only)
	switch r.IntN(5) {
	case 0:
		split(make1(""), other)
		return []*Policy{but, other}
	case 1:
		return []*Policy{but}
	}
	return []*Policy{but, only}
}

// loosen adds to a random policy what the older generator does not draw.
func loosen(r *rand.Rand, p *Policy) {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	if len(p.Unsupported) > 0 {
		p.Unsupported = []string{pick("conditions.moon", "grant control \"x\"", "conditions.users.x (not a list of texts)", "state \"x\"")}
		if strings.HasPrefix(p.Unsupported[0], "state") {
			p.State = "x"
		}
	}
	c := &p.Conditions
	if r.IntN(3) == 0 {
		list := []string{pick("lost", "vague", "nlgps", "AllTrusted", entra.NilID, "hq")}
		c.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: list}}
		if r.IntN(2) == 0 {
			c.Locations.Items = []LocationCondition{{IncludeLocations: list}}
		}
	}
	if r.IntN(3) == 0 {
		f := DeviceCondition{Filter: &struct {
			Mode lenient.String `json:"mode"`
			Rule string         `json:"rule"`
		}{lenient.String(pick("include", "exclude")), filterRules[r.IntN(len(filterRules))]}}
		c.Devices.Items = []DeviceCondition{f}
	} else {
		c.Devices.Items = nil
	}
	if len(c.Applications.UserActions) == 0 && r.IntN(4) == 0 {
		c.Applications.IncludeApplications = []string{pick("All", "Office365", appUnknown)}
		c.Applications.ExcludeApplications = []string{pick("Office365", appUnknown, "MicrosoftAdminPortals", entra.AppAADGraph, sharePoint)}
	}
	if r.IntN(8) == 0 && p.GrantControls != nil {
		p.GrantControls.BuiltInControls = []string{pick("compliantDevice", "domainJoinedDevice", "approvedApplication"), pick("compliantDevice", "mfa")}
	}
}
