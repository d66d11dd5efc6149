//go:build !judge

package pages

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/run"
	"partnerguard/internal/screen"
)

// gateOf is the gate that counts now: where it stopped, else of the last stage.
func gateOf(s *run.Status) *remedy.Gate {
	if s.Shut != nil {
		return s.Shut
	}
	for i := len(s.Past) - 1; i >= 0; i-- {
		if s.Past[i].Gate != nil {
			return s.Past[i].Gate
		}
	}
	if s.File != nil {
		return s.File.Gate
	}
	return nil
}

func gateCard(s *run.Status, people bool) screen.Block {
	g := gateOf(s)
	if g == nil {
		return screen.Card{ID: "gate", Head: "Gate", Body: []screen.Block{screen.Para{Text: "No gate was looked at yet.", Class: "note"}}}
	}
	items := screen.Items{Empty: "Nothing stands against it."}
	for i := range g.Findings {
		items.List = append(items.List, findingItem(&g.Findings[i], people))
	}
	word := page.Said{Tone: print.Bad, Word: "shut"}
	if g.Passed {
		word = page.Said{Tone: print.Good, Word: "passed"}
	}
	ways := "No way in was proved to remain"
	if n := int64(len(g.Ways)); n > 0 {
		ways = fmt.Sprintf("%s in %s proved to remain", print.Plural(n, "ways"), map[bool]string{true: "was", false: "were"}[n == 1])
	}
	return screen.Card{ID: "gate", Head: "Gate before " + print.Clean(string(g.Stage), 40), Aside: word.Word, Note: ways + ".",
		Body: []screen.Block{items}}
}

func findingSaid(f *remedy.Finding) *page.Said {
	said := page.Said{Tone: print.Bad, Word: strings.ReplaceAll(string(f.Kind), "-", " ")}
	switch {
	case f.Accepted != nil:
		said.Tone, said.Word = print.Cautious, said.Word+", accepted"
	case f.Kind == remedy.Tells:
		said.Tone = print.Muted
	case f.Kind == remedy.Unknown:
		said.Tone = print.Doubt
	}
	return &said
}

// findingItem is one finding of a gate. Whoever may not see people is shown its kind alone.
func findingItem(f *remedy.Finding, people bool) screen.Item {
	said := findingSaid(f)
	it := screen.Item{Said: said, Lead: print.Clean(f.Subject, 120), Text: print.Clean(f.Text, 400), Meta: said.Word + " · id " + print.Clean(f.ID, 20)}
	if rest, again := strings.CutPrefix(it.Text, it.Lead+" "); again {
		it.Text = rest
	}
	if !people && (f.SubjectID != "" || slices.Contains(ofPeople, f.Kind)) {
		it.Lead, it.Text = "an account or an app", ""
	} else if len(f.WaysOut) > 0 {
		it.Text += "; a way out: " + print.Clean(strings.Join(f.WaysOut, ", or "), 400)
	}
	if a := f.Accepted; a != nil {
		it.Meta += fmt.Sprintf(" · accepted by %s until %s", print.Clean(a.By, 80), a.Until.UTC().Format("2 Jan 2006"))
	}
	return it
}

// taken are the findings of the plan's own gate that somebody took upon themselves, before
// it was applied or since: what is not on the gate of an early stage, and comes with the last.
func taken(s *run.Status) (out []remedy.Finding) {
	if s.File == nil || s.File.Gate == nil || len(s.File.Stages) == 0 {
		return nil
	}
	list := append(slices.Clone(s.File.Accepted), counted(s)...)
	now := gateOf(s)
	for _, f := range s.File.Gate.Findings {
		i := slices.IndexFunc(list, func(a remedy.Acceptance) bool { return a.Finding == f.ID })
		if i < 0 || slices.ContainsFunc(now.Findings, func(x remedy.Finding) bool { return x.ID == f.ID }) {
			continue
		}
		f.Accepted = &list[i]
		out = append(out, f)
	}
	return out
}

func takenCard(list []remedy.Finding, s *run.Status, people bool) screen.Block {
	items := screen.Items{}
	for i := range list {
		items.List = append(items.List, findingItem(&list[i], people))
	}
	last := s.File.Stages[len(s.File.Stages)-1]
	return screen.Card{ID: "taken", Head: "Accepted by name", Note: "What comes with stage " + print.Clean(string(last), 40) +
		", as the plan foretold it and somebody took it upon themselves.", Body: []screen.Block{items}}
}

// counted are the consequences that were accepted since the plan was applied, by all whom it
// takes.
func counted(s *run.Status) (out []remedy.Acceptance) {
	for i := range s.Accepted {
		y := &s.Accepted[i]
		if !slices.ContainsFunc(s.Seconds, func(w run.Yes) bool { return w.Finding == y.Finding }) {
			out = append(out, y.Acceptance)
		}
	}
	return out
}

// surpriseCard is what a stage did that nobody had foretold.
func surpriseCard(s *run.Status, people bool) screen.Block {
	items, yes := screen.Items{}, counted(s)
	for i := range s.Findings {
		x := &s.Findings[i]
		it := screen.Item{Said: &page.Said{Tone: print.Bad, Word: "fails"}, Lead: print.Clean(cmp.Or(x.Effect.Name, x.Effect.Account), 120),
			Text: "fails with " + print.Clean(x.Effect.App, 120) + " by " + print.Clean(x.Effect.Client, 80),
			Meta: print.Plural(x.Effect.Count, "sign-ins") + " · stage " + print.Clean(string(x.Stage), 40) + " · id " + print.Clean(x.ID, 20)}
		if !people {
			it.Lead, it.Text = "an account", "is not shown to you"
		}
		if a := slices.IndexFunc(yes, func(a remedy.Acceptance) bool { return a.Finding == x.ID }); a >= 0 {
			it.Said = &page.Said{Tone: print.Cautious, Word: "accepted"}
			it.Meta += fmt.Sprintf(" · accepted by %s until %s", print.Clean(yes[a].By, 80), yes[a].Until.UTC().Format("2 Jan 2006"))
		} else if a := slices.IndexFunc(s.Seconds, func(y run.Yes) bool { return y.Finding == x.ID }); a >= 0 {
			it.Meta += " · accepted by " + print.Clean(s.Seconds[a].By, 80) + ", and waits for a second person"
		}
		items.List = append(items.List, it)
	}
	return screen.Card{ID: "surprises", Head: "Surprises", Note: "Look at each in the sign-in log first. To take one upon yourself: " +
		"partnerguard remedy approve " + print.Clean(s.ID, 60) + " --accept ID --why TEXT; then apply the plan again.", Body: []screen.Block{items}}
}

// told finds what the id of an acceptance is about: a finding of a gate, or a surprise.
func told(s *run.Status, id string, people bool) screen.Item {
	gates := []*remedy.Gate{s.Shut}
	for i := range s.Past {
		gates = append(gates, s.Past[i].Gate)
	}
	for _, g := range gates {
		if g == nil {
			continue
		}
		if k := slices.IndexFunc(g.Findings, func(f remedy.Finding) bool { return f.ID == id }); k >= 0 {
			return findingItem(&g.Findings[k], people)
		}
	}
	it := screen.Item{Said: &page.Said{Tone: print.Doubt, Word: "no evidence"}, Lead: print.Clean(id, 60)}
	for i := range s.Findings {
		if x := &s.Findings[i]; x.ID == id {
			it = screen.Item{Said: &page.Said{Tone: print.Bad, Word: "fails"}, Lead: print.Clean(cmp.Or(x.Effect.Name, x.Effect.Account), 120),
				Text: "fails with " + print.Clean(x.Effect.App, 120), Meta: "id " + print.Clean(x.ID, 20)}
			if !people {
				it.Lead, it.Text = "an account", "is not shown to you"
			}
		}
	}
	return it
}

// secondCard are the consequences that one person accepted and another has to. Whoever
// accepted one sees no button: it is another's.
func secondCard(s *run.Status, v *screen.Viewer, people bool) screen.Block {
	var body []screen.Block
	for i := range s.Seconds {
		y := &s.Seconds[i]
		said := fmt.Sprintf("Accepted by %s until %s", print.Clean(y.By, 80), y.Until.UTC().Format("2 Jan 2006"))
		if people {
			said += ": " + print.Clean(y.Why, 300)
		}
		body = append(body, screen.Items{List: []screen.Item{told(s, y.Finding, people)}}, screen.Para{Text: print.Ended(said), Class: "note pad"})
		if strings.EqualFold(y.By, v.Actor) {
			body = append(body, screen.Para{Text: "It waits for another person than you.", Class: "note pad"})
			continue
		}
		body = append(body, screen.Do{Path: "/remedy/plan/second", Right: screen.Approve, Text: "I accept it too",
			Fields: url.Values{"run": {s.ID}, "finding": {y.Finding}}})
	}
	return screen.Card{ID: "seconds", Head: "Waits for a second person", Note: "Read what would be so, and who took it upon themselves and why.", Body: body}
}
