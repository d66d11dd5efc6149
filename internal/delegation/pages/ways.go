//go:build !judge

package pages

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/render"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// anyRole asks for all roles.
const anyRole = "any"

// Way is a way as the page shows it.
type Way struct {
	delegation.Path
	Who  string `json:"person"`
	How  string `json:"by"`
	Name string `json:"customer"`
	key  string
}

// sure says in one word what a way is.
func (w *Way) sure() string {
	switch {
	case w.Perhaps:
		return "perhaps"
	case w.Eligible:
		return "eligible"
	}
	return "open"
}

var wayList = &screen.List[Way]{
	Noun: "way", Default: "role", Search: "person, group, customer, role", PerPage: 200, Tight: true,
	Key:    func(w *Way) string { return w.key },
	Tenant: func(w *Way) string { return w.Customer },
	Columns: []screen.Column[Way]{
		{Name: "person", Head: "Who", Cell: func(w *Way) screen.Cell { return screen.Cell{Text: w.Who, Quiet: w.Person == "" && w.App == ""} }},
		{Name: "by", Head: "By", About: "groups, from the inner to the outer one, and what they open", Cell: func(w *Way) screen.Cell { return screen.Words(w.How) }},
		{Name: "role", Head: "Role", Order: func(a, b *Way) int {
			return cmp.Or(urgency(a)-urgency(b), strings.Compare(a.RoleName, b.RoleName), strings.Compare(a.Who, b.Who))
		}, Cell: func(w *Way) screen.Cell {
			c := screen.Cell{Text: w.RoleName, Sub: w.Step}
			if w.Global {
				c = screen.Cell{Said: &page.Said{Tone: print.Bad, Word: w.RoleName}}
			}
			return c
		}, Text: func(w *Way) string { return w.RoleName }},
		{Name: "step", Head: "How it leads on", Only: true, Text: func(w *Way) string { return w.Step }},
		{Name: "customer", Head: "Customer", Drop: true, Cell: func(w *Way) screen.Cell { return screen.Named(w.Name, "", waysOf(w.Customer)) }},
		{Name: "state", Head: "State", Order: func(a, b *Way) int { return strings.Compare(a.sure(), b.sure()) }, Cell: func(w *Way) screen.Cell {
			switch w.sure() {
			case "perhaps":
				return screen.Cell{Said: &page.Said{Tone: print.Doubt, Word: "perhaps"}, Sub: w.Why}
			case "eligible":
				return screen.Cell{Said: &page.Said{Tone: print.Cautious, Word: "after an activation"}}
			}
			return screen.Cell{Text: "open"}
		}, Text: func(w *Way) string { return w.sure() }},
		{Name: "why", Head: "Why perhaps", Only: true, Text: func(w *Way) string { return w.Why }},
		{Name: "settle", Head: "Settled by", Only: true, Text: func(w *Way) string { return w.Ask }},
	},
	Filters: []screen.Filter[Way]{
		{Name: "state", Head: "State", Enum: []string{"open", "eligible", "perhaps"}, Of: func(w *Way) []string { return []string{w.sure()} },
			Word: func(v string) string {
				return map[string]string{"open": "open now", "eligible": "after an activation", "perhaps": "perhaps"}[v]
			}},
		{Name: "kind", Head: "By", Enum: []string{string(delegation.ByGDAP), string(delegation.ByDAP), string(delegation.ByAzure), string(delegation.ByConsent)},
			Of: func(w *Way) []string { return []string{string(w.Kind)} }, Word: func(v string) string {
				return map[string]string{"gdap": "GDAP", "dap": "DAP", "azure": "Azure", "app-only": "an app's permission"}[v]
			}},
		{Name: "leads", Head: "Leads to", Quiet: true, Enum: []string{"yes", "no"}, Of: func(w *Way) []string {
			return []string{map[bool]string{true: "yes", false: "no"}[w.Leads()]}
		}},
	},
}

func urgency(w *Way) int {
	n := 2
	switch {
	case w.Global:
		n = 0
	case w.Step != "":
		n = 1
	}
	if w.Perhaps {
		n += 3
	}
	return n
}

// ask is the question of an address, and the inventory as its viewer may see it.
func (p *Pages) ask(ctx context.Context, a *screen.Ask) (*delegation.Inventory, delegation.Question, error) {
	inv, err := p.seen(ctx, a.Viewer)
	if err != nil {
		return nil, delegation.Question{}, err
	}
	q := delegation.Question{Person: a.Values.Get("person"), Role: a.Values.Get("role"), Customer: strings.ToLower(a.Tenant.ID)}
	if a.Tenant.Partner {
		q.Customer = "" // the partner is no customer of its own
	}
	if q.Person != "" && !a.Viewer.May(screen.SeePeople) {
		return nil, q, problem.New(problem.Forbidden, "accounts of the partner are not shown to you by name").WithHint("leave person out of the address")
	}
	switch {
	case strings.EqualFold(q.Role, anyRole), q.Role == "" && q.Person != "":
		q.Role = ""
	case q.Role == "":
		q.Role = role.GlobalAdministrator
	}
	if q, err = delegation.Resolve(inv, q); err != nil {
		return nil, q, err
	}
	if q.Person == "" && q.Customer == "" && q.Role == "" {
		q.Role, q.Roads = role.GlobalAdministrator, true // all ways of all at once are nothing to look at
	}
	return inv, q, nil
}

// paths is the path viewer: the answer in words, the picture, and way by way.
func (p *Pages) paths(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	inv, q, err := p.ask(ctx, a)
	if errors.Is(err, errNothing) {
		return &screen.View{Rows: wayList.Of(nil), Missing: true, Nothing: nothing()}, nil
	}
	if err != nil {
		return nil, err
	}
	ways := delegation.Ask(inv, q)
	rows := make([]Way, len(ways.Paths))
	for i := range ways.Paths {
		rows[i] = rowOf(inv, ways.Paths[i])
	}
	v := &screen.View{Rows: wayList.Of(rows), Facts: facts(inv), Notices: notices(inv), Sentence: ways.Says[0],
		Nothing: &screen.Nothing{Head: "No way was found", Text: ways.Says[0], LinkText: "All customers", Path: "/delegation"}}
	v.Summary = struct {
		Question delegation.Question `json:"question"`
		Says     []string            `json:"says"`
		Open     []delegation.Open   `json:"open"`
	}{q, ways.Says, ways.Open}
	if a.Machine {
		return v, nil
	}
	v.Actions = []screen.Action{{Text: "Picture", Icon: "dl", Path: screen.With("/delegation/paths/picture", "tenant", a.Tenant.ID, "person",
		a.Values.Get("person"), "role", a.Values.Get("role"))}, {Text: "All customers", Path: "/delegation"}}
	v.Above = []screen.Block{screen.Card{Head: "The answer", Body: []screen.Block{said(ways.Says)}}, form(inv, a)}
	if len(ways.Paths) > 0 {
		pic := render.Draw(inv, &ways)
		v.Above = append(v.Above, screen.Card{Head: "The ways", Aside: "the table below has each of them", Body: []screen.Block{picture(pic)}})
	}
	if len(ways.Open) > 0 {
		v.Below = []screen.Block{screen.Card{Head: "Not known", Note: "Each with the one request that settles it.", Body: []screen.Block{open(ways.Open)}}}
	}
	return v, nil
}

func rowOf(inv *delegation.Inventory, p delegation.Path) Way {
	w := Way{Path: p, Who: render.PersonWord(inv, &p), How: render.HowWord(inv, &p), Name: inv.CustomerName(p.Customer)}
	sum := sha256.Sum256([]byte(strings.Join([]string{string(p.Kind), p.Person, p.Group, strings.Join(p.Via, ">"), p.Relationship, p.Assignment, p.App,
		p.Subscription, p.Customer, p.Role, p.Why}, "|")))
	w.key = hex.EncodeToString(sum[:6])
	return w
}

func said(list []string) screen.Block {
	items := screen.Items{}
	for _, s := range list {
		items.List = append(items.List, screen.Item{Text: s})
	}
	return items
}

// maxOpen bounds what a page lists; the API has all.
const maxOpen = 30

func open(list []delegation.Open) screen.Block {
	items := screen.Items{}
	for i, x := range list {
		if i == maxOpen {
			items.List = append(items.List, screen.Item{Text: fmt.Sprintf("and %d more", len(list)-maxOpen)})
			break
		}
		items.List = append(items.List, screen.Item{Icon: screen.Mark(print.Doubt), Lead: x.What, Meta: x.Ask})
	}
	return items
}

// form asks another question.
func form(inv *delegation.Inventory, a *screen.Ask) screen.Block {
	return screen.Card{Head: "Ask", Body: []screen.Block{screen.Func(func(b *screen.Builder) {
		b.Open("form", screen.A("method", "get"), screen.A("action", "/delegation/paths"), screen.A("class", "form"))
		b.Class("div", "cov-form")
		field(b, "tenant", "Customer", "all customers")
		b.Open("select", screen.A("class", "in"), screen.A("id", "ask-tenant"), screen.A("name", "tenant"))
		b.Elem("option", "all customers", screen.A("value", ""))
		for i := range inv.Customers {
			if c := &inv.Customers[i]; i < maxChoices || c.Tenant == a.Tenant.ID {
				b.Elem("option", c.Name, screen.A("value", c.Tenant), screen.If(strings.EqualFold(c.Tenant, a.Tenant.ID), screen.A("selected", "selected")))
			}
		}
		b.End("select")
		b.End("div")
		field(b, "role", "Role", "")
		b.Void("input", screen.A("class", "in"), screen.A("id", "ask-role"), screen.A("name", "role"), screen.A("value", a.Values.Get("role")),
			screen.A("placeholder", "Global Administrator; any for all"), screen.A("maxlength", "256"), screen.A("autocomplete", "off"))
		b.End("div")
		if a.Viewer.May(screen.SeePeople) {
			field(b, "person", "Person", "")
			b.Void("input", screen.A("class", "in"), screen.A("id", "ask-person"), screen.A("name", "person"), screen.A("value", a.Values.Get("person")),
				screen.A("placeholder", "anybody"), screen.A("maxlength", "256"), screen.A("autocomplete", "off"))
			b.End("div")
		}
		b.End("div")
		b.Class("div", "row mt")
		b.Elem("button", "Ask", screen.A("class", "btn pri"), screen.A("type", "submit"))
		b.End("div")
		b.End("form")
	})}}
}

// maxChoices bounds the customers that a form lists; any may be named in the address.
const maxChoices = 500

func field(b *screen.Builder, name, label, _ string) {
	b.Class("div", "field")
	b.Elem("label", label, screen.A("for", "ask-"+name))
}

// picture draws the ways in the page. What it shows stands in the table, too.
func picture(p *render.Picture) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		b.Open("figure", screen.A("class", "xscroll"), screen.A("tabindex", "0"), screen.A("role", "group"), screen.A("aria-label", "The ways as a picture"))
		b.Open("svg", screen.A("class", "ways"), screen.A("viewBox", "0 0 "+render.Num(p.Width)+" "+render.Num(p.Height)),
			screen.A("width", render.Num(p.Width)), screen.A("height", render.Num(p.Height)), screen.A("role", "img"), screen.A("aria-label", clipped(p.Says)))
		for _, h := range p.Heads {
			b.Elem("text", h.Text, screen.A("class", "hd"), screen.A("x", render.Num(h.X)), screen.A("y", "12"))
		}
		for i := range p.Edges {
			e := &p.Edges[i]
			b.Void("path", screen.A("class", render.Classes("way", e.Leads, e.Eligible, e.Perhaps)), screen.A("d", p.Curve(e)))
		}
		wide, high := render.Size()
		for i := range p.Nodes {
			n := &p.Nodes[i]
			b.Open("g")
			b.Elem("title", clipped(n.Title))
			b.Void("rect", screen.A("class", render.Classes("stop", n.Leads, false, n.Perhaps)), screen.A("x", render.Num(n.X)),
				screen.A("y", render.Num(n.Y)), screen.A("width", render.Num(wide)), screen.A("height", render.Num(high)), screen.A("rx", "5"))
			label, sub := n.Lines()
			y := n.Y + 21
			if sub != "" {
				y = n.Y + 15
			}
			b.Elem("text", label, screen.A("class", "em"), screen.A("x", render.Num(n.X+8)), screen.A("y", render.Num(y)))
			if sub != "" {
				b.Elem("text", sub, screen.A("class", "lo"), screen.A("x", render.Num(n.X+8)), screen.A("y", render.Num(n.Y+28)))
			}
			b.End("g")
		}
		b.End("svg")
		b.End("figure")
		b.Open("ul", screen.A("class", "legend"))
		for _, k := range render.Keys {
			b.Open("li")
			b.Open("svg", screen.A("class", "ways-key"), screen.A("viewBox", "0 0 26 6"), screen.A("aria-hidden", "true"))
			b.Void("path", screen.A("class", render.Classes("way", k.Leads, k.Eligible, k.Perhaps)), screen.A("d", "M0 3h26"))
			b.End("svg")
			b.Text(k.Text)
			b.End("li")
		}
		b.End("ul")
	})
}

// clipped is a text that fits an attribute.
func clipped(s string) string { return print.Clean(s, 600) }

// picture is the file that stands alone.
func (p *Pages) picture(ctx context.Context, a *screen.Ask) (*screen.Download, error) {
	inv, q, err := p.ask(ctx, a)
	if err != nil {
		return nil, err
	}
	ways := delegation.Ask(inv, q)
	var b bytes.Buffer
	if err := render.Draw(inv, &ways).SVG(&b); err != nil {
		return nil, err
	}
	return &screen.Download{Name: "ways.svg", Type: "image/svg+xml", Body: b.Bytes()}, nil
}
