package renew

import (
	"context"
	"errors"
	"time"

	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
)

// Kinds of this feature's jobs.
const (
	JobSweep     = "renew-due"    // looks which connections are due
	JobRenew     = "renew"        // renews one
	JobForetell  = "forecast-all" // looks at every connection's end
	JobForecast  = "forecast"     // computes one
	JobWarn      = "warn-dying"   // tells of connections that die soon
	sweepEvery   = time.Minute    // cheap: one indexed query
	foretellEach = 12 * time.Hour // policies change without a renewal
	sweepLimit   = 10_000         // ids at a time
)

type which struct {
	Connection string `json:"connection"`
}

// Jobs gives the queue this feature's handlers and its repeated work.
func (r *Renewer) Jobs(q *jobs.Queue) {
	q.Handle(JobSweep, func(ctx context.Context, _ jobs.Job) error {
		due, err := r.d.Store.Due(ctx, ahead(r.d.Every), sweepLimit)
		if err != nil {
			return err
		}
		return add(ctx, q, JobRenew, due, false)
	})
	q.Handle(JobRenew, func(ctx context.Context, j jobs.Job) error {
		var w which
		if err := j.Read(&w); err != nil {
			return err
		}
		_, err := r.Once(ctx, w.Connection)
		return settle(err)
	})
	q.Handle(JobForetell, func(ctx context.Context, _ jobs.Job) error {
		list, err := r.d.Store.List(ctx)
		if err != nil {
			return err
		}
		var ids []string
		for _, c := range list {
			// One that was renewed lately, or by another process, has a new one.
			if c.Forecast == nil || r.d.Now().Sub(c.Forecast.Computed).Abs() > foretellEach/2 {
				ids = append(ids, c.ID)
			}
		}
		return add(ctx, q, JobForecast, ids, true)
	})
	q.Handle(JobForecast, func(ctx context.Context, j jobs.Job) error {
		var w which
		if err := j.Read(&w); err != nil {
			return err
		}
		_, err := r.Forecast(ctx, w.Connection)
		return settle(err)
	})
	if r.d.Told != nil {
		q.Handle(JobWarn, func(ctx context.Context, _ jobs.Job) error { return r.Warn(ctx) })
		q.Every(time.Hour, JobWarn, nil)
	}
	q.Every(sweepEvery, JobSweep, nil)
	q.Every(foretellEach, JobForetell, nil)
}

// Ask has a connection renewed by a job as soon as a worker is free, due or not. False
// means that one waits or runs already.
func Ask(ctx context.Context, q *jobs.Queue, id string) (bool, error) {
	return q.Add(ctx, JobRenew, which{id}, jobs.Add{Unique: true, Tries: 5})
}

// add adds one unique job a connection.
func add(ctx context.Context, q *jobs.Queue, kind string, ids []string, last bool) error {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = which{id}
	}
	_, err := q.AddAll(ctx, kind, args, jobs.Add{Unique: true, Tries: 5, Last: last})
	return err
}

// settle ends the job of a connection that was removed, or is held back.
func settle(err error) error {
	if isGone(err) || isHeld(err) {
		return nil
	}
	return err
}

// Due renews every connection that is due, one after the other, without a
// queue: for a program that runs once. It says what came of each; ctx ends it.
func (r *Renewer) Due(ctx context.Context, each func(Result)) error {
	due, err := r.d.Store.Due(ctx, ahead(r.d.Every), sweepLimit)
	if err != nil {
		return err
	}
	for _, id := range due {
		res, err := r.Once(ctx, id)
		if err != nil {
			if isGone(err) {
				continue
			}
			return err
		}
		if each != nil {
			each(res)
		}
	}
	return nil
}

func isGone(err error) bool { return errors.Is(err, problem.NotFound) }
