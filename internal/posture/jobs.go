package posture

import (
	"context"

	"partnerguard/internal/jobs"
)

// Jobs registers the job that judges again.
func (s *Store) Jobs(q *jobs.Queue) error {
	q.Handle(jobKind, func(ctx context.Context, j jobs.Job) error {
		var m moment
		if err := j.Read(&m); err != nil {
			return err
		}
		return s.rejudgeOne(ctx, m, j.Attempt >= rejudgeTry)
	})
	return nil
}
