package msapi

import (
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/evidence"
)

// pace is how much a bucket takes: n units in any interval of that length, the
// first n at once. A unit is a request, or one of Graph's resource units.
type pace struct {
	n  int
	in time.Duration
}

// slack is what an interval is longer than the published one, so that what is
// sent at its edge does not come before it.
const slack = 50 // a fiftieth

// The paces (contracts.md sections 2.2, 2.5 and 3.0). Where Microsoft publishes
// no number ours is careful, and a 429 makes it slower.
var (
	paceLogin   = pace{100, 2 * time.Second}
	paceCenter  = pace{40, time.Second}
	paceConsent = pace{45, time.Second}        // about 50 a second per application id
	paceGraph   = pace{3500, 10 * time.Second} // resource units of a small tenant, per app and tenant: nobody says how large it is
	paceReports = pace{5, 10 * time.Second}    // per app and tenant
	pacePolicy  = pace{1, time.Second}         // Conditional Access: per tenant, all apps together
	paceGDAP    = pace{100, 10 * time.Second}  // not published: delegated admin relationships
	paceSecure  = pace{50, time.Second}        // not published
	paceARM     = pace{25, time.Second}        // per subscription and principal, after a burst that is left alone
	paceApp     = pace{2000, time.Second}      // Graph: per app over all tenants
)

// graphPace finds the bucket of a Graph path.
func graphPace(path string) (string, pace) {
	switch p := strings.ToLower(path); {
	case strings.Contains(p, "/auditlogs/"), strings.Contains(p, "/reports/"):
		return "reports", paceReports
	case strings.Contains(p, "/identity/conditionalaccess/"), strings.Contains(p, "/identityprotection/"):
		return "policy", pacePolicy
	case strings.Contains(p, "/tenantrelationships/"):
		return "gdap", paceGDAP
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
		return "security", paceSecure
	}
	return "graph", paceGraph
}

// maxBuckets bounds the memory of budgets: six for each of 2,000 customers, and room.
const maxBuckets = 50_000

// slowest is the least share of its pace that a throttled bucket keeps.
const slowest = 1.0 / 32

// budgets keeps a bucket by host, tenant, kind and app. It measures by a
// monotonic clock, since a wall clock may jump: this is pace, not time. Moments
// are counted from when the client was made. Safe for concurrent use.
type budgets struct {
	elapsed func() time.Duration

	mu    sync.Mutex // guards what follows
	list  map[string]*bucket
	costs map[string]int // resource units of a request, by what it reads, as last told

	throttled throttled
}

type bucket struct {
	base  pace
	share float64       // of the pace, after throttling
	sent  []stamp       // in order, none older than the interval
	until time.Duration // nothing is sent before
	used  time.Duration
}

// stamp is units sent, or to be sent, close together.
type stamp struct {
	first, last time.Duration
	units       int
}

func newBudgets(mono func() time.Duration) *budgets {
	if mono == nil {
		began := time.Now()
		mono = func() time.Duration { return time.Since(began) }
	}
	return &budgets{elapsed: mono, list: map[string]*bucket{}, costs: map[string]int{}, throttled: throttled{}}
}

func (b *budgets) get(key string, p pace) *bucket {
	k := b.list[key]
	if k == nil {
		if len(b.list) >= maxBuckets {
			b.forget()
		}
		k = &bucket{base: p, share: 1}
		b.list[key] = k
	}
	return k
}

// forget makes room: first what was idle for a minute, then what was so for as
// long as no interval is, then what is not closed by a throttle, which must be
// remembered longest, then any one.
func (b *budgets) forget() {
	now := b.elapsed()
	for _, idle := range []time.Duration{time.Minute, 11 * time.Second, -1} {
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

// interval is the length in which n units are sent, as slow as it is now.
func (k *bucket) interval() time.Duration {
	in := k.base.in + k.base.in/slack
	return time.Duration(float64(in) / k.share)
}

// reserve takes units and gives the moment at which they may be sent.
func (b *budgets) reserve(key string, p pace, units int) (moment, now time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.get(key, p)
	now = b.elapsed()
	k.used = now
	units = min(units, k.base.n) // more than a bucket holds could never be sent
	in := k.interval()
	for len(k.sent) > 0 && k.sent[0].last <= now-in {
		k.sent = k.sent[1:]
	}
	moment = max(now, k.until)
	if n := len(k.sent); n > 0 {
		moment = max(moment, k.sent[n-1].last)
	}
	total, from := units, 0
	for _, s := range k.sent {
		total += s.units
	}
	for ; from < len(k.sent) && (total > k.base.n || k.sent[from].last <= moment-in); from++ {
		moment = max(moment, k.sent[from].last+in)
		total -= k.sent[from].units
	}
	k.put(moment, units, in)
	return moment, now
}

// put notes units that are sent at a moment. Close ones count as sent together
// at the last moment, so that a bucket stays small.
func (k *bucket) put(moment time.Duration, units int, in time.Duration) {
	if n := len(k.sent); n > 0 && moment-k.sent[n-1].first < in/64 {
		k.sent[n-1].last, k.sent[n-1].units = moment, k.sent[n-1].units+units
		return
	}
	k.sent = append(k.sent, stamp{moment, moment, units})
}

// sending notes that what was reserved for a moment is sent only now: another
// bucket, or the requests under way, held it up.
func (b *budgets) sending(key string, moment time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, now := b.list[key], b.elapsed()
	if k == nil || now <= moment {
		return
	}
	for i := range k.sent {
		if k.sent[i].last >= moment {
			k.sent[i].last = max(k.sent[i].last, now)
		}
	}
}

// closed is the moment before which a throttle keeps a bucket closed.
func (b *budgets) closed(key string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := b.list[key]; k != nil {
		return k.until
	}
	return 0
}

// slower halves a bucket's pace after a 429 and closes it for a while.
func (b *budgets) slower(key string, p pace, pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.get(key, p)
	k.until = max(k.until, b.elapsed()+pause)
	b.throttled.note(key)
	k.share = max(k.share/2, slowest)
}

// faster lets a slowed bucket recover by a twentieth of its pace an answer.
func (b *budgets) faster(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := b.list[key]; k != nil {
		k.share = min(k.share+1.0/20, 1)
	}
}

// cost is how many units of its bucket a request takes.
func (b *budgets) cost(how *conduct) int {
	if how.kind != "graph" {
		return max(how.units, 1)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	each := b.costs[how.what]
	if each == 0 {
		each = 2 // a list of users is 2, contracts and licences are 3
	}
	return each * max(how.units, 1)
}

// learn heeds what Graph says of its own account: what the request took, and how
// full the bucket is where others draw on it too.
func (b *budgets) learn(key string, how *conduct, h http.Header, units int) {
	took, err := strconv.Atoi(h.Get("x-ms-resource-unit"))
	full, ferr := strconv.ParseFloat(h.Get("x-ms-throttle-limit-percentage"), 64)
	if err != nil && ferr != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.list[key]
	if k == nil {
		return
	}
	if err == nil && took > 0 && took <= k.base.n && how.kind == "graph" {
		if len(b.costs) < maxBuckets {
			b.costs[how.what] = took
		}
		if n := len(k.sent); n > 0 && how.units <= 1 {
			k.sent[n-1].units = max(k.sent[n-1].units+took-units, 0)
		}
	}
	if ferr == nil && !math.IsNaN(full) && full >= 0.8 {
		ours := 0
		for _, s := range k.sent {
			ours += s.units
		}
		if full > float64(ours)/float64(k.base.n)+0.1 { // somebody else takes of the same bucket
			k.share = max(k.share*0.9, slowest)
		}
	}
}
