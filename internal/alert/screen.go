package alert

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/notify"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Screens are the pages: alerts, and below it channels, what was told, and deadlines.
func (s *Store) Screens() []screen.Screen {
	pages := &pages{s: s}
	hidden := func(name, label string) screen.Field {
		return screen.Field{Name: name, Label: label, Kind: "hidden", Required: true, Max: 60}
	}
	pages.alerts = screen.Screen{
		Name: "alerts", Title: "Alerts", Icon: "bell", Group: screen.Posture, Order: 15, See: screen.SeeAlerts, Over: screen.OfHouse,
		About: "What is wrong now, one alert a cause, who was told of it, and what to do.",
		List:  alertList, Load: pages.load, Needs: pages.needs, Find: pages.find,
		Acts: []screen.Act{
			{Name: "ack", Title: "Acknowledge", About: "Says that you are at it: the alert is escalated no further.", Do: screen.DoAlerts,
				Form: []screen.Field{hidden("alert", "Alert")}, Handle: pages.acknowledge},
			{Name: "snooze", Title: "Snooze", About: "Keeps the alert silent for a while. It stays in the list, and a worse turn ends it.", Do: screen.DoAlerts,
				Form: []screen.Field{hidden("alert", "Alert"),
					{Name: "for", Label: "For how long", Kind: "select", Enum: []string{"1h", "4h", "24h", "72h", "168h", "720h"}, Required: true,
						Hint: "hours: at most 720, 30 days"},
					{Name: "why", Label: "Why", Kind: "text", Required: true, Max: 400, Hint: "whoever looks next reads this"}}, Handle: pages.snooze},
			{Name: "wake", Title: "End the snooze", About: "Has the alert told again.", Do: screen.DoAlerts, Form: []screen.Field{hidden("alert", "Alert")},
				Handle: pages.wake},
		},
	}
	return []screen.Screen{pages.alerts,
		{Name: "alerts/channels", Title: "Channels", Icon: "mail", See: screen.SeeAlerts, Over: screen.OfHouse, List: channelList, Load: pages.loadChannels,
			About: "By which channels people are told, and how each took the last message.",
			Acts: []screen.Act{
				{Name: "test", Title: "Send a test", About: "Sends a message that is marked as a test, once and now.", Do: screen.DoAlerts,
					Form: []screen.Field{hidden("channel", "Channel")}, Handle: pages.test},
				{Name: "revive", Title: "Send again", About: "Sends again what was given up.", Do: screen.DoAlerts,
					Form: []screen.Field{hidden("channel", "Channel")}, Handle: pages.revive}}},
		{Name: "alerts/told", Title: "What was told", Icon: "mail", See: screen.SeeAlerts, Over: screen.OfHouse, List: toldList, Load: pages.loadTold,
			About: "Every message of the last 90 days, by which channel it went, and every attempt."},
		{Name: "alerts/deadlines", Title: "Deadlines", Icon: "cal", See: screen.SeeAlerts, Over: screen.OfHouse, List: deadlineList, Load: pages.loadDeadlines,
			About: "Everything that ends, is due or changes here, soonest first.",
			Acts: []screen.Act{{Name: "calendar", Title: "Make a calendar of these", Do: screen.DoAlerts, Handle: pages.calendar,
				About: "Makes an address that calendar programs read. Whoever has it reads what you may see now; it is shown once.",
				Form:  []screen.Field{{Name: "name", Label: "What it is called", Kind: "text", Max: 80, Hint: "in the calendar program"}}}}},
	}
}

// pages load what the screens show.
type pages struct {
	s      *Store
	alerts screen.Screen
}

// whole is what a page keeps of resolved alerts.
const pageSince = 30 * 24 * time.Hour

// severityTone is a severity's shape and colour.
func severitySaid(s notify.Severity) *page.Said {
	tone := map[notify.Severity]print.Tone{notify.Urgent: print.Bad, notify.Warning: print.Cautious}[s]
	if tone.Class == "" {
		tone = print.Muted
	}
	return &page.Said{Tone: tone, Word: string(s)}
}

// stateOf is how an alert stands, in one word.
func stateOf(a *Alert, now time.Time) string {
	switch {
	case !a.Open():
		return resolved
	case a.Silent(now) != "":
		return "silent"
	case !a.Acked.IsZero():
		return "acknowledged"
	}
	return open
}

// shown is a row of the page: an alert as of the moment of the page.
type shown struct {
	Alert
	Standing string `json:"standing"` // open, acknowledged, silent, resolved
	Silence  string `json:"silentBecause,omitempty"`
	rank     int
}

var alertList = &screen.List[shown]{
	Noun: "alert", Search: "title, cause, names", Default: "rank", Drawer: true, PerPage: 100,
	Key: func(a *shown) string { return a.ID }, Tenant: func(a *shown) string { return a.Tenant },
	Columns: []screen.Column[shown]{
		{Name: "rank", Head: "Severity", About: "how much it matters; the gravest first", Cell: func(a *shown) screen.Cell {
			if !a.Open() {
				return screen.Cell{Said: &page.Said{Tone: print.Good, Word: resolved}}
			}
			return screen.Cell{Said: severitySaid(a.Severity)}
		}, Text: func(a *shown) string { return string(a.Severity) }, Order: func(x, y *shown) int { return x.rank - y.rank }, Plain: true},
		{Name: "title", Head: "What", About: "the cause, and what it did", Cell: func(a *shown) screen.Cell {
			return screen.Cell{Text: a.Title, Path: "/alerts?row=" + url.QueryEscape(a.ID), Sub: a.Cause}
		}},
		{Name: "kind", Head: "Kind", Cell: func(a *shown) screen.Cell { return screen.Cell{Tags: []screen.Tag{{Text: string(a.Kind)}}} }, Drop: true},
		{Name: "affected", Head: "Affected", About: "how many are hit", Right: true, Cell: func(a *shown) screen.Cell {
			if a.Count == 0 {
				return screen.Cell{}
			}
			return screen.Cell{Of: &screen.Part{N: int64(a.Count), Of: int64(a.Of), Unit: a.unit()}}
		}, Order: func(x, y *shown) int { return x.Count - y.Count }, Blank: func(a *shown) bool { return a.Count == 0 }, Plain: true},
		{Name: "opened", Head: "Open since", Right: true, Drop: true, Cell: func(a *shown) screen.Cell { return screen.When(a.Opened, "") },
			Order: func(x, y *shown) int { return x.Opened.Compare(y.Opened) }, Plain: true},
		{Name: "due", Head: "Due", About: "until when something has to be done", Right: true, Cell: func(a *shown) screen.Cell {
			if a.Due.IsZero() || !a.Open() {
				return screen.Cell{}
			}
			return screen.When(a.Due, "")
		}, Order: func(x, y *shown) int { return x.Due.Compare(y.Due) }, Blank: func(a *shown) bool { return a.Due.IsZero() || !a.Open() }, Plain: true},
		{Name: "standing", Head: "State", Cell: func(a *shown) screen.Cell {
			c := screen.Cell{Text: a.Standing, Quiet: a.Standing != open, Sub: a.Silence}
			switch {
			case a.Refused != "":
				c.Sub = a.Refused
			case a.Standing == "silent" && a.Excepted == "":
				c.Sub, c.SubAt = "snoozed, ends", a.Until
			case a.Standing == "acknowledged":
				c.Sub = "by " + a.AckedBy
			case a.Standing == open && a.Told.IsZero():
				c.Sub = "nobody was told yet"
			}
			return c
		}},
		{Name: "id", Head: "Alert", Only: true, Text: func(a *shown) string { return a.ID }},
		{Name: "tenant", Head: "Tenant", Only: true, Text: func(a *shown) string { return a.Tenant }},
		{Name: "fix", Head: "What to do", Only: true, Text: func(a *shown) string { return strings.TrimSpace(a.Fix + " " + a.Command) }},
		{Name: "who", Head: "Who", Only: true, Text: func(a *shown) string { return strings.Join(a.Subjects, "; ") }},
	},
	Filters: []screen.Filter[shown]{
		{Name: "standing", Head: "State", Of: func(a *shown) []string { return []string{a.Standing} }, Enum: []string{open, "acknowledged", "silent",
			resolved}},
		{Name: "severity", Head: "Severity", Of: func(a *shown) []string { return []string{string(a.Severity)} },
			Enum: []string{string(notify.Urgent), string(notify.Warning), string(notify.Notice)}},
		{Name: "kind", Head: "Kind", Of: func(a *shown) []string { return []string{string(a.Kind)} }},
	},
}

// rows are the alerts of a page, in the order of their weight.
func (p *pages) rows(ctx context.Context, now time.Time) ([]shown, error) {
	list, err := p.s.List(ctx, Listing{All: true, Since: now.Add(-pageSince)})
	out := make([]shown, len(list))
	for i := range list {
		out[i] = shown{Alert: list[i], Standing: stateOf(&list[i], now), rank: i}
		if out[i].Open() {
			out[i].Silence = list[i].Silent(now)
		}
	}
	return out, err
}

// needs counts the alerts that nobody is at.
func (p *pages) needs(ctx context.Context, v *screen.Viewer) (n int) {
	list, err := p.s.List(ctx, Listing{})
	if err != nil {
		return 0
	}
	for i := range list {
		if a := &list[i]; v.Sees(a.Tenant) && stateOf(a, p.s.now()) == open && a.Severity != notify.Notice {
			n++
		}
	}
	return n
}

func (p *pages) find(ctx context.Context, v *screen.Viewer, q string, limit int) (out []screen.Hit) {
	list, err := p.s.List(ctx, Listing{})
	if err != nil {
		return nil
	}
	for i := range list {
		a := &list[i]
		if len(out) < limit && v.Sees(a.Tenant) && strings.Contains(strings.ToLower(a.Title), strings.ToLower(q)) {
			out = append(out, screen.Hit{Title: a.Title, Sub: string(a.Severity) + " alert", Path: "/alerts?row=" + a.ID, Icon: "bell"})
		}
	}
	return out
}

func (p *pages) load(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	rows, err := p.rows(ctx, a.Now)
	if err != nil {
		return nil, err
	}
	n := map[string]int{}
	for i := range rows {
		r := &rows[i]
		if !a.Viewer.Sees(r.Tenant) {
			continue
		}
		n[r.Standing]++
		if r.Open() && r.Silence == "" {
			n[string(r.Severity)]++
		}
	}
	v := &screen.View{Rows: alertList.Of(rows), Summary: n, Nothing: &screen.Nothing{Head: "Nothing is wrong that is looked for",
		Text: "It is looked every minute, by serve or a worker."}}
	if a.Machine {
		return v, nil
	}
	tile := func(head string, sev notify.Severity) screen.Tile {
		t := screen.Tile{Head: head, N: fmt.Sprint(n[string(sev)]), Path: "/alerts?severity=" + string(sev) + "&standing=open&standing=acknowledged"}
		if n[string(sev)] > 0 {
			t.Said = &page.Said{Tone: severitySaid(sev).Tone}
		}
		return t
	}
	v.Above = append(v.Above, screen.Tiles{tile("Urgent", notify.Urgent), tile("Warnings", notify.Warning), tile("Notices", notify.Notice),
		{Head: "Silent, by snooze or exception", N: fmt.Sprint(n["silent"]), Path: "/alerts?standing=silent"}})
	if a.Viewer.Customers == nil {
		if err := p.about(ctx, v); err != nil {
			return nil, err
		}
	}
	if a.Query.Row != "" {
		i := slices.IndexFunc(rows, func(r shown) bool { return r.ID == a.Query.Row })
		if i < 0 || !a.Viewer.Sees(rows[i].Tenant) {
			return nil, problem.New(problem.NotFound, "there is no such alert")
		}
		v.Aside, err = p.drawer(ctx, &rows[i], a)
	}
	return v, err
}

// about is what stands around the alerts: channels that fail, and where else to look.
func (p *pages) about(ctx context.Context, v *screen.View) error {
	list, err := p.s.d.Out.Channels(ctx)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Cautious, Lead: "Nobody is told.", Text: "No channel is set: alerts are on this page alone."})
	}
	if err := p.s.misrouted(); err != nil {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Bad, Lead: "A route leads nowhere.", Text: err.Error()})
	}
	var items []screen.Item
	for i := range list {
		c := &list[i]
		said := channelSaid(c)
		items = append(items, screen.Item{Said: &said, Lead: c.Name, Path: "/alerts/channels?row=" + url.QueryEscape(c.Name), Text: lastWords(c),
			Meta: c.Kind + ", " + c.Where})
		if c.Dead > 0 || c.Broken != "" {
			v.Notices = append(v.Notices, screen.Notice{Tone: print.Bad, Lead: "The channel " + c.Name + " does not take messages.", Text: cmp.Or(c.Broken,
				lastWords(c)),
				LinkText: "Channels", Path: "/alerts/channels"})
		}
	}
	dates, missing := p.s.Deadlines(ctx)
	var due []screen.Item
	for i := range dates {
		d := &dates[i]
		if d.Past(p.s.now()) || len(due) == 8 {
			continue
		}
		due = append(due, screen.Item{When: d.At.Format("2 Jan"), WhenSub: d.At.Format("2006"), Lead: d.Title, Path: d.Path, Text: d.Detail, Meta: d.Kind})
	}
	foot := ""
	if len(missing) > 0 {
		foot = "Not read just now: " + strings.Join(missing, ", ") + ". The list is not whole."
	}
	v.Below = append(v.Below, screen.Side{Shape: "g2", List: []screen.Block{
		screen.Card{Head: "Channels", Links: []screen.Link{{Text: "All", Path: "/alerts/channels"}, {Text: "What was told", Path: "/alerts/told"}}, Bare: true,
			Body: []screen.Block{screen.Items{List: items, Empty: "No channels are set."}}},
		screen.Card{Head: "Deadlines", Links: []screen.Link{{Text: "All", Path: "/alerts/deadlines"}}, Bare: true, Foot: foot,
			Body: []screen.Block{screen.Items{List: due, Empty: "No dates ahead are known."}}}}})
	return nil
}

// drawer is one alert whole: what, who, what to do, what happened.
func (p *pages) drawer(ctx context.Context, r *shown, a *screen.Ask) ([]screen.Block, error) {
	life, err := p.s.Life(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	pairs := screen.Pairs{{Key: "Severity", Cell: screen.Cell{Said: severitySaid(r.Severity)}}, {Key: "Alert", Cell: screen.Cell{Text: r.ID, Mono: true}}}
	add := func(key string, c screen.Cell, given bool) {
		if given {
			pairs = append(pairs, screen.Pair{Key: key, Cell: c})
		}
	}
	add("Affected", screen.Words(r.Affected()), r.Count > 0)
	add("Since", screen.Cell{At: r.Since}, !r.Since.IsZero())
	add("To be done by", screen.Cell{At: r.Due, Ago: true}, !r.Due.IsZero() && r.Open())
	add("Tenant", screen.Cell{Text: r.Tenant, Mono: true}, r.Tenant != "")
	add("What to do", screen.Words(r.Fix), r.Fix != "")
	add("Where", screen.Cell{Text: "Open the page", Path: r.Path}, r.Path != "")
	add("Silent", screen.Cell{Text: r.Silence, Sub: strings.TrimSpace(r.Snoozer + " " + r.Why)}, r.Silence != "")
	add("Acknowledged", screen.Cell{Text: r.AckedBy, SubAt: r.Acked}, !r.Acked.IsZero())
	add("Does not count", screen.Words(r.Refused), r.Refused != "")
	out := []screen.Block{screen.Card{Head: r.Title, Note: r.Cause, Body: []screen.Block{pairs}}}
	if r.Command != "" {
		out = append(out, screen.Code{Text: r.Command, Wrap: true})
	}
	if r.Open() {
		id := url.Values{"alert": {r.ID}}
		if r.Acked.IsZero() {
			out = append(out, screen.Do{Path: "/alerts/ack", Right: screen.DoAlerts, Text: "Acknowledge", Fields: id, Primary: true})
		}
		if r.Until.After(a.Now) {
			out = append(out, screen.Do{Path: "/alerts/wake", Right: screen.DoAlerts, Text: "End the snooze", Fields: id})
		} else {
			out = append(out, screen.Form{Screen: &p.alerts, Act: "snooze", Values: id})
		}
	}
	if len(r.Subjects) > 0 {
		var items []screen.Item
		for _, s := range r.Subjects {
			items = append(items, screen.Item{Lead: s})
		}
		aside := ""
		if n := r.Count - len(r.Subjects); n > 0 && r.Unit != "messages" {
			aside = fmt.Sprintf("and %d more", n)
		}
		out = append(out, screen.Card{Head: "Who", Aside: aside, Body: []screen.Block{screen.Items{List: items}}})
	}
	var items []screen.Item
	for i := len(life) - 1; i >= 0; i-- {
		h := &life[i]
		items = append(items, screen.Item{When: h.At.Format("15:04"), WhenSub: h.At.Format("2 Jan"), Lead: h.What, Text: h.Words, Meta: h.Actor})
	}
	return append(out, screen.Card{Head: "What happened", Body: []screen.Block{screen.Items{List: items}}}), nil
}

// mine finds the alert of a form that the viewer may know of.
func (p *pages) mine(ctx context.Context, a *screen.Ask, form url.Values) (string, error) {
	x, err := p.s.Find(ctx, form.Get("alert"))
	if err == nil && !a.Viewer.Sees(x.Tenant) {
		err = problem.New(problem.NotFound, "there is no such alert")
	}
	return x.ID, err
}

// acted answers an act.
func acted(x Alert, err error, said string) (screen.Done, error) {
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: "/alerts?row=" + x.ID, Said: said, Body: x}, nil
}

func (p *pages) acknowledge(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	id, err := p.mine(ctx, a, form)
	if err != nil {
		return screen.Done{}, err
	}
	x, err := p.s.Acknowledge(ctx, id, a.Viewer.Actor)
	return acted(x, err, "You are at it: nobody else is called for this alert.")
}

func (p *pages) snooze(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	id, err := p.mine(ctx, a, form)
	if err != nil {
		return screen.Done{}, err
	}
	d, err := time.ParseDuration(form.Get("for"))
	if err != nil {
		return screen.Done{}, problem.New(problem.Usage, "for is no duration")
	}
	x, err := p.s.Snooze(ctx, id, p.s.now().Add(d), form.Get("why"), a.Viewer.Actor)
	return acted(x, err, "The alert is silent until "+x.Until.Format("2 Jan, 15:04 UTC")+", unless it turns worse.")
}

func (p *pages) wake(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	id, err := p.mine(ctx, a, form)
	if err != nil {
		return screen.Done{}, err
	}
	x, err := p.s.Wake(ctx, id, a.Viewer.Actor)
	return acted(x, err, "The snooze is over.")
}
