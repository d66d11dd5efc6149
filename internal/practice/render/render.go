package render

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/practice"
	"partnerguard/internal/print"
)

// JSON writes all of a report, as docs/practices.md describes it; lists are never null.
func JSON(w io.Writer, r *practice.Report) error { return print.JSON(w, Settled(r)) }

// Settled is a copy that encodes: no nil lists, no date that JSON cannot carry.
func Settled(r *practice.Report) *practice.Report {
	c := *r
	c.AsOf = print.SettledTime(c.AsOf)
	c.Incomplete, c.Attestations = print.List(c.Incomplete), print.List(c.Attestations)
	c.Practices = print.List(slices.Clone(c.Practices))
	for i := range c.Practices {
		q := &c.Practices[i]
		q.Rules = print.List(q.Rules)
		q.Age.Newest, q.Age.Oldest = print.Settled(q.Age.Newest), print.Settled(q.Age.Oldest)
		q.Evidence = print.List(slices.Clone(q.Evidence))
		for k := range q.Evidence {
			q.Evidence[k].Observed = print.Settled(q.Evidence[k].Observed)
		}
	}
	c.Inputs = print.List(slices.Clone(c.Inputs))
	for i := range c.Inputs {
		t := &c.Inputs[i].Times
		t.Stated, t.Newest, t.Written, t.At = print.Settled(t.Stated), print.Settled(t.Newest), print.Settled(t.Written), print.Settled(t.At)
	}
	return &c
}

// CSV writes one row a practice (RFC 4180, UTF-8, CRLF); cells cannot become formulas.
func CSV(w io.Writer, r *practice.Report) error {
	out := print.NewSheet(w, "id", "area", "title", "text", "mode", "binding", "verdict", "reason", "affected", "total", "unit", "action", "settles",
		"remedy_plan", "remedy_command", "remedy_steps", "remedy_check", "evidence", "more_evidence", "requirements", "source", "age_days", "age",
		"attested_by", "attested_until")
	for i := range r.Practices {
		q := &r.Practices[i]
		said := make([]string, len(q.Evidence))
		for k := range q.Evidence {
			said[k] = pieceLine(&q.Evidence[k])
		}
		out.Row(q.ID, q.Area, q.Title, q.Text, q.Mode, q.Binding, string(q.Verdict), q.Reason, strconv.Itoa(q.Affected), strconv.Itoa(q.Total), q.Unit,
			q.Action, q.Settles, planOf(&q.Remedy), q.Remedy.Command, strings.Join(q.Remedy.Steps, " | "), q.Remedy.Check, strings.Join(said, " | "),
			strconv.Itoa(q.More), strings.Join(q.Rules, " "), q.Source, strconv.Itoa(q.Age.Days), q.Age.Text, q.AttestedBy, q.AttestedUntil)
	}
	return out.Close()
}

// planOf is the whole command of a remedy's goal.
func planOf(m *practice.Remedy) string {
	if m.Plan == "" {
		return ""
	}
	return "partnerguard remedy plan " + m.Plan
}

// pieceLine is one piece of evidence on one line.
func pieceLine(e *assess.Evidence) string {
	s := e.Subject
	if e.Detail != "" {
		if s != "" {
			s += ": "
		}
		s += e.Detail
	}
	if at := e.Source.String(); at != "" {
		s += " (" + at + ")"
	}
	return s
}

const (
	verdictColumn = 16 // "– not applicable"
	textEvidence  = 3
)

// Text writes a report for a terminal, by area; long evidence is cut, which the JSON is not.
func Text(w io.Writer, r *practice.Report, o print.Options) error {
	p := print.NewScreen(w, o)
	head(p, r)
	for _, area := range Areas(r.Practices) {
		rows := OfArea(r.Practices, area)
		p.Section(print.Sentence(area), SumText(rows))
		for i := range rows {
			if i > 0 {
				p.Blank()
			}
			row(p, rows[i], textEvidence)
		}
	}
	return p.Flush()
}

// One writes one practice whole, with its remedy and what decides it.
func One(w io.Writer, r *practice.Report, q *practice.Row, o print.Options) error {
	p := print.NewScreen(w, o)
	head(p, r)
	p.Section(print.Clean(q.Title, print.MaxSaying), q.Area)
	row(p, q, len(q.Evidence))
	p.Blank()
	p.Para("", print.Clean(q.Text, print.MaxSaying), print.Plain)
	p.Para("Judged by: ", modeWords[q.Mode], print.Plain)
	if len(q.Rules) > 0 {
		p.Para("With: ", strings.Join(q.Rules, ", ")+" of the rule book", print.Plain)
	}
	p.Section("What brings it about", "")
	for _, s := range RemedyLines(&q.Remedy) {
		p.Para("→ ", print.Clean(s, print.MaxSaying), print.Plain)
	}
	p.Para("Written at: ", q.Source, print.Dim)
	return p.Flush()
}

// RemedyLines are a remedy in sentences: what does it, steps in order, and the check.
func RemedyLines(m *practice.Remedy) (out []string) {
	if plan := planOf(m); plan != "" {
		out = append(out, plan)
	}
	if m.Command != "" {
		out = append(out, m.Command)
	}
	out = append(out, m.Steps...)
	return append(out, "then look again: "+m.Check)
}

var modeWords = map[string]string{
	"auto":        "what was collected or exported",
	"auto+attest": "what was collected, and a person's dated word where that cannot decide",
	"attest":      "a person's dated word",
}

// ModeWord is how people read a mode.
func ModeWord(mode string) string { return modeWords[mode] }

func head(p *print.Screen, r *practice.Report) {
	p.Para("", Name(r), print.Bold)
	p.Para("", "CSP security best practices · as of "+print.When(print.SettledTime(r.AsOf)), print.Plain)
	p.Sample(r.Sample)
	p.Blank()
	tone, sentence := Headline(r)
	p.Headline(tone, sentence)
	if s := CustomersText(r); s != "" {
		p.Para("", s, print.Plain)
	}
	p.Incomplete(r.Complete, "report", r.Incomplete, r.Inputs)
}

// Name is whose practices they are.
func Name(r *practice.Report) string {
	return print.First("Unnamed partner", r.Partner.DisplayName, r.Partner.TenantID)
}

// Headline is all of it in a sentence.
func Headline(r *practice.Report) (print.Tone, string) {
	s := r.Sum
	n := s.Met + s.NotMet + s.Unknown + s.Attested
	text := fmt.Sprintf("Of %d practices %d are met, %d not met, %d unknown, %d attested", n, s.Met, s.NotMet, s.Unknown, s.Attested)
	switch {
	case s.NotMet > 0:
		return print.Bad, text
	case s.Unknown > 0:
		return print.Doubt, text
	}
	return print.Good, text
}

// CustomersText says how many customers' own tenants were read; "" there are none.
func CustomersText(r *practice.Report) string {
	if r.Customers == 0 {
		return ""
	}
	return fmt.Sprintf("Of %s the own tenants of %d were read", print.Plural(int64(r.Customers), "customers"), r.CustomersRead)
}

// Areas are the areas of the practices, in their order.
func Areas(rows []practice.Row) (out []string) {
	for i := range rows {
		if !slices.Contains(out, rows[i].Area) {
			out = append(out, rows[i].Area)
		}
	}
	return out
}

// OfArea are the rows of one area.
func OfArea(rows []practice.Row, area string) (out []*practice.Row) {
	for i := range rows {
		if rows[i].Area == area {
			out = append(out, &rows[i])
		}
	}
	return out
}

// SumText counts the verdicts of rows.
func SumText(rows []*practice.Row) string {
	n := map[assess.Verdict]int{}
	for _, q := range rows {
		n[q.Verdict]++
	}
	var out []string
	for _, v := range []assess.Verdict{assess.NotMet, assess.Unknown, assess.Met, assess.Attested, assess.NotApplicable} {
		if n[v] > 0 {
			out = append(out, fmt.Sprintf("%d %s", n[v], print.VerdictWord(v)))
		}
	}
	return strings.Join(out, ", ")
}

// Short is how many fall short: "3 of 41 accounts"; "" it cannot be counted.
func Short(q *practice.Row) string {
	if q.Verdict != assess.NotMet || q.Total == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s %s", print.Number(int64(q.Affected)), print.Number(int64(q.Total)), q.Unit)
}

func row(p *print.Screen, q *practice.Row, most int) {
	const gap = 1
	body := p.Width() - verdictColumn - gap
	t := print.ToneOf(q.Verdict)
	lines := print.Lines(print.Clean(q.ID+"  "+q.Title, print.MaxSaying), body, print.Bold)
	if s := Short(q); s != "" {
		lines = append(lines, print.Lines(s, body, print.Dim)...)
	}
	lines = append(lines, print.Lines(print.Saying(q.Reason), body, print.Plain)...)
	if q.Verdict != assess.Met {
		for i := range q.Evidence[:min(most, len(q.Evidence))] {
			lines = append(lines, print.Hanging("· ", print.Clean(pieceLine(&q.Evidence[i]), print.MaxSaying), body, print.Dim)...)
		}
		if more := len(q.Evidence) - min(most, len(q.Evidence)) + q.More; more > 0 {
			lines = append(lines, print.Lines("  and "+print.Number(int64(more))+" more", body, print.Dim)...)
		}
	}
	if do := Do(q); do != "" && q.Verdict != assess.Met && q.Verdict != assess.NotApplicable {
		lines = append(lines, print.Hanging("→ ", print.Saying(do), body, print.Cyan)...)
	}
	p.Put([]int{verdictColumn, body}, gap, print.Cell(t.Mark+" "+print.VerdictWord(q.Verdict), t.Style), lines)
}

// Do is what to do about a row, for people: of what is unknown, what settles it.
func Do(q *practice.Row) string {
	do := q.Action
	if q.Verdict == assess.Unknown {
		do = q.Settles
	}
	switch {
	case evidence.IsRequest(do):
		return "export " + evidence.Brief(do)
	case strings.HasPrefix(do, "partnerguard "):
		return "run: " + do
	}
	return evidence.Brief(do)
}
