package pages

import (
	"cmp"
	"fmt"
	"strings"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

func callerPath(f *ledger.Finding) string {
	return screen.With("/gateway/caller", "caller", f.Caller, "of", f.Tenant)
}

func callerName(f *ledger.Finding) string {
	return print.Clean(cmp.Or(f.Account, f.Caller, f.Kind), 120)
}

func routeName(s string) string { return cmp.Or(s, "(no route)") }

// findings is the list of who would be refused.
var findings = &screen.List[ledger.Finding]{
	Noun: "caller", Default: "-times", Search: "account, object id, client, network", PerPage: 100,
	Key: func(f *ledger.Finding) string {
		return strings.Join([]string{f.Route, f.Reason, f.Kind, f.Tenant, f.Caller, f.Client, f.Agent, f.Excused}, "|")
	},
	Columns: []screen.Column[ledger.Finding]{
		{Name: "who", Head: "Who", Cell: func(f *ledger.Finding) screen.Cell {
			c := screen.Named(callerName(f), f.Caller, "")
			if f.Caller != "" {
				c.Path = callerPath(f)
			}
			if f.Caller == c.Text {
				c.Sub = f.Kind
			}
			return c
		}, Text: callerName},
		{Name: "caller", Head: "Caller", Only: true, Text: func(f *ledger.Finding) string { return f.Caller }},
		{Name: "tenant", Head: "Tenant", Only: true, Text: func(f *ledger.Finding) string { return f.Tenant }},
		{Name: "reason", Head: "Reason", Cell: func(f *ledger.Finding) screen.Cell {
			tone, word := print.Bad, f.Reason
			if f.Excused != "" {
				tone, word = print.Cautious, f.Reason+", excused"
			}
			return screen.Cell{Said: &page.Said{Tone: tone, Word: word}}
		}, Text: func(f *ledger.Finding) string { return f.Reason }},
		{Name: "route", Head: "Route", Cell: func(f *ledger.Finding) screen.Cell { return screen.Words(routeName(f.Route)) }},
		{Name: "client", Head: "Client", Drop: true, Cell: func(f *ledger.Finding) screen.Cell {
			return screen.Cell{Text: cmp.Or(f.Client, "not known"), Quiet: f.Client == "", Mono: f.Client != "", Sub: f.Agent}
		}, Text: func(f *ledger.Finding) string { return f.Client }},
		{Name: "agent", Head: "Program", Only: true, Text: func(f *ledger.Finding) string { return f.Agent }},
		{Name: "times", Head: "Requests", Right: true, Order: func(a, b *ledger.Finding) int { return cmp.Compare(a.Times, b.Times) },
			Cell: func(f *ledger.Finding) screen.Cell {
				c := screen.Count(f.Times, "")
				if f.Refused > 0 {
					c.Sub = print.Number(f.Refused) + " refused"
				}
				return c
			}, Text: func(f *ledger.Finding) string { return fmt.Sprint(f.Times) }},
		{Name: "share", Head: "Share", About: "of the route's requests", Right: true, Drop: true,
			Order: func(a, b *ledger.Finding) int { return cmp.Compare(a.Share, b.Share) },
			Cell:  func(f *ledger.Finding) screen.Cell { return screen.Words(ledger.Percent(int64(f.Share*1e6+0.5), 1e6)) },
			Text:  func(f *ledger.Finding) string { return fmt.Sprintf("%.6f", f.Share) }},
		{Name: "last", Head: "Last", Right: true, Order: func(a, b *ledger.Finding) int { return a.Last.Compare(b.Last) },
			Cell: func(f *ledger.Finding) screen.Cell { return screen.When(f.Last, "") }},
	},
	Filters: []screen.Filter[ledger.Finding]{
		{Name: "reason", Head: "Reason", Of: func(f *ledger.Finding) []string { return []string{f.Reason} }},
		{Name: "route", Head: "Route", Of: func(f *ledger.Finding) []string { return []string{routeName(f.Route)} }},
		{Name: "kind", Head: "Kind", Enum: []string{"user", "app", "unknown", "others"}, Of: func(f *ledger.Finding) []string { return []string{f.Kind} }},
		{Name: "excused", Head: "Excused", Enum: []string{"yes", "no"}, Quiet: true, Of: func(f *ledger.Finding) []string {
			if f.Excused != "" {
				return []string{"yes"}
			}
			return []string{"no"}
		}},
	},
	Detail: func(f *ledger.Finding) []screen.Block {
		what := "Enforcing refuses this."
		switch {
		case f.Excused != "":
			what = "The exception " + f.Excused + " lets it pass until its day."
		case f.Refused == f.Times:
			what = "It is refused."
		case f.Refused > 0:
			what = "Some of it is refused already, and enforcing refuses all."
		}
		return []screen.Block{
			screen.Bit{Head: "Why", Body: []screen.Block{screen.Para{Text: print.Ended(print.Sentence(f.Title))}}},
			screen.Bit{Head: "What to do", Body: []screen.Block{screen.Para{Text: print.Ended(print.Sentence(f.Fix))}}},
			screen.Bit{Head: "What happens", Body: []screen.Block{screen.Para{Text: what}}},
			screen.Pairs{{Key: "First", Cell: screen.Cell{At: f.First}}, {Key: "Last", Cell: screen.Cell{At: f.Last}},
				{Key: "Tenant", Cell: screen.Cell{Text: f.Tenant, Mono: true, Never: "not known"}}, {Key: "Client", Cell: screen.Cell{Text: f.Client,
					Mono: true, Never: "not known"}}},
		}
	},
}

// modeSaid is a route's mode as a verdict.
func modeSaid(mode string, share int) *page.Said {
	word := cmp.Or(mode, "not known")
	tone := print.Doubt
	switch mode {
	case gateway.Enforce.String():
		tone = print.Good
	case gateway.Ramp.String():
		tone, word = print.Cautious, fmt.Sprintf("ramp %d %%", share)
	case gateway.Report.String():
		tone = print.Cautious
	}
	return &page.Said{Tone: tone, Word: word}
}
