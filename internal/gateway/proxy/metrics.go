package proxy

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
)

// stats are what the proxy counts. No label is an outsider's to say.
type stats struct {
	answers *prometheus.CounterVec   // by route and class of status
	seconds *prometheus.HistogramVec // until the upstream's head, by route
	retries *prometheus.CounterVec   // by route
	cut     *prometheus.CounterVec   // streams, by why
	heads   prometheus.Counter
	open    prometheus.Gauge
}

func newStats() *stats {
	opts := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Name: "partnerguard_gateway_" + name, Help: help}
	}
	return &stats{
		answers: prometheus.NewCounterVec(opts("upstream_answers_total",
			"Answers of upstreams, and of the gateway in their place, by route and class of status."),
			[]string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "partnerguard_gateway_upstream_seconds",
			Help: "Time until an upstream's head was there, by route.", Buckets: prometheus.ExponentialBuckets(.001, 4, 8)}, []string{"route"}),
		retries: prometheus.NewCounterVec(opts("upstream_retries_total", "Requests that were sent once more, by route."), []string{"route"}),
		cut: prometheus.NewCounterVec(opts("streams_cut_total", "Streams that were ended, by why: idle, over (who has it may not any more)."),
			[]string{"why"}),
		heads: prometheus.NewCounter(opts("heads_refused_total", "Requests that could be read in two ways.")),
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "partnerguard_gateway_requests_open",
			Help: "Requests at upstreams now, streams among them."}),
	}
}

func (s *stats) answered(route string, status int, took time.Duration) {
	s.answers.WithLabelValues(route, class(status)).Inc()
	s.seconds.WithLabelValues(route).Observe(took.Seconds())
}

func (s *stats) failed(route string, status int) {
	s.answers.WithLabelValues(route, strconv.Itoa(status)).Inc()
}

func class(status int) string {
	if status == http.StatusSwitchingProtocols {
		return "101"
	}
	return strconv.Itoa(status/100) + "xx"
}

func cutWord(why error) string {
	if errors.Is(why, errOver) {
		return "over"
	}
	return "idle"
}

// Metrics registers what the proxy counts, and which upstreams are healthy.
func (p *Proxy) Metrics(reg prometheus.Registerer) {
	s := p.stats
	reg.MustRegister(s.answers, s.seconds, s.retries, s.cut, s.heads, s.open)
	observe.Gauge(reg, "partnerguard_gateway_upstream_up", "1 when a server behind the gateway is healthy, or was not found otherwise.", "upstream",
		func(context.Context) (map[string]float64, error) {
			out := map[string]float64{}
			for _, h := range p.Health() {
				out[h.Origin] = 1
				if h.Down || h.Resting {
					out[h.Origin] = 0
				}
			}
			return out, nil
		})
}
