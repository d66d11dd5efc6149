package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
)

// Kinds of this room's jobs.
const (
	jobSend  = "notify-send"
	jobSweep = "notify-sweep"
)

// delivered is what a job is about.
type delivered struct {
	Message string `json:"message"`
	Channel string `json:"channel"`
}

const (
	sweepEvery = time.Minute
	sweepLimit = 500
	keepFor    = 90 * 24 * time.Hour // messages and their attempts
)

// waits are how long after each failed attempt the next one is: over a day together.
// The last failure makes a dead letter.
var waits = []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour}

// Jobs has messages delivered. A channel that cannot be opened is an error: a template
// or a file that is wrong is found at the start.
func (o *Outbox) Jobs(q *jobs.Queue) error {
	for _, name := range o.Names() {
		if err := o.broken[name]; err != nil {
			return err
		}
	}
	q.Handle(jobSend, func(ctx context.Context, j jobs.Job) error {
		var d delivered
		if err := j.Read(&d); err != nil {
			return err
		}
		wait, err := o.deliver(ctx, d.Message, d.Channel)
		if err == nil && wait > 0 {
			return jobs.Later(wait)
		}
		return err
	})
	q.Handle(jobSweep, func(ctx context.Context, _ jobs.Job) error { return o.sweep(ctx) })
	q.Every(sweepEvery, jobSweep, nil)
	o.q.Store(q)
	return nil
}

// enqueue adds a delivery's job, where there is a queue: else the sweep of the process
// that works does.
func (o *Outbox) enqueue(ctx context.Context, message, channel string) error {
	q := o.q.Load()
	if q == nil {
		return nil
	}
	_, err := q.Add(ctx, jobSend, delivered{message, channel}, jobs.Add{Unique: true})
	return err
}

// sweep adds the jobs of what waits and has none: a job is unique, so one that is there
// stays. It also forgets what is old.
func (o *Outbox) sweep(ctx context.Context) error {
	list, err := o.due(ctx, o.now(), sweepLimit)
	if err != nil {
		return err
	}
	for i := range list {
		if err := o.enqueue(ctx, list[i].message, list[i].channel); err != nil {
			return err
		}
	}
	return o.forgetBefore(ctx, o.now().Add(-keepFor))
}

// deliver tries a delivery once, and says after how long it is to be tried again; 0 is
// that it is over. Whoever dies before the end is written down leaves an attempt that
// only began, and the message goes out again.
func (o *Outbox) deliver(ctx context.Context, message, channel string) (time.Duration, error) {
	d, err := o.delivery(ctx, message, channel)
	if errors.Is(err, problem.NotFound) {
		return 0, nil // it was forgotten
	}
	if err != nil || d.state != waiting {
		return 0, err
	}
	m, err := o.message(ctx, message)
	if err != nil {
		return 0, err
	}
	a, f := o.attempt(ctx, m, channel, func() (int, error) { return o.begin(ctx, message, channel) })
	if a == nil {
		return 0, f
	}
	return o.settle(context.WithoutCancel(ctx), &d, a, f)
}

// attempt sends once. begin writes down that it begins and gives its number; a nil
// attempt is that this could not be.
func (o *Outbox) attempt(ctx context.Context, m *Message, channel string, begin func() (int, error)) (*Attempt, error) {
	n, err := begin()
	if err != nil {
		return nil, err
	}
	a := &Attempt{N: n, Began: o.now(), Outcome: "sent"}
	start := time.Now()
	c, err := o.channel(channel)
	var answer Answer
	if err != nil {
		err = &Failure{Last: true, err: err}
	} else {
		within, stop := context.WithTimeout(ctx, 30*time.Second)
		answer, err = c.Send(within, m)
		stop()
	}
	a.Took, a.Status = time.Since(start).Round(time.Millisecond), answer.Status
	if err != nil {
		f := failure(err)
		a.Outcome, a.Status, a.Words, a.Fix = "failed", f.Status, f.Error(), problem.HintOf(f.err)
		return a, f
	}
	return a, nil
}

// settle writes down how an attempt ended, and what becomes of the delivery.
func (o *Outbox) settle(ctx context.Context, d *deliveryRow, a *Attempt, err error) (wait time.Duration, _ error) {
	return wait, o.d.DB.InTx(ctx, func(ctx context.Context) error {
		if err := o.end(ctx, d.message, d.channel, a); err != nil {
			return err
		}
		row := *d
		row.tries++
		wait = 0
		f, failed := errors.AsType[*Failure](err)
		switch {
		case !failed:
			row.state = sent
		case f.Last || row.tries > len(o.waits):
			row.state = dead
			o.d.Log.WarnContext(ctx, "a message was given up", "message", d.message, "channel", d.channel, "tries", row.tries, "because", a.Words, "do", a.Fix)
			if o.d.Record != nil {
				if err := o.d.Record.Record(ctx, audit.Event{At: o.now(), Action: audit.NotifyGivenUp, Outcome: audit.Failed, Actor: "system:notify",
					Object: d.message, Reason: a.Words, Details: map[string]string{"channel": d.channel, "tries": fmt.Sprint(row.tries)}}); err != nil {
					return err
				}
			}
		default:
			wait = max(o.waits[row.tries-1], f.After)
			row.due = o.now().Add(wait)
		}
		return o.updateDelivery(ctx, &row)
	})
}

// Tested is what came of a test over one channel.
type Tested struct {
	Channel string   `json:"channel"`
	Kind    string   `json:"kind"`
	Where   string   `json:"where,omitempty"`
	Message string   `json:"message"`
	OK      bool     `json:"ok"`
	Attempt *Attempt `json:"attempt,omitempty"`
}

// Test sends a marked message over a channel, once and now, and tells what came of it. It
// is in the history; nothing of it is tried again.
func (o *Outbox) Test(ctx context.Context, channel string, severity Severity) (Tested, error) {
	m := Sample(severity, o.now())
	m.Link = o.d.Base + "/alerts"
	m.Clean(o.d.Base)
	t := Tested{Channel: channel, Message: m.ID}
	for i := range o.d.Config.Channels {
		if o.d.Config.Channels[i].Name == channel {
			t.Kind = o.d.Config.Channels[i].Kind()
		}
	}
	if t.Kind == "" {
		_, err := o.channel(channel)
		return t, err
	}
	if c, err := o.channel(channel); err == nil {
		t.Where = c.Where()
	}
	a, f := o.attempt(ctx, m, channel, func() (n int, err error) {
		err = o.d.DB.InTx(ctx, func(ctx context.Context) error {
			if _, err := o.insertMessage(ctx, m); err != nil {
				return err
			}
			// Not one that waits: nothing sends a test by itself.
			if err := o.insertDelivery(ctx, m.ID, channel, sent, o.now()); err != nil {
				return err
			}
			n, err = o.begin(ctx, m.ID, channel)
			return err
		})
		return n, err
	})
	if a == nil {
		return t, f
	}
	t.Attempt, t.OK = a, f == nil
	err := o.d.DB.InTx(context.WithoutCancel(ctx), func(ctx context.Context) error {
		if err := o.end(ctx, m.ID, channel, a); err != nil {
			return err
		}
		row := deliveryRow{message: m.ID, channel: channel, state: sent, tries: 1, due: o.now()}
		if !t.OK {
			row.state = dead
		}
		return o.updateDelivery(ctx, &row)
	})
	return t, err
}
