package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
)

// leave makes a job that runs in a process which was killed: nobody ever says that it
// ended.
func leave(t *testing.T, d *db.DB, kind, process string, attempt int) {
	t.Helper()
	q := open(t, d, jobs.Options{})
	add(t, q, kind, nil, jobs.Add{})
	by := "'[\"" + process + "\"]'"
	if d.Dialect == db.Postgres {
		by = "ARRAY['" + process + "']"
	}
	if _, err := d.ExecContext(t.Context(), "UPDATE river_job SET state = 'running', attempt = $1, attempted_at = CURRENT_TIMESTAMP, attempted_by = "+by+
		" WHERE kind = $2", attempt, kind); err != nil {
		t.Fatal(err)
	}
}

// What a killed process left is taken up by another that hears nothing more of it,
// long before River would; what a living one has is let be.
func TestKilledWorkerTakenUp(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		leave(t, d, "left", "w-killed", 1)
		const said = `INSERT INTO river_client (id, metadata, updated_at) VALUES ('w-killed', '{"beat":7}', CURRENT_TIMESTAMP)`
		if _, err := d.ExecContext(t.Context(), said); err != nil {
			t.Fatal(err)
		}
		often := jobs.Options{Beat: 50 * time.Millisecond, Dead: 3 * time.Second}
		ran, held, goOn := make(chan int, 9), make(chan bool, 9), make(chan bool)
		handle := func(q *jobs.Queue) {
			q.Handle("left", func(_ context.Context, j jobs.Job) error { ran <- j.Attempt; return nil })
			q.Handle("held", func(context.Context, jobs.Job) error { held <- true; <-goOn; return nil })
		}
		a, b := open(t, d, often), open(t, d, often)
		handle(a)
		handle(b)
		add(t, a, "held", nil, jobs.Add{})
		start(t, a)
		within(t, held)
		began := time.Now()
		start(t, b)
		if n := within(t, ran); n != 2 {
			t.Errorf("attempt %d", n)
		}
		if took := time.Since(began); took < 2*time.Second {
			t.Errorf("taken up after %v: it could have been alive", took)
		}
		time.Sleep(3500 * time.Millisecond)
		if len(held) != 0 {
			t.Error("the job of a living process was taken up")
		}
		if list, err := a.Workers(t.Context()); err != nil || len(list) != 2 {
			t.Errorf("workers %v, %v", list, err)
		}
		close(goOn)
		empty(t, a)
		for _, q := range []*jobs.Queue{a, b} {
			if err := q.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if list, err := a.Workers(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("after their end: workers %v, %v", list, err)
		}
	})
}

// Who works a database alone takes up at once what was left there.
func TestAloneTakesUpAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		leave(t, d, "left", "w-killed", 1)
		q, ran := open(t, d, jobs.Options{Alone: true}), make(chan bool, 1)
		q.Handle("left", func(context.Context, jobs.Job) error { ran <- true; return nil })
		start(t, q)
		within(t, ran)
	})
}

// A job whose process was killed at its last try is dead, not tried for ever; a person
// may have it run again.
func TestLastTryOfAKilledWorker(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		leave(t, d, "left", "w-killed", 25)
		q, ran := open(t, d, jobs.Options{Alone: true}), make(chan bool, 1)
		q.Handle("left", func(context.Context, jobs.Job) error { ran <- true; return nil })
		start(t, q)
		empty(t, q)
		dead, err := q.Dead(t.Context(), "left")
		if err != nil || len(dead) != 1 || dead[0].Tries != 25 || time.Since(dead[0].Since).Abs() > time.Hour || len(ran) != 0 {
			t.Fatalf("%+v, %v, ran %d times", dead, err, len(ran))
		}
		if other, err := q.Dead(t.Context(), "other"); err != nil || len(other) != 0 {
			t.Errorf("%+v, %v", other, err)
		}
		if _, err := q.Revive(t.Context(), dead[0].ID); err != nil {
			t.Fatal(err)
		}
		within(t, ran)
		empty(t, q)
	})
}

// lines is a log that many write.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// hostile is what a tenant may call something.
const hostile = "name\nlevel=INFO msg=forged\r\x1b[31mred\u202eevil\u2028next\x00\u009b2J"

// Each job is one line, and what a tenant wrote into its error stays within it.
func TestOneLineAJob(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var log lines
		q := open(t, d, jobs.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		q.Handle("good", func(context.Context, jobs.Job) error { return nil })
		q.Handle("bad", func(context.Context, jobs.Job) error {
			return jobs.Never(problem.Wrap(errors.New("hidden "+hostile), problem.BadInput, "the group %s is gone", hostile))
		})
		q.Handle("last", func(context.Context, jobs.Job) error { return errors.New("no more") })
		q.Handle("panics", func(context.Context, jobs.Job) error { panic("oh " + hostile) })
		reg := prometheus.NewPedanticRegistry()
		q.Metrics(reg)
		for _, kind := range []string{"good", "bad", "last", "panics"} {
			add(t, q, kind, nil, jobs.Add{Tries: 1})
		}
		start(t, q)
		empty(t, q)
		if err := q.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		said := log.String()
		for _, want := range []string{"msg=job kind=good job=", `outcome=done`, `outcome="given up"`, "cause=", "outcome=dead", "outcome=panicked"} {
			if !strings.Contains(said, want) {
				t.Errorf("%s is missing in\n%s", want, said)
			}
		}
		if n := strings.Count(said, " msg=job "); n != 4 {
			t.Errorf("%d lines of 4 jobs", n)
		}
		if i := strings.IndexAny(said, "\r\x1b\x00\u202e\u2028\u009b"); i >= 0 || strings.Contains(said, "\nlevel=INFO msg=forged") {
			t.Errorf("unescaped at %d:\n%q", i, said)
		}
		if all, err := q.States(t.Context()); err != nil || all["last"].Dead != 1 || all["bad"].GivenUp != 1 || all["good"].Kind != "" {
			t.Errorf("%+v, %v", all, err)
		}
		if n, err := testutil.GatherAndCount(reg, "partnerguard_jobs_ended_total"); err != nil || n != 4 {
			t.Errorf("%d series, %v", n, err)
		}
		if err := testutil.GatherAndCompare(reg, strings.NewReader("# HELP partnerguard_jobs_dead "+
			"Jobs that failed for the last time, within a week, by kind.\n# TYPE partnerguard_jobs_dead gauge\n"+
			"partnerguard_jobs_dead{kind=\"bad\"} 0\npartnerguard_jobs_dead{kind=\"last\"} 1\npartnerguard_jobs_dead{kind=\"panics\"} 1\n"),
			"partnerguard_jobs_dead"); err != nil {
			t.Error(err)
		}
	})
}
