//go:build !judge

package automation

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
)

// Metrics adds how many items there are in each state.
func (s *Store) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_automation_items", "Scripts and services that sign in with user credentials, by state.", "state",
		func(ctx context.Context) (map[string]float64, error) {
			list, err := s.List(ctx)
			n := map[string]float64{}
			for _, state := range States() {
				n[string(state)] = 0
			}
			for i := range list {
				n[string(list[i].State)]++
			}
			return n, err
		})
}
