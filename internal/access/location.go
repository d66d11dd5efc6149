package access

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"partnerguard/internal/entra"
)

// Special location ids of Conditional Access policies.
const (
	locAll        = "all"
	locAllTrusted = "alltrusted"
)

// place is one class of locations that the policies can tell apart.
type place struct {
	label   string
	ip      netip.Addr     // a witness; invalid for "any other"
	country string         // a witness, ISO code; "" unknown
	in      map[string]tri // named location id -> membership
	trusted tri
	network tri // through the compliant network
	// see [dim.vague]
	vague, phantom, blur bool
	from                 int // of a phantom: the place it may be, from 1
}

// geography holds the classes and finds the one of an address.
type geography struct {
	places []place
	// bounds are the first addresses of the elementary intervals, ascending; set
	// is the IP atom of each. IPv4 sorts before IPv6.
	bounds []netip.Addr
	atomOf []int
	// countryOf maps a country to its atom; others share the last but one, and
	// the unknown country the last.
	countryOf map[string]int
	nCountry  int
	index     [][]int // [ip atom][country atom] -> place, or -1
	home      int     // place of an address that no range holds, its country unknown; -1 none
	missing   []lack
}

// lack is what is not known of a location.
type lack struct{ id, text string }

// maxPlaces bounds the classes of locations. Entra allows 195 named locations,
// which stay far below it.
const maxPlaces = 20_000

// survey partitions all addresses and countries into the classes that the
// named locations in use can tell apart. IP ranges that do not parse make
// their location's membership unknown everywhere.
//
// lack says why there may be further locations; "" there are none.
func survey(locations []*NamedLocation, used map[string]bool, why string) *geography {
	v := surveyor{
		g: &geography{countryOf: map[string]int{}}, byID: map[string]*NamedLocation{}, used: used, unclear: map[string]bool{},
		trustedMatters: used[locAllTrusted],
	}
	for _, l := range locations {
		v.byID[strings.ToLower(l.ID)] = l
	}
	v.gather(why)
	v.cut()
	v.special()
	v.g.expand(v.byID, v.unclear, v.gps, v.trustedMatters || used[entra.NilID])
	return v.g
}

// surveyor holds what a survey works with.
type surveyor struct {
	g                  *geography
	byID               map[string]*NamedLocation
	used               map[string]bool // location ids that policies name
	unclear            map[string]bool // of which it is not known where they are
	ids, gps, networks []string        // by what tells them: addresses and countries, GPS, the compliant network
	trustedMatters     bool
}

func (v *surveyor) lacks(id, text string) { v.g.missing = append(v.g.missing, lack{id, text}) }

// gather sorts the locations that matter by what tells them.
func (v *surveyor) gather(why string) {
	for id, l := range v.byID {
		if !v.used[id] && !(v.trustedMatters && (l.IsTrusted.True() || !l.IsTrusted.Set && len(l.Countries) == 0)) {
			continue
		}
		switch {
		case l.network():
			v.networks = append(v.networks, id)
		case len(l.Countries) > 0 && strings.EqualFold(string(l.LookupMethod), "authenticatorAppGps"):
			v.gps = append(v.gps, id)
		default:
			if why := l.unknown(); why != "" {
				v.unclear[id] = true
				v.lacks(id, "where the named location "+cmp.Or(l.DisplayName, id)+" is ("+why+"): "+locationRequest)
			}
			v.ids = append(v.ids, id)
		}
	}
	sort.Strings(v.ids)
	sort.Strings(v.gps)
	for id := range v.used {
		if id != locAll && id != locAllTrusted && id != entra.CompliantNetwork && id != entra.NilID && v.byID[id] == nil {
			v.unclear[id] = true
			v.lacks(id, "named location "+id+": "+locationRequest)
		}
	}
	if why != "" && v.trustedMatters {
		v.unclear[furtherTrusted] = true
		v.lacks(locAllTrusted, "whether there are further trusted locations: "+why)
	}
	slices.SortFunc(v.g.missing, func(a, b lack) int { return strings.Compare(a.id, b.id) })
}

// cut makes the places that addresses and countries tell apart.
func (v *surveyor) cut() {
	g := v.g
	ipAtoms := g.cutAddresses(v.ids, v.byID, v.unclear)
	countryAtoms := g.cutCountries(v.ids, v.byID)
	if len(ipAtoms)*len(countryAtoms) > maxPlaces {
		// Nobody's tenant: rather than grow without end, every membership is unknown.
		for _, id := range v.ids {
			if !v.unclear[id] {
				v.unclear[id] = true
				v.lacks(id, "the named location "+v.byID[id].DisplayName+" (there are too many to tell apart)")
			}
		}
		g.bounds, g.atomOf, g.countryOf = nil, nil, map[string]int{}
		ipAtoms, countryAtoms = g.cutAddresses(nil, v.byID, v.unclear), g.cutCountries(nil, v.byID)
	}
	g.nCountry = len(countryAtoms)
	for _, ia := range ipAtoms {
		var row []int
		for _, ca := range countryAtoms {
			if !ia.ip.IsValid() { // the ranges leave no address out
				row = append(row, -1)
				continue
			}
			row = append(row, len(g.places))
			g.places = append(g.places, v.place(ia, ca, len(countryAtoms) > 2))
		}
		g.index = append(g.index, row)
	}
	g.home = g.find(g.outside(), "")
}

// base is a place with what is not known of it.
func (v *surveyor) base() place {
	p := place{in: map[string]tri{}}
	for id := range v.unclear {
		p.in[id] = maybe
		if l := v.byID[id]; v.trustedMatters && (l == nil || !l.IsTrusted.False()) {
			p.trusted = maybe
		}
	}
	return p
}

func (v *surveyor) place(ia ipAtom, ca countryAtom, countriesMatter bool) place {
	p := v.base()
	p.ip, p.country = ia.ip, ca.country
	var names []string
	for _, id := range ia.ids {
		p.in[id] = yes
		names = append(names, v.byID[id].DisplayName)
		switch t := v.byID[id].IsTrusted; {
		case t.True():
			p.trusted = yes
		case !t.Set:
			p.trusted = p.trusted.or(maybe)
		}
	}
	for _, id := range ca.ids {
		p.in[id] = yes
		names = append(names, v.byID[id].DisplayName)
	}
	slices.Sort(names)
	switch p.label = strings.Join(slices.Compact(names), " and "); {
	case p.label != "":
	case countriesMatter && ca.unknown:
		p.label = "a location whose country is unknown"
	default:
		p.label = "any other location"
	}
	return p
}

// special adds the places that no address tells.
func (v *surveyor) special() {
	g := v.g
	if v.used[entra.CompliantNetwork] || len(v.networks) > 0 {
		p := v.base()
		p.label, p.network = "the compliant network (Global Secure Access)", yes
		for _, id := range v.networks {
			p.in[id] = yes
			if v.byID[id].IsTrusted.True() {
				p.trusted = yes
			}
		}
		g.places = append(g.places, p)
	}
	if v.trustedMatters || v.used[entra.NilID] {
		// The legacy list is in no export: there may be such addresses.
		p := v.base()
		p.label, p.trusted = "an address among the MFA trusted IPs, if any are set", maybe
		p.in[entra.NilID] = maybe
		p.vague = true
		g.places = append(g.places, p)
		for _, id := range []string{locAllTrusted, entra.NilID} {
			v.lacks(id, "the MFA trusted IPs (MFA service settings; in no export)")
		}
	}
}

type ipAtom struct {
	ids []string
	ip  netip.Addr
}

// cutAddresses sweeps over the ends of all ranges. The first atom lies in no
// range at all.
func (g *geography) cutAddresses(ids []string, byID map[string]*NamedLocation, unclear map[string]bool) []ipAtom {
	type edge struct {
		at   netip.Addr
		id   string
		open bool
	}
	var edges []edge
	for _, id := range ids {
		for _, r := range byID[id].Ranges.Items {
			p, err := netip.ParsePrefix(strings.TrimSpace(r.CIDR))
			if err != nil {
				if a, aerr := netip.ParseAddr(strings.TrimSpace(r.CIDR)); aerr == nil {
					p, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
				}
			}
			if err != nil {
				unclear[id] = true
				g.missing = append(g.missing, lack{id, fmt.Sprintf("the range %q of the named location %s", r.CIDR, byID[id].DisplayName)})
				continue
			}
			if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
				p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
			}
			p = p.Masked()
			edges = append(edges, edge{p.Addr(), id, true})
			after := lastOf(p).Next()
			if !after.IsValid() && p.Addr().Is4() {
				after = netip.IPv6Unspecified() // IPv4 ends where IPv6 begins
			}
			if after.IsValid() {
				edges = append(edges, edge{after, id, false})
			}
		}
	}
	sort.SliceStable(edges, func(i, j int) bool { return edges[i].at.Less(edges[j].at) })
	atoms := []ipAtom{{ip: netip.MustParseAddr("198.51.100.9")}}
	find := map[string]int{"": 0}
	depth := map[string]int{}
	for i := 0; i < len(edges); {
		at := edges[i].at
		for ; i < len(edges) && edges[i].at == at; i++ {
			if edges[i].open {
				depth[edges[i].id]++
			} else {
				depth[edges[i].id]--
			}
		}
		var in []string
		for _, id := range ids {
			if depth[id] > 0 {
				in = append(in, id)
			}
		}
		key := strings.Join(in, "|")
		n, ok := find[key]
		if !ok {
			n = len(atoms)
			find[key] = n
			atoms = append(atoms, ipAtom{ids: in, ip: at})
		}
		g.bounds = append(g.bounds, at)
		g.atomOf = append(g.atomOf, n)
	}
	atoms[0].ip = g.outside()
	return atoms
}

// outside finds an address in no range: a documentation address if one is
// free, else the first gap.
func (g *geography) outside() netip.Addr {
	for _, s := range []string{"198.51.100.9", "203.0.113.9", "192.0.2.9", "2001:db8::9"} {
		if a := netip.MustParseAddr(s); g.atom(a) == 0 {
			return a
		}
	}
	for _, a := range append([]netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, g.bounds...) {
		if g.atom(a) == 0 {
			return a
		}
	}
	return netip.Addr{}
}

// locate is find for a sign-in: -1 where an address that was not given could
// make a difference.
func (g *geography) locate(a netip.Addr, country string) int {
	if !a.IsValid() && len(g.index) > 1 {
		return -1
	}
	return g.find(a, country)
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// atom finds the IP atom of an address.
func (g *geography) atom(a netip.Addr) int {
	a = a.Unmap()
	i := sort.Search(len(g.bounds), func(i int) bool { return a.Less(g.bounds[i]) })
	if i == 0 {
		return 0
	}
	// IPv6 starts after all of IPv4 and belongs to no IPv4 range.
	if g.bounds[i-1].Is4() != a.Is4() {
		return 0
	}
	return g.atomOf[i-1]
}

type countryAtom struct {
	ids     []string
	country string
	unknown bool
}

// cutCountries partitions countries: one atom for each set of locations, one
// for all others, one for an address whose country is unknown.
func (g *geography) cutCountries(ids []string, byID map[string]*NamedLocation) []countryAtom {
	in := map[string][]string{}
	var unknown []string
	for _, id := range ids {
		l := byID[id]
		for _, c := range l.Countries {
			if c = strings.ToUpper(strings.TrimSpace(c)); c == "" {
				continue
			}
			if !slices.Contains(in[c], id) {
				in[c] = append(in[c], id)
			}
		}
		if l.UnknownCountry.True() {
			unknown = append(unknown, id)
		}
	}
	var atoms []countryAtom
	find := map[string]int{}
	var countries []string
	for c := range in {
		countries = append(countries, c)
	}
	sort.Strings(countries)
	for _, c := range countries {
		key := strings.Join(in[c], "|")
		n, ok := find[key]
		if !ok {
			n = len(atoms)
			find[key] = n
			atoms = append(atoms, countryAtom{ids: in[c], country: c})
		}
		g.countryOf[c] = n
	}
	other := ""
	for _, c := range []string{"NL", "US", "DE", "JP", "BR", "KE", "NZ", "IS"} {
		if _, named := g.countryOf[c]; !named {
			other = c
			break
		}
	}
	return append(atoms, countryAtom{country: other}, countryAtom{ids: unknown, unknown: true})
}

// find gives the place of an address and a country ("" unknown). Addresses
// that are not given lie in no range.
func (g *geography) find(a netip.Addr, country string) int {
	c, ok := g.countryOf[country]
	if !ok {
		c, ok = g.countryOf[strings.ToUpper(country)]
	}
	switch {
	case country == "":
		c = g.nCountry - 1
	case !ok:
		c = g.nCountry - 2
	}
	i := 0
	if a.IsValid() {
		i = g.atom(a)
	}
	return g.index[i][c]
}

// placeClause is a location clause made ready for many places.
type placeClause struct{ include, exclude placeSet }

func (l *placeClause) selects(p *place) tri { return l.include.has(p).and(l.exclude.has(p).not()) }

// placeSet is a list of locations.
type placeSet struct {
	all, trusted, network bool
	ids                   idSet
}

func newPlaceSet(ids []string) placeSet {
	s := newIDSet(ids)
	return placeSet{all: s[locAll], trusted: s[locAllTrusted], network: s[entra.CompliantNetwork], ids: s}
}

func (s *placeSet) has(p *place) tri {
	if s.all {
		return yes
	}
	out := no
	if s.trusted {
		out = out.or(p.trusted)
	}
	if s.network {
		out = out.or(p.network)
	}
	for id, in := range p.in {
		if s.ids[id] {
			out = out.or(in)
		}
	}
	return out
}

// selects says whether the location clauses take a place, and by which clause
// it is left out. It agrees with placeClause, which a test holds it to.
func (l *LocationCondition) selects(p *place, name func(string) string) (tri, string) {
	match := func(id string) tri {
		switch id = strings.ToLower(id); id {
		case locAll:
			return yes
		case locAllTrusted:
			return p.trusted
		case entra.CompliantNetwork:
			return p.network
		default:
			return p.in[id]
		}
	}
	included := no
	for _, id := range l.IncludeLocations {
		included = included.or(match(id))
	}
	if included == no {
		return no, "does not include the location"
	}
	excluded, why := no, ""
	for _, id := range l.ExcludeLocations {
		if m := match(id); m > excluded {
			excluded, why = m, "excludes "+name(id)
		}
	}
	return included.and(excluded.not()), why
}
