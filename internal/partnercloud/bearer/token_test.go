package bearer

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func lab(t testing.TB) (*world.World, *Keys, *API, Claims) {
	t.Helper()
	w := world.New(1, world.NewClock(func() time.Time { return start }))
	w.Read(func(s *world.State) {
		p := &world.Tenant{ID: "t", Name: "Contoso", Domains: []string{"contoso.com"}}
		p.Users.Put(&world.User{ID: "u", UPN: "u@contoso.com", Enabled: true})
		s.Partner = "t"
		s.Put(p)
	})
	k, err := NewKeys(w.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	c := Claims{Audience: "https://graph.microsoft.com", Issuer: IssuerV1("t"), TenantID: "t", ObjectID: "u", Scope: "User.Read",
		IssuedAt: start.Unix(), NotBefore: start.Unix(), Expires: start.Add(time.Hour).Unix(), Version: "1.0", AMR: []string{"pwd"}}
	return w, k, &API{Keys: k, World: w, Resource: entra.AppGraph}, c
}

func ask(a *API, header string) (*Caller, *Fault) {
	r := httptest.NewRequest(http.MethodGet, "/v1.0/me", nil)
	if header != "" {
		r.Header.Set("Authorization", header)
	}
	return a.Authenticate(r)
}

func TestForgedTokens(t *testing.T) {
	t.Parallel()
	w, k, api, good := lab(t)
	sign := func(c Claims) string {
		v, err := k.Sign(&c)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	change := func(f func(*Claims)) string { c := good; f(&c); return sign(c) }
	token := sign(good)
	parts := strings.Split(token, ".")
	raw := func(head string) string { return base64.RawURLEncoding.EncodeToString([]byte(head)) }
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	as := func(alg jose.SignatureAlgorithm, key any, kid string) string {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", kid))
		if err != nil {
			t.Fatal(err)
		}
		payload, _ := good.encode()
		v, err := s.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := v.CompactSerialize()
		return text
	}
	kid := k.newest().id
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&k.newest().priv.PublicKey))})
	other, _ := NewKeys(w.Clock.Now)
	foreign, _ := other.Sign(&good)
	cases := []struct{ name, header, code string }{
		{"none at all", "", "Missing"},
		{"another scheme", "Basic " + token, "Missing"},
		{"empty", "Bearer ", "Missing"},
		{"words", "Bearer hello", "Malformed"},
		{"alg none", "Bearer " + raw(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".", "Malformed"},
		{"alg none, signature kept", "Bearer " + raw(`{"alg":"none","typ":"JWT","kid":"`+kid+`"}`) + "." + parts[1] + "." + parts[2], "Malformed"},
		{"HS256 with the public key", "Bearer " + as(jose.HS256, public, kid), "Malformed"},
		{"PS256 with the right key", "Bearer " + as(jose.PS256, k.newest().priv, kid), "Malformed"},
		{"a stranger's key under our kid", "Bearer " + as(jose.RS256, stranger, kid), "Signature"},
		{"a stranger's kid", "Bearer " + as(jose.RS256, stranger, "x"), "Signature"},
		{"another cloud's token", "Bearer " + foreign, "Signature"},
		{"payload changed", "Bearer " + parts[0] + "." + raw(strings.Replace(string(decode(parts[1])), `"pwd"`, `"mfa"`, 1)) + "." + parts[2], "Signature"},
		{"two signatures as JSON", "Bearer " + `{"payload":"` + parts[1] + `"}`, "Malformed"},
		{"too long", "Bearer " + strings.Repeat("a", maxToken+1), "Malformed"},
		{"expired", "Bearer " + change(func(c *Claims) { c.Expires = start.Unix() }), "Expired"},
		{"not yet", "Bearer " + change(func(c *Claims) { c.NotBefore = start.Unix() + 301 }), "NotYet"},
		{"another audience", "Bearer " + change(func(c *Claims) { c.Audience = "https://management.azure.com" }), "Audience"},
		{"an audience that only begins alike", "Bearer " + change(func(c *Claims) { c.Audience = "https://graph.microsoft.com.evil.example" }), "Audience"},
		{"another world's tenant", "Bearer " + change(func(c *Claims) { c.TenantID = "x" }), "Issuer"},
	}
	for _, c := range cases {
		caller, fault := ask(api, c.header)
		if fault == nil || fault.Code != c.code || caller != nil {
			t.Errorf("%s: %+v, want %s", c.name, fault, c.code)
		}
		if fault != nil && len(c.header) > 40 && strings.Contains(fault.Text, c.header[20:40]) {
			t.Errorf("%s: the error shows the token", c.name)
		}
	}
	for name, header := range map[string]string{"good": "Bearer " + token, "scheme in small letters": "bearer " + token, "audience by app id": "Bearer " +
		change(func(c *Claims) { c.Audience = entra.AppGraph }),
		"audience with a slash": "Bearer " + change(func(c *Claims) { c.Audience += "/" })} {
		if _, fault := ask(api, header); fault != nil {
			t.Errorf("%s: %v", name, fault)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func decode(s string) []byte { b, _ := base64.RawURLEncoding.DecodeString(s); return b }

func TestRollover(t *testing.T) {
	t.Parallel()
	w, k, api, c := lab(t)
	old, _ := k.Sign(&c)
	if err := k.Rollover(); err != nil {
		t.Fatal(err)
	}
	fresh, _ := k.Sign(&c)
	if len(k.JWKS().Keys) != 2 || k.JWKS().Keys[0].KeyID == k.JWKS().Keys[1].KeyID {
		t.Errorf("published: %d keys", len(k.JWKS().Keys))
	}
	for _, token := range []string{old, fresh} {
		if _, fault := ask(api, "Bearer "+token); fault != nil {
			t.Errorf("after a rollover: %v", fault)
		}
	}
	k.Withdraw()
	if _, fault := ask(api, "Bearer "+old); fault == nil || fault.Code != "Signature" {
		t.Errorf("a withdrawn key still counts: %v", fault)
	}
	text, err := k.Export()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ImportKeys(w.Clock.Now, text)
	if err != nil {
		t.Fatal(err)
	}
	if _, fault := again.Parse(fresh); fault != nil {
		t.Errorf("after writing and reading the keys: %v", fault)
	}
	for name, bad := range map[string]string{"empty": "", "words": "hello", "half": string(text[:len(text)/3])} {
		if _, err := ImportKeys(w.Clock.Now, []byte(bad)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestContinuousAccessEvaluation(t *testing.T) {
	t.Parallel()
	w, k, api, c := lab(t)
	plain, _ := k.Sign(&c)
	c.CC = []string{"cp1"}
	capable, _ := k.Sign(&c)
	w.Read(func(s *world.State) {
		s.PartnerTenant().Users.Change("u", func(u *world.User) { u.SessionsValidFrom = start.Add(time.Second) })
	})
	if _, fault := ask(api, "Bearer "+plain); fault != nil {
		t.Errorf("a client that cannot answer keeps its token: %v", fault)
	}
	if _, fault := ask(api, "Bearer "+capable); fault == nil || fault.Code != "Revoked" {
		t.Errorf("a client that can is asked at once: %v", fault)
	}
	w.Read(func(s *world.State) {
		s.PartnerTenant().Users.Change("u", func(u *world.User) { u.SessionsValidFrom, u.Enabled = time.Time{}, false })
	})
	if _, fault := ask(api, "Bearer "+capable); fault == nil || fault.Code != "Disabled" {
		t.Errorf("disabled: %v", fault)
	}
	head := Challenge("https://login.microsoftonline.com/common/oauth2/authorize", RevokedClaims(5))
	_, text, _ := strings.Cut(head, `claims="`)
	if got := string(must(base64.StdEncoding.DecodeString(strings.TrimSuffix(text, `"`)))); got != `{"access_token":{"nbf":{"essential":true,"value":"5"}}}` {
		t.Errorf("claims: %s", got)
	}
}

func TestClaimsAreWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amr  []string
		want bool
	}{{nil, false}, {[]string{"pwd"}, false}, {[]string{"ngcmfa"}, false}, {[]string{"pwd", "mfa"}, true}} {
		if got := (&Claims{AMR: c.amr}).HasMFA(); got != c.want {
			t.Errorf("%v: %v", c.amr, got)
		}
	}
	payload, _ := (&Claims{Audience: "a"}).encode()
	var m map[string]any
	if err := json.Unmarshal(payload, &m); err != nil || m[MarkClaim] != Mark {
		t.Errorf("no mark in %s", payload)
	}
	if _, there := m["amr"]; there {
		t.Error("an empty claim is written")
	}
}
