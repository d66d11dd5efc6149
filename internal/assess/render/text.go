package render

import (
	"fmt"
	"io"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/console"
)

// TextOptions says what the terminal can do.
type TextOptions = console.Options

// page is a report on a screen.
type page struct {
	*console.Screen
	counts int // columns of the "Fall short" column, the same in every table
}

// Limits of what the text shows; the rest is in the JSON.
const (
	textEvidence = 3  // pieces of evidence for what is not met or unknown
	textAccounts = 20 // accounts that do not meet
	wideFrom     = 120
)

// Text writes the report for a terminal. No line is wider than o.Width, and
// with Color off there is no escape sequence at all.
func Text(w io.Writer, r *assess.Report, o TextOptions) error {
	p := &page{Screen: console.NewScreen(w, o)}
	p.head(r)
	must, should, not := groups(r.Requirements)
	p.counts = len("Fall short")
	for i := range r.Requirements {
		p.counts = max(p.counts, min(console.Width(fallShort(&r.Requirements[i])), 26))
	}
	p.requirements("Mandatory", must)
	p.requirements("Recommended", should)
	p.notApplicable(not)
	p.accounts(r)
	p.signIns(r)
	p.disagreements(r.Disagreements)
	p.score(&r.Score)
	p.Inputs(r.Inputs)
	return p.Flush()
}

func (p *page) head(r *assess.Report) {
	p.Para("", partnerName(&r.Partner), console.Bold)
	facts := kindWord(r.Partner.Kind) + " · " + cloudWord(r.Partner.Cloud)
	if id := console.Clean(r.Partner.TenantID, console.MaxName); id != "" {
		facts += " · tenant " + id
	}
	p.Para("", facts, console.Plain)
	p.Para("", "As of "+console.When(console.SettledTime(r.AsOf)), console.Plain)
	if r.Sample {
		p.Para("", console.SampleWords, console.Cyan)
	}
	p.Blank()
	v, sentence := headline(r)
	p.Para(verdictMark(v)+" ", sentence, verdictTone(v).Style.Strong())
	p.Incomplete(r.Complete, "report", r.Incomplete, r.Inputs)
}

func (p *page) requirements(title string, list []assess.Requirement) {
	if len(list) == 0 {
		return
	}
	p.Section(title, count(list).String())
	if p.Width() >= wideFrom {
		p.wide(list)
		return
	}
	p.narrow(list)
}

const verdictColumn = 11 // "✗ not met", "? unknown", "≈ attested"

// wide is a table of four columns.
func (p *page) wide(list []assess.Requirement) {
	const gap = 2
	counts := p.counts
	left := p.Width() - verdictColumn - counts - 3*gap
	title := min(44, left*2/5)
	sizes := []int{verdictColumn, title, counts, left - title}
	p.Put(sizes, gap, console.Cell("Verdict", console.Dim), console.Cell("Requirement", console.Dim), console.Cell("Fall short", console.Dim), console.Cell("Why, and what to do", console.Dim))
	for i := range list {
		q := &list[i]
		if i > 0 {
			p.Blank()
		}
		name := console.Lines(console.Clean(q.Title, console.MaxSaying), title, console.Bold)
		name = append(name, console.Lines(identity(q), title, console.Dim)...)
		p.Put(sizes, gap,
			console.Cell(verdictMark(q.Verdict)+" "+verdictWord(q.Verdict), verdictTone(q.Verdict).Style),
			name, console.Lines(fallShort(q), counts, console.Plain), because(q, sizes[3]))
	}
}

// narrow is the same row over the whole width, for 80 columns.
func (p *page) narrow(list []assess.Requirement) {
	const gap = 1
	body := p.Width() - verdictColumn - gap
	for i := range list {
		q := &list[i]
		if i > 0 {
			p.Blank()
		}
		n := console.Fit(fallShort(q), body/2)
		if n == "—" {
			n = ""
		}
		room := body
		if n != "" {
			room -= console.Width(n) + 2
		}
		sizes := []int{verdictColumn, room, console.Width(n)}
		p.Put(sizes, gap,
			console.Cell(verdictMark(q.Verdict)+" "+verdictWord(q.Verdict), verdictTone(q.Verdict).Style),
			console.Lines(console.Clean(q.Title, console.MaxSaying), room, console.Bold), console.Cell(n, console.Plain))
		rest := console.Lines(identity(q), body, console.Dim)
		rest = append(rest, because(q, body)...)
		p.Put([]int{verdictColumn, body}, gap, nil, rest)
	}
}

// identity is what a script or an auditor would search for.
func identity(q *assess.Requirement) string {
	s := console.Clean(q.ID, console.MaxName)
	if b := bindingWord(q.Binding); b != "" {
		if s != "" {
			s += " · "
		}
		s += b
	}
	return s
}

// because is reason, decisive evidence and what to do.
func because(q *assess.Requirement, w int) []console.Line {
	out := console.Lines(console.Saying(q.Reason), w, console.Plain)
	if q.Verdict == assess.NotMet || q.Verdict == assess.Unknown || q.Verdict == assess.Attested {
		shown := min(len(q.Evidence), textEvidence)
		for i := range shown {
			out = append(out, console.Hanging("· ", console.Clean(evidenceLine(&q.Evidence[i]), console.MaxSaying), w, console.Dim)...)
		}
		if more := len(q.Evidence) - shown + q.More; more > 0 {
			out = append(out, console.Lines(fmt.Sprintf("  and %s more", console.Number(int64(more))), w, console.Dim)...)
		}
	}
	if q.Verdict != assess.Met {
		for _, a := range actions(q) {
			out = append(out, console.Hanging("→ ", a, w, console.Cyan)...)
		}
	}
	return out
}

// notApplicable folds what does not apply to one line.
func (p *page) notApplicable(list []assess.Requirement) {
	if len(list) == 0 {
		return
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = console.Clean(list[i].ID, console.MaxName)
	}
	p.Blank()
	lead := fmt.Sprintf("– Not applicable (%d): ", len(list))
	p.Print(lead+strings.Join(ids, ", "), console.Dim)
}

func (p *page) accounts(r *assess.Report) {
	order, open := accountOrder(r.Accounts)
	bad := 0
	for _, i := range order[:open] {
		if r.Accounts[i].MFA == assess.NotMet {
			bad++
		}
	}
	if len(order) == 0 {
		return
	}
	if bad == 0 {
		p.Section("Accounts that do not meet", "none")
		if n := open; n > 0 {
			p.Para("  ", fmt.Sprintf("%s of %s could not be judged.", console.Number(int64(n)), console.Plural(int64(len(order)), "accounts")), console.Yellow)
		}
		return
	}
	p.Section("Accounts that do not meet", fmt.Sprintf("%s of %s", console.Number(int64(bad)), console.Number(int64(len(order)))))
	const gap = 2
	name := min(44, (p.Width()-gap)*2/5)
	sizes := []int{name, p.Width() - gap - name}
	shown := min(bad, textAccounts)
	var ways console.Letters
	for _, i := range order[:shown] {
		a := &r.Accounts[i]
		who := console.Hanging("✗ ", accountName(a), name, console.Red)
		about := classWord(a.Class)
		if a.Admin {
			about += ", admin"
		}
		who = append(who, console.Hanging("  ", about+" · "+factorWord(a.StrongestFactor), name, console.Dim)...)
		why := console.Lines(console.Saying(a.Reason), sizes[1], console.Plain)
		if l := ways.Of(wayTexts(a.WaysOut)); l != "" {
			why = append(why, console.Hanging("→ ", "way out: "+l, sizes[1], console.Cyan)...)
		}
		p.Put(sizes, gap, who, why)
	}
	// Most accounts share a way out: each is said once.
	for i, text := range ways.Texts {
		p.Para("  "+console.Letter(i)+"  ", text, console.Cyan)
	}
	if more := bad - shown; more > 0 {
		p.Para("  ", fmt.Sprintf("and %s more in the JSON and the accounts CSV", console.Number(int64(more))), console.Dim)
	}
	if n := open - bad; n > 0 {
		p.Para("  ", fmt.Sprintf("%s could not be judged.", console.Plural(int64(n), "further accounts")), console.Yellow)
	}
}

func (p *page) signIns(r *assess.Report) {
	if r.SignIns.Rows == 0 {
		return
	}
	p.Section("Sign-ins", "")
	p.Para("  ", signInSentence(&r.SignIns), console.Plain)
}

// textDisagreements is how many disagreements the text shows.
const textDisagreements = 10

func (p *page) disagreements(list []assess.Evidence) {
	if len(list) == 0 {
		return
	}
	p.Section("Settings and log disagree", console.Plural(int64(len(list)), "places"))
	p.Para("  ", disagreementHelp, console.Dim)
	for i := range list[:min(len(list), textDisagreements)] {
		p.Para("  · ", console.Clean(evidenceLine(&list[i]), console.MaxSaying), console.Plain)
	}
	if more := len(list) - textDisagreements; more > 0 {
		p.Para("  ", fmt.Sprintf("and %s more in the JSON", console.Number(int64(more))), console.Dim)
	}
}

func (p *page) score(s *assess.ScoreView) {
	aside := "not among the inputs"
	if s.Available {
		aside = points(s.Current) + " of " + points(s.Max) + " points"
		if t := console.Settled(s.Updated); t != nil {
			aside += ", updated " + console.When(*t)
		}
	}
	p.Section("Microsoft's score", aside)
	p.Para("  ", ScoreCaveat, console.Dim)
	const gap = 1
	body := p.Width() - verdictColumn - gap - 2
	for i := range s.Requirements {
		q := &s.Requirements[i]
		text := console.Clean(q.Type, console.MaxName) + ": " + points(q.Score) + " of " + points(q.MaxScore) + " points"
		if st := console.Clean(q.State, 40); st != "" && st != "active" {
			text += " (" + st + ")"
		}
		if d := console.Clean(q.Detail, console.MaxSaying); d != "" {
			text += ". " + d
		}
		p.Put([]int{2, verdictColumn, body}, 0, nil,
			console.Cell(verdictMark(q.Verdict)+" "+verdictWord(q.Verdict), verdictTone(q.Verdict).Style), console.Lines(text, body, console.Plain))
	}
}

func wayTexts(list []assess.WayOut) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].Text
	}
	return out
}
