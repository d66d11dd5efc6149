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
	// Each, when set, sees every event, one at a time, after it is remembered; its
	// error is Record's. Set before use.
	Each func(context.Context, audit.Event) error

	mu     sync.Mutex
	events []audit.Event
	fails  error
}

// Record keeps e, or fails as [Recorder.Fail] says.
func (r *Recorder) Record(ctx context.Context, e audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails != nil {
		return r.fails
	}
	r.events = append(r.events, e)
	if r.Each != nil {
		return r.Each(ctx, e)
	}
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

// Of are the events of one action, in order.
func (r *Recorder) Of(a audit.Action) (out []audit.Event) {
	for _, e := range r.Events() {
		if e.Action == a {
			out = append(out, e)
		}
	}
	return out
}

// Actions are the actions of what was recorded, in order.
func (r *Recorder) Actions() (out []string) {
	for _, e := range r.Events() {
		out = append(out, string(e.Action))
	}
	return out
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
