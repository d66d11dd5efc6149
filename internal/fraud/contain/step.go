//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func itoa(n int) string { return strconv.Itoa(n) }

// outcome is what one look at a step came to.
type outcome struct {
	to    StepState // "" stays
	wait  time.Duration
	words string
	again bool // it is to be asked for again: one try is used up
}

func become(s StepState, f string, a ...any) outcome {
	return outcome{to: s, words: fmt.Sprintf(f, a...)}
}

func pause(d time.Duration, f string, a ...any) outcome {
	return outcome{wait: d, words: fmt.Sprintf(f, a...)}
}

// errTurned says that the run was cancelled or taken back meanwhile.
var errTurned = errors.New("the plan was turned round")

// step looks at one step once, and keeps what came of it.
func (t *turn) step(ctx context.Context, p *Progress) error {
	o, err := t.look(ctx, p)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errTurned), errors.Is(err, errStale):
		return errStale
	case err != nil:
		o = t.judge(p, err)
	default:
		p.Tries, p.Failing = 0, time.Time{}
	}
	return t.keep(ctx, p, o)
}

func (t *turn) look(ctx context.Context, p *Progress) (outcome, error) {
	if p.Op != "" {
		if o, over, err := t.operation(ctx, p); !over || err != nil {
			return o, err
		}
	}
	how, err := levers[p.Step.Kind].look(ctx, t.cloud, p)
	if err != nil {
		return outcome{}, err
	}
	switch p.State {
	case Ready:
		return t.ready(ctx, p, how)
	case Undoing:
		return t.undoing(ctx, p, how)
	}
	return t.going(p, how), nil
}

// operation asks how a long operation stands; over says that what is there decides.
func (t *turn) operation(ctx context.Context, p *Progress) (o outcome, over bool, err error) {
	op, err := t.cloud.ARM.Operation(ctx, p.Op)
	waited := t.c.now().Sub(p.Asked)
	switch {
	case absent(err): // it is forgotten
		p.Op = ""
		return o, true, nil
	case err != nil:
		return o, false, err
	case !op.Over() && waited > patience:
		p.Op = ""
		p.Words = "Azure said for " + patience.String() + " that it is at it"
		return o, true, nil
	case !op.Over():
		return pause(min(max(op.After, soon), time.Minute), "Azure is at it since %s", p.Asked.UTC().Format(time.TimeOnly)), false, nil
	}
	p.Op = ""
	if !strings.EqualFold(op.Status, "Succeeded") {
		p.Words = "Azure began it and failed" + by(op.Code, "")
	}
	return o, true, nil
}

// done is the end of a step that came to be as it should: by us, or it was so.
func done(p *Progress, how Standing) outcome {
	switch {
	case !p.Asked.IsZero() && p.Intent:
		return become(Done, "the answer was lost; it is as it should be")
	case !p.Asked.IsZero():
		return become(Done, "")
	case how == Gone:
		return become(Found, "it does not exist any more")
	}
	return become(Found, "it was so already")
}

func (t *turn) ready(ctx context.Context, p *Progress, how Standing) (outcome, error) {
	switch how {
	case After, Gone:
		return done(p, how), nil
	case Passing:
		return outcome{to: Going, wait: soon, words: "Azure is changing it"}, nil
	}
	if since, err := t.anew(ctx, &p.Step); err != nil {
		return outcome{}, err
	} else if since != "" {
		return become(Failed, "%s → make a new plan for it", since), nil
	}
	if err := t.cloud.guard(ctx, t.steps, &p.Step); err != nil {
		if passing(err) {
			return outcome{}, err
		}
		return become(Failed, "%s%s", err.Error(), hint(err)), nil
	}
	if err := t.ask(ctx, p, levers[p.Step.Kind].words, levers[p.Step.Kind].do); err != nil {
		return outcome{}, err
	}
	return outcome{to: Going, words: p.Words}, nil
}

// anew says that what has a machine's name now was made after the plan: it is another one, of
// which nobody said anything. "" it is the one.
func (t *turn) anew(ctx context.Context, s *Step) (string, error) {
	if s.Kind != StopMachine && s.Kind != StopSet {
		return "", nil
	}
	raw, err := t.cloud.ARM.Get(ctx, at(s.Target, versionCompute))
	var in struct {
		Properties struct {
			Created time.Time `json:"timeCreated"`
		} `json:"properties"`
	}
	switch {
	case absent(err):
		return "", nil
	case err != nil:
		return "", err
	case json.Unmarshal(raw, &in) != nil:
		return "", unreadable("a machine")
	}
	if made := in.Properties.Created; made.After(t.r.Plan.Made.Add(slack)) {
		return "it was made anew at " + made.UTC().Format(time.DateTime) + ", after the plan", nil
	}
	return "", nil
}

func hint(err error) string {
	if h := problem.HintOf(err); h != "" {
		return " → " + h
	}
	return ""
}

func (t *turn) going(p *Progress, how Standing) outcome {
	waited := t.c.now().Sub(p.Asked)
	limit := settling
	if p.Step.Kind == Cancel {
		limit = cancelled
	}
	switch {
	case how == After, how == Gone:
		return done(p, how)
	case p.Asked.IsZero() && how == Before && t.r.State != Stopped && t.r.State != Restoring: // somebody else began, and it is back
		return outcome{to: Ready}
	case how == Passing && t.c.now().Sub(p.Since) > endure:
		return become(Failed, "Azure has been changing it for more than a day")
	case how == Passing || waited < limit:
		return pause(soon, "%s", first(p.Words, "it was asked for; it does not show yet"))
	case t.r.State == Stopped:
		return become(Left, "it was asked for and did not come to be before the plan was cancelled")
	case t.r.State == Restoring:
		return become(Left, "it was asked for and did not come to be before the plan was taken back")
	case p.Again+1 >= mostTries:
		return become(Failed, "it was asked for %d times, and is still as it was%s", mostTries, after(p.Words))
	}
	return outcome{to: Ready, words: p.Words, again: true}
}

func after(words string) string {
	if words == "" {
		return ""
	}
	return ": " + words
}

func (t *turn) undoing(ctx context.Context, p *Progress, how Standing) (outcome, error) {
	switch how {
	case Before:
		return become(Undone, "it is as it was before"), nil
	case Gone:
		return become(NotTaken, "it does not exist any more"), nil
	case Passing:
		return pause(soon, "Azure is changing it"), nil
	}
	if !p.Intent && p.Asked.After(p.Since) && t.c.now().Sub(p.Asked) < settling {
		return pause(soon, "it was asked for; it does not show yet"), nil
	}
	if p.Again >= mostTries {
		return become(NotTaken, "it was asked for %d times, and is not as it was%s", mostTries, after(p.Words)), nil
	}
	if since, err := t.anew(ctx, &p.Step); err != nil {
		return outcome{}, err
	} else if since != "" {
		return become(NotTaken, "%s: it is not the one that was stopped", since), nil
	}
	if err := t.ask(ctx, p, "take back: "+levers[p.Step.Kind].words, levers[p.Step.Kind].back); err != nil {
		return outcome{}, err
	}
	return outcome{wait: time.Second, words: p.Words, again: true}, nil
}

// passing says that the same may work later by itself.
func passing(err error) bool {
	e, ok := errors.AsType[*msapi.APIError](err)
	return ok && e.Transient || errors.Is(err, problem.Unavailable)
}

// judge says what becomes of a step after a failure.
func (t *turn) judge(p *Progress, err error) outcome {
	if p.Tries++; p.Failing.IsZero() {
		p.Failing = t.c.now()
	}
	not := Failed
	if p.State == Undoing {
		not = NotTaken
	}
	words := err.Error()
	e, ok := errors.AsType[*msapi.APIError](err)
	switch {
	case t.c.now().Sub(p.Failing) > endure:
		return become(not, "it did not go on for a day: %s", words)
	case ok && e.Transient:
		return pause(max(e.RetryAfter, backoff(p.Tries)), "%s", words)
	case !ok && errors.Is(err, problem.Unavailable):
		return pause(backoff(p.Tries), "%s", words)
	case !ok:
		return become(not, "%s%s", words, hint(err))
	case strings.EqualFold(e.Code, "ScopeLocked"):
		return become(not, "a lock of the customer's forbids it → take the lock away in the portal, then apply the plan again")
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		call := first(p.Step.Call, t.cloud.Contact, "an administrator of the customer")
		return become(not, "%s: it needs %s → call %s, or give us the right and apply the plan again", words, p.Step.Right, call)
	case (e.Status == http.StatusConflict || e.Status == http.StatusPreconditionFailed) && p.Tries < 12:
		return pause(backoff(p.Tries), "something else is changing it: %s", words) // what is there decides
	}
	return become(not, "%s%s", words, hint(err))
}

// backoff is how long to wait after so many failures in a row.
func backoff(tries int) time.Duration { return min(5*time.Second<<min(max(tries-1, 0), 8), later10) }

// keep writes an outcome down.
func (t *turn) keep(ctx context.Context, p *Progress, o outcome) error {
	now := t.c.now()
	if o.to != "" && o.to != p.State && !p.State.may(o.to) {
		return problem.New(problem.Internal, "a step that is %s cannot become %s", p.State, o.to)
	}
	then := *p
	then.Words, then.Next = print.Clean(o.words, print.MaxSaying), now.Add(o.wait)
	if o.again {
		then.Again++
	}
	if o.to != "" && o.to != p.State {
		then.State, then.Since = o.to, now
	}
	if then.State.Ended() {
		then.Next, then.Op, then.Intent, then.Failing = time.Time{}, "", false, time.Time{}
	}
	return t.c.d.DB.InTx(ctx, func(ctx context.Context) error {
		y := then // what is undone is begun anew
		if err := t.c.updateStep(ctx, &y, true); err != nil {
			return err
		}
		if y.State == Failed || y.State == NotTaken {
			if err := t.c.record(ctx, audit.ContainFailed, audit.Failed, t.r.ID, t.r.Plan.Customer, y.Words, y.details()); err != nil {
				return err
			}
		}
		*p = y
		return nil
	})
}

func (p *Progress) details() map[string]string {
	return map[string]string{"step": p.Step.ID, "kind": string(p.Step.Kind), "target": print.Clean(p.Step.Target, 300)}
}

// ask asks Microsoft for one change: written down before, and again with the answer.
func (t *turn) ask(ctx context.Context, p *Progress, words string, call func(context.Context, *Cloud, *Step) (string, error)) error {
	c := t.c
	a := Act{Run: p.Run, Seq: p.Seq, N: p.Acts + 1, What: print.Clean(words+" "+first(p.Step.Name, p.Step.Target), print.MaxSaying), Asked: c.now()}
	then := *p
	then.Acts, then.Asked, then.Intent, then.Op = a.N, a.Asked, true, ""
	err := c.d.DB.InTx(ctx, func(ctx context.Context) error {
		y := then
		r, err := c.trusted(ctx, p.Run)
		switch {
		case err != nil:
			return err
		case !(&turn{c: c, r: r}).allowed(p):
			return errTurned
		}
		if err := c.insertAct(ctx, &a); err != nil {
			return err
		}
		if err := c.updateStep(ctx, &y, true); err != nil {
			return err
		}
		details := y.details()
		details["act"] = a.What
		if err := c.record(ctx, audit.ContainAsked, audit.Done, t.r.ID, t.r.Plan.Customer, "", details); err != nil {
			return err
		}
		*p = y
		return nil
	})
	if err != nil {
		return err
	}
	c.d.at(ctx, "asked: "+string(p.Step.Kind))
	op, failure := call(ctx, t.cloud, &p.Step)
	c.d.at(ctx, "answered: "+string(p.Step.Kind))
	outcome := audit.Done
	a.Answered, a.Result = c.now(), "done"
	then = *p
	e, api := errors.AsType[*msapi.APIError](failure)
	switch {
	case failure == nil:
		then.Intent, then.Op = false, op
	case api && (!e.Transient || e.Status == http.StatusTooManyRequests): // it was not done
		outcome, a.Result, a.Words = audit.Failed, "refused", failure.Error()
		if then.Intent = false; then.Acts == 1 {
			then.Asked = time.Time{}
		}
	default:
		outcome, a.Result, a.Words = audit.Failed, "unknown", failure.Error()
	}
	ctx = context.WithoutCancel(ctx) // the answer is there: it is kept
	err = c.d.DB.InTx(ctx, func(ctx context.Context) error {
		y := then
		if err := c.answerAct(ctx, &a); err != nil {
			return err
		}
		if err := c.updateStep(ctx, &y, true); err != nil {
			return err
		}
		details := y.details()
		details["act"], details["result"] = a.What, a.Result
		if err := c.record(ctx, audit.ContainChanged, outcome, t.r.ID, t.r.Plan.Customer, a.Words, details); err != nil {
			return err
		}
		*p = y
		return nil
	})
	if err != nil {
		return err
	}
	c.d.at(ctx, "kept: "+string(p.Step.Kind))
	return failure
}
