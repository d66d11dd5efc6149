package render

import (
	"fmt"
	"io"

	"partnerguard/internal/access"
	"partnerguard/internal/print"
	"partnerguard/internal/prove"
)

// Options says what the terminal can do.
type Options = print.Options

// Limits of what the text shows; the rest is in the JSON.
const (
	textGaps     = 12 // of one question
	textFewer    = 5  // of each when there are several
	textNames    = 4
	textPolicies = 30
)

// screen is a report on a terminal.
type screen struct {
	*print.Screen
	from []string
	gaps int // shown of one question
}

// Text writes the answers for a terminal. No line is wider than o.Width, but
// for the words of a command that must stay whole, and with Color off there is
// no escape sequence at all.
func Text(w io.Writer, r *prove.Report, o Options) error {
	p := &screen{print.NewScreen(w, o), r.From, textGaps}
	if len(r.Proofs) > 1 {
		p.gaps = textFewer
	}
	p.Para("", partnerName(r), print.Bold)
	p.Sample(r.Sample)
	p.Blank()
	p.Headline(headline(r.Proofs))
	p.Incomplete(r.Complete, "answer", r.Incomplete, r.Inputs)
	for _, s := range r.Age {
		p.Para("! ", print.Clean(print.Ended(s), print.MaxSaying), print.Yellow)
	}
	all, letters := asks(r.Proofs)
	for i, proof := range r.Proofs {
		p.proof(proof, letters[i])
	}
	p.asks(all)
	p.policies(r.Proofs)
	p.Known(facts(r.Proofs))
	p.Inputs(r.Inputs)
	return p.Flush()
}

func (p *screen) proof(q *access.Proof, letters []string) {
	t := print.ToneOf(q.Verdict)
	p.Section(t.Mark+" "+title(q), print.VerdictWord(q.Verdict))
	p.Para("  ", print.Saying(q.Reason), t.Style)
	p.Para("  ", print.Clean(q.Question, print.MaxName), print.Dim)
	list, glass := split(q.Gaps)
	shown := min(len(list), p.gaps)
	for _, g := range list[:shown] {
		p.gap(fmt.Sprintf("%3d  ", number(q, g)), q, g, print.Red)
	}
	if more := len(list) - shown + q.More; more > 0 {
		p.Para("     ", fmt.Sprintf("and %s more in the JSON", print.Plural(int64(more), "gaps")), print.Dim)
	}
	if len(glass) > 0 {
		p.Blank()
		p.Para("  ", "Break-glass accounts apart: they may use another method, but not none.", print.Bold)
		for _, g := range glass[:min(len(glass), p.gaps)] {
			p.gap(fmt.Sprintf("%3d  ", number(q, g)), q, g, print.Yellow)
		}
	}
	if n := len(q.Possible); n > 0 {
		p.Blank()
		p.Para("  ", "Open, unless what is not in the export says otherwise:", print.Bold)
		for i := range q.Possible[:min(n, p.gaps)] {
			p.gap("  ?  ", q, &q.Possible[i], print.Yellow)
		}
		p.More("     ", n-p.gaps, " in the JSON")
	}
	if len(letters) > 0 {
		p.Blank()
		p.Para("  → ", asksTitle+": "+joinFew(letters, len(letters))+" at the end", print.Cyan)
	}
	if q.TooComplex {
		p.Para("  ! ", "The bound on work was met: the gaps listed are real, others may exist.", print.Yellow)
	}
}

// asks lists what to export, each request once and on its own line.
func (p *screen) asks(all []ask) {
	if len(all) == 0 {
		return
	}
	p.Section(asksTitle, asksAside(all))
	for i := range all {
		lead := fmt.Sprintf("  %-3s ", all[i].Letter)
		p.Para(lead, all[i].Request, print.Cyan)
		if all[i].Request != "" {
			lead = "      "
		}
		for _, t := range all[i].Things {
			p.Para(lead, t, print.Plain)
		}
	}
	p.Para("  ", asksHelp(all), print.Dim)
}

// gap is who and what, then why, then one sign-in to try.
func (p *screen) gap(lead string, q *access.Proof, g *access.Gap, st print.Style) {
	p.Blank()
	head := who(&g.Who, textNames)
	if len(g.Who.Names) > 1 {
		head = print.Plural(int64(g.Who.Count), "accounts") + " (" + head + ")"
	}
	p.Para(lead, head+": "+what(g), st)
	for i := range g.Why {
		p.Para("       why  ", why(&g.Why[i]), print.Plain)
	}
	w := &g.Witness
	account := print.Clean(w.Account, print.MaxName)
	if account == "" {
		return
	}
	p.Para("       try  ", account+" "+signIn(&w.SignIn)+": "+outcome(w.Outcome).Word, print.Plain)
	const in = 12
	for _, l := range print.FoldCommand(command(q, g, p.from), p.Width()-in) {
		p.Command(in, l)
	}
}

// policies lists what does not count as protection.
func (p *screen) policies(list []*access.Proof) {
	not, counted := uncounted(list)
	if len(not)+counted == 0 {
		return
	}
	aside := print.Number(int64(counted)) + " counted"
	if len(not) > 0 {
		aside += ", others not, or not for every question"
	}
	p.Section("Policies", aside)
	shown := min(len(not), textPolicies)
	for _, n := range not[:shown] {
		text := n.Policy + ": " + n.Why
		if len(n.Questions) > 0 {
			text += fmt.Sprintf(" (%s)", joinFew(n.Questions, 3))
		}
		p.Para("  – ", text, print.Plain)
	}
	p.More("    ", len(not)-shown, " in the JSON")
}

func joinFew(list []string, limit int) string {
	s := ""
	for i, v := range list {
		if i == limit {
			return s + fmt.Sprintf(" and %d more", len(list)-i)
		}
		if i > 0 {
			s += ", "
		}
		s += v
	}
	return s
}
