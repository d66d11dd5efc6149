package suite

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
	"partnerguard/internal/sam"
)

// Metrics adds how many connections there are in each state, and when the first
// of those in use ends by its forecast.
func (s *Suite) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_connections", "Connections, by state.", "state", func(ctx context.Context) (map[string]float64, error) {
		list, err := s.Store.List(ctx)
		n := map[string]float64{string(sam.Active): 0}
		for _, c := range list {
			n[string(c.State)]++
		}
		return n, err
	})
	observe.Gauge(reg, "partnerguard_connections_next_end_timestamp_seconds", "When the first active connection ends, as foretold.", "",
		func(ctx context.Context) (map[string]float64, error) {
			list, err := s.Store.List(ctx)
			var first time.Time
			for _, c := range list {
				if c.State == sam.Active && c.Forecast != nil && !c.Forecast.At.IsZero() && (first.IsZero() || c.Forecast.At.Before(first)) {
					first = c.Forecast.At
				}
			}
			if first.IsZero() {
				return nil, err
			}
			return map[string]float64{"": float64(first.Unix())}, err
		})
}
