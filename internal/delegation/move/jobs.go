//go:build !judge

package move

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/jobs"
	"partnerguard/internal/observe"
)

// The jobs.
const (
	sweepJob = "delegation-moves"
	moveJob  = "delegation-move"
)

// sweepEvery is how often moves are looked for that are due; atOnce how many are taken.
const (
	sweepEvery = time.Minute
	atOnce     = 2000
)

func itoa(n int) string { return strconv.Itoa(n) }

// Jobs has moves done as they are due, and stages begun.
func (m *Mover) Jobs(q *jobs.Queue) error {
	q.Handle(moveJob, func(ctx context.Context, j jobs.Job) error {
		var p pair
		if err := j.Read(&p); err != nil {
			return err
		}
		next, err := m.Do(ctx, p.Plan, p.Customer)
		if err != nil || next.IsZero() {
			return err
		}
		if left := next.Sub(m.now()); left < sweepEvery {
			return jobs.Later(left)
		}
		return nil // the sweep finds it
	})
	q.Handle(sweepJob, func(ctx context.Context, _ jobs.Job) error {
		if m.d.Marks == nil {
			return nil
		}
		if err := m.Advance(ctx); err != nil {
			return err
		}
		list, err := m.due(ctx, m.now(), atOnce)
		if err != nil {
			return err
		}
		args := make([]any, len(list))
		for i := range list {
			args[i] = list[i]
		}
		_, err = q.AddAll(ctx, moveJob, args, jobs.Add{Unique: true})
		return err
	})
	q.Every(sweepEvery, sweepJob, nil)
	return nil
}

// Now does in this process what can be done now, move by move, until all of it waits for
// something; each is told what it came to. With all set also what is not due yet is looked at.
func (m *Mover) Now(ctx context.Context, plan string, all bool, tell func(Move)) error {
	seen := map[string]bool{}
	for range 1000 { // stages, and no loop without an end
		if err := m.Advance(ctx); err != nil {
			return err
		}
		list, err := m.moves(ctx, plan)
		if err != nil {
			return err
		}
		did := false
		for i := range list {
			x := &list[i]
			due := !x.Next.IsZero() && !x.Next.After(m.now())
			if x.State.Ended() || x.State == Held || !due && (!all || seen[x.Customer] || x.Next.IsZero()) {
				continue
			}
			did, seen[x.Customer] = true, true
			if _, err := m.Do(ctx, x.Plan, x.Customer); err != nil {
				return err
			}
			if tell != nil {
				then, err := m.move(ctx, x.Plan, x.Customer)
				if err != nil {
					return err
				}
				tell(then)
			}
		}
		if !did {
			return nil
		}
	}
	return nil
}

// Metrics are the moves by state.
func (m *Mover) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_delegation_moves", "Moves of customers to other delegation, by state.", "state",
		func(ctx context.Context) (map[string]float64, error) {
			counts, err := m.counts(ctx)
			n := map[string]float64{}
			for _, s := range States() {
				n[string(s)] = float64(counts[s])
			}
			return n, err
		})
}
