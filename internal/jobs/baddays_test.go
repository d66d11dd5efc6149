package jobs_test

import (
	"context"
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

// PostgreSQL is restarted in the middle: jobs under way end, those that could not be
// written down are done, and what is added later too, by the same queue.
func TestPostgresRestarted(t *testing.T) {
	t.Parallel()
	outage := 12 * time.Second // longer than the library tries to write an end down
	if testing.Short() {
		outage = time.Second
	}
	w := dbtest.NewWire(t)
	d, err := db.Open(t.Context(), w.URL)
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
	w.Cut()
	close(goOn) // they end while nothing can be written down
	time.Sleep(outage)
	if err := d.PingContext(t.Context()); err == nil {
		t.Error("the database answers, so nothing is tested")
	}
	for len(later) > 0 {
		<-later
	}
	w.Mend()
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
