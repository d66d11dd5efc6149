package forward_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/gateway/forward"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/guard"
	"partnerguard/internal/gateway/verify"
)

const file = `version: 1
listen: [{at: 127.0.0.1:8480}]
forward: {at: 127.0.0.1:8481, peers: [127.0.0.1/32, 10.0.0.0/8]}
authorities: [{cloud: public}]
tenants: [` + gatewaytest.Partner + `]
signIn: {app: ` + gatewaytest.Client + `, secret: s}
routes:
  - {name: panel, host: panel.example, audiences: ["` + gatewaytest.Audience + `"], callers: [api, browser], mode: enforce}
  - {name: api, host: panel.example, path: /api, audiences: ["` + gatewaytest.Audience + `"], mode: enforce}
  - {name: public, host: panel.example, path: /public, audiences: ["` + gatewaytest.Audience + `"], mode: off}
  - {name: soon, host: soon.example, audiences: ["` + gatewaytest.Audience + `"], mode: report}
`

// rig is an endpoint with all that stands behind it.
type rig struct {
	testing.TB
	*gatewaytest.Authority
	*forward.Endpoint
	url string
}

func newRig(t testing.TB) *rig {
	t.Helper()
	now := func() time.Time { return gatewaytest.Now }
	f, err := gateway.Read([]byte(file), gateway.Names{Now: gatewaytest.Now})
	if err != nil {
		t.Fatal(err)
	}
	table := f.Compile(1)
	r := &rig{TB: t, Authority: gatewaytest.NewAuthority()}
	v := verify.New(verify.Deps{Keys: r.Authority, Now: now})
	if err := v.Turn(1, []gateway.Authority{{Name: "public", Issuers: []string{gatewaytest.IssuerV1, gatewaytest.IssuerV2}}}); err != nil {
		t.Fatal(err)
	}
	g, err := guard.New(guard.Deps{Verifier: v})
	if err != nil {
		t.Fatal(err)
	}
	g.Take(table)
	a, err := assert.New(assert.Deps{Key: gatewaytest.NewCurveKey().Private, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	r.Endpoint = forward.New(forward.Deps{Judge: g, Assert: a, Answer: answer.Options{SignIn: true}, Now: now})
	r.Take(table)
	s := httptest.NewServer(r.Endpoint)
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

// said is one header; a name that is there twice is sent twice.
type said [2]string

func asked(method, host, uri string) []said {
	return []said{{"X-Forwarded-Method", method}, {"X-Forwarded-Host", host}, {"X-Forwarded-Uri", uri}, {"X-Forwarded-Proto", "https"},
		{"X-Forwarded-For", "192.0.2.7"}}
}

func askedByNginx(method, host, uri string) []said {
	return []said{{"X-Original-Method", method}, {"X-Original-Host", host}, {"X-Original-URI", uri}, {"X-Original-Proto", "https"},
		{"X-Original-For", "192.0.2.7"}}
}

// ask asks, and gives the answer and its body.
func (r *rig) ask(method string, headers ...said) (*http.Response, string) {
	r.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, r.url+forward.Path, nil)
	if err != nil {
		r.Fatal(err)
	}
	for _, h := range headers {
		req.Header.Add(h[0], h[1])
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		r.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatal(err)
	}
	return res, string(body)
}

func bearer(tok string) said { return said{"Authorization", "Bearer " + tok} }

var page = []said{{"Accept", "text/html"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}}

// TestAnswers: each family with each kind of caller.
func TestAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	good, single := r.Good(), r.Good(gatewaytest.Set("amr", []string{"pwd"}))
	noCapability := r.Good(gatewaytest.Set("amr", []string{"pwd"}), gatewaytest.Set("xms_cc", []string{}))
	for _, c := range []struct {
		name   string
		uri    string
		more   []said
		status int // of who passes the answer on
		nginx  int
		has    map[string]string // what a header holds
	}{
		{"good", "/api/x?y=1", []said{bearer(good)}, 200, 200, map[string]string{"X-Partnerguard-Object-Id": gatewaytest.Person, "X-Partnerguard-Mfa": "true"}},
		{"nobody", "/api", nil, 401, 401, map[string]string{"Www-Authenticate": "Bearer"}},
		{"single factor", "/api", []said{bearer(single)}, 401, 401, map[string]string{"Www-Authenticate": `error="insufficient_claims"`}},
		{"single factor, not able", "/api", []said{bearer(noCapability)}, 403, 403, nil},
		{"off", "/public/x", nil, 200, 200, map[string]string{"X-Partnerguard-Route": "public"}},
		{"two tokens", "/api", []said{bearer(good), bearer(good)}, 400, 403, nil},
		{"a page", "/start?a=1", page, 302, 401, nil},
		{"dots", "/public/../api", []said{bearer(good)}, 400, 403, nil},
		{"a slash in disguise", "/public/%2e%2e/api", []said{bearer(good)}, 400, 403, nil},
		{"two slashes", "//api", []said{bearer(good)}, 400, 403, nil},
		{"%2F", "/public%2Fx", nil, 400, 403, nil},
		{"our own pages", "/.partnerguard/sign-in", nil, 404, 403, nil},
	} {
		for _, by := range []struct {
			name   string
			asked  func(method, host, uri string) []said
			status int
		}{{"forwarded", asked, c.status}, {"original", askedByNginx, c.nginx}} {
			res, body := r.ask(http.MethodGet, append(by.asked(http.MethodGet, "panel.example", c.uri), c.more...)...)
			if res.StatusCode != by.status {
				t.Errorf("%s, %s: %d, want %d: %s", c.name, by.name, res.StatusCode, by.status, body)
			}
			for name, want := range c.has {
				if got := res.Header.Get(name); !strings.Contains(got, want) || got == "" {
					t.Errorf("%s, %s: %s is %q, want %q", c.name, by.name, name, got, want)
				}
			}
			if res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: may be kept", c.name)
			}
		}
	}
	res, _ := r.ask(http.MethodGet, append(asked("GET", "panel.example", "/start?a=1"), page...)...)
	if to := res.Header.Get("Location"); !strings.HasPrefix(to, "https://panel.example/.partnerguard/sign-in?") || !strings.Contains(to, "start") {
		t.Errorf("a browser is sent to %q", to)
	}
	res, _ = r.ask(http.MethodGet, append(askedByNginx("GET", "panel.example", "/start?a=1"), page...)...)
	to := res.Header.Get("X-Auth-Request-Redirect")
	if !strings.HasPrefix(to,
		"https://panel.example/.partnerguard/sign-in?") || res.Header.Get("Location") != "" || res.Header.Get("X-Partnerguard-Reason") != "no-token" ||
		res.Header.Get("Www-Authenticate") == "" {
		t.Errorf("%+v", res.Header)
	}
}

// TestWhoAsks: nobody but a peer, and no question of two voices.
func TestWhoAsks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	good := bearer(r.Good())
	whole := append(asked("GET", "panel.example", "/api"), good)
	without := func(name string) (out []said) {
		for _, h := range whole {
			if h[0] != name {
				out = append(out, h)
			}
		}
		return out
	}
	with := func(more ...said) []said { return append(append([]said{}, whole...), more...) }
	for name, c := range map[string]struct {
		headers []said
		status  int
	}{
		"whole": {whole, 200}, "nothing": {[]said{good}, 400}, "without method": {without("X-Forwarded-Method"), 400},
		"without host": {without("X-Forwarded-Host"), 400}, "without uri": {without("X-Forwarded-Uri"), 400},
		"without proto": {without("X-Forwarded-Proto"), 200}, "uri twice": {with(said{"X-Forwarded-Uri", "/public"}), 400},
		"host twice": {with(said{"X-Forwarded-Host", "soon.example"}), 400}, "method twice": {with(said{"X-Forwarded-Method", "OPTIONS"}), 400},
		"two families": {with(said{"X-Original-URI", "/public"}), 400}, "two families by host": {with(said{"X-Original-Host", "soon.example"}), 400},
		"two families by method": {with(said{"X-Original-Method", "OPTIONS"}), 400}, "another name": {with(said{"X-Original-For", "192.0.2.9"}), 200},
		"an underscore": {with(said{"X_Forwarded_Uri", "/public"}), 200}, "proto of two": {with(said{"X-Forwarded-Proto", "http"}), 400},
		"proto unheard of": {append(without("X-Forwarded-Proto"), said{"X-Forwarded-Proto", "gopher"}), 400},
		"a web socket":     {append(without("X-Forwarded-Proto"), said{"X-Forwarded-Proto", "wss"}), 200},
		"host of two":      {append(without("X-Forwarded-Host"), said{"X-Forwarded-Host", "soon.example, panel.example"}), 400},
		"host with a user": {append(without("X-Forwarded-Host"), said{"X-Forwarded-Host", "soon.example@panel.example"}), 400},
		"a whole address":  {append(without("X-Forwarded-Uri"), said{"X-Forwarded-Uri", "http://soon.example/api"}), 400},
		"a strange method": {append(without("X-Forwarded-Method"), said{"X-Forwarded-Method", "get"}), 400},
		"no host of ours":  {append(without("X-Forwarded-Host"), said{"X-Forwarded-Host", "other.example"}), 404},
	} {
		if res, body := r.ask(http.MethodGet, c.headers...); res.StatusCode != c.status {
			t.Errorf("%s: %d, want %d: %s", name, res.StatusCode, c.status, body)
		}
	}
	for _, method := range []string{http.MethodHead, http.MethodOptions, http.MethodPost} {
		if res, body := r.ask(method, whole...); res.StatusCode != 200 || body != "" {
			t.Errorf("%s: %d %q", method, res.StatusCode, body)
		}
		if res, _ := r.ask(method, whole[:5]...); res.StatusCode != 401 {
			t.Errorf("%s by nobody: %d", method, res.StatusCode)
		}
	}
	for _, from := range []string{"192.0.2.1:4711", "[::1]:4711", "nowhere", "[::ffff:192.0.2.1]:1"} {
		req := httptest.NewRequest(http.MethodGet, forward.Path, nil)
		for _, h := range whole {
			req.Header.Add(h[0], h[1])
		}
		req.RemoteAddr = from
		w := httptest.NewRecorder()
		r.Endpoint.ServeHTTP(w, req)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s may ask: %d", from, w.Code)
		}
	}
	r.Take(&gateway.Table{})
	if res, _ := r.ask(http.MethodGet, whole...); res.StatusCode != http.StatusForbidden {
		t.Errorf("without a forward part: %d", res.StatusCode)
	}
}

// TestTold: what a 200 tells writes over whatever the caller had sent.
func TestTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spoof := said{"X-Partnerguard-User", "root"}
	res, _ := r.ask(http.MethodGet, append(asked("GET", "soon.example", "/"), spoof, bearer(r.Good(gatewaytest.Set("aud", "other"))))...)
	for _, name := range []string{"User", "Object-Id", "Tenant", "Home", "Customer", "App", "Mfa", "Auth-Time", "Roles", "Directory-Roles", "Groups",
		"Groups-Elsewhere", "Assertion"} {
		if v, there := res.Header["X-Partnerguard-"+name]; !there || len(v) != 1 || v[0] != "" {
			t.Errorf("%s of nobody is %q", name, v)
		}
	}
	if res.StatusCode != 200 || res.Header.Get("Partnerguard-Would-Refuse") != "wrong-audience" || res.Header.Get("Partnerguard-Mode") != "report" {
		t.Errorf("%d %+v", res.StatusCode, res.Header)
	}
	claims := gatewaytest.AOBO(gatewaytest.Customer)
	whole := &gateway.Identity{Tenant: "t", Home: "h", ObjectID: "o", Account: "a", App: "p", Proven: true, AuthTime: 1, Roles: []string{"r"},
		Wids:   []string{"w"},
		Groups: []string{"g"}, GroupsElsewhere: true}
	a, err := assert.New(assert.Deps{Key: gatewaytest.NewCurveKey().Private})
	if err != nil || claims == nil {
		t.Fatal(err)
	}
	route := &gateway.Route{Name: "r", Tenants: []string{"h"}}
	d := gateway.Decision{Route: route, Identity: whole}
	res, _ = r.ask(http.MethodGet, append(asked("GET", "soon.example", "/"), bearer("x"))...)
	for _, kv := range a.Headers(nil, &d, &gateway.Request{Host: "h"}, "http://u") {
		if _, there := res.Header[http.CanonicalHeaderKey(kv[0])]; strings.HasPrefix(kv[0], "X-Partnerguard-") && !there {
			t.Errorf("%s is told to upstreams, and not among those that write over the caller's", kv[0])
		}
	}
}

// seen is a judge that keeps what it was asked.
type seen struct{ last gateway.Request }

func (s *seen) Judge(r *gateway.Request) gateway.Decision {
	s.last = *r
	return gateway.Decision{Reason: gateway.NoToken, Refused: true}
}

func FuzzQuestion(f *testing.F) {
	f.Add("GET", "panel.example", "/a?b", "https", "192.0.2.7, 10.0.0.1", "")
	f.Add("GET", "panel.example", "/a", "", "10.0.0.1", "/b")
	f.Add("", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, method, host, uri, proto, way, other string) {
		j := &seen{}
		e := forward.New(forward.Deps{Judge: j, Peers: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		req := httptest.NewRequest(http.MethodGet, forward.Path, nil)
		req.RemoteAddr = "10.0.0.1:1"
		req.Header = http.Header{"X-Forwarded-Method": {method}, "X-Forwarded-Host": {host}, "X-Forwarded-Uri": {uri}, "X-Forwarded-For": {way}}
		if proto != "" {
			req.Header.Set("X-Forwarded-Proto", proto)
		}
		if other != "" {
			req.Header.Set("X-Original-URI", other)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, req)
		if w.Code < 300 {
			t.Fatalf("%d", w.Code)
		}
		if j.last.Host == "" {
			return // it was not asked
		}
		target := j.last.Path
		if j.last.Query != "" {
			target += "?" + j.last.Query
		}
		if strings.TrimSuffix(uri, "?") != target || host != j.last.Host || method != j.last.Method || other != "" || !j.last.Remote.IsValid() {
			t.Fatalf("asked about %+v", j.last)
		}
	})
}

// TestClient: the caller is the last of the way that is no peer.
func TestClient(t *testing.T) {
	t.Parallel()
	for way, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "198.51.100.1, 192.0.2.7": "192.0.2.7", "198.51.100.1, 192.0.2.7, 10.9.9.9": "192.0.2.7", "": "10.0.0.1",
		"rubbish":            "10.0.0.1",
		"192.0.2.7, rubbish": "10.0.0.1", "rubbish, 10.9.9.9": "10.9.9.9", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8::1": "2001:db8::1",
		"192.0.2.7:80": "10.0.0.1",
	} {
		j := &seen{}
		e := forward.New(forward.Deps{Judge: j, Peers: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		req := httptest.NewRequest(http.MethodGet, forward.Path, nil)
		req.RemoteAddr = "10.0.0.1:1"
		req.Header = http.Header{"X-Forwarded-Method": {"GET"}, "X-Forwarded-Host": {"a"}, "X-Forwarded-Uri": {"/"}, "X-Forwarded-For": {way}}
		e.ServeHTTP(httptest.NewRecorder(), req)
		if got := j.last.Remote.String(); got != want {
			t.Errorf("%q: %s, want %s", way, got, want)
		}
	}
}
