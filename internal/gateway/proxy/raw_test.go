package proxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/assert"
)

const good = "Authorization: Bearer good\r\n"

// Each hostile head is sent over TCP, behind a good request on the same connection: the
// answer is 400 or 431, the connection ends, and the upstream never hears of it.
func TestHostileHeadsOverTheWire(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	first := "GET /first HTTP/1.1\r\nHost: a.example\r\n" + good + "\r\n"
	after := "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n" + good + "\r\n"
	n := 0
	for _, c := range hostileHeads() {
		if c.want == errEnd {
			continue // it only goes on
		}
		if n++; n%4 != 0 && len(c.head) > 8<<10 {
			continue
		}
		back := g.raw(g.at, first+c.head+after)
		want := "400"
		if c.want == ErrHeadLong {
			want = "431"
		}
		if got := statuses(back); !slices.Equal(got, []string{"200", want}) {
			t.Errorf("%.100q: %v, want 200, %s", c.head, got, want)
		}
		if !strings.Contains(back, "Connection: close") || !strings.Contains(back, "application/problem+json") && !strings.Contains(back, "text/html") {
			t.Errorf("%.100q: %s", c.head, back)
		}
	}
	for _, s := range g.upstream.Seen() {
		if s.Target != "/first" {
			t.Errorf("the upstream saw %s", s.Target)
		}
	}
	if len(g.upstream.Seen()) < 200 || len(g.upstream.Seen()) > n {
		t.Errorf("the upstream saw %d of %d", len(g.upstream.Seen()), n)
	}
	if !slices.Contains(g.noted, gateway.BadRequest) {
		t.Error("nothing is written down")
	}
}

// The classics of request smuggling, and what becomes of bodies whose chunks are not plain.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	inner := "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"
	post := func(fields, body string) string {
		return "POST /outer HTTP/1.1\r\nHost: a.example\r\n" + good + fields + "\r\n\r\n" + body
	}
	length := fmt.Sprintf("Content-Length: %d", len(inner))
	for name, c := range map[string]struct {
		sent string
		want []string // statuses
		seen int      // how many the upstream hears of, each /outer
	}{
		"CL.TE":                  {post("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"+inner), []string{"400"}, 0},
		"TE.CL":                  {post("Transfer-Encoding: chunked\r\nContent-Length: 4", "5c\r\n"+inner+"0\r\n\r\n"), []string{"400"}, 0},
		"TE.TE":                  {post("Transfer-Encoding: chunked\r\nTransfer-encoding: x", "0\r\n\r\n"+inner), []string{"400"}, 0},
		"CL.CL":                  {post("Content-Length: 0\r\n"+length, inner), []string{"400"}, 0},
		"GET with a body":        {strings.Replace(post(length, inner), "POST", "GET", 1), []string{"200"}, 1},
		"CL.0":                   {post(length, inner), []string{"200"}, 1},
		"chunk extension":        {post("Transfer-Encoding: chunked", "5;x=y\r\nhello\r\n0\r\n\r\n"+inner), []string{"400"}, 0},
		"chunk ends in LF":       {post("Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n"+inner), []string{"400"}, 0},
		"chunk longer than told": {post("Transfer-Encoding: chunked", "4\r\nhello\r\n0\r\n\r\n"+inner), []string{"400"}, 0},
		"chunk size with 0x":     {post("Transfer-Encoding: chunked", "0x5\r\nhello\r\n0\r\n\r\n"+inner), []string{"400"}, 0},
		"chunk size overflows":   {post("Transfer-Encoding: chunked", "10000000000000005\r\nhello\r\n0\r\n\r\n"+inner), []string{"400"}, 0},
		"chunk size negative":    {post("Transfer-Encoding: chunked", "-5\r\nhello\r\n0\r\n\r\n"+inner), []string{"400"}, 0},
		"last chunk with a CR":   {post("Transfer-Encoding: chunked", "0\r\r\n\r\n"+inner), []string{"400"}, 0},
		"trailer of identity": {post("Transfer-Encoding: chunked\r\nTrailer: X-Partnerguard-User", "5\r\nhello\r\n0\r\nX-Partnerguard-User: root\r\n\r\n"),
			[]string{"200"}, 1},
		"trailer not announced": {post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\nX-Partnerguard-MFA: true\r\n\r\n"), []string{"200"}, 1},
		"trailer of a length":   {post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\nContent-Length: 100\r\n\r\n"+inner), []string{"400"}, 0},
		"trailer of a token":    {post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\nAuthorization: Bearer bad\r\n\r\n"), []string{"400"}, 0},
		"pipelined": {post("Content-Length: 5", "hello") + post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"), []string{"200", "200"},
			2},
		"websocket not answered": {"GET /outer HTTP/1.1\r\nHost: a.example\r\n" + good + "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n" + inner,
			[]string{"200"}, 1},
		"h2c upgrade": {"GET /outer HTTP/1.1\r\nHost: a.example\r\n" + good + "Upgrade: h2c\r\n" +
			"Connection: upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", []string{"200"}, 1},
		"h2 preface": {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []string{"400"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, nil)
			back := g.raw(g.at, c.sent)
			if got := statuses(back); !slices.Equal(got, c.want) && !slices.Equal(got, append(c.want[:len(c.want):len(c.want)], "401", "200")) {
				t.Errorf("%v, want %v\n%s", got, c.want, back)
			}
			seen := 0
			for _, s := range g.upstream.Seen() {
				if s.Target == "/smuggled" {
					t.Errorf("it is smuggled")
				}
				if s.Target == "/outer" && len(c.want) > 0 && c.want[0] == "200" {
					seen++
				}
				if len(s.Trailer) > 0 || s.Header["Upgrade"] != nil && name != "websocket not answered" || s.Header["Http2-Settings"] != nil {
					t.Errorf("the upstream saw %+v", s)
				}
				if user := s.Header[assert.HeaderUser]; len(user) != 1 || user[0] != "ada@contoso.example" {
					t.Errorf("the upstream took %v for the user", user)
				}
			}
			if seen != c.seen {
				t.Errorf("the upstream saw %d, want %d", seen, c.seen)
			}
		})
	}
}

// Whatever outsiders say of who they are, the upstream hears what was proven.
func TestHeaderSpoofing(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	for _, who := range []string{good, ""} {
		for _, name := range []string{
			"X-Partnerguard-User", "x-partnerguard-user", "X_Partnerguard_User", "X-PARTNERGUARD-USER", "X-Partnerguard-MFA", "X-Partnerguard-Mfa",
			"X_PARTNERGUARD_MFA", "X-Partnerguard-Assertion",
			"X-Partnerguard-Object-Id", "X-Partnerguard-Object_Id", "X-Partnerguard-Tenant", "X-Partnerguard-App", "X-Partnerguard-Auth-Time",
			"X-Partnerguard-Route", "X-Partnerguard-Request",
			"X-Partnerguard-Customer", "X-Partnerguard-Roles", "X-Partnerguard-Groups", "X-Partnerguard-Anything", "X-Auth-Request-User",
			"X-Auth-Request-Email", "X-MS-Client-Principal",
			"X-MS-CLIENT-PRINCIPAL-NAME", "Partnerguard-Mode", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-User",
			"X_Forwarded_For", "Forwarded", "X-Real-IP",
			"X-Original-URL", "X-Rewrite-URL", "X-Original-Host", "X-Request-Id", "Proxy", "Proxy-Authorization", "True-Client-IP", "X-Client-IP",
			"X-Remote-User",
		} {
			for _, twice := range []string{"", name + ": spoofed\r\n"} {
				back := g.raw(g.at, "GET /x HTTP/1.1\r\nHost: a.example\r\n"+who+name+": spoofed\r\n"+twice+"Connection: close\r\n\r\n")
				if !strings.HasPrefix(back, "HTTP/1.1 200 ") || strings.Contains(back, "spoofed") {
					t.Errorf("%q with %s: %s", who, name, back)
				}
				if (who != "") != strings.Contains(back, "ada@contoso.example") {
					t.Errorf("%q with %s: %s", who, name, back)
				}
			}
		}
	}
	for _, s := range g.upstream.Seen() {
		if who := s.Header["Authorization"]; (who == nil) != (s.Header[assert.HeaderUser] == nil) || len(s.Header["X-Request-Id"]) != 1 ||
			s.Header["X-Forwarded-For"][0] != "127.0.0.1" || s.Header["X-Forwarded-Host"][0] != "a.example" || s.Header["X-Forwarded-Proto"][0] != "http" {
			t.Errorf("%v", s.Header)
		}
	}
}

// What the upstream gets is what was sent, byte for byte, and goes by the route it is of.
func TestTargetsAreUnchanged(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	for _, target := range []string{
		"/", "/a?", "/a?b", "/a?b=%zz&c;d=%", "/a|b[c]!$&'()*+,=:@", "/%C3%A4%20%3A", "/%c3%a4", "/a/", "/a;b=c/d", "/a?//../x", "/a?http://b/", "/x%25",
		"/slash/a%2Fb", "/slash/a%2fb?c=%2F",
	} {
		back := g.raw(g.at, "GET "+target+" HTTP/1.1\r\nHost: A.example:8480\r\nConnection: close\r\n\r\n")
		seen := g.upstream.Seen()
		if last := seen[len(seen)-1]; !strings.HasPrefix(back, "HTTP/1.1 200 ") || last.Target != target || last.Host != "A.example:8480" {
			t.Errorf("%s: the upstream saw %s of %s\n%s", target, last.Target, last.Host, back)
		}
	}
	if back := g.raw(g.at, "GET http://a.example/abs?x HTTP/1.1\r\nHost: A.example\r\n\r\n"); !strings.HasPrefix(back, "HTTP/1.1 200 ") ||
		!strings.Contains(back, `"target":"/abs?x"`) {
		t.Errorf("an absolute target: %s", back)
	}
}

// No spelling of a path of a strict route reaches the upstream by the lax one.
func TestPathsOfStrictRoute(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	for _, target := range []string{
		"/strict", "/strict/", "/strict/x", "/Strict/x", "/STRICT", "/str%69ct/x", "/%73trict", "//strict/x", "/./strict/x", "/x/../strict/x",
		"/x/..;/strict", "/strict;a=b/x", "/;/strict", "/strict%2fx",
		"/%2fstrict/x", "/slash%2f..%2fstrict", "/slash/..%2fstrict", "/slash/%2e%2e/strict", "/strict%00", "/strict%20/..", "/strict\\x", "/x\\..\\strict",
		"/strict%5cx", "/%2573trict", "/strict#", "/strict?x",
		"/x/%2e%2e/strict", "http://a.example/strict", "http://a.example//strict", "/strict%3bx",
	} {
		back := g.raw(g.at, "GET "+target+" HTTP/1.1\r\nHost: a.example\r\n\r\n")
		if got := statuses(back); len(got) != 1 || got[0] != "400" && got[0] != "401" {
			t.Errorf("%s: %v\n%s", target, got, back)
		}
	}
	if seen := g.upstream.Seen(); len(seen) > 0 {
		t.Errorf("the upstream saw %+v", seen)
	}
}

// Host is one, plain, and the one that the upstream gets.
func TestHostConfusion(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.take(strings.ReplaceAll(fmt.Sprintf(routes, g.upstream.URL), "path:", "host: a.example, path:"), "")
	for head, want := range map[string]string{
		"GET /x HTTP/1.1\r\nHost: a.example\r\n":                                     "200",
		"GET /x HTTP/1.1\r\nHost: A.EXAMPLE:99\r\n":                                  "200",
		"GET /x HTTP/1.1\r\nHost: b.example\r\n":                                     "404",
		"GET /x HTTP/1.1\r\nHost: a.example.b.example\r\n":                           "404",
		"GET /x HTTP/1.1\r\nHost: b.example\r\nX-Forwarded-Host: a.example\r\n":      "404",
		"GET /x HTTP/1.1\r\nHost: b.example\r\nX-Host: a.example\r\n":                "404",
		"GET http://a.example/x HTTP/1.1\r\nHost: b.example\r\n":                     "400",
		"GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\n":                     "400",
		"GET /x HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n":                  "400",
		"GET /x HTTP/1.1\r\nHost: a.example@b.example\r\n":                           "400",
		"GET /x HTTP/1.1\r\nHost: a.example#b\r\n":                                   "400",
		"GET /x HTTP/1.1\r\nHost: a.example/b\r\n":                                   "400",
		"GET /x HTTP/1.1\r\nHost: a.example.\r\n":                                    "400",
		"GET /x HTTP/1.1\r\nHost : a.example\r\n":                                    "400",
		"GET /x HTTP/1.1\r\n Host: a.example\r\nHost: b.example\r\n":                 "400",
		"GET @a.example/x HTTP/1.1\r\nHost: b.example\r\n":                           "400",
		"GET http://b.example@a.example/x HTTP/1.1\r\nHost: b.example@a.example\r\n": "400",
	} {
		back := g.raw(g.at, head+"\r\n")
		if got := statuses(back); len(got) != 1 || got[0] != want {
			t.Errorf("%q: %v, want %s\n%s", head, got, want, back)
		}
	}
	for _, s := range g.upstream.Seen() {
		if !strings.HasPrefix(strings.ToLower(s.Host), "a.example") {
			t.Errorf("the upstream saw host %s", s.Host)
		}
	}
}
