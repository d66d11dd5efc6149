package jobs

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// envelope is any job to River: a kind, and a JSON object.
type envelope struct {
	kind string
	raw  json.RawMessage
}

// Kind tells River which worker it is for.
func (e envelope) Kind() string { return e.kind }

// MarshalJSON is the arguments.
func (e envelope) MarshalJSON() ([]byte, error) { return e.raw, nil }

// UnmarshalJSON keeps the arguments.
func (e *envelope) UnmarshalJSON(b []byte) error {
	e.raw = bytes.Clone(b)
	return nil
}

// maxArgs bounds a job's arguments: they name what to work on.
const maxArgs = 16 << 10

func envelopeOf(kind string, args any) (envelope, error) {
	if !kindForm.MatchString(kind) {
		return envelope{}, problem.New(problem.Internal, "no job has the kind %.80q", kind)
	}
	raw := []byte("{}")
	if args != nil {
		var err error
		if raw, err = json.Marshal(args); err != nil {
			return envelope{}, problem.Wrap(err, problem.Internal, "the arguments of job %s cannot be written", kind)
		}
	}
	if len(raw) == 0 || raw[0] != '{' {
		return envelope{}, problem.New(problem.Internal, "the arguments of job %s are no JSON object", kind)
	}
	if len(raw) > maxArgs {
		return envelope{}, problem.New(problem.Limit, "the arguments of job %s have more than %d bytes", kind, maxArgs)
	}
	return envelope{kind, raw}, nil
}

// worker runs a handler for River.
type worker struct {
	river.WorkerDefaults[envelope]
	handle Handler
	q      *Queue
}

func (w worker) Work(ctx context.Context, j *river.Job[envelope]) (err error) {
	return w.q.work(ctx, j, w.handle)
}

// make makes a River client: one that adds, or with handlers one that works.
func (q *Queue) make(handlers map[string]Handler) (*river.Client[*sql.Tx], error) {
	c := &river.Config{
		Logger: slog.New(calm{q.o.Log.Handler()}), JobTimeout: q.o.Timeout,
		// For a job that hangs in a process that lives. Those of one that was killed are
		// taken up in a minute (see watch), by an even clock; this one is the machine's,
		// and a jump of it must not have what runs done twice.
		RescueStuckJobsAfter: max(2*q.o.Timeout, 24*time.Hour),
		FetchPollInterval:    q.o.Poll, FetchCooldown: min(100*time.Millisecond, q.o.Poll),
		SkipUnknownJobCheck: true,
	}
	if q.driver.DatabaseName() == "sqlite" { // it knows no index of a name that is not there, and has nothing to win
		c.ReindexerSchedule = river.NeverSchedule()
	}
	if q.o.Now != nil {
		c.Test.Time = clock(q.o.Now)
	}
	if len(handlers) > 0 {
		c.ID = q.id
		c.Workers = river.NewWorkers()
		for kind, h := range handlers {
			river.AddWorkerArgs(c.Workers, envelope{kind: kind}, worker{handle: h, q: q})
		}
		c.Queues = q.o.queues()
	}
	client, err := river.NewClient(q.driver, c)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the queue cannot be made")
	}
	return client, nil
}

// clock gives River our clock instead of its own and the database's.
type clock func() time.Time

// NowUTC and NowUTCOrNil are what River asks.
func (c clock) NowUTC() time.Time { return c().UTC() }

// NowUTCOrNil says that the clock is another than the database's.
func (c clock) NowUTCOrNil() *time.Time {
	t := c.NowUTC()
	return &t
}

var _ rivertype.TimeGenerator = clock(nil)

// migrate makes or updates River's tables. Two processes may start at once: in
// PostgreSQL one waits for the other, in SQLite the slower one finds it done.
func (q *Queue) migrate(ctx context.Context) error {
	m, err := rivermigrate.New(q.driver, &rivermigrate.Config{Logger: slog.New(calm{q.o.Log.Handler()})})
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the queue's tables are not in the program")
	}
	if q.d.Dialect == db.Postgres {
		conn, err := q.d.Conn(ctx)
		if err != nil {
			return problem.Wrap(err, problem.BadInput, "the database %s does not answer", q.d.Where())
		}
		defer conn.Close()
		const key = 7441_0002
		if _, err := conn.ExecContext(ctx, takeLock, key); err != nil {
			return problem.Wrap(err, problem.BadInput, "the database %s cannot be locked", q.d.Where())
		}
		defer func() {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), endLock, key)
		}()
	}
	for attempt := 0; ; attempt++ {
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		if err == nil {
			return nil
		}
		if check, verr := m.Validate(ctx); verr == nil && check.OK {
			return nil // another process was faster
		}
		if attempt == 4 || ctx.Err() != nil {
			return problem.Wrap(errors.Join(err, ctx.Err()), problem.Internal, "the queue's tables in %s could not be brought up to date", q.d.Where())
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(attempt+1) * 100 * time.Millisecond):
		}
	}
}

// Waiting counts the jobs that wait or run, of a kind or of all with "".
func (q *Queue) Waiting(ctx context.Context, kind string) (n int, err error) {
	err = q.d.QueryRowContext(ctx, countWaiting, kind).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the jobs: %w", err)
	}
	return n, nil
}

// calm leaves out what River says of itself every minute.
type calm struct{ slog.Handler }

// Enabled is from warnings on.
func (c calm) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && c.Handler.Enabled(ctx, l)
}

// WithAttrs keeps it calm.
func (c calm) WithAttrs(a []slog.Attr) slog.Handler { return calm{c.Handler.WithAttrs(a)} }

// WithGroup keeps it calm.
func (c calm) WithGroup(name string) slog.Handler { return calm{c.Handler.WithGroup(name)} }
