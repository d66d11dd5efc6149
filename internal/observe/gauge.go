package observe

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// within bounds one reading: whoever gathers metrics waits for it.
const within = 5 * time.Second

// Gauge adds a gauge with one label to reg, whose values read gives each time it
// is gathered. What could not be read is left out: an absent series is not a zero.
// label is "" for a gauge without one, whose value is under "".
//
// It panics when the name is taken: a mistake in the code.
func Gauge(reg prometheus.Registerer, name, help, label string, read func(context.Context) (map[string]float64, error)) {
	var labels []string
	if label != "" {
		labels = []string{label}
	}
	reg.MustRegister(&gauge{prometheus.NewDesc(name, help, labels, nil), label != "", read})
}

type gauge struct {
	desc    *prometheus.Desc
	labeled bool
	read    func(context.Context) (map[string]float64, error)
}

// Describe implements prometheus.Collector.
func (g *gauge) Describe(out chan<- *prometheus.Desc) { out <- g.desc }

// Collect implements prometheus.Collector.
func (g *gauge) Collect(out chan<- prometheus.Metric) {
	ctx, stop := context.WithTimeout(context.Background(), within)
	defer stop()
	values, err := g.read(ctx)
	if err != nil {
		return
	}
	for name, v := range values {
		var labels []string
		if g.labeled {
			labels = []string{name}
		}
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, v, labels...)
	}
}
