package partnercloud

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// browser is a browser without script that follows the cloud's own pages and
// stops where they lead elsewhere.
type browser struct {
	*lab
	web    *http.Client
	home   string // scheme://host of the login service
	page   string
	status int
	at     *url.URL
	left   *url.URL
	head   http.Header
	from   string // address that it comes from; "" is loopback
}

func (l *lab) browser() *browser {
	jar, _ := cookiejar.New(nil)
	b := &browser{lab: l, web: &http.Client{Jar: jar, Transport: l.c.Transport, Timeout: 20 * time.Second}, home: l.i.Login}
	own := map[string]bool{}
	for _, base := range []string{l.i.Login, l.i.Portal} {
		if u, err := url.Parse(base); err == nil {
			own[u.Host] = true
		}
	}
	b.web.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if !own[req.URL.Host] {
			b.left = req.URL
			return http.ErrUseLastResponse
		}
		if len(via) > 20 {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

func (b *browser) send(req *http.Request) *browser {
	b.Helper()
	b.left = nil
	if b.from != "" {
		req.Header.Set(FromHeader, b.from)
	}
	res, err := b.web.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.page, b.status, b.at, b.head = string(body), res.StatusCode, res.Request.URL, res.Header
	return b
}

func (b *browser) open(where string) *browser {
	b.Helper()
	if !strings.HasPrefix(where, "http") {
		where = b.home + where
	}
	req, err := http.NewRequest(http.MethodGet, where, nil)
	if err != nil {
		b.Fatal(err)
	}
	return b.send(req)
}

func (b *browser) post(where string, v url.Values, header ...string) *browser {
	b.Helper()
	if !strings.HasPrefix(where, "http") {
		where = b.home + where
	}
	req, err := http.NewRequest(http.MethodPost, where, strings.NewReader(v.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return b.send(req)
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]+)"(?: autocomplete="[^"]*")? value="([^"]*)">`)

// fields are the hidden fields of a page.
func (b *browser) fields() url.Values {
	v := url.Values{}
	for _, m := range hiddenInput.FindAllStringSubmatch(b.page, -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	return v
}

// press fills in a page's form and sends it.
func (b *browser) press(kv ...string) *browser {
	b.Helper()
	v := url.Values{}
	for k, list := range b.fields() {
		if k == "flow" || k == "csrf" {
			v[k] = list
		}
	}
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return b.post("/common/signin", v)
}

func (b *browser) has(text string) bool { return strings.Contains(b.page, text) }

func (b *browser) want(text string) *browser {
	b.Helper()
	if !b.has(text) {
		b.Fatalf("the page lacks %q: %d at %v, left for %v\n%s", text, b.status, b.at, b.left, b.page[max(0, strings.Index(b.page, "<main>")):])
	}
	return b
}

// enter gives account and password.
func (b *browser) enter(upn string) *browser {
	b.Helper()
	if b.has(`name="loginfmt" type="email"`) {
		b.press("do", "account", "loginfmt", upn)
	}
	if b.has(`name="passwd"`) {
		var pw string
		b.s.World.Read(func(s *world.State) { pw, _ = s.SeededPassword(s.Home(upn).UserByName(upn)) })
		b.press("do", "password", "passwd", pw)
	}
	return b
}

// signIn goes through everything that a page asks of a person with TOTP.
func (b *browser) signIn(upn string) *browser {
	b.Helper()
	b.enter(upn)
	if b.has(`name="otc"`) && b.has(`value="totp"`) {
		b.press("do", "totp", "otc", b.code(upn))
	}
	if b.has("Stay signed in?") {
		b.press("do", "leave")
	}
	return b
}

// arrived are the parameters that the app got.
func (b *browser) arrived() url.Values {
	b.Helper()
	if b.left == nil {
		b.Fatalf("the browser did not leave: %d at %v\n%s", b.status, b.at, b.page[max(0, strings.Index(b.page, "<main>")):])
	}
	return b.left.Query()
}

// authorize is the address of an authorization request of the control panel;
// pairs change it, an empty value takes a parameter away.
func (l *lab) authorize(tenant string, kv ...string) string {
	v := values("client_id", panelApp, "response_type", "code", "redirect_uri", callback, "scope",
		centerAPI+"/user_impersonation openid profile offline_access",
		"state", "st-1", "nonce", "n-1", "code_challenge", challenge(), "code_challenge_method", "S256")
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
		if kv[i+1] == "" {
			v.Del(kv[i])
		}
	}
	return l.i.Login + "/" + tenant + "/oauth2/v2.0/authorize?" + v.Encode()
}

// redeem trades the code that arrived for the control panel.
func (b *browser) redeem(tenant string) *answer {
	b.Helper()
	return b.token(tenant, "grant_type", "authorization_code", "client_id", panelApp, "client_secret", b.secret(panelApp), "redirect_uri", callback,
		"code", b.arrived().Get("code"), "code_verifier", verifier)
}

// consent is step 4 of the Secure Application Model: an interactive sign-in,
// with MFA, that leaves a refresh token.
func (l *lab) consent(upn string, kv ...string) *answer {
	l.Helper()
	b := l.browser().open(l.authorize(l.i.Tenant.ID, kv...)).signIn(upn)
	a := b.redeem(l.i.Tenant.ID)
	if a.status != http.StatusOK || a.text("refresh_token") == "" {
		l.Fatalf("consent of %s: %d %s", upn, a.status, a.raw)
	}
	return a
}

// asAdmin signs a person in with a first-party tool and gives a token.
func (l *lab) asAdmin(tenant, upn, scope string, kv ...string) string {
	l.Helper()
	a := l.tool(tenant, upn, scope, kv...)
	if a.text("access_token") == "" {
		l.Fatalf("token of %s: %s", upn, a.raw)
	}
	return a.text("access_token")
}

// tool is a sign-in with a first-party public client.
func (l *lab) tool(tenant, upn, scope string, kv ...string) *answer {
	l.Helper()
	v := append([]string{"client_id", toolApp, "redirect_uri", "http://localhost:9911/", "scope", scope + " openid offline_access"}, kv...)
	b := l.browser().open(l.authorize(tenant, v...)).signIn(upn)
	return l.token(tenant, "grant_type", "authorization_code", "client_id", toolApp, "redirect_uri", "http://localhost:9911/", "code", b.arrived().
		Get("code"), "code_verifier", verifier)
}

// writeScopes are what an administrator's tool asks of Graph.
func graphScope(list string) string {
	var out []string
	for _, v := range strings.Fields(list) {
		out = append(out, graphAPI+"/"+v)
	}
	return strings.Join(out, " ")
}

// signIns are the newest rows of a tenant's log, oldest first, as the world has
// them.
func (l *lab) signIns(tenant string) (out []*world.SignIn) {
	l.s.World.Read(func(s *world.State) { out = slices.Clone(s.Tenant(tenant).SignIns) })
	return out
}

// technician is the name that a partner's user has in a customer's log: the person
// is found by it, and by nothing else there (contracts-2026-11.md section 3.1).
func (l *lab) technician(customer, upn string) (name string) {
	l.s.World.Read(func(s *world.State) {
		u := s.PartnerTenant().UserByName(upn)
		name = "user_" + strings.ReplaceAll(u.ID, "-", "") + "@" + s.Tenant(customer).Domain()
	})
	return name
}

// ended counts the rows of a user with a code since a number of rows.
func (l *lab) logged(tenant, upn string, code int) (n int) {
	for _, r := range l.signIns(tenant) {
		if strings.EqualFold(r.UserPrincipalName, upn) && r.Status.ErrorCode == code {
			n++
		}
	}
	return n
}
