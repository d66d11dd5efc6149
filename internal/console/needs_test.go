package console_test

import (
	"context"
	"net/url"
	"testing"

	"partnerguard/internal/screen"
)

// TestNeeds: the numbers beside the pages' names are counted once for several pages of a
// viewer, for each viewer, and anew after an act.
func TestNeeds(t *testing.T) {
	t.Parallel()
	counted := map[string]int{}
	var got url.Values
	s := acted(&got)
	s.Group, s.Needs = screen.Posture, func(_ context.Context, v *screen.Viewer) int {
		counted[v.Actor]++
		return 41 + counted[v.Actor]
	}
	r := shown(t, s)
	b := r.browser()
	b.byLink()
	for range 3 {
		b.get("/desk")
		b.is(200, "Desk 42")
	}
	for actor, n := range counted {
		if n != 1 {
			t.Errorf("counted %d times for three pages of %s", n, actor)
		}
	}
	b.post("/desk/ring", url.Values{"form": {b.form()}})
	b.leads("/desk")
	b.get("/desk")
	b.is(200, "Desk 43")
}
