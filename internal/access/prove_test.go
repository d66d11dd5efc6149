package access

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
)

// randomTenant makes a random small tenant. Everything the engine knows may occur.
func randomTenant(r *rand.Rand) *Tenant {
	t := &Tenant{KnownGroups: map[string]bool{"g1": true, "g2": true}, RolesKnown: r.IntN(8) > 0, Whole: r.IntN(3) > 0}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	some := func(odds int, list ...string) (out lenient.Strings) {
		for _, s := range list {
			if r.IntN(odds) == 0 {
				out = append(out, s)
			}
		}
		return out
	}
	t.Locations = []*NamedLocation{
		{ID: "hq", DisplayName: "HQ", IsTrusted: lenient.Bool{Value: true, Set: true}, Ranges: lenient.List[IPRange]{Items: []IPRange{{"203.0.113.0/24"}}}},
		{ID: "lab", DisplayName: "Lab", Ranges: lenient.List[IPRange]{Items: []IPRange{{"203.0.113.128/25"}, {"2001:db8::/32"}}}},
		{ID: "nl", DisplayName: "Netherlands", Countries: []string{"NL"}},
	}
	for i := range 2 + r.IntN(4) {
		s := Subject{ID: fmt.Sprintf("u%d", i), Name: fmt.Sprintf("u%d@x", i), Groups: some(2, "g1", "g2"), Roles: some(3, "r1", "r2")}
		if r.IntN(4) == 0 {
			s.External = CollaborationGuest
			s.HomeTenant = pick("", "t1", "t2")
		}
		if r.IntN(4) == 0 {
			s.Eligible = [][]string{{"r2"}, {"r1", "r2"}, {"r1", "r3"}}[r.IntN(3)]
		}
		if r.IntN(6) == 0 {
			s.PerUserMFA = "enforced"
		}
		t.Users = append(t.Users, s)
	}
	t.Defaults = &SecurityDefaults{IsEnabled: lenient.Bool{Value: r.IntN(6) == 0, Set: true}}
	for i := range r.IntN(5) {
		p := randomPolicy(r, fmt.Sprintf("p%d", i))
		t.Policies = append(t.Policies, p)
	}
	return t
}

func randomPolicy(r *rand.Rand, id string) *Policy {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	some := func(odds int, list ...string) (out lenient.Strings) {
		for _, s := range list {
			if r.IntN(odds) == 0 {
				out = append(out, s)
			}
		}
		return out
	}
	p := &Policy{ID: id, DisplayName: id, State: Enabled}
	if r.IntN(8) == 0 {
		p.State = ReportOnly
	}
	c := &p.Conditions
	if r.IntN(2) == 0 {
		c.Users.IncludeUsers = []string{"All"}
	} else {
		c.Users.IncludeUsers = some(3, "u0", "u1", "GuestsOrExternalUsers")
		c.Users.IncludeGroups = some(3, "g1", "g2", "strange")
		c.Users.IncludeRoles = some(3, "r1", "r2")
	}
	if r.IntN(2) == 0 {
		c.Users.ExcludeUsers = some(4, "u0", "u2", "gone")
		c.Users.ExcludeGroups = some(5, "g1", "strange")
		c.Users.ExcludeRoles = some(5, "r1")
	}
	if r.IntN(6) == 0 {
		e := Externals{Types: []string{"b2bCollaborationGuest", "serviceProvider"}}
		if r.IntN(2) == 0 {
			e.Tenants = &ExternalTenants{Kind: "enumerated", Members: []string{"t1"}}
		}
		c.Users.ExcludeExternals.Items = []Externals{e}
	}
	switch r.IntN(4) {
	case 0:
		c.Applications.IncludeApplications = some(2, entra.AppExchange, "app1", "Office365")
	case 1:
		c.Applications.UserActions = []string{actionRegisterInfo}
	default:
		c.Applications.IncludeApplications = []string{"All"}
		c.Applications.ExcludeApplications = some(5, "app1", "MicrosoftAdminPortals")
	}
	if r.IntN(2) == 0 {
		c.ClientAppTypes = some(2, "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other", "easSupported")
	}
	if r.IntN(4) == 0 {
		c.Platforms.Items = []PlatformCondition{{Include: []string{"all"}, Exclude: some(4, "iOS", "windows")}}
	}
	if r.IntN(3) == 0 {
		c.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: some(3, "AllTrusted", "lab", "nl", "lost")}}
	} else if r.IntN(5) == 0 {
		c.Locations.Items = []LocationCondition{{IncludeLocations: some(2, "hq", "lab", "nl")}}
	}
	if r.IntN(5) == 0 {
		c.SignInRiskLevels = some(2, "high", "medium", "low", "none")
	}
	if r.IntN(8) == 0 {
		c.Flows.Items = []FlowCondition{{TransferMethods: []string{"deviceCodeFlow"}}}
	}
	if r.IntN(6) == 0 {
		d := DeviceCondition{Filter: &struct {
			Mode lenient.String `json:"mode"`
			Rule string         `json:"rule"`
		}{lenient.String(pick("include", "exclude")), pick(`device.isCompliant -eq True`, `device.model -eq "Kiosk"`)}}
		c.Devices.Items = []DeviceCondition{d}
	}
	g := &GrantControls{Operator: lenient.String(pick("OR", "AND"))}
	switch r.IntN(6) {
	case 0:
		g.BuiltInControls = []string{"block"}
	case 1:
		g.BuiltInControls = []string{"mfa", "compliantDevice"}
	case 2:
		g.Strength = &Strength{ID: pick(entra.StrengthPhishing, entra.StrengthPhishing, "lost")}
	case 3:
		g.CustomFactors = []string{"duo"}
		if r.IntN(2) == 0 {
			g.BuiltInControls = []string{"mfa"}
		}
	default:
		g.BuiltInControls = []string{"mfa"}
	}
	if r.IntN(10) > 0 {
		p.GrantControls = g
	}
	if r.IntN(12) == 0 {
		p.Unsupported = []string{"something new"}
	}
	return p
}

// representatives picks one class for each way the policies can tell classes
// of a dimension apart.
func representatives(e *Engine, l int, classes []int) (out []int) {
	seen := map[string]bool{}
	for _, c := range classes {
		d := &e.dims[l]
		key := fmt.Sprint(d.sure[c], d.could[c])
		for _, flags := range [][]bool{d.vague, d.phantom, d.blur} {
			if flags != nil {
				key += fmt.Sprint(flags[c])
			}
		}
		if l >= int(dimCompliant) {
			key += fmt.Sprint(c == 0) // what a legacy client shows
		}
		if d.guard != nil {
			key += fmt.Sprint(d.guard[c])
		}
		if dimID(l) == dimClient && c == clientEAS || dimID(l) == dimResource && c == e.apps[entra.AppExchange] {
			key += "eas"
		}
		if dimID(l) == dimResource && c == e.basic {
			key += "basic"
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, c)
		}
	}
	return out
}

// bruteForce walks every combination of classes and every account, by matching
// alone. visit hears of each point and whether it is protected for certain
// (sure), which is asked of classes that are not vague in every world of the
// account, and perhaps (could), which is asked of classes that are no phantoms.
func bruteForce(e *Engine, c *compiledQuestion, visit func(p Point, sure, could bool)) {
	reps := make([][]int, len(e.dims))
	for l := range e.dims {
		reps[l] = representatives(e, l, c.classes[l])
	}
	for s := range e.subjectCount() {
		about := c.about(e.subject(s), e)
		if about == no {
			continue
		}
		p := Point{User: s, Classes: make([]int32, len(e.dims))}
		var walk func(l int, vague, phantom bool)
		walk = func(l int, vague, phantom bool) {
			if l == len(e.dims) {
				certain, perhaps := protectedAt(e, c, p, about)
				visit(p, certain || vague, perhaps || phantom)
				return
			}
			d := &e.dims[l]
			for _, k := range reps[l] {
				if dimID(l) == dimResource && p.Classes[dimClient] == clientEAS && k != e.apps[entra.AppExchange] {
					continue
				}
				if dimID(l) == dimResource && p.Classes[dimClient] == clientOther && k == e.basic {
					continue
				}
				if x := e.axisOf(l); l >= int(dimCompliant) && p.Classes[dimClient] == clientOther && k != 0 && (x == nil || !x.opaque) {
					continue
				}
				if d.blur != nil && d.blur[k] {
					continue
				}
				p.Classes[l] = int32(k)
				walk(l+1, vague || d.vague != nil && d.vague[k], phantom || d.phantom != nil && d.phantom[k])
			}
		}
		walk(0, false, false)
	}
}

// protectedAt says whether a point is protected in every world of its account,
// and whether some policy may protect it.
func protectedAt(e *Engine, c *compiledQuestion, p Point, about tri) (certain, perhaps bool) {
	sure, could := e.mask(), e.mask()
	e.match(p, sure, could)
	left := func(i int) tri {
		if e.demands[i].block {
			return yes
		}
		return e.withoutAlternative(&e.demands[i], p)
	}
	could.each(func(i int) { perhaps = perhaps || c.protects.has(i) && left(i) != no })
	if about != yes {
		perhaps = true // nothing is certain of it
	}
	clauses := e.mask() // policies that surely take the point, whoever it is
	for i := range e.policies {
		in := true
		for l, k := range p.Classes {
			in = in && e.dims[l].sure[k].has(i)
		}
		if in {
			clauses.set(i)
		}
	}
	hit := func(takes mask) (ok bool) {
		takes.each(func(i int) {
			ok = ok || clauses.has(i) && c.protects.has(i) && !c.perhaps.has(i) && left(i) == yes
		})
		return ok
	}
	u := e.user(p.User)
	if len(u.worlds) == 0 {
		return hit(u.sure), perhaps
	}
	certain = true
	for w := range e.worldsOf(u) {
		if c.inWorld(e.subject(p.User), &w, e) {
			certain = certain && hit(w.takes)
		}
	}
	return certain, perhaps
}

// phantomAt reports a point in a class that the search for certain gaps skips.
func phantomAt(e *Engine, p Point) bool {
	for l, k := range p.Classes {
		if d := &e.dims[l]; d.phantom != nil && d.phantom[k] {
			return true
		}
	}
	return false
}

func seeds(t *testing.T) int {
	if testing.Short() {
		return 60
	}
	return 400
}
