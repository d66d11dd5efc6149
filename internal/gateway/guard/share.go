package guard

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"

	"partnerguard/internal/gateway"
)

// Share places a caller of a route among a hundred: 0 to 99, always the same for the
// same one, and evenly spread. A ramp of N refuses the first N, so a greater one refuses
// all that a smaller one does. Unknown callers are told by address, of IPv6 by its /64.
func Share(route string, id *gateway.Identity, from netip.Addr) int {
	var space [256]byte
	b := append(space[:0], route...)
	b = append(b, 0)
	switch {
	case id != nil && id.IsApp:
		b = append(append(b, "app\x00"...), id.App...)
	case id != nil && id.ObjectID != "":
		b = append(append(append(append(b, "user\x00"...), id.Tenant...), 0), id.ObjectID...)
	default:
		from = from.Unmap()
		a := from.As16()
		n := len(a)
		if from.Is6() {
			n = 8
		}
		b = append(append(b, "address\x00"...), a[:n]...)
	}
	sum := sha256.Sum256(b)
	return int(binary.BigEndian.Uint64(sum[:8]) % 100)
}
