//go:build !judge

package pages

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/run"
	"partnerguard/internal/screen"
)

// Line is one run in the list.
type Line struct {
	ID      string    `json:"id"`
	Goal    string    `json:"goal"`
	Tenant  string    `json:"tenant"`
	Name    string    `json:"name"`
	State   string    `json:"state"`
	Stage   string    `json:"stage"`
	Reached int       `json:"reachedPercent"` // of accounts; 0 before the pilot and in it
	Proved  int       `json:"proved"`         // questions that are proved now
	Asked   int       `json:"questions"`
	Applied time.Time `json:"applied"`
	Actor   string    `json:"actor"`
	Next    string    `json:"next"`
	Drifted string    `json:"drifted,omitempty"`
	Refused string    `json:"refused,omitempty"`
	Left    int       `json:"notTakenBack,omitempty"`         // objects, of a run that was taken back
	Seconds int       `json:"waitsForSecondPerson,omitempty"` // consequences that one person accepted
}

func lineOf(s *run.Status) Line {
	l := Line{ID: s.ID, Goal: s.Goal, Tenant: s.Tenant, Name: s.Name, State: string(s.State), Stage: string(s.Stage), Applied: s.Applied, Actor: s.Actor,
		Next: s.Next, Drifted: s.Drifted, Refused: s.Refused, Asked: len(s.Proof),
		Left: len(s.Left), Seconds: len(s.Seconds)}
	if l.Name == "" {
		l.Name = s.Tenant
	}
	for i := range s.Past {
		if !s.Past[i].Done.IsZero() && s.State != run.Undone {
			l.Reached = s.Past[i].Stage.Share()
		}
	}
	for _, a := range s.Proof {
		if a.After == "proved" {
			l.Proved++
		}
	}
	return l
}

// wants says that a person has to look.
func (l *Line) wants() bool {
	return l.Refused != "" || l.Drifted != "" || l.State == string(run.Waiting) || l.State == string(run.Stopped) ||
		l.Left > 0 || l.Seconds > 0
}

// screenFinds looks for words of a query in texts.
func screenFinds(q string, texts ...string) bool {
	hay := strings.ToLower(strings.Join(texts, " "))
	for w := range strings.FieldsSeq(strings.ToLower(q)) {
		if !strings.Contains(hay, w) {
			return false
		}
	}
	return q != ""
}

// stateSaid is a state as a verdict.
func stateSaid(state string) page.Said {
	switch run.State(state) {
	case run.Waiting:
		return page.Said{Tone: print.Cautious, Word: "waits for a yes"}
	case run.Stopped:
		return page.Said{Tone: print.Bad, Word: "stopped"}
	case run.Ended:
		return page.Said{Tone: print.Good, Word: "done"}
	case run.Undone:
		return page.Said{Tone: print.Muted, Word: "taken back"}
	case run.Undoing:
		return page.Said{Tone: print.Cautious, Word: "being taken back"}
	case run.Watching:
		return page.Said{Tone: print.Doubt, Word: "watched"}
	case run.Holding:
		return page.Said{Tone: print.Doubt, Word: "waits for the next stage"}
	case run.Running:
		return page.Said{Tone: print.Doubt, Word: "being done"}
	}
	return page.Said{Tone: print.Doubt, Word: print.Clean(state, 40)}
}

func stateCell(l *Line) screen.Cell {
	said := stateSaid(l.State)
	c := screen.Cell{Said: &said, Sub: print.Clean(l.Next, 160)}
	switch {
	case l.Refused != "":
		c.Said, c.Sub = &page.Said{Tone: print.Bad, Word: "not believed"}, print.Clean(l.Refused, 160)
	case l.Drifted != "":
		c.Tags = []screen.Tag{{Text: "changed since", Tone: print.Bad}}
	case l.Left > 0:
		c.Tags = []screen.Tag{{Text: print.Number(int64(l.Left)) + " not taken back", Tone: print.Bad}}
	}
	return c
}

var lineList = &screen.List[Line]{
	Noun: "plan", Default: "-applied", Search: "goal, tenant, id", PerPage: 100,
	Key:    func(l *Line) string { return l.ID },
	Tenant: func(l *Line) string { return l.Tenant },
	Columns: []screen.Column[Line]{
		{Name: "goal", Head: "Goal", Cell: func(l *Line) screen.Cell { return screen.Named(print.Clean(l.Goal, 120), l.ID, PlanPath(l.ID)) },
			Text: func(l *Line) string { return l.Goal }},
		{Name: "tenant", Head: "Tenant", Drop: true, Cell: func(l *Line) screen.Cell { return screen.Words(print.Clean(l.Name, 120)) }},
		{Name: "tenantId", Head: "Tenant id", Only: true, Text: func(l *Line) string { return l.Tenant }},
		{Name: "state", Head: "State", Cell: stateCell, Text: func(l *Line) string { return l.State }},
		{Name: "stage", Head: "Stage", Order: func(a, b *Line) int { return a.Reached - b.Reached }, Cell: func(l *Line) screen.Cell {
			return screen.Cell{Text: l.Stage, Sub: print.Number(int64(l.Reached)) + " % of accounts", Never: "–"}
		}, Text: func(l *Line) string { return l.Stage }},
		{Name: "proved", Head: "Proved", About: "questions that are proved now, of those that it was made for", Right: true, Plain: true,
			Order: func(a, b *Line) int { return a.Proved - b.Proved }, Cell: func(l *Line) screen.Cell {
				if l.Asked == 0 {
					return screen.Cell{Text: "–", Quiet: true}
				}
				return screen.Cell{Of: &screen.Part{N: int64(l.Proved), Of: int64(l.Asked)}}
			}},
		{Name: "applied", Head: "Applied", Right: true, Plain: true, Order: func(a, b *Line) int { return a.Applied.Compare(b.Applied) },
			Cell: func(l *Line) screen.Cell { return screen.When(l.Applied, "never") }},
		{Name: "actor", Head: "By", Drop: true, Cell: func(l *Line) screen.Cell { return screen.Cell{Text: l.Actor, Quiet: true} }},
		{Name: "next", Head: "What is next", Only: true, Text: func(l *Line) string { return l.Next }},
		{Name: "notTakenBack", Head: "Not taken back", Only: true, Text: func(l *Line) string { return strconv.Itoa(l.Left) }},
		{Name: "drifted", Head: "Changed since", Only: true, Text: func(l *Line) string { return l.Drifted }},
	},
	Filters: []screen.Filter[Line]{
		{Name: "state", Head: "State", Enum: states(), Of: func(l *Line) []string { return []string{l.State} },
			Word: func(v string) string { return stateSaid(v).Word }},
		{Name: "wants", Head: "Wants a person", Quiet: true, Enum: []string{"yes", "no"}, Of: func(l *Line) []string {
			return []string{map[bool]string{true: "yes", false: "no"}[l.wants()]}
		}},
	},
}

func states() (out []string) {
	for _, s := range run.States() {
		out = append(out, string(s))
	}
	return out
}

// stagesOf are the stages of a run's plan, and how each stands.
func stagesOf(s *run.Status) (out []stage) {
	names := []remedy.Stage{}
	if s.File != nil {
		names = append(names, s.File.Stages...)
	}
	for i := range s.Past {
		if !slices.Contains(names, s.Past[i].Stage) {
			names = append(names, s.Past[i].Stage)
		}
	}
	for _, n := range names {
		x := stage{Stage: string(n), State: "to come"}
		for i := range s.Past {
			if p := &s.Past[i]; p.Stage == n {
				x.Began, x.Ended, x.State = p.Began, p.Ended, "being done"
				switch {
				case !p.Ended.IsZero():
					x.State = "passed"
				case !p.Done.IsZero():
					x.State = "watched"
				}
			}
		}
		if s.State == run.Stopped && n == s.Stage && x.State != "passed" {
			x.State = "stopped"
		}
		out = append(out, x)
	}
	return out
}
