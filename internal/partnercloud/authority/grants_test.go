package authority_test

import (
	"crypto/sha1" //nolint:gosec // x5t
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

func TestDiscovery(t *testing.T) {
	l := newLab(t)
	get := func(path, host string) (map[string]any, int) {
		req, _ := http.NewRequest(http.MethodGet, l.srv.URL+path, nil)
		if host != "" {
			req.Host = host
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var m map[string]any
		_ = json.NewDecoder(resp.Body).Decode(&m)
		return m, resp.StatusCode
	}
	for _, c := range []struct{ path, host, issuer string }{
		{"/contoso.com/v2.0/.well-known/openid-configuration", "", l.srv.URL + "/" + partnerID + "/v2.0"},
		{"/contoso.com/v2.0/.well-known/openid-configuration", "login.microsoftonline.com", "https://login.microsoftonline.com/" + partnerID + "/v2.0"},
		{"/" + customerID + "/.well-known/openid-configuration", "", "https://sts.windows.net/" + customerID + "/"},
		{"/common/v2.0/.well-known/openid-configuration", "login.microsoftonline.com", "https://login.microsoftonline.com/{tenantid}/v2.0"},
		{"/organizations/.well-known/openid-configuration", "", "https://sts.windows.net/{tenantid}/"},
	} {
		m, status := get(c.path, c.host)
		if status != 200 || m["issuer"] != c.issuer || m["x_partner_cloud"] == nil {
			t.Errorf("%s %s: %d %v", c.path, c.host, status, m["issuer"])
		}
		jwks, _ := url.Parse(m["jwks_uri"].(string))
		if k, _ := get(jwks.Path, ""); len(k["keys"].([]any)) == 0 {
			t.Errorf("%s: no keys", jwks)
		}
	}
	for path, code := range map[string]float64{
		"/nosuch.example/v2.0/.well-known/openid-configuration":                       90002,
		"/11111111-2222-4333-8444-555555555555/v2.0/.well-known/openid-configuration": 90002,
		"/nonsense/v2.0/.well-known/openid-configuration":                             900023,
		"/consumers/v2.0/.well-known/openid-configuration":                            9002331,
	} {
		m, status := get(path, "")
		if status != 400 || m["error_codes"].([]any)[0] != code {
			t.Errorf("%s: %d %v", path, status, m)
		}
	}
	m, _ := get("/common/discovery/instance?api-version=1.1&authorization_endpoint="+
		url.QueryEscape("https://login.microsoftonline.com/contoso.com/oauth2/v2.0/authorize"), "login.microsoftonline.com")
	if m["tenant_discovery_endpoint"] != "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration" {
		t.Error(m)
	}
	if m, status := get("/common/discovery/instance?authorization_endpoint="+url.QueryEscape("https://evil.example/x/oauth2/v2.0/authorize"),
		""); status != 400 || m["error"] != "invalid_instance" {
		t.Error(m)
	}
	if m, _ := get("/common/userrealm/ada@contoso.com?api-version=1.0", ""); m["account_type"] != "Managed" {
		t.Error(m)
	}
}

// assertion makes a client assertion of the SAM app; change may spoil it.
func (l *lab) assertion(change func(head, claims map[string]any)) string {
	s256, s1 := sha256.Sum256(l.cert.Raw), sha1.Sum(l.cert.Raw) //nolint:gosec // x5t
	head := map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(s256[:]), "x5t": base64.RawURLEncoding.EncodeToString(s1[:])}
	now := l.w.Clock.Now().Unix()
	claims := map[string]any{"iss": samApp, "sub": samApp, "aud": l.srv.URL + "/" + partnerID + "/oauth2/v2.0/token", "jti": world.NewGUID(), "nbf": now,
		"exp": now + 600}
	if change != nil {
		change(head, claims)
	}
	return sign(l.t, jose.PS256, clientKey(), claims, head)
}

func (l *lab) byAssertion(text string, kv ...string) *reply {
	return l.token(partnerID, append([]string{"grant_type", "client_credentials", "client_id", samApp, "scope", graphURI + "/.default",
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", text}, kv...)...)
}

func TestClientCredentials(t *testing.T) {
	l := newLab(t)
	base := []string{"grant_type", "client_credentials", "client_id", samApp, "client_secret", secretOK, "scope", graphURI + "/.default"}
	with := func(kv ...string) []string { return append(slices.Clone(base), kv...) }
	for _, c := range []struct {
		name, tenant string
		form         []string
		code, status int
	}{
		{"good", partnerID, base, 0, 200},
		{"by domain", "contoso.com", base, 0, 200},
		{"wrong secret", partnerID, with("client_secret", "nope"), 7000215, 401},
		{"expired secret", partnerID, with("client_secret", secretOld), 7000222, 401},
		{"no credential", partnerID, with("client_secret", ""), 7000218, 401},
		{"unknown app", partnerID, with("client_id", "5a000000-0000-4000-8000-0000000000ff"), 700016, 400},
		{"client id is no id", partnerID, with("client_id", "x'); drop"), 700016, 400},
		{"single-tenant app elsewhere", partnerID, with("client_id", loneApp), 700016, 400},
		{"principal missing", customerID, base, 7000229, 400},
		{"common", "common", base, 50059, 400},
		{"named scope", partnerID, with("scope", graphURI+"/User.Read"), 1002012, 400},
		{"short scope", partnerID, with("scope", ".default"), 1002012, 400},
		{"sign-in scope", partnerID, with("scope", "openid"), 1002012, 400},
		{"sign-in scopes too", partnerID, with("scope", graphURI+"/.default openid offline_access"), 0, 200},
		{"two resources", partnerID, with("scope", graphURI+"/.default "+center+"/.default"), 28000, 400},
		{"unknown resource", partnerID, with("scope", "https://nowhere.example/.default"), 500011, 400},
		{"nonsense scope", partnerID, with("scope", "nonsense"), 1002012, 400},
		{"no scope", partnerID, with("scope", ""), 900144, 400},
		{"no grant", partnerID, with("grant_type", ""), 900144, 400},
		{"odd grant", partnerID, with("grant_type", "implicit"), 70003, 400},
		{"first party with a secret", partnerID, with("client_id", cli), 700025, 401},
		{"secret and assertion", partnerID, with("client_assertion", "x"), 9002313, 400},
	} {
		r := l.token(c.tenant, c.form...)
		if r.code() != c.code || r.Status != c.status {
			t.Errorf("%s: %d %d %s", c.name, r.Status, r.code(), r.Text)
		}
		if c.code != 0 && (r.Trace == "" || r.Correlation == "" || r.URI == "" || r.Timestamp == "" ||
			!strings.HasPrefix(r.Text, fmt.Sprintf("AADSTS%d: ", c.code)) || !strings.Contains(r.Text, "Trace ID: "+r.Trace)) {
			t.Errorf("%s: %+v", c.name, r)
		}
		if strings.Contains(r.Text, secretOld) || strings.Contains(r.Text, "nope") {
			t.Errorf("%s: the secret is in the text", c.name)
		}
	}
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.AppRoles.Put(&world.AppRoleAssignment{ID: "ar", Principal: p.SP(samApp).ID, Resource: p.SP(entra.AppGraph).
			ID, Role: "7ab1d382-f21e-4acd-a863-ba3e13f7da61"})
	})
	r := l.token(partnerID, base...)
	c := l.claims(r.Access)
	if !c.AppOnly() || !slices.Equal(c.Roles, []string{"Directory.Read.All"}) || c.IDType != "app" || c.AMR != nil || c.UPN != "" ||
		c.Subject != c.ObjectID || r.Refresh != "" || r.ID != "" {
		t.Fatalf("%+v", c)
	}
	rows := l.rows(partnerID)
	if x := rows[len(rows)-1]; !slices.Equal(x.EventTypes, []string{"servicePrincipal"}) || x.CredentialType != "clientSecret" ||
		x.ServicePrincipalID == "" || x.UserID != "" {
		t.Fatalf("%+v", x)
	}
	// v1: numbers as strings.
	v1 := l.post("/"+partnerID+"/oauth2/token", values("grant_type", "client_credentials", "client_id", samApp, "client_secret", secretOK, "resource",
		graphURI))
	if _, ok := v1.ExpiresIn.(string); !ok || v1.Raw["expires_on"] == nil || v1.Raw["resource"] != graphURI || v1.Raw["not_before"] == nil {
		t.Fatalf("%+v", v1.Raw)
	}
	if _, ok := r.ExpiresIn.(float64); !ok {
		t.Fatalf("%+v", r.Raw)
	}
	// HTTP Basic.
	if r := l.post("/"+partnerID+"/oauth2/v2.0/token", values("grant_type", "client_credentials", "scope", graphURI+"/.default"), "Authorization",
		"Basic "+base64.StdEncoding.EncodeToString([]byte(samApp+":"+secretOK))); r.Access == "" {
		t.Fatalf("%+v", r)
	}
	// Lifetimes.
	if n := c.Expires - c.IssuedAt; n < 3600 || n >= 5400 {
		t.Errorf("lives %d s", n)
	}
	cae := l.claims(l.token(partnerID, with("claims", `{"access_token":{"xms_cc":{"values":["cp1"]}}}`)...).Access)
	if n := cae.Expires - cae.IssuedAt; n < 24*3600 || !cae.CAE() {
		t.Errorf("cp1 lives %d s %v", n, cae.CC)
	}
}

func TestAssertions(t *testing.T) {
	l := newLab(t)
	good := l.assertion(nil)
	r := l.byAssertion(good)
	if r.Access == "" || l.claims(r.Access).AppIDACR != "2" {
		t.Fatalf("%+v", r)
	}
	if again := l.byAssertion(good); again.Access == "" {
		t.Errorf("clients send the same assertion again: %+v", again)
	}
	set := func(k string, v any) func(h, c map[string]any) { return func(_, c map[string]any) { c[k] = v } }
	now := l.w.Clock.Now().Unix()
	for _, c := range []struct {
		name string
		text string
		code int
	}{
		{"old thumbprint", l.assertion(func(h, _ map[string]any) { delete(h, "x5t#S256") }), 0},
		{"issuer as audience", l.assertion(set("aud", "https://login.microsoftonline.com/"+partnerID+"/v2.0")), 0},
		{"production name", l.assertion(set("aud", "https://login.microsoftonline.com/contoso.com/oauth2/token")), 0},
		{"audience list", l.assertion(set("aud", []string{l.srv.URL + "/" + partnerID + "/oauth2/v2.0/token"})), 0},
		{"foreign audience", l.assertion(set("aud", "https://evil.example/token")), 700023},
		{"another tenant's endpoint", l.assertion(set("aud", l.srv.URL+"/"+customerID+"/oauth2/v2.0/token")), 700023},
		{"no audience", l.assertion(func(_, c map[string]any) { delete(c, "aud") }), 700023},
		{"expired", l.assertion(set("exp", now-301)), 700024},
		{"no exp", l.assertion(func(_, c map[string]any) { delete(c, "exp") }), 700024},
		{"lives for years", l.assertion(set("exp", now+1e8)), 700024},
		{"not yet", l.assertion(set("nbf", now+3600)), 700024},
		{"foreign subject", l.assertion(set("sub", otherApp)), 700021},
		{"foreign issuer", l.assertion(set("iss", "https://evil.example")), 700211},
		{"another app's", l.assertion(func(_, c map[string]any) { c["iss"], c["sub"] = otherApp, otherApp }), 700211},
		{"no thumbprint", l.assertion(func(h, _ map[string]any) { clear(h) }), 700027},
		{"foreign key", sign(t, jose.PS256, strangeKey(), map[string]any{"iss": samApp, "sub": samApp, "aud": l.srv.URL + "/" + partnerID +
			"/oauth2/v2.0/token", "exp": now + 60}, map[string]any{"x5t#S256": headOf(good)["x5t#S256"]}), 700027},
		{"alg none", unsigned(good), 50012},
		{"HS256 with the public key", sign(t, jose.HS256, l.cert.Raw, map[string]any{"iss": samApp, "sub": samApp, "exp": now + 60}, headOf(good)), 50012},
		{"signature cut off", good[:strings.LastIndexByte(good, '.')+1], 700027},
		{"claims changed", tamper(good), 700027},
		{"nonsense", "a.b.c", 50012},
		{"empty", ".", 50012},
		{"huge", strings.Repeat("a", 40<<10), 50012},
	} {
		r := l.byAssertion(c.text)
		if r.code() != c.code || c.code != 0 && r.Status != 401 {
			t.Errorf("%s: %d %s", c.name, r.Status, r.Text)
		}
	}
	t.Run("another assertion with the same jti", func(t *testing.T) {
		one := l.assertion(set("jti", "same"))
		two := l.assertion(func(_, c map[string]any) { c["jti"], c["exp"] = "same", now+500 })
		if r := l.byAssertion(one); r.Access == "" {
			t.Fatal(r)
		}
		if r := l.byAssertion(two); r.code() != 50012 {
			t.Fatalf("%+v", r)
		}
	})
	t.Run("wrong type", func(t *testing.T) {
		if r := l.byAssertion(good, "client_assertion_type", "urn:x"); r.code() != 9002313 {
			t.Fatalf("%+v", r)
		}
	})
	t.Run("certificate ran out", func(t *testing.T) {
		l.jump(366 * 24 * time.Hour)
		if r := l.byAssertion(l.assertion(nil)); r.code() != 7000222 {
			t.Fatalf("%+v", r)
		}
	})
}

func headOf(jwt string) map[string]any {
	b, _ := base64.RawURLEncoding.DecodeString(jwt[:strings.IndexByte(jwt, '.')])
	m := map[string]any{}
	_ = json.Unmarshal(b, &m)
	delete(m, "alg")
	delete(m, "typ")
	return m
}

func unsigned(jwt string) string {
	parts := strings.Split(jwt, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
}

func tamper(jwt string) string {
	parts := strings.Split(jwt, ".")
	b, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var m map[string]any
	_ = json.Unmarshal(b, &m)
	m["jti"] = "changed"
	b, _ = json.Marshal(m)
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(b) + "." + parts[2]
}

func TestFederatedCredential(t *testing.T) {
	l := newLab(t)
	jwks, _ := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &strangeKey().PublicKey, KeyID: "f1", Algorithm: "RS256", Use: "sig"}}})
	l.w.Read(func(s *world.State) {
		p, app := s.App(samApp)
		c := *app
		c.Federated = []world.FederatedCredential{{ID: "fc", Issuer: "https://ci.example", Subject: "repo:x:ref:main",
			Audiences: []string{"api://AzureADTokenExchange"}, JWKS: jwks}}
		s.PutApp(p, &c)
	})
	now := l.w.Clock.Now().Unix()
	try := func(key any, k string, v any) *reply {
		claims := map[string]any{"iss": "https://ci.example", "sub": "repo:x:ref:main", "aud": "api://AzureADTokenExchange", "exp": now + 600}
		claims[k] = v
		return l.byAssertion(sign(t, jose.RS256, key, claims, map[string]any{"kid": "f1"}))
	}
	if r := try(strangeKey(), "iat", now); r.Access == "" {
		t.Fatalf("%+v", r)
	}
	rows := l.rows(partnerID)
	if x := rows[len(rows)-1]; x.CredentialType != "federatedIdentityCredential" || x.FederatedID != "fc" {
		t.Fatalf("%+v", x)
	}
	for _, c := range []struct {
		name string
		r    *reply
		code int
	}{
		{"foreign issuer", try(strangeKey(), "iss", "https://ci.example/"), 700211},
		{"foreign subject", try(strangeKey(), "sub", "repo:x:ref:other"), 700213},
		{"foreign audience", try(strangeKey(), "aud", "api://x"), 700212},
		{"foreign key", try(clientKey(), "iat", now), 50012},
		{"expired", try(strangeKey(), "exp", now-900), 700024},
	} {
		if c.r.code() != c.code {
			t.Errorf("%s: %+v", c.name, c.r)
		}
	}
}
