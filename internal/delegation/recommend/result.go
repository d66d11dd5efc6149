package recommend

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/print"
)

// result puts everything together, in an order that does not depend on the input's.
func (d *deriver) result() *Result {
	out := d.out
	slices.SortStableFunc(d.works, func(a, b *work) int {
		x, y := &a.item, &b.item
		return cmp.Or(cmp.Compare(x.Customer, y.Customer), cmp.Compare(x.Relationship, y.Relationship), cmp.Compare(x.Group, y.Group),
			cmp.Compare(x.Assignment, y.Assignment))
	})
	d.templates()
	out.Items = make([]Item, 0, len(d.works))
	for _, w := range d.works {
		w.item.fill()
		d.count(&w.item)
		out.Items = append(out.Items, w.item)
		if w.part != nil && (out.Window.Complete < 0 || w.item.Complete < out.Window.Complete) {
			out.Window.Complete = w.item.Complete
		}
	}
	out.Window.Complete = max(out.Window.Complete, 0)
	out.Summary.Unmapped = len(d.lost)
	d.replay(nil)
	out.DAP, out.Unexplained, out.Templates = print.List(out.DAP), print.List(out.Unexplained), print.List(out.Templates)
	for i := range out.DAP {
		x := &out.DAP[i]
		x.Recommended, x.Waits, x.Unmapped = print.List(x.Recommended), print.List(x.Waits), print.List(x.Unmapped)
	}
	d.names()
	return out
}

// fill makes the lists of an item lists, be they empty.
func (it *Item) fill() {
	it.Recommended, it.Added, it.Dropped, it.Pinned = print.List(it.Recommended), print.List(it.Added), print.List(it.Dropped), print.List(it.Pinned)
	it.Cautious = print.List(it.Cautious)
	it.Waits, it.Unmapped, it.Failed = print.List(it.Waits), print.List(it.Unmapped), print.List(it.Failed)
}

// count adds an item to the summary.
func (d *deriver) count(it *Item) {
	s := &d.out.Summary
	s.Items++
	s.Granted += len(it.Granted)
	s.Recommended += len(it.Recommended)
	if it.Judged {
		s.Judged++
	}
	if len(it.Dropped) > 0 {
		s.Less++
	}
	if len(it.Waits) > 0 {
		s.Waits++
	}
	for i := range it.Dropped {
		if it.Dropped[i].Sure == ByEvidence {
			s.ByEvidence++
		} else {
			s.NoEvidence++
		}
	}
	for _, id := range it.Granted {
		if r, ok := d.role(id); ok && r.Road {
			if slices.Contains(it.Recommended, id) {
				s.RoadsKept++
			} else {
				s.Roads++
			}
		}
	}
}

// names are those of all that the result names by id.
func (d *deriver) names() {
	out := map[string]string{}
	add := func(list ...string) {
		for _, id := range list {
			if r, ok := d.role(id); ok {
				out[id] = r.Name
			}
		}
	}
	for i := range d.out.Items {
		it := &d.out.Items[i]
		add(it.Granted...)
		add(it.Recommended...)
		for _, w := range it.Waits {
			add(w.Role)
		}
		if g := d.in.Inventory.Groups[it.Group]; g != nil && g.Name != "" {
			out[it.Group] = print.Clean(g.Name, print.MaxName)
		}
	}
	for i := range d.out.DAP {
		add(d.out.DAP[i].Recommended...)
		for _, w := range d.out.DAP[i].Waits {
			add(w.Role)
		}
	}
	for i := range d.out.Templates {
		add(d.out.Templates[i].Roles...)
	}
	for _, c := range d.customers() {
		if c.Name != "" {
			out[strings.ToLower(c.Tenant)] = print.Clean(c.Name, print.MaxName)
		}
	}
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	d.out.Names = out
}
