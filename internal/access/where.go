package access

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"partnerguard/internal/problem"
)

// maxListed bounds the names shown when a location is not found.
const maxListed = 12

// At sets where a sign-in comes from, by words of a person: an address, a named
// location by id or display name, a place as a proof names it, or a country of
// two letters. A named location stands for one of its addresses, of a country
// that is not known, or for one of its countries.
//
// Nothing is guessed. Kind problem.BadInput, with the choices as a hint, when
// the words name nothing or several things, and when the policies tell the
// parts of the location apart. Where one of those parts has the very name that
// was given, as in the commands that a proof prints, it is taken, and the note
// says so.
func (e *Engine) At(s *SignIn, words string) (note string, err error) {
	words = strings.TrimSpace(words)
	if ip, err := netip.ParseAddr(words); err == nil {
		s.IP = ip
		return "", nil
	}
	named := e.named(words)
	country := countryOf(words)
	place := e.placeCalled(words)
	switch {
	case len(named) > 1:
		var ids []string
		for _, l := range named {
			ids = append(ids, l.ID)
		}
		return "", problem.New(problem.BadInput, "%d named locations are called %.80q", len(named), words).WithHint("name one by its id: %s", listed(ids))
	case len(named) == 1:
		if country != "" && !strings.EqualFold(named[0].ID, words) && !named[0].holds(country) {
			return "", problem.New(problem.BadInput, "%q is a country and the name of a named location elsewhere", words).
				WithHint("for the location give its id, %s; for the country an address there", named[0].ID)
		}
		if err = e.atNamed(s, named[0]); err == nil || place == "" {
			return "", err
		}
		s.Location = place
		return fmt.Sprintf("the policies tell parts of %s apart; this is the part that is in no other location they name", place), nil
	case place != "":
		s.Location = place
		return "", nil
	case country != "":
		s.Country = country
		return "", nil
	}
	return "", problem.New(problem.BadInput, "no location %.80q is in the input", words).
		WithHint("it is an address, a country of two letters, or one of: %s", listed(e.whereNames()))
}

// holds reports a country that the location names.
func (l *NamedLocation) holds(country string) bool {
	return slices.ContainsFunc(l.Countries, func(c string) bool { return strings.EqualFold(strings.TrimSpace(c), country) })
}

// placeCalled is the label of a place that the policies tell apart, or "".
func (e *Engine) placeCalled(words string) string {
	for i := range e.geo.places {
		if strings.EqualFold(e.geo.places[i].label, words) {
			return e.geo.places[i].label
		}
	}
	return ""
}

// named finds named locations: by id, which is one's own, else by display name.
func (e *Engine) named(words string) (found []*NamedLocation) {
	for _, l := range e.tenant.Locations {
		if l.ID != "" && strings.EqualFold(l.ID, words) {
			return []*NamedLocation{l}
		}
		if strings.EqualFold(strings.TrimSpace(l.DisplayName), words) {
			found = append(found, l)
		}
	}
	return found
}

// atNamed puts a sign-in into a named location, when all of it is one place to
// the policies.
func (e *Engine) atNamed(s *SignIn, l *NamedLocation) error {
	var at []SignIn
	for _, r := range l.Ranges.Items {
		for _, ip := range e.geo.corners(r.CIDR) {
			at = append(at, SignIn{IP: ip})
		}
	}
	for _, c := range l.Countries {
		if c = countryOf(c); c != "" {
			at = append(at, SignIn{Country: c})
		}
	}
	if len(at) == 0 {
		return problem.New(problem.BadInput, "the named location %.80q has no range or country that can be read", l.DisplayName).
			WithHint("give an address or a country instead")
	}
	parts := map[[2]int]bool{}
	var words []string
	for _, a := range at {
		part, text := [2]int{0, e.geo.countryAtom(a.Country)}, a.Country
		if a.IP.IsValid() {
			part, text = [2]int{e.geo.atom(a.IP), -1}, a.IP.String()
		}
		if !parts[part] {
			parts[part] = true
			words = append(words, text)
		}
	}
	if len(parts) > 1 {
		return problem.New(problem.BadInput, "the policies tell parts of the named location %.80q apart", l.DisplayName).
			WithHint("give one of: %s", listed(words))
	}
	s.IP, s.Country = at[0].IP, at[0].Country
	return nil
}

// corners are addresses of a range: its first, and the first of each part that
// the locations in use cut it into.
func (g *geography) corners(cidr string) []netip.Addr {
	p, err := netip.ParsePrefix(strings.TrimSpace(cidr))
	if err != nil {
		a, aerr := netip.ParseAddr(strings.TrimSpace(cidr))
		if aerr != nil {
			return nil
		}
		return []netip.Addr{a.Unmap()}
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	p = p.Masked()
	out := []netip.Addr{p.Addr()}
	for _, b := range g.bounds {
		if p.Contains(b) && b != p.Addr() {
			out = append(out, b)
		}
	}
	return out
}

// countryAtom is the class of a country.
func (g *geography) countryAtom(country string) int {
	if n, ok := g.countryOf[country]; ok {
		return n
	}
	return g.nCountry - 2
}

// whereNames are the names that At takes, those of the tenant first.
func (e *Engine) whereNames() (names []string) {
	for _, l := range e.tenant.Locations {
		if l.DisplayName != "" {
			names = append(names, l.DisplayName)
		} else {
			names = append(names, l.ID)
		}
	}
	slices.Sort(names)
	for i := range e.geo.places {
		names = append(names, e.geo.places[i].label)
	}
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// countryOf is the code of a country, or "".
func countryOf(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) != 2 {
		return ""
	}
	if r, err := language.ParseRegion(s); err != nil || !r.IsCountry() || r.String() != s {
		return ""
	}
	return s
}

// listed joins names for a hint.
func listed(names []string) string {
	more := ""
	if len(names) > maxListed {
		more = ", …"
		names = names[:maxListed]
	}
	return strings.Join(names, ", ") + more
}
