package ledger

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/gateway"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// How the ledger works by itself.
const (
	Keys     = 50_000              // callers by reason, client and so on, of an hour
	Waiting  = 100_000             // counts that wait for the database
	Every    = 5 * time.Second     // they are written so often
	Kept     = 90 * 24 * time.Hour // rows
	toldOf   = 500                 // entries of the trail an hour; the rest is one more
	longName = 120                 // bytes of an account's name
	longID   = 64                  // bytes of an id
	quiet    = 15 * time.Minute    // between two lines of log about the same trouble
)

// Deps is what a Ledger is made of.
type Deps struct {
	DB            *db.DB           // required
	Record        audit.Recorder   // required
	Now           func() time.Time // required
	Log           *slog.Logger     // nil discards
	keys, waiting int              // of tests; 0 are Keys and Waiting
}

// Ledger is the gateway's book. Safe for concurrent use.
type Ledger struct {
	d     Deps
	now   atomic.Pointer[table]
	full  atomic.Bool
	lines atomic.Pointer[Lines]

	flushing sync.Mutex // one flush at a time

	mu      sync.Mutex // guards the fields below
	old     []*table   // of hours that are over; each is emptied once more
	waiting map[key]*count
	totals  map[total]int64
	dropped int64
	lost    int64     // of tables that are gone
	failing time.Time // since when the database takes nothing; zero: it does
	why     string
	logged  time.Time
	pruned  time.Time
}

// count is what waits for the database.
type count struct {
	n, first, last int64
	account        string
}

// total is what a metric counts.
type total struct {
	Route   string
	Reason  gateway.Reason
	Mode    gateway.Mode
	Refused bool
	Way     gateway.Way
}

var _ gateway.Book = (*Ledger)(nil)

// New makes a Ledger.
func New(d Deps) (*Ledger, error) {
	if d.DB == nil || d.Record == nil || d.Now == nil {
		return nil, errors.New("ledger: DB, Record and Now are required")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.keys == 0 {
		d.keys = Keys
	}
	if d.waiting == 0 {
		d.waiting = Waiting
	}
	l := &Ledger{d: d, waiting: map[key]*count{}, totals: map[total]int64{}}
	l.now.Store(&table{hour: hourOf(d.Now())})
	return l, nil
}

// Note implements [gateway.Book].
func (l *Ledger) Note(d *gateway.Decision, r *gateway.Request) {
	k := keyOf(d, r)
	account := ""
	if k.kind == User {
		account = d.Identity.Account
	}
	l.now.Load().note(&k, account, r.Now.UnixMicro(), int64(l.d.keys))
	if lines := l.lines.Load(); lines != nil {
		lines.note(&k, account, r)
	}
}

// Also has each decision told to lines too; nil ends it.
func (l *Ledger) Also(lines *Lines) { l.lines.Store(lines) }

// Full implements [gateway.Book]: the counts that wait for the database are as many as
// may wait, and the next is dropped.
func (l *Ledger) Full() bool { return l.full.Load() }

// Run writes the counts down every five seconds until ctx ends, and then once more.
func (l *Ledger) Run(ctx context.Context) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.round(ctx)
		case <-ctx.Done():
			last, stop := context.WithTimeout(context.WithoutCancel(ctx), Every)
			defer stop()
			if err := l.Flush(last); err != nil {
				l.d.Log.ErrorContext(last, "the gateway's last counts could not be written down", "err", err)
			}
			return
		}
	}
}

// round is what is done every five seconds.
func (l *Ledger) round(ctx context.Context) {
	err := l.Flush(ctx)
	if err == nil {
		err = l.Tell(ctx)
	}
	if err == nil && l.due() {
		err = l.Prune(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.d.Now()
	if err == nil {
		if !l.failing.IsZero() {
			l.d.Log.InfoContext(ctx, "the gateway's counts are written down again")
		}
		l.failing, l.why, l.logged = time.Time{}, "", time.Time{}
		return
	}
	if ctx.Err() != nil {
		return
	}
	if l.failing.IsZero() {
		l.failing = now
	}
	l.why = err.Error()
	if now.Sub(l.logged) >= quiet || l.logged.IsZero() {
		l.logged = now
		l.d.Log.ErrorContext(ctx, "the gateway's counts could not be written down: they wait", "err", err, "waiting", len(l.waiting))
	}
}

func (l *Ledger) due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.d.Now()
	if now.Sub(l.pruned).Abs() < time.Hour {
		return false
	}
	l.pruned = now
	return true
}

// drain moves what was counted to what waits, and the table of an hour that is over to
// the old ones, which are dropped when they were emptied twice more: a note that began
// before still finds its place.
func (l *Ledger) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now.Load()
	now.each(l.wait)
	l.lost += now.lost.Swap(0)
	for _, t := range l.old {
		t.each(l.wait)
		l.lost += t.lost.Swap(0)
	}
	if len(l.old) > 0 {
		l.old = l.old[1:]
	}
	if h := hourOf(l.d.Now()); h != now.hour {
		l.now.Store(&table{hour: h})
		l.old = append(l.old, now, now)
	}
	l.full.Store(len(l.waiting) >= l.d.waiting)
}

// wait adds a count to those that wait. Callers hold mu.
func (l *Ledger) wait(e *entry, n int64) {
	k := &e.key
	l.totals[total{k.route, k.reason, k.mode, k.refused, k.way}] += n
	c := l.waiting[*k]
	if c == nil {
		if int64(len(l.waiting)) >= k.most(int64(l.d.waiting)) {
			l.dropped += n
			return
		}
		c = &count{first: e.first, account: e.account}
		l.waiting[*k] = c
	}
	c.n += n
	c.last = max(c.last, e.last.Load(), c.first)
}

// Flush writes what was counted into the database, in transactions of bounded size. What
// cannot be written waits for the next.
func (l *Ledger) Flush(ctx context.Context) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.drain()
	const most = 5000
	for {
		keys, rows := l.some(most)
		if len(rows) == 0 {
			return nil
		}
		err := l.d.DB.InTx(ctx, func(ctx context.Context) error { return l.put(ctx, rows) })
		if err != nil {
			return problem.Wrap(err, problem.Unavailable, "what the gateway decided could not be written down").
				WithHint("is the database there, and room on its disk?")
		}
		l.written(keys, rows)
	}
}

// some takes rows of what waits, and leaves it there until it is written.
func (l *Ledger) some(most int) (keys []key, rows []Sum) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, c := range l.waiting {
		if len(keys) == most {
			break
		}
		keys = append(keys, k)
		rows = append(rows, k.sum(c))
	}
	return keys, rows
}

func (l *Ledger) written(keys []key, rows []Sum) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range keys {
		c := l.waiting[keys[i]]
		if c.n -= rows[i].N; c.n == 0 {
			delete(l.waiting, keys[i])
		}
	}
	l.full.Store(len(l.waiting) >= l.d.waiting)
}

// sum is a count as it is kept, its texts bounded and clean.
func (k *key) sum(c *count) Sum {
	s := Sum{Hour: k.hour, Route: print.Clean(k.route, longID), Reason: k.reason.String(), Mode: k.mode.String(), Refused: k.refused, Kind: k.kind.String(),
		Tenant: print.Clean(k.tenant, longID), Caller: print.Clean(k.caller, longID), Client: print.Clean(k.client, longID), Agent: agentWord(k.agent),
		Way: wayWord(k.way), Excused: print.Clean(k.excused, longName), Account: print.Clean(c.account, longName),
		N: c.n, First: time.UnixMicro(c.first).UTC(), Last: time.UnixMicro(c.last).UTC()}
	if k.from.IsValid() {
		bits := "/24"
		if k.from.Is6() {
			bits = "/48"
		}
		s.Caller = k.from.String() + bits
	}
	return s
}

func wayWord(w gateway.Way) string {
	switch w {
	case gateway.ByBearer:
		return "bearer"
	case gateway.BySession:
		return "session"
	}
	return "none"
}

// Standing is how the book itself is.
type Standing struct {
	Waiting int       `json:"waiting"` // counts that wait for the database
	Dropped int64     `json:"dropped"` // decisions that are counted nowhere
	Failing time.Time `json:"failing,omitzero"`
	Why     string    `json:"why,omitempty"`
	Full    bool      `json:"full"`
}

// Standing says how the book is.
func (l *Ledger) Standing() Standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Standing{Waiting: len(l.waiting), Dropped: l.dropped + l.lost, Failing: l.failing, Why: l.why, Full: l.full.Load()}
}
