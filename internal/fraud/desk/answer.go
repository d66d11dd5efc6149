//go:build !judge

package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/fraud"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// leaseFor is how long a process has an answer without a word.
const leaseFor = 3 * time.Minute

// Answer queues the answer to exactly one alert, named as by [Desk.Get]; it is sent once, when
// Microsoft's interface is there. It records an answer and stops nothing. Kind problem.Usage
// for a reason that is none; problem.Conflict where the alert is answered already, by whomever.
func (d *Desk) Answer(ctx context.Context, id string, reason fraud.Reason, actor string) error {
	if !slices.Contains(fraud.Reasons(), reason) {
		return problem.New(problem.Usage, "%.40q is no reason", string(reason)).WithHint("legitimate, fraud or ignore")
	}
	if d.d.Marks == nil {
		return errNoVault()
	}
	c, err := d.Get(ctx, id)
	if err != nil {
		return err
	}
	if c.Refused != "" {
		return problem.New(problem.Conflict, "the alert %s cannot be answered: %s", c.ID, c.Refused).WithHint("partnerguard fraud list --read reads it anew")
	}
	if !c.Open() {
		return problem.New(problem.Conflict, "the alert %s is resolved already: %s%s", c.ID, cmp.Or(string(c.Reason), "no reason is shown"), by(&c.Alert)).
			WithHint("nothing was sent; what was answered there can be changed in Partner Center alone")
	}
	last, err := d.lasts(ctx)
	if err != nil {
		return err
	}
	return d.d.DB.InTx(ctx, func(ctx context.Context) error {
		r, err := d.replyOf(ctx, c.ID)
		if err != nil {
			return err
		}
		if r.version > 0 && r.state != Failed && !(r.state == Sent || r.state == Other) {
			return problem.New(problem.Conflict, "the alert %s has an answer that waits to be sent: %s, by %s", c.ID, r.body.Reason, r.body.By).
				WithHint("partnerguard fraud show %s", c.ID)
		}
		was := r.version
		r.holder = ""
		if r.version, err = next(last, "answer", c.ID, was); err != nil {
			return err
		}
		r.state, r.next = Queued, d.now()
		r.body = replyBody{Reason: reason, By: print.Clean(actor, print.MaxName), At: d.now(), About: about{GraphID: c.GraphID, EventID: c.EventID, Type: c.Type,
			Customer: c.Customer, Subscription: c.Subscription, Detected: c.Detected}}
		if err := d.putReply(ctx, &r, was); errors.Is(err, errStale) {
			return problem.New(problem.Conflict, "the alert %s was answered by another process at this moment", c.ID).WithHint("partnerguard fraud show %s", c.ID)
		} else if err != nil {
			return err
		}
		return d.said(ctx, &r, audit.FraudAnswered, audit.Done, actor, "")
	})
}

func by(a *fraud.Alert) string {
	if a.ResolvedBy == "" {
		return ""
	}
	return ", by " + print.Clean(a.ResolvedBy, print.MaxName)
}

// said records what became of an answer, with the version of its row.
func (d *Desk) said(ctx context.Context, r *reply, a audit.Action, o audit.Outcome, actor, words string) error {
	return d.record(ctx, a, o, actor, r.alert, r.body.About.Customer, words, map[string]string{"row": rowOf("answer", r.version), "reason": string(r.body.Reason)})
}

// step writes an answer's next state, with its event.
func (d *Desk) step(ctx context.Context, r *reply, s AnswerState, a audit.Action, o audit.Outcome, words string) error {
	last, err := d.lasts(ctx)
	if err != nil {
		return err
	}
	was := *r
	err = d.d.DB.InTx(ctx, func(ctx context.Context) (err error) {
		r.state, r.body.Why = s, print.Clean(words, print.MaxSaying)
		if r.version, err = next(last, "answer", r.alert, was.version); err != nil {
			return err
		}
		if err := d.putReply(ctx, r, was.version); err != nil {
			return err
		}
		return d.said(ctx, r, a, o, "", words)
	})
	if err != nil {
		*r = was
	}
	return err
}

// Send sends the answer to an alert that is queued, and looks first whether it is answered.
// It may be called as often as one likes. An error is a passing one; what Microsoft refuses is
// kept with the answer.
func (d *Desk) Send(ctx context.Context, id string) error {
	if d.d.Marks == nil {
		return errNoVault()
	}
	now := d.now()
	if err := d.lease(ctx, id, now, now.Add(leaseFor)); errors.Is(err, errStale) {
		return nil // another process does it, or there is none
	} else if err != nil {
		return err
	}
	defer func() { _ = d.release(context.WithoutCancel(ctx), id) }()
	r, err := d.replyOf(ctx, id)
	if err != nil || r.version == 0 {
		return err
	}
	if err := d.d.Marks.Fits(ctx, answerBook, r.mark, r.values()...); err != nil {
		return errors.Join(err, d.later(ctx, id, now.Add(time.Hour)))
	}
	if err := d.standing(ctx, "answer", id, r.version); err != nil {
		return errors.Join(err, d.later(ctx, id, now.Add(time.Hour)))
	}
	if r.state != Queued && r.state != Asked {
		return nil
	}
	err = d.send(ctx, &r)
	if err == nil || errors.Is(err, errStale) {
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	return errors.Join(err, d.again(ctx, &r, err))
}

// send looks, and sends what is not answered.
func (d *Desk) send(ctx context.Context, r *reply) error {
	if d.d.Cloud == nil {
		return problem.New(problem.Unavailable, "there is no way to Microsoft").WithHint("partnerguard connect makes a connection")
	}
	cloud, err := d.d.Cloud(ctx)
	if err != nil {
		return err
	}
	x := r.body.About
	ask := fraud.Alert{ID: r.alert, GraphID: x.GraphID, EventID: x.EventID, Subscription: x.Subscription, Customer: x.Customer}
	is, err := cloud.Alert(ctx, &ask)
	switch {
	case errors.Is(err, problem.NotFound):
		return d.settle(ctx, r, Failed, audit.FraudFailed, audit.Refused, "Microsoft lists no such alert any more")
	case refused(err):
		return d.settle(ctx, r, Failed, audit.FraudFailed, audit.Refused, words(err))
	case err != nil:
		return err
	}
	if why := x.differs(&is); why != "" {
		return d.settle(ctx, r, Failed, audit.FraudFailed, audit.Refused, "it is not the alert that was answered: "+why)
	}
	if !is.Open() {
		return d.found(ctx, r, &is)
	}
	d.d.at(ctx, "looked")
	if r.state != Asked {
		if err := d.step(ctx, r, Asked, audit.FraudAsked, audit.Done, ""); err != nil {
			return err
		}
	}
	d.d.at(ctx, "asked")
	if err := cloud.Resolve(ctx, &ask, r.body.Reason); refused(err) {
		return d.settle(ctx, r, Failed, audit.FraudFailed, audit.Refused, words(err))
	} else if err != nil {
		return err
	}
	d.d.at(ctx, "answered")
	return d.settle(ctx, r, Sent, audit.FraudSent, audit.Done, "")
}

// found is an alert that is resolved when it is looked at: by ourselves before the reply was
// lost, or by somebody else meanwhile.
func (d *Desk) found(ctx context.Context, r *reply, is *fraud.Alert) error {
	when := ""
	if !is.ResolvedAt.IsZero() {
		when = " at " + is.ResolvedAt.UTC().Format("2006-01-02 15:04 UTC")
	}
	switch {
	case is.Reason == r.body.Reason && r.state == Asked:
		return d.settle(ctx, r, Sent, audit.FraudSent, audit.Done, "Microsoft had it when it was looked for"+by(is)+when)
	case is.Reason == r.body.Reason:
		return d.settle(ctx, r, Sent, audit.FraudSent, audit.Done, "it was resolved the same way meanwhile"+by(is)+when+"; nothing was sent")
	}
	return d.settle(ctx, r, Other, audit.FraudOther, audit.Refused, fmt.Sprintf("it was resolved as %s meanwhile%s%s; nothing was overwritten",
		cmp.Or(string(is.Reason), "something that is not shown"), by(is), when))
}

func (d *Desk) settle(ctx context.Context, r *reply, s AnswerState, a audit.Action, o audit.Outcome, words string) error {
	was := r.body.Settled
	r.body.Settled = d.now()
	if err := d.step(ctx, r, s, a, o, words); err != nil {
		r.body.Settled = was
		return err
	}
	return nil
}

// again puts an answer off after a passing failure: later each time, a quarter of an hour at
// most, for as long as it takes.
func (d *Desk) again(ctx context.Context, r *reply, why error) error {
	last, err := d.lasts(ctx)
	if err != nil {
		return err
	}
	wait := min(15*time.Second<<min(r.body.Tries, 6), 15*time.Minute)
	r.body.Tries++
	was := *r
	return d.d.DB.InTx(ctx, func(ctx context.Context) (err error) {
		r.next, r.body.Why = d.now().Add(wait), words(why)
		if r.version, err = next(last, "answer", r.alert, was.version); err != nil {
			return err
		}
		if err := d.putReply(ctx, r, was.version); err != nil {
			return err
		}
		return d.said(ctx, r, audit.FraudAsked, audit.Failed, "", r.body.Why)
	})
}

// differs says what of an alert is not as the person saw it who answered; "" all of it is.
func (x *about) differs(is *fraud.Alert) string {
	pairs := [][3]string{{"customer", x.Customer, is.Customer}, {"subscription", x.Subscription, is.Subscription}}
	if (x.GraphID == "") == (is.GraphID == "") { // the two interfaces have names of their own
		pairs = append(pairs, [3]string{"type", x.Type, is.Type})
	}
	for _, p := range pairs {
		if p[1] != "" && p[2] != "" && !strings.EqualFold(p[1], p[2]) {
			return fmt.Sprintf("its %s was %s and is %s", p[0], print.Clean(p[1], 80), print.Clean(p[2], 80))
		}
	}
	return ""
}

// refused says that the same again would be refused again.
func refused(err error) bool {
	return err != nil && (errors.Is(err, errRefused) || errors.Is(err, problem.Usage) || errors.Is(err, problem.Forbidden))
}

// errRefused says that Microsoft refuses; it is wrapped with its words.
var errRefused = errors.New("refused by Microsoft")

// words are an error with what can be done, for the row and the trail.
func words(err error) string {
	s := err.Error()
	if p, is := errors.AsType[*problem.Error](err); is {
		s = p.Public
		if h := problem.HintOf(err); h != "" {
			s += "; " + h
		}
	}
	return print.Clean(s, print.MaxSaying)
}
