//go:build !judge

package move

import (
	"context"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Status is how an applied plan stands.
type Status struct {
	Run
	Counts map[State]int `json:"counts"`
	Moves  []Move        `json:"moves"`
}

// Status gives the plans that were applied, the newest last; plan "" is all of them.
func (m *Mover) Status(ctx context.Context, plan string) ([]Status, error) {
	list, err := m.runs(ctx)
	if err != nil {
		return nil, err
	}
	out := []Status{}
	for i := range list {
		if plan != "" && list[i].ID != plan {
			continue
		}
		s := Status{Run: list[i], Counts: map[State]int{}}
		if s.Moves, err = m.moves(ctx, list[i].ID); err != nil {
			return nil, err
		}
		s.Refused = m.refuses(ctx, runBook, s.mark, s.Run.values())
		for k := range s.Moves {
			x := &s.Moves[k]
			x.Refused = m.refuses(ctx, moveBook, x.mark, x.values())
			s.Counts[x.State]++
		}
		out = append(out, s)
	}
	if plan != "" && len(out) == 0 {
		return nil, problem.New(problem.NotFound, "no plan %.40q was applied", plan).WithHint("partnerguard delegation status lists those that were")
	}
	return out, nil
}

// refuses says why a row that is shown is not done, "" where it is, or the vault is not open.
func (m *Mover) refuses(ctx context.Context, b *vault.Book, mark []byte, values []any) string {
	if m.d.Marks == nil {
		return ""
	}
	if err := m.d.Marks.Fits(ctx, b, mark, values...); err != nil {
		return err.Error()
	}
	return ""
}

// History gives what was asked of Microsoft for a customer, in order.
func (m *Mover) History(ctx context.Context, plan, customer string) ([]Step, error) {
	return m.steps(ctx, plan, customer)
}

// Invite gives the invitation of a customer whose approval is waited for.
func (m *Mover) Invite(ctx context.Context, customer string) (Invitation, error) {
	list, err := m.movesOf(ctx, customer)
	if err != nil {
		return Invitation{}, err
	}
	for i := range list {
		x := &list[i]
		if x.State != Inviting {
			continue
		}
		if m.d.Marks != nil {
			if err := m.d.Marks.Fits(ctx, moveBook, x.mark, x.values()...); err != nil {
				return Invitation{}, err
			}
		}
		return invitation(m.d.Admin, &x.wish, &x.Progress, ""), nil
	}
	return Invitation{}, problem.New(problem.NotFound, "no offer waits for the customer %.40q", customer).
		WithHint("partnerguard delegation status shows who is waited for")
}

// slow is how long customers that do not answer keep the next stage back, once somebody of
// their stage passed.
const slow = 14 * 24 * time.Hour

// Advance begins the next stage of each plan whose last one passed, and ends plans that
// are over.
func (m *Mover) Advance(ctx context.Context) error {
	if m.d.Marks == nil {
		return errNoVault()
	}
	list, err := m.runs(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].State == Over {
			continue
		}
		if err := m.retry(ctx, func(ctx context.Context) error { return m.advance(ctx, list[i].ID) }); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mover) advance(ctx context.Context, id string) error {
	r, err := m.trusted(ctx, id)
	if err != nil {
		return err
	}
	moves, err := m.moves(ctx, id)
	if err != nil {
		return err
	}
	over := true
	for i := range moves {
		over = over && moves[i].State.Ended()
	}
	switch {
	case over:
		r.State, r.Why = Over, ""
		return m.updateRun(ctx, &r)
	case r.State != Running || r.Stage >= r.Until || !m.passed(&r, moves):
		return nil
	}
	r.Stage++
	if err := m.updateRun(ctx, &r); err != nil {
		return err
	}
	if err := m.wake(ctx, id, r.Stage, Waiting, m.now()); err != nil {
		return err
	}
	return m.record(ctx, audit.DelegationStage, audit.Done, m.d.Actor, id, r.Plan.Tenant, "", map[string]string{"stage": itoa(r.Stage)})
}

// passed says that all stages that have begun passed their probes. A customer that is
// silent for two weeks keeps nobody back, once somebody passed.
func (m *Mover) passed(r *Run, moves []Move) bool {
	any, silent := false, false
	for i := range moves {
		x := &moves[i]
		switch {
		case x.Stage > r.Stage:
		case x.State.Proved():
			any = true
		case x.State == Cancelled || x.State == RolledBack:
		case x.State == Inviting && m.now().Sub(x.Progress.Offered) > slow:
			silent = true
		default:
			return false
		}
	}
	return any || !silent
}
