package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
)

// covering is a policy that asks everybody for MFA everywhere.
func covering(change func(*Policy)) *Policy {
	p := &Policy{ID: "all", DisplayName: "All", State: Enabled, GrantControls: &GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}}}
	p.Conditions.Users.IncludeUsers = []string{"All"}
	p.Conditions.Applications.IncludeApplications = []string{"All"}
	if change != nil {
		change(p)
	}
	return p
}

func whole(policies ...*Policy) *Tenant {
	return &Tenant{Policies: policies, Users: []Subject{{ID: "u1", Name: "u1@x"}, {ID: "u2", Name: "u2@x"}}, KnownGroups: map[string]bool{}, RolesKnown: true, Whole: true}
}

func decode(t testing.TB, text string) *Policy {
	t.Helper()
	var p Policy
	// A value of another type is an error, and the rest is read all the same.
	if err := json.Unmarshal([]byte(text), &p); err != nil && !errors.As(err, new(*json.UnmarshalTypeError)) {
		t.Fatal(err)
	}
	return &p
}

func mustProve(t testing.TB, tenant *Tenant, question string) *Proof {
	t.Helper()
	q, ok := FindQuestion(question)
	if !ok {
		t.Fatalf("no question %s", question)
	}
	p, err := Compile(tenant).Prove(q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOddPolicies: every oddity has a clear answer, and none passes silently.
func TestOddPolicies(t *testing.T) {
	t.Parallel()
	location := func(l *NamedLocation, exclude bool) *Tenant {
		p := covering(nil)
		c := LocationCondition{IncludeLocations: []string{"All"}, ExcludeLocations: []string{l.ID}}
		if !exclude {
			c = LocationCondition{IncludeLocations: []string{l.ID}}
		}
		p.Conditions.Locations.Items = []LocationCondition{c}
		tenant := whole(p)
		tenant.Locations = []*NamedLocation{l}
		return tenant
	}
	ranges := func(cidrs ...string) *NamedLocation {
		l := &NamedLocation{ID: "l", DisplayName: "L"}
		for _, c := range cidrs {
			l.Ranges.Items = append(l.Ranges.Items, IPRange{c})
		}
		return l
	}
	countries := func(c ...string) *NamedLocation {
		return &NamedLocation{ID: "l", DisplayName: "L", Countries: c, UnknownCountry: lenient.Bool{Value: true, Set: true}}
	}
	filter := func(mode, rule string) *Policy {
		return decode(t, fmt.Sprintf(`{"id":"p","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"devices":{"deviceFilter":{"mode":%q,"rule":%q}}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`, mode, rule))
	}
	for name, c := range map[string]struct {
		tenant *Tenant
		want   ProofVerdict
		says   string // somewhere in the answer
	}{
		"no conditions": {whole(&Policy{ID: "p", State: Enabled, GrantControls: covering(nil).GrantControls}), GapFound, ""},
		"include none":  {whole(covering(func(p *Policy) { p.Conditions.Users.IncludeUsers = []string{"None"} })), GapFound, "does not include"},
		"exclude all":   {whole(covering(func(p *Policy) { p.Conditions.Users.ExcludeUsers = []string{"All"} })), GapFound, "excludes all users"},
		"include none, exclude all": {whole(covering(func(p *Policy) {
			p.Conditions.Users = Users{IncludeUsers: []string{"none"}, ExcludeUsers: []string{"all"}}
		})), GapFound, ""},
		"exclude all apps":        {whole(covering(func(p *Policy) { p.Conditions.Applications.ExcludeApplications = []string{"All"} })), GapFound, "excludes"},
		"a deleted user excluded": {whole(covering(func(p *Policy) { p.Conditions.Users.ExcludeUsers = []string{"gone"} })), Proved, ""},
		"a user excluded who is not in the export": {&Tenant{
			Policies:    []*Policy{covering(func(p *Policy) { p.Conditions.Users.ExcludeUsers = []string{"somebody"} })},
			KnownGroups: map[string]bool{}, RolesKnown: true,
		}, UnknownProof, "somebody"},
		"an internal guest type excluded, guests not exported": {&Tenant{Policies: []*Policy{covering(func(p *Policy) {
			p.Conditions.Users.ExcludeExternals.Items = []Externals{{Types: []string{"internalGuest"}}}
		})}, KnownGroups: map[string]bool{}, RolesKnown: true}, GapFound, "internal guest"},
		"the same id twice, one off": {whole(covering(nil), covering(func(p *Policy) { p.State = Disabled })), Proved, "more than once"},
		"ids of two tenants":         {whole(covering(func(p *Policy) { p.Conditions.Users.IncludeUsers = []string{"other-tenant-1", "other-tenant-2"} })), GapFound, ""},
		"defaults and policies at once": {func() *Tenant {
			t := whole(covering(nil))
			t.Defaults = &SecurityDefaults{IsEnabled: lenient.Bool{Value: true, Set: true}}
			return t
		}(), Proved, "security defaults"},

		"0.0.0.0/0 excluded":                   {location(ranges("0.0.0.0/0"), true), GapFound, "excludes the location L"},
		"::/0 excluded":                        {location(ranges("::/0"), true), GapFound, "excludes the location L"},
		"all addresses included":               {location(ranges("0.0.0.0/0", "::/0"), false), Proved, ""},
		"all addresses in halves":              {location(ranges("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"), false), Proved, ""},
		"only IPv4 included":                   {location(ranges("0.0.0.0/0"), false), GapFound, "does not include the location"},
		"overlapping ranges":                   {location(ranges("10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/9", "10.128.0.0/9"), true), GapFound, ""},
		"a malformed range":                    {location(ranges("10.0.0.0/33"), true), UnknownProof, "10.0.0.0/33"},
		"a malformed range beside a good":      {location(ranges("10.0.0.0/8", "banana"), true), GapFound, "excludes the location L"},
		"an empty location":                    {location(&NamedLocation{ID: "l", DisplayName: "L"}, true), UnknownProof, "without ranges"},
		"an empty location included":           {location(&NamedLocation{ID: "l", DisplayName: "L"}, false), UnknownProof, "without ranges"},
		"countries in odd case":                {location(countries("nl", " De "), true), GapFound, "excludes the location L"},
		"a location that is not in the export": {func() *Tenant { t := location(ranges("10.0.0.0/8"), true); t.Locations = nil; return t }(), UnknownProof, "named location l"},

		"a long device filter":     {whole(filter("exclude", strings.Repeat(`device.displayName -startsWith "PAW" -or `, 75)+`device.isCompliant -eq True`)), GapFound, "device"},
		"a filter without a mode":  {whole(filter("", "device.isCompliant -eq True")), UnknownProof, "not counted"},
		"a compliance filter":      {whole(filter("exclude", "device.isCompliant -eq True")), GapFound, "a compliant device"},
		"its own opposite as well": {whole(filter("exclude", "device.isCompliant -eq True"), filter("include", "device.isCompliant -eq True")), Proved, ""},
		"a strength not exported": {whole(covering(func(p *Policy) {
			p.GrantControls = &GrantControls{Operator: "OR", Strength: &Strength{ID: "custom", DisplayName: "Ours"}}
		})), UnknownProof, "strength Ours"},
		"our own policy called baseline": {whole(&Policy{ID: "b", DisplayName: "Baseline policy: Block legacy authentication", State: Enabled, Conditions: Conditions{Users: Users{IncludeUsers: []string{"u1"}}}}), GapFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustProve(t, c.tenant, "mfa-every-sign-in")
			if p.Verdict != c.want {
				t.Fatalf("%s because %s, want %s; gaps %v", p.Verdict, p.Reason, c.want, p.Gaps)
			}
			raw, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.ToLower(string(raw)), strings.ToLower(c.says)) {
				t.Errorf("the answer does not say %q: %s", c.says, raw)
			}
			for _, g := range p.Gaps {
				if !g.Witness.Confirmed {
					t.Errorf("a witness is not confirmed: %s", g.Text)
				}
			}
		})
	}
}

// TestLostClauses: what the lenient reader would drop, and with it an
// exclusion, keeps a policy from counting.
func TestLostClauses(t *testing.T) {
	t.Parallel()
	const frame = `{"id":"p","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]%s},"applications":{"includeApplications":["All"]%s}%s},"grantControls":{"operator":"OR","builtInControls":["mfa"]%s}%s}`
	for name, c := range map[string]struct {
		user, app, condition, grant, top string
		counts                           bool
	}{
		"nothing odd":                     {counts: true},
		"white space in empty lists":      {user: ",\"excludeUsers\":[\n \n],\"excludeGroups\":[ ]", condition: ",\"devices\":{\"includeDevices\": [\r\n]}", counts: true},
		"all members empty":               {condition: `,"deviceStates":{"includeStates":[],"excludeStates":null},"times":null`, counts: true},
		"expanded groups":                 {user: `,"excludeGroups":[{"id":"g1","displayName":"Break glass"}]`},
		"an object for a list":            {user: `,"excludeUsers":{"id":"u1"}`},
		"a list of lists":                 {user: `,"excludeRoles":[["r1"]]`},
		"a number for a list":             {user: `,"excludeGroups":5`},
		"a list of blanks":                {condition: `,"signInRiskLevels":[""]`},
		"an unknown condition":            {condition: `,"moonPhase":{"include":["full"]}`},
		"an app filter":                   {app: `,"applicationFilter":{"mode":"exclude","rule":"x"}`},
		"conditions given twice":          {top: `,"conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}}`},
		"users given twice in other case": {condition: `,"Users":{"excludeUsers":["u1"]}`},
		"two locations":                   {condition: `,"locations":[{"includeLocations":["All"]},{"excludeLocations":["x"]}]`},
		"platforms as a text":             {condition: `,"platforms":"windows"`},
		"another way around":              {grant: `,"termsOfUse":{"id":"t"}`},
		"a strength as a list":            {grant: `,"authenticationStrength":[{"id":"x"}]`},
		"an unknown control":              {grant: `,"biometrics":["any"]`},
		"session controls are no matter":  {top: `,"sessionControls":{"moon":[1]},"sessionControls":{"moon":[2]}`, counts: true},
	} {
		p := decode(t, fmt.Sprintf(frame, c.user, c.app, c.condition, c.grant, c.top))
		if counts := len(p.Unsupported) == 0; counts != c.counts {
			t.Errorf("%s: counted %v, want %v: %v", name, counts, c.counts, p.Unsupported)
		}
		if proof := mustProve(t, whole(p), "mfa-every-sign-in"); (proof.Verdict == Proved) != c.counts {
			t.Errorf("%s: %s because %s", name, proof.Verdict, proof.Reason)
		}
	}
}

// TestNonsenseQuestions: a question that asks nothing is refused or unknown,
// never proved.
func TestNonsenseQuestions(t *testing.T) {
	t.Parallel()
	tenant := whole(covering(nil))
	tenant.Users[0].Roles = []string{"r1"}
	e := Compile(tenant)
	for _, text := range []string{
		``, `null`, `[]`, `7`, `"x"`, `{}`, `{"name":""}`, `{"name":"x","colour":"red"}`, `{"name":"x"}{"name":"y"}`,
		`{"name":"x","require":"magic"}`, `{"name":"x","clients":["fax"]}`, `{"name":"x","clients":[""]}`, `{"name":"x","platforms":["amiga"]}`,
		`{"name":"x","external":["none"]}`, `{"name":"x","external":["martian"]}`, `{"name":"x","users":[" "]}`, `{"name":"x","apps":["none"]}`,
		`{"name":"x","apps":["urn:user:registersecurtyinfo"]}`, `{"name":"x","signInRisk":["extreme"]}`,
	} {
		if _, err := ParseQuestion([]byte(text)); err == nil {
			t.Errorf("%s was taken for a question", text)
		} else if len(err.Error()) < 10 {
			t.Errorf("%s: %v says nothing", text, err)
		}
	}
	for text, want := range map[string]ProofVerdict{
		`{"name":"nobody","users":["nobody@x"]}`:                             UnknownProof,
		`{"name":"half","users":["u1@x","nobody@x"]}`:                        UnknownProof,
		`{"name":"both","users":["u1@x","U2"]}`:                              Proved,
		`{"name":"no role","roles":["no-such-role"]}`:                        UnknownProof,
		`{"name":"admins","roles":["Admins"]}`:                               Proved,
		`{"name":"no guests","external":["guest"]}`:                          UnknownProof,
		`{"name":"eas elsewhere","clients":["eas"],"apps":["app1"]}`:         UnknownProof,
		`{"name":"eas","clients":["eas"]}`:                                   Proved,
		`{"name":"suite","apps":["Office365"]}`:                              Proved,
		`{"name":"every app","apps":["All"]}`:                                Proved,
		`{"name":"blocked","require":"block"}`:                               GapFound,
		`{"name":"action","apps":["urn:user:registersecurityinfo"]}`:         GapFound,
		`{"name":"nowhere","locations":["untrusted"],"userRisk":["medium"]}`: Proved,
	} {
		q, err := ParseQuestion([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		p, err := e.Prove(q)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if p.Verdict != want {
			t.Errorf("%s: %s because %s, want %s", text, p.Verdict, p.Reason, want)
		}
	}
	if _, err := e.Prove(Question{Name: "x", Locations: []string{"nowhere"}}); err == nil {
		t.Error("a location that no policy uses was asked about")
	}
	if p, err := e.Prove(Question{}); err != nil || p.Verdict != Proved {
		t.Errorf("a zero question asks for MFA everywhere: %v %v", p, err)
	}
	// A suite is all of its apps, also those that a policy names.
	only := covering(func(p *Policy) { p.Conditions.Applications.ExcludeApplications = []string{entra.AppExchange} })
	if p, err := Compile(whole(only)).Prove(Question{Name: "suite", Apps: []string{"Office365"}}); err != nil || p.Verdict != GapFound {
		t.Errorf("Exchange is left out, and Office 365 is %v %v", p, err)
	}
}

// TestActivations: eligible roles are judged in every combination that could
// open a gap, by asking each policy about each set of roles.
func TestActivations(t *testing.T) {
	t.Parallel()
	roles := []string{"r1", "r2", "r3", "r4"}
	for seed := range seeds(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 9))
		some := func(odds int) (out lenient.Strings) {
			for _, s := range roles {
				if r.IntN(odds) == 0 {
					out = append(out, s)
				}
			}
			return out
		}
		tenant := whole()
		tenant.Users = []Subject{{ID: "u", Name: "u@x", Roles: some(4), Eligible: some(2)}}
		for i := range 1 + r.IntN(4) {
			p := covering(func(p *Policy) {
				p.ID = fmt.Sprint(i)
				if r.IntN(2) == 0 {
					p.Conditions.Users.IncludeUsers, p.Conditions.Users.IncludeRoles = nil, some(2)
				}
				p.Conditions.Users.ExcludeRoles = some(3)
			})
			tenant.Policies = append(tenant.Policies, p)
		}
		for _, name := range []string{"mfa-every-sign-in", "mfa-admin-roles"} {
			q, _ := FindQuestion(name)
			open, asked := false, false
			u := tenant.Users[0]
			e := Compile(tenant)
			for set := range 1 << len(u.Eligible) {
				s := u
				s.Roles = slices.Clone(u.Roles)
				for i, id := range u.Eligible {
					if set>>i&1 != 0 {
						s.Roles = append(s.Roles, id)
					}
				}
				if q.about(&s, e) == no {
					continue
				}
				asked = true
				taken := false
				for _, p := range tenant.Policies {
					in, _ := p.takes(&s, e)
					taken = taken || in == yes
				}
				open = open || !taken
			}
			want := Proved
			switch {
			case open:
				want = GapFound
			case !asked:
				want = UnknownProof
			}
			if p := mustProve(t, tenant, name); p.Verdict != want {
				t.Fatalf("seed %d %s: %s, want %s; holds %v, eligible %v", seed, name, p.Verdict, want, u.Roles, u.Eligible)
			}
		}
	}
}

// TestPlacesAgree: the compiled location clauses say what the clauses say.
func TestPlacesAgree(t *testing.T) {
	t.Parallel()
	for seed := range seeds(t) {
		e := Compile(randomTenant(rand.New(rand.NewPCG(uint64(seed), 5))))
		for i, p := range e.policies {
			for k := range p.Conditions.Locations.Items {
				l := &p.Conditions.Locations.Items[k]
				c := placeClause{newPlaceSet(l.IncludeLocations), newPlaceSet(l.ExcludeLocations)}
				for n := range e.geo.places {
					want, _ := l.selects(&e.geo.places[n], e.locationName)
					if got := c.selects(&e.geo.places[n]); got != want {
						t.Fatalf("seed %d policy %d place %d: %d, want %d", seed, i, n, got, want)
					}
				}
			}
		}
	}
}

// TestAddresses: every address finds its own place, at the ends of the ranges
// and of the address spaces too.
func TestAddresses(t *testing.T) {
	t.Parallel()
	locations := []*NamedLocation{
		{ID: "low", DisplayName: "low", Ranges: lenient.List[IPRange]{Items: []IPRange{{"0.0.0.0/8"}, {"::/16"}}}},
		{ID: "high", DisplayName: "high", Ranges: lenient.List[IPRange]{Items: []IPRange{{"240.0.0.0/4"}, {"ff00::/8"}}}},
		{ID: "one", DisplayName: "one", Ranges: lenient.List[IPRange]{Items: []IPRange{{"198.51.100.9"}, {"::ffff:203.0.113.0/120"}, {"10.0.0.5/8"}}}},
	}
	g := survey(locations, map[string]bool{"low": true, "high": true, "one": true}, "")
	for address, want := range map[string]string{
		"0.0.0.0": "low", "0.255.255.255": "low", "1.0.0.0": "", "239.255.255.255": "", "240.0.0.0": "high", "255.255.255.255": "high",
		"::": "low", "0:ffff::": "low", "1::": "", "ff00::": "high", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "high", "feff::1": "",
		"198.51.100.9": "one", "198.51.100.10": "", "203.0.113.77": "one", "::ffff:203.0.113.77": "one", "10.255.0.1": "one", "11.0.0.0": "",
	} {
		p := &g.places[g.find(netip.MustParseAddr(address), "NL")]
		got := ""
		for id, in := range p.in {
			if in == yes {
				got += id
			}
		}
		if got != want {
			t.Errorf("%s is in %q, want %q", address, got, want)
		}
	}
	if a := g.outside(); g.atom(a) != 0 || !a.IsValid() {
		t.Errorf("%v is said to lie outside", a)
	}
}

// TestLarge: sizes at the edge of what a tenant can hold.
func TestLarge(t *testing.T) {
	t.Parallel()
	tenant := whole(covering(func(p *Policy) {
		for i := range 3000 {
			p.Conditions.Users.ExcludeUsers = append(p.Conditions.Users.ExcludeUsers, fmt.Sprintf("X%d", i))
		}
		p.Conditions.Users.ExcludeGroups = []string{"ROLES"}
	}), covering(func(p *Policy) { p.Conditions.Users = Users{IncludeRoles: []string{"R1"}} }))
	tenant.KnownGroups["roles"] = true
	for i := range 10_000 { // a role group of 10,000
		tenant.Users = append(tenant.Users, Subject{ID: fmt.Sprintf("m%d", i), Groups: []string{"roles"}, Roles: []string{"r1"}})
	}
	for i := range 2999 {
		tenant.Users = append(tenant.Users, Subject{ID: fmt.Sprintf("x%d", i)})
	}
	p := mustProve(t, tenant, "mfa-every-sign-in")
	if p.Verdict != GapFound || p.Open != 2999 || len(p.Gaps) != 1 || p.Gaps[0].Who.Count != 2999 {
		t.Errorf("%s, %d open, %d gaps", p.Verdict, p.Open, len(p.Gaps))
	}
	if p.GapOf(0) != nil || p.GapOf(len(tenant.Users)-1) == nil || p.GapOf(-1) != nil || p.GapOf(1<<20) != nil {
		t.Error("the gap of an account is not its own")
	}
}

// TestEntangled: past the bound the answer comes in time and says so; what it
// lists is real.
func TestEntangled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	r := rand.New(rand.NewPCG(1, 1))
	half := func(list []string) (out []string) {
		for _, i := range r.Perm(len(list))[:len(list)/2] {
			out = append(out, list[i])
		}
		return out
	}
	tenant := whole()
	var apps, places []string
	for i := range 250 {
		apps = append(apps, fmt.Sprintf("app%d", i))
		places = append(places, fmt.Sprintf("place%d", i))
		tenant.Locations = append(tenant.Locations, &NamedLocation{ID: places[i], DisplayName: places[i], Ranges: lenient.List[IPRange]{Items: []IPRange{{fmt.Sprintf("10.%d.0.0/16", i)}}}})
	}
	for i := range 900 {
		tenant.Policies = append(tenant.Policies, covering(func(p *Policy) {
			p.ID = fmt.Sprint(i)
			p.Conditions.Applications.ExcludeApplications = half(apps)
			p.Conditions.Platforms.Items = []PlatformCondition{{Include: []string{"all"}, Exclude: half([]string{"android", "iOS", "windows", "macOS", "linux"})}}
			p.Conditions.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: half(places)}}
			p.Conditions.SignInRiskLevels = half([]string{"none", "low", "medium", "high"})
			p.Conditions.UserRiskLevels = half([]string{"none", "low", "medium", "high"})
		}))
	}
	p := mustProve(t, tenant, "mfa-every-sign-in")
	if !p.TooComplex || p.Verdict != UnknownProof || !strings.Contains(p.Reason, "too entangled") || len(p.Gaps) != 0 {
		t.Errorf("%s because %s, too complex %v, %d gaps", p.Verdict, p.Reason, p.TooComplex, len(p.Gaps))
	}
}

// TestDecisionAllocatesNothing: the hot path with the caller's own buffer.
func TestDecisionAllocatesNothing(t *testing.T) {
	e := Compile(randomTenant(rand.New(rand.NewPCG(7, 1))))
	s := SignIn{App: entra.AppExchange, Client: "browser", Platform: "windows", IP: netip.MustParseAddr("203.0.113.200"), Country: "NL", SignInRisk: "low", Device: map[string]bool{"compliant device": true}}
	classes := make([]int32, len(e.dims))
	var out Outcome
	if n := testing.AllocsPerRun(100, func() {
		e.Locate(&s, classes)
		out = e.Outcome(Point{User: s.User, Classes: classes})
	}); n != 0 {
		t.Errorf("%v allocations a decision", n)
	}
	_ = out
}

// understood says whether a decoded policy may count as protection at all.
func understood(p *Policy) bool {
	d := demandOf(p.GrantControls, nil)
	return p.Enforced() && len(p.Unsupported) == 0 && !p.Conditions.Workload && (d.block || d.mfa)
}

// FuzzPolicy: any JSON decoded as a policy beside a good one compiles, proves
// and decides without a panic. The property: whatever is added, a verdict that
// was not "proved" becomes "proved" only where the policy is enforced, for
// users, wholly understood and asks for MFA or blocks; every gap's witness is
// confirmed by the decision engine; and no gap appears that was not there.
func FuzzPolicy(f *testing.F) {
	for _, s := range []string{
		`{}`, `null`, `{"state":"enabled"}`, `{"id":"x","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeGroups":["g"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`,
		`{"State":"enabled","Conditions":{"Users":{"IncludeUsers":"All"},"Applications":{"IncludeApplications":["Office365"],"IncludeUserActions":["urn:user:registersecurityinfo"]},"Locations":{"IncludeLocations":["All"],"ExcludeLocations":["AllTrusted","hq"]},"Platforms":{"IncludePlatforms":["all"]},"Devices":{"DeviceFilter":{"Mode":"exclude","Rule":"device.isCompliant -eq True"}},"AuthenticationFlows":{"TransferMethods":"deviceCodeFlow"},"SignInRiskLevels":["high"]},"GrantControls":{"Operator":"AND","BuiltInControls":["block"],"AuthenticationStrength":{"Id":"00000000-0000-0000-0000-000000000004"}}}`,
		`{"state":"enabled","conditions":{"users":{"includeUsers":["All"]},"Users":{"excludeUsers":["u1"]},"applications":{"includeApplications":["all","any other app","urn:user:registerdevice"]}},"grantControls":{"builtInControls":["mfa"]}}`,
		`{"displayName":"Baseline policy: Require MFA for admins","state":"enabled"}`,
	} {
		f.Add([]byte(s))
	}
	base := func() *Tenant {
		t := whole(covering(func(p *Policy) {
			p.Conditions.Users.ExcludeUsers = []string{"u1"}
			p.Conditions.Applications.ExcludeApplications = []string{"app1"}
			p.Conditions.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: []string{"hq"}}}
		}))
		t.Users = append(t.Users, Subject{ID: "g", External: CollaborationGuest}, Subject{ID: "a", Roles: []string{"r1"}, Eligible: []string{"r2", "62e90394-69f5-4237-9190-012177145e10"}, PerUserMFA: "enforced"})
		t.Locations = []*NamedLocation{{ID: "hq", DisplayName: "HQ", IsTrusted: lenient.Bool{Value: true, Set: true}, Ranges: lenient.List[IPRange]{Items: []IPRange{{"203.0.113.0/24"}}}}}
		return t
	}
	before := map[string]*Proof{}
	for _, q := range Questions() {
		before[q.Name] = mustProve(f, base(), q.Name)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p Policy
		if json.Unmarshal(raw, &p) != nil && p.ID == "" && p.State == "" {
			return
		}
		tenant := base()
		tenant.Policies = append(tenant.Policies, &p)
		e := Compile(tenant)
		for _, q := range Questions() {
			after, err := e.Prove(q)
			if err != nil {
				t.Fatal(err)
			}
			was := before[q.Name]
			baseline := strings.HasPrefix(strings.ToLower(p.DisplayName), "baseline policy:") && p.Enforced() && len(p.Unsupported) == 0 && !p.selects()
			if was.Verdict != Proved && after.Verdict == Proved && !understood(&p) && !baseline {
				t.Fatalf("%s became proved by %s", q.Name, raw)
			}
			if after.Open > was.Open {
				t.Fatalf("%s: %d open accounts became %d by %s", q.Name, was.Open, after.Open, raw)
			}
			for _, g := range after.Gaps {
				if !g.Witness.Confirmed || g.Text == "" || len(g.Why) == 0 {
					t.Fatalf("%s: %+v by %s", q.Name, g, raw)
				}
				e.Decide(g.Witness.SignIn)
			}
			if _, err := json.Marshal(after); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzQuestion: any text is a question or a refusal that says why; a question
// is answered without a panic, and one about nothing is not proved.
func FuzzQuestion(f *testing.F) {
	for _, s := range []string{`{"name":"x"}`, `{"name":"x","require":"block","users":["u1"],"roles":["admins"],"external":["guest"],"apps":["All"],"clients":["eas"],"platforms":["ios"],"locations":["untrusted"],"ordinary":true,"signInRisk":["high"]}`, `{}`, `[`} {
		f.Add([]byte(s))
	}
	e := Compile(randomTenant(rand.New(rand.NewPCG(3, 1))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, err := ParseQuestion(raw)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("refused without a word")
			}
			return
		}
		p, err := e.Prove(q)
		if err != nil {
			return
		}
		if p.Verdict == Proved && p.Accounts == 0 {
			t.Fatalf("%s is proved for nobody", raw)
		}
		if _, err := e.Coverage(q); err != nil {
			t.Fatal(err)
		}
	})
}
