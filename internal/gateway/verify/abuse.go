package verify

import (
	"net/netip"
	"sync"
)

// abuse counts bad signatures by address, an IPv6 one by its /64. When more addresses
// than [maxAddresses] have some in one minute, the others are not counted: what bounds
// them then is how many signatures are verified at a time.
type abuse struct {
	mu     sync.Mutex // guards the rest
	minute int64
	count  map[netip.Addr]int
}

const maxAddresses = 16384

func block(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// forgives says whether an address may have one more signature verified.
func (a *abuse) forgives(from netip.Addr, now int64, most int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn(now)
	return len(a.count) == 0 || a.count[block(from)] < most
}

// bad counts a bad signature.
func (a *abuse) bad(from netip.Addr, now int64) {
	from = block(from)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn(now)
	if a.count[from] > 0 || len(a.count) < maxAddresses {
		if a.count == nil {
			a.count = map[netip.Addr]int{}
		}
		a.count[from]++
	}
}

// turn begins a new minute.
func (a *abuse) turn(now int64) {
	if m := now / 60; m != a.minute {
		a.minute = m
		a.count = nil
	}
}
