package alert_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"

	"partnerguard/internal/alert"
	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/web"
)

// served asks for an address of a server with the calendars.
func served(t *testing.T, b *bench) func(path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	k := web.NewKernel(web.Deps{})
	if err := b.s.Mount(k); err != nil {
		t.Fatal(err)
	}
	return func(path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if len(header) == 2 {
			r.Header.Set(header[0], header[1])
		}
		w := httptest.NewRecorder()
		k.ServeHTTP(w, r)
		return w
	}
}

func entries(t *testing.T, body []byte) map[string]*ics.VEvent {
	t.Helper()
	for _, line := range bytes.Split(bytes.TrimSuffix(body, []byte("\r\n")), []byte("\r\n")) {
		if len(line) > 75 || bytes.ContainsAny(line, "\r\n") || !utf8.Valid(line) {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
	cal, err := ics.ParseCalendar(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*ics.VEvent{}
	for _, e := range cal.Events() {
		out[e.GetProperty(ics.ComponentPropertySummary).Value] = e
	}
	return out
}

// TestCalendar: by its secret alone, the same bytes while nothing changed, a higher
// sequence under the same id when something did, nothing once it is revoked.
func TestCalendar(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d)
		ctx := t.Context()
		b.dates = []alert.Deadline{{ID: "exception/x-1", Kind: alert.DueException, At: b.at.Add(100 * time.Hour), Title: "The exception ends",
			Detail: "a; b, c\nd", Sure: true,
			Path: "/exceptions?row=x-1"}, {ID: "change/ews", Kind: alert.DueChange, At: time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC), Title: "EWS is closed",
			Whole: true}}
		f, key, err := b.s.MakeFeed(ctx, "local:ana", "on call", nil, "local:ana")
		if err != nil {
			t.Fatal(err)
		}
		if e := b.trail.Of(audit.CalendarMade); len(e) != 1 || e[0].Object != f.ID {
			t.Error(e)
		}
		ask := served(t, b)
		path := strings.TrimPrefix(alert.Address("https://guard.example/", key), "https://guard.example")
		w := ask(path)
		if w.Code != 200 || w.Header().Get("Content-Type") != "text/calendar; charset=utf-8" || w.Header().Get("Cache-Control") != "private, no-cache" {
			t.Fatal(w.Code, w.Header())
		}
		first := entries(t, w.Body.Bytes())
		x := first["The exception ends"]
		if x == nil || first["EWS is closed (not sure)"] == nil || x.GetProperty(ics.ComponentPropertySequence).Value != "0" || len(x.Alarms()) != 1 ||
			x.GetProperty(ics.ComponentPropertyUrl).Value != "https://guard.example/exceptions?row=x-1" ||
			!regexp.MustCompile(`(?m)^DTSTART;VALUE=DATE:20270401\r$`).Match(w.Body.Bytes()) {
			t.Error(w.Body)
		}
		tag := w.Header().Get("ETag")
		if w := ask(path, "If-None-Match", tag); w.Code != 304 || w.Body.Len() != 0 {
			t.Error(w.Code)
		}
		b.at = b.at.Add(time.Hour)
		b.open() // a restart
		ask = served(t, b)
		if w := ask(path); w.Header().Get("ETag") != tag {
			t.Error("other bytes, and nothing changed")
		}
		b.dates[0].At = b.dates[0].At.Add(time.Hour)
		w = ask(path, "If-None-Match", tag)
		next := entries(t, w.Body.Bytes())["The exception ends"]
		if w.Code != 200 || next == nil || next.Id() != x.Id() || next.GetProperty(ics.ComponentPropertySequence).Value != "1" {
			t.Error(w.Code, w.Body)
		}
		var hash string
		if err := d.QueryRowContext(ctx, "SELECT hash FROM alert_feeds").Scan(&hash); err != nil || strings.Contains(hash, key.Reveal()) {
			t.Error("the secret is kept", err)
		}
		for _, bad := range []string{"/calendar/" + strings.Repeat("A", 43) + ".ics", "/calendar/" + key.Reveal(), "/calendar/" + hash + ".ics",
			"/calendar/.ics", "/calendar/" + f.ID + ".ics"} {
			if w := ask(bad); w.Code != 404 {
				t.Error(bad, w.Code)
			}
		}
		if _, err := b.s.RevokeFeed(ctx, f.ID, "local:ana"); err != nil {
			t.Fatal(err)
		}
		if w := ask(path); w.Code != 404 {
			t.Error("a revoked calendar is read", w.Code)
		}
		if _, err := b.s.RevokeFeed(ctx, f.ID, "local:ana"); !errors.Is(err, problem.Conflict) {
			t.Error(err)
		}
		if _, err := d.ExecContext(ctx, "UPDATE alert_feeds SET ended = 0"); err != nil {
			t.Fatal(err)
		}
		if w := ask(path); w.Code != 404 {
			t.Error("a calendar that something else brought back is read", w.Code)
		}
		if list, err := b.s.ListFeeds(ctx); err != nil || len(list) != 1 || list[0].Refused == "" {
			t.Error(list, err)
		}
	})
}

// TestCalendarSees: no more than what it was made for, and than its owner may see now.
func TestCalendarSees(t *testing.T) {
	t.Parallel()
	b := newBench(t, dbtest.SQLite(t))
	b.dates = []alert.Deadline{{ID: "1", Kind: alert.DueDelegation, At: b.at.Add(time.Hour), Title: "own", Sure: true},
		{ID: "2", Kind: alert.DueDelegation, At: b.at.Add(time.Hour), Title: "fabrikam", Sure: true, Tenant: "fab"},
		{ID: "3", Kind: alert.DueDelegation, At: b.at.Add(time.Hour), Title: "northwind", Sure: true, Tenant: "north"}}
	may := map[string]bool{"": true, "fab": true, "north": true}
	known := true
	s, err := alert.New(alert.Deps{DB: b.db, Now: func() time.Time { return b.at }, Out: b.out, Marks: b.v,
		Dates: []alert.NamedDater{{Name: "test", Get: func(context.Context) ([]alert.Deadline, error) { return b.dates, nil }}},
		Sees: func(_ context.Context, owner string) (func(string) bool, bool, error) {
			return func(t string) bool { return may[t] }, known && owner == "oidc:ben", nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	b.s = s
	ask := served(t, b)
	for _, c := range []struct {
		tenants []string
		may     []string
		want    string
	}{{nil, []string{"", "fab", "north"}, "fabrikam northwind own"}, {[]string{"fab"}, []string{"", "fab", "north"}, "fabrikam"}, {nil, []string{"fab"},
		"fabrikam"},
		{[]string{"north"}, []string{"fab"}, ""}} {
		_, key, err := s.MakeFeed(t.Context(), "oidc:ben", "", c.tenants, "oidc:ben")
		if err != nil {
			t.Fatal(err)
		}
		may = map[string]bool{}
		for _, x := range c.may {
			may[x] = true
		}
		known = true
		var got []string
		for name := range entries(t, ask("/calendar/"+key.Reveal()+".ics").Body.Bytes()) {
			got = append(got, name)
		}
		for _, name := range []string{"own", "fabrikam", "northwind"} {
			if has := strings.Contains(strings.Join(got, " "), name); has != strings.Contains(c.want, name) {
				t.Errorf("%v %v: %v", c.tenants, c.may, got)
			}
		}
		known = false
		if w := ask("/calendar/" + key.Reveal() + ".ics"); w.Code != 404 {
			t.Error("an owner who is gone", w.Code)
		}
	}
}

// TestCalendarHostile: no name in a tenant becomes a line of the calendar.
func TestCalendarHostile(t *testing.T) {
	t.Parallel()
	b := newBench(t, dbtest.SQLite(t))
	for i, s := range append(screentest.Hostile, "x\r\nATTACH:https://evil.example\r\nX-Y:z", strings.Repeat("é", 10_000)) {
		b.dates = append(b.dates, alert.Deadline{ID: string(rune('a' + i)), Kind: alert.DueException, At: b.at.Add(time.Hour), Title: s, Detail: s, Sure: true})
	}
	_, key, err := b.s.MakeFeed(t.Context(), "local:ana", "x\r\nATTACH:y", nil, "local:ana")
	if err != nil {
		t.Fatal(err)
	}
	w := served(t, b)("/calendar/" + key.Reveal() + ".ics")
	entries(t, w.Body.Bytes())
	body := w.Body.String()
	if n := strings.Count(body, "BEGIN:VEVENT"); n != len(b.dates) || strings.Contains(body, "\nATTACH") || strings.Contains(body, "s://evil") ||
		strings.Contains(body, "\u202e") {
		t.Error(n, len(b.dates), regexp.MustCompile(`.*(\nATTACH|s://evil|\x{202e}).*`).FindAllString(body, 3))
	}
}
