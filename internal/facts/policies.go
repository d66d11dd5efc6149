package facts

import (
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/lenient"
)

// policies are the policies in a fixed order, with names brought to the ids
// that the engine compares: some tools write user principal names, group and
// role names where Graph writes ids.
func (f *Facts) policies() []*access.Policy {
	out := make([]*access.Policy, 0, len(f.Policies))
	for _, p := range f.Policies {
		out = append(out, f.withIDs(p))
	}
	slices.SortFunc(out, func(a, b *access.Policy) int {
		return strings.Compare(a.DisplayName+"\x00"+a.ID+"\x00"+a.Source.String(), b.DisplayName+"\x00"+b.ID+"\x00"+b.Source.String())
	})
	return out
}

// withIDs is p with names replaced by ids where one thing alone has the name; a
// name that nothing or more than one thing has stays, and is then something
// that the export does not hold.
func (f *Facts) withIDs(p *access.Policy) *access.Policy {
	u := &p.Conditions.Users
	var copied *access.Policy
	put := func(list lenient.Strings, at func(*access.Policy) *lenient.Strings, find func(string) string) {
		for i, id := range list {
			if looksLikeID(id) || accountWord(id) {
				continue
			}
			found := find(id)
			if found == "" || strings.EqualFold(found, id) {
				continue
			}
			if copied == nil {
				c := *p
				copied = &c
			}
			to := at(copied)
			if i < len(*to) && &(*to)[0] == &list[0] {
				*to = slices.Clone(*to)
			}
			(*to)[i] = found
		}
	}
	user := func(name string) string { return f.Directory.FindUser(name, name) }
	put(u.IncludeUsers, func(p *access.Policy) *lenient.Strings { return &p.Conditions.Users.IncludeUsers }, user)
	put(u.ExcludeUsers, func(p *access.Policy) *lenient.Strings { return &p.Conditions.Users.ExcludeUsers }, user)
	put(u.IncludeGroups, func(p *access.Policy) *lenient.Strings { return &p.Conditions.Users.IncludeGroups }, f.groupByName)
	put(u.ExcludeGroups, func(p *access.Policy) *lenient.Strings { return &p.Conditions.Users.ExcludeGroups }, f.groupByName)
	put(u.IncludeRoles, func(p *access.Policy) *lenient.Strings { return &p.Conditions.Users.IncludeRoles }, f.Directory.RoleByName)
	put(u.ExcludeRoles, func(p *access.Policy) *lenient.Strings { return &p.Conditions.Users.ExcludeRoles }, f.Directory.RoleByName)
	for i := range p.Conditions.Locations.Items {
		at := func(get func(*access.LocationCondition) *lenient.Strings) func(*access.Policy) *lenient.Strings {
			return func(c *access.Policy) *lenient.Strings {
				if &c.Conditions.Locations.Items[0] == &p.Conditions.Locations.Items[0] {
					c.Conditions.Locations.Items = slices.Clone(p.Conditions.Locations.Items)
				}
				return get(&c.Conditions.Locations.Items[i])
			}
		}
		l := &p.Conditions.Locations.Items[i]
		put(l.IncludeLocations, at(func(l *access.LocationCondition) *lenient.Strings { return &l.IncludeLocations }), f.locationByName)
		put(l.ExcludeLocations, at(func(l *access.LocationCondition) *lenient.Strings { return &l.ExcludeLocations }), f.locationByName)
	}
	if copied != nil {
		return copied
	}
	return p
}

// locationByName finds the one named location of a name, or "".
func (f *Facts) locationByName(name string) (id string) {
	if strings.EqualFold(name, "AllTrusted") {
		return ""
	}
	for _, l := range f.Locations {
		switch {
		case !strings.EqualFold(l.DisplayName, name):
		case id != "" || l.ID == "":
			return ""
		default:
			id = l.ID
		}
	}
	return id
}

// looksLikeID reports the form of an object id.
func looksLikeID(s string) bool { return len(s) == 36 && strings.Count(s, "-") == 4 }

// groupByName finds the one group of a name, or "".
func (f *Facts) groupByName(name string) (id string) {
	if f.Directory.Groups[strings.ToLower(name)] != nil {
		return strings.ToLower(name)
	}
	for k, g := range f.Directory.Groups {
		if strings.EqualFold(g.DisplayName, name) {
			if id != "" {
				return ""
			}
			id = k
		}
	}
	return id
}
