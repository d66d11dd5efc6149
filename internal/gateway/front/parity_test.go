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
)

// parity has requests as bytes, and whether the lean path answers the first.
var parity = map[string]struct {
	sent string
	lean bool
}{
	"plain":                  {"GET /a/b?c=d&e=%20 HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"odd case of names":      {"GET / HTTP/1.1\r\nhOsT: a.example\r\naUTHORIZATION: Bearer good\r\nx-Odd-NAME: v\r\n" + ended, true},
	"host with a port":       {"GET / HTTP/1.1\r\nHost: a.example:8480\r\n" + good + ended, true},
	"spaces around values":   {"GET / HTTP/1.1\r\nHost:a.example\r\nX-A:   b c\t \r\n" + good + ended, true},
	"a value of nothing":     {"GET / HTTP/1.1\r\nHost: a.example\r\nX-A:\r\n" + good + ended, true},
	"lines of one name":      {"GET / HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\nX-B: 3\r\nX-A: 2\r\n" + good + ended, true},
	"head":                   {"HEAD / HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"head of chunks":         {"HEAD /chunkless HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"delete":                 {"DELETE /x HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"options":                {"OPTIONS /x HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"post":                   {"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n" + good + ended + "hello", true},
	"post of nothing":        {"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n" + good + ended, true},
	"put":                    {"PUT /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n" + good + ended + "hello", true},
	"patch":                  {"PATCH /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n" + good + ended + "hello", true},
	"get with a body":        {"GET /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n" + good + ended + "hello", false},
	"delete with a body":     {"DELETE /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n" + good + ended + "hello", false},
	"a variable's name":      {"GET /x HTTP/1.1\r\nHost: a.example\r\nProxy: http://evil.example\r\n" + good + ended, true},
	"an escaped slash":       {"GET /a%2Fb HTTP/1.1\r\nHost: a.example\r\n" + good + ended, false},
	"escapes":                {"GET /a%20b/%C3%A9?x=%2F&y=a+b HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"a question mark alone":  {"GET /a? HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"two of an agent":        {"GET /a HTTP/1.1\r\nHost: a.example\r\nUser-Agent: a\r\nUser-Agent: b\r\n" + good + ended, false},
	"facts told back":        {"GET /told HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"report":                 {"GET / HTTP/1.1\r\nHost: r.example\r\n" + ended, true},
	"report, by token":       {"GET / HTTP/1.1\r\nHost: r.example\r\n" + good + ended, true},
	"off":                    {"GET / HTTP/1.1\r\nHost: o.example\r\n" + ended, true},
	"a token dropped":        {"GET / HTTP/1.1\r\nHost: d.example\r\n" + good + ended, false},
	"another method":         {"PROPFIND / HTTP/1.1\r\nHost: a.example\r\n" + good + ended, false},
	"chunks":                 {"POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n" + good + ended + "5\r\nhello\r\n0\r\n\r\n", false},
	"a body too long":        {"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 70000\r\n" + good + ended + strings.Repeat("x", 70000), false},
	"old":                    {"GET / HTTP/1.0\r\nHost: a.example\r\n" + good + "\r\n", false},
	"absolute":               {"GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n" + good + ended, false},
	"expect":                 {"POST /x HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n" + good + ended + "hello", false},
	"trailers taken":         {"GET /trailer HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\n" + good + ended, false},
	"claimed facts":          {"GET / HTTP/1.1\r\nHost: a.example\r\nX-Partnerguard-User: eve\r\nx_partnerguard_mfa: true\r\nX-Ms-Client-Principal: eve\r\n" + good + ended, true},
	"claimed ways":           {"GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nX-Original-URL: /admin\r\n" + good + ended, true},
	"of a hop":               {"GET / HTTP/1.1\r\nHost: a.example\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: close\r\n" + good + ended, true},
	"a cookie of the site":   {"GET / HTTP/1.1\r\nHost: a.example\r\nCookie: a=b; c=d\r\n" + good + ended, true},
	"a cookie of ours":       {"GET / HTTP/1.1\r\nHost: a.example\r\nCookie: a=b; pg=d\r\n" + good + ended, false},
	"traced":                 {"GET / HTTP/1.1\r\nHost: a.example\r\nTraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nX-Request-Id: 7\r\n" + good + ended, true},
	"no token":               {"GET / HTTP/1.1\r\nHost: a.example\r\n" + ended, true},
	"no token and head":      {"HEAD / HTTP/1.1\r\nHost: a.example\r\n" + ended, true},
	"a bad token":            {"GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer bad\r\n" + ended, true},
	"a bad token and a body": {"POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nAuthorization: Bearer bad\r\n" + ended + "hello", true},
	"two tokens":             {"GET / HTTP/1.1\r\nHost: a.example\r\n" + good + good + ended, true},
	"no route":               {"GET / HTTP/1.1\r\nHost: z.example\r\n" + good + ended, false},
	"our own path":           {"GET /.partnerguard/ HTTP/1.1\r\nHost: a.example\r\n" + good + ended, false},
	"a browser's route":      {"GET / HTTP/1.1\r\nHost: b.example\r\n" + ended, false},
	"a browser's, by token":  {"GET / HTTP/1.1\r\nHost: b.example\r\n" + good + ended, true},
	"beyond the route":       {"POST /x HTTP/1.1\r\nHost: b.example\r\nContent-Length: 11\r\n" + good + ended + "hello world", false},
	"a bounded upstream":     {"GET / HTTP/1.1\r\nHost: c.example\r\n" + good + ended, false},
	"no content":             {"GET /204 HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"not modified":           {"GET /304 HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"an answer in chunks":    {"GET /chunked HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"an answer with trailer": {"GET /trailer HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"an answer to its close": {"GET /close HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"an old answer":          {"GET /old HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"an answer's hop":        {"GET /hop HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"an early answer":        {"GET /early HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"an upstream's error":    {"GET /error HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"a redirect":             {"GET /redirect HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"two cookies set":        {"GET /cookies HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"an answer with a date":  {"GET /dated HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"an answer of no kind":   {"GET /kindless HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"one after the other": {"GET /1 HTTP/1.1\r\nHost: a.example\r\n" + good + "\r\nPOST /2 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n" + good +
		"\r\nhiGET /3 HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"handed over behind one": {"GET /1 HTTP/1.1\r\nHost: a.example\r\n" + good + "\r\nPOST /2 HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n" + good +
		"\r\n2\r\nhi\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"refused behind one": {"GET /1 HTTP/1.1\r\nHost: a.example\r\n" + good + "\r\nGET /2 HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n" + good + "\r\n", true},
	"a bad head":         {"GET / HTTP/1.1\r\nHost : a.example\r\n" + good + ended, false},
	"two lengths":        {"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nContent-Length: 2\r\n" + good + ended + "hi", false},
	"a length and chunks": {"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n" + good + ended +
		"0\r\n\r\n", false},
	"a bare line feed":  {"GET / HTTP/1.1\r\nHost: a.example\n" + good + "\n", false},
	"dots":              {"GET /a/../b HTTP/1.1\r\nHost: a.example\r\n" + good + ended, false},
	"a long head":       {"GET / HTTP/1.1\r\nHost: a.example\r\nX-A: " + strings.Repeat("x", 70<<10) + "\r\n" + good + ended, false},
	"length twice back": {"GET /two-lengths HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"bad chunks back":   {"GET /bad-chunk HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"garbage back":      {"GET /garbage HTTP/1.1\r\nHost: a.example\r\n" + good + ended, true},
	"nothing back":      {"POST /hang-up HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n" + good + ended, true},
}

// TestBothPathsAreOne sends each request raw over both paths: the upstream sees the same
// of both, and the client gets the same, but for the date and the ids.
func TestBothPathsAreOne(t *testing.T) {
	t.Parallel()
	for name, c := range parity {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got, upstream [2]string
			for i, lean := range []bool{true, false} {
				up, seen := saw(t)
				g := newRig(t, lean, up, nil)
				got[i] = answered(t, g.raw(c.sent), strings.HasPrefix(c.sent, "HEAD"))
				if n := g.front.stats.lean.Load(); lean && n > 0 != c.lean {
					t.Errorf("the lean path answered %d", n)
				}
				var list []string
				for _, s := range seen() {
					list = append(list, normal(s))
				}
				upstream[i] = strings.Join(list, "\n")
			}
			if name == "bad chunks back" { // net/http has sent the head when it sees them: it cuts the answer off
				if !strings.HasPrefix(got[0], "502") || !strings.Contains(got[1], "cut off") {
					t.Errorf("lean:\n%s\nand full:\n%s", got[0], got[1])
				}
				return
			}
			if got[0] != got[1] {
				t.Errorf("the client got, lean:\n%s\nand full:\n%s", got[0], got[1])
			}
			if upstream[0] != upstream[1] {
				t.Errorf("the upstream saw, lean:\n%s\nand full:\n%s", upstream[0], upstream[1])
			}
		})
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
