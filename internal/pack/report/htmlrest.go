package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
)

// dayView is the period day by day: a row a requirement, a square a day.
type dayView struct {
	First, Last string
	Width       int // of the picture
	Rows        []dayRow
	Days        []dayTotal // the same in words
	More        int
}

type dayRow struct {
	Title, Said string
	Squares     []square
}

type square struct {
	X           int
	Class, Fill string
}

type dayTotal struct {
	Day, Said string
}

// The picture's measures.
const (
	daySide = 10
	dayStep = 12
)

// days gives nil where no day of the period was judged.
func (in *Input) days() *dayView {
	list := in.Days
	if len(list) > pageDays {
		list = list[len(list)-pageDays:]
	}
	judged := 0
	for i := range list {
		if list[i].Judged {
			judged++
		}
	}
	if judged == 0 {
		return nil
	}
	v := &dayView{First: list[0].Day, Last: list[len(list)-1].Day, Width: len(list) * dayStep, More: len(in.Days) - len(list)}
	for i := range in.Report.Requirements {
		q := &in.Report.Requirements[i]
		if q.Verdict == assess.NotApplicable {
			continue
		}
		r := dayRow{Title: print.Clean(q.Title, print.MaxSaying)}
		n := map[assess.Verdict]int{}
		for d := range list {
			x := square{X: d * dayStep, Class: "f-void"}
			verdict := assess.Verdict(list[d].Verdicts[q.ID])
			if list[d].Judged && verdict != "" {
				n[verdict]++
				x.Class, x.Fill = squareOf(verdict)
			}
			r.Squares = append(r.Squares, x)
		}
		r.Said = fmt.Sprintf("%d of %d days judged: met on %d, not met on %d, unknown on %d, attested on %d", judged, len(list), n[assess.Met],
			n[assess.NotMet],
			n[assess.Unknown], n[assess.Attested])
		v.Rows = append(v.Rows, r)
	}
	v.Days = dayTotals(in, list)
	return v
}

func squareOf(v assess.Verdict) (class, fill string) {
	switch v {
	case assess.Met:
		return "f-met", ""
	case assess.NotMet:
		return "f-not", "hatch"
	case assess.Unknown:
		return "f-unk", "dots"
	case assess.Attested:
		return "f-att", ""
	}
	return "f-nabg", ""
}

// dayTotals are the days on which something changed, in words.
func dayTotals(in *Input, list []Day) (out []dayTotal) {
	told := map[string]bool{}
	for i := range in.Report.Requirements {
		told[in.Report.Requirements[i].ID] = true
	}
	before := ""
	for i := range list {
		said := "not judged"
		if list[i].Judged {
			n := map[assess.Verdict]int{}
			for id, v := range list[i].Verdicts {
				if told[id] {
					n[assess.Verdict(v)]++
				}
			}
			said = fmt.Sprintf("%d met, %d not met, %d unknown, %d attested", n[assess.Met], n[assess.NotMet], n[assess.Unknown], n[assess.Attested])
		}
		if said != before {
			out = append(out, dayTotal{list[i].Day, said})
		}
		before = said
	}
	return out
}

// practiceView is what is shown of the practices: as much as their report says in the words
// that all reports have.
type practiceView struct {
	Summary string
	Rows    []PracticeRow
}

// PracticeRow is what one practice came to.
type PracticeRow struct {
	ID       string         `json:"id"`
	Title    string         `json:"title"`
	Verdict  assess.Verdict `json:"verdict"`
	Reason   string         `json:"reason"`
	Affected int            `json:"affected"`
	Total    int            `json:"total"`
}

// PracticeRows are what the practices came to; none where nobody judged them.
func (in *Input) PracticeRows() []PracticeRow {
	var r struct {
		Practices []PracticeRow `json:"practices"`
	}
	if json.Unmarshal(in.Practices, &r) != nil {
		return nil
	}
	return r.Practices
}

func (in *Input) practiceRows() *practiceView {
	rows := in.PracticeRows()
	if len(rows) == 0 {
		return nil
	}
	n := map[assess.Verdict]int{}
	for i := range rows {
		n[rows[i].Verdict]++
		if !in.named() {
			rows[i].Reason = ""
		}
	}
	return &practiceView{fmt.Sprintf("%d met, %d not met, %d unknown, %d attested", n[assess.Met], n[assess.NotMet], n[assess.Unknown],
		n[assess.Attested]), rows}
}

func (p *pageView) statements(in *Input) {
	for i := range in.Report.Attestations {
		v := &in.Report.Attestations[i]
		s := statement{Word: page.Said{Tone: print.Vouched, Word: print.First("statement", v.Kind)}, Head: print.First("statement", v.Requirement, v.What)}
		if v.Account != "" {
			s.Head = print.Clean(v.Account, print.MaxName) + ", " + s.Head
		}
		s.Head += ": " + print.First("nobody", v.Who) + ", " + print.Clean(v.Since, 40) + " to " + print.Clean(v.Until, 40)
		s.Says = print.Saying(v.Reason)
		if v.Text != "" {
			s.Says += " " + print.Saying(v.Text)
		}
		p.Statements = append(p.Statements, s)
	}
	for i := range in.Exceptions {
		x := &in.Exceptions[i]
		s := statement{Word: page.Said{Tone: print.Cautious, Word: "left out of alerts"}}
		s.Head = fmt.Sprintf("%s: %s, until %s", x.Requirement, print.Clean(x.Owner, print.MaxName), x.Expires.UTC().Format(time.DateOnly))
		s.Says = fmt.Sprintf("%s It is %s; %s.", print.Saying(x.Reason), x.Standing, accountsWord(len(x.Accounts)))
		p.Statements = append(p.Statements, s)
	}
}

func accountsWord(n int) string {
	if n == 0 {
		return "the whole requirement"
	}
	return print.Plural(int64(n), "accounts")
}

func (p *pageView) gaps(in *Input) {
	for i := range in.Gaps {
		if i == pageGaps {
			p.GapsMore = len(in.Gaps) - i
			break
		}
		g := &in.Gaps[i]
		x := gap{What: print.Clean(g.Resource, print.MaxName), Why: print.Sentence(print.Clean(g.Why, print.MaxSaying)),
			Can: print.Sentence(print.Clean(g.Can, print.MaxSaying)), When: "the whole list"}
		if g.Of != "" {
			x.What += " of " + print.Clean(g.Of, print.MaxName)
		}
		if g.Interval() {
			x.When = print.When(g.From) + " to " + print.When(g.To)
		}
		if g.Lost {
			x.Can = strings.TrimSpace("It can no longer be had. " + x.Can)
		}
		p.Gaps = append(p.Gaps, x)
	}
}
