package customers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// linked is how many customers have a link on their mark: with more the page would be
// mostly marks, and the chips lead to the same.
const linked = 500

// marks draws one mark a customer, by shape and colour: a square needs work, a disc is to
// be looked at soon, a ring is unknown, a pale square is well. rows are the worst first.
func marks(rows []Row) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		step := 20.0
		switch {
		case len(rows) > linked:
			step = 11
		case len(rows) <= 60:
			step = 36
		}
		spoken := fmt.Sprintf("%d customers, one mark each, the worst first", len(rows))
		b.Class("figure", "plot")
		drawMarks(b, "wid", rows, 700, step, spoken, len(rows) <= linked)
		drawMarks(b, "nar", rows, 318, step, spoken, false)
		b.End("figure")
	})
}

func drawMarks(b *screen.Builder, class string, rows []Row, width, step float64, spoken string, links bool) {
	per := int((width + step/6) / step)
	high := float64((len(rows)+per-1)/per)*step - step/6
	b.Open("svg", screen.A("class", class), screen.A("viewBox", fmt.Sprintf("0 0 %g %s", width, short(high))), screen.A("role", "group"),
		screen.A("aria-label", spoken))
	if !links { // one path a state: lean, however many there are
		for _, s := range states {
			var d strokes
			for i := range rows {
				if rows[i].State == s {
					d.add(mark(s, float64(i%per)*step, float64(i/per)*step, step))
				}
			}
			d.build(b, markClass(s))
		}
		b.End("svg")
		return
	}
	for i := range rows {
		r := &rows[i]
		d := mark(r.State, float64(i%per)*step, float64(i/per)*step, step)
		b.Open("a", screen.A("href", oneOf(r.Tenant)))
		b.Elem("title", r.Name+": "+r.State.said().Word)
		b.Void("path", screen.A("class", markClass(r.State)), screen.A("d", d))
		b.End("a")
	}
	b.End("svg")
}

func markClass(s State) string {
	return map[State]string{Work: "f-not", Soon: "f-unk", Unsure: "outl", Well: "f-metsoft"}[s]
}

// mark is the path of one at a place.
func mark(s State, x, y, step float64) string {
	side := step * 5 / 6
	switch s {
	case Work, Well:
		return fmt.Sprintf("M%s %sh%sv%sh-%sz", short(x), short(y), short(side), short(side), short(side))
	default:
		r := side / 2
		return fmt.Sprintf("M%s %sa%s %s 0 1 0 %s 0a%s %s 0 1 0-%s 0", short(x), short(y+r), short(r), short(r), short(side), short(r), short(r), short(side))
	}
}

// strokes gathers pieces of a path, in as many paths as it takes: an attribute of a page
// is bounded.
type strokes struct {
	done []string
	now  strings.Builder
}

// maxPath is well below what an attribute may have.
const maxPath = 1800

func (p *strokes) add(piece string) {
	if p.now.Len()+len(piece) > maxPath {
		p.done = append(p.done, p.now.String())
		p.now.Reset()
	}
	p.now.WriteString(piece)
}

func (p *strokes) build(b *screen.Builder, class string) {
	for _, d := range append(p.done, p.now.String()) {
		if d != "" {
			b.Void("path", screen.A("class", class), screen.A("d", d))
		}
	}
}

// short is a number with a tenth at most.
func short(f float64) string { return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0") }

// legend says the marks, and leads to what they count.
func legend(s sum) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		b.Open("ul", screen.A("class", "legend mt0"))
		for _, x := range []struct {
			s State
			n int
		}{{Work, s.Work}, {Soon, s.Soon}, {Unsure, s.Unknown}, {Well, s.Well}} {
			b.Open("li")
			d := mark(x.s, 1, 1, 10.8)
			b.Open("svg", screen.A("viewBox", "0 0 11 11"), screen.A("aria-hidden", "true"))
			b.Void("path", screen.A("class", markClass(x.s)), screen.A("d", d))
			b.End("svg")
			b.Open("a", screen.A("class", "pl"), screen.A("href", "/customers?state="+string(x.s)))
			b.Text(x.s.said().Word + " ")
			b.Elem("b", print.Number(int64(x.n)))
			b.End("a")
			b.End("li")
		}
		b.End("ul")
	})
}

// day is what ends on one.
type day struct {
	n    int
	dies bool // some of it does not extend itself
}

// calendar draws the ends of active relationships of the next 53 weeks, a square a day and
// deeper with how many end; narrow it is a bar a month. Its numbers are behind it.
func calendar(rows []Row, now time.Time) screen.Block {
	first := now.UTC().Truncate(24 * time.Hour)
	first = first.AddDate(0, 0, -(int(first.Weekday())+6)%7) // a Monday
	days := map[int]day{}
	months := map[string]day{}
	later, unread := 0, 0
	for i := range rows {
		for k := range rows[i].GDAP {
			g := &rows[i].GDAP[k]
			if !g.Active || !g.End.IsZero() && g.End.Before(now) {
				continue
			}
			if g.End.IsZero() {
				unread++
				continue
			}
			m := g.End.UTC().Format("2006-01")
			x := months[m]
			months[m] = day{x.n + 1, x.dies || g.Extends != Yes}
			n := int(g.End.Sub(first) / (24 * time.Hour))
			if n >= weeks*7 {
				later++
				continue
			}
			x = days[n]
			days[n] = day{x.n + 1, x.dies || g.Extends != Yes}
		}
	}
	return screen.Func(func(b *screen.Builder) {
		if len(months) == 0 {
			b.Elem("p", "No active relationship has an end that was read.", screen.A("class", "note"))
			return
		}
		names := sorted(months)
		b.Class("figure", "plot")
		drawDays(b, days, first, now)
		drawMonths(b, months, names)
		b.End("figure")
		numbers(b, months, names, later, unread)
	})
}

const weeks = 53

func sorted(m map[string]day) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func drawDays(b *screen.Builder, days map[int]day, first, now time.Time) {
	const step, left, top = 18.0, 36.0, 18.0
	b.Open("svg", screen.A("class", "wid"), screen.A("viewBox", fmt.Sprintf("0 0 %g %g", left+weeks*step, top+7*step)), screen.A("role", "img"),
		screen.A("aria-label", "Ends of GDAP relationships by day, for a year; the numbers are below"))
	for i, name := range []string{"Mon", "", "Wed", "", "Fri"} {
		if name != "" {
			b.Elem("text", name, screen.A("x", "0"), screen.A("y", short(top+float64(i)*step+11)))
		}
	}
	month := time.Month(0)
	levels := map[string]*strokes{}
	var dots strokes
	today := int(now.Sub(first) / (24 * time.Hour))
	for n := range weeks * 7 {
		x, y := left+float64(n/7)*step, top+float64(n%7)*step
		if at := first.AddDate(0, 0, n); n%7 == 0 && at.Month() != month {
			month = at.Month()
			b.Elem("text", at.Format("Jan"), screen.A("x", short(x)), screen.A("y", "11"))
		}
		if n < today {
			continue
		}
		d := days[n]
		level := "f-h0"
		switch {
		case d.n > 8:
			level = "f-h4"
		case d.n > 3:
			level = "f-h3"
		case d.n > 1:
			level = "f-h2"
		case d.n == 1:
			level = "f-h1"
		}
		if levels[level] == nil {
			levels[level] = &strokes{}
		}
		levels[level].add(fmt.Sprintf("M%s %sh14v14h-14z", short(x), short(y)))
		if d.dies {
			dots.add(fmt.Sprintf("M%s %sa2.8 2.8 0 1 0 5.6 0a2.8 2.8 0 1 0-5.6 0", short(x+9), short(y+3)))
		}
	}
	for _, level := range []string{"f-h0", "f-h1", "f-h2", "f-h3", "f-h4"} {
		if d := levels[level]; d != nil {
			d.build(b, level)
		}
	}
	dots.build(b, "f-not ring2")
	b.End("svg")
}

// drawMonths is the narrow form: a bar a month.
func drawMonths(b *screen.Builder, months map[string]day, names []string) {
	names = names[:min(len(names), 13)]
	most := 1
	for _, m := range names {
		most = max(most, months[m].n)
	}
	const row = 22
	b.Open("svg", screen.A("class", "nar"), screen.A("viewBox", fmt.Sprintf("0 0 318 %d", row*len(names))), screen.A("role", "img"),
		screen.A("aria-label", "Ends of GDAP relationships by month; the numbers are below"))
	for i, m := range names {
		y := i * row
		at, _ := time.Parse("2006-01", m)
		b.Elem("text", at.Format("Jan 2006"), screen.A("x", "0"), screen.A("y", strconv.Itoa(y+12)))
		w := max(2, 100*float64(months[m].n)/float64(most))
		b.Void("rect", screen.A("class", "f-h3"), screen.A("x", "64"), screen.A("y", strconv.Itoa(y+2)), screen.A("width", short(w)), screen.A("height", "12"))
		words := print.Number(int64(months[m].n))
		class := "em"
		if months[m].dies {
			words, class = words+", some do not extend", "t-not"
		}
		b.Elem("text", words, screen.A("class", class), screen.A("x", short(70+w)), screen.A("y", strconv.Itoa(y+12)))
	}
	b.End("svg")
}

// numbers are those behind the chart.
func numbers(b *screen.Builder, months map[string]day, names []string, later, unread int) {
	b.Open("details", screen.A("class", "nums"))
	b.Elem("summary", "The numbers behind this chart")
	b.Open("div")
	t := screen.Table{Label: "Ends by month", Tight: true, Heads: []screen.Head{{Text: "Month"}, {Text: "Relationships", Right: true},
		{Text: "Some do not extend themselves"}}}
	for _, m := range names {
		word := screen.Cell{Text: "all extend", Quiet: true}
		if months[m].dies {
			word = screen.Words("some do not")
		}
		t.Rows = append(t.Rows, []screen.Cell{{Text: m, Path: "/customers?month=" + m}, screen.Count(int64(months[m].n), ""), word})
	}
	t.Build(b)
	b.End("div")
	b.End("details")
	if later > 0 {
		b.Elem("p", print.Plural(int64(later), "relationships")+" end later than a year from now.", screen.A("class", "note"))
	}
	if unread > 0 {
		b.Elem("p", "When "+print.Plural(int64(unread), "relationships")+" end was not read.", screen.A("class", "note"))
	}
}
