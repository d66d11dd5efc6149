package authority_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// Ids of the small world that the tests stand on.
const (
	partnerID  = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	customerID = "c0ffee00-1111-4222-8333-444455556666"
	strangerID = "d00d0000-1111-4222-8333-444455556666"

	adaID   = "00000000-0000-4000-8000-00000000000a" // administrator, admin agent, TOTP
	benID   = "00000000-0000-4000-8000-00000000000b" // no method
	guestID = "00000000-0000-4000-8000-0000000000f1" // ben, guest of the stranger tenant
	carlaID = "00000000-0000-4000-8000-00000000000c" // customer's user

	samApp    = "5a000000-0000-4000-8000-000000000001" // web, multi-tenant, secret and certificate
	spaApp    = "5a000000-0000-4000-8000-000000000002"
	toolApp   = "5a000000-0000-4000-8000-000000000003" // native, fallback public
	apiApp    = "5a000000-0000-4000-8000-000000000004" // API, v2 tokens, confidential
	otherApp  = "5a000000-0000-4000-8000-000000000005" // multi-tenant app nobody consented to
	loneApp   = "5a000000-0000-4000-8000-000000000006" // single tenant of the customer
	cli       = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	callback  = "https://app.example/callback"
	center    = "https://api.partnercenter.microsoft.com"
	graphURI  = "https://graph.microsoft.com"
	secretOK  = "a-client-secret-of-the-tests"
	secretOld = "an-expired-secret-of-the-tests"
)

func keysOnce() func() *rsa.PrivateKey {
	return sync.OnceValue(func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	})
}

// Keys are slow to make: one of each for all tests, never changed.
var clientKey, strangeKey, cloudKeys = keysOnce(), keysOnce(), sync.OnceValue(func() []byte {
	k, err := bearer.NewKeys(time.Now)
	if err != nil {
		panic(err)
	}
	b, err := k.Export()
	if err != nil {
		panic(err)
	}
	return b
})

type lab struct {
	t    testing.TB
	w    *world.World
	keys *bearer.Keys
	a    *authority.Authority
	srv  *httptest.Server
	cert *x509.Certificate
}

func newLab(t testing.TB) *lab {
	t.Helper()
	clock := world.NewClock(func() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) })
	w := world.New(7, clock)
	keys, err := bearer.ImportKeys(clock.Now, cloudKeys())
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, w: w, keys: keys, cert: selfSigned(t, clock.Now())}
	w.Read(l.build)
	l.a, err = authority.New(authority.Deps{World: w, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	l.srv = httptest.NewServer(l.a)
	t.Cleanup(l.srv.Close)
	return l
}

func selfSigned(t testing.TB, now time.Time) *x509.Certificate {
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &clientKey().PublicKey, clientKey())
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (l *lab) build(s *world.State) {
	now := s.Clock.Now()
	s.Partner = partnerID
	user := func(id, upn, name string, methods ...world.Method) *world.User {
		return &world.User{ID: id, UPN: upn, Name: name, Enabled: true, Created: now.AddDate(-1, 0, 0), Methods: methods, LastSuccess: now.Add(-time.Hour)}
	}
	sku := []world.SKU{{ID: "s", Part: "AAD_PREMIUM_P2", Status: "Enabled", Enabled: 9, Plans: []world.Plan{{Name: world.PlanP1}, {Name: world.PlanP2}}}}
	p := &world.Tenant{ID: partnerID, Name: "Contoso Cloud Partners", Domains: []string{"contoso.com"}, Kind: world.PartnerTenant, Country: "US", SKUs: sku}
	p.Users.Put(user(adaID, "ada@contoso.com", "Ada", world.Method{ID: "m1", Type: world.MethodTOTP}))
	p.Users.Put(user(benID, "ben@contoso.com", "Ben"))
	p.Groups.Put(&world.Group{ID: "90000000-0000-4000-8000-000000000001", Name: world.AdminAgents, Members: []string{adaID, benID}})
	p.Held.Put(&world.RoleAssignment{ID: "ra", Principal: adaID, Role: entra.RoleGlobalAdministrator, Scope: "/", Start: now.AddDate(-1, 0, 0)})
	p.Customers.Put(&world.Customer{TenantID: customerID, Name: "Fabrikam", DAP: true})
	s.Put(p)
	c := &world.Tenant{ID: customerID, Name: "Fabrikam", Domains: []string{"fabrikam.com"}, Kind: world.CustomerTenant, Country: "DE", SKUs: sku}
	c.Users.Put(user(carlaID, "carla@fabrikam.com", "Carla"))
	s.Put(c)
	x := &world.Tenant{ID: strangerID, Name: "Stranger", Domains: []string{"stranger.com"}, Kind: world.PanelTenant, SKUs: sku}
	x.Users.Put(&world.User{ID: guestID, UPN: "ben_contoso.com#EXT#@stranger.com", Name: "Ben (guest)", Mail: "ben@contoso.com", Guest: true,
		HomeTenant: partnerID, HomeUser: benID, Enabled: true, LastSuccess: now})
	s.Put(x)
	l.apps(s, p, c)
}

func (l *lab) apps(s *world.State, p, c *world.Tenant) {
	now := s.Clock.Now()
	scope := func(res, v string) string {
		sc, ok := world.FindResource(res).ScopeByValue(v)
		if !ok {
			l.t.Fatal("no scope " + v)
		}
		return sc.ID
	}
	required := []world.RequiredAccess{
		{Resource: entra.AppPartnerCenter, Scopes: []string{scope(entra.AppPartnerCenter, "user_impersonation")}},
		{Resource: entra.AppGraph, Scopes: []string{scope(entra.AppGraph, "User.Read"), scope(entra.AppGraph, "Directory.Read.All")}},
	}
	s.PutApp(p, &world.Application{
		ID: "o1", AppID: samApp, Name: "SAM app", Audience: "AzureADMultipleOrgs", Web: []string{callback}, Required: required,
		More: map[string]any{"web": map[string]any{"implicitGrantSettings": map[string]any{"enableIdTokenIssuance": true}}},
		Passwords: []world.PasswordCredential{
			{KeyID: "k1", Hash: world.HashSecret(secretOK), Start: now.AddDate(-1, 0, 0), End: now.AddDate(1, 0, 0)},
			{KeyID: "k2", Hash: world.HashSecret(secretOld), Start: now.AddDate(-2, 0, 0), End: now.AddDate(0, 0, -1)},
		},
		Keys: []world.KeyCredential{{KeyID: "c1", DER: l.cert.Raw, Start: l.cert.NotBefore, End: l.cert.NotAfter}},
	})
	s.PutApp(p, &world.Application{ID: "o2", AppID: spaApp, Name: "Page app", Audience: "AzureADMyOrg", SPA: []string{"https://spa.example/"},
		Required: required})
	s.PutApp(p, &world.Application{ID: "o3", AppID: toolApp, Name: "Tool", Audience: "AzureADMultipleOrgs", Public: []string{"http://localhost"},
		Fallback: true, Required: required})
	s.PutApp(p, &world.Application{
		ID: "o4", AppID: apiApp, Name: "API", Audience: "AzureADMyOrg", TokenV2: true, Identifiers: []string{"api://" + apiApp},
		Scopes:    []world.Scope{{ID: "1", Value: "access"}},
		Passwords: []world.PasswordCredential{{KeyID: "k", Hash: world.HashSecret(secretOK), Start: now.AddDate(-1, 0, 0), End: now.AddDate(1, 0, 0)}},
		Required:  required,
	})
	s.PutApp(p, &world.Application{ID: "o5", AppID: otherApp, Name: "Newcomer", Audience: "AzureADMultipleOrgs", Web: []string{callback},
		Public:   []string{"http://localhost"},
		Required: []world.RequiredAccess{{Resource: entra.AppGraph, Scopes: []string{scope(entra.AppGraph, "User.Read")}}}})
	s.PutApp(c, &world.Application{ID: "o6", AppID: loneApp, Name: "Lone", Audience: "AzureADMyOrg", Web: []string{callback}})
	for _, id := range []string{samApp, spaApp, toolApp, apiApp} {
		sp := s.EnsureSP(p, id)
		for i, res := range []string{entra.AppPartnerCenter, entra.AppGraph, apiApp} {
			scopes := [][]string{{"user_impersonation"}, {"User.Read", "Directory.Read.All"}, {"access"}}[i]
			p.Grants.Put(&world.Grant{ID: id + res, Client: sp.ID, Resource: s.EnsureSP(p, res).ID, Scopes: scopes})
		}
	}
}

// consentCustomer is the Partner Center consent in the customer's tenant.
func (l *lab) consentCustomer() {
	l.w.Read(func(s *world.State) {
		c := s.Tenant(customerID)
		sp := s.EnsureSP(c, samApp)
		c.Grants.Put(&world.Grant{ID: "gc", Client: sp.ID, Resource: s.EnsureSP(c, entra.AppGraph).ID, Scopes: []string{"User.Read", "Directory.Read.All"}})
	})
}

func (l *lab) change(user string, f func(u *world.User)) {
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		if !p.Users.Change(user, f) {
			l.t.Fatal("no user")
		}
		s.Touch(p)
	})
}

func (l *lab) jump(d time.Duration) {
	if _, err := l.w.Clock.Jump(d); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) passwordOf(upn string) (pw string) {
	l.w.Read(func(s *world.State) { pw, _ = s.SeededPassword(s.Home(upn).UserByName(upn)) })
	return pw
}

func (l *lab) codeOf(upn string) string {
	var secret string
	l.w.Read(func(s *world.State) {
		u := s.Home(upn).UserByName(upn)
		secret = s.TOTPSecret(u, u.Method(world.MethodTOTP))
	})
	return l.codeFor(secret)
}

func (l *lab) codeFor(secret string) string {
	c, err := totp.GenerateCode(secret, l.w.Clock.Now())
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

// rows gives the codes of a tenant's sign-in log, oldest first.
func (l *lab) rows(tenant string) (out []*world.SignIn) {
	l.w.Read(func(s *world.State) { out = slices.Clone(s.Tenant(tenant).SignIns) })
	return out
}

func codes(rows []*world.SignIn) []int {
	var out []int
	for _, r := range rows {
		out = append(out, r.Status.ErrorCode)
	}
	return out
}

// reply is a token answer, good or bad.
type reply struct {
	Status       int
	Access       string `json:"access_token"`
	Refresh      string `json:"refresh_token"`
	ID           string `json:"id_token"`
	Scope        string `json:"scope"`
	ExpiresIn    any    `json:"expires_in"`
	Info         string `json:"client_info"`
	Error        string `json:"error"`
	Text         string `json:"error_description"`
	Codes        []int  `json:"error_codes"`
	Sub          string `json:"suberror"`
	Claims       string `json:"claims"`
	Trace        string `json:"trace_id"`
	Correlation  string `json:"correlation_id"`
	URI          string `json:"error_uri"`
	Timestamp    string `json:"timestamp"`
	UserCode     string `json:"user_code"`
	DeviceCode   string `json:"device_code"`
	Verification string `json:"verification_uri"`
	Raw          map[string]any
}

func (r *reply) code() int {
	if len(r.Codes) == 0 {
		return 0
	}
	return r.Codes[0]
}

func (l *lab) post(path string, v url.Values, header ...string) *reply {
	l.t.Helper()
	req, err := http.NewRequest(http.MethodPost, l.srv.URL+path, strings.NewReader(v.Encode()))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	r := &reply{Status: resp.StatusCode}
	if err := json.Unmarshal(b, r); err != nil {
		l.t.Fatalf("%d %s", resp.StatusCode, b)
	}
	_ = json.Unmarshal(b, &r.Raw)
	return r
}

func (l *lab) token(tenant string, kv ...string) *reply {
	l.t.Helper()
	return l.post("/"+tenant+"/oauth2/v2.0/token", values(kv...))
}

func values(kv ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v
}

func (l *lab) claims(token string) *bearer.Claims {
	l.t.Helper()
	c, f := l.keys.Parse(token)
	if f != nil {
		l.t.Fatalf("token: %v", f)
	}
	return c
}

// PKCE of the tests.
const verifier = "0123456789012345678901234567890123456789abc"

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
