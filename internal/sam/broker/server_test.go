package broker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/audit"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/sam/broker"
)

// paper makes a certificate; a nil parent signs itself.
func paper(t *testing.T, parent *tls.Certificate, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"}, NotBefore: monday.Add(-time.Hour), NotAfter: monday.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(c)
	}
	up, signer := c, any(key)
	if parent != nil {
		up, signer = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, up, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func pinOf(c tls.Certificate) string {
	sum := sha256.Sum256(c.Leaf.RawSubjectPublicKeyInfo)
	return "sha256/" + base64.StdEncoding.EncodeToString(sum[:])
}

// serveTLS serves under a certificate of example.com and loopback.
func serveTLS(t *testing.T, b *broker.Broker, o broker.ServerOptions) *httptest.Server {
	t.Helper()
	like := httptest.NewTLSServer(nil)
	o.Certificate = like.Certificate()
	like.Close()
	s := httptest.NewUnstartedServer(b.Handler(o))
	s.TLS = broker.TLSConfig()
	broker.HardenServer(s.Config)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func clientWith(s *httptest.Server, cert *tls.Certificate) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	c := &tls.Config{RootCAs: pool}
	if cert != nil {
		c.Certificates = []tls.Certificate{*cert}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true, DisableKeepAlives: true}}
}

const goodQuery = broker.Path + "?api-version=2019-08-01&resource=https://graph.microsoft.com"

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	ca := paper(t, nil, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	otherCA := paper(t, nil, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	pinned, renewed := paper(t, nil, nil), paper(t, nil, nil)
	uri, _ := url.Parse("spiffe://contoso/billing")
	named := func(parent *tls.Certificate, change func(*x509.Certificate)) tls.Certificate {
		return paper(t, parent, func(c *x509.Certificate) {
			c.URIs = []*url.URL{uri}
			if change != nil {
				change(c)
			}
		})
	}
	r := newRig(t, nil)
	grant := "\n    grants: [{connection: c-1, tenants: [adatum.example], resources: [graph]}]\n    default: adatum.example\n"
	r.policy("version: 1\ncallers:\n  - name: pinned\n    certificate: {spki: " + pinOf(pinned) + "}" + grant + "  - name: named\n    certificate: {name: \"uri:spiffe://contoso/billing\"}" + grant + "  - name: host\n    certificate: {name: \"dns:a.example\"}" + grant)
	pool := x509.NewCertPool()
	pool.AddCert(ca.Leaf)
	s := serveTLS(t, r.b, broker.ServerOptions{ClientCAs: pool})
	some := func(c tls.Certificate) *tls.Certificate { return &c }
	for name, c := range map[string]struct {
		cert   *tls.Certificate
		head   []string
		status int
		actor  string
	}{
		"by its key":                     {&pinned, []string{"X-IDENTITY-HEADER", "x"}, 200, "mtls:pinned"},
		"by its name":                    {some(named(&ca, nil)), []string{"X-IDENTITY-HEADER", "x"}, 200, "mtls:named"},
		"no certificate":                 {nil, []string{"X-IDENTITY-HEADER", "x"}, 401, ""},
		"no header: a fetched address":   {&pinned, nil, 401, ""},
		"another key":                    {&renewed, []string{"X-IDENTITY-HEADER", "x"}, 401, ""},
		"the name, signed by itself":     {some(named(nil, nil)), []string{"X-IDENTITY-HEADER", "x"}, 401, ""},
		"the name, another authority":    {some(named(&otherCA, nil)), []string{"X-IDENTITY-HEADER", "x"}, 401, ""},
		"the name, for servers":          {some(named(&ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })), []string{"X-IDENTITY-HEADER", "x"}, 401, ""},
		"the name, past":                 {some(named(&ca, func(c *x509.Certificate) { c.NotAfter = monday.Add(-time.Second) })), []string{"X-IDENTITY-HEADER", "x"}, 401, ""},
		"the name, not yet":              {some(named(&ca, func(c *x509.Certificate) { c.NotBefore = monday.Add(time.Second) })), []string{"X-IDENTITY-HEADER", "x"}, 401, ""},
		"a name that contains it":        {some(named(&ca, func(c *x509.Certificate) { u, _ := url.Parse(uri.String() + "/x"); c.URIs = []*url.URL{u} })), []string{"X-IDENTITY-HEADER", "x"}, 401, ""},
		"a wildcard":                     {some(named(&ca, func(c *x509.Certificate) { c.URIs, c.DNSNames = nil, []string{"*.example"} })), []string{"X-IDENTITY-HEADER", "x"}, 401, ""},
		"names of two callers":           {some(named(&ca, func(c *x509.Certificate) { c.DNSNames = []string{"a.example"} })), []string{"X-IDENTITY-HEADER", "x"}, 401, ""},
		"a browser with the certificate": {&pinned, []string{"X-IDENTITY-HEADER", "x", "Sec-Fetch-Site", "same-origin"}, 403, ""},
		"a basic password":               {&pinned, []string{"Authorization", "Basic eDp5"}, 401, ""},
		"two headers":                    {&pinned, []string{"X-IDENTITY-HEADER", "x", "X-IDENTITY-HEADER", "y"}, 401, ""},
	} {
		before := len(r.book.of(audit.TokenIssued))
		a := get(t, clientWith(s, c.cert), s.URL+goodQuery, c.head...)
		issued := r.book.of(audit.TokenIssued)
		if a.status != c.status || (len(issued) > before) != (c.status == 200) || c.status == 200 && issued[before].Actor != c.actor {
			t.Errorf("%s: %v", name, a)
		}
	}
	// Without TLS there is nothing.
	w := httptest.NewRecorder()
	r.b.Handler(broker.ServerOptions{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, goodQuery, nil))
	if w.Code != 403 {
		t.Errorf("without TLS: %d", w.Code)
	}
}

func TestWorkload(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strange, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	var fetched atomic.Int32
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}}
	keys := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		_ = json.NewEncoder(w).Encode(set)
	}))
	defer keys.Close()
	r := newRig(t, nil)
	grant := "\n    grants: [{connection: c-1, tenants: [all-customers], resources: [graph]}]\n    default: adatum.example\n"
	r.policy("version: 1\nissuers:\n  - {name: github, issuer: \"https://token.example\", keys: \"" + keys.URL + "\", audience: partnerguard}\n  - {name: cluster, issuer: \"https://cluster.example\", keys: \"" + keys.URL + "\", audience: partnerguard, lifetime: 168h}\ncallers:\n" +
		"  - name: pod\n    token: {issuer: cluster, subject: \"system:serviceaccount:a:b\"}" + grant + "  - name: deploy\n    token: {issuer: github, subject: \"repo:contoso/infra:ref:refs/heads/main\", claims: {repository_owner: contoso}}" + grant +
		"  - name: tags\n    token: {issuer: github, subject: \"repo:contoso/infra:ref:refs/tags/*\"}" + grant)
	s := serveTLS(t, r.b, broker.ServerOptions{HTTP: keys.Client()})
	mint := func(k *ecdsa.PrivateKey, kid string, change map[string]any) string {
		c := map[string]any{"iss": "https://token.example", "aud": "partnerguard", "sub": "repo:contoso/infra:ref:refs/heads/main", "repository_owner": "contoso", "iat": monday.Unix(), "nbf": monday.Unix(), "exp": monday.Add(5 * time.Minute).Unix()}
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
	good := mint(key, "k1", nil)
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`)) + "." + strings.Split(good, ".")[1] + "."
	c := clientWith(s, nil)
	for name, v := range map[string]struct {
		head   string
		token  string
		status int
		actor  string
	}{
		"bearer":                         {"Authorization", "Bearer " + good, 200, "oidc:deploy"},
		"where an SDK puts it":           {"X-IDENTITY-HEADER", good, 200, "oidc:deploy"},
		"a subject by its beginning":     {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"sub": "repo:contoso/infra:ref:refs/tags/v1"}), 200, "oidc:tags"},
		"another subject":                {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"sub": "repo:contoso/infra:ref:refs/heads/evil"}), 401, ""},
		"a subject that goes on":         {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"sub": "repo:contoso/infra:ref:refs/heads/main2"}), 401, ""},
		"no subject":                     {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"sub": nil}), 401, ""},
		"another owner":                  {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"repository_owner": "evil"}), 401, ""},
		"no owner":                       {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"repository_owner": nil}), 401, ""},
		"an owner that is no text":       {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"repository_owner": []string{"contoso"}}), 401, ""},
		"another audience":               {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"aud": "other"}), 401, ""},
		"two audiences":                  {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"aud": []string{"partnerguard", "other"}}), 401, ""},
		"another issuer":                 {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"iss": "https://evil.example"}), 401, ""},
		"past":                           {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"exp": monday.Add(-2 * time.Minute).Unix()}), 401, ""},
		"a week, of one that may":        {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"iss": "https://cluster.example", "sub": "system:serviceaccount:a:b", "exp": monday.Add(7 * 24 * time.Hour).Unix()}), 200, "oidc:pod"},
		"a week":                         {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"exp": monday.Add(7 * 24 * time.Hour).Unix()}), 401, ""},
		"no end":                         {"Authorization", "Bearer " + mint(key, "k1", map[string]any{"exp": nil}), 401, ""},
		"another key under the same kid": {"Authorization", "Bearer " + mint(strange, "k1", nil), 401, ""},
		"an unknown kid":                 {"Authorization", "Bearer " + mint(strange, "k9", nil), 401, ""},
		"alg none":                       {"Authorization", "Bearer " + none, 401, ""},
		"no token":                       {"Authorization", "Bearer x", 401, ""},
		"in another scheme":              {"Authorization", "Token " + good, 401, ""},
	} {
		before := len(r.book.of(audit.TokenIssued))
		a := get(t, c, s.URL+goodQuery, v.head, v.token)
		issued := r.book.of(audit.TokenIssued)
		if a.status != v.status || (len(issued) > before) != (v.status == 200) || v.status == 200 && issued[before].Actor != v.actor {
			t.Errorf("%s: %v", name, a)
		}
		if strings.Contains(a.raw, strings.TrimPrefix(v.token, "Bearer ")) && len(v.token) > 20 || strings.Contains(fmt.Sprint(issued), good) {
			t.Errorf("%s: the token is shown", name)
		}
	}
	if n := fetched.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times: forged kids make us hammer the issuer", n)
	}
	// The issuer rolls its key: found after some minutes, not before.
	set.Keys = append(set.Keys, jose.JSONWebKey{Key: strange.Public(), KeyID: "k2", Algorithm: "ES256", Use: "sig"})
	r.machine = monday.Add(4 * time.Minute)
	if a := get(t, c, s.URL+goodQuery, "Authorization", "Bearer "+mint(strange, "k2", nil)); a.status != 200 || fetched.Load() != 2 {
		t.Errorf("a new key: %v, fetched %d times", a, fetched.Load())
	}
	// The issuer is away: the keys in hand do for a day.
	keys.Close()
	r.machine = monday.Add(23 * time.Hour)
	late := map[string]any{"iat": r.machine.Unix(), "nbf": r.machine.Unix(), "exp": r.machine.Add(time.Minute).Unix()}
	if a := get(t, c, s.URL+goodQuery, "Authorization", "Bearer "+mint(key, "k1", late)); a.status != 200 {
		t.Errorf("issuer away: %v", a)
	}
	r.machine = monday.Add(30 * time.Hour)
	late = map[string]any{"iat": r.machine.Unix(), "nbf": r.machine.Unix(), "exp": r.machine.Add(time.Minute).Unix()}
	if a := get(t, c, s.URL+goodQuery, "Authorization", "Bearer "+mint(key, "k1", late)); a.status != 503 {
		t.Errorf("issuer away for long: %v", a)
	}
}

// TestWorkloadSubjectWhole: what an approval is for is the whole subject, also
// where little of it is shown.
func TestWorkloadSubjectWhole(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	}))
	defer keys.Close()
	r := newRig(t, dbtest.SQLite(t))
	r.policy("version: 1\nissuers:\n  - {name: github, issuer: \"https://token.example\", keys: \"" + keys.URL + "\", audience: partnerguard}\ncallers:\n" +
		"  - name: tags\n    token: {issuer: github, subject: \"repo:*\"}\n    default: adatum.example\n" +
		"    grants: [{connection: c-1, tenants: [adatum.example], resources: [graph], approval: {by: [ada], for: 1h}}]\n")
	s := serveTLS(t, r.b, broker.ServerOptions{HTTP: keys.Client()})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		body, _ := json.Marshal(map[string]any{"iss": "https://token.example", "aud": "partnerguard", "sub": fmt.Sprintf("repo:%s%d", strings.Repeat("r", 300), i), "iat": monday.Unix(), "exp": monday.Add(time.Minute).Unix()})
		j, err := signer.Sign(body)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := j.CompactSerialize()
		if a := get(t, clientWith(s, nil), s.URL+goodQuery, "Authorization", "Bearer "+text); a.status != 403 || !strings.Contains(a.raw, "approval a-") {
			t.Fatalf("%v", a)
		}
	}
	list, err := r.b.Approvals(t.Context())
	if err != nil || len(list) != 2 || len(list[0].Subject) != 306 || list[0].Subject == list[1].Subject {
		t.Errorf("%+v %v", list, err)
	}
}

// TestServerScreens: what came by another's hand, or for another's name, is
// refused, over TLS too.
func TestServerScreens(t *testing.T) {
	t.Parallel()
	pinned := paper(t, nil, nil)
	r := newRig(t, nil)
	r.policy("version: 1\ncallers:\n  - name: pinned\n    certificate: {spki: " + pinOf(pinned) + "}\n    grants: [{connection: c-1, tenants: [adatum.example], resources: [graph]}]\n    default: adatum.example\n")
	s := serveTLS(t, r.b, broker.ServerOptions{})
	c := clientWith(s, &pinned)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "https://"), ":")
	for name, v := range map[string]struct {
		head   []string
		status int
	}{
		"nothing":            {nil, 200},
		"its name":           {[]string{"Host", "Example.com:" + port}, 200},
		"its other address":  {[]string{"Host", "[::1]:" + port}, 200},
		"another name":       {[]string{"Host", "evil.example"}, 421},
		"a longer name":      {[]string{"Host", "example.com.evil.example:" + port}, 421},
		"another address":    {[]string{"Host", "10.0.0.1:" + port}, 421},
		"via":                {[]string{"Via", "1.1 proxy"}, 403},
		"forwarded":          {[]string{"Forwarded", "for=10.0.0.1"}, 403},
		"x-forwarded-host":   {[]string{"X-Forwarded-Host", "example.com"}, 403},
		"x-forwarded-for":    {[]string{"X-Forwarded-For", "10.0.0.1"}, 403},
		"a browser's origin": {[]string{"Origin", "https://evil.example"}, 403},
	} {
		if a := get(t, c, s.URL+goodQuery, append([]string{"X-IDENTITY-HEADER", "x"}, v.head...)...); a.status != v.status {
			t.Errorf("%s: %v", name, a)
		}
	}
	bare := httptest.NewTLSServer(r.b.Handler(broker.ServerOptions{}))
	defer bare.Close()
	if a := get(t, clientWith(bare, &pinned), bare.URL+goodQuery, "X-IDENTITY-HEADER", "x"); a.status != 421 {
		t.Errorf("a server that does not know its name: %v", a)
	}
}
