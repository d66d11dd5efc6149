package provider

import (
	"context"
	"errors"
	"time"

	"partnerguard/internal/jobs"
)

const jobUpkeep = "mfa-upkeep"

// Jobs does what is due of our keys, and forgets hints that are over.
func (p *Provider) Jobs(q *jobs.Queue) error {
	q.Handle(jobUpkeep, func(ctx context.Context, _ jobs.Job) error {
		return p.Upkeep(ctx)
	})
	q.Every(15*time.Minute, jobUpkeep, nil)
	return nil
}

// Upkeep does what is due: it rolls our keys by the clock, writes the counts down and
// forgets hints that nobody would take any more.
func (p *Provider) Upkeep(ctx context.Context) error {
	if p.d.Vault == nil || p.d.Record == nil {
		return nil
	}
	return errors.Join(p.upkeep(ctx), p.tally.flush(ctx), p.forget(ctx, p.d.Now()))
}
