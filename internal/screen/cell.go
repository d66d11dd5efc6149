package screen

import (
	"math"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

// Cell is what stands in one cell of a list: its parts are shown in this order, and only
// those that are set. All cells of all pages are made of these.
type Cell struct {
	Said  *page.Said // a verdict: shape, word, colour
	Icon  Lit
	Text  string
	Quiet bool      // grey: what is well, or says little
	Mono  bool      // ids, addresses, hashes
	Path  string    // where the text leads
	Of    *Part     // a part with its whole
	At    time.Time // a moment; with Ago relative
	Ago   bool
	Never string // said where At is zero and nothing else is shown
	Tags  []Tag
	Bars  []Step // a small bar chart, with Spoken
	// Spoken says the bars in words.
	Spoken string
	Sub    string    // the second line, which explains the first
	SubAt  time.Time // a moment in the second line, after Sub

	right, drop bool
}

// Part is a part with its whole: "16 of 214".
type Part struct {
	N, Of int64 // Of 0: N alone
	Unit  string
	Bar   bool
	Tone  print.Tone
}

// Tag is a fact, not a verdict.
type Tag struct {
	Text string
	Path string
	Tone print.Tone // the zero tone is outlined grey
}

// Step is one bar: how high between 0 and 1, and as what.
type Step struct {
	High float64
	Tone print.Tone
	Void bool // nothing was read
}

// Verdict is a cell that says one, with its reason below.
func Verdict[T ~string](v T, why string) Cell {
	s := page.SaidOf(v)
	return Cell{Said: &s, Sub: why}
}

// Named is a cell with a name and what is below it, leading to path where that is set.
func Named(name, sub, path string) Cell { return Cell{Text: name, Sub: sub, Path: path} }

// Words is a cell with a text alone.
func Words(s string) Cell { return Cell{Text: s} }

// Count is a number that was counted, leading to what it counts.
func Count(n int64, path string) Cell { return Cell{Text: print.Number(n), Path: path, Quiet: n == 0} }

// When is a moment, relative; never is said of none.
func When(t time.Time, never string) Cell { return Cell{At: t, Ago: true, Never: never} }

// String is the cell as the exports have it: exact moments, plain numbers.
func (c *Cell) String() string {
	var parts []string
	add := func(s string) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if c.Said != nil {
		add(c.Said.Word)
	}
	add(c.Text)
	if c.Of != nil {
		add(strconv.FormatInt(c.Of.N, 10))
	}
	switch {
	case !c.At.IsZero():
		add(c.At.UTC().Format(time.RFC3339))
	case len(parts) == 0:
		add(c.Never)
	}
	for _, t := range c.Tags {
		add(t.Text)
	}
	add(c.Sub)
	if !c.SubAt.IsZero() {
		add(c.SubAt.UTC().Format(time.RFC3339))
	}
	return strings.Join(parts, "; ")
}

// Build writes the cell's inside.
func (c *Cell) Build(b *Builder) {
	if c.Said != nil {
		b.Said(*c.Said, true)
		c.apart(b, c.Text != "" || c.Icon != "" || c.Of != nil || !c.At.IsZero())
	}
	c.words(b)
	c.apart(b, c.Text != "" && (c.Of != nil || !c.At.IsZero()))
	c.part(b)
	c.apart(b, c.Of != nil && !c.At.IsZero())
	switch {
	case !c.At.IsZero() && c.Path != "" && c.Text == "" && c.Of == nil: // a moment that names its row leads into it
		b.Open("a", A("href", c.Path))
		b.Time(c.At, c.Ago)
		b.End("a")
	case !c.At.IsZero():
		b.Time(c.At, c.Ago)
	case c.Never != "" && c.Said == nil && c.Text == "" && c.Of == nil:
		b.Elem("span", c.Never, A("class", "q3"))
	}
	c.tags(b)
	c.bars(b)
	if c.Sub != "" || !c.SubAt.IsZero() {
		b.Class("span", "sub")
		b.Text(c.Sub)
		if !c.SubAt.IsZero() {
			if c.Sub != "" {
				b.Text(" ")
			}
			b.Time(c.SubAt, true)
		}
		b.End("span")
	}
}

// apart keeps two parts from touching.
func (c *Cell) apart(b *Builder, both bool) {
	if both {
		b.Text(" ")
	}
}

func (c *Cell) words(b *Builder) {
	if c.Icon != "" {
		b.Class("span", "ic")
		b.Icon(c.Icon)
		defer b.End("span")
	}
	if c.Text == "" {
		return
	}
	text, class := c.Text, ""
	if print.Clean(text, 1) == "" { // it shows nothing, and leads somewhere
		text, class = noName, "q3"
	}
	if c.Quiet {
		class = "q3"
	}
	if c.Mono {
		class += " id"
	}
	if c.Path != "" {
		b.Elem("a", text, A("href", c.Path), If(class != "", A("class", class)))
	} else if class != "" {
		b.Elem("span", text, A("class", class))
	} else {
		b.Text(text)
	}
}

func (c *Cell) part(b *Builder) {
	if c.Of == nil {
		return
	}
	b.Class("span", "nw")
	if c.Path != "" && c.Text == "" {
		b.Elem("a", print.Number(c.Of.N), A("href", c.Path), A("class", "w5"))
	} else {
		b.Elem("b", print.Number(c.Of.N), A("class", "w5"))
	}
	if c.Of.Of > 0 {
		b.Elem("span", " of "+print.Number(c.Of.Of)+" "+c.Of.Unit, A("class", "q"))
	} else if c.Of.Unit != "" {
		b.Elem("span", " "+c.Of.Unit, A("class", "q"))
	}
	b.End("span")
	if c.Of.Bar && c.Of.Of > 0 {
		w := float64(c.Of.N) / float64(c.Of.Of) * 96
		b.Open("svg", A("class", "mini"), A("viewBox", "0 0 96 6"), A("preserveAspectRatio", "none"), A("aria-hidden", "true"))
		b.Void("rect", A("class", "f-nabg"), A("width", "96"), A("height", "6"), A("rx", "3"))
		if c.Of.N > 0 {
			b.Void("rect", A("class", "f-"+c.Of.Tone.Class), A("width", Num(max(3, min(96, w)))), A("height", "6"), A("rx", "3"))
		}
		b.End("svg")
	}
}

func (c *Cell) tags(b *Builder) {
	if len(c.Tags) == 0 {
		return
	}
	b.Class("span", "row")
	for _, t := range c.Tags {
		class := "tag"
		if t.Tone.Class != "" {
			class += " tint " + t.Tone.Class
		}
		if t.Path != "" {
			b.Elem("a", t.Text, A("class", class), A("href", t.Path))
		} else {
			b.Elem("span", t.Text, A("class", class))
		}
	}
	b.End("span")
}

// bars are drawn 2 px a step and 16 high.
func (c *Cell) bars(b *Builder) {
	if len(c.Bars) == 0 {
		return
	}
	const step, high = 4, 16.0
	var classes []string
	paths := map[string]*strings.Builder{} // one a class: a rectangle for each bar would be most of a page
	b.Open("svg", A("class", "sp"), A("viewBox", "0 0 "+strconv.Itoa(step*len(c.Bars))+" 16"), A("role", "img"), A("aria-label", c.Spoken))
	b.Void("path", A("class", "f-line"), A("d", "M0 15h"+strconv.Itoa(step*len(c.Bars)-1)+"v1H0z"))
	for i, s := range c.Bars {
		h, class := max(1, min(high, s.High*high)), "f-"+s.Tone.Class
		if s.Void {
			h, class = high, "f-void"
		} else if s.High <= 0 { // the line below all of them
			continue
		}
		d := paths[class]
		if d == nil {
			d = &strings.Builder{}
			paths[class], classes = d, append(classes, class)
		}
		y := strconv.FormatFloat(math.Round(10*(high-h))/10, 'f', -1, 64)
		d.WriteString("M" + strconv.Itoa(step*i) + " " + y + "h3V16h-3z")
	}
	for _, class := range classes {
		b.Void("path", A("class", class), A("d", paths[class].String()))
	}
	b.End("svg")
}

// Num is a number as SVG has it.
func Num(f float64) string { return strconv.FormatFloat(f, 'f', -1, 32) }
