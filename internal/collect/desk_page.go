//go:build !judge

package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/jobs"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

func (d *Desk) loadFacts(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	t, err := d.Readings.Tenant(ctx, a.Tenant.ID)
	if errors.Is(err, problem.NotFound) {
		return &screen.View{Rows: factList.Of(nil), Missing: true, Nothing: nothingRead()}, nil
	}
	if err != nil {
		return nil, err
	}
	facts, reading, err := d.Readings.Facts(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	v := &screen.View{Rows: factList.Of(facts), Nothing: nothingRead(), Missing: len(facts) == 0,
		Sentence: "How old every fact of " + name(&t) + " is, what was never read, and how much of Microsoft's patience is left."}
	sum := sumOf(facts)
	v.Summary = sum
	for i := range facts {
		if f := &facts[i]; f.Allows > 0 && f.Reason == "" {
			v.Facts = append(v.Facts, screen.Fact{What: f.List, At: f.At, Allows: f.Allows, Gaps: f.Gaps, Source: f.Source, Rests: true})
		}
	}
	if a.Machine {
		return v, nil
	}
	if a.Viewer.May(screen.Operate) {
		v.Actions = append(v.Actions, screen.Action{Text: "Read now", Act: "read", Primary: true})
	}
	v.Actions = append(v.Actions, screen.Action{Text: "All tenants", Path: "/collection/tenants"})
	if reading {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Muted, Lead: name(&t) + " is being read.", Text: "Load the page again to see how far it is.",
			Done: int64(sum.Whole), Of: int64(len(facts))})
	}
	if n := refusedAlike(facts); n != nil {
		v.Notices = append(v.Notices, *n)
	}
	lines, err := d.gapLines(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	tiles, err := d.tiles(ctx, a, t.ID, sum, lines)
	if err != nil {
		return nil, err
	}
	v.Above = append(v.Above, tiles)
	v.Below = append(v.Below, d.below(ctx, a, t.ID, lines)...)
	return v, nil
}

// refusedAlike is the cause before its symptoms: where several lists are refused for the
// same want, what is wanted, and what mends it.
func refusedAlike(facts []Fact) *screen.Notice {
	n, most, fix := map[string]int{}, "", map[string]string{}
	for i := range facts {
		f := &facts[i]
		if f.State != stateRefused {
			continue
		}
		why := reasonWord(f.Reason, f.Needs)
		n[why]++
		fix[why] = cmp.Or(fix[why], f.Can)
		if n[why] > n[most] {
			most = why
		}
	}
	if n[most] < 3 {
		return nil
	}
	return &screen.Notice{Tone: print.Doubt, Lead: fmt.Sprintf("%d of %d lists are refused: %s.", n[most], len(facts), print.Clean(most, 160)),
		Text: print.Clean(fix[most], 300)}
}

// factSum is the page in numbers.
type factSum struct {
	Lists   int       `json:"lists"`
	Whole   int       `json:"whole"`
	Stale   int       `json:"stale"`
	Refused int       `json:"refused"`
	Failing int       `json:"failing"`
	Never   int       `json:"never"`
	Partly  int       `json:"partly"`
	Oldest  string    `json:"oldest,omitempty"` // of those that decide a requirement
	At      time.Time `json:"oldestAt,omitzero"`

	allows time.Duration
}

func sumOf(facts []Fact) factSum {
	s := factSum{Lists: len(facts)}
	for i := range facts {
		f := &facts[i]
		switch f.State {
		case stateWhole:
			s.Whole++
		case stateStale:
			s.Stale++
		case stateRefused:
			s.Refused++
		case stateFailing:
			s.Failing++
		case stateNever:
			s.Never++
		case stateGap, stateLost:
			s.Partly++
		}
		if len(f.Decides) > 0 && f.Reason == "" && !f.At.IsZero() && (s.At.IsZero() || f.At.Before(s.At)) {
			s.Oldest, s.At, s.allows = f.List, f.At, f.Allows
		}
	}
	return s
}

func (d *Desk) tiles(ctx context.Context, a *screen.Ask, tenant string, sum factSum, lines []gapLine) (screen.Tiles, error) {
	rest := []string{}
	for _, x := range []struct {
		n    int
		word string
	}{{sum.Stale, "too old"}, {sum.Partly, "partly"}, {sum.Failing, "failing"}, {sum.Refused, "refused"}, {sum.Never, "never read"}} {
		if x.n > 0 {
			rest = append(rest, fmt.Sprintf("%d %s", x.n, x.word))
		}
	}
	here := func(pairs ...string) string {
		return screen.With("/collection", append([]string{"tenant", tenant}, pairs...)...)
	}
	tiles := screen.Tiles{{Head: "Lists read whole", N: print.Number(int64(sum.Whole)), Of: "of " + print.Number(int64(sum.Lists)),
		Delta: strings.Join(rest, ", "), Path: here("state", stateWhole)}}
	oldest := screen.Tile{Head: "Oldest deciding fact", N: "unknown", Delta: "nothing that decides was read"}
	if !sum.At.IsZero() {
		oldest = screen.Tile{Head: "Oldest deciding fact", N: screen.Span(a.Now.Sub(sum.At)), Delta: sum.Oldest, Path: here("row", sum.Oldest)}
		if sum.allows > 0 {
			oldest.Delta += ", " + screen.Span(sum.allows) + " allowed"
		}
	}
	n := map[string]int{}
	for i := range lines {
		n[lines[i].State]++
	}
	gaps := screen.Tile{Head: "Gaps, 14 days", N: print.Number(int64(len(lines))), Path: screen.With("/collection/gaps", "tenant", tenant),
		Delta: fmt.Sprintf("%d open, %d lost, %d healed", n["open"], n["lost"], n["healed"]), Worse: n["lost"] > 0}
	tiles = append(tiles, oldest, gaps)
	if a.Viewer.Customers != nil { // what follows is of all tenants together
		return tiles, nil
	}
	if d.Archive != nil {
		total, err := d.Archive(ctx)
		if err != nil {
			return nil, err
		}
		size, unit := bytesOf(total.Size)
		tiles = append(tiles, screen.Tile{Head: "Archive", N: size, Of: unit, Delta: print.Plural(int64(total.Segments), "segments")})
	}
	states, err := d.Queue.States(ctx)
	if err != nil {
		return nil, err
	}
	var run, wait, dead int
	for _, s := range states {
		run, wait, dead = run+s.Running, wait+s.Waiting, dead+s.Dead+s.GivenUp
	}
	return append(tiles, screen.Tile{Head: "Dead jobs", N: print.Number(int64(dead)), Delta: fmt.Sprintf("%d running, %d waiting", run, wait),
		Path: "/collection/jobs"}), nil
}

// bytesOf is a size for people.
func bytesOf(n int64) (string, string) {
	f, units := float64(n), []string{"bytes", "kB", "MB", "GB", "TB"}
	i := 0
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	if i == 0 || f >= 100 {
		return fmt.Sprintf("%.0f", f), units[i]
	}
	return fmt.Sprintf("%.1f", f), units[i]
}

// below are the gaps of the tenant and, for who sees all tenants, the budgets, the queue
// and the house.
func (d *Desk) below(ctx context.Context, a *screen.Ask, tenant string, lines []gapLine) []screen.Block {
	gaps := screen.Card{ID: "gaps", Head: "Gap ledger", Aside: "14 days", Bare: true, Body: []screen.Block{ledger(lines, a.Now), gapItems(lines)},
		Links: []screen.Link{{Text: "All gaps", Path: screen.With("/collection/gaps", "tenant", tenant)}}}
	if a.Viewer.Customers != nil {
		return []screen.Block{gaps}
	}
	out := []screen.Block{}
	side := []screen.Block{gaps}
	if d.Budgets != nil {
		side = append(side, budgetCard(d.Budgets()))
	}
	out = append(out, screen.Side{Shape: "g2", List: side})
	return append(out, screen.Side{Shape: "g2", List: []screen.Block{d.queue(ctx, a), d.house(ctx, a)}})
}

// gapItems are the worst gaps in words.
func gapItems(lines []gapLine) screen.Block {
	list := slices.Clone(lines)
	slices.SortStableFunc(list, func(a, b gapLine) int { return slices.Index(gapStates, a.State) - slices.Index(gapStates, b.State) })
	items := screen.Items{Empty: "Nothing is missing, and nothing was in 14 days."}
	for i := range list[:min(len(list), 6)] {
		g := &list[i]
		said := g.said()
		text := g.span() + ": " + print.Clean(g.Why, 160)
		heals := healing(g.Can)
		meta := heals.Text
		if g.State == "healed" {
			meta = "It was read after all, " + screen.Moment(g.Healed, g.Healed.AddDate(0, 0, 1))
		}
		items.List = append(items.List, screen.Item{Said: &said, Lead: g.Resource, Text: text, Meta: meta})
	}
	return items
}

// budgetCard is how much of Microsoft's patience is left, as this process knows it.
func budgetCard(list []msapi.Budget) screen.Block {
	var rows [][]screen.Cell
	for i := range list {
		x := &list[i]
		tone := print.Tone{Class: "3"}
		state := screen.Cell{Text: "none", Quiet: true}
		if x.Throttled > 0 {
			tone, state = print.Doubt, screen.Cell{Text: print.Number(int64(x.Throttled)) + " × 429"}
		}
		switch {
		case x.Closed > 0:
			state.Sub = "closed for " + screen.Span(x.Closed)
		case x.Share < 1:
			state.Sub = fmt.Sprintf("at %.0f %% of its pace", 100*x.Share)
		}
		rows = append(rows, []screen.Cell{
			{Text: budgetWord(x.Kind), Sub: x.Host},
			{Of: &screen.Part{N: int64(x.Used), Of: int64(x.Units), Unit: "in " + fmt.Sprintf("%.3g s", x.In.Seconds()), Bar: true, Tone: tone}},
			state,
		})
	}
	return screen.Card{Head: "Throttle budgets", Aside: "the fullest of each kind, now", Bare: true,
		Body: []screen.Block{screen.Table{Label: "Throttle budgets",
			Empty: "This process has asked Microsoft nothing yet: workers elsewhere keep their own budgets.",
			Heads: []screen.Head{{Text: "Limit"}, {Text: "Used"}, {Text: "Refused"}}, Rows: rows}},
		Foot: "Our pace stays a fiftieth below what Microsoft publishes, is careful where nothing is published, and is halved by each 429."}
}

func budgetWord(kind string) string {
	word := map[string]string{"reports": "Graph reports and sign-ins", "policy": "Conditional Access", "graph": "Graph directory",
		"customers": "Partner Center",
		"arm":       "Azure Resource Manager", "security": "Graph partner security", "token": "Entra ID tokens", "app": "Graph, all tenants together",
		"consent": "Partner Center consents"}[kind]
	if word == "" {
		return kind
	}
	return word
}

// queue is what waits and who works, and what is dead.
func (d *Desk) queue(ctx context.Context, a *screen.Ask) screen.Block {
	card := screen.Card{Head: "Queue", Bare: true, Links: []screen.Link{{Text: "All jobs", Path: "/collection/jobs"}}}
	states, err := d.Queue.States(ctx)
	workers, werr := d.Queue.Workers(ctx)
	dead, derr := d.dead(ctx, a.Viewer)
	if err := errors.Join(err, werr, derr); err != nil {
		d.Log.WarnContext(ctx, "the queue could not be shown", "error", err)
		card.Body = []screen.Block{screen.Para{Text: "The queue could not be read just now.", Class: "note pad"}}
		return card
	}
	var rows [][]screen.Cell
	for _, s := range jobs.Sorted(states) {
		if s.Running+s.Waiting+s.Dead+s.GivenUp > 0 {
			rows = append(rows, []screen.Cell{{Text: s.Kind, Mono: true}, screen.Count(int64(s.Running), ""), screen.Count(int64(s.Waiting), ""),
				screen.Count(int64(s.Dead+s.GivenUp), "/collection/jobs")})
		}
	}
	card.Aside = print.Plural(int64(len(workers)), "workers")
	card.Body = []screen.Block{screen.Table{Label: "Queue", Tight: true, Empty: "Nothing waits, and nothing runs.", Rows: rows[:min(len(rows), 8)],
		Heads: []screen.Head{{Text: "Job"}, {Text: "Running", Right: true}, {Text: "Waiting", Right: true}, {Text: "Dead", Right: true}}}}
	items := screen.Items{}
	for i := range dead[:min(len(dead), 3)] {
		j := &dead[i]
		items.List = append(items.List, screen.Item{Icon: "v-not", Lead: j.Kind, Path: screen.With("/collection/jobs", "row", fmt.Sprint(j.ID)),
			Text: print.Sentence(print.Clean(j.Words, 160)), Meta: "dead for " + screen.Span(a.Now.Sub(j.Since))})
	}
	if len(items.List) > 0 {
		card.Body = append(card.Body, items)
	}
	return card
}

// house is the installation: clock, database, archive.
func (d *Desk) house(ctx context.Context, a *screen.Ask) screen.Block {
	items := screen.Items{Empty: "Nothing is known of the installation."}
	add := func(well bool, what, words string) {
		it := screen.Item{Icon: "v-met", Lead: what, Text: words}
		if !well {
			it.Icon = "v-warn"
		}
		items.List = append(items.List, it)
	}
	if d.Clock != nil {
		switch off, at := d.Clock(); {
		case at.IsZero():
			items.List = append(items.List, screen.Item{Icon: "v-unk", Lead: "Clock", Text: "it was not compared with Microsoft's yet"})
		case off.Abs() > time.Minute:
			add(false, "Clock", "it is "+screen.Span(off.Abs())+" off Microsoft's: no log is read by a clock that is five minutes off")
		default:
			add(true, "Clock", "it goes with Microsoft's, as of "+screen.Ago(at, a.Now))
		}
	}
	if d.Database != nil {
		list, err := d.Database(ctx)
		if err != nil {
			d.Log.WarnContext(ctx, "the database could not be looked at", "error", err)
			add(false, "Database", "it could not be looked at just now")
		}
		for _, h := range list {
			add(h.Well, h.What, h.Words)
		}
	}
	if d.Archive != nil {
		if total, err := d.Archive(ctx); err != nil {
			add(false, "Archive", "it could not be looked at just now")
		} else {
			size, unit := bytesOf(total.Size)
			words := fmt.Sprintf("%s %s in %s at %s", size, unit, print.Plural(int64(total.Segments), "segments"), print.Clean(d.Where, 200))
			if !total.Last.IsZero() {
				words += ", the newest page " + screen.Ago(total.Last, a.Now)
			}
			add(true, "Archive", words)
		}
	}
	return screen.Card{Head: "The installation", Bare: true, Body: []screen.Block{items}, Links: []screen.Link{{Text: "Trail", Path: "/trail"}}}
}
