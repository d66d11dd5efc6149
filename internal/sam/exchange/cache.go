package exchange

import (
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// cache keeps tokens and final refusals, the least recently used one going
// first. It is guarded by its owner.
type cache struct {
	max   int
	byKey map[key]*list.Element
	order *list.List // of *kept; the front was used last
}

// kept is a token, or a refusal when err is set.
type kept struct {
	k    key
	t    Token
	err  error
	at   time.Duration // monotonic, when it was asked for
	life time.Duration // a token's whole life; how long a refusal is remembered
	// generation of the connection's refresh token when it was refused: a
	// healed connection is asked for again.
	generation int64
	retry      time.Duration // monotonic: no early renewal before
	sum        [sha256.Size]byte
}

func newCache(max int) cache {
	return cache{max: max, byKey: map[key]*list.Element{}, order: list.New()}
}

func (c *cache) get(k key) *kept {
	e := c.byKey[k]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*kept)
}

func (c *cache) put(v *kept) {
	if e := c.byKey[v.k]; e != nil {
		e.Value = v
		c.order.MoveToFront(e)
		return
	}
	for c.order.Len() >= c.max {
		c.remove(c.order.Back())
	}
	c.byKey[v.k] = c.order.PushFront(v)
}

func (c *cache) remove(e *list.Element) {
	delete(c.byKey, e.Value.(*kept).k)
	c.order.Remove(e)
}

func (c *cache) drop(which func(key) bool) {
	for e := c.order.Front(); e != nil; {
		next := e.Next()
		if which(e.Value.(*kept).k) {
			c.remove(e)
		}
		e = next
	}
}

// left is how long a token may still be used, by whichever clock says less.
// Neither a wall clock that was set back nor a machine that slept makes it more.
func (v *kept) left(now time.Time, mono time.Duration) time.Duration {
	return min(v.t.Expires.Sub(now), v.life-(mono-v.at), v.life)
}

// reserve is how much of a life is not handed out: five minutes, or a tenth of
// a short life.
func (v *kept) reserve() time.Duration { return min(margin, v.life/10) }

// early says that the token should be renewed while it still serves: in the
// last fifth of its life, or twice the reserve.
func (v *kept) early(left time.Duration) bool {
	return left < max(v.life/5, 2*v.reserve())
}

// is says whether it is the token with this SHA-256 in hex.
func (v *kept) is(sum string) bool { return sum != "" && sum == hex.EncodeToString(v.sum[:]) }
