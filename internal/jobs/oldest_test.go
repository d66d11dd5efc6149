package jobs

import (
	"testing"

	"partnerguard/internal/db/dbtest"
)

// TestOldestOfAnyForm: a moment that SQLite does not read as one, such as Go writes it with
// its zone, or none at all, keeps nobody from reading the state of the queue.
func TestOldestOfAnyForm(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	if _, err := Open(t.Context(), d, Options{}); err != nil {
		t.Fatal(err)
	}
	for i, at := range []string{"2026-11-30 00:15:11.932 +0000 UTC", "2026-11-30T00:15:11.932123456Z", "2026-11-30 00:15:11", "", "soon"} {
		kind := "k" + string(rune('a'+i))
		if _, err := d.ExecContext(t.Context(), "INSERT INTO river_job (kind, max_attempts, scheduled_at) VALUES ($1, 1, $2)", kind, at); err != nil {
			t.Fatal(err)
		}
		all, err := Look(t.Context(), d)
		if err != nil || all[kind].Waiting != 1 {
			t.Errorf("%q: %+v %v", at, all[kind], err)
		}
	}
}
