package access

import "net/netip"

// Relocate puts another place into classes that [Engine.Locate] filled: the address and
// country of a sign-in that is otherwise the same. It allocates nothing.
func (e *Engine) Relocate(ip netip.Addr, country string, classes []int32) {
	classes[dimLocation] = e.PlaceClass(ip, country)
}

// PlaceClass is what [Engine.Relocate] would put there.
func (e *Engine) PlaceClass(ip netip.Addr, country string) int32 {
	if !ip.IsValid() && country == "" {
		return -1
	}
	return int32(e.geo.locate(ip, country))
}
