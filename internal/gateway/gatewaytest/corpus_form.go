package gatewaytest

import (
	"fmt"
	"strings"

	"partnerguard/internal/gateway"
)

// partCases have the wrong parts.
func partCases() []Case {
	out := each("", gateway.Malformed, map[string]Edit{
		"four parts": whole(func(s string) string { return s + ".e30" }), "a dot behind": whole(func(s string) string { return s + "." }),
		"a dot before": whole(func(s string) string { return "." + s }), "one part": whole(func(s string) string { return strings.Split(s, ".")[0] }),
		"two dots": whole(func(string) string { return ".." }), "no header": part(0, func(string) string { return "" }),
		"detached": part(1, func(string) string { return "" }), "no signature": part(2, func(string) string { return "" }),
		"a reference token": whole(func(string) string { return "gho_16C7e42F292c6912E7710c838347Ae178B4a" }),
		"a refresh token":   whole(func(string) string { return "0.AXEAXhwtew8GL0-aQT8dbwyeIQEAAAAAAPEPzgAAAAAAAADEAAA" }),
		"six parts":         whole(func(s string) string { return s + ".e30.e30.e30" }),
		"flattened JSON": whole(func(s string) string {
			p := strings.Split(s, ".")
			return fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, p[1], p[0], p[2])
		}),
		"general JSON": whole(func(s string) string {
			p := strings.Split(s, ".")
			return fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, p[1], p[0], p[2])
		}),
		"a SAML assertion": whole(func(string) string { return "PHNhbWw6QXNzZXJ0aW9uIHhtbG5zOnNhbWw9InVybiI+PC9zYW1sOkFzc2VydGlvbj4" }),
	})
	out = append(out, each("", gateway.Encrypted, map[string]Edit{
		"encrypted (JWE)": whole(func(string) string {
			return B64([]byte(`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"x"}`)) + ".a2V5.aXY.Y2lwaGVy.dGFn"
		}),
		"encrypted, with no key": whole(func(string) string {
			return B64([]byte(`{"alg":"dir","enc":"A256GCM"}`)) + "..aXY.Y2lwaGVy.dGFn"
		}),
		"five parts of a signed one": whole(func(s string) string { return s + ".e30.e30" }),
	})...)
	return append(out, each("", gateway.TooLong, map[string]Edit{
		"70 KiB of one claim":   Set("x", strings.Repeat("x", 70<<10)),
		"a megabyte of letters": whole(func(string) string { return strings.Repeat("a", 1<<20) }),
		"a megabyte of dots":    whole(func(string) string { return strings.Repeat(".", 1<<20) }),
		"20,000 groups":         Set("groups", strings.Split(strings.Repeat(Person+",", 20000), ",")),
	})...)
}

// encodingCases are written in another way than the only one.
func encodingCases() []Case {
	pad := func(s string) string {
		n := (4 - len(s)%4) % 4
		if n == 0 {
			n = 4
		}
		return s + strings.Repeat("=", n)
	}
	out := each("", gateway.Malformed, map[string]Edit{
		"padded header": func(t *Token) { t.HeadPart = pad }, "padded claims": func(t *Token) { t.BodyPart = pad },
		"padded signature":                   part(2, pad),
		"line break in the header":           part(0, func(s string) string { return s[:8] + "\n" + s[8:] }),
		"line break in the claims, signed":   func(t *Token) { t.BodyPart = func(s string) string { return s[:8] + "\r\n" + s[8:] } },
		"blank before":                       whole(func(s string) string { return " " + s }),
		"blank behind":                       whole(func(s string) string { return s + " " }),
		"line break behind":                  whole(func(s string) string { return s + "\n" }),
		"NUL behind":                         whole(func(s string) string { return s + "\x00" }),
		"tab behind":                         whole(func(s string) string { return s + "\t" }),
		"byte order mark before":             whole(func(s string) string { return "\ufeff" + s }),
		"joiner in the claims":               part(1, func(s string) string { return s[:8] + "\u200d" + s[8:] }),
		"Bearer before":                      whole(func(s string) string { return "Bearer " + s }),
		"quoted":                             whole(func(s string) string { return `"` + s + `"` }),
		"in UTF-16":                          whole(func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") }),
		"percent signs":                      whole(func(s string) string { return strings.Replace(s, ".", "%2E", 1) }),
		"another dot":                        whole(func(s string) string { return strings.Replace(s, ".", "。", 1) }),
		"two tokens":                         whole(func(s string) string { return s + "," + s }),
		"the signature's bits that say none": part(2, func(s string) string { return s[:len(s)-1] + loosened(s) }),
		"claims in the alphabet of mail": all(Set("x", strings.Repeat("\u00ff\u07ff?>~", 8)),
			func(t *Token) { t.BodyPart = strings.NewReplacer("-", "+", "_", "/").Replace }),
		"a letter more in the header": func(t *Token) {
			t.HeadPart = func(s string) string { return s + strings.Repeat("A", 5-len(s)%4) }
		},
	})
	return append(out,
		Case{Name: "claims of another token", Reason: gateway.BadSignature, Make: good(part(1, func(s string) string {
			return B64([]byte(swap(string(unb64(s)), `"mfa"`, `"mfb"`)))
		}))},
		Case{Name: "header of another token", Reason: gateway.BadSignature, Make: func(a *Authority) string {
			return a.Good(part(0, func(string) string { return B64([]byte(`{"alg":"RS256","kid":"` + a.Newest().ID + `"}`)) }))
		}})
}

// loosened is the last letter of s with bits on that mean nothing.
func loosened(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])|1])
}

func headJSONCases() []Case {
	return each("header ", gateway.Malformed, map[string]Edit{
		"with alg twice": inHead(`{"alg"`, `{"alg":"none","alg"`), "with kid twice, once escaped": inHead(`{"alg"`, `{"\u006bid":"a","alg"`),
		"a list":               func(t *Token) { t.HeadText = func(string) string { return `["RS256"]` } },
		"null":                 func(t *Token) { t.HeadText = func(string) string { return `null` } },
		"a text":               func(t *Token) { t.HeadText = func(string) string { return `"RS256"` } },
		"empty":                func(t *Token) { t.HeadText = func(string) string { return ` ` } },
		"with text behind":     inHead(`"typ":"JWT"`, `"typ":"JWT"}x,{"a":1`),
		"with a second object": func(t *Token) { t.HeadText = func(s string) string { return s + s } },
		"with a comment":       inHead(`{"alg"`, `{/**/"alg"`), "with a comma too many": inHead(`{"alg"`, `{,"alg"`),
		"with a comma at the end": func(t *Token) { t.HeadText = func(s string) string { return s[:len(s)-1] + ",}" } },
		"with a byte order mark":  inHead(`{"alg"`, "\ufeff"+`{"alg"`), "with invalid UTF-8": inHead(`"JWT"`, "\"JWT\",\"x\":\"\xff\""),
		"nested too deep":       inHead(`"JWT"`, `"JWT","x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)),
		"with half a character": inHead(`"JWT"`, `"JWT","x":"\ud800"`),
		"in single quotes":      inHead(`"alg"`, `'alg'`), "with a NUL behind": func(t *Token) { t.HeadText = func(s string) string { return s + "\x00" } },
		"cut":                     func(t *Token) { t.HeadText = func(s string) string { return s[:len(s)-1] } },
		"with a name of no quote": inHead(`"alg"`, `alg`),
	})
}

func bodyJSONCases() []Case {
	text := func(do func(string) string) Edit { return func(t *Token) { t.BodyText = do } }
	return each("claims ", gateway.Malformed, map[string]Edit{
		"a list": text(func(s string) string { return "[" + s + "]" }), "null": text(func(string) string { return "null" }),
		"a number":         text(func(string) string { return "1" }),
		"with text behind": text(func(s string) string { return s + "x" }), "with a second object": text(func(s string) string { return s + s }),
		"with a comma too many": inBody(`"ver":"1.0"`, `"ver":"1.0",`), "with a comment": inBody(`"ver"`, `/**/"ver"`),
		"with NaN": inBody(`"exp":1790003600`, `"exp":NaN`), "with hex": inBody(`"exp":1790003600`, `"exp":0x6AB13BDC`),
		"with a plus": inBody(`"exp":1790003600`, `"exp":+1790003600`), "with a leading zero": inBody(`"exp":1790003600`, `"exp":01790003600`),
		"with a dot and no digit": inBody(`"exp":1790003600`, `"exp":1790003600.`), "with an exponent of none": inBody(`"exp":1790003600`, `"exp":1790003600e`),
		"with underscores": inBody(`"exp":1790003600`, `"exp":1_790_003_600`), "with a byte order mark": inBody(`{"acr"`, "\ufeff"+`{"acr"`),
		"with NUL behind":              text(func(s string) string { return s + "\x00\x00" }),
		"with a raw control character": inBody(`"Ada Lovelace"`, "\"Ada\x01Lovelace\""), "with a raw line break": inBody(`"Ada Lovelace"`, "\"Ada\nLovelace\""),
		"with invalid UTF-8": inBody(`"Ada Lovelace"`, "\"Ada\xff\""), "with overlong UTF-8": inBody(`"Ada Lovelace"`, "\"\xc0\xaf\""),
		"with a surrogate in UTF-8": inBody(`"Ada Lovelace"`, "\"\xed\xa0\x80\""), "beyond Unicode": inBody(`"Ada Lovelace"`, "\"\xf4\x90\x80\x80\""),
		"with half a character": inBody(`"Ada Lovelace"`, `"\ud83d"`), "with the halves turned round": inBody(`"Ada Lovelace"`, `"\ude00\ud83d"`),
		"with half a character in a name": inBody(`"ver"`, `"\udc00":1,"ver"`), "with an escape of none": inBody(`"Ada Lovelace"`, `"\x41"`),
		"with an escape cut": inBody(`"Ada Lovelace"`, `"\u00"`), "with True": inBody(`"ver"`, `"x":True,"ver"`),
		"with undefined":      inBody(`"ver"`, `"x":undefined,"ver"`),
		"nested too deep":     Set("x", num(strings.Repeat("[", 16)+strings.Repeat("]", 16))),
		"nested 4,000 deep":   Set("x", num(strings.Repeat("[", 4000)+strings.Repeat("]", 4000))),
		"objects nested deep": Set("x", num(strings.Repeat(`{"a":`, 2000)+"1"+strings.Repeat("}", 2000))),
		"of 1,000 names":      inBody(`{"acr"`, "{"+manyNames(1000)+`"acr"`),
		"that are another token": func(t *Token) {
			s := B64([]byte("{}"))
			t.BodyText = func(string) string { return s + "." + s + "." + s }
		},
	})
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"n%d":0,`, i)
	}
	return b.String()
}

// doubleCases say a thing twice.
func doubleCases() []Case {
	list := map[string]Edit{
		"sub twice, once escaped": inBody(`"sub"`, `"s\u0075b":"root","sub"`), "amr twice, once escaped": inBody(`"amr"`, `"\u0061mr":["mfa"],"amr"`),
		"a deep name twice": Set("x", num(`{"a":{"b":1,"b":2}}`)), "a deep name twice in a list": Set("x", num(`[{"a":1,"\u0061":2}]`)),
		"amr twice, without mfa and with": all(Drop("amr"), inBody(`{"acr"`, `{"amr":["pwd"],"amr":["mfa"],"acr"`)),
	}
	for _, name := range []string{"iss", "aud", "exp", "tid", "oid", "sub", "amr", "scp", "nbf", "appid", "ver", "upn", "unheard_of"} {
		list[name+" twice"] = all(Drop(name), inBody(`"puid"`, `"`+name+`":"a","`+name+`":"b","puid"`))
	}
	for _, name := range []string{"ISS", "Sub", "\u017fub", "Aud", "EXP", "Tid", "OID", "AMR", "Amr", "Scp", "\u017fcp", "APPID", "Ver", "Upn", "nBf", "iAt",
		"i\u017fs",
		"Auth_Time"} {
		list[fmt.Sprintf("%+q beside it", name)] = Set(name, "a")
	}
	return each("", gateway.Malformed, list)
}
