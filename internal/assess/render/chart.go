package render

import (
	"fmt"
	"math"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

const maxBuckets = 92

// The series of the sign-in plot, from the bottom up: what matters stands on
// the axis, where heights can be compared.
var series = []struct {
	class, fill, label string
	of                 func(*assess.Tally) int64
}{
	{"s-no", "hatch", "Not challenged", func(t *assess.Tally) int64 { return t.NotChallenged }},
	{"s-unknown", "dots", "Unknown", func(t *assess.Tally) int64 { return t.Unknown }},
	{"s-claim", "", "Satisfied by an earlier claim or a provider", func(t *assess.Tally) int64 { return t.SatisfiedByClaim + t.SatisfiedByProvider }},
	{"s-yes", "", "Challenged", func(t *assess.Tally) int64 { return t.Challenged }},
}

// unit is a step of the time axis.
type unit struct {
	word  string // "day"
	start func(time.Time) time.Time
	next  func(time.Time) time.Time
	label string // layout of a bucket's name
	tick  string // layout of an axis label
}

func years(n int) unit {
	first := func(t time.Time) time.Time {
		return time.Date(t.Year()-t.Year()%n, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return unit{map[int]string{1: "year", 10: "decade", 100: "century"}[n], first,
		func(t time.Time) time.Time { return t.AddDate(n, 0, 0) }, "2006", "2006"}
}

var units = []unit{
	{"day", func(t time.Time) time.Time { return t }, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }, time.DateOnly, "2 Jan"},
	{"week", func(t time.Time) time.Time { return t.AddDate(0, 0, -(int(t.Weekday())+6)%7) }, // Monday
		func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }, time.DateOnly, "2 Jan 06"},
	{"month", func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) },
		func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }, "2006-01", "Jan 2006"},
	years(1), years(10), years(100),
}

// bucket is one step of the time axis with the rows that fell into it.
type bucket struct {
	from time.Time
	any  bool
	n    [4]int64 // per series
}

// buckets spreads the days over at most about maxBuckets steps, empty ones
// included. odd counts days whose date could not be read.
func buckets(days []assess.Day) (out []bucket, u unit, odd int) {
	type dated struct {
		day time.Time
		n   *assess.Tally
	}
	var list []dated
	for i := range days {
		if d, err := time.Parse(time.DateOnly, days[i].Date); err == nil {
			list = append(list, dated{d, &days[i].Tally})
		}
	}
	odd = len(days) - len(list)
	if len(list) == 0 {
		return nil, units[0], odd
	}
	first, last := list[0].day, list[0].day
	for _, d := range list {
		if d.day.Before(first) {
			first = d.day
		}
		if d.day.After(last) {
			last = d.day
		}
	}
	index := make(map[time.Time]int)
	for _, u = range units {
		most := maxBuckets
		if u.word == "century" {
			most = 101 // as many as four-digit years have
		}
		clear(index)
		out = out[:0]
		for b := u.start(first); !b.After(last) && len(out) <= most; b = u.next(b) {
			index[b] = len(out)
			out = append(out, bucket{from: b})
		}
		if len(out) <= most {
			break
		}
	}
	for _, d := range list {
		b := &out[index[u.start(d.day)]]
		b.any = true
		for s := range series {
			b.n[s] += max(0, series[s].of(d.n))
		}
	}
	return out, u, odd
}

// timePlot is sign-ins over time.
func timePlot(s *assess.SignIns) *page.Plot {
	list, u, odd := buckets(s.Days)
	p := &page.Plot{ID: "time", Title: "Successful sign-ins over time, by what they prove"}
	if len(list) == 0 {
		return p
	}
	var totals [4]int64
	gaps := 0
	p.Head = []string{strings.ToUpper(u.word[:1]) + u.word[1:]}
	for i := len(series) - 1; i >= 0; i-- {
		p.Legend = append(p.Legend, page.Key{Class: series[i].class, Fill: series[i].fill, Label: series[i].label})
		p.Head = append(p.Head, series[i].label)
	}
	for _, b := range list {
		row := []string{b.from.Format(u.label)}
		for i := len(series) - 1; i >= 0; i-- {
			totals[i] += b.n[i]
			row = append(row, print.Number(b.n[i]))
		}
		if !b.any {
			gaps++
			for i := 1; i < len(row); i++ {
				row[i] = "no rows"
			}
		}
		p.Rows = append(p.Rows, row)
	}
	if gaps > 0 {
		p.Legend = append(p.Legend, page.Key{Class: "s-gap", Fill: "slash", Label: "No rows read"})
	}
	p.Summary = fmt.Sprintf("%s from %s to %s: %s challenged, %s satisfied by an earlier claim or a provider, %s not challenged, %s unknown.",
		print.Plural(int64(len(list)), u.word+"s"), list[0].from.Format(u.label), list[len(list)-1].from.Format(u.label),
		print.Number(totals[3]), print.Number(totals[2]), print.Number(totals[0]), print.Number(totals[1]))
	if u.word == "century" {
		p.Summary = strings.Replace(p.Summary, "centurys", "centuries", 1)
	}
	if gaps > 0 {
		p.Summary += fmt.Sprintf(" %d without any row.", gaps)
	}
	if odd > 0 {
		p.Summary += fmt.Sprintf(" %s with an unreadable date left out.", print.Plural(int64(odd), "days"))
	}
	for _, w := range []float64{page.WideChart, page.NarrowChart} {
		p.Sizes = append(p.Sizes, timeDrawing(p, list, u, w))
	}
	return p
}

func timeDrawing(p *page.Plot, list []bucket, u unit, w float64) page.Drawing {
	d := p.Frame(w)
	var highest int64
	for _, b := range list {
		var sum int64
		for _, n := range b.n {
			if sum > math.MaxInt64-n {
				sum = math.MaxInt64
				break
			}
			sum += n
		}
		highest = max(highest, sum)
	}
	step, steps := page.Nice(highest)
	top := step * float64(steps)
	left := 8.0
	for i := range steps + 1 {
		left = max(left, 14+page.TextWidth(page.Compact(step*float64(i))))
	}
	const head, foot = 26.0, 44.0
	height := 190.0
	right := w - 8
	bottom := head + height
	d.H = bottom + foot
	y := func(n float64) float64 { return bottom - n/top*height }
	d.Text(2, 12, "start", "axis", "Sign-ins per "+u.word)
	for i := range steps + 1 {
		v := step * float64(i)
		d.Line(left, y(v), right, y(v), "grid")
		d.Text(left-6, y(v)+4, "end", "tick", page.Compact(v))
	}
	pitch := (right - left) / float64(len(list))
	bar := max(min(pitch*0.82, 34), 1)
	for i := 0; i < len(list); i++ {
		x := left + pitch*float64(i)
		if !list[i].any {
			run := i
			for run+1 < len(list) && !list[run+1].any {
				run++
			}
			d.Rect(x, head, pitch*float64(run-i+1), height, "s-gap", "slash", "No rows")
			i = run
			continue
		}
		base := bottom
		tip := list[i].from.Format(u.label)
		for s := range series {
			tip += "; " + strings.ToLower(series[s].label) + " " + print.Number(list[i].n[s])
		}
		for s := range series {
			if list[i].n[s] == 0 {
				continue
			}
			h := max(float64(list[i].n[s])/top*height, 1)
			if base-h < head {
				h = max(base-head, 0)
			}
			d.Rect(x+(pitch-bar)/2, base-h, bar, h, series[s].class, series[s].fill, tip)
			base -= h
		}
	}
	d.Line(left, bottom, right, bottom, "base")
	// As many labels as fit with air between them, evenly spaced.
	room := 0.0
	for _, b := range list {
		room = max(room, page.TextWidth(b.from.Format(u.tick)))
	}
	every := 1
	for float64(every)*pitch < room+14 {
		every++
	}
	if u.word == "day" && every > 4 && every < 7 {
		every = 7
	}
	for i := 0; i < len(list); i += every {
		label := list[i].from.Format(u.tick)
		x := left + pitch*(float64(i)+0.5)
		if half := page.TextWidth(label) / 2; x-half < 0 || x+half > w {
			continue
		}
		d.Line(x, bottom, x, bottom+4, "base")
		d.Text(x, bottom+18, "middle", "tick", label)
	}
	what := map[string]string{"day": "Day (UTC)", "week": "Week, by its Monday (UTC)"}[u.word]
	if what == "" {
		what = strings.ToUpper(u.word[:1]) + u.word[1:] + " (UTC)"
	}
	d.Text(right, bottom+38, "end", "axis", what)
	return d
}

// factorPlot is accounts by strongest factor.
func factorPlot(list []assess.Account) *page.Plot {
	p := &page.Plot{ID: "factors", Title: "Accounts in scope by strongest registered factor",
		Legend: []page.Key{{Class: "s-yes", Label: "In line"}, {Class: "s-no", Fill: "hatch", Label: "Not in line"}, {Class: "s-unknown", Fill: "dots", Label: "Cannot be judged"}},
		Head:   []string{"Strongest factor", "In line", "Not in line", "Cannot be judged"}}
	n := make([][3]int64, len(factors))
	var all, strong int64
	for i := range list {
		a := &list[i]
		if a.MFA == assess.NotApplicable {
			continue
		}
		f := len(factors) - 1
		for k := range factors {
			if factors[k].id == a.StrongestFactor {
				f = k
			}
		}
		switch a.MFA {
		case assess.Met, assess.Attested:
			n[f][0]++
		case assess.NotMet:
			n[f][1]++
		default:
			n[f][2]++
		}
		all++
		if f == 0 {
			strong++
		}
	}
	if all == 0 {
		return p
	}
	var none int64
	var bars []page.Bar
	for k, f := range factors {
		bars = append(bars, page.Bar{Label: print.Sentence(f.word), Values: n[k][:]})
		if f.id == "none" {
			none = n[k][0] + n[k][1] + n[k][2]
		}
	}
	p.Summary = fmt.Sprintf("Of %s in scope, %s have a phishing-resistant factor and %s have none.", print.Plural(all, "accounts"), print.Number(strong), print.Number(none))
	p.Bars(bars, 150)
	return p
}

// requirementPlot shows every requirement that applies and how far it is from
// being met.
func requirementPlot(must, should []assess.Requirement) *page.Plot {
	p := &page.Plot{ID: "overview", Title: "Requirements at a glance",
		Legend: []page.Key{{Class: "s-yes", Label: "Met or attested"}, {Class: "s-no", Fill: "hatch", Label: "Share shown to fall short"}, {Class: "s-gap", Fill: "slash", Label: "The rest of it"}, {Class: "s-unknown", Fill: "dots", Label: "Unknown"}},
		Head:   []string{"Requirement", "Level", "Verdict", "Fall short"}}
	if len(must)+len(should) == 0 {
		return p
	}
	p.Summary = fmt.Sprintf("Mandatory: %s. Recommended: %s.", count(must), count(should))
	type group struct {
		name string
		list []assess.Requirement
	}
	both := []group{{"Mandatory", must}, {"Recommended", should}}
	for _, g := range both {
		for i := range g.list {
			q := &g.list[i]
			p.Rows = append(p.Rows, []string{print.Clean(q.Title, print.MaxName), strings.ToLower(g.name), verdictWord(q.Verdict), fallShort(q)})
		}
	}
	for _, w := range []float64{page.WideChart, page.NarrowChart} {
		d := p.Frame(w)
		tight := w < 500
		tail := 0.0
		for _, g := range both {
			for i := range g.list {
				tail = max(tail, page.TextWidth(barValue(&g.list[i])))
			}
		}
		widest := 0.42
		if tight {
			widest = 0.6
		}
		tail = min(tail, w*widest)
		left := math.Floor(w * 0.53)
		if tight {
			left = 20
		}
		bar := max(w-left-tail-14, 40)
		y := 0.0
		for _, g := range both {
			if len(g.list) == 0 {
				continue
			}
			d.Text(0, y+14, "start", "heading", g.name)
			y += 22
			for i := range g.list {
				q := &g.list[i]
				style := verdictClass(q.Verdict)
				d.Text(7, y+14, "middle", "mark "+style, verdictMark(q.Verdict))
				room, barY := left-30, y+5
				if tight {
					room, barY = w-20, y+21
				}
				d.Text(20, y+14, "start", "label", page.FitText(print.Clean(q.Title, print.MaxName), room))
				shares(&d, q, left, barY, bar)
				d.Text(left+bar+8, barY+10, "start", "value", page.FitText(barValue(q), tail))
				y += 24
				if tight {
					y += 16
				}
			}
			y += 10
		}
		d.H = y
		p.Sizes = append(p.Sizes, d)
	}
	return p
}

// barValue is what stands behind a requirement's bar.
func barValue(q *assess.Requirement) string {
	if s := fallShort(q); s != "—" {
		return s
	}
	return verdictWord(q.Verdict)
}

// shares draws one requirement's bar.
func shares(d *page.Drawing, q *assess.Requirement, x, y, w float64) {
	const h = 12
	tip := print.Clean(q.Title, print.MaxName) + ": " + verdictWord(q.Verdict)
	switch q.Verdict {
	case assess.Met, assess.Attested:
		d.Rect(x, y, w, h, "s-yes", "", tip)
	case assess.NotMet:
		share := 1.0
		if q.Total > 0 {
			share = min(max(float64(q.Affected)/float64(q.Total), 0), 1)
		}
		bad := min(max(w*share, 4), w)
		d.Rect(x, y, bad, h, "s-no", "hatch", tip)
		if bad < w-1 {
			// The rest is not shown to be in line: it may be unknown.
			d.Rect(x+bad, y, w-bad, h, "s-gap", "slash", tip)
		}
	default:
		d.Rect(x, y, w, h, "s-unknown", "dots", tip)
	}
}
