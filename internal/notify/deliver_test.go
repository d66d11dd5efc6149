package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/jobs"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
)

// working is an outbox whose messages are delivered by jobs of this process.
func working(t *testing.T, d *db.DB, o *notify.Outbox) {
	t.Helper()
	q, err := jobs.Open(t.Context(), d, jobs.Options{Poll: 20 * time.Millisecond, Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Jobs(q); err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
		defer stop()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// until waits until the only delivery of a message stands as it should.
func until(t *testing.T, o *notify.Outbox, message, state string) notify.Delivery {
	t.Helper()
	var last []notify.Delivery
	for range 400 {
		list, err := o.History(t.Context(), notify.HistoryOf{Message: message})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 && list[0].State == state {
			return list[0]
		}
		last = list
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("it is not %s: %+v", state, last)
	return notify.Delivery{}
}

// TestDelivery: tried again, later each time; every attempt is kept with its answer; what
// is given up is a dead letter that can be revived, and an entry of the trail.
func TestDelivery(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var fails atomic.Int64
		fails.Store(2)
		r := receive(t, func(w http.ResponseWriter, _ *http.Request) {
			if fails.Add(-1) >= 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		trail := &audittest.Recorder{}
		o, err := notify.New(notify.Deps{DB: d, Now: time.Now, Record: trail, Config: &notify.Config{Channels: []notify.Setting{
			{Name: "soc", Webhook: r.URL, Private: true, Secret: kept(t, reference)}}}})
		if err != nil {
			t.Fatal(err)
		}
		o.Wait(10*time.Millisecond, 20*time.Millisecond, 30*time.Millisecond)
		working(t, d, o)
		m := alarm()
		undone := errors.New("undone")
		if err := d.InTx(t.Context(), func(ctx context.Context) error {
			gone := *m
			gone.ID = "m-undone"
			if err := o.Put(ctx, &gone, "soc"); err != nil {
				t.Error(err)
			}
			return undone
		}); !errors.Is(err, undone) {
			t.Fatal(err)
		}
		for range 2 { // the same message twice is one
			if err := o.Put(t.Context(), m, "soc", "soc"); err != nil {
				t.Fatal(err)
			}
		}
		got := until(t, o, "m-1", "sent")
		if len(got.Attempts) != 3 || got.Attempts[0].Outcome != "failed" || got.Attempts[0].Status != "503" || got.Attempts[0].Fix == "" ||
			got.Attempts[2].Outcome != "sent" || got.Attempts[2].Status != "200" || got.Tries != 3 {
			t.Errorf("%+v", got)
		}
		r.mu.Lock()
		for _, h := range r.heads {
			if h.Get("webhook-id") != "m-1" {
				t.Error("another id", h)
			}
		}
		r.mu.Unlock()
		if _, err := o.Deliver(t.Context(), "m-1", "soc"); err != nil || len(until(t, o, "m-1", "sent").Attempts) != 3 {
			t.Error("what was sent is sent again", err)
		}
		fails.Store(100)
		m.ID = "m-2"
		if err := o.Put(t.Context(), m, "soc"); err != nil {
			t.Fatal(err)
		}
		if got := until(t, o, "m-2", "dead"); len(got.Attempts) != 4 {
			t.Errorf("%+v", got)
		}
		if e := trail.Of(audit.NotifyGivenUp); len(e) != 1 || e[0].Object != "m-2" {
			t.Error(e)
		}
		if list, err := o.Channels(t.Context()); err != nil || list[0].Dead != 1 {
			t.Error(list, err)
		}
		fails.Store(0)
		if n, err := o.Revive(t.Context(), "", "soc", "local:ana"); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		time.Sleep(500 * time.Millisecond) // its job may just be ending, and keeps a second one away: then the sweep adds it
		if err := o.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := until(t, o, "m-2", "sent"); len(got.Attempts) != 5 {
			t.Errorf("%+v", got)
		}
		if n, err := o.Revive(t.Context(), "", "", "local:ana"); n != 0 || err != nil {
			t.Error(n, err)
		}
		m.ID = "m-3"
		if err := o.Put(t.Context(), m, "nowhere"); err != nil {
			t.Fatal(err)
		}
		if got := until(t, o, "m-3", "dead"); !strings.Contains(got.Attempts[0].Words, "no channel is called") {
			t.Errorf("%+v", got)
		}
		if list, _ := o.History(t.Context(), notify.HistoryOf{Message: "m-undone"}); len(list) != 0 {
			t.Error("what was undone is kept", list)
		}
	})
}

// TestSweep: a delivery whose job is nowhere, as after a restore, is found.
func TestSweep(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := receive(t, nil)
		set := notify.Setting{Name: "soc", Webhook: r.URL, Private: true, Secret: kept(t, reference)}
		o := outbox(t, d, set)
		if err := o.Put(t.Context(), alarm(), "soc"); err != nil { // no queue yet: no job
			t.Fatal(err)
		}
		working(t, d, o)
		until(t, o, "m-1", "sent") // the sweep runs when it starts
	})
}

// TestOfTests: what came of a test is in the history; one that failed is no dead letter,
// and nothing sends it again.
func TestOfTests(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := receive(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
		o := outbox(t, d, notify.Setting{Name: "soc", Webhook: r.URL, Private: true, Secret: kept(t, reference)})
		got, err := o.Test(t.Context(), "soc", notify.Urgent)
		if err != nil || got.OK || got.Attempt.Status != "404" || got.Attempt.Fix == "" || got.Kind != "webhook" {
			t.Fatal(got, err)
		}
		list, err := o.History(t.Context(), notify.HistoryOf{})
		if err != nil || len(list) != 1 || !list[0].Test || len(list[0].Attempts) != 1 || list[0].Attempts[0].Status != "404" {
			t.Error(list, err)
		}
		if list, err := o.Channels(t.Context()); err != nil || list[0].Dead != 0 || list[0].Waiting != 0 || list[0].Last == nil {
			t.Error(list, err)
		}
		if n, err := o.Revive(t.Context(), "", "", "x"); n != 0 || err != nil {
			t.Error(n, err)
		}
		if _, err := o.Test(t.Context(), "nowhere", notify.Urgent); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
	})
}

const childEnv = "PARTNERGUARD_NOTIFY_CHILD"

// spec is what a process that delivers is told.
type spec struct{ DB, URL, Secret string }

// TestMain lets this program be started again as a process that delivers, to be killed.
func TestMain(m *testing.M) {
	if raw := os.Getenv(childEnv); raw != "" {
		fmt.Fprintln(os.Stderr, deliverChild(raw))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func deliverChild(raw string) error {
	var s spec
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return err
	}
	ctx := context.Background()
	d, err := db.Open(ctx, s.DB)
	if err != nil {
		return err
	}
	o, err := notify.New(notify.Deps{DB: d, Now: time.Now, Config: &notify.Config{Channels: []notify.Setting{
		{Name: "soc", Webhook: s.URL, Private: true, Secret: s.Secret}}}})
	if err != nil {
		return err
	}
	q, err := jobs.Open(ctx, d, jobs.Options{Poll: 20 * time.Millisecond, Alone: true})
	if err != nil {
		return err
	}
	if err := o.Jobs(q); err != nil {
		return err
	}
	if err := q.Start(ctx); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	return errors.New("nobody killed it")
}

// TestKilled: a process that is killed while a receiver has the message, and has not
// answered, loses nothing: the next one sends it again with the same id, and the history
// has an attempt of which nobody knows how it ended.
func TestKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pg.db")
	d, err := db.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	came := make(chan string, 10)
	var answers atomic.Bool
	r := receive(t, func(w http.ResponseWriter, q *http.Request) {
		came <- q.Header.Get("webhook-id")
		if !answers.Load() {
			<-q.Context().Done()
		}
		_, _ = io.WriteString(w, "ok")
	})
	set := notify.Setting{Name: "soc", Webhook: r.URL, Private: true, Secret: kept(t, reference)}
	o, err := notify.New(notify.Deps{DB: d, Now: time.Now, Config: &notify.Config{Channels: []notify.Setting{set}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Put(t.Context(), alarm(), "soc"); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(spec{path, r.URL, set.Secret})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env, cmd.Stderr = append(os.Environ(), childEnv+"="+string(raw)), os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if id := within(t, came); id != "m-1" {
			t.Error(id)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	answers.Store(true)
	working(t, d, o)
	got := until(t, o, "m-1", "sent")
	if id := within(t, came); id != "m-1" {
		t.Error(id)
	}
	var outcomes []string
	for _, a := range got.Attempts {
		outcomes = append(outcomes, a.Outcome)
	}
	if !slices.Equal(outcomes, []string{"begun", "begun", "sent"}) {
		t.Error(outcomes)
	}
}
