package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/session"
	"partnerguard/internal/msapi"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// Tokens that are not what they should be: each is refused, and nobody is in.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	_, other := signers()
	for name, c := range map[string]struct {
		change claims
		by     bool // signed by another key
		says   string
	}{
		"another's nonce":      {claims{"nonce": "x"}, false, "bad nonce"},
		"no nonce":             {claims{"nonce": nil}, false, "bad nonce"},
		"another app's":        {claims{"aud": bo}, false, "bad audience"},
		"two apps'":            {claims{"aud": []string{appID, bo}}, false, "bad audience"},
		"another tenant's":     {claims{"tid": bo, "iss": "https://sts.windows.net/" + bo + "/"}, false, "bad issuer"},
		"a tenant's mixed":     {claims{"tid": bo}, false, "refused"},
		"another issuer's":     {claims{"iss": "https://evil.example/" + tenantID + "/"}, false, "bad issuer"},
		"expired":              {claims{"exp": monday.Add(-time.Hour).Unix(), "iat": monday.Add(-2 * time.Hour).Unix(), "nbf": nil}, false, "expired"},
		"not yet valid":        {claims{"nbf": monday.Add(time.Hour).Unix()}, false, "not yet valid"},
		"for ever":             {claims{"exp": monday.Add(1000 * time.Hour).Unix()}, false, "the id token is not taken"},
		"signed by another":    {nil, true, "bad signature"},
		"of nobody":            {claims{"oid": nil}, false, "names no account"},
		"a name that reorders": {claims{"upn": "\u202eada@contoso.com"}, false, "bad claim"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "")
			b := r.browser()
			b.issue(c.change)
			if c.by {
				r.entra.id = func(nonce string) secret.Text {
					n := r.at.Unix()
					return sign(t, other, "JWT", with(r.good, claims{"nonce": nonce, "iat": n, "nbf": n, "exp": n + 3600}))
				}
			}
			b.begin("/work")
			b.answer()
			if b.last.Code == 303 || b.jar[cookie] != "" {
				t.Errorf("somebody is in: %d", b.last.Code)
			}
			if c.says != "refused" {
				b.is(400, c.says)
			}
			if strings.Contains(b.last.Body.String(), "eyJ") {
				t.Error("the page shows the token")
			}
		})
	}
}

// Answers that this browser did not ask for, or that came before.
func TestForgedAnswers(t *testing.T) {
	t.Parallel()
	refused := func(name, says string, f func(b *browser)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "")
			b := r.browser()
			b.issue(nil)
			b.begin("/work")
			f(b)
			b.is(b.last.Code, says)
			if b.last.Code < 400 || b.jar[cookie] != "" {
				t.Errorf("somebody is in: %d to %s", b.last.Code, b.last.Header().Get("Location"))
			}
		})
	}
	refused("another state", "another sign-in than the last", func(b *browser) { b.answer("state", strings.Repeat("0", 64)) })
	refused("no state", "has no state", func(b *browser) { b.answer("state", "") })
	refused("another browser's", "no sign-in that this browser began", func(b *browser) {
		clear(b.jar)
		b.answer()
	})
	refused("another host's", "no sign-in that this browser began", func(b *browser) {
		b.host = "tools.contoso.example"
		b.answer()
	})
	refused("late", "more than ten minutes", func(b *browser) {
		b.at = b.at.Add(10 * time.Minute)
		b.answer()
	})
	refused("of the future", "more than ten minutes", func(b *browser) {
		b.at = b.at.Add(-2 * time.Minute)
		b.answer()
	})
	refused("mixed up", "another authority", func(b *browser) { b.answer("iss", "https://login.microsoftonline.com/"+bo+"/v2.0") })
	refused("mixed up with a stranger", "another authority", func(b *browser) { b.answer("iss", "https://evil.example/") })
	refused("neither code nor error", "neither or both", func(b *browser) { b.answer("code", "") })
	refused("both", "neither or both", func(b *browser) { b.answer("error", "access_denied") })
	refused("declined", "declined", func(b *browser) { b.answer("code", "", "error", "access_denied") })
	refused("declined by a policy", "AADSTS53003", func(b *browser) {
		b.answer("code", "", "error", "access_denied", "error_description", "AADSTS53003: <script>")
	})
	refused("an error that is none", "error cannot be", func(b *browser) { b.answer("code", "", "error", "<script>") })
	refused("twice the state", "comes twice", func(b *browser) {
		b.get("/.partnerguard/callback?code=c&state=" + b.entra.asked.State.Reveal() + "&state=x")
	})
	refused("a code that cannot be", "code cannot be", func(b *browser) { b.answer("code", "a b") })
	refused("garbage", "cannot be read", func(b *browser) { b.get("/.partnerguard/callback?%zz") })
	refused("the session's cookie as the flow's", "no sign-in that this browser began", func(b *browser) {
		state := b.entra.asked.State.Reveal()
		b.jar[cookie+"-in"] = "1." + strings.Repeat("A", 100)
		b.get("/.partnerguard/callback?code=c&state=" + state)
	})
	refused("not redeemed", "was not completed", func(b *browser) {
		b.entra.fails = &msapi.TokenError{Status: 400, Code: 54005, Err: "invalid_grant"}
		b.answer()
	})
	refused("the authority away", "just now", func(b *browser) {
		b.entra.fails = &msapi.TokenError{Err: "no answer", Transient: true}
		b.answer()
	})

	r := newRig(t, "")
	b := r.browser()
	b.issue(nil)
	b.begin("/work")
	flow := b.jar[cookie+"-in"]
	b.answer()
	b.leads("/work")
	clear(b.jar)
	b.jar[cookie+"-in"] = flow
	b.answer()
	b.is(400, "came before")
}

// Nobody is sent to another site, whatever stands in the address.
func TestOpenRedirect(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	for _, to := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "/%5cevil.example", "javascript:alert(1)",
		"/.partnerguard/sign-out", "/a\r\nb", "", "/%2f%2fevil.example", "/x/..//evil.example"} {
		b := r.browser()
		b.issue(nil)
		b.get("/.partnerguard/sign-in?" + url.Values{"to": {to}}.Encode())
		b.answer()
		b.leads("/")
		b.get("/.partnerguard/step-up?" + url.Values{"to": {to}}.Encode())
		b.leads("/")
		b.post("/.partnerguard/step-up", "to", to)
		b.leads("/")
		r.at = r.at.Add(time.Minute)
	}
}

// Forms of other sites do nothing.
func TestCrossSite(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	b := r.browser()
	b.enter()
	for _, path := range []string{"sign-out", "sign-in", "step-up"} {
		for _, head := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"},
			{"Origin", "null"}} {
			b.do("POST", "/.partnerguard/"+path, url.Values{}, head...)
			b.is(403, "another site")
		}
	}
	b.do("POST", "/.partnerguard/sign-out", url.Values{}, "Sec-Fetch-Site", "same-origin", "Origin", home)
	b.leads("/.partnerguard/sign-in?why=left")
}

// A link of anybody's signs nobody out.
func TestLinkSignsNobodyOut(t *testing.T) {
	t.Parallel()
	b := newRig(t, "").browser()
	b.enter()
	b.get("/.partnerguard/sign-out?everywhere=yes")
	b.is(200, "Sign out here")
	b.get("/work")
	b.is(200)
}

// What is not there is not there, and no method but the right one does something.
func TestDoors(t *testing.T) {
	t.Parallel()
	b := newRig(t, "").browser()
	for where, want := range map[string]int{"/.partnerguard/nothing": 404, "/.partnerguard/sign-in/": 404, "/.partnerguard/%73ign-in": 404,
		"/.partnerguard/sign%2Din": 404, "/.partnerguard/keys": 404, "/.partnerguard/back-channel-logout": 405, "/.partnerguard/": 200} {
		if b.get(where); b.last.Code != want {
			t.Errorf("%s: %d, want %d", where, b.last.Code, want)
		}
	}
	for _, method := range []string{"PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"} {
		if b.do(method, "/.partnerguard/sign-out", url.Values{}); b.last.Code != 405 || b.last.Header().Get("Allow") != "GET, POST" {
			t.Errorf("%s: %d", method, b.last.Code)
		}
	}
}

// Cookies that are not ours, or not for here, are none.
func TestHostileCookies(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	b := r.browser()
	b.enter()
	good := b.jar[cookie]
	open := func(host, header string) gateway.Reason {
		id, reason := r.Open(host, header, r.at)
		if (id == nil) == (reason == gateway.Passed) {
			t.Errorf("%s and an identity: %v", reason, id)
		}
		return reason
	}
	if got := open(host, "a=b; "+cookie+"="+good+"; c=d"); got != gateway.Passed {
		t.Fatal(got)
	}
	if got := open(strings.ToUpper(host), cookie+"="+good); got != gateway.Passed {
		t.Error(got)
	}
	flip := func(i int) string {
		c := byte('A')
		if good[i] == 'A' {
			c = 'B'
		}
		return good[:i] + string(c) + good[i+1:]
	}
	for name, c := range map[string][2]string{
		"none":                  {host, ""},
		"another name":          {host, "x" + cookie + "=" + good},
		"a name in a value":     {host, "a=" + cookie + "=" + good},
		"another case":          {host, strings.ToLower(cookie) + "=" + good},
		"twice":                 {host, cookie + "=" + good + "; " + cookie + "=" + good},
		"twice, one empty":      {host, cookie + "=; " + cookie + "=" + good},
		"another host's":        {"tools.contoso.example", cookie + "=" + good},
		"another port's":        {host + ":444", cookie + "=" + good},
		"the plain name":        {host, "pg=" + good},
		"the plain name, local": {"localhost", "pg=" + good},
		"changed at the end":    {host, cookie + "=" + flip(len(good)-2)},
		"changed in the middle": {host, cookie + "=" + flip(len(good)/2)},
		"another key":           {host, cookie + "=2" + good[1:]},
		"a key's other form":    {host, cookie + "=01" + good[1:]},
		"no key":                {host, cookie + "=" + good[2:]},
		"padded":                {host, cookie + "=" + good + "="},
		"cut":                   {host, cookie + "=" + good[:len(good)-1]},
		"quoted":                {host, cookie + `="` + good + `"`},
		"a line in it":          {host, cookie + "=" + good[:20] + "\n" + good[20:]},
		"huge":                  {host, cookie + "=" + good + strings.Repeat("A", 1<<20)},
		"the flow's":            {host, cookie + "=" + b.jar[cookie+"-in"]},
	} {
		if got := open(c[0], c[1]); got != gateway.NoToken {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Everywhere ends all that a user had until then, and nothing of later or of others.
func TestEverywhere(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	a, b := r.browser(), r.browser()
	a.enter()
	b.enter()
	c := r.browser()
	c.issue(claims{"oid": bo, "upn": "bo@contoso.com"})
	c.begin("/work")
	c.answer()
	a.post("/.partnerguard/sign-out", "everywhere", "yes")
	a.leads("/.partnerguard/sign-in?why=everywhere")
	b.get("/work")
	b.leads("/.partnerguard/sign-in?to=%2Fwork&why=session-over")
	c.get("/work")
	c.is(200, "bo@contoso.com")
	if e := r.ended[len(r.ended)-1]; e.ObjectID != ada || e.Tenant != tenantID {
		t.Errorf("%+v", e)
	}
	r.at = r.at.Add(time.Second)
	clear(a.jar)
	a.enter()
}

// gone is a list of revocations with one account in it.
type gone struct {
	id      string
	blocked bool
}

func (g *gone) Revoked(id *gateway.Identity, _ time.Time) bool { return id.ObjectID == g.id }

func (g *gone) Blocked(*gateway.Identity, time.Time) bool { return g.blocked }

// Who was revoked is out at the next request.
func TestRevoked(t *testing.T) {
	t.Parallel()
	g := &gone{}
	r := newRig(t, "", func(d *session.Deps) { d.Revocations = g })
	b := r.browser()
	b.enter()
	g.id = ada
	b.get("/work")
	b.leads("/.partnerguard/sign-in?to=%2Fwork&why=revoked")
	b.get(b.last.Header().Get("Location"))
	b.is(200, "access was revoked")
	g.blocked = true // and no sign-in helps: none is offered to the same account
	b.get("/work")
	b.is(403, "access was blocked here")
}

// The key turns: what it sealed opens for one more turn, in other processes too.
func TestRotate(t *testing.T) {
	t.Parallel()
	v := &memory{rows: map[vault.Ref]secret.Text{}}
	d := dbtest.SQLite(t)
	box, err := session.NewBox(t.Context(), v, d)
	if err != nil {
		t.Fatal(err)
	}
	other, err := session.NewBox(context.Background(), v, d)
	if err != nil {
		t.Fatal(err)
	}
	text, err := box.Seal("name", []byte("what"))
	if err != nil {
		t.Fatal(err)
	}
	opens := func(b *session.Box, name, text string) bool {
		plain, ok, err := b.Open(name, text)
		return ok && err == nil && string(plain) == "what"
	}
	if !opens(box, "name", text) || !opens(other, "name", text) || opens(box, "another", text) {
		t.Error("before")
	}
	if err := box.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	next, _ := box.Seal("name", []byte("what"))
	if !opens(box, "name", text) || !opens(box, "name", next) || next[0] != '2' {
		t.Error("after one turn")
	}
	if err := box.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if opens(box, "name", text) || !opens(box, "name", next) || len(v.rows) != 3 {
		t.Errorf("after two turns; %d rows", len(v.rows))
	}
	// Another process finds the new keys, once it may look again.
	third, _ := box.Seal("name", []byte("what"))
	if session.Early(other); !opens(other, "name", third) {
		t.Error("the other process does not find the key")
	}
	v.away = true
	if _, ok, err := other.Open("name", "9"+third[1:]); ok || err != nil {
		t.Errorf("a key that never was, just after: %v %v", ok, err)
	}
	if session.Early(other); true {
		if _, ok, err := other.Open("name", "9"+third[1:]); ok || err == nil {
			t.Errorf("the vault is away, and nothing is said: %v %v", ok, err)
		}
	}
}

func FuzzCookie(f *testing.F) {
	for _, s := range []string{"", "pg=1.x", "__Host-pg=1.AAAA; a=b", ";;=;pg==", "pg"} {
		f.Add(s)
	}
	r := newRig(f, "")
	f.Fuzz(func(t *testing.T, header string) {
		for _, h := range []string{host, "localhost"} {
			if id, reason := r.Open(h, header, r.at); id != nil || reason != gateway.NoToken {
				t.Errorf("%q lets in: %s", header, reason)
			}
		}
	})
}

func FuzzCallback(f *testing.F) {
	for _, s := range []string{"", "code=a&state=b", "error=x&state=y", "state=%zz", "code=a&code=b"} {
		f.Add(s)
	}
	r := newRig(f, "")
	h := r.Handler()
	f.Fuzz(func(t *testing.T, query string) {
		q := httptest.NewRequest(http.MethodGet, "/.partnerguard/callback", nil)
		q.Host, q.URL.RawQuery = host, query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		if w.Code < 400 || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%q: %d", query, w.Code)
		}
	})
}
