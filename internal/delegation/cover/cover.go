package cover

// Cost is what choosing a thing costs. Compared field by field, in this order.
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
	Budget int   // steps of search; 0 is the default
}

// Solution is an answer.
type Solution struct {
	Chosen []int // sorted
	Cost   Cost
	Exact  bool // nothing cheaper exists
	Bound  Cost // nothing cheaper than this exists
	Unmet  []int
}
