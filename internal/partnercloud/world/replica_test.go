package world

import (
	"encoding/json"
	"testing"
	"time"
)

// TestReplication: readers see the form before for a time, of what is made nothing; without a
// delay everything at once.
func TestReplication(t *testing.T) {
	t.Parallel()
	clock := NewClock(nil)
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	clock.Restore(0, at)
	w := New(1, clock)
	if err := w.Do(func(s *State) error {
		now, later := clock.Now(), clock.Now().Add(time.Hour)
		made := &Document{ID: "a", Raw: json.RawMessage(`1`)}
		s.Replicate(made, nil)
		if made.Seen(now) != made {
			t.Error("without a delay it is not seen at once")
		}
		s.Replication = time.Hour
		s.Replicate(made, nil)
		next := *made
		next.Raw = json.RawMessage(`2`)
		s.Replicate(&next, made)
		if made.Seen(now) != nil || next.Seen(now) != nil || string(next.Seen(later).Raw) != "2" {
			t.Error("what was made is seen at once, or never")
		}
		made.Late = nil
		s.Replicate(&next, made)
		third := next
		third.Raw = json.RawMessage(`3`)
		s.Replicate(&third, &next)
		if string(third.Seen(now).Raw) != "1" || string(third.Seen(later).Raw) != "3" || third.Late.Shows.Before(now.Add(15*time.Minute)) {
			t.Errorf("it is seen as %s, and %s", third.Seen(now).Raw, third.Seen(later).Raw)
		}
		g := &Group{ID: "g", Members: []string{"x"}}
		s.ReplicateGroup(g, false, g.Members)
		g.Members = []string{"x", "y"}
		if len(g.SeenMembers(now)) != 1 || len(g.SeenMembers(later)) != 2 || g.Late.New {
			t.Error("members are seen at once, or never")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
