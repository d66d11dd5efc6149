package front

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	good  = "Authorization: Bearer good\r\n"
	ended = "Connection: close\r\n\r\n"
	toA   = "HTTP/1.1\r\nHost: a.example\r\n"
)

// parity has requests as bytes, and whether the lean path answers the first.
var parity = map[string]struct {
	sent string
	lean bool
}{
	"plain":                 {"GET /a/b?c=d&e=%20 " + toA + good + ended, true},
	"odd case of names":     {"GET / HTTP/1.1\r\nhOsT: a.example\r\naUTHORIZATION: Bearer good\r\nx-Odd-NAME: v\r\n" + ended, true},
	"host with a port":      {"GET / HTTP/1.1\r\nHost: a.example:8480\r\n" + good + ended, true},
	"spaces around values":  {"GET / HTTP/1.1\r\nHost:a.example\r\nX-A:   b c\t \r\n" + good + ended, true},
	"a value of nothing":    {"GET / " + toA + "X-A:\r\n" + good + ended, true},
	"lines of one name":     {"GET / " + toA + "X-A: 1\r\nX-B: 3\r\nX-A: 2\r\n" + good + ended, true},
	"head":                  {"HEAD / " + toA + good + ended, true},
	"head of chunks":        {"HEAD /chunkless " + toA + good + ended, true},
	"delete":                {"DELETE /x " + toA + good + ended, true},
	"options":               {"OPTIONS /x " + toA + good + ended, true},
	"post":                  {"POST /x " + toA + "Content-Type: text/plain\r\nContent-Length: 5\r\n" + good + ended + "hello", true},
	"post of nothing":       {"POST /x " + toA + "Content-Length: 0\r\n" + good + ended, true},
	"put":                   {"PUT /x " + toA + "Content-Length: 5\r\n" + good + ended + "hello", true},
	"patch":                 {"PATCH /x " + toA + "Content-Length: 5\r\n" + good + ended + "hello", true},
	"get with a body":       {"GET /x " + toA + "Content-Length: 5\r\n" + good + ended + "hello", false},
	"delete with a body":    {"DELETE /x " + toA + "Content-Length: 5\r\n" + good + ended + "hello", false},
	"a variable's name":     {"GET /x " + toA + "Proxy: http://evil.example\r\n" + good + ended, true},
	"an escaped slash":      {"GET /a%2Fb " + toA + good + ended, false},
	"escapes":               {"GET /a%20b/%C3%A9?x=%2F&y=a+b " + toA + good + ended, true},
	"a question mark alone": {"GET /a? " + toA + good + ended, true},
	"two of an agent":       {"GET /a " + toA + "User-Agent: a\r\nUser-Agent: b\r\n" + good + ended, false},
	"facts told back":       {"GET /told " + toA + good + ended, true},
	"report":                {"GET / HTTP/1.1\r\nHost: r.example\r\n" + ended, true},
	"report, by token":      {"GET / HTTP/1.1\r\nHost: r.example\r\n" + good + ended, true},
	"off":                   {"GET / HTTP/1.1\r\nHost: o.example\r\n" + ended, true},
	"a token dropped":       {"GET / HTTP/1.1\r\nHost: d.example\r\n" + good + ended, true},
	"another method":        {"PROPFIND / " + toA + good + ended, false},
	"chunks":                {"POST /x " + toA + "Transfer-Encoding: chunked\r\n" + good + ended + "5\r\nhello\r\n0\r\n\r\n", false},
	"a body too long":       {"POST /x " + toA + "Content-Length: 70000\r\n" + good + ended + strings.Repeat("x", 70000), false},
	"old":                   {"GET / HTTP/1.0\r\nHost: a.example\r\n" + good + "\r\n", false},
	"absolute":              {"GET http://a.example/x " + toA + good + ended, false},
	"expect":                {"POST /x " + toA + "Expect: 100-continue\r\nContent-Length: 5\r\n" + good + ended + "hello", false},
	"trailers taken":        {"GET /trailer " + toA + "TE: trailers\r\n" + good + ended, false},
	"claimed facts":         {"GET / " + toA + "X-Partnerguard-User: eve\r\nx_partnerguard_mfa: true\r\nX-Ms-Client-Principal: eve\r\n" + good + ended, true},
	"claimed ways": {"GET / " + toA + "X-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n" +
		"X-Real-IP: 1.2.3.4\r\nX-Original-URL: /admin\r\n" + good + ended, true},
	"of a hop":             {"GET / " + toA + "Keep-Alive: timeout=5\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: close\r\n" + good + ended, true},
	"a cookie of the site": {"GET / " + toA + "Cookie: a=b; c=d\r\n" + good + ended, true},
	"a cookie of ours":     {"GET / " + toA + "Cookie: a=b; pg=d\r\n" + good + ended, true},
	"traced": {"GET / " + toA + "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n" +
		"X-Request-Id: 7\r\n" + good + ended, true},
	"no token":               {"GET / " + toA + ended, true},
	"no token and head":      {"HEAD / " + toA + ended, true},
	"a bad token":            {"GET / " + toA + "Authorization: Bearer bad\r\n" + ended, true},
	"a bad token and a body": {"POST /x " + toA + "Content-Length: 5\r\nAuthorization: Bearer bad\r\n" + ended + "hello", true},
	"two tokens":             {"GET / " + toA + good + good + ended, true},
	"no route":               {"GET / HTTP/1.1\r\nHost: z.example\r\n" + good + ended, false},
	"our own path":           {"GET /.partnerguard/ " + toA + good + ended, false},
	"a browser's route":      {"GET / HTTP/1.1\r\nHost: b.example\r\n" + ended, true},
	"a browser's, by token":  {"GET / HTTP/1.1\r\nHost: b.example\r\n" + good + ended, true},
	"beyond the route":       {"POST /x HTTP/1.1\r\nHost: b.example\r\nContent-Length: 11\r\n" + good + ended + "hello world", false},
	"a bounded upstream":     {"GET / HTTP/1.1\r\nHost: c.example\r\n" + good + ended, true},
	"no content":             {"GET /204 " + toA + good + ended, true},
	"not modified":           {"GET /304 " + toA + good + ended, true},
	"an answer in chunks":    {"GET /chunked " + toA + good + ended, true},
	"an answer with trailer": {"GET /trailer " + toA + good + ended, true},
	"an answer to its close": {"GET /close " + toA + good + ended, true},
	"an old answer":          {"GET /old " + toA + good + ended, true},
	"an answer's hop":        {"GET /hop " + toA + good + ended, true},
	"an early answer":        {"GET /early " + toA + good + ended, true},
	"an upstream's error":    {"GET /error " + toA + good + ended, true},
	"a redirect":             {"GET /redirect " + toA + good + ended, true},
	"two cookies set":        {"GET /cookies " + toA + good + ended, true},
	"an answer with a date":  {"GET /dated " + toA + good + ended, true},
	"an answer of no kind":   {"GET /kindless " + toA + good + ended, true},
	"one after the other": {"GET /1 " + toA + good + "\r\nPOST /2 " + toA + "Content-Length: 2\r\n" + good +
		"\r\nhiGET /3 " + toA + good + ended, true},
	"handed over behind one": {"GET /1 " + toA + good + "\r\nPOST /2 " + toA + "Transfer-Encoding: chunked\r\n" + good +
		"\r\n2\r\nhi\r\n0\r\n\r\nGET /3 " + toA + good + ended, true},
	"refused behind one": {"GET /1 " + toA + good + "\r\nGET /2 " + toA + "Host: b.example\r\n" + good + "\r\n", true},
	"a bad head":         {"GET / HTTP/1.1\r\nHost : a.example\r\n" + good + ended, false},
	"two lengths":        {"POST / " + toA + "Content-Length: 2\r\nContent-Length: 2\r\n" + good + ended + "hi", false},
	"a length and chunks": {"POST / " + toA + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" + good + ended +
		"0\r\n\r\n", false},
	"a bare line feed":  {"GET / HTTP/1.1\r\nHost: a.example\n" + good + "\n", false},
	"dots":              {"GET /a/../b " + toA + good + ended, false},
	"a long head":       {"GET / " + toA + "X-A: " + strings.Repeat("x", 70<<10) + "\r\n" + good + ended, false},
	"length twice back": {"GET /two-lengths " + toA + good + ended, true},
	"bad chunks back":   {"GET /bad-chunk " + toA + good + ended, true},
	"garbage back":      {"GET /garbage " + toA + good + ended, true},
	"nothing back":      {"POST /hang-up " + toA + "Content-Length: 0\r\n" + good + ended, true},
}

// TestBothPathsAreOne sends each request raw over both paths: the upstream sees the same
// of both, and the client gets the same, but for the date and the ids.
func TestBothPathsAreOne(t *testing.T) {
	t.Parallel()
	for name, c := range parity {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, upstream := threeWays(t, file, c.sent, c.lean)
			if name == "bad chunks back" { // net/http has sent the head when it sees them: it cuts the answer off
				if !strings.HasPrefix(got[0], "502") || !strings.Contains(got[1], "cut off") {
					t.Errorf("lean:\n%s\nand full:\n%s", got[0], got[1])
				}
				return
			}
			alike(t, got, upstream)
		})
	}
}

// threeWays sends bytes over the lean path, over net/http with its own transport, and over
// net/http with the lean path's lines.
func threeWays(t *testing.T, file, sent string, lean bool) (got, upstream [3]string) {
	t.Helper()
	for i := range got {
		up, seen := saw(t)
		plain := NewLines(0).Transport
		if i < 2 {
			plain = nil
		}
		g := rigOf(t, i == 0, strings.ReplaceAll(file, "%[1]s", up), plain, nil)
		got[i] = answered(t, g.raw(sent), strings.HasPrefix(sent, "HEAD"))
		if n := g.front.stats.lean.Load(); i == 0 && n > 0 != lean {
			t.Errorf("the lean path answered %d", n)
		}
		var list []string
		for _, s := range seen() {
			if !strings.HasPrefix(s, "GET /healthz ") {
				list = append(list, normal(s))
			}
		}
		upstream[i] = strings.Join(list, "\n")
	}
	return got, upstream
}

func alike(t *testing.T, got, upstream [3]string) {
	t.Helper()
	for i, way := range []string{"full", "full over lines"} {
		if got[0] != got[i+1] {
			t.Errorf("the client got, lean:\n%s\nand %s:\n%s", got[0], way, got[i+1])
		}
		if upstream[0] != upstream[i+1] {
			t.Errorf("the upstream saw, lean:\n%s\nand %s:\n%s", upstream[0], way, upstream[i+1])
		}
	}
}

// changing are the headers that differ from request to request.
var changing = []string{"Date", "X-Request-Id", "X-Partnerguard-Request"}

var anID = regexp.MustCompile(`[0-9a-f]{32}`)

// normal sorts the lines of a head by their canonical names.
func normal(text string) string {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	var fields []string
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ":")
		name = textproto.CanonicalMIMEHeaderKey(name)
		if slices.Contains(changing, name) {
			value = " ."
		}
		fields = append(fields, name+": "+strings.Trim(value, " \t"))
	}
	slices.SortStableFunc(fields, func(a, b string) int {
		x, _, _ := strings.Cut(a, ":")
		y, _, _ := strings.Cut(b, ":")
		return strings.Compare(x, y)
	})
	return lines[0] + "\n" + strings.Join(fields, "\n") + "\n" + body
}

// answered reads the answers of a connection, bodies without their framing.
func answered(t *testing.T, raw string, head bool) string {
	var b strings.Builder
	r := bufio.NewReader(strings.NewReader(raw))
	method := "GET"
	if head {
		method = "HEAD"
	}
	for {
		if _, err := r.Peek(1); err != nil {
			return b.String()
		}
		res, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			fmt.Fprintf(&b, "no answer: %v\n", err)
			return b.String()
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			body = []byte("cut off")
		}
		fmt.Fprintf(&b, "%s length %d %v\n", res.Status, res.ContentLength, res.TransferEncoding)
		for _, name := range slices.Sorted(keys(res.Header)) {
			v := strings.Join(res.Header[name], " | ")
			if slices.Contains(changing, name) && name != "Date" || name == "Date" && v != fixedDate {
				v = "."
			}
			if res.StatusCode < 400 || res.StatusCode == 401 || name != "Content-Type" {
				fmt.Fprintf(&b, "%s: %s\n", name, v)
			}
		}
		for _, name := range slices.Sorted(keys(res.Trailer)) {
			fmt.Fprintf(&b, "behind: %s: %s\n", name, res.Trailer.Get(name))
		}
		fmt.Fprintf(&b, "%s\n", anID.ReplaceAll(body, []byte("an id")))
	}
}

func keys(h http.Header) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range h {
			if !yield(k) {
				return
			}
		}
	}
}
