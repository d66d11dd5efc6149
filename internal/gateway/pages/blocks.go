package pages

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/revoke"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// spanLinks lead to the page over another time.
func spanLinks(a *screen.Ask) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		b.Class("p", "row mt0")
		for _, s := range []string{"24h", "7d", "30d"} {
			class := screen.Lit("btn")
			if s == a.Values.Get("since") || s == "7d" && a.Values.Get("since") == "" {
				class = "btn pri"
			}
			b.Elem("a", s, screen.A("class", string(class)), screen.A("href", screen.With("/gateway", "since", s)))
		}
		b.End("p")
	})
}

// routes are how ready each route is, each with its mode, what comes, and a bar of the
// share that is well.
func routes(list []ledger.Ready) screen.Block {
	items := screen.Items{Empty: "No route is known."}
	for i := range list {
		r := &list[i]
		text := r.Says
		if r.Next != nil {
			next := r.Next.Mode
			if r.Next.Share > 0 {
				next = fmt.Sprintf("%s %d %%", next, r.Next.Share)
			}
			text += " " + print.Sentence(next) + " from " + print.When(r.Next.From) + "."
		}
		items.List = append(items.List, screen.Item{Said: modeSaid(r.Mode, r.Share), Lead: routeName(r.Route) + " · " + modeSaid(r.Mode, r.Share).
			Word, Text: text,
			Path: screen.With("/gateway", "route", routeName(r.Route)), Meta: wellWords(r)})
	}
	return screen.Card{Head: "Routes", ID: "routes", Note: "How ready each is to be enforced.", Body: []screen.Block{items}}
}

// wellWords say how much of a route is well.
func wellWords(r *ledger.Ready) string {
	asked := r.Requests - r.Unasked
	if asked <= 0 {
		return "not asked yet"
	}
	return fmt.Sprintf("%s of %s well", ledger.Percent(asked-r.Would, asked), print.Plural(asked, "requests"))
}

// tiles are the requests of the time in numbers, each with its line: all, what enforcing
// refuses, what was refused.
func tiles(hours []ledger.Hour, since, now time.Time) screen.Block {
	const points = 84
	first := since.Truncate(time.Hour)
	span := int(now.Sub(first).Hours()) + 1
	step := max(1, (span+points-1)/points)
	n := (span + step - 1) / step
	lines := [3][]float64{make([]float64, n), make([]float64, n), make([]float64, n)}
	var sums [3]int64
	for _, h := range hours {
		k := int(h.At.Sub(first).Hours()) / step
		if k < 0 || k >= n {
			continue
		}
		for i, v := range []int64{h.Requests, h.NotWell, h.Refused} {
			lines[i][k] += float64(v)
			sums[i] += v
		}
	}
	every := "by the hour"
	if step > 1 {
		every = fmt.Sprintf("by %d hours", step)
	}
	return screen.Tiles{
		{Head: "Requests", N: print.Number(sums[0]), Line: lines[0], Tone: print.Good, Delta: every},
		{Head: "Enforcing refuses", N: print.Number(sums[1]), Of: ledger.Percent(sums[1], sums[0]), Line: lines[1], Tone: print.Bad, Delta: every},
		{Head: "Refused", N: print.Number(sums[2]), Line: lines[2], Tone: print.Bad, Delta: every},
	}
}

// below are exceptions, revocations and keys.
func (p *Pages) below(ctx context.Context, a *screen.Ask) (out []screen.Block, err error) {
	if p.Exceptions != nil {
		list, err := p.Exceptions(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, exceptions(list, a.Now))
	}
	if p.Revocations != nil {
		list, err := p.Revocations(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, revocations(list, a))
	}
	if p.Authorities != nil {
		out = append(out, authorities(p.Authorities()))
	}
	return out, nil
}

func exceptions(list []Exception, now time.Time) screen.Block {
	items := screen.Items{Empty: "The file has none."}
	for _, e := range list {
		said := page.Said{Tone: print.Cautious, Word: "until " + e.Until.UTC().Format(time.DateOnly)}
		if !now.Before(e.Until) {
			said = page.Said{Tone: print.Muted, Word: "over"}
		}
		items.List = append(items.List, screen.Item{Said: &said, Lead: print.Clean(e.Name, 120), Text: print.Clean(e.Why, 300),
			Meta: print.Clean(e.Route+", for "+e.For+", owned by "+e.Owner, 300)})
	}
	return screen.Card{Head: "Exceptions", ID: "exceptions", Body: []screen.Block{items}}
}

func revocations(list []revoke.Revocation, a *screen.Ask) screen.Block {
	var body []screen.Block
	for i := range list {
		r := &list[i]
		if !r.Holds(a.Now) && r.Refused == "" {
			continue
		}
		said := page.Said{Tone: print.Bad, Word: "revoked"}
		if r.Refused != "" {
			said.Word = "not as written"
		}
		meta := "by " + r.Who + ", " + print.When(r.Made)
		if r.Made.IsZero() {
			meta = "by the audit trail's word"
		}
		body = append(body, screen.Items{List: []screen.Item{{Said: &said, Lead: print.Clean(string(r.Kind)+" "+r.Value, 160),
			Text: print.Clean(print.First(r.Why, r.Refused), 300), Meta: print.Clean(meta, 200)}}})
		if r.Ended.IsZero() {
			body = append(body, screen.Do{Path: "/gateway/unrevoke", Right: screen.Manage, Text: "Take it back", Fields: url.Values{"id": {r.ID}}})
		}
	}
	if len(body) == 0 {
		body = []screen.Block{screen.Para{Text: "Nobody is revoked.", Class: "note"}}
	}
	return screen.Card{Head: "Revocations", ID: "revocations", Body: body}
}

func authorities(list []Authority) screen.Block {
	items := screen.Items{Empty: "The gateway does not run here, so its keys are not known here."}
	for _, x := range list {
		said := page.Said{Tone: print.Good, Word: x.State}
		if x.Alarm {
			said.Tone = print.Bad
		}
		meta := "never read"
		if !x.Read.IsZero() {
			meta = "read " + print.When(x.Read)
		}
		items.List = append(items.List, screen.Item{Said: &said, Lead: print.Clean(x.Name, 120), Text: print.Plural(int64(x.Keys), "keys"), Meta: meta})
	}
	return screen.Card{Head: "Keys", ID: "keys", Body: []screen.Block{items}}
}
