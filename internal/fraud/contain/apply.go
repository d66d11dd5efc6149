//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// freshFor is how long a plan may be applied after it was made: what is there changes.
const freshFor = 24 * time.Hour

func (c *Containment) record(ctx context.Context, a audit.Action, o audit.Outcome, object, tenant, reason string, details map[string]string) error {
	return c.d.Record.Record(ctx, audit.Event{At: c.now(), Action: a, Outcome: o, Actor: c.d.Actor, Object: object, Tenant: tenant,
		Reason: print.Clean(reason, print.MaxSaying), Details: details})
}

// keepPlan keeps a plan as it was made.
func (c *Containment) keepPlan(ctx context.Context, p *Plan) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	err = c.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := c.insertPlan(ctx, p.ID, string(body), p.Made, c.d.Actor); err != nil {
			return err
		}
		return c.record(ctx, audit.ContainPlanned, audit.Done, p.ID, p.Customer, "", map[string]string{"alert": p.Alert, "subscription": p.Subscription,
			"steps": strconv.Itoa(len(p.Steps))})
	})
	if errors.Is(err, errStale) { // the very same plan is there
		return nil
	}
	return err
}

// Apply takes a plan over: steps that a rule approves at this moment may be done, the others
// when a second person approved. A plan that is not one that was made, less some steps, is
// refused as problem.BadInput; one of a subscription where another goes on as
// problem.Conflict. Applying the same again has what failed tried again.
func (c *Containment) Apply(ctx context.Context, p Plan) (Run, error) {
	if c.d.Marks == nil {
		return Run{}, errNoVault()
	}
	if err := p.Check(); err != nil {
		return Run{}, err
	}
	if p.Cloud != c.d.Name {
		return Run{}, problem.New(problem.Conflict, "the plan is for the cloud %.40q, and this is %s", p.Cloud, c.d.Name).WithHint("have it made here")
	}
	made, err := c.madePlan(ctx, p.ID)
	if err != nil {
		return Run{}, err
	}
	if err := p.subset(&made); err != nil {
		return Run{}, err
	}
	r := Run{ID: "cr-" + p.stepsHash()[:16], Plan: p, State: Waiting, Applied: c.now(), Actor: c.d.Actor, Hash: p.stepsHash()}
	if was, err := c.trusted(ctx, r.ID); err == nil {
		return c.again(ctx, was)
	} else if !errors.Is(err, problem.NotFound) {
		return was, err
	}
	if age := r.Applied.Sub(p.Made); age > freshFor || age < -slack {
		return Run{}, problem.New(problem.Conflict, "the plan was made at %s, and what runs changes", p.Made.UTC().Format(time.DateTime)).
			WithHint("make it anew: partnerguard fraud contain %s --plan", print.Clean(p.Alert, 60))
	}
	ruled, words := c.rule(&p, r.Applied)
	if len(ruled) > 0 {
		r.Rule, r.next = words, r.Applied
	}
	r.Why = "it waits for a second person: partnerguard fraud contain approve " + r.ID
	if len(ruled) == len(p.Steps) {
		r.State, r.Why = Running, ""
	}
	err = c.d.DB.InTx(ctx, func(ctx context.Context) error { return c.begin(ctx, &r, ruled) })
	if errors.Is(err, errStale) { // another process applied it in this moment
		return c.trusted(ctx, r.ID)
	}
	return r, err
}

// begin keeps a run with its steps.
func (c *Containment) begin(ctx context.Context, r *Run, ruled map[string]bool) error {
	others, err := c.runsOf(ctx, r.Plan.Subscription)
	if err != nil {
		return err
	}
	for i := range others {
		if o := &others[i]; o.State != Over && o.State != Stopped {
			return problem.New(problem.Conflict, "the plan %s of this subscription is %s", o.ID, o.State).
				WithHint("let it end, or partnerguard fraud contain cancel %s", o.ID)
		}
	}
	if err := c.insertRun(ctx, r); err != nil {
		return err
	}
	var kinds []string
	for i := range r.Plan.Steps {
		s := &r.Plan.Steps[i]
		x := Progress{Run: r.ID, Seq: i + 1, State: Ready, Step: *s, ByRule: ruled[s.ID], Since: r.Applied}
		if x.ByRule && !slices.Contains(kinds, string(s.Kind)) {
			kinds = append(kinds, string(s.Kind))
		}
		if err := c.insertStep(ctx, &x); err != nil {
			return err
		}
	}
	details := map[string]string{"plan": r.Plan.ID, "alert": r.Plan.Alert, "subscription": r.Plan.Subscription, "steps": strconv.Itoa(len(r.Plan.Steps)),
		"hash": r.Hash}
	if err := c.record(ctx, audit.ContainApplied, audit.Done, r.ID, r.Plan.Customer, "", details); err != nil {
		return err
	}
	if len(ruled) == 0 {
		return nil
	}
	return c.record(ctx, audit.ContainRuled, audit.Done, r.ID, r.Plan.Customer, r.Rule, map[string]string{"steps": strconv.Itoa(len(ruled)),
		"kinds": strings.Join(kinds, ", "), "hash": r.Hash})
}

// rule says which steps the rule approves at a moment, and the rule in words.
func (c *Containment) rule(p *Plan, now time.Time) (map[string]bool, string) {
	hours, err := readHours(c.d.Config.Hours)
	if err != nil || !within(hours, now) || len(c.d.Config.Rule) == 0 {
		return nil, ""
	}
	most, err := strconv.ParseFloat(first(c.d.Config.Money, "0"), 64)
	if err != nil {
		return nil, ""
	}
	out := map[string]bool{}
	for i := range p.Steps {
		s := &p.Steps[i]
		l := levers[s.Kind]
		if !slices.Contains(c.d.Config.Rule, string(s.Kind)) || !l.undo || l.danger {
			continue
		}
		if most > 0 && s.Kind.resource() && (s.PerHour <= 0 || s.PerHour > most) { // what is not known is not under a limit
			continue
		}
		out[s.ID] = true
	}
	return out, fmt.Sprintf("containRule: %s in %s, up to %s an hour", strings.Join(c.d.Config.Rule, ", "), c.d.Config.Hours, first(c.d.Config.Money,
		"any money"))
}

// again has failed steps of a run tried again.
func (c *Containment) again(ctx context.Context, r Run) (Run, error) {
	if r.State == Restoring || r.State == Stopped {
		return r, problem.New(problem.Conflict, "the plan %s was %s", r.ID, map[RunState]string{Restoring: "taken back", Stopped: "cancelled"}[r.State]).
			WithHint("make a new plan: partnerguard fraud contain %s --plan", print.Clean(r.Plan.Alert, 60))
	}
	a, err := c.approval(ctx, r.ID)
	if err != nil {
		return r, err
	}
	if a != nil && strings.EqualFold(a.Actor, c.d.Actor) {
		return r, errSame(c.d.Actor, "approved it, so that somebody else applies it")
	}
	err = c.retry(ctx, func(ctx context.Context) error {
		if r, err = c.trusted(ctx, r.ID); err != nil {
			return err
		}
		list, err := c.steps(ctx, r.ID)
		if err != nil {
			return err
		}
		n := 0
		for i := range list {
			x := &list[i]
			if x.State != Failed {
				continue
			}
			if err := c.d.Marks.Fits(ctx, stepBook, x.mark, x.values()...); err != nil {
				return err
			}
			x.to(Ready, c.now(), "")
			n++
			if err := c.updateStep(ctx, x, false); err != nil {
				return err
			}
		}
		if n == 0 && r.State == Over {
			return nil
		}
		if r.State == Over {
			r.State = Running
		}
		r.next = c.now()
		if err := c.updateRun(ctx, &r); err != nil || n == 0 {
			return err
		}
		return c.record(ctx, audit.ContainRetried, audit.Done, r.ID, r.Plan.Customer, "", map[string]string{"steps": strconv.Itoa(n)})
	})
	return r, err
}

func errSame(actor, why string) error {
	return problem.New(problem.Forbidden, "%s %s: it takes two people", actor,
		why).WithHint("another person does it: in the console on the page of the alert, or with another account of this machine")
}

// Approve is a second person's yes to exactly the steps of a run. Kind problem.Forbidden for the
// person who applied it.
func (c *Containment) Approve(ctx context.Context, run string) (Run, error) {
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
			return errSame(c.d.Actor, "applied the plan, and does not approve it too")
		case r.State != Waiting:
			return problem.New(problem.Conflict, "the plan %s is %s: there is nothing to approve", r.ID, r.State)
		case c.now().Sub(r.Plan.Made) > freshFor:
			return problem.New(problem.Conflict, "the plan was made at %s, and what runs changes", r.Plan.Made.UTC().Format(time.DateTime)).
				WithHint("partnerguard fraud contain cancel %s, and make it anew", r.ID)
		}
		a := Approval{Run: r.ID, Hash: r.Hash, Actor: c.d.Actor, At: c.now()}
		if err := c.insertApproval(ctx, &a); err != nil {
			return err
		}
		r.State, r.Why, r.Second, r.next = Running, "", a.Actor, a.At
		if err := c.updateRun(ctx, &r); err != nil {
			return err
		}
		r.Approved = &a
		return c.record(ctx, audit.ContainApproved, audit.Done, r.ID, r.Plan.Customer, "", map[string]string{"hash": r.Hash, "applied by": r.Actor})
	})
	return r, err
}

// Cancel has nothing more of a run begun. What Azure is at goes on to its end.
func (c *Containment) Cancel(ctx context.Context, run, reason string) (Run, error) {
	return c.turn(ctx, run, audit.ContainCancelled, reason, func(r *Run, list []Progress) error {
		if r.State != Waiting && r.State != Running {
			return problem.New(problem.Conflict, "the plan %s is %s: there is nothing to cancel", r.ID, r.State).
				WithHint("partnerguard fraud contain rollback %s takes back what was done", r.ID)
		}
		r.State, r.Why = Stopped, "cancelled by "+c.d.Actor
		for i := range list {
			if x := &list[i]; x.State == Ready {
				x.to(Left, c.now(), "cancelled before it began")
			}
		}
		return nil
	})
}

// Rollback takes back what can be taken back of what was done, and only what we did. What
// cannot be is said of each step.
func (c *Containment) Rollback(ctx context.Context, run, reason string) (Run, error) {
	return c.turn(ctx, run, audit.ContainRolledBack, reason, func(r *Run, list []Progress) error {
		if r.State == Restoring {
			return problem.New(problem.Conflict, "the plan %s is being taken back already", r.ID)
		}
		r.State, r.Why = Restoring, "taken back by "+c.d.Actor
		for i := range list {
			x := &list[i]
			l := levers[x.Step.Kind]
			switch {
			case x.State == Ready:
				x.to(Left, c.now(), "taken back before it began")
			case (x.State == Done || x.State == Going && !x.Asked.IsZero()) && l.undo, x.State == NotTaken:
				x.to(Undoing, c.now(), "")
			case x.State == Done:
				x.to(Stays, c.now(), "it cannot be taken back: "+l.how)
			}
		}
		return nil
	})
}

// to puts a step into another state.
func (p *Progress) to(s StepState, now time.Time, words string) {
	p.State, p.Since, p.Words = s, now, print.Clean(words, print.MaxSaying)
	p.Tries, p.Again, p.Failing, p.Next = 0, 0, time.Time{}, time.Time{}
}

// turn changes a run and its steps by somebody's will, whoever has the lease.
func (c *Containment) turn(ctx context.Context, run string, a audit.Action, reason string, change func(*Run, []Progress) error) (Run, error) {
	if c.d.Marks == nil {
		return Run{}, errNoVault()
	}
	var r Run
	err := c.retry(ctx, func(ctx context.Context) (err error) {
		if r, err = c.trusted(ctx, run); err != nil {
			return err
		}
		list, err := c.trustedSteps(ctx, &r)
		if err != nil {
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
		return c.record(ctx, a, audit.Done, r.ID, r.Plan.Customer, reason, nil)
	})
	return r, err
}

// retry runs do again when it lost a race.
func (c *Containment) retry(ctx context.Context, do func(context.Context) error) error {
	for try := range 12 {
		err := c.d.DB.InTx(ctx, do)
		if !errors.Is(err, errStale) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 25 * time.Millisecond):
		}
	}
	return problem.New(problem.Conflict, "the plan is being done by another process at this moment").WithHint("try again in a moment")
}
