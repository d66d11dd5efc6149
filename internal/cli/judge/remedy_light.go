//go:build judge

package judge

// planner is nobody in particular: what only judges keeps no trail.
func planner() string { return "" }
