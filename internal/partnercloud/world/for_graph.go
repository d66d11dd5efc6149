package world

import (
	"iter"
	"slices"
	"strings"
)

// Since yields rows with their places, beginning after the row named after ("":
// from the start). at is where that row was when it was last seen: it is looked
// for there first, so that reading a table in pages costs no search.
func (t *Table[T, P]) Since(after string, at int) iter.Seq2[int, P] {
	return func(yield func(int, P) bool) {
		start := 0
		if after != "" {
			k := strings.ToLower(after)
			if at >= 0 && at < len(t.order) && t.order[at] == k {
				start = at + 1
			} else if start = slices.Index(t.order, k) + 1; start == 0 {
				// The row is gone. What stood behind it moved up by one place at most.
				start = min(max(at, 0), len(t.order))
			}
		}
		for i := start; i < len(t.order); i++ {
			if !yield(i, t.rows[t.order[i]]) {
				return
			}
		}
	}
}

// Version grows with every change that decides sign-ins.
func (t *Tenant) Version() int64 { return t.version }

// Delete removes a user or group with what hangs on it: memberships, roles,
// grants; and remembers the deletion for delta queries.
func (s *State) Delete(t *Tenant, kind, id string) bool {
	n := s.Change()
	switch kind {
	case "user":
		if !t.Users.Delete(id) {
			return false
		}
	case "group":
		if !t.Groups.Delete(id) {
			return false
		}
	default:
		return false
	}
	is := func(v string) bool { return strings.EqualFold(v, id) }
	for g := range t.Groups.All() {
		if slices.ContainsFunc(g.Members, is) || slices.ContainsFunc(g.Owners, is) {
			t.Groups.Change(g.ID, func(g *Group) {
				g.Members = slices.DeleteFunc(slices.Clone(g.Members), is)
				g.Owners = slices.DeleteFunc(slices.Clone(g.Owners), is)
				g.Changed = n
			})
		}
	}
	for _, table := range []*Table[RoleAssignment, *RoleAssignment]{&t.Held, &t.Eligible} {
		for _, a := range table.List() {
			if is(a.Principal) {
				table.Delete(a.ID)
			}
		}
	}
	for _, g := range t.Grants.List() {
		if g.Principal != "" && is(g.Principal) {
			t.Grants.Delete(g.ID)
		}
	}
	for _, a := range t.AppRoles.List() {
		if is(a.Principal) {
			t.AppRoles.Delete(a.ID)
		}
	}
	t.Deletions = append(t.Deletions, Deletion{Kind: kind, ID: id, Changed: n})
	s.Touch(t)
	return true
}
