package msapi

import (
	"maps"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"partnerguard/internal/evidence"
)

// pace is how fast a bucket may go before anybody complains.
type pace struct {
	perSecond float64
	burst     int
}

// The paces (contracts.md sections 2.5 and 3.0). Where Microsoft publishes no
// number ours is careful, and a 429 makes it slower.
var (
	paceLogin   = pace{50, 100}
	paceCenter  = pace{40, 40}
	paceConsent = pace{45, 45} // about 50 a second per application id
	paceGraph   = pace{50, 100}
	paceReports = pace{0.5, 5} // 5 in 10 s per app and tenant
	paceARM     = pace{10, 50}
	pacePolicy  = pace{1, 1} // Conditional Access: 1 a second per tenant, all apps together
)

// graphPace finds the bucket of a Graph path.
func graphPace(path string) (string, pace) {
	switch p := strings.ToLower(path); {
	case strings.Contains(p, "/auditlogs/"), strings.Contains(p, "/reports/"):
		return "reports", paceReports
	case strings.Contains(p, "/identity/conditionalaccess/"), strings.Contains(p, "/identityprotection/"):
		return "policy", pacePolicy
	}
	return "graph", paceGraph
}

// paceOf is the pace of a bucket of the resources, by the same name as the
// other calls use it.
func paceOf(bucket string) (string, pace) {
	switch bucket {
	case evidence.BucketReports:
		return "reports", paceReports
	case evidence.BucketPolicy:
		return "policy", pacePolicy
	case evidence.BucketCenter:
		return "customers", paceCenter
	case evidence.BucketARM:
		return "arm", paceARM
	case evidence.BucketSecurity:
		return "security", paceGraph
	}
	return "graph", paceGraph
}

// maxBuckets bounds the memory of budgets.
const maxBuckets = 10_000

// budgets keeps a token bucket by host, tenant and kind. It measures by the
// machine's monotonic clock, since a wall clock may jump: this is pace, not time.
type budgets struct {
	began time.Time

	mu   sync.Mutex // guards list and its buckets' fields
	list map[string]*bucket
}

type bucket struct {
	lim   *rate.Limiter
	base  pace
	until time.Duration // since began: nothing is sent before
	used  time.Duration
}

func newBudgets() *budgets { return &budgets{began: time.Now(), list: map[string]*bucket{}} }

func (b *budgets) elapsed() time.Duration { return time.Since(b.began) }

func (b *budgets) get(key string, p pace) *bucket {
	k := b.list[key]
	if k == nil {
		if len(b.list) >= maxBuckets {
			b.forget()
		}
		k = &bucket{lim: rate.NewLimiter(rate.Limit(p.perSecond), p.burst), base: p}
		b.list[key] = k
	}
	return k
}

// forget makes room: first what was idle for a minute, then what is not closed
// by a throttle, which must be remembered longest, then any one.
func (b *budgets) forget() {
	now := b.elapsed()
	for _, idle := range []time.Duration{time.Minute, -1} {
		maps.DeleteFunc(b.list, func(_ string, k *bucket) bool { return now-k.used > idle && now > k.until })
		if len(b.list) < maxBuckets {
			return
		}
	}
	for name := range b.list {
		delete(b.list, name)
		return
	}
}

// take takes one turn and says how long to wait for it.
func (b *budgets) take(key string, p pace) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.get(key, p)
	now := b.elapsed()
	k.used = now
	return max(k.lim.Reserve().Delay(), k.until-now, 0)
}

// slower halves a bucket's pace after a 429 and closes it for a while.
func (b *budgets) slower(key string, p pace, pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.get(key, p)
	k.until = max(k.until, b.elapsed()+pause)
	k.lim.SetLimit(max(k.lim.Limit()/2, rate.Limit(k.base.perSecond/32)))
}

// faster lets a slowed bucket recover by a twentieth of its pace an answer.
func (b *budgets) faster(key string, p pace) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.list[key]
	if k == nil {
		return
	}
	if full := rate.Limit(k.base.perSecond); k.lim.Limit() < full {
		k.lim.SetLimit(min(k.lim.Limit()+full/20, full))
	}
}
