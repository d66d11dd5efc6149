package portal

import (
	"encoding/csv"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// TestMetrics: the three shares of the status, from settings and requests.
func TestMetrics(t *testing.T) {
	t.Parallel()
	value := func(body string) []string {
		var out []string
		for _, m := range regexp.MustCompile(`<p class="tile-n">([^<]*)</p>`).FindAllStringSubmatch(body, -1) {
			out = append(out, m[1])
		}
		return out
	}
	log := func(s *world.State, p *world.Tenant) {
		for i, r := range []world.PartnerRequest{{Portal: true, MFA: true}, {Portal: true}, {Portal: true}, {MFA: true}, {MFA: true}, {MFA: true}, {},
			{AppOnly: true}, {AppOnly: true}} {
			r.At, r.UPN, r.AppName = start.AddDate(0, 0, -i%6).Add(-time.Hour), "x@contoso.com", `=HYPERLINK("x")`
			s.LogRequest(p, &r)
		}
		s.LogRequest(p, &world.PartnerRequest{Portal: true, At: start.AddDate(0, 0, -7)})
	}
	for _, c := range []struct {
		name   string
		change func(*world.State, *world.Tenant)
		users  string
	}{
		{"nothing asks", log, "0 %"},
		{"security defaults", func(s *world.State, p *world.Tenant) { log(s, p); p.SecurityDefaults = true }, "100 %"},
		{"per-user MFA for one of six", func(s *world.State, p *world.Tenant) {
			log(s, p)
			p.Users.Change(uid("plain"), func(u *world.User) { u.PerUserMFA = "enforced" })
		}, "16.6 %"},
		{"a policy for administrators", func(s *world.State, p *world.Tenant) {
			log(s, p)
			p.Policies.Put(&world.Document{ID: "ca",
				Raw: []byte(`{"id":"ca","displayName":"Admins","state":"enabled","conditions":{"users":{"includeRoles":["` + entra.RoleGlobalAdministrator +
					`","` + entra.RoleSecurityReader +
					`"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`)})
		}, "33.3 %"},
		{"report-only", func(s *world.State, p *world.Tenant) {
			log(s, p)
			p.Policies.Put(&world.Document{ID: "ca",
				Raw: []byte(`{"id":"ca","displayName":"All","state":"enabledForReportingButNotEnforced","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`)})
		}, "0 %"},
	} {
		l := newLab(t, c.change)
		b := l.signedIn("global") // one portal request with MFA: the overview
		_, body := l.get(b, "/requirements")
		// the page itself is noted before it is made
		if got := value(body); len(got) != 3 || got[0] != c.users || got[1] != "60 %" || got[2] != "75 %" {
			t.Errorf("%s: %v, want %s, 60 %%, 75 %%", c.name, got, c.users)
		}
		// Two days of the portal and one of the API had requests without MFA: each is drawn wide and narrow, and both plots have a key and a row a day.
		if strings.Count(body, `class="f-open"`) != 2*3+2 || strings.Count(body, `<tr><th scope="row">`) != 14 {
			t.Errorf("%s: bars are missing", c.name)
		}
	}
}

func TestDownloads(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State, p *world.Tenant) {
		s.LogRequest(p, &world.PartnerRequest{Portal: true, At: start, UPN: "=cmd|' /C calc'!A0", Operation: "@x", UserID: "\t=1", IP: "+1"})
		for range 10_050 {
			s.LogRequest(p, &world.PartnerRequest{At: start, AppID: "app", AppName: "-1+1", UPN: "a,\"b\"\nc", MFA: true})
		}
		s.LogRequest(p, &world.PartnerRequest{At: start, AppOnly: true})
	})
	b := l.signedIn("global")
	rows := func(path string) [][]string {
		resp, body := l.get(b, path)
		if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/csv") || !strings.Contains(resp.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %v", path, resp.Header)
		}
		all, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			for _, c := range r {
				if c != "" && strings.ContainsRune("=+-@", rune(strings.TrimLeft(c, " \t")[0])) {
					t.Errorf("%s: a formula %q", path, c)
				}
			}
		}
		return all[1:]
	}
	if r := rows("/requirements/portal.csv"); len(r) != 1 || r[0][1] != "'=cmd|' /C calc'!A0" {
		t.Errorf("%v", r)
	}
	if r := rows("/requirements/api-summary.csv"); len(r) != 1 || r[0][2] != "'-1+1" || r[0][3] != "10050" || r[0][4] != "10050" {
		t.Errorf("%v", r)
	}
	if r := rows("/requirements/api.csv"); len(r) != 10_000 || strings.Contains(r[0][1], "\n") {
		t.Errorf("%d rows", len(r))
	}
}

func TestCustomers(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	b := l.signedIn("agent")
	_, body := l.get(b, "/customers")
	if strings.Count(body, `<a href="/customers/c0`) != 25 || !strings.Contains(body, "1 to 25 of 60") || !strings.Contains(body, "Next page") {
		t.Errorf("%.2000s", body)
	}
	if _, body := l.get(b, "/customers?page=3"); strings.Count(body, `<a href="/customers/c0`) != 10 || strings.Contains(body, "Next page") {
		t.Error("the last page")
	}
	if _, body := l.get(b, "/customers?q="+url.QueryEscape(`"><script>`)); strings.Contains(body, "<script>") || !strings.Contains(body, "No customer fits") {
		t.Error("the search is not escaped")
	}
	if _, body := l.get(b, "/customers?q=customer+07&page=-1"); strings.Count(body, `<a href="/customers/c0`) != 1 {
		t.Error("search")
	}
	for _, bad := range []string{"/customers/x", "/customers/" + partnerID, "/customers/x/open", "/customers/" + partnerID + "/open"} {
		if resp, _ := l.get(b, bad); resp.StatusCode != 404 {
			t.Errorf("%s: %d", bad, resp.StatusCode)
		}
	}
	// into the customer's tenant and back
	l.tenant = customerID
	resp, body := l.get(b, "/customers/"+customerID+"/open")
	if resp.StatusCode != 200 || !strings.Contains(body, "You opened this tenant on") || !strings.Contains(body, "Global Administrator") ||
		!strings.Contains(body, "with the MFA claim") {
		t.Errorf("%d %.3000s", resp.StatusCode, body)
	}
	if !strings.HasSuffix(l.asked.Get("scope"), "management.azure.com/.default") {
		t.Errorf("%v", l.asked)
	}
	// a token of another tenant, or of another person, opens nothing
	l.tenant = "c0000000-0000-4000-8000-000000000002"
	if resp, _ := l.get(b, "/customers/"+customerID+"/open"); resp.StatusCode != 403 {
		t.Errorf("another tenant's token: %d", resp.StatusCode)
	}
	l.tenant, l.who = customerID, "global"
	if resp, _ := l.get(b, "/customers/"+customerID+"/open"); resp.StatusCode != 403 {
		t.Errorf("another person's token: %d", resp.StatusCode)
	}
}

// TestSignInAttacks: what must not begin a session.
func TestSignInAttacks(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(access, id *bearer.Claims){
		"a token for another tenant":     func(a, _ *bearer.Claims) { a.TenantID = customerID },
		"another nonce":                  func(_, i *bearer.Claims) { i.Nonce = "x" },
		"an ID token for another app":    func(_, i *bearer.Claims) { i.Audience = "x" },
		"an access token of another app": func(a, _ *bearer.Claims) { a.AppID = "x" },
		"an app's token":                 func(a, _ *bearer.Claims) { a.Scope, a.UPN, a.IDType = "", "", "app" },
		"two people's tokens":            func(_, i *bearer.Claims) { i.ObjectID = uid("plain") },
		"an expired token":               func(a, _ *bearer.Claims) { a.Expires = start.Unix() },
	} {
		l := newLab(t, nil)
		l.who, l.spoil = "global", spoil
		b := l.browser()
		if resp, body := l.get(b, "/signin"); resp.StatusCode < 400 || strings.Contains(body, "Sign out") {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
		for _, c := range b.Jar.Cookies(must(url.Parse(l.srv.URL))) {
			if c.Name == sessionCookie && c.Value != "" {
				t.Errorf("%s: there is a session", name)
			}
		}
	}
	l := newLab(t, nil)
	l.who = "global"
	begin := func(b *http.Client) string {
		resp, err := b.Get(l.srv.URL + "/signin")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		u, _ := url.Parse(resp.Header.Get("Location"))
		l.asked = u.Query()
		return l.asked.Get("redirect_uri") + "?code=good&state=" + l.asked.Get("state")
	}
	status := func(b *http.Client, at string) int {
		resp, err := b.Get(at)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	// login CSRF: a victim's browser with the attacker's state, also when the
	// victim has a sign-in of its own under way
	victim := l.browser()
	begin(victim)
	if got := status(victim, begin(l.browser())); got != 400 {
		t.Errorf("another browser's state over one's own: %d", got)
	}
	if got := status(l.browser(), begin(l.browser())); got != 400 {
		t.Errorf("another browser's state: %d", got)
	}
	b := l.browser()
	at := begin(b)
	if got := status(b, at); got != 200 {
		t.Errorf("%d", got)
	}
	if got := status(b, at); got != 400 {
		t.Errorf("a state twice: %d", got)
	}
	at = begin(b)
	l.mu.Lock()
	l.now = l.now.Add(pendingFor)
	l.mu.Unlock()
	if got := status(b, at); got != 400 {
		t.Errorf("a state too late: %d", got)
	}
	for _, bad := range []string{"/signin-oidc", "/signin-oidc?state=&code=good", "/signin-oidc?state=x"} {
		if got := status(b, l.srv.URL+bad); got != 400 {
			t.Errorf("%s: %d", bad, got)
		}
	}
	// the session ends by the world's clock
	b = l.signedIn("global")
	l.mu.Lock()
	l.now = l.now.Add(sessionFor)
	l.mu.Unlock()
	if _, body := func() (*http.Response, string) {
		resp, err := b.Get(l.srv.URL + "/")
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(resp.Body)
		return resp, string(raw)
	}(); !strings.Contains(body, "Sign in with a partner account") {
		t.Error("the session has no end")
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	b := l.signedIn("global")
	post := func(csrf string) (int, string) {
		resp, err := b.PostForm(l.srv.URL+"/signout", url.Values{"csrf": {csrf}})
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode, string(raw)
	}
	for _, bad := range []string{"", "x", strings.Repeat("a", 64)} {
		if code, _ := post(bad); code != 403 {
			t.Errorf("%q signs out: %d", bad, code)
		}
	}
	_, body := l.get(b, "/")
	m := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(body)
	if code, body := post(m[1]); code != 200 || !strings.Contains(body, "You are signed out") {
		t.Errorf("%d", code)
	}
	if _, body := l.get(b, "/"); strings.Contains(body, "Sign out") {
		t.Error("still signed in")
	}
}

func TestLocal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "/", "/": "/", "/customers?q=a": "/customers?q=a", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example/": "/",
		"javascript:alert(1)": "/", "/%0d%0aX": "/%0d%0aX",
		"/signin?return=/": "/", "/a\r\nb": "/", "/\tx": "/", "/%2f%2fevil.example": "/",
	} {
		if got := local(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzLocal(f *testing.F) {
	f.Add("/a")
	f.Add("//x")
	f.Add("/\\x")
	base, _ := url.Parse("http://portal.test/x")
	f.Fuzz(func(t *testing.T, in string) {
		out := local(in)
		u, err := url.Parse(out)
		if err != nil || base.ResolveReference(u).Host != "portal.test" || strings.HasPrefix(out, "//") || strings.ContainsAny(out, "\\\r\n") {
			t.Fatalf("%q leads to %q", in, out)
		}
	})
}

func FuzzCell(f *testing.F) {
	f.Add("=1")
	f.Add(" \t@x")
	f.Fuzz(func(t *testing.T, in string) {
		out := safeCell(in)
		if s := strings.TrimLeft(out, " \t\u00a0\ufeff"); s != "" && strings.ContainsRune("=+-@＝＋－＠﹦﹢﹣﹫", []rune(s)[0]) ||
			strings.ContainsAny(out, "\r\n\x00") {
			t.Fatalf("%q gives %q", in, out)
		}
	})
}
