package access

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/evidence"
)

// missing lists what to export so that unknown becomes an answer, each with the
// one request that settles it.
func (e *Engine) missing(c *compiledQuestion) []string {
	m := lacks{seen: map[string]bool{}}
	t := e.tenant
	if !t.Whole {
		m.add(cmp.Or(strings.Join(t.UsersLack[:min(1, len(t.UsersLack))], ""), "all users: "+evidence.RequestFor(evidence.User)))
	}
	used := map[string]bool{}
	c.protects.each(func(i int) {
		p := e.policies[i]
		switch {
		case strings.HasPrefix(p.ID, "partnerguard:") && len(p.Unsupported) > 0:
			m.add("whether security defaults are on: " + evidence.RequestFor(evidence.SecurityDefaults))
		case len(p.Unsupported) > 0:
			m.add("the policy " + p.DisplayName + " in a form that is understood (" + p.misread() + "): " +
				evidence.RequestFor(evidence.ConditionalAccessPolicy))
		}
		if s := e.demands[i].strength; s != nil && c.perhaps.has(i) {
			m.add("the authentication strength " + cmp.Or(s.DisplayName, s.ID) + ": " + evidence.RequestFor(evidence.AuthenticationStrength))
		}
		e.missingUsers(&m, p)
		for _, l := range p.Conditions.Locations.Items {
			for _, id := range slices.Concat(l.IncludeLocations, l.ExcludeLocations) {
				used[strings.ToLower(id)] = true
			}
		}
		for _, l := range e.terms[i] {
			if l.op == "rule" {
				m.add("whether the device filter of " + p.DisplayName + " takes a device, as it is not understood here")
			}
		}
	})
	for _, l := range e.geo.missing {
		trusted := slices.ContainsFunc(t.Locations, func(n *NamedLocation) bool { return strings.EqualFold(n.ID, l.id) && !n.IsTrusted.False() })
		if used[l.id] || trusted && used[locAllTrusted] {
			m.add(l.text)
		}
	}
	for k := range e.dims[dimResource].labels {
		if e.dims[dimResource].vague[k] && slices.Contains(c.classes[dimResource], k) {
			m.add("whether the app " + e.dims[dimResource].labels[k] +
				" is one of Office 365 or of the Microsoft admin portals (Microsoft's list of suite apps)")
		}
	}
	if e.basic >= 0 && t.baseline() == maybe {
		m.add("whether Microsoft's change for baseline scopes had reached the tenant, and its setting (Entra admin centre, Conditional Access, settings)")
	}
	for _, k := range []External{InternalGuest, CollaborationGuest, CollaborationMember} {
		if e.namesExternal(k) && slices.ContainsFunc(t.Users, func(s Subject) bool { return slices.Contains(s.Kinds, k) }) {
			m.add("which accounts are guests (userType, creationType): " + evidence.RequestFor(evidence.User))
			break
		}
	}
	if len(c.Roles) > 0 {
		for _, s := range e.rolesMissing() {
			m.add(s)
		}
	}
	return m.list
}

// missingUsers names what a policy's user clauses hang on.
func (e *Engine) missingUsers(m *lacks, p *Policy) {
	t, u := e.tenant, &p.Conditions.Users
	for _, g := range slices.Concat(u.IncludeGroups, u.ExcludeGroups) {
		if id := strings.ToLower(g); id != "" && !t.KnownGroups[id] {
			m.add(cmp.Or(t.OpenGroups[id], "the members of group "+t.name(g)))
		} else if slices.ContainsFunc(u.ExcludeGroups, func(x string) bool { return x == g }) {
			m.add(t.OpenActivation[id])
		}
	}
	for _, id := range slices.Concat(u.IncludeUsers, u.ExcludeUsers) {
		if e.absent[strings.ToLower(id)] && (!t.Whole || slices.ContainsFunc(t.Users, func(s Subject) bool { return s.Unidentified })) {
			m.add("the account " + id + ", with its id: " + evidence.RequestFor(evidence.User))
		}
	}
	if slices.ContainsFunc(slices.Concat(u.IncludeUsers, u.ExcludeUsers), func(id string) bool { return strings.EqualFold(id, "guestsOrExternalUsers") }) &&
		slices.ContainsFunc(t.Users, func(s Subject) bool { return len(s.Kinds) > 0 }) {
		m.add("which accounts are guests (userType, creationType): " + evidence.RequestFor(evidence.User))
	}
	for _, r := range slices.Concat(u.IncludeRoles, u.ExcludeRoles) {
		id := strings.ToLower(r)
		switch {
		case id == "" || t.CustomRoles[id]:
		case !t.RolesKnown:
			m.add("role assignments and eligibility: " + cmp.Or(t.RolesLack, evidence.RequestFor(evidence.RoleAssignment)))
		case t.OpenRoles[id] != "":
			m.add(t.OpenRoles[id])
		case t.OpenEligible[id] != "":
			m.add(t.OpenEligible[id])
		}
	}
	if t.RolesKnown && t.EligibleLack != "" && len(u.IncludeRoles)+len(u.ExcludeRoles) > 0 {
		m.add("who may activate a role: " + t.EligibleLack)
	}
}

// rolesMissing names what settles who holds a role.
func (e *Engine) rolesMissing() (out []string) {
	t := e.tenant
	if !t.RolesKnown {
		out = append(out, "role assignments and eligibility: "+cmp.Or(t.RolesLack, evidence.RequestFor(evidence.RoleAssignment)))
	}
	for _, id := range sortedNames(t.OpenRoles) {
		out = append(out, t.OpenRoles[id])
	}
	for _, id := range sortedNames(t.OpenEligible) {
		out = append(out, t.OpenEligible[id])
	}
	if t.RolesKnown && t.EligibleLack != "" {
		out = append(out, "who may activate a role: "+t.EligibleLack)
	}
	return out
}

// lacks is a list without repetitions.
type lacks struct {
	list []string
	seen map[string]bool
}

func (m *lacks) add(s string) {
	if s != "" && !m.seen[s] {
		m.seen[s] = true
		m.list = append(m.list, s)
	}
}
