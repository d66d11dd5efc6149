package ledger

import (
	"context"
	"time"

	"partnerguard/internal/jobs"
)

// Jobs forgets what is old, and has the trail say what was refused, also where no gateway
// runs beside this process.
func (l *Ledger) Jobs(q *jobs.Queue) error {
	const kind = "gateway-tidy"
	q.Handle(kind, func(ctx context.Context, _ jobs.Job) error {
		if err := l.Tell(ctx); err != nil {
			return err
		}
		return l.Prune(ctx)
	})
	q.Every(time.Hour, kind, nil)
	return nil
}
