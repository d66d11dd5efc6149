//go:build !judge

package collect

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
)

// Metrics adds how old each list of the partner's own tenant is, how many gaps there
// are, and what this process did. Tenants are no label: there may be thousands.
func (c *Collector) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_collect_age_seconds", "How old the last whole reading of a resource of the partner's tenant is.", "resource", c.ages)
	observe.Gauge(reg, "partnerguard_collect_gaps", "What was never read, by reason, over all tenants.", "reason",
		func(ctx context.Context) (map[string]float64, error) {
			gaps, err := c.Gaps(ctx, "", c.now())
			n := map[string]float64{}
			for _, g := range gaps {
				n[string(g.Reason)]++
			}
			return n, err
		})
	observe.Gauge(reg, "partnerguard_collect_due_tenants", "Tenants of which something is due to be read.", "",
		func(ctx context.Context) (map[string]float64, error) {
			due, err := c.Due(ctx)
			return map[string]float64{"": float64(len(due))}, err
		})
	count := func(name, help string, read func() int64) {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(read()) }))
	}
	count("partnerguard_collect_rounds_total", "Rounds of tenants by this process.", func() int64 { return c.rounds.Load() })
	count("partnerguard_collect_failures_total", "Rounds that ended early, or in which something failed.", func() int64 { return c.failures.Load() })
	count("partnerguard_collect_pages_total", "Pages kept by this process.", func() int64 { return c.pages.Load() })
}

// ages are those of the partner's own lists. What was never read has none.
func (c *Collector) ages(ctx context.Context) (map[string]float64, error) {
	p, err := c.Tenant(ctx, "partner")
	if err != nil {
		return nil, err
	}
	list, err := c.cursors(ctx, p.ID)
	out := map[string]float64{}
	now := c.now()
	for _, x := range list {
		at := x.whole
		if x.covered.After(at) {
			at = x.covered
		}
		if !at.IsZero() {
			out[x.resource] = max(now.Sub(at).Seconds(), 0)
		}
	}
	return out, err
}
