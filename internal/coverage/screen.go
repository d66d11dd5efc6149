package coverage

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/snapshot"
)

// Deps are what the pages are made of.
type Deps struct {
	// Part gives the part of a tenant as it was judged last. Kind problem.NotFound where
	// nothing was. Required.
	Part func(ctx context.Context, tenant string) (*Part, snapshot.Mark, error)
	// Engine gives the settings of a tenant as the archive has them, as of a moment. It
	// may take seconds, and is remembered by whoever supplies it. Required.
	Engine func(ctx context.Context, tenant string) (*access.Engine, time.Time, error)
	// Rehearse replays the recorded sign-ins of a tenant through a proposal. It may take
	// minutes. Required.
	Rehearse func(ctx context.Context, tenant string, p Propose) (*Rehearsal, error)
	Now      func() time.Time // nil: the clock
	// Limit is how long one rehearsal may take; 0 is two minutes.
	Limit time.Duration
}

// Feature has the pages. Safe for concurrent use.
type Feature struct {
	Deps
	runs *runs
}

// New makes the feature. Close ends what it still runs.
func New(d Deps) (*Feature, error) {
	if d.Part == nil || d.Engine == nil || d.Rehearse == nil {
		return nil, problem.New(problem.Internal, "coverage has no parts, no settings or nothing to rehearse with")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Limit == 0 {
		d.Limit = 2 * time.Minute
	}
	return &Feature{d, newRuns(d.Limit, d.Now)}, nil
}

// Close ends rehearsals that still run, and waits for them.
func (f *Feature) Close() error { f.runs.close(); return nil }

// Screens are the pages.
func (f *Feature) Screens() []screen.Screen {
	return []screen.Screen{
		{
			Name: "coverage", Title: "Coverage", Icon: "matrix", Group: screen.Posture, Order: 20, See: screen.SeePosture, Over: screen.OfTenant,
			About: "Proved from the settings: who is asked for MFA, where and with which client, and what each policy does.",
			List:  policyList,
			Params: []screen.Param{{Name: "cell", About: "The cell that is opened: a class of accounts and a column."}, {Name: "place",
				About: "Only this place."}},
			Load: f.load,
		},
		f.decideScreen(), f.rehearseScreen(),
	}
}

func (f *Feature) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	p, mark, err := f.Part(ctx, a.Tenant.ID)
	if errors.Is(err, problem.NotFound) {
		return missing(), nil
	}
	if err != nil {
		return nil, err
	}
	return pageOf(p, mark, a)
}

// missing is the page of a tenant that nothing was judged of.
func missing() *screen.View {
	return &screen.View{Missing: true, Rows: policyList.Of(nil), Nothing: &screen.Nothing{Head: "Nothing was judged yet",
		Text: "Coverage is proved from the policies, accounts and roles of a tenant once they are collected.", Command: "partnerguard collect --now"}}
}

func unread(p *Part, mark snapshot.Mark) *screen.View {
	return &screen.View{Sentence: "What the settings prove is not known.", Facts: factsOf(p, mark), Rows: policyList.Of(nil),
		Notices: []screen.Notice{{Tone: print.Doubt, Lead: "Unknown.", Text: print.Ended(p.Unread), LinkText: "What could not be read", Path: "/collection"}},
		Nothing: &screen.Nothing{Head: "No policy was read", Text: "That is not the same as there being none.", Command: "partnerguard doctor"}, Summary: p}
}

func factsOf(p *Part, mark snapshot.Mark) []screen.Fact {
	at := p.Settings
	if at.IsZero() {
		at = mark.At
	}
	return []screen.Fact{{What: "Settings", At: at, Allows: p.Allows, Source: "Microsoft Graph, Conditional Access policies", Rests: true}}
}

// board is one view of a part.
type board struct {
	*Part
	a      *screen.Ask
	names  bool // the viewer may see people by name
	where  int  // the place that is looked at alone, or -1
	cell   address
	opened bool
}

func pageOf(p *Part, mark snapshot.Mark, a *screen.Ask) (*screen.View, error) {
	if p.Unread != "" {
		return unread(p, mark), nil
	}
	if !p.fits() {
		return nil, problem.Wrap(snapshot.ErrBroken, problem.Unavailable, "what is kept of the page coverage of %s cannot be read", mark.Tenant).
			WithHint("the next judgement writes it anew: partnerguard collect --now")
	}
	g := &board{Part: p, a: a, names: a.Viewer.May(screen.SeePeople), where: -1}
	if err := g.read(a.Values); err != nil {
		return nil, err
	}
	v := &screen.View{
		Sentence: "Proved from the settings for every account, place, app and client at once.", Facts: factsOf(p, mark),
		Rows:    policyList.Of(g.policyRows()),
		Nothing: &screen.Nothing{Head: "No policy and no security defaults", Text: "The list was read to its end, and nothing asks anybody for MFA."},
		Summary: g.summary(),
	}
	if a.Machine {
		return v, nil
	}
	if g.names { // what is decided and rehearsed names people
		v.Actions = []screen.Action{{Text: "Ask about a sign-in", Icon: "q", Path: g.path("/coverage/decide")},
			{Text: "Rehearse a change", Icon: "play", Path: g.path("/coverage/rehearse"), Primary: true}}
	}
	v.Notices = g.notices()
	v.Above = append(v.Above, g.tiles(), screen.Func(func(b *screen.Builder) {
		b.Class("div", "grid g-cov")
		g.matrix().Build(b)
		g.beside().Build(b)
		b.End("div")
	}))
	v.Below = append(v.Below, g.answers())
	if len(p.Missing) > 0 {
		v.Below = append(v.Below, g.missing())
	}
	return v, nil
}

// path is another page of the same tenant.
func (g *board) path(path string, pairs ...string) string {
	return screen.With(path, append([]string{"tenant", g.a.Tenant.ID}, pairs...)...)
}

// read settles what the page's address says.
func (g *board) read(v url.Values) error {
	if k := v.Get("place"); k != "" {
		for i := range g.Places {
			if g.Places[i].Key == k {
				g.where = i
			}
		}
		if g.where < 0 {
			return problem.New(problem.NotFound, "the policies name no such place any more").WithHint("leave place out of the address to see all of them")
		}
	}
	k := v.Get("cell")
	if k == "" {
		return nil
	}
	for who := range g.Cells {
		for col := range g.Cells[who] {
			if x := (address{who, col}); g.key(x) == k {
				g.cell, g.opened = x, true
				return nil
			}
		}
	}
	return problem.New(problem.NotFound, "there is no such cell any more: the policies tell other accounts or places apart now").
		WithHint("leave cell out of the address")
}

// policyRows are the policies, without who changed them where the viewer may not see
// people by name.
func (g *board) policyRows() []Policy {
	if g.names {
		return g.Policy
	}
	out := slices.Clone(g.Policy)
	for i := range out {
		out[i].By = ""
	}
	return out
}

// summary is what the API has beside the policies: the cells, without names of accounts
// where the viewer may not see them.
func (g *board) summary() any {
	if g.names {
		return g.Part
	}
	p := *g.Part
	p.Who = append([]Who(nil), p.Who...)
	for i := range p.Who {
		p.Who[i].Name, p.Who[i].Some = g.whoName(i), nil
	}
	p.Details = append([]Detail(nil), p.Details...)
	for i := range p.Details {
		p.Details[i].Account = Person{}
		p.Details[i].Why = g.whys(&g.Part.Details[i])
	}
	p.Fixes = append([]Fix(nil), p.Fixes...)
	for i := range p.Fixes {
		p.Fixes[i].Title, p.Fixes[i].Detail = g.fixTitle(i), ""
	}
	p.Policy = nil // they are the rows
	return &p
}
