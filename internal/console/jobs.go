package console

import (
	"context"
	"time"

	"partnerguard/internal/jobs"
)

// sweepEvery is how often what is over is taken away, so that a clock that is set back
// finds nothing to bring back.
const sweepEvery = 5 * time.Minute

// Jobs registers what takes away sessions and links that are over.
func (c *Console) Jobs(q *jobs.Queue) error {
	const kind = "console-sweep"
	q.Handle(kind, func(ctx context.Context, _ jobs.Job) error { return c.sweep(ctx, c.now()) })
	q.Every(sweepEvery, kind, nil)
	return nil
}
