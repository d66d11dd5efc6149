package front

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stats are counts since the start.
type stats struct {
	lean, handed, http2 atomic.Uint64 // requests; connections
	crowded, handshakes atomic.Uint64 // connections that were not taken
}

// Metrics registers what the front counts.
func (f *Front) Metrics(reg prometheus.Registerer) {
	counter := func(name, help string, n *atomic.Uint64) {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "partnerguard_gateway_" + name, Help: help},
			func() float64 { return float64(n.Load()) }))
	}
	counter("lean_requests_total", "Requests that the lean path answered.", &f.stats.lean)
	counter("handed_connections_total", "Connections of HTTP/1.1 that went to the full path.", &f.stats.handed)
	counter("http2_connections_total", "Connections of HTTP/2.", &f.stats.http2)
	counter("refused_connections_total", "Connections that were not taken: there were too many.", &f.stats.crowded)
	counter("failed_handshakes_total", "TLS handshakes that failed.", &f.stats.handshakes)
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "partnerguard_gateway_connections", Help: "Open connections of clients."},
		func() float64 {
			f.mu.Lock()
			defer f.mu.Unlock()
			return float64(f.count)
		}))
}

// stillEvery is how often the decision of a stream is looked at again.
const stillEvery = 30 * time.Second

// date is the Date header of a second, with its line end.
type date struct {
	second int64
	line   []byte
}

// appendDate writes Date by the machine's clock.
func (f *Front) appendDate(b []byte) []byte {
	now := time.Now()
	d := f.date.Load()
	if d == nil || d.second != now.Unix() {
		d = &date{now.Unix(), []byte("Date: " + now.UTC().Format(http.TimeFormat) + crlf)}
		f.date.Store(d)
	}
	return append(b, d.line...)
}
