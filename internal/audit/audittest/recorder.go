package audittest

import (
	"context"
	"slices"
	"sync"

	"partnerguard/internal/audit"
)

// Recorder remembers events in memory. The zero value is ready for use, by many
// goroutines.
type Recorder struct {
	mu     sync.Mutex
	events []audit.Event
	fails  error
}

// Record keeps e, or fails as [Recorder.Fail] says.
func (r *Recorder) Record(_ context.Context, e audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails != nil {
		return r.fails
	}
	r.events = append(r.events, e)
	return nil
}

// Fail makes every Record fail with err; nil ends it.
func (r *Recorder) Fail(err error) { r.mu.Lock(); defer r.mu.Unlock(); r.fails = err }

// Events are what was recorded, in order.
func (r *Recorder) Events() []audit.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Take gives "action outcome" of what was recorded, sorted, and forgets it.
func (r *Recorder) Take() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		out = append(out, string(e.Action)+" "+string(e.Outcome))
	}
	r.events = nil
	slices.Sort(out)
	return out
}
