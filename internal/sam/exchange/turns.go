package exchange

import (
	"context"
	"slices"
	"sync"
)

// turns shares one connection's requests among callers and tenants. Callers
// are served in rounds; of one caller the request that waits longest and whose
// tenant has room. Safe for concurrent use.
type turns struct {
	perTenant int

	mu      sync.Mutex // guards the rest
	free    int
	running map[string]int // by tenant
	line    map[string]*caller
	round   []*caller // callers with somebody waiting
	next    int       // whose round it is
	arrived int64
}

// caller is one caller's waiting requests, by tenant in their order.
type caller struct {
	name    string
	tenants map[string][]*turn
}

type turn struct {
	number int64
	ready  chan struct{}
}

func newTurns(concurrent, perTenant int) *turns {
	return &turns{perTenant: perTenant, free: concurrent, running: map[string]int{}, line: map[string]*caller{}}
}

// take waits for a turn; give ends it.
func (t *turns) take(ctx context.Context, name, tenant string) error {
	t.mu.Lock()
	t.arrived++
	w := &turn{t.arrived, make(chan struct{})}
	c := t.line[name]
	if c == nil {
		c = &caller{name, map[string][]*turn{}}
		t.line[name] = c
		t.round = append(t.round, c)
	}
	c.tenants[tenant] = append(c.tenants[tenant], w)
	t.serve()
	t.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-w.ready: // both at once: pass the turn on
		t.end(tenant)
	default:
		t.leave(c, tenant, w)
	}
	return ctx.Err()
}

func (t *turns) give(tenant string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end(tenant)
}

func (t *turns) end(tenant string) {
	t.free++
	if t.running[tenant]--; t.running[tenant] == 0 {
		delete(t.running, tenant)
	}
	t.serve()
}

// serve gives turns while there are some and somebody may have one.
func (t *turns) serve() {
	for t.free > 0 {
		served := false
		for i := range t.round {
			at := (t.next + i) % len(t.round)
			c := t.round[at]
			tenant, w := c.first(func(tenant string) bool { return t.running[tenant] < t.perTenant })
			if w == nil {
				continue
			}
			t.next = at + 1
			t.free--
			t.running[tenant]++
			t.leave(c, tenant, w)
			close(w.ready)
			served = true
			break
		}
		if !served {
			return
		}
	}
}

// first is the one that waits longest among tenants with room.
func (c *caller) first(room func(tenant string) bool) (tenant string, w *turn) {
	for name, list := range c.tenants {
		if (w == nil || list[0].number < w.number) && room(name) {
			tenant, w = name, list[0]
		}
	}
	return tenant, w
}

// leave takes one out of the line.
func (t *turns) leave(c *caller, tenant string, w *turn) {
	list := c.tenants[tenant]
	if i := slices.Index(list, w); i == 0 {
		list = list[1:]
	} else if i > 0 {
		list = slices.Delete(list, i, i+1)
	}
	if c.tenants[tenant] = list; len(list) > 0 {
		return
	}
	delete(c.tenants, tenant)
	if len(c.tenants) > 0 {
		return
	}
	delete(t.line, c.name)
	if i := slices.Index(t.round, c); i >= 0 {
		t.round = slices.Delete(t.round, i, i+1)
		if t.next > i {
			t.next--
		}
	}
}
