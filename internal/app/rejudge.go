//go:build !judge

package app

import (
	"context"
	"time"

	"partnerguard/internal/jobs"
	"partnerguard/internal/partner"
	"partnerguard/internal/posture"
)

// Working is how a judging again is worked.
type Working struct {
	Here     bool // jobs are worked in this process, until the run is done
	Workers  int
	Progress func(done, total int64)
}

// Rejudge begins a judging again, or goes on with run, and gives its id. Where it is
// worked here it returns once all moments are done or dead; when ctx ends they stay
// in the queue.
func (i *Installation) Rejudge(ctx context.Context, o posture.RejudgeOf, run string, w Working) (string, error) {
	q, err := jobs.Open(ctx, i.DB, jobs.Options{Log: i.Log, Workers: w.Workers, BulkOnly: true, Poll: 200 * time.Millisecond, Timeout: 30 * time.Minute})
	if err != nil {
		return "", err
	}
	o.Book, o.Program, o.Actor = partner.Revised.Format(time.DateOnly), "partnerguard "+Program().String(), i.Actor
	if run == "" {
		r, err := i.Posture.Begin(ctx, q, o)
		if err != nil {
			return "", err
		}
		run = r.ID
	} else if err := i.Posture.ResumeRun(ctx, q, run); err != nil {
		return "", err
	}
	if !w.Here {
		return run, nil
	}
	if err := i.Posture.Jobs(q); err != nil {
		return run, err
	}
	if err := q.Start(ctx); err != nil {
		return run, err
	}
	err = i.Posture.Await(ctx, q, run, w.Progress)
	ending, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer stop()
	if serr := q.Stop(ending); err == nil {
		err = serr
	}
	return run, err
}
