package alert

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/notify"
)

// What is told of an alert.
const (
	whatOpened    = "opened"
	whatWorse     = "changed"
	whatAgain     = "again" // it still is, after a snooze
	whatResolved  = "resolved"
	whatEscalated = "escalated"
)

// itself says that an alert is about the channel that it would go to.
func (s *Store) itself(a *Alert, channel string) bool {
	return a.Kind == Channel && slices.Contains(a.Subjects, channel)
}

// tell queues what is told of an alert, for the channels of its routes: a resolution for
// those that heard of it. An alert that is silent is not told.
func (s *Store) tell(ctx context.Context, a *Alert, what string) error {
	now := s.now()
	if what != whatResolved && a.Silent(now) != "" {
		return nil
	}
	due := now
	if a.Severity != notify.Urgent {
		due = now.Add(s.d.Config.Window)
	}
	done := map[string]bool{}
	for _, r := range s.routes() {
		if !r.fits(a) {
			continue
		}
		for _, name := range r.To {
			if done[name] || s.itself(a, name) {
				continue
			}
			done[name] = true
			at := due
			if r.Digest != "" {
				at = s.when.nextDigest(now, r.Digest)
			}
			if err := s.enqueue(ctx, a, name, what, at, r.Digest != ""); err != nil {
				return err
			}
		}
	}
	if what == whatResolved { // also those that no route leads to any more, or by escalation
		for _, name := range append(slices.Clone(a.steps.To), a.steps.Up...) {
			if !done[name] {
				done[name] = true
				if err := s.enqueue(ctx, a, name, what, due, false); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// enqueue puts what is told of an alert into a channel's queue. What waits there already
// stays what it is where that says more: one that opened and was not told is not "changed",
// and one that is resolved before it was told is not told.
func (s *Store) enqueue(ctx context.Context, a *Alert, channel, what string, due time.Time, digest bool) error {
	list, err := s.queue(ctx)
	if err != nil {
		return err
	}
	q := queued{channel: channel, alert: a.ID, what: what, since: s.now(), due: due, digest: digest}
	heard := slices.Contains(a.steps.To, channel)
	for i := range list {
		was := &list[i]
		if was.channel != channel || was.alert != a.ID {
			continue
		}
		if what == whatResolved && !heard {
			return s.dropQueued(ctx, was)
		}
		if was.due.Before(q.due) {
			q.due = was.due
		}
		if what == whatWorse || what == whatAgain {
			q.what = was.what
		}
	}
	if what == whatResolved && !heard {
		return nil
	}
	return s.putQueued(ctx, &q)
}

// flush hands out what is due, one message a channel. What is not due goes with it, but
// for what is quiet now or of a digest.
func (s *Store) flush(ctx context.Context) error {
	list, err := s.queue(ctx)
	if err != nil {
		return err
	}
	type batch struct {
		channel string
		digest  bool
	}
	now, quiet := s.now(), s.when.isQuiet(s.now())
	groups := map[batch][]said{}
	ripe := map[batch]bool{}
	var order []batch
	for i := range list {
		q := &list[i]
		a, err := s.Find(ctx, q.alert)
		if err != nil {
			return err
		}
		if q.what != whatResolved && (!a.Open() || a.Silent(now) != "") {
			if err := s.dropQueued(ctx, q); err != nil {
				return err
			}
			continue
		}
		if quiet && a.Severity != notify.Urgent {
			continue
		}
		b := batch{q.channel, q.digest}
		if groups[b] == nil {
			order = append(order, b)
		}
		if q.digest && q.due.After(now) {
			continue
		}
		groups[b] = append(groups[b], said{q, a})
		ripe[b] = ripe[b] || !q.due.After(now)
	}
	for _, b := range order {
		if ripe[b] {
			if err := s.hand(ctx, b.channel, b.digest, groups[b]); err != nil {
				return err
			}
		}
	}
	return nil
}

// said is an alert with what is told of it.
type said struct {
	q *queued
	a Alert
}

// hand makes one message of what is told to a channel, and gives it to the outbox.
func (s *Store) hand(ctx context.Context, channel string, digest bool, list []said) error {
	slices.SortStableFunc(list, func(x, y said) int {
		return cmp.Or(x.a.Severity.Rank()-y.a.Severity.Rank(), x.a.Opened.Compare(y.a.Opened), cmp.Compare(x.a.Title, y.a.Title))
	})
	var m *notify.Message
	if len(list) == 1 && !digest {
		m = s.single(ctx, &list[0])
	} else {
		m = s.several(ctx, list, digest)
	}
	if err := s.d.Out.Put(ctx, m, channel); err != nil {
		return err
	}
	for i := range list {
		a, err := s.alert(ctx, list[i].a.ID) // as it stands now: another channel's batch may have changed it
		if err != nil {
			return err
		}
		if a.Told.IsZero() {
			a.Told = s.now()
		}
		if !slices.Contains(a.steps.To, channel) {
			a.steps.To = append(a.steps.To, channel)
		}
		if err := s.updateAlert(ctx, &a); err != nil {
			return err
		}
		if err := s.dropQueued(ctx, list[i].q); err != nil {
			return err
		}
		if err := s.note(ctx, a.ID, "told", "", fmt.Sprintf("%s, by %s in %s", list[i].q.what, channel, m.ID)); err != nil {
			return err
		}
	}
	return nil
}

// link is where an alert is on the console.
func (s *Store) link(id string) string {
	base := s.d.Out.Base()
	if base == "" {
		return ""
	}
	if id == "" {
		return base + "/alerts"
	}
	return base + "/alerts?row=" + id
}

// single is the message of one alert.
func (s *Store) single(_ context.Context, x *said) *notify.Message {
	a := &x.a
	m := &notify.Message{ID: notify.NewID(), Event: "alert." + x.q.what, Severity: a.Severity, At: s.now(), Thread: a.ID, Title: a.Title, Text: a.Cause,
		Link: s.link(a.ID)}
	if x.q.what == whatAgain {
		m.Event, m.Text = "alert.changed", "Still so, and no longer snoozed. "+m.Text
	}
	add := func(name, value string) {
		if value != "" {
			m.Fields = append(m.Fields, notify.Field{Name: name, Value: value})
		}
	}
	add("Alert", a.ID)
	if a.Count > 0 {
		add("Affected", a.Affected())
	}
	if !a.Since.IsZero() {
		add("Since", when(a.Since))
	}
	if !a.Due.IsZero() && a.Open() {
		add("To be done by", when(a.Due))
	}
	add("Tenant", a.Tenant)
	if len(a.Subjects) > 0 {
		names := a.Subjects[:min(len(a.Subjects), 5)]
		more := max(a.Count, len(a.Subjects)) - len(names)
		text := strings.Join(names, ", ")
		if more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		add("Who", text)
	}
	if a.Open() {
		add("What to do", a.Fix)
		if a.Command != "" {
			m.Commands = append(m.Commands, a.Command)
		}
		m.Commands = append(m.Commands, "partnerguard notify ack "+a.ID)
	} else {
		add("Resolved", when(a.Resolved))
	}
	return m
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// several is the message of several alerts, the gravest first.
func (s *Store) several(ctx context.Context, list []said, digest bool) *notify.Message {
	m := &notify.Message{ID: notify.NewID(), Event: "alert.group", Severity: notify.Notice, At: s.now(), Link: s.link(""),
		Commands: []string{"partnerguard notify list"}}
	fresh, over := 0, 0
	for i := range list {
		x := &list[i]
		word := map[string]string{whatOpened: "", whatWorse: "Worse: ", whatAgain: "Still: ", whatResolved: "Resolved: ",
			whatEscalated: "Not acknowledged: "}[x.q.what]
		if x.q.what == whatResolved {
			over++
		} else {
			fresh++
			if x.a.Severity.Rank() < m.Severity.Rank() {
				m.Severity = x.a.Severity
			}
		}
		text := x.a.Cause
		if x.a.Count > 0 {
			text = strings.TrimSpace(x.a.Affected() + ". " + text)
		}
		m.Items = append(m.Items, notify.Item{ID: x.a.ID, Severity: x.a.Severity, Title: word + x.a.Title, Text: text})
	}
	switch {
	case fresh == 0:
		m.Title = fmt.Sprintf("%d alerts are resolved", over)
	case fresh == 1:
		m.Title = list[0].a.Title
	default:
		m.Title = fmt.Sprintf("%d alerts, first: %s", fresh, list[0].a.Title)
	}
	if fresh > 0 && over > 0 {
		m.Title += fmt.Sprintf(" (%d resolved)", over)
	}
	if digest {
		m.Event = "digest"
		m.Title = "Digest: " + m.Title
		if opened, err := s.alerts(ctx, open, time.Time{}, 0); err == nil {
			n := map[notify.Severity]int{}
			for i := range opened {
				n[opened[i].Severity]++
			}
			for _, sev := range notify.Severities() {
				m.Fields = append(m.Fields, notify.Field{Name: "Open, " + string(sev), Value: fmt.Sprint(n[sev])})
			}
		}
	}
	return m
}
