package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
)

// Deps is everything a Kernel needs; all of it is optional.
type Deps struct {
	Log     *slog.Logger          // nil discards
	Metrics prometheus.Registerer // nil counts for nobody; one registerer takes one kernel
	Now     func() time.Time      // what durations go by; nil is time.Now
}

// Kernel is the [Mux] of a server, and its handler. Routes are added before it
// serves; from then on it is safe for concurrent use.
type Kernel struct {
	log     *slog.Logger
	now     func() time.Time
	mux     *http.ServeMux
	sites   *http.CrossOriginProtection
	metrics metrics
	routes  []Route
}

// NewKernel makes a kernel without routes.
func NewKernel(d Deps) *Kernel {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Kernel{log: d.Log, now: d.Now, mux: http.NewServeMux(), sites: http.NewCrossOriginProtection(), metrics: newMetrics(d.Metrics)}
}

// Handle adds a route; see [Mux].
func (k *Kernel) Handle(r Route) {
	taken := func(name string) bool {
		return name == unrouted || slices.ContainsFunc(k.routes, func(o Route) bool { return o.Name == name })
	}
	if fault := r.fault(taken); fault != "" {
		panic(fmt.Sprintf("web: the route %q (%s) cannot be: %s", r.Name, r.Pattern, fault))
	}
	k.mux.Handle(r.Pattern, &entry{r})
	k.routes = append(k.routes, r)
}

// Routes are all routes, by name: who may ask for what, in one list.
func (k *Kernel) Routes() []Route {
	list := slices.Clone(k.routes)
	slices.SortFunc(list, func(a, b Route) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// entry is a route as the mux knows it.
type entry struct{ Route }

// ServeHTTP is called by the mux, which has set the pattern and its values.
func (e *entry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if q, ok := r.Context().Value(keyRequest{}).(*request); ok {
		q.err = e.Handle(w, r)
	}
}

// request is one request on its way, and what was written of its answer.
type request struct {
	http.ResponseWriter
	id     string
	route  *Route // nil: none
	status int    // 0: nothing was written
	bytes  int64
	err    error
	in     *http.Request // as the handler sees it, once it may go on
}

// WriteHeader notes the status.
func (q *request) WriteHeader(status int) {
	if q.status == 0 && status >= 200 {
		q.status = status
	}
	q.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (q *request) Write(b []byte) (int, error) {
	if q.status == 0 {
		q.status = http.StatusOK
	}
	n, err := q.ResponseWriter.Write(b)
	q.bytes += int64(n)
	return n, err
}

// FlushError begins the answer.
func (q *request) FlushError() error {
	if q.status == 0 {
		q.status = http.StatusOK
	}
	return http.NewResponseController(q.ResponseWriter).Flush()
}

// Unwrap lets an http.ResponseController through.
func (q *request) Unwrap() http.ResponseWriter { return q.ResponseWriter }

// ServeHTTP answers a request.
func (k *Kernel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, q := k.now(), &request{ResponseWriter: w, id: requestID(r.Header)}
	harden(w.Header(), r.TLS != nil)
	w.Header().Set("X-Request-Id", q.id)
	k.metrics.flying.Inc()
	ctx, span := observe.Start(observe.From(r.Context(), r.Header), "server", unrouted, "http.request.method", methodOf(r))
	r = r.WithContext(ctx)
	cut := false
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				cut = true // the handler's own way to end a connection
			} else {
				cut = k.panicked(q, r)
			}
		}
		k.metrics.flying.Dec()
		k.tell(q, r, k.now().Sub(began), cut)
		span.Route(q.name(), classOf(q.status), cut || q.status >= 500)
		if cut {
			panic(http.ErrAbortHandler)
		}
	}()
	if q.err = k.route(q, r); q.err != nil {
		cut = k.fail(q, r)
	}
}

// harden sets the headers that no answer may go without. A handler may tighten
// them.
func harden(head http.Header, overTLS bool) {
	head.Set("Content-Security-Policy", closed)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cache-Control", "no-store")
	if overTLS {
		head.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// route finds the route, holds the request to its rules, and has it answered.
func (k *Kernel) route(q *request, r *http.Request) error {
	h, pattern := k.mux.Handler(r)
	e, ok := h.(*entry)
	if !ok {
		return lost(q, r, h)
	}
	q.route = &e.Route
	if err := k.sites.Check(r); err != nil && e.OtherSites == "" {
		return problem.Wrap(err, problem.Forbidden, "a form of another site is not taken here")
	}
	if e.Policy != "" {
		q.Header().Set("Content-Security-Policy", e.Policy)
	}
	most, within := e.MaxBody, e.Timeout
	if most == 0 {
		most = MaxBody
	}
	if within == 0 {
		within = Timeout
	} else if within > Timeout { // longer than the server would wait
		_ = http.NewResponseController(q).SetWriteDeadline(time.Now().Add(within + 10*time.Second))
	}
	r.Body = http.MaxBytesReader(q.ResponseWriter, r.Body, most)
	ctx, stop := context.WithTimeout(context.WithValue(r.Context(), keyRequest{}, q), within)
	defer stop()
	r, err := e.Access.admit(q, r.WithContext(ctx))
	if err != nil {
		return err
	}
	q.in = r
	if strings.Contains(pattern, "{") {
		k.mux.ServeHTTP(q, r) // once more, for the values of its path
		return q.err
	}
	r.Pattern = pattern
	return e.Handle(q, r)
}

// lost is a request that no route answers: for an unknown path, by another
// method, or, as the mux knows, for a path that can be written shorter.
func lost(q *request, r *http.Request, h http.Handler) error {
	p := probe{head: http.Header{}}
	h.ServeHTTP(&p, r)
	switch p.status {
	case http.StatusNotFound:
		return problem.New(problem.NotFound, "there is nothing at this address")
	case http.StatusMethodNotAllowed:
		q.Header()["Allow"] = p.head["Allow"]
		return WithStatus(p.status, problem.New(problem.Usage, "this method is not answered here"))
	}
	h.ServeHTTP(q, r)
	return nil
}

// probe is an answer that nobody gets.
type probe struct {
	head   http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.head }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(status int)      { p.status = status }

// fail answers with q's error. True says that the connection must be cut: an
// answer was begun.
func (k *Kernel) fail(q *request, r *http.Request) (cut bool) {
	if q.status != 0 {
		return true
	}
	status, head := Status(q.err), q.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Content-Disposition", "Etag", "Last-Modified"} {
		head.Del(name) // of the answer that did not come about
	}
	head.Set("Cache-Control", "no-store")
	if d := after(q.err); d > 0 {
		head.Set("Retry-After", seconds(d))
	}
	page := (q.route == nil || q.route.Page) && wantsPage(r.Header.Values("Accept"), q.route != nil)
	if e, ok := errors.AsType[*elsewhere](q.err); ok && page {
		head.Set("Location", e.to)
		q.WriteHeader(http.StatusSeeOther)
		return false
	}
	if q.route != nil && q.route.Fail != nil {
		if q.in != nil { // who asks is in its context, which has ended with the handler
			r = q.in.WithContext(context.WithoutCancel(q.in.Context()))
		}
		q.route.Fail(q, r, status, q.err)
		return false
	}
	if status == http.StatusUnauthorized && head.Get("WWW-Authenticate") == "" {
		head.Set("WWW-Authenticate", "Bearer") // RFC 9110 section 15.5.2 wants one
	}
	answer(q, page, status, q.err)
	return false
}

// panicked counts and answers a panic. What it panicked with may be anything,
// and is written nowhere.
func (k *Kernel) panicked(q *request, r *http.Request) (cut bool) {
	k.metrics.panics.WithLabelValues(q.name()).Inc()
	k.log.LogAttrs(r.Context(), slog.LevelError, "a handler panicked",
		slog.String("request", q.id), slog.String("route", q.name()), slog.String("stack", string(debug.Stack())))
	q.err = problem.New(problem.Internal, "something went wrong here; it was logged")
	return k.fail(q, r)
}

func (q *request) name() string {
	if q.route == nil {
		return unrouted
	}
	return q.route.Name
}

// tell writes the request down: in the log, and as numbers.
func (k *Kernel) tell(q *request, r *http.Request, took time.Duration, cut bool) {
	if q.status == 0 {
		q.status = http.StatusOK // net/http's, for a handler that wrote nothing
	}
	class := classOf(q.status)
	if cut { // nobody got the whole of it, whatever its head said
		class = "cut"
	}
	k.metrics.requests.WithLabelValues(q.name(), methodOf(r), class).Inc()
	k.metrics.duration.WithLabelValues(q.name()).Observe(took.Seconds())
	if q.err == nil && !cut && !k.log.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	level, attrs := slog.LevelInfo, []slog.Attr{slog.String("request", q.id), slog.String("route", q.name())}
	if q.route != nil {
		attrs = append(attrs, slog.String("pattern", q.route.Pattern))
	}
	attrs = append(attrs, slog.String("method", methodOf(r)), slog.Int("status", q.status), slog.Int64("bytes", q.bytes), slog.Duration("duration", took))
	if q.err != nil {
		p, ok := errors.AsType[*problem.Error](q.err)
		if ok {
			attrs = append(attrs, slog.String("kind", string(p.Kind)))
		}
		if ok && p.Cause() != nil {
			attrs = append(attrs, slog.String("cause", p.Cause().Error()))
		}
		if status := Status(q.err); status >= 500 || cut { // below, the words may repeat what was asked
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", q.err.Error()))
		}
		if q.status == http.StatusServiceUnavailable {
			level = slog.LevelWarn
		}
	}
	if cut {
		level, attrs = slog.LevelError, append(attrs, slog.Bool("cut", true))
	}
	k.log.LogAttrs(r.Context(), level, "request", attrs...)
}
