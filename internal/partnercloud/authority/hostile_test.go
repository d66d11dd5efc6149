package authority_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// TestRedirects holds the authority to addresses that the client registered.
func TestRedirects(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		app, uri string
		ok       bool
	}{
		{samApp, callback, true},
		{samApp, callback + "/", false},
		{samApp, callback + "?x=1", false},
		{samApp, "https://app.example/callback/../evil", false},
		{samApp, "https://app.example.evil.example/callback", false},
		{samApp, "https://app.example@evil.example/callback", false},
		{samApp, "http://app.example/callback", false},
		{samApp, "HTTPS://APP.EXAMPLE/callback", false},
		{samApp, "https://app.example/callback#frag", false},
		{samApp, "//evil.example", false},
		{samApp, "javascript:alert(1)", false},
		{samApp, "data:text/html,x", false},
		{samApp, "https://evil.example", false},
		{samApp, "http://localhost", false},
		{samApp, callback + "\r\nX: y", false},
		{samApp, "", false},
		{toolApp, "http://localhost:51234", true},
		{toolApp, "http://localhost:51234/", true},
		{toolApp, "http://localhost:51234/other", false},
		{toolApp, "http://localhost.evil.example:1", false},
		{toolApp, "http://127.0.0.1:51234", false},
		{cli, "http://localhost:8400", true},
		{cli, "http://127.0.0.1:8400/cb", true},
		{cli, "https://login.microsoftonline.com/common/oauth2/nativeclient", true},
		{cli, "https://evil.example", false},
		{cli, "https://localhost", false},
		{entra.AppPartner, "https://partner.microsoft.com/auth", true},
		{entra.AppPartner, "https://partner.microsoft.com.evil.example/auth", false},
	} {
		b := l.browser().get(l.authorizeURL("organizations", "client_id", c.app, "redirect_uri", c.uri, "prompt", "none", "scope", "openid"))
		switch {
		case c.ok && (b.left == nil || b.left.Query().Get("error") != "login_required"):
			t.Errorf("%s: %d %v", c.uri, b.status, b.left)
		case !c.ok && (b.left != nil || b.status != 400 || b.header.Get("Location") != ""):
			t.Errorf("%s: %d left for %v", c.uri, b.status, b.left)
		}
	}
}

func TestAuthorizeRefusals(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		name, tenant string
		kv           []string
		page         string // shown here
		sent         string // or sent to the client
	}{
		{"unknown tenant", "nowhere.example", nil, "AADSTS90002", ""},
		{"no tenant name", "nonsense", nil, "AADSTS900023", ""},
		{"consumers", "consumers", nil, "AADSTS9002331", ""},
		{"unknown app", partnerID, []string{"client_id", "5a000000-0000-4000-8000-0000000000ff"}, "AADSTS700016", ""},
		{"no app", partnerID, []string{"client_id", ""}, "AADSTS900144", ""},
		{"single tenant at common", "common", []string{"client_id", loneApp}, "AADSTS50194", ""},
		{"single tenant elsewhere", partnerID, []string{"client_id", loneApp}, "AADSTS700016", ""},
		{"implicit", partnerID, []string{"response_type", "token"}, "", "AADSTS700054"},
		{"no type", partnerID, []string{"response_type", ""}, "", "AADSTS900144"},
		{"id_token by query", partnerID, []string{"response_type", "id_token", "response_mode", "query"}, "", "AADSTS70007"},
		{"id_token without nonce", partnerID, []string{"response_type", "id_token", "nonce", ""}, "", "AADSTS900144"},
		{"id_token where it is not switched on", partnerID, []string{"client_id", otherApp, "response_type", "code id_token"}, "", "AADSTS700054"},
		{"odd mode", partnerID, []string{"response_mode", "web_message"}, "", "AADSTS70007"},
		{"odd prompt", partnerID, []string{"prompt", "perhaps"}, "", "AADSTS9002313"},
		{"odd method", partnerID, []string{"code_challenge_method", "S512"}, "", "AADSTS50147"},
		{"method alone", partnerID, []string{"code_challenge", ""}, "", "AADSTS50147"},
		{"short challenge", partnerID, []string{"code_challenge", "x"}, "", "AADSTS50147"},
		{"bad scope", partnerID, []string{"scope", "Nothing.Read"}, "", "AADSTS70011"},
		{"bad resource", partnerID, []string{"scope", "https://nowhere.example/.default"}, "", "AADSTS500011"},
		{"bad claims", partnerID, []string{"claims", "[1]"}, "", "AADSTS9002313"},
		{"negative age", partnerID, []string{"max_age", "-1"}, "", "AADSTS9002313"},
		{"huge state", partnerID, []string{"state", strings.Repeat("x", 5000)}, "", "AADSTS9002313"},
	} {
		b := l.browser().get(l.authorizeURL(c.tenant, c.kv...))
		if c.page != "" && (b.left != nil || !strings.Contains(b.page, c.page)) || c.sent != "" &&
			(b.left == nil || !strings.Contains(b.left.RawQuery+b.left.Fragment, c.sent)) {
			t.Errorf("%s: %d %v %.300s", c.name, b.status, b.left, b.page[max(0, strings.Index(b.page, "<main>")):])
		}
	}
	b := l.browser().get(l.authorizeURL(partnerID) + "&client_id=" + otherApp)
	if !strings.Contains(b.page, "AADSTS9000411") {
		t.Error("a parameter given twice must be refused")
	}
}

func TestForgery(t *testing.T) {
	l := newLab(t)
	victim := l.browser().get(l.authorizeURL(partnerID))
	form := victim.fields()
	form.Set("do", "account")
	form.Set("loginfmt", "ada@contoso.com")
	spoil := func(k, v string) url.Values {
		c := url.Values{}
		for n := range form {
			c.Set(n, form.Get(n))
		}
		c.Set(k, v)
		return c
	}
	// Another browser with everything but the cookie.
	thief := l.browser()
	thief.postForm("/common/signin", form)
	thief.wants("AADSTS90051")
	thief.get("/common/signin?flow=" + form.Get("flow")).wants("AADSTS90051")
	// The right browser with the wrong token.
	victim.postForm("/common/signin", spoil("csrf", "x"))
	victim.wants("AADSTS90051")
	victim.postForm("/common/signin", spoil("csrf", ""))
	victim.wants("AADSTS90051")
	// A form of another site, by what the browser says.
	req, _ := http.NewRequest(http.MethodPost, l.srv.URL+"/common/signin", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	victim.do(req)
	victim.wants("AADSTS90051")
	// JSON, or a form that is none.
	req, _ = http.NewRequest(http.MethodPost, l.srv.URL+"/common/signin", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "text/plain")
	victim.do(req)
	victim.wants("AADSTS9002313")
	// The real one still works.
	victim.postForm("/common/signin", form)
	victim.wants("Enter password")
	// A step that is not due does nothing.
	for _, do := range []string{"totp", "newtotp", "accept", "stay", "confirm", "back", "external:x", "newkey", ""} {
		victim.send("do", do, "otc", "123456").wants("Enter password")
	}
	// Ten minutes.
	l.jump(10 * time.Minute)
	victim.postForm("/common/signin", form)
	victim.wants("AADSTS90051")
}

func TestCookies(t *testing.T) {
	l := newLab(t)
	req, _ := http.NewRequest(http.MethodGet, l.srv.URL+l.authorizeURL(partnerID), nil)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("%s %+v", c.Name, c)
		}
	}
	b := l.browser().get(l.authorizeURL(partnerID))
	csp := b.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' https://app.example"} {
		if !strings.Contains(csp, want) {
			t.Errorf("%s lacks %s", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
		t.Error(csp)
	}
	if strip := strings.Index(b.page, "Not Microsoft. Invented people; nothing leaves this machine."); !strings.Contains(b.page, "<title>[local] ") ||
		strip < 0 || strip > strings.Index(b.page, "<input") {
		t.Errorf("the page does not say first what it is: %s", b.page)
	}
	b.signIn("ada@contoso.com")
	// Signing out ends the session, and leads only where the client may lead.
	b.get("/common/oauth2/v2.0/logout?client_id=" + samApp + "&post_logout_redirect_uri=" + url.QueryEscape("https://evil.example/"))
	if b.left != nil {
		t.Fatalf("led to %v", b.left)
	}
	b.wants("signed out").get(l.authorizeURL(partnerID, "prompt", "none"))
	if b.arrived().Get("error") != "login_required" {
		t.Fatal(b.left)
	}
	b.get("/common/oauth2/v2.0/logout?client_id=" + samApp + "&post_logout_redirect_uri=" + url.QueryEscape(callback))
	if b.left == nil || b.left.Host != "app.example" {
		t.Fatal(b.left)
	}
}

func TestSessions(t *testing.T) {
	l := newLab(t)
	b := l.browser().get(l.authorizeURL(partnerID)).signIn("ada@contoso.com")
	first := b.arrived().Get("code")
	b.get(l.authorizeURL(partnerID))
	if c := b.arrived().Get("code"); c == "" || c == first {
		t.Fatal("a session gives its own code")
	}
	b.get(l.authorizeURL(partnerID, "prompt", "login", "login_hint", "ada@contoso.com")).wants("Enter password")
	b.get(l.authorizeURL(partnerID, "prompt", "select_account")).wants("Account name")
	b.get(l.authorizeURL(partnerID, "login_hint", "ben@contoso.com")).wants("Enter password").wants("ben@contoso.com")
	l.jump(time.Minute)
	b.get(l.authorizeURL(partnerID, "max_age", "60")).wants("Account name")
	b.get(l.authorizeURL(partnerID, "max_age", "61"))
	r := b.redeem(partnerID)
	if l.claims(r.ID).AuthTime == 0 {
		t.Error("max_age asks for auth_time")
	}
	l.change(adaID, func(u *world.User) { u.SessionsValidFrom, u.Revoked = l.w.Clock.Now(), "revoked" })
	b.get(l.authorizeURL(partnerID)).wants("Account name")
	// Not to stay signed in ends after a day.
	b.signIn("ada@contoso.com")
	l.jump(24 * time.Hour)
	b.get(l.authorizeURL(partnerID)).wants("Account name")
	// To stay lasts.
	b.send("do", "account", "loginfmt", "ben@contoso.com").send("do", "password", "passwd", l.passwordOf("ben@contoso.com")).send("do", "stay")
	l.jump(60 * 24 * time.Hour)
	b.get(l.authorizeURL(partnerID))
	b.arrived()
}

func TestAnswers(t *testing.T) {
	l := newLab(t)
	b := l.browser().get(l.authorizeURL(partnerID, "response_type", "code id_token", "client_info", "1")).signIn("ada@contoso.com")
	v := b.arrived()
	if b.left.RawQuery != "" || v.Get("state") != "st" || v.Get("code") == "" || v.Get("client_info") == "" {
		t.Fatal(v)
	}
	if c := l.claims(v.Get("id_token")); c.CHash == "" || c.Nonce != "n-1" {
		t.Fatalf("%+v", c)
	}
	b.get(l.authorizeURL(partnerID, "response_mode", "form_post", "state", `"><script>x</script>`)).wants(`action="https://app.example/callback"`)
	if strings.Contains(b.page, "<script>x") || !strings.Contains(b.header.Get("Content-Security-Policy"), "form-action 'self' https://app.example;") {
		t.Fatal(b.page)
	}
}

func TestConsent(t *testing.T) {
	l := newLab(t)
	ask := func(b *browser, kv ...string) *browser {
		return b.get(l.authorizeURL(partnerID, append([]string{"client_id", otherApp}, kv...)...))
	}
	ben := ask(l.browser(), "scope", graphURI+"/User.Read").signIn("ben@contoso.com").wants("Permissions requested").wants("User.Read")
	if strings.Contains(ben.page, "Consent for everybody") {
		t.Fatal("an ordinary user is offered consent for everybody")
	}
	ben.send("do", "decline")
	if v := ben.arrived(); v.Get("error") != "access_denied" || !strings.Contains(v.Get("error_description"), "AADSTS65004") {
		t.Fatal(v)
	}
	// The form cannot widen what is asked.
	ask(ben, "scope", graphURI+"/User.Read").wants("Permissions requested").send("do", "accept", "everybody", "1").wants("AADSTS90094")
	ask(ben, "scope", graphURI+"/User.Read").send("do", "accept")
	r := ben.redeem(partnerID, "client_id", otherApp, "client_secret", "")
	if r.code() != 7000218 { // a web app without any credential
		t.Fatalf("%+v", r)
	}
	ask(ben, "prompt", "none", "scope", graphURI+"/User.Read")
	if ben.arrived().Get("code") == "" {
		t.Fatal(ben.left)
	}
	// Admin scopes.
	ask(ben, "scope", graphURI+"/Directory.Read.All").wants("AADSTS90094")
	ada := ask(l.browser(), "scope", graphURI+"/Directory.Read.All").signIn("ada@contoso.com").wants("Directory.Read.All").
		send("do", "accept", "everybody", "1")
	if ada.arrived().Get("code") == "" {
		t.Fatal(ada.left)
	}
	ask(ben, "prompt", "none", "scope", graphURI+"/Directory.Read.All")
	if ben.arrived().Get("code") == "" {
		t.Fatal("consent for everybody is for ben too")
	}
	ask(l.browser(), "scope", graphURI+"/User.Read").send("do", "account", "loginfmt", "carla@fabrikam.com")
	carla := l.browser().get(l.authorizeURL(customerID, "client_id", otherApp, "scope", graphURI+"/User.Read")).signIn("carla@fabrikam.com").
		wants("Permissions requested").send("do", "accept")
	if carla.arrived().Get("code") == "" {
		t.Fatal(carla.left)
	}
	l.w.Read(func(s *world.State) {
		p := s.Tenant(customerID)
		var audits []string
		for _, a := range p.Audits {
			audits = append(audits, a.Activity)
		}
		if !slices.Contains(audits, "Add service principal") || !slices.Contains(audits, "Consent to application") ||
			!slices.Contains(audits, "Add delegated permission grant") {
			t.Error(audits)
		}
	})
}

func TestAdminConsent(t *testing.T) {
	l := newLab(t)
	l.w.Read(func(s *world.State) {
		p, app := s.App(otherApp)
		c := *app
		c.Required = []world.RequiredAccess{{Resource: entra.AppGraph, Scopes: c.Required[0].Scopes, Roles: []string{"7ab1d382-f21e-4acd-a863-ba3e13f7da61"}}}
		s.PutApp(p, &c)
	})
	path := "/" + partnerID + "/v2.0/adminconsent?client_id=" + otherApp + "&state=s1&scope=" + url.QueryEscape(graphURI+"/.default") + "&redirect_uri=" +
		url.QueryEscape(callback)
	l.browser().get(path).signIn("ben@contoso.com").wants("AADSTS90094")
	b := l.browser().get(path).signIn("ada@contoso.com").wants("Directory.Read.All").send("do", "accept")
	if v := b.arrived(); v.Get("admin_consent") != "True" || v.Get("tenant") != partnerID || v.Get("state") != "s1" {
		t.Fatal(v)
	}
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		if got := s.AppPermissions(p, p.SP(otherApp).ID, world.FindResource(entra.AppGraph)); len(got) != 1 {
			t.Error(got)
		}
	})
	if b := l.browser().get("/common/adminconsent?client_id=" + otherApp + "&redirect_uri=https://evil.example"); b.left != nil ||
		!strings.Contains(b.page, "AADSTS50011") {
		t.Error(b.left)
	}
}

func TestGuestsAndStrangers(t *testing.T) {
	l := newLab(t)
	tool := func(tenant string, kv ...string) string {
		return l.authorizeURL(tenant, append([]string{"client_id", cli, "redirect_uri", "http://localhost:1", "scope", graphURI + "/.default offline_access"},
			kv...)...)
	}
	b := l.browser().get(tool(strangerID)).signIn("ben@contoso.com")
	r := b.redeem(strangerID, "client_id", cli, "client_secret", "", "redirect_uri", "http://localhost:1")
	if c := l.claims(r.Access); c.ObjectID != guestID || c.TenantID != strangerID || c.HomeTenant != "" || c.IDP == "" {
		t.Fatalf("%+v", c)
	}
	if x := l.rows(strangerID); x[len(x)-1].CrossTenant != "b2bCollaboration" {
		t.Fatalf("%+v", x)
	}
	// A customer's user has no rights at the partner.
	l.browser().get(tool(partnerID)).signIn("carla@fabrikam.com").wants("AADSTS50020")
	if got := codes(l.rows(customerID)); !slices.Contains(got, 50020) {
		t.Error(got)
	}
	// A partner's user without delegated rights, and with a guest account there.
	l.w.Read(func(s *world.State) {
		p, c := s.PartnerTenant(), s.Tenant(customerID)
		p.Groups.Change("90000000-0000-4000-8000-000000000001", func(g *world.Group) { g.Members = []string{adaID} })
		s.Touch(p)
		c.Users.Put(&world.User{ID: "guest", UPN: "ben#EXT#@fabrikam.com", Guest: true, HomeTenant: partnerID, HomeUser: benID, Enabled: true})
		s.Touch(c)
	})
	b.get(tool(customerID)).wants("AADSTS50177")
	if n := l.token(customerID, "grant_type", "refresh_token", "client_id", cli, "refresh_token", r.Refresh, "scope", graphURI+"/.default"); n.code() != 50177 {
		t.Fatalf("%+v", n)
	}
}

func TestOversized(t *testing.T) {
	l := newLab(t)
	r := l.post("/"+partnerID+"/oauth2/v2.0/token", values("grant_type", "password", "password", strings.Repeat("x", 200<<10)))
	if r.Status != http.StatusRequestEntityTooLarge || r.code() != 90023 {
		t.Errorf("%+v", r)
	}
	b := l.browser().get("/common/oauth2/v2.0/authorize?x=" + strings.Repeat("x", 40<<10))
	if b.status != http.StatusRequestURITooLong {
		t.Error(b.status)
	}
	v := url.Values{"grant_type": {"refresh_token", "password"}}
	if r := l.post("/"+partnerID+"/oauth2/v2.0/token", v); r.code() != 9000411 {
		t.Errorf("%+v", r)
	}
	resp, err := http.Get(l.srv.URL + "/" + partnerID + "/oauth2/v2.0/token")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); !strings.Contains(string(b), "AADSTS900561") {
		t.Errorf("%s", b)
	}
	for _, path := range []string{"/", "/robots.txt", "/error?code=50076", "/error?code=x", "/nope", "/a/b/c/d", "/" + strings.Repeat("a", 300) +
		"/oauth2/token", "/common/signin", "/common/signin?flow=x", "/%2e%2e/oauth2/v2.0/authorize", "/common/oauth2/v2.0/authorize"} {
		if b := l.browser().get(path); b.status >= 500 || b.left != nil {
			t.Errorf("%s: %d", path, b.status)
		}
	}
}
