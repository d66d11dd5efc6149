package jobs

import (
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
)

// A process is gone after so many looks at which it said nothing new, not because much
// time went by while nobody could say anything: the database was away, or this machine
// slept.
func TestGoneByLooks(t *testing.T) {
	t.Parallel()
	const after, looks = 45 * time.Second, 4
	w, now := newWatcher(), time.Now()
	look := func(later time.Duration, beat int64) bool {
		t.Helper()
		now = now.Add(later)
		said := map[string]word{"own": {Beat: 1}, "other": {Beat: beat}}
		gone := w.gone("own", said, nil, now, looks, after)
		if gone["own"] {
			t.Error("a process takes itself for gone")
		}
		return gone["other"]
	}
	for i, step := range []struct {
		later time.Duration
		beat  int64
		gone  bool
	}{
		{0, 5, false}, {10 * time.Second, 6, false},
		{10 * time.Minute, 6, false},                               // the database was away for all
		{10 * time.Second, 7, false},                               // there it is
		{10 * time.Second, 7, false}, {10 * time.Second, 7, false}, // silence
		{10 * time.Second, 7, false}, {10 * time.Second, 7, false}, // enough looks, and not yet the time
		{10 * time.Second, 7, true}, {10 * time.Second, 8, false}, // gone; and it comes again
		{time.Second, 8, false}, {time.Second, 8, false}, {time.Second, 8, false}, {time.Second, 8, false}, {time.Second, 8, false}, // looks alone
	} {
		if got := look(step.later, step.beat); got != step.gone {
			t.Errorf("step %d: gone %v", i, got)
		}
	}
	// One that has a job and never said a word.
	job := []*rivertype.JobRow{{ID: 1, Attempt: 1, AttemptedBy: []string{"before", "nobody"}}}
	for i := range looks + 1 {
		now = now.Add(15 * time.Second)
		if gone := w.gone("own", map[string]word{"own": {Beat: 1}}, job, now, looks, after); gone["nobody"] != (i == looks) || gone["before"] {
			t.Errorf("look %d: %v", i, gone)
		}
	}
}
