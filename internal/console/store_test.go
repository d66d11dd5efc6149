package console_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/console"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

// A link lets in once, within ten minutes, from this machine alone, and a look at it uses
// nothing up.
func TestLink(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		link := func() string {
			t.Helper()
			where, err := r.Link(t.Context(), "local:owner", "http://127.0.0.1:8443")
			r.must(err)
			return strings.TrimPrefix(where, "http://127.0.0.1:8443")
		}
		where := link()
		b := r.browser()
		for range 3 { // a chat's preview, a scanner, the person
			b.get(where)
			b.is(200, "Open the console", "local:owner")
		}
		if len(b.jar) != 0 {
			t.Error("a look sets a cookie", b.jar)
		}
		b.post(where, url.Values{})
		b.leads("/")
		b.get("/")
		b.is(200, "local:owner Operator of the machine")
		again := r.browser()
		again.post(where, url.Values{})
		again.is(404, "does not let anybody in")
		again.get(where)
		again.is(404)

		for name, change := range map[string]func(b *browser) []string{
			"another machine": func(b *browser) []string { b.peer = "192.0.2.7:4000"; return nil },
			"another name":    func(b *browser) []string { b.host = "guard.example"; return nil },
			"a proxy":         func(*browser) []string { return []string{"X-Forwarded-For", "192.0.2.7"} },
		} {
			b, where := r.browser(), link()
			b.do("POST", where, url.Values{}, change(b)...)
			if b.last.Code != 403 || len(b.jar) != 0 {
				t.Errorf("%s: %d", name, b.last.Code)
			}
		}
		other := r.browser()
		other.do("POST", link(), url.Values{}, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
		other.is(403)
		for name, jump := range map[string]time.Duration{"late": console.LinkLife, "clock set back": -3 * time.Minute} {
			where, at := link(), r.at
			r.at = at.Add(jump)
			b := r.browser()
			if b.post(where, url.Values{}); b.last.Code != 404 {
				t.Errorf("%s: %d", name, b.last.Code)
			}
			r.at = at
		}
		for _, bad := range []string{"/signin/link/x", "/signin/link/" + strings.Repeat("A", 43), "/signin/link/" + strings.Repeat("A", 5000)} {
			if r.browser().post(bad, url.Values{}).Code != 404 {
				t.Errorf("%.60s", bad)
			}
		}
		for _, address := range []string{"https://guard.example", "http://192.0.2.7:8443", "ftp://localhost", "http://localhost/x?y", "", "localhost:8443"} {
			if _, err := r.Link(t.Context(), "local:owner", address); problem.ExitCode(err) != 2 {
				t.Errorf("a link to %q: %v", address, err)
			}
		}
		if _, err := r.Link(t.Context(), "entra:ada@contoso.com", home); err == nil {
			t.Error("a link for somebody who is not of this machine")
		}
		said := r.said()
		if !slices.Contains(said, "link-made") || !slices.Contains(said, "link-used") || !slices.Contains(said, "entered") ||
			!slices.Contains(said, "refused link") {
			t.Error(said)
		}
	})
}

// A session ends: unused, after its life, by its owner, by others, and when the clock is
// set back; nothing brings it back.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		for name, c := range map[string]struct {
			change func(b *browser)
			why    string // "" is alive
		}{
			"used": {func(*browser) { r.at = r.at.Add(59 * time.Minute) }, ""},
			"used again and again": {func(b *browser) {
				for range 9 {
					r.at = r.at.Add(50 * time.Minute)
					b.get("/")
					b.is(200)
				}
			}, ""},
			"a tick before idle": {func(*browser) { r.at = r.at.Add(time.Hour - time.Microsecond) }, ""},
			"idle":               {func(*browser) { r.at = r.at.Add(time.Hour) }, "idle"},
			"life": {func(b *browser) {
				for range 8 { // eight times an hour less a second, and eight seconds
					r.at = r.at.Add(time.Hour - time.Second)
					b.get("/")
					b.is(200)
				}
				r.at = r.at.Add(8 * time.Second)
			}, "life"},
			"ended by another": {func(b *browser) {
				list, err := r.Sessions(t.Context())
				r.must(err)
				if len(list) != 1 || list[0].Role != console.RoleOperator || list[0].Address != "127.0.0.1" {
					t.Error(list)
				}
				r.must(r.EndSession(t.Context(), list[0].ID, "local:other"))
			}, "ended"},
			"all ended":            {func(*browser) { _, err := r.EndSessions(t.Context(), "", "", "local:other"); r.must(err) }, "ended"},
			"the clock set back":   {func(*browser) { r.at = r.at.Add(-3 * time.Minute) }, "clock"},
			"a clock a second off": {func(*browser) { r.at = r.at.Add(-time.Second) }, ""},
		} {
			at := monday
			r.at = at
			b := r.browser().byLink()
			kept := b.jar["pg"]
			c.change(b)
			b.get("/")
			if c.why == "" {
				b.is(200)
			} else {
				b.leads("/signin?to=%2F&why=" + c.why)
				b.get(b.last.Header().Get("Location"))
				b.is(200, "Your session")
				if b.jar["pg"] != "" {
					t.Errorf("%s: the cookie stays", name)
				}
				b.jar["pg"], r.at = kept, at // the clock goes back, the cookie was stolen
				b.get("/")
				if b.last.Code != 303 {
					t.Errorf("%s: it lives again", name)
				}
			}
			r.at = at
			_, err := r.EndSessions(t.Context(), "", "", "local:other")
			r.must(err)
		}
	})
}

// What was stolen before a sign-out is worth nothing after it, everywhere.
func TestStolenCookie(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	b, second := r.browser().byLink(), r.browser().byLink()
	thief := r.browser()
	thief.jar["pg"] = b.jar["pg"]
	thief.get("/")
	thief.is(200)
	b.post("/signout", url.Values{})
	b.leads("/signin?why=left")
	thief.get("/")
	thief.leads("/signin?to=%2F&why=ended")
	second.get("/")
	second.is(200)
	third := r.browser().byLink()
	third.post("/signout/everywhere", url.Values{})
	for _, x := range []*browser{second, third} {
		x.get("/")
		if x.last.Code != 303 {
			t.Error("a session of the same person goes on")
		}
	}
}

// Who comes in gets another session than the one that was in the browser before, and that
// one ends: what somebody else put there lets nobody in later.
func TestFixation(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	planted := r.browser().byLink()
	victim := r.browser()
	victim.jar["pg"] = planted.jar["pg"]
	victim.byLink()
	if victim.jar["pg"] == planted.jar["pg"] {
		t.Fatal("the session is the one that was planted")
	}
	planted.get("/")
	planted.leads("/signin?to=%2F&why=ended")
	victim.get("/")
	victim.is(200)
	// Two cookies of one name: somebody else set one of them.
	victim.do("GET", "/", nil, "Cookie", "pg="+victim.jar["pg"]+"; pg=x")
	if victim.last.Code != 303 {
		t.Error("one of two cookies is believed")
	}
}

// Whoever can write the database lets nobody in, and gives nobody a role.
func TestForgedRows(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.browser().byLink()
		exec := func(query string, args ...any) {
			t.Helper()
			res, err := d.ExecContext(t.Context(), query, args...)
			r.must(err)
			if n, _ := res.RowsAffected(); n == 0 {
				t.Fatal("nothing was changed:", query)
			}
		}
		tok, text, err := r.MakeToken(t.Context(), console.Token{Name: "billing", Rights: []string{"customers.see"}, Ends: r.at.Add(time.Hour)}, "local:owner")
		r.must(err)
		g, err := r.Give(t.Context(), console.Grant{Tenant: tenantID, Kind: console.KindUser, Subject: ada, Name: "Ada", Role: "reader"}, "local:owner")
		r.must(err)
		b.get("/")
		b.is(200)
		for _, c := range []struct{ column, value string }{{"role", "administrator"}, {"actor", "local:root"}, {"customers", "[]"},
			{"held", `{"roles":["x"]}`}} {
			var was string
			r.must(d.QueryRowContext(t.Context(), "SELECT "+c.column+" FROM console_sessions").Scan(&was))
			exec("UPDATE console_sessions SET "+c.column+" = $1", c.value)
			b.jar2(func(jar map[string]string) { b.get("/"); b.is(303) })
			exec("UPDATE console_sessions SET "+c.column+" = $1", was)
		}
		b.get("/")
		b.is(200)
		exec("UPDATE console_roles SET role = 'administrator'")
		list, err := r.Grants(t.Context())
		r.must(err)
		if list[0].Refused == "" {
			t.Error("a role that was changed counts")
		}
		exec("UPDATE console_roles SET role = 'reader'")
		exec("UPDATE console_tokens SET rights = '[\"trail.see\"]'")
		b.do("GET", "/customers/see", nil, "Authorization", "Bearer "+text.Reveal())
		b.is(401)
		exec("UPDATE console_tokens SET rights = '[\"customers.see\"]'")
		b.do("GET", "/customers/see", nil, "Authorization", "Bearer "+text.Reveal())
		b.is(200)

		// Put back: what was ended, with the mark it had.
		back := func(table, id string, end func()) {
			t.Helper()
			copied := "x_" + table
			_, err := d.ExecContext(t.Context(), "CREATE TABLE "+copied+" AS SELECT * FROM "+table+" WHERE id = '"+id+"'")
			r.must(err)
			end()
			_, err = d.ExecContext(t.Context(), "INSERT INTO "+table+" SELECT * FROM "+copied)
			r.must(err)
		}
		back("console_tokens", tok.ID, func() { _, err := r.RemoveToken(t.Context(), tok.ID, "local:owner"); r.must(err) })
		back("console_roles", g.ID, func() { _, err := r.Take(t.Context(), g.ID, "local:owner"); r.must(err) })
		sessions, err := r.Sessions(t.Context())
		r.must(err)
		back("console_sessions", sessions[0].ID, func() { r.must(r.EndSession(t.Context(), sessions[0].ID, "local:owner")) })
		// And who knows this program appends that it was made, once more.
		r.must(r.trail.Record(t.Context(), audit.Event{At: r.at, Action: audit.ConsoleTokenMade, Outcome: audit.Done, Actor: "local:owner", Object: tok.ID}))
		r.must(r.trail.Record(t.Context(), audit.Event{At: r.at, Action: audit.ConsoleRoleGiven, Outcome: audit.Done, Actor: "local:owner", Object: g.ID}))
		r.start() // another process, which remembers nothing
		b.do("GET", "/customers/see", nil, "Authorization", "Bearer "+text.Reveal())
		b.is(401)
		b.get("/")
		b.is(303)
		if list, err = r.Grants(t.Context()); err != nil || !strings.Contains(list[0].Refused, "console.role-taken") {
			t.Error("a role that was put back counts", list, err)
		}
	})
}

// jar2 does something with the cookies as they are, and puts them back.
func (b *browser) jar2(do func(map[string]string)) {
	was := map[string]string{}
	for k, v := range b.jar {
		was[k] = v
	}
	do(b.jar)
	b.jar = was
}

// A database that somebody else writes at length keeps nobody who is in from reading.
func TestBusyDatabase(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	b := r.browser().byLink()
	r.at = r.at.Add(5 * time.Minute) // when it was seen is due to be written
	r.Hasty()
	free := make(chan struct{})
	held, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- r.d.InTx(context.Background(), func(ctx context.Context) error {
			_, err := r.d.ExecContext(ctx, "UPDATE console_tokens SET used = used")
			close(held)
			<-free
			return err
		})
	}()
	<-held
	began := time.Now()
	b.get("/")
	took := time.Since(began)
	b.is(200)
	close(free)
	r.must(<-ended)
	if took > 3*time.Second {
		t.Errorf("a page took %s", took)
	}
}
