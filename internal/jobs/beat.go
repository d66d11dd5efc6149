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
	beat int64
	at   time.Time // when that was new, monotonic
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

// watch keeps saying that this process is there, and takes up what processes that
// say nothing more have left. The timers are monotonic.
func (q *Queue) watch(ctx context.Context) {
	known := map[string]heard{}
	t := time.NewTicker(q.o.Beat)
	defer t.Stop()
	for {
		err := q.beat(ctx)
		if err == nil {
			err = q.takeUp(ctx, known, time.Now(), q.o.Dead)
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
// that was only held up may still be at them: handlers bear being repeated.
func (q *Queue) takeUp(ctx context.Context, known map[string]heard, now time.Time, after time.Duration) error {
	said, err := said(ctx, q.d)
	if err != nil {
		return err
	}
	running, err := q.running1000(ctx)
	if err != nil {
		return err
	}
	for _, j := range running {
		if id := whose(j); said[id].Beat == 0 { // it never said a word, or said goodbye
			said[id] = word{Beat: -1}
		}
	}
	for id, w := range said {
		was, ok := known[id]
		if !ok || was.beat != w.Beat {
			known[id] = heard{w.Beat, now}
		}
	}
	gone := map[string]bool{}
	for id, h := range known {
		if _, there := said[id]; !there {
			delete(known, id)
		} else if id != q.id && now.Sub(h.at) >= after {
			gone[id] = true
		}
	}
	for _, j := range running {
		// The last try is left to River, which ends it for good after its time.
		if !gone[whose(j)] || j.Attempt >= j.MaxAttempts {
			continue
		}
		res, err := q.d.ExecContext(ctx, takeJob, j.ID, j.Attempt)
		if err != nil {
			return fmt.Errorf("take up job %d: %w", j.ID, err)
		}
		if n, err := res.RowsAffected(); err == nil && n > 0 {
			q.o.Log.WarnContext(ctx, "a job is taken up whose process ended", "kind", j.Kind, "job", j.ID, "attempt", j.Attempt)
		}
	}
	for id := range gone {
		if _, err := q.d.ExecContext(ctx, endBeat, id); err != nil {
			return err
		}
	}
	return nil
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
