package pages_test

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/factor"
	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/pages"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault/vaulttest"
	"partnerguard/internal/web"
)

const (
	home   = "https://guard.contoso.example"
	tenant = "11111111-2222-3333-4444-555555555555"
	object = "aaaaaaaa-2222-3333-4444-555555555555"
)

// rig is the pages on a kernel, with a browser and somebody in Entra ID's place.
type rig struct {
	testing.TB
	at    time.Time
	s     *mfa.Store
	p     *pages.Pages
	k     *web.Kernel
	trail *audittest.Recorder
	jar   map[string]string
	given []mfa.Outcome
}

func newRig(t testing.TB, conf *mfa.Config) *rig {
	t.Helper()
	r := &rig{TB: t, at: time.Date(2026, 11, 30, 9, 0, 3, 0, time.UTC), trail: &audittest.Recorder{}, jar: map[string]string{}}
	d := dbtest.SQLite(t)
	now := func() time.Time { return r.at }
	var err error
	r.s, err = mfa.New(mfa.Deps{DB: d, Vault: vaulttest.Open(t, d), Record: r.trail, Public: home, Now: now, Config: conf})
	r.ok(err)
	r.p, err = pages.New(pages.Deps{Store: r.s, Now: now})
	r.ok(err)
	r.p.Answers(r)
	r.k = web.NewKernel(web.Deps{})
	r.ok(r.p.Mount(r.k))
	return r
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// Answer stands in for what sends browsers back to Entra ID.
func (r *rig) Answer(w http.ResponseWriter, _ *http.Request, _ mfa.Challenge, payload []byte, o mfa.Outcome) error {
	if string(payload) != "payload" {
		r.Errorf("payload %q", payload)
	}
	r.given = append(r.given, o)
	_, err := w.Write([]byte("back to Entra ID"))
	return err
}

func accountOf(object string) mfa.Account { return mfa.Account{Tenant: tenant, Object: object} }

// do asks as a browser does, and follows redirects.
func (r *rig) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	r.Helper()
	q := httptest.NewRequestWithContext(r.Context(), method, home+path, strings.NewReader(form.Encode()))
	q.RemoteAddr = "192.0.2.7:40000"
	q.Header.Set("Accept", "text/html")
	if form != nil {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range r.jar {
		q.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	r.k.ServeHTTP(w, q)
	for _, c := range w.Result().Cookies() {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "__Host-") {
			r.Errorf("the cookie %s: %+v", c.Name, c)
		}
		if r.jar[c.Name] = c.Value; c.MaxAge < 0 {
			delete(r.jar, c.Name)
		}
	}
	if w.Code == http.StatusSeeOther {
		return r.do("GET", w.Header().Get("Location"), nil)
	}
	if csp := w.Header().Get("Content-Security-Policy"); w.Code < 400 && strings.Contains(csp, "unsafe") {
		r.Errorf("%s: %s", path, csp)
	}
	return w
}

func (r *rig) sees(w *httptest.ResponseRecorder, status int, words ...string) string {
	r.Helper()
	body := html.UnescapeString(styles.ReplaceAllString(w.Body.String(), ""))
	if w.Code != status {
		r.Fatalf("%d, not %d: %s", w.Code, status, body)
	}
	for _, x := range words {
		if !strings.Contains(body, x) {
			r.Fatalf("the page does not say %q: %s", x, body)
		}
	}
	return body
}

// begins is Entra ID sending a browser.
func (r *rig) begins(accept ...string) string {
	r.Helper()
	w := httptest.NewRecorder()
	r.ok(r.p.Begin(context.Background(), w, httptest.NewRequest("POST", home+"/mfa/authorize", nil), mfa.Challenge{
		Account: mfa.Account{Tenant: tenant, Object: object}, Login: "ada@contoso.example", Name: "Ada <b>Lovelace", Where: "Contoso", Source: "192.0.2.7",
		Accept: accept, Asked: r.at, Deadline: r.at.Add(5 * time.Minute)}, []byte("payload")))
	for _, c := range w.Result().Cookies() {
		r.jar[c.Name] = c.Value
	}
	return w.Header().Get("Location")
}

var (
	styles    = regexp.MustCompile(`(?s)<style>.*?</style>`)
	keyShown  = regexp.MustCompile(`<p class="secret"><code>([A-Z2-7 ]+)</code>`)
	codeShown = regexp.MustCompile(`<code>([0-9a-z]{5}-[0-9a-z]{5})</code>`)
)

func (r *rig) code(seed factor.Seed) string {
	r.Helper()
	c, err := seed.Code(seed.Step(r.at))
	r.ok(err)
	return c.Reveal()
}

// enrol sets an authenticator app up at the pages, from where the session is.
func (r *rig) enrol() (factor.Seed, []string) {
	r.Helper()
	body := r.sees(r.do("GET", "/mfa/me?add=app", nil), 200, "Set up an authenticator app", "<svg viewBox")
	m := keyShown.FindStringSubmatch(body)
	if m == nil {
		r.Fatal("no key: ", body)
	}
	seed := factor.NewSeed()
	seed.Secret = secret.New(strings.ReplaceAll(m[1], " ", ""))
	again := r.sees(r.do("POST", "/mfa/me", url.Values{"do": {"app"}, "code": {"000000"}, "label": {"Phone"}}), 403, "does not fit", `aria-invalid="true"`)
	if keyShown.FindStringSubmatch(again)[1] != m[1] {
		r.Error("a wrong passcode changes the key: the app would have to be set up anew")
	}
	body = r.sees(r.do("POST", "/mfa/me", url.Values{"do": {"app"}, "code": {r.code(seed)}, "label": {"Phone"}}), 200, "Phone is set up")
	var codes []string
	for _, c := range codeShown.FindAllStringSubmatch(body, -1) {
		codes = append(codes, c[1])
	}
	r.at = r.at.Add(30 * time.Second)
	return seed, codes
}

func (r *rig) invited() (factor.Seed, []string) {
	r.Helper()
	_, link, err := r.s.Invite(r.Context(), mfa.Account{Tenant: tenant, Object: object}, "Ada Lovelace", "ada@contoso.example", "local:help")
	r.ok(err)
	path := strings.TrimPrefix(link.Reveal(), home)
	r.sees(r.do("GET", path, nil), 200, "ada@contoso.example", "This is me")
	r.sees(r.do("POST", path, url.Values{}), 200, "Nothing is set up yet")
	seed, codes := r.enrol()
	r.sees(r.do("GET", path, nil), 404, "cannot be used")
	return seed, codes
}

// An invitation, an authenticator app, and the way back to Entra ID, without a script.
func TestPasscode(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	seed, codes := r.invited()
	if len(codes) != 10 {
		t.Fatal(codes)
	}
	at := r.begins("fido", "otp")
	page := r.sees(r.do("GET", at, nil), 200, "Contoso", "ada@contoso.example", "192.0.2.7", "did not just sign in", "This was not me", "Recovery codes")
	if strings.Contains(page, "<script") {
		t.Error("a page of a passcode loads a script")
	}
	r.sees(r.do("POST", at, url.Values{"do": {"totp"}, "code": {"123456"}}), 403, "not right", `aria-describedby="fault"`, "Passcode")
	r.sees(r.do("POST", at, url.Values{"do": {"totp"}, "code": {""}}), 400, "no code")
	r.sees(r.do("POST", at, url.Values{"do": {"totp"}, "code": {"1"}, "extra": {"1"}}), 400, "does not have")
	r.sees(r.do("POST", at, url.Values{"do": {"totp"}, "code": {r.code(seed)}}), 200, "back to Entra ID")
	if len(r.given) != 1 || r.given[0].AMR != "otp" || r.given[0].Error != "" {
		t.Fatalf("%+v", r.given)
	}
	r.sees(r.do("POST", at, url.Values{"do": {"recovery"}, "code": {codes[0]}}), 404, "not here")
	at = r.begins("otp")
	r.sees(r.do("GET", at+"?use=recovery", nil), 200, "Enter a recovery code")
	r.sees(r.do("POST", at, url.Values{"do": {"recovery"}, "code": {codes[0]}}), 200, "back to Entra ID")
	// Another browser has nothing of it.
	at = r.begins("otp")
	r.jar = map[string]string{}
	r.sees(r.do("GET", at, nil), 404, "another browser")
}

// Who did not sign in says so, who is late is sent back, and who has nothing is told.
// TestOpener: the window of a sign-in keeps whoever opened it, on each answer of a
// challenge; the person's own pages do not.
func TestOpener(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	path := r.begins("otp")
	for name, w := range map[string]*httptest.ResponseRecorder{"the page": r.do("GET", path, nil),
		"an answer":  r.do("POST", path, url.Values{"nonsense": {"1"}}),
		"none there": r.do("GET", pages.ChallengePath+"none", nil)} {
		if got := w.Header().Get("Cross-Origin-Opener-Policy"); got != "unsafe-none" {
			t.Errorf("%s (%d): %q", name, w.Code, got)
		}
	}
	if got := r.do("GET", pages.OwnPath, nil).Header().Get("Cross-Origin-Opener-Policy"); got != "same-origin" {
		t.Errorf("the own page: %q", got)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	at := r.begins("otp")
	r.sees(r.do("GET", at, nil), 200, "No second factor is set up", "invitation")
	r.sees(r.do("POST", at, url.Values{"do": {"enrol"}}), 403, "without an invitation")
	r.sees(r.do("POST", at, url.Values{"do": {"totp"}, "code": {"123456"}}), 403)
	r.sees(r.do("POST", at, url.Values{"do": {"cancel"}}), 200, "back to Entra ID")
	r.invited()
	at = r.begins("otp")
	r.sees(r.do("POST", at, url.Values{"do": {"not-me"}}), 200, "back to Entra ID")
	at = r.begins("otp")
	r.at = r.at.Add(5 * time.Minute)
	r.sees(r.do("GET", at, nil), 200, "too late")
	r.sees(r.do("POST", at, url.Values{"do": {"totp"}, "code": {"123456"}}), 200, "too late")
	r.sees(r.do("POST", at, url.Values{"do": {"late"}}), 200, "back to Entra ID")
	for _, o := range r.given {
		if o.Error != "access_denied" || o.AMR != "" || o.Why == "" {
			t.Errorf("%+v", o)
		}
	}
	notes, err := r.s.Notes(t.Context(), "", time.Time{})
	r.ok(err)
	if len(r.given) != 3 || len(notes) != 1 || notes[0].Kind != mfa.NoteNotMe {
		t.Errorf("%d answers, notes %+v", len(r.given), notes)
	}
}

// Where the settings let them, who never had a factor sets one up on the way in.
func TestFirstSignIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, &mfa.Config{Enrol: mfa.EnrolFirst})
	at := r.begins("otp")
	r.sees(r.do("GET", at, nil), 200, "Set up a second factor")
	r.sees(r.do("POST", at, url.Values{"do": {"enrolled"}}), 401)
	r.sees(r.do("POST", at, url.Values{"do": {"enrol"}}), 200, "Nothing is set up yet")
	r.enrol()
	r.sees(r.do("POST", at, url.Values{"do": {"enrolled"}}), 200, "back to Entra ID")
	at = r.begins("otp")
	r.sees(r.do("POST", at, url.Values{"do": {"enrol"}}), 403, "without an invitation")
	if len(r.given) != 1 || r.given[0].AMR != "otp" {
		t.Errorf("%+v", r.given)
	}
}

// A person's own page opens by a fresh proof, and the last factor stays.
func TestOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	seed, codes := r.invited()
	r.sees(r.do("POST", "/mfa/me", url.Values{"do": {"leave"}}), 200, "close this page")
	r.sees(r.do("GET", "/mfa/me", nil), 200, "Show one of them")
	unknown := r.sees(r.do("POST", "/mfa/me", url.Values{"do": {"enter"}, "login": {"nobody@contoso.example"}, "kind": {"totp"}, "code": {"123456"}}), 403)
	wrong := r.sees(r.do("POST", "/mfa/me", url.Values{"do": {"enter"}, "login": {"ada@contoso.example"}, "kind": {"totp"}, "code": {"123456"}}), 403)
	if strings.ReplaceAll(unknown, "nobody@", "ada@") != wrong {
		t.Error("the page says who has factors here")
	}
	body := r.sees(r.do("POST", "/mfa/me", url.Values{"do": {"enter"}, "login": {"ADA@contoso.example"}, "kind": {"totp"}, "code": {r.code(seed)}}), 200,
		"Phone", "10 codes left")
	if strings.Count(body, "Take away") != 1 { // the codes', not the only app's
		t.Error("what may be taken away: ", body)
	}
	r.enrol()
	body = r.sees(r.do("GET", "/mfa/me", nil), 200)
	ids := regexp.MustCompile(`name="factor" value="([^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(ids) != 3 {
		t.Fatal(ids)
	}
	r.sees(r.do("POST", "/mfa/me", url.Values{"do": {"remove"}, "factor": {ids[0][1]}}), 200, "Your second factors")
	r.sees(r.do("POST", "/mfa/me", url.Values{"do": {"remove"}, "factor": {ids[1][1]}}), 200, "the last factor")
	body = r.sees(r.do("POST", "/mfa/me", url.Values{"do": {"codes"}}), 200, "New recovery codes")
	if strings.Contains(body, codes[0]) {
		t.Error("the old codes")
	}
	r.at = r.at.Add(11 * time.Minute)
	r.sees(r.do("GET", "/mfa/me", nil), 200, "Show one of them")
}
