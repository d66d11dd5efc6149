package posture

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// line is one series of the trend: a step a day, with holes where nothing is known.
type line struct {
	class     string
	head, sub string    // at its end
	filter    [2]string // of the people page: who is counted
	of        func(*AccountDay) int
}

var trendLines = []line{
	{"not", "open", "at some sign-in", [2]string{"proof", "open"}, func(d *AccountDay) int { return d.Open }},
	{"4", "open", "ordinarily", [2]string{"ordinary", "open"}, func(d *AccountDay) int { return d.Ordinary }},
	{"1", "seen", "in the log", [2]string{"log", "unasked"}, func(d *AccountDay) int { return d.Seen }},
}

// trendCard is the accounts that can sign in without MFA, by proof and as seen, with
// the days on which policies changed.
func trendCard(back *Lookback, tenant string) screen.Block {
	days := back.Days
	for len(days) > 14 && !days[0].Judged { // a new installation begins with what it has
		days = days[1:]
	}
	return screen.Card{Head: "Accounts that can sign in without MFA",
		Note: "What the settings allow is proof; what the log of the 30 days before has seen can only be less.",
		Body: []screen.Block{screen.Func(func(b *screen.Builder) {
			judged := 0
			for i := range days {
				if days[i].Judged {
					judged++
				}
			}
			if judged == 0 {
				b.Elem("p", "Nothing was judged in this time.", screen.A("class", "note"))
				return
			}
			if judged == 1 { // there is no line through one point
				firstDay(b, tenant, days[slices.IndexFunc(days, func(d AccountDay) bool { return d.Judged })])
				return
			}
			b.Class("figure", "plot")
			drawTrend(b, days, back.Marks, 744, 290, "wid")
			drawTrend(b, days, back.Marks, 330, 230, "nar")
			trendNumbers(b, days)
			b.End("figure")
		})}}
}

// firstDay is what is known before there is a line to draw.
func firstDay(b *screen.Builder, tenant string, d AccountDay) {
	var tiles screen.Tiles
	for _, l := range trendLines {
		tiles = append(tiles, screen.Tile{Head: print.Sentence(l.head + " " + l.sub), N: print.Number(int64(l.of(&d))),
			Path: screen.With("/people", l.filter[0], l.filter[1], "tenant", tenant)})
	}
	tiles.Build(b)
	b.Elem("p", "One day was judged in this time. The line begins with the second.", screen.A("class", "note mt"))
}

// trend is one drawing, in CSS pixels.
type trend struct {
	b                        *screen.Builder
	days                     []AccountDay
	left, right, top, bottom float64
	high                     float64
}

func (t *trend) x(i int) float64 {
	return t.left + (t.right-t.left)*float64(i)/float64(max(len(t.days)-1, 1))
}

func (t *trend) y(n int) float64 { return t.bottom - (t.bottom-t.top)*float64(n)/t.high }

func drawTrend(b *screen.Builder, days []AccountDay, marks []PolicyMark, w, h float64, class string) {
	most := int64(1)
	for i := range days {
		for _, l := range trendLines {
			most = max(most, int64(l.of(&days[i])))
		}
	}
	step, steps := page.Nice(most)
	end := 118.0
	if class == "nar" {
		end = 78
	}
	t := &trend{b, days, 30, w - end, 16, h - 24, step * float64(steps)}
	b.Open("svg", screen.A("class", class), screen.A("viewBox", "0 0 "+screen.Num(w)+" "+screen.Num(h)), screen.A("role", "img"),
		screen.A("aria-label", trendSpoken(days)))
	for i := range steps + 1 {
		v := step * float64(i)
		y := t.bottom - (t.bottom-t.top)*v/t.high
		kind := "gl"
		if i == 0 {
			kind = "ax"
		}
		b.Void("line", screen.A("class", kind), num("x1", t.left), num("y1", y), num("x2", t.right), num("y2", y))
		text(b, t.left-6, y+4, "end", "lo", page.Compact(v))
	}
	t.voids()
	t.ticks(class == "nar")
	t.marks(marks, class == "nar")
	at, lines := -100.0, trendLines
	if last := &days[len(days)-1]; last.Judged && last.Open == last.Ordinary { // one line lies on the other
		lines = append([]line{{"not", "open", "at ordinary ones too", trendLines[0].filter, trendLines[0].of}}, trendLines[2:]...)
	}
	for n, l := range lines {
		at = t.series(l, n == 0, at)
	}
	b.End("svg")
}

func num(name screen.Lit, v float64) screen.Attr { return screen.A(name, fmt.Sprintf("%.1f", v)) }

func text(b *screen.Builder, x, y float64, anchor, class, s string) {
	b.Elem("text", s, num("x", x), num("y", y), screen.A("text-anchor", anchor), screen.If(class != "", screen.A("class", class)))
}

// voids hatch the days on which nothing was judged: a gap is never a zero.
func (t *trend) voids() {
	for i := 0; i < len(t.days); i++ {
		if t.days[i].Judged {
			continue
		}
		from := i
		for i+1 < len(t.days) && !t.days[i+1].Judged {
			i++
		}
		x := t.x(max(from-1, 0))
		w := max(t.x(min(i+1, len(t.days)-1))-x, 2)
		at := []screen.Attr{num("x", x), num("y", t.top), num("width", w), num("height", t.bottom-t.top)}
		t.b.Open("rect", append(at, screen.A("class", "f-void"))...)
		t.b.Elem("title", "not judged from "+t.days[from].Day+" to "+t.days[i].Day)
		t.b.End("rect")
		t.b.Void("rect", append(at, screen.A("fill", "url(#p-void)"))...)
	}
}

func (t *trend) ticks(narrow bool) {
	n := 6
	if narrow {
		n = 3
	}
	every := max(1, (len(t.days)+n-1)/n)
	for i := 0; i < len(t.days); i += every {
		if t.right-t.x(i) < 64 && i > 0 {
			break
		}
		anchor := "middle"
		if i == 0 {
			anchor = "start"
		}
		d, err := time.Parse(time.DateOnly, t.days[i].Day)
		if err == nil {
			text(t.b, t.x(i), t.bottom+16, anchor, "lo", d.Format("2 Jan"))
		}
	}
	text(t.b, t.right, t.bottom+16, "end", "lo", "today")
}

// marks are the days on which policies changed; labels that would lie on each other
// stand lower.
func (t *trend) marks(list []PolicyMark, narrow bool) {
	at := map[string]int{}
	for i := range t.days {
		at[t.days[i].Day] = i
	}
	byDay, order := map[string][]string{}, []string{}
	for _, m := range list {
		if _, shown := at[m.Day]; shown {
			if byDay[m.Day] == nil {
				order = append(order, m.Day)
			}
			byDay[m.Day] = append(byDay[m.Day], m.Text)
		}
	}
	const lower = 14.0
	y := t.top + lower
	for _, d := range order {
		x := t.x(at[d])
		t.b.Open("g")
		t.b.Elem("title", d+": "+strings.Join(byDay[d], "; "))
		t.b.Void("line", screen.A("class", "mk"), num("x1", x), num("y1", t.top), num("x2", x), num("y2", t.bottom))
		t.b.End("g")
		if narrow {
			continue
		}
		said := byDay[d][0]
		if more := len(byDay[d]) - 1; more > 0 {
			said += fmt.Sprintf(" and %d more", more)
		}
		anchor, tx := "start", x+4
		if x+page.TextWidth(said) > t.right {
			anchor, tx = "end", x-4
		}
		text(t.b, tx, y, anchor, "lo", said)
		if y += lower; y > t.top+4*lower {
			y = t.top + lower
		}
	}
}

// series draws one line, and says at its end what it is. above is where the label before
// it stands; the answer is where this one does.
func (t *trend) series(l line, area bool, above float64) float64 {
	var path strings.Builder
	begin, last, value := -1, -1, 0
	for i := range t.days {
		d := &t.days[i]
		n := l.of(d)
		if !d.Judged || n < 0 {
			t.area(&path, begin, i-1, l.class, area)
			begin = -1
			continue
		}
		x, y := t.x(i), t.y(n)
		if begin < 0 {
			begin = i
			path.Reset()
			fmt.Fprintf(&path, "M%.1f %.1f", x, y)
		} else {
			fmt.Fprintf(&path, "H%.1fV%.1f", x, y)
		}
		last, value = i, n
	}
	t.area(&path, begin, len(t.days)-1, l.class, area)
	if last < 0 {
		return above
	}
	x, y := t.x(last), t.y(value)
	t.b.Void("circle", screen.A("class", "f-"+l.class), num("cx", x), num("cy", y), screen.A("r", "2.6"))
	at := max(y, above+30)
	text(t.b, t.right+7, at, "start", "em", print.Number(int64(value))+" "+l.head)
	text(t.b, t.right+7, at+12, "start", "lo", l.sub)
	return at
}

// area closes a run of days: the line, and below the first series what it stands on.
func (t *trend) area(path *strings.Builder, begin, end int, class string, fill bool) {
	if begin < 0 {
		return
	}
	d := path.String()
	if begin == end {
		d += "h1"
	}
	if fill {
		t.b.Void("path", screen.A("class", "ar f-"+class), screen.A("d", fmt.Sprintf("%sV%.1fH%.1fZ", d, t.bottom, t.x(begin))))
	}
	t.b.Void("path", screen.A("class", "ln l-"+class), screen.A("d", d))
}

// trendSpoken is the chart in a sentence.
func trendSpoken(days []AccountDay) string {
	first, last := -1, -1
	for i := range days {
		if days[i].Judged {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return "nothing was judged"
	}
	a, b := &days[first], &days[last]
	s := fmt.Sprintf("Accounts that can sign in without MFA. At an ordinary sign-in: %d on %s, %d on %s. Seen in the log: %d, then %d", a.Ordinary, a.Day,
		b.Ordinary, b.Day, a.Seen, b.Seen)
	if b.Open >= 0 {
		s += fmt.Sprintf(". At some sign-in: %d on %s", b.Open, b.Day)
	}
	return s + "."
}

// trendNumbers are the numbers behind the chart, every few days.
func trendNumbers(b *screen.Builder, days []AccountDay) {
	b.Class("details", "nums")
	b.Elem("summary", "The numbers behind this chart")
	b.Open("div", screen.A("class", "scroll"), screen.A("tabindex", "0"), screen.A("role", "region"), screen.A("aria-label", "The numbers as a table"))
	b.Class("table", "t tight")
	b.Open("thead")
	b.Open("tr")
	b.Elem("th", "Day", screen.A("scope", "col"))
	for _, h := range []string{"Open at some sign-in", "Open at an ordinary one", "Not known", "Seen in the log", "Accounts"} {
		b.Elem("th", h, screen.A("scope", "col"), screen.A("class", "r"))
	}
	b.End("tr")
	b.End("thead")
	b.Open("tbody")
	for i := len(days) - 1; i >= 0; i -= 7 {
		d := &days[i]
		b.Open("tr")
		b.Elem("th", d.Day, screen.A("scope", "row"))
		for _, n := range []int{d.Open, d.Ordinary, d.Unproved, d.Seen, d.Accounts} {
			cell := "not judged"
			switch {
			case d.Judged && n < 0:
				cell = "not kept"
			case d.Judged:
				cell = print.Number(int64(n))
			}
			b.Elem("td", cell, screen.A("class", "r"))
		}
		b.End("tr")
	}
	b.End("tbody")
	b.End("table")
	b.End("div")
	b.End("details")
}
