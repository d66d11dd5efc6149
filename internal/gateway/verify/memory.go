package verify

import (
	"encoding/binary"
	"net/netip"
	"time"

	"partnerguard/internal/gateway"
)

// known is what a connection's memory has of its token.
type known struct {
	*entry
	turn uint64 // the serial of the one in which it was verified, and holds
}

// remembered is the longest token that a connection remembers, in bytes.
const remembered = 4 << 10

// Remember implements [gateway.Rememberer]: the token is compared with the one that the
// connection brought last, in a time that does not tell where they differ, since others may
// share the connection. All that is asked of a token in the cache is asked of this one too:
// whether the rules are the same, its key is still there, and it is in time.
func (v *Verifier) Remember(m *gateway.Memory, raw string, from netip.Addr, now time.Time) (*gateway.Identity, gateway.Reason) {
	turn, at := v.turn.Load(), now.Unix()
	k, _ := m.Found.(*known)
	if k != nil && k.entry != nil && k.turn == turn.serial && k.key.usable(at) && alike(m.Token, raw) {
		if !k.hot.Load() {
			k.hot.Store(true)
		}
		return v.warm(turn, k.entry, at)
	}
	e, id, reason := v.verify(turn, raw, from, at)
	switch {
	case reason == gateway.Passed && len(raw) <= remembered:
		if k == nil {
			k = &known{}
			m.Found = k
		}
		m.Token = append(m.Token[:0], raw...)
		k.entry, k.turn = e, turn.serial
	case k != nil:
		k.entry = nil
	}
	return id, reason
}

// alike compares two tokens in a time that depends on their lengths alone.
func alike(a []byte, b string) bool {
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	other, n, differ := view(b), 0, uint64(0)
	for ; n+32 <= len(a); n += 32 {
		x, y := a[n:n+32:n+32], other[n:n+32:n+32]
		differ |= binary.LittleEndian.Uint64(x) ^ binary.LittleEndian.Uint64(y)
		differ |= binary.LittleEndian.Uint64(x[8:]) ^ binary.LittleEndian.Uint64(y[8:])
		differ |= binary.LittleEndian.Uint64(x[16:]) ^ binary.LittleEndian.Uint64(y[16:])
		differ |= binary.LittleEndian.Uint64(x[24:]) ^ binary.LittleEndian.Uint64(y[24:])
	}
	for ; n < len(a); n++ {
		differ |= uint64(a[n] ^ other[n])
	}
	return differ == 0
}
