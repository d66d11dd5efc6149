package access

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

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
