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
	textGroups = 15 // of one effect
	textAble   = 5  // of those that have nothing to do
)

// Text writes the result for a terminal. No line is wider than o.Width, and
// with Color off there is no escape sequence at all.
func Text(w io.Writer, r *rehearse.Result, o Options) error {
	p := &screen{Screen: print.NewScreen(w, o)}
	p.Para("", "Rehearsal: "+proposal(r), print.Bold)
	p.Para("", span(r), print.Plain)
	if r.Sample {
		p.Para("", print.SampleWords, print.Cyan)
	}
	p.Blank()
	t, s := headline(r)
	p.Para(t.Mark+" ", s, t.Style.Strong())
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
	for i, n := range r.Notes {
		if i == 0 {
			p.Section("Also to know", "")
		}
		p.Para("  - ", print.Saying(n), print.Plain)
	}
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
	shown := min(len(list), textGroups)
	if e == rehearse.ChallengedAble {
		shown = min(shown, textAble)
	}
	for _, g := range list[:shown] {
		who := print.Hanging(t.Mark+" ", account(g), name, t.Style)
		who = append(who, print.Hanging("  ", classWord(g.Class), name, print.Dim)...)
		why := print.Lines(where(g), sizes[1], print.Bold)
		seen := print.Plural(g.Rows, "sign-ins")
		if l := last(g); l != "" {
			seen += ", last " + l
		}
		why = append(why, print.Lines(seen, sizes[1], print.Dim)...)
		why = append(why, print.Lines(print.Saying(g.Reason), sizes[1], print.Plain)...)
		if l := p.ways.Of(wayTexts(g.WaysOut)); l != "" {
			why = append(why, print.Hanging("→ ", "way out: "+l, sizes[1], print.Cyan)...)
		}
		p.Put(sizes, gap, who, why)
	}
	if more := len(list) - shown; more > 0 {
		p.Para("  ", fmt.Sprintf("and %s more in the JSON and the CSV", print.Number(int64(more))), print.Dim)
	}
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
		p.Para("    ", fmt.Sprintf("%s %s → %s %s", q.Before.Mark, q.BeforeWord, q.After.Mark, q.AfterWord), q.After.Style)
		if q.AfterReason != "" && q.After != print.Good {
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
		for _, s := range []string{changeWord(c.Change), stateWord(c.State)} {
			if s != "" {
				text += " · " + s
			}
		}
		p.Para("  - ", text, print.Plain)
	}
}
