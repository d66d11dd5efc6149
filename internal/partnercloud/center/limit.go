package center

import (
	"math"
	"net/http"
	"sync"
	"time"

	"partnerguard/internal/partnercloud/kit"
)

// The limits are ours: Microsoft publishes none but says that they are dynamic,
// counted per partner or per partner and customer, and that retrying at once
// counts against the caller (contracts.md section 2.2). The consent limit is
// published as about 50 a second per application.
var (
	perPartner  = rate{burst: 600, perSecond: 60}
	perCustomer = rate{burst: 120, perSecond: 12}
	perConsent  = rate{burst: 50, perSecond: 50}
)

type rate struct{ burst, perSecond float64 }

type bucket struct {
	left float64
	at   time.Time
}

// limits are token buckets on the world's clock: a frozen clock refills none.
type limits struct {
	mu      sync.Mutex // guards the map
	buckets map[string]*bucket
}

// maxBuckets bounds the map; full buckets are forgotten first.
const maxBuckets = 10_000

// take takes one token and says how long to wait when there is none. A refused
// request costs a token too, down to one burst below nothing.
func (l *limits) take(key string, r rate, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil {
		l.buckets = map[string]*bucket{}
	}
	b := l.buckets[key]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			clear(l.buckets)
		}
		b = &bucket{left: r.burst, at: now}
		l.buckets[key] = b
	}
	if d := now.Sub(b.at).Seconds(); d > 0 {
		b.left = math.Min(r.burst, b.left+d*r.perSecond)
		b.at = now
	}
	if b.left >= 1 {
		b.left--
		return 0, true
	}
	b.left = math.Max(-r.burst, b.left-1)
	return time.Duration((1 - b.left) / r.perSecond * float64(time.Second)), false
}

// throttle refuses what goes too fast. The partner's own limit answers in the
// gateway's shape, the customer's in the service's: both occur.
func (k *call) throttle() *fault {
	if k.c.unthrottled {
		return nil
	}
	if wait, ok := k.c.limits.take(k.who.Tenant, perPartner, k.now); !ok {
		return tooMany(wait, true)
	}
	if id := k.params["customer"]; id != "" {
		if wait, ok := k.c.limits.take(k.who.Tenant+"/"+id, perCustomer, k.now); !ok {
			return tooMany(wait, false)
		}
	}
	if k.route.consent {
		if wait, ok := k.c.limits.take("consent/"+k.who.Client(), perConsent, k.now); !ok {
			return tooMany(wait, true)
		}
	}
	return nil
}

func tooMany(wait time.Duration, gateway bool) *fault {
	f := refuse(http.StatusTooManyRequests, 429, "Rate limit is exceeded. Try again in %d seconds.", kit.Seconds(wait)).RetryAfter(wait)
	if gateway {
		f.Form = kit.Gateway
	}
	return f
}
