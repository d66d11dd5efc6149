package onboard_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/vault/vaulttest"
	"partnerguard/internal/web"
)

const public = "http://localhost:8400"

// rig is a server's pages over a partner cloud.
type rig struct {
	*testing.T
	lab   *labtest.Lab
	store *onboard.Store
	h     *onboard.Handler
	k     *web.Kernel // with h on it
	kept  *shelf
}

// shelf keeps consents in memory; what belongs to the same transaction runs in
// one.
type shelf struct {
	d    *db.DB
	mu   sync.Mutex
	list []sam.Captured
}

func (s *shelf) InTx(ctx context.Context, do func(context.Context) error) error {
	before := s.number()
	err := s.d.InTx(ctx, do)
	if err != nil {
		s.mu.Lock()
		s.list = s.list[:before]
		s.mu.Unlock()
	}
	return err
}

func (s *shelf) Keep(_ context.Context, c sam.Captured) (sam.Connection, error) {
	con := sam.Connection{ID: "c-1", Name: c.Name, Tenant: c.Tenant, ClientID: c.ClientID, Account: c.Account}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, c)
	return con, nil
}

func (s *shelf) number() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.list) }

type apps struct{ app msapi.App }

func (a apps) App(context.Context, string) (msapi.App, error) { return a.app, nil }
func (a apps) Registration(_ context.Context, id string) (sam.Registration, error) {
	return sam.Registration{ClientID: id, Name: "Contoso <Panel>"}, nil
}

func newRig(t *testing.T, address string) *rig {
	t.Helper()
	l := labtest.Start(t)
	l.Redirect(client, public+onboard.Callback)
	d := dbtest.SQLite(t)
	r := &rig{T: t, lab: l, store: onboard.NewStore(d, vaulttest.Open(t, d), l.Now), kept: &shelf{d: d}}
	var err error
	r.h, err = onboard.NewHandler(onboard.Deps{
		TenantOf: func(ctx context.Context, domain string) (string, error) {
			d, err := l.API.Discover(ctx, l.Cloud, domain)
			return d.Tenant, err
		},
		Store: r.store, Apps: apps{l.App(client)}, Cloud: l.Cloud, Public: address, Now: l.Now,
		Capture: func(kept func(context.Context, sam.Connection) error) (*capture.Capture, error) {
			return capture.New(capture.Deps{Entra: l.API, Keeper: r.kept, Kept: kept, Record: &audittest.Recorder{}, Now: l.Now})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.k = web.NewKernel(web.Deps{})
	r.h.Mount(r.k)
	return r
}

// invite gives the address of a new invitation.
func (r *rig) invite() string {
	r.Helper()
	i := invited()
	i.Tenant = r.lab.Info.Tenant.ID
	_, link, err := r.store.Make(r.Context(), i, week)
	if err != nil {
		r.Fatal(err)
	}
	return onboard.Prefix + link.Reveal()
}

// ask sends one request, with the cookies of a browser.
func (r *rig) ask(method, path string, cookies []*http.Cookie, change ...func(*http.Request)) *http.Response {
	r.Helper()
	req := httptest.NewRequestWithContext(r.Context(), method, public+path, nil)
	for _, c := range cookies {
		req.AddCookie(c)
	}
	for _, f := range change {
		f(req)
	}
	w := httptest.NewRecorder()
	r.k.ServeHTTP(w, req)
	a := w.Result()
	where := a.Header.Get("Location")
	if !strings.HasPrefix(where, onboard.Ended) {
		return a
	}
	// A browser goes on to the page of how it ended, and the code is gone from its
	// address bar. Cookies of both answers are what it was told.
	if strings.Contains(where, "code=") || strings.Contains(where, "?") || a.StatusCode != http.StatusSeeOther {
		r.Errorf("sent on with %d to %s", a.StatusCode, where)
	}
	then := httptest.NewRecorder()
	r.k.ServeHTTP(then, httptest.NewRequestWithContext(r.Context(), http.MethodGet, public+where, nil))
	page := then.Result()
	page.Header["Set-Cookie"] = append(page.Header["Set-Cookie"], a.Header["Set-Cookie"]...)
	return page
}

// begin presses the invitation's button: where it leads, and the cookie.
func (r *rig) begin(path string) (string, []*http.Cookie) {
	r.Helper()
	a := r.ask(http.MethodPost, path, nil)
	if a.StatusCode != http.StatusSeeOther || len(a.Cookies()) != 1 {
		r.Fatalf("begin: %d %v", a.StatusCode, a.Cookies())
	}
	return a.Header.Get("Location"), a.Cookies()
}

// signIn walks the sign-in pages and gives the path of the callback.
func (r *rig) signIn(where string) string {
	r.Helper()
	return r.lab.Leave(where, labtest.SAMAgent).RequestURI()
}

// expect checks an answer's status and that its page says something.
func expect(t *testing.T, name string, a *http.Response, status int, says string) {
	t.Helper()
	page, err := io.ReadAll(a.Body)
	_, text, _ := strings.Cut(string(page), "<main>")
	if err != nil || a.StatusCode != status || !strings.Contains(text, says) {
		t.Errorf("%s: %d %v, want %d and %q\n%s", name, a.StatusCode, err, status, says, text)
	}
	if strings.Contains(text, "partnerguard connect") {
		t.Errorf("%s: an invited partner has no partnerguard to run\n%s", name, text)
	}
}

// cleared says whether an answer takes the browser's cookie away.
func cleared(a *http.Response) bool {
	for _, c := range a.Cookies() {
		if c.MaxAge < 0 {
			return true
		}
	}
	return false
}

// The partner reads its own domain, with the id in small print; a name that is not
// its domain is the inviter's own, and is not shown.
func TestInvitationNamesTheTenant(t *testing.T) {
	t.Parallel()
	r := newRig(t, public)
	for name, shown := range map[string]bool{"contoso.com": true, "fabrikam.example": false, "nobody.example": false, "mine": false, "": false} {
		i := invited()
		i.Tenant, i.Name = r.lab.Info.Tenant.ID, name
		_, link, err := r.store.Make(r.Context(), i, week)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(r.ask(http.MethodGet, onboard.Prefix+link.Reveal(), nil).Body)
		page := string(raw)
		if got := name != "" && strings.Contains(page, "<bdi>"+name+"</bdi>"); got != shown || !strings.Contains(page, i.Tenant) ||
			!strings.Contains(page, "sign in (openid, profile)") {
			t.Errorf("%q: shown %v\n%s", name, got, page[strings.Index(page, "<main>"):])
		}
	}
}

// A page of how it ended is there for whoever was sent to it, for ten minutes.
func TestEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t, public)
	for _, path := range []string{onboard.Ended, onboard.Ended + "x", onboard.Ended + "x/y"} {
		if a := r.ask(http.MethodGet, path, nil); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
}

// An invited partner looks, begins, signs in and is connected, once. Whatever
// strangers and other tabs do meanwhile neither ends that nor gets in.
func TestInvitedPartner(t *testing.T) {
	t.Parallel()
	r := newRig(t, public)
	path := r.invite()
	for range 3 { // a mail scanner
		a := r.ask(http.MethodGet, path, nil)
		if len(a.Cookies()) != 0 {
			t.Error("looking begins something")
		}
		expect(t, "look", a, http.StatusOK, "Contoso &lt;Panel&gt;")
	}
	where, own := r.begin(path)
	if c := own[0]; !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure || c.Name != "partnerguard-connect" {
		t.Errorf("the cookie: %v", c)
	}
	answer := r.signIn(where)

	// A stranger who has the whole answer, with no cookie or a cookie of his own.
	_, strange := r.begin(r.invite())
	for name, cookies := range map[string][]*http.Cookie{"no cookie": nil, "a foreign cookie": strange} {
		a := r.ask(http.MethodGet, answer, cookies)
		expect(t, name, a, http.StatusBadRequest, "another browser")
		if cleared(a) {
			t.Errorf("%s: the cookie of the browser's own sign-in is taken away", name)
		}
	}
	// A forged answer that somebody made the right browser send.
	a := r.ask(http.MethodGet, onboard.Callback+"?state=forged&code=x", own)
	expect(t, "forged", a, http.StatusBadRequest, "Nothing happened")
	if cleared(a) {
		t.Error("a forged answer takes the cookie away")
	}
	if r.kept.number() != 0 {
		t.Fatal("something was kept")
	}

	a = r.ask(http.MethodGet, answer, own)
	expect(t, "the right one", a, http.StatusOK, "Connected")
	if !cleared(a) || r.kept.number() != 1 {
		t.Errorf("cleared: %v, kept %d", cleared(a), r.kept.number())
	}
	if k := r.kept.list[0]; k.Name != "" || k.Suggested != "contoso" {
		t.Errorf("whoever is invited gets a name that is free, and takes none: %q, %q", k.Name, k.Suggested)
	}
	expect(t, "replayed", r.ask(http.MethodGet, answer, own), http.StatusBadRequest, "Nothing happened")
	expect(t, "the link again", r.ask(http.MethodGet, path, nil), http.StatusNotFound, "cannot be used")
	expect(t, "begin again", r.ask(http.MethodPost, path, nil), http.StatusNotFound, "cannot be used")
	if r.kept.number() != 1 {
		t.Errorf("kept %d", r.kept.number())
	}
}

// A second tab of the same browser takes the cookie over: the first one's
// answer is refused and the second one's is taken. Two browsers with one link
// connect once.
func TestSecondTab(t *testing.T) {
	t.Parallel()
	r := newRig(t, public)
	path := r.invite()
	first, _ := r.begin(path)
	second, cookies := r.begin(path)
	other, others := r.begin(path)
	one, two, three := r.signIn(first), r.signIn(second), r.signIn(other)
	a := r.ask(http.MethodGet, one, cookies)
	expect(t, "the first tab", a, http.StatusBadRequest, "another browser")
	if cleared(a) {
		t.Fatal("the second tab cannot finish any more")
	}
	expect(t, "the second tab", r.ask(http.MethodGet, two, cookies), http.StatusOK, "Connected")
	expect(t, "another browser, too late", r.ask(http.MethodGet, three, others), http.StatusOK, "used meanwhile")
	if r.kept.number() != 1 {
		t.Errorf("kept %d", r.kept.number())
	}
}

// TestPlacesOfALink: whoever holds a link, and begins over and over, keeps nobody
// out who holds another one for the same tenant.
func TestPlacesOfALink(t *testing.T) {
	t.Parallel()
	r := newRig(t, public)
	mine, others := r.invite(), r.invite()
	full := false
	for i := range 60 {
		a := r.ask(http.MethodPost, mine, nil)
		if a.StatusCode != http.StatusSeeOther {
			full = true
			expect(t, "too often", a, http.StatusServiceUnavailable, "opened too often")
			break
		}
		if i%2 == 0 { // answers that lead nowhere take places all the same
			where, err := url.Parse(a.Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			r.ask(http.MethodGet, onboard.Callback+"?error=access_denied&state="+url.QueryEscape(where.Query().Get("state")), a.Cookies())
		}
	}
	if !full {
		t.Error("one link begins as often as it likes")
	}
	where, own := r.begin(others)
	expect(t, "another link", r.ask(http.MethodGet, r.signIn(where), own), http.StatusOK, "Connected")
}

// A withdrawn invitation keeps nothing, though its sign-in was under way.
func TestWithdrawnMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t, public)
	path := r.invite()
	where, own := r.begin(path)
	list, err := r.store.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.store.Withdraw(t.Context(), list[0].ID); err != nil {
		t.Fatal(err)
	}
	expect(t, "withdrawn", r.ask(http.MethodGet, r.signIn(where), own), http.StatusOK, "Not connected")
	if r.kept.number() != 0 {
		t.Error("it was kept")
	}
}

// What no browser of an invited person sends.
func TestHostile(t *testing.T) {
	t.Parallel()
	r := newRig(t, public)
	path := r.invite()
	host := func(name string) func(*http.Request) { return func(q *http.Request) { q.Host = name } }
	for name, c := range map[string]struct {
		method, path string
		change       func(*http.Request)
		status       int
	}{
		"another host":             {http.MethodGet, path, host("evil.example"), http.StatusMisdirectedRequest},
		"another port":             {http.MethodPost, path, host("localhost:8401"), http.StatusMisdirectedRequest},
		"no host":                  {http.MethodGet, path, host(""), http.StatusMisdirectedRequest},
		"callback of another host": {http.MethodGet, onboard.Callback + "?state=a&code=b", host("evil.example"), http.StatusMisdirectedRequest},
		"callback posted":          {http.MethodPost, onboard.Callback + "?state=a&code=b", nil, http.StatusMethodNotAllowed},
		"callback without words":   {http.MethodGet, onboard.Callback, nil, http.StatusBadRequest},
		"callback twice a state":   {http.MethodGet, onboard.Callback + "?state=a&state=b&code=c", nil, http.StatusBadRequest},
		"callback of nobody":       {http.MethodGet, onboard.Callback + "?state=a&code=b", nil, http.StatusBadRequest},
		"callback with an error":   {http.MethodGet, onboard.Callback + "?state=a&error=access_denied", nil, http.StatusBadRequest},
		"huge callback":            {http.MethodGet, onboard.Callback + "?state=a&code=" + strings.Repeat("x", 1<<17), nil, http.StatusBadRequest},
		"put":                      {http.MethodPut, path, nil, http.StatusNotFound},
		"delete":                   {http.MethodDelete, path, nil, http.StatusNotFound},
		"nothing":                  {http.MethodGet, onboard.Prefix, nil, http.StatusNotFound},
		"below a link":             {http.MethodGet, path + "/x", nil, http.StatusNotFound},
		"a slash behind":           {http.MethodGet, path + "/", nil, http.StatusNotFound},
		"a huge link":              {http.MethodGet, onboard.Prefix + strings.Repeat("a", 1<<16), nil, http.StatusNotFound},
		"a stranger's link":        {http.MethodPost, onboard.Prefix + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", nil, http.StatusNotFound},
	} {
		change := c.change
		if change == nil {
			change = func(*http.Request) {}
		}
		a := r.ask(c.method, c.path, nil, change)
		expect(t, name, a, c.status, "<")
		if len(a.Cookies()) != 0 || a.Header.Get("Location") != "" {
			t.Errorf("%s: %v, to %q", name, a.Cookies(), a.Header.Get("Location"))
		}
		if p := a.Header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", name, p)
		}
	}
	expect(t, "the link still works", r.ask(http.MethodGet, path, nil), http.StatusOK, "Sign in with MFA")
	expect(t, "head", r.ask(http.MethodHead, path, nil), http.StatusOK, "")
}

// Under TLS the cookie is one that no other host can set.
func TestSecureCookie(t *testing.T) {
	t.Parallel()
	r := newRig(t, "https://guard.example")
	path := r.invite()
	a := r.ask(http.MethodPost, path, nil, func(q *http.Request) { q.Host = "GUARD.example" })
	if len(a.Cookies()) != 1 {
		t.Fatalf("%d %v", a.StatusCode, a.Cookies())
	}
	c := a.Cookies()[0]
	if c.Name != "__Host-partnerguard-connect" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("%v", c)
	}
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil || u.Query().Get("redirect_uri") != "https://guard.example/connect/callback" {
		t.Errorf("%v %v", u, err)
	}
}

// Nobody who presses the button again and again keeps others out for longer
// than a sign-in lives, and memory stays bounded.
func TestTooManyBegun(t *testing.T) {
	t.Parallel()
	r := newRig(t, public)
	refused := 0
	for i := range 60 {
		a := r.ask(http.MethodPost, r.invite(), nil) // one link has fewer places
		switch a.StatusCode {
		case http.StatusSeeOther:
			if refused > 0 {
				t.Fatalf("number %d was let in after one was refused", i)
			}
		case http.StatusServiceUnavailable:
			refused++
			expect(t, fmt.Sprint(i), a, http.StatusServiceUnavailable, "oo many sign-ins")
		default:
			t.Fatalf("number %d: %d", i, a.StatusCode)
		}
	}
	if refused == 0 {
		t.Fatal("nobody was refused")
	}
	r.lab.Jump(capture.Life + time.Second)
	if a := r.ask(http.MethodPost, r.invite(), nil); a.StatusCode != http.StatusSeeOther {
		t.Errorf("after their time: %d", a.StatusCode)
	}
}

// Nothing that a stranger writes into a path or a query gets in, panics, or is
// repeated on the page as markup.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{"callback", "callback?state=a&code=b", "callback?state=a&error=x&iss=y", "callback?%zz", "x", "x/../callback?state=<script>",
		"%2e%2e/", "?state=a", "callback?state=a&code=b;c", "\x00", "callback?error_description=<b>AADSTS50011&error=a&state=s"} {
		f.Add("GET", s, "localhost:8400", "v")
		f.Add("POST", s, "evil", "")
	}
	d := dbtest.SQLite(f)
	now := newWatch().Now
	cloud := msapi.Commercial()
	h, err := onboard.NewHandler(onboard.Deps{
		Store: onboard.NewStore(d, vaulttest.Open(f, d), now), Apps: apps{}, Cloud: cloud, Public: public, Now: now,
		Capture: func(func(context.Context, sam.Connection) error) (*capture.Capture, error) {
			return capture.New(capture.Deps{Entra: msapi.New(msapi.Options{Transport: nowhere{}}), Keeper: &shelf{d: d}, Record: &audittest.Recorder{},
				Now: now})
		},
	})
	if err != nil {
		f.Fatal(err)
	}
	var routes bare
	h.Mount(&routes)
	f.Fuzz(func(t *testing.T, method, rest, host, cookie string) {
		path, query, _ := strings.Cut(rest, "?")
		q := &http.Request{Method: method, Host: host, URL: &url.URL{Path: onboard.Prefix + path, RawQuery: query},
			Header: http.Header{"Cookie": {"partnerguard-connect=" + cookie}}, Body: http.NoBody}
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, q.WithContext(t.Context()))
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("%s %q of %q: %d", method, rest, host, w.Code)
		}
		if body := w.Body.String(); strings.Contains(body, "<script") || strings.Contains(body, "<b>") || w.Header().Get("Location") != "" {
			t.Errorf("%q: %s", rest, body)
		}
	})
}

// bare are routes without a kernel, which would make paths clean first.
type bare []web.Route

func (b *bare) Handle(r web.Route) { *b = append(*b, r) }

func (b bare) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	for _, r := range b {
		if q.URL.Path != r.Pattern && !(strings.HasSuffix(r.Pattern, "/") && strings.HasPrefix(q.URL.Path, r.Pattern)) {
			continue
		}
		if err := r.Handle(w, q); err != nil {
			r.Fail(w, q, web.Status(err), err)
		}
		return
	}
}

type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
