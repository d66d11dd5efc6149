package notify_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/notify"
)

// TestOnce: told once, unless the telling came to nothing or is long ago.
func TestOnce(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		told, ctx := notify.NewTold(d), t.Context()
		stop := errors.New("the mail did not go out")
		if err := d.InTx(ctx, func(ctx context.Context) error {
			if fresh, err := told.Once(ctx, "a", at); err != nil || !fresh {
				t.Error(fresh, err)
			}
			return stop
		}); !errors.Is(err, stop) {
			t.Fatal(err)
		}
		for i, want := range []bool{true, false} {
			if fresh, err := told.Once(ctx, "a", at.Add(time.Hour)); err != nil || fresh != want {
				t.Errorf("%d: %v %v", i, fresh, err)
			}
		}
		if fresh, err := told.Once(ctx, "b", at.Add(2*time.Hour)); err != nil || !fresh {
			t.Error(fresh, err)
		}
		if err := told.Forget(ctx, at.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]bool{"a": true, "b": false} {
			if fresh, err := told.Once(ctx, key, at); err != nil || fresh != want {
				t.Errorf("%s, after some were forgotten: %v %v", key, fresh, err)
			}
		}
	})
}
