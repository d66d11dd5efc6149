package screen

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/print"
)

func count(n int64) string { return strconv.FormatInt(n, 10) }

// address is this page's own address with the list's query changed.
func (f *Frame) address(p *Page, change func(*Query)) string {
	q := p.Ask.Query
	q.Filters = maps.Clone(q.Filters)
	change(&q)
	v := q.values(p.perPage())
	maps.Copy(v, p.Ask.Values)
	if f.Tenant.ID != "" {
		v.Set("tenant", f.Tenant.ID)
	}
	if len(v) == 0 {
		return "/" + p.Screen.Name
	}
	return "/" + p.Screen.Name + "?" + v.Encode()
}

func (p *Page) perPage() int {
	if p.Screen != nil && p.Screen.List != nil && p.Screen.List.perPage() > 0 {
		return p.Screen.List.perPage()
	}
	return Size
}

// list writes the card of the list: tools, table, pages.
func (f *Frame) list(b *Builder, p *Page) {
	s := p.Rows
	b.Open("section", A("class", "card clip list-card"), A("aria-label", firstUpper(plural(s.Noun, 2))))
	f.tools(b, p)
	b.Open("div", A("id", "rows"))
	switch {
	case s.Total == 0 && p.View.Nothing != nil:
		p.View.Nothing.Build(b)
	case s.Total == 0:
		Nothing{Head: "There are no " + plural(s.Noun, 2)}.Build(b)
	case s.Matched == 0:
		Nothing{Head: "Nothing matches", Text: "None of " + print.Plural(int64(s.Total), plural(s.Noun, 2)) + " is left by what was asked for.",
			LinkText: "Clear the filter", Path: f.address(p, func(q *Query) { *q = Query{Sort: q.Sort, Size: q.Size} })}.Build(b)
	default:
		f.table(b, p)
		f.pages(b, p)
	}
	b.End("div")
	b.End("section")
}

func firstUpper(s string) string {
	if s == "" {
		return "Rows"
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// plural is a noun of n.
func plural(noun string, n int) string {
	noun = cmp.Or(noun, "row")
	switch {
	case n == 1:
		return noun
	case strings.HasSuffix(noun, "y") && !strings.HasSuffix(noun, "ey"):
		return strings.TrimSuffix(noun, "y") + "ies"
	case strings.HasSuffix(noun, "s"):
		return noun
	}
	return noun + "s"
}

// tools are the search, the filters as chips, the count and the exports. All of it is
// one form and links: the address says what is shown.
func (f *Frame) tools(b *Builder, p *Page) {
	s, q := p.Rows, p.Ask.Query
	b.Open("form", A("class", "tools"), A("action", "/"+p.Screen.Name), A("role", "search"), A("data-live", "list"))
	b.Class("div", "searchbox")
	b.Icon("search")
	b.Void("input", A("class", "in"), A("type", "search"), A("name", "q"), A("value", q.Text), A("placeholder", cmp.Or(s.Search, "search")),
		A("aria-label", "Search "+plural(s.Noun, 2)), A("maxlength", strconv.Itoa(maxText)))
	b.End("div")
	q.Text, q.Page, q.Row = "", 0, ""
	hidden := q.values(p.perPage())
	maps.Copy(hidden, p.Ask.Values)
	if f.Tenant.ID != "" {
		hidden.Set("tenant", f.Tenant.ID)
	}
	for _, name := range slices.Sorted(maps.Keys(hidden)) {
		for _, v := range hidden[name] {
			b.Hidden(name, v)
		}
	}
	b.Open("div", A("id", "chips"), A("class", "chips"))
	f.chips(b, p, s.Chips)
	b.End("div")
	b.Open("span", A("class", "count"), A("id", "count"), A("role", "status"))
	b.Text(said(s))
	b.End("span")
	if s.Total > 0 {
		b.Class("span", "exports")
		for _, kind := range []string{"csv", "json"} {
			b.Open("a", A("class", "btn ghost"), A("href", f.export(p, kind)), A("download", ""), A("title", "All "+
				print.Number(int64(s.Matched))+" rows as "+strings.ToUpper(kind)))
			if kind == "csv" {
				b.Icon("dl")
			}
			b.Text(strings.ToUpper(kind))
			b.End("a")
		}
		b.End("span")
	}
	b.End("form")
}

// said is what the list shows of what there is: "22 of 214 accounts, worst first".
func said(s *Selection) string {
	if s.Total == 0 {
		return ""
	}
	shown := print.Number(int64(s.Matched)) + " of " + print.Number(int64(s.Total)) + " " + plural(s.Noun, s.Total)
	if s.Matched == s.Total {
		shown = print.Number(int64(s.Total)) + " " + plural(s.Noun, s.Total)
	}
	return shown
}

func (f *Frame) export(p *Page, kind string) string {
	to := f.address(p, func(q *Query) { q.Page, q.Size, q.Row = 0, 0, "" })
	path, query, has := strings.Cut(to, "?")
	path += "." + kind
	if has {
		path += "?" + query
	}
	return path
}

// chipsShown is how many chips stand in the tools; the rest is one step away.
const chipsShown = 8

// chips shows the filters in order, with what is on always in sight.
func (f *Frame) chips(b *Builder, p *Page, list []Chips) {
	n, rest := 0, []Chips(nil)
	for _, c := range list {
		n += len(c.List)
		if n > chipsShown && n > len(c.List) {
			rest = append(rest, c)
			for _, chip := range c.List {
				if chip.On {
					f.chip(b, p, c.Name, cmp.Or(c.Head, c.Name), chip)
				}
			}
			continue
		}
		for _, chip := range c.List {
			f.chip(b, p, c.Name, cmp.Or(c.Head, c.Name), chip)
		}
	}
	if len(rest) == 0 {
		return
	}
	b.Class("details", "filters")
	b.Open("summary", A("class", "chip add"))
	b.Icon("plus")
	b.Text("Filter")
	b.End("summary")
	b.Class("dl", "kv")
	for _, c := range rest {
		b.Elem("dt", firstUpper(cmp.Or(c.Head, c.Name)))
		b.Class("dd", "row")
		for _, chip := range c.List {
			f.chip(b, p, c.Name, cmp.Or(c.Head, c.Name), chip)
		}
		b.End("dd")
	}
	b.End("dl")
	b.End("details")
}

func (f *Frame) chip(b *Builder, p *Page, name, head string, c Chip) {
	to := f.address(p, func(q *Query) {
		q.Page, q.Row = 0, ""
		if q.Filters == nil {
			q.Filters = map[string][]string{}
		}
		list := slices.DeleteFunc(slices.Clone(q.Filters[name]), func(v string) bool { return v == c.Value })
		if !c.On {
			list = append(list, c.Value)
		}
		q.Filters[name] = list
	})
	class := "chip"
	if c.On {
		class += " on"
	}
	b.Open("a", A("class", class), A("href", to), A("title", head))
	b.Text(c.Word + " ")
	b.Elem("span", print.Number(int64(c.Count)), A("class", "n"))
	if c.On {
		b.Icon("x")
		b.Elem("span", ", shown alone; take the filter away", A("class", "vh"))
	}
	b.End("a")
}

func (f *Frame) table(b *Builder, p *Page) {
	s := p.Rows
	class := "t stk"
	if s.Tight {
		class += " tight"
	}
	b.Open("table", A("class", class))
	b.Elem("caption", firstUpper(plural(s.Noun, 2)), A("class", "vh"))
	b.Open("thead")
	b.Open("tr")
	if s.Opens && !s.Drawer {
		b.Open("th", A("scope", "col"))
		b.Elem("span", "Details", A("class", "vh"))
		b.End("th")
	}
	by, down := strings.CutPrefix(cmp.Or(p.Ask.Query.Sort, s.Order), "-")
	for i := range s.Heads {
		f.headCell(b, p, &s.Heads[i], by, down)
	}
	b.End("tr")
	b.End("thead")
	taken, part := map[string]bool{}, ""
	for i := range s.Lines {
		if l := &s.Lines[i]; l.Part != part {
			part = l.Part
			s.head(b, part)
		}
		f.line(b, p, &s.Lines[i], taken)
	}
	b.End("table")
}

// head stands above the rows of a part.
func (s *Selection) head(b *Builder, part string) {
	span := len(s.Heads)
	if s.Opens && !s.Drawer {
		span++
	}
	b.Open("tbody")
	b.Class("tr", "group")
	b.Elem("th", part, A("scope", "rowgroup"), A("colspan", strconv.Itoa(span)))
	b.End("tr")
	b.End("tbody")
}

func (f *Frame) headCell(b *Builder, p *Page, h *ColumnAbout, by string, down bool) {
	on := h.Sorts && h.Name == by
	sort := "ascending"
	if down {
		sort = "descending"
	}
	class := ""
	if h.Right {
		class = "r"
	}
	if h.Drop {
		class += " drop"
	}
	b.Open("th", A("scope", "col"), If(class != "", A("class", strings.TrimSpace(class))), If(on, A("aria-sort", sort)), If(h.About != "", A("title", h.About)))
	if !h.Sorts {
		b.Text(h.Head)
		b.End("th")
		return
	}
	next := h.Name
	if on && !down || !on && h.Down {
		next = "-" + next
	}
	b.Open("a", A("href", f.address(p, func(q *Query) { q.Sort, q.Page = next, 0 })))
	b.Text(h.Head)
	if on && down || !on && h.Down {
		b.Icon("down")
	} else {
		b.Icon("up")
	}
	b.End("a")
	b.End("th")
}

// RowID is the id of a row's element, for links within the page.
func RowID(key string) string {
	const most = 64
	if len(key) > most || key == "" || strings.ContainsFunc(key, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}) {
		sum := sha256.Sum256([]byte(key))
		return "r-" + hex.EncodeToString(sum[:8])
	}
	return "r-" + key
}

func (f *Frame) line(b *Builder, p *Page, l *Line, taken map[string]bool) {
	s := p.Rows
	id := RowID(l.Key)
	for n := 2; taken[id]; n++ { // a key that is there twice is the list's mistake, not the page's
		id = RowID(l.Key) + "-" + strconv.Itoa(n)
	}
	taken[id] = true
	b.Open("tbody", A("id", id))
	b.Open("tr", If(l.Open && s.Drawer, A("class", "on")))
	if s.Opens && !s.Drawer {
		open, state := l.Key, "false"
		if l.Open {
			open, state = "", "true"
		}
		b.Open("td")
		b.Open("a", A("class", "exp"), A("aria-expanded", state), A("href", f.address(p, func(q *Query) { q.Row = open })+"#"+id),
			A("aria-label", "Details of "+cmp.Or(print.Clean(name(l), print.MaxName), "this row")))
		b.End("a")
		b.End("td")
	}
	for i := range l.Cells {
		f.cell(b, p, l, i)
	}
	b.End("tr")
	if l.Open && len(l.Detail) > 0 {
		b.Class("tr", "more")
		b.Open("td", A("colspan", strconv.Itoa(len(l.Cells)+1)))
		if len(l.Detail) > 1 {
			b.Class("div", "grid g3")
		}
		for _, x := range l.Detail {
			x.Build(b)
		}
		if len(l.Detail) > 1 {
			b.End("div")
		}
		b.End("td")
		b.End("tr")
	}
	b.End("tbody")
}

func name(l *Line) string {
	if len(l.Cells) > 0 {
		if c := &l.Cells[0]; c.Text != "" {
			return c.Text
		}
		return l.Cells[0].String()
	}
	return l.Key
}

func (f *Frame) cell(b *Builder, p *Page, l *Line, i int) {
	c, s := &l.Cells[i], p.Rows
	tag, class := Lit("td"), ""
	if c.right {
		class = "r"
	}
	if c.drop || s.Tight && i > 0 && c.well() {
		class += " drop"
	}
	if i == s.Lead {
		b.Open("th", A("scope", "row"), If(class != "", A("class", strings.TrimSpace(class))))
		if s.Drawer && c.Path == "" {
			open := *c
			if open.Text == "" && open.Said == nil && open.Of == nil && open.At.IsZero() {
				open.Text = " " // it is said that there is no name
			}
			open.Path = f.address(p, func(q *Query) { q.Row = l.Key })
			open.Build(b)
		} else {
			c.Build(b)
		}
		b.End("th")
		return
	}
	b.Open(tag, If(class != "", A("class", strings.TrimSpace(class))), A("data-l", s.Heads[i].Head))
	b.Open("div")
	c.Build(b)
	b.End("div")
	b.End(tag)
}

// well says that a cell says nothing that a phone needs room for.
func (c *Cell) well() bool {
	if c.Said != nil {
		return c.Said.Tone == print.Good || c.Said.Tone == print.Muted
	}
	return c.Quiet && c.Path == ""
}

// around is how many pages are linked beside this one.
const around = 2

func (f *Frame) pages(b *Builder, p *Page) {
	s := p.Rows
	if s.Pages <= 1 {
		return
	}
	b.Class("div", "pages")
	b.Elem("span", print.Number(int64(s.First))+" to "+print.Number(int64(s.First+len(s.Lines)-1))+" of "+print.Number(int64(s.Matched)))
	b.Open("nav", A("class", "seg push"), A("aria-label", "Pages"))
	last := 0
	for n := 1; n <= s.Pages; n++ {
		if n != 1 && n != s.Pages && (n < s.Page-around || n > s.Page+around) {
			continue
		}
		if n > last+1 {
			b.Elem("span", "…", A("aria-hidden", "true"))
		}
		last = n
		b.Open("a", A("href", f.address(p, func(q *Query) { q.Page, q.Row = n, "" })), If(n == s.Page, A("aria-current", "page")))
		b.Elem("span", "page ", A("class", "vh"))
		b.Text(print.Number(int64(n)))
		b.End("a")
	}
	b.End("nav")
	b.End("div")
}
