package gatewaytest

import (
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/gateway"
)

const (
	sts   = "https://sts.windows.net/"
	login = "https://login.microsoftonline.com/"
)

func issuerCases() []Case {
	of := func(iss string) Edit { return Set("iss", iss) }
	out := each("iss ", gateway.BadIssuer, map[string]Edit{
		"of another tenant": of(sts + Elsewhere + "/"), "without its slash": of(sts + Partner), "with two slashes": of(sts + Partner + "//"),
		"in plain http": of("http://sts.windows.net/" + Partner + "/"), "in capitals": of("HTTPS://STS.WINDOWS.NET/" + Partner + "/"),
		"of a host that begins alike": of("https://sts.windows.net.evil.example/" + Partner + "/"),
		"with a user":                 of("https://sts.windows.net@evil.example/" + Partner + "/"),
		"with a port":                 of("https://sts.windows.net:443/" + Partner + "/"), "with a query": of(sts + Partner + "/?x"),
		"with a fragment": of(sts + Partner + "/#x"),
		"with a blank":    of(sts + Partner + "/ "), "with a line break": of(sts + Partner + "/\n"), "with dots": of(sts + "x/../" + Partner + "/"),
		"the template": of(sts + "{tenantid}/"), "common": of(sts + "common/"), "of China": of("https://sts.chinacloudapi.cn/" + Partner + "/"),
		"of an invisible letter": of("https://sts.windo\u200dws.net/" + Partner + "/"), "of a Cyrillic letter": of("https://sts.windоws.net/" + Partner + "/"),
		"of GitHub": of("https://token.actions.githubusercontent.com"), "of a B2C tenant": of("https://contoso.b2clogin.com/" + Partner + "/v2.0/"),
		"with V2.0": all(of(login+Partner+"/V2.0"), Set("ver", "2.0")), "with a slash behind v2.0": all(of(login+Partner+"/v2.0/"), Set("ver", "2.0")),
		"of AD FS":                 of("http://adfs.contoso.example/adfs/services/trust"),
		"of an External ID tenant": of("https://" + Partner + ".ciamlogin.com/" + Partner + "/v2.0"),
	})
	out = append(out, each("tid ", gateway.BadIssuer, map[string]Edit{
		"of another tenant": Set("tid", Elsewhere), "in capitals only": Set("tid", strings.ToUpper(Partner)),
		"of zeros": Set("tid", "00000000-0000-0000-0000-000000000000"),
	})...)
	return append(out, each("", gateway.BadClaim, map[string]Edit{
		"no iss": Drop("iss"), "iss null": Set("iss", nil), "iss empty": of(""), "iss a list": Set("iss", []string{sts + Partner + "/"}),
		"iss an object": Set("iss", map[string]any{"x": 1}), "iss a number": Set("iss", 1), "iss too long": of(sts + strings.Repeat("x", 2000)),
		"no tid": Drop("tid"), "tid null": Set("tid", nil), "tid common": all(Set("tid", "common"), of(sts+"common/")),
		"tid empty":     all(Set("tid", ""), of(sts+"/")),
		"tid in braces": all(Set("tid", "{"+Partner+"}"), of(sts+"{"+Partner+"}/")), "tid without dashes": Set("tid", strings.ReplaceAll(Partner, "-", "")),
		"tid of 36 other letters": Set("tid", strings.Repeat("g", 36)), "tid the template": all(Set("tid", "{tenantid}"), of(sts+"{tenantid}/")),
		"tid a domain": Set("tid", "contoso.example"), "tid with a NUL": Set("tid", Partner+"\x00"), "tid a number": Set("tid", 7),
		"tid a list":                 Set("tid", []string{Partner}),
		"tid a path":                 all(Set("tid", Partner+"/../"+Elsewhere), of(sts+Partner+"/../"+Elsewhere+"/")),
		"tid with full-width digits": Set("tid", "７b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"),
	})...)
}

// versionCases mix the tokens of both versions.
func versionCases() []Case {
	v2 := func(edits ...Edit) func(*Authority) string {
		return func(a *Authority) string { return a.Mint(V2(Partner), edits...) }
	}
	var out []Case
	for _, v := range []any{"2.0", "1", "1.00", "", "1.0 ", "3.0", 1, num("1.0"), true, []string{"1.0"}, map[string]any{"1.0": 1}} {
		out = append(out, Case{Name: "version 1 that says ver " + shown(v), Reason: gateway.BadClaim, Make: good(Set("ver", v))})
	}
	for _, v := range []any{"1.0", "2", "2.0.0", 2, num("2.0")} {
		out = append(out, Case{Name: "version 2 that says ver " + shown(v), Reason: gateway.BadClaim, Make: v2(Set("ver", v))})
	}
	return append(out,
		Case{Name: "claims of version 1 by the issuer of version 2", Reason: gateway.BadClaim, Make: good(Set("iss", login+Partner+"/v2.0"))},
		Case{Name: "claims of version 2 by the issuer of version 1", Reason: gateway.BadClaim, Make: v2(Set("iss", sts+Partner+"/"))},
		Case{Name: "version 2 without amr that says version 1 by its issuer alone", Reason: gateway.SingleFactor,
			Make: v2(Set("iss", sts+Partner+"/"), Drop("ver"))},
		Case{Name: "version 2 without ver and amr", Reason: gateway.VersionHides, Make: v2(Drop("ver"))},
	)
}

// formCases have claims of a wrong form.
func formCases() []Case {
	list := map[string]Edit{
		"cnf with a key's id": Set("cnf", map[string]any{"kid": "x"}), "cnf with a key": Set("cnf", map[string]any{"jwk": map[string]any{"kty": "RSA"}}),
		"cnf null": Set("cnf", nil), "cnf a text": Set("cnf", "x"), "scp a list": Set("scp", []string{"user_impersonation"}), "scp a number": Set("scp", 1),
		"scp an object": Set("scp", map[string]any{"a": true}), "scp with a line break": Set("scp", "a\nb"), "scp with an override": Set("scp", "a\u202eb"),
		"scp with a blank that does not break": Set("scp", "a\u00a0b"), "scp too long": Set("scp", strings.Repeat("a.very.long.scope ", 1000)),
		"roles a text": Set("roles", "Admin"), "roles an object": Set("roles", map[string]any{"Admin": true}),
		"roles of a number": Set("roles", []any{"Admin", 1}),
		"roles nested":      Set("roles", [][]string{{"Admin"}}), "groups a text": Set("groups", Person), "groups of null": Set("groups", []any{nil}),
		"wids an object": Set("wids", map[string]any{"0": "62e90394-69f5-4237-9190-012177145e10"}), "acrs a text": Set("acrs", "c1"),
		"acrs of numbers": Set("acrs", []int{1}),
		"xms_cc a number": Set("xms_cc", 1), "oid no GUID": Set("oid", "ada"), "oid empty": Set("oid", ""), "oid in braces": Set("oid", "{"+Person+"}"),
		"oid of two": Set("oid", Person+","+Person), "oid with a star": Set("oid", Person[:35]+"*"),
	}
	wrong := []any{7, true, []string{"a"}, map[string]any{"a": 1}}
	for i, name := range []string{"sub", "appid", "azp", "upn", "preferred_username", "unique_name", "email", "name", "nonce", "idtyp", "sid", "jti",
		"uti", "idp"} {
		list[name+" "+shown(wrong[i%4])] = Set(name, wrong[i%4])
		list[name+" too long"] = Set(name, strings.Repeat("é", 513))
	}
	return each("", gateway.BadClaim, list)
}

// spoilers are characters by which text is hidden, ended or turned round.
var spoilers = []struct{ name, char string }{
	{"NUL", "\x00"}, {"backspace", "\b"}, {"tab", "\t"}, {"line feed", "\n"}, {"carriage return", "\r"}, {"escape", "\x1b"}, {"delete", "\x7f"},
	{"next line", "\u0085"},
	{"line separator", "\u2028"}, {"paragraph separator", "\u2029"}, {"byte order mark", "\ufeff"}, {"right-to-left embedding", "\u202b"}, {"pop", "\u202c"},
	{"right-to-left override", "\u202e"}, {"right-to-left isolate", "\u2067"}, {"joiner", "\u200d"}, {"zero width space", "\u200b"},
	{"right-to-left mark", "\u200f"}, {"soft hyphen", "\u00ad"}, {"word joiner", "\u2060"}, {"tag letter", "\U000e0041"}, {"filler of Hangul", "\u3164"},
	{"blank of Braille", "\u2800"}, {"grapheme joiner", "\u034f"},
}

func characterCases() []Case {
	list := map[string]Edit{
		"name with an escaped escape": inBody("Ada Lovelace", `\u001b[2J`), "amr with a joiner": Set("amr", []string{"m\u200dfa"}),
		"amr a text with an override": Set("amr", "m\u202efa"), "roles with a joiner": Set("roles", []string{"Ad\u200dmin"}),
		"groups an object whose name hides": Set("groups", map[string]any{"a\u202e": 1}),
		"act with a hidden subject":         Set("act", map[string]any{"sub": "a\u202eb"}),
		"wids with a space of no width":     Set("wids", []string{"62e90394\u200b"}), "acr of 5,000 digits": Set("acr", num(strings.Repeat("1", 5000))),
	}
	for i, s := range spoilers {
		list["upn with "+s.name] = Set("upn", "ada"+s.char+"@contoso.example")
		name := []string{"sub", "appid", "sid", "uti", "unique_name", "idp"}[i%6]
		list[name+" with "+s.name+" at its end"] = Set(name, "a"+s.char)
	}
	return each("", gateway.BadClaim, list)
}

func timeCases() []Case {
	at := Now.Unix()
	out := each("", gateway.Expired, map[string]Edit{
		"exp a second past": Set("exp", at-1), "exp now": Set("exp", at), "a year past": Times(-365 * 24 * time.Hour), "two hours past": Times(-2 * time.Hour),
	})
	out = append(out, each("", gateway.NotYetValid, map[string]Edit{
		"nbf in a second": Set("nbf", at+1), "iat in a second": Set("iat", at+1), "nbf in half an hour": Set("nbf", at+1800),
		"of tomorrow": Times(24 * time.Hour),
	})...)
	list := map[string]Edit{
		"no exp": Drop("exp"), "exp negative": Set("exp", -1), "exp in milliseconds": Set("exp", at*1000), "exp 1e300": Set("exp", num("1e300")),
		"exp 1e999999999": Set("exp", num("1e999999999")), "exp beyond 64 bits": Set("exp", num("18446744073709551617")),
		"exp that wraps to the right one": Set("exp", num("18446744075499555516")), "exp of 2^63": Set("exp", num("9223372036854775808")),
		"exp beyond the year 9999": Set("exp", 253402300800), "exp of 5,000 digits": Set("exp", num(strings.Repeat("9", 5000))),
		"exp in the year 9999": Set("exp", 253402300799), "exp in ten years": Set("exp", at+315360000), "exp in three days": Set("exp", at+259200),
		"ten years and nothing else": all(Set("exp", at+315360000), Drop("nbf", "iat")), "begun in 1970": Set("nbf", 0),
		"issued ten years ago": Set("iat", at-315360000),
		"nbf behind exp":       Set("nbf", at+9999), "iat in milliseconds": Set("iat", at*1000), "exp a fraction": Set("exp", num("1790003600.5")),
		"exp in powers": Set("exp", num("1.7900036e9")), "exp minus zero": Set("exp", num("-0")), "a second more than two days": Set("exp", at-300+172801),
	}
	for _, name := range []string{"exp", "nbf", "iat"} {
		for _, v := range []any{"1790003600", "2026-09-21T15:18:20Z", true, []int{1790003600}, map[string]any{}} {
			list[name+" "+shown(v)] = Set(name, v)
		}
	}
	list["exp null"] = Set("exp", nil)
	return append(out, each("", gateway.BadClaim, list)...)
}

func audienceCases() []Case {
	list := map[string]Edit{
		"with a slash": Set("aud", Audience+"/"), "in capitals": Set("aud", strings.ToUpper(Audience)), "with more behind": Set("aud", Audience+".evil"),
		"with a blank": Set("aud", Audience+" "), "with a NUL": Set("aud", Audience+"\x00"), "of Graph": Set("aud", "https://graph.microsoft.com"),
		"of Graph by its id": Set("aud", "00000003-0000-0000-c000-000000000000"), "of Partner Center": Set("aud", "https://api.partnercenter.microsoft.com"),
		"ours and another's": Set("aud", []string{Audience, "https://graph.microsoft.com"}),
		"another's and ours": Set("aud", []string{"https://graph.microsoft.com", Audience}),
		"ours twice":         Set("aud", []string{Audience, Audience}), "an empty list": Set("aud", []string{}),
		"two in one text": Set("aud", Audience+" https://graph.microsoft.com"),
		"of a part":       Set("aud", Audience[:len(Audience)-1]), "a pattern": Set("aud", "*"),
	}
	out := each("aud ", gateway.WrongAudience, list)
	return append(out, each("aud ", gateway.BadClaim, map[string]Edit{
		"missing": Drop("aud"), "null": Set("aud", nil), "empty": Set("aud", ""), "a number": Set("aud", 7),
		"an object":                Set("aud", map[string]any{Audience: 1}),
		"ours in a list of a list": Set("aud", [][]string{{Audience}}), "ours and a number": Set("aud", []any{Audience, 1}),
		"ours and null": Set("aud", []any{Audience, nil}),
	})...)
}

// tenantCases are of tenants that are not ours.
func tenantCases() []Case {
	foreign := func(edits ...Edit) func(*Authority) string {
		return func(a *Authority) string { return a.Mint(V1(Elsewhere), edits...) }
	}
	return []Case{
		{Name: "of a foreign tenant", Reason: gateway.ForeignTenant, Make: foreign()},
		{Name: "of a foreign tenant, for another", Reason: gateway.ForeignTenant, Make: foreign(Set("aud", "https://graph.microsoft.com"))},
		{Name: "of a foreign tenant, version 2", Reason: gateway.ForeignTenant, Make: func(a *Authority) string { return a.Mint(V2(Elsewhere)) }},
		{Name: "of a foreign tenant whose own key has our kid", Reason: gateway.BadSignature, Make: foreign(ForgedBy(Stranger()))},
		{Name: "an app of a foreign tenant", Reason: gateway.ForeignTenant, Make: func(a *Authority) string { return a.Mint(AppOnly(Elsewhere)) }},
		{Name: "of a guest whose home is ours, at a foreign tenant's", Reason: gateway.CustomerNotAllowed,
			Make: foreign(Set("idp", sts+Partner+"/"))},
		{Name: "for a customer that is not allowed (AOBO)", Reason: gateway.CustomerNotAllowed,
			Make: func(a *Authority) string { return a.Mint(AOBO(Customer)) }},
		{Name: "for a customer, where another is allowed", Reason: gateway.CustomerNotAllowed,
			Make: func(a *Authority) string { return a.Mint(AOBO(Customer)) },
			Rule: func(r *gateway.Route) { r.Customers = []string{Elsewhere} }},
		{Name: "of a customer's own person", Reason: gateway.ForeignTenant, Make: func(a *Authority) string { return a.Mint(V1(Customer)) },
			Rule: func(r *gateway.Route) { r.Customers = []string{Customer} }},
	}
}

// mfaCases show no MFA.
func mfaCases() []Case {
	var out []Case
	for _, v := range []any{"mfa", "pwd,mfa", []string{}, []string{"pwd"}, []string{"ngcmfa"}, []string{"pwd", "ngcmfa"}, []string{"MFA"}, []string{"Mfa"},
		[]string{"mfa "},
		[]string{" mfa"}, []string{"mfа"}, []string{"ｍｆａ"}, []string{"m.f.a"}, []string{"mfa,pwd"}, []string{"pwd mfa"}, []string{"mfax"},
		[]string{"xmfa"}, []string{"mf", "a"},
		[]string{"otp", "fido", "hwk"}, []string{"rsa"}, []any{"mfa", 1}, []any{"mfa", nil}, []any{"mfa", []string{"pwd"}}, [][]string{{"mfa"}},
		[]any{map[string]any{"mfa": true}}, map[string]any{"mfa": true}, map[string]any{"0": "mfa"}, 1, true, nil, []string{"ᵐᶠᵃ"},
		[]string{"mfa%00"}, []string{"\"mfa\""}} {
		out = append(out, Case{Name: "amr " + shown(v), Reason: gateway.SingleFactor, Make: good(Set("amr", v))})
	}
	out = append(out, each("", gateway.SingleFactor, map[string]Edit{
		"no amr in version 1": Drop("amr", "acr"), "acr 1 and no amr": all(Drop("amr"), Set("acr", "1")),
		"AMR for amr":              all(Drop("amr"), Set("AMR", []string{"mfa"})),
		"amr inside another claim": all(Drop("amr"), Set("x", map[string]any{"amr": []string{"mfa"}})),
		"amr within amr":           Set("amr", map[string]any{"amr": []string{"mfa"}}),
		"scope mfa":                all(Drop("amr"), Set("scp", "mfa amr=mfa")), "a name that says it": all(Drop("amr"), Set("name", `","amr":["mfa"],"x":"`)),
		"acrs that say mfa":             all(Drop("amr"), Set("acrs", []string{"mfa", "c1"})),
		"MFA by the claim's older name": all(Drop("amr"), Set("authnmethodsreferences", []string{"mfa"})),
	})...)
	const multiple = "http://schemas.microsoft.com/claims/multipleauthn"
	out = append(out, each("", gateway.ThirdPartyMFA, map[string]Edit{
		"multipleauthn without mfa": Set("amr", []string{multiple}), "pwd and multipleauthn": Set("amr", []string{"pwd", multiple}),
	})...)
	hides := func(edits ...Edit) func(*Authority) string {
		return func(a *Authority) string { return a.Mint(V2(Partner), edits...) }
	}
	return append(out,
		Case{Name: "version 2 without amr", Reason: gateway.VersionHides, Make: hides()},
		Case{Name: "version 2 with amr null", Reason: gateway.VersionHides, Make: hides(Set("amr", nil))},
		Case{Name: "version 2 without amr, with acrs", Reason: gateway.VersionHides, Make: hides(Set("acrs", []string{"c1"}))},
		Case{Name: "version 2 with amr of one factor", Reason: gateway.SingleFactor, Make: hides(Set("amr", []string{"pwd"}))},
		Case{Name: "version 2 with amr a text", Reason: gateway.SingleFactor, Make: hides(Set("amr", "mfa"))},
	)
}

// ruleCases are genuine and short of something else.
func ruleCases() []Case {
	at := Now.Unix()
	context := func(r *gateway.Route) { r.Context = "c1" }
	out := []Case{
		{Name: "an app where none may", Reason: gateway.AppNotAllowed, Make: func(a *Authority) string { return a.Mint(AppOnly(Partner)) }},
		{Name: "an app where another may", Reason: gateway.AppNotAllowed, Make: func(a *Authority) string { return a.Mint(AppOnly(Partner)) },
			Rule: func(r *gateway.Route) { r.Apps = []string{Client} }},
		{Name: "an app that says mfa", Reason: gateway.AppNotAllowed,
			Make: func(a *Authority) string { return a.Mint(AppOnly(Partner), Set("amr", []string{"mfa"})) }},
		{Name: "an app by its claims alone", Reason: gateway.AppNotAllowed, Make: func(a *Authority) string { return a.Mint(AppOnly(Partner), Drop("idtyp")) }},
		{Name: "idtyp app in a user's token", Reason: gateway.AppNotAllowed, Make: good(Set("idtyp", "app"))},
		{Name: "idtyp APP in a user's token", Reason: gateway.AppNotAllowed, Make: good(Set("idtyp", "APP"))},
		{Name: "no context", Reason: gateway.ContextMissing, Make: good(), Rule: context},
		{Name: "another context", Reason: gateway.ContextMissing, Make: good(Set("acrs", []string{"c2"})), Rule: context},
		{Name: "the context in capitals", Reason: gateway.ContextMissing, Make: good(Set("acrs", []string{"C1"})), Rule: context},
		{Name: "the context with more behind", Reason: gateway.ContextMissing, Make: good(Set("acrs", []string{"c10"})), Rule: context},
		{Name: "the context in one text with another", Reason: gateway.ContextMissing, Make: good(Set("acrs", []string{"c1,c2"})), Rule: context},
		{Name: "MFA of two hours ago", Reason: gateway.TooOld, Make: good(Set("auth_time", at-7200))},
		{Name: "MFA of an hour and a second ago", Reason: gateway.TooOld, Make: good(Set("auth_time", at-3601))},
		{Name: "MFA of 1970", Reason: gateway.TooOld, Make: good(Set("auth_time", 1))},
		{Name: "none of the roles", Reason: gateway.RoleMissing, Make: good(), Rule: func(r *gateway.Route) { r.Roles = []string{"Panel.Admin"} }},
		{Name: "none of the groups", Reason: gateway.RoleMissing, Make: good(Set("groups", []string{Person})),
			Rule: func(r *gateway.Route) { r.Groups = []string{Customer} }},
		{Name: "groups elsewhere", Reason: gateway.RolesElsewhere, Make: good(Set("_claim_names", map[string]any{"groups": "src1"})),
			Rule: func(r *gateway.Route) { r.Groups = []string{Customer} }},
		{Name: "hasgroups", Reason: gateway.RolesElsewhere, Make: good(Set("hasgroups", true)), Rule: func(r *gateway.Route) { r.Groups = []string{Customer} }},
		{Name: "through an app that may not", Reason: gateway.ClientNotAllowed, Make: good(), Rule: func(r *gateway.Route) { r.Clients = []string{Daemon} }},
	}
	for _, v := range []any{nil, "1790000000", num("1790000000.5"), num("1e9"), true, -1, num("99999999999999")} {
		out = append(out, Case{Name: fmt.Sprintf("auth_time %s", shown(v)), Reason: gateway.AgeUnknown, Make: good(Set("auth_time", v))})
	}
	return append(out, Case{Name: "no auth_time", Reason: gateway.AgeUnknown, Make: good(Drop("auth_time"))},
		Case{Name: "auth_time of tomorrow", Reason: gateway.AgeUnknown, Make: good(Set("auth_time", at+86400))})
}
