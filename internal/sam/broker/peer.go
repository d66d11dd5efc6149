package broker

import (
	"net"
	"net/netip"
	"sync"
)

// peerKey carries a connection's *peer in its requests' context.
type peerKey struct{}

// peers finds out whose processes the connections of one listener come from,
// where the system tells. The table of connections is read once for all that
// came before the reading began, so that many at once cost one reading.
type peers struct {
	local netip.AddrPort
	user  int // whose processes are answered

	mu     sync.Mutex // guards the rest, and makes readings follow each other
	number int64      // of the newest connection
	seen   int64      // connections up to this one were there when owners was read
	owners map[netip.AddrPort]int
	failed bool // the system does not tell
}

// peer is the other end of a connection.
type peer struct {
	of     *peers
	remote netip.AddrPort
	number int64
	once   sync.Once
	ok     bool
}

func newPeers(local net.Addr) *peers {
	return &peers{local: addrPort(local), user: ownUser()}
}

func addrPort(a net.Addr) netip.AddrPort {
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// came notes a connection. A nil receiver checks nobody.
func (s *peers) came(remote net.Addr) *peer {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	return &peer{of: s, remote: addrPort(remote), number: s.number}
}

// own says whether the other end is a process of the user that is answered. Where the
// system does not tell, the header alone must do, and it is true. It does not
// ask whether the process is the child or came from it: an inherited or passed
// connection, and a double fork, would make that no proof.
func (p *peer) own() bool {
	p.once.Do(func() { p.ok = p.of.check(p) })
	return p.ok
}

func (s *peers) check(p *peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed {
		return true
	}
	if s.seen < p.number {
		now := s.number
		owners, ok := connectionOwners(s.local)
		if !ok {
			s.failed = true
			return true
		}
		s.owners, s.seen = owners, now
	}
	uid, found := s.owners[p.remote]
	return found && uid == s.user
}
