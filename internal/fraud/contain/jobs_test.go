//go:build !judge

package contain

import (
	"context"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/jobs"
)

// TestQueueDoesIt: what was approved is begun by the queue of serve or a worker, with nobody
// at a terminal.
func TestQueueDoesIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.attack()
		p, err := r.Plan(t.Context(), Ask{Alert: "fa-test"})
		r.ok(err)
		run, err := r.Apply(t.Context(), p)
		r.ok(err)
		_, err = r.as("local:ben").Approve(t.Context(), run.ID)
		r.ok(err)
		q, err := jobs.Open(t.Context(), d, jobs.Options{Poll: 20 * time.Millisecond, Alone: true})
		r.ok(err)
		r.ok(r.Jobs(q))
		r.ok(q.Start(t.Context()))
		defer func() {
			ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
			defer stop()
			r.ok(q.Stop(ctx))
		}()
		for end := time.Now().Add(30 * time.Second); r.status(run.ID).Counts[Ready] == len(p.Steps); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("nobody begins")
			}
		}
	})
}
