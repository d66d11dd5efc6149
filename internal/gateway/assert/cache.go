package assert

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"partnerguard/internal/gateway"
)

// slots is how many identities are remembered: the cache's bound.
const slots = 4096

// key is what the headers depend on. An identity and a route are never changed, so that
// their addresses stand for them; an entry keeps both alive, and their addresses theirs.
type key struct {
	id       *gateway.Identity
	route    *gateway.Route
	upstream string
	issuer   string
	host     string
	tls      bool
}

type entry struct {
	key   key
	told  [][2]string
	lines []byte // the same as lines of a head
	made  time.Time
}

// cache is a table of two places for each key, read without a lock. Who comes later takes
// the place of who was there.
type cache struct {
	seed  maphash.Seed
	slots *[slots]atomic.Pointer[entry]
}

func newCache() cache {
	return cache{seed: maphash.MakeSeed(), slots: new([slots]atomic.Pointer[entry])}
}

func (c *cache) places(k key) (a, b *atomic.Pointer[entry]) {
	h := maphash.Comparable(c.seed, k)
	return &c.slots[h%slots], &c.slots[h>>32%slots]
}

func (c *cache) get(k key, now time.Time) *entry {
	a, b := c.places(k)
	for _, p := range [...]*atomic.Pointer[entry]{a, b} {
		if e := p.Load(); e != nil && e.key == k && e.fresh(now) {
			return e
		}
	}
	return nil
}

func (c *cache) put(e *entry) {
	a, b := c.places(e.key)
	if old := a.Load(); old == nil || old.key == e.key || !old.fresh(e.made) {
		a.Store(e)
		return
	}
	b.Store(e)
}

// fresh says that it may be told again: not for long, and not past the token's end.
func (e *entry) fresh(now time.Time) bool {
	age := now.Sub(e.made)
	return age >= 0 && age < reuse && (e.key.id.NotAfter == 0 || e.made.Unix() >= e.key.id.NotAfter || now.Unix() < e.key.id.NotAfter)
}
