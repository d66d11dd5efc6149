package access

import (
	"math/rand/v2"
	"testing"
)

// TestPossibleWorlds: no proof that a world contradicts, and every gap's witness
// is open in every world.
func TestPossibleWorlds(t *testing.T) {
	t.Parallel()
	worlds, tries := 20, 60
	tenants := 1100
	if testing.Short() {
		tenants = 150
	}
	verdicts := map[ProofVerdict]int{}
	idle, seen := 0, 0
	for seed := range tenants {
		r := rand.New(rand.NewPCG(uint64(seed), 77))
		tenant := partialTenant(r)
		e := Compile(tenant)
		qs := []string{"mfa-every-sign-in", "mfa-every-sign-in", "mfa-admin-roles", "legacy-blocked", "service-providers", "phishing-resistant-admins"}
		q, _ := FindQuestion(qs[r.IntN(len(qs))])
		proof, err := e.Prove(q)
		if err != nil {
			t.Fatal(err)
		}
		verdicts[proof.Verdict]++
		found := false
		for range worlds {
			w := newWorld(r, tenant)
			seen++
			for k := range w.people {
				who := &w.people[k]
				if !w.asked(&q, who) {
					continue
				}
				for range tries {
					s := randomTry(r, &q)
					if !w.open(who, &s, q.Require) {
						continue
					}
					found = true
					if proof.Verdict == Proved {
						t.Fatalf("seed %d %s: proved (%s), and in a world %+v signs in by %+v\n%s", seed, q.Name, proof.Reason, *who, s, tellTenant(tenant, w))
					}
				}
			}
			checkWitnesses(t, seed, w, &q, proof, e)
		}
		if proof.Verdict == UnknownProof && !found {
			idle++
		}
	}
	t.Logf("%v in %d worlds; of the unknown, %d with no open sign-in found", verdicts, seen, idle)
	if verdicts[Proved] < tenants/20 || verdicts[GapFound] < tenants/20 || verdicts[UnknownProof] < tenants/20 {
		t.Errorf("the random tenants are one-sided: %v", verdicts)
	}
	if idle > verdicts[UnknownProof]*2/5 {
		t.Errorf("of %d unknown, %d have no world that opens them: unknown is a refuge", verdicts[UnknownProof], idle)
	}
}
