package customers

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// relationshipRow is a relationship as one customer's page shows it.
type relationshipRow struct {
	Relationship
	tenant string
	now    time.Time
}

func (r *relationshipRow) said() page.Said {
	switch {
	case !r.Active:
		return page.Said{Tone: print.Muted, Word: cmp.Or(strings.ToLower(r.Status), "not active")}
	case r.Global || r.Road:
		return page.Said{Tone: print.Bad, Word: "active"}
	case r.Lost:
		return page.Said{Tone: print.Doubt, Word: "active"}
	}
	return page.Said{Tone: print.Good, Word: "active"}
}

var relationshipList = &screen.List[relationshipRow]{
	Noun: "relationship", Default: "state", Search: "name, role, status",
	Key:    func(r *relationshipRow) string { return r.ID },
	Tenant: func(r *relationshipRow) string { return r.tenant },
	Columns: []screen.Column[relationshipRow]{
		{Name: "name", Head: "Relationship", Cell: func(r *relationshipRow) screen.Cell {
			c := screen.Cell{Text: cmp.Or(r.Name, r.ID), Sub: r.ID}
			if r.Transition {
				c.Tags = []screen.Tag{{Text: "made by Microsoft's transition"}}
			}
			return c
		}},
		{Name: "state", Head: "State", Order: func(a, b *relationshipRow) int { return cmp.Or(before(a.Active, b.Active), a.End.Compare(b.End)) },
			Cell: func(r *relationshipRow) screen.Cell { s := r.said(); return screen.Cell{Said: &s} }},
		{Name: "roles", Head: "Roles", Cell: func(r *relationshipRow) screen.Cell {
			if len(r.Roles) == 0 {
				return screen.Cell{Said: &page.Said{Tone: print.Doubt, Word: "not read"}}
			}
			c := screen.Cell{Text: r.Roles[0].Name}
			if r.Global || r.Road {
				c = screen.Cell{Said: &page.Said{Tone: print.Bad, Word: r.Roles[0].Name}}
			}
			if r.Road && !r.Global {
				c.Tags = append(c.Tags, screen.Tag{Text: "leads to Global Administrator"})
			}
			if n := len(r.Roles) - 1; n > 0 {
				c.Sub = "and " + print.Plural(int64(n), "more roles")
			}
			return c
		}, Text: (*relationshipRow).roleNames},
		{Name: "begun", Head: "Since", Right: true, Drop: true, Order: func(a, b *relationshipRow) int { return a.Begun.Compare(b.Begun) },
			Blank: func(r *relationshipRow) bool { return r.Begun.IsZero() },
			Cell:  func(r *relationshipRow) screen.Cell { return screen.When(r.Begun, "–") }},
		{Name: "ends", Head: "Ends", Right: true, Order: func(a, b *relationshipRow) int { return a.End.Compare(b.End) },
			Blank: func(r *relationshipRow) bool { return r.End.IsZero() },
			Cell: func(r *relationshipRow) screen.Cell {
				return screen.Cell{At: r.End, Ago: true, Never: "not read", Sub: extendWord(r.Extends, r.By)}
			}},
		{Name: "groups", Head: "Groups", Right: true, Plain: true, Order: func(a, b *relationshipRow) int { return a.Assignments - b.Assignments },
			Blank: func(r *relationshipRow) bool { return r.Assignments < 0 },
			Cell: func(r *relationshipRow) screen.Cell {
				if r.Assignments < 0 {
					return screen.Cell{Text: "not read", Quiet: true}
				}
				return screen.Count(int64(r.Assignments), "")
			}},
	},
	Filters: []screen.Filter[relationshipRow]{{Name: "active", Head: "Active", Enum: []string{"yes", "no"},
		Of: func(r *relationshipRow) []string {
			return []string{map[bool]string{true: "yes", false: "no"}[r.Active]}
		},
		Word: func(v string) string { return map[string]string{"yes": "active", "no": "not active"}[v] }}},
	Detail: func(r *relationshipRow) []screen.Block {
		items := screen.Items{Empty: "Its roles were not read."}
		for _, x := range r.Roles {
			it := screen.Item{Lead: x.Name, Meta: x.ID, Icon: "v-na"}
			if x.Privileged {
				it.Text, it.Icon = "privileged", "v-warn"
			}
			items.List = append(items.List, it)
		}
		pairs := screen.Pairs{{Key: "Id", Cell: screen.Cell{Text: r.ID, Mono: true}}, {Key: "Status", Cell: screen.Words(r.Status)},
			{Key: "Ends", Cell: screen.Cell{At: r.End, Never: "not read"}}, {Key: "Extends itself", Cell: screen.Words(extendWord(r.Extends, r.By))},
			{Key: "Source", Cell: screen.Words(r.Source)}}
		return []screen.Block{screen.Bit{Head: "Roles", Body: []screen.Block{items}}, screen.Bit{Head: "The relationship", Body: []screen.Block{pairs}}}
	},
}

func (r *relationshipRow) roleNames() string {
	var names []string
	for _, x := range r.Roles {
		names = append(names, x.Name)
	}
	return strings.Join(names, "; ")
}

func extendWord(a Answer, by string) string {
	switch a {
	case Yes:
		return fmt.Sprintf("extends itself by %s", print.Clean(by, 20))
	case No:
		return "does not extend itself"
	}
	return "whether it extends itself was not read"
}
