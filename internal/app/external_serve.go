//go:build !judge

package app

import (
	"context"
	"crypto/tls"
	"strings"
	"time"

	"partnerguard/internal/caller"
	"partnerguard/internal/db"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// RunExternal serves our MFA provider alone, with its pages and jobs, until ctx ends: no
// console, no broker. Features whose names begin with mfa are part of it. ready is told
// where.
func (i *Installation) RunExternal(ctx context.Context, ready func(where string)) error {
	c := &i.Config.Web
	var conf *tls.Config
	scheme := "http"
	if c.TLSCertificate != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "the certificate %s with the key %s cannot be used", c.TLSCertificate, c.TLSKey).
				WithHint("both are PEM, and the key is the certificate's")
		}
		conf, scheme = caller.TLSConfig(pair), "https"
		conf.ClientAuth = tls.NoClientCert // people come here, and no callers
	}
	k, reg, err := i.kernel(ctx, "mfa serve")
	if err != nil {
		return err
	}
	q, err := jobs.Open(ctx, i.DB, jobs.Options{Workers: i.Config.Jobs.Workers(), Alone: i.DB.Dialect == db.SQLite, Log: i.Log})
	if err != nil {
		return err
	}
	k.Handle(web.Icon())
	k.Handle(web.Ready(i.readiness(q)...))
	for _, m := range i.modules() {
		if !strings.HasPrefix(m.name, "mfa") {
			continue
		}
		if err := m.start(k, q, reg); err != nil {
			return err
		}
	}
	if err := i.External.Prepare(ctx, "system:mfa"); err != nil {
		return err
	}
	if err := q.Start(ctx); err != nil {
		return err
	}
	i.close = append(i.close, func() error {
		ending, stop := context.WithTimeout(context.Background(), 30*time.Second)
		defer stop()
		return q.Stop(ending)
	})
	l, err := listen(c.Listen, "--listen")
	if err != nil {
		return err
	}
	return web.Serve(ctx, web.Options{Listener: l, TLS: conf, Handler: k, Log: i.Log, Ready: func() { ready(scheme + "://" + l.Addr().String()) }})
}
