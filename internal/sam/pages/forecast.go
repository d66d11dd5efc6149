//go:build !judge

package pages

import (
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/screen"
)

// maxLines is how many connections the picture has; the list has all.
const maxLines = 30

// span is the stretch of time that the picture shows.
type span struct {
	from, to    time.Time
	left, width float64
}

func (s span) x(t time.Time) float64 {
	f := float64(t.Sub(s.from)) / float64(s.to.Sub(s.from))
	return s.left + max(0, min(1, f))*(s.width-s.left)
}

// forecast draws a line a connection: solid as far as all is known, dashed where it could
// end sooner, a cross where it dies, and beside it the setting that kills it.
func forecast(rows []row, now time.Time) screen.Block {
	rows = rows[:min(len(rows), maxLines)]
	to := now.AddDate(0, 0, 45)
	for i := range rows {
		if e := rows[i].Ends; e.After(to) {
			to = e
		}
	}
	if most := now.AddDate(0, 0, 200); to.After(most) {
		to = most
	}
	to = to.Add(to.Sub(now) / 4)
	from := now.AddDate(0, 0, -14)
	return screen.Func(func(b *screen.Builder) {
		var spoken []string
		for i := range rows {
			spoken = append(spoken, rows[i].Name+" "+string(rows[i].Health)+", "+endWords(&rows[i]))
		}
		says := "Forecast of the end of each connection: " + strings.Join(spoken, "; ")
		b.Class("figure", "plot")
		drawWide(b, rows, span{from, to, 170, 1126}, now, says)
		drawNarrow(b, rows, span{from, to, 0, 318}, now, says)
		b.End("figure")
		key(b)
	})
}

// endWords are the end and what brings it about.
func endWords(r *row) string {
	switch {
	case r.Health == renew.Dead && !r.Ends.IsZero():
		return "died " + r.Ends.UTC().Format("2 Jan") + ", " + print.Clean(r.Because, 100)
	case r.Health == renew.Dead, r.Health == renew.Stopped:
		return print.Clean(r.Because, 100)
	case r.Ends.IsZero():
		return "nothing known ends it"
	}
	return r.Ends.UTC().Format("2 Jan 2006") + ", " + print.Clean(r.Because, 100)
}

func axis(b *screen.Builder, s span, now time.Time, high float64) {
	at := func(t time.Time, word, class, line, anchor string) {
		x := screen.Num(s.x(t))
		b.Void("line", screen.A("class", line), screen.A("x1", x), screen.A("y1", "24"), screen.A("x2", x), screen.A("y2", screen.Num(high)))
		b.Elem("text", word, screen.A("class", class), screen.A("x", x), screen.A("y", "16"), screen.A("text-anchor", anchor))
	}
	n := 6
	if s.left == 0 {
		n = 3
	}
	step := s.to.Sub(now) / time.Duration(n)
	for i := 1; i <= n; i++ {
		t, anchor := now.Add(step*time.Duration(i)), "middle"
		if i == n {
			anchor = "end"
		}
		at(t, screen.Moment(t.UTC().Truncate(24*time.Hour), now)[:dayLen(t, now)], "lo", "gl", anchor)
	}
	at(now, "today", "em", "now", "middle")
}

// dayLen is how much of a moment's words is the day.
func dayLen(t, now time.Time) int {
	words := screen.Moment(t.UTC().Truncate(24*time.Hour), now)
	if i := strings.IndexByte(words, ','); i >= 0 {
		return i
	}
	return len(words)
}

func drawWide(b *screen.Builder, rows []row, s span, now time.Time, says string) {
	const per = 40.0
	high := 34 + per*float64(len(rows))
	b.Open("svg", screen.A("class", "wid"), screen.A("viewBox", fmt.Sprintf("0 0 %g %g", s.width, high)), screen.A("role", "img"), screen.A("aria-label", says))
	axis(b, s, now, high)
	for i := range rows {
		r := &rows[i]
		y := 44 + per*float64(i)
		b.Elem("text", print.Clean(r.Name, 26), screen.A("class", "em"), screen.A("x", "0"), screen.A("y", screen.Num(y+4)))
		b.Elem("text", print.Clean(r.App, 28), screen.A("class", "lo"), screen.A("x", "0"), screen.A("y", screen.Num(y+18)))
		x := line(b, r, s, y, now)
		words := endWords(r)
		at, anchor, wy := x+12, "start", y+10
		if x > s.left+0.55*(s.width-s.left) { // no room to the right of it: above
			at, anchor, wy = s.width, "end", y-4
		}
		b.Elem("text", words, screen.A("class", textClass(r.Health)), screen.A("x", screen.Num(at)), screen.A("y", screen.Num(wy)), screen.A("text-anchor",
			anchor))
	}
	b.End("svg")
}

func drawNarrow(b *screen.Builder, rows []row, s span, now time.Time, says string) {
	const per = 58.0
	high := 34 + per*float64(len(rows))
	b.Open("svg", screen.A("class", "nar"), screen.A("viewBox", fmt.Sprintf("0 0 %g %g", s.width, high)), screen.A("role", "img"), screen.A("aria-label", says))
	axis(b, s, now, high)
	for i := range rows {
		r := &rows[i]
		y := 52 + per*float64(i)
		b.Elem("text", print.Clean(r.Name, 40), screen.A("class", "em"), screen.A("x", "0"), screen.A("y", screen.Num(y-6)))
		line(b, r, s, y, now)
		b.Elem("text", print.Clean(endWords(r), 58), screen.A("class", textClass(r.Health)), screen.A("x", "0"), screen.A("y", screen.Num(y+26)))
	}
	b.End("svg")
}

func textClass(h renew.Health) string {
	switch h {
	case renew.Dead, renew.Dying, renew.Stopped:
		return "t-not"
	case renew.Unsure:
		return "t-unk"
	}
	return "lo"
}

// line is one connection's, and where its end is drawn.
func line(b *screen.Builder, r *row, s span, y float64, now time.Time) float64 {
	begun := r.Renewed
	if begun.IsZero() {
		begun = r.Consented
	}
	bar := func(class string, from, to time.Time) {
		if a, z := s.x(from), s.x(to); z > a {
			b.Void("rect", screen.A("class", class), screen.A("x", screen.Num(a)), screen.A("y", screen.Num(y)), screen.A("width", screen.Num(z-a)),
				screen.A("height", "12"),
				screen.A("rx", "3"))
		}
	}
	end := r.Ends
	if end.IsZero() {
		end = s.to
	}
	switch r.Health {
	case renew.Dead, renew.Stopped:
		if r.Ends.IsZero() {
			end = now
		}
		bar("f-nabg", begun, end)
		bar("f-notbg", end, now)
	case renew.Dying:
		bar("f-not", begun, end)
	case renew.Unsure:
		bar("f-unk", begun, now)
		bar("outl", now, end)
	default:
		bar("f-met soft", begun, end)
	}
	if c := r.Credential; !c.IsZero() && c.After(s.from) && c.Before(s.to) && !c.Equal(r.Ends) {
		b.Void("path", screen.A("class", "tick"), screen.A("d", fmt.Sprintf("M%s %sv14", screen.Num(s.x(c)), screen.Num(y-1))))
	}
	if d := r.Due; d.After(now) && d.Before(end) && r.Health != renew.Dead && r.Health != renew.Stopped {
		b.Void("circle", screen.A("class", "f-surf l-met thin"), screen.A("cx", screen.Num(s.x(d))), screen.A("cy", screen.Num(y+6)), screen.A("r", "3.2"))
	}
	x := s.x(end)
	if r.Ends.IsZero() && r.Health != renew.Dead && r.Health != renew.Stopped {
		return x
	}
	stroke := map[renew.Health]string{renew.Healthy: "l-na", renew.Unsure: "l-unk"}[r.Health]
	if stroke == "" {
		stroke = "l-not"
	}
	b.Void("circle", screen.A("class", "f-surf ring"), screen.A("cx", screen.Num(x)), screen.A("cy", screen.Num(y+6)), screen.A("r", "7"))
	b.Void("path", screen.A("class", "ln "+stroke), screen.A("d", fmt.Sprintf("M%s %sl7.2 7.2m0-7.2l-7.2 7.2", screen.Num(x-3.6), screen.Num(y+2.4))))
	return x
}

// key says the signs.
func key(b *screen.Builder) {
	sign := func(word string, draw func()) {
		b.Open("li")
		b.Open("svg", screen.A("viewBox", "0 0 11 11"), screen.A("aria-hidden", "true"))
		draw()
		b.End("svg")
		b.Text(word)
		b.End("li")
	}
	b.Open("ul", screen.A("class", "legend mt0"))
	sign("dies", func() { b.Void("path", screen.A("class", "ln l-not"), screen.A("d", "M2 2l7 7M9 2l-7 7")) })
	sign("renewal planned", func() {
		b.Void("circle", screen.A("class", "f-surf l-met thin"), screen.A("cx", "5.5"), screen.A("cy", "5.5"), screen.A("r", "3.2"))
	})
	sign("could end sooner", func() {
		b.Void("rect", screen.A("class", "outl"), screen.A("x", ".7"), screen.A("y", "2.5"), screen.A("width", "9.6"), screen.A("height", "6"), screen.A("rx",
			"2"))
	})
	sign("the app's credential ends", func() { b.Void("path", screen.A("class", "tick"), screen.A("d", "M5.5 1v9")) })
	b.End("ul")
}
