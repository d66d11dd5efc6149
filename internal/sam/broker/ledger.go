package broker

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/audit"
)

// ledger records refusals: the first of each sort at once, further ones within
// the window as one entry that counts them. Sorts are bounded; what comes after
// that many is counted together. So a flood costs the trail at most
// 2*maxSorts+1 entries a window, whatever it asks for.
type ledger struct {
	trail  audit.Recorder
	now    func() time.Time
	log    *slog.Logger
	window time.Duration

	mu     sync.Mutex // guards the rest
	sorts  map[kind]*tally
	others int // beyond the bound
	timer  *time.Timer
	closed bool
	busy   sync.WaitGroup
}

// kind is what makes two refusals the same. What the caller wrote freely
// counts only by its beginning.
type kind struct{ actor, subject, object, tenant, what, reason string }

type tally struct {
	e     audit.Event
	more  int
	first time.Time
}

const (
	ledgerWindow = time.Minute
	maxSorts     = 200
)

func newLedger(t audit.Recorder, now func() time.Time, log *slog.Logger) *ledger {
	return &ledger{trail: t, now: now, log: log, window: ledgerWindow, sorts: map[kind]*tally{}}
}

func cut(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// refused takes one refusal. A trail that fails is logged: nothing was handed
// out, so nothing else is to be stopped.
func (l *ledger) refused(ctx context.Context, e audit.Event) {
	e.At, e.Reason = l.now(), cut(e.Reason, 400)
	for name, v := range e.Details {
		e.Details[name] = cut(v, 200)
	}
	k := kind{e.Actor, e.Details["subject"], e.Object, e.Tenant, e.Details["resource"] + cut(e.Details["asked"], 40), cut(e.Reason, 80)}
	l.mu.Lock()
	if t := l.sorts[k]; t != nil {
		t.more++
		t.e.At = e.At
		l.mu.Unlock()
		return
	}
	if len(l.sorts) >= maxSorts || l.closed {
		l.others++
		l.mu.Unlock()
		return
	}
	l.sorts[k] = &tally{e: e, first: e.At}
	if l.timer == nil {
		l.timer = time.AfterFunc(l.window, func() {
			ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
			defer stop()
			l.flush(ctx)
		})
	}
	l.busy.Add(1)
	l.mu.Unlock()
	defer l.busy.Done()
	l.write(context.WithoutCancel(ctx), e)
}

func (l *ledger) write(ctx context.Context, e audit.Event) {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	if err := l.trail.Record(ctx, e); err != nil {
		l.log.Error("a refusal could not be recorded", "actor", e.Actor, "error", err.Error())
	}
}

// flush writes what was counted and begins a new window.
func (l *ledger) flush(ctx context.Context) {
	l.mu.Lock()
	sorts, others := l.sorts, l.others
	l.sorts, l.others, l.timer = map[kind]*tally{}, 0, nil
	l.busy.Add(1)
	l.mu.Unlock()
	defer l.busy.Done()
	for _, t := range sorts {
		if t.more == 0 {
			continue
		}
		e := t.e
		details := map[string]string{"times": strconv.Itoa(t.more), "since": t.first.UTC().Format(time.RFC3339)}
		for name, v := range t.e.Details {
			details[name] = v
		}
		e.Details = details
		l.write(ctx, e)
	}
	if others > 0 {
		l.write(ctx, audit.Event{
			At: l.now(), Action: audit.TokenRefused, Outcome: audit.Refused, Actor: "several", Reason: "more kinds of refusals than are recorded one by one",
			Details: map[string]string{"times": strconv.Itoa(others)},
		})
	}
}

func (l *ledger) close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	l.flush(ctx)
	done := make(chan struct{})
	go func() { l.busy.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
