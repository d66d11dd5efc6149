package cover

import (
	"cmp"
	"math/bits"
	"slices"
)

// set is a set of small numbers.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s set) contains(o set) bool {
	for i, w := range o {
		if w&^s[i] != 0 {
			return false
		}
	}
	return true
}

// and counts what both hold.
func (s set) and(o set) (n int) {
	for i, w := range o {
		n += bits.OnesCount64(w & s[i])
	}
	return n
}

func (s set) empty() bool {
	return !slices.ContainsFunc(s, func(w uint64) bool { return w != 0 })
}

// without gives what is in s and not in o.
func (s set) without(o set) set {
	out := slices.Clone(s)
	for i, w := range o {
		out[i] &^= w
	}
	return out
}

// search is a branch and bound over the needs that are left after reducing.
type search struct {
	needs  [][]int // of each the things, the cheapest first; as places in things
	things []int   // the caller's indexes
	costs  []Cost  // of things
	meets  []set   // of each thing the needs it meets
	budget int
	steps  int
	cut    bool
	best   []int // the caller's indexes
	value  Cost  // of best
	left   Cost  // the least that what was not looked at may cost; of use when cut
	some   bool  // left says something
}

func newSearch(open [][]int, costs []Cost, budget int) *search {
	if budget <= 0 {
		budget = DefaultBudget
	}
	b := &search{budget: budget}
	at := map[int]int{}
	for _, need := range open {
		b.things = append(b.things, need...)
	}
	slices.Sort(b.things)
	b.things = slices.Compact(b.things)
	for k, i := range b.things {
		at[i] = k
		b.costs = append(b.costs, costs[i])
		b.meets = append(b.meets, newSet(len(open)))
	}
	for n, need := range open {
		var own []int
		for _, i := range need {
			own = append(own, at[i])
			b.meets[at[i]].add(n)
		}
		slices.SortFunc(own, func(x, y int) int { return cmp.Or(b.costs[x].compare(b.costs[y]), cmp.Compare(x, y)) })
		b.needs = append(b.needs, own)
	}
	return b
}

func (b *search) run() {
	open := newSet(len(b.needs))
	for n := range b.needs {
		open.add(n)
	}
	b.greedy(open)
	b.branch(open, newSet(len(b.things)), nil, Cost{})
}

// greedy finds a first answer: what costs least for each need it meets, then without what is not needed.
func (b *search) greedy(open set) {
	var chosen []int
	for !open.empty() {
		take := -1
		for k := range b.things {
			if b.meets[k].and(open) > 0 && (take < 0 || b.better(k, take, open)) {
				take = k
			}
		}
		chosen = append(chosen, take)
		open = open.without(b.meets[take])
	}
	slices.SortFunc(chosen, func(x, y int) int { return cmp.Or(b.costs[y].compare(b.costs[x]), cmp.Compare(x, y)) })
	for k := 0; k < len(chosen); {
		rest := slices.Delete(slices.Clone(chosen), k, k+1)
		if b.all(rest) {
			chosen = rest
		} else {
			k++
		}
	}
	b.keep(chosen)
}

// better tells whether one thing costs less than another for each open need that it meets.
func (b *search) better(x, y int, open set) bool {
	nx, ny := b.meets[x].and(open), b.meets[y].and(open)
	cx, cy := b.costs[x], b.costs[y]
	return cmp.Or(cmp.Compare(cx.Privileged*ny, cy.Privileged*nx), cmp.Compare(cx.Weight*ny, cy.Weight*nx), cmp.Compare(cx.Count*ny, cy.Count*nx)) < 0
}

// all tells whether a choice meets every need.
func (b *search) all(chosen []int) bool {
	return !slices.ContainsFunc(b.needs, func(need []int) bool {
		return !slices.ContainsFunc(need, func(k int) bool { return slices.Contains(chosen, k) })
	})
}

// keep takes a choice as the best one.
func (b *search) keep(chosen []int) {
	b.best, b.value = nil, Cost{}
	for _, k := range chosen {
		b.best = append(b.best, b.things[k])
		b.value = b.value.plus(b.costs[k])
	}
}

// branch looks at every choice that adds to this one without what is barred, unless it cannot beat the best.
func (b *search) branch(open, barred set, chosen []int, spent Cost) {
	if open.empty() {
		if spent.Less(b.value) {
			b.keep(chosen)
		}
		return
	}
	least, on, ok := b.least(open, barred)
	if !ok || !spent.plus(least).Less(b.value) {
		return
	}
	if b.steps >= b.budget {
		if at := spent.plus(least); !b.some || at.Less(b.left) {
			b.left, b.some = at, true
		}
		b.cut = true
		return
	}
	b.steps++
	barred = slices.Clone(barred)
	for _, k := range b.needs[on] {
		if barred.has(k) {
			continue
		}
		b.branch(open.without(b.meets[k]), barred, append(chosen[:len(chosen):len(chosen)], k), spent.plus(b.costs[k]))
		barred.add(k) // the other branches are those without it
	}
}

// least gives what the open needs cost at least, and the need with the fewest things, to branch on.
// Needs that share nothing add up: costs are compared field by field, so the sum of the least is
// the least of the sums. It is not ok when a need has nothing left.
func (b *search) least(open, barred set) (sum Cost, on int, ok bool) {
	on = -1
	size := 0
	order := make([]int, 0, len(b.needs))
	count := make([]int, len(b.needs))
	for n, need := range b.needs {
		if !open.has(n) {
			continue
		}
		for _, k := range need {
			if !barred.has(k) {
				count[n]++
			}
		}
		if count[n] == 0 {
			return Cost{}, -1, false
		}
		if on < 0 || count[n] < size {
			on, size = n, count[n]
		}
		order = append(order, n)
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(count[x], count[y]) })
	used := newSet(len(b.things))
	for _, n := range order {
		apart, first := true, -1
		for _, k := range b.needs[n] {
			if barred.has(k) {
				continue
			}
			if first < 0 {
				first = k
			}
			if used.has(k) {
				apart = false
				break
			}
		}
		if !apart {
			continue
		}
		for _, k := range b.needs[n] {
			used.add(k)
		}
		sum = sum.plus(b.costs[first])
	}
	return sum, on, true
}

// bound gives what nothing can be cheaper than.
func (b *search) bound() Cost {
	if b.cut && b.some && b.left.Less(b.value) {
		return b.left
	}
	return b.value
}
