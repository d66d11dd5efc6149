package answer_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func route() *gateway.Route {
	return &gateway.Route{Name: "panel", Hosts: []string{"panel.example"}, Path: "/", Bearer: true, Browser: true, MFA: true,
		Phases: []gateway.Phase{{Mode: gateway.Enforce}}}
}

func program() *gateway.Request {
	return &gateway.Request{Method: "GET", Host: "panel.example", Path: "/api/x", Query: "a=1&b=%2F", Authorization: "Bearer xyz", ID: "req-1", Now: now}
}

func browser() *gateway.Request {
	r := program()
	r.Authorization, r.Accept, r.FetchMode, r.FetchDest = "", "text/html,application/xhtml+xml,*/*;q=0.8", "navigate", "document"
	return r
}

func refused(reason gateway.Reason, id *gateway.Identity) gateway.Decision {
	return gateway.Decision{Route: route(), Identity: id, Reason: reason, Refused: true, Phase: gateway.Phase{Mode: gateway.Enforce}}
}

// parameter takes a challenge apart, and fails where a parameter is there twice.
var parameter = regexp.MustCompile(`^([a-z_]+)="([^"\\]*)"(?:, |$)`)

func parse(t *testing.T, header string) map[string]string {
	t.Helper()
	rest, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		t.Fatalf("no Bearer challenge: %q", header)
	}
	out := map[string]string{}
	for rest != "" {
		m := parameter.FindStringSubmatch(rest)
		if m == nil {
			t.Fatalf("not a parameter: %q of %q", rest, header)
		}
		if _, twice := out[m[1]]; twice {
			t.Fatalf("%s is there twice: %q", m[1], header)
		}
		out[m[1]] = m[2]
		rest = rest[len(m[0]):]
	}
	return out
}

// Each reason has its whole answer for a program and for a browser.
func TestEachReason(t *testing.T) {
	t.Parallel()
	want := map[gateway.Kind]int{gateway.Sign: 401, gateway.Challenge: 401, gateway.Forbid: 403, gateway.NotFound: 404, gateway.Bad: 400, gateway.Later: 503,
		gateway.Slower: 429}
	for _, reason := range gateway.Reasons() {
		a := answer.For(refused(reason, &gateway.Identity{Account: "ada@contoso.example"}), program(), answer.Options{SignIn: true})
		var p answer.Problem
		if err := json.Unmarshal(a.Body, &p); err != nil || a.Status != want[reason.Kind()] || p.Status != a.Status || p.Reason != reason.String() ||
			p.Title != reason.Title() || p.Fix != reason.Fix() || p.Request != "req-1" || a.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %v", reason, a.Status, a.Body, err)
		}
		if (a.Get("WWW-Authenticate") != "") != (a.Status == 401) || (a.Get("Retry-After") != "") != (a.Status == 503 || a.Status == 429) {
			t.Errorf("%s: %v", reason, a.Header)
		}
		if strings.Contains(string(a.Body), "xyz") || strings.Contains(string(a.Body), "ada@") {
			t.Errorf("%s: the answer holds what was sent: %s", reason, a.Body)
		}
		a = answer.For(refused(reason, nil), browser(), answer.Options{SignIn: true})
		switch kind := reason.Kind(); kind {
		case gateway.Sign, gateway.Challenge:
			if a.Status != http.StatusFound || !strings.HasPrefix(a.Get("Location"), "/.partnerguard/") {
				t.Errorf("%s: %d %q", reason, a.Status, a.Get("Location"))
			}
		default:
			if a.Status != want[kind] || !strings.Contains(string(a.Body), "<h1>") || !strings.Contains(string(a.Body), reason.String()) {
				t.Errorf("%s: %d", reason, a.Status)
			}
		}
		if a.Get("Cache-Control") != "no-store" {
			t.Errorf("%s would be kept: %v", reason, a.Header)
		}
		seen := map[string]bool{}
		for _, kv := range a.Header {
			if seen[kv[0]] || strings.ContainsAny(kv[1], "\r\n") {
				t.Errorf("%s: header %s", reason, kv[0])
			}
			seen[kv[0]] = true
		}
	}
	if a := answer.For(refused(gateway.Passed, nil), program(), answer.Options{}); a.Status != 400 {
		t.Errorf("what was not refused gets %d", a.Status)
	}
}

// What is asked for, by the rule and the reason.
func TestClaims(t *testing.T) {
	t.Parallel()
	const context, amr = `"acrs":{"essential":true,"value":"c1"}`, `"amr":{"essential":true,"values":["mfa"]}`
	for name, c := range map[string]struct {
		mfa     bool
		context string
		reason  gateway.Reason
		want    string
	}{
		"mfa":              {true, "", gateway.SingleFactor, "{" + amr + "}"},
		"mfa and context":  {true, "c1", gateway.SingleFactor, "{" + context + "," + amr + "}"},
		"context alone":    {false, "c1", gateway.ContextMissing, "{" + context + "}"},
		"both, by context": {true, "c1", gateway.ContextMissing, "{" + context + "," + amr + "}"},
		"hidden":           {true, "", gateway.VersionHides, "{" + amr + "}"},
		"third party":      {true, "", gateway.ThirdPartyMFA, "{" + amr + "}"},
		"old":              {true, "", gateway.TooOld, "{" + amr + `,"auth_time":{"essential":true}}`},
		"old, context":     {true, "c1", gateway.TooOld, "{" + context + `,"auth_time":{"essential":true}}`},
		"age unknown":      {true, "", gateway.AgeUnknown, "{" + amr + `,"auth_time":{"essential":true}}`},
		"revoked":          {true, "c1", gateway.Revoked, `{"nbf":{"essential":true,"value":"1796040000"}}`},
		"no token":         {true, "c1", gateway.NoToken, ""},
		"role":             {true, "c1", gateway.RoleMissing, ""},
	} {
		rt := route()
		rt.MFA, rt.Context = c.mfa, c.context
		want := ""
		if c.want != "" {
			want = `{"access_token":` + c.want + `}`
		}
		if got := answer.Claims(rt, c.reason, now); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if got := answer.SignInClaims(rt, c.reason, now); got != strings.Replace(want, "access_token", "id_token", 1) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// The challenge to the letter.
func TestChallenge(t *testing.T) {
	t.Parallel()
	rt := route()
	rt.Context, rt.MaxAge = "c1", 12*time.Hour
	claims := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"acrs":{"essential":true,"value":"c1"},"auth_time":{"essential":true}}}`))
	for reason, want := range map[gateway.Reason]string{
		gateway.NoToken: `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"`,
		gateway.Expired: `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="invalid_token", ` +
			`error_description="the token has expired"`,
		gateway.TooOld: `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", ` +
			`error_description="the MFA is older than is allowed here", claims="` + claims + `", acr_values="c1", max_age="43200"`,
	} {
		got := answer.Challenge(rt, reason, now, answer.Options{})
		if got != want {
			t.Errorf("%s:\n%s\nwant\n%s", reason, got, want)
		}
		parse(t, got)
	}
	if got := parse(t, answer.Challenge(rt, gateway.Expired, now, answer.Options{Authority: "https://127.0.0.1:8443/\"\r\n\\"})); got["authorization_uri"] !=
		"https://127.0.0.1:8443/common/oauth2/authorize" {
		t.Errorf("%v", got)
	}
}

// Who cannot be challenged gets a 403 that says so.
func TestCapable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		id   *gateway.Identity
		want int
	}{
		"told, and capable":     {&gateway.Identity{Capable: true, CapableTold: true}, 401},
		"told, and not capable": {&gateway.Identity{CapableTold: true}, 403},
		"not told":              {&gateway.Identity{}, 401},
	} {
		a := answer.For(refused(gateway.SingleFactor, c.id), program(), answer.Options{})
		if a.Status != c.want || (a.Get("WWW-Authenticate") == "") != (c.want == 403) || strings.Contains(string(a.Body), "cp1") != (c.want == 403) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
}

// A page that is opened is told from a fetch.
func TestBrowser(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*gateway.Request)
		want   bool
	}{
		"a navigation":        {func(*gateway.Request) {}, true},
		"a form":              {func(r *gateway.Request) { r.Method = "POST" }, true},
		"a fetch":             {func(r *gateway.Request) { r.FetchMode, r.FetchDest = "cors", "empty" }, false},
		"a picture":           {func(r *gateway.Request) { r.FetchMode, r.FetchDest = "no-cors", "image" }, false},
		"a frame":             {func(r *gateway.Request) { r.FetchDest = "iframe" }, false},
		"an older browser":    {func(r *gateway.Request) { r.FetchMode, r.FetchDest = "", "" }, true},
		"an older XHR":        {func(r *gateway.Request) { r.FetchMode, r.RequestedWith = "", "XMLHttpRequest" }, false},
		"a token":             {func(r *gateway.Request) { r.Authorization = "Bearer x" }, false},
		"curl":                {func(r *gateway.Request) { r.FetchMode, r.Accept = "", "*/*" }, false},
		"nothing":             {func(r *gateway.Request) { r.FetchMode, r.Accept = "", "" }, false},
		"JSON":                {func(r *gateway.Request) { r.FetchMode, r.Accept = "", "application/json" }, false},
		"HTML refused":        {func(r *gateway.Request) { r.FetchMode, r.Accept = "", "text/html; q=0, */*" }, false},
		"HTML refused, .0":    {func(r *gateway.Request) { r.FetchMode, r.Accept = "", "text/html;q=0.0" }, false},
		"HTML among others":   {func(r *gateway.Request) { r.FetchMode, r.Accept = "", "application/json, TEXT/HTML;q=0.5" }, true},
		"a name alike":        {func(r *gateway.Request) { r.FetchMode, r.Accept = "", "text/htmlx" }, false},
		"far too many kinds":  {func(r *gateway.Request) { r.FetchMode, r.Accept = "", strings.Repeat("a/b,", 5000)+"text/html" }, false},
		"an unheard-of fetch": {func(r *gateway.Request) { r.FetchMode = "Navigate " }, false},
	} {
		r := browser()
		c.change(r)
		if got := answer.Browser(r); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Where a browser is sent, and with what.
func TestWays(t *testing.T) {
	t.Parallel()
	o := answer.Options{SignIn: true}
	by := &gateway.Identity{Way: gateway.BySession, Account: "ada@contoso.example"}
	for reason, want := range map[gateway.Reason]string{
		gateway.NoToken:      "/.partnerguard/sign-in?to=%2Fapi%2Fx%3Fa%3D1%26b%3D%252F",
		gateway.SessionOver:  "/.partnerguard/sign-in?to=%2Fapi%2Fx%3Fa%3D1%26b%3D%252F&why=session-over",
		gateway.Revoked:      "/.partnerguard/sign-in?to=%2Fapi%2Fx%3Fa%3D1%26b%3D%252F&why=revoked",
		gateway.SingleFactor: "/.partnerguard/step-up?to=%2Fapi%2Fx%3Fa%3D1%26b%3D%252F&why=single-factor",
		gateway.TooOld:       "/.partnerguard/step-up?to=%2Fapi%2Fx%3Fa%3D1%26b%3D%252F&why=too-old",
	} {
		if a := answer.For(refused(reason, by), browser(), o); a.Status != 302 || a.Get("Location") != want {
			t.Errorf("%s: %d %q", reason, a.Status, a.Get("Location"))
		}
	}
	r := browser()
	r.Method = http.MethodPost
	a := answer.For(refused(gateway.SessionOver, nil), r, o)
	if a.Status != 401 || a.Get("Location") != "" || !strings.Contains(string(a.Body), "not passed on") ||
		!strings.Contains(string(a.Body), `href="/.partnerguard/sign-in?to=%2F&amp;why=session-over"`) {
		t.Errorf("a form that was not taken: %d %s", a.Status, a.Body)
	}
	a = answer.For(refused(gateway.ForeignTenant, by), browser(), o)
	if a.Status != 403 || !strings.Contains(string(a.Body), "as=other") || !strings.Contains(string(a.Body), "ada@contoso.example") {
		t.Errorf("a foreign account: %d %s", a.Status, a.Body)
	}
	for name, d := range map[string]gateway.Decision{
		"no sign-in here": refused(gateway.NoToken, nil),
		"no browsers":     refused(gateway.NoToken, nil),
	} {
		o := o
		if name == "no sign-in here" {
			o.SignIn = false
		} else {
			d.Route.Browser = false
		}
		if a := answer.For(d, browser(), o); a.Status != 401 || a.Get("WWW-Authenticate") == "" || !strings.Contains(string(a.Body), "<h1>") {
			t.Errorf("%s: %d %v", name, a.Status, a.Header)
		}
	}
	r = browser()
	r.Method = http.MethodHead
	if a := answer.For(refused(gateway.NoRoute, nil), r, o); a.Body != nil || a.Status != 404 {
		t.Errorf("HEAD: %d, %d bytes", a.Status, len(a.Body))
	}
}

// Nobody is sent anywhere but to this host, nor round in circles.
func TestSafePath(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"/", "/a", "/a/b?c=d&e=%2F", "/a%20b", "/a/", "/a//b", "/.partnerguardian", "/a?to=//evil.example", "/a;b=c", "/a:b"} {
		if got := answer.SafePath(to); got != to {
			t.Errorf("%q became %q", to, got)
		}
	}
	for _, to := range []string{"", "a", "//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example/",
		"javascript:alert(1)",
		"/\t/evil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b", "/%5cevil.example", "/%2f%2fevil.example", "/%2F/evil.example", "/..//evil.example",
		"/a/../b", "/a/%2e%2e/b", "/./a", "/a#b", "/a b", "/é", "/%zz", "/.partnerguard/", "/.partnerguard", "/.partnerguard/sign-out",
		"/%2epartnerguard/sign-in",
		"/.partnerguard%2fsign-in", "/a%00", "/a%0d%0ab", "/" + strings.Repeat("a", 2000), "//", "/\x00", " /a"} {
		if got := answer.SafePath(to); got != "/" {
			t.Errorf("%q became %q", to, got)
		}
	}
}

func FuzzSafePath(f *testing.F) {
	for _, s := range []string{"/", "//a", "/%2f", "/a?b", "/.partnerguard/x", "/\\a"} {
		f.Add(s)
	}
	base, _ := url.Parse("https://panel.example/.partnerguard/callback")
	f.Fuzz(func(t *testing.T, to string) {
		got := answer.SafePath(to)
		u, err := base.Parse(got)
		if err != nil || u.Scheme != "https" || u.Host != "panel.example" || strings.HasPrefix(u.Path, "/.partnerguard/") || strings.HasPrefix(got, "//") {
			t.Errorf("%q leads to %v (%v)", to, u, err)
		}
	})
}

func FuzzAccept(f *testing.F) {
	f.Add("text/html", "navigate", "document")
	f.Fuzz(func(t *testing.T, accept, mode, dest string) {
		r := browser()
		r.Accept, r.FetchMode, r.FetchDest = accept, mode, dest
		a := answer.For(refused(gateway.NoToken, nil), r, answer.Options{SignIn: true})
		if a.Status != 302 && a.Status != 401 {
			t.Errorf("%d", a.Status)
		}
	})
}

// A route announces what it will do, to who would be refused what.
func TestAnnounce(t *testing.T) {
	t.Parallel()
	rt := route()
	ramp, enforce := now.Add(7*24*time.Hour), now.Add(42*24*time.Hour)
	rt.Phases = []gateway.Phase{{Mode: gateway.Report}, {Mode: gateway.Ramp, Share: 20, From: ramp}, {Mode: gateway.Ramp, Share: 50, From: ramp.Add(time.Hour)},
		{Mode: gateway.Enforce, From: enforce}}
	at := func(now time.Time, reason gateway.Reason, refused bool, excused *gateway.Exception) string {
		d := gateway.Decision{Route: rt, Reason: reason, Refused: refused, Excused: excused}
		d.Phase, d.Next = rt.Phase(now)
		var out []string
		for _, kv := range answer.Announce(d) {
			out = append(out, strings.TrimPrefix(kv[0], "Partnerguard-")+"="+kv[1])
		}
		return strings.Join(out, " ")
	}
	const dates = " Ramp-From=2026-12-07T12:00:00Z Enforced-From=2027-01-11T12:00:00Z"
	for _, c := range [][2]string{
		{at(now, gateway.Passed, false, nil), "Mode=report" + dates},
		{at(now, gateway.SingleFactor, false, nil), "Mode=report" + dates + " Would-Refuse=single-factor"},
		{at(ramp, gateway.SingleFactor, false, nil),
			"Mode=ramp 20% Ramp-From=2026-12-07T13:00:00Z Enforced-From=2027-01-11T12:00:00Z Would-Refuse=single-factor"},
		{at(enforce, gateway.Passed, false, nil), ""},
		{at(enforce, gateway.SingleFactor, true, nil), ""},
		{at(enforce, gateway.SingleFactor, false, &gateway.Exception{Until: enforce.Add(time.Hour)}),
			"Excused-Until=2027-01-11T13:00:00Z Would-Refuse=single-factor"},
	} {
		if c[0] != c[1] {
			t.Errorf("%q, want %q", c[0], c[1])
		}
	}
	if got := answer.Announce(gateway.Decision{Reason: gateway.NoRoute, Refused: true}); got != nil {
		t.Errorf("no route announces %v", got)
	}
}

// A page loads and runs nothing, and holds nothing of others that is not escaped.
func TestPage(t *testing.T) {
	t.Parallel()
	const evil = `<script>alert(1)</script>`
	a := answer.Page{Title: evil, Sub: evil, Banner: evil, Words: []string{evil}, Fix: evil, Facts: []answer.Fact{{Name: evil, Value: evil}},
		Lists: []answer.List{{Title: evil, Items: []string{evil}}}, Forms: []answer.Form{{Action: "javascript:alert(1)", Text: evil,
			Fields: [][2]string{{`"` + evil, `"` + evil}}}}, Links: []answer.Link{{Text: evil, Path: "javascript:alert(1)"}}, Foot: evil,
		Leads: []string{"https://login.microsoftonline.com"}}.Answer(200)
	body := string(a.Body)
	if strings.Contains(body, "<script") || strings.Contains(body, `"javascript:`) || strings.Contains(body, " style=") {
		t.Errorf("%s", body)
	}
	policy := a.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "form-action 'self' https://login.microsoftonline.com") ||
		!strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}
}
