package posture_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
)

// TestPeriod: a day has the verdicts that stood at its end, and a day of which nothing is
// known says so.
func TestPeriod(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		begin := monday.Truncate(24 * time.Hour)
		said := func(from, to time.Time) string {
			t.Helper()
			days, err := r.Period(t.Context(), strings.ToUpper(tenant), from, to)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, x := range days {
				out = append(out, fmt.Sprintf("%s %v %s", x.Day[8:], x.Judged, x.Verdicts["mfa-every-user"]))
			}
			return strings.Join(out, ", ")
		}
		if got := said(begin, begin.AddDate(0, 0, 2)); got != "02 false , 03 false " {
			t.Errorf("before anything was judged: %s", got)
		}
		r.keep(good(0))
		r.keep(good(1))
		r.keep(excluded(2))
		r.keep(excluded(5)) // three days later: those between were not judged
		if got := said(begin.AddDate(0, 0, -1), begin.AddDate(0, 0, 6)); got !=
			"01 false , 02 true met, 03 true met, 04 true not_met, 05 true not_met, 06 true not_met, 07 true not_met" {
			t.Errorf("the week: %s", got)
		}
		if got := said(begin.AddDate(0, 0, 1), begin.AddDate(0, 0, 2)); got != "03 true met" {
			t.Errorf("one day: %s", got)
		}
		if got := said(begin, begin); got != "" {
			t.Errorf("no day: %s", got)
		}
		if n := strings.Count(said(begin.AddDate(-5, 0, 0), begin), "false"); n != 800 {
			t.Errorf("%d days of five years", n)
		}
	})
}
