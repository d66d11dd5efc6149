package render

import (
	"cmp"
	"slices"

	"partnerguard/internal/rehearse"
)

// person is what happens to one account under one effect: one row for a reader,
// however many apps and clients it is seen with.
type person struct {
	rehearse.Group                   // the first of them, with all their sign-ins, reasons and ways out
	uses           []*rehearse.Group // by app and client, most sign-ins first
	reasons        []string
}

// byPerson joins the groups of an effect by account, those of most sign-ins first.
func byPerson(list []*rehearse.Group) []*person {
	at := map[string]*person{}
	var out []*person
	for _, g := range list {
		key := cmp.Or(g.ID, g.Account)
		p := at[key]
		if p == nil || key == "" {
			p = &person{Group: *g}
			p.Rows, p.WaysOut, p.Policies = 0, nil, nil
			at[key] = p
			out = append(out, p)
		}
		p.take(g)
	}
	slices.SortStableFunc(out, func(a, b *person) int { return cmp.Compare(b.Rows, a.Rows) })
	return out
}

func (p *person) take(g *rehearse.Group) {
	p.uses = append(p.uses, g)
	p.Rows += g.Rows
	if g.Last != nil && (p.Last == nil || g.Last.After(*p.Last)) {
		p.Last, p.RecordID, p.Source = g.Last, g.RecordID, g.Source
	}
	if !slices.Contains(p.reasons, g.Reason) {
		p.reasons = append(p.reasons, g.Reason)
	}
	for _, w := range g.WaysOut {
		if !slices.Contains(p.WaysOut, w) {
			p.WaysOut = append(p.WaysOut, w)
		}
	}
	for _, name := range g.Policies {
		if !slices.Contains(p.Policies, name) {
			p.Policies = append(p.Policies, name)
		}
	}
}
