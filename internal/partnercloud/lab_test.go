package partnercloud

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/partnercloud/world"
)

// Names that the walks use: people, apps and customers of the embedded scenario.
const (
	samAgent = "sam-agent@contoso.com"
	nomfa    = "nomfa@contoso.com"
	admin    = "ravi.menon@contoso.com"
	elena    = "elena.petrova@contoso.com"

	panelApp  = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	vendorApp = "9b7d5f31-2e4c-4a68-8c0f-d1e2f3a4b5c6"
	toolApp   = "04b07795-8ddb-461a-bbee-02f9e1bf7b46" // a first-party public client
	callback  = "http://localhost:8400/callback"

	graphAPI  = "https://graph.microsoft.com"
	centerAPI = "https://api.partnercenter.microsoft.com"
	armAPI    = "https://management.azure.com"
)

// lab is a running cloud with what a client of it knows.
type lab struct {
	testing.TB
	s *Server
	i Info
	c *http.Client // the API client: no cookies
}

func newLab(t *testing.T, o Options) *lab {
	t.Helper()
	o.NoLag = true
	s := start(t, o)
	return &lab{TB: t, s: s, i: s.Info(), c: client(t, s, "")}
}

func (l *lab) person(upn string) Person {
	l.Helper()
	for _, p := range l.i.People {
		if strings.EqualFold(p.UPN, upn) {
			return p
		}
	}
	l.Fatalf("nobody is called %s", upn)
	return Person{}
}

func (l *lab) secret(app string) string {
	l.Helper()
	for _, a := range l.i.Apps {
		if a.ClientID == app {
			return a.ClientSecret
		}
	}
	var v string
	l.s.World.Read(func(s *world.State) { v = s.SeededSecret(app) })
	return v
}

// customer gives the tenant id of a customer by domain.
func (l *lab) customer(domain string) string {
	l.Helper()
	for _, c := range l.i.Customers {
		if c.Domain == domain {
			return c.ID
		}
	}
	var id string
	l.s.World.Read(func(s *world.State) {
		if c := s.PartnerTenant().CustomerOf(domain); c != nil {
			id = c.TenantID
		}
	})
	if id == "" {
		l.Fatalf("no customer %s", domain)
	}
	return id
}

func (l *lab) userID(upn string) (id string) {
	l.s.World.Read(func(s *world.State) {
		if t := s.Home(upn); t != nil {
			if u := t.UserByName(upn); u != nil {
				id = u.ID
			}
		}
	})
	return id
}

func (l *lab) jump(d time.Duration) {
	l.Helper()
	if _, err := l.s.World.Clock.Jump(d); err != nil {
		l.Fatal(err)
	}
}

// code is a fresh one-time passcode: the clock goes on, since no step is taken
// twice.
func (l *lab) code(upn string) string {
	l.Helper()
	l.jump(31 * time.Second)
	var secret string
	l.s.World.Read(func(s *world.State) {
		u := s.Home(upn).UserByName(upn)
		if m := u.Method(world.MethodTOTP); m != nil {
			secret = s.TOTPSecret(u, m)
		}
	})
	c, err := totp.GenerateCode(secret, l.s.World.Clock.Now())
	if err != nil {
		l.Fatalf("%s has no passcodes: %v", upn, err)
	}
	return c
}

func values(kv ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v
}

// answer is any reply, decoded when it is JSON.
type answer struct {
	status int
	header http.Header
	raw    string
	m      map[string]any
}

func (a *answer) text(key string) string { v, _ := a.m[key].(string); return v }

// aadsts is the first of error_codes, 0 without one.
func (a *answer) aadsts() int {
	list, _ := a.m["error_codes"].([]any)
	if len(list) == 0 {
		return 0
	}
	n, _ := list[0].(float64)
	return int(n)
}

// fault is the code of an API's error in any of the three shapes.
func (a *answer) fault() string {
	if e, ok := a.m["error"].(map[string]any); ok {
		v, _ := e["code"].(string)
		return v
	}
	switch v := a.m["code"].(type) {
	case string:
		return v
	case float64:
		b, _ := json.Marshal(v)
		return string(b)
	}
	return ""
}

func (a *answer) rows() []map[string]any {
	var out []map[string]any
	list, ok := a.m["value"].([]any)
	if !ok {
		list, ok = a.m["items"].([]any)
	}
	if !ok {
		_ = json.Unmarshal([]byte(a.raw), &list)
	}
	for _, v := range list {
		if m, ok := v.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func (l *lab) do(req *http.Request) *answer {
	l.Helper()
	res, err := l.c.Do(req)
	if err != nil {
		l.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		l.Fatal(err)
	}
	a := &answer{status: res.StatusCode, header: res.Header, raw: string(b)}
	_ = json.Unmarshal(b, &a.m)
	return a
}

// call speaks to an API: body is a JSON text, header pairs follow.
func (l *lab) call(method, where, token, body string, header ...string) *answer {
	l.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, where, r)
	if err != nil {
		l.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	return l.do(req)
}

func (l *lab) get(where, token string, header ...string) *answer {
	l.Helper()
	return l.call(http.MethodGet, where, token, "", header...)
}

// token asks the token endpoint.
func (l *lab) token(tenant string, kv ...string) *answer {
	l.Helper()
	return l.tokenAt(l.i.Login+"/"+tenant+"/oauth2/v2.0/token", values(kv...))
}

func (l *lab) tokenAt(where string, v url.Values, header ...string) *answer {
	l.Helper()
	req, err := http.NewRequest(http.MethodPost, where, strings.NewReader(v.Encode()))
	if err != nil {
		l.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return l.do(req)
}

// refresh uses a refresh token of the control panel.
func (l *lab) refresh(tenant, rt, scope string) *answer {
	l.Helper()
	return l.token(tenant, "grant_type", "refresh_token", "client_id", panelApp, "client_secret", l.secret(panelApp), "refresh_token", rt, "scope", scope)
}

// good refreshes and wants an access token.
func (l *lab) good(tenant, rt, scope string) string {
	l.Helper()
	a := l.refresh(tenant, rt, scope)
	if a.status != http.StatusOK {
		l.Fatalf("refresh for %s at %s: %s", scope, tenant, a.raw)
	}
	return a.text("access_token")
}

// claimsOf decodes without checking, as a client does with its own token.
func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a token: %.40q", token)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func words(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, x := range list {
		s, _ := x.(string)
		out = append(out, s)
	}
	return out
}

const verifier = "0123456789012345678901234567890123456789abc"

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

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
	v := values("client_id", panelApp, "response_type", "code", "redirect_uri", callback, "scope", centerAPI+"/user_impersonation openid profile offline_access",
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
	return l.token(tenant, "grant_type", "authorization_code", "client_id", toolApp, "redirect_uri", "http://localhost:9911/", "code", b.arrived().Get("code"), "code_verifier", verifier)
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

// ended counts the rows of a user with a code since a number of rows.
func (l *lab) logged(tenant, upn string, code int) (n int) {
	for _, r := range l.signIns(tenant) {
		if strings.EqualFold(r.UserPrincipalName, upn) && r.Status.ErrorCode == code {
			n++
		}
	}
	return n
}
