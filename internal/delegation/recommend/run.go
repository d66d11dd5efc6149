package recommend

// Run derives the recommendation. It is pure, and gives the same for the same input.
func Run(in Input) *Result { return &Result{} }
