package proxy

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// When an upstream of several rests, and how one is asked whether it lives.
const (
	failuresToRest = 3
	firstRest      = 5 * time.Second
	longestRest    = time.Minute
	askEvery       = 5 * time.Second
	askWithin      = 2 * time.Second
	failuresToDown = 2
)

// target is one server of an upstream.
type target struct {
	scheme, host, origin string

	failures atomic.Int32 // in a row
	resting  atomic.Int64 // until, in nanoseconds since 1970
	down     atomic.Bool  // it says so, or does not answer when asked
}

func (t *target) rests(now time.Time) bool { return now.UnixNano() < t.resting.Load() }

func (t *target) lives() {
	if t.failures.Load() != 0 {
		t.failures.Store(0)
		t.resting.Store(0)
	}
}

// fails counts a connection that broke. From the third in a row on it rests, each time
// twice as long.
func (t *target) fails(now time.Time) {
	n := t.failures.Add(1)
	if n < failuresToRest {
		return
	}
	rest := min(firstRest<<min(n-failuresToRest, 5), longestRest)
	t.resting.Store(now.Add(rest).UnixNano())
}

// ask asks until ctx ends: a status below 400 is healthy, two failures in a row are not.
func (t *target) ask(ctx context.Context, by http.RoundTripper, path string) {
	failed := 0
	for {
		if t.healthy(ctx, by, path) {
			failed = 0
			t.down.Store(false)
			t.lives()
		} else if failed++; failed >= failuresToDown {
			t.down.Store(true)
		}
		wait := askEvery
		if failed == 1 {
			wait = askEvery / 5
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (t *target) healthy(ctx context.Context, by http.RoundTripper, path string) bool {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.origin+path, nil)
	if err != nil {
		return false
	}
	res, err := by.RoundTrip(r)
	if err != nil {
		return ctx.Err() == context.Canceled // we stop: that says nothing of it
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	return res.StatusCode < http.StatusBadRequest
}

// Health is how one server of an upstream is.
type Health struct {
	Origin string
	// Down says that it was asked and is not healthy; Resting that its connections broke
	// and another is taken while there is one.
	Down, Resting bool
	Failures      int // connections that broke, in a row
}

// Health lists the servers of all upstreams, in the order of the table's routes.
func (p *Proxy) Health() []Health {
	now, seen := time.Now(), map[*target]bool{}
	var out []Health
	ways := p.ways.Load().now
	for _, route := range p.table.Load().Routes {
		q := ways[route].pool
		if q == nil {
			continue
		}
		for _, t := range q.targets {
			if !seen[t] {
				seen[t] = true
				out = append(out, Health{Origin: t.origin, Down: t.down.Load(), Resting: t.rests(now), Failures: int(t.failures.Load())})
			}
		}
	}
	return out
}
