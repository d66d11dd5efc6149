package page

import (
	"math"
	"slices"
	"strings"

	"partnerguard/internal/print"
)

// Column is one step of a time axis, with one value for each series, from the
// bottom up: what matters stands on the axis, where heights can be compared.
// Values below nothing count as nothing.
type Column struct {
	Name   string // in the table and beside the pointer
	Tick   string // on the axis
	Values []int64
	Void   bool // nothing was read, which is not the same as none
}

// sum adds what a column shows, without wrapping round.
func (c *Column) sum() (n int64) {
	for _, v := range c.Values {
		v = max(v, 0)
		if n > math.MaxInt64-v {
			return math.MaxInt64
		}
		n += v
	}
	return n
}

// Columns draws stacked columns over time and the table of the same numbers.
// what says what a height is ("Sign-ins per day"), foot what a step is, and a
// week says that seven steps are one. Summary and the head of the table come
// first.
func (p *Plot) Columns(series []Key, list []Column, what, foot string, week bool) {
	void := false
	for i := range list {
		c := &list[i]
		row := []string{c.Name}
		for _, v := range slices.Backward(c.Values) {
			if c.Void {
				row = append(row, "no rows")
			} else {
				row = append(row, print.Number(v))
			}
		}
		p.Rows = append(p.Rows, row)
		void = void || c.Void
	}
	for _, k := range slices.Backward(series) {
		p.Legend = append(p.Legend, k)
	}
	if void {
		p.Legend = append(p.Legend, Key{Class: "f-void", Fill: "void", Label: "No rows read"})
	}
	p.Draw(func(d *Drawing, _ bool) { d.columns(series, list, what, foot, week) })
}

func (d *Drawing) columns(series []Key, list []Column, what, foot string, week bool) {
	var highest int64
	for i := range list {
		highest = max(highest, list[i].sum())
	}
	step, steps := Nice(highest)
	top := step * float64(steps)
	left := 8.0
	for i := range steps + 1 {
		left = max(left, 14+TextWidth(Compact(step*float64(i))))
	}
	head, below := 26.0, 44.0
	if what == "" {
		head = 8
	}
	if foot == "" {
		below = 24
	}
	const height = 190.0
	bottom, right := head+height, d.W-8
	d.H = bottom + below
	d.Text(2, 12, "start", "lo", what)
	for i := range steps + 1 {
		v := step * float64(i)
		y := bottom - v/top*height
		d.Line(left, y, right, y, "gl")
		d.Text(left-6, y+4, "end", "", Compact(v))
	}
	pitch := (right - left) / float64(len(list))
	bar := max(min(pitch*0.82, 34), 1)
	for i := 0; i < len(list); i++ {
		x := left + pitch*float64(i)
		if list[i].Void {
			run := i
			for run+1 < len(list) && list[run+1].Void {
				run++
			}
			d.Rect(x, head, pitch*float64(run-i+1), height, "f-void", "void", "No rows")
			i = run
			continue
		}
		tip := list[i].Name
		for s, v := range list[i].Values {
			tip += "; " + strings.ToLower(series[s].Label) + " " + print.Number(v)
		}
		base := bottom
		for s, v := range list[i].Values {
			if v <= 0 {
				continue
			}
			h := min(max(float64(v)/top*height, 1), base-head)
			d.Rect(x+(pitch-bar)/2, base-h, bar, h, series[s].Class, series[s].Fill, tip)
			base -= h
		}
	}
	d.Line(left, bottom, right, bottom, "ax")
	d.ticks(list, left, pitch, bottom, week)
	d.Text(right, bottom+38, "end", "lo", foot)
}

// ticks writes as many labels as fit with air between them, evenly spaced.
func (d *Drawing) ticks(list []Column, left, pitch, bottom float64, week bool) {
	room := 0.0
	for i := range list {
		room = max(room, TextWidth(list[i].Tick))
	}
	every := 1
	for float64(every)*pitch < room+14 {
		every++
	}
	if week && every > 4 && every < 7 {
		every = 7
	}
	for i := 0; i < len(list); i += every {
		x := left + pitch*(float64(i)+0.5)
		if half := TextWidth(list[i].Tick) / 2; x-half < 0 || x+half > d.W {
			continue
		}
		d.Line(x, bottom, x, bottom+4, "ax")
		d.Text(x, bottom+18, "middle", "", list[i].Tick)
	}
}
