package broker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/audit"
	"partnerguard/internal/caller"
	"partnerguard/internal/caller/callertest"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/web"
)

// mounted is the server behind the kernel.
func mounted(b *broker.Broker, o broker.ServerOptions) http.Handler {
	k := web.NewKernel(web.Deps{})
	b.Server(o).Mount(k)
	return k
}

// serveTLS serves under a certificate of example.com and loopback.
func serveTLS(t *testing.T, b *broker.Broker, o broker.ServerOptions) *httptest.Server {
	t.Helper()
	like := httptest.NewTLSServer(nil)
	o.Certificate = like.Certificate()
	like.Close()
	s := httptest.NewUnstartedServer(mounted(b, o))
	s.TLS = caller.TLSConfig()
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

// TestServerCallers: who has proven itself, which caller's own tests look into,
// is the policy's caller of that name, and nobody else gets anything.
func TestServerCallers(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	}))
	defer keys.Close()
	away := httptest.NewTLSServer(http.NotFoundHandler())
	away.Close()
	ca := callertest.Paper(t, monday, nil, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	})
	pinned, renewed := callertest.Paper(t, monday, nil, nil), callertest.Paper(t, monday, nil, nil)
	uri, _ := url.Parse("spiffe://contoso/billing")
	spiffe := func(c *x509.Certificate) { c.URIs = []*url.URL{uri} }
	named, self := callertest.Paper(t, monday, &ca, spiffe), callertest.Paper(t, monday, nil, spiffe)
	mint := func(issuer, subject string) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", "k"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := json.Marshal(map[string]any{"iss": issuer, "aud": "partnerguard", "sub": subject, "iat": monday.Unix(), "exp": monday.Add(time.Minute).
			Unix()})
		j, err := signer.Sign(body)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := j.CompactSerialize()
		return text
	}
	good := mint("https://token.example", "repo:main")
	r := newRig(t, nil)
	grant := "\n    grants: [{connection: c-1, tenants: [adatum.example], resources: [graph]}]\n    default: adatum.example\n"
	r.policy("version: 1\nissuers:\n  - {name: github, issuer: \"https://token.example\", keys: \"" + keys.URL + "\", audience: partnerguard}\n" +
		"  - {name: away, issuer: \"https://away.example\", keys: \"" + away.URL + "\", audience: partnerguard}\n" +
		"callers:\n  - name: pinned\n    certificate: {spki: " + callertest.Pin(pinned) + "}" + grant +
		"  - name: named\n    certificate: {name: \"uri:spiffe://contoso/billing\"}" + grant +
		"  - name: deploy\n    token: {issuer: github, subject: \"repo:main\"}" + grant)
	pool := x509.NewCertPool()
	pool.AddCert(ca.Leaf)
	s := serveTLS(t, r.b, broker.ServerOptions{ClientCAs: pool, HTTP: keys.Client()})
	any := []string{"X-IDENTITY-HEADER", "x"}
	for name, c := range map[string]struct {
		cert   *tls.Certificate
		head   []string
		status int
		actor  string
	}{
		"by its key":                     {&pinned, any, 200, "mtls:pinned"},
		"by its name":                    {&named, any, 200, "mtls:named"},
		"by its token":                   {nil, []string{"Authorization", "Bearer " + good}, 200, "oidc:deploy"},
		"where an SDK puts it":           {nil, []string{"X-IDENTITY-HEADER", good}, 200, "oidc:deploy"},
		"no proof":                       {nil, any, 401, ""},
		"no header: a fetched address":   {&pinned, nil, 401, ""},
		"another key":                    {&renewed, any, 401, ""},
		"the name, signed by itself":     {&self, any, 401, ""},
		"another subject":                {nil, []string{"Authorization", "Bearer " + mint("https://token.example", "repo:evil")}, 401, ""},
		"another issuer":                 {nil, []string{"Authorization", "Bearer " + mint("https://evil.example", "repo:main")}, 401, ""},
		"an issuer that is away":         {nil, []string{"Authorization", "Bearer " + mint("https://away.example", "repo:main")}, 503, ""},
		"a browser with the certificate": {&pinned, append([]string{"Sec-Fetch-Site", "same-origin"}, any...), 403, ""},
	} {
		before := len(r.book.Of(audit.TokenIssued))
		a := get(t, clientWith(s, c.cert), s.URL+goodQuery, c.head...)
		issued := r.book.Of(audit.TokenIssued)
		if a.status != c.status || (len(issued) > before) != (c.status == 200) || c.status == 200 && issued[before].Actor != c.actor {
			t.Errorf("%s: %v", name, a)
		}
		if (a.head.Get("Retry-After") == "10") != (c.status == 503) {
			t.Errorf("%s: Retry-After %q", name, a.head.Get("Retry-After"))
		}
		for _, h := range c.head {
			if raw := strings.TrimPrefix(h, "Bearer "); strings.Count(raw, ".") == 2 && strings.Contains(a.raw+fmt.Sprint(issued), raw) {
				t.Errorf("%s: the caller's token is shown", name)
			}
		}
	}
	// Without TLS there is nothing.
	w := httptest.NewRecorder()
	mounted(r.b, broker.ServerOptions{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, goodQuery, nil))
	if w.Code != 403 {
		t.Errorf("without TLS: %d", w.Code)
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
		body, _ := json.Marshal(map[string]any{"iss": "https://token.example", "aud": "partnerguard",
			"sub": fmt.Sprintf("repo:%s%d", strings.Repeat("r", 300), i), "iat": monday.Unix(), "exp": monday.Add(time.Minute).Unix()})
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
	pinned := callertest.Paper(t, monday, nil, nil)
	r := newRig(t, nil)
	r.policy("version: 1\ncallers:\n  - name: pinned\n    certificate: {spki: " + callertest.Pin(pinned) +
		"}\n    grants: [{connection: c-1, tenants: [adatum.example], resources: [graph]}]\n    default: adatum.example\n")
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
	// What the kernel refuses has the protocol's form too, and other methods are
	// the broker's own refusal.
	for name, v := range map[string]struct {
		method string
		head   []string
		status int
	}{
		"another method":      {http.MethodDelete, nil, 405},
		"a form of elsewhere": {http.MethodPost, []string{"Origin", "https://evil.example"}, 403},
		"a body":              {http.MethodGet, nil, 400},
	} {
		var body io.Reader
		if v.status == 400 {
			body = strings.NewReader("x")
		}
		req, err := http.NewRequest(v.method, s.URL+goodQuery, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-IDENTITY-HEADER", "x")
		for i := 0; i+1 < len(v.head); i += 2 {
			req.Header.Set(v.head[i], v.head[i+1])
		}
		a := do(t, c, req)
		if a.status != v.status || a.m["statusCode"] != float64(v.status) || a.m["message"] == "" || len(a.m) != 2 ||
			a.head.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %v %v", name, a, a.head)
		}
		if (a.head.Get("Allow") == http.MethodGet) != (v.status == 405) {
			t.Errorf("%s: Allow %q", name, a.head.Get("Allow"))
		}
	}
	bare := httptest.NewTLSServer(mounted(r.b, broker.ServerOptions{}))
	defer bare.Close()
	if a := get(t, clientWith(bare, &pinned), bare.URL+goodQuery, "X-IDENTITY-HEADER", "x"); a.status != 421 {
		t.Errorf("a server that does not know its name: %v", a)
	}
}
