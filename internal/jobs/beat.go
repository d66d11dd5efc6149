package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"partnerguard/internal/db"
	"partnerguard/internal/observe"
	"partnerguard/internal/token"
)

// Worker is a process that works a queue, by its own word.
type Worker struct {
	ID   string    `json:"id"`
	Host string    `json:"host"`
	PID  int       `json:"pid"`
	Seen time.Time `json:"seen"` // by its own clock
}

// word is what a process says each time. The number goes up, so that others see it
// live without trusting anybody's clock.
type word struct {
	Host string `json:"host"`
	PID  int    `json:"pid"`
	Seen int64  `json:"seen"` // db.Micros
	Beat int64  `json:"beat"`
}

// heard is what one process knows of another.
type heard struct {
	beat  int64
	at    time.Time // when that was new, monotonic
	looks int       // since then
}

func newID() string { return token.ID("w") }

// beat says that this process is there.
func (q *Queue) beat(ctx context.Context) error {
	host, _ := os.Hostname()
	q.beats++
	raw, err := json.Marshal(word{Host: observe.Text(host), PID: os.Getpid(), Seen: db.Micros(q.now()), Beat: q.beats})
	if err != nil {
		return err
	}
	_, err = q.d.ExecContext(ctx, sayBeat, q.id, string(raw))
	return err
}

// Workers are the processes that say they work this queue, in no order. One that was
// killed is among them for a minute.
func (q *Queue) Workers(ctx context.Context) ([]Worker, error) { return workers(ctx, q.d) }

// Working is Workers of a database, without a queue of one's own.
func Working(ctx context.Context, d *db.DB) ([]Worker, error) {
	if has, err := d.HasTable(ctx, "river_client"); err != nil || !has {
		return nil, err
	}
	return workers(ctx, d)
}

func workers(ctx context.Context, d *db.DB) ([]Worker, error) {
	all, err := said(ctx, d)
	if err != nil {
		return nil, err
	}
	list := []Worker{}
	for id, w := range all {
		list = append(list, Worker{id, w.Host, w.PID, db.Time(w.Seen)})
	}
	return list, nil
}

func said(ctx context.Context, d *db.DB) (map[string]word, error) {
	rows, err := d.QueryContext(ctx, listBeats)
	if err != nil {
		return nil, fmt.Errorf("read the workers: %w", err)
	}
	defer rows.Close()
	all := map[string]word{}
	for rows.Next() {
		var id, raw string
		if err := rows.Scan(&id, &raw); err != nil {
			return nil, err
		}
		var w word
		if json.Unmarshal([]byte(raw), &w) != nil {
			w = word{Beat: -1}
		}
		all[id] = w
	}
	return all, rows.Err()
}

// watcher is what one process knows of the others, and of its own jobs.
type watcher struct {
	known map[string]heard
	lost  map[attempt]heard
}

// attempt is one try of a job.
type attempt struct {
	job int64
	n   int
}

func newWatcher() *watcher { return &watcher{map[string]heard{}, map[attempt]heard{}} }

// watch keeps saying that this process is there, and takes up what processes that
// say nothing more have left. The timers are monotonic.
func (q *Queue) watch(ctx context.Context) {
	w := newWatcher()
	t := time.NewTicker(q.o.Beat)
	defer t.Stop()
	for {
		err := q.beat(ctx)
		if err == nil {
			err = q.takeUp(ctx, w, time.Now(), q.o.Dead)
		}
		if err != nil && ctx.Err() == nil {
			q.o.Log.WarnContext(ctx, "the other workers were not looked at", "error", err)
		}
		select {
		case <-ctx.Done():
			bye, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			_, _ = q.d.ExecContext(bye, endBeat, q.id)
			stop()
			return
		case <-t.C:
		}
	}
}

// takeUp makes the jobs runnable whose process has said nothing for so long. One
// that was only held up may still be at them: handlers bear being repeated. It also
// takes up what this process did and could not write down, as the database was away:
// the library gives that up after some seconds.
func (q *Queue) takeUp(ctx context.Context, w *watcher, now time.Time, after time.Duration) error {
	said, err := said(ctx, q.d)
	if err != nil {
		return err
	}
	running, err := q.running1000(ctx)
	if err != nil {
		return err
	}
	looks := int(after / q.o.Beat)
	gone := w.gone(q.id, said, running, now, looks, after)
	lost := w.lostOnes(q, running, now, 2*looks, 2*after)
	for _, j := range running {
		why := "its process ended"
		if lost[j.ID] {
			why = "its end could not be written down"
		} else if !gone[whose(j)] {
			continue
		}
		take, then := takeJob, "it waits again"
		if j.Attempt >= j.MaxAttempts { // it may be what kills processes
			take, then = buryJob, "it was its last try"
		}
		res, err := q.d.ExecContext(ctx, take, j.ID, j.Attempt)
		if err != nil {
			return fmt.Errorf("take up job %d: %w", j.ID, err)
		}
		if n, err := res.RowsAffected(); err == nil && n > 0 {
			q.o.Log.WarnContext(ctx, "a job is taken up", "because", why, "then", then, "kind", j.Kind, "job", j.ID, "attempt", j.Attempt)
		}
	}
	for id := range gone {
		if _, err := q.d.ExecContext(ctx, endBeat, id); err != nil {
			return err
		}
	}
	return nil
}

// gone are the processes that said nothing new for so long and so many looks. Looks
// count because nobody says anything while the database is away.
func (w *watcher) gone(own string, said map[string]word, running []*rivertype.JobRow, now time.Time, looks int, after time.Duration) map[string]bool {
	for _, j := range running {
		if id := whose(j); said[id].Beat == 0 { // it never said a word, or said goodbye
			said[id] = word{Beat: -1}
		}
	}
	for id := range w.known {
		if _, there := said[id]; !there {
			delete(w.known, id)
		}
	}
	gone := map[string]bool{}
	for id, says := range said {
		h, ok := w.known[id]
		if !ok || h.beat != says.Beat {
			h = heard{beat: says.Beat, at: now}
		} else {
			h.looks++
		}
		w.known[id] = h
		gone[id] = id != own && h.looks >= looks && now.Sub(h.at) >= after
	}
	for id, is := range gone {
		if !is {
			delete(gone, id)
		}
	}
	return gone
}

// lostOnes are the jobs that run by the database's word, and not in this process,
// whose they are.
func (w *watcher) lostOnes(q *Queue, running []*rivertype.JobRow, now time.Time, looks int, after time.Duration) map[int64]bool {
	next, lost := map[attempt]heard{}, map[int64]bool{}
	for _, j := range running {
		if _, here := q.under.Load(j.ID); here || whose(j) != q.id {
			continue
		}
		key := attempt{j.ID, j.Attempt}
		h, ok := w.lost[key]
		if !ok {
			h.at = now
		}
		h.looks++
		next[key] = h
		lost[j.ID] = h.looks > looks && now.Sub(h.at) >= after
	}
	w.lost = next
	return lost
}

// whose is the process that has a running job.
func whose(j *rivertype.JobRow) string {
	if n := len(j.AttemptedBy); n > 0 {
		return j.AttemptedBy[n-1]
	}
	return ""
}

// running1000 are jobs that run, the oldest first.
func (q *Queue) running1000(ctx context.Context) ([]*rivertype.JobRow, error) {
	const most = 1000
	res, err := q.adder.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateRunning).First(most))
	if err != nil {
		return nil, fmt.Errorf("list what runs: %w", err)
	}
	return res.Jobs, nil
}
