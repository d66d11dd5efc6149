package session_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/guard"
	"partnerguard/internal/gateway/session"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

const (
	host     = "panel.contoso.example"
	home     = "https://" + host
	appID    = "3d5e7a90-0000-4000-8000-00000000000a"
	tenantID = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	ada      = "22222222-0000-4000-8000-000000000001"
	bo       = "22222222-0000-4000-8000-000000000002"
	group    = "90000000-0000-4000-8000-000000000001"
)

var monday = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)

// file is a gateway's file with one route that enforces; rule is its further lines.
func file(rule string) string {
	return "version: 1\nlisten: [{at: 127.0.0.1:8480}]\nauthorities: [{cloud: public}]\ntenants: [" + tenantID + "]\n" +
		"signIn: {app: " + appID + ", secret: x, life: 8h, idle: 30m}\nroutes:\n  - name: panel\n    host: \"*.contoso.example\"\n" +
		"    upstream: http://127.0.0.1:9000\n    callers: [browser, api]\n    audiences: [\"api://panel\"]\n    mode: enforce\n" + rule +
		"  - name: local\n    host: localhost\n    upstream: http://127.0.0.1:9000\n    callers: [browser]\n    mode: enforce\n"
}

func table(t testing.TB, text string, generation uint64) *gateway.Table {
	t.Helper()
	f, err := gateway.Read([]byte(text), gateway.Names{Now: monday})
	if err != nil {
		t.Fatal(err)
	}
	return f.Compile(generation)
}

// memory is a vault in memory.
type memory struct {
	mu   sync.Mutex
	rows map[vault.Ref]secret.Text
	away bool
}

func (v *memory) Put(_ context.Context, r vault.Ref, s secret.Text) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rows[r] = s
	return nil
}

func (v *memory) Get(_ context.Context, r vault.Ref) (secret.Text, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.rows[r]
	switch {
	case v.away:
		return s, problem.New(problem.Unavailable, "the vault is away")
	case !ok:
		return s, problem.New(problem.NotFound, "nothing of that name")
	}
	return s, nil
}

func (v *memory) Delete(_ context.Context, r vault.Ref) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.rows, r)
	return nil
}

// entra answers with tokens of a test's making.
type entra struct {
	testing.TB
	asked msapi.AuthorizeRequest
	id    func(nonce string) secret.Text
	fails error

	redeems func() // told of each redemption; nil is nobody
}

func (a *entra) AuthorizeURL(r msapi.AuthorizeRequest) (string, error) {
	a.asked = r
	return "https://login.microsoftonline.com/" + r.Tenant + "/authorize", nil
}

func (a *entra) Redeem(_ context.Context, r msapi.RedeemRequest) (*msapi.Grant, error) {
	if r.Tenant != tenantID || r.Verifier.IsZero() || r.Redirect != a.asked.Redirect {
		a.Errorf("redeemed at %s to %s", r.Tenant, r.Redirect)
	}
	if a.redeems != nil {
		a.redeems()
	}
	if a.fails != nil {
		return nil, a.fails
	}
	return &msapi.Grant{ID: a.id(a.asked.Nonce.Reveal())}, nil
}

func (a *entra) Keys(context.Context, msapi.Cloud, string, string) (jose.JSONWebKeySet, error) {
	k, _ := signers()
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &k.PublicKey, KeyID: "k1", Algorithm: "RS256", Use: "sig"}}}, nil
}

var signers = sync.OnceValues(func() (a, b *rsa.PrivateKey) {
	for _, k := range []**rsa.PrivateKey{&a, &b} {
		var err error
		if *k, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return a, b
})

type claims map[string]any

func with(base, changes claims) claims {
	out := maps.Clone(base)
	for k, v := range changes {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

func sign(t testing.TB, key *rsa.PrivateKey, kind string, c claims) secret.Text {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(kind)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := sig.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return secret.New(text)
}

// rig is a gateway's browser side with a guard, and an upstream that tells who it saw.
type rig struct {
	testing.TB
	*session.Manager
	deps  session.Deps
	guard *guard.Guard
	vault *memory
	at    time.Time
	entra *entra
	good  claims // an id token as it should be
	said  []session.Event
	ended []session.Ended
	fails error // of recording
	h     http.Handler
}

// nobody verifies no token.
type nobody struct{}

func (nobody) Verify(string, netip.Addr, time.Time) (*gateway.Identity, gateway.Reason) {
	return nil, gateway.Malformed
}

func newRig(t testing.TB, rule string, change ...func(*session.Deps)) *rig {
	t.Helper()
	r := &rig{TB: t, at: monday, vault: &memory{rows: map[vault.Ref]secret.Text{}}, entra: &entra{TB: t}}
	box, err := session.NewBox(t.Context(), r.vault, dbtest.SQLite(t))
	r.must(err)
	r.deps = session.Deps{Seal: box, Entra: r.entra, Now: func() time.Time { return r.at },
		SignIn: func(context.Context) (session.SignIn, error) {
			return session.SignIn{App: msapi.App{ClientID: appID, Credential: msapi.NewPublic()}, Cloud: msapi.Commercial(), Tenant: tenantID,
				Name: "contoso.com"}, nil
		},
		Table:  func() *gateway.Table { return r.guard.Table() },
		Secure: func(q *http.Request) bool { return q.Host != "localhost:8480" && q.Host != "127.0.0.1:8480" },
		Record: func(_ context.Context, e session.Event) error { r.said = append(r.said, e); return r.fails },
		End:    func(_ context.Context, e session.Ended) error { r.ended = append(r.ended, e); return nil },
	}
	for _, f := range change {
		f(&r.deps)
	}
	r.start()
	r.guard.Take(table(t, file(rule), 1))
	r.good = claims{"aud": appID, "iss": "https://sts.windows.net/" + tenantID + "/", "tid": tenantID, "oid": ada, "sub": "s-ada",
		"upn": "ada@contoso.com", "ver": "1.0", "sid": "sid-1", "amr": []string{"pwd", "mfa"}}
	return r
}

// start makes the manager anew, as another process would have it.
func (r *rig) start() {
	r.Helper()
	var err error
	r.Manager, err = session.New(r.deps)
	r.must(err)
	old := r.guard
	r.guard, err = guard.New(guard.Deps{Verifier: nobody{}, Sessions: r.Manager})
	r.must(err)
	if old != nil {
		r.guard.Take(old.Table())
	}
	own := r.Handler()
	r.h = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasPrefix(q.URL.Path, answer.OwnPrefix) {
			own.ServeHTTP(w, q)
			return
		}
		req := &gateway.Request{Method: q.Method, Host: q.Host, Path: q.URL.EscapedPath(), Query: q.URL.RawQuery,
			Cookie: strings.Join(q.Header["Cookie"], "; "),
			Accept: q.Header.Get("Accept"), ID: "req-1", Now: r.deps.Now()}
		d := r.guard.Judge(req)
		if d.Refused {
			answer.For(d, req, answer.Options{SignIn: true}).Write(w)
			return
		}
		if c := r.Renew(&d, req); c != "" {
			w.Header().Add("Set-Cookie", c)
		}
		_, _ = w.Write([]byte("upstream saw " + d.Identity.Account))
	})
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) words() string {
	var out []string
	for _, e := range r.said {
		w := string(e.What)
		if c := e.Details["cause"]; c != "" {
			w += " " + c
		}
		out = append(out, w)
	}
	return strings.Join(out, ", ")
}

// issue makes the authority answer with an id token of now, with changes.
func (r *rig) issue(changes claims) {
	r.entra.id = func(nonce string) secret.Text {
		k, _ := signers()
		now := r.at.Unix()
		c := with(r.good, claims{"nonce": nonce, "iat": now, "nbf": now, "exp": now + 3600, "auth_time": now})
		return sign(r.TB, k, "JWT", with(c, changes))
	}
}

// browser is a browser without script.
type browser struct {
	*rig
	host string
	jar  map[string]string
	last *httptest.ResponseRecorder
}

func (r *rig) browser() *browser { return &browser{rig: r, host: host, jar: map[string]string{}} }

func (b *browser) do(method, where string, form url.Values, head ...string) *httptest.ResponseRecorder {
	b.Helper()
	q := httptest.NewRequest(method, where, strings.NewReader(form.Encode()))
	q.Host = b.host
	q.Header.Set("Accept", "text/html")
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, v := range b.jar {
		q.AddCookie(&http.Cookie{Name: name, Value: v})
	}
	for i := 0; i+1 < len(head); i += 2 {
		q.Header.Set(head[i], head[i+1])
	}
	b.last = httptest.NewRecorder()
	b.h.ServeHTTP(b.last, q)
	for _, c := range b.last.Result().Cookies() {
		if !c.HttpOnly || c.Path != "/" || c.SameSite != http.SameSiteLaxMode || c.Secure != strings.HasPrefix(c.Name, "__Host-") {
			b.Errorf("cookie %s", c.Name)
		}
		if c.MaxAge < 0 {
			delete(b.jar, c.Name)
		} else {
			b.jar[c.Name] = c.Value
		}
	}
	return b.last
}

func (b *browser) get(where string, head ...string) { b.Helper(); b.do("GET", where, nil, head...) }
func (b *browser) post(where string, kv ...string) {
	b.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		form.Set(kv[i], kv[i+1])
	}
	b.do("POST", where, form)
}

var tag = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)

func text(page string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&amp;", "&").Replace(tag.ReplaceAllString(page, " "))), " ")
}

// is holds the last answer to a status and to words of its page.
func (b *browser) is(status int, words ...string) {
	b.Helper()
	body := text(b.last.Body.String())
	if b.last.Code != status {
		b.Errorf("status %d (to %s), want %d: %s", b.last.Code, b.last.Header().Get("Location"), status, body)
	}
	for _, w := range words {
		if !strings.Contains(strings.ToLower(body), strings.ToLower(w)) {
			b.Errorf("%q is not said: %s", w, body)
		}
	}
}

// leads holds the last answer to where it leads.
func (b *browser) leads(to string) {
	b.Helper()
	if got := b.last.Header().Get("Location"); b.last.Code != 303 && b.last.Code != 302 || got != to {
		b.Errorf("%d leads to %q, want %q: %s", b.last.Code, got, to, text(b.last.Body.String()))
	}
}

// begin goes to a page and is sent to Entra ID.
func (b *browser) begin(to string) {
	b.Helper()
	b.get(to)
	b.leads("/.partnerguard/sign-in?to=" + url.QueryEscape(to))
	b.get(b.last.Header().Get("Location"))
	b.leads("https://login.microsoftonline.com/" + tenantID + "/authorize")
}

// answer brings an answer of Entra ID, with changes.
func (b *browser) answer(more ...string) {
	b.Helper()
	q := url.Values{"state": {b.entra.asked.State.Reveal()}, "code": {"c"}}
	for i := 0; i+1 < len(more); i += 2 {
		if q.Set(more[i], more[i+1]); more[i+1] == "" {
			q.Del(more[i])
		}
	}
	b.get("/.partnerguard/callback?" + q.Encode())
}

// enter signs in.
func (b *browser) enter() {
	b.Helper()
	b.issue(nil)
	b.begin("/work")
	b.answer()
	b.leads("/work")
	b.get("/work")
	b.is(200, "upstream saw ada@contoso.com")
}
