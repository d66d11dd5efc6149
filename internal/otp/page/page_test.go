package page_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/factor"
	"partnerguard/internal/otp"
	"partnerguard/internal/otp/page"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
	"partnerguard/internal/web"
)

const words = "correct horse battery staple"

// floor is a page with two people, and a clock that can be set.
type floor struct {
	t        *testing.T
	url      string
	trail    audittest.Recorder
	clock    atomic.Int64 // Unix milliseconds
	ada, bob otp.Entry
}

func newFloor(t *testing.T) *floor {
	t.Helper()
	f := &floor{t: t}
	f.clock.Store(time.Date(2026, 11, 30, 9, 0, 2, 0, time.UTC).UnixMilli())
	folder := filepath.Join(t.TempDir(), "people")
	add := func(person, issuer string) (got otp.Entry) {
		path, err := otp.PersonFile(folder, person)
		if err != nil {
			t.Fatal(err)
		}
		m := vault.NewPassphrase(func(context.Context, string, bool) (secret.Text, error) { return secret.New(words), nil })
		err = otp.NewStore(path, m).Change(t.Context(), true, func(b *otp.Book) (err error) {
			got, err = b.Add(factor.Entry{Issuer: issuer, Account: person, Seed: factor.NewSeed()}, "", f.now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	f.ada, f.bob = add("ada", "Contoso"), add("bob", "Fabrikam")
	d, err := page.New(t.Context(), page.Deps{Folder: folder, Record: &f.trail, Now: f.now})
	if err != nil {
		t.Fatal(err)
	}
	k := web.NewKernel(web.Deps{})
	if err := d.Mount(k); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(k)
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

func (f *floor) now() time.Time { return time.UnixMilli(f.clock.Load()).UTC() }

// browser keeps the cookie of one person.
type browser struct {
	*floor
	cookie string
}

type got struct {
	status int
	body   string
	head   http.Header
}

func (b *browser) ask(method, path string, form url.Values, heads ...string) got {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(heads); i += 2 {
		r.Header.Set(heads[i], heads[i+1])
	}
	if b.cookie != "" {
		r.Header.Set("Cookie", b.cookie)
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range a.Cookies() {
		b.cookie = c.Name + "=" + c.Value
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/otp" {
			b.t.Errorf("the cookie is %s", c)
		}
	}
	return got{a.StatusCode, string(body), a.Header}
}

func (b *browser) open(person, passphrase string) got {
	b.t.Helper()
	return b.ask("POST", "/otp/open", url.Values{"person": {person}, "passphrase": {passphrase}})
}

var eachCode = regexp.MustCompile(`\d{3} \d{3}`)

func spaced(s secret.Text) string { return s.Reveal()[:3] + " " + s.Reveal()[3:] }

func TestTakeACode(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	b := &browser{floor: f}
	if g := b.ask("GET", "/otp/codes", nil); g.status != http.StatusSeeOther || g.head.Get("Location") != "/otp" {
		t.Fatalf("without a session: %d", g.status)
	}
	if g := b.open("Ada ", words); g.status != http.StatusSeeOther {
		t.Fatalf("%d %s", g.status, g.body)
	}
	g := b.ask("GET", "/otp/codes", nil)
	if !strings.Contains(g.body, "Contoso: ada") || strings.Contains(g.body, "Fabrikam") || eachCode.MatchString(g.body) {
		t.Fatalf("before a code is taken: %s", g.body)
	}
	if g := b.ask("POST", "/otp/take", url.Values{"id": {f.bob.ID}}); g.status != http.StatusNotFound {
		t.Errorf("another person's: %d", g.status)
	}
	if g := b.ask("POST", "/otp/take", url.Values{"id": {f.ada.Name}}); g.status != http.StatusNotFound {
		t.Errorf("by its name: %d", g.status)
	}
	if n := len(f.trail.Of(audit.OTPCodeTaken)); n != 0 {
		t.Errorf("%d codes are in the trail", n)
	}
	if g := b.ask("POST", "/otp/take", url.Values{"id": {f.ada.ID}}); g.status != http.StatusSeeOther {
		t.Fatal(g.status)
	}
	want, err := new(otp.Book).Code(f.ada, f.now())
	if err != nil {
		t.Fatal(err)
	}
	g = b.ask("GET", "/otp/codes", nil)
	if all := strings.Join(eachCode.FindAllString(g.body, -1), ","); all != spaced(want.Code)+","+spaced(want.Next) {
		t.Errorf("the page has %s", all)
	}
	if g.head.Get("Refresh") != "5" || g.head.Get("Cache-Control") != "no-store" || strings.Contains(g.body, f.ada.Seed.Secret.Reveal()) {
		t.Errorf("%v", g.head)
	}
	f.clock.Add(30_000) // the next one, and no third
	if all := strings.Join(eachCode.FindAllString(b.ask("GET", "/otp/codes", nil).body, -1), ","); all != spaced(want.Next) {
		t.Errorf("in the next period the page has %s", all)
	}
	f.clock.Add(30_000)
	if g := b.ask("GET", "/otp/codes", nil); eachCode.MatchString(g.body) {
		t.Error("a code is shown that nobody took")
	}
	stolen := browser{floor: f, cookie: b.cookie}
	if g := b.ask("POST", "/otp/close", nil); g.status != http.StatusSeeOther {
		t.Error(g.status)
	}
	if g := stolen.ask("GET", "/otp/codes", nil); g.status != http.StatusSeeOther {
		t.Error("a closed file is open")
	}
	events := f.trail.Of(audit.OTPCodeTaken)
	if len(events) != 1 || events[0].Actor != "otp:ada" || events[0].Details["entry"] != f.ada.ID || events[0].Details["until"] != "2026-11-30T09:01:00Z" {
		t.Errorf("%+v", events)
	}
	for _, e := range f.trail.Events() {
		for _, v := range e.Details {
			if strings.Contains(v, want.Code.Reveal()) || strings.Contains(v, "Contoso") {
				t.Errorf("the trail has %q", v)
			}
		}
	}
}

// TestWrongPassphrase: the same answer whoever is meant, slower with each, and never
// for another name.
func TestWrongPassphrase(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	b := &browser{floor: f}
	first := b.open("ada", "wrong")
	if first.status != http.StatusForbidden || !strings.Contains(first.body, "name or the passphrase is wrong") || b.cookie != "" {
		t.Fatalf("%d %s", first.status, first.body)
	}
	for _, person := range []string{"eve", "../people/ada", "ada\x00", "ADA.OTP", ""} {
		if g := b.open(person, words); g.status != first.status || g.body != first.body {
			t.Errorf("%q: %d", person, g.status)
		}
	}
	for range 3 {
		b.open("ada", "wrong")
	}
	g := b.open("ada", words)
	if g.status != http.StatusTooManyRequests || g.head.Get("Retry-After") == "" || b.cookie != "" {
		t.Errorf("after four wrong ones: %d", g.status)
	}
	if g := b.open("bob", words); g.status != http.StatusSeeOther {
		t.Errorf("another person: %d", g.status)
	}
	if n := len(f.trail.Of(audit.OTPRefused)); n != 4 {
		t.Errorf("%d refusals are in the trail", n)
	}
	for _, e := range f.trail.Events() {
		if e.Object != "ada" && e.Object != "bob" {
			t.Errorf("the trail names %q, who may be a passphrase", e.Object)
		}
	}
}

// TestTrailFirst: nothing opens and no code is shown while the trail cannot be
// written.
func TestTrailFirst(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	b := &browser{floor: f}
	f.trail.Fail(errors.New("the disk is full"))
	if g := b.open("ada", words); g.status != http.StatusServiceUnavailable || b.cookie != "" || strings.Contains(g.body, "disk") {
		t.Errorf("%d %s", g.status, g.body)
	}
	f.trail.Fail(nil)
	b.open("ada", words)
	f.trail.Fail(errors.New("the disk is full"))
	if g := b.ask("POST", "/otp/take", url.Values{"id": {f.ada.ID}}); g.status != http.StatusServiceUnavailable {
		t.Errorf("%d", g.status)
	}
	if g := b.ask("GET", "/otp/codes", nil); eachCode.MatchString(g.body) {
		t.Error("a code is shown that the trail does not have")
	}
}

// TestHostileRequests open nothing.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	f := newFloor(t)
	b := &browser{floor: f}
	good := url.Values{"person": {"ada"}, "passphrase": {words}}
	for name, row := range map[string]struct {
		path  string
		form  url.Values
		heads []string
	}{
		"from another site":   {"/otp/open", good, []string{"Sec-Fetch-Site", "cross-site"}},
		"from another origin": {"/otp/open", good, []string{"Origin", "https://evil.example"}},
		"through a proxy":     {"/otp/open", good, []string{"X-Forwarded-For", "127.0.0.1"}},
		"as JSON":             {"/otp/open", good, []string{"Content-Type", "application/json"}},
		"a name twice":        {"/otp/open", url.Values{"person": {"ada", "bob"}, "passphrase": {words}}, nil},
		"a member more":       {"/otp/open", url.Values{"person": {"ada"}, "passphrase": {words}, "admin": {"1"}}, nil},
		"in the address":      {"/otp/open?person=ada", url.Values{"passphrase": {words}}, nil},
		"very long":           {"/otp/open", url.Values{"person": {"ada"}, "passphrase": {strings.Repeat("a", 9<<10)}}, nil},
	} {
		if g := b.ask("POST", row.path, row.form, row.heads...); g.status < 400 || g.status >= 500 || b.cookie != "" {
			t.Errorf("%s: %d", name, g.status)
		}
	}
	if n := len(f.trail.Events()); n != 0 {
		t.Errorf("%d events", n)
	}
	for _, cookie := range []string{"pg-otp=x", "pg-otp=" + strings.Repeat("A", 43), "pg-otp=a; pg-otp=b"} {
		b.cookie = cookie
		if g := b.ask("GET", "/otp/codes", nil); g.status != http.StatusSeeOther || g.head.Get("Location") != "/otp" {
			t.Errorf("%s: %d", cookie, g.status)
		}
	}
	b.cookie = ""
	path, err := otp.PersonFile(filepath.Join(f.t.TempDir(), "x"), "ada")
	if _, serr := os.Stat(path); err != nil || serr == nil {
		t.Error(err)
	}
}
