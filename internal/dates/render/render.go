package render

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/dates"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

// JSON writes all of it; lists are never null.
func JSON(w io.Writer, r *dates.Report) error {
	c := *r
	c.AsOf = print.SettledTime(c.AsOf)
	c.Changes = print.List(slices.Clone(c.Changes))
	for i := range c.Changes {
		c.Changes[i].Names = print.List(c.Changes[i].Names)
	}
	c.Inputs = print.List(c.Inputs)
	return print.JSON(w, &c)
}

// CSV writes one row a change.
func CSV(w io.Writer, r *dates.Report) error {
	out := print.NewSheet(w, "id", "date", "precision", "sure", "standing", "days_left", "days_ago", "what", "answer", "count", "unit", "text", "names", "more",
		"action", "settle", "source")
	for i := range r.Changes {
		o := &r.Changes[i]
		left, ago := strconv.Itoa(o.DaysLeft), ""
		switch {
		case o.Standing == "undated":
			left = ""
		case o.DaysLeft < 0:
			left, ago = "", strconv.Itoa(-o.DaysLeft)
		}
		out.Row(o.ID, o.Date.String(), string(o.Precision), string(o.Sure), o.Standing, left, ago, o.What, string(o.Answer),
			strconv.Itoa(o.Count), o.Unit, o.Text, strings.Join(o.Names, " | "), strconv.Itoa(o.More), o.Action, o.Settle, o.Source)
	}
	return out.Close()
}

// Text writes the report for a terminal: what is ahead first, then what has come
// and still hits or is not known, then the rest in a line.
func Text(w io.Writer, r *dates.Report, o print.Options) error {
	p := print.NewScreen(w, o)
	p.Para("", "What Microsoft changes on dates, and who is hit here", print.Bold)
	who := print.First("Unnamed partner", r.Partner)
	p.Para("", who+" · as of "+print.When(print.SettledTime(r.AsOf)), print.Plain)
	p.Sample(r.Sample)
	Section(p, r.Changes, "Ahead", func(o *partner.Outlook) bool { return o.Standing != "past" })
	Section(p, r.Changes, "Come already, and still open here", func(o *partner.Outlook) bool { return o.Standing == "past" && o.Answer == partner.Hit })
	var unknown, nobody []string
	for i := range r.Changes {
		switch o := &r.Changes[i]; {
		case o.Standing != "past" || o.Answer == partner.Hit:
		case o.Answer == partner.Nobody:
			nobody = append(nobody, o.ID)
		default:
			unknown = append(unknown, o.ID)
		}
	}
	for _, rest := range []struct {
		lead string
		ids  []string
	}{{"? Come already, not known here", unknown}, {"✓ Come already, nobody is hit", nobody}} {
		if len(rest.ids) > 0 {
			p.Blank()
			p.Para("", fmt.Sprintf("%s (%d): %s", rest.lead, len(rest.ids), strings.Join(rest.ids, ", ")), print.Dim)
		}
	}
	return p.Flush()
}

// marks are tone and word of an answer.
func mark(a partner.Answer) (verdict, word string) {
	switch a {
	case partner.Hit:
		return "not_met", "hit"
	case partner.Nobody:
		return "met", "nobody"
	}
	return "unknown", "unknown"
}

const markColumn = 11

// Section writes the changes that keep takes, under a title; nothing where there
// are none.
func Section(p *print.Screen, changes []partner.Outlook, title string, keep func(*partner.Outlook) bool) {
	n := 0
	for i := range changes {
		o := &changes[i]
		if !keep(o) {
			continue
		}
		if n++; n == 1 {
			p.Section(title, "")
		} else {
			p.Blank()
		}
		const gap = 1
		body := p.Width() - markColumn - gap
		verdict, word := mark(o.Answer)
		t := print.ToneOf(verdict)
		lines := print.Lines(Headline(o), body, print.Bold)
		lines = append(lines, print.Lines(print.Saying(o.Text), body, print.Plain)...)
		if names := Names(o); names != "" {
			lines = append(lines, print.Hanging("· ", names, body, print.Dim)...)
		}
		for _, do := range []string{o.Action, settle(o)} {
			if do != "" {
				lines = append(lines, print.Hanging("→ ", print.Saying(do), body, print.Cyan)...)
			}
		}
		lines = append(lines, print.Lines(standing(o), body, print.Dim)...)
		p.Put([]int{markColumn, body}, gap, print.Cell(t.Mark+" "+word, t.Style), lines)
	}
}

// Headline is a change in a line: its date and what it is.
func Headline(o *partner.Outlook) string { return o.When() + ": " + o.What }

func settle(o *partner.Outlook) string {
	if evidence.IsRequest(o.Settle) {
		return "export " + evidence.Brief(o.Settle)
	}
	if o.Settle != "" {
		return "look at " + o.Settle
	}
	return ""
}

// Names are those that are hit, as a list.
func Names(o *partner.Outlook) string {
	if len(o.Names) == 0 || o.ID == "partner-agreement" {
		return ""
	}
	clean := make([]string, len(o.Names))
	for i, n := range o.Names {
		clean[i] = print.Clean(n, print.MaxName)
	}
	s := strings.Join(clean, ", ")
	if o.More > 0 {
		s += fmt.Sprintf(" and %s more", print.Number(int64(o.More)))
	}
	return s
}

// standing says how far away it is, how sure, and by whom.
func standing(o *partner.Outlook) string {
	s := o.ID + " · "
	switch {
	case o.Standing == "undated":
		s += "no date is known"
	case o.DaysLeft > 0:
		s += print.Plural(int64(o.DaysLeft), "days") + " left"
	case o.DaysLeft == 0:
		s += "today"
	default:
		s += print.Plural(int64(-o.DaysLeft), "days") + " ago"
	}
	switch o.Sure {
	case partner.SureMid:
		s += " · not sure: " + o.Source
	case partner.SureLow, partner.SureNone:
		s += " · unsure: " + o.Source
	default:
		s += " · " + o.Source
	}
	if o.Note != "" {
		s += " (" + o.Note + ")"
	}
	return s
}
