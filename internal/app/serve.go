//go:build !judge

package app

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/caller"
	"partnerguard/internal/console"
	"partnerguard/internal/db"
	"partnerguard/internal/jobs"
	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/web"
)

// ServeOptions are how a server treats its callers.
type ServeOptions = suite.Callers

// Serve starts what runs by itself, the jobs of all features, and gives the
// handler of everything that is answered. Close ends all of it. Where the database is
// a file and another process works it: kind problem.Conflict.
func (i *Installation) Serve(ctx context.Context, o ServeOptions) (http.Handler, error) {
	k, reg, err := i.kernel(ctx, "serve")
	if err != nil {
		return nil, err
	}
	k.Handle(web.Icon())
	i.SAM.Admit(o)
	if err := i.work(ctx, k, k, reg); err != nil {
		return nil, err
	}
	if err := i.startBridge(ctx); err != nil {
		return nil, err
	}
	return k, i.startGateway(ctx)
}

// Work is Serve without what is answered: it starts the jobs of all features, and
// the handler answers /healthz, /readyz and /metrics alone.
func (i *Installation) Work(ctx context.Context) (http.Handler, error) {
	k, reg, err := i.kernel(ctx, "worker")
	if err != nil {
		return nil, err
	}
	return k, i.work(ctx, k, nil, reg)
}

// kernel takes the database's one place, and makes what is answered of health.
func (i *Installation) kernel(ctx context.Context, what string) (*web.Kernel, *prometheus.Registry, error) {
	if err := i.hold(what); err != nil {
		return nil, nil, err
	}
	end, err := observe.Trace(ctx, i.Config.Observe, program(), i.getenv, i.Log)
	if err != nil {
		return nil, nil, err
	}
	i.close = append(i.close, end)
	reg := web.NewRegistry()
	k := web.NewKernel(web.Deps{Log: i.Log, Metrics: reg})
	k.Handle(web.Metrics(reg))
	k.Handle(web.Health(web.Check{Name: "the database", Look: i.DB.PingContext}))
	return k, reg, nil
}

// hold takes the place of the one process that works the database, once.
func (i *Installation) hold(what string) error {
	if i.held {
		return nil
	}
	release, err := db.Hold(i.database(), what, i.clock.now())
	if err != nil {
		return err
	}
	i.held = true
	i.close = append(i.close, release)
	return nil
}

// work starts all features: with a mux, what they answer too.
func (i *Installation) work(ctx context.Context, k *web.Kernel, mux web.Mux, reg *prometheus.Registry) error {
	q, err := jobs.Open(ctx, i.DB, jobs.Options{Workers: i.Config.Jobs.Workers(), Alone: i.DB.Dialect == db.SQLite, Log: i.Log})
	if err != nil {
		return err
	}
	q.Metrics(reg)
	i.DB.Metrics(reg)
	i.diskMetrics(reg)
	k.Handle(web.Ready(i.readiness(q)...))
	if mux != nil {
		i.Console.Show(console.Pages{Screens: i.screens(q), Tenants: i.tenants, Version: Program().String()})
	}
	for _, m := range i.modules() {
		if err := m.start(mux, q, reg); err != nil {
			return err
		}
	}
	if i.lab != nil {
		follow, stop := context.WithCancel(ctx)
		go i.clock.keepFollowing(follow, i.lab)
		i.close = append(i.close, func() error { stop(); return nil })
	}
	if err := q.Start(ctx); err != nil {
		return err
	}
	i.close = append(i.close, func() error {
		ending, stop := context.WithTimeout(context.Background(), 30*time.Second)
		defer stop()
		return q.Stop(ending)
	})
	return nil
}

// ready is what a feature needs of outside before work makes sense; a feature that
// has it is asked.
type ready interface {
	Ready(context.Context) error
}

// readiness are the things without which there is no point in giving this process
// work.
func (i *Installation) readiness(q *jobs.Queue) []web.Check {
	list := []web.Check{{Name: "the database's schema", Look: i.DB.Current}, {Name: "the vault", Look: i.vaultOpen}, {Name: "the queue", Look: q.Running}}
	for _, m := range i.modules() {
		if f, ok := m.feature.(ready); ok {
			list = append(list, web.Check{Name: "the " + m.name, Look: f.Ready})
		}
	}
	return list
}

func (i *Installation) vaultOpen(context.Context) error {
	if i.Vault == nil {
		return problem.New(problem.Unavailable, "the vault is not open")
	}
	return nil
}

// RunWorker works until ctx ends, and tells its health at the address of the settings.
// ready is told where.
func (i *Installation) RunWorker(ctx context.Context, ready func(where string)) error {
	l, err := listen(i.Config.Jobs.WorkerListen, "--worker-listen")
	if err != nil {
		return err
	}
	h, err := i.Work(ctx)
	if err != nil {
		_ = l.Close()
		return err
	}
	return web.Serve(ctx, web.Options{Listener: l, Handler: h, Log: i.Log, Ready: func() { ready("http://" + l.Addr().String()) }})
}

func listen(at, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, problem.Wrap(err, problem.Limit, "%s cannot be listened on", at).WithHint("is something else there? %s names another address", flag)
	}
	return l, nil
}

// Run serves at the address of the settings until ctx ends. ready is told where, as
// soon as it is going to answer, and a link that lets whoever runs this machine into the
// console, once; "" where none could be made.
func (i *Installation) Run(ctx context.Context, ready func(where, link string)) error {
	c := &i.Config.Web
	var conf *tls.Config
	var o ServeOptions
	scheme := "http"
	if c.TLSCertificate != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "the certificate %s with the key %s cannot be used", c.TLSCertificate, c.TLSKey).
				WithHint("both are PEM, and the key is the certificate's")
		}
		conf, o.Certificate, scheme = caller.TLSConfig(pair), pair.Leaf, "https"
	}
	var err error
	if o.Policy, o.ClientCAs, err = i.Config.Broker.Load(o.Certificate, i.Log); err != nil {
		return err
	}
	h, err := i.Serve(ctx, o)
	if err != nil {
		return err
	}
	l, err := listen(c.Listen, "--listen")
	if err != nil {
		return err
	}
	return web.Serve(ctx, web.Options{Listener: l, TLS: conf, Handler: h, Log: i.Log, Ready: func() {
		where := scheme + "://" + l.Addr().String()
		link := ""
		if here := hereOf(scheme, l.Addr()); here != "" {
			if link, err = i.Console.Link(ctx, i.Actor, here); err != nil {
				i.Log.WarnContext(ctx, "no link to the console was made", "error", err)
			}
		}
		ready(where, link)
	}})
}

// hereOf is how this machine reaches what listens at an address: by loopback, where it
// answers there.
func hereOf(scheme string, at net.Addr) string {
	t, ok := at.(*net.TCPAddr)
	if !ok || !t.IP.IsLoopback() && !t.IP.IsUnspecified() {
		return ""
	}
	host := "127.0.0.1"
	if t.IP.IsLoopback() && t.IP.To4() == nil {
		host = "::1"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(t.Port))
}
