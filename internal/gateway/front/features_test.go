package front

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// features has routes that ask for all that a file can ask for, behind a proxy that is
// trusted.
const features = `version: 1
listen: [{at: "127.0.0.1:1"}]
authorities: [{cloud: public}]
signIn: {app: 3d5e7a90-0000-4000-8000-00000000000a, secret: x}
tenants: [9a8b7c6d-0000-4000-8000-000000000001]
trusted: [127.0.0.0/8, 10.0.0.0/8]
routes:
  - {name: all, host: a.example, audiences: ["api://panel"], upstream: {url: "%[1]s", health: /healthz}, mode: enforce, callers: [api, browser],
     mfa: {context: c1, maxAge: 12h}, roles: [Admin], authorization: drop, allowEncodedSlash: true, preflight: true, trail: full,
     limits: {timeout: 2s, idle: 2s, retries: 1, parallel: 2, body: 100KB}}
  - {name: two, host: b.example, audiences: ["api://panel"], upstream: {urls: ["%[1]s", "http://GONE"]}, mode: enforce, limits: {timeout: 2s, retries: 1}}
  - {name: once, host: c.example, audiences: ["api://panel"], upstream: {urls: ["%[1]s", "http://GONE"]}, mode: enforce,
     limits: {timeout: 2s, retries: 0}}
  - {name: plain, host: e.example, audiences: ["api://panel"], upstream: "%[1]s", mode: enforce, limits: {timeout: 2s, retries: 1}}
  - {name: gone, host: d.example, audiences: ["api://panel"], upstream: "http://GONE", mode: enforce, limits: {timeout: 2s, retries: 2}}
`

const (
	browsing = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nAccept: text/html\r\n"
	toE      = "HTTP/1.1\r\nHost: e.example\r\n"
	toB      = "HTTP/1.1\r\nHost: b.example\r\n"
)

// TestFeaturesOnBothPaths: what routes ask for is done alike on both paths.
func TestFeaturesOnBothPaths(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	_ = l.Close()
	for name, c := range map[string]struct {
		sent string
		lean bool
	}{
		"by token":               {"GET /a " + toA + good + ended, true},
		"by session":             {"GET /a " + toA + "Cookie: pg=in\r\n" + browsing + ended, true},
		"by session and token":   {"GET /a " + toA + "Cookie: pg=in; a=b\r\n" + good + ended, true},
		"a bad token, session":   {"GET /a " + toA + "Cookie: pg=in; a=b\r\nAuthorization: Bearer bad\r\n" + ended, true},
		"no session":             {"GET /a " + toA + browsing + ended, true},
		"no session, a script":   {"GET /a " + toA + "X-Requested-With: XMLHttpRequest\r\n" + ended, true},
		"no session, a post":     {"POST /a " + toA + browsing + "Content-Length: 2\r\n" + ended + "hi", true},
		"cookies around ours":    {"GET /a " + toA + "Cookie: a=1;b=2;  c=3 ; pg=in;d=4;__host-PG=x;e=5\r\n" + ended, true},
		"cookies as long":        {"GET /a " + toA + "Cookie: a=1;b=2;c=3;pg=;d=4;e=5\r\n" + good + ended, true},
		"cookies by lines":       {"GET /a " + toA + "Cookie: pg=in\r\nCookie: a=1\r\n" + ended, false},
		"a cookie about ours":    {"GET /a " + toA + "Cookie: apg=1;pgx=2\r\n" + good + ended, true},
		"an escaped slash":       {"GET /a%2Fb%2fc?d=%2F " + toA + good + ended, true},
		"not taken elsewhere":    {"GET /a%2Fb " + toB + good + ended, false},
		"preflight":              {"OPTIONS /a " + toA + "Origin: https://x.example\r\nAccess-Control-Request-Method: PUT\r\n" + ended, false},
		"a body":                 {"POST /a " + toA + "Content-Length: 5\r\n" + good + ended + "hello", true},
		"client's own address":   {"GET /a " + toA + "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n" + good + ended, true},
		"several proxies":        {"GET /a " + toA + "X-Forwarded-For: 1.1.1.1, 192.0.2.1\r\nx-forwarded-for: 10.1.1.1\r\n" + good + ended, true},
		"another host":           {"GET /a HTTP/1.1\r\nhOST: inner\r\nX-Forwarded-Host: a.example\r\n" + good + ended, true},
		"another host, no route": {"GET /a " + toA + "X-Forwarded-Host: z.example\r\n" + good + ended, false},
		"another host's pages":   {"GET /.partnerguard/ HTTP/1.1\r\nHost: inner\r\nX-Forwarded-Host: a.example\r\n" + ended, false},
		"two other hosts":        {"GET /a " + toA + "X-Forwarded-Host: a.example\r\nX-Forwarded-Host: b.example\r\n" + good + ended, false},
		"an address of nobody":   {"GET /a " + toA + "X-Forwarded-For: evil\r\n" + good + ended, false},
		"a scheme of nobody":     {"GET /a " + toA + "X-Forwarded-Proto: gopher\r\n" + good + ended, false},
		"names with underscore":  {"GET /a " + toA + "X_Forwarded_For: 192.0.2.9\r\nX_Forwarded_Host: z.example\r\n" + good + ended, true},
		"one of two is gone":     {"GET /1 " + toB + good + "\r\nGET /2 " + toB + good + "\r\nGET /3 " + toB + good + ended, true},
		"and a body is sent": {"GET /1 " + toB + good + "\r\nPOST /2 " + toB + "Content-Length: 2\r\n" + good +
			"\r\nhiGET /3 " + toB + good + ended, true},
		"and no retry":     {strings.ReplaceAll("GET /1 "+toB+good+"\r\nGET /2 "+toB+good+"\r\nGET /3 "+toB+good+ended, "b.example", "c.example"), true},
		"nobody is there":  {"GET /1 HTTP/1.1\r\nHost: d.example\r\n" + good + ended, true},
		"a post to nobody": {"POST /1 HTTP/1.1\r\nHost: d.example\r\nContent-Length: 0\r\n" + good + ended, true},
		"hang up, twice":   {"GET /hang-up " + toE + good + ended, true},
		"hang up, put":     {"PUT /hang-up " + toE + "Content-Length: 0\r\n" + good + ended, true},
		"hang up, post":    {"POST /hang-up " + toE + "Content-Length: 0\r\n" + good + ended, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, upstream := threeWays(t, strings.ReplaceAll(features, "GONE", gone), c.sent, c.lean)
			alike(t, got, upstream)
			saw := upstream[0]
			if strings.Contains(saw, " pg=") || strings.Contains(strings.ToLower(saw), "__host-pg") ||
				strings.Contains(saw, "Bearer") && strings.Contains(saw, "all\n") {
				t.Errorf("the upstream saw\n%s", upstream[0])
			}
		})
	}
}

// TestParallel: as many as the route allows are at the upstream, on both paths together;
// the next is told to come again.
func TestParallel(t *testing.T) {
	t.Parallel()
	g := newRig(t, true, ok(t, 400*time.Millisecond), nil)
	const toC = "HTTP/1.1\r\nHost: c.example\r\n" + good
	first, firstR := dial(t, g)
	say(t, first, "GET / "+toC+"\r\n")
	time.Sleep(100 * time.Millisecond)
	for _, sent := range []string{"GET / " + toC + ended, "POST / " + toC + "Transfer-Encoding: chunked\r\n" + ended + "0\r\n\r\n"} {
		if back := g.raw(sent); !strings.HasPrefix(back, "HTTP/1.1 503 ") || !strings.Contains(back, "Retry-After") {
			t.Errorf("%q: %s", sent, back)
		}
	}
	if res, err := http.ReadResponse(firstR, nil); err != nil || res.StatusCode != 200 {
		t.Errorf("the first: %v, %v", res, err)
	}
	for range 3 {
		if back := g.raw("GET / " + toC + ended); !strings.HasPrefix(back, "HTTP/1.1 200 ") {
			t.Errorf("then: %s", back)
		}
	}
}
