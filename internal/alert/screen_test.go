package alert_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

// filled are alerts of every kind of standing, with texts of the corpus in them.
func filled(t *testing.T) (*bench, *screentest.House) {
	b := newBench(t, dbtest.SQLite(t), alert.Route{To: []string{"team"}})
	own := screentest.Tenants[0].ID
	b.at = screentest.Now
	b.found = []alert.Finding{
		{Key: "1", Kind: alert.Caused, Severity: notify.Urgent, Tenant: own,
			Title: "The policy “Require MFA for everyone” was edited: 27 accounts opened, 1 requirement worse",
			Cause: "A group was left out: “Contractors”. dana.fox@contoso.example did it at 05:52.", Count: 27, Of: 214, Unit: "accounts",
			Since: b.at.Add(-20 * time.Minute), Subjects: []string{"ana@contoso.example", "ben@contoso.example", "scanner@contoso.example"},
			Command: "partnerguard changes --since 2026-11-19", Path: "/status", Fix: "look whether it was meant; if not, put it back"},
		{Key: "2", Kind: alert.Fraud, Severity: notify.Urgent, Tenant: screentest.Tenants[1].ID, Title: "Microsoft warns: unusual compute usage",
			Cause: "It has to be answered " +
				"by 2026-11-20 19:40 UTC.", Due: b.at.Add(13*time.Hour + 29*time.Minute), Fix: "stop the resources, then record the answer"},
		{Key: "3", Kind: alert.Collection, Severity: notify.Warning, Title: "What decides is not read: AuditLog.Read.All is missing", Count: 12, Of: 300,
			Unit:     "tenants",
			Subjects: screentest.Hostile, Command: "partnerguard gaps"},
		{Key: "4", Kind: alert.Ending, Severity: notify.Notice, Tenant: own, Title: "The exception from mfa-every-user ends",
			Due: b.at.Add(9 * 24 * time.Hour)},
		{Key: "5", Kind: alert.Jobs, Severity: notify.Warning, Title: "Jobs collect-round are tried no more", Count: 3, Unit: "jobs", Excepted: "x-1"},
	}
	b.dates = []alert.Deadline{{ID: "gdap/1", Kind: alert.DueDelegation, At: b.at.Add(30 * time.Hour), Title: "GDAP with Fabrikam ends", Sure: true,
		Tenant: screentest.Tenants[1].ID, Path: "/customers"},
		{ID: "change/ews", Kind: alert.DueChange, At: b.at.Add(50 * 24 * time.Hour), Title: "Exchange Web Services are closed", Detail: "1 user uses it",
			Whole: true}}
	b.open()
	b.look()
	b.after(3 * time.Minute)
	list, err := b.s.List(t.Context(), alert.Listing{})
	if err != nil || len(list) < 5 {
		t.Fatal(list, err)
	}
	for i := range list {
		switch list[i].Key {
		case "2":
			_, err = b.s.Acknowledge(t.Context(), list[i].ID, "local:ada")
		case "4":
			_, err = b.s.Snooze(t.Context(), list[i].ID, b.at.Add(4*time.Hour), "waits for the owner", "local:ada")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	h := screentest.Of(b.s.Screens()...)
	h.Now = b.at
	return b, h
}

// TestPages: each page shows what there is, and nothing that a tenant wrote becomes more
// than text.
func TestPages(t *testing.T) {
	t.Parallel()
	b, h := filled(t)
	list, _ := b.s.List(t.Context(), alert.Listing{})
	for address, want := range map[string]string{
		"/alerts":                       "27 accounts opened",
		"/alerts?standing=silent":       "waits for",
		"/alerts?row=" + list[1].ID:     "What happened",
		"/alerts/channels":              "udp://127.0.0.1:9",
		"/alerts/channels?row=team":     "Send a test",
		"/alerts/told":                  "5 alerts",
		"/alerts/deadlines":             "GDAP with Fabrikam ends",
		"/alerts/deadlines?kind=change": "Exchange Web Services",
	} {
		html := h.HTML(t, address)
		if address == "/alerts?standing=silent" {
			want = "snoozed, ends"
		}
		if address == "/alerts/told" {
			want = "alerts, first"
		}
		if !strings.Contains(html, want) {
			t.Errorf("%s does not say %q", address, want)
		}
		for _, bad := range []string{"<script>alert", "onerror=alert(1)>", "<h1>owned", "href=\"https://evil", "href=\"//evil", "\u202e"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s has %q", address, bad)
			}
		}
	}
}

// TestPagesOfStaff: who is limited to a customer sees the alerts and dates of that one,
// and neither channels nor what went by them; their acts reach no other alert.
func TestPagesOfStaff(t *testing.T) {
	t.Parallel()
	b, h := filled(t)
	h.Viewer = screentest.Viewer()
	h.Viewer.Customers = []string{screentest.Tenants[1].ID}
	html := h.HTML(t, "/alerts")
	if !strings.Contains(html, "unusual compute") || strings.Contains(html, "27 accounts") || strings.Contains(html, "AuditLog") || strings.Contains(html,
		"udp://") {
		t.Error("a viewer of one customer sees another's alerts, or the channels")
	}
	if html := h.HTML(t, "/alerts/deadlines"); !strings.Contains(html, "Fabrikam") || strings.Contains(html, "Exchange Web") {
		t.Error("deadlines of others")
	}
	for _, address := range []string{"/alerts/channels", "/alerts/told"} {
		if _, err := h.Render(t.Context(), address); !errors.Is(err, problem.Forbidden) {
			t.Error(address, err)
		}
	}
	list, _ := b.s.List(t.Context(), alert.Listing{})
	for i := range list {
		a := &list[i]
		if a.Tenant == screentest.Tenants[1].ID {
			continue
		}
		if _, err := h.Render(t.Context(), "/alerts?row="+a.ID); !errors.Is(err, problem.NotFound) {
			t.Error("opened another's", err)
		}
		for _, s := range b.s.Screens()[:1] {
			for _, act := range s.Acts {
				form := url.Values{"alert": {a.ID}, "for": {"1h"}, "why": {"x"}}
				if _, err := act.Handle(t.Context(), &screen.Ask{Viewer: h.Viewer, Now: b.at}, form); !errors.Is(err, problem.NotFound) {
					t.Errorf("%s of another's: %v", act.Name, err)
				}
			}
		}
	}
}

// TestActs: acknowledged and snoozed by the page, in the name of who did it.
func TestActs(t *testing.T) {
	t.Parallel()
	b, h := filled(t)
	list, _ := b.s.List(t.Context(), alert.Listing{})
	id := list[1].ID // the first is acknowledged
	ask := &screen.Ask{Viewer: screentest.Viewer(), Now: b.at}
	acts := map[string]screen.Act{}
	for _, act := range b.s.Screens()[0].Acts {
		acts[act.Name] = act
	}
	for _, step := range []struct{ act, want string }{{"ack", "acknowledged"}, {"snooze", "silent"}, {"wake", "acknowledged"}} {
		form := url.Values{"alert": {id}}
		if step.act == "snooze" {
			form.Set("for", "4h")
			form.Set("why", "change under way")
		}
		form, err := func() (url.Values, error) { x := acts[step.act]; return x.Check(form) }()
		if err != nil {
			t.Fatal(err)
		}
		done, err := acts[step.act].Handle(t.Context(), ask, form)
		if err != nil || done.Path != "/alerts?row="+id || done.Said == "" {
			t.Fatal(step.act, done, err)
		}
		if html := h.HTML(t, "/alerts?standing="+step.want+"&row="+id); !strings.Contains(html, "local:ada") {
			t.Error(step.act, "is not shown with who did it")
		}
	}
	cal := b.s.Screens()[3].Acts[0]
	ask.Viewer.Customers = []string{screentest.Tenants[1].ID}
	done, err := cal.Handle(t.Context(), ask, url.Values{"name": {"on call"}})
	if err != nil || !strings.Contains(done.Said, "https://guard.example/calendar/") {
		t.Fatal(done, err)
	}
	if feeds, err := b.s.ListFeeds(t.Context()); err != nil || len(feeds) != 1 || feeds[0].Owner != "local:ada" || len(feeds[0].Tenants) != 1 {
		t.Error(feeds, err)
	}
	if n := b.s.Screens()[0].Needs(t.Context(), screentest.Viewer()); n != 2 { // the others are silent, acknowledged or notices
		t.Error("needs", n)
	}
}

// TestShots takes pictures where SHOTS says so.
func TestShots(t *testing.T) {
	b, h := filled(t)
	list, _ := b.s.List(t.Context(), alert.Listing{})
	h.Needs = map[string]int{"alerts": 2}
	for name, address := range map[string]string{"alerts": "/alerts", "alert": "/alerts?row=" + list[1].ID, "channels": "/alerts/channels?row=team",
		"told": "/alerts/told", "deadlines": "/alerts/deadlines"} {
		h.Shoot(t, name, address)
	}
}
