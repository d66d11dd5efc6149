package alert_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/notify"
)

// TestFlood: ten thousand causes are not ten thousand alerts or messages; what is left out
// is said, and what still is wrong is never told as over, in whatever order a source has it.
func TestFlood(t *testing.T) {
	t.Parallel()
	b := newBench(t, dbtest.SQLite(t), alert.Route{To: []string{"team"}})
	for i := range 10_000 {
		b.found = append(b.found, alert.Finding{Key: fmt.Sprintf("k%05d", i), Kind: alert.Jobs, Severity: notify.Warning, Title: fmt.Sprintf("cause %05d", i)})
	}
	b.look()
	b.after(3 * time.Minute)
	if got := b.said(); len(got) != 1 {
		t.Errorf("%d messages: %q", len(got), got)
	}
	open := func() (list []alert.Alert, more int) {
		list, err := b.s.List(t.Context(), alert.Listing{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			if strings.HasPrefix(list[i].Key, "more:") {
				more = list[i].Count
			}
		}
		return list, more
	}
	if list, more := open(); len(list) != 501 || more != 9500 {
		t.Errorf("%d open, and %d more are said", len(list), more)
	}
	slices.Reverse(b.found)
	b.after(time.Minute)
	first := func(a alert.Alert) bool { return a.Key == "k00000" }
	if list, more := open(); len(list) != 501 || more != 9500 || !slices.ContainsFunc(list, first) {
		t.Errorf("in another order: %d open, and %d more are said", len(list), more)
	}
	for _, said := range b.said() {
		if strings.Contains(said, "over") || strings.Contains(said, "esolved") {
			t.Errorf("nothing is over: %s", said)
		}
	}
	b.found = b.found[9_900:] // the first hundred are left
	b.after(time.Minute)
	if list, more := open(); len(list) != 100 || more != 0 {
		t.Errorf("mended but for a hundred: %d open, %d more", len(list), more)
	}
}
