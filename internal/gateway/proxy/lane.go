package proxy

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
)

// Lane is where a route's requests go, for who sends them without [Proxy.ServeHTTP]: the
// same servers, in turn with the same others, and the same counts. The zero Lane has no
// server.
type Lane struct{ way way }

// Lane is a route's, of the table that holds or of the one before.
func (p *Proxy) Lane(route *gateway.Route) Lane { return Lane{p.ways.Load().of(route)} }

// Is says whether there is a server at all.
func (l Lane) Is() bool { return l.way.pool != nil }

// Enter counts one request more, unless most are there; 0 is any number. Who entered
// leaves.
func (l Lane) Enter(most int) bool {
	if n := l.way.count.Add(1); most > 0 && n > int64(most) {
		l.way.count.Add(-1)
		return false
	}
	l.way.open.Inc()
	return true
}

// Leave counts one less.
func (l Lane) Leave() {
	l.way.count.Add(-1)
	l.way.open.Dec()
}

// Pick gives the server whose turn it is, of those that were not tried, or else the first
// that was; nil where none is healthy.
func (l Lane) Pick(tried []*Server, now time.Time) *Server { return l.way.pool.choose(tried, now) }

// Answered counts an answer of the upstream, and how long its head took.
func (l Lane) Answered(status int, took time.Duration) {
	if i := status/100 - 2; i >= 0 && i < len(l.way.answers) {
		l.way.answers[i].Inc()
	}
	l.way.seconds.Observe(took.Seconds())
}

// Retried counts a request that was sent once more.
func (l Lane) Retried() { l.way.retries.Inc() }

// Origin is the server's, as the file has it.
func (t *target) Origin() string { return t.origin }

// Host is its host, perhaps with a port.
func (t *target) Host() string { return t.host }

// Lives says that it answered.
func (t *target) Lives() { t.lives() }

// Fails says that a connection to it broke.
func (t *target) Fails(now time.Time) { t.fails(now) }

// Server is one server of an upstream.
type Server = target

// counts are a route's, found once.
type counts struct {
	answers [4]prometheus.Counter // 2xx to 5xx
	seconds prometheus.Observer
	retries prometheus.Counter
	open    prometheus.Gauge
}

func (s *stats) of(route string) counts {
	c := counts{seconds: s.seconds.WithLabelValues(route), retries: s.retries.WithLabelValues(route), open: s.open}
	for i := range c.answers {
		c.answers[i] = s.answers.WithLabelValues(route, class((i+2)*100))
	}
	return c
}

// Fail is [Failed], counted, and logged where it is not one of many.
func (p *Proxy) Fail(d *gateway.Decision, r *gateway.Request, status int, err error) answer.Answer {
	p.stats.failed(d.Route.Name, status)
	if more, due := p.loud.due(failure{d.Route.Name, status}, time.Now()); due {
		p.deps.Log.Warn("a request could not be passed on", slog.String("route", d.Route.Name), slog.String("request", r.ID),
			slog.Int("status", status), slog.Int64("more", more), slog.Any("error", err))
	}
	return Failed(d, r, status, err)
}

func (x *exchange) fail(w http.ResponseWriter, status int, err error) {
	x.proxy.Fail(&x.decision, &x.request, status, err).Write(w)
}

// Why a request is not sent at all.
var (
	ErrParallel = errParallel
	ErrDown     = errDown
)
