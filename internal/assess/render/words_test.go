package render

import (
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		v, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for want, days := range map[string][2]string{
		"14 Oct to 20 Nov 2026":     {"2026-10-14", "2026-11-20"},
		"20 Nov 2026":               {"2026-11-20", "2026-11-20"},
		"13 Mar 2023 to 4 May 2026": {"2023-03-13", "2026-05-04"},
	} {
		if got := span(at(days[0]), at(days[1])); got != want {
			t.Errorf("%v: %q, want %q", days, got, want)
		}
	}
}
