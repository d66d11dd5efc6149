package kit

import (
	"math"
	"sync"
	"time"
)

// Rate is how many tokens a bucket holds and gets. A refused request costs a token
// too where there is Debt, down to so many below nothing.
type Rate struct{ Burst, PerSecond, Debt float64 }

type bucket struct {
	left float64
	at   time.Time
}

// Buckets are token buckets by key, on the clock of whoever calls: a frozen clock
// refills none. The zero value is ready. Safe for concurrent use.
type Buckets struct {
	mu      sync.Mutex // guards the map
	buckets map[string]*bucket
}

// maxBuckets bounds the map; beyond it all are forgotten, and so full again.
const maxBuckets = 10_000

// Take takes a token of the key's bucket, and says how many are left; or, when there
// is none, how long to wait.
func (b *Buckets) Take(key string, r Rate, now time.Time) (left float64, wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.buckets[key]
	if k == nil {
		if b.buckets == nil || len(b.buckets) >= maxBuckets {
			b.buckets = map[string]*bucket{}
		}
		k = &bucket{left: r.Burst, at: now}
		b.buckets[key] = k
	}
	if d := now.Sub(k.at).Seconds(); d > 0 {
		k.left, k.at = math.Min(r.Burst, k.left+d*r.PerSecond), now
	}
	if k.left >= 1 {
		k.left--
		return k.left, 0, true
	}
	if r.Debt > 0 {
		k.left = math.Max(-r.Debt, k.left-1)
	}
	return k.left, time.Duration((1 - k.left) / r.PerSecond * float64(time.Second)), false
}
