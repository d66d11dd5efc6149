package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"

	"partnerguard/internal/access"
	"partnerguard/internal/lenient"
)

// rule is one policy in a form from which every engine's own is made. Empty
// lists mean any.
type rule struct {
	id                                       string
	allUsers                                 bool
	inUsers, inGroups, inRoles               []string
	outUsers, outGroups, outRoles            []string
	allApps                                  bool
	inApps, outApps                          []string
	clients, inPlatforms, outPlatforms, risk []string
	inPlaces, outPlaces                      []string
	block, compliantWillDo                   bool
}

// account is one user with everything resolved that a policy asks about.
type account struct {
	id            string
	groups, roles []string
}

// signIn is one case.
type signIn struct {
	user                        int
	app, client, platform, risk string
	ip                          netip.Addr
	places                      []string // resolved for the peers, who are not charged for it
	compliant                   bool
}

// small is the world of the decision benchmark.
type small struct {
	rules  []rule
	users  []account
	places []*access.NamedLocation
	cases  []signIn
}

func guid(kind, n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", kind, n) }

func makeSmall(n int) *small {
	r := rand.New(rand.NewPCG(25, 1))
	w := &small{}
	var groups, roles, apps []string
	for i := range 60 {
		groups = append(groups, guid(1, i))
	}
	for i := range 12 {
		roles = append(roles, guid(2, i))
	}
	for i := range 30 {
		apps = append(apps, guid(3, i))
	}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	some := func(list []string, n int) (out []string) {
		for range n {
			if s := pick(list); !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
		return out
	}
	for i := range 400 {
		w.users = append(w.users, account{id: guid(4, i), groups: some(groups, 8), roles: some(roles, r.IntN(3))})
	}
	var placeIDs []string
	for i := range 6 {
		id := guid(5, i)
		placeIDs = append(placeIDs, id)
		w.places = append(w.places, &access.NamedLocation{ID: id, DisplayName: fmt.Sprintf("Office %d", i),
			Ranges: lenient.List[access.IPRange]{Items: []access.IPRange{
				{CIDR: fmt.Sprintf("10.%d.0.0/16", i)}, {CIDR: fmt.Sprintf("192.0.2.%d/28", i*16)}, {CIDR: fmt.Sprintf("2001:db8:%d::/48", i)},
			}}})
	}
	platforms := []string{"android", "iOS", "windows", "macOS", "linux"}
	clients := []string{"browser", "native", "eas", "other"}
	risks := []string{"none", "low", "medium", "high"}
	add := func(f rule) { f.id = guid(6, len(w.rules)); w.rules = append(w.rules, f) }
	// What a tenant of some size has: a base, blocks, admins, risk, and many
	// policies for single groups and apps.
	add(rule{allUsers: true, allApps: true, clients: []string{"eas", "other"}, block: true, outGroups: some(groups, 1)})
	add(rule{inRoles: roles[:8], allApps: true})
	add(rule{allUsers: true, allApps: true, risk: []string{"medium", "high"}})
	add(rule{allUsers: true, allApps: true, outPlaces: placeIDs[:2], outGroups: some(groups, 2), outUsers: []string{w.users[0].id, w.users[1].id},
		compliantWillDo: true})
	add(rule{allUsers: true, allApps: true, risk: []string{"high"}, inPlatforms: []string{"linux"}, block: true})
	for len(w.rules) < 25 {
		f := rule{inGroups: some(groups, 1+r.IntN(5)), compliantWillDo: r.IntN(4) == 0}
		if f.inApps = some(apps, 1+r.IntN(6)); r.IntN(3) == 0 {
			f.inApps, f.allApps, f.outApps = nil, true, some(apps, 4)
		}
		if r.IntN(3) == 0 {
			f.outGroups = some(groups, 2)
		}
		if r.IntN(4) == 0 {
			f.outRoles = some(roles, 1)
		}
		if r.IntN(3) == 0 {
			f.clients = some(clients, 2)
		}
		switch r.IntN(5) {
		case 0:
			f.inPlatforms = some(platforms, 2)
		case 1:
			f.outPlatforms = some(platforms, 1)
		}
		switch r.IntN(4) {
		case 0:
			f.outPlaces = some(placeIDs, 2)
		case 1:
			f.inPlaces = some(placeIDs, 3)
		}
		if r.IntN(5) == 0 {
			f.risk = []string{"medium", "high"}
		}
		if f.block = r.IntN(5) == 0; f.block {
			f.compliantWillDo = false
		}
		add(f)
	}
	for range n {
		c := signIn{user: r.IntN(len(w.users)), app: pick(apps), client: pick(clients[:2]), platform: pick(platforms), risk: risks[max(0, r.IntN(12)-8)],
			compliant: r.IntN(3) == 0}
		if r.IntN(15) == 0 {
			c.client = pick(clients)
		}
		if c.client == "eas" { // reaches Exchange alone, which these rules do not name
			c.client = "other"
		}
		if r.IntN(4) == 0 {
			c.app = guid(3, 900+r.IntN(100)) // an app no policy names
		}
		if c.ip = netip.AddrFrom4([4]byte{10, byte(r.IntN(9)), byte(r.IntN(256)), byte(r.IntN(256))}); r.IntN(2) == 0 {
			c.ip = netip.AddrFrom4([4]byte{198, 51, 100, byte(r.IntN(256))})
		}
		for _, l := range w.places {
			for _, x := range l.Ranges.Items {
				if netip.MustParsePrefix(x.CIDR).Contains(c.ip) {
					c.places = append(c.places, l.ID)
				}
			}
		}
		w.cases = append(w.cases, c)
	}
	return w
}

// tenant is the world in the access engine's form.
func (w *small) tenant() *access.Tenant {
	t := &access.Tenant{Locations: w.places, KnownGroups: map[string]bool{}, RolesKnown: true, Whole: true}
	for i := range 60 {
		t.KnownGroups[guid(1, i)] = true
	}
	for _, u := range w.users {
		t.Users = append(t.Users, access.Subject{ID: u.id, Name: "user-" + u.id + "@example.com", Groups: u.groups, Roles: u.roles})
	}
	client := map[string]string{"browser": "browser", "native": "mobileAppsAndDesktopClients", "eas": "exchangeActiveSync", "other": "other"}
	for _, f := range w.rules {
		p := &access.Policy{ID: f.id, DisplayName: f.id, State: access.Enabled}
		c := &p.Conditions
		c.Users = access.Users{IncludeUsers: f.inUsers, IncludeGroups: f.inGroups, IncludeRoles: f.inRoles, ExcludeUsers: f.outUsers,
			ExcludeGroups: f.outGroups, ExcludeRoles: f.outRoles}
		if f.allUsers {
			c.Users.IncludeUsers = []string{"All"}
		}
		c.Applications = access.Applications{IncludeApplications: f.inApps, ExcludeApplications: f.outApps}
		if f.allApps {
			c.Applications.IncludeApplications = []string{"All"}
		}
		for _, x := range f.clients {
			c.ClientAppTypes = append(c.ClientAppTypes, client[x])
		}
		if len(f.inPlatforms)+len(f.outPlatforms) > 0 {
			p := access.PlatformCondition{Include: f.inPlatforms, Exclude: f.outPlatforms}
			if len(p.Include) == 0 {
				p.Include = []string{"all"}
			}
			c.Platforms.Items = []access.PlatformCondition{p}
		}
		if len(f.inPlaces)+len(f.outPlaces) > 0 {
			l := access.LocationCondition{IncludeLocations: f.inPlaces, ExcludeLocations: f.outPlaces}
			if len(l.IncludeLocations) == 0 {
				l.IncludeLocations = []string{"All"}
			}
			c.Locations.Items = []access.LocationCondition{l}
		}
		c.SignInRiskLevels = f.risk
		g := &access.GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}}
		if f.block {
			g.BuiltInControls = []string{"block"}
		} else if f.compliantWillDo {
			g.BuiltInControls = []string{"mfa", "compliantDevice"}
		}
		p.GrantControls = g
		t.Policies = append(t.Policies, p)
	}
	return t
}
