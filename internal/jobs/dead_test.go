package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/jobs"
)

// A job that failed for the last time, or was given up, is listed with its words, and
// runs again when it is revived; a unique one takes no second place.
func TestDead(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, ran := open(t, d, jobs.Options{}), make(chan int, 9)
		var mended atomic.Bool
		q.Handle("dies", func(_ context.Context, j jobs.Job) error {
			var w what
			if err := j.Read(&w); err != nil || mended.Load() {
				ran <- w.N
				return err
			}
			if w.N == 2 {
				return jobs.Never(errors.New("no use"))
			}
			return errors.New("it does not answer")
		})
		add(t, q, "dies", what{1}, jobs.Add{Unique: true, Tries: 1})
		add(t, q, "dies", what{2}, jobs.Add{})
		start(t, q)
		empty(t, q)
		var dead []jobs.Dead
		for end := time.Now().Add(20 * time.Second); len(dead) < 2 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			var err error
			if dead, err = q.Dead(t.Context(), "dies"); err != nil {
				t.Fatal(err)
			}
		}
		if len(dead) != 2 || !dead[0].GivenUp || !strings.Contains(dead[1].Words, "it does not answer") || dead[1].Tries != 1 || dead[1].Since.IsZero() {
			t.Fatalf("%+v", dead)
		}
		if none, err := q.Dead(t.Context(), "other"); err != nil || len(none) != 0 {
			t.Errorf("%v %v", none, err)
		}
		mended.Store(true)
		if n, err := q.Revive(t.Context(), dead[0].ID, dead[1].ID, 1<<40); err != nil || n != 2 {
			t.Errorf("%d %v", n, err)
		}
		if a, b := within(t, ran), within(t, ran); a+b != 3 {
			t.Errorf("%d and %d ran", a, b)
		}
		empty(t, q)
		if left, err := q.Dead(t.Context(), ""); err != nil || len(left) != 0 {
			t.Errorf("still dead: %+v %v", left, err)
		}
	})
}
