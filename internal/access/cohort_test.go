package access

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// everyone is a partial tenant with a policy for everybody that is enforced without a
// condition, and some whom it leaves out: what most directories have.
func everyone(r *rand.Rand) *Tenant {
	t := partialTenant(r)
	for i := range 1 + r.IntN(2) {
		p := covering(nil)
		p.ID = fmt.Sprintf("everybody %d", i)
		p.DisplayName = p.ID
		switch u := &p.Conditions.Users; r.IntN(6) {
		case 0:
			u.ExcludeGroups = []string{"g1"}
		case 1:
			u.ExcludeRoles = []string{"r1"}
		case 2:
			u.ExcludeUsers = []string{"GuestsOrExternalUsers"}
		case 3:
			u.IncludeUsers, u.IncludeGroups = nil, []string{"g2"}
		case 4: // hangs on Microsoft's change
			p.Conditions.Applications.ExcludeApplications = []string{appOther}
		}
		t.Policies = append(t.Policies, p)
	}
	return t
}

// TestTakenTogether holds a proof that does not tell apart whom a policy without a
// condition takes to the one that tells everybody apart.
func TestTakenTogether(t *testing.T) {
	t.Parallel()
	together, verdicts := 0, map[ProofVerdict]int{}
	for seed := range seeds(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 91))
		e := Compile(everyone(r))
		for _, q := range Questions() {
			c, err := e.compile(q)
			if err != nil {
				t.Fatal(err)
			}
			a, _ := e.cohorts(c, e.always(c))
			b, _ := e.cohorts(c, nil)
			if len(a) < len(b) {
				together++
			}
			got, err := e.prove(q, false)
			if err != nil {
				t.Fatal(err)
			}
			want, err := e.prove(q, true)
			if err != nil {
				t.Fatal(err)
			}
			verdicts[want.Verdict]++
			for user := range e.tenant.Users {
				if g, w := got.GapOf(user), want.GapOf(user); !reflect.DeepEqual(g, w) {
					t.Fatalf("seed %d: %s: account %d: %+v, told apart %+v", seed, q.Name, user, g, w)
				}
			}
			got.open, want.open = nil, nil
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: %s:\n%+v\ntold apart\n%+v", seed, q.Name, got, want)
			}
		}
	}
	if together == 0 || verdicts[Proved] == 0 || verdicts[GapFound] == 0 || verdicts[UnknownProof] == 0 {
		t.Errorf("nothing was tried: %d questions with accounts together, verdicts %v", together, verdicts)
	}
}

// TestCompiledAtOnce holds what several compilers make of a large directory to what
// one makes of it, and the rows kept to those compiled.
func TestCompiledAtOnce(t *testing.T) {
	t.Parallel()
	tenant := &Tenant{}
	r := rand.New(rand.NewPCG(7, 92))
	for len(tenant.Users) < 5*usersAtOnce/2 {
		if more := partialTenant(r); len(tenant.Users) == 0 {
			tenant = more
		} else {
			tenant.Users = append(tenant.Users, more.Users...)
		}
		if n := len(tenant.Users); r.IntN(3) > 0 {
			tenant.Users[n-1].Groups = append(slices.Clone(tenant.Users[n-1].Groups), fmt.Sprint("of no policy ", n))
		}
	}
	e := Compile(tenant)
	x := e.indexUsers()
	one := newInterner(0)
	u := newUserCompiler(e, x)
	var setOf []int32
	for i := range e.subjectCount() {
		row := u.compile(e.subject(i))
		n, _ := one.add(row)
		setOf = append(setOf, n)
		if !slices.Equal(one.rows[n], row) {
			t.Fatalf("subject %d: kept %v of %v", i, one.rows[n], row)
		}
	}
	if len(one.rows) < 20 {
		t.Fatalf("only %d sets were tried", len(one.rows))
	}
	for workers := 2; workers <= 4; workers++ {
		e.setOf = nil
		found := newInterner(e.subjectCount())
		e.compileAtOnce(x, found, workers)
		if !slices.Equal(e.setOf, setOf) || !reflect.DeepEqual(found.rows, one.rows) {
			t.Fatalf("%d compilers make other sets", workers)
		}
	}
}

// TestInterner holds the numbers of rows to those of a map.
func TestInterner(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 93))
	for _, most := range []int{0, 20_000} {
		x, want := newInterner(most), map[string]int32{}
		for range 40_000 {
			row := make([]uint64, r.IntN(4))
			for i := range row {
				row[i] = uint64(r.IntN(40))
			}
			if r.IntN(2000) == 0 {
				row = append(row, make([]uint64, mostBlock)...)
			}
			key := fmt.Sprint(row)
			number, known := want[key]
			if at := x.find(row); known != (at >= 0) || known && at != number {
				t.Fatalf("found %v as %d; it is %d (%v)", key[:min(40, len(key))], at, number, known)
			}
			n, isNew := x.add(row)
			if isNew == known || known && n != number || !slices.Equal(x.rows[n], row) {
				t.Fatalf("row %s is number %d, new %v; it was %d (%v)", key[:min(40, len(key))], n, isNew, number, known)
			}
			want[key] = n
		}
		if len(x.rows) != len(want) {
			t.Fatalf("%d rows, %d in the map", len(x.rows), len(want))
		}
	}
}
