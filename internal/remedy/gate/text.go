package gate

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/remedy"
)

// textFindings bounds the findings of a kind that a terminal shows; textChoices those that a
// person has to accept by their ids, which nobody can whom they are not shown.
const textFindings, textChoices = 12, 200

// Headline is the answer in one sentence: what the plan closes, what has to be accepted,
// what refuses.
func Headline(p *remedy.Plan, gates []*remedy.Gate) (print.Tone, string) {
	if len(gates) == 0 {
		return print.Doubt, "The plan has no stage that was looked at."
	}
	last := gates[len(gates)-1]
	out := "This plan " + brings(p, last)
	accept, refuse := 0, 0
	ids := map[string]bool{}
	for _, g := range gates {
		for i := range g.Findings {
			switch f := &g.Findings[i]; {
			case !f.Refuses() || ids[f.ID]:
			case f.Acceptable:
				accept++
				ids[f.ID] = true
			default:
				refuse++
				ids[f.ID] = true
			}
		}
	}
	switch {
	case accept+refuse == 0:
		return print.Good, out + "; its gates pass."
	case refuse == 0:
		return print.Cautious, fmt.Sprintf("%s; %s to be accepted by name.", out, has(accept))
	case accept == 0:
		return print.Bad, fmt.Sprintf("%s; it is refused: %s.", out, print.Plural(int64(refuse), "reasons"))
	}
	return print.Bad, fmt.Sprintf("%s; %s to be accepted by name, and it is refused: %s.", out, has(accept), print.Plural(int64(refuse), "reasons"))
}

func has(n int) string {
	if n == 1 {
		return "1 consequence has"
	}
	return print.Plural(int64(n), "consequences") + " have"
}

// brings says what a plan does to the first question that it serves.
func brings(p *remedy.Plan, g *remedy.Gate) string {
	for i := range g.Answers {
		a := &g.Answers[i]
		serves := slices.ContainsFunc(p.Serves, func(id string) bool { return QuestionOf(id) == a.Question })
		if !serves && a.Closed == 0 {
			continue
		}
		accounts := print.Plural(int64(a.Closed), "accounts")
		switch {
		case a.After == "proved" && a.Before == "proved":
			return "leaves " + a.Question + " proved, as it is"
		case a.After == "proved" && a.Closed > 0:
			return "closes all " + accounts + " that are open, and " + a.Question + " is proved"
		case a.Closed > 0:
			return "closes " + accounts + ", and " + a.Question + " is not proved yet"
		}
		return "closes no account"
	}
	return "makes " + print.Plural(int64(len(p.Steps)), "changes")
}

// Text writes a plan's gates for a terminal: the answer first.
func Text(w io.Writer, p *remedy.Plan, gates []*remedy.Gate, o print.Options) error {
	s := print.NewScreen(w, o)
	s.Para("", fmt.Sprintf("Plan %s for %s: %s", p.ID, print.Clean(p.Goal, print.MaxName), print.Plural(int64(len(p.Steps)), "steps")), print.Bold)
	tone, line := Headline(p, gates)
	s.Headline(tone, line)
	stages(s, gates)
	s.Section("Steps", "")
	for i := range p.Steps {
		step := &p.Steps[i]
		how := ""
		switch {
		case step.Staged:
			how = " (in stages)"
		case step.First:
			how = " (first)"
		case Late(step):
			how = " (last, alone)"
		}
		s.Para(fmt.Sprintf("  %d  ", step.N), print.Clean(step.Text, print.MaxSaying)+how, print.Plain)
	}
	findings(s, gates)
	ways(s, gates)
	return s.Flush()
}

// stages is a line for each stage.
func stages(s *print.Screen, gates []*remedy.Gate) {
	s.Section("Stages", "")
	for _, g := range gates {
		mark, words := print.Good, "passes"
		if !g.Passed {
			n := 0
			for i := range g.Findings {
				if g.Findings[i].Refuses() {
					n++
				}
			}
			mark, words = print.Bad, "is refused by "+print.Plural(int64(n), "findings")
		}
		s.Para("  "+mark.Mark+" ", fmt.Sprintf("%-12s %s", g.Stage, words), mark.Style)
	}
	if len(gates) == 0 {
		return
	}
	last := gates[len(gates)-1]
	for _, a := range last.Answers {
		tone := print.ToneOf(a.After)
		words := print.VerdictWord(a.Before) + " → " + print.VerdictWord(a.After)
		if a.Closed > 0 {
			words += ", closes " + print.Plural(int64(a.Closed), "accounts")
		}
		if a.Opened > 0 {
			words += ", opens " + print.Plural(int64(a.Opened), "accounts")
		}
		s.Para("  "+tone.Mark+" ", fmt.Sprintf("%s: %s", a.Question, words), tone.Style)
	}
	if l := last.Log; l != nil && !l.To.IsZero() {
		s.Para("    ", fmt.Sprintf("rehearsed on %s from %s to %s", print.Plural(l.SignIns, "sign-ins"), l.From.Format(time.DateOnly),
			l.To.Format(time.DateOnly)), print.Dim)
	}
}

var kindWords = map[remedy.FindingKind]string{remedy.LocksOut: "locks out", remedy.Opens: "opens", remedy.Conflicts: "conflicts", remedy.Misses: "misses",
	remedy.Breaks: "breaks", remedy.Licence: "licence", remedy.Unknown: "not known", remedy.Lasts: "lasts", remedy.Tells: "to know"}

// findings are those of all stages, each once, with the stages at which it stands.
func findings(s *print.Screen, gates []*remedy.Gate) {
	var order []*remedy.Finding
	at := map[string][]string{}
	for k := len(gates) - 1; k >= 0; k-- { // as it is with all of it
		for i := range gates[k].Findings {
			f := &gates[k].Findings[i]
			if at[f.ID] == nil {
				order = append(order, f)
			}
			at[f.ID] = append([]string{string(gates[k].Stage)}, at[f.ID]...)
		}
	}
	for _, part := range []struct {
		title, aside string
		most         int
		take         func(*remedy.Finding) bool
	}{
		{"Refuses", "no acceptance helps", textChoices, func(f *remedy.Finding) bool { return f.Refuses() && !f.Acceptable }},
		{"To be accepted by name, or done away with", "remedy check PLAN --accept ID", textChoices,
			func(f *remedy.Finding) bool { return f.Refuses() && f.Acceptable }},
		{"Accepted", "", textFindings, func(f *remedy.Finding) bool { return f.Accepted != nil }},
		{"To know", "", textFindings, func(f *remedy.Finding) bool { return f.Kind == remedy.Tells }},
	} {
		n := 0
		for _, f := range order {
			if !part.take(f) {
				continue
			}
			if n == 0 {
				s.Section(part.title, part.aside)
			}
			if n++; n <= part.most {
				finding(s, f, at[f.ID])
			}
		}
		s.More("  ", n-part.most, " in the JSON")
	}
}

func finding(s *print.Screen, f *remedy.Finding, stages []string) {
	step := ""
	if f.Step > 0 {
		step = fmt.Sprintf(", step %d", f.Step)
	}
	s.Para("  "+f.ID+"  ", kindWords[f.Kind]+": "+print.Clean(f.Text, print.MaxSaying)+" ["+strings.Join(stages, ", ")+step+"]", print.Plain)
	if a := f.Accepted; a != nil {
		s.Para("            ", "accepted by "+print.Clean(a.By, print.MaxName)+" until "+a.Until.Format(time.DateOnly)+": "+
			print.Clean(a.Why, print.MaxSaying), print.Cyan)
		return
	}
	for _, w := range f.WaysOut {
		s.Para("            → ", print.Clean(w, print.MaxSaying), print.Dim)
	}
	if f.Settles != "" {
		s.Para("            settled by ", print.Clean(f.Settles, print.MaxSaying), print.Dim)
	}
}

// ways are the ways in that remain.
func ways(s *print.Screen, gates []*remedy.Gate) {
	if len(gates) == 0 {
		return
	}
	last := gates[len(gates)-1]
	s.Section("Ways in that are proved to remain", "")
	for _, w := range last.Ways {
		tested := "never seen in the log"
		if w.Tested != "" {
			tested = "last seen " + w.Tested
		}
		s.Para("  ✓ ", print.Clean(w.Account, print.MaxName)+" "+print.Clean(w.How, print.MaxSaying)+", "+tested, print.Plain)
	}
	if len(last.Ways) == 0 {
		s.Para("  ✗ ", "none", print.Red)
	}
	if a := last.Actor; a != nil {
		s.Para("  ✓ ", "who applies it, "+print.Clean(a.Account, print.MaxName)+", gets in "+print.Clean(a.How, print.MaxSaying), print.Plain)
	}
}
