//go:build !judge

package budget

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// leaseFor is how long a process has an item without a word.
const leaseFor = 5 * time.Minute

// New makes Budgets over a database whose schema is current.
func New(d Deps) (*Budgets, error) {
	if d.DB == nil || d.Now == nil || d.Record == nil {
		return nil, problem.New(problem.Internal, "the budgets have no database, no trail or no clock")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.at == nil {
		d.at = func(context.Context, string) {}
	}
	return &Budgets{d, token.ID("budgets")}, nil
}

// now is the clock as the database can keep it.
func (b *Budgets) now() time.Time { return b.d.Now().UTC().Truncate(time.Microsecond) }

func (b *Budgets) record(ctx context.Context, a audit.Action, o audit.Outcome, object, tenant, reason string, details map[string]string) error {
	return b.d.Record.Record(ctx, audit.Event{At: b.now(), Action: a, Outcome: o, Actor: b.d.Actor, Object: object, Tenant: tenant,
		Reason: print.Clean(reason, print.MaxSaying), Details: details})
}

// trusted reads a plan that is applied, and holds it to its mark and to what the trail says
// last of it: whoever puts an older row back has no plan go on that was taken back.
func (b *Budgets) trusted(ctx context.Context, id string) (Run, error) {
	if b.d.Marks == nil {
		return Run{}, errNoVault()
	}
	r, err := b.run(ctx, id)
	if err != nil {
		return r, err
	}
	if err := b.d.Marks.Fits(ctx, runBook, r.mark, r.values()...); err != nil || b.d.Last == nil {
		return r, err
	}
	last, err := b.d.Last(ctx)
	if err != nil {
		return r, err
	}
	if r.State != Back && last(id) == audit.BudgetRolledBack {
		if r, err = b.run(ctx, id); err != nil || r.State == Back { // it was turned round in this moment
			return r, err
		}
		return r, problem.New(problem.Conflict, "the plan %s is %s in the database, and the trail says last of it: %s", id, r.State, audit.BudgetRolledBack).
			WithHint("somebody put an older row back: look at the trail, and restore a backup")
	}
	return r, nil
}

// trustedItem reads an item and holds it to its mark.
func (b *Budgets) trustedItem(ctx context.Context, k key) (Item, error) {
	x, err := b.item(ctx, k)
	if err != nil {
		return x, err
	}
	return x, b.d.Marks.Fits(ctx, itemBook, x.mark, x.values()...)
}

// retry runs do again when it lost a race.
func (b *Budgets) retry(ctx context.Context, do func(context.Context) error) error {
	for try := range 10 {
		err := b.d.DB.InTx(ctx, do)
		if !errors.Is(err, errStale) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 20 * time.Millisecond):
		}
	}
	return problem.New(problem.Conflict, "the plan is being done by another process at this moment").WithHint("try again in a minute")
}

// Apply takes a plan over: its budgets are set from then on, by whoever calls [Budgets.Now],
// and by serve and worker. Applying the same plan again changes nothing, but that what was
// refused or failed is tried once more.
func (b *Budgets) Apply(ctx context.Context, p Plan) (Run, error) {
	if b.d.Marks == nil {
		return Run{}, errNoVault()
	}
	if err := p.Check(); err != nil {
		return Run{}, err
	}
	id := p.ID()
	if r, err := b.trusted(ctx, id); err == nil {
		return b.again(ctx, r)
	} else if !errors.Is(err, problem.NotFound) {
		return r, err
	}
	r := Run{ID: id, Plan: p, State: Running, Applied: b.now(), Actor: b.d.Actor}
	list := p.items(id, r.Applied)
	err := b.d.DB.InTx(ctx, func(ctx context.Context) error {
		for i := range list {
			if err := b.free(ctx, &list[i]); err != nil {
				return err
			}
		}
		if err := b.insertRun(ctx, &r); err != nil {
			return err
		}
		for i := range list {
			if err := b.insertItem(ctx, &list[i]); err != nil {
				return err
			}
		}
		return b.record(ctx, audit.BudgetApplied, audit.Done, id, p.Tenant, "", map[string]string{"customers": strconv.Itoa(len(p.Customers)),
			"budgets": strconv.Itoa(len(list)), "made": p.Made.UTC().Format(time.RFC3339)})
	})
	if errors.Is(err, errStale) { // another process applied it in this moment
		return b.trusted(ctx, id)
	}
	return r, err
}

// items are the budgets of a plan.
func (p *Plan) items(id string, at time.Time) (out []Item) {
	for i := range p.Customers {
		c := &p.Customers[i]
		x := Item{Plan: id, Customer: c.Tenant, Name: print.Clean(c.Name, print.MaxName), State: Waiting, Currency: print.Clean(c.Currency, 8), Since: at, Next: at}
		if w := c.Center; w != nil {
			y := x
			y.What, y.Amount, y.wish = CenterItem, w.Amount, wish{Center: w}
			out = append(out, y)
		}
		for _, w := range c.Azure {
			y := x
			y.What, y.Amount, y.wish = w.Subscription, w.Amount, wish{Azure: w}
			if w.Name != "" {
				y.Name = print.Clean(c.Name+", "+w.Name, print.MaxName)
			}
			out = append(out, y)
		}
	}
	return out
}

// free refuses a budget that another plan is setting.
func (b *Budgets) free(ctx context.Context, x *Item) error {
	list, err := b.busy(ctx, x.Customer, x.What, x.Plan)
	if err != nil || len(list) == 0 {
		return err
	}
	return problem.New(problem.Conflict, "a budget of %s (%s) is being set by the plan %s", x.Name, x.Customer, print.Clean(list[0], 40)).
		WithHint("let it end, or partnerguard budgets rollback %s", print.Clean(list[0], 40))
}

// again tries once more what was refused or failed.
func (b *Budgets) again(ctx context.Context, r Run) (Run, error) {
	if r.State == Back {
		return r, problem.New(problem.Conflict, "the plan %s was taken back", r.ID).WithHint("have it made anew: partnerguard budgets plan")
	}
	list, err := b.items(ctx, r.ID)
	if err != nil {
		return r, err
	}
	for i := range list {
		if s := list[i].State; s != Refused && s != Failed {
			continue
		}
		k := key{list[i].Plan, list[i].Customer, list[i].What}
		err := b.retry(ctx, func(ctx context.Context) error {
			x, err := b.trustedItem(ctx, k)
			if err != nil || x.State != Refused && x.State != Failed {
				return err
			}
			x.turn(Waiting, "it is tried again", b.now())
			return b.updateItem(ctx, &x)
		})
		if err != nil {
			return r, err
		}
		r.State = Running
	}
	if r.State != Running {
		return r, nil
	}
	err = b.retry(ctx, func(ctx context.Context) (err error) {
		if r, err = b.trusted(ctx, r.ID); err != nil || r.State == Back || r.State == Running {
			return err
		}
		r.State = Running
		return b.updateRun(ctx, &r)
	})
	return r, err
}

// turn has an item go to another state, looked at now where something is left to be done.
func (x *Item) turn(to State, why string, now time.Time) {
	x.State, x.Why, x.Since, x.Next = to, print.Clean(why, print.MaxSaying), now, time.Time{}
	x.prog.Tries, x.prog.Failing = 0, time.Time{}
	if to.Works() {
		x.Next = now
	}
}

// Status is how an applied plan stands.
type Status struct {
	Run
	Counts map[State]int `json:"counts"`
	Items  []Item        `json:"budgets"`
}

// Status gives the plans that were applied, the newest last; plan "" is all of them.
func (b *Budgets) Status(ctx context.Context, plan string) ([]Status, error) {
	list, err := b.runs(ctx)
	if err != nil {
		return nil, err
	}
	out := []Status{}
	for i := range list {
		if plan != "" && list[i].ID != plan {
			continue
		}
		s := Status{Run: list[i], Counts: map[State]int{}}
		if s.Items, err = b.items(ctx, list[i].ID); err != nil {
			return nil, err
		}
		s.Refused = b.refuses(ctx, runBook, s.mark, s.Run.values())
		for k := range s.Items {
			x := &s.Items[k]
			x.Refuses = b.refuses(ctx, itemBook, x.mark, x.values())
			s.Counts[x.State]++
		}
		out = append(out, s)
	}
	if plan != "" && len(out) == 0 {
		return nil, problem.New(problem.NotFound, "no plan of budgets %.40q was applied", plan).WithHint("partnerguard budgets status lists those that were")
	}
	return out, nil
}

// refuses says why a row that is shown is not done, "" where it is, or the vault is not open.
func (b *Budgets) refuses(ctx context.Context, book *vault.Book, mark []byte, values []any) string {
	if b.d.Marks == nil {
		return ""
	}
	if err := b.d.Marks.Fits(ctx, book, mark, values...); err != nil {
		return err.Error()
	}
	return ""
}

// History gives what was asked of Microsoft for a customer, in order.
func (b *Budgets) History(ctx context.Context, plan, customer string) ([]Step, error) {
	return b.steps(ctx, plan, customer)
}
