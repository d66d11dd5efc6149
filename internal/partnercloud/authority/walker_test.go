package authority_test

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// browser is a browser without script that does not leave the cloud.
type browser struct {
	*lab
	c      *http.Client
	page   string
	status int
	at     *url.URL
	left   *url.URL // where the cloud sent it
	header http.Header
}

func (l *lab) browser() *browser {
	jar, _ := cookiejar.New(nil)
	b := &browser{lab: l, c: &http.Client{Jar: jar}}
	host := strings.TrimPrefix(l.srv.URL, "http://")
	b.c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if req.URL.Host != host {
			b.left = req.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

func (b *browser) do(req *http.Request) {
	b.t.Helper()
	b.left = nil
	resp, err := b.c.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	b.page, b.status, b.at, b.header = string(body), resp.StatusCode, resp.Request.URL, resp.Header
}

func (b *browser) get(path string) *browser {
	b.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = b.srv.URL + path
	}
	req, err := http.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(req)
	return b
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)"[^>]* value="([^"]*)"`)

// fields are the hidden fields of the page.
func (b *browser) fields() url.Values {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(b.page, -1) {
		if m[1] == "flow" || m[1] == "csrf" {
			v.Set(m[1], html.UnescapeString(m[2]))
		}
	}
	return v
}

// send posts the page's form.
func (b *browser) send(kv ...string) *browser {
	b.t.Helper()
	v := b.fields()
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	b.postForm("/common/signin", v)
	return b
}

func (b *browser) postForm(path string, v url.Values) {
	b.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = b.srv.URL + path
	}
	req, err := http.NewRequest(http.MethodPost, path, strings.NewReader(v.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.do(req)
}

func (b *browser) wants(text string) *browser {
	b.t.Helper()
	if !strings.Contains(b.page, text) {
		b.t.Fatalf("the page lacks %q: %d left=%v\n%s", text, b.status, b.left, b.page[max(0, strings.Index(b.page, "<main>")):])
	}
	return b
}

// arrived gives the parameters the app got.
func (b *browser) arrived() url.Values {
	b.t.Helper()
	if b.left == nil {
		b.t.Fatalf("the browser did not leave: %d\n%s", b.status, b.page[max(0, strings.Index(b.page, "<main>")):])
	}
	if b.left.Fragment != "" {
		v, _ := url.ParseQuery(b.left.Fragment)
		return v
	}
	return b.left.Query()
}

func (l *lab) authorizeURL(tenant string, kv ...string) string {
	v := values("client_id", samApp, "response_type", "code", "redirect_uri", callback, "scope", graphURI+"/.default openid profile offline_access", "state",
		"st", "code_challenge", challenge(), "code_challenge_method", "S256", "nonce", "n-1")
	for i := 0; i+1 < len(kv); i += 2 {
		if kv[i+1] == "" {
			v.Del(kv[i])
			continue
		}
		v.Set(kv[i], kv[i+1])
	}
	return "/" + tenant + "/oauth2/v2.0/authorize?" + v.Encode()
}

// signIn goes through account and password, the code when asked, and No to
// staying signed in.
func (b *browser) signIn(upn string) *browser {
	b.t.Helper()
	if strings.Contains(b.page, `name="loginfmt" type="email"`) {
		b.send("do", "account", "loginfmt", upn)
	}
	b.wants("Enter password").send("do", "password", "passwd", b.passwordOf(upn))
	if strings.Contains(b.page, "Enter code") {
		b.send("do", "totp", "otc", b.codeOf(upn))
	}
	if strings.Contains(b.page, "Stay signed in?") {
		b.send("do", "leave")
	}
	return b
}

// redeem trades the code that arrived.
func (b *browser) redeem(tenant string, kv ...string) *reply {
	b.t.Helper()
	v := values("grant_type", "authorization_code", "client_id", samApp, "client_secret", secretOK, "redirect_uri", callback, "code", b.arrived().
		Get("code"), "code_verifier", verifier)
	for i := 0; i+1 < len(kv); i += 2 {
		if kv[i+1] == "" {
			v.Del(kv[i])
			continue
		}
		v.Set(kv[i], kv[i+1])
	}
	return b.post("/"+tenant+"/oauth2/v2.0/token", v)
}

// sam is the whole Secure Application Model consent by Ada with MFA.
func (l *lab) sam(kv ...string) *reply {
	l.t.Helper()
	b := l.browser().get(l.authorizeURL(partnerID, append([]string{"amr_values", "mfa"}, kv...)...)).signIn("ada@contoso.com")
	r := b.redeem(partnerID)
	if r.Access == "" {
		l.t.Fatalf("%+v", r)
	}
	return r
}

func (l *lab) refresh(tenant, rt string, kv ...string) *reply {
	l.t.Helper()
	v := values("grant_type", "refresh_token", "client_id", samApp, "client_secret", secretOK, "refresh_token", rt, "scope", graphURI+"/.default")
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return l.post("/"+tenant+"/oauth2/v2.0/token", v)
}

// sign makes a JWT with any key and header.
func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, payload any, head map[string]any) string {
	t.Helper()
	o := (&jose.SignerOptions{}).WithType("JWT")
	for k, v := range head {
		o = o.WithHeader(jose.HeaderKey(k), v)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(payload)
	sig, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := sig.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func decode64(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }
