package msapi

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Budget is how the buckets of one kind stand in this client: of one host and kind, over
// all tenants and apps. Other processes have their own.
type Budget struct {
	Host string `json:"host"`
	// Kind is whose limit it is: "reports", "policy", "graph", "customers", "arm", "security",
	// "token" and others; "app" is Graph's limit of an app over all tenants.
	Kind    string        `json:"kind"`
	Units   int           `json:"units"` // that one bucket takes
	In      time.Duration `json:"in"`    // in any such time, which is a fiftieth longer than the published one
	Buckets int           `json:"buckets"`
	// Used is what the fullest of them has taken in its present interval.
	Used int `json:"used"`
	// Share is the least share of its pace that a bucket of them has after throttling, 1 where
	// none was throttled.
	Share float64 `json:"share"`
	// Closed is how long the longest closed bucket stays closed; 0: none is.
	Closed time.Duration `json:"closed,omitempty"`
	// Throttled counts 429 answers since the client was made.
	Throttled int `json:"throttled"`
}

// throttled counts 429 answers by host and kind.
type throttled map[[2]string]int

// note counts an answer that slowed the bucket of a key. The caller holds the lock.
func (t throttled) note(key string) {
	if host, kind, ok := ofKey(key); ok && len(t) < maxBuckets {
		t[[2]string{host, kind}]++
	}
}

// ofKey takes a bucket's name apart: host and kind. That of an app over all tenants has
// no tenant in it.
func ofKey(key string) (host, kind string, ok bool) {
	parts := strings.Split(key, "\x00")
	switch len(parts) {
	case 4:
		return parts[0], parts[2], true
	case 3:
		return parts[0], parts[1], true
	}
	return "", "", false
}

// Budgets are those of the requests that this client made, by host and kind. Buckets that
// were idle for long may have been forgotten. Safe for concurrent use.
func (c *Client) Budgets() []Budget { return c.budgets.all() }

func (b *budgets) all() []Budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.elapsed()
	by := map[[2]string]*Budget{}
	for key, k := range b.list {
		host, kind, ok := ofKey(key)
		if !ok {
			continue
		}
		at := [2]string{host, kind}
		x := by[at]
		if x == nil {
			x = &Budget{Host: host, Kind: kind, Units: k.base.n, In: k.base.in + k.base.in/slack, Share: 1, Throttled: b.throttled[at]}
			by[at] = x
		}
		used, in := 0, k.interval()
		for _, s := range k.sent {
			if s.last > now-in && s.last <= now {
				used += s.units
			}
		}
		x.Buckets++
		x.Used = max(x.Used, used)
		x.Share = min(x.Share, k.share)
		x.Closed = max(x.Closed, k.until-now)
	}
	out := make([]Budget, 0, len(by))
	for _, x := range by {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b Budget) int { return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Kind, b.Kind)) })
	return out
}
