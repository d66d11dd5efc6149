package app

import (
	"context"
	"net/http"
	"time"

	"partnerguard/internal/jobs"
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
	k.Handle(web.Health(web.Check{Name: "the database", Look: i.DB.PingContext}))
	for _, m := range i.modules(o) {
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
