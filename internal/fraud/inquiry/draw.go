//go:build !judge

package inquiry

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/print"
)

// Picture is a timeline as a drawing: a lane for each source, the hours along. Its numbers are
// CSS pixels at full size; Classes are those of our pages' style sheet.
type Picture struct {
	W, H  float64
	Lanes []Lane
	Ticks []Tick
	Spots []Spot
	Lines []Line
	Says  string // what it shows, for who cannot see it
	Head  string // of the lanes: over which time
}

// Lane is a source.
type Lane struct {
	Name string
	X, Y float64 // of the name
	Base float64 // of the line
}

// Tick is a moment of the axis.
type Tick struct {
	X    float64
	Text string
	Day  bool
}

// Spot is one row, or several that would lie upon each other.
type Spot struct {
	X, Y, R float64
	Weight  Weight
	Row     string // of the first
	Title   string
}

// Line is a moment that goes through all lanes: the alert, an answer.
type Line struct {
	X    float64
	Text string
	Y    float64 // of the text
	End  bool    // the text lies left of the line
	Done bool    // it is ours, or the answer
}

// Class is the style of a spot.
func (s *Spot) Class() string {
	switch s.Weight {
	case Cause, Suspect:
		return "f-not ring"
	case Mark:
		return "f-3 ring"
	}
	return "f-na ring"
}

// laneNames are what lanes are called.
var laneNames = map[Source]string{Alerts: "Alert", Identity: "Identity", SignIns: "Sign-ins", Risk: "Risk", Rights: "Azure rights", Resources: "Resources",
	Costs: "Cost, a day late", Ours: "Our response"}

// Name is what a source is called.
func (s Source) Name() string { return cmp.Or(laneNames[s], string(s)) }

// Sizes of a drawing.
const (
	wide, narrow = 960.0, 330.0
	laneHigh     = 34.0
	headHigh     = 44.0
	near         = 9.0 // what is nearer is one spot
)

// Draw lays a timeline out, wide or for a phone. It is pure.
func (t *Timeline) Draw(phone bool) *Picture {
	p := &Picture{W: wide, Says: t.Spoken()}
	left := 118.0
	if phone {
		p.W, left = narrow, 8
	}
	from, to, ok := t.window()
	if !ok {
		return p
	}
	p.Head = print.When(from) + " to " + print.When(to)
	x := func(at time.Time) float64 {
		return left + 8 + (p.W-left-20)*float64(at.Sub(from))/float64(to.Sub(from))
	}
	y := headHigh
	for _, s := range Sources() {
		var rows []*Row
		for i := range t.Rows {
			if r := &t.Rows[i]; r.Source == s && !r.At.IsZero() && !r.At.Before(from) && !r.At.After(to) {
				rows = append(rows, r)
			}
		}
		if len(rows) == 0 {
			continue
		}
		l := Lane{Name: s.Name(), X: 0, Y: y + 21, Base: y + 17}
		if phone { // its name stands above it
			y += 12
			l.X, l.Y, l.Base = left, y, y+15
		}
		p.Lanes = append(p.Lanes, l)
		p.Spots = append(p.Spots, spots(rows, l.Base, x)...)
		y += laneHigh
	}
	p.ticks(from, to, x, phone)
	p.lines(t, from, to, x)
	p.H = y + 26
	return p
}

// window is the time that is drawn: around what is looked at.
func (t *Timeline) window() (from, to time.Time, ok bool) {
	for i := range t.Rows {
		r := &t.Rows[i]
		if r.At.IsZero() || r.Weight == Usual {
			continue
		}
		if from.IsZero() || r.At.Before(from) {
			from = r.At
		}
		if r.until().After(to) {
			to = r.until()
		}
	}
	if from.IsZero() {
		return from, to, false
	}
	if d := to.Sub(from); d < 4*time.Hour {
		from, to = from.Add(-(4*time.Hour-d)/2), to.Add((4*time.Hour-d)/2)
	}
	pad := to.Sub(from) / 25
	return from.Add(-pad), to.Add(pad), true
}

// spots puts rows on a lane.
func spots(rows []*Row, y float64, x func(time.Time) float64) (out []Spot) {
	size := map[int]int{}
	for _, r := range rows {
		at := x(r.At)
		n := len(out) - 1
		if n >= 0 && at-out[n].X < near {
			size[n] += r.Count
			if weigh(r.Weight) > weigh(out[n].Weight) {
				out[n].Weight, out[n].Row = r.Weight, r.ID
			}
			if len(out[n].Title) < 300 {
				out[n].Title += "; " + said1(r)
			}
			continue
		}
		out = append(out, Spot{X: at, Y: y, Weight: r.Weight, Row: r.ID, Title: said1(r)})
		size[n+1] = r.Count
	}
	for i := range out {
		out[i].R = 4.5
		switch n := size[i]; {
		case n >= 20:
			out[i].R = 8.5
		case n >= 4:
			out[i].R = 6.5
		}
	}
	return out
}

func weigh(w Weight) int {
	return map[Weight]int{Usual: 0, Mark: 1, Suspect: 2, Cause: 3}[w]
}

// said1 is a row in one line.
func said1(r *Row) string {
	s := r.At.Format("2 Jan 15:04") + " " + cmp.Or(r.Who, "somebody") + " " + r.What
	if r.Count > 1 {
		s += fmt.Sprintf(" (%d times)", r.Count)
	}
	if r.Region != "" {
		s += ", " + r.Region
	}
	return print.Clean(s, 200)
}

// steps are what ticks may lie apart.
var steps = []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	48 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 30 * 24 * time.Hour}

func (p *Picture) ticks(from, to time.Time, x func(time.Time) float64, phone bool) {
	most := 10
	if phone {
		most = 5
	}
	step := steps[len(steps)-1]
	for _, s := range steps {
		if int(to.Sub(from)/s) <= most {
			step = s
			break
		}
	}
	day := ""
	for at := from.Truncate(step).Add(step); at.Before(to); at = at.Add(step) {
		text := at.Format("15:04")
		if d := at.Format("2 Jan"); d != day {
			text, day = d+" "+text, d
			if phone && len(p.Ticks) > 0 || step >= 24*time.Hour {
				text = d
			}
		}
		p.Ticks = append(p.Ticks, Tick{X: x(at), Text: text, Day: at.Equal(at.Truncate(24 * time.Hour))})
	}
}

// lines are when Microsoft raised the alert, when it was known here, and when it was answered.
func (p *Picture) lines(t *Timeline, from, to time.Time, x func(time.Time) float64) {
	add := func(at time.Time, text string, done bool) {
		if at.IsZero() || at.Before(from) || at.After(to) {
			return
		}
		p.Lines = append(p.Lines, Line{X: x(at), Text: text, Done: done})
	}
	add(t.Alert.Detected, "alert", false)
	if t.Known.Sub(t.Alert.Detected) > 10*time.Minute {
		add(t.Known, "read here", true)
	}
	for i := range t.Rows {
		if r := &t.Rows[i]; r.Source == Ours && r.Weight == Mark && stopped(r.What) {
			add(r.At, "contained", true)
			break
		}
	}
	add(t.Alert.ResolvedAt, "answered", true)
	slices.SortStableFunc(p.Lines, func(a, b Line) int { return cmp.Compare(a.X, b.X) })
	free := []float64{0, 0, 0} // where each row of texts ends
	for i := range p.Lines {
		l := &p.Lines[i]
		long := 6.2*float64(len(l.Text)) + 8
		l.End = l.X+long > p.W
		begins := l.X
		if l.End {
			begins -= long
		}
		row := 0
		for row < len(free)-1 && begins < free[row] {
			row++
		}
		l.Y, free[row] = 11+12*float64(row), begins+long+4
	}
}

// stopped says that with a row the bleeding stopped.
func stopped(what string) bool { return len(what) > 9 && what[:9] == "contained" }

// Spoken is the picture in words: the cause, what followed, the alert, and what was done.
func (t *Timeline) Spoken() string {
	n, parts := 0, map[Source]int{}
	var cause *Row
	for i := range t.Rows {
		r := &t.Rows[i]
		if r.Weight == Cause && cause == nil {
			cause = r
		}
		if r.Weight != Usual {
			n++
			parts[r.Source] += r.Count
		}
	}
	s := fmt.Sprintf("%s that are looked at, in %d lanes", print.Plural(int64(n), "rows"), len(parts))
	if cause != nil {
		s += "; it begins with: " + said1(cause)
	}
	if !t.Alert.Detected.IsZero() {
		s += "; Microsoft raised the alert at " + print.When(t.Alert.Detected)
	}
	return s + ". The table below has each row."
}
