package cover

import "cmp"

// Cost is what choosing a thing costs: compared field by field, in this order. No field is negative.
type Cost struct {
	Privileged int // 1 for a privileged role
	Weight     int
	Count      int // 1 each
}

// Problem is a set of needs, each with the things that would meet it.
type Problem struct {
	Needs  [][]int // indexes into Costs; a need without any cannot be met and is left out of the answer
	Costs  []Cost
	Pinned []int // are in every answer
	Budget int   // steps of search; 0 is DefaultBudget
}

// DefaultBudget is how many steps of search are taken when a problem says nothing: half a second
// for all roles and all activities at once, which no assignment has.
const DefaultBudget = 20_000

// Less tells whether one cost is below another.
func (c Cost) Less(o Cost) bool { return c.compare(o) < 0 }

func (c Cost) compare(o Cost) int {
	return cmp.Or(cmp.Compare(c.Privileged, o.Privileged), cmp.Compare(c.Weight, o.Weight), cmp.Compare(c.Count, o.Count))
}

func (c Cost) plus(o Cost) Cost {
	return Cost{c.Privileged + o.Privileged, c.Weight + o.Weight, c.Count + o.Count}
}

// Solution is an answer.
type Solution struct {
	Chosen []int // sorted
	Cost   Cost
	Exact  bool  // nothing cheaper exists
	Bound  Cost  // nothing cheaper than this exists
	Unmet  []int // needs that nothing meets
	Steps  int   // of search that were taken; 0 when reducing the problem solved it
}
