//go:build !judge

package pages

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
	"partnerguard/internal/remedy/run"
	"partnerguard/internal/screen"
)

// Step is one step of a run as the page shows it.
type Step struct {
	Seq     int      `json:"seq"`
	Stage   string   `json:"stage"`
	Text    string   `json:"text"`
	Kind    string   `json:"kind"`
	Name    string   `json:"name,omitempty"`
	State   string   `json:"state"`
	Words   string   `json:"words,omitempty"`
	Changes []string `json:"changes,omitempty"`
	Traps   []string `json:"traps,omitempty"`
	Undo    string   `json:"undo"`
	Do      []string `json:"do,omitempty"`

	run string
}

// personal are the kinds of objects that are an account's.
var personal = []remedy.Kind{remedy.PerUserMFA, remedy.Member, remedy.Role}

// ofPeople are the kinds of findings whose words may name an account.
var ofPeople = []remedy.FindingKind{remedy.LocksOut, remedy.Opens, remedy.Breaks}

// unnamed takes out of a run what its words may say of an account, for whoever may not see
// people.
func unnamed(s *run.Status) *run.Status {
	out := *s
	if s.Why != "" {
		out.Why = "what is waited for or went wrong may name accounts, which are not shown to you"
		if strings.Contains(s.Next, s.Why) {
			out.Next = "somebody who may see people looks at it"
		}
	}
	if out.Drifted != "" {
		out.Drifted = "what was applied is no longer so"
	}
	if len(s.Left) > 0 {
		out.Left = slices.Clone(s.Left)
		for i := range out.Left {
			l := &out.Left[i]
			if l.Why = "why may name accounts, which are not shown to you"; slices.Contains(personal, l.Kind) {
				l.Name, l.ID = "an account's", ""
			}
		}
		out.Next = leftCount(len(s.Left)) + "; the plan's page names them"
	}
	return &out
}

// stepsOf are the steps of a run, or of its plan while nothing was begun.
func stepsOf(s *run.Status, people bool) (out []Step) {
	add := func(seq int, stage, state, words string, x *remedy.Step) {
		row := Step{Seq: seq, Stage: stage, Text: print.Clean(x.Text, 300), Kind: object.KindWords(x.Kind), State: state, Words: print.Clean(words, 300),
			Traps: x.Traps, Undo: string(x.Undo), run: s.ID}
		if x.Task != nil {
			row.Do = x.Task.Do
			if !people {
				row.Do = slices.DeleteFunc(slices.Clone(row.Do), func(d string) bool { return strings.HasPrefix(d, remedy.About) })
			}
		}
		if !people {
			row.Words = ""
		}
		if !people && slices.Contains(personal, x.Kind) {
			row.Text = "an account is concerned"
		} else {
			row.Name = print.Clean(x.Name, 120)
			for _, c := range object.Diff(x.Kind, x.Before, x.After, nil) {
				switch {
				case x.Kind == remedy.Person:
				case !people && strings.HasPrefix(c.Path, "/conditions/users/") && strings.HasSuffix(c.Path, "Users"):
					row.Changes = append(row.Changes, "single accounts, which are not shown to you")
				default:
					row.Changes = append(row.Changes, c.Words)
				}
			}
		}
		out = append(out, row)
	}
	for i := range s.Steps {
		p := &s.Steps[i]
		words := p.Words
		if p.Refused != "" {
			words = p.Refused
		}
		add(p.Seq, string(p.Stage), string(p.State), words, &p.Step)
	}
	if len(out) == 0 && s.File != nil {
		for i := range s.File.Steps {
			add(s.File.Steps[i].N, "", "to come", "", &s.File.Steps[i])
		}
	}
	return out
}

func stepSaid(state string) page.Said {
	tone := print.Doubt
	switch run.StepState(state) {
	case run.Done, run.Found:
		tone = print.Good
	case run.Failed, run.NotTaken:
		tone = print.Bad
	case run.Asked, run.Undoes, run.Stays:
		tone = print.Cautious
	case run.Left, run.Reverted:
		tone = print.Muted
	}
	return page.Said{Tone: tone, Word: map[string]string{"asked": "a person's", "found": "was so", "not-taken": "not taken back"}[state] +
		map[bool]string{true: "", false: state}[slices.Contains([]string{"asked", "found", "not-taken"}, state)]}
}

var stepList = &screen.List[Step]{
	Noun: "step", Default: "seq", Search: "what, object, state", PerPage: 200, Lead: 1,
	Key: func(s *Step) string { return fmt.Sprint(s.Seq) },
	Columns: []screen.Column[Step]{
		{Name: "seq", Head: "No.", Right: true, Plain: true, Drop: true, Order: func(a, b *Step) int { return a.Seq - b.Seq },
			Cell: func(s *Step) screen.Cell { return screen.Cell{Text: fmt.Sprint(s.Seq), Quiet: true} }},
		{Name: "text", Head: "What", Cell: func(s *Step) screen.Cell {
			sub := s.Kind
			if !strings.Contains(s.Text, s.Name) {
				sub += " " + s.Name
			}
			return screen.Cell{Text: s.Text, Sub: sub}
		}, Text: func(s *Step) string { return s.Text }},
		{Name: "kind", Head: "Object", Only: true, Text: func(s *Step) string { return s.Kind }},
		{Name: "name", Head: "Name", Only: true, Text: func(s *Step) string { return s.Name }},
		{Name: "stage", Head: "Stage", Drop: true, Cell: func(s *Step) screen.Cell { return screen.Cell{Text: s.Stage, Never: "–"} }},
		{Name: "state", Head: "State", Cell: func(s *Step) screen.Cell {
			said := stepSaid(s.State)
			return screen.Cell{Said: &said, Sub: s.Words}
		}, Text: func(s *Step) string { return s.State }},
		{Name: "changes", Head: "Changes", Only: true, Text: func(s *Step) string { return strings.Join(s.Changes, "; ") }},
		{Name: "undo", Head: "Way back", Drop: true,
			Cell: func(s *Step) screen.Cell { return screen.Cell{Text: undoWords[remedy.Undo(s.Undo)], Quiet: true} },
			Text: func(s *Step) string { return s.Undo }},
	},
	Detail: func(s *Step) []screen.Block {
		changes := screen.Items{Empty: "Nothing is shown of it to you, or a person does it."}
		for _, c := range s.Changes {
			changes.List = append(changes.List, screen.Item{Text: c})
		}
		out := []screen.Block{screen.Bit{Head: "What changes", Body: []screen.Block{changes}}}
		if len(s.Do) > 0 {
			do := screen.Items{}
			for _, d := range s.Do {
				do.List = append(do.List, screen.Item{Text: print.Clean(d, 300)})
			}
			body := []screen.Block{do}
			if s.State == string(run.Asked) {
				body = append(body, screen.Do{Path: "/remedy/plan/confirm", Right: screen.Operate, Text: "It was done",
					Fields: url.Values{"run": {s.run}, "step": {fmt.Sprint(s.Seq)}}})
			}
			out = append(out, screen.Bit{Head: "What a person does", Body: body})
		}
		if len(s.Traps) > 0 {
			traps := screen.Items{}
			for _, t := range s.Traps {
				traps.List = append(traps.List, screen.Item{Text: print.Sentence(print.Clean(t, 300))})
			}
			out = append(out, screen.Bit{Head: "To know", Body: []screen.Block{traps}})
		}
		return out
	},
}

var undoWords = map[remedy.Undo]string{remedy.Restores: "restored", remedy.Removes: "removed again", remedy.SoftDeleted: "restored within 30 days",
	remedy.Recreates: "made anew", remedy.Irreversible: "none", remedy.ByPerson: "by a person"}

func (p *Pages) loadPlan(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	s, err := p.of(ctx, a.Viewer, a.Values.Get("run"))
	if err != nil {
		return nil, err
	}
	people := a.Viewer.May(screen.SeePeople)
	if !people {
		s = unnamed(s)
	}
	l, stages := lineOf(s), stagesOf(s)
	v := &screen.View{Rows: stepList.Of(stepsOf(s, people)), Summary: summary{l, stages, s.Proof, s.Left},
		Sentence: print.Clean(l.Goal, 200) + ", " + print.Clean(l.Name, 120),
		Nothing:  &screen.Nothing{Head: "No step was begun", Text: "What it changes is shown once the plan can be read."}}
	if a.Machine {
		return v, nil
	}
	v.Actions = []screen.Action{{Text: "All plans", Icon: "heal", Path: "/remedy"}}
	v.Notices = notices(s)
	left := []screen.Block{nextCard(s, &l, a.Viewer.May(screen.Operate))}
	if len(s.Left) > 0 {
		left = append(left, leftCard(s))
	}
	if len(s.Seconds) > 0 {
		left = append(left, secondCard(s, a.Viewer, people))
	}
	if len(s.Findings) > 0 {
		left = append(left, surpriseCard(s, people))
	}
	left = append(left, proofCard(s.Proof), gateCard(s, people))
	if list := taken(s); len(list) > 0 {
		v.Below = []screen.Block{takenCard(list, s, people)}
	}
	right := []screen.Block{stageCard(stages), aboutCard(s)}
	v.Above = []screen.Block{screen.Side{Shape: "g-side", List: []screen.Block{stack(left), stack(right)}}}
	return v, nil
}

func stack(list []screen.Block) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		b.Class("div", "stack")
		for _, x := range list {
			x.Build(b)
		}
		b.End("div")
	})
}

func notices(s *run.Status) (out []screen.Notice) {
	if s.Refused != "" {
		out = append(out, screen.Notice{Tone: print.Bad, Lead: "What is kept of this plan is not believed.", Text: print.Ended(print.Clean(s.Refused, 300))})
	}
	if s.Drifted != "" {
		out = append(out, screen.Notice{Tone: print.Bad, Lead: "Something is no longer as it was left.",
			Text: "partnerguard remedy drift " + s.ID + " says what, and by whom."})
	}
	if s.State == run.Stopped {
		out = append(out, screen.Notice{Tone: print.Bad, Lead: "It stopped itself, or was stopped.", Text: print.Ended(print.Clean(s.Why, 300))})
	}
	return out
}

// nextCard says what is next, with what can be done. What steps into the work asks why first.
func nextCard(s *run.Status, l *Line, may bool) screen.Block {
	buttons := screen.Func(func(b *screen.Builder) {
		b.Class("span", "row")
		if s.State == run.Waiting {
			screen.Do{Path: "/remedy/plan/approve", Right: screen.Approve, Text: "Approve", Fields: url.Values{"run": {s.ID}}, Primary: true}.Build(b)
		}
		ask := func(act, text, class string) {
			b.Elem("a", text, screen.A("class", class), screen.A("href", screen.With("/remedy/plan/"+act, "run", s.ID)))
		}
		if may && !s.State.Over() && s.State != run.Stopped {
			ask("stop", "Stop", "btn")
		}
		if may && s.State != run.Undone && s.State != run.Undoing && s.State != run.Waiting {
			ask("rollback", "Take it back", "btn danger")
		}
		if may && s.State == run.Undone && slices.ContainsFunc(s.Left, func(l run.Leftover) bool { return again(s, &l) }) {
			ask("rollback", "Take it back once more", "btn danger")
		}
		b.End("span")
	})
	return screen.Card{ID: "next", Head: "What is next", Aside: stateSaid(l.State).Word, Body: []screen.Block{
		stack([]screen.Block{screen.Para{Text: print.Ended(print.Sentence(print.Clean(s.Next, 400))), Class: "mt0"}, buttons})}}
}

func answerSaid(word string) *page.Said {
	tone := map[string]print.Tone{"proved": print.Good, "gap": print.Bad}[word]
	if word != "proved" && word != "gap" {
		tone = print.Doubt
	}
	return &page.Said{Tone: tone, Word: print.Clean(word, 40)}
}

// proofCard is how each question stood before, and stands now.
func proofCard(list []remedy.Answer) screen.Block {
	items := screen.Items{Empty: "Nothing was proved yet: it is when the first stage is looked at."}
	for _, a := range list {
		text := fmt.Sprintf("%s before; ", print.Clean(a.Before, 40))
		switch {
		case a.Closed == 0 && a.Opened == 0:
			text += "no account's ways changed"
		default:
			text += fmt.Sprintf("%s closed, %s opened", print.Plural(int64(a.Closed), "accounts"), print.Number(int64(a.Opened)))
		}
		items.List = append(items.List, screen.Item{Said: answerSaid(a.After), Lead: print.Clean(a.Question, 100), Text: text})
	}
	return screen.Card{ID: "proof", Head: "Proof before and after", Note: "Over the settings as they are, by the same engine that found the gap.",
		Body: []screen.Block{items}}
}

// stageCard are the stages as a line of what was passed and what is to come.
func stageCard(list []stage) screen.Block {
	items := screen.Items{Timeline: true, Empty: "The plan's stages cannot be read."}
	for _, s := range list {
		tone := map[string]print.Tone{"passed": print.Good, "stopped": print.Bad, "watched": print.Doubt, "being done": print.Doubt}[s.State]
		if s.State == "to come" {
			tone = print.Muted
		}
		it := screen.Item{Said: &page.Said{Tone: tone, Word: s.State}, Lead: s.Stage, Text: s.State}
		if !s.Began.IsZero() {
			it.Meta = "since " + s.Began.UTC().Format("2 Jan 15:04 UTC")
		}
		if !s.Ended.IsZero() {
			it.Meta = s.Began.UTC().Format("2 Jan") + " to " + s.Ended.UTC().Format("2 Jan")
		}
		items.List = append(items.List, it)
	}
	return screen.Card{ID: "stages", Head: "Stages", Body: []screen.Block{items}}
}

func aboutCard(s *run.Status) screen.Block {
	signer := s.Signer
	if signer == "" {
		signer = "nobody"
	}
	p := screen.Pairs{
		{Key: "Run", Cell: screen.Cell{Text: s.ID, Mono: true}},
		{Key: "Plan", Cell: screen.Cell{Text: s.Plan, Mono: true}},
		{Key: "Signed by", Cell: screen.Words(print.Clean(signer, 120))},
		{Key: "Applied by", Cell: screen.Cell{Text: print.Clean(s.Actor, 120), SubAt: s.Applied}},
	}
	if len(s.Second) > 0 {
		c := screen.Cell{Text: "not yet", Sub: print.Clean(strings.Join(s.Second, ", "), 300)}
		if s.Approved != nil {
			c.Text = print.Clean(s.Approved.Actor, 120)
		}
		p = append(p, screen.Pair{Key: "Second person", Cell: c})
	}
	return screen.Card{ID: "about", Head: "The plan", Body: []screen.Block{p},
		Foot: "It can be taken back by hand too: the instructions were written before it began."}
}
