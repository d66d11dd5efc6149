//go:build !judge

package collect

import (
	"cmp"
	"context"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// said is how a tenant's readings stand.
func (s *Standing) said() page.Said {
	switch {
	case s.Read == 0 && s.Refused > 0:
		return page.Said{Tone: print.Doubt, Word: "refused"}
	case s.Read == 0:
		return page.Said{Tone: print.Doubt, Word: "never read"}
	case s.Lost > 0:
		return page.Said{Tone: print.Bad, Word: "lost in part"}
	case s.Failing > 0:
		return page.Said{Tone: print.Doubt, Word: "failing"}
	case s.Refused > 0, s.Open > 0, s.Read < s.Lists:
		return page.Said{Tone: print.Doubt, Word: "partly"}
	}
	return page.Said{Tone: print.Good, Word: "whole"}
}

func (s *Standing) rank() int {
	return map[string]int{"lost in part": 0, "failing": 1, "refused": 2, "never read": 3, "partly": 4, "whole": 5}[s.said().Word]
}

// why is the second line: what is not as it should be.
func (s *Standing) why() string {
	switch {
	case s.Read == 0 && s.Refused > 0:
		return "all of " + print.Plural(int64(s.Refused), "lists")
	case s.Read == 0:
		return print.Clean(s.Tenant.Words, 120)
	case s.Failing > 0:
		return print.Plural(int64(s.Failing), "lists") + " tried again"
	case s.Refused > 0:
		return print.Plural(int64(s.Refused), "lists") + " refused"
	case s.Open > 0:
		return print.Plural(int64(s.Open), "gaps")
	}
	return ""
}

var tenantList = &screen.List[Standing]{
	Noun: "tenant", Default: "state", Search: "name, domain, tenant id", PerPage: 200, Tight: true,
	Key:    func(s *Standing) string { return s.Tenant.ID },
	Tenant: func(s *Standing) string { return s.Tenant.ID },
	Columns: []screen.Column[Standing]{
		{Name: "tenant", Head: "Tenant", Cell: func(s *Standing) screen.Cell {
			c := screen.Named(name(&s.Tenant), s.Tenant.Domain, screen.With("/collection", "tenant", s.Tenant.ID))
			if s.Tenant.Partner {
				c.Tags = []screen.Tag{{Text: "your own"}}
			}
			return c
		}},
		{Name: "id", Head: "Tenant id", Only: true, Text: func(s *Standing) string { return s.Tenant.ID }},
		{Name: "state", Head: "Read", Order: func(a, b *Standing) int { return cmp.Or(a.rank()-b.rank(), a.Oldest.Compare(b.Oldest)) },
			Cell: func(s *Standing) screen.Cell { x := s.said(); return screen.Cell{Said: &x, Sub: s.why()} }},
		{Name: "lists", Head: "Lists", Right: true, Plain: true, Order: func(a, b *Standing) int { return a.Read - b.Read },
			Cell: func(s *Standing) screen.Cell {
				return screen.Cell{Of: &screen.Part{N: int64(s.Read), Of: int64(s.Lists)}}
			}},
		{Name: "oldest", Head: "Oldest list", Right: true, Order: func(a, b *Standing) int { return a.Oldest.Compare(b.Oldest) },
			Blank: func(s *Standing) bool { return s.Oldest.IsZero() },
			Cell:  func(s *Standing) screen.Cell { return screen.When(s.Oldest, "never") }},
		{Name: "gaps", Head: "Gaps", Right: true, Plain: true, Order: func(a, b *Standing) int { return cmp.Or(a.Lost-b.Lost, a.Open-b.Open) },
			Cell: func(s *Standing) screen.Cell {
				c := screen.Count(int64(s.Open), screen.With("/collection/gaps", "tenant", s.Tenant.ID))
				if s.Lost > 0 {
					c.Tags = []screen.Tag{{Text: print.Number(int64(s.Lost)) + " lost", Tone: print.Bad}}
				}
				return c
			}},
		{Name: "last", Head: "Last round", Right: true, Order: func(a, b *Standing) int { return a.Tenant.Last.Compare(b.Tenant.Last) },
			Blank: func(s *Standing) bool { return s.Tenant.Last.IsZero() },
			Cell: func(s *Standing) screen.Cell {
				if s.Reading {
					return screen.Cell{Text: "being read now"}
				}
				return screen.When(s.Tenant.Last, "never")
			}},
	},
	Filters: []screen.Filter[Standing]{{Name: "state", Head: "State", Enum: []string{"lost in part", "failing", "refused", "never read", "partly", "whole"},
		Of: func(s *Standing) []string { return []string{s.said().Word} }}},
}

func (d *Desk) loadTenants(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	list, err := d.Readings.Standings(ctx)
	if err != nil {
		return nil, err
	}
	return &screen.View{Rows: tenantList.Of(list), Sentence: "How the readings of every tenant stand, worst first.",
		Nothing: nothingRead()}, nil
}

func nothingRead() *screen.Nothing {
	return &screen.Nothing{Head: "Nothing was read yet", Text: "Once a connection stands, its tenant and its customers are read by themselves.",
		LinkText: "Connections", Path: "/connections", Command: "partnerguard connect"}
}
