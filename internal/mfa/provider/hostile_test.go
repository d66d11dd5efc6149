package provider_test

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/mfa/provider"
)

// hostile is a request that must not be taken: what it spoils, why it is refused, and
// what Entra ID is told; "page" sends nobody anywhere.
type hostile struct {
	name   string
	reason string
	code   string
	spoil  func(r *rig, s *sent)
}

const denied, pageOnly = provider.AccessDenied, "page"

// What a recipe does to a request.
func body(name string, v any) func(*rig, *sent) { return func(_ *rig, s *sent) { s.body[name] = v } }
func head(name string, v any) func(*rig, *sent) { return func(_ *rig, s *sent) { s.head[name] = v } }
func field(name string, v ...string) func(*rig, *sent) {
	return func(_ *rig, s *sent) { s.form[name] = v }
}
func without(name string) func(*rig, *sent)  { return func(_ *rig, s *sent) { delete(s.body, name) } }
func headless(name string) func(*rig, *sent) { return func(_ *rig, s *sent) { delete(s.head, name) } }
func gone(name string) func(*rig, *sent)     { return func(_ *rig, s *sent) { delete(s.form, name) } }
func twice(old, more string) func(*rig, *sent) {
	return func(_ *rig, s *sent) {
		s.bodyText = func(t string) string { return strings.Replace(t, old, more+","+old, 1) }
	}
}
func signed(by func() *rsa.PrivateKey) func(*rig, *sent) {
	return func(_ *rig, s *sent) { s.sign = func(in string) []byte { return rs256(by(), in) } }
}
func mac(alg string, key []byte) func(*rig, *sent) {
	return func(_ *rig, s *sent) {
		s.head["alg"] = alg
		s.sign = func(in string) []byte {
			m := hmac.New(sha256.New, key)
			m.Write([]byte(in))
			return m.Sum(nil)
		}
	}
}
func whole(f func(string) string) func(*rig, *sent) { return func(_ *rig, s *sent) { s.whole = f } }
func asks(acr, amr string) func(*rig, *sent) {
	return field("claims", `{"id_token":{"acr":{"values":[`+acr+`]},"amr":{"values":[`+amr+`]}}}`)
}

// at sets the three moments of a hint.
func at(iat, nbf, exp time.Duration) func(*rig, *sent) {
	return func(r *rig, s *sent) {
		s.body["iat"], s.body["nbf"], s.body["exp"] = r.now.Add(iat).Unix(), r.now.Add(nbf).Unix(), r.now.Add(exp).Unix()
	}
}

func hostileForms() []hostile {
	const evil = "https://evil.example/common/federation/externalauthprovider"
	form := func(name string, spoil func(*rig, *sent)) hostile {
		return hostile{name, "bad request", pageOnly, spoil}
	}
	list := []hostile{
		form("a foreign redirect_uri", field("redirect_uri", evil)),
		form("a redirect_uri of another cloud", field("redirect_uri", "https://login.microsoftonline.us/common/federation/externalauthprovider")),
		form("a redirect_uri with more behind", field("redirect_uri", redirect+"/..")),
		form("a redirect_uri with a query", field("redirect_uri", redirect+"?x=1")),
		form("a redirect_uri in capitals", field("redirect_uri", strings.ToUpper(redirect))),
		form("a redirect_uri with a user's name", field("redirect_uri",
			strings.Replace(redirect, "https://", "https://login.microsoftonline.com@evil.example/", 1))),
		form("a redirect_uri with a look-alike", field("redirect_uri", strings.Replace(redirect, "microsoft", "micros\u043eft", 1))),
		form("a redirect_uri by http", field("redirect_uri", strings.Replace(redirect, "https", "http", 1))),
		form("a redirect_uri with a port", field("redirect_uri", strings.Replace(redirect, ".com/", ".com:443/", 1))),
		form("a redirect_uri with a blank before", field("redirect_uri", " "+redirect)),
		form("no redirect_uri", gone("redirect_uri")),
		form("redirect_uri twice", field("redirect_uri", redirect, evil)),
		form("redirect_uri twice, ours last", field("redirect_uri", evil, redirect)),
		form("client_id twice", field("client_id", client, client)),
		form("nonce twice", field("nonce", "a", "b")),
		form("state twice", field("state", "a", "b")),
		form("claims twice", field("claims", wants, wants)),
		form("a hint twice", func(_ *rig, s *sent) { h := s.hint(); s.form["id_token_hint"] = []string{h, h} }),
		form("no hint", field("id_token_hint", "")),
		form("no client_id", gone("client_id")),
		form("response_type code", field("response_type", "code")),
		form("response_type of two", field("response_type", "id_token token")),
		form("response_mode query", field("response_mode", "query")),
		form("no openid in the scope", field("scope", "profile")),
		form("a state of 9 KiB", field("state", strings.Repeat("x", 9<<10))),
		form("claims of 9 KiB", field("claims", strings.Repeat(" ", 9<<10)+wants)),
		form("a hint of 65 KiB", whole(func(string) string { return strings.Repeat("a", 65<<10) })),
	}
	for i := range list {
		list[i].name = "form: " + list[i].name
	}
	return list
}

func hostileHeads() []hostile {
	pub := func() []byte { b, _ := x509.MarshalPKIXPublicKey(&entraKey().PublicKey); return b }
	chain := base64.StdEncoding.EncodeToString(certOf(strange()).Raw)
	h := func(name, reason string, spoil func(*rig, *sent)) hostile {
		return hostile{"hint: " + name, reason, denied, spoil}
	}
	both := func(a, b func(*rig, *sent)) func(*rig, *sent) { return func(r *rig, s *sent) { a(r, s); b(r, s) } }
	return []hostile{
		h("alg none without a signature", "malformed", both(head("alg", "none"), whole(func(s string) string { return s[:strings.LastIndexByte(s, '.')+1] }))),
		h("alg none with a signature", "bad algorithm", head("alg", "none")),
		h("alg NonE", "bad algorithm", head("alg", "NonE")),
		h("HS256 by the public key", "bad algorithm", mac("HS256", pub())),
		h("HS256 by the client id", "bad algorithm", mac("HS256", []byte(client))),
		h("RS256 named, an HMAC", "bad signature", mac("RS256", pub())),
		h("PS256 named", "bad algorithm", head("alg", "PS256")),
		h("RS512 named", "bad algorithm", head("alg", "RS512")),
		h("ES256 named", "bad algorithm", head("alg", "ES256")),
		h("no alg", "bad algorithm", headless("alg")),
		h("another's key under Entra ID's kid", "bad signature", signed(strange)),
		h("a kid that is unknown", "no key", head("kid", "unknown")),
		h("no kid", "no key", headless("kid")),
		h("a kid that is a path", "no key", head("kid", "../../../../etc/passwd")),
		h("a kid with a look-alike", "no key", head("kid", "entr\u0430")),
		h("a kid that is a list", "no key", head("kid", []string{"entra"})),
		h("a key without its certificate", "no key", both(head("kid", "bare"), signed(strange))),
		h("a key with the certificate of another", "no key", both(head("kid", "lent"), signed(strange))),
		h("x5c of another key", "bad header", both(head("x5c", []string{chain}), signed(strange))),
		h("jku", "bad header", head("jku", "https://evil.example/keys")),
		h("x5u", "bad header", head("x5u", "https://evil.example/cert")),
		h("jwk", "bad header", head("jwk", map[string]any{"kty": "RSA"})),
		h("crit", "bad header", head("crit", []string{"exp"})),
		h("b64 false", "bad header", head("b64", false)),
		h("zip", "bad header", head("zip", "DEF")),
		h("typ of a logout token", "bad header", head("typ", "logout+jwt")),
		h("a nested token", "bad header", head("cty", "JWT")),
		h("alg in other letters beside it", "bad header", head("Alg", "none")),
		h("alg twice", "malformed", func(_ *rig, s *sent) {
			s.headText = func(t string) string { return strings.Replace(t, `"alg"`, `"alg":"none","alg"`, 1) }
		}),
		h("a blank behind", "malformed", whole(func(s string) string { return s + " " })),
		h("a padded signature", "malformed", whole(func(s string) string { return s + "=" })),
		h("four parts", "malformed", whole(func(s string) string { return s + ".e30" })),
		h("no JSON", "malformed", func(_ *rig, s *sent) { s.bodyText = func(string) string { return "not json" } }),
		h("JSON with more behind", "malformed", func(_ *rig, s *sent) { s.bodyText = func(t string) string { return t + "{}" } }),
		h("tid twice", "malformed", twice(`"tid"`, `"tid":"`+elsewhat+`"`)),
		h("oid twice", "malformed", twice(`"oid"`, `"oid":"`+elsewhat+`"`)),
		h("sub in two spellings", "malformed", body("SUB", "another")),
		h("text that is not Unicode", "malformed", func(_ *rig, s *sent) {
			s.bodyText = func(t string) string { return strings.Replace(t, "Ada", "\xff\xfe", 1) }
		}),
	}
}

func hostileClaims() []hostile {
	h := func(name, reason string, spoil func(*rig, *sent)) hostile {
		return hostile{"claim: " + name, reason, denied, spoil}
	}
	const login = "https://login.microsoftonline.com/"
	return []hostile{
		h("iss of another tenant", "bad issuer", body("iss", login+elsewhat+"/v2.0")),
		h("iss of v1", "bad issuer", body("iss", "https://sts.windows.net/"+tenant+"/")),
		h("iss of another cloud", "bad issuer", body("iss", "https://login.microsoftonline.us/"+tenant+"/v2.0")),
		h("iss with a slash behind", "bad issuer", body("iss", login+tenant+"/v2.0/")),
		h("iss with a look-alike", "bad issuer", body("iss", "https://login.micros\u043eftonline.com/"+tenant+"/v2.0")),
		h("no iss", "bad issuer", without("iss")),
		h("a tenant that is not served", "tenant not served", func(_ *rig, s *sent) {
			s.body["tid"], s.body["iss"] = elsewhat, login+elsewhat+"/v2.0"
		}),
		h("no tid", "bad claim", without("tid")),
		h("tid a name", "bad claim", body("tid", "contoso.com")),
		h("no oid", "bad claim", without("oid")),
		h("oid a name", "bad claim", body("oid", "ada@contoso.com")),
		h("oid a list", "bad claim", body("oid", []string{person})),
		h("no sub", "bad claim", without("sub")),
		h("sub a number", "bad claim", body("sub", 7)),
		h("aud of another app", "bad audience", body("aud", elsewhat)),
		h("aud the client id", "bad set-up", body("aud", client)),
		h("aud of two", "bad audience", body("aud", []string{appID, elsewhat})),
		h("no aud", "bad claim", without("aud")),
		h("aud an object", "bad claim", body("aud", map[string]any{appID: 1})),
		h("issued six minutes and a second ago", "expired", at(-6*time.Minute-time.Second, 0, 0)),
		h("issued yesterday, exp tomorrow", "expired", at(-24*time.Hour, -24*time.Hour, 24*time.Hour)),
		h("issued in two minutes", "not yet valid", at(2*time.Minute, 0, time.Hour)),
		h("nbf in two minutes", "not yet valid", at(0, 2*time.Minute, time.Hour)),
		h("no iat", "bad claim", without("iat")),
		h("no exp", "bad claim", without("exp")),
		h("iat a text", "bad claim", body("iat", "1790000000")),
		h("iat beyond any time", "bad claim", body("iat", 1e300)),
		h("a name that turns the line round", "bad claim", body("name", "Ada\u202emoc.live")),
		h("preferred_username with a line break", "bad claim", body("preferred_username", "ada\nreason=ok")),
		h("another client_id", "bad client", field("client_id", "other-client")),
		h("client_id the app id", "bad client", field("client_id", appID)),
		h("no claims", "bad claims", gone("claims")),
		h("claims no JSON", "bad claims", field("claims", "possession")),
		h("claims with acr twice", "bad claims", field("claims", `{"id_token":{"acr":{"values":["possession"]},"acr":{"values":["inherence"]}}}`)),
		h("claims with more behind", "bad claims", field("claims", wants+"{}")),
		h("claims with values and value", "bad claims", field("claims", `{"id_token":{"acr":{"value":"possession","values":["possession"]}}}`)),
		h("claims with values a text", "bad claims", field("claims", `{"id_token":{"acr":{"values":"possession"}}}`)),
		h("acr inherence", "no factor of ours", asks(`"inherence"`, `"otp","face"`)),
		h("acr knowledge", "no factor of ours", asks(`"knowledge"`, `"otp"`)),
		h("acr knowledgeorinherence: the first factor was possession", "no factor of ours", asks(`"knowledgeorinherence"`, `"otp","fido"`)),
		h("acr unknown", "no factor of ours", asks(`"multifactor"`, `"otp"`)),
		h("acr in capitals", "no factor of ours", asks(`"Possession"`, `"otp"`)),
		h("no acr", "no factor of ours", field("claims", `{"id_token":{"amr":{"values":["otp"]}}}`)),
		h("amr none of ours", "no factor of ours", asks(`"possession"`, `"face","sms"`)),
	}
}

// TestHostile sends requests that must not be taken through the door, and looks for the
// explanation that an administrator gets and for what the browser gets.
func TestHostile(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	all := append(append(hostileForms(), hostileHeads()...), hostileClaims()...)
	if len(all) < 60 {
		t.Fatal(len(all))
	}
	seen := map[string]bool{}
	for _, h := range all {
		if seen[h.name] {
			t.Fatal(h.name, "is there twice")
		}
		seen[h.name] = true
		s := r.request()
		h.spoil(r, s)
		r.log.Reset()
		w := r.send(s)
		to, form := posted(w.Body.String())
		why := r.said()
		switch {
		case len(r.asker.got) > 0:
			t.Fatalf("%s: was taken", h.name)
		case why["reason"] != h.reason || why["why"] == "" || why["why"] == nil:
			t.Errorf("%s: the log says %v: %v", h.name, why["reason"], why["why"])
		case why["correlation"] != "aaaaaaaa-0f6a-4f2f-9a41-3f1d6f0c9e21":
			t.Errorf("%s: the log has no correlation: %v", h.name, why)
		case h.code == pageOnly && (w.Code != http.StatusBadRequest || to != ""):
			t.Errorf("%s: %d, a form to %s", h.name, w.Code, to)
		case h.code != pageOnly && (w.Code != http.StatusOK || to != redirect || form.Get("error") != h.code || form.Get("state") != "state<1>" ||
			form.Has("id_token")):
			t.Errorf("%s: %d, %s gets %v", h.name, w.Code, to, form)
		case h.code != pageOnly && strings.Contains(form.Get("error_description"), h.reason):
			t.Errorf("%s: the browser is told why: %v", h.name, form)
		}
		for _, secret := range []string{"id_token_hint", "nonce"} {
			if v := s.form.Get(secret); len(v) > 9 && strings.Contains(r.log.String(), v) {
				t.Errorf("%s: the log has the %s", h.name, secret)
			}
		}
	}
}
