package posture

import (
	"context"

	"partnerguard/internal/jobs"
)

// Jobs registers the job that judges again.
func (s *Store) Jobs(q *jobs.Queue) error {
	q.Handle(jobKind, func(ctx context.Context, j jobs.Job) error {
		var sh share
		if err := j.Read(&sh); err != nil {
			return err
		}
		return s.work(ctx, sh, j.Attempt >= s.tries)
	})
	return nil
}
