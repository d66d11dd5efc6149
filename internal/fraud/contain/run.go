//go:build !judge

package contain

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
)

// How long is waited for what.
const (
	leaseFor  = 6 * time.Minute
	soon      = 10 * time.Second
	later10   = 10 * time.Minute
	parallel  = 8                // steps at a time
	patience  = 30 * time.Minute // for a long operation of Azure's, before what is there decides
	settling  = 3 * time.Minute  // until a change shows, before it is asked for again
	cancelled = time.Hour        // until a cancelled subscription shows it
	endure    = 24 * time.Hour   // passing failures without an end
	mostTries = 3                // how often the same is asked for when it does not come to be
	mostTurn  = 400              // rounds in one turn
)

// trusted reads a run and holds it, and its approval, to their marks.
func (c *Containment) trusted(ctx context.Context, id string) (Run, error) {
	if c.d.Marks == nil {
		return Run{}, errNoVault()
	}
	r, err := c.run(ctx, id)
	if err != nil {
		return r, err
	}
	if err := c.d.Marks.Fits(ctx, runBook, r.mark, r.values()...); err != nil {
		return r, err
	}
	if r.Approved, err = c.approval(ctx, id); err != nil {
		return r, err
	}
	if words := r.approvalWords(); words != "" {
		return r, problem.New(problem.Conflict, "%s: %s", r.ID, words).WithHint("look at the trail, and at who writes the database")
	}
	if r.Approved == nil {
		return r, nil
	}
	if err := c.d.Marks.Fits(ctx, approvalBook, r.Approved.mark, r.Approved.values()...); err != nil {
		return r, err
	}
	return r, nil
}

// approvalWords says what is wrong with a run's approval, "" nothing.
func (r *Run) approvalWords() string {
	switch a := r.Approved; {
	case a == nil && r.Second != "":
		return "its approval is gone"
	case a != nil && a.Actor != r.Second:
		return "its approval is of somebody else"
	case a != nil && (a.Hash != r.Hash || strings.EqualFold(a.Actor, r.Actor)):
		return "its approval is of other steps, or by who applied it"
	}
	return ""
}

// trustedSteps reads the steps of a run and holds them to their marks, and to what was
// approved.
func (c *Containment) trustedSteps(ctx context.Context, r *Run) ([]Progress, error) {
	list, err := c.steps(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	p := Plan{ID: r.Plan.ID}
	for i := range list {
		if err := c.d.Marks.Fits(ctx, stepBook, list[i].mark, list[i].values()...); err != nil {
			return nil, err
		}
		p.Steps = append(p.Steps, list[i].Step)
	}
	if p.stepsHash() != r.Hash {
		return nil, problem.New(problem.Conflict, "the steps of %s are not those that were applied",
			r.ID).WithHint("look at the trail, and at who writes the database")
	}
	return list, nil
}

// standing reads a run with its steps, and holds it to what the trail says last: whoever puts
// older rows back has no cancelled plan go on, and nothing done that nobody approved.
func (c *Containment) standing(ctx context.Context, id string) (r Run, list []Progress, err error) {
	for range 2 { // somebody may turn it round between the two readings
		if r, err = c.trusted(ctx, id); err != nil {
			return r, nil, err
		}
		if list, err = c.trustedSteps(ctx, &r); err != nil {
			return r, nil, err
		}
		if err = c.later(ctx, &r, list); err == nil {
			return r, list, nil
		}
	}
	return r, list, err
}

// later says that the trail knows of something else than the rows. Kind problem.Conflict.
func (c *Containment) later(ctx context.Context, r *Run, list []Progress) error {
	if c.d.Last == nil {
		return nil
	}
	last, err := c.d.Last(ctx)
	if err != nil {
		return err
	}
	words := ""
	what := last(r.ID, "")
	ruled := slices.ContainsFunc(list, func(p Progress) bool { return p.ByRule })
	switch {
	case what == audit.ContainOver && r.State != Over, what == audit.ContainCancelled && r.State != Stopped,
		what == audit.ContainRolledBack && r.State != Restoring && r.State != Over:
		words = "the trail says last of it: " + string(what)
	case r.Approved != nil && last(r.ID, "approval") != audit.ContainApproved:
		words = "an approval is there, and the trail knows of none"
	case ruled && last(r.ID, "rule") != audit.ContainRuled:
		words = "a rule is said to approve steps, and the trail knows of none"
	default:
		return nil
	}
	return problem.New(problem.Conflict, "the plan %s is %s in the database: %s", r.ID, r.State, words).
		WithHint("somebody put an older row back: look at the trail, and restore a backup")
}

// turn is one turn at one run.
type turn struct {
	c     *Containment
	r     Run
	list  []Progress
	cloud *Cloud
	steps []Step // those of list, which steps that go on side by side may read
}

// Do takes one run as far as it goes now, and gives when to look at it again: the zero time
// is not by itself. A run that another process has is left alone. Every change is written
// down before it is asked for, and again with its answer, so that whoever comes after a
// process that died goes on where it was.
func (c *Containment) Do(ctx context.Context, id string) (next time.Time, err error) {
	if c.d.Marks == nil {
		return next, errNoVault()
	}
	now := c.now()
	switch err := c.lease(ctx, id, now, now.Add(leaseFor)); {
	case errors.Is(err, errStale):
		return now.Add(soon), nil
	case err != nil:
		return next, err
	}
	defer func() {
		if e := c.release(context.WithoutCancel(ctx), id); err == nil {
			err = e
		}
	}()
	c.d.at(ctx, "lease taken")
	t := &turn{c: c}
	if t.r, t.list, err = c.standing(ctx, id); err != nil {
		return next, err
	}
	next, err = t.rounds(ctx, now.Add(leaseFor/2))
	if errors.Is(err, errStale) { // somebody turned it round in this moment
		return c.now().Add(time.Second), nil
	}
	if err == nil {
		err = c.sleep(ctx, id, next)
	}
	return next, err
}

// rounds does rounds until nothing is due, or until a moment, so that a lease does not run out
// under a step.
func (t *turn) rounds(ctx context.Context, until time.Time) (time.Time, error) {
	if t.r.State == Over {
		return time.Time{}, nil
	}
	if !t.pending() {
		return t.end(ctx)
	}
	if t.r.State == Waiting && !slices.ContainsFunc(t.list, func(p Progress) bool { return p.ByRule && !p.State.Ended() }) {
		return time.Time{}, nil
	}
	var err error
	if t.c.d.Cloud == nil {
		err = problem.New(problem.Unavailable, "there is no way to Microsoft here")
	} else {
		t.cloud, err = t.c.d.Cloud(ctx, t.r.Plan.Connection, t.r.Plan.Customer)
	}
	if err == nil && !strings.EqualFold(t.cloud.Self.Tenant, t.r.Plan.Partner) {
		err = problem.New(problem.Conflict, "the plan is of the partner %s, and the connection %s of %s", t.r.Plan.Partner, t.cloud.Self.Connection,
			t.cloud.Self.Tenant)
	}
	if err != nil {
		return t.c.now().Add(soon), t.note(ctx, err.Error())
	}
	for range mostTurn {
		due := t.due()
		if len(due) == 0 || t.c.now().After(until) {
			break
		}
		if err := t.round(ctx, due); err != nil {
			return time.Time{}, err
		}
	}
	if !t.pending() {
		return t.end(ctx)
	}
	return t.next(), nil
}

// note keeps why a run does not go on.
func (t *turn) note(ctx context.Context, why string) error {
	if t.r.Why == why {
		return nil
	}
	t.r.Why = why
	return t.c.updateRun(ctx, &t.r)
}

// allowed says that a step may be done in what state the run is.
func (t *turn) allowed(p *Progress) bool {
	switch {
	case p.State.Ended():
		return false
	case t.r.State == Restoring:
		return p.State == Undoing || p.State == Going
	case t.r.State == Stopped:
		return p.State == Going // which Azure is at
	}
	return p.ByRule || t.r.Approved != nil
}

// pending says that something is left that is done by itself.
func (t *turn) pending() bool {
	return slices.ContainsFunc(t.list, func(p Progress) bool { return t.allowed(&p) || t.r.State == Waiting && !p.State.Ended() })
}

// due are the steps to look at now. A later phase begins when all that is allowed of the ones
// before it was asked for, or does not get through: nobody goes on mining because a directory
// does not answer.
func (t *turn) due() (out []*Progress) {
	now := t.c.now()
	phase := 0
	for i := range t.list {
		p := &t.list[i]
		if p.State == Ready && t.allowed(p) && p.Tries < 2 && (phase == 0 || p.Step.Phase < phase) {
			phase = p.Step.Phase
		}
	}
	for i := range t.list {
		p := &t.list[i]
		if !t.allowed(p) || p.Next.After(now) || p.State == Ready && phase > 0 && p.Step.Phase > phase {
			continue
		}
		if out = append(out, p); len(out) == parallel {
			break
		}
	}
	if t.r.State == Restoring { // the other way round
		slices.Reverse(out)
	}
	return out
}

// next is when the next step is due.
func (t *turn) next() (out time.Time) {
	for i := range t.list {
		p := &t.list[i]
		if !t.allowed(p) {
			continue
		}
		at := p.Next
		if now := t.c.now(); at.Before(now) {
			at = now.Add(time.Second)
		}
		if out.IsZero() || at.Before(out) {
			out = at
		}
	}
	return out
}

// round looks at steps side by side.
func (t *turn) round(ctx context.Context, due []*Progress) error {
	t.steps = make([]Step, len(t.list))
	for i := range t.list {
		t.steps[i] = t.list[i].Step
	}
	errs := make([]error, len(due))
	var wg sync.WaitGroup
	for i, p := range due {
		wg.Go(func() { errs[i] = t.step(ctx, p) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// end closes a run whose steps all ended: after a look at what runs now.
func (t *turn) end(ctx context.Context) (time.Time, error) {
	c, r := t.c, &t.r
	if r.State == Stopped || r.State == Over {
		return time.Time{}, nil
	}
	if r.State == Running {
		v, err := t.verify(ctx)
		if err != nil {
			return c.now().Add(soon), t.note(ctx, err.Error())
		}
		r.Verified = v
	}
	counts := map[string]string{}
	for s, n := range count(t.list) {
		counts[string(s)] = itoa(n)
	}
	r.State, r.Why, r.next = Over, "", time.Time{}
	err := c.d.DB.InTx(ctx, func(ctx context.Context) error {
		y := *r
		if err := c.updateRun(ctx, &y); err != nil {
			return err
		}
		if r.Verified != nil {
			counts["running all the same"], counts["new since the plan"] = itoa(len(r.Verified.Running)), itoa(len(r.Verified.New))
		}
		err := c.record(ctx, audit.ContainOver, audit.Done, r.ID, r.Plan.Customer, "", counts)
		if err == nil {
			t.r = y
		}
		return err
	})
	return time.Time{}, err
}
