package alert

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/notify"
	"partnerguard/internal/observe"
)

// Metrics adds how many alerts are open, by severity, silent ones among them.
func (s *Store) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_alerts_open", "Alerts that are open, by severity.", "severity", func(ctx context.Context) (map[string]float64, error) {
		list, err := s.alerts(ctx, open, time.Time{}, 0)
		n := map[string]float64{}
		for _, sev := range notify.Severities() {
			n[string(sev)] = 0
		}
		for i := range list {
			n[string(list[i].Severity)]++
		}
		return n, err
	})
}
