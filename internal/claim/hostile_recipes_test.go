package claim_test

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
)

func algorithmRecipes() []recipe {
	var out []recipe
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "none ", " none", "none\x00", "nonе" /* a Cyrillic letter */, "", "RS256 ", "rs256",
		"Rs256", "RS256\x00", "RS256,none", "ＲＳ２５６",
		"HS256",
		"HS384",
		"HS512",
		"RS1",
		"RS384",
		"RS512",
		"PS384",
		"PS512",
		"ES256K",
		"EdDSA",
		"Ed25519",
		"RSA-OAEP",
		"dir",
		"A256GCM",
		"ML-DSA-65",
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"} {
		out = append(out, recipe{fmt.Sprintf("alg %+q", alg), "access", headed("alg", alg)})
	}
	for name, v := range map[string]any{"a list": []string{"RS256"}, "an object": map[string]any{"RS256": 1}, "true": true, "null": nil, "256": 256} {
		out = append(out, recipe{"alg is " + name, "access", headed("alg", v)})
	}
	out = append(out,
		recipe{"no alg", "access", func(f *forged) { delete(f.head, "alg") }},
		recipe{"alg none and no signature", "access", all(headed("alg", "none"), func(f *forged) { f.sigPart = func(string) string { return "" } })},
		recipe{"alg none and two parts", "access", all(headed("alg", "none"),
			func(f *forged) { f.whole = func(s string) string { return s[:strings.LastIndexByte(s, '.')] } })},
		recipe{"Alg for alg", "access", inHead(`"alg"`, `"Alg"`)},
	)
	pub := keys().private["rsa"].Public().(*rsa.PublicKey)
	pkix, _ := x509.MarshalPKIXPublicKey(pub)
	jwk, _ := json.Marshal(jose.JSONWebKey{Key: pub, KeyID: "rsa"})
	for name, secret := range map[string][]byte{"the modulus": pub.N.Bytes(), "the key's DER": pkix, "its PKCS 1": x509.MarshalPKCS1PublicKey(pub),
		"its JWK": jwk, "nothing": {}, "the kid": []byte("rsa")} {
		mac := func(_ *forged, input string) []byte {
			m := hmac.New(sha256.New, secret)
			m.Write([]byte(input))
			return m.Sum(nil)
		}
		out = append(out,
			recipe{"HS256 with " + name + " as the secret", "access", func(f *forged) { f.head["alg"], f.sign = "HS256", mac }},
			recipe{"RS256 named, HMAC with " + name, "access", func(f *forged) { f.sign = mac }})
	}
	for _, c := range []struct{ named, key, alg string }{{"RS256", "rsa", "PS256"}, {"PS256", "rsa", "RS256"}, {"ES256", "p256", "ES384"}, {"ES384",
		"p384", "ES256"}} {
		out = append(out, recipe{c.named + " named, signed as " + c.alg, "access", func(f *forged) {
			signedBy(c.key, c.named)(f)
			f.sign = func(f *forged, input string) []byte { return sign(f.t, c.key, c.alg, input) }
		}})
	}
	return byName(out)
}

func headerRecipes() []recipe {
	own := jose.JSONWebKey{Key: keys().private["stranger"].Public(), KeyID: "rsa"}
	out := []recipe{
		{"brings its own key (jwk)", "access", all(headed("jwk", own), func(f *forged) { f.key = "stranger" })},
		{"cty JWT", "access", headed("cty", "JWT")}, {"cty empty", "access", headed("cty", "")}, {"cty a list", "access", headed("cty", []string{"JWT"})},
	}
	for name, v := range map[string]any{
		"crit": []string{"exp"},
		"b64":  false,
		"zip":  "DEF",
		"enc":  "A256GCM",
		"jwk":  nil,
		"jku":  "https://evil.example/keys",
		"x5u":  "https://evil.example/cert",
		"x5c":  []string{"MIIB"},
	} {
		out = append(out, recipe{"header " + name, "access", headed(name, v)}, recipe{"header " + name + " that is empty", "access", headed(name,
			map[string]any{})},
			recipe{"header " + strings.ToUpper(name), "access", headed(strings.ToUpper(name), v)})
	}
	for _, name := range []string{"Typ", "CTY", "X5T", "B64", "jW\u212a", "j\u212au", "Alg", "ALG", "Kid", "\u212aid", "KID"} {
		out = append(out, recipe{fmt.Sprintf("header %+q, in other letters", name), "access", headed(name, "RS256")})
	}
	for _, typ := range []any{"JWE", "JOSE", "JOSE+JSON", "pop", "dpop+jwt", "logout+jwt", "secevent+jwt", "token-introspection+jwt", "kb+jwt",
		"client-authentication+jwt", "oauth-authz-req+jwt",
		"JWT ", "JWT\n", "J\u0057T\u200d", "application/application/jwt", "jwt;v=1", "", 7, true, []string{"JWT"}} {
		out = append(out, recipe{"typ " + shown(typ), "access", headed("typ", typ)})
	}
	return byName(out)
}

func keyRecipes() []recipe {
	var out []recipe
	for _, kid := range []any{"", " rsa", "rsa ", "RSA", "rsa\x00", "rsa\n", "rѕa", "../../../../dev/null", "/proc/self/environ", "rsa' OR '1'='1",
		"rsa\"}", "https://evil.example/keys", "file:///etc/passwd",
		"*", "rsa,rsa2", "$(id)", strings.Repeat("k", 10000), "unknown", nil, 0, true, []string{"rsa"}, map[string]any{"rsa": 1}} {
		name := "kid " + shown(kid)
		if len(name) > 60 {
			name = "kid of 10,000 letters"
		}
		out = append(out, recipe{name, "access", headed("kid", kid)})
	}
	out = append(out, recipe{"no kid", "access", func(f *forged) { delete(f.head, "kid") }},
		recipe{"kid of another key of ours", "access", headed("kid", "rsa2")},
		recipe{"by a stranger's key under our kid", "access", func(f *forged) { f.key = "stranger" }},
		recipe{"x5t of a stranger", "access", all(headed("x5t", "AAAA"), func(f *forged) { f.key = "stranger" })})
	for _, c := range []struct{ kid, key, alg, name string }{
		{"twin", "rsa", "RS256", "two keys of one kid"},
		{"enc", "rsa", "RS256", "a key for encryption"},
		{"psonly", "rsa", "RS256", "a key for PS256 alone"},
		{"oct", "rsa", "RS256", "a shared key"},
		{"private", "rsa", "RS256", "a private key"},
		{"small", "small", "RS256", "a key of 1,024 bits"},
		{"small", "small", "PS256", "a key of 1,024 bits, PS256"},
		{"p256", "rsa", "RS256", "an elliptic key for RS256"},
		{"p256", "rsa", "PS256", "an elliptic key for PS256"},
		{"rsa", "p256", "ES256", "an RSA key for ES256"},
		{"p384", "p256", "ES256", "P-384 for ES256"},
		{"p521", "p256", "ES256", "P-521 for ES256"},
		{"p256", "p384", "ES384", "P-256 for ES384"},
		{"p521", "p384", "ES384", "P-521 for ES384"},
		{"p256", "p521", "ES512", "P-256 for ES512"}, {"p384", "p521", "ES512", "P-384 for ES512"},
	} {
		out = append(out, recipe{c.name, "access", func(f *forged) { signedBy(c.key, c.alg)(f); f.head["kid"] = c.kid }})
	}
	return out
}

// shown writes a value for the name of a recipe.
func shown(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%+q", s)
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func encodingRecipes() []recipe {
	whole := func(do func(s string) string) func(*forged) { return func(f *forged) { f.whole = do } }
	part := func(i int, do func(string) string) func(*forged) {
		return whole(func(s string) string {
			p := strings.Split(s, ".")
			p[i] = do(p[i])
			return strings.Join(p, ".")
		})
	}
	pad := func(s string) string {
		return s + strings.Repeat("=", (4-len(s)%4)%4) + map[bool]string{true: "="}[len(s)%4 == 0]
	}
	return each("id", "", map[string]func(*forged){
		"padded header": func(f *forged) { f.headPart = pad }, "padded claims": func(f *forged) { f.bodyPart = pad }, "padded signature": part(2, pad),
		"line break in the header":         part(0, func(s string) string { return s[:8] + "\n" + s[8:] }),
		"line break in the claims, signed": func(f *forged) { f.bodyPart = func(s string) string { return s[:8] + "\r\n" + s[8:] } },
		"blank before":                     whole(func(s string) string { return " " + s }),
		"line break behind":                whole(func(s string) string { return s + "\n" }),
		"NUL behind":                       whole(func(s string) string { return s + "\x00" }),
		"byte order mark before":           whole(func(s string) string { return "\ufeff" + s }),
		"tab behind":                       whole(func(s string) string { return s + "\t" }),
		"Bearer before":                    whole(func(s string) string { return "Bearer " + s }),
		"quoted":                           whole(func(s string) string { return `"` + s + `"` }),
		"in UTF-16":                        whole(func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") }),
		"four parts":                       whole(func(s string) string { return s + ".e30" }),
		"a dot behind":                     whole(func(s string) string { return s + "." }),
		"a dot before":                     whole(func(s string) string { return "." + s }),
		"five parts":                       whole(func(s string) string { return s + ".e30.e30" }),
		"one part":                         whole(func(s string) string { return strings.Split(s, ".")[0] }),
		"empty":                            whole(func(string) string { return "" }),
		"two dots":                         whole(func(string) string { return ".." }),
		"no header":                        part(0, func(string) string { return "" }),
		"detached":                         part(1, func(string) string { return "" }),
		"no signature":                     part(2, func(string) string { return "" }),
		"two tokens":                       whole(func(s string) string { return s + "," + s }),
		"percent signs":                    whole(func(s string) string { return strings.Replace(s, ".", "%2E", 1) }),
		"another dot":                      whole(func(s string) string { return strings.Replace(s, ".", "。", 1) }),
		"flattened JSON": whole(func(s string) string {
			p := strings.Split(s, ".")
			return fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, p[1], p[0], p[2])
		}),
		"general JSON": whole(func(s string) string {
			p := strings.Split(s, ".")
			return fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, p[1], p[0], p[2])
		}),
		"longer than 64 KiB":                     put("x", strings.Repeat("x", claim.MaxSize)),
		"the signature's bits that mean nothing": part(2, func(s string) string { return s[:len(s)-1] + loosened(s) }),
		"claims in the alphabet of mail, signed": all(put("x", strings.Repeat("\u00ff\u07ff?>~", 8)),
			func(f *forged) { f.bodyPart = strings.NewReplacer("-", "+", "_", "/").Replace }),
		"a letter more in the header":                 func(f *forged) { f.headPart = func(s string) string { return s + strings.Repeat("A", 5-len(s)%4) } },
		"claims of another token under its signature": part(1, func(string) string { return b64([]byte(`{"iss":"x"}`)) }),
		"header of another token under its signature": part(0, func(string) string { return b64([]byte(`{"alg":"RS256","kid":"rsa"}`)) }),
	})
}

// loosened is the last letter of s with bits on that mean nothing.
func loosened(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])|1])
}

func jsonRecipes() []recipe {
	out := each("access", "header ", map[string]func(*forged){
		"with alg twice":               inHead(`{"alg"`, `{"alg":"none","alg"`),
		"with kid twice, once escaped": inHead(`{"alg"`, `{"\u006bid":"rsa2","alg"`),
		"a list":                       inHead(`{"alg":"RS256","kid":"rsa","typ":"JWT"}`, `["RS256"]`),
		"null":                         inHead(`{"alg":"RS256","kid":"rsa","typ":"JWT"}`, `null`),
		"with text behind":             inHead(`"JWT"}`, `"JWT"}x`),
		"with a second object":         inHead(`"JWT"}`, `"JWT"}{}`),
		"with a comment":               inHead(`{"alg"`, `{/**/"alg"`),
		"with a comma too many":        inHead(`"JWT"}`, `"JWT",}`),
		"with a byte order mark":       inHead(`{"alg"`, "\ufeff"+`{"alg"`),
		"with invalid UTF-8":           inHead(`"JWT"}`, "\"JWT\",\"x\":\"\xff\"}"),
		"nested too deep":              inHead(`"JWT"}`, `"JWT","x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`}`),
		"with half a character":        inHead(`"JWT"}`, `"JWT","x":"\ud800"}`),
		"in single quotes":             inHead(`"alg"`, `'alg'`), "with a NUL behind": inHead(`"JWT"}`, "\"JWT\"}\x00"), "cut": inHead(`"JWT"}`, `"JWT"`),
	})
	claims := map[string]func(*forged){
		"a list": func(f *forged) { f.bodyText = func(s string) string { return "[" + s + "]" } },
		"null":   func(f *forged) { f.bodyText = func(string) string { return "null" } },
		"a token": func(f *forged) {
			f.bodyText = func(string) string { return recipe{profile: "access"}.forge(f.t) }
		},
		"with text behind":                 func(f *forged) { f.bodyText = func(s string) string { return s + "x" } },
		"with a second object":             func(f *forged) { f.bodyText = func(s string) string { return s + s } },
		"with a comma too many":            inBody(`"ver":"1.0"`, `"ver":"1.0",`),
		"with a comment":                   inBody(`"ver"`, `/**/"ver"`),
		"with NaN":                         inBody(`"exp":1790003900`, `"exp":NaN`),
		"with hex":                         inBody(`"exp":1790003900`, `"exp":0x6AB13BDC`),
		"with a plus":                      inBody(`"exp":1790003900`, `"exp":+1790003900`),
		"with a leading zero":              inBody(`"exp":1790003900`, `"exp":01790003900`),
		"with underscores":                 inBody(`"exp":1790003900`, `"exp":1_790_003_900`),
		"with a byte order mark":           inBody(`{"acr"`, "\ufeff"+`{"acr"`),
		"with NUL behind":                  func(f *forged) { f.bodyText = func(s string) string { return s + "\x00\x00" } },
		"with a raw control character":     inBody(`"Ada Lovelace"`, "\"Ada\x01Lovelace\""),
		"with a raw line break":            inBody(`"Ada Lovelace"`, "\"Ada\nLovelace\""),
		"with invalid UTF-8":               inBody(`"Ada Lovelace"`, "\"Ada\xff\""),
		"with overlong UTF-8":              inBody(`"Ada Lovelace"`, "\"\xc0\xaf\""),
		"with a surrogate in UTF-8":        inBody(`"Ada Lovelace"`, "\"\xed\xa0\x80\""),
		"beyond Unicode":                   inBody(`"Ada Lovelace"`, "\"\xf4\x90\x80\x80\""),
		"with half a character":            inBody(`"Ada Lovelace"`, `"\ud83d"`),
		"with the halves turned round":     inBody(`"Ada Lovelace"`, `"\ude00\ud83d"`),
		"with half a character in a name":  inBody(`"ver"`, `"\udc00":1,"ver"`),
		"nested too deep":                  put("x", json.RawMessage(strings.Repeat("[", 16)+strings.Repeat("]", 16))),
		"nested 4,000 deep":                put("x", json.RawMessage(strings.Repeat("[", 4000)+strings.Repeat("]", 4000))),
		"with a deep name twice":           put("x", json.RawMessage(`{"a":{"b":1,"b":2}}`)),
		"with a deep name twice in a list": put("x", json.RawMessage(`[{"a":1,"\u0061":2}]`)),
	}
	for _, name := range []string{"iss", "aud", "exp", "tid", "oid", "sub", "amr", "scp", "nbf", "appid", "ver", "upn", "cnf", "unheard_of"} {
		claims["with "+name+" twice"] = inBody(`{"acr"`, `{"`+name+`":"a","`+name+`":"b","acr"`)
	}
	claims["with sub twice, once escaped"] = inBody(`"sub"`, `"s\u0075b":"root","sub"`)
	for _, name := range []string{"ISS", "Sub", "\u017fub", "SUB", "Aud", "EXP", "Tid", "OID", "AMR", "Scp", "\u017fcp", "APPID", "Ver", "Upn", "nBf",
		"iAt", "i\u017fs"} {
		claims[fmt.Sprintf("with %+q beside it", name)] = put(name, "a")
	}
	return append(out, each("access", "claims ", claims)...)
}
