package web

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"partnerguard/internal/problem"
)

// MaxHeader is how many bytes of headers every server of ours takes; a client
// certificate does not count, an OIDC token does.
const MaxHeader = 32 << 10

// Options are how a server listens.
type Options struct {
	Listener net.Listener // required; Serve closes it
	TLS      *tls.Config  // nil: plain HTTP, for loopback only
	Handler  http.Handler // required: a Kernel
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
		Handler: o.Handler, MaxHeaderBytes: MaxHeader,
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
