package console

import (
	"context"
	"fmt"
	"sync"
	"time"

	"partnerguard/internal/screen"
)

// needed remembers the numbers beside the pages' names: every page shows those of all
// pages, and counting them takes longer than most pages themselves.
type needed struct {
	mu      sync.Mutex // guards the fields below
	of      map[string]counted
	changed time.Time // by an act
}

// counted are the numbers as one viewer has them. They are shared and never changed.
type counted struct {
	n  map[string]int
	at time.Time // by the monotonic clock
}

// Numbers are a few seconds old at most, and after an act of this process they are new.
const (
	needsFor = 5 * time.Second
	maxNeeds = 1000 // viewers that are remembered
)

// needs counts, for each page that the viewer may see, what waits for a person there.
func (c *Console) needs(ctx context.Context, v *screen.Viewer) map[string]int {
	x := &c.pages.needs
	key := fmt.Sprint(v.Actor, "\x00", v.Role, "\x00", v.Rights, "\x00", v.Customers == nil, v.Customers)
	x.mu.Lock()
	is, known := x.of[key]
	x.mu.Unlock()
	began := time.Now()
	if known && began.Sub(is.at) < needsFor {
		return is.n
	}
	n := map[string]int{}
	for i := range c.pages.Screens {
		if s := &c.pages.Screens[i]; s.Needs != nil && v.May(s.See) {
			n[s.Name] = s.Needs(ctx, v)
		}
	}
	if ctx.Err() != nil { // whoever went away counted nothing
		return n
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.of == nil || len(x.of) >= maxNeeds {
		x.of = map[string]counted{}
	}
	if !x.changed.After(began) {
		x.of[key] = counted{n, began}
	}
	return n
}

// acted forgets the numbers: something was done that may change them.
func (x *needed) acted() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.of, x.changed = nil, time.Now()
}
