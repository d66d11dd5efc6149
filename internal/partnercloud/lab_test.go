package partnercloud

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
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
