package cover

import (
	"cmp"
	"slices"
)

// Solve finds the cheapest choice that meets every need that can be met. The same problem
// always has the same answer. The search ends after Problem.Budget steps; then Exact is false
// unless the answer was proved by then, and Bound says what nothing can be cheaper than. A step's
// work grows with the number of needs times the number of things. Indexes that are outside of
// Costs are left out of their need. It keeps nothing and is safe for concurrent use.
func Solve(p Problem) Solution {
	var s Solution
	chosen := make([]bool, len(p.Costs))
	for _, i := range p.Pinned {
		if i >= 0 && i < len(p.Costs) {
			chosen[i] = true
		}
	}
	var open [][]int
	for n, need := range p.Needs {
		need = valid(need, len(p.Costs))
		switch {
		case len(need) == 0:
			s.Unmet = append(s.Unmet, n)
		case !slices.ContainsFunc(need, func(i int) bool { return chosen[i] }):
			open = append(open, need)
		}
	}
	for _, i := range settle(&open, p.Costs) {
		chosen[i] = true
	}
	base := total(chosen, p.Costs)
	s.Bound, s.Exact = base, true
	if len(open) > 0 {
		b := newSearch(open, p.Costs, p.Budget)
		b.run()
		for _, i := range b.best {
			chosen[i] = true
		}
		s.Steps, s.Exact, s.Bound = b.steps, !b.cut, base.plus(b.bound())
	}
	s.Cost = total(chosen, p.Costs)
	for i, ok := range chosen {
		if ok {
			s.Chosen = append(s.Chosen, i)
		}
	}
	return s
}

// valid gives a need's indexes that stand for something, sorted, each once.
func valid(need []int, n int) []int {
	out := slices.DeleteFunc(slices.Clone(need), func(i int) bool { return i < 0 || i >= n })
	slices.Sort(out)
	return slices.Compact(out)
}

func total(chosen []bool, costs []Cost) (sum Cost) {
	for i, ok := range chosen {
		if ok {
			sum = sum.plus(costs[i])
		}
	}
	return sum
}

// settle reduces a problem as long as anything gives way, and gives the choices that this forces:
// a need with one thing forces it; a need that holds all of another is met with it; a thing that
// meets no need beyond another one's and costs no less is not wanted.
func settle(open *[][]int, costs []Cost) (forced []int) {
	for {
		n := len(*open)
		*open = minimal(*open)
		taken := -1
		for _, need := range *open {
			if len(need) == 1 {
				taken = need[0]
				break
			}
		}
		if taken >= 0 {
			forced = append(forced, taken)
			*open = slices.DeleteFunc(*open, func(need []int) bool { return slices.Contains(need, taken) })
			continue
		}
		if !dropBeaten(*open, costs) && len(*open) == n {
			return forced
		}
	}
}

// minimal leaves out the needs that hold all of another one.
func minimal(open [][]int) [][]int {
	slices.SortFunc(open, func(a, b []int) int { return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b)) })
	var out [][]int
	for _, need := range open {
		if !slices.ContainsFunc(out, func(small []int) bool { return holds(need, small) }) {
			out = append(out, need)
		}
	}
	return out
}

// holds tells whether a sorted list holds all of another.
func holds(all, some []int) bool {
	at := 0
	for _, x := range some {
		for at < len(all) && all[at] < x {
			at++
		}
		if at == len(all) || all[at] != x {
			return false
		}
	}
	return true
}

// dropBeaten takes things out of the needs that another one beats, and tells whether it took any.
func dropBeaten(open [][]int, costs []Cost) bool {
	meets := map[int]set{}
	var things []int
	for n, need := range open {
		for _, i := range need {
			if meets[i] == nil {
				meets[i] = newSet(len(open))
				things = append(things, i)
			}
			meets[i].add(n)
		}
	}
	slices.Sort(things)
	beaten := map[int]bool{}
	for _, a := range things {
		for _, b := range things {
			if a == b || beaten[b] || !meets[b].contains(meets[a]) {
				continue
			}
			// Of two that are alike the first stays.
			if c := costs[b].compare(costs[a]); c < 0 || c == 0 && (b < a || !meets[a].contains(meets[b])) {
				beaten[a] = true
				break
			}
		}
	}
	if len(beaten) == 0 {
		return false
	}
	for n := range open {
		open[n] = slices.DeleteFunc(open[n], func(i int) bool { return beaten[i] })
	}
	return true
}
