package check

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

const file = `version: 1
listen: [{at: 127.0.0.1:8480}]
authorities: [{cloud: public}]
tenants: [connected]
signIn: {app: 3d5e7a90-0000-4000-8000-00000000000a, secret: s}
routes:
  - {name: panel, host: panel.example, upstream: "http://127.0.0.1:9000", audiences: ["api://panel"], callers: [api, browser], mode: enforce}
  - {name: soon, host: soon.example, upstream: "http://127.0.0.1:9000", audiences: ["api://panel"], mfa: {context: c1, maxAge: 5m}, mode: report,
     next: [{mode: enforce, from: 2026-12-07}], exceptions: [{name: ada, account: ada@contoso.example, owner: o, why: w, until: 2026-09-25}]}
  - {name: ramped, host: ramped.example, upstream: "http://127.0.0.1:9000", audiences: ["api://panel"], mode: ramp 50%}
  - {name: open, host: open.example, upstream: "http://10.0.0.1:9000", audiences: ["api://panel"], mfa: none, apps: any, customers: all, mode: off,
     allowEncodedSlash: true, preflight: true}
  - {name: cors, host: cors.example, upstream: "http://127.0.0.1:9000", audiences: ["api://panel"], preflight: true, mode: enforce}
`

func table(t testing.TB, text string) *gateway.Table {
	t.Helper()
	f, err := gateway.Read([]byte(text), gateway.Names{Now: gatewaytest.Now, Tenant: gatewaytest.Partner})
	if err != nil {
		t.Fatal(err)
	}
	return f.Compile(1)
}

func checker(t testing.TB, keys verify.Source) *Checker {
	t.Helper()
	c, err := New(Deps{Table: table(t, file), Keys: keys, Now: gatewaytest.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func asked(t testing.TB, url, token string) *Asked {
	t.Helper()
	a := &Asked{URL: url, Token: secret.New(token)}
	if err := a.Check(); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTry(t *testing.T) {
	t.Parallel()
	authority := gatewaytest.NewAuthority()
	weak := authority.Good(gatewaytest.Set("amr", []string{"pwd"}))
	v2 := authority.Mint(gatewaytest.V2(gatewaytest.Partner), gatewaytest.Set("aud", "api://panel"))
	for name, keys := range map[string]verify.Source{"keys": authority, "keyless": nil} {
		c := checker(t, keys)
		for _, x := range []struct {
			url, token     string
			reason         gateway.Reason
			refused        bool
			status         int
			because, claim string
		}{
			{"https://panel.example/x", authority.Good(), gateway.Passed, false, 0, "amr is", ""},
			{"https://panel.example/x", "", gateway.NoToken, true, 401, "no Authorization: Bearer, and no session", ""},
			{"https://panel.example/x", weak, gateway.SingleFactor, true, 401, "amr is pwd, without mfa",
				`{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}`},
			{"https://panel.example/x", v2, gateway.VersionHides, true, 401, "ver is 2.0", `{"access_token":{"amr"`},
			{"https://panel.example/x", authority.Good(gatewaytest.Set("aud", "api://other")), gateway.WrongAudience, true, 401, "aud is api://other", ""},
			{"https://panel.example/x", authority.Good(gatewaytest.Times(-48 * time.Hour)), gateway.Expired, true, 401, "exp is 2026-09-1", ""},
			{"https://panel.example/x", authority.Mint(gatewaytest.V1(gatewaytest.Elsewhere)), gateway.ForeignTenant, true, 403,
				"tid is " + gatewaytest.Elsewhere, ""},
			{"https://panel.example/x", authority.Mint(gatewaytest.AppOnly(gatewaytest.Partner)), gateway.AppNotAllowed, true, 403, "the app is", ""},
			{"https://panel.example/x", "x.y", gateway.Malformed, true, 401, "", ""},
			{"https://panel.example/x", authority.Good(gatewaytest.Set("iss", "https://evil.example/")), gateway.BadIssuer, true, 401,
				"iss is https://evil", ""},
			{"https://panel.example/%2e%2e/x", authority.Good(), gateway.BadRequest, true, 400, "", ""},
			{"https://panel.example/x%2Fy", authority.Good(), gateway.BadRequest, true, 400, "", ""},
			{"https://open.example/x%2Fy", "", gateway.Passed, false, 0, "mode is off", ""},
			{"https://open.example/x%2F..%2Fy", "", gateway.BadRequest, true, 400, "", ""},
			{"https://panel.example/x#y", authority.Good(), gateway.BadRequest, true, 400, "", ""},
			{"https://user@panel.example/", authority.Good(), gateway.BadRequest, true, 400, "", ""},
			{"https://nobody.example/", authority.Good(), gateway.NoRoute, true, 404, "", ""},
			{"https://soon.example/", weak, gateway.SingleFactor, false, 0, "amr is pwd", ""}, // excused
			{"https://soon.example/", authority.Good(gatewaytest.Set("upn", "bob@contoso.example"), gatewaytest.Set("unique_name", "bob@contoso.example")),
				gateway.ContextMissing, false, 401, "without c1", `"acrs":{"essential":true,"value":"c1"}`},
		} {
			got := c.Try(asked(t, x.url, x.token))
			a := got.Answer
			if a == nil {
				a = got.Enforced
			}
			if got.Reason != x.reason.String() || got.Refused != x.refused || !strings.Contains(got.Because, x.because) || (a == nil) != (x.status == 0) {
				t.Errorf("%s %s: %+v, want %s", name, x.url, got, x.reason)
				continue
			}
			if a != nil && (a.Status != x.status || x.claim != "" && (a.Challenge == nil || !strings.Contains(string(a.Challenge.Claims), x.claim))) {
				t.Errorf("%s %s: %+v, want %d %s", name, x.url, a, x.status, x.claim)
			}
			if got.Caller != nil && got.Checked != (keys != nil) {
				t.Errorf("%s %s: checked %v", name, x.url, got.Checked)
			}
			if keys == nil && got.Caller != nil && !slices.Contains(got.Notes, "the signature was not checked: no keys were read") {
				t.Errorf("it is not said that nothing was checked: %q", got.Notes)
			}
		}
	}
}

// TestWithoutARule: what the gateway lets through, or answers, before any rule is asked.
func TestWithoutARule(t *testing.T) {
	t.Parallel()
	c := checker(t, nil)
	cors := map[string]values{"Origin": {"https://app.example"}, "access-control-request-method": {"POST"}}
	for _, x := range []struct {
		a       Asked
		reason  gateway.Reason
		because string
	}{
		{Asked{URL: "https://panel.example/.partnerguard/keys"}, gateway.Passed, "own pages"},
		{Asked{URL: "https://nobody.example/.partnerguard/keys"}, gateway.NoRoute, ""},
		{Asked{URL: "https://cors.example/x", Method: "OPTIONS", Headers: cors}, gateway.Passed, "preflight"},
		{Asked{URL: "https://cors.example/x", Method: "OPTIONS"}, gateway.NoToken, ""},
		{Asked{URL: "https://cors.example/x", Method: "GET", Headers: cors}, gateway.NoToken, ""},
		{Asked{URL: "https://panel.example/x", Method: "OPTIONS", Headers: cors}, gateway.NoToken, ""},
	} {
		if err := x.a.Check(); err != nil {
			t.Fatal(err)
		}
		if got := c.Try(&x.a); got.Reason != x.reason.String() || !strings.Contains(got.Because, x.because) {
			t.Errorf("%s %s: %+v", x.a.Method, x.a.URL, got)
		}
	}
}

// TestForged: with keys a forged token is refused; without, it is said that nobody looked.
func TestForged(t *testing.T) {
	t.Parallel()
	authority := gatewaytest.NewAuthority()
	forged := authority.Good(gatewaytest.ForgedBy(gatewaytest.Stranger()))
	if got := checker(t, authority).Try(asked(t, "https://panel.example/", forged)); got.Reason != "bad-signature" || got.Checked || got.Caller != nil {
		t.Errorf("%+v", got)
	}
	if got := checker(t, nil).Try(asked(t, "https://panel.example/", forged)); got.Reason != "passed" || got.Checked || len(got.Notes) == 0 {
		t.Errorf("%+v", got)
	}
	authority.Away(true)
	c := checker(t, authority)
	if got := c.Try(asked(t, "https://panel.example/", forged)); got.Reason != "keys-unreachable" || !got.Refused || got.Answer.Status != 503 {
		t.Errorf("%+v", got)
	}
	if k := c.Keys(t.Context()); len(k) != 1 || k[0].State == verify.KeysGood {
		t.Errorf("%+v", k)
	}
}

// TestMoments goes back and forth in time: keys are there at each.
func TestMoments(t *testing.T) {
	t.Parallel()
	authority := gatewaytest.NewAuthority()
	c := checker(t, authority)
	for _, by := range []time.Duration{0, 100 * 24 * time.Hour, -100 * 24 * time.Hour, 0, 49 * time.Hour, time.Hour} {
		a := asked(t, "https://panel.example/", authority.Good(gatewaytest.Times(by)))
		a.At = gatewaytest.Now.Add(by)
		if got := c.Try(a); got.Reason != "passed" || !got.Checked {
			t.Errorf("%s: %s", by, got.Reason)
		}
		a.At = gatewaytest.Now.Add(by + 4*time.Hour)
		if got := c.Try(a); got.Reason != "expired" {
			t.Errorf("%s: %s", by, got.Reason)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	authority := gatewaytest.NewAuthority()
	good := authority.Good()
	claims, _ := json.Marshal(gatewaytest.AppOnly(gatewaytest.Partner))
	lines := `{"id":"1","url":"https://panel.example/a?secret=1","token":"` + good + `"}

{"id":"2","url":"https://panel.example/a","headers":{"authorization":"Bearer ` + good + `"},"method":"POST"}
{"id":"3","url":"https://panel.example/a","headers":{"Authorization":["Bearer ` + good + `","Bearer x"]}}
{"id":"4","url":"https://panel.example/a","claims":` + string(claims) + `}
{"id":"5","url":"https://panel.example/a","from":"192.0.2.7","headers":{"Cookie":"pg=x","Accept":"text/html","Sec-Fetch-Mode":"navigate"}}
{"id":"6","url":"https://ramped.example/a","from":"192.0.2.7"}
`
	c := checker(t, authority)
	want := []string{"passed", "passed", "too-many-tokens", "app-not-allowed", "no-token", "no-token"}
	var decisions bytes.Buffer
	sum := NewSum()
	for a, err := range Lines(strings.NewReader(lines)) {
		if err != nil {
			t.Fatal(err)
		}
		got := c.Try(a)
		if i := int(got.ID[0] - '1'); got.Reason != want[i] {
			t.Errorf("%d: %s, want %s", i, got.Reason, want[i])
		}
		raw, err := json.Marshal(got)
		if err != nil || bytes.Contains(raw, []byte(good)) || bytes.Contains(raw, []byte("secret=1")) || bytes.Contains(raw, []byte("pg=x")) {
			t.Errorf("%s %v", raw, err)
		}
		if got.ID == "5" && (got.Answer.Status != 302 || !strings.Contains(got.Answer.Location, "/.partnerguard/sign-in") || len(got.Notes) == 0) {
			t.Errorf("%+v %+v", got.Answer, got.Notes)
		}
		if got.ID == "6" && !strings.Contains(strings.Join(got.Notes, ""), "of 0 to 99") {
			t.Errorf("%q", got.Notes)
		}
		line, _ := json.Marshal(got.Line())
		decisions.Write(append(line, '\n'))
		sum.Add(got)
	}
	sums, err := ledger.ReadLines(&decisions, time.Time{}, time.Time{}, "")
	if err != nil || len(sums) < 4 {
		t.Errorf("the report does not read them: %v %v", sums, err)
	}
	if sum.n != 6 {
		t.Errorf("%d", sum.n)
	}
}

func TestLinesRefused(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOiJSUzI1NiJ9.secret.part"
	for _, line := range []string{
		"x", "[]", "1", `{"url":"panel"}`, `{"url":"ftp://panel/"}`, `{"url":"https://a/","speed":"` + token + `"}`,
		`{"url":"https://a/","at":"` + token + `"}`,
		`{"url":"https://a/","token":"` + token + `","claims":{}}`, `{"url":"https://a/","token":"` + token + `","headers":{"Authorization":"Bearer x"}}`,
		`{"url":"https://a/","from":"` + token + `"}`, `{"url":"https://a/","claims":["` + token + `"]}`, `{"url":"https://a/"}{"token":"` + token + `"}`,
		`{"url":"https://a/","headers":{"X":` + `{"` + token + `":1}}}`, `{"url":"https://a/` + token, strings.Repeat("x", maxLine+1),
	} {
		n := 0
		for a, err := range Lines(strings.NewReader("\n" + line + "\n")) {
			n++
			if err == nil || a != nil || problem.HintOf(err) == "" || !strings.Contains(err.Error(), "line ") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%.80q: %v (%s)", line, err, problem.HintOf(err))
			}
		}
		if n != 1 {
			t.Errorf("%.80q: %d", line, n)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte(`{"url":"https://panel.example/a;b/%2e?x","headers":{"Authorization":["Bearer x"]},"claims":{"tid":1},"at":"2026-12-01T00:00:00Z"}`))
	f.Add([]byte(`{"url":"https://[::1]:8/","from":"::1","method":"\u0000"}`))
	c := checker(f, nil)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for a, err := range Lines(bytes.NewReader(raw)) {
			if err != nil {
				return
			}
			got := c.Try(a)
			if _, known := gateway.ReasonOf(got.Reason); !known || got.Refused && got.Answer == nil {
				t.Fatalf("%+v", got)
			}
			got.Write(print.NewScreen(&bytes.Buffer{}, print.Options{Width: 80}))
		}
	})
}

func TestExplain(t *testing.T) {
	t.Parallel()
	tab := table(t, file)
	now := gatewaytest.Now
	s := Explain(tab, now)
	words := map[string]bool{}
	for _, d := range s.Dangers {
		words[d.Route+"/"+d.Word] = true
		if d.Fix == "" || d.Says == "" {
			t.Errorf("%+v", d)
		}
	}
	for _, want := range []string{"open/mode-off", "open/mfa-none", "open/apps-any", "open/customers-all", "open/upstream-plain", "open/never-enforced",
		"ramped/never-enforced", "soon/exception-ends", "soon/exception-by-name"} {
		if !words[want] {
			t.Errorf("%s is not said: %v", want, words)
		}
	}
	for w := range words {
		if strings.HasPrefix(w, "panel/") {
			t.Errorf("%s of a route that is well", w)
		}
	}
	later := Explain(tab, now.AddDate(0, 6, 0))
	if r := later.Routes[1]; r.Mode != "enforce" || len(r.Next) != 0 || !r.Exceptions[0].Over {
		t.Errorf("%+v", r)
	}
	open := table(t, strings.Replace(file, "{at: 127.0.0.1:8480}",
		"{at: \"0.0.0.0:8480\", plain: true}, {at: 127.0.0.1:8443, tls: {certificate: /none.pem, key: /none.key}}", 1))
	words = map[string]bool{}
	for _, d := range Explain(open, now).Dangers {
		words[d.Word] = true
	}
	if !words["listen-plain"] || !words["no-file"] {
		t.Errorf("%v", words)
	}
	var out bytes.Buffer
	p := print.NewScreen(&out, print.Options{Width: 100})
	c := checker(t, gatewaytest.NewAuthority())
	s.Write(p, c.Keys(context.Background()), now)
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Route panel", "the MFA claim: amr has mfa", "enforce: what is not well is refused, from 2026-12-07",
		"public: read", "mfa-none"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if urls := URLs(tab); len(urls) != 5 || urls[0] != "https://panel.example/" {
		t.Errorf("%q", urls)
	}
}

func TestFileKeys(t *testing.T) {
	t.Parallel()
	authority := gatewaytest.NewAuthority()
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, authority.KeySet(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := NewFileKeys(table(t, file), path, nil)
	if err != nil || !f.Any() {
		t.Fatal(err)
	}
	if got := checker(t, f).Try(asked(t, "https://panel.example/", authority.Good())); got.Reason != "passed" || !got.Checked {
		t.Errorf("%+v", got)
	}
	if err := os.WriteFile(path, []byte(`{"keys":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewFileKeys(table(t, file), path, nil); err == nil || problem.HintOf(err) == "" {
		t.Error(err)
	}
	if _, err := NewFileKeys(table(t, file), path+"x", nil); err == nil {
		t.Error("a file that is not there")
	}
}

func TestChallengeIsTakenApart(t *testing.T) {
	t.Parallel()
	claims := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{}}`))
	c := challenge(`Bearer realm="", authorization_uri="https://login.example/common/oauth2/authorize", error="insufficient_claims", claims="` + claims + `"`)
	if c.Error != "insufficient_claims" || c.Authorization != "https://login.example/common/oauth2/authorize" || string(c.Claims) != `{"access_token":{}}` {
		t.Errorf("%+v", c)
	}
}
