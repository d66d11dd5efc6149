package alert_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
	"partnerguard/internal/vault/vaulttest"
)

// bench is alerts over a database, with one source that says what the test wants.
type bench struct {
	*testing.T
	db    *db.DB
	v     *vault.Vault
	trail *audittest.Recorder
	conf  alert.Config
	chans []notify.Setting
	at    time.Time

	out   *notify.Outbox
	s     *alert.Store
	found []alert.Finding
	whole bool
	dates []alert.Deadline
	turn  *fakePosture
}

func newBench(t *testing.T, d *db.DB, routes ...alert.Route) *bench {
	t.Helper()
	b := &bench{T: t, db: d, v: vaulttest.Open(t, d), trail: &audittest.Recorder{}, whole: true, at: time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)}
	b.conf = alert.Config{Window: 2 * time.Minute, Zone: "Europe/Berlin", DigestAt: "08:00", DigestDay: "monday", Routes: routes}
	for _, name := range []string{"team", "oncall", "boss"} {
		b.chans = append(b.chans, notify.Setting{Name: name, Syslog: "udp://127.0.0.1:9"})
	}
	b.open()
	return b
}

// open makes the stores anew, as a process that starts.
func (b *bench) open() {
	b.Helper()
	var err error
	now := func() time.Time { return b.at }
	if b.out, err = notify.New(notify.Deps{DB: b.db, Config: &notify.Config{Channels: b.chans}, Now: now, Base: "https://guard.example"}); err != nil {
		b.Fatal(err)
	}
	d := alert.Deps{DB: b.db, Now: now, Out: b.out, Config: &b.conf, Record: b.trail, Marks: b.v,
		Sources: []alert.NamedSource{{Name: "test", Get: func(context.Context) ([]alert.Finding, bool, error) { return b.found, b.whole, nil }}},
		Dates:   []alert.NamedDater{{Name: "test", Get: func(context.Context) ([]alert.Deadline, error) { return b.dates, nil }}}}
	if b.turn != nil {
		d.Posture = b.turn
	}
	if b.s, err = alert.New(d); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) look() {
	b.Helper()
	if err := b.s.Look(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// after looks after a while.
func (b *bench) after(d time.Duration) { b.Helper(); b.at = b.at.Add(d); b.look() }

// said gives the titles of what was told since the last call, "channel: title", sorted.
func (b *bench) said() (out []string) {
	b.Helper()
	list, err := b.out.History(b.Context(), notify.HistoryOf{})
	if err != nil {
		b.Fatal(err)
	}
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, list[i].Channel+": "+list[i].Title)
	}
	slices.Sort(out)
	for _, table := range []string{"notify_messages", "notify_deliveries"} {
		if _, err := b.db.ExecContext(b.Context(), "DELETE FROM "+table); err != nil {
			b.Fatal(err)
		}
	}
	return out
}

func (b *bench) want(what string, want ...string) {
	b.Helper()
	if got := b.said(); fmt.Sprint(got) != fmt.Sprint(want) {
		b.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func (b *bench) one() alert.Alert {
	b.Helper()
	list, err := b.s.List(b.Context(), alert.Listing{})
	if err != nil || len(list) != 1 {
		b.Fatal(list, err)
	}
	return list[0]
}

func finding(key string, sev notify.Severity) alert.Finding {
	return alert.Finding{Key: key, Kind: alert.Collection, Severity: sev, Title: "It is " + key, Cause: "because", Count: 3, Of: 9, Unit: "tenants"}
}

// TestLife: opened once, told once, also after a restart; worse is told, eased is not;
// what a source cannot say is not resolved; resolved is told to who heard of it.
func TestLife(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, alert.Route{To: []string{"team"}})
		b.found = []alert.Finding{finding("a", notify.Warning)}
		b.look()
		b.want("within the window")
		b.open()
		b.after(2 * time.Minute)
		b.want("after the window", "team: It is a")
		b.open()
		b.after(time.Minute)
		b.want("once")
		id := b.one().ID
		b.found[0].Count = 2
		b.after(time.Hour)
		b.after(time.Hour)
		b.want("eased")
		b.found[0].Count = 5
		b.look()
		b.after(2 * time.Minute)
		b.want("worse", "team: It is a")
		if a := b.one(); a.ID != id || a.Count != 5 {
			t.Error(a)
		}
		b.found, b.whole = nil, false
		b.after(time.Hour)
		if b.one().ID != id {
			t.Error("resolved by what was not read")
		}
		b.whole = true
		b.look()
		b.after(2 * time.Minute)
		b.want("resolved", "team: It is a")
		list, err := b.s.List(t.Context(), alert.Listing{All: true})
		if err != nil || len(list) != 1 || list[0].State != "resolved" {
			t.Error(list, err)
		}
		life, err := b.s.Life(t.Context(), id)
		var words []string
		for _, h := range life {
			words = append(words, h.What)
		}
		if got := strings.Join(words, " "); err != nil || got != "opened told eased worse told resolved told" {
			t.Error(got, err)
		}
		b.found = []alert.Finding{finding("a", notify.Warning)}
		b.look()
		if b.one().ID == id {
			t.Error("the next time is the same alert")
		}
	})
}

// TestGroups: what comes in the window goes in one message; what is urgent goes at once
// and takes the others along; what is over before it was told is not told.
func TestGroups(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		for i := range 27 {
			b.found = append(b.found, finding(fmt.Sprintf("n%02d", i), notify.Notice))
		}
		b.look()
		b.want("in the window")
		b.found = append(b.found, finding("fire", notify.Urgent))
		b.after(time.Second)
		b.want("urgent", "boss: 28 alerts, first: It is fire", "oncall: 28 alerts, first: It is fire", "team: 28 alerts, first: It is fire")
		b.found = append(b.found, finding("short", notify.Notice))
		b.after(time.Second)
		b.found = b.found[:28]
		b.after(time.Hour)
		b.want("over before it was told")
	})
}

// TestCatchUp: what was opened while no channel was set is told, once, as soon as one is.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		channels := b.chans
		b.chans = nil
		b.open()
		b.found = []alert.Finding{finding("early", notify.Urgent)}
		b.look()
		b.after(time.Hour)
		b.want("without a channel")
		b.chans = channels[:1]
		b.open()
		b.after(time.Minute)
		b.want("with the first channel", "team: It is early")
		b.after(time.Hour)
		b.want("told once")
	})
}

// TestSnooze: silent until its end, or a worse turn; both are told. Who and why are kept,
// and what something else wrote silences nothing.
func TestSnooze(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, alert.Route{To: []string{"team"}})
		ctx := t.Context()
		b.found = []alert.Finding{finding("a", notify.Warning)}
		b.look()
		id := b.one().ID
		for name, f := range map[string]func() error{
			"past":      func() error { _, err := b.s.Snooze(ctx, id, b.at, "x", "me"); return err },
			"for years": func() error { _, err := b.s.Snooze(ctx, id, b.at.Add(40*24*time.Hour), "x", "me"); return err },
			"no why":    func() error { _, err := b.s.Snooze(ctx, id, b.at.Add(time.Hour), " ", "me"); return err },
		} {
			if err := f(); !errors.Is(err, problem.Usage) {
				t.Error(name, err)
			}
		}
		if _, err := b.s.Snooze(ctx, "a-none", b.at.Add(time.Hour), "x", "me"); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
		a, err := b.s.Snooze(ctx, id, b.at.Add(time.Hour), "change\nunder way", "local:ana")
		if err != nil || a.Snoozer != "local:ana" || a.Why != "change under way" || a.Silent(b.at) == "" {
			t.Fatal(a, err)
		}
		if e := b.trail.Of(audit.AlertSnoozed); len(e) != 1 || e[0].Actor != "local:ana" || e[0].Object != id {
			t.Error(e)
		}
		b.after(30 * time.Minute)
		b.want("snoozed")
		b.after(31 * time.Minute)
		b.after(2 * time.Minute)
		b.want("the snooze is over", "team: It is a")
		if _, err := b.s.Snooze(ctx, id, b.at.Add(time.Hour), "again", "local:ana"); err != nil {
			t.Fatal(err)
		}
		b.found[0].Severity = notify.Urgent
		b.after(time.Minute)
		b.want("a worse turn", "team: It is a")
		if a := b.one(); !a.Until.IsZero() {
			t.Error("still snoozed", a)
		}
		if _, err := b.s.Snooze(ctx, id, b.at.Add(time.Hour), "again", "local:ana"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.db.ExecContext(ctx, "UPDATE alert_acts SET until = until + 1"); err != nil {
			t.Fatal(err)
		}
		if a := b.one(); a.Refused == "" || a.Silent(b.at) != "" {
			t.Error("a forged snooze counts", a)
		}
	})
}

// TestException: an exception in force silences the alert; it stays in the list, and is
// told when the exception is over.
func TestException(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, alert.Route{To: []string{"team"}})
		f := finding("a", notify.Urgent)
		f.Excepted = "x-1"
		b.found = []alert.Finding{f}
		b.after(time.Hour)
		b.want("excepted")
		if a := b.one(); a.Silent(b.at) != "exception x-1" {
			t.Error(a)
		}
		b.found[0].Excepted = ""
		b.after(time.Hour)
		b.want("the exception is over", "team: It is a")
	})
}

// TestEscalation: one channel after the other, while nobody acknowledges it.
func TestEscalation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, alert.Route{To: []string{"team"}, Escalate: []string{"oncall", "boss"}, After: 30 * time.Minute})
		b.found = []alert.Finding{finding("a", notify.Urgent), finding("b", notify.Urgent)}
		b.found[1].Title = "B"
		b.look()
		b.want("first", "team: 2 alerts, first: B")
		list, _ := b.s.List(t.Context(), alert.Listing{})
		for _, a := range list {
			if a.Title == "B" {
				if _, err := b.s.Acknowledge(t.Context(), a.ID, "local:ana"); err != nil {
					t.Fatal(err)
				}
				if _, err := b.s.Acknowledge(t.Context(), a.ID, "local:ben"); !errors.Is(err, problem.Conflict) {
					t.Error(err)
				}
			}
		}
		b.after(29 * time.Minute)
		b.want("not yet")
		b.after(time.Minute)
		b.want("the next", "oncall: It is a")
		b.open()
		b.after(time.Minute)
		b.want("once")
		b.after(29 * time.Minute)
		b.want("the last", "boss: It is a")
		b.found = nil
		b.look()
		b.want("all who heard hear that it is over", "boss: It is a", "oncall: It is a", "team: 2 alerts are resolved")
	})
}

// TestQuiet: in quiet hours only what is urgent goes; the others go when they are over.
// Digests go at their hour, also when clocks are changed.
func TestQuiet(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, alert.Route{Severities: []string{"urgent", "warning"}, To: []string{"oncall"}}, alert.Route{To: []string{"team"}, Digest: "daily"})
		b.conf.Quiet, b.conf.Days = "22:00-07:00", []string{"sunday"}
		b.open()
		b.at = time.Date(2026, 11, 30, 22, 30, 0, 0, time.UTC) // 23:30 in Berlin
		b.found = []alert.Finding{finding("late", notify.Warning)}
		b.look()
		b.after(time.Hour)
		b.want("quiet")
		b.found = append(b.found, finding("fire", notify.Urgent))
		b.after(time.Minute)
		b.want("urgent", "oncall: It is fire")
		b.at = time.Date(2026, 12, 1, 5, 59, 0, 0, time.UTC)
		b.look()
		b.want("a minute before seven")
		b.after(time.Minute)
		b.want("seven", "oncall: It is late")
		b.after(59 * time.Minute)
		b.want("a minute before the digest")
		b.after(time.Minute)
		b.want("the digest", "team: Digest: 2 alerts, first: It is fire")
		b.after(time.Hour)
		b.want("once")
		b.at = time.Date(2026, 12, 6, 12, 0, 0, 0, time.UTC)
		b.found = append(b.found, finding("sunday", notify.Warning))
		b.look()
		b.after(time.Hour)
		b.want("a quiet day")
	})
}
