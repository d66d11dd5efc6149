//go:build !judge

package pages

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/run"
	"partnerguard/internal/screen"
)

// Runs is where plans that were applied are; [run.Runner] is one.
type Runs interface {
	Status(ctx context.Context, id string) ([]run.Status, error)
}

// Actor does something to a run as somebody; [run.Runner] is one, by its As.
type Actor interface {
	Approve(ctx context.Context, id string) (run.Run, error)
	Second(ctx context.Context, id, finding string) (run.Run, error)
	Stop(ctx context.Context, id, reason string) (run.Run, error)
	Rollback(ctx context.Context, id, reason string) (run.Run, error)
	Confirm(ctx context.Context, id string, seq int) (run.Run, error)
}

// Pages are the console's pages of remedies. Safe for concurrent use.
type Pages struct {
	Runs Runs
	As   func(actor string) Actor
}

const maxReason = 500

// Screens are the pages.
func (p *Pages) Screens() []screen.Screen {
	return []screen.Screen{
		{
			Name: "remedy", Title: "Remedy", Icon: "heal", Group: screen.Posture, Order: 17, See: screen.SeePosture, Over: screen.OfHouse,
			About: "Changes of settings that were applied in stages, each behind a gate: how far they came, and what they proved.",
			List:  lineList, Load: p.load, Needs: p.needs, Find: p.find,
		},
		{
			Name: "remedy/plan", Title: "Plan", Icon: "heal", See: screen.SeePosture, Over: screen.OfHouse,
			About:  "One plan: what it changes in words, its stages and gates, the proof before and after, and what is next.",
			Params: []screen.Param{{Name: "run", About: "The run's id, or a beginning of it that no other has."}},
			List:   stepList, Load: p.loadPlan,
			Acts: p.acts(),
		},
	}
}

// acts are what can be done to a plan that was applied.
func (p *Pages) acts() []screen.Act {
	id := screen.Field{Name: "run", Label: "Plan", Kind: "hidden", Required: true, Max: 100}
	why := screen.Field{Name: "reason", Label: "Why", Kind: "text", Required: true, Max: maxReason,
		Hint: "It stands in the trail, under your name."}
	step := screen.Field{Name: "step", Label: "Step", Kind: "hidden", Required: true, Max: 10}
	finding := screen.Field{Name: "finding", Label: "Finding", Kind: "hidden", Required: true, Max: 100}
	return []screen.Act{
		{Name: "approve", Title: "Approve", Do: screen.Approve, Form: []screen.Field{id},
			About: "A second person's yes to exactly this plan. Read what it changes first.",
			Handle: p.act(func(ctx context.Context, a Actor, f url.Values) (string, error) {
				_, err := a.Approve(ctx, f.Get("run"))
				return "Approved: its steps are done from now on.", err
			})},
		{Name: "second", Title: "Accept it too", Do: screen.Approve, Form: []screen.Field{id, finding},
			About: "A second person's yes to a consequence that somebody accepted. Whoever accepted it cannot say it.",
			Handle: p.act(func(ctx context.Context, a Actor, f url.Values) (string, error) {
				_, err := a.Second(ctx, f.Get("run"), f.Get("finding"))
				return "Accepted by two people: the plan goes on when it is applied again.", err
			})},
		{Name: "stop", Title: "Stop", Do: screen.Operate, Form: []screen.Field{id, why},
			About: "Nothing more is begun. What was done stays as it is.",
			Handle: p.act(func(ctx context.Context, a Actor, f url.Values) (string, error) {
				_, err := a.Stop(ctx, f.Get("run"), print.Clean(f.Get("reason"), maxReason))
				return "Stopped: nothing more is begun.", err
			})},
		{Name: "rollback", Title: "Take it back", Do: screen.Operate, Form: []screen.Field{id, why},
			About: "Restores each object as it was, the last step first. What somebody else changed since is left alone, and told.",
			Handle: p.act(func(ctx context.Context, a Actor, f url.Values) (string, error) {
				_, err := a.Rollback(ctx, f.Get("run"), print.Clean(f.Get("reason"), maxReason))
				return "It is being taken back, the last step first.", err
			})},
		{Name: "confirm", Title: "It was done", Do: screen.Operate, Form: []screen.Field{id, step},
			About: "Says, under your name, that what a person had to do was done.",
			Handle: p.act(func(ctx context.Context, a Actor, f url.Values) (string, error) {
				n, err := strconv.Atoi(f.Get("step"))
				if err != nil || n < 1 {
					return "", problem.New(problem.Usage, "that is no step")
				}
				_, err = a.Confirm(ctx, f.Get("run"), n)
				return "Noted under your name.", err
			})},
	}
}

// PlanPath is the page of a run.
func PlanPath(id string) string { return screen.With("/remedy/plan", "run", id) }

// of finds a run that the viewer may know of. Whose it is not is as good as none.
func (p *Pages) of(ctx context.Context, v *screen.Viewer, id string) (*run.Status, error) {
	if id == "" {
		return nil, problem.New(problem.Usage, "the address names no plan").WithHint("the list of plans leads to each")
	}
	list, err := p.Runs.Status(ctx, id)
	var seen []run.Status
	for i := range list {
		if v.Sees(list[i].Tenant) {
			seen = append(seen, list[i])
		}
	}
	switch {
	case len(seen) == 1:
		return &seen[0], nil
	case len(seen) > 1:
		return nil, problem.New(problem.Usage, "several plans begin so").WithHint("the list of plans leads to each")
	case err != nil && v.Customers == nil: // whoever is limited is not told whether it is there
		return nil, err
	}
	return nil, problem.New(problem.NotFound, "there is no such plan here").WithHint("the list of plans names those that you may see")
}

// act does something to a run that the viewer may know of, as the viewer.
func (p *Pages) act(do func(context.Context, Actor, url.Values) (string, error)) func(context.Context, *screen.Ask, url.Values) (screen.Done, error) {
	return func(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
		s, err := p.of(ctx, a.Viewer, form.Get("run"))
		if err != nil {
			return screen.Done{}, err
		}
		form.Set("run", s.ID)
		said, err := do(ctx, p.As(a.Viewer.Actor), form)
		if err != nil {
			return screen.Done{}, err
		}
		return screen.Done{Path: PlanPath(s.ID), Said: said}, nil
	}
}

// lines are the runs that a viewer may know of, the newest first.
func (p *Pages) lines(ctx context.Context, v *screen.Viewer) ([]Line, error) {
	list, err := p.Runs.Status(ctx, "")
	if err != nil {
		return nil, err
	}
	out := []Line{}
	for i := len(list) - 1; i >= 0; i-- {
		if s := &list[i]; v.Sees(s.Tenant) {
			if !v.May(screen.SeePeople) {
				s = unnamed(s)
			}
			out = append(out, lineOf(s))
		}
	}
	return out, nil
}

func (p *Pages) needs(ctx context.Context, v *screen.Viewer) (n int) {
	list, err := p.lines(ctx, v)
	if err != nil {
		return 0
	}
	for i := range list {
		if list[i].wants() {
			n++
		}
	}
	return n
}

func (p *Pages) find(ctx context.Context, v *screen.Viewer, q string, limit int) (out []screen.Hit) {
	list, err := p.lines(ctx, v)
	if err != nil {
		return nil
	}
	for i := range list {
		if l := &list[i]; len(out) < limit && screenFinds(q, l.Goal, l.Name, l.ID) {
			out = append(out, screen.Hit{Title: l.Goal, Sub: l.Name + " · " + l.State, Path: PlanPath(l.ID), Icon: "heal"})
		}
	}
	return out
}

func (p *Pages) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	list, err := p.lines(ctx, a.Viewer)
	if err != nil {
		return nil, err
	}
	v := &screen.View{Rows: lineList.Of(list), Summary: map[string]int{"plans": len(list)},
		Sentence: "Changes of settings in stages: each is proved before it is done, watched, and can be taken back.",
		Nothing: &screen.Nothing{Head: "No plan was applied", Command: "partnerguard remedy list",
			Text: "The command says for each unmet requirement which changes would meet it, and what they break."}}
	wants := 0
	for i := range list {
		if list[i].wants() {
			wants++
		}
	}
	if wants > 0 {
		verb := map[bool]string{true: " waits", false: " wait"}[wants == 1]
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Cautious, Lead: print.Plural(int64(wants), "plans") + verb + " for a person.",
			Text: "They stopped, or a second person has to read and approve them."})
	}
	return v, nil
}

// summary is a run in numbers, for the API.
type summary struct {
	Line   Line            `json:"plan"`
	Stages []stage         `json:"stages"`
	Proof  []remedy.Answer `json:"proof"`
	Left   []run.Leftover  `json:"notTakenBack,omitempty"`
}

type stage struct {
	Stage string    `json:"stage"`
	State string    `json:"state"`
	Began time.Time `json:"began,omitzero"`
	Ended time.Time `json:"ended,omitzero"`
}
