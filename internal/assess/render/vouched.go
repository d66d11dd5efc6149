package render

import (
	"fmt"
	"io"

	"partnerguard/internal/assess"
	"partnerguard/internal/print"
)

// textVouches is how many statements the text shows.
const textVouches = 20

// vouchTone is the verdict whose mark a statement has, and its word.
func vouchTone(v *assess.Vouch) (assess.Verdict, string) {
	switch v.Effect {
	case assess.EffectCounts:
		return assess.Attested, "counts"
	case assess.EffectContradicted:
		return assess.NotMet, "contradicted"
	case assess.EffectNotNeeded:
		return assess.Met, "not needed"
	case assess.EffectShown:
		return assess.Attested, "exception"
	}
	switch v.State {
	case "expired":
		return assess.NotApplicable, "expired"
	case "not_yet":
		return assess.NotApplicable, "not yet"
	}
	return assess.Unknown, "no effect"
}

// vouchHead says what of whom, by whom and until when.
func vouchHead(v *assess.Vouch) string {
	subject := print.First("", v.Requirement, v.What)
	if v.Account != "" {
		subject = print.Clean(v.Account, print.MaxName)
		if v.Requirement != "" {
			subject += " (" + print.Clean(v.Requirement, print.MaxName) + ")"
		}
	}
	return fmt.Sprintf("%s: %s, until %s%s", subject, print.First(print.NoName, v.Who), print.Clean(v.Until, print.MaxName), vouchLeft(v))
}

func vouchLeft(v *assess.Vouch) string {
	if v.State != "in_force" {
		return ""
	}
	if v.DaysLeft == 0 {
		return ", its last day"
	}
	return ", " + print.Plural(int64(v.DaysLeft), "days") + " left"
}

// vouchSays are the lines under it.
func vouchSays(v *assess.Vouch) (lines []string) {
	why := print.Saying(v.Reason)
	if v.What != "" && v.Requirement+v.Account != "" {
		why = print.Saying(v.What + "; " + v.Reason)
	}
	lines = append(lines, why)
	if v.CompensatingControl != "" {
		lines = append(lines, print.Saying("instead: "+v.CompensatingControl))
	}
	last := v.Text
	if v.ApprovedBy != "" {
		last += "; approved by " + v.ApprovedBy
	}
	return append(lines, print.Saying(last))
}

// Vouches writes what people vouch for alone.
func Vouches(w io.Writer, r *assess.Report, o TextOptions) error {
	p := &screen{Screen: print.NewScreen(w, o)}
	if len(r.Attestations) == 0 {
		p.Para("", "Nothing is vouched for among the inputs.", print.Plain)
	}
	p.vouched(r.Attestations)
	p.Incomplete(r.Complete, "list", r.Incomplete, r.Inputs)
	return p.Flush()
}

func (p *screen) vouched(list []assess.Vouch) {
	if len(list) == 0 {
		return
	}
	p.Section("Attestations and exceptions", print.Plural(int64(len(list)), "statements"))
	const gap = 1
	mark := verdictColumn + 3
	body := p.Width() - mark - gap
	for i := range list[:min(len(list), textVouches)] {
		v := &list[i]
		if i > 0 {
			p.Blank()
		}
		verdict, word := vouchTone(v)
		t := print.ToneOf(verdict)
		lines := print.Lines(vouchHead(v), body, print.Bold)
		for _, s := range vouchSays(v) {
			lines = append(lines, print.Lines(s, body, print.Plain)...)
		}
		lines = append(lines, print.Lines(print.Clean(v.Source.String(), print.MaxSaying), body, print.Dim)...)
		p.Put([]int{mark, body}, gap, print.Cell(t.Mark+" "+word, t.Style), lines)
	}
	p.More("  ", len(list)-textVouches, " in the JSON")
}
