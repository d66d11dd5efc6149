package oauth

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestParseClaims(t *testing.T) {
	for _, c := range []struct {
		text     string
		bad      bool
		cae, mfa bool
		contexts []string
	}{
		{text: ""},
		{text: `{}`},
		{text: `{"access_token":{"xms_cc":{"values":["cp1"]}}}`, cae: true},
		{text: `{"access_token":{"xms_cc":{"values":["CP1"]}}}`, cae: true},
		{text: `{"access_token":{"xms_cc":{"values":["cp2"]}}}`},
		{text: `{"id_token":{"amr":{"essential":true,"values":["mfa"]}}}`, mfa: true},
		{text: `{"id_token":{"amr":{"values":["ngcmfa"]}}}`},
		{text: `{"access_token":{"acrs":{"essential":true,"value":"c1"},"x":null}}`, contexts: []string{"c1"}},
		{text: `{"access_token":{"acrs":{"values":["c1","c99","c0","c100","d1","c","c1"]}}}`, contexts: []string{"c1", "c99"}},
		{text: `{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}`},
		{text: `{"access_token":{"nbf":{"value":1700000000}}}`},
		{text: `{"unknown":{"a":1}}`},
		{text: `[]`, bad: true},
		{text: `null`, bad: true},
		{text: `"x"`, bad: true},
		{text: `{"access_token":[]}`, bad: true},
		{text: `{"access_token":{"x":"y"}}`, bad: true},
		{text: `{"access_token":{"x":{"values":"y"}}}`, bad: true},
		{text: `{`, bad: true},
		{text: `{"access_token":{"x":{"values":["` + strings.Repeat("a", MaxClaims) + `"]}}}`, bad: true},
	} {
		r, f := ParseClaims(c.text)
		if (f != nil) != c.bad {
			t.Errorf("%.80s: %v", c.text, f)
			continue
		}
		if f == nil && (r.CAE() != c.cae || r.MFA() != c.mfa || !slices.Equal(r.Contexts(), c.contexts)) {
			t.Errorf("%.80s: %v %v %v", c.text, r.CAE(), r.MFA(), r.Contexts())
		}
	}
}

func TestPKCE(t *testing.T) {
	// RFC 7636 appendix B.
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	for _, c := range []struct {
		challenge, method, verifier string
		code                        int // 0: the verifier is taken
	}{
		{challenge, "S256", verifier, 0}, {verifier, "plain", verifier, 0}, {verifier, "", verifier, 0}, {"", "", "", 0},
		{challenge, "S256", verifier + "x", 501481}, {challenge, "S256", "", 50148}, {"", "", verifier, 50148}, {challenge, "S256", challenge, 501481},
		{challenge, "S256", strings.Repeat("x", 129), 501481}, {challenge, "S256", verifier[:42] + "é", 501481},
		{verifier, "plain", challenge, 501481}, {challenge, "plain", verifier, 501481},
		{challenge, "s256", verifier, 50147}, {challenge + "=", "S256", verifier, 50147}, {challenge[1:], "S256", verifier, 50147},
		{"", "S256", verifier, 50147}, {verifier[1:], "plain", verifier[1:], 50147}, {strings.Repeat("x", 129), "", "", 50147},
	} {
		ch, f := ParseChallenge(c.challenge, c.method)
		if f == nil {
			f = ch.Check(c.verifier)
		}
		if code := 0; f != nil && f.Code != c.code || f == nil && c.code != code {
			t.Errorf("%+v: %v", c, f)
		}
	}
}

func TestOrigin(t *testing.T) {
	for uri, want := range map[string]string{
		"https://a.example/x": "https://a.example", "http://localhost:8400": "http://localhost:8400", "msal123://auth": "msal123:",
		"https://a.example;script-src/x": "", "javascript:x": "", "https://*.example/": "",
		"urn:ietf:wg:oauth:2.0:oob": "urn:",
	} {
		if got, _ := Origin(uri); got != want {
			t.Errorf("%s: %q", uri, got)
		}
	}
	if got := WithParams("https://a.example/?x=1", url.Values{"code": {"a&b"}}); got != "https://a.example/?x=1&code=a%26b" {
		t.Error(got)
	}
}

// TestEveryCode holds the table to its form: a word that RFC 6749 or the device
// grant or OpenID Connect knows, and a text whose verbs a call can fill.
func TestEveryCode(t *testing.T) {
	for _, code := range []int{90014, 700016, 7000215, 50076, 65001, 70016, 700082, 50011, 5001256, 9002313} {
		if Meaning(code) == "" || strings.Contains(Meaning(code), "%") {
			t.Errorf("%d: %q", code, Meaning(code))
		}
	}
	if f := Refuse(1); f.Word != "invalid_request" {
		t.Error(f)
	}
}

func FuzzParseClaims(f *testing.F) {
	f.Add(`{"access_token":{"xms_cc":{"values":["cp1"]},"acrs":{"value":"c1"}}}`)
	f.Add(`{"id_token":{"amr":null}}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, fault := ParseClaims(text)
		if fault != nil {
			return
		}
		if text != "" && !json.Valid([]byte(text)) {
			t.Errorf("took %q", text)
		}
		for _, c := range r.Contexts() {
			if len(c) > 3 || c[0] != 'c' {
				t.Errorf("context %q", c)
			}
		}
	})
}

func FuzzParseAssertion(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: key}, nil)
	if err != nil {
		f.Fatal(err)
	}
	sig, _ := s.Sign([]byte(`{"iss":"a","sub":"a","aud":["b"],"exp":1800000000,"nbf":1.7e9,"jti":"j"}`))
	good, _ := sig.CompactSerialize()
	f.Add(good)
	f.Add("e30.e30.")
	f.Add(`eyJhbGciOiJub25lIn0.e30.`)
	set := &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey}}}
	now := time.Unix(1790000000, 0)
	f.Fuzz(func(t *testing.T, text string) {
		a, fault := ParseAssertion(text)
		if fault != nil {
			return
		}
		if len(a.Audience) == 0 || a.Expires.IsZero() {
			t.Errorf("half an assertion from %q", text)
		}
		_ = a.Timely(now)
		_ = a.Digest()
		if a.VerifySet(set) && string(a.payload) != `{"iss":"a","sub":"a","aud":["b"],"exp":1800000000,"nbf":1.7e9,"jti":"j"}` {
			t.Errorf("another payload verifies: %s", a.payload)
		}
	})
}

func FuzzMatchRedirect(f *testing.F) {
	f.Add("https://app.example/callback")
	f.Add("http://localhost:1/")
	f.Fuzz(func(t *testing.T, asked string) {
		list := []string{"https://app.example/callback", "http://localhost"}
		if !MatchRedirect(asked, list) {
			return
		}
		u, err := url.Parse(asked)
		if err != nil || asked != list[0] && (u.Scheme != "http" || u.Hostname() != "localhost" || u.User != nil || strings.Trim(u.Path, "/") != "" ||
			u.Fragment != "") {
			t.Errorf("matched %q", asked)
		}
	})
}
