package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// Options changes how a queue works. The zero value is ready for use.
type Options struct {
	Workers  int              // jobs at the same time in this process; 0: 4, at most 1000
	BulkOnly bool             // works the queue of long work alone, and handlers of it are all it needs
	Poll     time.Duration    // how often to look for jobs of other processes; 0: a second
	Timeout  time.Duration    // after which a job's context ends; 0: 5 minutes
	Now      func() time.Time // nil is time.Now; used where River allows it
	Log      *slog.Logger     // nil discards; one line a job

	// Alone says that no other process works this queue, as with a database in a
	// file that is held: what still runs there was left by one that ended, and is
	// taken up at once.
	Alone bool
	Beat  time.Duration // how often processes say that they are there; 0: 10 s
	Dead  time.Duration // without a word, before its jobs are taken up; 0: 45 s
}

// Job is one piece of work under way.
type Job struct {
	ID      int64
	Attempt int // from 1
	Args    json.RawMessage
}

// Read decodes the job's arguments; an unknown member is an error of the job
// for good, since trying again would not mend it.
func (j Job) Read(into any) error {
	if err := json.Unmarshal(j.Args, into); err != nil {
		return Never(problem.Wrap(err, problem.Internal, "the job's arguments cannot be read"))
	}
	return nil
}

// Handler does a job. Nil is done; [Later] puts it off; [Never] gives up; any
// other error is tried again, later each time, 25 times.
type Handler func(ctx context.Context, j Job) error

// Later puts a job off without counting it as a failure.
func Later(d time.Duration) error { return river.JobSnooze(max(d, 0)) }

// Never gives a job up: trying again would not help.
func Never(err error) error { return river.JobCancel(err) }

// Queue is the queue of one database as one process sees it. Safe for
// concurrent use after Start.
type Queue struct {
	o      Options
	d      *db.DB
	driver riverdriver.Driver[*sql.Tx]

	mu       sync.Mutex // guards the fields below
	handlers map[string]Handler
	repeats  []repeat
	counts   counts
	adder    *river.Client[*sql.Tx] // adds and works nothing
	client   *river.Client[*sql.Tx] // works; nil until Start
	running  bool
	stop     context.CancelFunc // ends the repeats
	repeated sync.WaitGroup

	id    string   // of this process, as jobs name it
	beats int64    // for watch alone
	under sync.Map // the ids of the jobs that this process does now
}

type repeat struct {
	kind  string
	every time.Duration
	args  any
}

// Open prepares the queue's tables in d. It runs nothing until Start.
func Open(ctx context.Context, d *db.DB, o Options) (*Queue, error) {
	if o.Workers == 0 {
		o.Workers = 4
	}
	if o.Workers < 1 || o.Workers > maxWorkers {
		return nil, problem.New(problem.Usage, "there are 1 to %d workers, not %d", maxWorkers, o.Workers)
	}
	if o.Beat <= 0 {
		o.Beat = beatEvery
	}
	if o.Dead <= 0 {
		o.Dead = deadAfter
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	q := &Queue{o: o, d: d, handlers: map[string]Handler{}, id: newID(), counts: newCounts()}
	if d.Dialect == db.Postgres {
		q.driver = riverdatabasesql.New(d.DB)
	} else {
		q.driver = riversqlite.New(d.DB)
	}
	if err := q.migrate(ctx); err != nil {
		return nil, err
	}
	var err error
	q.adder, err = q.make(nil)
	return q, err
}

var kindForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// Handle registers the handler of a kind, before Start. It panics when the kind
// is misshapen or taken: both are mistakes of the program.
func (q *Queue) Handle(kind string, h Handler) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !kindForm.MatchString(kind) || h == nil:
		panic("jobs: bad kind " + kind)
	case q.handlers[kind] != nil:
		panic("jobs: two handlers of kind " + kind)
	case q.client != nil:
		panic("jobs: Handle after Start")
	}
	q.handlers[kind] = h
}

// Every adds a job of kind at Start and then after each interval, before Start
// is called. The jobs are unique: as long as one waits or runs, in whichever
// process, there is no second.
func (q *Queue) Every(interval time.Duration, kind string, args any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if interval <= 0 || q.client != nil {
		panic("jobs: Every needs an interval, and comes before Start")
	}
	q.repeats = append(q.repeats, repeat{kind, interval, args})
}

// Add is how a job is added. The zero value is: now, as often as asked.
type Add struct {
	// Unique adds nothing while a job of the same kind and arguments waits or runs.
	Unique bool
	At     time.Time // not before; zero: at once
	Tries  int       // 0: 25
	Last   bool      // done when nothing else waits
	Bulk   bool      // long work that nobody waits for: a queue of its own
}

// Add adds a job and says whether it did; false means that a unique one is
// there. args is marshalled to a JSON object; nil is an empty one. Within the
// transaction that ctx carries the job exists when that commits. A job of a kind
// that this process does not handle waits for one that does.
func (q *Queue) Add(ctx context.Context, kind string, args any, a Add) (bool, error) {
	e, err := envelopeOf(kind, args)
	if err != nil {
		return false, err
	}
	c := q.adder
	var res *rivertype.JobInsertResult
	err = q.d.InTx(ctx, func(ctx context.Context) (err error) {
		res, err = c.InsertTx(ctx, q.d.Tx(ctx), e, a.options())
		return err
	})
	if err != nil {
		return false, fmt.Errorf("add a job %s: %w", kind, err)
	}
	if res.UniqueSkippedAsDuplicate {
		return false, q.bringBack(ctx, c, res.Job, a.At)
	}
	return true, nil
}

// AddAll adds many jobs of one kind, each with its arguments, in transactions of
// some hundreds, and says how many; the others were unique and there.
func (q *Queue) AddAll(ctx context.Context, kind string, args []any, a Add) (added int, err error) {
	const batch = 500
	for part := range slices.Chunk(args, batch) {
		params := make([]river.InsertManyParams, len(part))
		for i, x := range part {
			e, err := envelopeOf(kind, x)
			if err != nil {
				return added, err
			}
			params[i] = river.InsertManyParams{Args: e, InsertOpts: a.options()}
		}
		n := 0
		err := q.d.InTx(ctx, func(ctx context.Context) error {
			n = 0
			results, err := q.adder.InsertManyTx(ctx, q.d.Tx(ctx), params)
			if err != nil {
				return err
			}
			for _, r := range results {
				if !r.UniqueSkippedAsDuplicate {
					n++
				} else if err := q.bringBack(ctx, q.adder, r.Job, a.At); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return added, fmt.Errorf("add jobs %s: %w", kind, err)
		}
		added += n
	}
	return added, nil
}

func (a Add) options() *river.InsertOpts {
	o := &river.InsertOpts{MaxAttempts: a.Tries, ScheduledAt: a.At}
	if a.Bulk {
		o.Queue = bulk
	}
	if a.Last {
		o.Priority = river.PriorityDefault + 3
	}
	if a.Unique {
		o.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}}
	}
	return o
}

// farAhead is farther than any job is put off by itself: River's own longest
// backoff is 24 hours for the fifteenth failure.
const farAhead = 7 * 24 * time.Hour

// bringBack makes a waiting job runnable that is in the way of a new one and
// waits for a moment that a wrong clock made up.
func (q *Queue) bringBack(ctx context.Context, c *river.Client[*sql.Tx], j *rivertype.JobRow, at time.Time) error {
	limit := q.now().Add(farAhead)
	if j == nil || j.State == rivertype.JobStateRunning || !j.ScheduledAt.After(limit) || at.After(limit) {
		return nil
	}
	var err error
	if tx := q.d.Tx(ctx); tx != nil {
		_, err = c.JobRetryTx(ctx, tx, j.ID)
	} else {
		_, err = c.JobRetry(ctx, j.ID)
	}
	if err != nil && !errors.Is(err, rivertype.ErrNotFound) {
		return fmt.Errorf("bring job %d back: %w", j.ID, err)
	}
	return nil
}

func (q *Queue) now() time.Time {
	if q.o.Now != nil {
		return q.o.Now()
	}
	return time.Now()
}

// Start works jobs until Stop; once. Work under way does not end with ctx: Stop does
// that in good order.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.client != nil {
		return problem.New(problem.Internal, "the queue was started before")
	}
	if len(q.handlers) == 0 {
		return problem.New(problem.Internal, "the queue has no handlers")
	}
	for _, r := range q.repeats {
		if q.handlers[r.kind] == nil { // it would be added, and wait for ever
			return problem.New(problem.Internal, "the job %s repeats, and nothing handles it", r.kind)
		}
	}
	c, err := q.make(q.handlers)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if err := q.beat(ctx); err != nil { // before the first job that others could miss us at
		return problem.Wrap(err, problem.Internal, "the queue does not start")
	}
	if q.o.Alone {
		if err := q.takeUp(ctx, newWatcher(), time.Now(), 0); err != nil {
			return problem.Wrap(err, problem.Internal, "the queue does not start")
		}
	}
	if err := c.Start(ctx); err != nil {
		return problem.Wrap(err, problem.Internal, "the queue does not start")
	}
	q.client, q.running = c, true
	ctx, q.stop = context.WithCancel(ctx)
	q.repeated.Go(func() { q.watch(ctx) })
	for _, r := range q.repeats {
		q.repeated.Go(func() { q.repeat(ctx, r) })
	}
	return nil
}

// repeat adds a job again and again. The timer is monotonic.
func (q *Queue) repeat(ctx context.Context, r repeat) {
	t := time.NewTicker(r.every)
	defer t.Stop()
	for {
		if _, err := q.Add(ctx, r.kind, r.args, Add{Unique: true}); err != nil && ctx.Err() == nil {
			q.o.Log.WarnContext(ctx, "a repeated job was not added", "kind", r.kind, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Running says that the queue works: nil, or why not. For readiness.
func (q *Queue) Running(context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.running {
		return problem.New(problem.Unavailable, "the queue does not run")
	}
	return nil
}

// Stop takes no further jobs and waits for those under way. When ctx ends
// first, their contexts are ended; they stay in the queue and run again.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	c, running := q.client, q.running
	q.running = false
	q.mu.Unlock()
	if !running {
		return nil
	}
	q.stop()
	q.repeated.Wait()
	err := c.Stop(ctx)
	if err != nil && ctx.Err() != nil {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = c.StopAndCancel(hard)
	}
	if err != nil {
		return problem.Wrap(err, problem.Limit, "jobs were still running when the queue stopped")
	}
	return nil
}
