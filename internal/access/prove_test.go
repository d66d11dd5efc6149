package access

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
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
	for i := range u.worlds {
		if c.inWorld(e.subject(p.User), &u.worlds[i], e) {
			certain = certain && hit(u.worlds[i].takes)
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

// TestProveEqualsBruteForce: the verdict is that of looking at every
// combination, the open boxes are exactly the open combinations, and every
// witness is confirmed by Decide.
func TestProveEqualsBruteForce(t *testing.T) {
	t.Parallel()
	verdicts := map[ProofVerdict]int{}
	for seed := range seeds(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		tenant := randomTenant(r)
		e := Compile(tenant)
		qs := Questions()
		q := qs[r.IntN(len(qs))]
		c, err := e.compile(q)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := e.Prove(q)
		if err != nil {
			t.Fatal(err)
		}
		verdicts[proof.Verdict]++
		certain, pessimist := newDiagram(e, c, false), newDiagram(e, c, true)
		inBoxes := func(d *diagram, start mask, p Point) bool {
			m := append(mask(nil), start...)
			for w := range m {
				if m[w] &= c.protects[w]; d.sure {
					m[w] &^= c.perhaps[w]
				}
			}
			boxes, cut := d.boxes(d.build(0, m, 0), 1<<20)
			if cut {
				t.Fatal("too many boxes")
			}
			hits := 0
			for _, b := range boxes {
				in := true
				for l := range b {
					in = in && hasClass(b[l], int(p.Classes[l]))
				}
				if in {
					hits++
				}
			}
			if hits > 1 {
				t.Fatalf("seed %d: boxes overlap", seed)
			}
			return hits == 1
		}
		openForCertain, openPerhaps := false, false
		n := 0
		bruteForce(e, c, func(p Point, sure, could bool) {
			openForCertain = openForCertain || !could
			openPerhaps = openPerhaps || !sure
			if n++; n%97 == 0 { // the boxes are compared on a sample; the verdict on all
				if got := inBoxes(certain, e.user(p.User).could, p); got != !could && c.about(e.subject(p.User), e) == yes && !phantomAt(e, p) {
					t.Fatalf("seed %d %s: point %v of %s: in an open box %v, open for certain %v", seed, q.Name, p.Classes, e.subject(p.User).Name, got, !could)
				}
				if got := inBoxes(pessimist, e.user(p.User).sure, p); !sure && !got && len(e.user(p.User).worlds) == 0 {
					t.Fatalf("seed %d %s: point %v of %s: in a possible box %v, possibly open %v", seed, q.Name, p.Classes, e.subject(p.User).Name, got, !sure)
				}
			}
		})
		want := Proved
		switch {
		case openForCertain:
			want = GapFound
		case openPerhaps || proof.Accounts == 0:
			want = UnknownProof
		}
		if proof.Verdict != want {
			t.Fatalf("seed %d %s: %s (%s), brute force says %s", seed, q.Name, proof.Verdict, proof.Reason, want)
		}
		for _, g := range proof.Gaps {
			if !g.Witness.Confirmed {
				t.Fatalf("seed %d: a gap without a confirmed witness: %s", seed, g.Text)
			}
			if q.Require == RequireMFA && (g.Witness.Outcome == Blocked || g.Witness.Outcome == MFARequired) {
				t.Fatalf("seed %d: Decide says %s of the witness of %q", seed, g.Witness.Outcome, g.Text)
			}
			if len(g.Why) == 0 || g.Text == "" || g.Who.Count == 0 {
				t.Fatalf("seed %d: a gap without words: %+v", seed, g)
			}
		}
	}
	if verdicts[GapFound] == 0 || verdicts[Proved] == 0 || verdicts[UnknownProof] == 0 {
		t.Errorf("the random tenants are one-sided: %v", verdicts)
	}
}

// TestOneMorePolicyNeverOpens: adding an enforcing policy leaves nothing open
// that was not open before.
func TestOneMorePolicyNeverOpens(t *testing.T) {
	t.Parallel()
	rankOf := map[ProofVerdict]int{GapFound: 0, UnknownProof: 1, Proved: 2}
	for seed := range seeds(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		tenant := randomTenant(r)
		q := Questions()[r.IntN(len(Questions()))]
		before, _ := Compile(tenant).Prove(q)
		more := *tenant
		extra := randomPolicy(r, "extra")
		extra.State = Enabled
		more.Policies = append(slices.Clone(tenant.Policies), extra)
		after, _ := Compile(&more).Prove(q)
		// An extra policy may name a group or location that is not known: that
		// makes a proof no weaker, because the others still cover.
		if rankOf[after.Verdict] < rankOf[before.Verdict] {
			t.Fatalf("seed %d: %s became %s by adding %+v", seed, before.Verdict, after.Verdict, extra)
		}
		if after.Open > before.Open {
			t.Fatalf("seed %d: %d open accounts became %d", seed, before.Open, after.Open)
		}
	}
}

// TestSplitAndOrder: a policy split in two equivalent ones and another order
// of policies change neither verdict nor the accounts that are open.
func TestSplitAndOrder(t *testing.T) {
	t.Parallel()
	for seed := range seeds(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		tenant := randomTenant(r)
		q := Questions()[r.IntN(len(Questions()))]
		before, _ := Compile(tenant).Prove(q)
		other := *tenant
		other.Policies = nil
		for _, p := range tenant.Policies {
			if len(p.Conditions.ClientAppTypes) == 0 && len(p.Unsupported) == 0 {
				a, b := *p, *p
				a.Conditions.ClientAppTypes = []string{"browser", "other"}
				b.Conditions.ClientAppTypes = []string{"mobileAppsAndDesktopClients", "exchangeActiveSync"}
				other.Policies = append(other.Policies, &a, &b)
				continue
			}
			other.Policies = append(other.Policies, p)
		}
		r.Shuffle(len(other.Policies), func(i, j int) { other.Policies[i], other.Policies[j] = other.Policies[j], other.Policies[i] })
		after, _ := Compile(&other).Prove(q)
		if after.Verdict != before.Verdict || after.Open != before.Open {
			t.Fatalf("seed %d %s: %s with %d open became %s with %d", seed, q.Name, before.Verdict, before.Open, after.Verdict, after.Open)
		}
	}
}

// TestPerhapsExempt: of an account that may be the synchronisation account
// nothing is certain, and nothing is proved.
func TestPerhapsExempt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		exempt, may bool
		want        ProofVerdict
	}{{false, false, GapFound}, {true, false, Proved}, {false, true, UnknownProof}} {
		tenant := whole(covering(func(p *Policy) { p.Conditions.Users.ExcludeUsers = []string{"u1"} }))
		tenant.Users[0].Exempt, tenant.Users[0].MayBeExempt = c.exempt, c.may
		if p := mustProve(t, tenant, "mfa-every-sign-in"); p.Verdict != c.want {
			t.Errorf("%+v: %s because %s", c, p.Verdict, p.Reason)
		}
	}
}

// TestCompiledUsersAgree: the index over ids says the same as asking each
// policy.
func TestCompiledUsersAgree(t *testing.T) {
	t.Parallel()
	for seed := range seeds(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 4))
		tenant := randomTenant(r)
		if seed%2 == 0 {
			tenant = partialTenant(r)
		}
		e := Compile(tenant)
		for s := range e.subjectCount() {
			for i, p := range e.policies {
				want, _ := p.takes(e.subject(s), e)
				got := no
				if e.user(s).could.has(i) {
					got = maybe
				}
				if e.user(s).sure.has(i) {
					got = yes
				}
				if got != want {
					t.Fatalf("seed %d: policy %s takes %s: %d by index, %d by clause\n%+v", seed, p.ID, e.subject(s).Name, got, want, p.Conditions.Users)
				}
			}
		}
	}
}

// TestUnknownIsNotPassed: each thing that is not known keeps a proof from
// being one.
func TestUnknownIsNotPassed(t *testing.T) {
	t.Parallel()
	all := func(change func(*Policy)) *Tenant {
		p := &Policy{ID: "p", DisplayName: "P", State: Enabled, GrantControls: &GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}}}
		p.Conditions.Users.IncludeUsers = []string{"All"}
		p.Conditions.Applications.IncludeApplications = []string{"All"}
		change(p)
		return &Tenant{Policies: []*Policy{p}, Users: []Subject{{ID: "u", Name: "u@x"}}, KnownGroups: map[string]bool{}, RolesKnown: true, Whole: true}
	}
	for name, c := range map[string]struct {
		change func(*Policy)
		want   ProofVerdict
		says   string
	}{
		"all users, all apps":    {func(*Policy) {}, Proved, ""},
		"excluded unknown group": {func(p *Policy) { p.Conditions.Users.ExcludeGroups = []string{"G"} }, UnknownProof, "group G"},
		"excluded unknown location": {func(p *Policy) {
			p.Conditions.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: []string{"L"}}}
		}, UnknownProof, "named location l"},
		"trusted locations excluded": {func(p *Policy) {
			p.Conditions.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: []string{"AllTrusted"}}}
		}, UnknownProof, "MFA trusted IPs"},
		"a deleted user excluded": {func(p *Policy) { p.Conditions.Users.ExcludeUsers = []string{"gone"} }, Proved, ""},
		"report-only":             {func(p *Policy) { p.State = ReportOnly }, GapFound, ""},
		"disabled":                {func(p *Policy) { p.State = Disabled }, GapFound, ""},
		"not understood":          {func(p *Policy) { p.Unsupported = []string{"x"} }, UnknownProof, "understood"},
		"MFA or compliant device": {func(p *Policy) { p.GrantControls.BuiltInControls = []string{"mfa", "compliantDevice"} }, GapFound, "compliant device"},
		"MFA and compliant device": {func(p *Policy) {
			p.GrantControls.Operator = "AND"
			p.GrantControls.BuiltInControls = []string{"mfa", "compliantDevice"}
		}, Proved, ""},
		"custom control":    {func(p *Policy) { p.GrantControls = &GrantControls{Operator: "OR", CustomFactors: []string{"duo"}} }, GapFound, ""},
		"only at high risk": {func(p *Policy) { p.Conditions.SignInRiskLevels = []string{"high"} }, GapFound, "risk"},
		"only Office 365":   {func(p *Policy) { p.Conditions.Applications.IncludeApplications = []string{"Office365"} }, GapFound, "any other app"},
		"only Windows":      {func(p *Policy) { p.Conditions.Platforms.Items = []PlatformCondition{{Include: []string{"windows"}}} }, GapFound, "macOS"},
		"only browsers":     {func(p *Policy) { p.Conditions.ClientAppTypes = []string{"browser"} }, GapFound, "legacy"},
		"only device code": {func(p *Policy) {
			p.Conditions.Flows.Items = []FlowCondition{{TransferMethods: []string{"deviceCodeFlow"}}}
		}, GapFound, ""},
		"session controls only": {func(p *Policy) { p.GrantControls = nil }, GapFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q, _ := FindQuestion("mfa-every-sign-in")
			proof, err := Compile(all(c.change)).Prove(q)
			if err != nil {
				t.Fatal(err)
			}
			if proof.Verdict != c.want {
				t.Fatalf("%s because %s, want %s", proof.Verdict, proof.Reason, c.want)
			}
			text := strings.ToLower(fmt.Sprint(proof.Gaps, proof.Missing))
			if !strings.Contains(text, strings.ToLower(c.says)) {
				t.Errorf("the answer does not say %q: %s", c.says, text)
			}
		})
	}
	none := &Tenant{Users: []Subject{{ID: "u"}}, RolesKnown: true, Whole: true}
	if q, _ := FindQuestion("mfa-every-sign-in"); true {
		if proof, _ := Compile(none).Prove(q); proof.Verdict != GapFound {
			t.Errorf("a tenant without any policy is %s", proof.Verdict)
		}
		if proof, _ := Compile(&Tenant{}).Prove(q); proof.Verdict == Proved {
			t.Error("an empty export is proved")
		}
	}
}
