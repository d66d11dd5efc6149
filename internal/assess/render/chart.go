package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

const maxBuckets = 92

// The series of the sign-in plot, from the bottom up, and what of a day is in
// each.
var series = []page.Key{
	{Class: "f-open", Fill: "hatch", Label: "Not challenged"},
	page.DoubtKey("Unknown"),
	{Class: "f-claim", Label: "Satisfied by an earlier claim or a provider"},
	{Class: "f-asked", Label: "Challenged"},
}

func seriesOf(t *assess.Tally) [4]int64 {
	return [4]int64{t.NotChallenged, t.Unknown, t.SatisfiedByClaim + t.SatisfiedByProvider, t.Challenged}
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
		for s, n := range seriesOf(d.n) {
			b.n[s] += max(0, n)
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
	p.Head = []string{print.Sentence(u.word)}
	for _, k := range slices.Backward(series) {
		p.Head = append(p.Head, k.Label)
	}
	columns := make([]page.Column, len(list))
	for i, b := range list {
		columns[i] = page.Column{Name: b.from.Format(u.label), Tick: b.from.Format(u.tick), Values: b.n[:], Void: !b.any}
		for s, n := range b.n {
			totals[s] += n
		}
		if !b.any {
			gaps++
		}
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
	foot := map[string]string{"day": "Day (UTC)", "week": "Week, by its Monday (UTC)"}[u.word]
	p.Columns(series, columns, "Sign-ins per "+u.word, cmp.Or(foot, print.Sentence(u.word)+" (UTC)"), u.word == "day")
	return p
}

// factorPlot is accounts by strongest factor.
func factorPlot(list []assess.Account) *page.Plot {
	p := &page.Plot{ID: "factors", Title: "Accounts in scope by strongest registered factor"}
	p.Series("Strongest factor", page.GoodKey("In line"), page.BadKey("Not in line"), page.DoubtKey("Cannot be judged"))
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
	p.Summary = fmt.Sprintf("Of %s in scope, %s have a phishing-resistant factor and %s have none.",
		print.Plural(all, "accounts"), print.Number(strong), print.Number(none))
	p.Bars(bars, 150)
	return p
}
