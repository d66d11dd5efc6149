package verify

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"partnerguard/internal/gateway"
)

// entry is a token that was verified, by its SHA-256. It is never changed, but for hot.
type entry struct {
	sum       [32]byte
	id        *gateway.Identity // nil where its signature is bad
	key       *key
	exp, from int64 // seconds since 1970
	size      int64
	hot       atomic.Bool // it was asked for again
}

// entryCost is about what an entry takes beside its texts: it, the identity and the list.
const entryCost = 1 << 10

// when says whether a genuine token is in time.
func (e *entry) when(now, leeway int64) gateway.Reason {
	switch {
	case now >= e.exp+leeway:
		return gateway.Expired
	case now < e.from-leeway:
		return gateway.NotYetValid
	case e.exp-now > maxLife+leeway:
		return gateway.BadClaim // it lives longer than any
	}
	return gateway.Passed
}

// table keeps entries in sets of eight. Who reads takes no lock; who writes takes that of
// the set's part. What is asked for again stays before what came once, so that a flood of
// new tokens does not drive out those who are here every day.
type table struct {
	sets []set
	most int64 // bytes
	used atomic.Int64
	mu   [shards]sync.Mutex // of writers, by the set
}

const ways = 8

type set [ways]atomic.Pointer[entry]

func newTable(entries int, most int64) *table {
	n := 1
	for n*ways < entries {
		n *= 2
	}
	return &table{sets: make([]set, n), most: most}
}

func (t *table) at(sum *[32]byte) int {
	return int(binary.LittleEndian.Uint64(sum[:8]) & uint64(len(t.sets)-1))
}

// find gives what is known of a token, whether or not its key is still usable; nil where
// nothing is.
func (t *table) find(sum *[32]byte) *entry {
	s := &t.sets[t.at(sum)]
	for i := range s {
		if e := s[i].Load(); e != nil && e.sum == *sum {
			if !e.hot.Load() {
				e.hot.Store(true)
			}
			return e
		}
	}
	return nil
}

// put keeps an entry, if there is room for it once another of its set has gone.
func (t *table) put(e *entry) {
	n := t.at(&e.sum)
	mu := &t.mu[n%shards]
	mu.Lock()
	defer mu.Unlock()
	s := &t.sets[n]
	i := s.place(e)
	t.take(s, i)
	if t.used.Add(e.size) > t.most {
		t.used.Add(-e.size)
		return
	}
	s[i].Store(e)
}

// take makes a place empty.
func (t *table) take(s *set, i int) {
	if old := s[i].Swap(nil); old != nil {
		t.used.Add(-old.size)
	}
}

// place chooses where an entry stands: its own place, a free one, that of one whose key
// is gone, of one that nobody asked for again, or else any.
func (s *set) place(e *entry) int {
	best, rank := int(e.sum[8])%ways, 0
	for i := range s {
		o := s[i].Load()
		r := 0
		switch {
		case o != nil && o.sum == e.sum:
			return i
		case o == nil:
			r = 3
		case o.key.gone.Load():
			r = 2
		case !o.hot.Load():
			r = 1
		}
		if r > rank {
			best, rank = i, r
		}
	}
	if rank == 0 { // all were asked for again: they must earn it anew
		for i := range s {
			if o := s[i].Load(); o != nil {
				o.hot.Store(false)
			}
		}
	}
	return best
}

// count gives how many are kept.
func (t *table) count() (n int) {
	for i := range t.sets {
		for j := range t.sets[i] {
			if t.sets[i][j].Load() != nil {
				n++
			}
		}
	}
	return n
}
