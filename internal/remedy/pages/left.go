//go:build !judge

package pages

import (
	"fmt"
	"net/url"
	"slices"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/remedy/object"
	"partnerguard/internal/remedy/run"
	"partnerguard/internal/screen"
)

// leftCount says how many objects were not taken back.
func leftCount(n int) string {
	return print.Plural(int64(n), "objects") + map[bool]string{true: " was", false: " were"}[n == 1] + " not taken back"
}

// again says that taking the plan back once more tries an object that was not taken back.
func again(s *run.Status, l *run.Leftover) bool {
	return slices.ContainsFunc(s.Steps, func(p run.Progress) bool { return p.Seq == l.Step && p.State == run.NotTaken })
}

// leftCard is what was not taken back, each with why and with the way on.
func leftCard(s *run.Status) screen.Block {
	var body []screen.Block
	for i := range s.Left {
		l := &s.Left[i]
		said := &page.Said{Tone: print.Cautious, Word: "stays"}
		if again(s, l) {
			said = &page.Said{Tone: print.Bad, Word: "not taken back"}
		}
		body = append(body,
			screen.Items{List: []screen.Item{{Said: said, Lead: print.Clean(l.Name, 120), Text: print.Clean(l.Why, 300),
				Meta: object.KindWords(l.Kind) + fmt.Sprintf(" · step %d", l.Step)}}},
			screen.Para{Text: print.Ended(print.Sentence(print.Clean(l.Settle, 500))), Class: "note pad"},
			screen.Do{Path: "/remedy/plan/confirm", Right: screen.Operate, Text: "It is as it should be",
				Fields: url.Values{"run": {s.ID}, "step": {fmt.Sprint(l.Step)}}})
	}
	return screen.Card{ID: "left", Head: "Not taken back", Note: leftCount(len(s.Left)) + ". Look at each: it stays as it is until somebody sees to it.",
		Body: body}
}
