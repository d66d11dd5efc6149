//go:build !judge

package archive

import (
	"context"
	"time"

	"partnerguard/internal/jobs"
)

// Jobs registers what the archive does by itself: putting away what interrupted
// writes left, and what its policy no longer keeps.
func (a *Archive) Jobs(q *jobs.Queue) error {
	q.Handle("archive-clean", func(ctx context.Context, _ jobs.Job) error {
		_, err := a.Clean(ctx)
		return err
	})
	q.Every(time.Hour, "archive-clean", nil)
	q.Handle("archive-retain", func(ctx context.Context, _ jobs.Job) error {
		n, err := a.Retain(ctx)
		if n > 0 {
			a.Log.InfoContext(ctx, "segments were removed by policy", "segments", n, "policy", a.Config.Keep)
		}
		return err
	})
	q.Every(24*time.Hour, "archive-retain", nil)
	return nil
}
