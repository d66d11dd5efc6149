package recommend

import (
	"testing"
	"time"

	"partnerguard/internal/delegation"
)

// A relationship that does not say since when it is active is known by its assignment, or by
// its end and duration.
func TestSince(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		v, err := time.Parse(time.DateOnly, s)
		if s != "" && err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, x := range []struct{ activated, created, end, duration, want string }{
		{"2026-02-01", "2026-03-01", "2028-02-01", "P730D", "2026-02-01"},
		{"", "2026-03-01", "2028-02-01", "P730D", "2026-03-01"},
		{"", "", "2028-01-31", "P730D", "2026-01-31"},
		{"", "", "2028-02-01", "P2Y", "2026-02-01"},
		{"", "", "2026-08-01", "P6M", "2026-02-01"},
		{"", "", "2028-01-31", "730.00:00:00", "2026-01-31"},
		{"", "", "2028-01-31", "", ""},
		{"", "", "2028-01-31", "P", ""},
		{"", "", "2028-01-31", "PT5H", ""},
		{"", "", "2028-01-31", "P99999999999D", ""},
		{"", "", "", "P730D", ""},
	} {
		r := &delegation.Relationship{Activated: at(x.activated), End: at(x.end), Duration: x.duration}
		if got := since(r, &delegation.Assignment{Created: at(x.created)}); !got.Equal(at(x.want)) {
			t.Errorf("%+v: %s", x, got)
		}
	}
}
