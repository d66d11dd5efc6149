package jobs_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/jobs"
)

// A clock that jumps a year, both ways, has nothing done twice that runs, and what
// repeats goes on.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var shift atomic.Int64
		o := jobs.Options{Now: func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }, Beat: 30 * time.Millisecond, Dead: 10 * time.Second}
		held, goOn, ticks := make(chan bool, 9), make(chan bool), make(chan bool, 1000)
		for range 2 {
			q := open(t, d, o)
			q.Handle("held", func(context.Context, jobs.Job) error { held <- true; <-goOn; return nil })
			q.Handle("tick", func(context.Context, jobs.Job) error { ticks <- true; return nil })
			q.Every(100*time.Millisecond, "tick", nil)
			add(t, q, "held", nil, jobs.Add{Unique: true})
			start(t, q)
		}
		within(t, held)
		for _, jump := range []time.Duration{365 * 24 * time.Hour, -365 * 24 * time.Hour, 0} {
			shift.Store(int64(jump))
			for len(ticks) > 0 {
				<-ticks
			}
			for range 3 {
				within(t, ticks)
			}
		}
		if len(held) != 0 {
			t.Error("a job that ran was begun again")
		}
		close(goOn)
	})
}

// While somebody else holds the file's one write lock for longer than SQLite waits at
// once, jobs wait and are then done once each.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it holds a lock for longer than SQLite waits")
	}
	at := filepath.Join(t.TempDir(), "x.db")
	d, err := db.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	other, err := db.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	q, ran := open(t, d, jobs.Options{Workers: 2}), make(chan int, 100)
	q.Handle("part", func(_ context.Context, j jobs.Job) error {
		var w what
		err := j.Read(&w)
		ran <- w.N
		return err
	})
	start(t, q)
	tx, err := other.BeginTx(t.Context(), nil) // it begins as a writer
	if err != nil {
		t.Fatal(err)
	}
	var adding sync.WaitGroup
	for n := range 5 {
		adding.Go(func() {
			if _, err := q.Add(t.Context(), "part", what{n}, jobs.Add{}); err != nil {
				t.Errorf("job %d: %v", n, err)
			}
		})
	}
	time.Sleep(12 * time.Second)
	if len(ran) != 0 {
		t.Error("a job ran that could not be written down")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	adding.Wait()
	seen := map[int]int{}
	for range 5 {
		seen[within(t, ran)]++
	}
	empty(t, q)
	if len(seen) != 5 || len(ran) != 0 {
		t.Errorf("%v and %d more", seen, len(ran))
	}
}

// wire is a way to a PostgreSQL server that can be cut: for its clients what a restart
// is.
type wire struct {
	t    *testing.T
	to   string // the server's socket
	at   string
	mu   sync.Mutex
	l    net.Listener
	open []net.Conn
}

func newWire(t *testing.T, socket string) *wire {
	w := &wire{t: t, to: socket}
	w.mend("127.0.0.1:0")
	t.Cleanup(w.cut)
	return w
}

func (w *wire) mend(at string) {
	l, err := net.Listen("tcp", at)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.l, w.at = l, l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("unix", w.to)
			if err != nil {
				_ = c.Close()
				continue
			}
			w.mu.Lock()
			w.open = append(w.open, c, s)
			w.mu.Unlock()
			for _, way := range [][2]net.Conn{{c, s}, {s, c}} {
				go func() {
					_, _ = io.Copy(way[0], way[1])
					_ = way[0].Close()
				}()
			}
		}
	}()
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.l.Close()
	for _, c := range w.open {
		_ = c.Close()
	}
	w.open = nil
}

// PostgreSQL is restarted in the middle: jobs under way end, those that could not be
// written down are done, and what is added later too, by the same queue.
func TestPostgresRestarted(t *testing.T) {
	t.Parallel()
	outage := 12 * time.Second // longer than the library tries to write an end down
	if testing.Short() {
		outage = time.Second
	}
	u, err := url.Parse(dbtest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := u.Query().Get("host")
	if dir == "" || dir[0] != '/' {
		t.Skip("the server of this machine is not reached by a socket")
	}
	w := newWire(t, filepath.Join(dir, ".s.PGSQL.5432"))
	u.RawQuery, u.Host = "sslmode=disable", w.at
	d, err := db.Open(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	q := open(t, d, jobs.Options{Workers: 8, Beat: 100 * time.Millisecond, Dead: time.Second})
	began, goOn, later := make(chan int, 100), make(chan bool), make(chan bool, 9)
	q.Handle("under-way", func(_ context.Context, j jobs.Job) error {
		began <- j.Attempt
		<-goOn
		return nil
	})
	q.Handle("later", func(context.Context, jobs.Job) error { later <- true; return nil })
	q.Every(200*time.Millisecond, "later", nil)
	for i := range 4 {
		add(t, q, "under-way", what{i}, jobs.Add{})
	}
	start(t, q)
	for range 4 {
		within(t, began)
	}
	w.cut()
	close(goOn) // they end while nothing can be written down
	time.Sleep(outage)
	if err := d.PingContext(t.Context()); err == nil {
		t.Error("the database answers, so nothing is tested")
	}
	for len(later) > 0 {
		<-later
	}
	w.mend(w.at)
	within(t, later)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		n, err := q.Waiting(t.Context(), "under-way")
		if err == nil && n == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d jobs are left, %v", n, err)
		}
	}
}
