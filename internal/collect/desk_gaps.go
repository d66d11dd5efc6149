//go:build !judge

package collect

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// gapsFor is how far back healed gaps are shown.
const gapsFor = 14 * 24 * time.Hour

// gapLine is a gap as the page shows it.
type gapLine struct {
	evidence.Gap
	State  string    `json:"state"` // open, lost, healed
	Healed time.Time `json:"healed,omitzero"`
	Name   string    `json:"name,omitempty"` // of its tenant, where the list is of all
}

func (g *gapLine) said() page.Said {
	switch g.State {
	case "lost":
		return page.Said{Tone: print.Bad, Word: "lost"}
	case "healed":
		return page.Said{Tone: print.Good, Word: "healed"}
	}
	return page.Said{Tone: print.Doubt, Word: "open"}
}

// span is what is missing.
func (g *gapLine) span() string {
	switch {
	case g.Interval():
		return screen.Moment(g.From, g.To) + " to " + screen.Moment(g.To, g.From)
	case g.Of != "":
		return "of one item"
	}
	return "the whole list"
}

var gapStates = []string{"lost", "open", "healed"}

// key is the same for the same gap.
func (g *gapLine) key() string {
	all := ""
	if g.Name != "" {
		all = g.Tenant + "."
	}
	return all + g.Resource + "." + strconv.FormatInt(max(g.From.Unix(), 0), 36) + "." + strconv.FormatInt(max(g.Since.Unix(), 0), 36) + "." + g.Of
}

var gapList = &screen.List[gapLine]{
	Noun: "gap", Default: "state", Search: "list, why, what heals it",
	Key:    (*gapLine).key,
	Tenant: func(g *gapLine) string { return g.Tenant },
	Columns: []screen.Column[gapLine]{
		{Name: "list", Head: "List", Cell: func(g *gapLine) screen.Cell {
			c := screen.Cell{Text: g.Resource, Sub: g.span()}
			if g.Name != "" {
				c.Tags = []screen.Tag{{Text: g.Name}}
			}
			return c
		}},
		{Name: "state", Head: "State", Order: func(a, b *gapLine) int {
			return cmp.Or(slices.Index(gapStates, a.State)-slices.Index(gapStates, b.State), b.Since.Compare(a.Since))
		}, Cell: func(g *gapLine) screen.Cell {
			s := g.said()
			return screen.Cell{Said: &s, SubAt: g.Healed}
		}},
		{Name: "why", Head: "Why", Cell: func(g *gapLine) screen.Cell {
			return screen.Cell{Text: print.Sentence(print.Clean(cmp.Or(g.Why, string(g.Reason)), 300)), Sub: print.Clean(g.Needs, 120)}
		}},
		{Name: "heals", Head: "What heals it", Cell: func(g *gapLine) screen.Cell {
			if g.State == "healed" {
				return screen.Cell{Text: "it was read after all", Quiet: true}
			}
			return healing(cmp.Or(g.Can, "the next reading"))
		}},
		{Name: "since", Head: "Noticed", Right: true, Order: func(a, b *gapLine) int { return a.Since.Compare(b.Since) },
			Blank: func(g *gapLine) bool { return g.Since.IsZero() },
			Cell:  func(g *gapLine) screen.Cell { return screen.When(g.Since, "from the beginning") }},
	},
	Filters: []screen.Filter[gapLine]{
		{Name: "state", Head: "State", Enum: gapStates, Of: func(g *gapLine) []string { return []string{g.State} }},
		{Name: "reason", Head: "Reason", Of: func(g *gapLine) []string { return []string{string(g.Reason)} }},
		{Name: "list", Head: "List", Quiet: true, Of: func(g *gapLine) []string { return []string{g.Resource} }},
	},
}

// healing is what heals a gap: a command stands as it is typed.
func healing(can string) screen.Cell {
	can = print.Clean(can, 300)
	if strings.HasPrefix(can, "partnerguard ") {
		return screen.Cell{Text: can, Mono: true}
	}
	return screen.Words(print.Sentence(can))
}

// gapLines are the gaps of a tenant: those that are open, and those that were healed
// since gapsFor.
func (d *Desk) gapLines(ctx context.Context, tenant string) ([]gapLine, error) {
	now := d.Readings.now()
	open, err := d.Readings.Gaps(ctx, tenant, now)
	if err != nil {
		return nil, err
	}
	healed, err := d.Readings.Healed(ctx, tenant, now.Add(-gapsFor))
	if err != nil {
		return nil, err
	}
	out := make([]gapLine, 0, len(open)+len(healed))
	for i := range open {
		g := gapLine{Gap: open[i], State: "open"}
		if g.Lost {
			g.State = "lost"
		}
		if !g.Since.After(ever) {
			g.Since = time.Time{}
		}
		out = append(out, g)
	}
	for i := range healed {
		out = append(out, gapLine{Gap: healed[i].Gap, State: "healed", Healed: healed[i].Closed})
	}
	return out, nil
}

// loadAllGaps shows what is open in all tenants that the viewer may see.
func (d *Desk) loadAllGaps(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	lines, err := d.gapLines(ctx, "")
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for i := range a.Tenants {
		names[a.Tenants[i].ID] = print.First(a.Tenants[i].ID, a.Tenants[i].Name)
	}
	for i := range lines {
		lines[i].Name = print.First(lines[i].Tenant, names[lines[i].Tenant])
	}
	return &screen.View{Rows: gapList.Of(lines), Sentence: "What was not read, why, and what heals it: all tenants. Healed ones stand on the page of each.",
		Nothing: &screen.Nothing{Head: "No gap", Text: "Everything that is read was read whole."}}, nil
}

func (d *Desk) loadGaps(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	if a.Tenant.ID == "" {
		return d.loadAllGaps(ctx, a)
	}
	t, err := d.Readings.Tenant(ctx, a.Tenant.ID)
	if errors.Is(err, problem.NotFound) {
		return &screen.View{Rows: gapList.Of(nil), Missing: true, Nothing: nothingRead()}, nil
	}
	if err != nil {
		return nil, err
	}
	lines, err := d.gapLines(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	return &screen.View{Rows: gapList.Of(lines), Sentence: "What was not read of " + name(&t) +
		", why, and what heals it. Healed ones of 14 days are here too.",
		Nothing: &screen.Nothing{Head: "No gap", Text: "Everything that is read of this tenant was read whole."}}, nil
}
