package screen

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

// main writes what stands in <main>.
func (f *Frame) main(b *Builder, p *Page) {
	if f.local() {
		Notice{Tone: print.Vouched, Lead: "Local partner cloud. Not Microsoft.", Text: "Invented people; nothing of this is a real tenant."}.build(b, "lab")
	}
	f.head(b, p)
	b.Class("div", "stack")
	if f.Said != "" {
		b.Open("div", A("role", "status"))
		Notice{Tone: print.Good, Text: f.Said}.Build(b)
		b.End("div")
	}
	if p.Body != nil {
		for _, x := range p.Body {
			x.Build(b)
		}
		b.End("div")
		return
	}
	v := p.View
	for _, n := range v.Notices {
		n.Build(b)
	}
	if v.Missing {
		if v.Nothing != nil {
			b.Class("section", "card")
			v.Nothing.Build(b)
			b.End("section")
		}
		b.End("div")
		return
	}
	for _, x := range v.Above {
		x.Build(b)
	}
	switch {
	case p.Rows != nil && len(v.Aside) > 0:
		b.Open("div", A("class", "grid g-side"))
		f.list(b, p)
		f.drawer(b, p)
		b.End("div")
	case p.Rows != nil:
		f.list(b, p)
	case len(v.Aside) > 0:
		f.drawer(b, p)
	}
	for _, x := range v.Below {
		x.Build(b)
	}
	b.End("div")
}

func (f *Frame) head(b *Builder, p *Page) {
	b.Class("header", "head")
	b.Open("div")
	if len(p.Crumb) > 0 {
		b.Open("nav", A("class", "crumb"), A("aria-label", "Above this page"))
		for i, l := range p.Crumb {
			if i > 0 {
				b.Elem("span", "/", A("aria-hidden", "true"))
			}
			b.Elem("a", l.Text, A("href", l.Path))
		}
		b.End("nav")
	}
	b.Elem("h1", p.title())
	if says := sentence(p); says != "" {
		b.Elem("p", says)
	}
	b.End("div")
	if v := p.View; v != nil && (len(v.Facts) > 0 || len(v.Actions) > 0) {
		b.Class("div", "acts")
		f.age(b, v.Facts)
		for i := range v.Actions {
			f.action(b, p, &v.Actions[i])
		}
		b.End("div")
	}
	b.End("header")
}

func sentence(p *Page) string {
	about := ""
	if p.Screen != nil && p.Body == nil {
		about = p.Screen.About
	}
	if p.View != nil {
		return cmp.Or(p.View.Sentence, about)
	}
	return about
}

// old says how a fact stands: 0 in time, 1 nearly too old or with gaps, 2 too old or
// never read.
func (x *Fact) old(now time.Time) int {
	age := now.Sub(x.At)
	switch {
	case x.At.IsZero() || x.Allows > 0 && age > x.Allows:
		return 2
	case x.Gaps > 0 || x.Allows > 0 && age > x.Allows*8/10:
		return 1
	}
	return 0
}

// Oldest is the fact that a page's age is shown by: of those that a verdict rests on,
// or of all where none is, the one that stands worst, then the oldest. nil: there is
// none.
func Oldest(facts []Fact, now time.Time) *Fact {
	rests := slices.ContainsFunc(facts, func(x Fact) bool { return x.Rests })
	var worst *Fact
	for i := range facts {
		x := &facts[i]
		if rests && !x.Rests {
			continue
		}
		if worst == nil || cmp.Or(x.old(now)-worst.old(now), worst.At.Compare(x.At)) > 0 {
			worst = x
		}
	}
	return worst
}

// Old says how the oldest deciding fact stands, for those who cannot see colours.
var oldWords = []string{"", "nearly too old, or with gaps", "too old: what rests on it is unknown"}

func (f *Frame) age(b *Builder, facts []Fact) {
	x := Oldest(facts, b.now)
	if x == nil {
		return
	}
	class, how := "age", x.old(b.now)
	if how > 0 {
		class += []string{"", " unk", " not"}[how]
	}
	var all strings.Builder
	for i := range facts {
		all.WriteString("; " + facts[i].words(b.now))
	}
	path := "/collection"
	if i := slices.IndexFunc(f.Screens, func(s Screen) bool { return s.Name == "collection" }); i >= 0 {
		path = f.link(&f.Screens[i])
	}
	b.Open("a", A("class", class), A("href", path), A("title", strings.TrimPrefix(all.String(), "; ")))
	b.Icon("clock")
	b.Text(x.words(b.now))
	if how > 0 {
		b.Elem("span", "; "+oldWords[how], A("class", "vh"))
	}
	b.End("a")
}

func (x *Fact) words(now time.Time) string {
	s := x.What + " never read"
	if !x.At.IsZero() {
		s = x.What + " " + Span(now.Sub(x.At)) + " old"
	}
	if x.Gaps > 0 {
		s += " · " + print.Plural(int64(x.Gaps), "gaps")
	}
	return s
}

// action is a link, a form of one button, or a link to the page of an act that asks
// for more.
func (f *Frame) action(b *Builder, p *Page, a *Action) {
	class := "btn"
	if a.Primary {
		class += " pri"
	}
	inner := func() {
		if a.Icon != "" {
			b.Icon(Lit(a.Icon))
		}
		b.Text(a.Text)
	}
	if a.Act == "" {
		b.Open("a", A("class", class), A("href", a.Path))
		inner()
		b.End("a")
		return
	}
	s, act := p.Screen, p.Screen.act(a.Act)
	if act == nil || !f.Viewer.May(act.Do) {
		return
	}
	to := "/" + s.Name + "/" + act.Name
	if act.asks(a.Fields) {
		pairs := []string{"tenant", f.Tenant.ID}
		for _, name := range slices.Sorted(maps.Keys(a.Fields)) {
			for _, v := range a.Fields[name] {
				pairs = append(pairs, name, v)
			}
		}
		b.Open("a", A("class", class), A("href", With(to, pairs...)))
		inner()
		b.End("a")
		return
	}
	if f.Token == "" {
		return
	}
	b.Open("form", A("method", "post"), A("action", With(to, "tenant", f.Tenant.ID)))
	b.Hidden(FormToken, f.Token)
	for _, name := range slices.Sorted(maps.Keys(a.Fields)) {
		for _, v := range a.Fields[name] {
			b.Hidden(name, v)
		}
	}
	b.Open("button", A("class", class), A("type", "submit"))
	inner()
	b.End("button")
	b.End("form")
}

func (s *Screen) act(name string) *Act {
	for i := range s.Acts {
		if s.Acts[i].Name == name {
			return &s.Acts[i]
		}
	}
	return nil
}

// Build writes a banner.
func (n Notice) Build(b *Builder) { n.build(b, "") }

func (n Notice) build(b *Builder, more string) {
	b.Open("div", A("class", strings.TrimSpace("banner "+n.Tone.Class+" "+more)))
	b.Icon(noticeMark(n.Tone))
	b.Open("div")
	if n.Lead != "" {
		b.Elem("b", n.Lead)
		b.Text(" ")
	}
	b.Text(n.Text)
	if n.Of > 0 {
		b.Open("progress", A("class", "prog"), A("max", count(n.Of)), A("value", count(min(n.Done, n.Of))), A("aria-label", print.Number(n.Done)+" of "+
			print.Number(n.Of)))
		b.End("progress")
	}
	b.End("div")
	if n.LinkText != "" {
		b.Elem("a", n.LinkText, A("class", "btn"), A("href", n.Path))
	}
	b.End("div")
}

func noticeMark(t print.Tone) Lit {
	if t.Class == "" || t == print.Vouched {
		return "v-info"
	}
	return Mark(t)
}

// Build writes what is said where there is nothing.
func (n Nothing) Build(b *Builder) {
	b.Class("div", "empty")
	b.Icon("none")
	b.Elem("h2", n.Head)
	if n.Text != "" {
		b.Elem("p", n.Text)
	}
	if n.Command != "" {
		Code{Text: n.Command, Wrap: true}.Build(b)
	}
	if n.LinkText != "" {
		b.Elem("a", n.LinkText, A("class", "btn"), A("href", n.Path))
	}
	b.End("div")
}

// Drawer is what an open row shows beside the list.
type Drawer struct {
	Head string
	Said *page.Said
	Body []Section
}

// Section is a part of a drawer.
type Section struct {
	Head string
	Body []Block
}

// Build writes it; the frame gives it its place.
func (d Drawer) Build(b *Builder) {
	b.Open("header")
	b.Elem("h2", d.Head)
	if d.Said != nil {
		b.Class("span", "push")
		b.Said(*d.Said, false)
		b.End("span")
	}
	if b.closes != "" {
		b.Open("a", A("class", "btn ghost sq"+pushed(d.Said == nil)), A("href", b.closes), A("aria-label", "Close"))
		b.Icon("x")
		b.End("a")
	}
	b.End("header")
	for _, s := range d.Body {
		b.Open("section")
		if s.Head != "" {
			b.Elem("h3", s.Head)
		}
		for _, x := range s.Body {
			x.Build(b)
		}
		b.End("section")
	}
}

func pushed(yes bool) string {
	if yes {
		return " push"
	}
	return ""
}

// drawer gives what is beside the list its place. Blocks that are no Drawer get a head
// with the way back.
func (f *Frame) drawer(b *Builder, p *Page) {
	whole := len(p.View.Aside) == 1
	if whole {
		_, whole = p.View.Aside[0].(Drawer)
	}
	if p.Ask != nil && p.Ask.Query.Row != "" {
		b.closes = f.address(p, func(q *Query) { q.Row = "" })
	}
	b.Open("aside", A("class", "drawer"), A("id", "row"), A("aria-label", "The chosen row"), A("tabindex", "0"))
	if whole {
		p.View.Aside[0].Build(b)
	} else {
		if b.closes != "" {
			Drawer{Head: "Chosen"}.Build(b)
		}
		for _, x := range p.View.Aside {
			b.Open("section")
			x.Build(b)
			b.End("section")
		}
	}
	b.End("aside")
	b.closes = ""
}
