package screentest

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// person is a row of the story.
type person struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Account  string    `json:"account"`
	Class    string    `json:"class"`
	Verdict  string    `json:"verdict"`
	Why      string    `json:"why"`
	Unasked  int64     `json:"unasked"`
	All      int64     `json:"all"`
	Last     time.Time `json:"last,omitzero"`
	Factor   string    `json:"factor"`
	Customer string    `json:"customer"`
	Ways     []string  `json:"ways"`
}

func said(v string) page.Said {
	s := page.SaidOf(v)
	switch v {
	case "not_met":
		s.Word = "open"
	case "met":
		s.Word = "every sign-in"
	}
	return s
}

var people = &screen.List[person]{
	Noun: "account", Default: "-proof", Search: "name, account, role", Key: func(p *person) string { return p.ID },
	Tenant: func(p *person) string { return p.Customer },
	Columns: []screen.Column[person]{
		{Name: "account", Head: "Account", Cell: func(p *person) screen.Cell { return screen.Named(p.Name, p.Account, "") }},
		{Name: "class", Head: "Class", Cell: func(p *person) screen.Cell { return screen.Words(p.Class) }},
		{Name: "strongest", Head: "Strongest", About: "The strongest method that is registered; a method is not coverage.",
			Cell: func(p *person) screen.Cell { return screen.Cell{Icon: "key", Text: p.Factor} }},
		{Name: "proof", Head: "By proof", Cell: func(p *person) screen.Cell {
			s := said(p.Verdict)
			return screen.Cell{Said: &s, Sub: p.Why}
		}, Order: func(a, b *person) int { return rank(a.Verdict) - rank(b.Verdict) }},
		{Name: "unasked", Head: "Unchallenged, 30 d", Right: true, Cell: func(p *person) screen.Cell {
			return screen.Cell{Of: &screen.Part{N: p.Unasked, Of: p.All, Bar: true, Tone: print.Bad}}
		}, Order: func(a, b *person) int { return int(a.Unasked - b.Unasked) }},
		{Name: "days", Head: "Days", Fixed: true, Drop: true, Cell: func(p *person) screen.Cell {
			return screen.Cell{Bars: steps(p.Unasked), Spoken: "unchallenged sign-ins by day"}
		}},
		{Name: "last", Head: "Last", Right: true, Cell: func(p *person) screen.Cell { return screen.When(p.Last, "never seen") },
			Order: func(a, b *person) int { return a.Last.Compare(b.Last) }, Blank: func(p *person) bool { return p.Last.IsZero() }},
		{Name: "out", Head: "Way out", Cell: func(p *person) (c screen.Cell) {
			for _, w := range p.Ways {
				c.Tags = append(c.Tags, screen.Tag{Text: w, Path: "/story"})
			}
			return c
		}},
	},
	Filters: []screen.Filter[person]{
		{Name: "proof", Head: "By proof", Of: func(p *person) []string { return []string{p.Verdict} }, Word: print.VerdictWord[string],
			Enum: []string{"not_met", "unknown", "met"}},
		{Name: "class", Head: "Class", Of: func(p *person) []string { return []string{p.Class} }},
	},
	Detail: detail,
}

func rank(v string) int { return slices.Index([]string{"met", "attested", "unknown", "not_met"}, v) }

func steps(n int64) (out []screen.Step) {
	for i := range 30 {
		s := screen.Step{Tone: print.Bad, Void: i > 20 && n%5 == 0}
		if n > 0 && i%7 < 5 {
			s.High = float64((int(n)*(i+3))%10) / 10
		}
		out = append(out, s)
	}
	return out
}

func detail(p *person) []screen.Block {
	return []screen.Block{
		screen.Func(func(b *screen.Builder) {
			b.Open("div")
			b.Elem("h3", "Methods")
			screen.Pairs{{Key: "Authenticator", Cell: screen.Words("registered 3 Feb 2026"), From: "registration details, 05:58"},
				{Key: "SMS", Cell: screen.Words("+353 ·· ··· ··12")}, {Key: "Passkey", Cell: screen.Cell{Text: "none", Quiet: true}}}.Build(b)
			b.End("div")
		}),
		screen.Func(func(b *screen.Builder) {
			b.Open("div")
			b.Elem("h3", "Settings that take them")
			screen.Pairs{{Key: "CA002", Cell: screen.Verdict("not_met", "excludes HQ Dublin")},
				{Key: "CA006", Cell: screen.Verdict("met", "MFA at Azure")}}.Build(b)
			b.End("div")
		}),
		screen.Func(func(b *screen.Builder) {
			b.Open("div")
			b.Elem("h3", "Raw")
			screen.Code{Text: `{"userPrincipalName":"` + p.Account + `","authenticationRequirement":"singleFactorAuthentication"}`, Wrap: true}.Build(b)
			b.End("div")
		}),
	}
}

// crowd invents n rows with hostile names among them.
func crowd(n int) (out []person) {
	names := []string{"Eva Horvat", "Contoso Billing Sync", "Grace Adeyemi", "Scanner, 2nd floor", "Hugo Martin", "Lucia Moreau", "Front desk", "Tomasz Zięba"}
	for i := range n {
		p := person{ID: fmt.Sprintf("id-%d", i), Name: names[i%len(names)], Account: fmt.Sprintf("user%d@contoso.example", i), Class: "employee",
			Verdict: "not_met", Why: "at HQ Dublin", Unasked: int64(i * 7 % 41), All: 118, Factor: "Authenticator", Customer: Tenants[0].ID,
			Ways: []string{"require MFA"}, Last: Now.Add(-time.Duration(i*i) * time.Minute)}
		switch i % 7 {
		case 2:
			p.Class, p.Verdict, p.Why = "admin", "unknown", "Duo’s claim: exception not readable"
		case 4:
			p.Class, p.Verdict, p.Why, p.Last, p.Ways = "guest", "met", "no sign-in without MFA", time.Time{}, nil
		case 5:
			p.Ways = append(p.Ways, "register a method")
		}
		if i%3 == 1 {
			p.Name = Hostile[i/3%len(Hostile)]
			p.Why = Hostile[(i/3+5)%len(Hostile)]
		}
		out = append(out, p)
	}
	return out
}

// Story is every component in every state, with invented data, some of it hostile. It
// is for tests and for whoever changes how pages look; no server has it.
func Story(rows int) []screen.Screen {
	crowd := crowd(rows)
	load := func(v screen.View) func(context.Context, *screen.Ask) (*screen.View, error) {
		return func(context.Context, *screen.Ask) (*screen.View, error) { return &v, nil }
	}
	facts := []screen.Fact{{What: "Registration", At: Now.Add(-13 * time.Minute), Allows: time.Hour, Rests: true, Source: "Graph"},
		{What: "Sign-ins", At: Now.Add(-9 * time.Minute), Allows: time.Hour, Rests: true}}
	drawer := *people
	drawer.Drawer, drawer.Detail = true, nil
	tight := *people
	tight.Tight, tight.Detail = true, nil
	act := screen.Act{Name: "ask", Title: "Ask for an exception", About: "It binds from the moment somebody else approves it.", Do: screen.AskException,
		Form: []screen.Field{{Name: "row", Kind: "hidden"}, {Name: "reason", Label: "Reason", Kind: "area", Required: true, Hint: "What an auditor would ask."},
			{Name: "until", Label: "Until", Kind: "date", Required: true}, {Name: "kind", Label: "Kind", Enum: []string{"one", "two_words"}},
			{Name: "sure", Label: "I know what it leaves open", Kind: "check"}},
		Handle: func(context.Context, *screen.Ask, url.Values) (screen.Done, error) {
			return screen.Done{Said: "It was asked for."}, nil
		}}
	list := []screen.Screen{
		{Name: "status", Title: "Components", Icon: "status", Group: screen.Posture, About: "Every component in every state", See: screen.SeePosture,
			Load: load(screen.View{Facts: facts, Above: blocks(), Notices: notices(), Actions: []screen.Action{{Text: "Export", Icon: "dl", Path: "/status"},
				{Text: "Rehearse a fix", Icon: "play", Path: "/status", Primary: true}}})},
		{Name: "people", Title: "People", Icon: "people", Group: screen.Posture, Order: 2, See: screen.SeePeople, Over: screen.OfTenant, List: people,
			About: "Enabled accounts that can sign in, admins and scripts included", Acts: []screen.Act{act},
			Load: load(screen.View{Facts: facts, Above: []screen.Block{tiles()}, Rows: people.Of(crowd), Actions: []screen.Action{
				{Text: "Ask for an exception", Act: "ask", Fields: url.Values{"row": {"x"}}},
				{Text: "Ask all 14 to register", Path: "/people", Primary: true}}})},
		{Name: "signins", Title: "Sign-ins", Icon: "signins", Group: screen.Posture, Order: 3, See: screen.SeePeople, Over: screen.OfTenant, List: &drawer,
			Load: func(_ context.Context, a *screen.Ask) (*screen.View, error) {
				v := &screen.View{Facts: stale(), Rows: drawer.Of(crowd)}
				if a.Query.Row != "" {
					v.Aside = []screen.Block{aside()}
				}
				return v, nil
			}},
		{Name: "customers", Title: "Customers", Icon: "customers", Group: screen.Reach, See: screen.SeeCustomers, Over: screen.OfAll, List: &tight,
			Load: load(screen.View{Facts: gaps(), Rows: tight.Of(crowd)})},
		{Name: "connections", Title: "Connections", Icon: "plug", Group: screen.Reach, See: screen.SeeOperation, List: people, Load: load(screen.View{
			Rows:    people.Of(nil),
			Nothing: &screen.Nothing{Head: "No connection yet", Text: "Since 3 Nov 2026, when this was set up.", Command: "partnerguard connect"}})},
		{Name: "collection", Title: "Collection", Icon: "stack", Group: screen.Evidence, See: screen.SeeOperation, List: people, Load: load(screen.View{
			Missing: true, Facts: []screen.Fact{{What: "Sign-ins", Rests: true}}, Nothing: &screen.Nothing{Head: "Nothing was read yet",
				Text: "Graph refused: AuditLog.Read.All is missing.", LinkText: "Grant it", Path: "/connections"}})},
	}
	return list
}

func stale() []screen.Fact {
	return []screen.Fact{{What: "Sign-ins to", At: Now.Add(-30 * time.Hour), Allows: 24 * time.Hour, Rests: true}}
}

func gaps() []screen.Fact {
	return []screen.Fact{{What: "Facts", At: Now.Add(-11 * time.Minute), Allows: time.Hour, Gaps: 2, Rests: true}}
}

func notices() []screen.Notice {
	return []screen.Notice{
		{Tone: print.Bad, Lead: "Graph refuses.", Text: "403: " + Hostile[0], LinkText: "Grant AuditLog.Read.All", Path: "/connections"},
		{Tone: print.Cautious, Lead: "Still reading.", Text: "14 of 214 customers so far; what follows is of those.", Done: 14, Of: 214},
		{Tone: print.Good, Text: "The round ended at 06:00."},
		{Tone: print.Vouched, Lead: "Attested", Text: "by Ada Byrne until 31 Jan 2027"},
		{Text: "Nothing to say."},
	}
}

func tiles() screen.Tiles {
	return screen.Tiles{
		{Head: "Can sign in without MFA", N: "175", Of: "of 214", Path: "/people?proof=not_met", Line: []float64{24, 22, 20, 19, 19, 18, 17.5}, Tone: print.Bad,
			Delta: "1 since yesterday", Up: 1, Worse: true},
		{Head: "Seen unchallenged, 30 days", N: "16", Line: []float64{60, 50, 40, 30, 20, 16}, Delta: "3 in 7 days", Up: -1},
		{Head: "Nothing registered", N: "unknown", Delta: "registration was not read"},
		{Head: "Admins, phishing-resistant", N: "13", Of: "of 19", Path: "/people", Line: []float64{1, 4, 6, 9, 13}, Tone: print.Good,
			Delta: "2 in 7 days", Up: 1},
		{Head: Hostile[0], N: "2", Of: "1 used", Delta: Hostile[1]},
	}
}

func aside() screen.Drawer {
	s := page.Said{Tone: print.Bad, Word: "not challenged"}
	return screen.Drawer{Head: "Sign-in of 05:52:18", Said: &s, Body: []screen.Section{
		{Body: []screen.Block{screen.Pairs{{Key: "Account", Cell: screen.Named("eva.horvat@contoso.example", "", "/people")},
			{Key: "From", Cell: screen.Cell{Text: "203.0.113.7", Mono: true, Sub: "HQ Dublin, IE"}},
			{Key: "At", Cell: screen.When(Now.Add(-19*time.Minute), "")}}}},
		{Head: "How it was judged", Body: []screen.Block{items(false)}},
		{Head: "Raw row", Body: []screen.Block{screen.Code{Text: strings.Repeat("authenticationRequirement: singleFactorAuthentication\n", 4)}}},
	}}
}

func items(timeline bool) screen.Items {
	not, met, unk := page.SaidOf("not_met"), page.SaidOf("met"), page.SaidOf("unknown")
	return screen.Items{Timeline: timeline, List: []screen.Item{
		{Said: &not, Lead: "MFA for admin roles", Text: "grace.adeyemi was added to the group CA-Exclude-Travel, which CA001 leaves out.",
			Meta: "Entra audit, 19 Nov 14:20"},
		{Said: &unk, Lead: "Sign-in logs", Text: "a gap of 3 h", Meta: "gap ledger #118"},
		{Said: &met, Lead: Hostile[0], Path: "/status", Text: Hostile[1]},
	}}
}

func blocks() []screen.Block {
	verdicts := screen.Func(func(b *screen.Builder) {
		b.Class("p", "row")
		for _, v := range []string{"met", "not_met", "unknown", "attested", "not_applicable"} {
			b.Said(page.SaidOf(v), false)
		}
		for _, v := range []string{"met", "not_met", "unknown", "attested", "not_applicable"} {
			b.Said(page.SaidOf(v), true)
		}
		b.End("p")
		b.Class("p", "row")
		c := screen.Cell{Tags: []screen.Tag{{Text: "report-only"}, {Text: "weak", Tone: print.Doubt}, {Text: "ropc", Tone: print.Bad, Path: "/status"}}}
		c.Build(b)
		b.End("p")
	})
	due := screen.Items{List: []screen.Item{{When: "3 h", WhenSub: "today", Class: "tx not", Lead: "Answer fraud alert", Text: "at Northwind Traders",
		Path: "/status", Meta: "CryptoMining · 24 h end at 09:20"},
		{When: "4 d", WhenSub: "24 Nov", Lead: "Connection", Text: "contoso-billing dies", Meta: "CA012"}}}
	return []screen.Block{
		tiles(),
		screen.Side{Shape: "g-main", List: []screen.Block{
			screen.Card{Head: "Verdicts and tags", Note: "Shape, word and colour; never colour alone.", Body: []screen.Block{verdicts},
				Foot: "Unknown never counts as met.", Links: []screen.Link{{Text: "What is unknown", Path: "/status"}}},
			screen.Card{Head: "Since yesterday", Links: []screen.Link{{Text: "All 9", Path: "/status"}}, Body: []screen.Block{items(true)}},
		}},
		screen.Side{Shape: "g3", List: []screen.Block{
			screen.Card{Head: "Next deadlines", Bare: true, Body: []screen.Block{due}},
			screen.Card{Head: "Keys and values", Body: []screen.Block{screen.Pairs{
				{Key: "Segment", Cell: screen.Cell{Text: "entra/signins/2026/11/20/0007.zst", Mono: true}, From: "chained, verified 06:00"},
				{Key: "Part", Cell: screen.Cell{Of: &screen.Part{N: 16, Of: 214, Unit: "accounts", Bar: true, Tone: print.Bad}}},
				{Key: "Never", Cell: screen.When(time.Time{}, "never read")}, {Key: "Hostile", Cell: screen.Words(Hostile[3])}}}},
			screen.Card{Head: "Nothing", Bare: true, Body: []screen.Block{screen.Items{Empty: "Nothing changed since 3 Nov."}}},
		}},
	}
}
