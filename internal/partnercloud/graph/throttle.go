package graph

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// service is the family of limits that an operation counts against
// (contracts.md section 3.0).
type service uint8

const (
	dirUnits service = iota // a bucket of resource units
	reports                 // 5 requests in 10 s per app and tenant
	identity                // 1 request a second per tenant, 429 without Retry-After
	unlimited
)

const (
	reportsLimit  = 5
	reportsWindow = 10 * time.Second
	bucketWindow  = 10 * time.Second
	writesLimit   = 3000
	writesWindow  = 150 * time.Second
	maxTracked    = 20_000 // keys; beyond that the stale ones go
)

// throttle counts requests by the world's clock. Safe for concurrent use.
type throttle struct {
	mu      sync.Mutex
	recent  map[string][]time.Time // moments of the last requests by key
	buckets map[string]*bucket
}

type bucket struct {
	start time.Time
	used  int
}

func newThrottle() *throttle {
	return &throttle{recent: map[string][]time.Time{}, buckets: map[string]*bucket{}}
}

// window admits a request when fewer than limit were made within the window, and
// says how long to wait otherwise. Refused requests do not count.
func (t *throttle) window(key string, now time.Time, limit int, window time.Duration) (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.recent) > maxTracked {
		for k, l := range t.recent {
			if now.Sub(l[len(l)-1]) >= window {
				delete(t.recent, k)
			}
		}
	}
	old := t.recent[key]
	live := old[:0:0]
	for _, at := range old {
		if now.Sub(at) < window {
			live = append(live, at)
		}
	}
	if len(live) >= limit {
		t.recent[key] = live
		return window - now.Sub(live[0]), false
	}
	t.recent[key] = append(live, now)
	return 0, true
}

// spend takes units from a bucket that refills at once when its window is over.
func (t *throttle) spend(key string, now time.Time, cost, limit int, window time.Duration) (used int, wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.buckets) > maxTracked {
		for k, b := range t.buckets {
			if now.Sub(b.start) >= window {
				delete(t.buckets, k)
			}
		}
	}
	b := t.buckets[key]
	if b == nil || now.Sub(b.start) >= window {
		b = &bucket{start: now}
		t.buckets[key] = b
	}
	if b.used+cost > limit {
		return b.used, window - now.Sub(b.start), false
	}
	b.used += cost
	return b.used, 0, true
}

// throttled admits the request or refuses it with 429.
func (c *call) throttled() error {
	cost := c.route.cost
	if cost == 0 {
		cost = 1
	}
	if c.q.Has("$select") && cost > 1 {
		cost--
	}
	if c.q.Has("$expand") {
		cost++
	}
	if c.q.Top >= 0 && c.q.Top < 20 && cost > 1 {
		cost--
	}
	if c.route.service == dirUnits {
		c.head.Set("X-Ms-Resource-Unit", strconv.Itoa(cost))
	}
	l := c.g.limit
	if l == nil || c.route.service == unlimited {
		return nil
	}
	tenant := c.caller.Tenant
	key := strings.ToLower(c.caller.Client()) + "/" + tenant
	switch c.route.service {
	case reports:
		if wait, ok := l.window("r/"+key, c.now, reportsLimit, reportsWindow); !ok {
			return tooMany(wait, "UnknownError", "Too Many Requests: this API allows 5 requests in 10 seconds for an app in a tenant.")
		}
	case identity:
		if _, ok := l.window("i/"+tenant, c.now, 1, time.Second); !ok {
			return refuse(http.StatusTooManyRequests, "TooManyRequests", "Too Many Requests")
		}
	default:
		limit := 8000
		c.g.world.Read(func(s *world.State) {
			if t := s.Tenant(tenant); t != nil {
				switch n := t.Users.Len(); {
				case n < 50:
					limit = 3500
				case n <= 500:
					limit = 5000
				}
			}
		})
		name, units, window := "d/"+key, limit, bucketWindow
		if c.r.Method != http.MethodGet {
			if _, wait, ok := l.spend("w/"+key, c.now, 1, writesLimit, writesWindow); !ok {
				c.scope("Write", 100)
				return tooMany(wait, "TooManyRequests", "Too many writes.")
			}
		}
		used, wait, ok := l.spend(name, c.now, cost, units, window)
		if share := float64(used) / float64(units); share >= 0.8 {
			c.head.Set("X-Ms-Throttle-Limit-Percentage", strconv.FormatFloat(share, 'f', 1, 64))
		}
		if !ok {
			c.scope("ResourceUnitLimitExceeded", units)
			return tooMany(wait, "TooManyRequests", "Too many requests: the resource units of this app in this tenant are spent.")
		}
	}
	return nil
}

func (c *call) scope(why string, limit int) {
	c.head.Set("X-Ms-Throttle-Scope", fmt.Sprintf("Tenant_Application/%s/%s/%s", map[bool]string{
		true: "Read", false: "ReadWrite",
	}[c.r.Method == http.MethodGet], c.caller.Client(), c.caller.Tenant))
	c.head.Set("X-Ms-Throttle-Information", fmt.Sprintf("%s;limit=%d", why, limit))
}

func tooMany(wait time.Duration, code, text string) error {
	return refuse(http.StatusTooManyRequests, code, "%s", text).RetryAfter(wait)
}
