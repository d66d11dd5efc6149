package render

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

// nextDays is how far ahead the report looks; the JSON has all of it.
const nextDays = 180

// nextChanges are the changes that come within [nextDays] and hit somebody here, or
// may, the next first.
func nextChanges(all []partner.Outlook) (next []partner.Outlook) {
	for i := range all {
		if o := &all[i]; o.Standing == "ahead" && o.DaysLeft <= nextDays && o.Answer != partner.Nobody {
			next = append(next, *o)
		}
	}
	slices.SortStableFunc(next, func(a, b partner.Outlook) int { return a.DaysLeft - b.DaysLeft })
	return next
}

// changeSays is what is said of a change: whom it hits, and how sure the date is.
func changeSays(o *partner.Outlook) string {
	s := print.Ended(print.Saying(o.Text))
	if o.Answer == partner.Hit && len(o.Names) > 0 && o.Unit != "partners" {
		names := make([]string, 0, 3)
		for _, n := range o.Names[:min(len(o.Names), 3)] {
			names = append(names, print.Clean(n, print.MaxName))
		}
		s = strings.TrimSuffix(s, ".") + ": " + strings.Join(names, ", ")
		if n := o.Count - len(names); n > 0 {
			s += fmt.Sprintf(" and %s more", print.Number(int64(n)))
		}
	}
	if o.Sure != partner.SureHigh {
		s = strings.TrimSuffix(s, ".") + "; the date is not sure (" + o.Source + ")"
	}
	return s
}

// changeHead is a change in a line.
func changeHead(o *partner.Outlook) string {
	return fmt.Sprintf("%s, %s left: %s", o.When(), print.Plural(int64(o.DaysLeft), "days"), o.What)
}

// settleWords is what settles an unknown: a request to export, or where to look.
func settleWords(s string) string {
	if evidence.IsRequest(s) {
		return print.Saying("export " + evidence.Brief(s))
	}
	return print.Saying("look at " + s)
}

func changeVerdict(o *partner.Outlook) (assess.Verdict, string) {
	if o.Answer == partner.Hit {
		return assess.NotMet, "hit"
	}
	return assess.Unknown, "unknown"
}

func (p *screen) dates(all []partner.Outlook) {
	next := nextChanges(all)
	if len(next) == 0 {
		return
	}
	p.Section("What Microsoft changes next", "within "+print.Plural(nextDays, "days")+"; all of it: partnerguard dates")
	const gap = 1
	body := p.Width() - verdictColumn - gap
	for i := range next {
		o := &next[i]
		if i > 0 {
			p.Blank()
		}
		v, word := changeVerdict(o)
		t := print.ToneOf(v)
		lines := print.Lines(print.Clean(changeHead(o), print.MaxSaying), body, print.Bold)
		lines = append(lines, print.Lines(changeSays(o), body, print.Plain)...)
		if o.Action != "" {
			lines = append(lines, print.Hanging("→ ", print.Saying(o.Action), body, print.Cyan)...)
		}
		if o.Settle != "" {
			lines = append(lines, print.Hanging("→ ", settleWords(o.Settle), body, print.Cyan)...)
		}
		p.Put([]int{verdictColumn, body}, gap, print.Cell(t.Mark+" "+word, t.Style), lines)
	}
}
