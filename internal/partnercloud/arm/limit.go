package arm

import (
	"encoding/binary"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"partnerguard/internal/partnercloud/kit"
)

// Buckets as published for subscriptions: reads 250 with 25 a second, writes and
// deletes 200 with 10 a second, for each principal and subscription.
var limitsOf = map[string]kit.Rate{
	"reads":   {Burst: 250, PerSecond: 25},
	"writes":  {Burst: 200, PerSecond: 10},
	"deletes": {Burst: 200, PerSecond: 10},
}

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
	key := kind + "/" + k.who.Tenant + "/" + strings.ToLower(k.at.sub) + "/" + k.who.ObjectID
	left, wait, ok := k.a.limits.Take(key, limitsOf[kind], k.now)
	if !ok && !k.a.unthrottled {
		return refuse(http.StatusTooManyRequests, "SubscriptionRequestsThrottled",
			"Number of '"+kind+"' for the "+of+" exceeded the limit. Please try again after '"+
				strconv.Itoa(kit.Seconds(wait))+"' seconds.").RetryAfter(wait)
	}
	h.Set("x-ms-ratelimit-remaining-"+of+"-"+kind, strconv.Itoa(int(left)))
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
