//go:build !judge

package move

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// leaseFor is how long a process has a move without a word.
const leaseFor = 6 * time.Minute

// New makes a Mover over a database whose schema is current.
func New(d Deps) (*Mover, error) {
	if d.DB == nil || d.Now == nil || d.Record == nil {
		return nil, problem.New(problem.Internal, "the moves of delegation have no database, no trail or no clock")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Config == nil {
		d.Config = &Config{Remind: 7 * 24 * time.Hour}
	}
	if d.at == nil {
		d.at = func(context.Context, string) {}
	}
	return &Mover{d, token.ID("mover")}, nil
}

// now is the clock as the database can keep it.
func (m *Mover) now() time.Time { return m.d.Now().UTC().Truncate(time.Microsecond) }

func (m *Mover) record(ctx context.Context, a audit.Action, o audit.Outcome, actor, object, tenant, reason string, details map[string]string) error {
	return m.d.Record.Record(ctx, audit.Event{At: m.now(), Action: a, Outcome: o, Actor: actor, Object: object, Tenant: tenant,
		Reason: print.Clean(reason, print.MaxSaying), Details: details})
}

// trusted reads a plan that is applied and holds it to its mark.
func (m *Mover) trusted(ctx context.Context, id string) (Run, error) {
	if m.d.Marks == nil {
		return Run{}, errNoVault()
	}
	r, err := m.run(ctx, id)
	if err != nil {
		return r, err
	}
	return r, m.d.Marks.Fits(ctx, runBook, r.mark, r.values()...)
}

// trustedMove reads a move and holds it to its mark.
func (m *Mover) trustedMove(ctx context.Context, plan, customer string) (Move, error) {
	if m.d.Marks == nil {
		return Move{}, errNoVault()
	}
	x, err := m.move(ctx, plan, customer)
	if err != nil {
		return x, err
	}
	return x, m.d.Marks.Fits(ctx, moveBook, x.mark, x.values()...)
}

// standing reads a plan and a move of it, and holds both to what the trail says last of
// them: whoever puts an older row back has no cancelled move go on, and no stopped plan.
func (m *Mover) standing(ctx context.Context, plan, customer string) (r Run, x Move, err error) {
	for range 2 { // somebody may turn them round between the two readings
		if r, err = m.trusted(ctx, plan); err != nil {
			return r, x, err
		}
		if x, err = m.trustedMove(ctx, plan, customer); err != nil {
			return r, x, err
		}
		if err = m.later(ctx, &r, &x); err == nil {
			return r, x, nil
		}
	}
	return r, x, err
}

// later says that the trail knows of something newer than the rows. Kind problem.Conflict.
func (m *Mover) later(ctx context.Context, r *Run, x *Move) error {
	if m.d.Last == nil {
		return nil
	}
	last, err := m.d.Last(ctx)
	if err != nil {
		return err
	}
	at := x.State
	if at == Held {
		at = x.Progress.HeldIn
	}
	what := last(x.Plan, x.Customer)
	switch {
	case what == audit.DelegationCancelled && at != Cancelling && at != Cancelled:
	case what == audit.DelegationRolledBack && at != Restoring && at != Retracting && at != RolledBack:
	case r.State == Running && last(r.ID, "") == audit.DelegationStopped:
		what = audit.DelegationStopped
	default:
		return nil
	}
	return problem.New(problem.Conflict, "the move of customer %s is %s in the database, and the trail says last of it: %s", x.Customer, at, what).
		WithHint("somebody put an older row back: look at the trail, and restore a backup")
}

// retry runs do again when it lost a race.
func (m *Mover) retry(ctx context.Context, do func(context.Context) error) error {
	for try := range 10 {
		err := m.d.DB.InTx(ctx, do)
		if !errors.Is(err, errStale) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 20 * time.Millisecond):
		}
	}
	return problem.New(problem.Conflict, "the move is being done by another process at this moment").WithHint("try again in a minute")
}

// The bounds of pins.
const (
	maxPins   = 1000
	maxReason = 400
)

// Pin keeps a role from being recommended away or ended by a plan.
func (m *Mover) Pin(ctx context.Context, p Pin) (Pin, error) {
	p.Role, p.Group, p.Customer = strings.ToLower(p.Role), strings.ToLower(p.Group), strings.ToLower(p.Customer)
	p.Reason = print.Clean(p.Reason, maxReason)
	id, err := roleID(p.Role)
	switch {
	case err != nil:
		return p, err
	case p.Group != "" && !guid.MatchString(p.Group), p.Customer != "" && !guid.MatchString(p.Customer):
		return p, problem.New(problem.Usage, "a pin names its group and customer by their ids")
	case len(p.Reason) < 5:
		return p, problem.New(problem.Usage, "a pin needs a reason").WithHint("--reason \"break-glass: lock-outs of administrators\"")
	case m.d.Marks == nil:
		return p, errNoVault()
	}
	p.Role, p.ID, p.Made, p.Actor = id, token.ID("pin"), m.now(), m.d.Actor
	err = m.d.DB.InTx(ctx, func(ctx context.Context) error {
		list, err := m.pins(ctx)
		if err != nil {
			return err
		}
		for i := range list {
			if x := &list[i]; x.Role == p.Role && x.Group == p.Group && x.Customer == p.Customer {
				return problem.New(problem.Conflict, "that role is pinned there already, as %s", x.ID).WithHint("partnerguard delegation unpin %s", x.ID)
			}
		}
		if len(list) >= maxPins {
			return problem.New(problem.Limit, "there are %d pins already", maxPins)
		}
		if err := m.insertPin(ctx, &p); err != nil {
			return err
		}
		return m.record(ctx, audit.DelegationPinned, audit.Done, p.Actor, p.ID, p.Customer, p.Reason, map[string]string{"role": p.Role, "group": p.Group})
	})
	return p, err
}

// Unpin takes a pin away. Kind problem.NotFound for one that is not there.
func (m *Mover) Unpin(ctx context.Context, id string) error {
	return m.d.DB.InTx(ctx, func(ctx context.Context) error {
		err := m.deletePin(ctx, id)
		if errors.Is(err, errStale) {
			return problem.New(problem.NotFound, "no pin has the id %.40q", id).WithHint("partnerguard delegation pins lists them")
		}
		if err != nil {
			return err
		}
		return m.record(ctx, audit.DelegationUnpinned, audit.Done, m.d.Actor, id, "", "", nil)
	})
}

// Pins lists the pins; one whose row is not as it was written is an error.
func (m *Mover) Pins(ctx context.Context) ([]Pin, error) {
	list, err := m.pins(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if m.d.Marks == nil {
			break // they are shown; where they steer the vault is open
		}
		if err := m.d.Marks.Fits(ctx, pinBook, list[i].mark, list[i].values()...); err != nil {
			return nil, err
		}
	}
	if m.d.Last == nil || len(list) == 0 {
		return list, nil
	}
	last, err := m.d.Last(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if last(list[i].ID, "") == audit.DelegationUnpinned {
			return nil, problem.New(problem.Conflict, "the pin %s was taken away, and is in the database again", list[i].ID).
				WithHint("partnerguard delegation unpin %s, and look at who writes the database", list[i].ID)
		}
	}
	return list, nil
}

// Pinned are the pins as the recommendation takes them.
func (m *Mover) Pinned(ctx context.Context) ([]recommend.Pin, error) {
	if m.d.Marks == nil {
		return nil, errNoVault()
	}
	list, err := m.Pins(ctx)
	out := make([]recommend.Pin, 0, len(list))
	for i := range list {
		out = append(out, recommend.Pin{Role: list[i].Role, Group: list[i].Group, Customer: list[i].Customer, Reason: list[i].Reason})
	}
	return out, err
}
