package assess

import (
	"cmp"
	"maps"
	"slices"

	"partnerguard/internal/access"
)

// sorted gives the values of a map in the order of its keys, so that reports
// do not depend on the runtime's map order.
func sorted[K cmp.Ordered, V any](m map[K]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

// sortedPolicies orders policies by name, then id.
func sortedPolicies(m map[string]*access.Policy) []*access.Policy {
	all := sorted(m)
	slices.SortStableFunc(all, func(a, b *access.Policy) int {
		return cmp.Or(cmp.Compare(a.DisplayName, b.DisplayName), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// sortedKeys gives the keys of a map in order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
