package alert

import (
	"context"
	"time"

	"partnerguard/internal/jobs"
)

// jobLook looks what is wrong now.
const (
	jobLook   = "alert-look"
	lookEvery = time.Minute
)

// Jobs has alerts looked for. A route to a channel that is none is an error.
func (s *Store) Jobs(q *jobs.Queue) error {
	if err := s.misrouted(); err != nil {
		return err
	}
	q.Handle(jobLook, func(ctx context.Context, _ jobs.Job) error { return s.Look(ctx) })
	q.Every(lookEvery, jobLook, nil)
	return nil
}
