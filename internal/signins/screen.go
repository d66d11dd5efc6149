package signins

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
	// Between reads the rows of a time from the archive, at most limit of them, the newest;
	// more says that there are others. It may take seconds. Required.
	Between func(ctx context.Context, tenant string, from, to time.Time, limit int) (rows []Row, more bool, err error)
	// Decide explains a row by the settings. Required.
	Decide func(ctx context.Context, tenant string, r *Row) (*Decision, error)
	// Raw gives a row's bytes out of the archive, with where they lie. Required.
	Raw func(ctx context.Context, tenant string, at At) (*Raw, error)
	// Prove makes the proof of the row's page, and checks it. Required.
	Prove func(ctx context.Context, tenant string, at At) (*Proof, error)
	Now   func() time.Time // nil: the clock
}

// Feature has the pages. Safe for concurrent use.
type Feature struct {
	Deps
	read *reader
}

// New makes the feature.
func New(d Deps) (*Feature, error) {
	if d.Part == nil || d.Between == nil || d.Decide == nil || d.Raw == nil || d.Prove == nil {
		return nil, problem.New(problem.Internal, "sign-ins have no parts, no archive or no settings")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Feature{d, &reader{between: d.Between}}, nil
}

// Screens are the pages.
func (f *Feature) Screens() []screen.Screen {
	return []screen.Screen{{
		Name: "signins", Title: "Sign-ins", Icon: "signins", Group: screen.Posture, Order: 40, See: screen.SeePeople, Over: screen.OfTenant,
		About: "Every recorded sign-in, judged one by one: what had MFA, what had not, and the archived row behind it.",
		List:  rowList, Load: f.load,
		Params: []screen.Param{
			{Name: "span", About: "What the chart goes over.", Enum: []string{"24h", "7d", "30d"}}, {Name: "hour",
				About: "Only this hour, UTC, as 2026-11-20T05."},
			{Name: "day", About: "Only this day, UTC, as 2026-11-20."},
			{Name: "all", About: "Read the rows of the hour from the archive, those too that are not kept.", Enum: []string{"1"}},
		},
	}, f.rowScreen()}
}

const hourForm = "2006-01-02T15"

// maxHour bounds the rows of an hour that are read from the archive.
const maxHour = 1_000

// board is one view of a part.
type board struct {
	*Part
	f        *Feature
	a        *screen.Ask
	from, to time.Time // the hour or day that is chosen; zero: none
	rows     []Row
	read     bool // rows are from the archive
	more     bool // and there are others
}

// path is this page with some of its members changed: pairs, "" takes one away.
func (g *board) path(pairs ...string) string {
	v := g.a.Query.Values()
	v.Del("page")
	v.Del("row")
	for k, list := range g.a.Values {
		v[k] = slices.Clone(list)
	}
	v.Del("all")
	v.Set("tenant", g.a.Tenant.ID)
	for i := 0; i+1 < len(pairs); i += 2 {
		if v.Del(pairs[i]); pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return "?" + v.Encode()
}

// choose reads which hour or day is chosen.
func (g *board) choose() error {
	hour, day := g.a.Values.Get("hour"), g.a.Values.Get("day")
	form, text, long := hourForm, hour, time.Hour
	switch {
	case hour != "" && day != "":
		return problem.New(problem.Usage, "hour and day are both in the address")
	case day != "":
		form, text, long = time.DateOnly, day, 24*time.Hour
	case hour == "":
		return nil
	}
	at, err := time.Parse(form, text)
	if err != nil {
		return problem.New(problem.Usage, "the hour is as 2026-11-20T05, the day as 2026-11-20, and in UTC")
	}
	g.from, g.to = at, at.Add(long)
	return nil
}

func (f *Feature) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	p, mark, err := f.Part(ctx, a.Tenant.ID)
	if errors.Is(err, problem.NotFound) {
		return &screen.View{Missing: true, Rows: rowList.Of(nil), Nothing: &screen.Nothing{Head: "No sign-in was judged yet",
			Text: "Sign-ins are judged once the log of a tenant is collected.", Command: "partnerguard collect --now"}}, nil
	}
	if err != nil {
		return nil, err
	}
	g := &board{Part: p, f: f, a: a, rows: p.Rows}
	if err := g.choose(); err != nil {
		return nil, err
	}
	v := &screen.View{Facts: g.facts(mark), Summary: g.summary()}
	if p.Unread != "" {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Doubt, Lead: "Unknown.", Text: print.Ended(p.Unread),
			LinkText: "What could not be read", Path: "/collection"})
	}
	if err := g.narrow(ctx, v, mark); err != nil {
		return nil, err
	}
	v.Rows, v.Nothing = rowList.Of(g.rows), g.nothing()
	v.Sentence = g.sentence()
	if a.Machine {
		return v, nil
	}
	v.Notices = append(v.Notices, g.shown()...)
	v.Above = []screen.Block{g.chart()}
	if a.Query.Row != "" {
		v.Aside = g.drawer(ctx)
	}
	return v, nil
}

func (g *board) facts(mark snapshot.Mark) []screen.Fact {
	f := screen.Fact{What: "Newest sign-in", At: g.Last, Allows: g.Allows, Source: "Microsoft Graph, sign-in log", Rests: true, Gaps: len(g.Gaps)}
	if f.At.IsZero() {
		f.At = mark.At
	}
	return []screen.Fact{f}
}

func (g *board) sentence() string {
	s := fmt.Sprintf("%s judged one by one", print.Plural(g.Total.Rows(), "sign-ins"))
	if !g.First.IsZero() {
		s += ", " + screen.Moment(g.First, g.a.Now) + " to " + screen.Moment(g.Last, g.First) + " UTC"
	}
	return s + "."
}

// narrow takes the rows of the chosen time, out of the archive where that is asked for.
func (g *board) narrow(ctx context.Context, v *screen.View, mark snapshot.Mark) error {
	if g.from.IsZero() {
		return nil
	}
	if g.a.Values.Get("all") != "" {
		if g.to.Sub(g.from) > time.Hour {
			return problem.New(problem.Usage, "an hour at a time is read from the archive, and no day").WithHint("choose an hour in the chart")
		}
		rows, more, err := g.f.read.hour(ctx, mark.Version, g.a.Tenant.ID, g.from)
		if err == nil {
			g.rows, g.more, g.read = rows, more, true
			return nil
		}
		if g.a.Machine {
			return err
		}
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Bad, Lead: "The archive was not read.", Text: sorry(err)})
	}
	g.rows = nil
	for i := range g.Rows {
		if at := g.Rows[i].At; !at.Before(g.from) && at.Before(g.to) {
			g.rows = append(g.rows, g.Rows[i])
		}
	}
	return nil
}

// counted is how many rows there are of the chosen time, or of all.
func (g *board) counted() (n int64) {
	if g.from.IsZero() {
		return g.Total.Rows()
	}
	for i := range g.Hours {
		if at := g.Hours[i].At; !at.Before(g.from) && at.Before(g.to) {
			n += g.Hours[i].Rows()
		}
	}
	return n
}

// shown says plainly how many rows are shown of how many.
func (g *board) shown() []screen.Notice {
	all := g.counted()
	n := screen.Notice{Tone: print.Muted, Lead: "Shown."}
	when := "all"
	if !g.from.IsZero() {
		when = "those of " + g.when()
	}
	switch {
	case g.read && g.more:
		n.Text = fmt.Sprintf("The newest %d sign-ins of %s, out of the archive.", len(g.rows), g.when())
	case g.read:
		n.Text = fmt.Sprintf("All %d sign-ins of %s, out of the archive.", len(g.rows), g.when())
	case int64(len(g.rows)) >= all && g.from.IsZero():
		return nil
	case int64(len(g.rows)) >= all:
		n.Text = fmt.Sprintf("All %s of %s.", print.Plural(all, "sign-ins"), g.when())
	default:
		n.Text = fmt.Sprintf("%s of %s, %s: the list has %s of the %s that were not challenged, and the newest of the others.",
			print.Number(int64(len(g.rows))), print.Number(all), when, allOr(g.Against), print.Number(g.Against.Of))
		if hour := g.to.Sub(g.from); hour > 0 && hour <= time.Hour {
			n.LinkText, n.Path = "Read all of this hour", g.path("all", "1")+"#rows"
		}
	}
	if !g.from.IsZero() && n.LinkText == "" {
		n.LinkText, n.Path = "Show all times", g.path("hour", "", "day", "")
	}
	return []screen.Notice{n}
}

func allOr(k Kept) string {
	if int64(k.Rows) == k.Of {
		return "all"
	}
	return print.Number(int64(k.Rows))
}

// when is the chosen time in words.
func (g *board) when() string {
	if g.to.Sub(g.from) > time.Hour {
		return g.from.Format("2 January 2006")
	}
	return g.from.Format("2 January, 15:04") + " to " + g.to.Format("15:04")
}

func (g *board) nothing() *screen.Nothing {
	switch {
	case g.Unread != "":
		return &screen.Nothing{Head: "No log was read", Text: "That is not the same as there being no sign-ins.", Command: "partnerguard doctor"}
	case !g.from.IsZero() && g.counted() > 0:
		return &screen.Nothing{Head: "Its rows are not kept here", Text: fmt.Sprintf("%s of then were judged and counted; they lie in the archive.",
			print.Plural(g.counted(), "sign-ins")), LinkText: "Read them from the archive", Path: g.path("all", "1") + "#rows"}
	case !g.from.IsZero():
		return &screen.Nothing{Head: "No sign-in then", LinkText: "Show all times", Path: g.path("hour", "", "day", "")}
	}
	return &screen.Nothing{Head: "No sign-in is in the log"}
}

// summary is what the API has beside the rows.
func (g *board) summary() any {
	p := *g.Part
	p.Rows = nil
	return &p
}

// facets are what all rows are about, whether they are in the list or not.
func (g *board) facets(b *screen.Builder) {
	if g.Total.Rows() == 0 {
		return
	}
	b.Open("details", screen.A("id", "facets"))
	b.Elem("summary", "What all "+print.Number(g.Total.Rows())+" sign-ins are about: app, client, protocol, account, country")
	b.Class("div", "facets")
	for i := range g.Facets {
		g.facet(b, &g.Facets[i])
	}
	b.End("div")
	b.End("details")
}

var facetHeads = map[string]string{"verdict": "Judged", "app": "App", "client": "Client", "protocol": "Protocol", "account": "Account", "country": "Country",
	"policy": "Conditional Access said"}

func (g *board) facet(b *screen.Builder, f *Facet) {
	if len(f.Values) == 0 {
		return
	}
	b.Open("div")
	head := cmp.Or(facetHeads[f.Name], print.Clean(f.Name, 40), "Other")
	b.Elem("h3", head, screen.A("class", "h3"))
	b.Open("table", screen.A("class", "t tight"), screen.A("aria-label", "Sign-ins by "+head))
	b.Open("thead", screen.A("class", "vh"))
	b.Open("tr")
	b.Elem("th", head, screen.A("scope", "col"))
	b.Elem("th", "Sign-ins", screen.A("scope", "col"))
	b.Elem("th", "Without MFA", screen.A("scope", "col"))
	b.End("tr")
	b.End("thead")
	b.Open("tbody")
	for i, v := range f.Values {
		if i == 6 {
			break
		}
		word := v.Word
		switch {
		case f.Name == "verdict":
			word = verdictWord(v.Value)
		case word == "":
			word = v.Value
		}
		b.Open("tr")
		b.Open("td")
		b.Elem("a", print.Clean(word, 60), screen.A("href", g.path(f.Name, strings.TrimSpace(v.Value))+"#rows"))
		b.End("td")
		b.Elem("td", print.Number(v.Rows), screen.A("class", "n"))
		b.Open("td", screen.A("class", "n"))
		if v.Open > 0 {
			b.Elem("span", print.Number(v.Open)+" without MFA", screen.A("class", "tx not"))
		} else {
			b.Elem("span", "–", screen.A("class", "q3"), screen.A("aria-label", "none without MFA"))
		}
		b.End("td")
		b.End("tr")
	}
	b.End("tbody")
	b.End("table")
	if n := max(0, len(f.Values)-6) + f.More; n > 0 {
		b.Elem("p", fmt.Sprintf("and %s more", print.Number(int64(n))), screen.A("class", "note"))
	}
	b.End("div")
}

// sorry is what a page says of an error: what is for everybody's eyes alone.
func sorry(err error) string {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return print.Ended(print.Clean(p.Public, 400)) + " " + print.Ended(print.Clean(p.Hint, 400))
	}
	return "Something went wrong on our side; the server's log says what."
}
