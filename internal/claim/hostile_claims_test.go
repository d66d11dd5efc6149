package claim_test

import (
	"slices"
	"strings"
)

func byName(list []recipe) []recipe {
	slices.SortFunc(list, func(a, b recipe) int { return strings.Compare(a.name, b.name) })
	return list
}

func issuerRecipes() []recipe {
	of := func(iss string) func(*forged) { return put("iss", iss) }
	out := each("access", "", map[string]func(*forged){
		"no iss":                             drop("iss"),
		"iss null":                           put("iss", nil),
		"iss empty":                          of(""),
		"iss a list":                         put("iss", []string{sts + tid + "/"}),
		"iss an object":                      put("iss", map[string]any{"x": 1}),
		"iss a number":                       put("iss", 1),
		"iss of another tenant":              of(sts + elsewhat + "/"),
		"iss without its slash":              of(sts + tid),
		"iss with two slashes":               of(sts + tid + "//"),
		"iss in plain http":                  of("http://sts.windows.net/" + tid + "/"),
		"iss in capitals":                    of("HTTPS://STS.WINDOWS.NET/" + tid + "/"),
		"iss of a host that begins alike":    of("https://sts.windows.net.evil.example/" + tid + "/"),
		"iss with a user":                    of("https://sts.windows.net@evil.example/" + tid + "/"),
		"iss with a port":                    of("https://sts.windows.net:443/" + tid + "/"),
		"iss with a query":                   of(sts + tid + "/?x"),
		"iss with a fragment":                of(sts + tid + "/#x"),
		"iss with a blank":                   of(sts + tid + "/ "),
		"iss with a line break":              of(sts + tid + "/\n"),
		"iss with dots":                      of(sts + "x/../" + tid + "/"),
		"iss as the template":                of(sts + "{tenantid}/"),
		"iss common":                         of(sts + "common/"),
		"iss of China":                       of("https://sts.chinacloudapi.cn/" + tid + "/"),
		"iss of an invisible letter":         of("https://sts.windo\u200dws.net/" + tid + "/"),
		"iss of a Cyrillic letter":           of("https://sts.windоws.net/" + tid + "/"),
		"iss of GitHub":                      of(actions),
		"iss too long":                       of(sts + strings.Repeat("x", 2000)),
		"iss of a personal account's tenant": all(of(login+elsewhat+"/v2.0"), put("ver", "2.0")),
		"tid of another tenant":              put("tid", elsewhat),
		"no tid":                             drop("tid"),
		"tid null":                           put("tid", nil),
		"tid common":                         all(put("tid", "common"), of(sts+"common/")),
		"tid empty":                          all(put("tid", ""), of(sts+"/")),
		"tid in braces":                      all(put("tid", "{"+tid+"}"), of(sts+"{"+tid+"}/")),
		"tid without dashes":                 put("tid", strings.ReplaceAll(tid, "-", "")),
		"tid of 36 other letters":            put("tid", strings.Repeat("g", 36)),
		"tid the template":                   all(put("tid", "{tenantid}"), of(sts+"{tenantid}/")),
		"tid a domain":                       put("tid", "contoso.com"),
		"tid with a NUL":                     put("tid", tid+"\x00"),
		"tid a path":                         all(put("tid", tid+"/../"+elsewhat), of(sts+tid+"/../"+elsewhat+"/")),
		"tid in capitals only":               put("tid", strings.ToUpper(tid)),
		"tid a number":                       put("tid", 7),
		"tid a list":                         put("tid", []string{tid}),
		"tid with full-width digits":         put("tid", "７b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"),
	})
	return append(append(out, objectRecipes()...), otherIssuerRecipes()...)
}

func objectRecipes() []recipe {
	return each("access", "", map[string]func(*forged){
		"oid no GUID":                          put("oid", "ada"),
		"oid empty":                            put("oid", ""),
		"oid a number":                         put("oid", 7),
		"oid a list":                           put("oid", []string{person}),
		"oid in braces":                        put("oid", "{"+person+"}"),
		"oid without dashes":                   put("oid", strings.ReplaceAll(person, "-", "")),
		"oid with a star":                      put("oid", person[:35]+"*"),
		"oid too long":                         put("oid", person+"0"),
		"oid of two":                           put("oid", person+","+person),
		"ver 2.0 from the issuer of version 1": put("ver", "2.0"),
		"ver 1":                                put("ver", "1"),
		"ver 1.00":                             put("ver", "1.00"),
		"ver empty":                            put("ver", ""),
		"ver a number":                         put("ver", 1),
		"ver 1.0 as a number":                  put("ver", num("1.0")),
		"ver a list":                           put("ver", []string{"1.0"}),
		"ver with a blank":                     put("ver", "1.0 "),
		"ver true":                             put("ver", true), "ver an object": put("ver", map[string]any{"1.0": 1}), "ver 3.0": put("ver", "3.0"),
	})
}

func otherIssuerRecipes() []recipe {
	of := func(iss string) func(*forged) { return put("iss", iss) }
	out := each("id", "", map[string]func(*forged){
		"ver 1.0 from the issuer of version 2": put("ver", "1.0"),
		"ver 2":                                put("ver", "2"),
		"ver 2.0.0":                            put("ver", "2.0.0"),
		"issuer of version 1":                  all(of(sts+tid+"/"), put("ver", "1.0")),
		"issuer with a slash behind":           of(login + tid + "/v2.0/"),
		"issuer with V2.0":                     of(login + tid + "/V2.0"),
		"issuer without a version":             of(login + tid + "/"),
		"issuer common":                        of(login + "common/v2.0"),
		"nonce of another request":             put("nonce", "n-2"),
		"no nonce":                             drop("nonce"),
		"nonce null":                           put("nonce", nil),
		"nonce empty":                          put("nonce", ""),
		"nonce in a list":                      put("nonce", []string{"n-1"}),
		"nonce a number":                       put("nonce", 1),
		"nonce in capitals":                    put("nonce", "N-1"),
		"nonce with more behind":               put("nonce", "n-1\x00"),
		"Nonce beside it":                      put("Nonce", "n-1"),
		"Nonce for nonce":                      all(drop("nonce"), put("Nonce", "n-1")),
	})
	return append(out, each("work", "", map[string]func(*forged){
		"iss with a slash":           of(actions + "/"),
		"iss of an enterprise's own": of(actions + "/contoso"),
		"iss of Entra ID":            of(sts + tid + "/"),
		"no iss":                     drop("iss"),
		"ver of 5,000 digits":        put("ver", num(strings.Repeat("1", 5000))),
		"ver an object":              put("ver", map[string]any{}),
		"tid no GUID":                put("tid", "contoso"),
		"oid no GUID":                put("oid", "contoso"),
	})...)
}

func audienceRecipes() []recipe {
	out := each("access", "aud ", map[string]func(*forged){
		"missing":                  drop("aud"),
		"null":                     put("aud", nil),
		"empty":                    put("aud", ""),
		"an empty list":            put("aud", []string{}),
		"a number":                 put("aud", 7),
		"true":                     put("aud", true),
		"an object":                put("aud", map[string]any{us: 1}),
		"with a slash":             put("aud", us+"/"),
		"in capitals":              put("aud", strings.ToUpper(us)),
		"in plain http":            put("aud", strings.Replace(us, "https", "http", 1)),
		"with more behind":         put("aud", us+".evil.example"),
		"with a blank":             put("aud", us+" "),
		"with a NUL":               put("aud", us+"\x00"),
		"of Graph":                 put("aud", "https://graph.microsoft.com"),
		"of Graph by its id":       put("aud", "00000003-0000-0000-c000-000000000000"),
		"of the app itself":        put("aud", client),
		"ours and another's":       put("aud", []string{us, "https://graph.microsoft.com"}),
		"another's and ours":       put("aud", []string{"https://graph.microsoft.com", us}),
		"ours twice":               put("aud", []string{us, us}),
		"ours in a list of a list": put("aud", [][]string{{us}}),
		"ours and a number":        put("aud", []any{us, 1}),
		"ours and null":            put("aud", []any{us, nil}),
		"ours and empty":           put("aud", []string{us, ""}),
		"two in one text":          put("aud", us+" https://graph.microsoft.com"),
		"of a part":                put("aud", us[:len(us)-1]),
	})
	return append(out, each("work", "aud ", map[string]func(*forged){
		"of the repository's owner": put("aud", "https://github.com/contoso"),
		"of Azure's exchange":       put("aud", "api://AzureADTokenExchange"),
		"of AWS":                    put("aud", "sts.amazonaws.com"),
	})...)
}

func timeRecipes() []recipe {
	out := each("access", "", map[string]func(*forged){
		"no exp":                          drop("exp"),
		"exp null":                        put("exp", nil),
		"exp a text":                      put("exp", "1790003900"),
		"exp a date":                      put("exp", "2026-09-21T15:18:20Z"),
		"exp true":                        put("exp", true),
		"exp a list":                      put("exp", []int{1790003900}),
		"exp an object":                   put("exp", map[string]any{}),
		"exp negative":                    put("exp", -1),
		"exp of minus zero":               put("exp", num("-0.0")),
		"exp 0":                           put("exp", 0),
		"exp past":                        put("exp", 1789999999),
		"exp now":                         put("exp", 1790000000),
		"exp a hair past":                 put("exp", num("1789999999.999999")),
		"exp in milliseconds":             put("exp", 1790003900000),
		"exp 1e300":                       put("exp", num("1e300")),
		"exp 1e400":                       put("exp", num("1e400")),
		"exp 1e999999999":                 put("exp", num("1e999999999")),
		"exp 1e-999999999":                put("exp", num("1e-999999999")),
		"exp beyond 64 bits":              put("exp", num("18446744073709551617")),
		"exp that wraps to the right one": put("exp", num("18446744075499555516")),
		"exp of 2^63":                     put("exp", num("9223372036854775808")),
		"exp beyond the year 9999":        put("exp", 253402300800),
		"exp of 5,000 digits":             put("exp", num(strings.Repeat("9", 5000))),
		"exp of 5,000 decimals":           put("exp", num("1790003900."+strings.Repeat("1", 5000))),
		"exp in the year 9999":            put("exp", 253402300799),
		"exp in ten years":                put("exp", 1790000000+315360000),
		"exp in three days":               put("exp", 1790000000+259200),
		"exp a second too late":           put("exp", 1789999700+172801),
		"issued ten years ago":            all(put("iat", 1474640000), drop("nbf")),
		"begun ten years ago":             all(put("nbf", 1474640000), drop("iat")),
		"begun in 1970":                   put("nbf", 0),
		"issued three days ago":           all(put("iat", 1790000000-259200), drop("nbf")),
		"ten years and nothing else":      all(put("exp", 1790000000+315360000), drop("nbf"), drop("iat")),
		"nbf a text":                      put("nbf", "0"),
		"nbf true":                        put("nbf", true),
		"nbf a list":                      put("nbf", []int{}),
		"nbf negative":                    put("nbf", -1),
		"nbf 1e30":                        put("nbf", num("1e30")),
		"nbf in a second":                 put("nbf", 1790000001),
		"nbf in a fraction of a second":   put("nbf", num("1790000000.5")),
		"nbf behind exp":                  put("nbf", 1790009999),
		"iat a text":                      put("iat", "0"),
		"iat false":                       put("iat", false),
		"iat a list":                      put("iat", []int{}),
		"iat negative":                    put("iat", -1),
		"iat 1e30":                        put("iat", num("1e30")),
		"iat in a second":                 put("iat", 1790000001),
		"iat in milliseconds":             put("iat", 1789999700000),
		"iat an object":                   put("iat", map[string]any{}),
		"iat a date":                      put("iat", "2026-09-21T14:08:20Z"),
	})
	return append(out, each("work", "", map[string]func(*forged){
		"exp past":        put("exp", 1789999999),
		"exp now":         put("exp", 1790000000),
		"lives ten years": put("exp", 2105360000),
		"lives 49 hours":  put("exp", 1790000000+49*3600),
	})...)
}

func bearerRecipes() []recipe {
	many := strings.Repeat("a.very.long.scope ", 1000)
	return each("access", "", map[string]func(*forged){
		"cnf with a key's id":                  put("cnf", map[string]any{"kid": "x"}),
		"cnf with a key":                       put("cnf", map[string]any{"jwk": map[string]any{"kty": "RSA"}}),
		"cnf with a certificate's mark":        put("cnf", map[string]any{"x5t#S256": "x"}),
		"cnf with a key's mark":                put("cnf", map[string]any{"jkt": "x"}),
		"cnf null":                             put("cnf", nil),
		"cnf empty":                            put("cnf", map[string]any{}),
		"cnf a text":                           put("cnf", "x"),
		"scp a list":                           put("scp", []string{"user_impersonation"}),
		"scp a list of one with a blank":       put("scp", []string{"a b"}),
		"scp an empty list":                    put("scp", []string{}),
		"scp a number":                         put("scp", 1),
		"scp true":                             put("scp", true),
		"scp an object":                        put("scp", map[string]any{"user_impersonation": true}),
		"scp with a line break":                put("scp", "a\nb"),
		"scp with a tab":                       put("scp", "a\tb"),
		"scp with a bidi override":             put("scp", "a\u202eb"),
		"scp with an invisible joiner":         put("scp", "us\u200der_impersonation"),
		"scp with a blank that does not break": put("scp", "a\u00a0b"),
		"scp with a Chinese blank":             put("scp", "a\u3000b"),
		"scp in full width":                    put("scp", "ｕｓｅｒ"),
		"scp too long":                         put("scp", many),
		"cnf in other letters beside it":       all(put("cnf", map[string]any{}), put("CNF", 1)),
	})
}

// spoilers are the characters by which text is hidden, ended or turned round.
var spoilers = []struct{ name, char string }{
	{"NUL", "\x00"},
	{"backspace", "\b"},
	{"tab", "\t"},
	{"line feed", "\n"},
	{"carriage return", "\r"},
	{"escape", "\x1b"},
	{"delete", "\x7f"},
	{"next line", "\u0085"},
	{"control sequence", "\u009b"},
	{"line separator", "\u2028"},
	{"paragraph separator", "\u2029"},
	{"byte order mark", "\ufeff"},
	{"left-to-right embedding", "\u202a"},
	{"right-to-left embedding", "\u202b"},
	{"pop", "\u202c"},
	{"left-to-right override", "\u202d"},
	{"right-to-left override", "\u202e"},
	{"left-to-right isolate", "\u2066"},
	{"right-to-left isolate", "\u2067"},
	{"first strong isolate", "\u2068"},
	{"pop isolate", "\u2069"},
}

var unseen = []struct{ name, char string }{
	{"joiner", "\u200d"},
	{"non-joiner", "\u200c"},
	{"zero width space", "\u200b"},
	{"right-to-left mark", "\u200f"},
	{"Arabic letter mark", "\u061c"},
	{"soft hyphen", "\u00ad"},
	{"word joiner", "\u2060"},
	{"tag letter", "\U000e0041"},
	{"annotation", "\ufff9"},
	{"Mongolian separator", "\u180e"},
}

func characterRecipes() []recipe {
	var out []recipe
	for _, name := range []string{"upn", "name"} {
		for _, s := range spoilers {
			out = append(out, recipe{name + " with " + s.name, "access", put(name, "ada"+s.char+"@contoso.com")})
		}
	}
	for _, s := range unseen {
		out = append(out, recipe{"upn with " + s.name, "access", put("upn", "ada"+s.char+"@contoso.com")})
	}
	return append(out,
		recipe{"name with an escaped escape", "access", inBody("Ada Lovelace", `\u001b[2J`)},
		recipe{"name that is a line break alone", "access", put("name", "\n")},
		recipe{"upn with a joiner in its domain", "access", put("upn", "ada@con\u200dtoso.com")},
		recipe{"sub with a line of the log", "work", put("sub", "repo:contoso/infra\nlevel=info")},
		recipe{"sub with an override", "work", put("sub", "repo:\u202econtoso/infra")},
		recipe{"sub too long", "work", put("sub", "repo:"+strings.Repeat("x", 1024))},
		recipe{"jti with an escape", "work", put("jti", "\x1b[2J")},
	)
}

func identityRecipes() []recipe {
	names := []string{"sub", "appid", "azp", "upn", "preferred_username", "unique_name", "email", "name", "given_name", "family_name", "nonce", "idtyp",
		"sid", "jti", "idp"}
	var out []recipe
	for i, name := range names {
		s := spoilers[(i*5+3)%len(spoilers)]
		wrong := []any{7, true, []string{"a"}, map[string]any{"a": 1}}[i%4]
		out = append(out, recipe{name + " with " + s.name + " at its end", "access", put(name, "a"+s.char)}, recipe{name + " too long", "access", put(name,
			strings.Repeat("é", 513))},
			recipe{name + " as " + shown(wrong), "access", put(name, wrong)})
	}
	for i, name := range []string{"amr", "acrs", "roles", "groups", "wids", "xms_cc", "verified_primary_email"} {
		s := spoilers[(i*7+5)%len(spoilers)]
		out = append(out, recipe{name + " with " + s.name + " in one of its texts", "access", put(name, []string{"mfa", "b" + s.char})},
			recipe{name + " with a text too long", "access", put(name, []string{"mfa", strings.Repeat("b", 1025)})})
	}
	return append(out,
		recipe{"amr a text with an override", "access", put("amr", "m\u202efa")},
		recipe{"amr with an invisible joiner", "access", put("amr", []string{"m\u200dfa"})},
		recipe{"wids with an invisible joiner", "access", put("wids", []string{"62e90394\u200b"})},
		recipe{"roles nested", "access", put("roles", [][]string{{"a", "b\x1b"}})},
		recipe{"roles with an invisible joiner", "access", put("roles", []string{"Ad\u200dmin"})},
		recipe{"roles with an override beside a number beyond any", "access", put("roles", num(`["a\u202e",1e400]`))},
		recipe{"acr of 5,000 digits", "access", put("acr", num(strings.Repeat("1", 5000)))},
		recipe{"upn with a filler of Hangul", "access", put("upn", "ada\u3164@contoso.com")},
		recipe{"upn with a grapheme joiner", "access", put("upn", "ada\u034f@contoso.com")},
		recipe{"groups an object whose name hides", "access", put("groups", map[string]any{"a\u202e": 1})},
		recipe{"act with a hidden subject", "access", put("act", map[string]any{"sub": "a\u202eb"})},
		recipe{"acr with a line break", "access", put("acr", "1\n")},
		recipe{"appidacr with a NUL", "access", put("appidacr", "1\x00")},
		recipe{"scope with a line break", "access", put("scope", "a\nb")},
		recipe{"username with an escape", "access", put("username", "\x1b[2J")},
		recipe{"client_id with an override", "access", put("client_id", "\u202e")},
		recipe{"login_hint with a tab", "access", put("login_hint", "a\t")},
	)
}
