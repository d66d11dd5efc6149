package signins

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// bin is one bar: an hour, or a day of hours.
type bin struct {
	from, to time.Time
	Count
	void  bool // some of it was never read
	known bool // the log goes so far
}

// span is what the chart goes over.
type span struct {
	name, word string
	back       time.Duration
	step       time.Duration
}

var spans = []span{
	{"24h", "24 h", 24 * time.Hour, time.Hour}, {"7d", "7 d", 7 * 24 * time.Hour, time.Hour}, {"30d", "30 d", 30 * 24 * time.Hour, 24 * time.Hour},
}

func spanNamed(name string) span {
	for _, s := range spans {
		if s.name == name {
			return s
		}
	}
	return spans[1]
}

// bins are the bars of a span, the last of them at the judgement.
func (p *Part) bins(s span) []bin {
	end := p.To.Truncate(s.step).Add(s.step)
	out := make([]bin, int(s.back/s.step))
	from := end.Add(-s.back)
	for i := range out {
		b := &out[i]
		b.from = from.Add(time.Duration(i) * s.step)
		b.to = b.from.Add(s.step)
		b.known = p.Unread == "" && b.to.After(p.From) && !b.from.After(p.To)
		b.void = !b.known || slices.ContainsFunc(p.Gaps, func(g Span) bool { return g.From.Before(b.to) && g.To.After(b.from) })
	}
	for i := range p.Hours {
		if n := int(p.Hours[i].At.Sub(from) / s.step); !p.Hours[i].At.Before(from) && n < len(out) {
			out[n].add(&p.Hours[i].Count)
		}
	}
	return out
}

// plot is a drawing of bars in two panels: all of it above, what had no MFA below, by its
// own scale.
type plot struct {
	p      *Part
	bins   []bin
	step   time.Duration
	w      float64
	chosen time.Time
	link   func(bin) string
	class  string
}

const (
	left, top          = 38.0, 18.0
	highUpper, highLow = 150.0, 70.0
	between            = 26.0
)

// scale is a round number at least n, whose half is whole too.
func scale(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, k := range []int64{2, 4, 6, 8, 10} {
			if k*unit >= n {
				return k * unit
			}
		}
	}
}

// Build draws it.
func (d plot) Build(b *screen.Builder) {
	most, mostLow := int64(0), int64(0)
	for i := range d.bins {
		most, mostLow = max(most, d.bins[i].Well()), max(mostLow, d.bins[i].Without())
	}
	most, mostLow = scale(most), scale(mostLow)
	base, low := top+highUpper, top+highUpper+between+highLow
	b.Open("svg", screen.A("class", d.class), screen.A("viewBox", "0 0 "+screen.Num(d.w)+" "+screen.Num(low+22)), screen.A("role", "group"),
		screen.A("aria-label", d.spoken()))
	axis := func(y float64, n int64, class string) {
		b.Void("line", screen.A("class", class), screen.A("x1", screen.Num(left)), screen.A("y1", screen.Num(y)), screen.A("x2", screen.Num(d.w-2)),
			screen.A("y2", screen.Num(y)))
		b.Elem("text", print.Number(n), screen.A("class", "lo"), screen.A("x", screen.Num(left-6)), screen.A("y", screen.Num(y+4)),
			screen.A("text-anchor", "end"))
	}
	axis(base, 0, "ax")
	axis(base-highUpper/2, most/2, "gl")
	axis(top, most, "gl")
	axis(low, 0, "ax")
	axis(low-highLow, mostLow, "gl")
	b.Elem("text", "without MFA, own scale", screen.A("class", "t-not"), screen.A("x", screen.Num(left)), screen.A("y", screen.Num(base+16)))
	wide := (d.w - left - 2) / float64(len(d.bins))
	var series [5]strings.Builder // not read, asked, claim, open, legacy: one path each, however many bars
	for i := range d.bins {
		d.bar(&series, i, left+wide*float64(i), wide, base, low, most, mostLow)
	}
	for k, class := range []string{"f-void", "f-asked", "f-claim", "f-open", "f-legacy"} {
		if series[k].Len() == 0 {
			continue
		}
		b.Void("path", screen.A("class", class), screen.A("d", series[k].String()))
		if k == 0 {
			b.Void("path", screen.A("fill", "url(#p-void)"), screen.A("d", series[k].String()))
		}
		if k == 3 {
			b.Void("path", screen.A("fill", "url(#p-hatch)"), screen.A("d", series[k].String()))
		}
	}
	for i := range d.bins { // all of a column is what is pressed
		if n := &d.bins[i]; n.Rows() > 0 {
			// The Tab key would have a hundred hours to go through; the numbers below lead to each day.
			b.Open("a", screen.A("href", d.link(*n)), screen.If(len(d.bins) > tabbable, screen.A("tabindex", "-1")))
			b.Elem("title", d.words(n))
			b.Void("rect", screen.A("fill", "transparent"), screen.A("x", round(left+wide*float64(i))), screen.A("y", "18"), screen.A("width", round(wide)),
				screen.A("height", round(low-top)))
			b.End("a")
		}
	}
	d.voids(b, wide)
	d.days(b, wide, low)
	d.marks(b, wide, low)
	for i := range d.bins {
		if d.chosen.Equal(d.bins[i].from) {
			b.Void("rect", screen.A("fill", "none"), screen.A("stroke", "currentColor"), screen.A("stroke-width", "1.5"), screen.A("rx", "2"),
				screen.A("x", round(left+wide*float64(i)-1)), screen.A("y", round(low-highLow-4)), screen.A("width", round(wide+2)),
				screen.A("height", round(highLow+6)))
		}
	}
	b.End("svg")
}

// box adds a rectangle to a path.
func box(p *strings.Builder, x, y, w, h float64) {
	p.WriteString("M" + round(x) + " " + round(y) + "h" + round(w) + "v" + round(h) + "h" + round(-w) + "z")
}

func round(f float64) string { return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0") }

// bar adds one bar to the series.
func (d *plot) bar(series *[5]strings.Builder, i int, x, wide, base, low float64, most, mostLow int64) {
	n := &d.bins[i]
	if n.void {
		box(&series[0], x, top, wide, highUpper)
		box(&series[0], x, low-highLow, wide, highLow)
	}
	gap := min(1, wide*0.15)
	x, wide = x+gap/2, max(0.8, wide-gap)
	y := base
	for k, v := range []int64{n.Asked + n.Provider, n.Claim} {
		if v > 0 {
			h := highUpper * float64(v) / float64(most)
			y -= h
			box(&series[1+k], x, y, wide, h)
		}
	}
	y = low
	for k, v := range []int64{n.Open, n.Legacy} {
		if v > 0 {
			h := highLow * float64(v) / float64(mostLow)
			y -= h
			box(&series[3+k], x, y, wide, h)
		}
	}
}

func (d *plot) words(n *bin) string {
	when := n.from.Format("2 Jan, 15:04")
	if d.step >= 24*time.Hour {
		when = n.from.Format("Mon 2 Jan")
	}
	s := fmt.Sprintf("%s: %s with MFA, %s without", when, print.Number(n.Well()), print.Number(n.Without()))
	if n.Unknown > 0 {
		s += ", " + print.Number(n.Unknown) + " unsure"
	}
	if n.void {
		s += "; not all of it was read"
	}
	return s
}

// voids names what was not read, once a stretch.
func (d *plot) voids(b *screen.Builder, wide float64) {
	for i := range d.bins {
		if !d.bins[i].void || i > 0 && d.bins[i-1].void {
			continue
		}
		end := i
		for end < len(d.bins) && d.bins[end].void {
			end++
		}
		x := left + wide*float64(end) + 4
		if x > d.w-60 {
			x = left + wide*float64(i) + 4
		}
		b.Elem("text", "not read", screen.A("class", "lo"), screen.A("x", round(x)), screen.A("y", round(top+12)))
	}
}

// days writes the axis of time.
func (d *plot) days(b *screen.Builder, wide, low float64) {
	last := -100.0
	for i := range d.bins {
		at, form := d.bins[i].from, "Mon 2 Jan"
		switch {
		case d.step >= 24*time.Hour:
			form = "2 Jan"
		case len(d.bins) <= 24:
			if at.Hour()%6 != 0 {
				continue
			}
			form = "15:04"
		case at.Hour() != 0:
			continue
		}
		x := left + wide*float64(i)
		if x-last < 62 || x > d.w-48 {
			continue
		}
		last = x
		b.Void("line", screen.A("class", "gl"), screen.A("x1", round(x)), screen.A("y1", round(top)), screen.A("x2", round(x)), screen.A("y2", round(low)))
		b.Elem("text", at.Format(form), screen.A("class", "lo"), screen.A("x", round(x+3)), screen.A("y", round(low+15)))
	}
}

// marks are lines where policies were changed.
func (d *plot) marks(b *screen.Builder, wide, low float64) {
	if len(d.bins) == 0 {
		return
	}
	from, last := d.bins[0].from, -1000.0
	for _, m := range d.p.Marks {
		x := left + wide*float64(m.At.Sub(from))/float64(d.step)
		if x < left || x > d.w-2 {
			continue
		}
		b.Open("g")
		b.Elem("title", print.Clean(m.Text, 200)+", "+m.At.Format("2 Jan, 15:04"))
		b.Void("line", screen.A("class", "ln l-1"), screen.A("x1", round(x)), screen.A("y1", round(top-8)), screen.A("x2", round(x)), screen.A("y2",
			round(low)))
		if x-last > 190 && d.w > 500 {
			anchor := "start"
			at := x + 4
			if x > d.w-200 {
				anchor, at = "end", x-4
			}
			b.Elem("text", print.Clean(m.Text, 34), screen.A("class", "em"), screen.A("x", round(at)), screen.A("y", round(top-6)),
				screen.A("text-anchor", anchor))
			last = x
		}
		b.End("g")
	}
}

// spoken says the chart in words.
func (d *plot) spoken() string {
	var sum Count
	void := 0
	for i := range d.bins {
		sum.add(&d.bins[i].Count)
		if d.bins[i].void {
			void++
		}
	}
	s := fmt.Sprintf("Sign-ins: %s with MFA, %s without", print.Number(sum.Well()), print.Number(sum.Without()))
	if void > 0 {
		unit := "hours"
		if d.step >= 24*time.Hour {
			unit = "days"
		}
		s += fmt.Sprintf("; not all was read of %d %s", void, unit)
	}
	return s + "."
}

// chart is the card with the chart, drawn wide and narrow, and its numbers.
func (g *board) chart() screen.Block {
	s := spanNamed(g.a.Values.Get("span"))
	bins := g.bins(s)
	return screen.Func(func(b *screen.Builder) {
		b.Open("section", screen.A("class", "card"), screen.A("id", "chart"))
		b.Open("header")
		g.legend(b, bins)
		b.Open("nav", screen.A("class", "seg push"), screen.A("aria-label", "Period"))
		for _, o := range spans {
			b.Elem("a", o.word, screen.A("href", g.path("span", o.name, "hour", "", "day", "")), screen.If(o.name == s.name, screen.A("aria-current", "true")))
		}
		b.End("nav")
		b.End("header")
		b.Class("div", "pad")
		b.Class("figure", "plot full")
		plot{p: g.Part, bins: bins, step: s.step, w: 1126, chosen: g.from, link: g.binPath(s.step), class: "wid"}.Build(b)
		narrow := bins
		step := s.step
		if len(bins) > 40 {
			day := spanNamed("30d")
			narrow, step = g.bins(span{back: s.back, step: day.step}), day.step
		}
		plot{p: g.Part, bins: narrow, step: step, w: 358, chosen: g.from, link: g.binPath(step), class: "nar"}.Build(b)
		b.End("figure")
		g.numbers(b, bins, s)
		g.facets(b)
		b.End("div")
		b.End("section")
	})
}

// tabbable is how many bars the Tab key goes through.
const tabbable = 40

// binPath leads to the rows of a bar.
func (g *board) binPath(step time.Duration) func(bin) string {
	return func(n bin) string {
		if step >= 24*time.Hour {
			return g.path("day", n.from.Format(time.DateOnly), "hour", "") + "#rows"
		}
		return g.path("hour", n.from.Format(hourForm), "day", "") + "#rows"
	}
}

func (g *board) legend(b *screen.Builder, bins []bin) {
	var sum Count
	for i := range bins {
		sum.add(&bins[i].Count)
	}
	b.Class("ul", "legend")
	for _, l := range []struct {
		class, hatch, word string
		n                  int64
	}{{"f-asked", "", "MFA asked", sum.Asked + sum.Provider}, {"f-claim", "", "earlier claim", sum.Claim}, {"f-open", "url(#p-hatch)",
		"not challenged", sum.Open},
		{"f-legacy", "", "legacy protocol", sum.Legacy}, {"", "", "unsure", sum.Unknown}, {"", "", "failed or interrupted", sum.Failed + sum.Interrupted}} {
		if l.class == "" && l.n == 0 {
			continue
		}
		b.Open("li")
		if l.class != "" {
			b.Open("svg", screen.A("viewBox", "0 0 11 11"), screen.A("aria-hidden", "true"))
			b.Void("rect", screen.A("class", l.class), screen.A("width", "11"), screen.A("height", "11"))
			if l.hatch != "" {
				b.Void("rect", screen.A("fill", l.hatch), screen.A("width", "11"), screen.A("height", "11"))
			}
			b.End("svg")
		}
		b.Text(l.word + " ")
		b.Elem("b", print.Number(l.n))
		b.End("li")
	}
	b.End("ul")
}

// numbers are the numbers behind the chart.
func (g *board) numbers(b *screen.Builder, bins []bin, s span) {
	if s.step < 24*time.Hour && len(bins) > 24 {
		bins = g.bins(span{back: s.back, step: 24 * time.Hour})
	}
	b.Open("details")
	b.Elem("summary", "The numbers behind this chart")
	b.Open("div", screen.A("class", "xscroll"))
	b.Open("table", screen.A("class", "t tight"), screen.A("aria-label", "The numbers behind this chart"))
	b.Open("thead")
	b.Open("tr")
	for i, h := range []string{"From", "MFA asked", "Earlier claim", "External provider", "Not challenged", "Legacy", "Unsure", "Interrupted", "Failed"} {
		b.Elem("th", h, screen.A("scope", "col"), screen.If(i > 0, screen.A("class", "n")))
	}
	b.End("tr")
	b.End("thead")
	b.Open("tbody")
	for i := range bins {
		n := &bins[i]
		b.Open("tr")
		when := n.from.Format("2 Jan, 15:04")
		if n.to.Sub(n.from) >= 24*time.Hour {
			when = n.from.Format("Mon 2 Jan")
		}
		if n.void {
			when += cmp.Or(map[bool]string{true: ", in part"}[n.Rows() > 0], ", not read")
		}
		b.Open("th", screen.A("scope", "row"))
		if n.Rows() > 0 {
			b.Elem("a", when, screen.A("href", g.binPath(n.to.Sub(n.from))(*n)))
		} else {
			b.Text(when)
		}
		b.End("th")
		for _, v := range []int64{n.Asked, n.Claim, n.Provider, n.Open, n.Legacy, n.Unknown, n.Interrupted, n.Failed} {
			text := print.Number(v)
			if n.void && v == 0 {
				text = "?"
			}
			b.Elem("td", text, screen.A("class", "n"))
		}
		b.End("tr")
	}
	b.End("tbody")
	b.End("table")
	b.End("div")
	b.End("details")
}
