package screen

import (
	"strconv"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

// Card is a box with a heading.
type Card struct {
	ID    string
	Head  string
	Aside string // right of the heading, grey
	Note  string // one sentence below it
	Links []Link // right of the heading
	Body  []Block
	Foot  string
	Bare  bool // the body brings its own space
}

// Link is one.
type Link struct{ Text, Path string }

// Build writes it.
func (c Card) Build(b *Builder) {
	b.Open("section", A("class", "card"), If(c.ID != "", A("id", c.ID)))
	if c.Head != "" {
		b.Open("header")
		b.Elem("h2", c.Head)
		if c.Aside != "" {
			b.Elem("span", c.Aside, A("class", "push meta"))
		}
		for i, l := range c.Links {
			b.Elem("a", l.Text, A("href", l.Path), If(i == 0 && c.Aside == "", A("class", "push")))
		}
		if c.Note != "" {
			b.Elem("p", c.Note, A("class", "note"))
		}
		b.End("header")
	}
	if !c.Bare {
		b.Class("div", "pad")
	}
	for _, x := range c.Body {
		x.Build(b)
	}
	if !c.Bare {
		b.End("div")
	}
	if c.Foot != "" {
		b.Elem("footer", c.Foot)
	}
	b.End("section")
}

// Side puts blocks beside each other where there is room. Shape is a class of the sheet:
// "g2", "g3", "g-main" (wide and narrow), "g-side".
type Side struct {
	Shape Lit
	List  []Block
}

// Build writes it.
func (s Side) Build(b *Builder) {
	b.Open("div", A("class", "grid fill "+string(s.Shape)))
	for _, x := range s.List {
		x.Build(b)
	}
	b.End("div")
}

// Tile is one number of a page, which opens what it counts.
type Tile struct {
	Head  string
	N     string // "175", "78.5"; "unknown" where it was not read
	Of    string // "of 214"
	Said  *page.Said
	Path  string
	Line  []float64  // the last days, oldest first, in the tile's tone
	Tone  print.Tone // of the line
	Delta string     // "1 since yesterday"
	Up    int        // 1: more than before, -1: less, 0: no arrow
	Worse bool       // the change is to the worse
}

// Tiles are the numbers on top of a page.
type Tiles []Tile

// Build writes them.
func (t Tiles) Build(b *Builder) {
	b.Class("div", "tiles")
	for i := range t {
		t[i].build(b)
	}
	b.End("div")
}

func (t *Tile) build(b *Builder) {
	tag := Lit("div")
	if t.Path != "" {
		tag = "a"
	}
	b.Open(tag, A("class", "tile"), If(t.Path != "", A("href", t.Path)))
	b.Elem("span", t.Head, A("class", "tile-k"))
	b.Class("span", "tile-n")
	if t.Said != nil {
		b.Said(*t.Said, false)
	}
	b.Text(t.N)
	if t.Of != "" {
		b.Elem("small", t.Of)
	}
	b.End("span")
	if len(t.Line) > 1 {
		Spark(b, t.Line, t.Tone)
	}
	if t.Delta != "" {
		b.Class("span", "delta")
		if t.Up != 0 {
			class, arrow := "better", "▼ "
			if t.Worse {
				class = "worse"
			}
			if t.Up > 0 {
				arrow = "▲ "
			}
			b.Elem("b", arrow, A("class", class), A("aria-hidden", "true"))
		}
		b.Text(t.Delta)
		b.End("span")
	}
	b.End(tag)
}

// Spark draws values as a small line of 88 by 28, from zero; a tile says its last value
// in words.
func Spark(b *Builder, values []float64, tone print.Tone) {
	top := 1.0
	for _, v := range values {
		top = max(top, v)
	}
	d := ""
	var x, y float64
	for i, v := range values {
		x, y = 2+82*float64(i)/float64(len(values)-1), 26-22*v/top
		sign := "L"
		if i == 0 {
			sign = "M"
		}
		d += sign + strconv.FormatFloat(x, 'f', 1, 64) + " " + strconv.FormatFloat(y, 'f', 1, 64)
	}
	class := tone.Class
	if class == "" {
		class = "1"
	}
	b.Open("svg", A("viewBox", "0 0 88 28"), A("aria-hidden", "true"))
	b.Void("path", A("class", "ar f-"+class), A("d", d+"L84 28L2 28Z"))
	b.Void("path", A("class", "ln l-"+class), A("d", d))
	b.Void("circle", A("class", "f-"+class), A("cx", "84"), A("cy", strconv.FormatFloat(y, 'f', 1, 64)), A("r", "2.2"))
	b.End("svg")
}

// Pair is one key and what is said of it.
type Pair struct {
	Key  string
	Cell Cell
	From string // the source, below it
}

// Pairs are keys and values.
type Pairs []Pair

// Build writes them.
func (p Pairs) Build(b *Builder) {
	b.Class("dl", "kv")
	for i := range p {
		b.Elem("dt", p[i].Key)
		b.Open("dd")
		p[i].Cell.Build(b)
		if p[i].From != "" {
			b.Elem("span", p[i].From, A("class", "src"))
		}
		b.End("dd")
	}
	b.End("dl")
}

// Item is one entry of a list or of a timeline.
type Item struct {
	Said *page.Said
	Icon Lit
	Lead string // in bold
	Path string
	Text string
	Meta string // source, moment
	When string // on the left: "3 h", "24 Nov"
	WhenSub,
	Class string // tone of When
}

// Items are a plain list; as a Timeline they hang on a line.
type Items struct {
	List     []Item
	Timeline bool
	Empty    string
}

// Build writes them.
func (l Items) Build(b *Builder) {
	if len(l.List) == 0 {
		b.Elem("p", l.Empty, A("class", "note pad"))
		return
	}
	class := "list"
	if l.Timeline {
		class = "tl"
	}
	b.Open("ol", A("class", class))
	for i := range l.List {
		l.List[i].build(b)
	}
	b.End("ol")
}

func (it *Item) build(b *Builder) {
	tone := ""
	if it.Said != nil {
		tone = it.Said.Tone.Class
	}
	b.Open("li", If(tone != "", A("class", tone)))
	switch {
	case it.When != "":
		b.Open("span", A("class", "due "+it.Class))
		b.Text(it.When)
		if it.WhenSub != "" {
			b.Elem("small", it.WhenSub)
		}
		b.End("span")
	case it.Said != nil:
		b.Icon(Mark(it.Said.Tone))
	case it.Icon != "":
		b.Icon(it.Icon)
	}
	b.Open("div")
	if it.Lead != "" {
		if it.Path != "" {
			b.Open("a", A("class", "pl"), A("href", it.Path))
			b.Elem("b", shown(it.Lead))
			b.End("a")
		} else {
			b.Elem("b", it.Lead)
		}
		b.Text(" ")
	}
	if it.Said != nil {
		b.Elem("span", it.Said.Word, A("class", "vh"))
		b.Text(" ")
	}
	b.Text(it.Text)
	if it.Meta != "" {
		b.Elem("span", it.Meta, A("class", "meta"))
	}
	b.End("div")
	b.End("li")
}

// Para is a paragraph; Class is one of the sheet: "note", "meta".
type Para struct {
	Text  string
	Class Lit
}

// Build writes it.
func (p Para) Build(b *Builder) { b.Elem("p", p.Text, If(p.Class != "", A("class", string(p.Class)))) }

// Code is text as a machine has it.
type Code struct {
	Text string
	Wrap bool
}

// Build writes it.
func (c Code) Build(b *Builder) {
	class := "code"
	if c.Wrap {
		class += " wrap"
	}
	b.Open("pre", A("class", class), A("tabindex", "0"))
	b.Lines(c.Text)
	b.End("pre")
}

// Func is a block that a feature builds itself, of what only it has.
type Func func(b *Builder)

// Build writes it.
func (f Func) Build(b *Builder) { f(b) }
