package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// attempt tries a message once, and writes down what came of it.
func (q *Queue) attempt(ctx context.Context, id string) error {
	it, err := q.row(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it was sent a moment ago
	}
	if err == nil {
		err = q.d.Vault.Fits(ctx, itemBook, it.mark, it.values()...)
	}
	if err != nil {
		q.layAside(id, time.Hour)
		return err
	}
	if q.d.Now().Before(it.Next) {
		return nil
	}
	if q.d.Sender == nil {
		q.layAside(id, time.Hour)
		return nil
	}
	to := it.waiting()
	if wait := q.allowed(it.Mailbox, len(to)); wait > 0 {
		q.layAside(id, wait)
		return nil
	}
	q.count(func(c *Counts) { c.Tries++ })
	replies, err := q.d.Sender.Send(ctx, &upstream.Message{Mailbox: it.Mailbox, From: it.Sender, To: to, Size: it.Size,
		Body: func() (io.ReadCloser, error) { return q.body(ctx, &it) },
		Ending: func() error {
			it.state = stateEnding
			return q.update(ctx, &it)
		}})
	if ctx.Err() != nil && err != nil && it.state != stateEnding {
		return nil // we end; nothing was sent, and nothing is to be written down
	}
	// What came of it is written down whatever happens: a database that is away for a
	// moment must not make two of one message.
	return q.settle(ctx, &it, to, replies, err)
}

func (it *Item) waiting() (to []string) {
	for _, r := range it.Recipients {
		if r.State == Waiting {
			to = append(to, r.To)
		}
	}
	return to
}

// settle takes what came of a try, and writes it down.
func (q *Queue) settle(ctx context.Context, it *Item, to []string, replies []upstream.Reply, err error) error {
	f, _ := errors.AsType[*upstream.Failure](err)
	o := outcome{doubtful: f != nil && f.Doubtful}
	o.gone = err != nil && (f == nil || !f.Token) &&
		(errors.Is(err, problem.NotFound) || errors.Is(err, vault.ErrDamaged) || errors.Is(err, problem.BadInput))
	switch {
	case err == nil:
		o.sent, o.lost = it.answered(to, replies)
	case f != nil && f.Final():
		o.lost = it.fail(func(Recipient) string { return f.Reply.String() })
	default:
		it.Reason = upstream.Clean(reasonOf(err))
	}
	it.state = stateWaiting
	it.Tries++
	now := q.d.Now()
	if !o.doubtful && now.Sub(it.Made) >= q.d.Rules.GiveUp {
		o.lost += it.fail(func(r Recipient) string {
			if r.Reply != "" {
				return r.Reply
			}
			return "4.4.7 not delivered within " + q.d.Rules.GiveUp.String() + ": " + it.Reason
		})
	}
	it.Next = now.Add(q.d.Retry(it.Tries)).UTC().Truncate(time.Microsecond)
	return q.insist(ctx, it, o)
}

// outcome is what came of a try.
type outcome struct {
	doubtful, gone bool
	sent, lost     int // recipients
}

// fail gives up the recipients that wait, and says how many.
func (it *Item) fail(why func(Recipient) string) (n int) {
	for i := range it.Recipients {
		if r := &it.Recipients[i]; r.State == Waiting {
			r.State, r.Reply = Failed, why(*r)
			n++
		}
	}
	return n
}

// insist writes an outcome down until it is written. When the program ends it goes on
// for some seconds; then the row says ending, and the message is doubtful at the start.
func (q *Queue) insist(ctx context.Context, it *Item, o outcome) (err error) {
	lasting, left := context.WithoutCancel(ctx), 10*time.Second
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		switch {
		case o.gone:
			err = q.lost(lasting, it, "it cannot be read")
		case o.doubtful:
			err = q.doubt(lasting, it, "no answer came to the end of the message")
		default:
			err = q.write(lasting, it, o.lost)
		}
		switch {
		case err == nil:
			q.count(func(c *Counts) { c.Sent += int64(o.sent); c.Failed += int64(o.lost) })
			return nil
		case errors.Is(err, problem.Limit) && o.lost > 0:
			// There is no room for a notice: whom it would be about waits on.
			for i := range it.Recipients {
				if r := &it.Recipients[i]; r.State == Failed {
					r.State = Waiting
				}
			}
			o.lost = 0
		case !errors.Is(err, problem.Unavailable):
			q.layAside(it.ID, time.Hour)
			return err
		}
		if ctx.Err() != nil {
			if left -= pause; left < 0 {
				return err
			}
		}
		time.Sleep(pause)
	}
}

func reasonOf(err error) string {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		if f, ok := errors.AsType[*upstream.Failure](err); ok && f.Reply.Code != 0 {
			return f.Error()
		}
		return p.Error()
	}
	return err.Error()
}

// answered takes the server's answers.
func (it *Item) answered(to []string, replies []upstream.Reply) (sent, lost int) {
	by := map[string]upstream.Reply{}
	for i := range min(len(to), len(replies)) {
		by[to[i]] = replies[i]
	}
	for i := range it.Recipients {
		r := &it.Recipients[i]
		reply, ok := by[r.To]
		if r.State != Waiting || !ok {
			continue
		}
		switch {
		case reply.OK():
			r.State, r.Reply = Sent, ""
			sent++
		case reply.Final():
			r.State, r.Reply = Failed, reply.String()
			lost++
		default:
			r.Reply, it.Reason = reply.String(), reply.String()
		}
	}
	return sent, lost
}

// write keeps what is left of a message, or takes it away where nothing is; and lets
// its sender know of the recipients that failed just now.
func (q *Queue) write(ctx context.Context, it *Item, lost int) error {
	done := len(it.waiting()) == 0
	keep := func(ctx context.Context) error {
		if done {
			return errors.Join(q.remove(ctx, it.ID), q.d.Vault.Delete(ctx, ref(it.ID)))
		}
		return q.update(ctx, it)
	}
	var err error
	switch {
	case lost > 0 && !it.Bounce:
		err = q.bounce(ctx, it, keep)
	case lost > 0:
		err = q.d.DB.InTx(ctx, func(ctx context.Context) error {
			e := q.event(it, audit.BridgeLost, audit.Failed, "nobody could be told that a message was not sent: "+it.Recipients[0].Reply)
			return errors.Join(keep(ctx), q.d.Trail.Record(ctx, e))
		})
	default:
		err = q.d.DB.InTx(ctx, keep)
	}
	if err == nil && done {
		q.forget(it)
	}
	return err
}

// forget takes a message's file away.
func (q *Queue) forget(it *Item) {
	if err := os.Remove(filepath.Join(q.d.Folder, it.ID+whole)); err != nil && !errors.Is(err, os.ErrNotExist) {
		q.d.Log.Warn("a sent message's file stays; it opens no more", "id", it.ID, "err", err)
	}
	q.hold(-1, -it.Size)
}

func (q *Queue) event(it *Item, a audit.Action, o audit.Outcome, reason string) audit.Event {
	return audit.Event{At: q.d.Now().UTC().Truncate(time.Microsecond), Action: a, Outcome: o, Actor: "system:bridge", Object: it.ID,
		Reason: upstream.Clean(reason), Details: map[string]string{"device": it.Device, "mailbox": it.Mailbox, "messageId": upstream.Clean(it.MessageID),
			"tries": strconv.Itoa(it.Tries)}}
}

// doubt keeps a message that the server may have: it is sent again, and the trail says so.
func (q *Queue) doubt(ctx context.Context, it *Item, why string) error {
	it.state = stateWaiting
	it.Doubts++
	it.Reason = why
	if it.Next.Before(q.d.Now()) {
		it.Next = q.d.Now().Add(q.d.Retry(max(it.Tries, 1))).UTC().Truncate(time.Microsecond)
	}
	err := q.d.DB.InTx(ctx, func(ctx context.Context) error {
		e := q.event(it, audit.BridgeDoubtful, audit.Failed, why+": the server may have the message, and it is sent again")
		e.Details["recipients"] = strconv.Itoa(len(it.waiting()))
		return errors.Join(q.update(ctx, it), q.d.Trail.Record(ctx, e))
	})
	if err == nil {
		q.count(func(c *Counts) { c.Doubtful++ })
		q.d.Log.WarnContext(ctx, "a message may have been sent, and is sent again", "id", it.ID, "why", why)
	}
	return err
}

// lost gives up a message that is gone, and tells whom it may concern.
func (q *Queue) lost(ctx context.Context, it *Item, why string) error {
	it.fail(func(Recipient) string { return "5.3.0 the bridge lost the message: " + why })
	keep := func(ctx context.Context) error {
		e := q.event(it, audit.BridgeLost, audit.Failed, "a message that was taken is lost: "+why)
		return errors.Join(q.remove(ctx, it.ID), q.d.Vault.Delete(ctx, ref(it.ID)), q.d.Trail.Record(ctx, e))
	}
	var err error
	if it.Bounce {
		err = q.d.DB.InTx(ctx, keep)
	} else {
		err = q.bounce(ctx, it, keep)
	}
	if err == nil {
		_ = os.Remove(filepath.Join(q.d.Folder, it.ID+whole))
		q.d.Log.ErrorContext(ctx, "a message is lost", "id", it.ID, "why", why)
	}
	return err
}

// List gives what waits, of all places: whose row is not as it was written is named in
// the error, which does not hide the others.
func (q *Queue) List(ctx context.Context) ([]Item, error) {
	items, err := q.rows(ctx, "")
	if err != nil {
		return nil, err
	}
	out := items[:0]
	var bad error
	for i := range items {
		if err := q.d.Vault.Fits(ctx, itemBook, items[i].mark, items[i].values()...); errors.Is(err, vault.ErrForged) {
			bad = errors.Join(bad, err)
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, items[i])
	}
	return out, bad
}

// Waits gives what waits, as List does, without a queue that is open.
func Waits(ctx context.Context, d *db.DB, v *vault.Vault) ([]Item, error) {
	return (&Queue{d: Deps{DB: d, Vault: v}}).List(ctx)
}

// String names a message in a few words.
func (it *Item) String() string { return fmt.Sprintf("%s of %s", it.ID, it.Mailbox) }
