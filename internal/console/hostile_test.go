package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"partnerguard/internal/console"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/secret"
)

// away are addresses that lead out of here, or might in some browser.
var away = []string{
	"https://evil.example", "http://evil.example/", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example",
	"/\\/evil.example",
	"\\/evil.example", "/%5cevil.example", "/%2f/evil.example", "/%2fevil.example", "/.//evil.example/..%2f", "/..//evil.example", "javascript:alert(1)",
	"data:text/html,x", "/\tevil.example", "/\n/evil.example", "/\r\nSet-Cookie:%20a=b", "/\x00", " /x", "https:evil.example", "https:/evil.example",
	"http:///evil.example",
	"/x\u2028", "/x#@evil.example", "@evil.example", "evil.example", "?to=//evil.example", "/%09/evil.example", "/%0d%0aLocation:%20//evil.example",
	"/signin", "/signin?to=/signin", "/signin/", "/signin/link/" + strings.Repeat("A", 43), "/x/../signin", "/signout", "/" + strings.Repeat("a", 5000), "",
}

// Nobody is led elsewhere, nor round in a circle, by an address that somebody made.
func TestOpenRedirects(t *testing.T) {
	t.Parallel()
	r, a, good := forge(t)
	for _, to := range away {
		if got := console.SafePath(to); got != "/" {
			t.Errorf("%q is gone to: %q", to, got)
		}
		b := r.browser()
		b.get("/signin?to=" + url.QueryEscape(to))
		b.is(200)
		if body := b.last.Body.String(); strings.Contains(body, "evil") {
			t.Errorf("%q is in the page", to)
		}
	}
	key, _ := signers()
	b := r.browser()
	for _, to := range []string{"//evil.example", "/\\evil.example", "https://evil.example"} {
		a.id, a.codes = func(n string) secret.Text { return sign(t, key, "k1", with(good, claims{"nonce": n})) }, nil
		b.post("/signin/entra", url.Values{"to": {to}})
		b.answer(a, "c")
		b.leads("/")
	}
	for _, fine := range []string{"/", "/people", "/people?q=a&sort=-age", "/coverage/decide?who=a%20b", "/a/b/c.csv", "/x?to=https%3A%2F%2Fevil.example"} {
		if got := console.SafePath(fine); got != fine {
			t.Errorf("%q becomes %q", fine, got)
		}
	}
}

func FuzzSafePath(f *testing.F) {
	for _, s := range away {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, to string) {
		got := console.SafePath(to)
		u, err := url.Parse("https://guard.example/signin")
		if err != nil {
			t.Fatal(err)
		}
		at, err := u.Parse(got)
		if err != nil || at.Host != "guard.example" || at.Scheme != "https" || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") ||
			strings.ContainsAny(got, "\\\r\n\t\x00#") || console.SafePath(got) != got {
			t.Errorf("%q leads to %q", to, got)
		}
	})
}

// A cookie that the box did not seal opens to nothing, whatever it is; nothing ends the
// program.
func FuzzCookie(f *testing.F) {
	r := newRig(f, dbtest.SQLite(f))
	b := r.browser().byLink()
	real := b.jar["pg"]
	for _, s := range []string{"", "x", real[:len(real)-1], real + "A", real[1:], strings.ToUpper(real), strings.Repeat("A", 4000),
		"AAAA", "%00", `"` + real + `"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, v string) {
		q := httptest.NewRequest("GET", "/", nil)
		q.AddCookie(&http.Cookie{Name: "pg", Value: v})
		if c, err := q.Cookie("pg"); err == nil && c.Value == real { // signs that no cookie has are left out on the way
			return
		}
		for _, name := range []string{"pg", "pg-in", "__Host-pg"} {
			x := r.under(t).browser()
			x.jar[name] = v
			if x.get("/"); x.last.Code != 303 {
				t.Errorf("%s=%q: %d", name, v, x.last.Code)
			}
			if x.get("/signin/callback?state=" + strings.Repeat("0", 64) + "&code=x"); x.last.Code != 400 {
				t.Errorf("%s=%q: the callback says %d", name, v, x.last.Code)
			}
		}
	})
}

// Whatever state and query come, an answer that nobody asked for is refused.
func FuzzState(f *testing.F) {
	for _, s := range []string{"state=a&code=b", "state=" + strings.Repeat("0", 64) + "&code=x", "error=access_denied&state=x", "state=&code=", "code=b", "%zz",
		"state=a;code=b", "iss=https%3A%2F%2Fx&state=a&code=b"} {
		f.Add(s)
	}
	r := newRig(f, dbtest.SQLite(f))
	f.Fuzz(func(t *testing.T, query string) {
		u := url.URL{Path: "/signin/callback", RawQuery: query}
		if strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) {
			return // no request line holds it
		}
		b := r.under(t).browser()
		b.get(u.String())
		if b.last.Code != 400 || len(b.jar) != 0 {
			t.Errorf("%q: %d %v", query, b.last.Code, b.jar)
		}
	})
}

// The cookie of TLS does not do without, nor another cookie of ours in its place.
func TestCookieNames(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t), func(d *console.Deps) { d.Public = "https://guard.example" })
	b := r.browser().byLink()
	plain := b.jar["pg"]
	if c := b.last.Result().Cookies()[0]; !c.HttpOnly || c.Secure || c.Path != "/" || c.MaxAge != 8*3600 || c.SameSite != 2 {
		t.Errorf("%+v", c)
	}
	over := r.browser()
	over.host = "guard.example"
	for _, name := range []string{"pg", "__Host-pg", "pg-in"} {
		over.jar = map[string]string{name: plain}
		if over.get("/"); over.last.Code != 303 {
			t.Errorf("%s from this machine counts over TLS", name)
		}
	}
	b.jar = map[string]string{"pg": b.jar["pg-in"]}
	b.get("/")
	b.is(303)
	over.jar = map[string]string{}
	over.get("/signin")
	over.is(200)
}
