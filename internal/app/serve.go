package app

import (
	"context"
	"net/http"
	"time"

	"partnerguard/internal/jobs"
	"partnerguard/internal/sam/suite"
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
	mux := http.NewServeMux()
	for _, m := range i.modules(o) {
		if m.jobs != nil {
			if err := m.jobs(q); err != nil {
				return nil, err
			}
		}
		if m.mount != nil {
			if err := m.mount(mux); err != nil {
				return nil, err
			}
		}
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, stop := context.WithTimeout(r.Context(), 5*time.Second)
		defer stop()
		if err := i.DB.PingContext(ctx); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
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
	return mux, nil
}
