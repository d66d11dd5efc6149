package session

import (
	"crypto/sha256"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"partnerguard/internal/gateway"
)

type seconds = atomic.Int64

// maxKnown bounds each of the two generations of the cache.
const maxKnown = 20_000

// cache remembers cookies that were opened: two generations, of which the older one goes
// when the newer is full. Reading takes no lock.
type cache struct {
	mu       sync.Mutex // guards what follows against other writers
	new, old atomic.Pointer[generation]
	n        int
}

// generation are entries by the hash of their cookie, and the sign-ins (sid) they are of.
type generation struct{ entries, sids sync.Map }

// signedIn says that a sign-in is one of a cookie that was opened here.
func (c *cache) signedIn(sid string) bool {
	for _, g := range [...]*generation{c.new.Load(), c.old.Load()} {
		if g != nil {
			if _, ok := g.sids.Load(sid); ok {
				return true
			}
		}
	}
	return false
}

func (c *cache) get(k key) *entry {
	if m := c.new.Load(); m != nil {
		if e, ok := m.entries.Load(k); ok {
			return e.(*entry) //nolint:forcetypeassert // ours alone
		}
	}
	if m := c.old.Load(); m != nil {
		if e, ok := m.entries.Load(k); ok {
			return c.put(k, e.(*entry)) //nolint:forcetypeassert // ours alone
		}
	}
	return nil
}

// put keeps an entry, and gives the one that stands.
func (c *cache) put(k key, e *entry) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.new.Load() == nil || c.n >= maxKnown {
		c.old.Store(c.new.Load())
		c.new.Store(&generation{})
		c.n = 0
	}
	g := c.new.Load()
	was, there := g.entries.LoadOrStore(k, e)
	if !there {
		c.n++
		if e.t.SID != "" {
			g.sids.Store(e.t.SID, true)
		}
	}
	return was.(*entry) //nolint:forcetypeassert // ours alone
}

// ended is what ended before its time. Reading takes no lock.
type ended struct {
	most int        // 0 is maxEnded
	mu   sync.Mutex // guards list against other writers
	list atomic.Pointer[map[string]mark]
}

// mark is when something ended, and until when that matters.
type mark struct{ at, until int64 }

// maxEnded bounds what is remembered; when it is full, what matters least long goes.
const (
	maxEnded = 50_000
	maxStray = 1_000 // of sign-ins that anybody may name, and nobody here knows
)

func endedKeys(id, sid, tenant, object string) [3]string {
	k := [3]string{"i " + id, "s " + sid, "u " + tenant + " " + object}
	for i, s := range [...]string{id, sid, object} {
		if s == "" {
			k[i] = ""
		}
	}
	return k
}

// add remembers it; false says that it is what ended before, and was said then. A user may
// have signed in since, which is another thing that ends.
func (e *ended) add(x *Ended) bool {
	most := e.most
	if most == 0 {
		most = maxEnded
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	next := map[string]mark{}
	if l := e.list.Load(); l != nil {
		maps.Copy(next, *l)
	}
	now, fresh := x.At.Unix(), false
	for k, v := range next {
		if v.until < now {
			delete(next, k)
		}
	}
	for _, k := range endedKeys(x.ID, x.Session, x.Tenant, x.ObjectID) {
		if k == "" {
			continue
		}
		v, is := next[k]
		fresh = fresh || !is || k[0] == 'u' && v.at < now || k[0] == 's' && v.until-now < int64(maxLife/time.Second)/2
		if !is && len(next) >= most {
			soonest, until := "", int64(0)
			for k, v := range next {
				if soonest == "" || v.until < until {
					soonest, until = k, v.until
				}
			}
			delete(next, soonest)
		}
		next[k] = mark{now, x.Until.Unix()}
	}
	e.list.Store(&next)
	return fresh
}

// has says that a ticket's session ended: itself, its sign-in, or all that its user had
// then.
func (e *ended) has(t *ticket) bool {
	l := e.list.Load()
	if l == nil || len(*l) == 0 {
		return false
	}
	for _, k := range endedKeys(t.ID, t.SID, t.Tenant, t.ObjectID) {
		if v, ok := (*l)[k]; ok && k != "" && t.Made <= v.at {
			return true
		}
	}
	return false
}

// once remembers what may come once.
type once struct {
	anew bool       // when it is full it begins anew: what it keeps out is kept out elsewhere too
	mu   sync.Mutex // guards list
	list map[[sha256.Size]byte]time.Time
}

const maxOnce = 100_000

// first says whether a text comes for the first time, and remembers it until then. When
// it is full of what still matters nothing is first, or it begins anew.
func (o *once) first(text string, now, until time.Time) bool {
	hash := sha256.Sum256([]byte(text))
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.list == nil {
		o.list = map[[sha256.Size]byte]time.Time{}
	}
	if end, is := o.list[hash]; is && now.Before(end) {
		return false
	}
	if len(o.list) >= maxOnce {
		maps.DeleteFunc(o.list, func(_ [sha256.Size]byte, end time.Time) bool { return !now.Before(end) })
		if len(o.list) >= maxOnce && !o.anew {
			return false
		} else if len(o.list) >= maxOnce {
			clear(o.list)
		}
	}
	o.list[hash] = until
	return true
}

// asks is what the routes of one table ask for of roles and groups.
type asks struct {
	of    *gateway.Table
	names map[string]bool
	print uint32
}

// askedNow is what the routes of now ask for; it is worked out once a table.
func (m *Manager) askedNow() (map[string]bool, uint32) {
	t := m.d.Table()
	if a := m.asks.Load(); a != nil && a.of == t {
		return a.names, a.print
	}
	a := &asks{of: t}
	a.names, a.print = asked(t.Routes)
	m.asks.Store(a)
	return a.names, a.print
}
