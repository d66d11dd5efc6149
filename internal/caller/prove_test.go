package caller_test

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/caller"
	"partnerguard/internal/caller/callertest"
	"partnerguard/internal/problem"
)

// monday is a working morning.
var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// request is one over TLS, with a client certificate and its chain.
func request(chain []tls.Certificate, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://guard.example/msi/token", nil)
	for _, c := range chain {
		r.TLS.PeerCertificates = append(r.TLS.PeerCertificates, c.Leaf)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	authority := func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	}
	ca, otherCA := callertest.Paper(t, monday, nil, authority), callertest.Paper(t, monday, nil, authority)
	between := callertest.Paper(t, monday, &ca, authority)
	pinned, renewed := callertest.Paper(t, monday, nil, nil), callertest.Paper(t, monday, nil, nil)
	past := callertest.Paper(t, monday, nil, func(c *x509.Certificate) { c.NotAfter = monday.Add(-time.Second) })
	early := callertest.Paper(t, monday, nil, func(c *x509.Certificate) { c.NotBefore = monday.Add(time.Second) })
	uri, _ := url.Parse("spiffe://contoso/billing")
	named := func(parent *tls.Certificate, change func(*x509.Certificate)) []tls.Certificate {
		return []tls.Certificate{callertest.Paper(t, monday, parent, func(c *x509.Certificate) {
			c.URIs = []*url.URL{uri}
			if change != nil {
				change(c)
			}
		})}
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.Leaf)
	rules := &caller.Rules{Callers: []*caller.Rule{
		{Name: "pinned", Certificate: &caller.Certificate{SPKI: callertest.Pin(pinned)}},
		{Name: "past", Certificate: &caller.Certificate{SPKI: callertest.Pin(past)}},
		{Name: "early", Certificate: &caller.Certificate{SPKI: callertest.Pin(early)}},
		{Name: "named", Certificate: &caller.Certificate{Name: "uri:spiffe://contoso/billing"}},
		{Name: "host", Certificate: &caller.Certificate{Name: "dns:a.example"}},
		{Name: "mail", Certificate: &caller.Certificate{Name: "email:a@b.example"}},
		{Name: "address", Certificate: &caller.Certificate{Name: "ip:192.0.2.1"}},
		{Name: "wild", Certificate: &caller.Certificate{Name: "dns:*.example"}},
		{Name: "token", Token: &caller.Workload{Issuer: "x", Subject: "y"}},
	}}
	any := []string{"X-IDENTITY-HEADER", "x"}
	one := []tls.Certificate{pinned}
	for name, c := range map[string]struct {
		chain []tls.Certificate
		head  []string
		actor string // "" nobody
	}{
		"by its key":                  {one, any, "mtls:pinned"},
		"by its name":                 {named(&ca, nil), any, "mtls:named"},
		"by an authority between":     {append(named(&between, nil), between), any, "mtls:named"},
		"that authority is not shown": {named(&between, nil), any, ""},
		"by a host": {[]tls.Certificate{callertest.Paper(t, monday, &ca, func(c *x509.Certificate) { c.DNSNames = []string{"A.example"} })},
			any, "mtls:host"},
		"by a mail address": {[]tls.Certificate{callertest.Paper(t, monday, &ca, func(c *x509.Certificate) { c.EmailAddresses = []string{"A@b.example"} })},
			any,
			"mtls:mail"},
		"by an address": {[]tls.Certificate{callertest.Paper(t, monday, &ca, func(c *x509.Certificate) {
			c.IPAddresses = append(c.IPAddresses, []byte{192, 0, 2, 1})
		})}, any, "mtls:address"},
		"its key, past":               {[]tls.Certificate{past}, any, ""},
		"its key, not yet":            {[]tls.Certificate{early}, any, ""},
		"no certificate":              {nil, any, ""},
		"no header: a fetch":          {one, nil, ""},
		"an empty header":             {one, []string{"X-IDENTITY-HEADER", ""}, ""},
		"another key":                 {[]tls.Certificate{renewed}, any, ""},
		"the name, signed by itself":  {named(nil, nil), any, ""},
		"the name, another authority": {named(&otherCA, nil), any, ""},
		"the name, for servers":       {named(&ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), any, ""},
		"the name, past":              {named(&ca, func(c *x509.Certificate) { c.NotAfter = monday.Add(-time.Second) }), any, ""},
		"the name, not yet":           {named(&ca, func(c *x509.Certificate) { c.NotBefore = monday.Add(time.Second) }), any, ""},
		"a name that contains it": {named(&ca, func(c *x509.Certificate) {
			u, _ := url.Parse(uri.String() + "/x")
			c.URIs = []*url.URL{u}
		}), any, ""},
		"a wildcard":                {named(&ca, func(c *x509.Certificate) { c.URIs, c.DNSNames = nil, []string{"*.example"} }), any, ""},
		"names of two":              {named(&ca, func(c *x509.Certificate) { c.DNSNames = []string{"a.example"} }), any, ""},
		"a basic password":          {one, []string{"Authorization", "Basic eDp5"}, ""},
		"an empty bearer":           {one, []string{"Authorization", "Bearer ", "X-IDENTITY-HEADER", "x"}, ""},
		"two headers":               {one, []string{"X-IDENTITY-HEADER", "x", "X-IDENTITY-HEADER", "y"}, ""},
		"two authorizations":        {one, []string{"Authorization", "Bearer a.b.c", "Authorization", "Bearer a.b.c"}, ""},
		"two, with the certificate": {one, []string{"Authorization", "Bearer a.b.c", "Authorization", "Bearer a.b.c", "X-IDENTITY-HEADER", "x"}, ""},
		"a token goes before":       {one, []string{"X-IDENTITY-HEADER", "a.b.c"}, ""},
	} {
		p := caller.New(caller.Deps{Authorities: pool, Now: func() time.Time { return monday }})
		who, err := p.Prove(request(c.chain, c.head...), rules)
		if who.Actor != c.actor || (err == nil) != (c.actor != "") || err != nil && !errors.Is(err, problem.Unauthenticated) {
			t.Errorf("%s: %+v %v", name, who, err)
		}
		if err == nil && (who.Actor != "mtls:"+who.Name || who.Subject != callertest.Pin(c.chain[0])) {
			t.Errorf("%s: %+v", name, who)
		}
		if _, err := p.Prove(request(c.chain, c.head...), &caller.Rules{}); !errors.Is(err, problem.Unauthenticated) {
			t.Errorf("%s: without rules: %v", name, err)
		}
	}
	p := caller.New(caller.Deps{Now: func() time.Time { return monday }})
	if who, err := p.Prove(request(named(&ca, nil), any...), rules); err == nil {
		t.Errorf("a name counts without authorities: %+v", who)
	}
	plain := request(one, any...)
	plain.TLS = nil
	if who, err := p.Prove(plain, rules); !errors.Is(err, problem.Unauthenticated) {
		t.Errorf("without TLS: %+v %v", who, err)
	}
}

// issuer is one with its keys.
type issuer struct {
	*httptest.Server
	set     jose.JSONWebKeySet
	fetched atomic.Int32
}

func newIssuer(t testing.TB, key *ecdsa.PrivateKey) *issuer {
	i := &issuer{set: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}}}
	i.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.fetched.Add(1)
		_ = json.NewEncoder(w).Encode(i.set)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) rules() *caller.Rules {
	return &caller.Rules{
		Issuers: []caller.Issuer{
			{Name: "github", Issuer: "https://token.example", Keys: i.URL, Audience: "partnerguard"},
			{Name: "cluster", Issuer: "https://cluster.example", Keys: i.URL, Audience: "partnerguard", Lifetime: 168 * time.Hour},
		},
		Callers: []*caller.Rule{
			{Name: "pinned", Certificate: &caller.Certificate{SPKI: "sha256/x"}},
			{Name: "pod", Token: &caller.Workload{Issuer: "cluster", Subject: "system:serviceaccount:a:b"}},
			{Name: "deploy", Token: &caller.Workload{
				Issuer: "github", Subject: "repo:contoso/infra:ref:refs/heads/main", Claims: map[string]string{"repository_owner": "contoso"},
			}},
			{Name: "tags", Token: &caller.Workload{Issuer: "github", Subject: "repo:contoso/infra:ref:refs/tags/*"}},
			{Name: "two", Token: &caller.Workload{Issuer: "github", Subject: "repo:contoso/infra:ref:refs/tags/both*"}},
		},
	}
}

func mint(t testing.TB, k *ecdsa.PrivateKey, kid string, change map[string]any) string {
	t.Helper()
	c := map[string]any{"iss": "https://token.example", "aud": "partnerguard", "sub": "repo:contoso/infra:ref:refs/heads/main", "repository_owner": "contoso",
		"iat": monday.Unix(), "nbf": monday.Unix(), "exp": monday.Add(5 * time.Minute).Unix()}
	for n, v := range change {
		if c[n] = v; v == nil {
			delete(c, n)
		}
	}
	body, _ := json.Marshal(c)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: k}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", kid))
	if err != nil {
		t.Fatal(err)
	}
	j, err := signer.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := j.CompactSerialize()
	return text
}

func TestWorkload(t *testing.T) {
	t.Parallel()
	key, strange := callertest.Key(t), callertest.Key(t)
	iss := newIssuer(t, key)
	now := monday
	p, rules := caller.New(caller.Deps{HTTP: iss.Client(), Now: func() time.Time { return now }}), iss.rules()
	mint := func(k *ecdsa.PrivateKey, kid string, change map[string]any) string { return mint(t, k, kid, change) }
	with := func(name string, v any) string { return "Bearer " + mint(key, "k1", map[string]any{name: v}) }
	good := mint(key, "k1", nil)
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`)) + "." + strings.Split(good, ".")[1] + "."
	for name, v := range map[string]struct{ head, token, actor string }{
		"bearer":                     {"Authorization", "Bearer " + good, "oidc:deploy"},
		"where an SDK puts it":       {"X-IDENTITY-HEADER", good, "oidc:deploy"},
		"a subject by its beginning": {"Authorization", with("sub", "repo:contoso/infra:ref:refs/tags/v1"), "oidc:tags"},
		"a subject of two":           {"Authorization", with("sub", "repo:contoso/infra:ref:refs/tags/both"), ""},
		"another subject":            {"Authorization", with("sub", "repo:contoso/infra:ref:refs/heads/evil"), ""},
		"a subject that goes on":     {"Authorization", with("sub", "repo:contoso/infra:ref:refs/heads/main2"), ""},
		"no subject":                 {"Authorization", with("sub", nil), ""},
		"another owner":              {"Authorization", with("repository_owner", "evil"), ""},
		"no owner":                   {"Authorization", with("repository_owner", nil), ""},
		"an owner that is no text":   {"Authorization", with("repository_owner", []string{"contoso"}), ""},
		"another audience":           {"Authorization", with("aud", "other"), ""},
		"two audiences":              {"Authorization", with("aud", []string{"partnerguard", "other"}), ""},
		"another issuer":             {"Authorization", with("iss", "https://evil.example"), ""},
		"past":                       {"Authorization", with("exp", monday.Add(-2*time.Minute).Unix()), ""},
		"a week, of one that may": {"Authorization", "Bearer " + mint(key, "k1",
			map[string]any{"iss": "https://cluster.example", "sub": "system:serviceaccount:a:b", "exp": monday.Add(7 * 24 * time.Hour).Unix()}), "oidc:pod"},
		"another issuer's subject":   {"Authorization", with("sub", "system:serviceaccount:a:b"), ""},
		"a week":                     {"Authorization", with("exp", monday.Add(7*24*time.Hour).Unix()), ""},
		"no end":                     {"Authorization", with("exp", nil), ""},
		"another key under that kid": {"Authorization", "Bearer " + mint(strange, "k1", nil), ""},
		"an unknown kid":             {"Authorization", "Bearer " + mint(strange, "k9", nil), ""},
		"alg none":                   {"Authorization", "Bearer " + none, ""},
		"no token":                   {"Authorization", "Bearer x", ""},
		"in another scheme":          {"Authorization", "Token " + good, ""},
	} {
		who, err := p.Prove(request(nil, v.head, v.token), rules)
		if who.Actor != v.actor || (err == nil) != (v.actor != "") || err != nil && !errors.Is(err, problem.Unauthenticated) {
			t.Errorf("%s: %+v %v", name, who, err)
		}
		if raw := strings.TrimPrefix(v.token, "Bearer "); len(raw) > 20 && strings.Contains(fmt.Sprint(who, err), raw) {
			t.Errorf("%s: the token is shown", name)
		}
	}
	if who, err := p.Prove(request(nil, "Authorization", "Bearer "+good, "X-IDENTITY-HEADER", "x", "X-IDENTITY-HEADER", "y"), rules); err == nil {
		t.Errorf("a header is doubled beside a good token: %+v", who)
	}
	if n := iss.fetched.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times: forged kids make us hammer the issuer", n)
	}
	// The issuer rolls its key: found after some minutes, not before.
	iss.set.Keys = append(iss.set.Keys, jose.JSONWebKey{Key: strange.Public(), KeyID: "k2", Algorithm: "ES256", Use: "sig"})
	rolled := request(nil, "Authorization", "Bearer "+mint(strange, "k2", nil))
	if _, err := p.Prove(rolled, rules); err == nil || iss.fetched.Load() != 1 {
		t.Errorf("a new key at once: %v, fetched %d times", err, iss.fetched.Load())
	}
	now = monday.Add(4 * time.Minute)
	if _, err := p.Prove(rolled, rules); err != nil || iss.fetched.Load() != 2 {
		t.Errorf("a new key: %v, fetched %d times", err, iss.fetched.Load())
	}
	// The issuer is away: the keys in hand do for a day.
	iss.Close()
	late := func(after time.Duration) error {
		now = monday.Add(after)
		raw := mint(key, "k1", map[string]any{"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Minute).Unix()})
		_, err := p.Prove(request(nil, "Authorization", "Bearer "+raw), rules)
		return err
	}
	if err := late(23 * time.Hour); err != nil {
		t.Errorf("issuer away: %v", err)
	}
	err := late(30 * time.Hour)
	if e, ok := errors.AsType[*problem.Error](err); !ok || e.Kind != problem.Unavailable || e.After != 10*time.Second {
		t.Errorf("issuer away for long: %v", err)
	}
}

// FuzzProve: whatever stands in the headers, nobody is proven by it, and nothing
// of it is in the words.
func FuzzProve(f *testing.F) {
	iss := newIssuer(f, callertest.Key(f))
	p, rules := caller.New(caller.Deps{HTTP: iss.Client(), Now: func() time.Time { return monday }}), iss.rules()
	f.Add("Bearer a.b.c", "x")
	f.Add("", mint(f, callertest.Key(f), "k1", nil))
	f.Add("bearer "+mint(f, callertest.Key(f), "k2", nil), "")
	f.Add("Basic x", "..")
	f.Fuzz(func(t *testing.T, authorization, identity string) {
		who, err := p.Prove(request(nil, "Authorization", authorization, "X-Identity-Header", identity), rules)
		if err == nil || who != (caller.Proof{}) || !errors.Is(err, problem.Unauthenticated) {
			t.Errorf("%q %q: %+v %v", authorization, identity, who, err)
		}
	})
}
