package session

import (
	"strconv"
	"testing"
	"time"
)

// TestOnce: however many sign-ins somebody begins, others still come in; and an id of a
// logout token never counts twice.
func TestOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
	until := now.Add(time.Hour)
	states, jtis := once{anew: true}, once{}
	for i := range maxOnce + 10 {
		s := strconv.Itoa(i)
		if !states.first(s, now, until) {
			t.Fatalf("sign-in %d is kept out by those before", i)
		}
		if jtis.first(s, now, until) != (i < maxOnce) {
			t.Fatalf("id %d", i)
		}
	}
	if len(states.list) > maxOnce || len(jtis.list) > maxOnce {
		t.Errorf("%d and %d are kept", len(states.list), len(jtis.list))
	}
	if states.first(strconv.Itoa(maxOnce+9), now, until) || jtis.first("5", now, until) {
		t.Error("what came before is first")
	}
}
