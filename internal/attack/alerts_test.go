package attack

import (
	"context"
	"slices"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/app"
	"partnerguard/internal/notify"
)

// alerted opens an alert, has somebody snooze it, makes a calendar and reads it, and
// sends a test that nobody takes.
func (h *house) alerted(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	out, err := notify.New(notify.Deps{DB: s.DB, Now: s.Now, Record: s.Trail, Config: &notify.Config{Channels: []notify.Setting{
		{Name: "soc", Syslog: "tcp://127.0.0.1:1"}, {Name: "digest", Syslog: "tcp://127.0.0.1:1"}}}})
	h.ok(err)
	_, err = out.Test(ctx, "soc", notify.Notice)
	h.ok(err)
	now := s.Now()
	store, err := alert.New(alert.Deps{DB: s.DB, Now: s.Now, Out: out, Record: s.Trail, Marks: s.Vault, Posture: turned{},
		Config: &alert.Config{Zone: "UTC", DigestAt: "08:00", DigestDay: "monday", Routes: []alert.Route{{To: []string{"digest"}, Digest: "weekly"}}},
		// No source of the installation's own, which would resolve it.
		Sources: []alert.NamedSource{{Name: "test", Get: func(context.Context) ([]alert.Finding, bool, error) {
			return []alert.Finding{{Key: "test:1", Kind: alert.Jobs, Severity: notify.Warning, Title: "jobs are tried no more"}}, true, nil
		}}},
		Dates: []alert.NamedDater{{Name: "test", Get: func(context.Context) ([]alert.Deadline, error) {
			return []alert.Deadline{{ID: "exception/x", Kind: alert.DueException, At: now.Add(60 * 24 * time.Hour), Title: "an exception ends",
				Sure: true}}, nil
		}}}})
	h.ok(err)
	h.ok(store.Look(ctx))
	list, err := store.List(ctx, alert.Listing{})
	h.ok(err)
	i := slices.IndexFunc(list, func(a alert.Alert) bool { return a.Key == "cause:t1" }) // what is silent leaves the queue
	if i < 0 {
		h.Fatal("no alert was opened", list)
	}
	_, err = store.Snooze(ctx, list[i].ID, now.Add(20*24*time.Hour), "change under way", "local:ada")
	h.ok(err)
	f, _, err := store.MakeFeed(ctx, "local:ada", "on call", nil, "local:ada")
	h.ok(err)
	_, err = store.Calendar(ctx, &f)
	h.ok(err)
}

// turned is a judgement that made something worse.
type turned struct{}

func (turned) Tenants(context.Context) ([]string, error) { return []string{"t1"}, nil }
func (turned) Turned(_ context.Context, _ string, round int64) (*alert.Turn, error) {
	if round > 0 {
		return nil, nil
	}
	return &alert.Turn{Round: 1, Causes: []alert.Culprit{{Key: "cause:t1", Kind: alert.Caused, Title: "A policy was edited",
		Hits: []alert.Hit{{Account: "u", Name: "u@contoso.com", Severity: notify.Warning}}}}}, nil
}

func (turned) Standing(context.Context, string) (*alert.Standing, error) {
	return &alert.Standing{Of: 1, Has: func(*alert.Hit) bool { return true }}, nil
}

func (turned) Excepted(context.Context) (func(alert.Hit) string, error) {
	return func(alert.Hit) string { return "" }, nil
}

// alerts tells which alerts are silent by somebody's word, and which calendars are read.
func (h *house) alerts(ctx context.Context, s *app.Installation, d *day) {
	list, err := s.Alerts.List(ctx, alert.Listing{All: true})
	if err != nil {
		d.tell("alerts: %v", err)
	}
	for i := range list {
		a := &list[i]
		if a.Refused != "" {
			d.tell("alert %s: %s", a.ID, a.Refused)
		}
		if !a.Until.IsZero() {
			d.silent["alert "+a.ID+" until "+a.Until.Format(time.RFC3339)] = true
		}
	}
	feeds, err := s.Alerts.ListFeeds(ctx)
	if err != nil {
		d.tell("calendars: %v", err)
	}
	for i := range feeds {
		f := &feeds[i]
		if f.Refused != "" {
			d.tell("calendar %s: %s", f.ID, f.Refused)
		} else if f.Ended.IsZero() {
			d.silent["calendar "+f.ID+" of "+f.Owner] = true
		}
	}
}
