package console

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// tokenLine is a row of the page of tokens.
type tokenLine struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Rights  []string  `json:"rights"`
	Limited int       `json:"customers"` // to how many it is limited; -1 is all
	Made    time.Time `json:"made"`
	By      string    `json:"by"`
	Used    time.Time `json:"used,omitzero"`
	Ends    time.Time `json:"ends"`
	Over    bool      `json:"over"`
	Refused string    `json:"refused,omitempty"`
}

var tokenList = &screen.List[tokenLine]{
	Noun: "token", Default: "name", Search: "name, right, who made it", Key: func(t *tokenLine) string { return t.ID },
	Columns: []screen.Column[tokenLine]{
		{Name: "name", Head: "For", Cell: func(t *tokenLine) screen.Cell {
			cell := screen.Named(t.Name, t.ID, "")
			if cell.Said = unless(t.Refused); t.Over && cell.Said == nil {
				cell.Said = &page.Said{Tone: print.Muted, Word: "over"}
			}
			return cell
		}},
		{Name: "rights", Head: "May", Cell: func(t *tokenLine) (cell screen.Cell) {
			for _, r := range t.Rights {
				cell.Tags = append(cell.Tags, screen.Tag{Text: r})
			}
			return cell
		}, Text: func(t *tokenLine) string { return strings.Join(t.Rights, " ") }},
		{Name: "customers", Head: "At", Cell: func(t *tokenLine) screen.Cell { return screen.Words(customersWord(t.Limited)) },
			Order: func(a, b *tokenLine) int { return a.Limited - b.Limited }},
		{Name: "used", Head: "Used", Right: true, Cell: func(t *tokenLine) screen.Cell { return screen.When(t.Used, "never used") },
			Order: func(a, b *tokenLine) int { return a.Used.Compare(b.Used) }, Blank: func(t *tokenLine) bool { return t.Used.IsZero() }},
		{Name: "ends", Head: "Ends", Right: true, Cell: func(t *tokenLine) screen.Cell { return screen.When(t.Ends, "") },
			Order: func(a, b *tokenLine) int { return a.Ends.Compare(b.Ends) }},
		{Name: "made", Head: "Made", Right: true, Drop: true, Cell: func(t *tokenLine) screen.Cell {
			return screen.Cell{At: t.Made, Ago: true, Sub: "by " + t.By}
		}, Order: func(a, b *tokenLine) int { return a.Made.Compare(b.Made) }},
	},
	Detail: func(t *tokenLine) []screen.Block {
		var blocks []screen.Block
		if t.Refused != "" {
			blocks = append(blocks, screen.Para{Text: t.Refused, Class: "note"})
		}
		return append(blocks, screen.Do{Path: "/tokens/remove", Right: screen.Manage, Text: "Remove it", Fields: url.Values{"id": {t.ID}}, Danger: true})
	},
}

func (c *Console) tokenScreen() screen.Screen {
	return screen.Screen{
		Name: "tokens", Title: "Tokens", Icon: "code", Group: screen.Evidence, Order: 92, See: screen.Manage, Over: screen.OfHouse,
		About: "The tokens by which programs use the API: what each may, until when, and when it was used.", List: tokenList,
		Load: func(ctx context.Context, a *screen.Ask) (*screen.View, error) {
			list, err := c.Tokens(ctx)
			if err != nil {
				return nil, err
			}
			rows := []tokenLine{}
			for i := range list {
				t := &list[i]
				rows = append(rows, tokenLine{t.ID, t.Name, t.Rights, countOf(t.Customers), t.Made, t.By, t.Used, t.Ends, !a.Now.Before(t.Ends), t.Refused})
			}
			return &screen.View{Rows: tokenList.Of(rows),
				Sentence: "A token is shown once, when it is made; a hash of it is kept. None may approve, or make others.",
				Actions:  []screen.Action{{Text: "Make a token", Icon: "plus", Act: "make", Primary: true}},
				Nothing: &screen.Nothing{Head: "There is no token", Text: "Programs use the API with a token: Authorization: Bearer pg_…",
					Command: "partnerguard console tokens add --name billing --right customers.see --days 90"}}, nil
		},
		Acts: []screen.Act{
			{Name: "make", Title: "Make a token", Do: screen.Manage, About: "Makes a token, whose text is in this answer and nowhere else.",
				Form: []screen.Field{
					{Name: "name", Label: "For", Hint: "the program it is for", Required: true, Max: maxName},
					{Name: "right", Label: "May", Kind: "select", Enum: Scopes(), Required: true, Many: true},
					{Name: "days", Label: "Days", Hint: "1 to 366; 90 where nothing is said", Max: 3},
					{Name: "customers", Label: "Only at these customers", Kind: "area", Hint: "a domain or tenant id a line; none is all of them", Max: 40_000},
				}, Handle: c.makeByPage},
			{Name: "remove", Title: "Remove a token", Do: screen.Manage, About: "Ends a token, at once.",
				Form: []screen.Field{{Name: "id", Label: "Token", Kind: "hidden", Required: true, Max: 40}},
				Handle: func(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
					t, err := c.RemoveToken(ctx, form.Get("id"), a.Viewer.Actor)
					return screen.Done{Said: "The token " + t.Name + " was removed"}, err
				}},
		},
	}
}

func (c *Console) makeByPage(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	days := 90
	if text := form.Get("days"); text != "" {
		var err error
		if days, err = strconv.Atoi(text); err != nil || days < 1 || days > 366 {
			return screen.Done{}, problem.New(problem.Usage, "a token lives 1 to 366 days")
		}
	}
	customers, err := c.customersOf(ctx, form.Get("customers"))
	if err != nil {
		return screen.Done{}, err
	}
	t, text, err := c.MakeToken(ctx, Token{Name: form.Get("name"), Rights: form["right"], Customers: customers,
		Ends: c.now().Add(time.Duration(days) * 24 * time.Hour)}, a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Said: "It is shown once: " + text.Reveal(), Body: struct {
		Token
		Text string `json:"token"`
	}{t, text.Reveal()}}, nil
}
