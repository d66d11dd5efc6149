package scenario

import (
	"maps"
	"slices"
)

// lru keeps what was used last, within a weight. The newest entry stays however
// heavy it is. The zero value is empty.
type lru[K comparable, V any] struct {
	entries map[K]*lruEntry[V]
	order   []K // oldest use first
	weight  int
}

type lruEntry[V any] struct {
	value  V
	weight int
}

func (l *lru[K, V]) get(k K) (v V, ok bool) {
	e := l.entries[k]
	if e == nil {
		return v, false
	}
	i := slices.Index(l.order, k)
	copy(l.order[i:], l.order[i+1:])
	l.order[len(l.order)-1] = k
	return e.value, true
}

func (l *lru[K, V]) put(k K, v V, weight, limit int) {
	if l.entries == nil {
		l.entries = map[K]*lruEntry[V]{}
	}
	l.entries[k] = &lruEntry[V]{v, weight}
	l.order = append(l.order, k)
	l.weight += weight
	for l.weight > limit && len(l.order) > 1 {
		l.drop()
	}
}

// drop forgets what was not used for longest.
func (l *lru[K, V]) drop() {
	k := l.order[0]
	l.order = append(l.order[:0], l.order[1:]...)
	l.weight -= l.entries[k].weight
	delete(l.entries, k)
}

func (l *lru[K, V]) len() int { return len(l.order) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
