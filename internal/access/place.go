package access

import (
	"maps"
	"sort"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

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

// furtherTrusted stands for trusted locations that were not exported.
const furtherTrusted = "partnerguard:further-trusted"

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
		if p.blur || p.in[entra.NilID] == maybe {
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
			q.from = i + 1
			if len(open) > 0 {
				g.places = append(g.places, q)
			}
			if mfaTrusted {
				q.in = maps.Clone(q.in)
				q.in[entra.NilID], q.trusted, q.phantom = yes, yes, true
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
		if id == furtherTrusted {
			names = append(names, "a trusted location that is not in the export")
			q.trusted = yes
			continue
		}
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
