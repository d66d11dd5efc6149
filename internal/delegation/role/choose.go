package role

import (
	"slices"
	"strings"
)

// What is added to a role's weight in a choice.
const (
	notLeast = 10  // Microsoft's table names it, but not as the least
	notNamed = 100 // Microsoft's table does not name it for any of the acts
)

// Problem is the choice of roles for a set of acts, in the form that package cover takes.
type Problem struct {
	Roles      []string // ids, sorted
	Needs      [][]int  // for each mapping the roles that would do, as indexes into Roles
	Privileged []bool   // of each role
	Weight     []int    // of each role in this choice: its own, and more when no task of these names it as the least
}

// last tells of roles that are chosen only where nothing else would do.
func (c *Catalog) last(id string) bool {
	return id == GlobalAdministrator || id == PrivilegedRole || id == PrivilegedAuth
}

// Choose makes the choice of roles for mappings; keep are the ids of roles that are there anyway
// (pinned, or granted and not to be taken away). A role that is beside an act, and Global,
// Privileged Role and Privileged Authentication Administrator, stand in only where they are there
// anyway or another act needs them: the smallest set is not one that reaches for more.
// A mapping that is not known gives a need without roles.
func (c *Catalog) Choose(needs []Mapping, keep []string) Problem {
	in := map[string]bool{}
	kept := map[string]bool{}
	for _, id := range keep {
		if k := c.byID[strings.ToLower(id)]; k != nil {
			in[k.ID], kept[k.ID] = true, true
		}
	}
	for _, m := range needs {
		for _, id := range c.first(m) {
			in[id] = true
		}
	}
	var p Problem
	for id := range in {
		p.Roles = append(p.Roles, id)
	}
	slices.Sort(p.Roles)
	more := make([]int, len(p.Roles))
	for i, id := range p.Roles {
		more[i] = notNamed
		if kept[id] {
			more[i] = 0
		}
	}
	for _, m := range needs {
		var would []int
		for _, d := range m.Candidates {
			i, ok := slices.BinarySearch(p.Roles, d.Role)
			if !ok {
				continue
			}
			would = append(would, i)
			switch d.Task {
			case 0:
				more[i] = 0
			case 1:
				more[i] = min(more[i], notLeast)
			}
		}
		slices.Sort(would)
		p.Needs = append(p.Needs, would)
	}
	for i, id := range p.Roles {
		k := c.byID[id]
		p.Privileged = append(p.Privileged, k.Privileged)
		p.Weight = append(p.Weight, k.Weight+more[i])
	}
	return p
}

// first gives the candidates that a mapping itself brings into a choice.
func (c *Catalog) first(m Mapping) []string {
	var out, last []string
	for _, d := range m.Candidates {
		switch {
		case c.last(d.Role):
			last = append(last, d.Role)
		case !d.Beside:
			out = append(out, d.Role)
		}
	}
	if len(out) == 0 && len(last) > 0 {
		// Global Administrator only where it is the one that can.
		if i := slices.Index(last, GlobalAdministrator); i >= 0 && len(last) > 1 {
			last = slices.Delete(last, i, i+1)
		}
		out = last
	}
	return out
}
