package coverage

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Bounds of what is rehearsed here.
const (
	maxKept    = 24 // results and proposals that are remembered
	maxWaiting = 6  // rehearsals that wait for the one that runs
)

// runs has rehearsals run, one at a time, and remembers what came of them.
type runs struct {
	limit time.Duration
	now   func() time.Time
	turn  chan struct{} // whoever holds its one place runs

	ctx  context.Context // ends when the feature is closed
	stop context.CancelFunc
	wait sync.WaitGroup

	mu        sync.Mutex // guards all below
	kept      []*run     // oldest first
	proposals []proposal // pasted ones, oldest first
}

// run is one rehearsal.
type run struct {
	key    string
	began  time.Time // zero: it waits
	asked  time.Time
	ended  time.Time
	result *Rehearsal
	err    error
}

// proposal is a pasted one, by its hash.
type proposal struct {
	hash, body string
}

func newRuns(limit time.Duration, now func() time.Time) *runs {
	ctx, stop := context.WithCancel(context.Background())
	return &runs{limit: limit, now: now, turn: make(chan struct{}, 1), ctx: ctx, stop: stop}
}

func (r *runs) close() {
	r.stop()
	r.wait.Wait()
}

// start gives the run of a key as it stands, and begins it where there is none. A run
// that failed is begun again when it is asked for half a minute later.
func (r *runs) start(key string, do func(context.Context) (*Rehearsal, error)) (run, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting := 0
	for i, x := range r.kept {
		if x.ended.IsZero() {
			waiting++
		}
		if x.key != key {
			continue
		}
		if x.err != nil && r.now().Sub(x.ended) > 30*time.Second {
			r.kept = slices.Delete(r.kept, i, i+1)
			break
		}
		return *x, nil
	}
	if waiting > maxWaiting {
		return run{}, problem.New(problem.Unavailable, "%d rehearsals wait for their turn already", waiting).WithHint("ask again in a minute")
	}
	if r.ctx.Err() != nil {
		return run{}, problem.New(problem.Unavailable, "the server is stopping").WithHint("ask again in a minute")
	}
	x := &run{key: key, asked: r.now()}
	r.kept = append(r.kept, x)
	if len(r.kept) > maxKept {
		if i := slices.IndexFunc(r.kept, func(o *run) bool { return !o.ended.IsZero() }); i >= 0 {
			r.kept = slices.Delete(r.kept, i, i+1)
		}
	}
	turn := false
	select {
	case r.turn <- struct{}{}:
		x.began, turn = r.now(), true
	default: // another runs
	}
	r.wait.Go(func() { r.do(x, turn, do) })
	return *x, nil
}

// do waits for its turn, where it has none, and runs.
func (r *runs) do(x *run, turn bool, do func(context.Context) (*Rehearsal, error)) {
	var out *Rehearsal
	var err error
	if !turn {
		select {
		case r.turn <- struct{}{}:
			turn = true
		case <-r.ctx.Done():
		}
	}
	if turn {
		defer func() { <-r.turn }()
		r.mu.Lock()
		x.began = r.now()
		r.mu.Unlock()
		ctx, cancel := context.WithTimeout(r.ctx, r.limit)
		out, err = do(ctx)
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = problem.Wrap(err, problem.Unavailable, "the rehearsal took longer than %s and was given up", r.limit).
				WithHint("partnerguard rehearse --from archive: has no such limit")
		}
		cancel()
	} else {
		err = problem.New(problem.Unavailable, "the server stopped before the rehearsal had its turn")
	}
	r.mu.Lock()
	x.ended, x.result, x.err = r.now(), out, err
	r.mu.Unlock()
}

// keep remembers a pasted proposal.
func (r *runs) keep(p proposal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proposals = slices.DeleteFunc(r.proposals, func(o proposal) bool { return o.hash == p.hash })
	r.proposals = append(r.proposals, p)
	if n := len(r.proposals) - maxKept; n > 0 {
		r.proposals = slices.Delete(r.proposals, 0, n)
	}
}

func (r *runs) pasted(hash string) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.proposals, func(o proposal) bool { return o.hash == hash })
	if i < 0 {
		return "", false
	}
	return r.proposals[i].body, true
}

// sorry is what a page says of an error: what is for everybody's eyes alone.
func sorry(err error) string {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return print.Ended(print.Clean(p.Public, 400)) + " " + print.Ended(print.Clean(p.Hint, 400))
	}
	return "Something went wrong on our side; the server's log says what."
}
