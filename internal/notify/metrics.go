package notify

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
)

// Metrics adds how many messages wait and how many were given up, by channel.
func (o *Outbox) Metrics(reg prometheus.Registerer) {
	of := func(name, help string, s state) {
		observe.Gauge(reg, name, help, "channel", func(ctx context.Context) (map[string]float64, error) {
			all, err := o.counts(ctx)
			n := map[string]float64{}
			for _, name := range o.Names() {
				n[name] = float64(all[name][s])
			}
			return n, err
		})
	}
	of("partnerguard_notify_waiting", "Messages that wait for a channel, by channel.", waiting)
	of("partnerguard_notify_dead", "Messages that were given up, by channel.", dead)
}
