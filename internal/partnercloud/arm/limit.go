package arm

import (
	"encoding/binary"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/partnercloud/kit"
)

// Buckets as published for subscriptions: reads 250 with 25 a second, writes and
// deletes 200 with 10 a second, for each principal and subscription.
var limitsOf = map[string]struct{ burst, perSecond float64 }{"reads": {250, 25}, "writes": {200, 10}, "deletes": {200, 10}}

type bucket struct {
	left float64
	at   time.Time
}

// limits are token buckets on the world's clock.
type limits struct {
	mu      sync.Mutex // guards the map
	buckets map[string]*bucket
}

const maxBuckets = 10_000

func (k *call) throttle(h http.Header) *fault {
	kind := "reads"
	switch k.Method {
	case http.MethodDelete:
		kind = "deletes"
	case http.MethodPut, http.MethodPost, http.MethodPatch:
		kind = "writes"
	}
	of := "tenant"
	if k.at.sub != "" {
		of = "subscription"
	}
	r := limitsOf[kind]
	l := &k.a.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil || len(l.buckets) > maxBuckets {
		l.buckets = map[string]*bucket{}
	}
	key := kind + "/" + k.who.Tenant + "/" + strings.ToLower(k.at.sub) + "/" + k.who.ObjectID
	b := l.buckets[key]
	if b == nil {
		b = &bucket{r.burst, k.now}
		l.buckets[key] = b
	}
	if d := k.now.Sub(b.at).Seconds(); d > 0 {
		b.left, b.at = math.Min(r.burst, b.left+d*r.perSecond), k.now
	}
	if b.left < 1 && !k.a.unthrottled {
		n := int(math.Ceil((1 - b.left) / r.perSecond))
		return refuse(http.StatusTooManyRequests, "SubscriptionRequestsThrottled", "Number of '"+kind+"' for the "+of+" exceeded the limit. Please try again after '"+strconv.Itoa(n)+"' seconds.").
			With("Retry-After", strconv.Itoa(n))
	}
	b.left = math.Max(0, b.left-1)
	h.Set("x-ms-ratelimit-remaining-"+of+"-"+kind, strconv.Itoa(int(b.left)))
	return nil
}

// pager seals skip tokens: an index, bound to the question.
type pager struct{ *kit.Sealer }

func newPager() pager { return pager{kit.NewSealer()} }

func (p pager) seal(question string, n int) string {
	return p.Seal(question, binary.BigEndian.AppendUint32(nil, uint32(n))) //nolint:gosec // an index into a list in memory
}

func (p pager) open(question, text string) (int, bool) {
	b, ok := p.Open(question, text)
	if !ok || len(b) != 4 {
		return 0, false
	}
	return int(binary.BigEndian.Uint32(b)), true
}

// pageSize is how much a page holds when $top does not say less.
const pageSize = 100

// page cuts a list and adds the nextLink.
func page[T any](k *call, all []T) (reply, *fault) {
	size := pageSize
	if v := k.param("$top"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return reply{}, bad("InvalidTopQueryParameter", "The $top query parameter must be a positive number.")
		}
		size = min(n, pageSize)
	}
	question := k.who.Tenant + "\n" + k.who.ObjectID + "\n" + strings.ToLower(k.URL.EscapedPath()) + "\n" + k.param("$filter")
	start := 0
	if v := k.param("$skiptoken"); v != "" {
		n, good := k.a.pages.open(question, v)
		if !good {
			return reply{}, bad("InvalidSkipToken", "The $skipToken query parameter is not valid.")
		}
		start = min(n, len(all))
	}
	end := min(start+size, len(all))
	rows := append([]T{}, all[start:end]...)
	out := object{"value": rows}
	if end < len(all) {
		q := url.Values{}
		for n, v := range k.query {
			if !strings.EqualFold(n, "$skiptoken") {
				q[n] = v
			}
		}
		q.Set("$skiptoken", k.a.pages.seal(question, end))
		out["nextLink"] = k.base + k.URL.EscapedPath() + "?" + q.Encode()
	}
	return ok(out), nil
}
