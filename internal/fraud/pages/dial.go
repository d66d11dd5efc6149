//go:build !judge

package pages

import (
	"fmt"
	"math"
	"time"

	"partnerguard/internal/fraud"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// maxCards bounds the alerts that have a card of their own; the list has all.
const maxCards = 6

// cards show what waits, the most pressing first, each with its clock.
func cards(rows []line, a *screen.Ask) screen.Block {
	var list []line
	for i := range rows {
		if rows[i].Standing == waiting && a.Viewer.Sees(rows[i].Tenant) {
			list = append(list, rows[i])
		}
	}
	slicesSort(list)
	list = list[:min(len(list), maxCards)]
	return screen.Func(func(b *screen.Builder) {
		if len(list) == 0 {
			return
		}
		b.Class("div", "grid")
		for i := range list {
			card(b, &list[i])
		}
		b.End("div")
	})
}

func card(b *screen.Builder, l *line) {
	b.Class("article", "card alert")
	b.Class("div", "al")
	dial(b, l)
	b.Open("div")
	b.Open("h2")
	b.Elem("a", l.Customer, screen.A("class", "pl"), screen.A("href", CasePath(l.ID)))
	b.End("h2")
	b.Elem("p", l.What, screen.A("class", "sm q mt0"))
	b.Class("p", "row mt0")
	b.Said(*severitySaid(l.Severity), false)
	if l.Assignee == "" {
		b.Said(pageSaid(print.Cautious, "nobody has it"), false)
	} else {
		b.Elem("span", l.Assignee, screen.A("class", "tag"))
	}
	b.End("p")
	b.Class("p", "meta mt0")
	if l.Detected.IsZero() {
		b.Text("when it was detected is not said")
	} else {
		b.Text("detected ")
		b.Time(l.Detected, false)
	}
	b.End("p")
	b.End("div")
	b.End("div")
	b.Open("footer")
	b.Text(goal(l))
	b.Class("span", "push row")
	if l.Assignee == "" {
		screen.Do{Path: "/fraud/take", Right: screen.DoAlerts, Text: "Take it", Fields: values("alert", l.ID), Primary: true}.Build(b)
	}
	b.Elem("a", "Open", screen.A("class", "btn"), screen.A("href", CasePath(l.ID)))
	b.End("span")
	b.End("footer")
	b.End("article")
}

// goal says how the hour of the guidance stands.
func goal(l *line) string {
	switch {
	case l.Goal.IsZero():
		return "The hour of the guidance is not known."
	case l.Assignee != "":
		return "Somebody is at it."
	case l.now.Before(l.Goal):
		return "React within 1 h: " + spell(l.Goal.Sub(l.now)) + " left."
	}
	return "The hour of the guidance is over."
}

// dial is the clock of an alert: how much of the 24 hours is gone, with a mark at the first.
func dial(b *screen.Builder, l *line) {
	const c, r = 46.0, 38.0
	words, tone := l.left()
	share, stopped := 1.0, words == ""
	if stopped {
		words, share = "no clock runs", 0
	} else if !l.Due.IsZero() {
		share = max(0, min(1, float64(l.now.Sub(l.Due.Add(-fraud.Duty)))/float64(fraud.Duty)))
	}
	class := map[string]string{print.Bad.Class: "l-not", print.Cautious.Class: "l-unk", print.Doubt.Class: "l-unk"}[tone.Class]
	if class == "" {
		class = "l-3"
	}
	b.Open("svg", screen.A("class", "dial"), screen.A("viewBox", "0 0 92 92"), screen.A("role", "img"), screen.A("aria-label", words))
	b.Void("circle", screen.A("class", "dring"), screen.A("cx", "46"), screen.A("cy", "46"), screen.A("r", "38"))
	switch {
	case share >= 1:
		b.Void("circle", screen.A("class", "darc "+class), screen.A("cx", "46"), screen.A("cy", "46"), screen.A("r", "38"))
	case share > 0:
		x, y := around(c, r, share)
		large := "0"
		if share > 0.5 {
			large = "1"
		}
		b.Void("path", screen.A("class", "darc "+class), screen.A("d", fmt.Sprintf("M46 8A38 38 0 %s 1 %s %s", large, screen.Num(x), screen.Num(y))))
	}
	x1, y1 := around(c, 33, 1.0/24)
	x2, y2 := around(c, 43, 1.0/24)
	b.Void("path", screen.A("class", "d1h"), screen.A("d", "M"+screen.Num(x1)+" "+screen.Num(y1)+"L"+screen.Num(x2)+" "+screen.Num(y2)))
	big, small := dialWords(l)
	if stopped {
		big, small = "–", "no clock runs"
	}
	b.Elem("text", big, screen.A("class", "dbig"), screen.A("x", "46"), screen.A("y", "46"), screen.A("text-anchor", "middle"))
	b.Elem("text", small, screen.A("class", "lo"), screen.A("x", "46"), screen.A("y", "60"), screen.A("text-anchor", "middle"))
	b.End("svg")
}

// around is a point on a circle, a share of the way around from the top.
func around(c, r, share float64) (x, y float64) {
	a := 2*math.Pi*share - math.Pi/2
	return c + r*math.Cos(a), c + r*math.Sin(a)
}

func dialWords(l *line) (big, small string) {
	if l.Due.IsZero() {
		return "?", "not said"
	}
	d := l.Due.Sub(l.now)
	if d < 0 {
		return "over", "by " + short(-d)
	}
	return fmt.Sprintf("%d h", int(d.Hours())), fmt.Sprintf("%d min left", int(d.Minutes())%60)
}

func short(d time.Duration) string {
	if d > 99*time.Hour {
		return print.Plural(int64(d/(24*time.Hour)), "days")
	}
	return fmt.Sprintf("%d h %02d", int(d.Hours()), int(d.Minutes())%60)
}
