//go:build !judge

package collect

import (
	"context"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
)

// PlanRow is what would be asked of one resource in one tenant.
type PlanRow struct {
	Tenant   string           `json:"tenant"`
	Domain   string           `json:"domain,omitempty"`
	Resource string           `json:"resource"`
	Proves   string           `json:"proves"`
	Request  string           `json:"request"`
	Service  evidence.Service `json:"service"`
	Way      evidence.Way     `json:"way"`
	Every    string           `json:"every"`
	Requests int              `json:"requests"` // about, for the next reading
	Lacks    string           `json:"lacks,omitempty"`
	Fix      string           `json:"fix,omitempty"`
	Nearest  []string         `json:"nearest,omitempty"` // what says something of the same

	bucket string
}

// Plan is what would be asked of whom, and how long that takes.
type Plan struct {
	Tenants  int       `json:"tenants"`
	Rows     []PlanRow `json:"resources"`
	Requests int       `json:"requests"`
	Seconds  int       `json:"seconds"` // about, by the published limits
	Lacking  int       `json:"lacking"` // resources that something is missing for
}

// Lacks says which permission or licence a resource lacks in a tenant, by name, and
// what gives it; "" is none, as far as is known.
type Lacks func(t Tenant, r evidence.Resource) (what, fix string)

// Plan tells what a round of each tenant would ask for, whether due or not. lacks may be
// nil; what was refused before is known without it.
func (c *Collector) Plan(ctx context.Context, tenants []Tenant, lacks Lacks) (Plan, error) {
	list, err := c.cursors(ctx, "")
	if err != nil {
		return Plan{}, err
	}
	at := map[[2]string]*cursor{}
	for i := range list {
		at[[2]string{list[i].tenant, list[i].resource}] = &list[i]
	}
	all, err := c.Tenants(ctx)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Tenants: len(tenants), Rows: []PlanRow{}}
	for _, t := range tenants {
		for _, res := range c.plan {
			if !res.Scope.Covers(t.Partner) {
				continue
			}
			cur := at[[2]string{t.ID, res.Name}]
			row := PlanRow{Tenant: t.ID, Domain: t.Domain, Resource: res.Name, Proves: res.Proves, Request: res.String(), Service: res.Service, Way: res.Way,
				Every: res.Every.String(), Requests: requests(res, cur, c.now(), len(all)-1), bucket: res.Bucket}
			if cur != nil && cur.refused != "" {
				row.Lacks, row.Fix = string(cur.refused), cur.words
				if cur.needs != "" {
					row.Lacks += ": " + cur.needs
				}
			}
			if lacks != nil {
				if what, fix := lacks(t, res); what != "" {
					row.Lacks, row.Fix = what, fix
				}
			}
			if row.Lacks != "" {
				row.Requests, row.Nearest = 1, res.Fallback
				p.Lacking++
			}
			p.Requests += row.Requests
			p.Rows = append(p.Rows, row)
		}
	}
	p.Seconds = int(takes(p.Rows).Seconds())
	return p, nil
}

// requests is about how many requests a reading takes: as many as the last one, or what
// is usual.
func requests(r evidence.Resource, c *cursor, now time.Time, customers int) int {
	switch {
	case r.Way == evidence.Sliced && c != nil && !c.covered.IsZero():
		return 1 + int(now.Sub(c.covered)/max(r.Slice, time.Hour))
	case r.Way == evidence.Sliced:
		return 5 // a few pages; large tenants have more
	case c != nil && c.wholeSize > 0:
		return c.wholeSize
	case r.Kind == evidence.Customer:
		return 1 + max(customers, 0)
	case r.Each != nil:
		return 20
	case r.Paged:
		return 2
	}
	return 1
}

// atOnce is how many tenants are read side by side by one process.
const atOnce = 4

// takes is how long requests take by the published limits, each tenant's own and the
// partner's, with a fifth of a second for each answer.
func takes(rows []PlanRow) time.Duration {
	tenants := map[string]map[string]int{}
	center := 0
	for _, r := range rows {
		if r.bucket == evidence.BucketCenter {
			center += r.Requests
			continue
		}
		if tenants[r.Tenant] == nil {
			tenants[r.Tenant] = map[string]int{}
		}
		tenants[r.Tenant][r.bucket] += r.Requests
	}
	var sum, longest time.Duration
	for _, buckets := range tenants {
		var one time.Duration
		for bucket, n := range buckets {
			one += paced(bucket, n)
		}
		sum += one
		longest = max(longest, one)
	}
	return max(longest, sum/atOnce) + paced(evidence.BucketCenter, center)
}

// paced is how long n requests to a bucket take: what it takes at once, and then its
// pace, or the answers where they are slower.
func paced(bucket string, n int) time.Duration {
	k, in := msapi.Pace(bucket)
	wait := time.Duration(max(n-k, 0)) * in / time.Duration(k)
	return max(wait, time.Duration(n)*200*time.Millisecond)
}
