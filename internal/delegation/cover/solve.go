package cover

// Solve finds the cheapest choice that meets every need that can be met. The same problem
// always has the same answer. It ends after Problem.Budget steps at the latest; then Exact is
// false unless the answer was proved by then, and Bound says what nothing can be cheaper than.
func Solve(p Problem) Solution { return Solution{} }
