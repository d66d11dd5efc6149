//go:build !judge

package pages

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// line is an alert as the list shows it.
type line struct {
	ID           string    `json:"id"`
	Tenant       string    `json:"customerTenantId"`
	Customer     string    `json:"customer"`
	Subscription string    `json:"subscriptionId"`
	What         string    `json:"what"`
	Type         string    `json:"alertType"`
	Severity     string    `json:"severity"`
	Status       string    `json:"status"`
	Standing     string    `json:"standing"` // waiting, answering, answered, test, gone
	Reason       string    `json:"reason,omitempty"`
	Assignee     string    `json:"assignee,omitempty"`
	Detected     time.Time `json:"detected,omitzero"`
	Due          time.Time `json:"due,omitzero"`
	Goal         time.Time `json:"dueGoal,omitzero"`
	Answer       string    `json:"answer,omitempty"`
	Test         bool      `json:"test,omitempty"`
	Refused      string    `json:"refused,omitempty"`
	now          time.Time
	answered     time.Time
}

// The standings.
const (
	waiting   = "waiting"
	answering = "answering"
	answered  = "answered"
	testing   = "test"
	gone      = "gone"
)

func lineOf(c *desk.Case, name string, now time.Time) line {
	l := line{ID: c.ID, Tenant: c.Customer, Customer: print.Clean(cmp.Or(name, c.CustomerName, c.Customer, "not named"), maxName), Subscription: c.Subscription,
		What: print.Clean(cmp.Or(c.Name, c.Words(), c.Type), 200), Type: print.Clean(c.Type, maxName), Severity: print.Clean(strings.ToLower(c.Severity), 40),
		Status: print.Clean(string(c.Status), 40), Reason: print.Clean(string(c.Reason), 40), Assignee: print.Clean(c.Assignee, maxName), Detected: c.Detected,
		Due: c.Clock.Due, Goal: c.Clock.DueGoal, Test: c.Test, Refused: c.Refused, now: now, answered: c.ResolvedAt}
	if c.Answer != nil {
		l.Answer = string(c.Answer.State)
	}
	switch {
	case c.Test:
		l.Standing = testing
	case !c.Open():
		l.Standing = answered
	case c.Waits(now):
		l.Standing = waiting
	case c.Answer != nil:
		l.Standing = answering
	default:
		l.Standing = gone
	}
	return l
}

// left says how long there is, in words.
func (l *line) left() (words string, tone print.Tone) {
	switch {
	case l.Standing != waiting:
		return "", print.Muted
	case l.Due.IsZero():
		return "since when is not known", print.Doubt
	case !l.now.Before(l.Due):
		return "over by " + spell(l.now.Sub(l.Due)), print.Bad
	case l.Due.Sub(l.now) < 4*time.Hour:
		return spell(l.Due.Sub(l.now)) + " left", print.Bad
	case !l.now.Before(l.Goal) && l.Assignee == "":
		return spell(l.Due.Sub(l.now)) + " left", print.Cautious
	}
	return spell(l.Due.Sub(l.now)) + " left", print.Muted
}

// spell is a time in hours and minutes.
func spell(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", max(0, int(d.Minutes())))
	case d < 72*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return print.Plural(int64(d/(24*time.Hour)), "days")
}

func severitySaid(s string) *page.Said {
	tone := map[string]print.Tone{"high": print.Bad, "medium": print.Cautious}[s]
	if tone.Class == "" {
		tone = print.Muted
	}
	return &page.Said{Tone: tone, Word: cmp.Or(s, "not said")}
}

var lineList = &screen.List[line]{
	Noun: "alert", Default: "left", Search: "customer, what, subscription", PerPage: 100, Tight: true,
	Key: func(l *line) string { return l.ID }, Tenant: func(l *line) string { return l.Tenant },
	Columns: []screen.Column[line]{
		{Name: "left", Head: "Clock", About: "what is left of the 24 hours; what waits longest first", Order: byClock, Plain: true,
			Cell: func(l *line) screen.Cell {
				words, tone := l.left()
				if words == "" {
					return screen.Cell{Text: l.Standing, Quiet: true, Sub: l.Reason}
				}
				if tone == print.Muted {
					return screen.Cell{Text: words}
				}
				return screen.Cell{Said: &page.Said{Tone: tone, Word: words}}
			}, Text: func(l *line) string { words, _ := l.left(); return cmp.Or(words, l.Standing) }},
		{Name: "customer", Head: "Customer", Cell: func(l *line) screen.Cell { return screen.Named(l.Customer, l.What, CasePath(l.ID)) },
			Text: func(l *line) string { return l.Customer }},
		{Name: "what", Head: "What", Only: true, Text: func(l *line) string { return l.What }},
		{Name: "severity", Head: "Severity", Order: func(a, b *line) int { return rank(a.Severity) - rank(b.Severity) }, Plain: true,
			Cell: func(l *line) screen.Cell { return screen.Cell{Said: severitySaid(l.Severity)} }},
		{Name: "assignee", Head: "Who has it", Drop: true, Cell: func(l *line) screen.Cell {
			if l.Assignee == "" && l.Standing == waiting {
				return screen.Cell{Said: &page.Said{Tone: print.Cautious, Word: "nobody"}}
			}
			return screen.Cell{Text: cmp.Or(l.Assignee, "–"), Quiet: l.Assignee == ""}
		}, Text: func(l *line) string { return l.Assignee }},
		{Name: "detected", Head: "Detected", Right: true, Plain: true, Drop: true, Order: func(a, b *line) int { return a.Detected.Compare(b.Detected) },
			Blank: func(l *line) bool { return l.Detected.IsZero() }, Cell: func(l *line) screen.Cell { return screen.When(l.Detected, "not said") }},
		{Name: "subscription", Head: "Subscription", Only: true, Text: func(l *line) string { return l.Subscription }},
		{Name: "type", Head: "Alert type", Only: true, Text: func(l *line) string { return l.Type }},
		{Name: "status", Head: "Status", Only: true, Text: func(l *line) string { return l.Status }},
		{Name: "reason", Head: "Reason", Only: true, Text: func(l *line) string { return l.Reason }},
		{Name: "tenantId", Head: "Customer's tenant id", Only: true, Text: func(l *line) string { return l.Tenant }},
		{Name: "id", Head: "Alert", Only: true, Text: func(l *line) string { return l.ID }},
	},
	Filters: []screen.Filter[line]{
		{Name: "standing", Head: "State", Enum: []string{waiting, answering, answered, testing, gone},
			Of: func(l *line) []string { return []string{l.Standing} }},
		{Name: "severity", Head: "Severity", Of: func(l *line) []string { return []string{l.Severity} }},
	},
}

func rank(severity string) int {
	return map[string]int{"high": 0, "medium": 1, "low": 2}[severity] + map[bool]int{true: 3}[severity != "high" && severity != "medium" && severity != "low"]
}

// byClock has what waits first, by what is left; then what is answered, the newest first.
func byClock(a, b *line) int {
	if x, y := a.Standing == waiting, b.Standing == waiting; x != y {
		return map[bool]int{true: -1, false: 1}[x]
	}
	if a.Standing == waiting {
		if a.Due.IsZero() != b.Due.IsZero() {
			return map[bool]int{true: -1, false: 1}[a.Due.IsZero()]
		}
		return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.ID, b.ID))
	}
	return cmp.Or(b.Detected.Compare(a.Detected), strings.Compare(a.ID, b.ID))
}

// sums are the page in numbers.
type sums struct {
	Waiting  int            `json:"waiting"`
	Nobody   int            `json:"nobodyHasIt"`
	Over     int            `json:"over24h"`
	Tests    int            `json:"tests"`
	Average  *fraud.Average `json:"average,omitempty"` // of all customers: only for whoever sees all
	Until    time.Time      `json:"under24hUntil,omitzero"`
	Sentence string         `json:"says"`
}

// names are what customers are called, by tenant.
func names(a *screen.Ask) map[string]string {
	out := map[string]string{}
	for i := range a.Tenants {
		out[strings.ToLower(a.Tenants[i].ID)] = a.Tenants[i].Called()
	}
	return out
}

func (p *Pages) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	list, err := p.Desk.List(ctx, desk.Filter{})
	if err != nil {
		return nil, err
	}
	called := names(a)
	rows := make([]line, 0, len(list))
	var s sums
	for i := range list {
		l := lineOf(&list[i], called[list[i].Customer], a.Now)
		rows = append(rows, l)
		if !a.Viewer.Sees(l.Tenant) {
			continue
		}
		switch {
		case l.Standing == waiting:
			s.Waiting++
			s.Nobody += one(l.Assignee == "")
			s.Over += one(!l.Due.IsZero() && !a.Now.Before(l.Due))
		case l.Test:
			s.Tests++
		}
	}
	v := &screen.View{Rows: lineList.Of(rows), Nothing: &screen.Nothing{Head: "No alerts about Azure fraud",
		Text: "They are read every few minutes, and whenever Microsoft rings.", LinkText: "Collection", Path: "/collection"}}
	s.Sentence = print.Plural(int64(s.Waiting), "alerts") + " waiting"
	if a.Viewer.Customers == nil {
		f := fraud.ForecastOf(alertsOf(list), a.Now, fraud.ByResolution)
		s.Average, s.Until = &f.Average, f.Until
		s.Sentence = foretell(&f, list, called, a.Now)
	}
	v.Sentence, v.Summary = print.Ended(s.Sentence), s
	if a.Machine || len(rows) == 0 {
		return v, nil
	}
	v.Above = []screen.Block{s.tiles(), cards(rows, a)}
	return v, nil
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

func alertsOf(list []desk.Case) (out []fraud.Alert) {
	for i := range list {
		if list[i].Open() && !list[i].Gone.IsZero() || list[i].Refused != "" {
			continue
		}
		out = append(out, list[i].Alert)
	}
	return out
}

// foretell says how the average stands and what to answer until when to stay under 24 hours.
func foretell(f *fraud.Forecast, list []desk.Case, called map[string]string, now time.Time) string {
	if f.Count == 0 {
		return "No alert counts in the average of 30 days"
	}
	s := fmt.Sprintf("The average of 30 days is %s over %s", spell(f.Mean), print.Plural(int64(f.Count), "alerts"))
	var which []string
	for i, id := range f.Answer {
		if i == 3 {
			which = append(which, fmt.Sprintf("%d more", len(f.Answer)-3))
			break
		}
		for k := range list {
			if list[k].ID == id {
				which = append(which, print.Clean(cmp.Or(called[list[k].Customer], list[k].CustomerName, list[k].Customer), 60))
			}
		}
	}
	what := strings.Join(which, " and ")
	switch {
	case f.Over && what != "" && f.Stays:
		return s + ", above the duty of 24 h: answer " + what + " now to come under it"
	case f.Over && !f.Back.IsZero():
		return s + ", above the duty of 24 h; with everything answered now it is under it again at " + print.When(f.Back)
	case f.Over:
		return s + ", above the duty of 24 h"
	case f.Until.IsZero():
		return s + ", and stays under the duty of 24 h"
	case what == "":
		return s + "; it stays under 24 h until " + print.When(f.Until)
	}
	return s + "; answer " + what + " before " + clockWord(f.Until, now) + " to stay under 24 h"
}

// clockWord is a moment, without the day where it is today.
func clockWord(t, now time.Time) string {
	if t.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return t.UTC().Format("15:04") + " UTC"
	}
	return print.When(t)
}

func (s *sums) tiles() screen.Tiles {
	n := func(n int) string { return print.Number(int64(n)) }
	t := screen.Tiles{{Head: "Waiting", N: n(s.Waiting), Delta: n(s.Nobody) + " that nobody has", Path: "/fraud?standing=waiting"},
		{Head: "Over 24 hours", N: n(s.Over), Path: "/fraud?standing=waiting"}}
	if s.Over > 0 {
		t[1].Said = &page.Said{Tone: print.Bad}
	}
	if s.Average != nil {
		x := screen.Tile{Head: "Average of 30 days", N: spell(s.Average.Mean), Of: "of 24 h", Delta: n(s.Average.Count) + " alerts, tests left out"}
		switch {
		case s.Average.Count == 0:
			x.N, x.Of, x.Delta = "–", "", "no alert counts"
		case s.Average.Mean > fraud.Duty:
			x.Said = &page.Said{Tone: print.Bad}
		default:
			x.Said = &page.Said{Tone: print.Good}
		}
		t = append(t, x)
	}
	return t
}

// needs counts what waits and nobody has.
func (p *Pages) needs(ctx context.Context, v *screen.Viewer) (n int) {
	list, err := p.Desk.List(ctx, desk.Filter{Open: true, NoTests: true})
	if err != nil {
		return 0
	}
	for i := range list {
		if c := &list[i]; v.Sees(c.Customer) && c.Waits(p.Now()) && c.Assignee == "" && !c.Aged {
			n++
		}
	}
	return n
}

func (p *Pages) find(ctx context.Context, v *screen.Viewer, q string, limit int) (out []screen.Hit) {
	list, err := p.Desk.List(ctx, desk.Filter{})
	if err != nil {
		return nil
	}
	q = strings.ToLower(q)
	for i := range list {
		c := &list[i]
		hay := strings.ToLower(c.Name + " " + c.CustomerName + " " + c.Subscription + " " + c.ID)
		if len(out) < limit && v.Sees(c.Customer) && strings.Contains(hay, q) {
			out = append(out, screen.Hit{Title: print.Clean(cmp.Or(c.CustomerName, c.Name, c.ID), maxName), Sub: "fraud alert, " +
				print.Clean(string(c.Status), 40),
				Path: CasePath(c.ID), Icon: "fraud"})
		}
	}
	return out
}
