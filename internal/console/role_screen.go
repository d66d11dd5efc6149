package console

import (
	"context"
	"net/url"
	"strings"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// roleLine is a row of the page of roles.
type roleLine struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Name    string    `json:"name"`
	Subject string    `json:"subject"`
	Role    string    `json:"role"`
	Limited int       `json:"customers"` // to how many it is limited; -1 is all
	Named   []string  `json:"customerIds"`
	Given   time.Time `json:"given"`
	By      string    `json:"by"`
	Refused string    `json:"refused,omitempty"`
}

var roleList = &screen.List[roleLine]{
	Noun: "role", Default: "name", Search: "name, object id, role", Key: func(g *roleLine) string { return g.ID },
	Columns: []screen.Column[roleLine]{
		{Name: "name", Head: "Who", Cell: func(g *roleLine) screen.Cell {
			cell := screen.Named(g.Name, g.Subject, "")
			cell.Said, cell.Icon = unless(g.Refused), "people"
			return cell
		}},
		{Name: "kind", Head: "Kind", Cell: func(g *roleLine) screen.Cell { return screen.Words(g.Kind) }},
		{Name: "role", Head: "Role", Cell: func(g *roleLine) screen.Cell { return screen.Words(g.Role) }},
		{Name: "customers", Head: "At", Cell: func(g *roleLine) screen.Cell { return screen.Words(customersWord(g.Limited)) },
			Order: func(a, b *roleLine) int { return a.Limited - b.Limited }},
		{Name: "given", Head: "Given", Right: true, Cell: func(g *roleLine) screen.Cell { return screen.Cell{At: g.Given, Ago: true, Sub: "by " + g.By} },
			Order: func(a, b *roleLine) int { return a.Given.Compare(b.Given) }},
	},
	Filters: []screen.Filter[roleLine]{{Name: "role", Head: "Role", Of: func(g *roleLine) []string { return []string{g.Role} }}},
	Detail: func(g *roleLine) []screen.Block {
		blocks := []screen.Block{screen.Pairs{{Key: "Id", Cell: screen.Cell{Text: g.ID, Mono: true}}}}
		if len(g.Named) > 0 {
			blocks = append(blocks, screen.Code{Text: strings.Join(g.Named[:min(len(g.Named), 50)], "\n")})
		}
		if g.Refused != "" {
			blocks = append(blocks, screen.Para{Text: g.Refused, Class: "note"})
		}
		return append(blocks, screen.Do{Path: "/roles/take", Right: screen.Manage, Text: "Take it away", Fields: url.Values{"id": {g.ID}}, Danger: true})
	},
}

// rolesTable is what each role may, as the page shows it.
func rolesTable(b *screen.Builder) {
	b.Class("dl", "kv")
	for _, r := range Roles() {
		b.Elem("dt", r.Title)
		b.Open("dd")
		b.Text(r.About)
		if by := r.ByItself(); by != "" {
			b.Elem("span", "comes by itself with: "+by, screen.A("class", "src"))
		}
		b.End("dd")
	}
	b.End("dl")
}

func (c *Console) roleScreen() screen.Screen {
	return screen.Screen{
		Name: "roles", Title: "Roles", Icon: "gear", Group: screen.Evidence, Order: 91, See: screen.Manage, Over: screen.OfHouse,
		About: "Who was given which role in the console, and at which customers.", List: roleList,
		Load: func(ctx context.Context, _ *screen.Ask) (*screen.View, error) {
			list, err := c.Grants(ctx)
			if err != nil {
				return nil, err
			}
			rows := []roleLine{}
			for i := range list {
				g := &list[i]
				role, _ := FindRole(g.Role)
				rows = append(rows, roleLine{g.ID, g.Kind, g.Name, g.Subject, role.Title, countOf(g.Customers), g.Customers, g.Made, g.By, g.Refused})
			}
			return &screen.View{
				Sentence: "A role of a person decides alone; else the highest of their groups' and directory roles counts.",
				Rows:     roleList.Of(rows), Actions: []screen.Action{{Text: "Give a role", Icon: "plus", Act: "give", Primary: true}},
				Below: []screen.Block{screen.Card{Head: "What each role may", Body: []screen.Block{screen.Func(rolesTable)}}},
				Nothing: &screen.Nothing{Head: "No role was given",
					Text: "Global Administrators, Security Administrators and Security Readers come in without."},
			}, nil
		},
		Acts: []screen.Act{
			{Name: "give", Title: "Give a role", Do: screen.Manage,
				About: "Gives a person or a group of the connected tenant a role, from their next sign-in on.",
				Form: []screen.Field{
					{Name: "kind", Label: "To a", Kind: "select", Enum: []string{KindUser, KindGroup}, Required: true},
					{Name: "subject", Label: "Object id", Hint: "Entra ID shows it; who was refused at the sign-in is told theirs.", Required: true, Max: 36},
					{Name: "name", Label: "Name", Hint: "what people call them", Max: maxName},
					{Name: "role", Label: "Role", Kind: "select", Enum: Given(), Required: true},
					{Name: "customers", Label: "Only at these customers", Kind: "area", Hint: "a domain or tenant id a line; none is all of them", Max: 40_000},
				}, Handle: c.giveByPage},
			{Name: "take", Title: "Take a role away", Do: screen.Manage, About: "Takes a role away, at once.",
				Form: []screen.Field{{Name: "id", Label: "Role", Kind: "hidden", Required: true, Max: 40}},
				Handle: func(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
					g, err := c.Take(ctx, form.Get("id"), a.Viewer.Actor)
					return screen.Done{Said: g.Name + " is " + g.Role + " no more"}, err
				}},
		},
	}
}

func (c *Console) giveByPage(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	tenant, _, err := c.Tenant(ctx)
	if err != nil {
		return screen.Done{}, err
	}
	customers, err := c.customersOf(ctx, form.Get("customers"))
	if err != nil {
		return screen.Done{}, err
	}
	g, err := c.Give(ctx, Grant{Tenant: tenant, Kind: form.Get("kind"), Subject: form.Get("subject"), Name: form.Get("name"), Role: form.Get("role"),
		Customers: customers}, a.Viewer.Actor)
	return screen.Done{Said: g.Name + " is " + g.Role + " from the next sign-in on", Body: g}, err
}

// customersOf reads a list of customers that a person wrote: ids, and domains that are
// known here. Nothing is nil, all of them.
func (c *Console) customersOf(ctx context.Context, text string) ([]string, error) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ',' || r == ' ' || r == ';' })
	switch {
	case strings.TrimSpace(text) == "":
		return nil, nil
	case len(words) == 0: // somebody meant to limit it
		return nil, problem.New(problem.Usage, "the list of customers names none").WithHint("a domain or tenant id a line; an empty field is all of them")
	}
	domains := map[string]string{}
	if c.pages.Tenants != nil {
		all, err := c.allTenants(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			domains[strings.ToLower(t.Domain)] = t.ID
		}
	}
	var ids []string
	for _, w := range words {
		w = strings.ToLower(w)
		id, known := domains[w]
		switch {
		case known:
			ids = append(ids, id)
		case guidForm.MatchString(w):
			ids = append(ids, w)
		default:
			return nil, problem.New(problem.Usage, "no customer that is read here has the domain %.60q", w).WithHint("name its tenant id")
		}
	}
	return ids, nil
}
