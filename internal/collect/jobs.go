//go:build !judge

package collect

import (
	"context"
	"errors"
	"time"

	"partnerguard/internal/jobs"
	"partnerguard/internal/problem"
)

// The kinds of jobs.
const (
	jobPlan  = "collect-plan"  // finds the tenants of which something is due
	jobRound = "collect-round" // reads one tenant
	jobJudge = "collect-judge" // judges what was read of it
)

// tenantArgs are the arguments of a job of one tenant.
type tenantArgs struct {
	Tenant string `json:"tenant"`
}

// A job's context ends with the queue's own limit; a round ends before, where it is.
const roundFor = 4 * time.Minute

// Jobs gives the queue what is read by itself. Rounds are unique for each tenant:
// while one waits or runs, in whichever process, there is no second.
func (c *Collector) Jobs(q *jobs.Queue) error {
	if c == nil || c.d.Walker == nil {
		return nil
	}
	q.Handle(jobPlan, func(ctx context.Context, _ jobs.Job) error { return c.enqueue(ctx, q) })
	q.Handle(jobRound, func(ctx context.Context, j jobs.Job) error {
		var a tenantArgs
		if err := j.Read(&a); err != nil {
			return err
		}
		return c.work(ctx, q, a.Tenant)
	})
	q.Handle(jobJudge, func(ctx context.Context, j jobs.Job) error {
		var a tenantArgs
		if err := j.Read(&a); err != nil {
			return err
		}
		if c.d.Judged == nil {
			return nil
		}
		return c.d.Judged(ctx, a.Tenant)
	})
	every := c.d.Config.Every
	if every <= 0 {
		every = time.Minute
	}
	q.Every(every, jobPlan, nil)
	return nil
}

// enqueue adds a round for each tenant of which something is due: the partner's own
// first, then by risk and age.
func (c *Collector) enqueue(ctx context.Context, q *jobs.Queue) error {
	if _, err := c.Meet(ctx); err != nil {
		if errors.Is(err, problem.NotFound) { // nothing is connected yet: nothing to read
			return nil
		}
		return err
	}
	due, err := c.Due(ctx)
	if err != nil {
		return err
	}
	for _, t := range due {
		if _, err := q.Add(ctx, jobRound, tenantArgs{t.ID}, jobs.Add{Unique: true, Last: !t.Partner}); err != nil {
			return err
		}
	}
	return nil
}

// Due are the tenants of which something is due, in the order in which they are read.
func (c *Collector) Due(ctx context.Context) ([]Tenant, error) {
	all, err := c.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	list, err := c.cursors(ctx, "")
	if err != nil {
		return nil, err
	}
	by := map[string]map[string]*cursor{}
	for i := range list {
		t := list[i].tenant
		if by[t] == nil {
			by[t] = map[string]*cursor{}
		}
		by[t][list[i].resource] = &list[i]
	}
	var due []Tenant
	for _, t := range all {
		r := round{c: c, t: t, cursors: by[t.ID]}
		if len(r.due()) > 0 {
			due = append(due, t)
		}
	}
	return due, nil
}

// work is one round as a job.
func (c *Collector) work(ctx context.Context, q *jobs.Queue, tenant string) error {
	r, err := c.Round(ctx, tenant, Ask{Ends: time.Now().Add(roundFor)})
	switch {
	case errors.Is(err, problem.NotFound):
		return nil // it is no customer any more
	case errors.Is(err, ErrBusy):
		return jobs.Later(beating)
	case err != nil:
		return err
	}
	if r.Pages > 0 && !r.Rest {
		if _, err := q.Add(ctx, jobJudge, tenantArgs{tenant}, jobs.Add{Unique: true}); err != nil {
			return err
		}
	}
	if r.Rest {
		return jobs.Later(time.Second)
	}
	return nil
}
