package web

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"partnerguard/internal/problem"
)

// MaxHeader is how many bytes of headers every server of ours takes; a client
// certificate does not count, an OIDC token does.
const MaxHeader = 32 << 10

// Guard puts the checks and headers that no handler may go without around h.
// Handlers may tighten what it set; a page brings its own content policy.
func Guard(h http.Handler, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	inner := http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		if r.TLS != nil {
			head.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // the handler's own way to end a connection
			}
			// The route alone: a path may hold the secret of an invitation, a query a
			// code, and what was panicked with anything.
			log.LogAttrs(r.Context(), slog.LevelError, "a handler failed", slog.String("method", r.Method), slog.String("route", r.Pattern), slog.String("stack", string(debug.Stack())))
			http.Error(w, "something went wrong here; it was logged", http.StatusInternalServerError)
		}()
		inner.ServeHTTP(w, r)
	})
}

// Options are how a server listens.
type Options struct {
	Listener net.Listener // required; Serve closes it
	TLS      *tls.Config  // nil: plain HTTP, for loopback only
	Handler  http.Handler // required; Serve puts Guard around it
	Log      *slog.Logger // nil discards
	Ready    func()       // called when it is going to answer; optional
}

// Serve answers until ctx ends, then lets requests under way finish for up to
// ten seconds. Plain HTTP beyond loopback is refused.
func Serve(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.TLS == nil && !loopback(o.Listener.Addr()) {
		_ = o.Listener.Close()
		return problem.New(problem.Usage, "%s is not loopback, and there is no certificate to serve it with TLS", o.Listener.Addr()).
			WithHint("set tlsCertificate and tlsKey, or listen on 127.0.0.1 behind a proxy of yours")
	}
	l := o.Listener
	s := &http.Server{
		Handler: Guard(o.Handler, o.Log), MaxHeaderBytes: MaxHeader,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	if o.TLS != nil {
		s.TLSConfig = o.TLS.Clone()
		if s.TLSConfig.MinVersion < tls.VersionTLS12 {
			s.TLSConfig.MinVersion = tls.VersionTLS12
		}
	}
	if o.Ready != nil {
		o.Ready()
	}
	ended := make(chan error, 1)
	go func() {
		if s.TLSConfig != nil {
			ended <- s.ServeTLS(l, "", "")
			return
		}
		ended <- s.Serve(l)
	}()
	select {
	case err := <-ended:
		return problem.Wrap(err, problem.Internal, "the server on %s ended by itself", l.Addr())
	case <-ctx.Done():
	}
	closing, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	if err := s.Shutdown(closing); err != nil {
		_ = s.Close()
	}
	<-ended
	return nil
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}
