package claim_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/claim"
	"partnerguard/internal/secret"
)

const (
	tid = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	v1  = `"iss":"https://sts.windows.net/` + tid + `/","tid":"` + tid +
		`","ver":"1.0","aud":"https://api.partnercenter.microsoft.com","appid":"app","appidacr":"1","oid":"o","upn":"ada@contoso.com","scp":"user_impersonation"`
	v2 = `"iss":"https://login.microsoftonline.com/` + tid + `/v2.0","tid":"` + tid +
		`","ver":"2.0","aud":"api","azp":"app","azpacr":"2","oid":"o","preferred_username":"ada@contoso.com","scp":"a b"`
	header = `{"typ":"JWT","alg":"RS256","kid":"k"}`
)

func jwt(claims string) string {
	return b64([]byte(header)) + "." + b64([]byte("{"+claims+"}")) + "." + b64([]byte("signature-of-the-token"))
}

func inspect(s string) claim.Token { return claim.Inspect(secret.New(s)) }

func TestMFA(t *testing.T) {
	t.Parallel()
	const adfs = `"iss":"http://adfs.contoso.com/adfs/services/trust","aud":"x","ver":"1.0","appid":"app","scp":["a","b"],"authmethod":"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport","auth_time":"2026-09-21T08:00:00.123Z"`
	for name, c := range map[string]struct {
		token  string
		answer claim.Answer
		cause  claim.Cause
		by     []string
		say    string // in the reason
	}{
		"v1 with mfa":              {jwt(v1 + `,"amr":["pwd","mfa"]`), claim.Proven, "", []string{"pwd"}, "amr contains mfa, with pwd"},
		"v1 with mfa alone":        {jwt(v1 + `,"amr":["mfa"]`), claim.Proven, "", []string{}, "amr contains mfa"},
		"v1 with mfa, rsa, ngcmfa": {jwt(v1 + `,"amr":["rsa","ngcmfa","mfa","rsa"]`), claim.Proven, "", []string{"rsa", "ngcmfa"}, "with rsa, ngcmfa"},
		"v1 without amr":           {jwt(v1), claim.NotProven, claim.NoClaim, nil, "no amr claim at all"},
		"v1 with null amr":         {jwt(v1 + `,"amr":null`), claim.NotProven, claim.NoClaim, nil, "no amr claim"},
		"v1 with pwd":              {jwt(v1 + `,"amr":["pwd"]`), claim.NotProven, claim.WithoutMFA, nil, "amr holds pwd and no mfa"},
		"ngcmfa is not mfa": {jwt(v1 + `,"amr":["pwd","ngcmfa"]`), claim.NotProven, claim.WithoutMFA, nil,
			"ngcmfa says that a method may be registered"},
		"MFA is not mfa":               {jwt(v1 + `,"amr":["pwd","MFA"]`), claim.NotProven, claim.WithoutMFA, nil, `"MFA" is not mfa`},
		"mfa with a blank is not mfa":  {jwt(v1 + `,"amr":["mfa "]`), claim.NotProven, claim.WithoutMFA, nil, `"mfa " is not mfa`},
		"full-width mfa is not mfa":    {jwt(v1 + `,"amr":["ｍｆａ"]`), claim.NotProven, claim.WithoutMFA, nil, `no mfa`},
		"escaped mfa is mfa":           {jwt(v1 + `,"amr":["\u006dfa"]`), claim.Proven, "", []string{}, "contains mfa"},
		"empty amr":                    {jwt(v1 + `,"amr":[]`), claim.NotProven, claim.WithoutMFA, nil, "there and empty"},
		"amr a text":                   {jwt(v1 + `,"amr":"mfa"`), claim.NotProven, claim.WithoutMFA, nil, "is the text mfa and not a list"},
		"amr a text of several":        {jwt(v1 + `,"amr":"pwd mfa"`), claim.NotProven, claim.WithoutMFA, nil, "not a list"},
		"amr a text that holds a list": {jwt(v1 + `,"amr":"[\"mfa\"]"`), claim.NotProven, claim.WithoutMFA, nil, "not a list"},
		"amr with a number":            {jwt(v1 + `,"amr":["mfa",1]`), claim.NotProven, claim.WithoutMFA, nil, "not a list of texts"},
		"amr with null":                {jwt(v1 + `,"amr":["mfa",null]`), claim.NotProven, claim.WithoutMFA, nil, "not a list of texts"},
		"amr nested":                   {jwt(v1 + `,"amr":[["mfa"]]`), claim.NotProven, claim.WithoutMFA, nil, "not a list of texts"},
		"amr an object":                {jwt(v1 + `,"amr":{"mfa":true}`), claim.NotProven, claim.WithoutMFA, nil, "not a list of texts"},
		"amr a number":                 {jwt(v1 + `,"amr":1`), claim.NotProven, claim.WithoutMFA, nil, "not a list of texts"},
		"amr true":                     {jwt(v1 + `,"amr":true`), claim.NotProven, claim.WithoutMFA, nil, "not a list of texts"},
		"amr twice":                    {jwt(v1 + `,"amr":["pwd"],"amr":["mfa"]`), claim.NotProven, claim.WithoutMFA, nil, "twice"},
		"amr twice, once escaped":      {jwt(v1 + `,"amr":["mfa"],"\u0061mr":["mfa"]`), claim.NotProven, claim.WithoutMFA, nil, "twice"},
		"AMR is another claim":         {jwt(v1 + `,"AMR":["mfa"]`), claim.NotProven, claim.NoClaim, nil, "no amr claim"},
		"deep amr is another claim":    {jwt(v1 + `,"x":{"amr":["mfa"]}`), claim.NotProven, claim.NoClaim, nil, "no amr claim"},
		"multipleauthn": {jwt(v1 + `,"amr":["http://schemas.microsoft.com/claims/multipleauthn"]`), claim.NotProven, claim.WithoutMFA, nil,
			"writes mfa once it has taken it"},
		"v1 with a context": {jwt(v1 + `,"amr":["pwd","mfa"],"acrs":["c1","c2"]`), claim.Proven, "", []string{"pwd"},
			"authentication contexts c1, c2"},
		"v1 with a context, no mfa": {jwt(v1 + `,"amr":["pwd"],"acrs":["c1"]`), claim.NotProven, claim.WithoutMFA, []string{"c1"},
			"authentication context c1, which names a policy's demand"},
		"acr 1 proves nothing":          {jwt(v1 + `,"acr":"1"`), claim.NotProven, claim.NoClaim, nil, "no amr"},
		"v2 with mfa":                   {jwt(v2 + `,"amr":["mfa"]`), claim.Proven, "", []string{}, "contains mfa"},
		"v2 without amr":                {jwt(v2), claim.CannotTell, claim.Version2, nil, "version 2 token without amr"},
		"v2 without amr, with context":  {jwt(v2 + `,"acrs":["c1"]`), claim.CannotTell, claim.Version2, []string{"c1"}, "context c1"},
		"v2 without mfa":                {jwt(v2 + `,"amr":["pwd"]`), claim.NotProven, claim.WithoutMFA, nil, "holds pwd"},
		"v2 by its issuer":              {jwt(strings.Replace(v2, `"ver":"2.0",`, "", 1)), claim.CannotTell, claim.Version2, nil, "version 2"},
		"v1 that says 2 only elsewhere": {jwt(strings.Replace(v1, `"ver":"1.0",`, "", 1)), claim.NotProven, claim.NoClaim, nil, "no amr"},
		"app only by idtyp": {jwt(`"iss":"https://sts.windows.net/` + tid + `/","ver":"1.0","appid":"a","idtyp":"app","roles":["R"]`),
			claim.CannotTell, claim.AppOnly, nil, "no user signed in"},
		"app only without idtyp": {jwt(`"iss":"https://sts.windows.net/` + tid + `/","ver":"1.0","appid":"a","roles":["R"],"oid":"x","sub":"x"`),
			claim.CannotTell, claim.AppOnly, nil, "no user signed in"},
		"an app's with a user's mfa": {jwt(v1 + `,"idtyp":"app","amr":["mfa"]`), claim.CannotTell, claim.AppOnly, nil, "no user"},
		"user by idtyp": {jwt(`"iss":"https://sts.windows.net/` + tid + `/","ver":"1.0","appid":"a","idtyp":"user"`), claim.NotProven,
			claim.NoClaim, nil, "no amr"},
		"ID token": {jwt(`"iss":"https://login.microsoftonline.com/` + tid + `/v2.0","ver":"2.0","aud":"app","nonce":"n","sub":"s"`),
			claim.CannotTell, claim.Version2, nil, "version 2"},
		"ADFS": {jwt(adfs), claim.NotProven, claim.WrongIssuer, nil, "issued by \"http://adfs.contoso.com/"},
		"another provider with mfa": {jwt(`"iss":"https://idp.example/","amr":["mfa"],"upn":"a@b"`), claim.NotProven, claim.WrongIssuer, nil,
			"not by an expected issuer"},
		"no issuer": {jwt(`"amr":["mfa"],"upn":"a@b"`), claim.NotProven, claim.WrongIssuer, nil, "does not say who issued it"},
		"issuer twice": {jwt(v1 + `,"amr":["mfa"],"iss":"https://sts.windows.net/x/"`), claim.NotProven, claim.WrongIssuer, nil,
			"does not say who"},
		"issuer that begins alike": {jwt(`"iss":"https://sts.windows.net.evil.example/` + tid + `/","amr":["mfa"],"upn":"a@b"`), claim.NotProven,
			claim.WrongIssuer, nil, "not by an expected"},
		"issuer in plain http": {jwt(`"iss":"http://sts.windows.net/` + tid + `/","amr":["mfa"],"upn":"a@b"`), claim.NotProven, claim.WrongIssuer,
			nil, "not by an expected"},
		"issuer of another tenant": {jwt(strings.Replace(v1, `sts.windows.net/7b`, `sts.windows.net/8b`, 1) + `,"amr":["mfa"]`), claim.NotProven,
			claim.WrongIssuer, nil, "issued by the tenant"},
		"China": {jwt(strings.Replace(v1, `sts.windows.net`, `sts.chinacloudapi.cn`, 1) + `,"amr":["mfa"]`), claim.Proven, "",
			[]string{}, ""},
		"opaque": {"0.AXEAxyz-refresh-token", claim.CannotTell, claim.Opaque, nil, "a reference"},
		"JWE":    {"eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d", claim.CannotTell, claim.Opaque, nil, "encrypted"},
		"empty":  {" \n", claim.CannotTell, claim.Opaque, nil, "empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := inspect(c.token).MFA(claim.Options{Now: now})
			if v.Answer != c.answer || v.Cause != c.cause || !cmp.Equal(v.By, c.by) || !strings.Contains(v.Reason, c.say) {
				t.Errorf("%+v", v)
			}
			if (v.Fix == "") != (v.Answer == claim.Proven) || v.Reason == "" {
				t.Errorf("reason or fix missing: %+v", v)
			}
		})
	}
}

func TestExpectedIssuers(t *testing.T) {
	t.Parallel()
	tok := inspect(jwt(`"iss":"https://login.contoso.example/tenant/v2.0","amr":["mfa"],"upn":"a@b"`))
	for issuer, want := range map[string]claim.Answer{
		"https://login.contoso.example": claim.Proven, "https://login.contoso.example/": claim.Proven,
		"https://login.contoso.example/tenant/v2.0": claim.Proven,
		"https://login.contoso":                     claim.NotProven, "https://login.contoso.example/ten": claim.NotProven, "": claim.NotProven,
		"https://login.contoso.example/tenant/v2.0/": claim.NotProven,
	} {
		if v := tok.MFA(claim.Options{Issuers: []string{issuer}}); v.Answer != want {
			t.Errorf("%q: %+v", issuer, v)
		}
	}
	if v := tok.MFA(claim.Options{Issuers: []string{}}); v.Answer != claim.NotProven {
		t.Errorf("no issuer is expected: %+v", v)
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	at := func(s string) claim.Token { return inspect(jwt(v1 + `,"amr":["mfa"],"auth_time":` + s)) }
	for s, want := range map[string]time.Duration{
		"1789996400": time.Hour, `"1789996400"`: claim.UnknownAge, "1789996400.5": time.Hour - 500*time.Millisecond, "1.7899964e9": time.Hour,
		`"2026-09-21T13:13:20Z"`: claim.UnknownAge, "1790000000": 0,
		"1790000001": claim.UnknownAge, "1e400": claim.UnknownAge, "1e999999999": claim.UnknownAge, "-5": claim.UnknownAge, `"soon"`: claim.UnknownAge,
		"true":         claim.UnknownAge,
		"[1789996400]": claim.UnknownAge, "null": claim.UnknownAge,
	} {
		if got := at(s).MFA(claim.Options{Now: now}).Age; got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
	if got := at("1789996400").MFA(claim.Options{}).Age; got != claim.UnknownAge {
		t.Errorf("without a moment: %s", got)
	}
}

func TestInspect(t *testing.T) {
	t.Parallel()
	good := v1 + `,"amr":["pwd","mfa"]`
	body := "{" + good + `,"name":"Zoë ??>>~~"}`
	std := base64.StdEncoding.EncodeToString([]byte(body))
	if !strings.ContainsAny(std, "+/") {
		t.Fatal("the example does not need the other alphabet")
	}
	sig := "." + b64([]byte("sig"))
	head := b64([]byte(header)) + "."
	// loose makes the last character carry bits that mean nothing.
	padded := []byte("{" + good + "}")
	for len(padded)%3 != 1 {
		padded = append(padded, ' ')
	}
	for name, c := range map[string]struct {
		token string
		note  string // "" for none
		read  bool
	}{
		"plain":                 {jwt(good), "", true},
		"white space around":    {"\r\n " + jwt(good) + "\n", "", true},
		"wrapped by a mailer":   {jwt(good)[:40] + "\r\n" + jwt(good)[40:], "white space inside", true},
		"padded":                {head + std + sig, "padded", true},
		"the other alphabet":    {head + strings.TrimRight(std, "=") + sig, "alphabet of mail", true},
		"loose bits":            {head + looseBits(t, b64(padded), padded) + sig, "bits that mean nothing", true},
		"no signature":          {head + b64([]byte("{"+good+"}")) + ".", "no signature", true},
		"two parts":             {head + b64([]byte("{"+good+"}")), "no signature", true},
		"alg none":              {b64([]byte(`{"alg":"NonE"}`)) + "." + b64([]byte("{"+good+"}")) + ".", "nobody signed it", true},
		"header is rubbish":     {"!!!." + b64([]byte("{"+good+"}")) + sig, "header is not base64", true},
		"header is no object":   {b64([]byte(`[]`)) + "." + b64([]byte("{"+good+"}")) + sig, "header is not a JSON object", true},
		"byte order mark":       {head + b64([]byte("\ufeff{"+good+"}")) + sig, "", true},
		"token inside a token":  {head + b64([]byte(jwt(good))) + sig, "token inside a token", true},
		"claim twice":           {jwt(good + `,"upn":"x","upn":"y"`), `"upn" is there more than once`, true},
		"invalid UTF-8":         {jwt(good + ",\"name\":\"\xff\""), "", true},
		"tid a number":          {jwt(good + `,"sub":7`), "sub is not a text", true},
		"two tokens deep":       {head + b64([]byte(head+b64([]byte(jwt(good)))+sig)) + sig, "not a JSON object", false},
		"claims are rubbish":    {head + "!!!" + sig, "not base64", false},
		"claims are a list":     {head + b64([]byte("[]")) + sig, "not a JSON object", false},
		"claims are cut":        {head + b64([]byte("{"+good)) + sig, "not a JSON object", false},
		"claims are null":       {head + b64([]byte("null")) + sig, "not a JSON object", false},
		"nested too deep":       {jwt(good + `,"x":` + strings.Repeat("[", 17) + strings.Repeat("]", 17)), "16 levels", false},
		"a million brackets":    {head + b64([]byte(strings.Repeat("[", 30000))) + sig, "16 levels", false},
		"brackets in a text":    {jwt(good + `,"x":"` + strings.Repeat("[", 100) + `\""`), "", true},
		"too long":              {jwt(good + `,"x":"` + strings.Repeat("x", claim.MaxSize) + `"`), "longer than 64 KiB", false},
		"JSON serialisation":    {`{"payload":"e30","signature":"x"}`, "JSON, not a token", false},
		"four parts":            {jwt(good) + ".x", "reference", false},
		"text behind":           {head + b64([]byte("{"+good+"}{}")) + sig, "not a JSON object", false},
		"NUL":                   {"\x00\x00", "reference", false},
		"a JSON answer is none": {`{"access_token":"` + jwt(good) + `"}`, "JSON", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := inspect(c.token)
			if got.Opaque == c.read || (got.Tenant == tid) != c.read {
				t.Fatalf("%+v", got)
			}
			if said := strings.Join(got.Notes, "; "); c.note == "" && said != "" || !strings.Contains(said, c.note) {
				t.Errorf("notes %q, want %q", said, c.note)
			}
			if c.read && got.MFA(claim.Options{}).Answer != claim.Proven {
				t.Errorf("%+v", got.MFA(claim.Options{}))
			}
		})
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	got := inspect(jwt(v2 + `,"amr":["mfa"],"acrs":["c1"],"roles":["R"],"nonce":"n","sub":"s","acr":1,"auth_time":1789996400,"iat":1789996400,"exp":1790000000`))
	want := claim.Token{
		Version: "2.0", Issuer: "https://login.microsoftonline.com/" + tid + "/v2.0", Audience: []string{"api"}, Tenant: tid, App: "app", AppAuth: "2",
		Account: "ada@contoso.com", ObjectID: "o", Subject: "s", Scopes: []string{"a", "b"}, Roles: []string{"R"}, AMR: []string{"mfa"}, AMRForm: "array",
		ACR: "1", ACRS: []string{"c1"},
		AuthTime: now.Add(-time.Hour), IssuedAt: now.Add(-time.Hour), NotAfter: now, Nonce: "n",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	odd := inspect(jwt(`"iss":"i","aud":["a","b"],"scp":["x","y z"],"roles":"one","acrs":{"c1":1},"ver":2,"appidacr":0,"amr":"mfa"`))
	want = claim.Token{Version: "2", Issuer: "i", Audience: []string{"a", "b"}, Scopes: []string{"x", "y z"}, Roles: []string{"one"}, AppAuth: "0",
		AMR: []string{"mfa"}, AMRForm: "string",
		Notes: []string{"the claim roles is one text, not a list", "the claim acrs is not a list of texts", "amr is one text, not a list"}}
	if d := cmp.Diff(want, odd); d != "" {
		t.Error(d)
	}
}

// Values of a token are cut and quoted before they enter a sentence.
func TestReasonsAreTame(t *testing.T) {
	t.Parallel()
	evil := "\\u001b[2J\\u202e" + strings.Repeat("x", 500)
	for _, tok := range []string{
		jwt(v1 + `,"amr":["` + evil + `"]`), jwt(v1 + `,"amr":"` + evil + `"`), jwt(`"iss":"` + evil + `","upn":"a"`), jwt(v1 + `,"acrs":["` + evil + `"]`),
		jwt(strings.Replace(v1, `"tid":"`+tid, `"tid":"`+evil, 1)), jwt(`"` + evil + `":1,"` + evil + `":2`), b64([]byte(`{"alg":"none`+evil+`"}`)) + "." +
			b64([]byte("{}")) + ".",
	} {
		got := inspect(tok)
		v := got.MFA(claim.Options{})
		for _, s := range append([]string{v.Reason, v.Fix}, got.Notes...) {
			if strings.ContainsAny(s, "\x1b\u202e\n") || strings.Contains(s, strings.Repeat("x", 60)) {
				t.Errorf("%q", s)
			}
		}
	}
}

// FuzzInspect: whatever comes, there is one verdict with a reason; proof needs
// the three letters between quotes in a list; and the raw text is not shown.
func FuzzInspect(f *testing.F) {
	for _, s := range []string{jwt(v1 + `,"amr":["pwd","mfa"]`), jwt(v2), jwt(v1 + `,"amr":"mfa"`), jwt(`"a":1,"a":2`), "", ".", "..", "...", "....",
		"e30.e30.", "a.b.c", "{}", jwt("") + "=", "\xff\xfe"} {
		f.Add(s)
	}
	for _, c := range cases(f) {
		if tok := c.build(f); len(tok) < 4096 {
			f.Add(tok)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := inspect(s)
		v := got.MFA(claim.Options{Now: now})
		switch v.Answer {
		case claim.Proven:
			if got.Opaque || got.IsApp || got.AMRForm != "array" || v.Cause != "" || v.Fix != "" {
				t.Fatalf("%+v %+v", got, v)
			}
		case claim.NotProven, claim.CannotTell:
			if v.Cause == "" || v.Fix == "" {
				t.Fatalf("%+v", v)
			}
		default:
			t.Fatalf("%+v", v)
		}
		if v.Reason == "" || v.Age < 0 || len(v.Reason) > 4096+64*len(got.Notes)*64 {
			t.Fatalf("%+v", v)
		}
		if _, err := json.Marshal(struct {
			claim.Token
			claim.Verdict
		}{got, v}); err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(s, ".") {
			if len(part) > 60 && strings.Contains(fmt.Sprint(v.Reason, v.Fix, got.Notes), part) {
				t.Fatalf("the token is shown: %q", v.Reason)
			}
		}
	})
}
