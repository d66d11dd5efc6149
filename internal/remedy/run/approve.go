//go:build !judge

package run

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

func errSame(actor string) error {
	return problem.New(problem.Forbidden, "%s applied the plan, and does not approve it too: it takes two people", actor).
		WithHint("another person does it: in the console, or with another account of this machine")
}

// Approve is a second person's yes to exactly the plan of a run. Kind problem.Forbidden for
// the person who applied it.
func (c *Runner) Approve(ctx context.Context, run string) (Run, error) {
	if c.d.Marks == nil {
		return Run{}, errNoVault()
	}
	var r Run
	err := c.retry(ctx, func(ctx context.Context) (err error) {
		if r, err = c.trusted(ctx, run); err != nil {
			return err
		}
		switch {
		case strings.EqualFold(r.Actor, c.d.Actor):
			return errSame(c.d.Actor)
		case r.State != Waiting || r.Approved != nil:
			return problem.New(problem.Conflict, "the plan %s is %s: there is nothing to approve", r.ID, r.State)
		}
		a := Approval{Run: r.ID, Plan: r.Plan, Actor: c.d.Actor, At: c.now()}
		if err := c.insertApproval(ctx, &a); err != nil {
			return err
		}
		r.State, r.Why, r.Approver, r.next = Running, "", a.Actor, a.At
		if err := c.updateRun(ctx, &r); err != nil {
			return err
		}
		r.Approved = &a
		return c.record(ctx, audit.RemedyApproved, audit.Done, &r, "", map[string]string{"plan": r.Plan, "applied by": r.Actor})
	})
	return r, err
}

// Confirm says that a person did a step that no interface does; of a run that was taken back,
// that an object which was not is as it should be.
func (c *Runner) Confirm(ctx context.Context, run string, seq int) (Run, error) {
	return c.turn(ctx, run, audit.RemedyDone, "step "+strconv.Itoa(seq)+" was done by hand", func(r *Run, list []Progress) error {
		for i := range list {
			x := &list[i]
			if x.Seq != seq {
				continue
			}
			if r.State == Undone {
				return c.settle(r, list, seq)
			}
			if x.State != Asked {
				return problem.New(problem.Conflict, "step %d of %s is %s, and waits for nobody", seq, r.ID, x.State)
			}
			x.to(Done, c.now(), "done by hand, as "+c.d.Actor+" says")
			x.By = c.d.Actor
			r.Why = ""
			return nil
		}
		return problem.New(problem.NotFound, "%s has no step %d", r.ID, seq).WithHint("partnerguard remedy status %s", r.ID)
	})
}

// Stop has nothing more of a run begun. What was asked for comes to be.
func (c *Runner) Stop(ctx context.Context, run, reason string) (Run, error) {
	return c.turn(ctx, run, audit.RemedyStopped, reason, func(r *Run, _ []Progress) error {
		if r.State.Over() || r.State == Stopped || r.State == Undoing {
			return problem.New(problem.Conflict, "the plan %s is %s: there is nothing to stop", r.ID, r.State).
				WithHint("partnerguard remedy rollback %s takes back what was done", r.ID)
		}
		r.State, r.Why = Stopped, "stopped by "+c.d.Actor
		return nil
	})
}

const takenBack = "taken back by "

// Rollback takes back what was done, in reverse order, and only what we did and is still so.
func (c *Runner) Rollback(ctx context.Context, run, reason string) (Run, error) {
	return c.turn(ctx, run, audit.RemedyUndone, reason, func(r *Run, list []Progress) error {
		if r.State == Undoing || r.State == Undone && !slices.ContainsFunc(list, func(p Progress) bool { return p.State == NotTaken }) {
			err := problem.New(problem.Conflict, "the plan %s is %s already", r.ID, r.State)
			if left := leftovers(r, list); len(left) > 0 {
				return err.WithHint("%s; %s", leftWords(left), left[0].Settle)
			}
			return err
		}
		r.State, r.Why = Undoing, takenBack+c.d.Actor
		for i := range list {
			x := &list[i]
			switch {
			case x.State == Asked || (x.State == Ready || x.State == Failed) && x.Asked.IsZero():
				x.to(Left, c.now(), "taken back before it was done")
			case x.State == Done && x.Step.Do == remedy.Ask:
				x.to(Stays, c.now(), "a person takes it back"+undoWords(&x.Step))
			case x.State == Done && x.Step.Undo == remedy.Irreversible:
				x.to(Stays, c.now(), "it cannot be taken back")
			case x.State == Done, x.State == Going, x.State == NotTaken:
				x.to(Undoes, c.now(), "")
			case x.State == Ready, x.State == Failed: // asked for, and nobody knows what became of it
				x.State = Going
				x.to(Undoes, c.now(), "")
			}
		}
		return nil
	})
}

func undoWords(s *remedy.Step) string {
	if s.Task == nil || len(s.Task.Undo) == 0 {
		return ""
	}
	return ": " + strings.Join(s.Task.Undo, "; ")
}

// to puts a step into another state.
func (p *Progress) to(s StepState, now time.Time, words string) {
	p.State, p.Since, p.Words = s, now, print.Clean(words, print.MaxSaying)
	p.Tries, p.Again, p.Failing, p.Next = 0, 0, time.Time{}, time.Time{}
}

// turn changes a run and its steps by somebody's will, whoever has the lease.
func (c *Runner) turn(ctx context.Context, run string, a audit.Action, reason string, change func(*Run, []Progress) error) (Run, error) {
	if c.d.Marks == nil {
		return Run{}, errNoVault()
	}
	var r Run
	err := c.retry(ctx, func(ctx context.Context) (err error) {
		var list []Progress
		if r, list, err = c.standing(ctx, run); err != nil {
			return err
		}
		before := make([]StepState, len(list))
		for i := range list {
			before[i] = list[i].State
		}
		if err := change(&r, list); err != nil {
			return err
		}
		r.next = c.now()
		if err := c.updateRun(ctx, &r); err != nil {
			return err
		}
		for i := range list {
			if list[i].State == before[i] {
				continue
			}
			if err := c.updateStep(ctx, &list[i], false); err != nil {
				return err
			}
		}
		return c.record(ctx, a, audit.Done, &r, reason, nil)
	})
	return r, err
}
