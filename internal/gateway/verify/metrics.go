//go:build !judge

package verify

import (
	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/gateway"
)

// Metrics registers what is counted: answers by reason, and how it stands with the keys.
func (v *Verifier) Metrics(reg prometheus.Registerer) {
	reg.MustRegister(&collector{v})
}

type collector struct{ v *Verifier }

var (
	tokensDesc = prometheus.NewDesc("partnerguard_gateway_tokens_total",
		"Tokens that were looked at, by result: known ones that were found again, passed ones that were verified anew, or the reason.", []string{"result"}, nil)
	keysDesc = prometheus.NewDesc("partnerguard_gateway_keys",
		"Signing keys known of an authority, by state of the last reading: good, unread, away, emptied.", []string{"authority", "state"}, nil)
	untilDesc = prometheus.NewDesc("partnerguard_gateway_keys_until_seconds",
		"When the known keys of an authority are too old to be used, in seconds since 1970.", []string{"authority"}, nil)
	keptDesc = prometheus.NewDesc("partnerguard_gateway_tokens_kept_bytes", "About what the verified tokens that are kept take.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{tokensDesc, keysDesc, untilDesc, keptDesc} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(out chan<- prometheus.Metric) {
	turn := c.v.turn.Load()
	found := int64(0)
	for i := range c.v.found {
		found += c.v.found[i].Load()
	}
	out <- prometheus.MustNewConstMetric(tokensDesc, prometheus.CounterValue, float64(found), "known")
	for _, r := range append(gateway.Reasons(), gateway.Passed) {
		if n := c.v.counts[r].Load(); n > 0 {
			out <- prometheus.MustNewConstMetric(tokensDesc, prometheus.CounterValue, float64(n), r.String())
		}
	}
	for _, a := range turn.authorities {
		s := a.status()
		out <- prometheus.MustNewConstMetric(keysDesc, prometheus.GaugeValue, float64(len(s.Keys)), s.Name, string(s.State))
		if !s.Until.IsZero() {
			out <- prometheus.MustNewConstMetric(untilDesc, prometheus.GaugeValue, float64(s.Until.Unix()), s.Name)
		}
	}
	out <- prometheus.MustNewConstMetric(keptDesc, prometheus.GaugeValue, float64(turn.good.used.Load()))
}
