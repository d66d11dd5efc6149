//go:build !judge

package budget

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/observe"
)

// Rollback has every budget that a plan set put back to what was there before, as [Budgets.Now]
// and serve come by. What somebody changed since is left as it is; what was not set yet is not
// set any more. customer "" is all of the plan; of one customer the plan goes on elsewhere.
func (b *Budgets) Rollback(ctx context.Context, plan, customer string) error {
	r, err := b.trusted(ctx, plan)
	if err != nil {
		return err
	}
	if customer == "" && r.State != Back { // first, so that nothing more is set
		err = b.retry(ctx, func(ctx context.Context) error {
			r, err := b.trusted(ctx, plan)
			if err != nil || r.State == Back {
				return err
			}
			r.State = Back
			if err := b.updateRun(ctx, &r); err != nil {
				return err
			}
			return b.record(ctx, audit.BudgetRolledBack, audit.Done, plan, r.Plan.Tenant, "", nil)
		})
		if err != nil {
			return err
		}
	}
	list, err := b.items(ctx, plan)
	if err != nil {
		return err
	}
	for i := range list {
		if customer != "" && list[i].Customer != customer {
			continue
		}
		k := key{plan, list[i].Customer, list[i].What}
		if err := b.retry(ctx, func(ctx context.Context) error { return b.turnBack(ctx, k, customer != "") }); err != nil {
			return err
		}
	}
	return nil
}

// turnBack has one item go back. alone says that the plan itself is not taken back.
func (b *Budgets) turnBack(ctx context.Context, k key, alone bool) error {
	x, err := b.trustedItem(ctx, k)
	if err != nil {
		return err
	}
	to := Restoring
	if x.prog.Set == nil {
		to = Dropped
	}
	if !x.State.may(to) {
		return nil // nothing of it is ours
	}
	x.turn(to, "it is taken back", b.now())
	if err := b.updateItem(ctx, &x); err != nil || !alone {
		return err
	}
	return b.record(ctx, audit.BudgetRolledBack, audit.Done, k.Plan+" "+k.What, k.Customer, "", nil)
}

// The jobs.
const (
	sweepJob = "budget-items"
	itemJob  = "budget-item"
)

// sweepEvery is how often budgets are looked for that are due; atOnce how many are taken;
// hands how many are done at a time by [Budgets.Now].
const (
	sweepEvery = time.Minute
	atOnce     = 2000
	hands      = 8
)

// Jobs has budgets set as they are due.
func (b *Budgets) Jobs(q *jobs.Queue) error {
	q.Handle(itemJob, func(ctx context.Context, j jobs.Job) error {
		var k key
		if err := j.Read(&k); err != nil {
			return err
		}
		next, err := b.do(ctx, k)
		if err != nil || next.IsZero() {
			return err
		}
		if left := next.Sub(b.now()); left < sweepEvery {
			return jobs.Later(left)
		}
		return nil // the sweep finds it
	})
	q.Handle(sweepJob, func(ctx context.Context, _ jobs.Job) error {
		if b.d.Marks == nil {
			return nil
		}
		if err := b.settle(ctx); err != nil {
			return err
		}
		list, err := b.due(ctx, b.now(), atOnce)
		if err != nil {
			return err
		}
		args := make([]any, len(list))
		for i := range list {
			args[i] = list[i]
		}
		_, err = q.AddAll(ctx, itemJob, args, jobs.Add{Unique: true})
		return err
	})
	q.Every(sweepEvery, sweepJob, nil)
	return nil
}

// settle ends the plans of which nothing is left to be done.
func (b *Budgets) settle(ctx context.Context) error {
	list, err := b.runs(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].State != Running {
			continue
		}
		err := b.retry(ctx, func(ctx context.Context) error {
			r, err := b.trusted(ctx, list[i].ID)
			if err != nil || r.State != Running {
				return err
			}
			items, err := b.items(ctx, r.ID)
			if err != nil {
				return err
			}
			for k := range items {
				if items[k].State.Works() {
					return nil
				}
			}
			r.State = Over
			return b.updateRun(ctx, &r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Now does in this process what can be done of a plan now, several budgets at a time, until
// all of it waits for something; done is told of each, one after another.
func (b *Budgets) Now(ctx context.Context, plan string, done func(Item)) error {
	list, err := b.items(ctx, plan)
	if err != nil {
		return err
	}
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex // guards first, and done is called under it
		first error
	)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	room := make(chan struct{}, hands)
	for i := range list {
		if !list[i].State.Works() || list[i].Next.After(b.now()) {
			continue
		}
		room <- struct{}{}
		wait.Go(func() {
			defer func() { <-room }()
			k := key{list[i].Plan, list[i].Customer, list[i].What}
			_, err := b.do(ctx, k)
			var x Item
			if err == nil && done != nil {
				x, err = b.item(ctx, k)
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil && first == nil:
				first = err
				stop()
			case err == nil && done != nil:
				done(x)
			}
		})
	}
	wait.Wait()
	if first != nil {
		return first
	}
	return b.settle(ctx)
}

// Metrics are the budgets of plans by state.
func (b *Budgets) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_budget_items", "Budgets of plans, by state.", "state", func(ctx context.Context) (map[string]float64, error) {
		counts, err := b.counts(ctx)
		n := map[string]float64{}
		for _, s := range States() {
			n[string(s)] = float64(counts[s])
		}
		return n, err
	})
}
