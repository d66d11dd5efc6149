package pages

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/page"
	"partnerguard/internal/practice"
	"partnerguard/internal/practice/render"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// PartName is the part of the partner's snapshot that holds the report.
const PartName = "practices"

// Pages are the console's pages of the practices. Report must be safe for concurrent use;
// what it gives is not changed. Kind problem.NotFound where nothing was judged yet.
type Pages struct {
	Report func(ctx context.Context) (*practice.Report, error)
}

// fresh is how old a judgement may be before the page says so.
const fresh = 48 * time.Hour

// Screens are the pages.
func (p *Pages) Screens() []screen.Screen {
	return []screen.Screen{
		{
			Name: "practices", Title: "Practices", Icon: "check", Group: screen.Posture, Order: 25, See: screen.SeePosture, Over: screen.OfPartner,
			About: "Microsoft's CSP security best practices, each judged by evidence or by a person's dated word.",
			List:  list, Load: p.load, Find: p.find,
		},
		{
			Name: "practices/one", Title: "Practice", Icon: "check", See: screen.SeePosture, Over: screen.OfPartner,
			About:  "One best practice: what decided it, and what brings it about.",
			Params: []screen.Param{{Name: "id", About: "The practice's id: P15."}},
			List:   list, Load: p.loadOne,
		},
	}
}

func pathOf(id string) string { return screen.With("/practices/one", "id", id) }

var gravity = []assess.Verdict{assess.NotMet, assess.Unknown, assess.Attested, assess.Met, assess.NotApplicable}

func rank(q *practice.Row) int { return slices.Index(gravity, q.Verdict) }

var list = &screen.List[practice.Row]{
	Noun: "practice", Default: "id", Search: "practice, area, reason", PerPage: 50,
	Key: func(q *practice.Row) string { return q.ID },
	Columns: []screen.Column[practice.Row]{
		{Name: "id", Head: "Practice", Order: func(a, b *practice.Row) int { return strings.Compare(a.ID, b.ID) },
			Cell: func(q *practice.Row) screen.Cell { return screen.Named(q.ID+"  "+q.Title, q.Reason, pathOf(q.ID)) },
			Text: func(q *practice.Row) string { return q.ID }},
		{Name: "title", Head: "Title", Only: true, Text: func(q *practice.Row) string { return q.Title }},
		{Name: "reason", Head: "Reason", Only: true, Text: func(q *practice.Row) string { return q.Reason }},
		{Name: "verdict", Head: "Verdict", Order: func(a, b *practice.Row) int { return rank(a) - rank(b) },
			Cell: func(q *practice.Row) screen.Cell { s := page.SaidOf(q.Verdict); return screen.Cell{Said: &s} },
			Text: func(q *practice.Row) string { return string(q.Verdict) }},
		{Name: "short", Head: "Fall short", Right: true, Cell: shortCell, Text: render.Short},
		{Name: "area", Head: "Area", Drop: true, Cell: func(q *practice.Row) screen.Cell { return screen.Words(q.Area) }},
		{Name: "mode", Head: "Judged by", Drop: true, Cell: func(q *practice.Row) screen.Cell { return screen.Cell{Text: modeWord(q.Mode), Quiet: true} },
			Text: func(q *practice.Row) string { return q.Mode }},
		{Name: "settles", Head: "Settles", Only: true, Text: func(q *practice.Row) string { return q.Settles }},
	},
	Filters: []screen.Filter[practice.Row]{
		{Name: "verdict", Head: "Verdict", Enum: []string{"not_met", "unknown", "attested", "met", "not_applicable"},
			Of: func(q *practice.Row) []string { return []string{string(q.Verdict)} }, Word: print.VerdictWord[string]},
		{Name: "area", Head: "Area", Quiet: true, Of: func(q *practice.Row) []string { return []string{q.Area} }},
		{Name: "mode", Head: "Judged by", Quiet: true, Enum: []string{"auto", "auto+attest", "attest"},
			Of: func(q *practice.Row) []string { return []string{q.Mode} }, Word: modeWord},
	},
}

func modeWord(mode string) string {
	return map[string]string{"auto": "data", "auto+attest": "data and a person", "attest": "a person"}[mode]
}

func shortCell(q *practice.Row) screen.Cell {
	if q.Verdict != assess.NotMet || q.Total == 0 {
		return screen.Cell{Text: "–", Quiet: true}
	}
	return screen.Cell{Of: &screen.Part{N: int64(q.Affected), Of: int64(q.Total), Unit: q.Unit, Bar: true, Tone: print.Bad}}
}

// seen is the report as a viewer may see it: without whom its verdicts are about where they
// see some customers alone, or no people.
func (p *Pages) seen(ctx context.Context, v *screen.Viewer) (r *practice.Report, veiled bool, err error) {
	r, err = p.Report(ctx)
	if err != nil {
		return nil, false, err
	}
	if v.Customers == nil && v.May(screen.SeePeople) {
		return r, false, nil
	}
	out := *r
	out.Attestations, out.Incomplete = nil, nil
	out.Practices = slices.Clone(r.Practices)
	for i := range out.Practices {
		q := &out.Practices[i]
		q.Evidence, q.More, q.AttestedBy = nil, 0, ""
		q.Reason = "whom it is about is not shown to you"
		q.Action, q.Settles = "", ""
	}
	return &out, true, nil
}

func nothing() *screen.Nothing {
	return &screen.Nothing{Head: "Nothing was judged yet", Text: "The practices are judged once the partner's own tenant was read.", LinkText: "Collection",
		Path: "/collection", Command: "partnerguard collect --now --tenant partner"}
}

func (p *Pages) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	r, veiled, err := p.seen(ctx, a.Viewer)
	if errors.Is(err, problem.NotFound) {
		return &screen.View{Rows: list.Of(nil), Missing: true, Nothing: nothing()}, nil
	}
	if err != nil {
		return nil, err
	}
	_, sentence := render.Headline(r)
	v := &screen.View{Rows: list.Of(r.Practices), Summary: r.Sum, Nothing: nothing(), Sentence: print.Ended(sentence), Facts: facts(r),
		Notices: notices(r, veiled)}
	if !a.Machine {
		v.Above = []screen.Block{tiles(r)}
	}
	return v, nil
}

func facts(r *practice.Report) []screen.Fact {
	return []screen.Fact{{What: "Judged", At: r.AsOf, Allows: fresh, Source: "rule book of " + r.RuleBook, Rests: true}}
}

func notices(r *practice.Report, veiled bool) (out []screen.Notice) {
	if veiled {
		out = append(out, screen.Notice{Tone: print.Doubt, Lead: "Whom it is about is not shown.", Text: "You see some customers alone, or no people."})
	}
	if r.Customers > r.CustomersRead {
		out = append(out, screen.Notice{Tone: print.Doubt, Lead: "Customers' own tenants were not all read.",
			Text: render.CustomersText(r) + ": what rests on them is unknown."})
	}
	return out
}

func tiles(r *practice.Report) screen.Tiles {
	n := func(n int) string { return print.Number(int64(n)) }
	return screen.Tiles{
		{Head: "Not met", N: n(r.Sum.NotMet), Of: "of " + n(len(r.Practices)), Path: "/practices?verdict=not_met"},
		{Head: "Unknown", N: n(r.Sum.Unknown), Delta: "never counted as met", Path: "/practices?verdict=unknown"},
		{Head: "Met", N: n(r.Sum.Met), Delta: "by evidence", Path: "/practices?verdict=met"},
		{Head: "Attested", N: n(r.Sum.Attested), Delta: "by a person, until a day", Path: "/practices?verdict=attested"},
	}
}

func (p *Pages) find(ctx context.Context, v *screen.Viewer, q string, limit int) (out []screen.Hit) {
	r, _, err := p.seen(ctx, v)
	words := strings.Fields(strings.ToLower(q))
	if err != nil || len(words) == 0 {
		return nil
	}
	for i := range r.Practices {
		x := &r.Practices[i]
		all := strings.ToLower(x.ID + " " + x.Title + " " + x.Area)
		if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) }) {
			continue
		}
		out = append(out, screen.Hit{Title: x.Title, Sub: x.ID + " · " + print.VerdictWord(x.Verdict), Path: pathOf(x.ID), Icon: "check"})
		if len(out) == limit {
			break
		}
	}
	return out
}

// loadOne is one practice whole.
func (p *Pages) loadOne(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	r, veiled, err := p.seen(ctx, a.Viewer)
	if errors.Is(err, problem.NotFound) {
		return &screen.View{Rows: list.Of(nil), Missing: true, Nothing: nothing()}, nil
	}
	if err != nil {
		return nil, err
	}
	q, ok := r.Find(strings.ToUpper(a.Values.Get("id")))
	if !ok {
		return nil, problem.New(problem.NotFound, "no practice is called %.40q", a.Values.Get("id")).WithHint("they are P01 to P38")
	}
	v := &screen.View{Rows: list.Of([]practice.Row{*q}), Summary: q, Sentence: q.Text, Facts: facts(r), Notices: notices(r, veiled)}
	v.Actions = []screen.Action{{Text: "All practices", Path: "/practices"}}
	if q.Mode != "auto" && a.Viewer.May(screen.AskException) {
		v.Actions = append(v.Actions, screen.Action{Text: "Attest", Path: "/exceptions", Primary: true})
	}
	if a.Machine {
		return v, nil
	}
	v.Below = []screen.Block{screen.Side{Shape: "g-main", List: []screen.Block{
		screen.Card{Head: "What decided it", Body: []screen.Block{decided(q)}}, screen.Card{Head: "What brings it about", Body: []screen.Block{remedy(q)}},
	}}}
	return v, nil
}

// decided is a practice's reason, evidence and age.
func decided(q *practice.Row) screen.Block {
	items := screen.Items{Empty: "Nothing that was read is shown for it."}
	for i := range q.Evidence {
		e := &q.Evidence[i]
		it := screen.Item{Lead: print.Clean(e.Subject, print.MaxName), Text: print.Clean(e.Detail, print.MaxSaying),
			Meta: print.Clean(e.Source.String(), print.MaxName)}
		if e.Observed != nil {
			it.Meta = print.When(print.SettledTime(*e.Observed)) + " · " + it.Meta
		}
		items.List = append(items.List, it)
	}
	return screen.Func(func(b *screen.Builder) {
		b.Elem("p", print.Ended(print.Sentence(print.Clean(q.Reason, print.MaxSaying))))
		if q.Verdict == assess.Unknown && q.Settles != "" {
			b.Elem("p", "What settles it: "+print.Clean(render.Do(q), print.MaxSaying))
		}
		items.Build(b)
		if q.More > 0 {
			b.Elem("p", "and "+print.Number(int64(q.More))+" more", screen.A("class", "note"))
		}
		if q.Age.Text != "" {
			b.Elem("p", print.Ended(print.Sentence(q.Age.Text)), screen.A("class", "note"))
		}
	})
}

// remedy is what brings it about, in order.
func remedy(q *practice.Row) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		b.Class("div", "stack")
		b.Open("ol", screen.A("class", "dots"))
		for _, s := range render.RemedyLines(&q.Remedy) {
			b.Elem("li", print.Clean(s, print.MaxSaying))
		}
		b.End("ol")
		b.Elem("p", "Written at "+q.Source, screen.A("class", "note"))
		b.End("div")
	})
}
