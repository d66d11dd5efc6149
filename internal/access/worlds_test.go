package access

import (
	"math/rand/v2"
	"net/netip"
	"partnerguard/internal/entra"
	"slices"
	"strings"
)

// The test below holds proofs to a small evaluator of its own. A partial export
// stands for many tenants; each way to complete it is a world. In a world every
// thing has a value, so that whether a policy takes a sign-in is plain reading.
// Nothing here uses the engine's masks, classes or diagrams.

// The small universe.
const (
	appUnknown = "11111111-1111-4111-8111-111111111111" // in one of the suites, or in none
	appOwn     = "22222222-2222-4222-8222-222222222222"
	appOther   = "any other app"
	appBasic   = resBasic
	sharePoint = "00000003-0000-0ff1-ce00-000000000000"
)

var probes = []string{"203.0.113.7", "203.0.113.200", "198.51.100.9"} // in HQ; in HQ and the lab; in neither

// device is what a client shows of the device; the zero value is an unregistered one.
type device struct {
	compliant, trust, model string // "" no value
	approved, protected     bool
}

var devices = []device{
	{}, {compliant: "True", trust: "AzureAD", model: "Surface"}, {compliant: "False", trust: "ServerAD", model: "Surf"},
	{compliant: "True", trust: "ServerAD", model: "Kiosk"}, {model: "Dell"}, {compliant: "False", model: "Kiosk"},
	{approved: true, protected: true, model: "surf"},
}

// try is one sign-in.
type try struct {
	client, app, platform, ip, country, gps, risk string
	dev                                           device
}

// person is an account in a world, in one state of its activations.
type person struct {
	subject int // index in Tenant.Users, -1 a stranger, -2 a service provider user
	id      string
	groups  []string
	roles   []string
	kind    External
	home    string
	active  []string // roles and groups of these that are there by an activation
	admin   bool
	exempt  bool
}

// aWorld is one completion of a tenant.
type aWorld struct {
	r        *rand.Rand
	t        *Tenant
	people   []person
	where    map[string][]string // location id -> probes in it, for those that are not known
	mfaIPs   []string
	trusted  map[string]bool
	suite    string // of appUnknown
	strength map[string]tri
	fate     map[*Policy]int // for policies that are not understood: what becomes of them
	changed  bool            // Microsoft's change of baseline scopes has come
}

func (w *aWorld) coin() bool { return w.r.IntN(2) == 0 }

func subset(r *rand.Rand, of []string) (out []string) {
	for _, s := range of {
		if r.IntN(2) == 0 {
			out = append(out, s)
		}
	}
	return out
}

// newWorld completes a tenant at random.
func newWorld(r *rand.Rand, t *Tenant) *aWorld {
	w := &aWorld{r: r, t: t, where: map[string][]string{}, trusted: map[string]bool{}, strength: map[string]tri{}, fate: map[*Policy]int{}}
	for _, id := range []string{"lost", "vague"} {
		w.where[id] = subset(r, probes)
	}
	for _, p := range t.Policies {
		for _, l := range p.Conditions.Locations.Items {
			if has(l.IncludeLocations, "lost") || has(l.ExcludeLocations, "lost") || t.LocationsLack != "" {
				w.trusted["lost"] = w.coin()
			}
		}
	}
	for _, l := range t.Locations {
		w.trusted[l.ID] = l.IsTrusted.True() || !l.IsTrusted.Set && len(l.Countries) == 0 && w.coin() // a country is never trusted
	}
	w.mfaIPs = subset(r, probes)
	w.suite = []string{"", resOffice365, resAdminPortals}[r.IntN(3)]
	w.strength["lost"] = triOf(w.coin())
	for _, p := range t.Policies {
		w.fate[p] = r.IntN(4)
	}
	w.changed = t.baseline() == yes || t.baseline() == maybe && w.coin()
	for i := range t.Users {
		w.addPeople(i, &t.Users[i])
	}
	if !t.Whole {
		id := "new"
		if w.coin() {
			id = "gone"
		}
		s := Subject{ID: id, External: []External{Member, CollaborationGuest}[r.IntN(2)], PerhapsRoles: []string{"r1", "r2"}}
		w.addPeople(-1, &s)
	}
	w.people = append(w.people, person{subject: -2, id: "gdap", kind: ServiceProvider, home: []string{"t1", "t2"}[r.IntN(2)]})
	return w
}

// addPeople adds every state of one account.
func (w *aWorld) addPeople(i int, s *Subject) {
	t := w.t
	p := person{subject: i, id: s.ID, groups: slices.Clone(s.Groups), roles: slices.Clone(s.Roles), kind: s.External, home: s.HomeTenant, exempt: s.Exempt,
		admin: s.Admin}
	if p.home == "" {
		p.home = []string{"t1", "t2"}[w.r.IntN(2)]
	}
	if len(s.Kinds) > 0 {
		p.kind = s.Kinds[w.r.IntN(len(s.Kinds))]
	}
	if s.Unidentified {
		p.id = []string{s.ID, "gone", strings.TrimSuffix(s.Name, "@x")}[w.r.IntN(3)]
	}
	var activate []string
	for _, g := range []string{"g1", "g2", "strange"} {
		switch open := !t.KnownGroups[g] || slices.Contains(s.PerhapsGroups, g); {
		case slices.Contains(p.groups, g):
		case open && w.coin():
			p.groups = append(p.groups, g)
		case slices.Contains(s.Activate, g), t.OpenActivation[g] != "" && w.coin():
			activate = append(activate, g)
		}
	}
	for _, r := range []string{"r1", "r2"} {
		switch open := !t.RolesKnown || t.OpenRoles[r] != "" || slices.Contains(s.PerhapsRoles, r); {
		case slices.Contains(p.roles, r):
		case open && w.coin():
			p.roles = append(p.roles, r)
		case slices.Contains(s.Eligible, r), (t.EligibleLack != "" || t.OpenEligible[r] != "") && w.coin():
			activate = append(activate, r)
		}
	}
	for _, r := range s.Eligible {
		if r == "r3" {
			activate = append(activate, r)
		}
	}
	hidden := (!t.RolesKnown || len(t.OpenRoles)+len(t.OpenEligible) > 0 || t.EligibleLack != "" || i == -1) && w.coin() // a role that no policy names
	for set := range 1 << len(activate) {
		q := p
		q.groups, q.roles, q.active = slices.Clone(p.groups), slices.Clone(p.roles), nil
		for k, id := range activate {
			if set>>k&1 == 0 {
				continue
			}
			q.active = append(q.active, id)
			if strings.HasPrefix(id, "r") {
				q.roles = append(q.roles, id)
			} else {
				q.groups = append(q.groups, id)
			}
		}
		q.admin = p.admin || len(q.roles) > 0 || hidden || slices.ContainsFunc(activate, func(id string) bool { return strings.HasPrefix(id, "r") })
		w.people = append(w.people, q)
	}
}

func has(list []string, id string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, id) })
}

// users reads the user clauses.
func (w *aWorld) users(p *Policy, who *person) bool {
	u := &p.Conditions.Users
	external := func(list []Externals) bool {
		for _, e := range list {
			if who.kind == Member || !has(e.Types, string(who.kind)) {
				continue
			}
			if e.Tenants == nil || !strings.EqualFold(string(e.Tenants.Kind), "enumerated") || has(e.Tenants.Members, who.home) {
				return true
			}
		}
		return false
	}
	in := func(users, groups, roles []string, ex []Externals) bool {
		for _, id := range users {
			switch strings.ToLower(id) {
			case "all":
				return true
			case "guestsorexternalusers":
				if who.kind != Member {
					return true
				}
			default:
				if strings.EqualFold(id, who.id) {
					return true
				}
			}
		}
		for _, g := range who.groups {
			if has(groups, g) {
				return true
			}
		}
		for _, r := range who.roles {
			if has(roles, r) && !w.t.CustomRoles[r] {
				return true
			}
		}
		return external(ex)
	}
	return in(u.IncludeUsers, u.IncludeGroups, u.IncludeRoles, u.IncludeExternals.Items) &&
		!in(u.ExcludeUsers, u.ExcludeGroups, u.ExcludeRoles, u.ExcludeExternals.Items)
}

// apps reads the app clauses.
func (w *aWorld) apps(p *Policy, s *try) bool {
	a := &p.Conditions.Applications
	in := func(list []string) bool {
		suite := map[string]string{entra.AppExchange: resOffice365, sharePoint: resOffice365, appUnknown: w.suite}[s.app]
		return has(list, "All") || has(list, s.app) || suite != "" && has(list, suite)
	}
	if s.app == appBasic {
		switch {
		case has(a.ExcludeApplications, "All"):
			return false
		case len(a.ExcludeApplications) == 0 && has(a.IncludeApplications, "All"):
			return true
		}
		return w.changed && (has(a.IncludeApplications, "All") || has(a.IncludeApplications, entra.AppAADGraph)) &&
			!has(a.ExcludeApplications, entra.AppAADGraph)
	}
	return in(a.IncludeApplications) && !in(a.ExcludeApplications)
}

// place says whether a sign-in comes from a location.
func (w *aWorld) place(id string, s *try) bool {
	switch strings.ToLower(id) {
	case "all":
		return true
	case entra.NilID:
		return has(w.mfaIPs, s.ip)
	case locAllTrusted:
		for l, yes := range w.trusted {
			if yes && w.place(l, s) {
				return true
			}
		}
		return has(w.mfaIPs, s.ip)
	case "lost", "vague":
		return has(w.where[strings.ToLower(id)], s.ip)
	}
	for _, l := range w.t.Locations {
		if !strings.EqualFold(l.ID, id) {
			continue
		}
		for _, r := range l.Ranges.Items {
			if netip.MustParsePrefix(r.CIDR).Contains(netip.MustParseAddr(s.ip)) {
				return true
			}
		}
		if strings.EqualFold(string(l.LookupMethod), "authenticatorAppGps") {
			return has(l.Countries, s.gps)
		}
		return has(l.Countries, s.country)
	}
	return false
}

// filter reads a device filter by its own rules: an attribute without a value
// meets negative tests alone.
func (s *try) filter(rule string) bool {
	tests := map[string]bool{
		`device.isCompliant -eq True`:         s.dev.compliant == "True",
		`device.isCompliant -ne True`:         s.dev.compliant != "True",
		`device.isCompliant -eq False`:        s.dev.compliant == "False",
		`device.isCompliant -ne False`:        s.dev.compliant != "False",
		`device.model -eq "Kiosk"`:            s.dev.model == "Kiosk",
		`device.model -ne "Kiosk"`:            s.dev.model != "Kiosk",
		`device.model -startsWith "Surf"`:     strings.HasPrefix(s.dev.model, "Surf"),
		`device.model -notStartsWith "Surf"`:  !strings.HasPrefix(s.dev.model, "Surf"),
		`device.model -in ["Dell", "Kiosk"]`:  s.dev.model == "Dell" || s.dev.model == "Kiosk",
		`device.trustType -eq "ServerAD"`:     s.dev.trust == "ServerAD",
		`device.trustType -ne "AzureAD"`:      s.dev.trust != "AzureAD",
		`device.trustType -eq "AzureAD"`:      s.dev.trust == "AzureAD",
		`device.model -contains "u"`:          strings.Contains(s.dev.model, "u"),
		`device.physicalIds -contains "[x]:"`: false,
	}
	for _, or := range strings.Split(rule, " -or ") {
		all := true
		for _, and := range strings.Split(or, " -and ") {
			holds, known := tests[and]
			if !known {
				panic("no test " + and)
			}
			all = all && holds
		}
		if all {
			return true
		}
	}
	return false
}

var filterRules = []string{
	`device.isCompliant -eq True`, `device.isCompliant -ne True`, `device.isCompliant -eq False`, `device.isCompliant -ne False`, `device.model -eq "Kiosk"`,
	`device.model -ne "Kiosk"`, `device.model -startsWith "Surf"`, `device.model -notStartsWith "Surf"`, `device.model -in ["Dell", "Kiosk"]`,
	`device.trustType -eq "ServerAD"`, `device.trustType -ne "AzureAD"`, `device.model -contains "u"`, `device.physicalIds -contains "[x]:"`,
	`device.model -startsWith "Surf" -or device.isCompliant -eq True`, `device.trustType -eq "ServerAD" -and device.model -ne "Kiosk"`,
	`device.model -eq "Kiosk" -or device.trustType -eq "AzureAD" -and device.isCompliant -ne False`,
}

// takes says whether a policy takes a sign-in.
func (w *aWorld) takes(p *Policy, who *person, s *try) bool {
	c := &p.Conditions
	vague := func(a string) bool {
		return slices.ContainsFunc(p.Unsupported, func(u string) bool { return strings.HasPrefix(u, a) })
	}
	switch {
	case vague("state") && w.fate[p]%2 == 0, !vague("state") && !p.Enforced():
		return false
	case vague("conditions.moon") && w.fate[p]%2 == 0:
		return false
	}
	users := w.users(p, who)
	if vague("conditions.users") {
		users = w.fate[p]%2 == 0
	}
	if !users || !w.apps(p, s) {
		return false
	}
	for _, f := range c.Flows.Items {
		if len(f.TransferMethods) > 0 && !(has(f.TransferMethods, "deviceCodeFlow") && s.client == "device-code") {
			return false
		}
	}
	client := len(c.ClientAppTypes) == 0 || has(c.ClientAppTypes, "all")
	switch s.client {
	case "browser":
		client = client || has(c.ClientAppTypes, "browser")
	case "native", "device-code", "transfer":
		client = client || has(c.ClientAppTypes, "mobileAppsAndDesktopClients")
	case "eas":
		client = client || has(c.ClientAppTypes, "exchangeActiveSync") || has(c.ClientAppTypes, "easSupported") && w.fate[p] > 1
	case "other":
		client = client || has(c.ClientAppTypes, "other")
	}
	if !client {
		return false
	}
	for _, l := range c.Platforms.Items {
		if len(l.Include)+len(l.Exclude) > 0 && (len(l.Include) > 0 && !has(l.Include, "all") && !has(l.Include, s.platform) || has(l.Exclude, s.platform) ||
			has(l.Exclude, "all")) {
			return false
		}
	}
	for _, l := range c.Locations.Items {
		from := func(list []string) bool {
			return slices.ContainsFunc(list, func(id string) bool { return w.place(id, s) })
		}
		if len(l.IncludeLocations)+len(l.ExcludeLocations) > 0 && (!from(l.IncludeLocations) || from(l.ExcludeLocations)) {
			return false
		}
	}
	if len(c.SignInRiskLevels) > 0 && !has(c.SignInRiskLevels, s.risk) {
		return false
	}
	for _, d := range c.Devices.Items {
		if d.Filter != nil && s.filter(d.Filter.Rule) == strings.EqualFold(string(d.Filter.Mode), "exclude") {
			return false
		}
	}
	return true
}

// protects says whether a policy that takes a sign-in keeps it from going
// through without what a question requires.
func (w *aWorld) protects(p *Policy, s *try, require Protection) bool {
	if slices.ContainsFunc(p.Unsupported, func(u string) bool { return strings.HasPrefix(u, "grant") }) {
		return w.fate[p] == 1 // a block
	}
	g := p.GrantControls
	if g == nil {
		return false
	}
	if has(g.BuiltInControls, "block") {
		return true
	}
	var without []bool // of each control, whether it can be met without
	for _, c := range g.BuiltInControls {
		switch strings.ToLower(c) {
		case "mfa":
			without = append(without, require == RequirePhishing)
		case "compliantdevice":
			without = append(without, s.dev.compliant == "True")
		case "domainjoineddevice":
			without = append(without, s.dev.trust == "ServerAD")
		case "approvedapplication":
			without = append(without, s.dev.approved)
		}
	}
	for range g.CustomFactors {
		without = append(without, true)
	}
	if s := g.Strength; s != nil {
		without = append(without, s.ID == "lost" && w.strength["lost"] == no)
	}
	if len(without) == 0 {
		return false
	}
	if strings.EqualFold(string(g.Operator), "AND") {
		return slices.Contains(without, false)
	}
	return !slices.Contains(without, true)
}

// open says whether a sign-in goes through without what the question requires.
func (w *aWorld) open(who *person, s *try, require Protection) bool {
	for _, p := range w.t.Policies {
		if !p.Conditions.Workload && w.takes(p, who, s) && w.protects(p, s, require) {
			return false
		}
	}
	for i := range w.t.Users { // security defaults and per-user MFA are not drawn here
		_ = i
	}
	return true
}

func (w *aWorld) asked(q *Question, who *person) bool {
	if who.exempt {
		return false
	}
	if len(q.External) > 0 {
		return who.kind == ServiceProvider
	}
	return who.kind != ServiceProvider && (len(q.Roles) == 0 || who.admin)
}
