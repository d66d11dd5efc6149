package coverage

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// notices is the answer in one sentence.
func (g *board) notices() []screen.Notice {
	c := &g.Counts
	n := screen.Notice{Tone: print.Good, Lead: "Covered.", Text: fmt.Sprintf("Every sign-in of %s is asked for MFA or blocked: none of %s is open.",
		print.Plural(int64(c.Accounts), "accounts"), print.Plural(int64(c.Cells), "classes of sign-ins"))}
	switch {
	case c.Open > 0:
		n.Tone, n.Lead = print.Bad, "Gap."
		n.Text = fmt.Sprintf("%s of %s can sign in without MFA; %d of %s are open.", print.Number(int64(c.AccountsOpen)),
			print.Plural(int64(c.Accounts), "accounts"), c.Open, print.Plural(int64(c.Cells), "classes of sign-ins"))
		if c.AccountsOpen == 0 {
			n.Text = fmt.Sprintf("Accounts that are not in the directory's list could sign in without MFA; %d of %s are open.", c.Open,
				print.Plural(int64(c.Cells), "classes of sign-ins"))
		}
	case c.Unknown > 0:
		n.Tone, n.Lead = print.Doubt, "Unknown."
		n.Text = fmt.Sprintf("No gap was found, but what was not read decides %d of %s.", c.Unknown, print.Plural(int64(c.Cells), "classes of sign-ins"))
	}
	if g.names && len(g.Fixes) > 0 && g.Fixes[0].Cells > 0 {
		f := &g.Fixes[0]
		n.LinkText = fmt.Sprintf("One change would close %d", f.Cells)
		n.Path = g.path("/coverage/rehearse", "change", strings.Join(f.Changes, ","))
	}
	return []screen.Notice{n}
}

// tiles are the counts.
func (g *board) tiles() screen.Block {
	c := &g.Counts
	of := "of " + print.Number(int64(c.Cells))
	tile := func(head string, n int, of string, tone print.Tone, word string) screen.Tile {
		t := screen.Tile{Head: head, N: print.Number(int64(n)), Of: of, Path: "#matrix"}
		if n > 0 && word != "" {
			t.Said = &page.Said{Tone: tone, Word: word}
		}
		return t
	}
	accounts := tile("Accounts with an open sign-in", c.AccountsOpen, "of "+print.Number(int64(c.Accounts)), print.Bad, "")
	if g.names {
		accounts.Path = g.path("/people", "proof", "open")
	}
	return screen.Tiles{
		tile("Open classes", c.Open, of, print.Bad, ""), accounts,
		tile("Closed if report-only were on", c.ReportOnly, "of "+print.Number(int64(c.Open)), print.Muted, ""),
		tile("Unknown", c.Unknown, of, print.Doubt, ""),
		tile("Asked for phishing-resistant MFA", c.Resistant, of, print.Good, ""),
	}
}

// beside is what stands right of the matrix: the opened cell, or what would close most.
func (g *board) beside() screen.Block {
	return screen.Func(func(b *screen.Builder) {
		b.Class("div", "stack")
		for _, x := range g.aside() {
			x.Build(b)
		}
		b.End("div")
	})
}

func (g *board) aside() []screen.Block {
	if !g.opened {
		out := []screen.Block{g.fixes(nil)}
		if g.Counts.Open+g.Counts.Unknown > 0 {
			out = append([]screen.Block{screen.Card{Head: "Choose a cell", Body: []screen.Block{screen.Para{Class: "note",
				Text: "Each cell opens with a sign-in that goes through, the policies that let it, the nearest first, and what would close it."}}}}, out...)
		}
		return out
	}
	c := &g.Cells[g.cell.who][g.cell.col]
	if c.Detail == 0 {
		return append([]screen.Block{g.head(c)}, g.inIt())
	}
	d := &g.Details[c.Detail-1]
	return []screen.Block{g.witness(c, d), g.why(d), g.fixes(d), g.inIt()}
}

// headline names the opened cell.
func (g *board) headline() string {
	place, client := g.side(g.cell.col)
	return fmt.Sprintf("%s, %s, %s", g.whoName(g.cell.who), print.Clean(g.Places[place].Name, 60), g.Clients[client].Name)
}

// head is what is said of a cell that has no witness.
func (g *board) head(c *Cell) screen.Block {
	k := c.look(g.Who[g.cell.who].Count)
	text := "Every sign-in in it is asked for " + k.word + ", or is blocked."
	switch c.State {
	case access.CellBlocked:
		text = "Every sign-in in it is blocked."
	case access.CellOpen, access.CellUnknown:
		text = "It is " + k.word + ". More cells are open than are kept with their witness: ask about one of its sign-ins."
	}
	return screen.Card{ID: "why", Head: g.headline(), Body: []screen.Block{saidOf(c, k), screen.Para{Text: text}},
		Links: g.onward("Ask about a sign-in", nil)}
}

func saidOf(c *Cell, k look) screen.Block {
	tone := print.Good
	switch c.State {
	case access.CellOpen:
		tone = print.Bad
	case access.CellUnknown:
		tone = print.Doubt
	case access.CellBlocked:
		tone = print.Muted
	}
	return screen.Func(func(b *screen.Builder) { b.Said(page.Said{Tone: tone, Word: k.word}, false) })
}

// onward leads to a decision, for who may ask for one.
func (g *board) onward(text string, d *Detail) []screen.Link {
	if !g.names {
		return nil
	}
	return []screen.Link{{Text: text, Path: g.decidePath(d)}}
}

// decidePath is the page that decides one sign-in, filled in with the cell's.
func (g *board) decidePath(d *Detail) string {
	place, client := g.side(g.cell.col)
	pairs := []string{"client", g.Clients[client].Sample}
	if len(g.Places[place].Values) > 0 && len(g.Places) > 1 {
		pairs = append(pairs, "where", g.Places[place].Values[0])
	}
	if d == nil {
		if w := &g.Who[g.cell.who]; g.names && len(w.Some) > 0 {
			pairs = append(pairs, "account", w.Some[0].Name)
		}
		return g.path("/coverage/decide", pairs...)
	}
	s := &d.SignIn
	pairs = []string{"client", s.Client, "app", s.App, "platform", s.Platform, "where", whereOf(s)}
	if g.names {
		pairs = append(pairs, "account", d.Account.Name)
	}
	for name, v := range map[string]string{"signInRisk": s.SignInRisk, "userRisk": s.UserRisk, "insiderRisk": s.InsiderRisk} {
		if v != "none" {
			pairs = append(pairs, name, v)
		}
	}
	var facts []string
	for name, on := range s.Device {
		if on {
			facts = append(facts, name)
		}
	}
	slices.Sort(facts)
	return g.path("/coverage/decide", append(pairs, "device", strings.Join(facts, ","))...)
}

func whereOf(s *access.SignIn) string {
	switch {
	case s.Location != "":
		return s.Location
	case s.IP.IsValid():
		return s.IP.String()
	}
	return s.Country
}

// witness is the card with one sign-in that goes through.
func (g *board) witness(c *Cell, d *Detail) screen.Block {
	s := &d.SignIn
	account := screen.Cell{Text: print.Clean(d.Account.Name, 120)}
	if !g.names {
		account = screen.Cell{Text: "an account of this class", Quiet: true}
	} else if !strings.HasPrefix(d.Account.ID, "partnerguard:") {
		account.Path = g.person(d.Account)
	}
	from := screen.Cell{Text: print.Clean(whereOf(s), 120), Mono: s.IP.IsValid() && s.Location == ""}
	if s.Country != "" && s.IP.IsValid() {
		from.Sub = "country " + print.Clean(s.Country, 20)
	}
	pairs := screen.Pairs{
		{Key: "Account", Cell: account}, {Key: "App", Cell: screen.Words(print.Clean(d.App, 120))},
		{Key: "Client", Cell: screen.Words(clientWord(s.Client) + " on " + s.Platform)}, {Key: "From", Cell: from},
	}
	if risk := riskWords(s); risk != "" {
		pairs = append(pairs, screen.Pair{Key: "Risk", Cell: screen.Words(risk)})
	}
	if dev := deviceWords(s); dev != "" {
		pairs = append(pairs, screen.Pair{Key: "Device", Cell: screen.Words(dev)})
	}
	decided := screen.Pair{Key: "Decided", Cell: screen.Words(outcomeWord(d.Outcome))}
	if d.Confirmed {
		decided.From = "confirmed by decide"
	}
	body := []screen.Block{screen.Para{Text: "A sign-in that goes through", Class: "h3"}}
	if c.State == access.CellUnknown {
		body[0] = screen.Para{Text: "A sign-in that may go through", Class: "h3"}
	}
	body = append(body, saidOf(c, c.look(g.Who[g.cell.who].Count)), screen.Func(func(b *screen.Builder) {
		b.Class("div", "mt")
		append(pairs, decided).Build(b)
		b.End("div")
	}))
	if len(d.Among) > 0 {
		body = append(body, screen.Para{Text: "Of the sign-ins here, only those " + amongWords(d.Among) + ".", Class: "note"})
	}
	if d.More > 0 {
		body = append(body, screen.Para{Text: fmt.Sprintf("More of this cell is open: %d further kinds of sign-ins.", d.More), Class: "note"})
	}
	return screen.Card{ID: "why", Head: g.headline(), Aside: print.Plural(int64(g.Who[g.cell.who].Count), "accounts"), Body: body,
		Links: g.onward("Decide with other inputs", d)}
}

func clientWord(c string) string {
	switch c {
	case "native":
		return "app"
	case "device-code":
		return "device code flow"
	case "transfer":
		return "authentication transfer"
	case "eas":
		return "Exchange ActiveSync"
	case "other":
		return "legacy client"
	}
	return c
}

func outcomeWord(o string) string {
	switch o {
	case "mfa_not_required":
		return "MFA is not required"
	case "mfa_required":
		return "MFA is required"
	}
	return o
}

func riskWords(s *access.SignIn) string {
	var out []string
	for _, r := range []struct{ name, level string }{{"sign-in", s.SignInRisk}, {"user", s.UserRisk}, {"insider", s.InsiderRisk}} {
		if r.level != "" && r.level != "none" {
			out = append(out, r.name+" "+r.level)
		}
	}
	return strings.Join(out, ", ")
}

func deviceWords(s *access.SignIn) string {
	var out []string
	for name, on := range s.Device {
		if on {
			out = append(out, print.Clean(name, 80))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func amongWords(list []access.Narrow) string {
	var out []string
	for _, n := range list {
		values := n.Values
		more := ""
		if len(values) > 4 {
			more = fmt.Sprintf(" or %d others", len(values)-3)
			values = values[:3]
		}
		v := print.Clean(strings.Join(values, " or ")+more, 300)
		switch n.Dimension {
		case "app":
			out = append(out, "to "+v)
		case "client":
			out = append(out, "by "+v)
		case "sign-in risk", "user risk", "insider risk":
			out = append(out, "at "+n.Dimension+" "+v)
		default:
			out = append(out, "from "+v)
		}
	}
	return strings.Join(out, ", ")
}

// whys are the reasons as the viewer may see them: a clause that names an account is
// not for everybody.
func (g *board) whys(d *Detail) []access.Why {
	out := slices.Clone(d.Why)
	if g.names {
		return out
	}
	for i := range out {
		if strings.Contains(out[i].Clause, "the account ") {
			out[i].Clause = "names single accounts"
		}
	}
	return out
}

// why is the card with what lets it through, the nearest policy first.
func (g *board) why(d *Detail) screen.Block {
	list := screen.Items{Empty: "No policy comes near."}
	for i, w := range g.whys(d) {
		it := screen.Item{Said: &page.Said{Tone: print.Muted, Word: "near"}, Lead: print.Clean(w.Policy, 80), Text: print.Clean(w.Clause, 400)}
		if i == 0 {
			it.Said = &page.Said{Tone: print.Bad, Word: "nearest"}
		}
		if w.ID != "" {
			it.Path = g.path("/coverage", "row", w.ID)
		}
		list.List = append(list.List, it)
	}
	return screen.Card{Head: "Why nothing asks", Aside: "nearest first", Body: []screen.Block{list}, Bare: true}
}

// person is where an account is shown.
func (g *board) person(p Person) string {
	return g.path("/people", "q", p.Name, "row", strings.ToLower(g.a.Tenant.ID+"/"+p.ID))
}

func (g *board) fixTitle(i int) string {
	if f := &g.Fixes[i]; f.Personal && !g.names {
		return print.Clean(f.Plain, 300)
	}
	return print.Clean(g.Fixes[i].Title, 300)
}

// fixes is the card with what would close a cell, or most cells.
func (g *board) fixes(d *Detail) screen.Block {
	which := make([]int, 0, len(g.Fixes))
	for i := range g.Fixes {
		if d == nil || slices.Contains(d.Fixes, i) {
			which = append(which, i)
		}
	}
	list := screen.Items{Empty: "No change that was looked for closes it. Rehearse a policy of your own."}
	if d == nil && g.Counts.Open == 0 {
		list.Empty = "Nothing is open."
	}
	for _, i := range which {
		f := &g.Fixes[i]
		it := screen.Item{When: print.Number(int64(f.Cells)), WhenSub: "classes", Lead: g.fixTitle(i)}
		if g.names {
			it.Path = g.path("/coverage/rehearse", "change", strings.Join(f.Changes, ","))
		}
		if g.names || !f.Personal {
			it.Meta = print.Clean(f.Detail, 400)
		}
		list.List = append(list.List, it)
	}
	c := screen.Card{Head: "What would close it", Body: []screen.Block{list}, Bare: true,
		Foot: "Counted are open classes whose witness would be asked or refused. " +
			"A title opens its rehearsal."}
	if d == nil {
		c.Head = "What would close most"
	}
	if len(list.List) == 0 {
		c.Foot = ""
	}
	return c
}

// inIt is the card with who is in the opened cell.
func (g *board) inIt() screen.Block {
	w := &g.Who[g.cell.who]
	c := screen.Card{Head: "Accounts in it", Aside: print.Plural(int64(w.Count), "accounts")}
	if len(w.Traits) > 0 {
		c.Body = append(c.Body, screen.Para{Text: "Policies know them by: " + print.Clean(strings.Join(w.Traits, ", "), 300) + ".", Class: "note"})
	}
	switch {
	case w.StandsIn:
		c.Body = append(c.Body, screen.Para{Text: "A stand-in: it answers for accounts that are not in the directory's list."})
	case !g.names:
		c.Body = append(c.Body, screen.Para{Text: "Your role does not see people by name.", Class: "note"})
	default:
		c.Body = append(c.Body, screen.Func(func(b *screen.Builder) {
			b.Class("ul", "plain")
			for i, p := range w.Some {
				if i == 12 {
					break
				}
				b.Open("li")
				b.Elem("a", print.Clean(p.Name, 120), screen.A("href", g.person(p)))
				b.End("li")
			}
			b.End("ul")
			if n := w.Count - min(12, len(w.Some)); n > 0 {
				b.Elem("p", "and "+print.Number(int64(n))+" more", screen.A("class", "note"))
			}
		}))
	}
	return c
}

// answers is the card with what the proof says to each question.
func (g *board) answers() screen.Block {
	list := screen.Items{Empty: "No question was asked."}
	for _, x := range g.Answers {
		said := page.SaidOf(x.Verdict)
		list.List = append(list.List, screen.Item{Said: &said, Lead: x.Title, Text: upper(print.Ended(print.Clean(x.Reason, 600)))})
	}
	return screen.Card{ID: "answers", Head: "What the proof answers", Aside: "over all sign-ins, by the same settings", Body: []screen.Block{list}, Bare: true}
}

// missing is the card with what would settle what is unknown.
func (g *board) missing() screen.Block {
	list := screen.Items{}
	for _, m := range g.Missing {
		thing, request := evidence.SplitAsk(m)
		list.List = append(list.List, screen.Item{Icon: "v-unk", Text: print.Clean(thing, 400), Meta: print.Clean(evidence.Brief(request), 300)})
	}
	return screen.Card{Head: "What settles what is unknown", Body: []screen.Block{list}, Bare: true}
}
