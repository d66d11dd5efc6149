//go:build !judge

package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/gateway/forward"
	"partnerguard/internal/gateway/front"
	"partnerguard/internal/gateway/guard"
	"partnerguard/internal/gateway/proxy"
	"partnerguard/internal/gateway/run"
	"partnerguard/internal/gateway/session"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// composeGateway puts the parts together. Nothing listens yet.
func (i *Installation) composeGateway(ctx context.Context, o GatewayRun) (*running, error) {
	file, err := i.readGateway(ctx, o.File)
	if err != nil {
		return nil, err
	}
	first := file.Compile(0)
	on := &running{}
	on.verifier = verify.New(verify.Deps{Keys: gatewayKeys{i}, Leeway: first.Leeway, Now: i.Now, Log: i.Log, Limits: verify.Limits{Kept: first.KeysKept}})
	var judge *guard.Guard
	table := func() *gateway.Table { return judge.Table() }
	asserter, err := i.asserter(ctx, first.Assertion)
	if err != nil {
		return nil, err
	}
	sessions, err := i.gatewaySessions(ctx, table, asserter)
	if err != nil {
		return nil, err
	}
	judge, err = guard.New(guard.Deps{Verifier: on.verifier, Sessions: sessions, Revocations: i.Gateway.Revoke, Book: i.Gateway.Book})
	if err != nil {
		return nil, err
	}
	answers := answer.Options{Authority: i.Cloud.Authority, SignIn: first.SignIn != nil}
	lines := front.NewLines(0)
	on.proxy, err = proxy.New(proxy.Deps{Judge: judge, Assert: asserter, Answer: answers, Own: sessions.Handler(), Revocations: i.Gateway.Revoke,
		Book: i.Gateway.Book, Renew: sessions.Renew, Log: i.Log, Now: i.Now, Plain: lines.Transport})
	if err != nil {
		return nil, err
	}
	on.front, err = front.New(front.Deps{Handler: on.proxy, Lean: true, Judge: judge, Assert: asserter, Answer: answers, Failed: proxy.Failed,
		Lines: lines, Still: i.stillIn, Now: i.Now, Log: i.Log,
		Done: func(d *gateway.Decision, _ *gateway.Request, status int, took time.Duration) {
			on.proxy.Count(d, status, took)
		}})
	if err != nil {
		return nil, err
	}
	asked := forward.New(forward.Deps{Judge: judge, Assert: asserter, Answer: answers, Now: i.Now, ID: proxy.NewID, Log: i.Log})
	d := run.Deps{
		Read:    func(ctx context.Context) (*gateway.File, error) { return i.readGateway(ctx, o.File) },
		Prepare: staysAlike,
		Take: []func(*gateway.Table) error{
			func(t *gateway.Table) error { return on.verifier.Turn(t.Generation, t.Authorities) }, on.proxy.Take,
			func(t *gateway.Table) error { judge.Take(t); return nil }, func(t *gateway.Table) error { on.front.Take(t); asked.Take(t); return nil }},
		Serve:    func(ctx context.Context, l net.Listener) error { return on.front.Serve(ctx, []net.Listener{l}) },
		Forward:  func(ctx context.Context, l net.Listener) error { return serveForward(ctx, l, asked, i.Log) },
		Shutdown: on.front.Shutdown,
		Work:     []func(context.Context){i.Gateway.Book.Run, i.Gateway.Revoke.Run, on.refresh},
		Record:   i.Trail, Actor: i.Actor, Now: i.Now, Log: i.Log,
	}
	reg := i.Gateway.reg
	if o.Alone {
		if i.lab != nil { // serve does so too
			d.Work = append(d.Work, func(ctx context.Context) { i.clock.keepFollowing(ctx, i.lab) })
		}
		alone := web.NewRegistry()
		i.Gateway.Book.Metrics(alone)
		d.Admin, reg = i.gatewayAdmin(alone), alone
	}
	if reg != nil {
		on.metrics(reg)
	}
	if err := i.Gateway.Revoke.Look(ctx); err != nil { // nobody is let in before it is known who may not
		return nil, err
	}
	on.Gateway, err = run.New(d)
	return on, err
}

// serveForward answers other proxies until ctx ends. A question is a head alone.
func serveForward(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	stop := context.AfterFunc(ctx, func() {
		ending, end := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer end()
		_ = s.Shutdown(ending)
	})
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// metrics adds what the parts count.
func (r *running) metrics(reg prometheus.Registerer) {
	r.verifier.Metrics(reg)
	r.proxy.Metrics(reg)
	r.front.Metrics(reg)
}

// refresh keeps the authorities' keys read, also where nobody asks.
func (r *running) refresh(ctx context.Context) {
	_ = r.verifier.Refresh(ctx) // its status says what is wrong, and alerts do
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = r.verifier.Refresh(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// staysAlike refuses a changed file that takes a start.
func staysAlike(_ context.Context, t, before *gateway.Table) error {
	if before == nil {
		return nil
	}
	what := ""
	switch {
	case t.Leeway != before.Leeway:
		what = "leeway"
	case t.KeysKept != before.KeysKept:
		what = "keysKept"
	case t.Assertion != before.Assertion:
		what = "identity.assertion"
	case (t.SignIn == nil) != (before.SignIn == nil):
		what = "signIn"
	default:
		return nil
	}
	return problem.New(problem.Conflict, "%s cannot be changed while the gateway runs", what).WithHint("start the gateway again")
}

// stillIn says whether a stream may go on: its token has not ended, and nobody was revoked.
// Where the route only reports, it goes on.
func (i *Installation) stillIn(d *gateway.Decision, now time.Time) bool {
	id := d.Told()
	if id == nil || d.Route == nil {
		return true
	}
	if p, _ := d.Route.Phase(now); p.Mode < gateway.Ramp {
		return true
	}
	over := id.NotAfter > 0 && now.Add(-d.Route.Leeway).Unix() > id.NotAfter
	return !over && !i.Gateway.Revoke.Revoked(id, now)
}

// gatewayAdmin serves health and metrics of a gateway that runs alone.
func (i *Installation) gatewayAdmin(reg *prometheus.Registry) func(context.Context, net.Listener) error {
	k := web.NewKernel(web.Deps{Log: i.Log, Metrics: reg})
	k.Handle(web.Metrics(reg))
	k.Handle(web.Health(web.Check{Name: "the gateway", Look: func(context.Context) error { return nil }}))
	k.Handle(web.Ready(web.Check{Name: "the gateway", Look: i.gatewayReady}))
	return func(ctx context.Context, l net.Listener) error {
		return web.Serve(ctx, web.Options{Listener: l, Handler: k, Log: i.Log, Ready: func() {}})
	}
}

// gatewayReady says that the gateway has a file and its authorities' keys. A database that
// is away does not stop it.
func (i *Installation) gatewayReady(context.Context) error {
	on := i.Gateway.on
	if on == nil || on.Table() == nil {
		return problem.New(problem.Unavailable, "it does not run")
	}
	for _, a := range on.verifier.Status().Authorities {
		if len(a.Keys) == 0 {
			return problem.New(problem.Unavailable, "it has no keys of %s", a.Name)
		}
	}
	return nil
}

// asserter writes what upstreams are told, signed where the file asks for it.
func (i *Installation) asserter(ctx context.Context, signed bool) (*assert.Asserter, error) {
	d := assert.Deps{Now: i.Now, Log: i.Log}
	if signed {
		key, err := i.assertionKey(ctx)
		if err != nil {
			return nil, err
		}
		d.Key = key
	}
	return assert.New(d)
}

// gatewaySessions let browsers in.
func (i *Installation) gatewaySessions(ctx context.Context, table func() *gateway.Table, a *assert.Asserter) (*session.Manager, error) {
	box, err := session.NewBox(ctx, i.Vault, i.DB)
	if err != nil {
		return nil, err
	}
	return session.New(session.Deps{Seal: box, Entra: i.API, SignIn: func(ctx context.Context) (session.SignIn, error) { return i.gatewaySignIn(ctx, table()) },
		Table: table, Revocations: i.Gateway.Revoke, End: i.endSession, Record: i.recordSession,
		Secure:    func(r *http.Request) bool { return secure(table(), r) },
		Browsable: i.SAM.Browsable, KeySet: a.KeySet, Lab: i.Lab(), Now: i.Now, Log: i.Log})
}

// secure says that a browser came over TLS, to us or to a proxy that the file trusts.
func secure(t *gateway.Table, r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || len(r.Header.Values("X-Forwarded-Proto")) != 1 || r.Header.Get("X-Forwarded-Proto") != "https" {
		return false
	}
	for _, p := range t.Trusted {
		if p.Contains(from.Addr().Unmap()) {
			return true
		}
	}
	return false
}
