package anchor

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
)

// Metrics adds how long the trail is.
func (k *Keeper) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_trail_entries", "Entries of the audit trail.", "", func(ctx context.Context) (map[string]float64, error) {
		head, err := k.d.Trail.Head(ctx)
		return map[string]float64{"": float64(head.Seq)}, err
	})
}
