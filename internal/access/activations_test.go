package access

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/lenient"
)

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
		tenant.Locations = append(tenant.Locations, &NamedLocation{ID: places[i], DisplayName: places[i],
			Ranges: lenient.List[IPRange]{Items: []IPRange{{fmt.Sprintf("10.%d.0.0/16", i)}}}})
	}
	for i := range 900 {
		tenant.Policies = append(tenant.Policies, covering(func(p *Policy) {
			p.ID = fmt.Sprint(i)
			p.Conditions.Applications.ExcludeApplications = half(apps)
			p.Conditions.Platforms.Items = []PlatformCondition{{Include: []string{"all"},
				Exclude: half([]string{"android", "iOS", "windows", "macOS", "linux"})}}
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
	s := SignIn{App: entra.AppExchange, Client: "browser", Platform: "windows", IP: netip.MustParseAddr("203.0.113.200"), Country: "NL", SignInRisk: "low",
		Device: map[string]bool{"compliant device": true}}
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
		t.Users = append(t.Users, Subject{ID: "g", External: CollaborationGuest},
			Subject{ID: "a", Roles: []string{"r1"}, Eligible: []string{"r2", "62e90394-69f5-4237-9190-012177145e10"}, PerUserMFA: "enforced"})
		t.Locations = []*NamedLocation{{ID: "hq", DisplayName: "HQ", IsTrusted: lenient.Bool{Value: true, Set: true},
			Ranges: lenient.List[IPRange]{Items: []IPRange{{"203.0.113.0/24"}}}}}
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
