package gate_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/signin"
)

// The size of the tenant that the gate is measured on: make -C bench/remedy.
var (
	sizeUsers    = flag.Int("users", 2_000, "accounts")
	sizePolicies = flag.Int("policies", 40, "policies")
	sizeLimit    = flag.Duration("limit", 0, "how long a gate may take; 0: any time")
)

// large is a tenant of many accounts, groups and policies of the kinds that companies have.
func large(users, policies int) *access.Tenant {
	t := world()
	names := 40
	for g := range names {
		t.KnownGroups[guid('b', 100+g)] = true
	}
	for i := range users {
		u := access.Subject{ID: fmt.Sprintf("e%07d-0000-4000-8000-000000000000", i), Name: fmt.Sprintf("p%d@contoso.example", i), MethodsKnown: true,
			Methods: []string{"microsoftAuthenticatorPush"}}
		for k := range 5 {
			u.Groups = append(u.Groups, guid('b', 100+(i*7+k*11)%names))
		}
		t.Users = append(t.Users, u)
	}
	more := []string{"", fromHQ, `"platforms":{"includePlatforms":["iOS","android"]}`, `"clientAppTypes":["browser"]`, `"signInRiskLevels":["high"]`,
		`"applications":{"includeApplications":["00000002-0000-0ff1-ce00-000000000000"]}`}
	for i := range policies {
		who := `"includeGroups":["` + guid('b', 100+i%names) + `"],"excludeGroups":["` + bgGroup + `","` + guid('b', 100+(i+3)%names) + `"]`
		grant := []string{`"mfa"`, `"mfa","compliantDevice"`, `"compliantDevice","domainJoinedDevice"`}[i%3]
		if i%3 == 2 {
			who = `"includeGroups":["` + guid('b', 500+i) + `"]` // a group that nobody is in
			t.KnownGroups[guid('b', 500+i)] = true
		}
		t.Policies = append(t.Policies, parse(policy(guid('d', 100+i), fmt.Sprint("CA", i), "enabled", who, more[i%len(more)], grant))...)
	}
	return t
}

func largeLog(t *access.Tenant, p *remedy.Plan) *rehearse.History {
	h := rehearse.NewHistory(gate.Lens(t, p))
	v := h.Visitor()
	apps := []string{"00000002-0000-0ff1-ce00-000000000000", "00000003-0000-0ff1-ce00-000000000000", "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe"}
	for day := range 30 {
		for i := range t.Users {
			u := &t.Users[i]
			v.See(&signin.Sighting{ID: fmt.Sprintf("%d-%d", day, i), UserID: u.ID, UserPrincipalName: u.Name, At: now.AddDate(0, 0, -day), Success: true,
				AppID: apps[(i+day)%3], AppDisplayName: "App", ClientAppUsed: "Browser", Platform: "Windows 11",
				IPAddress: []string{"203.0.113.7", "198.51.100.20"}[day%2],
				Country:   "GB", Verdict: signin.Challenged})
		}
	}
	return h
}

// TestSize measures a gate beside its parts, in turn: two settings compiled and proved, and
// one rehearsal.
func TestSize(t *testing.T) {
	p := plan(create(t, policy("", "New 1", "enabled", gentle, "", `"mfa"`)), stricter(t))
	p.Serves = []string{"mfa-every-user"}
	tenant := large(*sizeUsers, *sizePolicies)
	in := input(p)
	in.Tenant, in.Accounts, in.History = tenant, accounts(tenant), largeLog(tenant, p)
	q, _ := access.FindQuestion("mfa-every-sign-in")
	best, base := time.Duration(0), time.Duration(0)
	var g *remedy.Gate
	for round := range 3 {
		start := time.Now()
		moves, err := gate.Expand(p, "", remedy.All, tenant)
		if err != nil {
			t.Fatal(err)
		}
		then, err := gate.Over(tenant, moves, -1, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, b := access.Compile(tenant), access.Compile(then)
		for _, e := range []*access.Engine{a, b} {
			if _, err := e.Prove(q); err != nil {
				t.Fatal(err)
			}
		}
		rehearse.Rehearse(rehearse.Input{Today: a, Then: b, History: in.History.Under(a, b), Accounts: in.Accounts, Bare: true})
		parts := time.Since(start)
		start = time.Now()
		g = look(t, in)
		whole := time.Since(start)
		if round == 0 || whole < best {
			best = whole
		}
		if round == 0 || parts < base {
			base = parts
		}
	}
	t.Logf("%d accounts, %d policies, %d sign-ins: gate %s, its parts (two proofs and a rehearsal) %s, ratio %.2f; %d findings", len(tenant.Users),
		len(tenant.Policies), g.Log.SignIns, best.Round(time.Millisecond), base.Round(time.Millisecond), float64(best)/float64(base), len(g.Findings))
	if *sizeLimit > 0 && best > *sizeLimit {
		t.Errorf("a gate takes %s, and may take %s", best, *sizeLimit)
	}
}
