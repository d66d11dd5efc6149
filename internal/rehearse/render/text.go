package render

import (
	"fmt"
	"io"

	"partnerguard/internal/print"
	"partnerguard/internal/rehearse"
)

// Options says what the terminal can do.
type Options = print.Options

// Limits of what the text shows; the rest is in the JSON and the CSV.
const (
	textPeople = 15 // of one effect
	textAble   = 5  // of those that have nothing to do
	textUses   = 4  // apps and clients of one account
)

// Text writes the result for a terminal. No line is wider than o.Width, and
// with Color off there is no escape sequence at all.
func Text(w io.Writer, r *rehearse.Result, o Options) error {
	p := &screen{Screen: print.NewScreen(w, o)}
	p.Para("", "Rehearsal: "+proposal(r), print.Bold)
	p.Para("", span(r), print.Plain)
	p.Sample(r.Sample)
	p.Blank()
	p.Headline(headline(r))
	p.Incomplete(r.Complete, "rehearsal", print.CutReasons(r.Inputs), r.Inputs)
	p.totals(r)
	for _, e := range order(r) {
		if e != rehearse.Unchanged {
			p.effect(r, e)
		}
	}
	if len(p.ways.Texts) > 0 {
		p.Section("Ways out", "")
		for i, text := range p.ways.Texts {
			p.Para("  "+print.Letter(i)+"  ", text, print.Cyan)
		}
	}
	p.proofs(r)
	p.proposed(r)
	var notes []string
	for _, n := range r.Notes {
		notes = append(notes, print.Saying(n))
	}
	p.Known(notes)
	p.Inputs(r.Inputs)
	return p.Flush()
}

// screen is a result on a terminal.
type screen struct {
	*print.Screen
	ways print.Letters // each way out is said once, at the end
}

// totals is a line for each effect.
func (p *screen) totals(r *rehearse.Result) {
	p.Section("What would happen", "")
	const rows, accounts = 15, 13
	name := min(34, p.Width()-rows-accounts-4)
	sizes := []int{2, name, rows, accounts}
	for _, e := range order(r) {
		t := sum(r, e)
		title, _, tone := effect(e)
		if t.Rows == 0 && t.Accounts == 0 {
			tone = print.Muted
		}
		st := tone.Style
		p.Put(sizes, 0, print.Cell(tone.Mark, st), print.Lines(title, name, st),
			print.Cell(right(print.Plural(t.Rows, "sign-ins"), rows), st), print.Cell(right(print.Plural(int64(t.Accounts), "accounts"), accounts+2), st))
	}
}

// right moves text to the right edge of w columns.
func right(s string, w int) string {
	return fmt.Sprintf("%*s", w, print.Fit(s, w))
}

func (p *screen) effect(r *rehearse.Result, e rehearse.Effect) {
	list := groups(r, e)
	if len(list) == 0 {
		return
	}
	title, about, t := effect(e)
	n := sum(r, e)
	p.Section(t.Mark+" "+title, fmt.Sprintf("%s, %s", print.Plural(int64(n.Accounts), "accounts"), print.Plural(n.Rows, "sign-ins")))
	p.Para("  ", about, print.Dim)
	const gap = 2
	name := min(44, (p.Width()-gap)*2/5)
	sizes := []int{name, p.Width() - gap - name}
	people := byPerson(list)
	shown := min(len(people), textPeople)
	if e == rehearse.ChallengedAble {
		shown = min(shown, textAble)
	}
	for _, g := range people[:shown] {
		who := print.Hanging(t.Mark+" ", print.First(print.NoName, g.Account, g.ID), name, t.Style)
		who = append(who, print.Hanging("  ", print.ClassWord(g.Class), name, print.Dim)...)
		seen := print.Plural(g.Rows, "sign-ins")
		if l := last(&g.Group); l != "" {
			seen += ", last " + l
		}
		why := print.Lines(seen, sizes[1], print.Bold)
		for i, use := range g.uses {
			if i == textUses {
				why = append(why, print.Lines(fmt.Sprintf("· and %d more", len(g.uses)-i), sizes[1], print.Dim)...)
				break
			}
			at := where(use)
			if len(g.uses) > 1 {
				at += fmt.Sprintf(" (%s)", print.Number(use.Rows))
			}
			why = append(why, print.Hanging("· ", at, sizes[1], print.Dim)...)
		}
		for _, reason := range g.reasons {
			why = append(why, print.Lines(print.Saying(reason), sizes[1], print.Plain)...)
		}
		if l := p.ways.Of(print.WayTexts(g.WaysOut)); l != "" {
			why = append(why, print.Hanging("→ ", "way out: "+l, sizes[1], print.Cyan)...)
		}
		p.Put(sizes, gap, who, why)
	}
	p.More("  ", len(people)-shown, " in the JSON and the CSV")
}

// proofs is what the settings prove, today and then.
func (p *screen) proofs(r *rehearse.Result) {
	list := proofs(r)
	if len(list) == 0 {
		return
	}
	p.Section("What the settings prove", "today → then")
	for _, q := range list {
		p.Para("  ", q.Title, print.Bold)
		p.Para("    ", fmt.Sprintf("%s %s → %s %s", q.Before.Tone.Mark, q.Before.Word, q.After.Tone.Mark, q.After.Word), q.After.Tone.Style)
		if q.AfterReason != "" && q.After.Tone != print.Good {
			p.Para("    ", q.AfterReason, print.Plain)
		}
	}
}

func (p *screen) proposed(r *rehearse.Result) {
	if len(r.Policies) == 0 {
		return
	}
	p.Section("What was proposed", print.Plural(int64(len(r.Policies)), "settings"))
	for i := range r.Policies {
		c := &r.Policies[i]
		text := print.Clean(c.Policy, print.MaxName)
		for _, s := range []string{print.Named(changeWords, c.Change), print.Named(stateWords, c.State)} {
			if s != "" {
				text += " · " + s
			}
		}
		p.Para("  - ", text, print.Plain)
	}
}
