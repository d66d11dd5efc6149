//go:build !judge

package app

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"partnerguard/internal/caller"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/suite"
	"partnerguard/internal/web"
)

// ServeOptions are how a server treats its callers.
type ServeOptions = suite.Callers

// Serve starts what runs by itself, the jobs of all features, and gives the
// handler of everything that is answered. Close ends all of it.
func (i *Installation) Serve(ctx context.Context, o ServeOptions) (http.Handler, error) {
	q, err := jobs.Open(ctx, i.DB, jobs.Options{Log: i.Log})
	if err != nil {
		return nil, err
	}
	reg := web.NewRegistry()
	k := web.NewKernel(web.Deps{Log: i.Log, Metrics: reg})
	k.Handle(web.Metrics(reg))
	k.Handle(web.Icon())
	k.Handle(web.Front("It has no page to sign in to. Who was invited to connect has a link of their own; programs ask where they were told.",
		"partnerguard connect status, on the machine it runs on, says how it is."))
	k.Handle(web.Health(web.Check{Name: "the database", Look: i.DB.PingContext}))
	i.SAM.Admit(o)
	for _, m := range i.modules() {
		if err := m.start(k, q, reg); err != nil {
			return nil, err
		}
	}
	if i.lab != nil {
		follow, stop := context.WithCancel(ctx)
		go i.clock.keepFollowing(follow, i.lab)
		i.close = append(i.close, func() error { stop(); return nil })
	}
	if err := q.Start(ctx); err != nil {
		return nil, err
	}
	i.close = append(i.close, func() error {
		ending, stop := context.WithTimeout(context.Background(), 30*time.Second)
		defer stop()
		return q.Stop(ending)
	})
	return k, nil
}

// Run serves at the address of the settings until ctx ends. ready is told where, as
// soon as it is going to answer.
func (i *Installation) Run(ctx context.Context, ready func(where string)) error {
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
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return problem.Wrap(err, problem.Limit, "%s cannot be listened on", c.Listen).WithHint("is something else there? --listen names another address")
	}
	return web.Serve(ctx, web.Options{Listener: l, TLS: conf, Handler: h, Log: i.Log, Ready: func() { ready(scheme + "://" + l.Addr().String()) }})
}
