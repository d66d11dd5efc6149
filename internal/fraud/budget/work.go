//go:build !judge

package budget

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// How long is waited for what.
const (
	soon     = 20 * time.Second
	hourly   = time.Hour
	endure   = 2 * 24 * time.Hour // passing failures without an end
	mostTry  = 20                 // answers that say one thing while what is there says another
	mostTurn = 6                  // looks in one turn
)

// outcome is what one look at an item came to: the zero State has it looked at again, at
// once or after wait.
type outcome struct {
	to   State
	wait time.Duration
	why  string
}

func ends(to State, format string, args ...any) outcome {
	return outcome{to: to, why: fmt.Sprintf(format, args...)}
}

// work is one turn at one item.
type work struct {
	b     *Budgets
	x     *Item
	t     target
	cloud Cloud
}

// do takes one item as far as it goes now, and gives when to look at it again: the zero time
// is not by itself. What another process has is left alone. What is there is read before
// anything is written; every change is written down before it is asked for, and again with
// its answer, so that whoever comes after a process that died goes on where it was.
func (b *Budgets) do(ctx context.Context, k key) (next time.Time, err error) {
	if b.d.Marks == nil {
		return next, errNoVault()
	}
	now := b.now()
	switch err := b.lease(ctx, k, now, now.Add(leaseFor)); {
	case errors.Is(err, errStale):
		return now.Add(soon), nil
	case err != nil:
		return next, err
	}
	defer func() {
		if e := b.release(context.WithoutCancel(ctx), k); err == nil {
			err = e
		}
	}()
	b.d.at(ctx, "lease taken")
	run, err := b.trusted(ctx, k.Plan)
	if err != nil {
		return next, err
	}
	x, err := b.trustedItem(ctx, k)
	if err != nil {
		return next, err
	}
	x.holder = b.id
	w := &work{b: b, x: &x}
	next, err = w.turn(ctx, &run)
	if errors.Is(err, errStale) { // somebody turned it round in this moment
		return b.now().Add(soon), nil
	}
	return next, err
}

func (w *work) turn(ctx context.Context, run *Run) (time.Time, error) {
	x := w.x
	switch {
	case !x.State.Works():
		return time.Time{}, w.sleep(ctx)
	case x.State == Waiting && run.State == Back && x.prog.Set == nil: // the rollback did not reach it
		return time.Time{}, w.keep(ctx, ends(Dropped, "the plan was taken back before it was set"))
	case x.State == Waiting && run.State == Back:
		if err := w.keep(ctx, ends(Restoring, "the plan is taken back")); err != nil {
			return time.Time{}, err
		}
	}
	var err error
	if w.b.d.Cloud == nil {
		err = problem.New(problem.Unavailable, "there is no way to Microsoft here")
	} else {
		w.cloud, err = w.b.d.Cloud(ctx, run.Plan.Tenant)
	}
	if err != nil {
		return x.Next, w.keep(ctx, outcome{wait: 10 * time.Minute, why: err.Error()})
	}
	w.t = targetOf(w.cloud, x)
	for range mostTurn {
		look := w.setting
		if x.State == Restoring {
			look = w.restoring
		}
		o, err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return time.Time{}, ctx.Err()
		case errors.Is(err, errStale):
			return time.Time{}, err
		case err != nil:
			o = w.judge(err)
		case o.to != "":
			x.prog.Tries = 0
		}
		if o.to == "" && o.wait == 0 {
			continue
		}
		err = w.keep(ctx, o)
		return x.Next, err
	}
	err = w.keep(ctx, outcome{wait: soon, why: "Microsoft took it, and does not show it yet"})
	return x.Next, err
}

// setting has a budget become what it shall be.
func (w *work) setting(ctx context.Context) (outcome, error) {
	x := w.x
	now, etag, err := w.t.look(ctx)
	if err != nil {
		return outcome{}, err
	}
	asked := x.prog.Set != nil
	was, replace := w.t.was()
	there := !now.None && now.Amount > 0
	switch {
	case w.t.fits(now) && asked:
		return ends(Done, "it was %s", x.prog.Before.said(x.Currency)), nil
	case w.t.fits(now):
		return ends(Found, "it was so already"), nil
	case asked && !alike(now, *x.prog.Before):
		return ends(Held, "somebody else set %s in this moment, and it was left", now.said(x.Currency)), nil
	case there && !replace:
		return ends(Held, "a budget of %s is there, and was left; a plan made with --replace changes it", now.said(x.Currency)), nil
	case there && !asked && was == WasNone:
		return ends(Held, "there was none when the plan was made, and now there is %s: make a plan anew", now.said(x.Currency)), nil
	}
	if v, ok := was.amount(); ok && there && !asked && !same(v, now.Amount) {
		return ends(Held, "it was %s when the plan was made, and is %s now: make a plan anew", was, now.said(x.Currency)), nil
	}
	if x.prog.Steps >= mostTry {
		return ends(Failed, "Microsoft took it again and again, and does not show it"), nil
	}
	set, steps := w.t.want(now), x.prog.Steps
	x.prog.Before, x.prog.Set = &now, &set
	err = w.ask(ctx, "set to "+set.said(x.Currency), func(ctx context.Context) error { return w.t.write(ctx, set, etag) })
	if x.prog.Steps == steps { // it was not asked for
		x.prog.Before, x.prog.Set = nil, nil
	}
	return outcome{}, err
}

// restoring puts back what was there, where what we set is there still.
func (w *work) restoring(ctx context.Context) (outcome, error) {
	x := w.x
	if x.prog.Before == nil || x.prog.Set == nil {
		return ends(Left, "nothing of it was written"), nil
	}
	now, etag, err := w.t.look(ctx)
	if err != nil {
		return outcome{}, err
	}
	switch before := *x.prog.Before; {
	case alike(now, before):
		return ends(Restored, "it is %s again", before.said(x.Currency)), nil
	case !w.t.fits(now):
		return ends(Left, "somebody changed it since: it is %s, and was left", now.said(x.Currency)), nil
	case x.prog.Steps >= 2*mostTry:
		return ends(Failed, "Microsoft took it again and again, and does not show it"), nil
	default:
		return outcome{}, w.ask(ctx, "put back to "+before.said(x.Currency), func(ctx context.Context) error { return w.t.write(ctx, before, etag) })
	}
}

// judge says what becomes of an item after a failure.
func (w *work) judge(err error) outcome {
	x := w.x
	if x.prog.Tries++; x.prog.Tries == 1 {
		x.prog.Failing = w.b.now()
	}
	words := err.Error()
	if w.b.now().Sub(x.prog.Failing) > endure {
		return ends(Failed, "it did not go on for days: %s", words)
	}
	if e, ok := errors.AsType[*msapi.TokenError](err); ok && !e.Transient {
		return ends(Refused, "no token for that customer: %s. %s", words, problem.HintOf(err))
	}
	e, ok := errors.AsType[*msapi.APIError](err)
	switch {
	case !ok && (errors.Is(err, problem.Usage) || errors.Is(err, problem.Forbidden) || errors.Is(err, problem.BadInput) || errors.Is(err, problem.NotFound)):
		return ends(Refused, "%s. %s", words, problem.HintOf(err))
	case !ok:
		return outcome{wait: backoff(x.prog.Tries), why: words}
	case e.Transient:
		return outcome{wait: max(e.RetryAfter, backoff(x.prog.Tries)), why: words}
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden, e.Status == http.StatusNotFound:
		return ends(Refused, "%s. %s", words, w.t.right())
	case e.Status == http.StatusConflict, e.Status == http.StatusPreconditionFailed: // what is there is read again, and decides
		if x.prog.Tries > mostTry {
			return ends(Failed, "Microsoft refuses it again and again: %s", words)
		}
		return outcome{wait: soon, why: words}
	}
	return ends(Failed, "%s", words)
}

// backoff is how long to wait after so many failures in a row.
func backoff(tries int) time.Duration { return min(soon<<min(max(tries-1, 0), 8), hourly) }

// sleep has an item looked at by nobody until somebody does something.
func (w *work) sleep(ctx context.Context) error {
	if w.x.Next.IsZero() {
		return nil
	}
	w.x.Next = time.Time{}
	return w.b.updateItem(ctx, w.x)
}

// keep writes an outcome down.
func (w *work) keep(ctx context.Context, o outcome) error {
	x, now := w.x, w.b.now()
	was, then := x.State, *x
	if o.to == "" {
		then.Why, then.Next = o.why, now.Add(o.wait)
	} else {
		if !was.may(o.to) {
			return problem.New(problem.Internal, "a budget that is %s cannot become %s", was, o.to)
		}
		then.turn(o.to, o.why, now)
	}
	return w.b.d.DB.InTx(ctx, func(ctx context.Context) error {
		y := then // what is undone is begun anew
		err := w.b.updateItem(ctx, &y)
		if err == nil && (o.to == Refused || o.to == Failed || o.to == Held || o.to == Left) {
			err = w.b.record(ctx, audit.BudgetRefused, audit.Failed, x.Plan, x.Customer, o.why, map[string]string{"what": x.What, "state": string(o.to)})
		}
		if err == nil {
			*x = y
		}
		return err
	})
}

// ask asks Microsoft for one change: written down before, and again with the answer.
func (w *work) ask(ctx context.Context, act string, call func(context.Context) error) error {
	x, b := w.x, w.b
	before := *x
	s := Step{Plan: x.Plan, Customer: x.Customer, What: x.What, Seq: x.prog.Steps + 1, Act: act, Asked: b.now()}
	words := map[string]string{"what": x.What, "act": act}
	err := b.d.DB.InTx(ctx, func(ctx context.Context) error {
		*x = before
		if r, err := b.trusted(ctx, x.Plan); err != nil {
			return err
		} else if r.State == Back && x.State == Waiting {
			return errStale // it is taken back in this moment
		}
		x.prog.Steps++
		x.prog.Intent = act
		if err := b.insertStep(ctx, &s); err != nil {
			return err
		}
		if err := b.updateItem(ctx, x); err != nil {
			return err
		}
		return b.record(ctx, audit.BudgetAsked, audit.Done, x.Plan, x.Customer, "", words)
	})
	if err != nil {
		*x = before
		return err
	}
	b.d.at(ctx, "asked: "+string(x.State))
	failure := call(ctx)
	b.d.at(ctx, "answered: "+string(x.State))
	result := audit.Done
	s.Answered, s.Result = b.now(), "done"
	e, api := errors.AsType[*msapi.APIError](failure)
	switch {
	case failure == nil:
		x.prog.Intent = ""
	case api && !e.Transient, api && e.Status == http.StatusTooManyRequests: // it was not done
		result, s.Result, s.Words, x.prog.Intent = audit.Failed, "refused", failure.Error(), ""
		if x.State == Waiting {
			x.prog.Before, x.prog.Set = nil, nil
		}
	default:
		result, s.Result, s.Words = audit.Failed, "unknown", failure.Error()
	}
	words["result"] = s.Result
	ctx = context.WithoutCancel(ctx) // the answer is there: it is kept
	answered := *x
	err = b.d.DB.InTx(ctx, func(ctx context.Context) error {
		*x = answered
		if err := b.answerStep(ctx, &s); err != nil {
			return err
		}
		if err := b.updateItem(ctx, x); err != nil {
			return err
		}
		return b.record(ctx, audit.BudgetChanged, result, x.Plan, x.Customer, s.Words, words)
	})
	if err != nil {
		return err
	}
	b.d.at(ctx, "kept: "+string(x.State))
	return failure
}
