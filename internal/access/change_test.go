package access

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"partnerguard/internal/entra"
)

// TestChangesNeverOpen: whatever change is made, a sign-in that is asked for MFA
// or blocked stays so, an account that is covered stays covered, and the tenant
// that was changed is as it was.
func TestChangesNeverOpen(t *testing.T) {
	t.Parallel()
	q, _ := FindQuestion("mfa-every-sign-in")
	kinds := map[ChangeKind]int{}
	for seed := range seeds(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		tenant := partialTenant(r)
		before := Compile(tenant)
		covered, err := before.Coverage(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range append(tenant.Changes(), tenant.Additions()...) {
			kinds[c.Kind]++
			after := Compile(tenant.Apply(c))
			now, err := after.Coverage(q)
			if err != nil {
				t.Fatal(err)
			}
			for i := range covered {
				if covered[i] == Covered && now[i] != Covered {
					t.Fatalf("seed %d: %s: account %d was covered and is %d", seed, c.Text, i, now[i])
				}
			}
			for range 20 {
				s := SignIn{User: r.IntN(len(tenant.Users)), App: appOther, Client: []string{"browser", "native", "other", "eas"}[r.IntN(4)],
					Platform: []string{"windows", "iOS"}[r.IntN(2)], Country: []string{"NL", "DE", ""}[r.IntN(3)]}
				was, is := before.Outcome(before.Point(&s)), after.Outcome(after.Point(&s))
				if (was == Blocked || was == MFARequired) && is != Blocked && is != MFARequired {
					t.Fatalf("seed %d: %s: %+v was %s and is %s", seed, c.Text, s, was, is)
				}
			}
		}
		if again := Compile(tenant); !reflect.DeepEqual(again.sets, before.sets) || !reflect.DeepEqual(again.dims, before.dims) {
			t.Fatalf("seed %d: a change changed the tenant it was made from", seed)
		}
	}
	for _, k := range []ChangeKind{ChangeTurnOn, ChangeRemove, ChangeWiden, ChangeOnlyMFA, ChangeAdd} {
		if kinds[k] == 0 {
			t.Errorf("no change of kind %s was tried", k)
		}
	}
	t.Log(kinds)
}

// TestChangesHaveNames: no two changes of a tenant have one id, and the ids do
// not hang on what else there is.
func TestChangesHaveNames(t *testing.T) {
	t.Parallel()
	for seed := range 50 {
		tenant := randomTenant(rand.New(rand.NewPCG(uint64(seed), 12)))
		for i, p := range tenant.Policies {
			p.ID = string(rune('a' + i))
		}
		all := append(tenant.Changes(), tenant.Additions()...)
		seen := map[string]Change{}
		for _, c := range all {
			if old, twice := seen[c.ID]; twice && old != c {
				t.Fatalf("%q and %q are both %s", old.Text, c.Text, c.ID)
			}
			seen[c.ID] = c
			if c.Text == "" || len(c.ID) != 8 {
				t.Errorf("%+v", c)
			}
		}
		if len(tenant.Policies) == 0 {
			continue
		}
		fewer := *tenant
		fewer.Policies = tenant.Policies[len(tenant.Policies)-1:]
		for _, c := range fewer.Changes() {
			if _, known := seen[c.ID]; !known {
				t.Errorf("%s has another id beside other policies", c.Text)
			}
		}
	}
}

// TestCoverageAgreesWithProve: an account is open by the one where the other has
// a gap for it.
func TestCoverageAgreesWithProve(t *testing.T) {
	t.Parallel()
	open := 0
	for seed := range seeds(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 13))
		tenant := randomTenant(r)
		if seed%2 == 0 {
			tenant = partialTenant(r)
		}
		if seed%3 == 0 { // Exchange apart, which is all that Exchange ActiveSync reaches
			only := randomPolicy(r, "exchange")
			only.State, only.Conditions.Applications.IncludeApplications = Enabled, []string{entra.AppExchange}
			tenant.Policies = append(tenant.Policies, only)
		}
		e := Compile(tenant)
		for _, q := range Questions() {
			covers, err := e.Coverage(q)
			if err != nil {
				t.Fatal(err)
			}
			p, err := e.Prove(q)
			if err != nil {
				t.Fatal(err)
			}
			if p.TooComplex || len(tenant.PoliciesLack) > 0 {
				continue
			}
			for i, c := range covers {
				if c == Open {
					open++
				}
				if (c == Open) != (p.GapOf(i) != nil) {
					t.Errorf("seed %d: %s: account %d is %d by its cover, and its gap is %v", seed, q.Name, i, c, p.GapOf(i) != nil)
				}
				if p.Verdict == Proved && c != Covered && c != NotAsked {
					t.Errorf("seed %d: %s is proved, and account %d is %d by its cover", seed, q.Name, i, c)
				}
			}
		}
	}
	if open == 0 {
		t.Error("no account was open: nothing was tried")
	}
}

// TestChangesOfNamesakes: policies without ids and of one name are still told
// apart, so that what is rehearsed is what was reported.
func TestChangesOfNamesakes(t *testing.T) {
	t.Parallel()
	tenant := &Tenant{}
	for range 3 {
		tenant.Policies = append(tenant.Policies, &Policy{DisplayName: "MFA", State: Enabled, GrantControls: &GrantControls{BuiltInControls: []string{"mfa"}},
			Conditions: Conditions{Users: Users{IncludeUsers: []string{"All"}, ExcludeUsers: []string{"a"}}, Applications: Applications{
				IncludeApplications: []string{"All"}}}})
	}
	seen := map[string]bool{}
	for _, c := range tenant.Changes() {
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d changes", len(seen))
	}
}

// TestNoBlockOfEverybody: a block whose flow clause names no flow takes every
// sign-in, and turning it on is no way to ask for MFA.
func TestNoBlockOfEverybody(t *testing.T) {
	t.Parallel()
	for flow, want := range map[string]int{"": 0, "none": 0, "deviceCodeFlow": 1} {
		var methods []string
		if flow != "" {
			methods = []string{flow}
		}
		p := &Policy{ID: "p", State: ReportOnly, GrantControls: &GrantControls{BuiltInControls: []string{"block"}}, Conditions: Conditions{
			Users: Users{IncludeUsers: []string{"All"}}, Applications: Applications{IncludeApplications: []string{"All"}}}}
		p.Conditions.Flows.Items = []FlowCondition{{TransferMethods: methods}}
		if got := (&Tenant{Policies: []*Policy{p}}).Changes(); len(got) != want {
			t.Errorf("%q: %v", flow, got)
		}
	}
}

// TestOnlyMFAKeepsStrength: a strength that is not in the export may be more than
// MFA, and is not traded for it.
func TestOnlyMFAKeepsStrength(t *testing.T) {
	t.Parallel()
	g := &GrantControls{Operator: "OR", BuiltInControls: []string{"compliantDevice"}, Strength: &Strength{ID: "elsewhere"}}
	if got := g.onlyMFA(nil); got.Strength != g.Strength || len(got.BuiltInControls) > 0 {
		t.Errorf("%+v", got)
	}
}

// TestSynchronisationStaysOut: what leaves out synchronisation alone, by name or
// by a group whose members are known, is not taken back.
func TestSynchronisationStaysOut(t *testing.T) {
	t.Parallel()
	for want, c := range map[int]struct {
		known bool
		also  string
	}{0: {known: true}, 1: {}, 2: {true, "person"}} {
		tenant := &Tenant{KnownGroups: map[string]bool{"g": c.known}, Users: []Subject{{ID: "sync", Groups: []string{"g"}, Exempt: true}, {ID: "person"}},
			Policies: []*Policy{{ID: "p", State: Enabled, GrantControls: &GrantControls{BuiltInControls: []string{"mfa"}}, Conditions: Conditions{
				Users:        Users{IncludeUsers: []string{"All"}, ExcludeUsers: []string{"SYNC"}, ExcludeGroups: []string{"G"}},
				Applications: Applications{IncludeApplications: []string{"All"}}}}}}
		if c.also != "" {
			tenant.Users[1].Groups = []string{"g"}
			tenant.Policies[0].Conditions.Users.ExcludeUsers = []string{"SYNC", c.also}
		}
		if got := tenant.Changes(); len(got) != want {
			t.Errorf("%d: %+v", want, got)
		}
	}
}
