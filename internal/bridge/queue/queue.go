package queue

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"partnerguard/internal/audit"
	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Sender sends; *upstream.Upstream does.
type Sender interface {
	Send(ctx context.Context, m *upstream.Message) ([]upstream.Reply, error)
}

// Deps is everything a Queue needs.
type Deps struct {
	DB     *db.DB         // required
	Vault  *vault.Vault   // required
	Trail  audit.Recorder // required
	Sender Sender         // nil takes and sends nothing: to look
	Folder string         // of the messages; required. One process has it at a time
	Name   string         // of the bridge, in notices
	Owner  string         // who is told too of what could not be sent
	Rules  bridge.QueueRules
	Limits bridge.Limits
	Now    func() time.Time // required
	Log    *slog.Logger     // nil discards
	// Retry is how long a message waits after so many tries; nil is a minute, doubled to
	// an hour.
	Retry func(tries int) time.Duration
	// Grace is how long Run lets go on what is being sent when its context ends; 0 is 15 s.
	Grace time.Duration
	// Free is how many bytes the disk of a folder has left; nil does not look.
	Free func(folder string) (free uint64, ok bool)
}

// The states of a recipient.
const (
	Waiting = "waiting"
	Sent    = "sent"
	Failed  = "failed" // just now: its sender is being told
	Told    = "told"   // it failed, and its sender was told
)

// Recipient is one of a message's.
type Recipient struct {
	To    string `json:"to"`
	State string `json:"state"`
	Reply string `json:"reply,omitempty"` // the server's, cleaned
}

// Item is a message that waits.
type Item struct {
	ID         string      `json:"id"`
	Place      string      `json:"place"`
	Device     string      `json:"device"`
	Mailbox    string      `json:"mailbox"`
	Sender     string      `json:"sender"`
	Recipients []Recipient `json:"recipients"`
	MessageID  string      `json:"messageId"`
	Size       int64       `json:"size"`
	Made       time.Time   `json:"made"`
	Next       time.Time   `json:"next"`
	Tries      int         `json:"tries"`
	Bounce     bool        `json:"bounce"` // a notice of ours
	Doubts     int         `json:"doubts"`
	Reason     string      `json:"reason,omitempty"`

	state string
	mark  []byte
}

// The states of an Item's row.
const (
	stateWaiting = "waiting"
	stateEnding  = "ending" // its end was sent, or was about to be, and no answer is known
)

// Queue is the queue of one place. Safe for concurrent use.
type Queue struct {
	d     Deps
	place string
	wake  chan struct{}

	giveBack func() error

	mu    sync.Mutex // guards what follows
	busy  map[string]bool
	skip  map[string]time.Time // messages that cannot be worked, until then, by the monotonic clock
	rates map[string]*rate.Limiter
	days  map[string]*day
	held  held
	sent  Counts
}

// held is what is on the disk.
type held struct {
	messages int
	bytes    int64
}

// day is how many recipients a mailbox had since a moment.
type day struct {
	since time.Time
	n     int
}

// Counts are what became of messages since the start, recipients each.
type Counts struct {
	Taken, Sent, Failed, Tries, Doubtful int64
}

// Of the work.
const (
	workers  = 4
	maxRates = 4000
	look     = time.Second
)

// Open opens the queue of a folder: what a crash left half done is made whole, and what
// was lost is told. Close gives the folder back. Kind problem.Conflict where another
// process has it.
func Open(ctx context.Context, d Deps) (_ *Queue, err error) {
	if d.DB == nil || d.Vault == nil || d.Trail == nil || d.Now == nil || d.Folder == "" {
		return nil, errors.New("queue: DB, Vault, Trail, Folder and Now are required")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Grace <= 0 {
		d.Grace = 15 * time.Second
	}
	if d.Retry == nil {
		d.Retry = patience
	}
	q := &Queue{d: d, wake: make(chan struct{}, 1), busy: map[string]bool{}, skip: map[string]time.Time{}, rates: map[string]*rate.Limiter{},
		days: map[string]*day{}}
	if q.place, err = openPlace(d.Folder); err != nil {
		return nil, err
	}
	if q.giveBack, err = db.Hold(filepath.Join(d.Folder, "queue"), "the mail bridge", d.Now()); err != nil {
		return nil, problem.Wrap(err, problem.Conflict, "another process has the queue in %s", d.Folder).
			WithHint("one bridge works a queue: stop that one; --data names another folder")
	}
	if err := q.recover(ctx); err != nil {
		return nil, errors.Join(err, q.Close())
	}
	return q, nil
}

// Close gives the folder back, after Run has ended.
func (q *Queue) Close() error { return q.giveBack() }

// patience is a minute, doubled with each try to an hour.
func patience(tries int) time.Duration { return min(time.Minute<<min(max(tries-1, 0), 10), time.Hour) }

// Run sends what is due until ctx ends, and waits for what it is at, for as long as the
// grace lasts; then that is cut off.
func (q *Queue) Run(ctx context.Context) {
	var group sync.WaitGroup
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(q.d.Grace, cut) })()
	slots := make(chan struct{}, workers)
	tick := time.NewTicker(look)
	defer tick.Stop()
	defer group.Wait()
	for {
		ids, err := q.due(ctx, q.d.Now(), 4*workers+q.aside())
		if err != nil && ctx.Err() == nil {
			q.d.Log.ErrorContext(ctx, "the queue cannot be read", "err", err)
		}
		for _, id := range ids {
			if !q.claim(id) {
				continue
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				q.release(id)
				return
			}
			group.Go(func() {
				defer func() { q.release(id); <-slots }()
				if err := q.attempt(work, id); err != nil && work.Err() == nil {
					q.d.Log.ErrorContext(ctx, "a message of the queue", "id", id, "err", err)
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-q.wake:
		}
	}
}

// aside is how many messages that are due are not to be begun now.
func (q *Queue) aside() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, until := range q.skip {
		if time.Now().After(until) {
			delete(q.skip, id)
		}
	}
	return len(q.busy) + len(q.skip)
}

// layAside leaves a message alone for a while.
func (q *Queue) layAside(id string, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.skip[id] = time.Now().Add(d)
}

func (q *Queue) claim(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, skipped := q.skip[id]; q.busy[id] || skipped {
		return false
	}
	q.busy[id] = true
	return true
}

func (q *Queue) release(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.busy, id)
}

func (q *Queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Counts gives what became of messages since the start.
func (q *Queue) Counts() Counts {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sent
}

func (q *Queue) count(add func(*Counts)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	add(&q.sent)
}

// Holds is how many messages are on this disk, and how many bytes.
func (q *Queue) Holds() (messages int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held.messages, q.held.bytes
}

// allowed says how long a mailbox must wait before its next message, by Exchange
// Online's limits: so many messages a minute, and recipients in a day. What was sent
// before this process began is not known, and the server keeps its own count.
func (q *Queue) allowed(mailbox string, recipients int) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if len(q.rates) >= maxRates {
		clear(q.rates)
	}
	r := q.rates[mailbox]
	if r == nil {
		r = rate.NewLimiter(rate.Limit(float64(q.d.Limits.PerMinute)/60), q.d.Limits.PerMinute)
		q.rates[mailbox] = r
	}
	d := q.days[mailbox]
	if d == nil || now.Sub(d.since) > 24*time.Hour {
		if len(q.days) >= maxRates {
			clear(q.days)
		}
		d = &day{since: now}
		q.days[mailbox] = d
	}
	if d.n > 0 && d.n+recipients > q.d.Limits.PerDay {
		return max(24*time.Hour-now.Sub(d.since), time.Minute)
	}
	if !r.AllowN(now, 1) {
		return time.Minute / time.Duration(max(q.d.Limits.PerMinute, 1))
	}
	d.n += recipients
	return 0
}
