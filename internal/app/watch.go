//go:build !judge

package app

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
)

// diskMetrics adds how much room the folder of the data has.
func (i *Installation) diskMetrics(reg prometheus.Registerer) {
	of := func(name, help string, value func(free, all uint64) uint64) {
		observe.Gauge(reg, name, help, "", func(context.Context) (map[string]float64, error) {
			free, all, ok := observe.Disk(i.Config.Data)
			if !ok {
				return nil, errors.New("the system does not say it")
			}
			return map[string]float64{"": float64(value(free, all))}, nil
		})
	}
	of("partnerguard_data_free_bytes", "Room that is left where the data folder is.", func(free, _ uint64) uint64 { return free })
	of("partnerguard_data_size_bytes", "How large the disk of the data folder is.", func(_, all uint64) uint64 { return all })
}
