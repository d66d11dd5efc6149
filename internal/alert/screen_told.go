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

// house refuses whoever is limited to customers: channels, and what went by them, are of
// the installation.
func house(a *screen.Ask) error {
	if a.Viewer.Customers != nil {
		return problem.New(problem.Forbidden, "this page is of the whole installation, and you were given some customers of it").
			WithHint("ask whoever gave you your role")
	}
	return nil
}

func channelSaid(c *notify.ChannelStatus) page.Said {
	switch {
	case c.Broken != "" || c.Dead > 0:
		return page.Said{Tone: print.Bad, Word: "gives up"}
	case c.Last == nil:
		return page.Said{Tone: print.Muted, Word: "never used"}
	case c.Last.Outcome == "failed":
		return page.Said{Tone: print.Cautious, Word: "tries again"}
	case c.Last.Outcome == "begun":
		return page.Said{Tone: print.Doubt, Word: "unknown"}
	}
	return page.Said{Tone: print.Good, Word: "takes messages"}
}

func lastWords(c *notify.ChannelStatus) string {
	switch {
	case c.Broken != "":
		return print.Ended(c.Broken)
	case c.Last == nil:
		return "Nothing went by it yet."
	}
	return attemptWords(c.Last)
}

func attemptWords(a *notify.Attempt) string {
	s := map[string]string{"sent": "Taken", "failed": "Not taken", "begun": "Begun, and nobody knows how it ended"}[a.Outcome]
	if a.Status != "" {
		s += " (" + a.Status + ")"
	}
	if a.Words != "" {
		s += ": " + a.Words
	}
	return print.Ended(s)
}

var channelList = &screen.List[notify.ChannelStatus]{
	Noun: "channel", Search: "name, kind, address", Key: func(c *notify.ChannelStatus) string { return c.Name }, Drawer: true,
	Columns: []screen.Column[notify.ChannelStatus]{
		{Name: "name", Head: "Channel", Cell: func(c *notify.ChannelStatus) screen.Cell {
			return screen.Named(c.Name, c.Kind, "/alerts/channels?row="+url.QueryEscape(c.Name))
		}},
		{Name: "state", Head: "State", Cell: func(c *notify.ChannelStatus) screen.Cell {
			said := channelSaid(c)
			return screen.Cell{Said: &said, Sub: lastWords(c)}
		}},
		{Name: "where", Head: "To", About: "without what of it is secret", Cell: func(c *notify.ChannelStatus) screen.Cell {
			return screen.Cell{Text: c.Where, Mono: true}
		}},
		{Name: "waiting", Head: "Waiting", Right: true, Cell: func(c *notify.ChannelStatus) screen.Cell {
			return screen.Count(int64(c.Waiting), "/alerts/told?state=waiting&channel="+url.QueryEscape(c.Name))
		}, Order: func(x, y *notify.ChannelStatus) int { return x.Waiting - y.Waiting }},
		{Name: "dead", Head: "Given up", Right: true, Cell: func(c *notify.ChannelStatus) screen.Cell {
			return screen.Count(int64(c.Dead), "/alerts/told?state=dead&channel="+url.QueryEscape(c.Name))
		}, Order: func(x, y *notify.ChannelStatus) int { return x.Dead - y.Dead }},
		{Name: "last", Head: "Last attempt", Right: true, Cell: func(c *notify.ChannelStatus) screen.Cell {
			if c.Last == nil {
				return screen.Cell{Never: "never"}
			}
			return screen.When(c.Last.Began, "never")
		}},
	},
}

func (p *pages) loadChannels(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	if err := house(a); err != nil {
		return nil, err
	}
	list, err := p.s.d.Out.Channels(ctx)
	if err != nil {
		return nil, err
	}
	v := &screen.View{Rows: channelList.Of(list), Nothing: &screen.Nothing{Head: "No channel is set",
		Text: "Nobody is told of anything: alerts are on their page " +
			"alone. Channels are set in the settings file.", Command: "partnerguard config"}}
	if err := p.s.misrouted(); err != nil {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Bad, Lead: "A route leads nowhere.", Text: err.Error()})
	}
	if i := slices.IndexFunc(list, func(c notify.ChannelStatus) bool { return c.Name == a.Query.Row }); i >= 0 {
		c := &list[i]
		said := channelSaid(c)
		id := url.Values{"channel": {c.Name}}
		body := []screen.Block{screen.Pairs{{Key: "State", Cell: screen.Cell{Said: &said}}, {Key: "Kind", Cell: screen.Words(c.Kind)},
			{Key: "To", Cell: screen.Cell{Text: c.Where, Mono: true}}}}
		if c.Last != nil && c.Last.Fix != "" {
			body = append(body, screen.Para{Text: print.Sentence(c.Last.Fix) + "."})
		}
		v.Aside = []screen.Block{screen.Card{Head: c.Name, Note: lastWords(c), Body: body},
			screen.Do{Path: "/alerts/channels/test", Right: screen.DoAlerts, Text: "Send a test", Fields: id, Primary: true}}
		if c.Dead > 0 {
			v.Aside = append(v.Aside, screen.Do{Path: "/alerts/channels/revive", Right: screen.DoAlerts, Text: "Send again what was given up", Fields: id})
		}
	}
	return v, nil
}

func (p *pages) test(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	if err := house(a); err != nil {
		return screen.Done{}, err
	}
	t, err := p.s.d.Out.Test(ctx, form.Get("channel"), notify.Notice)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: "/alerts/channels?row=" + url.QueryEscape(t.Channel), Said: "The test: " + attemptWords(t.Attempt), Body: t}, nil
}

func (p *pages) revive(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	if err := house(a); err != nil {
		return screen.Done{}, err
	}
	n, err := p.s.d.Out.Revive(ctx, "", form.Get("channel"), a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Path: "/alerts/channels", Said: print.Plural(int64(n), "message") + " sent again.", Body: map[string]int{"revived": n}}, nil
}

var toldList = &screen.List[notify.Delivery]{
	Noun: "message", Search: "title, channel, alert", Key: func(d *notify.Delivery) string { return d.Message + "/" + d.Channel }, Default: "-at",
	Columns: []screen.Column[notify.Delivery]{
		{Name: "at", Head: "At", Cell: func(d *notify.Delivery) screen.Cell { return screen.Cell{At: d.At} },
			Order: func(x, y *notify.Delivery) int { return x.At.Compare(y.At) }},
		{Name: "title", Head: "What was told", Cell: func(d *notify.Delivery) screen.Cell {
			c := screen.Cell{Text: d.Title, Sub: d.Message}
			if d.Alert != "" {
				c.Path = "/alerts?row=" + url.QueryEscape(d.Alert)
			}
			if d.Test {
				c.Tags = []screen.Tag{{Text: "test"}}
			}
			return c
		}},
		{Name: "channel", Head: "Channel", Cell: func(d *notify.Delivery) screen.Cell { return screen.Words(d.Channel) }},
		{Name: "state", Head: "State", Cell: func(d *notify.Delivery) screen.Cell {
			said := page.Said{Tone: print.Good, Word: d.State}
			switch d.State {
			case "dead":
				said = page.Said{Tone: print.Bad, Word: "given up"}
			case "waiting":
				said.Tone = print.Cautious
			}
			sub := ""
			if n := len(d.Attempts); n > 0 {
				sub = attemptWords(&d.Attempts[n-1])
			}
			return screen.Cell{Said: &said, Sub: sub}
		}},
		{Name: "attempts", Head: "Attempts", Right: true, Cell: func(d *notify.Delivery) screen.Cell { return screen.Count(int64(len(d.Attempts)), "") },
			Order: func(x, y *notify.Delivery) int { return len(x.Attempts) - len(y.Attempts) }},
		{Name: "next", Head: "Next", Right: true, Drop: true, Cell: func(d *notify.Delivery) screen.Cell {
			return screen.Cell{At: d.Due,
				Ago: !d.Due.IsZero()}
		},
			Blank: func(d *notify.Delivery) bool { return d.Due.IsZero() }},
	},
	Filters: []screen.Filter[notify.Delivery]{
		{Name: "state", Head: "State", Of: func(d *notify.Delivery) []string { return []string{d.State} }, Enum: []string{"waiting", "sent", "dead"}},
		{Name: "channel", Head: "Channel", Of: func(d *notify.Delivery) []string { return []string{d.Channel} }},
		{Name: "alert", Head: "Alert", Of: func(d *notify.Delivery) []string { return []string{d.Alert} }, Quiet: true},
	},
	Detail: func(d *notify.Delivery) []screen.Block {
		var items []screen.Item
		for i := range d.Attempts {
			t := &d.Attempts[i]
			items = append(items, screen.Item{Lead: fmt.Sprintf("Attempt %d", t.N), Text: strings.TrimSpace(attemptWords(t) + " " + t.Fix),
				Meta: t.Began.Format("2006-01-02 15:04:05 UTC") + ", " + t.Took.Round(time.Millisecond).String()})
		}
		return []screen.Block{screen.Items{List: items, Timeline: true, Empty: "No attempt was made yet."}}
	},
}

func (p *pages) loadTold(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	if err := house(a); err != nil {
		return nil, err
	}
	list, err := p.s.d.Out.History(ctx, notify.HistoryOf{Limit: 2000})
	return &screen.View{Rows: toldList.Of(list), Nothing: &screen.Nothing{Head: "Nothing was told",
		Text: "Messages and their attempts are kept for 90 days."}}, err
}

var deadlineList = &screen.List[Deadline]{
	Noun: "deadline", Search: "title, detail", Key: func(d *Deadline) string { return d.ID }, Default: "at",
	Tenant: func(d *Deadline) string { return d.Tenant },
	Columns: []screen.Column[Deadline]{
		{Name: "at", Head: "When", Cell: func(d *Deadline) screen.Cell {
			c := screen.Cell{At: d.At, Ago: true, SubAt: time.Time{}, Sub: d.At.Format("2 Jan 2006, 15:04")}
			if d.Whole {
				c.Sub = d.At.Format("2 Jan 2006")
			}
			if !d.Sure {
				c.Tags = []screen.Tag{{Text: "not sure"}}
			}
			return c
		}, Order: func(x, y *Deadline) int { return x.At.Compare(y.At) }},
		{Name: "title", Head: "What", Cell: func(d *Deadline) screen.Cell { return screen.Named(d.Title, d.Detail, d.Path) }},
		{Name: "kind", Head: "Kind", Cell: func(d *Deadline) screen.Cell { return screen.Cell{Tags: []screen.Tag{{Text: d.Kind}}} }},
		{Name: "tenant", Head: "Tenant", Only: true, Text: func(d *Deadline) string { return d.Tenant }},
	},
	Filters: []screen.Filter[Deadline]{{Name: "kind", Head: "Kind", Of: func(d *Deadline) []string { return []string{d.Kind} }}},
}

// calendar makes a calendar of what the viewer may see, and says its address, once.
func (p *pages) calendar(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	base := p.s.d.Out.Base()
	if base == "" {
		return screen.Done{}, problem.New(problem.Usage, "where this server is reached is not known, so a calendar would have no address").
			WithHint("set publicURL; partnerguard notify feed make shows one for this machine")
	}
	owner := a.Viewer.Actor
	if strings.HasPrefix(owner, "entra:") { // roles are given to the person's id
		owner += " " + a.Viewer.ID
	}
	f, key, err := p.s.MakeFeed(ctx, owner, form.Get("name"), a.Viewer.Customers, a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	address := Address(base, key)
	return screen.Done{Path: "/alerts/deadlines", Said: "The calendar's address, shown once: " + address, Body: struct {
		Feed
		Address string `json:"address"`
	}{f, address}}, nil
}

func (p *pages) loadDeadlines(ctx context.Context, _ *screen.Ask) (*screen.View, error) {
	list, missing := p.s.Deadlines(ctx)
	v := &screen.View{Rows: deadlineList.Of(list), Nothing: &screen.Nothing{Head: "No dates ahead are known",
		Text: "Exceptions, attestations, relationships with " +
			"customers, connections, certificates, Microsoft's alerts and dated changes are looked at."}}
	v.Actions = []screen.Action{{Text: "Make a calendar", Icon: "cal", Act: "calendar"}}
	if len(missing) > 0 {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Cautious, Lead: "The list is not whole.", Text: "Not read just now: " +
			cmp.Or(strings.Join(missing, ", "), "?") + "."})
	}
	return v, nil
}
