package world

import (
	"iter"
	"slices"
	"strings"
)

// Since yields rows with their places, beginning after the row named after ("":
// from the start). at is where that row was when it was last seen: it is looked
// for there first, so that reading a table in pages costs no search.
func (t *Table[T, P]) Since(after string, at int) iter.Seq2[int, P] {
	return func(yield func(int, P) bool) {
		start := 0
		if after != "" {
			k := strings.ToLower(after)
			if at >= 0 && at < len(t.order) && t.order[at] == k {
				start = at + 1
			} else if start = slices.Index(t.order, k) + 1; start == 0 {
				// The row is gone. What stood behind it moved up by one place at most.
				start = min(max(at, 0), len(t.order))
			}
		}
		for i := start; i < len(t.order); i++ {
			if !yield(i, t.rows[t.order[i]]) {
				return
			}
		}
	}
}

// Version grows with every change that decides sign-ins.
func (t *Tenant) Version() int64 { return t.version }
