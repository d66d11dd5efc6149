package proxy

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/problem"
)

// Limits of connections to upstreams. They are kept open for less than the five seconds
// after which common servers (Node) close theirs: who closes first must not be the one a
// request is on its way to.
const (
	keepIdle     = 4 * time.Second
	keepConns    = 256
	maxCA        = 1 << 20
	maxAnswer    = 256 << 10 // bytes of an answer's head
	shakeTimeout = 10 * time.Second
)

// pool is an upstream: one server or several that serve the same, and the connections to
// them, which outlive a reload that does not change how they are made.
type pool struct {
	targets []*target
	next    atomic.Uint32
	sender  *http.Transport
	send    http.RoundTripper  // sender, or what goes before it
	stop    context.CancelFunc // of asking for health
}

// Take makes t the table that holds. Connections to upstreams that it still has are kept;
// requests under way keep their own until they are done. Where t cannot be served
// (kind BadInput, NotFound) nothing changes.
func (p *Proxy) Take(t *gateway.Table) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	pools, now, before := map[string]*pool{}, map[*gateway.Route]way{}, p.ways.Load().now
	counts := map[string]*atomic.Int64{}
	for route, w := range before {
		counts[route.Name] = w.count
	}
	for _, route := range t.Routes {
		w := way{count: counts[route.Name]}
		if w.count == nil {
			w.count = new(atomic.Int64)
		}
		if len(route.To.URLs) > 0 {
			key, roots, err := identify(&route.To)
			if err != nil {
				return err
			}
			if w.pool = pools[key]; w.pool == nil {
				if w.pool = p.pools[key]; w.pool == nil {
					if w.pool, err = p.newPool(&route.To, roots); err != nil {
						closePools(pools, p.pools)
						return err
					}
				}
				pools[key] = w.pool
			}
		}
		now[route] = w
	}
	old := p.pools
	p.pools = pools
	p.ways.Store(&ways{now: now, before: before})
	p.table.Store(t)
	closePools(old, pools)
	return nil
}

// has says whether a route is one of the table that holds.
func (p *Proxy) has(route *gateway.Route) bool {
	_, ok := p.ways.Load().now[route]
	return ok
}

// Close stops asking upstreams whether they live, and closes idle connections.
func (p *Proxy) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	closePools(p.pools, nil)
	p.pools = map[string]*pool{}
}

// closePools closes those of all that are not in kept.
func closePools(all, kept map[string]*pool) {
	for key, q := range all {
		if kept[key] == nil {
			q.stop()
			q.sender.CloseIdleConnections()
		}
	}
}

// identify gives what two upstreams have in common when their connections are the same,
// and the roots as they are in the file now.
func identify(u *gateway.Upstream) (key string, roots []byte, err error) {
	if u.CA != "" {
		if roots, err = problem.ReadFile("the file of an upstream's roots", u.CA, maxCA); err != nil {
			return "", nil, err
		}
	}
	sum := sha256.Sum256(roots)
	h2 := "1"
	if u.HTTP2 {
		h2 = "2"
	}
	return strings.Join(append([]string{h2, u.ServerName, u.Health, hex.EncodeToString(sum[:])}, u.URLs...), "\n"), roots, nil
}

func (p *Proxy) newPool(u *gateway.Upstream, roots []byte) (*pool, error) {
	q := &pool{sender: &http.Transport{
		DialContext: p.deps.Dial, TLSHandshakeTimeout: shakeTimeout, MaxIdleConnsPerHost: keepConns, IdleConnTimeout: keepIdle, DisableCompression: true,
		MaxResponseHeaderBytes: maxAnswer, ExpectContinueTimeout: time.Second, Protocols: new(http.Protocols),
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.ServerName},
	}}
	q.sender.Protocols.SetHTTP1(true)
	q.sender.Protocols.SetHTTP2(true)
	if len(roots) > 0 {
		set := x509.NewCertPool()
		if !set.AppendCertsFromPEM(roots) {
			return nil, problem.New(problem.BadInput, "%s has no certificate in PEM",
				u.CA).WithHint("put the roots of the upstream there, each as BEGIN CERTIFICATE")
		}
		q.sender.TLSClientConfig.RootCAs = set
	}
	for _, raw := range u.URLs {
		at, err := url.Parse(raw)
		if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
			return nil, problem.New(problem.BadInput, "an upstream is not http://host:port or https://host:port").WithHint("write it so, without a path")
		}
		if u.HTTP2 && at.Scheme == "http" {
			q.sender.Protocols.SetUnencryptedHTTP2(true)
			q.sender.Protocols.SetHTTP1(false)
		}
		q.targets = append(q.targets, &target{scheme: at.Scheme, host: at.Host, origin: at.Scheme + "://" + at.Host})
	}
	q.send = q.sender
	if p.deps.Plain != nil && !u.HTTP2 {
		q.send = p.deps.Plain(q.sender)
	}
	ctx, stop := context.WithCancel(context.Background())
	q.stop = stop
	if u.Health != "" {
		for _, t := range q.targets {
			go t.ask(ctx, q.sender, u.Health)
		}
	}
	return q, nil
}

// pick takes the targets in turn: the healthy ones, or where there is none those that
// failed a moment ago. Nil is none that was not tried yet.
func (q *pool) pick(tried []*target, now time.Time) *target {
	start := int(q.next.Add(1))
	var second *target
	for i := range q.targets {
		t := q.targets[(start+i)%len(q.targets)]
		switch {
		case has(tried, t) || t.down.Load():
		case t.rests(now) && len(q.targets) > 1:
			if second == nil {
				second = t
			}
		default:
			return t
		}
	}
	return second
}

func has(list []*target, t *target) bool {
	for _, u := range list {
		if u == t {
			return true
		}
	}
	return false
}

// RoundTrip sends a request to one of the route's upstreams, and to another, or the same
// once more, where that is safe: nothing of a body was to be sent, asking twice does what
// asking once does (RFC 9110 section 9.2.2), and the connection failed before a byte of
// an answer.
func (p *Proxy) RoundTrip(out *http.Request) (*http.Response, error) {
	x := exchangeOf(out.Context())
	var began atomic.Bool
	out = out.WithContext(httptrace.WithClientTrace(out.Context(), &httptrace.ClientTrace{GotFirstResponseByte: func() { began.Store(true) }}))
	var tried []*target
	for try := 0; ; try++ {
		t := x.way.pool.pick(tried, time.Now())
		if t == nil && len(tried) > 0 && !tried[0].down.Load() {
			t = tried[0]
		}
		if t == nil {
			return nil, errDown
		}
		out.URL.Scheme, out.URL.Host = t.scheme, t.host
		delete(out.Header, assert.HeaderAssertion)
		for _, kv := range p.deps.Assert.Headers(nil, &x.decision, &x.request, t.origin) {
			out.Header[http.CanonicalHeaderKey(kv[0])] = []string{kv[1]}
		}
		res, err := x.way.pool.send.RoundTrip(out)
		if err == nil {
			t.lives()
			return res, nil
		}
		if out.Context().Err() != nil || x.body.failure() != nil {
			return nil, err
		}
		t.fails(time.Now())
		if out.Body != nil || !idempotent(out.Method) || began.Load() || try >= x.decision.Route.Limits.Retries {
			return nil, err
		}
		tried = append(tried, t)
		p.stats.retries.WithLabelValues(x.decision.Route.Name).Inc()
	}
}

func idempotent(method string) bool {
	return bodiless(method) || method == http.MethodPut
}
