//go:build !judge

package archive

import (
	"context"
	"time"

	"partnerguard/internal/jobs"
)

// Jobs registers what the archive does by itself: putting away what interrupted
// writes left.
func (a *Archive) Jobs(q *jobs.Queue) error {
	q.Handle("archive.clean", func(ctx context.Context, _ jobs.Job) error {
		_, err := a.Clean(ctx)
		return err
	})
	q.Every(time.Hour, "archive.clean", nil)
	return nil
}
