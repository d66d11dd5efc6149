package portal

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

const (
	partnerID  = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	customerID = "c0000000-0000-4000-8000-000000000001"
	networkAdm = "d37c8bed-0711-4417-ba38-b4abe66ce4c2" // Network Administrator: not one of those who see the status
)

func uid(n string) string {
	return map[string]string{"global": "10000000-0000-4000-8000-000000000001", "secadmin": "10000000-0000-4000-8000-000000000002",
		"secreader": "10000000-0000-4000-8000-000000000003",
		"network":   "10000000-0000-4000-8000-000000000004", "agent": "10000000-0000-4000-8000-000000000005", "plain": "10000000-0000-4000-8000-000000000006",
		"sync": "10000000-0000-4000-8000-000000000007"}[n]
}

// lab is a portal with an authority that signs in whoever the test says.
type lab struct {
	t      *testing.T
	w      *world.World
	keys   *bearer.Keys
	p      *Portal
	srv    *httptest.Server
	mu     sync.Mutex
	now    time.Time
	who    string
	mfa    bool
	tenant string
	asked  url.Values // of the last authorize request
	spoil  func(access, id *bearer.Claims)
}

var oneKey = sync.OnceValues(func() (*bearer.Keys, error) { return bearer.NewKeys(func() time.Time { return start }) })

func newLab(t *testing.T, change func(*world.State, *world.Tenant)) *lab {
	t.Helper()
	keys, err := oneKey()
	if err != nil {
		t.Fatal(err)
	}
	pem, err := keys.Export()
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, now: start, tenant: partnerID}
	clock := func() time.Time { l.mu.Lock(); defer l.mu.Unlock(); return l.now }
	if l.keys, err = bearer.ImportKeys(clock, pem); err != nil {
		t.Fatal(err)
	}
	l.w = world.New(7, world.NewClock(clock))
	l.w.Read(func(s *world.State) {
		s.Enforcement = world.Enforcement{}
		p := &world.Tenant{ID: partnerID, Name: "Contoso Cloud Partners", Domains: []string{"contoso.com"}, Kind: world.PartnerTenant}
		for _, n := range []string{"global", "secadmin", "secreader", "network", "agent", "plain", "sync"} {
			p.Users.Put(&world.User{ID: uid(n), UPN: n + "@contoso.com", Name: strings.ToUpper(n[:1]) + n[1:] + " <b>", Enabled: true, Created: start})
		}
		p.Users.Put(&world.User{ID: "10000000-0000-4000-8000-0000000000ff", UPN: "off@contoso.com", Enabled: false})
		for n, role := range map[string]string{"global": entra.RoleGlobalAdministrator, "secadmin": entra.RoleSecurityAdministrator,
			"secreader": entra.RoleSecurityReader, "network": networkAdm, "sync": entra.RoleDirectorySync} {
			p.Held.Put(&world.RoleAssignment{ID: n, Principal: uid(n), Role: role, Scope: "/", Start: start.AddDate(-1, 0, 0)})
		}
		p.Groups.Put(&world.Group{ID: "g", Name: world.AdminAgents, Members: []string{uid("agent")}})
		for i := range 60 {
			c := &world.Customer{TenantID: fmt.Sprintf("c0000000-0000-4000-8000-%012d", i+1), Name: fmt.Sprintf("Customer %02d", i+1),
				Domain: fmt.Sprintf("c%02d.example", i+1), Relationship: "reseller", DAP: i == 0}
			p.Customers.Put(c)
			s.Put(&world.Tenant{ID: c.TenantID, Name: c.Name, Domains: []string{c.Domain}, Kind: world.CustomerTenant})
		}
		s.Partner = p.ID
		if change != nil {
			change(s, p)
		}
		s.Put(p)
	})
	l.p = New(Deps{World: l.w, Keys: l.keys, Login: func(*http.Request) string { return "http://login.test" }, Transport: l})
	l.srv = httptest.NewServer(l.p)
	t.Cleanup(l.srv.Close)
	return l
}

// RoundTrip is the authority's token endpoint.
func (l *lab) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(raw))
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	answer := func(status int, v any) (*http.Response, error) {
		b, _ := json.Marshal(v)
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(b))), Request: r}, nil
	}
	if base64.RawURLEncoding.EncodeToString(sum[:]) != l.asked.Get("code_challenge") || form.Get("code") != "good" ||
		form.Get("redirect_uri") != l.asked.Get("redirect_uri") {
		return answer(400, map[string]any{"error": "invalid_grant", "error_codes": []int{501481}})
	}
	now := l.w.Clock.Now().Unix()
	access := &bearer.Claims{Audience: "https://api.partnercenter.microsoft.com", IssuedAt: now, NotBefore: now, Expires: now + 3600, Version: "1.0",
		TenantID: l.tenant, ObjectID: uid(l.who), UPN: l.who + "@contoso.com", AppID: entra.AppPartner, Scope: "user_impersonation", AMR: []string{"pwd"},
		IPAddr: "203.0.113.5", IDType: "user"}
	if l.mfa {
		access.AMR = append(access.AMR, "mfa")
	}
	if l.tenant != partnerID {
		access.HomeTenant, access.Delegation, access.Wids = partnerID, "dap", []string{entra.RoleGlobalAdministrator}
	}
	id := &bearer.Claims{Audience: entra.AppPartner, IssuedAt: now, NotBefore: now, Expires: now + 3600, Version: "2.0", TenantID: l.tenant,
		ObjectID: uid(l.who), Nonce: l.asked.Get("nonce")}
	if l.spoil != nil {
		l.spoil(access, id)
	}
	a, _ := l.keys.Sign(access)
	i, _ := l.keys.Sign(id)
	return answer(200, map[string]any{"access_token": a, "id_token": i})
}

// browser follows redirects and stands in for the authority's pages.
func (l *lab) browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "login.test" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// get opens a page and signs in on the way as often as asked to.
func (l *lab) get(b *http.Client, path string) (*http.Response, string) {
	l.t.Helper()
	at := l.srv.URL + path
	for range 6 {
		resp, err := b.Get(at)
		if err != nil {
			l.t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		to := resp.Header.Get("Location")
		if !strings.HasPrefix(to, "http://login.test/") {
			return resp, string(body)
		}
		u, _ := url.Parse(to)
		l.asked = u.Query()
		if l.asked.Get("amr_values") == "mfa" {
			l.mfa = true
		}
		at = l.asked.Get("redirect_uri") + "?code=good&state=" + l.asked.Get("state")
	}
	l.t.Fatal("the sign-in has no end")
	return nil, ""
}

func (l *lab) signedIn(who string) *http.Client {
	l.who, l.mfa, l.tenant = who, true, partnerID
	b := l.browser()
	if resp, body := l.get(b, "/signin"); resp.StatusCode != 200 || !strings.Contains(body, "Overview") {
		l.t.Fatalf("%s: %d %.300s", who, resp.StatusCode, body)
	}
	return b
}

// TestWhoSees: the status is for three roles; another administrator is refused
// with a page that names them.
func TestWhoSees(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	want := map[string]map[string]int{
		"/requirements":                 {"global": 200, "secadmin": 200, "secreader": 200, "network": 403, "agent": 403, "plain": 403},
		"/requirements/portal.csv":      {"global": 200, "network": 403, "agent": 403},
		"/requirements/api.csv":         {"secreader": 200, "network": 403},
		"/score":                        {"global": 200, "secreader": 200, "agent": 200, "network": 403},
		"/customers":                    {"global": 200, "agent": 200, "secreader": 403, "plain": 403},
		"/customers/" + customerID:      {"agent": 200, "plain": 403},
		"/commerce/security/compliance": {"global": 200, "plain": 403},
		"/nothing":                      {"global": 404},
	}
	for path, people := range want {
		for who, status := range people {
			b := l.signedIn(who)
			resp, body := l.get(b, path)
			if resp.StatusCode != status {
				t.Errorf("%s sees %s: %d, want %d", who, path, resp.StatusCode, status)
			}
			if status == 403 && path == "/requirements" && !strings.Contains(body, "Global Administrator, Security Administrator or Security Reader") {
				t.Errorf("the refusal does not say who may: %s", body)
			}
			if strings.Contains(body, "<b>\n") || strings.Contains(body, "Global <b>") {
				t.Errorf("a name is not escaped")
			}
		}
	}
	// what would be refused is not offered, neither on top nor on the overview
	for who, offered := range map[string][3]bool{"global": {true, true, true}, "secreader": {true, true, false}, "agent": {false, true, true},
		"plain": {false, false, false}} {
		_, body := l.get(l.signedIn(who), "/")
		for i, path := range []string{"/requirements", "/score", "/customers"} {
			if n := strings.Count(body, `href="`+path+`"`); (n == 2) != offered[i] || n == 1 {
				t.Errorf("%s is offered %s %d times", who, path, n)
			}
		}
	}
	// a role that is taken away shuts the page at once
	b := l.signedIn("secreader")
	l.w.Read(func(s *world.State) { s.PartnerTenant().Held.Delete("secreader"); s.Touch(s.PartnerTenant()) })
	if resp, _ := l.get(b, "/requirements"); resp.StatusCode != 403 {
		t.Errorf("after the role was taken away: %d", resp.StatusCode)
	}
	// sessions that were revoked end here too
	l.mu.Lock()
	l.now = l.now.Add(time.Minute)
	l.mu.Unlock()
	revoked := l.signedIn("global")
	l.mu.Lock()
	l.now = l.now.Add(time.Minute)
	l.mu.Unlock()
	l.w.Read(func(s *world.State) {
		s.PartnerTenant().Users.Change(uid("global"), func(u *world.User) { u.SessionsValidFrom = s.Clock.Now() })
	})
	if _, body := l.get(revoked, "/"); !strings.Contains(body, "Sign in with a partner account") {
		t.Error("a revoked session goes on")
	}
	// and so does a disabled account's
	l.w.Read(func(s *world.State) {
		s.PartnerTenant().Users.Change(uid("secreader"), func(u *world.User) { u.Enabled = false })
	})
	if _, body := l.get(b, "/"); !strings.Contains(body, "Sign in with a partner account") {
		t.Error("a disabled account keeps its session")
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	b := l.signedIn("global")
	for _, path := range []string{"/", "/requirements", "/style.css", "/nothing"} {
		resp, body := l.get(b, path)
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %q", path, csp)
		}
		if strings.Contains(body, "<script") || strings.Contains(body, " style=") || strings.Contains(body, "onclick") {
			t.Errorf("%s has script or inline style", path)
		}
		if path != "/style.css" && (!strings.Contains(body, "local, not Microsoft") || !strings.Contains(body, "<title>[local] ") ||
			!strings.Contains(body, "Not Microsoft. Invented people; nothing leaves this machine.")) {
			t.Errorf("%s does not say what it is", path)
		}
	}
	for _, c := range b.Jar.Cookies(must(url.Parse(l.srv.URL))) {
		if len(c.Value) < 40 {
			t.Errorf("cookie %s is short", c.Name)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestAskedForMFA: without enforcement a page is shown and noted as without MFA;
// with it the person is asked, and then sees the page that was wanted.
func TestAskedForMFA(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.who = "global"
	b := l.browser()
	if _, body := l.get(b, "/requirements"); !strings.Contains(body, "Partner security requirements status") || l.mfa {
		t.Fatalf("asked for MFA without enforcement")
	}
	last := func() *world.PartnerRequest {
		var r *world.PartnerRequest
		l.w.Read(func(s *world.State) { list := s.PartnerTenant().Requests; r = list[len(list)-1] })
		return r
	}
	if r := last(); r.MFA || !r.Portal || r.Operation != "Get /security/compliance" || r.UPN != "global@contoso.com" || r.IP != "203.0.113.5" {
		t.Errorf("%+v", r)
	}
	l.w.Read(func(s *world.State) { s.Enforcement.Portal = world.Activation{Ramp: start, Enforced: start} })
	if _, body := l.get(b, "/score"); !strings.Contains(body, "Security requirements") || !l.mfa || l.asked.Get("login_hint") != "global@contoso.com" {
		t.Errorf("not asked: %.200s", body)
	}
	if r := last(); !r.MFA || r.Operation != "Get /security/requirements" {
		t.Errorf("%+v", r)
	}
}
