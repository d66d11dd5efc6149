package scenario

import (
	"fmt"
	"net/netip"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// spot is a site ready for use: addresses and where they lie.
type spot struct {
	net   netip.Prefix
	place world.Place
}

func placeOf(cityName, state, country string, lat, lon float64) world.Place {
	return world.Place{City: cityName, State: state, Country: country, Coordinates: world.Coordinates{Latitude: &lat, Longitude: &lon}}
}

// spots are the scenario's sites by lower name.
func (sc *Scenario) spots() map[string]spot {
	out := make(map[string]spot, len(sc.Sites))
	for _, s := range sc.Sites {
		if net, err := netip.ParsePrefix(s.Network); err == nil {
			out[strings.ToLower(s.Name)] = spot{net.Masked(), placeOf(s.City, s.State, s.Country, s.Latitude, s.Longitude)}
		}
	}
	return out
}

// citySpots gives each city a /21 of the block for benchmarks (RFC 2544), which
// is routed nowhere.
func citySpots() []spot {
	list := cities()
	out := make([]spot, len(list))
	for i, c := range list {
		out[i] = spot{netip.MustParsePrefix(fmt.Sprintf("198.18.%d.0/21", i*8)), placeOf(c.name, c.state, c.country, c.lat, c.lon)}
	}
	return out
}

// address is the n-th address of a spot, never its first.
func (s *spot) address(n uint32) netip.Addr {
	if !s.net.Addr().Is4() {
		return s.net.Addr().Next()
	}
	bits := 32 - s.net.Bits()
	size := uint32(1) << min(bits, 16)
	if size > 2 {
		n = 1 + n%(size-2)
	} else {
		n = 0
	}
	a := s.net.Addr().As4()
	v := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	v += n
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// Address gives an address in a country, or far from it; which is one of several. Far is
// where attacks come from, then the cities of other countries.
func (sc *Scenario) Address(country string, far bool, which uint64) netip.Addr {
	var list []spot
	if first := sc.attackers(); far && which <= 1 && first.place.Country != country {
		list = []spot{first}
	}
	towns := citySpots()
	if !far {
		for i := range sc.Sites {
			if s, known := sc.spots()[strings.ToLower(sc.Sites[i].Name)]; known {
				towns = append([]spot{s}, towns...)
			}
		}
	}
	for i := range towns {
		if len(list) > 0 && far && which <= 1 {
			break
		}
		if (towns[i].place.Country == country) != far {
			list = append(list, towns[i])
		}
	}
	if len(list) == 0 {
		list = towns
	}
	at := list[which*7%uint64(len(list))]
	return at.address(uint32(20 + which%100)) //nolint:gosec // below 120
}

// Locate says where an address lies in the world of this scenario: at one of its
// sites, the narrowest that holds it, or in a generated customer's city. The
// zero Place is nowhere known.
func (sc *Scenario) Locate(ip netip.Addr) world.Place {
	ip = ip.Unmap()
	best, found := -1, world.Place{}
	for _, s := range sc.spots() {
		if s.net.Contains(ip) && s.net.Bits() > best {
			best, found = s.net.Bits(), s.place
		}
	}
	if best >= 0 {
		return found
	}
	for _, s := range citySpots() {
		if s.net.Contains(ip) {
			return s.place
		}
	}
	return found
}
