package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/console"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/screen"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
	"partnerguard/internal/web"
)

const (
	home     = "http://localhost:8443"
	tenantID = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	ada      = "22222222-0000-4000-8000-000000000001"
	bo       = "22222222-0000-4000-8000-000000000002"
	someone  = "33333333-0000-4000-8000-000000000003"
	fabrikam = "44444444-0000-4000-8000-000000000004"
	tailspin = "55555555-0000-4000-8000-000000000005"
)

var monday = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// rig is a console with a trail, a vault and a clock of its own, behind a kernel.
type rig struct {
	testing.TB
	*console.Console
	d      *db.DB
	at     time.Time
	deps   console.Deps
	trail  *trail.Trail
	kernel *web.Kernel
}

func newRig(t testing.TB, d *db.DB, change ...func(*console.Deps)) *rig {
	t.Helper()
	r := &rig{TB: t, d: d, at: monday}
	now := func() time.Time { return r.at }
	var err error
	r.trail, err = trail.Open(t.Context(), d, trail.Options{Now: now})
	r.must(err)
	key := filepath.Join(t.TempDir(), "key")
	_, err = vault.MakeKeyFile(key)
	r.must(err)
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(key), vault.Options{Now: now, Record: r.trail, Books: console.Books()})
	r.must(err)
	r.deps = console.Deps{DB: d, Vault: v, Trail: r.trail, Now: now}
	for _, f := range change {
		f(&r.deps)
	}
	r.start()
	return r
}

// start makes the console anew, as another process would have it, with routes to see and
// to do something.
func (r *rig) start() {
	r.Helper()
	var err error
	r.Console, err = console.New(r.deps)
	r.must(err)
	r.Patient()
	r.kernel = web.NewKernel(web.Deps{})
	r.Enter(r.kernel)
	say := func(w http.ResponseWriter, q *http.Request) error {
		v := console.ViewerOf(q.Context())
		_, err := w.Write([]byte(v.Actor + " " + v.Role))
		return err
	}
	for _, right := range screen.Rights() {
		method := "GET"
		if right.Acts() {
			method = "POST"
		}
		name := strings.ReplaceAll(string(right), ".", "/")
		r.kernel.Handle(web.Route{Name: "test." + string(right), Pattern: method + " /" + name, Access: r.Guard(right), Page: true, Handle: say})
	}
	r.kernel.Handle(web.Route{Name: "test.home", Pattern: "GET /{$}", Access: r.Entered(), Page: true, Handle: say})
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// under is the same rig for another test, to which failures go.
func (r *rig) under(t testing.TB) *rig { out := *r; out.TB = t; return &out }

// said are the actions of the trail that concern the console, oldest first, with the
// cause of a refusal.
func (r *rig) said() (out []string) {
	r.Helper()
	f, err := r.trail.Search(r.Context(), trail.Query{Action: "console.*", Limit: 1000})
	r.must(err)
	for i := len(f.Entries) - 1; i >= 0; i-- {
		e := &f.Entries[i]
		line := strings.TrimPrefix(string(e.Action), "console.")
		if e.Outcome == audit.Refused && e.Details["cause"] != "" {
			line += " " + e.Details["cause"]
		}
		out = append(out, line)
	}
	return out
}

// browser is a browser without script before the console.
type browser struct {
	*rig
	host string
	peer string
	jar  map[string]string
	last *httptest.ResponseRecorder
}

func (r *rig) browser() *browser {
	return &browser{rig: r, host: "localhost:8443", peer: "127.0.0.1:40000", jar: map[string]string{}}
}

// do asks, with the cookies it has, and keeps those it gets. head are names and values.
func (b *browser) do(method, where string, form url.Values, head ...string) *httptest.ResponseRecorder {
	b.Helper()
	q := httptest.NewRequest(method, where, strings.NewReader(form.Encode()))
	q.Host, q.RemoteAddr = b.host, b.peer
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
	b.kernel.ServeHTTP(b.last, q)
	for _, c := range b.last.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.jar, c.Name)
		} else {
			b.jar[c.Name] = c.Value
		}
	}
	return b.last
}

func (b *browser) get(where string) *httptest.ResponseRecorder {
	b.Helper()
	return b.do("GET", where, nil)
}
func (b *browser) post(where string, form url.Values) *httptest.ResponseRecorder {
	b.Helper()
	return b.do("POST", where, form)
}

// is holds the last answer to a status and to words of its page.
func (b *browser) is(status int, words ...string) {
	b.Helper()
	body := b.last.Body.String()
	if b.last.Code != status {
		b.Errorf("status %d (to %s), want %d: %s", b.last.Code, b.last.Header().Get("Location"), status, text(body))
	}
	for _, w := range words {
		if !says(b, w) {
			b.Errorf("%q is not said: %s", w, text(body))
		}
	}
}

// says looks for words in the last page, whatever letter they begin with there.
func says(b *browser, words string) bool {
	return strings.Contains(strings.ToLower(text(b.last.Body.String())), strings.ToLower(words))
}

// leads holds the last answer to where it leads.
func (b *browser) leads(to string) {
	b.Helper()
	if got := b.last.Header().Get("Location"); b.last.Code != 303 || got != to {
		b.Errorf("%d leads to %q, want %q: %s", b.last.Code, got, to, text(b.last.Body.String()))
	}
}

var tag = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)

func text(page string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&amp;", "&").Replace(tag.ReplaceAllString(page, " "))), " ")
}

// byLink lets a browser in as the operator.
func (b *browser) byLink() *browser {
	b.Helper()
	where, err := b.Link(b.Context(), "local:owner", "http://localhost:8443")
	b.must(err)
	b.get(strings.TrimPrefix(where, home))
	b.is(200, "Open the console")
	b.post(strings.TrimPrefix(where, home), url.Values{})
	b.leads("/")
	return b
}

// lab is a rig at the partner cloud.
type lab struct {
	*rig
	*labtest.Lab
}

func newLab(t testing.TB, change ...func(*console.Deps)) *lab {
	t.Helper()
	l := labtest.Start(t)
	l.Redirect(labtest.PanelApp, home+"/signin/callback")
	api := l.Client(func(o *msapi.Options) {
		o.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	})
	set := func(d *console.Deps) {
		d.Entra, d.Cloud, d.Now = api, l.Cloud, l.Now
		d.SignIn = func(context.Context, string) (console.SignIn, error) {
			return console.SignIn{App: l.App(labtest.PanelApp), Tenant: l.Info.Tenant.ID, Name: l.Info.Tenant.Domain}, nil
		}
	}
	return &lab{newRig(t, dbtest.SQLite(t), append([]func(*console.Deps){set}, change...)...), l}
}

// walk signs a person in as far as the answer of Entra ID, which it gives: the path with
// its query.
func (b *browser) walk(l *lab, upn, to string) string {
	b.Helper()
	b.post("/signin/entra", url.Values{"to": {to}})
	return b.answered(l, upn)
}

func (b *browser) answered(l *lab, upn string, press ...string) string {
	b.Helper()
	b.is(303)
	left := l.Lab.Leave(b.last.Header().Get("Location"), upn, press...)
	return left.RequestURI()
}
