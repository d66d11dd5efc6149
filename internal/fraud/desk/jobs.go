//go:build !judge

package desk

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/jobs"
	"partnerguard/internal/observe"
)

// The jobs.
const (
	pullJob  = "fraud-pull"
	ringJob  = "fraud-ring"
	sweepJob = "fraud-sweep"
	judgeJob = "fraud-judge"
)

// sweepEvery is how often answers and clocks are looked at; atOnce how many answers are sent.
const (
	sweepEvery = time.Minute
	atOnce     = 500
)

// rung is what a ring's job carries: the second waits while the first is at work, so that no
// ring is lost to a reading that had begun before it.
type rung struct {
	Again bool `json:"again"`
}

// Jobs has alerts read as often as the settings say and on every ring, and answers sent.
func (d *Desk) Jobs(q *jobs.Queue) error {
	d.mu.Lock()
	d.queue = q
	d.mu.Unlock()
	q.Handle(pullJob, func(ctx context.Context, _ jobs.Job) error { return d.look(ctx, false) })
	q.Handle(ringJob, func(ctx context.Context, j jobs.Job) error {
		var r rung
		if err := j.Read(&r); err != nil {
			return err
		}
		return d.look(ctx, true)
	})
	q.Handle(sweepJob, func(ctx context.Context, _ jobs.Job) error { return d.Sweep(ctx) })
	q.Handle(judgeJob, func(ctx context.Context, _ jobs.Job) error {
		if d.d.Judge == nil || d.d.Marks == nil {
			return nil
		}
		return d.d.Judge(ctx)
	})
	q.Every(d.d.Config.Every, pullJob, nil)
	q.Every(sweepEvery, sweepJob, nil)
	return nil
}

// look reads, and has people told of what is new. After a ring that Graph knows nothing of,
// Partner Center is asked, too: it was the one that rang.
func (d *Desk) look(ctx context.Context, ring bool) error {
	if d.d.Marks == nil || d.d.Cloud == nil {
		return nil
	}
	fresh, turned, err := d.pull(ctx, false)
	if err == nil && ring && len(fresh) == 0 {
		var more int
		fresh, more, err = d.pull(ctx, true)
		turned += more
	}
	if err != nil {
		if ring {
			return err // tried again soon
		}
		d.d.Log.WarnContext(ctx, "fraud alerts were not read", "reason", words(err))
		return nil // the next time comes by itself, and the desk says since when
	}
	if len(fresh) > 0 && d.d.Told != nil {
		if err := d.d.Told(ctx); err != nil {
			return err
		}
	}
	d.mu.Lock()
	q := d.queue
	d.mu.Unlock()
	if len(fresh)+turned > 0 && q != nil && d.d.Judge != nil {
		_, err = q.Add(ctx, judgeJob, nil, jobs.Add{Unique: true, Tries: 3})
	}
	return err
}

// Ring has the alerts read at once.
func (d *Desk) Ring(ctx context.Context) error {
	d.mu.Lock()
	q := d.queue
	d.mu.Unlock()
	if q == nil {
		_, err := d.Pull(ctx)
		return err
	}
	added, err := q.Add(ctx, ringJob, rung{}, jobs.Add{Unique: true, Tries: 5})
	if err == nil && !added {
		_, err = q.Add(ctx, ringJob, rung{Again: true}, jobs.Add{Unique: true, Tries: 5})
	}
	return err
}

// Sweep sends the answers that are due, and has those told who hear of what nobody answers.
func (d *Desk) Sweep(ctx context.Context) error {
	if d.d.Marks == nil {
		return nil
	}
	list, err := d.dueReplies(ctx, d.now(), atOnce)
	if err != nil {
		return err
	}
	for _, id := range list {
		if e := d.Send(ctx, id); e != nil {
			d.d.Log.WarnContext(ctx, "an answer to a fraud alert was not sent yet", "alert", id, "reason", words(e))
		}
	}
	return errors.Join(err, d.escalate(ctx))
}

// escalate tells of groups that nobody reacted to, once a stage.
func (d *Desk) escalate(ctx context.Context) error {
	if d.d.Escalate == nil {
		return nil
	}
	groups, _, err := d.Waiting(ctx)
	if err != nil {
		return err
	}
	for i := range groups {
		if g := &groups[i]; g.Stage < Fresh {
			if err := d.d.Escalate(ctx, g); err != nil {
				return err
			}
		}
	}
	return nil
}

// Metrics are the alerts that wait, and the average.
func (d *Desk) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_fraud_alerts", "Fraud alerts that wait for an answer, by how pressing they are.", "stage",
		func(ctx context.Context) (map[string]float64, error) {
			groups, aged, err := d.Waiting(ctx)
			n := map[string]float64{"fresh": 0, "late": 0, "near": 0, "over": 0, "aged": float64(len(aged))}
			for i := range groups {
				for k := range groups[i].Cases {
					n[groups[i].Cases[k].Stage(d.now()).String()]++
				}
			}
			return n, err
		})
}

// String is the stage in a word.
func (s Stage) String() string {
	switch s {
	case Over:
		return "over"
	case Near:
		return "near"
	case Late:
		return "late"
	}
	return "fresh"
}
