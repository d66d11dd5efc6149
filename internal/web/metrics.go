package web

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are counted by the names of routes, of which there are few; nothing
// that a client chooses makes a new series.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	flying   prometheus.Gauge
	panics   *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) metrics {
	f := promauto.With(r)
	return metrics{
		f.NewCounterVec(prometheus.CounterOpts{
			Name: "partnerguard_http_requests_total", Help: "Requests answered, by route, method and class of status.",
		}, []string{"route", "method", "class"}),
		f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "partnerguard_http_request_duration_seconds", Help: "How long requests took, by route.",
			Buckets: []float64{.001, .005, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}, []string{"route"}),
		f.NewGauge(prometheus.GaugeOpts{Name: "partnerguard_http_requests_in_flight", Help: "Requests that are being answered."}),
		f.NewCounterVec(prometheus.CounterOpts{Name: "partnerguard_http_panics_total", Help: "Handlers that panicked, by route."}, []string{"route"}),
	}
}

// unrouted is the name of what no route answers.
const unrouted = "none"

// methodOf is a method that was standardised, or "other".
func methodOf(r *http.Request) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}, r.Method) {
		return r.Method
	}
	return "other"
}

func classOf(status int) string { return strconv.Itoa(status/100) + "xx" }

// NewRegistry is a registry that knows of the Go runtime and of the process.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Metrics is GET /metrics for this machine alone: what g gathers, as Prometheus
// reads it.
func Metrics(g prometheus.Gatherer) Route {
	h := promhttp.HandlerFor(g, promhttp.HandlerOpts{MaxRequestsInFlight: 4, DisableCompression: true})
	return Route{Name: "metrics", Pattern: "GET /metrics", Access: Loopback, Handle: func(w http.ResponseWriter, r *http.Request) error {
		h.ServeHTTP(w, r)
		return nil
	}}
}
