package render

import (
	"fmt"
	"io"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/print"
)

// TextOptions says what the terminal can do.
type TextOptions = print.Options

// screen is a report on a screen.
type screen struct {
	*print.Screen
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
	p := &screen{Screen: print.NewScreen(w, o)}
	p.head(r)
	p.causes(r)
	must, should, not := groups(r.Requirements)
	p.counts = len("Fall short")
	for i := range r.Requirements {
		p.counts = max(p.counts, min(print.Width(fallShort(&r.Requirements[i])), 26))
	}
	p.requirements("Mandatory", must)
	p.requirements("Recommended", should)
	p.notApplicable(not)
	p.accounts(r)
	p.signIns(r)
	p.disagreements(r.Disagreements)
	p.vouched(r.Attestations)
	p.dates(r.Dates)
	p.score(&r.Score)
	p.Inputs(r.Inputs)
	return p.Flush()
}

func (p *screen) head(r *assess.Report) {
	p.Para("", partnerName(&r.Partner), print.Bold)
	facts := print.Named(kindWords, r.Partner.Kind) + " · " + print.Named(cloudWords, r.Partner.Cloud)
	if id := print.Clean(r.Partner.TenantID, print.MaxName); id != "" {
		facts += " · tenant " + id
	}
	p.Para("", facts, print.Plain)
	asOf := "As of " + print.When(print.SettledTime(r.AsOf))
	if span := evidenceSpan(&r.Age); span != "" {
		asOf += " · " + span
	}
	p.Para("", asOf, print.Plain)
	p.Sample(r.Sample)
	p.Blank()
	v, sentence := headline(r)
	p.Headline(print.ToneOf(v), sentence)
	p.Incomplete(r.Complete, "report", r.Incomplete, r.Inputs)
	for _, s := range r.Age.Banner {
		p.Para("! ", print.Clean(print.Ended(s), print.MaxSaying), print.Yellow)
	}
}

func (p *screen) requirements(title string, list []assess.Requirement) {
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

func verdictCell(v assess.Verdict) []print.Line {
	t := print.ToneOf(v)
	return print.Cell(t.Mark+" "+print.VerdictWord(v), t.Style)
}

// wide is a table of four columns.
func (p *screen) wide(list []assess.Requirement) {
	const gap = 2
	counts := p.counts
	left := p.Width() - verdictColumn - counts - 3*gap
	title := min(44, left*2/5)
	sizes := []int{verdictColumn, title, counts, left - title}
	p.Put(sizes, gap, print.Cell("Verdict", print.Dim), print.Cell("Requirement", print.Dim), print.Cell("Fall short", print.Dim),
		print.Cell("Why, and what to do", print.Dim))
	for i := range list {
		q := &list[i]
		if i > 0 {
			p.Blank()
		}
		name := print.Lines(print.Clean(q.Title, print.MaxSaying), title, print.Bold)
		name = append(name, print.Lines(identity(q), title, print.Dim)...)
		p.Put(sizes, gap,
			verdictCell(q.Verdict),
			name, print.Lines(fallShort(q), counts, print.Plain), because(q, sizes[3]))
	}
}

// narrow is the same row over the whole width, for 80 columns.
func (p *screen) narrow(list []assess.Requirement) {
	const gap = 1
	body := p.Width() - verdictColumn - gap
	for i := range list {
		q := &list[i]
		if i > 0 {
			p.Blank()
		}
		n := print.Fit(fallShort(q), body/2)
		if n == "—" {
			n = ""
		}
		room := body
		if n != "" {
			room -= print.Width(n) + 2
		}
		sizes := []int{verdictColumn, room, print.Width(n)}
		p.Put(sizes, gap,
			verdictCell(q.Verdict),
			print.Lines(print.Clean(q.Title, print.MaxSaying), room, print.Bold), print.Cell(n, print.Plain))
		rest := print.Lines(identity(q), body, print.Dim)
		rest = append(rest, because(q, body)...)
		p.Put([]int{verdictColumn, body}, gap, nil, rest)
	}
}

// identity is what a script or an auditor would search for.
func identity(q *assess.Requirement) string {
	s := print.Clean(q.ID, print.MaxName)
	if b := print.Named(bindingWords, q.Binding); b != "" {
		if s != "" {
			s += " · "
		}
		s += b
	}
	if a := shortAge(&q.Age); a != "" {
		s += " · " + a
	}
	return s
}

// because is reason, decisive evidence and what to do.
func because(q *assess.Requirement, w int) []print.Line {
	out := print.Lines(print.Saying(q.Reason), w, print.Plain)
	if q.Verdict == assess.NotMet || q.Verdict == assess.Unknown || q.Verdict == assess.Attested {
		shown := min(len(q.Evidence), textEvidence)
		for i := range shown {
			out = append(out, print.Hanging("· ", print.Clean(evidenceLine(&q.Evidence[i]), print.MaxSaying), w, print.Dim)...)
		}
		if more := len(q.Evidence) - shown + q.More; more > 0 {
			out = append(out, print.Lines(fmt.Sprintf("  and %s more", print.Number(int64(more))), w, print.Dim)...)
		}
	}
	if q.Verdict != assess.Met {
		for _, a := range actions(q) {
			out = append(out, print.Hanging("→ ", a, w, print.Cyan)...)
		}
	}
	return out
}

// notApplicable folds what does not apply to one line.
func (p *screen) notApplicable(list []assess.Requirement) {
	if len(list) == 0 {
		return
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = print.Clean(list[i].ID, print.MaxName)
	}
	p.Blank()
	lead := fmt.Sprintf("– Not applicable (%d): ", len(list))
	p.Print(lead+strings.Join(ids, ", "), print.Dim)
}

func (p *screen) accounts(r *assess.Report) {
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
			p.Para("  ", fmt.Sprintf("%s of %s could not be judged.", print.Number(int64(n)), print.Plural(int64(len(order)), "accounts")), print.Yellow)
		}
		return
	}
	p.Section("Accounts that do not meet", fmt.Sprintf("%s of %s", print.Number(int64(bad)), print.Number(int64(len(order)))))
	const gap = 2
	name := min(44, (p.Width()-gap)*2/5)
	sizes := []int{name, p.Width() - gap - name}
	shown := min(bad, textAccounts)
	var ways print.Letters
	for _, i := range order[:shown] {
		a := &r.Accounts[i]
		who := print.Hanging("✗ ", print.First(print.NoName, a.UserPrincipalName, a.DisplayName, a.ID), name, print.Red)
		about := print.ClassWord(a.Class)
		if a.Admin {
			about += ", admin"
		}
		who = append(who, print.Hanging("  ", about+" · "+factorWord(a.StrongestFactor), name, print.Dim)...)
		why := print.Lines(print.Saying(a.Reason), sizes[1], print.Plain)
		if a.Exception != "" {
			why = append(why, print.Hanging("≈ ", print.Saying(a.Exception), sizes[1], print.Plain)...)
		}
		if l := ways.Of(print.WayTexts(a.WaysOut)); l != "" {
			why = append(why, print.Hanging("→ ", "way out: "+l, sizes[1], print.Cyan)...)
		}
		p.Put(sizes, gap, who, why)
	}
	// Most accounts share a way out: each is said once.
	for i, text := range ways.Texts {
		p.Para("  "+print.Letter(i)+"  ", text, print.Cyan)
	}
	p.More("  ", bad-shown, " in the JSON and the accounts CSV")
	if n := open - bad; n > 0 {
		p.Para("  ", fmt.Sprintf("%s could not be judged.", print.Plural(int64(n), "further accounts")), print.Yellow)
	}
}

func (p *screen) signIns(r *assess.Report) {
	if r.SignIns.Rows == 0 {
		return
	}
	p.Section("Sign-ins", "")
	p.Para("  ", signInSentence(&r.SignIns), print.Plain)
}

// textDisagreements is how many disagreements the text shows.
const textDisagreements = 10

func (p *screen) disagreements(list []assess.Evidence) {
	if len(list) == 0 {
		return
	}
	p.Section("Settings and log disagree", print.Plural(int64(len(list)), "places"))
	p.Para("  ", disagreementHelp, print.Dim)
	for i := range list[:min(len(list), textDisagreements)] {
		p.Para("  · ", print.Clean(evidenceLine(&list[i]), print.MaxSaying), print.Plain)
	}
	p.More("  ", len(list)-textDisagreements, " in the JSON")
}

func (p *screen) score(s *assess.ScoreView) {
	aside := "not among the inputs"
	if s.Available {
		aside = points(s.Current) + " of " + points(s.Max) + " points"
		if t := print.Settled(s.Updated); t != nil {
			aside += ", updated " + print.When(*t)
		}
	}
	p.Section("Microsoft's score", aside)
	p.Para("  ", ScoreCaveat, print.Dim)
	const gap = 1
	body := p.Width() - verdictColumn - gap - 2
	for i := range s.Requirements {
		q := &s.Requirements[i]
		text := print.Clean(q.Type, print.MaxName) + ": " + points(q.Score) + " of " + points(q.MaxScore) + " points"
		if st := print.Clean(q.State, 40); st != "" && st != "active" {
			text += " (" + st + ")"
		}
		if d := print.Clean(q.Detail, print.MaxSaying); d != "" {
			text += ". " + d
		}
		p.Put([]int{2, verdictColumn, body}, 0, nil,
			verdictCell(q.Verdict), print.Lines(text, body, print.Plain))
	}
}
