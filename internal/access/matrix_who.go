package access

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// whos groups the subjects that the policies of want cannot tell apart.
func (m *Matrix) whos(want mask) error {
	e := m.e
	c, err := e.compile(Question{Name: "matrix", Require: RequireMFA, External: everybody})
	if err != nil {
		return err
	}
	at := map[string]int{}
	for i := range e.subjectCount() {
		s := e.subject(i)
		about := c.about(s, e)
		if about == no {
			continue
		}
		u := e.user(i)
		key := []byte{byte(about), 0, 0, 0}
		for k, on := range []bool{s.BreakGlass, i >= len(e.tenant.Users) && s.Anyone, e.foreign(i)} {
			if on {
				key[k+1] = 1
			}
		}
		for w := range want {
			key = binary.LittleEndian.AppendUint64(key, u.sure[w]&want[w])
			key = binary.LittleEndian.AppendUint64(key, u.could[w]&want[w])
		}
		if len(u.worlds) > 0 { // told apart by what they may be, too
			key = binary.LittleEndian.AppendUint32(key, uint32(e.setOf[i]))
		}
		n, ok := at[string(key)]
		if !ok {
			n = len(m.Who)
			at[string(key)] = n
			m.Who = append(m.Who, MatrixWho{about: about, BreakGlass: s.BreakGlass, Foreign: e.foreign(i),
				cohort: cohort{set: e.setOf[i], perhaps: about == maybe}})
		}
		m.Who[n].cohort.subjects = append(m.Who[n].cohort.subjects, int32(i))
	}
	names := e.namedByPolicies(want)
	for n := range m.Who {
		m.describe(&m.Who[n], names)
	}
	slices.SortStableFunc(m.Who, func(a, b MatrixWho) int {
		return cmp.Or(compareBools(a.Foreign, b.Foreign), compareBools(a.BreakGlass, b.BreakGlass), compareBools(a.StandsIn, b.StandsIn),
			cmp.Compare(len(b.Accounts), len(a.Accounts)), cmp.Compare(a.Name, b.Name))
	})
	seen, keys := map[string]int{}, map[string]int{}
	for n := range m.Who {
		w := &m.Who[n]
		if seen[w.Name]++; seen[w.Name] > 1 {
			w.Name += fmt.Sprintf(" (%d)", seen[w.Name])
		}
		if keys[w.Key]++; keys[w.Key] > 1 {
			w.Key = short(w.Key, fmt.Sprint(keys[w.Key]))
		}
	}
	return nil
}

// foreign reports a subject that stands for users of other tenants.
func (e *Engine) foreign(i int) bool { return e.subject(i).External == ServiceProvider }

// named are what the user clauses of policies name, by lower-case id.
type namedInClauses struct{ users, groups, roles map[string]bool }

func (e *Engine) namedByPolicies(want mask) namedInClauses {
	n := namedInClauses{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	want.each(func(i int) {
		u := &e.policies[i].Conditions.Users
		for _, of := range []struct {
			into map[string]bool
			list []string
		}{{n.users, slices.Concat(u.IncludeUsers, u.ExcludeUsers)}, {n.groups, slices.Concat(u.IncludeGroups, u.ExcludeGroups)},
			{n.roles, slices.Concat(u.IncludeRoles, u.ExcludeRoles)}} {
			for _, id := range of.list {
				of.into[strings.ToLower(id)] = true
			}
		}
	})
	return n
}

// describe names a class by what its accounts share and policies name.
func (m *Matrix) describe(w *MatrixWho, named namedInClauses) {
	e := m.e
	first := e.subject(int(w.cohort.subjects[0]))
	groups, roles := within(first.Groups, named.groups), within(first.Roles, named.roles)
	anyRole, external, byName := false, true, true
	seen := map[int]bool{}
	w.StandsIn, w.Active = true, true
	for _, i := range w.cohort.subjects {
		s := e.subject(int(i))
		if a := e.account(int(i)); !seen[a] {
			seen[a] = true
			if a < len(e.tenant.Users) {
				w.Accounts, w.StandsIn = append(w.Accounts, a), false
			}
		}
		groups = slices.DeleteFunc(groups, func(id string) bool { return !slices.Contains(s.Groups, id) })
		roles = slices.DeleteFunc(roles, func(id string) bool { return !slices.Contains(s.Roles, id) })
		anyRole = anyRole || len(within(s.Roles, named.roles)) > 0
		external = external && s.External != Member
		byName = byName && named.users[strings.ToLower(s.ID)]
		w.Active = w.Active && int(i) >= len(e.tenant.Users)
	}
	w.Active = w.Active && !w.StandsIn
	for _, id := range groups {
		w.Traits = append(w.Traits, "group "+e.tenant.name(id))
	}
	for _, id := range roles {
		w.Traits = append(w.Traits, "role "+e.tenant.name(id))
	}
	switch n := len(w.Accounts); {
	case w.StandsIn:
		w.Name = first.label()
	case len(groups) > 0:
		w.Name = e.several(groups)
	case byName && n == 1:
		w.Name, w.Personal = first.label(), true
		w.Traits = append(w.Traits, "named by a policy")
	case byName:
		w.Name = fmt.Sprintf("%d accounts that policies name", n)
	case len(roles) > 0:
		w.Name = e.several(roles)
	case anyRole:
		w.Name = "Directory roles"
	case external:
		w.Name = "Guests"
	default:
		w.Name = "Members"
	}
	if len(groups) > 0 && !w.StandsIn {
		switch {
		case len(roles) > 0:
			w.Name += " with " + e.several(roles)
		case anyRole:
			w.Name += " with roles"
		}
	}
	if external && !w.StandsIn && w.Name != "Guests" {
		w.Name += ", guests"
	}
	if w.Active {
		w.Name += ", once a role is activated"
	}
	if w.BreakGlass {
		w.Traits = append(w.Traits, "break-glass")
	}
	w.Key = short(m.policyKey(w), w.Name[:min(len(w.Name), btoi(w.StandsIn)*40)], fmt.Sprint(w.BreakGlass, w.StandsIn))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// policyKey names a class by the policies that take it: it stays while they do.
func (m *Matrix) policyKey(w *MatrixWho) string {
	var b strings.Builder
	u := m.e.user(int(w.cohort.subjects[0]))
	for i, p := range m.e.policies {
		if u.could.has(i) && (p.MayBeEnforced() || p.ReportOnly()) {
			fmt.Fprint(&b, p.ID, p.DisplayName, u.sure.has(i), "\x00")
		}
	}
	return b.String()
}

// several names groups or roles, the first two of them.
func (e *Engine) several(ids []string) string {
	names := make([]string, 0, 2)
	for _, id := range ids[:min(2, len(ids))] {
		names = append(names, e.tenant.name(id))
	}
	s := strings.Join(names, " and ")
	if n := len(ids) - 2; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

// within are the ids that stand in a set, sorted.
func within(ids []string, set map[string]bool) (out []string) {
	for _, id := range ids {
		if set[strings.ToLower(id)] && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}
