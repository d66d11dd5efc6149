package coverage

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// Bounds of the matrix on a page: what is past them is folded, the worst comes first.
const (
	maxRows    = 26
	maxColumns = 30
)

// address is one cell.
type address struct{ who, col int }

func (p *Part) side(col int) (place, client int) { return col / len(p.Clients), col % len(p.Clients) }

// key is the cell's own address: it stays while the policies tell the same accounts,
// places and clients apart.
func (p *Part) key(x address) string {
	place, client := p.side(x.col)
	sum := sha256.Sum256([]byte(p.Who[x.who].Key + p.Places[place].Key + p.Clients[client].Key))
	return hex.EncodeToString(sum[:5])
}

// look is how a state is shown and said.
type look struct {
	class, sign string
	word        string
}

func (c *Cell) look(count int) look {
	switch c.State {
	case access.CellOpen:
		l := look{"g", count3(count), "open"}
		if c.ReportOnly {
			l.sign, l.word = "R", "open; a report-only policy would close it"
		}
		if c.Partly {
			l.class = "h"
			l.word = strings.Replace(l.word, "open", "open to some sign-ins", 1)
		}
		return l
	case access.CellUnknown:
		return look{"u", "?", "unknown"}
	case access.CellBlocked:
		return look{"b", "–", "blocked"}
	case access.CellResistant:
		return look{"p", "P", "phishing-resistant MFA"}
	}
	return look{"m", "·", "MFA"}
}

// of says how many accounts are in an open cell, where its sign does.
func (k *look) of(count int) string {
	if k.class != "g" && k.class != "h" || count == 0 {
		return ""
	}
	return ", " + print.Plural(int64(count), "accounts")
}

// count3 is a number in three signs.
func count3(n int) string {
	switch {
	case n == 0:
		return "!"
	case n < 1000:
		return strconv.Itoa(n)
	case n < 100_000:
		return strconv.Itoa(n/1000) + "k"
	}
	return "…k"
}

// whoName is a class's name as the viewer may see it.
func (g *board) whoName(i int) string {
	w := &g.Who[i]
	if w.Personal && !g.names {
		return "An account that policies name"
	}
	return print.Clean(w.Name, 80)
}

// layout is which rows and columns are shown.
type layout struct {
	who, places        []int
	foldWho, foldPlace []int
}

func (g *board) layout() layout {
	var l layout
	for i := range g.Who {
		l.who = append(l.who, i)
	}
	for i := range g.Places {
		if g.where < 0 || g.where == i {
			l.places = append(l.places, i)
		}
	}
	if len(l.who) > maxRows {
		slices.SortStableFunc(l.who, func(a, b int) int { return cmp.Compare(g.badness(b), g.badness(a)) })
		l.foldWho, l.who = slices.Clone(l.who[maxRows:]), l.who[:maxRows]
		slices.Sort(l.who)
	}
	if n := max(1, maxColumns/len(g.Clients)); len(l.places) > n {
		slices.SortStableFunc(l.places, func(a, b int) int { return cmp.Compare(g.openAt(b), g.openAt(a)) })
		l.foldPlace, l.places = slices.Clone(l.places[n:]), l.places[:n]
		slices.Sort(l.places)
	}
	if g.opened { // what is opened is always seen
		if place, _ := g.side(g.cell.col); !slices.Contains(l.places, place) {
			l.places = append(l.places, place)
			l.foldPlace = slices.DeleteFunc(l.foldPlace, func(i int) bool { return i == place })
		}
		if !slices.Contains(l.who, g.cell.who) {
			l.who = append(l.who, g.cell.who)
			l.foldWho = slices.DeleteFunc(l.foldWho, func(i int) bool { return i == g.cell.who })
		}
	}
	return l
}

// badness orders classes: what is open of more accounts first, then what is unknown.
func (g *board) badness(i int) int {
	w := &g.Who[i]
	if w.Foreign {
		return -1
	}
	return w.Open*(1000+min(w.Count, 100_000)) + w.Unknown
}

func (g *board) openAt(place int) (n int) {
	for who := range g.Cells {
		for client := range g.Clients {
			switch g.Cells[who][place*len(g.Clients)+client].State {
			case access.CellOpen:
				n += 1000
			case access.CellUnknown:
				n++
			}
		}
	}
	return n
}

// worst is the weakest of some cells.
func worst(list []Cell) Cell {
	rank := []access.CellState{access.CellBlocked, access.CellResistant, access.CellAsked, access.CellUnknown, access.CellOpen}
	return slices.MaxFunc(list, func(a, b Cell) int { return cmp.Compare(slices.Index(rank, a.State), slices.Index(rank, b.State)) })
}

// matrix is the card with the heat matrix.
func (g *board) matrix() screen.Block {
	l := g.layout()
	body := []screen.Block{g.picker(l), screen.Func(func(b *screen.Builder) { g.table(b, l) }), screen.Func(legend)}
	var said []string
	if n := len(l.foldWho); n > 0 {
		said = append(said, fmt.Sprintf("the %d classes with least that is open are folded into one row", n))
	}
	if n := len(l.foldPlace); n > 0 {
		said = append(said, fmt.Sprintf("%d more places are in the list of places", n))
	}
	if g.More != [2]int{} {
		said = append(said, fmt.Sprintf("%d classes of accounts and %d places are past the bounds and were not looked at", g.More[0], g.More[1]))
	}
	c := screen.Card{ID: "matrix", Head: "Does every sign-in need MFA?",
		Aside: "Accounts, places and clients are those that the policies can tell apart", Body: body}
	if len(said) > 0 {
		c.Foot = print.Ended(upper(strings.Join(said, "; ")))
	}
	return c
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// picker leads to one place at a time: what a phone shows well.
func (g *board) picker(l layout) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		if len(g.Places) < 2 {
			return
		}
		b.Open("nav", screen.A("class", "cov-places"), screen.A("aria-label", "Places"))
		link := func(text, key string, on bool, open int) {
			class := "chip"
			if on {
				class = "chip on"
			}
			b.Open("a", screen.A("class", class), screen.A("href", g.path("/coverage", "place", key)+"#matrix"), screen.If(on,
				screen.A("aria-current", "true")))
			b.Text(text)
			if open > 0 {
				b.Elem("span", " "+strconv.Itoa(open)+" open", screen.A("class", "n"))
			}
			b.End("a")
		}
		link("All places", "", g.where < 0, 0)
		order := slices.Concat(l.places, l.foldPlace)
		if g.where >= 0 {
			order = order[:0]
			for i := range g.Places {
				order = append(order, i)
			}
		}
		for n, i := range order {
			if n == maxColumns {
				b.Elem("span", fmt.Sprintf("and %d more", len(order)-n), screen.A("class", "note"))
				break
			}
			link(print.Clean(g.Places[i].Name, 40), g.Places[i].Key, g.where == i, g.openAt(i)/1000)
		}
		b.End("nav")
	})
}

// table writes the matrix.
func (g *board) table(b *screen.Builder, l layout) {
	b.Open("div", screen.A("class", "xscroll"), screen.A("tabindex", "0"), screen.A("role", "region"), screen.A("aria-label", "Matrix"))
	b.Open("table", screen.A("class", "mx"))
	b.Elem("caption", "Who by where and with which client: how each class of sign-ins is protected", screen.A("class", "vh"))
	b.Open("thead")
	b.Open("tr")
	b.Open("td")
	b.End("td")
	for n, place := range l.places {
		g.sep(b, n)
		p := &g.Places[place]
		b.Open("th", screen.A("colspan", strconv.Itoa(len(g.Clients))), screen.A("scope", "colgroup"))
		b.Text(print.Clean(p.Name, 48))
		if len(p.Values) > 1 {
			b.Elem("small", print.Plural(int64(len(p.Values)), "places"))
		}
		b.End("th")
	}
	b.End("tr")
	b.Open("tr")
	b.Open("td")
	b.End("td")
	for n := range l.places {
		g.sep(b, n)
		for i := range g.Clients {
			b.Open("th", screen.A("class", "vert"), screen.A("scope", "col"))
			b.Elem("span", upper(print.Clean(g.Clients[i].Name, 40)))
			b.End("th")
		}
	}
	b.End("tr")
	b.End("thead")
	b.Open("tbody")
	apart := false
	for _, who := range l.who {
		w := &g.Who[who]
		class := ""
		if (w.BreakGlass || w.Foreign) && !apart {
			apart, class = true, "apart"
		}
		g.row(b, l, who, class)
	}
	if len(l.foldWho) > 0 {
		g.folded(b, l)
	}
	b.End("tbody")
	b.End("table")
	b.End("div")
}

func (g *board) sep(b *screen.Builder, n int) {
	if n > 0 {
		b.Open("td", screen.A("class", "sep"))
		b.End("td")
	}
}

func (g *board) row(b *screen.Builder, l layout, who int, class string) {
	w := &g.Who[who]
	b.Open("tr", screen.If(class != "", screen.A("class", class)))
	b.Open("th", screen.A("scope", "row"))
	name := g.whoName(who)
	b.Text(name)
	switch {
	case w.StandsIn:
		b.Elem("small", "stand-in")
	case w.BreakGlass && !strings.Contains(strings.ToLower(name), "break"):
		b.Elem("small", print.Number(int64(w.Count))+" break-glass")
	default:
		b.Elem("small", print.Number(int64(w.Count)))
	}
	b.End("th")
	for n, place := range l.places {
		g.sep(b, n)
		for client := range g.Clients {
			x := address{who, place*len(g.Clients) + client}
			c := &g.Cells[who][x.col]
			k := c.look(w.Count)
			b.Open("td")
			// Its row and column are said by the table's heads; what is well needs no tooltip.
			b.Elem("a", k.sign, screen.A("class", "cell "+k.class), screen.A("href", g.address(x)), screen.A("aria-label", k.word+k.of(w.Count)),
				screen.If(c.State == access.CellOpen || c.State == access.CellUnknown, screen.A("title", k.word)),
				screen.If(g.opened && g.cell == x, screen.A("aria-current", "true")))
			b.End("td")
		}
	}
	b.End("tr")
}

// address is the page with a cell opened.
func (g *board) address(x address) string {
	place := ""
	if g.where >= 0 {
		place = g.Places[g.where].Key
	}
	return g.path("", "place", place, "cell", g.key(x)) + "#why"
}

// folded is the row of the classes that are not shown: the weakest of each column.
func (g *board) folded(b *screen.Builder, l layout) {
	accounts := 0
	for _, who := range l.foldWho {
		accounts += g.Who[who].Count
	}
	b.Open("tr", screen.A("class", "apart"))
	b.Open("th", screen.A("scope", "row"))
	b.Text(fmt.Sprintf("%d more classes", len(l.foldWho)))
	b.Elem("small", print.Number(int64(accounts)))
	b.End("th")
	for n, place := range l.places {
		g.sep(b, n)
		for client := range g.Clients {
			var list []Cell
			for _, who := range l.foldWho {
				list = append(list, g.Cells[who][place*len(g.Clients)+client])
			}
			x := worst(list)
			k := x.look(0)
			b.Open("td")
			b.Elem("span", k.sign, screen.A("class", "cell "+k.class), screen.A("title", "at worst "+k.word))
			b.End("td")
		}
	}
	b.End("tr")
}

// legend says what the signs mean.
func legend(b *screen.Builder) {
	b.Class("ul", "legend cov-legend")
	for _, s := range []struct{ class, sign, word string }{
		{"g", "n", "open: accounts in it"}, {"h", "n", "open to some of the sign-ins"}, {"g", "R", "open; a report-only policy would close it"},
		{"u", "?", "unknown"}, {"m", "·", "MFA"}, {"p", "P", "phishing-resistant"}, {"b", "–", "blocked"},
	} {
		b.Open("li")
		b.Elem("span", s.sign, screen.A("class", "cell "+s.class), screen.A("aria-hidden", "true"))
		b.Text(s.word)
		b.End("li")
	}
	b.End("ul")
}
