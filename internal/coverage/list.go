package coverage

import (
	"cmp"
	"strconv"
	"strings"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// policyList is how the policies are shown.
var policyList = &screen.List[Policy]{
	Noun: "policy", PerPage: 50, Search: "policy, what it takes or leaves out", Default: "state",
	Key: func(p *Policy) string { return p.ID },
	Columns: []screen.Column[Policy]{
		{Name: "policy", Head: "Policy", About: "its name, and whom and what it takes", Cell: func(p *Policy) screen.Cell {
			return screen.Cell{Text: print.Clean(p.Name, 120), Sub: short(p.Takes, 4), Tags: tagsOf(p)}
		}, Text: func(p *Policy) string { return p.Name }},
		{Name: "state", Head: "State", About: "on, report-only or off", Order: func(a, b *Policy) int {
			return cmp.Or(rank(a)-rank(b), strings.Compare(a.Name, b.Name))
		},
			Cell: func(p *Policy) screen.Cell {
				tone := print.Muted
				switch {
				case p.Misread != "":
					tone = print.Doubt
				case p.State == stateOn:
					tone = print.Good
				}
				return screen.Cell{Said: &page.Said{Tone: tone, Word: p.State}}
			}, Text: func(p *Policy) string { return p.State }},
		{Name: "asks", Head: "Asks", About: "what its grant asks for", Drop: true, Cell: func(p *Policy) screen.Cell {
			return screen.Cell{Text: print.Clean(p.Asks, 120), Quiet: p.Asks == "", Never: "–"}
		}},
		{Name: "leavesOut", Head: "Leaves out", About: "whom and what it excludes", Cell: func(p *Policy) screen.Cell {
			return screen.Cell{Text: short(p.Leaves, 3), Never: "nothing"}
		}, Text: func(p *Policy) string { return strings.Join(p.Leaves, "; ") }},
		{Name: "cells", Head: "Takes", About: "classes of sign-ins of which it takes some", Right: true, Order: func(a,
			b *Policy) int {
			return a.Cells - b.Cells
		},
			Cell: func(p *Policy) screen.Cell {
				return screen.Cell{Of: &screen.Part{N: int64(p.Cells), Of: int64(p.Of)}}
			}, Text: func(p *Policy) string { return strconv.Itoa(p.Cells) }},
		{Name: "alone", Head: "Alone holds", About: "classes that would be open without it", Right: true, Order: func(a,
			b *Policy) int {
			return a.Alone - b.Alone
		},
			Blank: func(p *Policy) bool { return p.Alone < 0 }, Cell: aloneCell, Text: func(p *Policy) string {
				if p.Alone < 0 {
					return ""
				}
				return strconv.Itoa(p.Alone)
			}},
		{Name: "closes", Head: "Would close", About: "open classes that a report-only policy would close", Right: true, Drop: true,
			Order: func(a, b *Policy) int { return a.Closes - b.Closes },
			Cell: func(p *Policy) screen.Cell {
				if p.State != stateReport {
					return screen.Cell{Never: "–"}
				}
				return screen.Count(int64(p.Closes), "")
			}, Text: func(p *Policy) string { return strconv.Itoa(p.Closes) }},
		{Name: "changed", Head: "Changed", About: "when it was changed last, and by whom where the directory's log says so",
			Order: func(a, b *Policy) int { return a.changed().Compare(b.changed()) }, Blank: func(p *Policy) bool { return p.changed().IsZero() },
			Cell: func(p *Policy) screen.Cell {
				c := screen.When(p.changed(), "not said")
				if p.Builtin {
					c.Never = "Microsoft's own"
				}
				if p.By != "" {
					c.Sub = "by " + print.Clean(p.By, 80)
				}
				return c
			}},
	},
	Filters: []screen.Filter[Policy]{
		{Name: "state", Head: "State", Of: func(p *Policy) []string { return []string{p.State} }},
		{Name: "effect", Head: "Effect", Of: effects, Enum: []string{"alone", "closes", "misread"}, Word: func(v string) string {
			return map[string]string{"alone": "holds something alone", "closes": "would close something", "misread": "not understood"}[v]
		}},
	},
	Detail: func(p *Policy) []screen.Block {
		out := []screen.Block{screen.Pairs{
			{Key: "Takes", Cell: screen.Cell{Text: strings.Join(p.Takes, "; "), Never: "nothing"}},
			{Key: "Leaves out", Cell: screen.Cell{Text: strings.Join(p.Leaves, "; "), Never: "nothing"}},
			{Key: "Id", Cell: screen.Cell{Text: print.Clean(p.ID, 120), Mono: true}},
		}}
		if p.Misread != "" {
			out = append(out, screen.Para{Class: "note", Text: "Not counted as protection, because it uses what is not understood here: " +
				print.Clean(p.Misread, 300) + "."})
		}
		if p.Workload {
			out = append(out, screen.Para{Class: "note", Text: "It selects workloads, not users."})
		}
		return out
	},
}

func aloneCell(p *Policy) screen.Cell {
	switch {
	case p.State != stateOn:
		return screen.Cell{Never: "–"}
	case p.Alone < 0:
		return screen.Cell{Never: "not counted"}
	}
	return screen.Count(int64(p.Alone), "")
}

func rank(p *Policy) int {
	switch p.State {
	case stateOn:
		return 0
	case stateReport:
		return 1
	}
	return 2
}

func effects(p *Policy) (out []string) {
	if p.Alone > 0 {
		out = append(out, "alone")
	}
	if p.Closes > 0 {
		out = append(out, "closes")
	}
	if p.Misread != "" {
		out = append(out, "misread")
	}
	return out
}

func tagsOf(p *Policy) (out []screen.Tag) {
	if p.Builtin {
		out = append(out, screen.Tag{Text: "built in"})
	}
	if p.Misread != "" {
		out = append(out, screen.Tag{Text: "not understood", Tone: print.Doubt})
	}
	return out
}

// short are the first of some words.
func short(list []string, most int) string {
	if len(list) > most {
		return strings.Join(list[:most], " · ") + " · and " + strconv.Itoa(len(list)-most) + " more"
	}
	return strings.Join(list, " · ")
}
