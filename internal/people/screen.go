package people

import (
	"context"
	"errors"
	"fmt"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Screens are the feature's pages.
func (f *Feature) Screens() []screen.Screen {
	return []screen.Screen{{
		Name: "people", Title: "People", Icon: "people", Group: screen.Posture, Order: 30, See: screen.SeePeople, Over: screen.OfAll, List: f.list,
		About: "Every account with its strongest method, what the settings prove of it, what the log saw, and its way out.",
		Load:  f.load, Find: f.find,
	}}
}

// counts are the numbers of rows.
type counts struct {
	Accounts  int       `json:"accounts"` // enabled or perhaps so, that the requirement binds
	Open      int       `json:"open"`
	Unproved  int       `json:"unknown"`
	Unasked   int       `json:"seenUnchallenged"`
	NoLog     int       `json:"logNotRead"`
	None      int       `json:"nothingRegistered"`
	NotRead   int       `json:"registrationNotRead"`
	Admins    int       `json:"admins"`
	Resistant int       `json:"adminsPhishingResistant"`
	Glass     int       `json:"breakGlass"`
	GlassUsed int       `json:"breakGlassUsed"`
	GlassLast time.Time `json:"breakGlassLast,omitzero"`

	factors map[string]int
}

// add adds the numbers of other rows.
func (c *counts) add(o *counts) {
	c.Accounts, c.Open, c.Unproved, c.Unasked, c.NoLog = c.Accounts+o.Accounts, c.Open+o.Open, c.Unproved+o.Unproved, c.Unasked+o.Unasked, c.NoLog+o.NoLog
	c.None, c.NotRead, c.Admins, c.Resistant = c.None+o.None, c.NotRead+o.NotRead, c.Admins+o.Admins, c.Resistant+o.Resistant
	c.Glass, c.GlassUsed = c.Glass+o.Glass, c.GlassUsed+o.GlassUsed
	if o.GlassLast.After(c.GlassLast) {
		c.GlassLast = o.GlassLast
	}
	for k, n := range o.factors {
		c.factors[k] += n
	}
}

func count(rows []Row) counts {
	c := counts{factors: map[string]int{}}
	for i := range rows {
		r := &rows[i]
		if r.Enabled == No || !r.InScope {
			continue
		}
		c.Accounts++
		c.factors[r.Factor]++
		c.Open += b2i(r.Proof == Open)
		c.Unproved += b2i(r.Proof == Unknown)
		c.Unasked += b2i(r.Log == SeenUnasked)
		c.NoLog += b2i(r.Log == SeenUnknown || r.Log == SeenUnclear)
		c.None += b2i(r.Factor == "none")
		c.NotRead += b2i(r.Factor == Unknown)
		if len(r.Roles) > 0 {
			c.Admins++
			c.Resistant += b2i(r.Factor == "phishing_resistant")
		}
		if r.Class == "break-glass" {
			c.Glass++
			if r.SignIns > 0 {
				c.GlassUsed++
				if r.LastSignIn.After(c.GlassLast) {
					c.GlassLast = r.LastSignIn
				}
			}
		}
	}
	return c
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (f *Feature) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	var parts []*Part
	var is *prepared
	var err error
	if a.Tenant.ID == "" {
		parts, is, err = f.everyone(ctx)
	} else {
		var p *Part
		if p, is, err = f.of(ctx, a.Tenant.ID); p != nil {
			parts = []*Part{p}
		}
	}
	if errors.Is(err, problem.NotFound) || err == nil && len(parts) == 0 {
		return &screen.View{Missing: true, Rows: f.list.Of(nil), Sentence: "No account was read yet.", Nothing: &screen.Nothing{
			Head: "Nothing was read yet", Text: "Accounts are shown once their tenant was collected and judged.", LinkText: "Collection", Path: "/collection",
			Command: "partnerguard collect --now"}}, nil
	}
	if err != nil {
		return nil, err
	}
	c := f.counted(a.Viewer, parts)
	v := &screen.View{Rows: f.list.Of(is.rows), Summary: c, Facts: rests(a.Viewer, parts)}
	if a.Machine {
		return v, nil
	}
	v.Sentence = sentence(&c, a, len(parts))
	v.Notices = notices(a.Viewer, parts)
	v.Above = []screen.Block{f.tiles(ctx, &c, a), methodsCard(&c)}
	v.Nothing = &screen.Nothing{Head: "No account is known", Text: "The list of accounts was read, and nobody is in it."}
	return v, nil
}

func sentence(c *counts, a *screen.Ask, tenants int) string {
	s := print.Plural(int64(c.Accounts), "accounts") + " that can sign in, admins and scripts included"
	if a.Tenant.ID == "" && tenants > 1 {
		s += fmt.Sprintf(", over %s", print.Plural(int64(tenants), "tenants"))
	}
	return s
}

// rests are what the page rests on; over several tenants the oldest of each list.
func rests(v *screen.Viewer, parts []*Part) (out []screen.Fact) {
	at := map[string]int{}
	for _, p := range parts {
		if !v.Sees(p.Tenant) {
			continue
		}
		for _, x := range p.Facts {
			f := screen.Fact{What: x.What, At: x.At, Allows: time.Duration(x.Hours) * time.Hour, Gaps: x.Gaps, Source: x.Source, Rests: x.Rests}
			n, has := at[x.What]
			if !has {
				at[x.What] = len(out)
				out = append(out, f)
				continue
			}
			out[n].Gaps += f.Gaps
			if f.At.Before(out[n].At) {
				out[n].At, out[n].Source = f.At, f.Source
			}
		}
	}
	return out
}

// notices say what is missing of everything that is listed.
func notices(v *screen.Viewer, parts []*Part) (out []screen.Notice) {
	part, lack := 0, ""
	for _, p := range parts {
		if v.Sees(p.Tenant) && !p.Whole {
			part++
			lack = p.Lacks
		}
	}
	switch {
	case part == 1 && len(parts) == 1:
		out = append(out, screen.Notice{Tone: print.Doubt, Lead: "Not every account was read.",
			Text: "Whoever is not listed is not known. What reads them all: " + lack, LinkText: "Collection", Path: "/collection"})
	case part > 0:
		out = append(out, screen.Notice{Tone: print.Doubt, Lead: fmt.Sprintf("Of %d of %d tenants not every account was read.", part, len(parts)),
			Text: "Whoever is not listed is not known.", LinkText: "Collection", Path: "/collection"})
	}
	return out
}

// number is a tile's number; where everything it would count is not known it says so.
func number(n, unknown, all int) (*page.Said, string) {
	if n == 0 && unknown > 0 && unknown == all {
		return said(print.Doubt, "not read"), ""
	}
	return nil, print.Number(int64(n))
}

// besides says what a number does not count because it was not read.
func besides(unknown int, what string) string {
	if unknown == 0 {
		return ""
	}
	return print.Number(int64(unknown)) + " " + what
}

func (f *Feature) tiles(ctx context.Context, c *counts, a *screen.Ask) screen.Tiles {
	path := func(pairs ...string) string { return screen.With("/people", append(pairs, "tenant", a.Tenant.ID)...) }
	var days []TrendDay
	if f.d.Trend != nil && a.Tenant.ID != "" {
		days, _ = f.d.Trend(ctx, a.Tenant.ID) // without it tiles have no line
	}
	of := "of " + print.Number(int64(c.Accounts))
	open := screen.Tile{Head: "Can sign in without MFA", Of: of, Path: path("proof", Open), Tone: print.Bad, Delta: besides(c.Unproved, "more are unknown")}
	open.Said, open.N = number(c.Open, c.Unproved, c.Accounts)
	trend(&open, days, func(d *TrendDay) int { return d.Open }, true)
	seen := screen.Tile{Head: "Seen unchallenged, 30 days", Path: path("log", SeenUnasked), Tone: print.Tone{Class: "1"},
		Delta: besides(c.NoLog, "not read or unclear")}
	seen.Said, seen.N = number(c.Unasked, c.NoLog, c.Accounts)
	trend(&seen, days, func(d *TrendDay) int { return d.Seen }, true)
	none := screen.Tile{Head: "Nothing registered", Path: path("factor", "none"), Tone: print.Tone{Class: "1"},
		Delta: besides(c.NotRead, "not read")}
	none.Said, none.N = number(c.None, c.NotRead, c.Accounts)
	trend(&none, days, func(d *TrendDay) int { return d.None }, true)
	admins := screen.Tile{Head: "Admins, phishing-resistant", N: print.Number(int64(c.Resistant)), Of: "of " + print.Number(int64(c.Admins)),
		Path: path("class", "admin", "factor", "phishing_resistant"), Tone: print.Good}
	trend(&admins, days, func(d *TrendDay) int { return d.Resistant }, false)
	glass := screen.Tile{Head: "Break-glass", N: print.Number(int64(c.Glass)), Path: path("class", "break-glass"), Delta: "never used in the log"}
	if c.GlassUsed > 0 {
		glass.Of, glass.Delta = fmt.Sprintf("%d used", c.GlassUsed), "last on "+c.GlassLast.UTC().Format("2 Jan 2006")
	} else if c.Glass == 0 {
		glass.Delta = "none looks like one"
	}
	return screen.Tiles{open, seen, none, admins, glass}
}

// trend gives a tile its line, and what changed since yesterday. Days that were not kept
// have no point.
func trend(t *screen.Tile, days []TrendDay, of func(*TrendDay) int, moreIsWorse bool) {
	var known []int
	for i := range days {
		if n := of(&days[i]); n >= 0 {
			known = append(known, n)
		}
	}
	if len(known) < 2 {
		return
	}
	for _, n := range known {
		t.Line = append(t.Line, float64(n))
	}
	d := known[len(known)-1] - known[len(known)-2]
	said := "as yesterday"
	switch {
	case d > 0:
		t.Up, t.Worse, said = 1, moreIsWorse, fmt.Sprintf("%d since yesterday", d)
	case d < 0:
		t.Up, t.Worse, said = -1, !moreIsWorse, fmt.Sprintf("%d since yesterday", -d)
	}
	if t.Delta != "" {
		said += " · " + t.Delta
	}
	t.Delta = said
}

// methodsCard is the strongest methods as one bar.
func methodsCard(c *counts) screen.Block {
	keys := []struct{ factor, word, class, fill string }{
		{"phishing_resistant", "passkey or security key", "f-met", ""}, {"app", "Authenticator or provider", "f-3", ""},
		{"otp", "one-time code", "f-1", ""}, {"phone", "text message or call", "f-unk", "dots"}, {"none", "nothing registered", "f-not", "hatch"},
		{Unknown, "not read", "f-void", "void"},
	}
	var list []segment
	for _, k := range keys {
		if n := c.factors[k.factor]; n > 0 {
			list = append(list, segment{k.word, k.class, k.fill, n, screen.With("/people", "factor", k.factor)})
		}
	}
	return screen.Card{Head: "Strongest registered method",
		Aside: print.Plural(int64(c.Accounts), "accounts") + " · a method is not coverage: the settings must ask for it",
		Body:  []screen.Block{screen.Func(func(b *screen.Builder) { segments(b, list, c.Accounts) })}}
}

type segment struct {
	word, class, fill string
	n                 int
	path              string
}

// segments draws parts of a whole, wide and narrow, with a legend that links to each.
func segments(b *screen.Builder, list []segment, all int) {
	if all == 0 {
		b.Elem("p", "No account is known.", screen.A("class", "note"))
		return
	}
	spoken := "Strongest method: "
	for i, s := range list {
		if i > 0 {
			spoken += ", "
		}
		spoken += s.word + " " + print.Number(int64(s.n))
	}
	b.Class("figure", "plot")
	for _, size := range []struct {
		class string
		w, h  float64
	}{{"wid", 1126, 22}, {"nar", 318, 18}} {
		b.Open("svg", screen.A("class", size.class), screen.A("viewBox", "0 0 "+screen.Num(size.w)+" "+screen.Num(size.h)), screen.A("role", "img"),
			screen.A("aria-label", spoken))
		x, room := 0.0, size.w-2*float64(len(list)-1)
		for _, s := range list {
			w := max(room*float64(s.n)/float64(all), 2)
			at := []screen.Attr{screen.A("x", screen.Num(x)), screen.A("y", "0"), screen.A("width", screen.Num(w)), screen.A("height", screen.Num(size.h)),
				screen.A("rx", "3")}
			b.Open("rect", append(at, screen.A("class", s.class))...)
			b.Elem("title", s.word+": "+print.Number(int64(s.n)))
			b.End("rect")
			if s.fill != "" {
				b.Void("rect", append(at, screen.A("fill", "url(#p-"+s.fill+")"))...)
			}
			x += w + 2
		}
		b.End("svg")
	}
	b.End("figure")
	b.Class("ul", "legend")
	for _, s := range list {
		b.Open("li")
		b.Open("svg", screen.A("viewBox", "0 0 11 11"), screen.A("aria-hidden", "true"))
		b.Void("rect", screen.A("class", s.class), screen.A("width", "11"), screen.A("height", "11"))
		if s.fill != "" {
			b.Void("rect", screen.A("width", "11"), screen.A("height", "11"), screen.A("fill", "url(#p-"+s.fill+")"))
		}
		b.End("svg")
		b.Elem("a", s.word, screen.A("href", s.path))
		b.Text(" ")
		b.Elem("b", print.Number(int64(s.n)))
		b.End("li")
	}
	b.End("ul")
}
