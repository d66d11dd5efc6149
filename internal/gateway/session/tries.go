package session

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of codes that Entra ID did not take.
const (
	maxTries     = 20 // of one address a minute
	maxAddresses = 10_000
)

// tries counts, by address, an IPv6 one by its /64, the codes that Entra ID did not take.
// Anybody can bring one, and Entra ID holds each against the app that asks: soon nobody
// would sign in.
type tries struct {
	mu     sync.Mutex // guards the rest
	minute int64
	count  map[netip.Addr]int
}

func addressOf(remote string) netip.Addr {
	at, _ := netip.ParseAddrPort(remote)
	a := at.Addr().Unmap().WithZone("")
	if p, err := a.Prefix(64); err == nil && a.Is6() {
		return p.Addr()
	}
	return a
}

// shared says that an address may be many people's: a proxy's in front that nobody told us
// of. To count there would let one keep out all.
func shared(a netip.Addr) bool {
	return !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}

// may says whether an address may bring one more.
func (t *tries) may(remote string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(now)
	return t.count[addressOf(remote)] < maxTries
}

// failed counts one that was not taken. Of more addresses than are counted none is: there
// are other doors to keep so many out.
func (t *tries) failed(remote string, now time.Time) {
	a := addressOf(remote)
	if shared(a) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(now)
	if t.count[a] > 0 || len(t.count) < maxAddresses {
		t.count[a]++
	}
}

// turn begins a new minute.
func (t *tries) turn(now time.Time) {
	if m := now.Unix() / 60; m != t.minute || t.count == nil {
		t.minute, t.count = m, map[netip.Addr]int{}
	}
}
