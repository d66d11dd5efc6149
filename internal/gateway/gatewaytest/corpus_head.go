package gatewaytest

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/gateway"
)

func algorithmCases() []Case {
	var out []Case
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "none ", " none", "none\x00", "nonе" /* a Cyrillic letter */, "", "RS256 ", "rs256", "Rs256",
		"RS256\x00", "RS256,none", "ＲＳ２５６", "RЅ256", "HS256", "HS384", "HS512", "RS1", "RS384", "RS512", "PS384", "PS512", "ES384", "ES256K", "EdDSA",
		"Ed25519",
		"RSA-OAEP", "dir", "A256GCM", "ML-DSA-65", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"} {
		out = append(out, Case{Name: fmt.Sprintf("alg %+q", alg), Reason: gateway.BadAlgorithm, Make: good(Head("alg", alg))})
	}
	for _, v := range []any{[]string{"RS256"}, map[string]any{"RS256": 1}, true, nil, 256} {
		out = append(out, Case{Name: "alg " + shown(v), Reason: gateway.BadAlgorithm, Make: good(Head("alg", v))})
	}
	empty := func(t *Token) { t.SigPart = func(string) string { return "" } }
	for _, alg := range []string{"none", "None", "NONE", "nOne"} {
		out = append(out, Case{Name: "alg " + alg + " and no signature", Reason: gateway.BadAlgorithm, Make: good(Head("alg", alg), empty)})
	}
	out = append(out,
		Case{Name: "alg none and two parts", Reason: gateway.Malformed, Make: good(Head("alg", "none"),
			whole(func(s string) string { return s[:strings.LastIndexByte(s, '.')] }))},
		Case{Name: "no alg", Reason: gateway.BadAlgorithm, Make: good(func(t *Token) { delete(t.Head, "alg") })},
		Case{Name: "Alg for alg", Reason: gateway.BadHeader, Make: good(inHead(`"alg"`, `"Alg"`))},
		Case{Name: "signed by the key as PS256, which it is not for", Reason: gateway.BadAlgorithm, Make: func(a *Authority) string {
			k := *a.Newest()
			k.Algorithm = "PS256"
			return a.Good(By(&k))
		}},
		Case{Name: "RS256 named, signed as PS256", Reason: gateway.BadSignature, Make: func(a *Authority) string {
			k := *a.Newest()
			k.Algorithm = "PS256"
			return a.Good(ForgedBy(&k))
		}},
		Case{Name: "ES256 by a curve's key under the kid of an RSA key", Reason: gateway.BadAlgorithm,
			Make: good(Head("alg", "ES256"), ForgedBy(NewCurveKey()))},
		Case{Name: "RS256 named, signed by a curve's key", Reason: gateway.BadSignature, Make: good(ForgedBy(NewCurveKey()))},
	)
	return out
}

// hmacCases take the public key for a shared secret.
func hmacCases() []Case {
	var out []Case
	for _, c := range []struct {
		name   string
		secret func(*rsa.PublicKey, string) []byte
	}{
		{"the modulus", func(p *rsa.PublicKey, _ string) []byte { return p.N.Bytes() }},
		{"the key's DER", func(p *rsa.PublicKey, _ string) []byte { return pkix(p) }},
		{"the key's PEM", func(p *rsa.PublicKey, _ string) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix(p)})
		}},
		{"its PKCS 1", func(p *rsa.PublicKey, _ string) []byte { return x509.MarshalPKCS1PublicKey(p) }},
		{"its JWK", func(p *rsa.PublicKey, kid string) []byte {
			b, _ := json.Marshal(jose.JSONWebKey{Key: p, KeyID: kid})
			return b
		}},
		{"nothing", func(*rsa.PublicKey, string) []byte { return nil }},
		{"the kid", func(_ *rsa.PublicKey, kid string) []byte { return []byte(kid) }},
	} {
		mac := func(a *Authority) Edit {
			k := a.Newest()
			return signed(func(input string) []byte {
				m := hmac.New(sha256.New, c.secret(k.Private.Public().(*rsa.PublicKey), k.ID))
				m.Write([]byte(input))
				return m.Sum(nil)
			})
		}
		out = append(out,
			Case{Name: "HS256 with " + c.name, Reason: gateway.BadAlgorithm, Make: func(a *Authority) string { return a.Good(Head("alg", "HS256"), mac(a)) }},
			Case{Name: "RS256 named, HMAC with " + c.name, Reason: gateway.BadSignature, Make: func(a *Authority) string { return a.Good(mac(a)) }})
	}
	return out
}

func pkix(p *rsa.PublicKey) []byte {
	b, err := x509.MarshalPKIXPublicKey(p)
	if err != nil {
		panic(err)
	}
	return b
}

func headerCases() []Case {
	own := func(t *Token) {
		t.Head["jwk"] = jose.JSONWebKey{Key: Stranger().Private.Public(), KeyID: "own"}
		t.key = Stranger()
	}
	out := []Case{{Name: "brings its own key (jwk)", Reason: gateway.BadHeader, Make: good(own)}}
	list := map[string]Edit{
		"brings its own key under kid own": all(own, Head("kid", "own")), "cty JWT": Head("cty", "JWT"), "cty empty": Head("cty", ""),
		"cty a list": Head("cty", []string{"JWT"}),
		"jku, signed by the key there": all(Head("jku", "https://evil.example/keys"),
			Head("kid", "evil"), ForgedBy(Stranger())),
		"x5u, signed by the key there": all(Head("x5u", "https://evil.example/cert"), ForgedBy(Stranger())),
		"jku of the authority":         Head("jku", "https://login.microsoftonline.com/common/discovery/v2.0/keys"),
		"jku of this machine":          Head("jku", "http://127.0.0.1:1/keys"), "jku a file": Head("jku", "file:///etc/passwd"),
		"jku of the cloud's metadata": Head("jku", "http://169.254.169.254/metadata/identity"),
	}
	for name, v := range map[string]any{
		"crit": []string{"exp"}, "b64": false, "zip": "DEF", "enc": "A256GCM", "jwk": nil, "jku": "https://evil.example/keys",
		"x5u": "https://evil.example/cert",
		"x5c": []string{"MIIB"},
	} {
		list[name] = Head(name, v)
		list[strings.ToUpper(name)] = Head(strings.ToUpper(name), v)
	}
	for _, name := range []string{"Typ", "CTY", "X5T", "jW\u212a", "j\u212au", "Kid", "\u212aid", "ALG"} {
		list[fmt.Sprintf("%+q, in other letters", name)] = Head(name, "RS256")
	}
	for _, typ := range []any{"JWE", "JOSE", "JOSE+JSON", "pop", "dpop+jwt", "logout+jwt", "secevent+jwt", "token-introspection+jwt", "kb+jwt",
		"partnerguard+jwt", "JWT ", "JWT\n", "J\u0057T\u200d", "application/application/jwt", "jwt;v=1", "", 7, true, []string{"JWT"}} {
		list["typ "+shown(typ)] = Head("typ", typ)
	}
	return append(out, each("header ", gateway.BadHeader, list)...)
}

// kidCases name keys that are none, or something else.
func kidCases() []Case {
	var out []Case
	for _, kid := range []any{"", " ", "\x00", "\n", "../../../../dev/null", "/proc/self/environ", "key' OR '1'='1", "\"}", "https://evil.example/keys",
		"file:///etc/passwd", "*", "a,b", "$(id)", "`id`", "{{7*7}}", "%00", "nil", "unknown", strings.Repeat("k", 300), nil, 0, true, []string{"a"},
		map[string]any{"a": 1}} {
		name := "kid " + shown(kid)
		if len(name) > 60 {
			name = "kid of 300 letters"
		}
		out = append(out, Case{Name: name, Reason: gateway.UnknownKey, Make: good(Head("kid", kid))})
	}
	near := func(change func(kid string) string) func(*Authority) string {
		return func(a *Authority) string { return a.Good(Head("kid", change(a.Newest().ID))) }
	}
	return append(out,
		Case{Name: "no kid", Reason: gateway.UnknownKey, Make: good(func(t *Token) { delete(t.Head, "kid") })},
		Case{Name: "kid with a blank behind", Reason: gateway.UnknownKey, Make: near(func(k string) string { return k + " " })},
		Case{Name: "kid with a NUL behind", Reason: gateway.UnknownKey, Make: near(func(k string) string { return k + "\x00" })},
		Case{Name: "kid in capitals", Reason: gateway.UnknownKey, Make: near(func(k string) string { return strings.ToUpper("a" + k) })},
		Case{Name: "kid with a beginning alone", Reason: gateway.UnknownKey, Make: near(func(k string) string { return k[:20] })},
		Case{Name: "kid of 10,000 letters", Reason: gateway.TooLong, Make: good(Head("kid", strings.Repeat("k", 10000)))},
		Case{Name: "header of 60 KiB", Reason: gateway.TooLong, Make: good(Head("pad", strings.Repeat("k", 40000)))},
		Case{Name: "by a stranger under the authority's kid", Reason: gateway.BadSignature, Make: good(ForgedBy(Stranger()))},
		Case{Name: "by a stranger under the stranger's kid", Reason: gateway.UnknownKey, Make: good(By(Stranger()))},
		Case{Name: "x5t of a stranger", Reason: gateway.BadSignature, Make: good(Head("x5t", Stranger().ID), ForgedBy(Stranger()))},
		Case{Name: "x5t of the authority, kid of a stranger", Reason: gateway.UnknownKey, Make: good(Head("kid", Stranger().ID))},
	)
}
