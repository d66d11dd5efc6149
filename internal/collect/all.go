//go:build !judge

package collect

import (
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"partnerguard/internal/problem"
)

// All reads the partner's own tenant and then its customers, some side by side; tenant,
// when set, names the only one by id, domain or the word partner. each is told of every
// round as it ends, one at a time, with what ended it early. The error is that of the
// partner's own round, or of the context: what goes wrong with a customer stops nobody
// else.
func (c *Collector) All(ctx context.Context, tenant string, a Ask, each func(Round, error)) error {
	partner, err := c.Meet(ctx)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	tell := a.Progress
	if tell != nil {
		a.Progress = func(s Step) { mu.Lock(); defer mu.Unlock(); tell(s) }
	}
	one := func(ctx context.Context, t Tenant, a Ask) error {
		r, err := c.Round(ctx, t.ID, a)
		r.Tenant = t
		mu.Lock()
		defer mu.Unlock()
		each(r, err)
		return err
	}
	if tenant != "" {
		t, err := c.Tenant(ctx, tenant)
		if err != nil {
			return err
		}
		return one(ctx, t, a)
	}
	own := c.of(a, true)
	if own != nil {
		if err := one(ctx, partner, *own); err != nil {
			return err
		}
	}
	theirs := c.of(a, false)
	if theirs == nil {
		return ctx.Err()
	}
	list, err := c.Tenants(ctx)
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, t := range list {
		if t.Partner {
			continue
		}
		g.Go(func() error {
			if ctx.Err() == nil {
				_ = one(ctx, t, *theirs) // it was told
			}
			return nil
		})
	}
	_ = g.Wait()
	return ctx.Err()
}

// of is what is asked for on one side: nil where none of the resources named is there.
func (c *Collector) of(a Ask, partner bool) *Ask {
	if len(a.Only) == 0 {
		return &a
	}
	a.Only = slices.DeleteFunc(slices.Clone(a.Only), func(name string) bool {
		r, ok := c.resource(name)
		return ok && !r.Scope.Covers(partner)
	})
	if len(a.Only) == 0 {
		return nil
	}
	return &a
}

// Busy reports that a round did not begin because somebody else reads the tenant.
func Busy(err error) bool { return errors.Is(err, ErrBusy) }

// Resources reports that every name is a resource's; the error of kind problem.Usage names
// the first that is none.
func (c *Collector) Resources(names []string) error {
	for _, name := range names {
		if _, ok := c.resource(name); !ok {
			return problem.New(problem.Usage, "no resource has the name %.60q", name).WithHint("partnerguard collect plan lists them")
		}
	}
	return nil
}

// Names are the resources that are read, in order.
func (c *Collector) Names() (out []string) {
	for _, r := range c.plan {
		out = append(out, r.Name)
	}
	return out
}
