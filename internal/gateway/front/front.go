package front

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/proxy"
	"partnerguard/internal/problem"
)

// Limits of connections; a zero field is its default.
type Limits struct {
	Conns int           // open at once; 16,384
	Read  time.Duration // until a head is whole, from its first byte; 10 s
	Idle  time.Duration // between two requests; 2 min
	Body  int           // bytes of a body that the lean path takes; 64 KiB
}

// Asserter is what the lean path needs of package assert.
type Asserter interface {
	Lines(dst []byte, d *gateway.Decision, r *gateway.Request, upstream string) []byte
}

// Deps is what a Front needs. All functions are safe for concurrent use.
type Deps struct {
	// Handler serves all of HTTP: package proxy's. Heads that it gets have passed
	// [proxy.CheckHead], or are what [proxy.NewConn] puts in a refused one's place.
	// Required.
	Handler http.Handler

	// Lean switches the lean path on; without it nothing below but Log and Limits is used.
	Lean   bool
	Judge  gateway.Judge
	Assert Asserter
	Answer answer.Options
	Lines  *Lines // to upstreams; nil is the front's own
	// Failed answers for an upstream that did not: 502, or 504.
	Failed func(d *gateway.Decision, r *gateway.Request, status int, err error) answer.Answer
	// Still says whether a stream that began with this decision may go on; nil is yes.
	Still func(d *gateway.Decision, now time.Time) bool
	// Done is told of each request that the lean path answered; nil is nobody.
	Done func(d *gateway.Decision, r *gateway.Request, status int, took time.Duration)

	Now    func() time.Time // the installation's clock; nil is time.Now
	Log    *slog.Logger     // nil discards
	Limits Limits
}

// Front serves connections of any number of listeners. It is safe for concurrent use.
type Front struct {
	deps   Deps
	server *http.Server
	handed *handed // connections on their way to the server

	mu       sync.Mutex
	open     map[*conn]struct{}
	idle     map[net.Conn]struct{} // of those handed over
	count    int                   // of all connections, handed over too
	draining atomic.Bool
	lean     sync.WaitGroup // loops under way
	stats    stats
	table    atomic.Pointer[gateway.Table]
	date     atomic.Pointer[date]
	every    time.Duration // a stream's decision is looked at again
}

// New makes a front. What is missing of d is a mistake of the caller, an error of kind
// Internal.
func New(d Deps) (*Front, error) {
	if d.Handler == nil || d.Lean && (d.Judge == nil || d.Assert == nil || d.Failed == nil) {
		return nil, problem.New(problem.Internal, "the gateway's front lacks a part").WithHint("tell the makers")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Lines == nil {
		d.Lines = NewLines(0)
	}
	d.Limits = d.Limits.whole()
	f := &Front{deps: d, open: map[*conn]struct{}{}, idle: map[net.Conn]struct{}{}, handed: newHanded(), every: stillEvery}
	f.table.Store(&gateway.Table{})
	f.server = &http.Server{
		Handler: d.Handler, MaxHeaderBytes: proxy.MaxHead, ReadHeaderTimeout: d.Limits.Read, IdleTimeout: d.Limits.Idle,
		ConnState: f.watch, ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelDebug),
	}
	return f, nil
}

func (l Limits) whole() Limits {
	for _, n := range []struct {
		field  *int
		preset int
	}{{&l.Conns, 16384}, {&l.Body, 64 << 10}} {
		if *n.field <= 0 {
			*n.field = n.preset
		}
	}
	if l.Read <= 0 {
		l.Read = 10 * time.Second
	}
	if l.Idle <= 0 {
		l.Idle = 2 * time.Minute
	}
	return l
}

// Take makes t the table by which connections are sent on their path. It is called with
// each table that the guard takes, after it.
func (f *Front) Take(t *gateway.Table) { f.table.Store(t) }

// Serve answers on all listeners until ctx ends or one of them breaks, and closes them.
// Requests under way go on; see [Front.Shutdown]. A TLS listener is one of
// [tls.NewListener] over [Certificate.Config]. It may be called again with listeners
// that a new file adds.
func (f *Front) Serve(ctx context.Context, listeners []net.Listener) error {
	f.handed.once.Do(func() { go func() { _ = f.server.Serve(f.handed) }() })
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- f.accept(ctx, l) }()
	}
	var first error
	for i := range listeners {
		if i == 0 {
			select {
			case first = <-ended:
			case <-ctx.Done():
				for _, l := range listeners {
					_ = l.Close()
				}
				first = <-ended
			}
			stop()
			for _, l := range listeners {
				_ = l.Close()
			}
			continue
		}
		if err := <-ended; first == nil {
			first = err
		}
	}
	return first
}

// Shutdown lets requests under way finish until ctx ends, and then cuts what is left.
// Whoever is idle is waited for a quarter of a second: its next request may be on its
// way.
func (f *Front) Shutdown(ctx context.Context) error {
	f.draining.Store(true)
	f.mu.Lock()
	for c := range f.open {
		c.hurry()
	}
	f.mu.Unlock()
	done := make(chan struct{})
	go func() { f.lean.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		f.mu.Lock()
		for c := range f.open {
			_ = c.net.Close()
		}
		f.mu.Unlock()
	}
	err := f.server.Shutdown(ctx)
	if err != nil {
		_ = f.server.Close()
	}
	_ = f.handed.Close()
	f.deps.Lines.Close()
	if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return problem.New(problem.Unavailable, "some requests were still under way when the gateway stopped, and were cut")
	}
	return nil
}
