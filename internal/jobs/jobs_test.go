package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
)

type what struct {
	N int `json:"n"`
}

func open(t *testing.T, d *db.DB, o jobs.Options) *jobs.Queue {
	t.Helper()
	if o.Poll == 0 {
		o.Poll = 20 * time.Millisecond
	}
	q, err := jobs.Open(t.Context(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func start(t *testing.T, q *jobs.Queue) {
	t.Helper()
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func add(t *testing.T, q *jobs.Queue, kind string, args any, a jobs.Add) bool {
	t.Helper()
	added, err := q.Add(t.Context(), kind, args, a)
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// within waits for a value of a channel.
func within[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(2 * time.Minute):
		t.Fatal("nothing came")
		panic("not reached")
	}
}

// empty waits until no job waits or runs.
func empty(t *testing.T, q *jobs.Queue) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		n, err := q.Waiting(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d jobs are left", n)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestContract is what every kind of database must do alike.
func TestContract(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T, *db.DB){
		"runs with its arguments": func(t *testing.T, d *db.DB) {
			q, got := open(t, d, jobs.Options{}), make(chan int, 3)
			q.Handle("count", func(_ context.Context, j jobs.Job) error {
				var w what
				err := j.Read(&w)
				got <- w.N
				return err
			})
			add(t, q, "count", what{7}, jobs.Add{})
			start(t, q)
			if n := within(t, got); n != 7 {
				t.Errorf("got %d", n)
			}
			empty(t, q)
		},
		"exists when its transaction commits": func(t *testing.T, d *db.DB) {
			q := open(t, d, jobs.Options{})
			stop := errors.New("stop")
			for _, end := range []error{stop, nil} {
				err := d.InTx(t.Context(), func(ctx context.Context) error {
					if _, err := q.Add(ctx, "in-tx", nil, jobs.Add{}); err != nil {
						return err
					}
					return end
				})
				if !errors.Is(err, end) {
					t.Fatal(err)
				}
				want := 1
				if end != nil {
					want = 0
				}
				if n, err := q.Waiting(t.Context(), "in-tx"); err != nil || n != want {
					t.Errorf("after %v: %d jobs, want %d (%v)", end, n, want, err)
				}
			}
		},
		"unique while it waits or runs, and not after": func(t *testing.T, d *db.DB) {
			q, began, goOn := open(t, d, jobs.Options{}), make(chan int, 9), make(chan bool)
			q.Handle("once", func(_ context.Context, j jobs.Job) error {
				var w what
				err := j.Read(&w)
				began <- w.N
				<-goOn
				return err
			})
			u := jobs.Add{Unique: true}
			if !add(t, q, "once", what{1}, u) || add(t, q, "once", what{1}, u) || !add(t, q, "once", what{2}, u) {
				t.Error("waiting: the same arguments once, others too")
			}
			start(t, q)
			within(t, began)
			within(t, began)
			if add(t, q, "once", what{1}, u) {
				t.Error("running: added a second time")
			}
			close(goOn)
			empty(t, q)
			if !add(t, q, "once", what{1}, u) {
				t.Error("done: cannot be added again")
			}
			if n := within(t, began); n != 1 {
				t.Errorf("got %d", n)
			}
		},
		"tried again, put off, given up": func(t *testing.T, d *db.DB) {
			q, tries := open(t, d, jobs.Options{}), make(chan string, 20)
			fails := func(kind string, first error) {
				var n atomic.Int32
				q.Handle(kind, func(context.Context, jobs.Job) error {
					tries <- kind
					if n.Add(1) == 1 {
						return first
					}
					return nil
				})
				add(t, q, kind, nil, jobs.Add{})
			}
			fails("again", errors.New("not yet"))
			fails("later", jobs.Later(time.Millisecond))
			fails("never", jobs.Never(errors.New("no use")))
			var panicked atomic.Int32
			q.Handle("panics", func(context.Context, jobs.Job) error {
				tries <- "panics"
				if panicked.Add(1) == 1 {
					panic("oh")
				}
				return nil
			})
			add(t, q, "panics", nil, jobs.Add{})
			start(t, q)
			count := map[string]int{}
			for range 7 {
				count[within(t, tries)]++
			}
			empty(t, q)
			if count["again"] != 2 || count["later"] != 2 || count["never"] != 1 || count["panics"] != 2 || len(tries) != 0 {
				t.Errorf("%v and %d more", count, len(tries))
			}
		},
		"at most so many at once, in how many processes ever each once": func(t *testing.T, d *db.DB) {
			const total = 60
			var mu sync.Mutex
			seen := map[int]int{}
			var now, most atomic.Int32
			all := make(chan int, 2*total)
			handler := func(_ context.Context, j jobs.Job) error {
				n := now.Add(1)
				defer now.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				var w what
				if err := j.Read(&w); err != nil {
					return err
				}
				mu.Lock()
				seen[w.N]++
				mu.Unlock()
				time.Sleep(time.Millisecond) // lets others in, were they allowed
				all <- w.N
				return nil
			}
			a, b := open(t, d, jobs.Options{Workers: 2}), open(t, d, jobs.Options{Workers: 2})
			a.Handle("part", handler)
			b.Handle("part", handler)
			for i := range total {
				add(t, a, "part", what{i}, jobs.Add{})
			}
			start(t, a)
			start(t, b)
			for range total {
				within(t, all)
			}
			empty(t, a)
			mu.Lock()
			defer mu.Unlock()
			for i := range total {
				if seen[i] != 1 {
					t.Errorf("job %d ran %d times", i, seen[i])
				}
			}
			if m := most.Load(); m > 4 {
				t.Errorf("%d at once", m)
			}
		},
		"stops after the work under way": func(t *testing.T, d *db.DB) {
			q, began := open(t, d, jobs.Options{}), make(chan bool, 1)
			var done atomic.Bool
			q.Handle("slow", func(ctx context.Context, _ jobs.Job) error {
				began <- true
				select {
				case <-ctx.Done():
				case <-time.After(200 * time.Millisecond):
					done.Store(true)
				}
				return nil
			})
			add(t, q, "slow", nil, jobs.Add{})
			ctx, cancel := context.WithCancel(t.Context())
			if err := q.Start(ctx); err != nil {
				t.Fatal(err)
			}
			within(t, began)
			cancel() // the end of a command does not cut work off: Stop does
			if err := q.Stop(t.Context()); err != nil || !done.Load() {
				t.Errorf("done %v, %v", done.Load(), err)
			}
		},
		"stops hard when time is up, and the job stays": func(t *testing.T, d *db.DB) {
			q, began, ended := open(t, d, jobs.Options{}), make(chan bool, 1), make(chan bool, 1)
			q.Handle("endless", func(ctx context.Context, _ jobs.Job) error {
				began <- true
				<-ctx.Done()
				ended <- true
				return ctx.Err()
			})
			add(t, q, "endless", nil, jobs.Add{})
			if err := q.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			within(t, began)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := q.Stop(ctx); err != nil {
				t.Error(err)
			}
			within(t, ended)
			if n, err := q.Waiting(t.Context(), "endless"); err != nil || n != 1 {
				t.Errorf("%d jobs are left, %v", n, err)
			}
		},
		"repeats": func(t *testing.T, d *db.DB) {
			q, ran := open(t, d, jobs.Options{}), make(chan bool, 100)
			q.Handle("tick", func(context.Context, jobs.Job) error { ran <- true; return nil })
			q.Every(50*time.Millisecond, "tick", nil)
			start(t, q)
			for range 3 {
				within(t, ran)
			}
		},
		"a job of a future that was none comes back": func(t *testing.T, d *db.DB) {
			var shift atomic.Int64
			now := func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
			q, ran := open(t, d, jobs.Options{Now: now}), make(chan bool, 1)
			q.Handle("due", func(context.Context, jobs.Job) error { ran <- true; return nil })
			shift.Store(int64(400 * 24 * time.Hour))
			add(t, q, "due", nil, jobs.Add{Unique: true})
			shift.Store(0)
			if add(t, q, "due", nil, jobs.Add{Unique: true}) {
				t.Error("added a second time")
			}
			start(t, q)
			within(t, ran)
		},
		"not before its time": func(t *testing.T, d *db.DB) {
			var shift atomic.Int64
			now := func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
			q, ran := open(t, d, jobs.Options{Now: now}), make(chan string, 2)
			q.Handle("at", func(context.Context, jobs.Job) error { ran <- "at"; return nil })
			q.Handle("after", func(context.Context, jobs.Job) error { ran <- "after"; return nil })
			add(t, q, "at", nil, jobs.Add{At: now().Add(time.Hour)})
			add(t, q, "after", nil, jobs.Add{})
			start(t, q)
			if v := within(t, ran); v != "after" {
				t.Errorf("%s ran first", v)
			}
			shift.Store(int64(2 * time.Hour))
			if v := within(t, ran); v != "at" {
				t.Errorf("%s ran", v)
			}
		},
		"many at once, unique": func(t *testing.T, d *db.DB) {
			q := open(t, d, jobs.Options{})
			var args []any
			for i := range 603 {
				args = append(args, what{i % 600})
			}
			for i, want := range []int{600, 0} {
				if n, err := q.AddAll(t.Context(), "many", args, jobs.Add{Unique: true}); err != nil || n != want {
					t.Errorf("time %d: added %d, want %d, %v", i, n, want, err)
				}
			}
			if n, err := q.Waiting(t.Context(), "many"); err != nil || n != 600 {
				t.Errorf("%d wait, %v", n, err)
			}
		},
		"arguments that are no object": func(t *testing.T, d *db.DB) {
			q := open(t, d, jobs.Options{})
			for name, args := range map[string]any{"text": "x", "list": []int{1}, "channel": make(chan int),
				"long": map[string]string{"a": strings.Repeat("x", 20_000)}, "null": json.RawMessage("null")} {
				if _, err := q.Add(t.Context(), "any", args, jobs.Add{}); err == nil {
					t.Errorf("%s was taken", name)
				}
			}
			if _, err := q.Add(t.Context(), "Bad Kind", nil, jobs.Add{}); !errors.Is(err, problem.Internal) {
				t.Errorf("kind: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, test)
		})
	}
}

// Two processes that start at once both find the tables.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "x.db") },
		"postgres": func(t *testing.T) string { return dbtest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := where(t)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					d, err := db.Open(t.Context(), at)
					if err != nil {
						t.Error(err)
						return
					}
					defer d.Close()
					if _, err := jobs.Open(t.Context(), d, jobs.Options{}); err != nil {
						t.Error(err, errors.Unwrap(err))
					}
				})
			}
			wg.Wait()
		})
	}
}
