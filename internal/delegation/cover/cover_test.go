package cover_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"partnerguard/internal/delegation/cover"
)

func one(privileged, weight int) cover.Cost {
	return cover.Cost{Privileged: privileged, Weight: weight, Count: 1}
}

func TestSolve(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name string
		in   cover.Problem
		want cover.Solution
	}{
		{"nothing", cover.Problem{}, cover.Solution{Exact: true}},
		{
			"one need", cover.Problem{Needs: [][]int{{0, 1}}, Costs: []cover.Cost{one(1, 1), one(0, 90)}},
			cover.Solution{Chosen: []int{1}, Cost: one(0, 90), Bound: one(0, 90), Exact: true},
		},
		{
			"one privileged before two", cover.Problem{Needs: [][]int{{0, 2}, {1, 2}}, Costs: []cover.Cost{one(1, 1), one(1, 1), one(1, 50)}},
			cover.Solution{Chosen: []int{2}, Cost: one(1, 50), Bound: one(1, 50), Exact: true},
		},
		{
			"weight before count", cover.Problem{Needs: [][]int{{0, 2}, {1, 2}}, Costs: []cover.Cost{one(0, 1), one(0, 1), one(0, 3)}},
			cover.Solution{Chosen: []int{0, 1}, Cost: cover.Cost{Weight: 2, Count: 2}, Bound: cover.Cost{Weight: 2, Count: 2}, Exact: true},
		},
		{
			"pinned serves", cover.Problem{Needs: [][]int{{0, 1}}, Costs: []cover.Cost{one(0, 1), one(1, 9)}, Pinned: []int{1, 7, -1}},
			cover.Solution{Chosen: []int{1}, Cost: one(1, 9), Bound: one(1, 9), Exact: true},
		},
		{
			"not to be met", cover.Problem{Needs: [][]int{{}, {0}, {9, -3}}, Costs: []cover.Cost{one(0, 1)}},
			cover.Solution{Chosen: []int{0}, Cost: one(0, 1), Bound: one(0, 1), Exact: true, Unmet: []int{0, 2}},
		},
		{
			"alike: the first", cover.Problem{Needs: [][]int{{1, 0}, {0, 1}}, Costs: []cover.Cost{one(0, 1), one(0, 1)}},
			cover.Solution{Chosen: []int{0}, Cost: one(0, 1), Bound: one(0, 1), Exact: true},
		},
	} {
		got := cover.Solve(x.in)
		got.Steps = 0
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s:\n%s", x.name, diff)
		}
	}
}

// random draws a problem of up to 12 things and 8 needs.
func random(t *rapid.T) (p cover.Problem) {
	things := rapid.IntRange(0, 12).Draw(t, "things")
	for range things {
		p.Costs = append(p.Costs, one(rapid.IntRange(0, 1).Draw(t, "privileged"), rapid.IntRange(0, 8).Draw(t, "weight")))
	}
	if things > 0 {
		need := rapid.SliceOfN(rapid.IntRange(0, things-1), 0, 6)
		p.Needs = rapid.SliceOfN(need, 0, 8).Draw(t, "needs")
		p.Pinned = rapid.SliceOfN(rapid.IntRange(0, things-1), 0, 1).Draw(t, "pinned")
	}
	return p
}

// brute tries every set of things.
func brute(p cover.Problem) (best cover.Cost) {
	found := false
	for mask := range 1 << len(p.Costs) {
		has := func(i int) bool { return mask>>i&1 == 1 }
		if slices.ContainsFunc(p.Pinned, func(i int) bool { return !has(i) }) ||
			slices.ContainsFunc(p.Needs, func(n []int) bool { return len(n) > 0 && !slices.ContainsFunc(n, has) }) {
			continue
		}
		var c cover.Cost
		for i, o := range p.Costs {
			if has(i) {
				c = cover.Cost{Privileged: c.Privileged + o.Privileged, Weight: c.Weight + o.Weight, Count: c.Count + o.Count}
			}
		}
		if !found || c.Less(best) {
			best, found = c, true
		}
	}
	return best
}

// check holds an answer against its problem.
func check(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, p cover.Problem, s cover.Solution) {
	t.Helper()
	var c cover.Cost
	for _, i := range s.Chosen {
		o := p.Costs[i]
		c = cover.Cost{Privileged: c.Privileged + o.Privileged, Weight: c.Weight + o.Weight, Count: c.Count + o.Count}
	}
	if c != s.Cost || !slices.IsSorted(s.Chosen) {
		t.Fatalf("the cost of %v is %v, told %v", s.Chosen, c, s.Cost)
	}
	for n, need := range p.Needs {
		met := slices.ContainsFunc(need, func(i int) bool { return slices.Contains(s.Chosen, i) })
		if met == slices.Contains(s.Unmet, n) {
			t.Fatalf("need %d of %v: met %v, unmet %v", n, p, met, s.Unmet)
		}
	}
	if s.Cost.Less(s.Bound) || s.Exact && s.Cost != s.Bound {
		t.Fatalf("cost %v below the bound %v, exact %v", s.Cost, s.Bound, s.Exact)
	}
	if diff := cmp.Diff(s, cover.Solve(p)); diff != "" {
		t.Fatalf("another answer the second time:\n%s", diff)
	}
}

// TestAgainstAll: on up to 12 roles and 8 needs the answer costs what the best of all costs, whole or cut short.
func TestAgainstAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := random(rt)
		want := brute(p)
		s := cover.Solve(p)
		check(rt, p, s)
		if !s.Exact || s.Cost != want {
			rt.Fatalf("%+v: %+v, the best costs %v", p, s, want)
		}
		p.Budget = 1
		s = cover.Solve(p)
		check(rt, p, s)
		if s.Cost.Less(want) || want.Less(s.Bound) || s.Steps > 1 {
			rt.Fatalf("cut: %+v: %+v, the best costs %v", p, s, want)
		}
	})
}

// ring makes a problem that no reduction helps: each of n needs is met by it and its neighbours.
func ring(n int) (p cover.Problem) {
	for i := range n {
		p.Costs = append(p.Costs, one(i%2, 5+i%3))
		p.Needs = append(p.Needs, []int{i, (i + 1) % n, (i + 3) % n})
	}
	return p
}

// knot makes a problem of n things and 2n needs that reducing seldom solves.
func knot(r *rand.Rand, n int) (p cover.Problem) {
	for range n {
		p.Costs = append(p.Costs, one(r.IntN(2), 5+r.IntN(4)))
	}
	for range 2 * n {
		p.Needs = append(p.Needs, r.Perm(n)[:2+r.IntN(2)])
	}
	return p
}

// TestSearch: what must be searched is as good as trying all, and a bound that is told when cut is one.
func TestSearch(t *testing.T) {
	t.Parallel()
	cut, r := 0, rand.New(rand.NewPCG(17, 17))
	for k := range 200 {
		p := ring(5 + k%9)
		if k%2 == 1 {
			p = knot(r, 5+k%9)
		}
		want := brute(p)
		for _, budget := range []int{0, 1, 2, 5} {
			p.Budget = budget
			s := cover.Solve(p)
			check(t, p, s)
			if s.Cost.Less(want) || want.Less(s.Bound) || s.Exact && s.Cost != want || budget == 0 && !s.Exact {
				t.Errorf("problem %d, budget %d: %+v, the best costs %v", k, budget, s, want)
			}
			if !s.Exact {
				cut++
			}
		}
	}
	if cut == 0 {
		t.Error("no search was cut: the bound was not tried")
	}
}

// hard makes a problem that reduces to nothing easier: each need is a handful of many like things.
func hard(things, needs int) cover.Problem {
	r := rand.New(rand.NewPCG(3, 9))
	var p cover.Problem
	for i := range things {
		p.Costs = append(p.Costs, one(i%3/2, 20+r.IntN(4)))
	}
	for range needs {
		need := r.Perm(things)[:6]
		p.Needs = append(p.Needs, need)
	}
	return p
}

// TestWorstIsBounded counts steps, not time.
func TestWorstIsBounded(t *testing.T) {
	t.Parallel()
	p := hard(145, 380)
	for _, budget := range []int{1, 100, 2000} {
		p.Budget = budget
		s := cover.Solve(p)
		check(t, p, s)
		if s.Exact || s.Steps > budget || !s.Bound.Less(s.Cost) || s.Bound == (cover.Cost{}) {
			t.Errorf("budget %d: exact %v, %d steps, cost %v, bound %v", budget, s.Exact, s.Steps, s.Cost, s.Bound)
		}
	}
}

func BenchmarkUsual(b *testing.B) {
	p := ring(15)
	for b.Loop() {
		if s := cover.Solve(p); !s.Exact {
			b.Fatal("not exact")
		}
	}
}

func BenchmarkWorst(b *testing.B) {
	p := hard(145, 380)
	for b.Loop() {
		if s := cover.Solve(p); s.Steps != cover.DefaultBudget {
			b.Fatal(s.Steps)
		}
	}
}

func FuzzSolve(f *testing.F) {
	f.Add([]byte{1, 2, 3, 255, 0, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		var p cover.Problem
		for k, x := range data[:min(len(data), 80)] {
			switch {
			case x < 40:
				p.Costs = append(p.Costs, one(int(x%2), int(x)))
			case x < 60 || len(p.Needs) == 0:
				p.Needs = append(p.Needs, nil)
			default:
				p.Needs[len(p.Needs)-1] = append(p.Needs[len(p.Needs)-1], int(x)-65-k%3)
			}
		}
		p.Budget = 500
		s := cover.Solve(p)
		if s.Cost.Less(s.Bound) || s.Steps > p.Budget {
			t.Fatalf("%+v: %+v", p, s)
		}
	})
}
