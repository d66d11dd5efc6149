package render

import (
	"fmt"
	"io"

	"partnerguard/internal/console"
	"partnerguard/internal/rehearse"
)

// Options says what the terminal can do.
type Options = console.Options

// Limits of what the text shows; the rest is in the JSON and the CSV.
const (
	textGroups = 15 // of one effect
	textAble   = 5  // of those that have nothing to do
)

// Text writes the result for a terminal. No line is wider than o.Width, and
// with Color off there is no escape sequence at all.
func Text(w io.Writer, r *rehearse.Result, o Options) error {
	p := &screen{Screen: console.NewScreen(w, o)}
	p.Para("", "Rehearsal: "+proposal(r), console.Bold)
	p.Para("", span(r), console.Plain)
	if r.Sample {
		p.Para("", console.SampleWords, console.Cyan)
	}
	p.Blank()
	t, s := headline(r)
	p.Para(t.Mark+" ", s, t.Style.Strong())
	p.Incomplete(r.Complete, "rehearsal", console.CutReasons(r.Inputs), r.Inputs)
	p.totals(r)
	for _, e := range order(r) {
		if e != rehearse.Unchanged {
			p.effect(r, e)
		}
	}
	if len(p.ways.Texts) > 0 {
		p.Section("Ways out", "")
		for i, text := range p.ways.Texts {
			p.Para("  "+console.Letter(i)+"  ", text, console.Cyan)
		}
	}
	p.proofs(r)
	p.proposed(r)
	for i, n := range r.Notes {
		if i == 0 {
			p.Section("Also to know", "")
		}
		p.Para("  - ", console.Saying(n), console.Plain)
	}
	p.Inputs(r.Inputs)
	return p.Flush()
}

// screen is a result on a terminal.
type screen struct {
	*console.Screen
	ways console.Letters // each way out is said once, at the end
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
			tone = console.Muted
		}
		st := tone.Style
		p.Put(sizes, 0, console.Cell(tone.Mark, st), console.Lines(title, name, st),
			console.Cell(right(console.Plural(t.Rows, "sign-ins"), rows), st), console.Cell(right(console.Plural(int64(t.Accounts), "accounts"), accounts+2), st))
	}
}

// right moves text to the right edge of w columns.
func right(s string, w int) string {
	return fmt.Sprintf("%*s", w, console.Fit(s, w))
}

func (p *screen) effect(r *rehearse.Result, e rehearse.Effect) {
	list := groups(r, e)
	if len(list) == 0 {
		return
	}
	title, about, t := effect(e)
	n := sum(r, e)
	p.Section(t.Mark+" "+title, fmt.Sprintf("%s, %s", console.Plural(int64(n.Accounts), "accounts"), console.Plural(n.Rows, "sign-ins")))
	p.Para("  ", about, console.Dim)
	const gap = 2
	name := min(44, (p.Width()-gap)*2/5)
	sizes := []int{name, p.Width() - gap - name}
	shown := min(len(list), textGroups)
	if e == rehearse.ChallengedAble {
		shown = min(shown, textAble)
	}
	for _, g := range list[:shown] {
		who := console.Hanging(t.Mark+" ", account(g), name, t.Style)
		who = append(who, console.Hanging("  ", classWord(g.Class), name, console.Dim)...)
		why := console.Lines(where(g), sizes[1], console.Bold)
		seen := console.Plural(g.Rows, "sign-ins")
		if l := last(g); l != "" {
			seen += ", last " + l
		}
		why = append(why, console.Lines(seen, sizes[1], console.Dim)...)
		why = append(why, console.Lines(console.Saying(g.Reason), sizes[1], console.Plain)...)
		if l := p.ways.Of(wayTexts(g.WaysOut)); l != "" {
			why = append(why, console.Hanging("→ ", "way out: "+l, sizes[1], console.Cyan)...)
		}
		p.Put(sizes, gap, who, why)
	}
	if more := len(list) - shown; more > 0 {
		p.Para("  ", fmt.Sprintf("and %s more in the JSON and the CSV", console.Number(int64(more))), console.Dim)
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
		p.Para("  ", q.Title, console.Bold)
		p.Para("    ", fmt.Sprintf("%s %s → %s %s", q.Before.Mark, q.BeforeWord, q.After.Mark, q.AfterWord), q.After.Style)
		if q.AfterReason != "" && q.After != console.Good {
			p.Para("    ", q.AfterReason, console.Plain)
		}
	}
}

func (p *screen) proposed(r *rehearse.Result) {
	if len(r.Policies) == 0 {
		return
	}
	p.Section("What was proposed", console.Plural(int64(len(r.Policies)), "settings"))
	for i := range r.Policies {
		c := &r.Policies[i]
		text := console.Clean(c.Policy, console.MaxName)
		for _, s := range []string{changeWord(c.Change), stateWord(c.State)} {
			if s != "" {
				text += " · " + s
			}
		}
		p.Para("  - ", text, console.Plain)
	}
}
