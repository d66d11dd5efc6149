//go:build !judge

package pages

import (
	"cmp"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// perPage is how many customers a page has.
const perPage = 200

// listFor is the list of customers as of a moment, from which ends are counted; the shape of
// all is the same.
func listFor(now time.Time) *screen.List[Row] {
	ends := map[string]string{"30d": "ends in 30 d", "90d": "ends in 90 d", "later": "ends later", "none": "no end"}
	return &screen.List[Row]{
		Noun: "customer", Default: "roads", Search: "customer, domain, tenant id, role, group", PerPage: perPage, Tight: true,
		Key:    func(r *Row) string { return r.Tenant },
		Tenant: func(r *Row) string { return r.Tenant },
		Columns: []screen.Column[Row]{
			{Name: "customer", Head: "Customer", Cell: func(r *Row) screen.Cell { return screen.Named(r.Name, r.Domain, waysOf(r.Tenant)) },
				Text: func(r *Row) string { return r.Name }},
			{Name: "domain", Head: "Domain", Only: true, Text: func(r *Row) string { return r.Domain }},
			{Name: "tenantId", Head: "Tenant id", Only: true, Text: func(r *Row) string { return r.Tenant }},
			{Name: "dap", Head: "DAP", Order: func(a, b *Row) int { return dapRank(a) - dapRank(b) }, Cell: dapCell},
			{Name: "roads", Head: "To Global Administrator", Order: byRoad, Cell: roadCell, Text: func(r *Row) string { return strings.Join(r.Roads, "; ") }},
			{Name: "active", Head: "GDAP", About: "active relationships, of all", Right: true, Plain: true, Order: func(a, b *Row) int { return a.Active - b.Active },
				Cell: func(r *Row) screen.Cell { return screen.Cell{Of: &screen.Part{N: int64(r.Active), Of: int64(r.All)}} }},
			{Name: "roles", Head: "Roles", Right: true, Plain: true, Drop: true, Order: func(a, b *Row) int { return a.Roles - b.Roles },
				Cell: func(r *Row) screen.Cell { return screen.Count(int64(r.Roles), "") }},
			{Name: "groups", Head: "Groups", Drop: true, Order: func(a, b *Row) int { return len(a.Groups) - len(b.Groups) }, Cell: groupsCell,
				Text: func(r *Row) string { return strings.Join(r.Groups, "; ") }},
			{Name: "people", Head: "People", Right: true, Plain: true, Order: func(a, b *Row) int { return a.People - b.People }, Cell: peopleCell},
			{Name: "ends", Head: "Ends", About: "the soonest of the active ones", Right: true, Order: func(a, b *Row) int { return a.Ends.Compare(b.Ends) },
				Blank: func(r *Row) bool { return r.Ends.IsZero() },
				Cell:  func(r *Row) screen.Cell { return screen.Cell{At: r.Ends, Ago: true, Never: "–"} }},
			{Name: "notRead", Head: "Not read", Drop: true, Fixed: true, Cell: func(r *Row) screen.Cell {
				if len(r.Unread) == 0 {
					return screen.Cell{Text: "–", Quiet: true}
				}
				return screen.Cell{Said: &page.Said{Tone: print.Doubt, Word: print.Plural(int64(len(r.Unread)), "things")}}
			}, Text: func(r *Row) string { return strings.Join(r.Unread, "; ") }},
		},
		Filters: []screen.Filter[Row]{
			{Name: "dap", Head: "DAP", Enum: []string{"yes", "unknown", "no"}, Of: func(r *Row) []string { return []string{string(r.DAP)} },
				Word: func(v string) string {
					return map[string]string{"yes": "DAP", "no": "no DAP", "unknown": "DAP not read"}[v]
				}},
			{Name: "road", Head: "Roles", Enum: []string{"global", "road", "none"}, Of: roadsOf, Word: func(v string) string {
				return map[string]string{"global": "Global Administrator", "road": "leads to Global Administrator", "none": "neither"}[v]
			}},
			{Name: "ends", Head: "Ends", Enum: []string{"30d", "90d"}, Of: func(r *Row) []string { return []string{r.ending(now)} },
				Word: func(v string) string { return ends[v] }},
			{Name: "read", Head: "Read", Enum: []string{"no", "yes"}, Of: func(r *Row) []string {
				return []string{map[bool]string{true: "yes", false: "no"}[len(r.Unread) == 0]}
			}, Word: func(v string) string { return map[string]string{"no": "not all read", "yes": "all read"}[v] }},
			{Name: "made", Head: "Made by", Enum: []string{"mlt"}, Of: func(r *Row) []string {
				if r.MLT {
					return []string{"mlt"}
				}
				return nil
			}, Word: func(string) string { return "made by Microsoft" }},
			{Name: "group", Head: "Group", Quiet: true, Of: func(r *Row) []string { return r.Groups }},
		},
		Detail: func(r *Row) []screen.Block {
			items := screen.Items{Empty: "Everything that tells of it was read."}
			for _, u := range r.Unread {
				items.List = append(items.List, screen.Item{Lead: u, Icon: screen.Mark(print.Doubt)})
			}
			roads := screen.Items{Empty: "None of the roles that were read."}
			for _, name := range r.Roads {
				roads.List = append(roads.List, screen.Item{Lead: name, Icon: screen.Mark(print.Bad)})
			}
			return []screen.Block{screen.Bit{Head: "Leads to Global Administrator", Body: []screen.Block{roads}},
				screen.Bit{Head: "Groups", Body: []screen.Block{screen.Para{Text: cmp.Or(strings.Join(r.Groups, ", "), "none that was read")}}},
				screen.Bit{Head: "Not known", Body: []screen.Block{items}}}
		},
	}
}

func waysOf(tenant string) string { return screen.With("/delegation/paths", "tenant", tenant) }

func dapRank(r *Row) int {
	return map[delegation.Answer]int{delegation.Yes: 0, delegation.Unknown: 1, delegation.No: 2}[r.DAP]
}

func dapCell(r *Row) screen.Cell {
	switch r.DAP {
	case delegation.Yes:
		return screen.Cell{Said: &page.Said{Tone: print.Bad, Word: "DAP"}}
	case delegation.No:
		return screen.Cell{Text: "–", Quiet: true}
	}
	return screen.Cell{Said: &page.Said{Tone: print.Doubt, Word: "not read"}}
}

func roadsOf(r *Row) []string {
	switch {
	case r.Global:
		return []string{"global", "road"}
	case len(r.Roads) > 0:
		return []string{"road"}
	}
	return []string{"none"}
}

func byRoad(a, b *Row) int {
	rank := func(r *Row) int {
		switch {
		case r.Global:
			return 0
		case len(r.Roads) > 0:
			return 1
		case len(r.Unread) > 0:
			return 2
		}
		return 3
	}
	return cmp.Or(rank(a)-rank(b), len(b.Roads)-len(a.Roads), dapRank(a)-dapRank(b), strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
}

func roadCell(r *Row) screen.Cell {
	switch {
	case len(r.Roads) > 0:
		c := screen.Cell{Said: &page.Said{Tone: print.Bad, Word: r.Roads[0]}}
		if n := len(r.Roads) - 1; n > 0 {
			c.Tags = []screen.Tag{{Text: "+" + print.Number(int64(n))}}
		}
		return c
	case len(r.Unread) > 0:
		return screen.Cell{Said: &page.Said{Tone: print.Doubt, Word: "not all read"}}
	case r.Active == 0:
		return screen.Cell{Text: "no GDAP", Quiet: true}
	}
	return screen.Cell{Said: &page.Said{Tone: print.Good, Word: "fewer rights"}}
}

func groupsCell(r *Row) screen.Cell {
	switch len(r.Groups) {
	case 0:
		return screen.Cell{Text: "–", Quiet: true}
	case 1:
		return screen.Words(r.Groups[0])
	}
	return screen.Cell{Text: r.Groups[0], Tags: []screen.Tag{{Text: "+" + print.Number(int64(len(r.Groups)-1))}}}
}

func peopleCell(r *Row) screen.Cell {
	c := screen.Count(int64(r.People), "")
	if r.More {
		c.Sub = "and more: not all was read"
		if r.People == 0 {
			c = screen.Cell{Said: &page.Said{Tone: print.Doubt, Word: "not read"}}
		}
	}
	return c
}

func (r *Row) ending(now time.Time) string {
	switch left := r.Ends.Sub(now); {
	case r.Ends.IsZero():
		return "none"
	case left <= 30*24*time.Hour:
		return "30d"
	case left <= 90*24*time.Hour:
		return "90d"
	}
	return "later"
}
