package recommend

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Bounds of merging near-equal sets: how many roles more a set may get, and how many sets are
// compared.
const (
	maxExtra = 2
	maxSets  = 2000
)

// set is one set of roles with the items that need exactly it.
type set struct {
	roles []string
	items []*work
	into  *set // it was merged
}

// templates groups the judged items by what they need, the rare sets into a common one that
// has all of it and no further privileged role.
func (d *deriver) templates() {
	by := map[string]*set{}
	var sets []*set
	for _, w := range d.works {
		if !w.item.Judged || len(w.item.Recommended) == 0 {
			continue
		}
		key := strings.Join(w.item.Recommended, ",")
		s := by[key]
		if s == nil {
			s = &set{roles: w.item.Recommended}
			by[key] = s
			sets = append(sets, s)
		}
		s.items = append(s.items, w)
	}
	slices.SortFunc(sets, func(a, b *set) int {
		return cmp.Or(-cmp.Compare(len(a.items), len(b.items)), cmp.Compare(len(a.roles), len(b.roles)), slices.Compare(a.roles, b.roles))
	})
	if len(sets) <= maxSets {
		for i := len(sets) - 1; i > 0; i-- { // the rarest first
			sets[i].into = d.nearest(sets[i], sets[:i])
		}
	}
	d.write(sets)
}

// nearest is the most common set that a set can be merged into: it has all of its roles, few
// more, and none of these is privileged or a way to Global Administrator.
func (d *deriver) nearest(s *set, others []*set) *set {
	for _, o := range others {
		if len(o.roles) <= len(s.roles) || len(o.roles) > len(s.roles)+maxExtra || len(o.items) <= len(s.items) {
			continue
		}
		if d.harmless(s.roles, o.roles) {
			return o
		}
	}
	return nil
}

// harmless reports that a set holds all roles of another, and that what it holds beyond is
// neither privileged nor a way to Global Administrator.
func (d *deriver) harmless(part, whole []string) bool {
	for _, r := range part {
		if !slices.Contains(whole, r) {
			return false
		}
	}
	for _, id := range whole {
		if r, ok := d.role(id); !slices.Contains(part, id) && (!ok || r.Privileged || r.Road) {
			return false
		}
	}
	return true
}

// write makes templates of sets, and names them in their items.
func (d *deriver) write(sets []*set) {
	members := map[*set][]*work{}
	for _, s := range sets {
		top := s
		for top.into != nil && d.harmless(s.roles, top.into.roles) && len(top.into.roles) <= len(s.roles)+maxExtra {
			top = top.into
		}
		members[top] = append(members[top], s.items...)
	}
	for _, s := range sets {
		list := members[s]
		if len(list) == 0 {
			continue
		}
		t := Template{ID: templateID(s.roles), Roles: s.roles, Items: len(list), Extra: []Extra{}, Theft: []string{}}
		for _, id := range s.roles {
			x := Extra{Role: id}
			for _, w := range list {
				if !slices.Contains(w.item.Recommended, id) {
					x.Items++
				}
			}
			if x.Items > 0 {
				t.Extra = append(t.Extra, x)
			}
			if r, ok := d.role(id); ok {
				t.Theft = append(t.Theft, r.Name+": "+r.Theft)
			}
		}
		for _, w := range list {
			w.item.Template = t.ID
			if len(w.item.Recommended) == len(s.roles) {
				t.Exact++
			}
		}
		d.out.Templates = append(d.out.Templates, t)
	}
	slices.SortStableFunc(d.out.Templates, func(a, b Template) int {
		return cmp.Or(-cmp.Compare(a.Items, b.Items), cmp.Compare(len(a.Roles), len(b.Roles)), slices.Compare(a.Roles, b.Roles))
	})
}

// templateID is the same for the same roles.
func templateID(roles []string) string {
	sum := sha256.Sum256([]byte(strings.Join(roles, ",")))
	return "least-" + hex.EncodeToString(sum[:4])
}
