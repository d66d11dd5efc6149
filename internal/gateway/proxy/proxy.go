package proxy

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/problem"
)

// Deps is what a Proxy is made of. Judge and Assert are required.
type Deps struct {
	Judge       gateway.Judge
	Assert      *assert.Asserter
	Answer      answer.Options
	Own         http.Handler // what is at /.partnerguard/ of every host that is served; nil is nothing
	Revocations gateway.Revocations
	Book        gateway.Book // of requests that no judge sees: what is not plain, and preflights
	Log         *slog.Logger
	Now         func() time.Time
	// Dial opens connections to upstreams; nil is the system's, within five seconds.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Renew gives a Set-Cookie for what is served to a session, "" where none is due; nil is
	// nothing.
	Renew func(d *gateway.Decision, r *gateway.Request) string
	// Plain gives what plain requests of HTTP/1.1 are sent by, and hands the rest on; nil is nothing.
	Plain func(rest http.RoundTripper) http.RoundTripper
	// Again is how often a stream's identity is looked at again; 0 is 30 s.
	Again time.Duration
}

// Proxy passes on what the judge lets pass. It is safe for concurrent use.
type Proxy struct {
	deps  Deps
	pass  *httputil.ReverseProxy
	table atomic.Pointer[gateway.Table]
	stats *stats
	loud  loud

	mu    sync.Mutex // guards pools and the table's change
	pools map[string]*pool
	ways  atomic.Pointer[ways]
}

// ways are those of the table that holds and of the one before: a judge takes a table a
// moment sooner or later than the proxy.
type ways struct{ now, before map[*gateway.Route]way }

func (w *ways) of(route *gateway.Route) way {
	if found, ok := w.now[route]; ok {
		return found
	}
	if found, ok := w.before[route]; ok {
		return found
	}
	for r, found := range w.now {
		if r.Name == route.Name {
			return found
		}
	}
	return way{}
}

// way is where a route's requests go.
type way struct {
	pool  *pool
	count *atomic.Int64 // at the upstream; of the route's name, over reloads
}

// New makes a proxy that serves nothing until it has taken a table.
func New(d Deps) (*Proxy, error) {
	if d.Judge == nil || d.Assert == nil {
		return nil, problem.New(problem.Internal, "a proxy needs a judge and an asserter")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Dial == nil {
		d.Dial = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	if d.Again <= 0 {
		d.Again = 30 * time.Second
	}
	p := &Proxy{deps: d, pools: map[string]*pool{}, stats: newStats()}
	p.table.Store(&gateway.Table{})
	p.ways.Store(&ways{})
	p.pass = &httputil.ReverseProxy{
		Rewrite: rewrite, Transport: p, ModifyResponse: p.answered, ErrorHandler: p.failed, FlushInterval: -1, BufferPool: &buffers{},
		ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelDebug),
	}
	return p, nil
}

// ServeHTTP serves one request of any version of HTTP. The server in front of it should
// see its connections through [NewConn].
func (p *Proxy) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	x := &exchange{proxy: p, table: p.table.Load(), writer: w}
	w = x.responseWriter(hr)
	r, err := x.read(hr)
	switch {
	case err != nil:
		x.refuse(w, hr, err)
		return
	case gateway.Reserved(r.Path) && x.table.Serves(r.Host):
		p.own(w, hr, r)
		return
	}
	x.decide(hr)
	switch {
	case x.decision.Refused:
		if x.decision.Reason.Kind() == gateway.Bad {
			ends(w, hr)
		}
		answer.For(x.decision, r, p.deps.Answer).Write(w)
		return
	case x.way.pool == nil:
		x.decision.Reason, x.decision.Refused = gateway.NoRoute, true // another proxy has it
		answer.For(x.decision, r, p.deps.Answer).Write(w)
		return
	}
	x.serve(w, hr)
}

// own serves the gateway's pages: whoever writes them sees host and scheme as they are
// believed, and no header by which others may have told them.
func (p *Proxy) own(w http.ResponseWriter, hr *http.Request, r *gateway.Request) {
	if p.deps.Own == nil {
		answer.For(gateway.Decision{Reason: gateway.NoRoute, Refused: true}, r, p.deps.Answer).Write(w)
		return
	}
	for name := range hr.Header {
		if assert.Strip([]byte(name)) {
			delete(hr.Header, name)
		}
	}
	hr.Host = r.Host
	if r.TLS && hr.TLS == nil {
		hr.TLS = &believedTLS
	}
	if r.Remote.IsValid() {
		hr.RemoteAddr = net.JoinHostPort(r.Remote.String(), "0")
	}
	p.deps.Own.ServeHTTP(w, hr)
}

// decide asks the judge, but for what the route says by itself.
func (x *exchange) decide(hr *http.Request) {
	r := &x.request
	encoded := strings.Contains(r.Path, "%2F") || strings.Contains(r.Path, "%2f")
	preflight := r.Method == http.MethodOptions && r.Authorization == "" && hr.Header.Get("Origin") != "" &&
		hr.Header.Get("Access-Control-Request-Method") != ""
	if encoded || preflight {
		route, _ := x.table.Find(r.Host, r.Path)
		switch {
		case encoded && (route == nil || !route.EncodedSlash):
			x.decision = gateway.Decision{Route: route, Reason: gateway.BadRequest, Refused: true}
			x.note()
			return
		case preflight && route != nil && route.Preflight:
			x.decision = gateway.Decision{Route: route}
			x.decision.Phase, x.decision.Next = route.Phase(r.Now)
			x.note()
			x.find()
			return
		}
	}
	x.decision = x.proxy.deps.Judge.Judge(r)
	x.find()
}

func (x *exchange) find() {
	if x.decision.Route != nil {
		x.way = x.proxy.ways.Load().of(x.decision.Route)
	}
}

func (x *exchange) note() {
	if b := x.proxy.deps.Book; b != nil {
		b.Note(&x.decision, &x.request)
	}
}

// refuse answers what is not plain.
func (x *exchange) refuse(w http.ResponseWriter, hr *http.Request, err *HeadError) {
	x.proxy.stats.heads.Inc()
	ends(w, hr)
	if err == ErrHeadLong {
		Failed(&x.decision, &x.request, http.StatusRequestHeaderFieldsTooLarge, err).Write(w)
		return
	}
	x.decision = gateway.Decision{Reason: gateway.BadRequest, Refused: true}
	x.note()
	answer.For(x.decision, &x.request, x.proxy.deps.Answer).Write(w)
}

// ends closes the connection behind the answer, where it cannot be known what comes
// next on it. A stream of HTTP/2 says nothing of the others.
func ends(w http.ResponseWriter, hr *http.Request) {
	if hr.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
}

// buffers lends what bodies are copied by.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(buf []byte) { b.pool.Put(&buf) }
