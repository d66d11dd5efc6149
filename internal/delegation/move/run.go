//go:build !judge

package move

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// How long is waited for what.
const (
	soon     = 30 * time.Second // for something that takes seconds
	later    = 10 * time.Minute
	hourly   = time.Hour
	patience = 24 * time.Hour     // for something that should have ended: then somebody has to look
	endure   = 3 * 24 * time.Hour // passing failures without an end
	mostTurn = 40                 // changes of state and looks in one turn
	mostMade = 3                  // offers to a customer that does not answer
)

// outcome is what one look at a move came to.
type outcome struct {
	to   State         // the next state; "" stays
	wait time.Duration // looked at again after
	why  string        // what is waited for, or why somebody has to look
	hold bool
	stop string // the whole plan stops, and why
	// settles is set while the same thing is waited for that takes seconds.
	settles bool
	// within is done in the transaction that keeps the outcome.
	within func(context.Context) error
}

func goOn(to State) outcome { return outcome{to: to} }
func wait(d time.Duration, f string, a ...any) outcome {
	return outcome{wait: d, why: fmt.Sprintf(f, a...)}
}
func hold(f string, a ...any) outcome { return outcome{hold: true, why: fmt.Sprintf(f, a...)} }

// work is one turn at one move.
type work struct {
	m     *Mover
	run   *Run
	x     *Move
	c     *Customer
	cloud Cloud
}

// errStopped says that the plan was stopped while a move of it was being done.
var errStopped = errors.New("the plan is stopped")

// Do takes one move as far as it goes now, and gives when to look at it again: the zero time
// is not by itself. A move that another process has is left alone. Every change is written
// down before it is asked for, and again with its answer, so that whoever comes after a
// process that died goes on where it was.
func (m *Mover) Do(ctx context.Context, plan, customer string) (next time.Time, err error) {
	if m.d.Marks == nil {
		return next, errNoVault()
	}
	now := m.now()
	switch err := m.lease(ctx, plan, customer, now, now.Add(leaseFor)); {
	case errors.Is(err, errStale):
		return now.Add(soon), nil
	case err != nil:
		return next, err
	}
	defer func() {
		if e := m.release(context.WithoutCancel(ctx), plan, customer); err == nil {
			err = e
		}
	}()
	m.d.at(ctx, "lease taken")
	run, x, err := m.standing(ctx, plan, customer)
	if err != nil {
		return next, err
	}
	w := &work{m: m, run: &run, x: &x, c: &x.wish}
	next, err = w.turn(ctx)
	if errors.Is(err, errStale) { // somebody turned it round in this moment
		return m.now().Add(soon), nil
	}
	return next, err
}

// takesBack says that a state takes back what was done: also of a plan that is stopped.
func (s State) takesBack() bool { return s == Cancelling || s == Restoring || s == Retracting }

func (w *work) turn(ctx context.Context) (time.Time, error) {
	x := w.x
	if x.State.Ended() || x.State == Held || w.run.State != Running && !x.State.takesBack() || x.State == Waiting && x.Stage > w.run.Stage {
		return time.Time{}, w.sleep(ctx)
	}
	var err error
	if w.m.d.Cloud == nil {
		err = problem.New(problem.Unavailable, "there is no way to Microsoft here")
	} else {
		w.cloud, err = w.m.d.Cloud(ctx, w.run.Plan.Tenant)
	}
	if err != nil {
		return w.keep(ctx, wait(later, "%s", err.Error()))
	}
	for range mostTurn {
		before := x.State
		o, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return time.Time{}, ctx.Err()
		case errors.Is(err, errStopped):
			return time.Time{}, w.sleep(ctx)
		case errors.Is(err, errStale):
			return time.Time{}, err
		case err != nil:
			o = w.judge(err)
			o.settles = true // a failure between two looks ends no waiting
		default:
			x.Progress.Tries = 0
		}
		next, err := w.keep(ctx, o)
		if err != nil || x.State.Ended() || x.State == Held || x.State == before && (o.wait > 0 || o.to != "") {
			return next, err
		}
		if x.State != before {
			w.m.d.at(ctx, "now "+string(x.State))
		}
	}
	return w.keep(ctx, wait(soon, "it goes on in a moment"))
}

// look does what a state does.
func (w *work) look(ctx context.Context) (outcome, error) {
	switch w.x.State {
	case Waiting:
		return goOn(Checking), nil
	case Checking:
		return w.checking(ctx)
	case Creating:
		return w.creating(ctx)
	case Locking:
		return w.locking(ctx)
	case Inviting:
		return w.inviting(ctx)
	case Assigning:
		return w.assigning(ctx)
	case Probing:
		return w.probing(ctx, false)
	case Easing:
		return w.easing(ctx)
	case Proving:
		return w.probing(ctx, true)
	case Ending:
		return w.ending(ctx)
	case Removing:
		return w.removing(ctx)
	case Cancelling:
		return w.retracting(ctx, Cancelled)
	case Restoring:
		return w.restoring(ctx)
	case Retracting:
		return w.retracting(ctx, RolledBack)
	}
	return outcome{}, problem.New(problem.Internal, "a move is in the state %q, which nothing leaves", string(w.x.State))
}

// judge says what becomes of a move after a failure.
func (w *work) judge(err error) outcome {
	x := w.x
	if x.Progress.Tries++; x.Progress.Tries == 1 {
		x.Progress.Failing = w.m.now()
	}
	words := err.Error()
	e, ok := errors.AsType[*msapi.APIError](err)
	if w.m.now().Sub(x.Progress.Failing) > endure {
		return hold("it did not go on for days: %s", words)
	}
	switch {
	case !ok:
		return wait(backoff(x.Progress.Tries), "%s", words)
	case e.Transient:
		return wait(max(e.RetryAfter, backoff(x.Progress.Tries)), "%s", words)
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return outcome{wait: later, why: words, stop: "Microsoft does not let this account change delegation any more: " + words}
	case e.Status == http.StatusConflict, e.Status == http.StatusPreconditionFailed:
		// It may be done already, or somebody changed it: what is there is read, and decides.
		if x.Progress.Tries > 20 {
			return hold("Microsoft refuses it again and again, and what is there does not say why: %s", words)
		}
		return wait(time.Duration(x.Progress.Tries-1)*soon, "%s", words)
	}
	return hold("%s", words)
}

// backoff is how long to wait after so many failures in a row.
func backoff(tries int) time.Duration { return min(soon<<min(max(tries-1, 0), 8), hourly) }

// sleep has a move looked at by nobody until somebody does something.
func (w *work) sleep(ctx context.Context) error {
	if w.x.Next.IsZero() {
		return nil
	}
	w.x.Next, w.x.holder = time.Time{}, w.m.id
	return w.m.updateMove(ctx, w.x)
}

// keep writes an outcome down.
func (w *work) keep(ctx context.Context, o outcome) (time.Time, error) {
	x, now := w.x, w.m.now()
	x.holder = w.m.id
	to := o.to
	if o.hold {
		to = Held
	}
	if to != "" && to != x.State && !x.State.may(to) {
		return time.Time{}, problem.New(problem.Internal, "a move that is %s cannot become %s", x.State, to)
	}
	was := x.State
	then := *x
	then.Why, then.Next = print.Clean(o.why, print.MaxSaying), now.Add(o.wait)
	if !o.settles {
		then.Progress.Settling = time.Time{}
	}
	if to != "" && to != was {
		if to == Held {
			then.Progress.HeldIn = was
		}
		then.State, then.Since, then.Progress.Tries, then.Progress.Failing = to, now, 0, time.Time{}
	}
	if then.State.Ended() || then.State == Held {
		then.Next = time.Time{}
	}
	err := w.m.d.DB.InTx(ctx, func(ctx context.Context) error {
		y := then // what is undone is begun anew
		if o.within != nil {
			if err := o.within(ctx); err != nil {
				return err
			}
		}
		err := w.m.updateMove(ctx, &y)
		if err == nil && to == Held {
			err = w.m.record(ctx, audit.DelegationHeld, audit.Failed, w.m.d.Actor, x.Plan, x.Customer, o.why, map[string]string{"state": string(was)})
		}
		if err == nil && o.stop != "" {
			err = w.m.stop(ctx, x.Plan, o.stop)
		}
		if err == nil {
			*x = y
		}
		return err
	})
	return x.Next, err
}

// stop has nothing of a plan changed until somebody looked.
func (m *Mover) stop(ctx context.Context, plan, why string) error {
	r, err := m.trusted(ctx, plan)
	if err != nil || r.State != Running {
		return err
	}
	r.State, r.Why = Stopped, print.Clean(why, print.MaxSaying)
	if err := m.updateRun(ctx, &r); err != nil {
		return err
	}
	return m.record(ctx, audit.DelegationStopped, audit.Done, m.d.Actor, plan, "", why, nil)
}

// ask asks Microsoft for one change: written down before, and again with the answer. call
// may change the move's progress, which is kept with the answer.
func (w *work) ask(ctx context.Context, act string, call func(context.Context) error) error {
	x, m := w.x, w.m
	x.holder = m.id
	before := *x
	s := Step{Plan: x.Plan, Customer: x.Customer, Seq: x.Progress.Steps + 1, State: x.State, Act: act, Asked: m.now()}
	err := m.d.DB.InTx(ctx, func(ctx context.Context) error {
		*x = before
		if r, err := m.trusted(ctx, x.Plan); err != nil {
			return err
		} else if r.State != Running && !x.State.takesBack() {
			return errStopped
		}
		x.Progress.Steps++
		x.Progress.Intent = act
		if err := m.insertStep(ctx, &s); err != nil {
			return err
		}
		if err := m.updateMove(ctx, x); err != nil {
			return err
		}
		return m.record(ctx, audit.DelegationAsked, audit.Done, m.d.Actor, x.Plan, x.Customer, "", map[string]string{"act": act})
	})
	if err != nil {
		*x = before
		return err
	}
	m.d.at(ctx, "asked: "+string(x.State))
	failure := call(ctx)
	m.d.at(ctx, "answered: "+string(x.State))
	outcome := audit.Done
	s.Answered, s.Result = m.now(), "done"
	e, api := errors.AsType[*msapi.APIError](failure)
	switch {
	case failure == nil:
		x.Progress.Intent = ""
	case api && !e.Transient, api && e.Status == http.StatusTooManyRequests: // it was not done
		outcome, s.Result, s.Words, x.Progress.Intent = audit.Failed, "refused", failure.Error(), ""
	default:
		outcome, s.Result, s.Words = audit.Failed, "unknown", failure.Error()
	}
	ctx = context.WithoutCancel(ctx) // the answer is there: it is kept
	answered := *x
	err = m.d.DB.InTx(ctx, func(ctx context.Context) error {
		*x = answered
		if err := m.answerStep(ctx, &s); err != nil {
			return err
		}
		if err := m.updateMove(ctx, x); err != nil {
			return err
		}
		return m.record(ctx, audit.DelegationChanged, outcome, m.d.Actor, x.Plan, x.Customer, s.Words, map[string]string{"act": act, "result": s.Result})
	})
	if err != nil {
		return err
	}
	m.d.at(ctx, "kept: "+string(x.State))
	return failure
}
