package access

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"partnerguard/internal/evidence"
)

// Special location ids of Conditional Access policies.
const (
	locAll        = "all"
	locAllTrusted = "alltrusted"
	// locCompliantNetwork is "All Compliant Network locations" (K).
	locCompliantNetwork = "3d46dbda-8382-466a-856d-eb00cbc6b910"
	// locMFATrusted is the legacy "multifactor authentication trusted IPs" (K).
	locMFATrusted = "00000000-0000-0000-0000-000000000000"
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
func survey(locations []*NamedLocation, used map[string]bool) *geography {
	g := &geography{countryOf: map[string]int{}}
	byID := map[string]*NamedLocation{}
	for _, l := range locations {
		byID[strings.ToLower(l.ID)] = l
	}
	trustedMatters := used[locAllTrusted]
	var ids, gps, networks []string
	unclear := map[string]bool{}
	for id, l := range byID {
		if !used[id] && !(trustedMatters && (l.IsTrusted.True() || !l.IsTrusted.Set && len(l.Countries) == 0)) {
			continue
		}
		switch {
		case l.network():
			networks = append(networks, id)
		case len(l.Countries) > 0 && strings.EqualFold(string(l.LookupMethod), "authenticatorAppGps"):
			gps = append(gps, id)
		default:
			if why := l.unknown(); why != "" {
				unclear[id] = true
				g.missing = append(g.missing, lack{id, "where the named location " + cmp.Or(l.DisplayName, id) + " is (" + why + "): " + locationRequest})
			}
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	sort.Strings(gps)
	for id := range used {
		if id != locAll && id != locAllTrusted && id != locCompliantNetwork && id != locMFATrusted && byID[id] == nil {
			unclear[id] = true
			g.missing = append(g.missing, lack{id, "named location " + id + ": " + locationRequest})
		}
	}
	slices.SortFunc(g.missing, func(a, b lack) int { return strings.Compare(a.id, b.id) })

	ipAtoms := g.cutAddresses(ids, byID, unclear)
	countryAtoms := g.cutCountries(ids, byID)
	if len(ipAtoms)*len(countryAtoms) > maxPlaces {
		// Nobody's tenant: rather than grow without end, every membership is unknown.
		for _, id := range ids {
			if !unclear[id] {
				unclear[id] = true
				g.missing = append(g.missing, lack{id, "the named location " + byID[id].DisplayName + " (there are too many to tell apart)"})
			}
		}
		g.bounds, g.atomOf, g.countryOf = nil, nil, map[string]int{}
		ipAtoms, countryAtoms = g.cutAddresses(nil, byID, unclear), g.cutCountries(nil, byID)
	}
	g.nCountry = len(countryAtoms)
	base := func() place {
		p := place{in: map[string]tri{}}
		for id := range unclear {
			p.in[id] = maybe
			if l := byID[id]; trustedMatters && (l == nil || !l.IsTrusted.False()) {
				p.trusted = maybe
			}
		}
		return p
	}
	for _, ia := range ipAtoms {
		var row []int
		for _, ca := range countryAtoms {
			if !ia.ip.IsValid() { // the ranges leave no address out
				row = append(row, -1)
				continue
			}
			p := base()
			p.ip, p.country = ia.ip, ca.country
			var names []string
			for _, id := range ia.ids {
				p.in[id] = yes
				names = append(names, byID[id].DisplayName)
				switch t := byID[id].IsTrusted; {
				case t.True():
					p.trusted = yes
				case !t.Set:
					p.trusted = p.trusted.or(maybe)
				}
			}
			for _, id := range ca.ids {
				p.in[id] = yes
				names = append(names, byID[id].DisplayName)
			}
			slices.Sort(names)
			p.label = strings.Join(slices.Compact(names), " and ")
			if p.label == "" {
				p.label = "any other location"
				if len(countryAtoms) > 2 && ca.unknown {
					p.label = "a location whose country is unknown"
				}
			}
			row = append(row, len(g.places))
			g.places = append(g.places, p)
		}
		g.index = append(g.index, row)
	}
	g.home = g.find(g.outside(), "")
	if used[locCompliantNetwork] || len(networks) > 0 {
		p := base()
		p.label, p.network, p.country = "the compliant network (Global Secure Access)", yes, ""
		for _, id := range networks {
			p.in[id] = yes
			if byID[id].IsTrusted.True() {
				p.trusted = yes
			}
		}
		g.places = append(g.places, p)
	}
	if trustedMatters || used[locMFATrusted] {
		// The legacy list is in no export: there may be such addresses.
		p := base()
		p.label, p.trusted = "an address among the MFA trusted IPs, if any are set", maybe
		p.in[locMFATrusted] = maybe
		p.vague = true
		g.places = append(g.places, p)
		for _, id := range []string{locAllTrusted, locMFATrusted} {
			g.missing = append(g.missing, lack{id, "the MFA trusted IPs (MFA service settings; in no export)"})
		}
	}
	g.expand(byID, unclear, gps, trustedMatters || used[locMFATrusted])
	return g
}

// locationRequest settles what a named location is.
var locationRequest = evidence.RequestFor(evidence.NamedLocation)

// network reports the compliant network of Global Secure Access, which no
// address tells.
func (l *NamedLocation) network() bool {
	return l.NetworkType != "" || strings.HasSuffix(strings.ToLower(l.Type), "compliantnetworknamedlocation")
}

// unknown says why it is not known where a location is; "" it is.
func (l *NamedLocation) unknown() string {
	switch {
	case l.Unclear != "":
		return l.Unclear
	case l.Ranges.Dropped > 0:
		return "some of its ranges are written in a form that is not read"
	case len(l.Ranges.Items) == 0 && len(l.Countries) == 0 && !l.UnknownCountry.True():
		return "it was exported without ranges and countries"
	}
	return ""
}

// maxOpen bounds the memberships of one place that are told apart.
const maxOpen = 5

// expand adds, to each place of which something is not known, what it may be:
// where an authenticator's GPS may be anywhere, real places; where the export
// does not say, places that perhaps do not exist.
func (g *geography) expand(byID map[string]*NamedLocation, unclear map[string]bool, gps []string, mfaTrusted bool) {
	g.expandGPS(byID, gps)
	real := len(g.places)
	for i := range real {
		p := g.places[i]
		if p.blur || p.in[locMFATrusted] == maybe {
			continue
		}
		var open []string
		for id, in := range p.in {
			if in == maybe {
				open = append(open, id)
			}
		}
		sort.Strings(open)
		if p.trusted == maybe && len(open) == 0 {
			open = append(open, locAllTrusted)
		}
		if len(open) > maxOpen || len(g.places)+1<<(len(open)+1) > maxPlaces {
			continue
		}
		g.places[i].vague = len(open) > 0
		for pick := range uint(1) << len(open) {
			q := p.settle(open, pick, byID)
			if len(open) > 0 {
				g.places = append(g.places, q)
			}
			if mfaTrusted {
				q.in = maps.Clone(q.in)
				q.in[locMFATrusted], q.trusted, q.phantom = yes, yes, true
				q.label += ", among the MFA trusted IPs if any are set"
				g.places = append(g.places, q)
			}
		}
	}
}

// settle is the place with its open memberships decided.
func (p *place) settle(open []string, pick uint, byID map[string]*NamedLocation) place {
	q := *p
	if len(open) == 0 {
		return q
	}
	q.in, q.phantom, q.vague = maps.Clone(p.in), true, false
	trustOpen := p.trusted == maybe
	if trustOpen {
		q.trusted = no
	}
	var names []string
	for k, id := range open {
		isIn := pick>>k&1 != 0
		if id == locAllTrusted {
			q.trusted = triOf(isIn)
			continue
		}
		q.in[id] = triOf(isIn)
		if !isIn {
			continue
		}
		l := byID[id]
		if l != nil {
			names = append(names, l.DisplayName)
		} else {
			names = append(names, "the location "+id)
		}
		if trustOpen && (l == nil || !l.IsTrusted.False()) {
			q.trusted = q.trusted.or(maybe) // whether a location that is not in the export is trusted stays open
			if l != nil && l.IsTrusted.True() {
				q.trusted = yes
			}
		}
	}
	if len(names) > 0 {
		q.label += ", if it lies in " + strings.Join(names, " and ")
	}
	return q
}

// expandGPS makes, of each place, one for every country that an authenticator
// may report there: the address does not tell.
func (g *geography) expandGPS(byID map[string]*NamedLocation, gps []string) {
	if len(gps) == 0 {
		return
	}
	sub := &geography{countryOf: map[string]int{}}
	atoms := sub.cutCountries(gps, byID)
	n := len(g.places)
	if (len(atoms)+1)*n > maxPlaces {
		for i := range n {
			for _, id := range gps {
				g.places[i].in[id] = maybe
			}
		}
		return
	}
	for i := range n {
		p := g.places[i]
		for _, a := range atoms {
			q := p
			q.in = maps.Clone(p.in)
			where := "a country that no policy names"
			switch {
			case a.unknown:
				where = "no country"
			case len(a.ids) > 0:
				where = a.country
			}
			for _, id := range a.ids {
				q.in[id] = yes
			}
			q.label += ", by GPS in " + where
			g.places = append(g.places, q)
		}
		g.places[i].in = maps.Clone(p.in)
		for _, id := range gps {
			g.places[i].in[id] = maybe
		}
		g.places[i].blur = true
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
	return placeSet{all: s[locAll], trusted: s[locAllTrusted], network: s[locCompliantNetwork], ids: s}
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
		case locCompliantNetwork:
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
