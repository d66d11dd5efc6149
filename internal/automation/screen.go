//go:build !judge

package automation

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// Screens is the page of what signs in with user credentials though nobody sits at the
// keyboard. Its items are the partner's own.
func (s *Store) Screens() []screen.Screen {
	one := screen.Screen{
		Name: "automation", Title: "Automation", Icon: "robot", Group: screen.Reach, Order: 30, See: screen.SeePeople, Over: screen.OfPartner,
		About: "Scripts and services that sign in with a user's credentials, whose they are, and how far they are on the way out.",
		Needs: s.needs, Find: s.find,
		Acts: []screen.Act{{
			Name: "set", Title: "Keep", About: "Says whose an item is and how far it is. Verified gone comes by evidence alone.", Do: screen.Operate,
			Form: []screen.Field{
				{Name: "item", Label: "Item", Kind: "hidden", Required: true, Max: 40},
				{Name: "owner", Label: "Owner", Hint: "who moves it", Max: 120},
				{Name: "state", Label: "State", Kind: "select", Enum: []string{string(Found), string(Planned), string(Moved)}},
				{Name: "note", Label: "Note", Kind: "area", Max: 400},
			},
			Handle: s.act,
		}},
	}
	one.List = listFor(&one)
	one.Load = func(ctx context.Context, a *screen.Ask) (*screen.View, error) { return s.load(ctx, a, &one) }
	return []screen.Screen{one}
}

// sure says a confidence: what is certain or likely decides a requirement.
func sure(c Confidence) page.Said {
	if c == Possible {
		return page.Said{Tone: print.Doubt, Word: string(c)}
	}
	return page.Said{Tone: print.Bad, Word: string(c)}
}

func saidState(st State) page.Said {
	switch st {
	case Gone:
		return page.Said{Tone: print.Good, Word: "verified gone"}
	case Moved:
		return page.Said{Tone: print.Doubt, Word: "moved"}
	case Planned:
		return page.Said{Tone: print.Muted, Word: "planned"}
	}
	return page.Said{Tone: print.Bad, Word: string(Found)}
}

// worse orders items: what is open and sure first.
func worse(a, b *Item) int {
	for _, d := range []int{stateRank(a.State) - stateRank(b.State), sureRank(a.Confidence) - sureRank(b.Confidence)} {
		if d != 0 {
			return d
		}
	}
	return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
}

func stateRank(st State) int { return slices.Index(States(), st) }

func sureRank(c Confidence) int { return slices.Index([]Confidence{Certain, Likely, Possible}, c) }

// next is what has to be done with an item.
func (it *Item) next() string {
	switch it.State {
	case Gone:
		return "nothing: no sign-in since it was moved"
	case Moved:
		if it.QuietTo.IsZero() {
			return fmt.Sprintf("wait: the log has to show %d quiet days", QuietDays)
		}
		days := int(it.QuietTo.Sub(it.MovedAt).Hours() / 24)
		return fmt.Sprintf("wait: quiet for %d of %d days", max(days, 0), QuietDays)
	}
	return it.Advice
}

func listFor(one *screen.Screen) *screen.List[Item] {
	return &screen.List[Item]{
		Noun: "item", Default: "state", Search: "account, app, owner, note",
		Key: func(it *Item) string { return it.ID },
		Columns: []screen.Column[Item]{
			{Name: "account", Head: "Account", Cell: func(it *Item) screen.Cell { return screen.Named(it.Name, print.First(it.App, it.AppName), "") }},
			{Name: "protocol", Head: "Protocol", Cell: func(it *Item) screen.Cell {
				return screen.Cell{Tags: []screen.Tag{{Text: string(it.Protocol)}}, Sub: it.Client}
			}},
			{Name: "confidence", Head: "Sure", Order: func(a, b *Item) int { return sureRank(a.Confidence) - sureRank(b.Confidence) },
				Cell: func(it *Item) screen.Cell { said := sure(it.Confidence); return screen.Cell{Said: &said} }},
			{Name: "signIns", Head: "Sign-ins", Right: true, Plain: true, Order: func(a, b *Item) int { return int(a.Evidence.SignIns - b.Evidence.SignIns) },
				Cell: func(it *Item) screen.Cell {
					c := screen.Cell{Of: &screen.Part{N: it.Evidence.SignIns}}
					if n := it.Evidence.WithoutMFA; n > 0 {
						c.Sub = print.Number(n) + " without MFA"
					} else if n := it.Evidence.Stopped; n > 0 {
						c.Sub = print.Number(n) + " stopped for MFA"
					}
					return c
				}},
			{Name: "last", Head: "Last seen", Right: true, Order: func(a, b *Item) int { return a.Evidence.Last.Compare(b.Evidence.Last) },
				Blank: func(it *Item) bool { return it.Evidence.Last.IsZero() },
				Cell:  func(it *Item) screen.Cell { return screen.When(it.Evidence.Last, "not known") }},
			{Name: "state", Head: "State", Order: worse, Cell: func(it *Item) screen.Cell {
				said := saidState(it.State)
				return screen.Cell{Said: &said, Sub: print.Clean(it.Story, 120)}
			}},
			{Name: "owner", Head: "Owner", Cell: func(it *Item) screen.Cell {
				if it.Owner == "" {
					return screen.Cell{Never: "nobody yet"}
				}
				return screen.Cell{Text: it.Owner, Sub: print.Clean(it.Note, 80)}
			}},
			{Name: "next", Head: "Next step", Drop: true, Plain: true,
				Cell: func(it *Item) screen.Cell { return screen.Words(print.Sentence(print.Clean(it.next(), 200))) }},
			{Name: "id", Head: "Id", Only: true, Text: func(it *Item) string { return it.ID }},
		},
		Filters: []screen.Filter[Item]{
			{Name: "state", Head: "State", Enum: stateNames(), Of: func(it *Item) []string { return []string{string(it.State)} },
				Word: func(v string) string { return saidState(State(v)).Word }},
			{Name: "sure", Head: "Sure", Enum: []string{string(Certain), string(Likely), string(Possible)},
				Of: func(it *Item) []string { return []string{string(it.Confidence)} }},
			{Name: "protocol", Head: "Protocol", Of: func(it *Item) []string { return []string{string(it.Protocol)} }},
			{Name: "owned", Head: "Owner", Enum: []string{"yes", "no"}, Of: func(it *Item) []string {
				if it.Owner == "" {
					return []string{"no"}
				}
				return []string{"yes"}
			}, Word: func(v string) string { return map[string]string{"yes": "has an owner", "no": "without owner"}[v] }},
		},
		Detail: func(it *Item) []screen.Block { return detail(it, one) },
	}
}

func stateNames() (out []string) {
	for _, st := range States() {
		out = append(out, string(st))
	}
	return out
}

func detail(it *Item, one *screen.Screen) []screen.Block {
	why := screen.Items{Empty: "Nothing is written on it."}
	for _, w := range it.Why {
		why.List = append(why.List, screen.Item{Icon: "v-info", Text: print.Sentence(print.Clean(w, 300))})
	}
	e := &it.Evidence
	pairs := screen.Pairs{
		{Key: "First seen", Cell: screen.Cell{At: e.First, Never: "not known"}}, {Key: "Last seen", Cell: screen.Cell{At: e.Last, Never: "not known"}},
		{Key: "On", Cell: screen.Words(print.Plural(int64(e.Days), "days"))}, {Key: "Addresses", Cell: screen.Words(addresses(e.Addresses))},
		{Key: "Interactive", Cell: screen.Words(fmt.Sprintf("%s, and %s not", print.Number(e.Interactive), print.Number(e.NonInteractive)))},
	}
	if len(e.Programs) > 0 {
		pairs = append(pairs, screen.Pair{Key: "Programs", Cell: screen.Words(print.Clean(strings.Join(e.Programs, ", "), 300))})
	}
	for i := range e.Examples {
		x := &e.Examples[i]
		pairs = append(pairs, screen.Pair{Key: "Row", Cell: screen.Cell{Text: x.ID, Mono: true, Sub: strings.TrimSpace(x.Outcome + " " + x.IP), SubAt: x.At},
			From: x.Source.String()})
	}
	values := url.Values{"item": {it.ID}, "owner": {it.Owner}, "note": {it.Note}}
	if it.State != Gone {
		values.Set("state", string(it.State))
	}
	return []screen.Block{
		screen.Bit{Head: "What speaks for it", Body: []screen.Block{why, screen.Para{Text: print.Ended(print.Sentence(print.Clean(it.next(), 400))),
			Class: "note"}}},
		screen.Bit{Head: "What was seen", Body: []screen.Block{pairs}},
		screen.Form{Screen: one, Act: "set", Values: values, Plain: true},
	}
}

func addresses(n int) string {
	if n > 8 {
		return "more than 8"
	}
	return print.Number(int64(n))
}

// needs counts what decides a requirement and is nobody's.
func (s *Store) needs(ctx context.Context, v *screen.Viewer) (n int) {
	if v.Customers != nil { // the items are the partner's own, and whose that is is not known here
		return 0
	}
	items, err := s.List(ctx)
	if err != nil {
		return 0
	}
	for i := range items {
		if it := &items[i]; it.Decides() && it.State == Found && it.Owner == "" {
			n++
		}
	}
	return n
}

func (s *Store) find(ctx context.Context, v *screen.Viewer, q string, limit int) (out []screen.Hit) {
	if v.Customers != nil {
		return nil
	}
	items, err := s.List(ctx)
	q = strings.ToLower(strings.TrimSpace(q))
	if err != nil || q == "" {
		return nil
	}
	for i := range items {
		it := &items[i]
		if strings.Contains(strings.ToLower(it.Name+"\n"+it.AppName), q) {
			out = append(out, screen.Hit{Title: it.Name, Sub: string(it.Protocol) + " " + it.AppName, Path: screen.With("/automation", "row", it.ID),
				Icon: "robot"})
		}
		if len(out) == limit {
			break
		}
	}
	return out
}

func (s *Store) load(ctx context.Context, a *screen.Ask, one *screen.Screen) (*screen.View, error) {
	items, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	by, open, last := map[State]int{}, 0, time.Time{}
	for i := range items {
		by[items[i].State]++
		if items[i].Decides() {
			open++
		}
		last = later(last, items[i].Updated)
	}
	v := &screen.View{Rows: listFor(one).Of(items), Summary: by,
		Sentence: "Scripts and services that sign in with a user's credentials: enforcement of MFA breaks them, and the Secure Application Model replaces " +
			"them.",
		Nothing: &screen.Nothing{Head: "None was found", Text: "No sign-in that was read looks like a script's. What was not read says nothing.",
			LinkText: "How old the log is", Path: screen.With("/collection", "q", "signIns")}}
	if a.Machine || len(items) == 0 {
		return v, nil
	}
	tile := func(st State, delta string) screen.Tile {
		return screen.Tile{Head: strings.ToUpper(saidState(st).Word[:1]) + saidState(st).Word[1:], N: print.Number(int64(by[st])), Delta: delta,
			Path: "/automation?state=" + string(st)}
	}
	decide := screen.Tile{Head: "Decide a requirement", N: print.Number(int64(open)), Of: "of " + print.Number(int64(len(items))),
		Delta: "certain or likely, and not gone", Path: "/automation?sure=certain&sure=likely"}
	v.Above = []screen.Block{screen.Tiles{decide, tile(Found, "nobody began yet"), tile(Planned, "a way out is chosen"),
		tile(Moved, fmt.Sprintf("%d quiet days are awaited", QuietDays)), tile(Gone, "the log shows none since")}}
	return v, nil
}

// act keeps what a person says of an item.
func (s *Store) act(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	owner, note := form.Get("owner"), form.Get("note")
	c := Change{Owner: &owner, Note: &note, Actor: a.Viewer.Actor}
	if st := State(form.Get("state")); st != "" {
		c.State = &st
	}
	it, err := s.Set(ctx, form.Get("item"), c)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: screen.With("/automation", "row", it.ID), Said: it.Name + " is kept as " + saidState(it.State).Word + ".", Body: it}, nil
}
