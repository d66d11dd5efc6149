package ledger

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/gateway"
)

// Metrics adds the book's to a registry: decisions by route, reason, mode, way and whether
// they were refused; counts that wait; decisions that are counted nowhere.
func (l *Ledger) Metrics(reg prometheus.Registerer) { reg.MustRegister(collector{l}) }

type collector struct{ l *Ledger }

var (
	decisions = prometheus.NewDesc("partnerguard_gateway_decisions_total", "Requests that the gateway decided.",
		[]string{"route", "reason", "mode", "way", "refused"}, nil)
	waits   = prometheus.NewDesc("partnerguard_gateway_notes_waiting", "Counts that wait for the database.", nil, nil)
	dropped = prometheus.NewDesc("partnerguard_gateway_notes_dropped_total", "Decisions that are counted nowhere.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (c collector) Describe(out chan<- *prometheus.Desc) {
	out <- decisions
	out <- waits
	out <- dropped
}

// Collect implements [prometheus.Collector]. Each reason has its line, those that never
// came too.
func (c collector) Collect(out chan<- prometheus.Metric) {
	c.l.drain()
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	seen := map[gateway.Reason]bool{}
	list := make([]total, 0, len(c.l.totals))
	for t := range c.l.totals {
		seen[t.Reason] = true
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b total) int {
		return cmp.Or(strings.Compare(a.Route, b.Route), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Way, b.Way))
	})
	for _, t := range list {
		out <- prometheus.MustNewConstMetric(decisions, prometheus.CounterValue, float64(c.l.totals[t]), t.Route, t.Reason.String(), t.Mode.String(),
			wayWord(t.Way), strconv.FormatBool(t.Refused))
	}
	for _, r := range append(gateway.Reasons(), gateway.Passed) {
		if !seen[r] {
			out <- prometheus.MustNewConstMetric(decisions, prometheus.CounterValue, 0, "", r.String(), "", "none", "false")
		}
	}
	out <- prometheus.MustNewConstMetric(waits, prometheus.GaugeValue, float64(len(c.l.waiting)))
	out <- prometheus.MustNewConstMetric(dropped, prometheus.CounterValue, float64(c.l.dropped+c.l.lost))
}
