package web_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"partnerguard/internal/web"
)

// TestLog: one line a request, by the route's name, with nothing that the client
// wrote.
func TestLog(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.route("x.thing", "GET /x/{id}", func(w http.ResponseWriter, q *http.Request) error {
		if q.PathValue("id") != "geheim" {
			t.Errorf("path value %q", q.PathValue("id"))
		}
		if web.RequestID(q.Context()) != "abc" {
			t.Errorf("request id %q", web.RequestID(q.Context()))
		}
		_, err := io.WriteString(w, "four")
		return err
	})
	r.do("geheim", "/geheim?a=geheim", "geheim", "User-Agent", "geheim", "X-Request-Id", "not well formed: geheim")
	if line := r.log.String(); strings.Contains(line, "geheim") || !strings.Contains(line, "method=other") || !strings.Contains(line, "route=none") {
		t.Error(line)
	}
	if r.log.Reset(); web.RequestID(t.Context()) != "" {
		t.Error("a request id outside of a request")
	}
	r.do(http.MethodGet, "/x/geheim?code=geheim", "", "Cookie", "a=geheim", "X-Request-Id", "abc")
	line := r.log.String()
	if strings.Count(line, "\n") != 1 || strings.Contains(line, "geheim") {
		t.Error(line)
	}
	for _, want := range []string{
		"level=INFO", "msg=request", "request=abc", "route=x.thing", `pattern="GET /x/{id}"`, "method=GET", "status=200", "bytes=4", "duration=",
	} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
}

// TestRequestIDs: one that is well formed is kept; what is not gets another.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	r := newRig()
	r.route("x", "GET /x", fine)
	for name, c := range map[string]struct {
		header []string
		want   string // "" a random one
	}{
		"none":                {nil, ""},
		"one":                 {[]string{"X-Request-Id", "req_1.a-B"}, "req_1.a-B"},
		"a trace":             {[]string{"Traceparent", "00-" + trace + "-00f067aa0ba902b7-01", "X-Request-Id", "x"}, trace},
		"a trace to come":     {[]string{"Traceparent", "01-" + trace + "-00f067aa0ba902b7-01-more"}, trace},
		"more of version 0":   {[]string{"Traceparent", "00-" + trace + "-00f067aa0ba902b7-01-more", "X-Request-Id", "x"}, "x"},
		"version ff":          {[]string{"Traceparent", "ff-" + trace + "-00f067aa0ba902b7-01"}, ""},
		"an empty trace":      {[]string{"Traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"}, ""},
		"an empty parent":     {[]string{"Traceparent", "00-" + trace + "-0000000000000000-01"}, ""},
		"capitals":            {[]string{"Traceparent", "00-" + strings.ToUpper(trace) + "-00f067aa0ba902b7-01"}, ""},
		"two traces":          {[]string{"Traceparent", "00-" + trace + "-00f067aa0ba902b7-01", "Traceparent", "00-" + trace + "-00f067aa0ba902b7-01"}, ""},
		"two ids":             {[]string{"X-Request-Id", "a", "X-Request-Id", "b"}, ""},
		"a new line":          {[]string{"X-Request-Id", "a\nlevel=ERROR"}, ""},
		"a new line at last":  {[]string{"X-Request-Id", "a\n"}, ""},
		"a quote":             {[]string{"X-Request-Id", `a"b`}, ""},
		"markup":              {[]string{"X-Request-Id", "<script>"}, ""},
		"another's alphabet":  {[]string{"X-Request-Id", "аbc"}, ""},
		"a long one":          {[]string{"X-Request-Id", strings.Repeat("a", 65)}, ""},
		"as long as it may":   {[]string{"X-Request-Id", strings.Repeat("a", 64)}, strings.Repeat("a", 64)},
		"a path":              {[]string{"X-Request-Id", "../../etc"}, ""},
		"nothing in it":       {[]string{"X-Request-Id", ""}, ""},
		"a very long trace":   {[]string{"Traceparent", "01-" + trace + "-00f067aa0ba902b7-01-" + strings.Repeat("a", 1000)}, ""},
		"a trace of one line": {[]string{"Traceparent", "00-" + trace + "-00f067aa0ba902b7-01\n"}, ""},
	} {
		got := r.do(http.MethodGet, "/x", "", c.header...).Header().Get("X-Request-Id")
		if c.want != "" && got != c.want || c.want == "" && !guid.MatchString(got) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// TestLoopback: this machine, by a name of it, through nobody.
func TestLoopback(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.route("x", "GET /x", fine, func(r *web.Route) { r.Access = web.Loopback })
	for name, c := range map[string]struct {
		header []string
		want   int
	}{
		"from here":          {[]string{"peer", "127.0.0.1:5", "Host", "127.0.0.1:8443"}, 200},
		"by name":            {[]string{"peer", "127.0.0.1:5", "Host", "LocalHost"}, 200},
		"by IPv6":            {[]string{"peer", "[::1]:5", "Host", "[::1]:8443"}, 200},
		"mapped":             {[]string{"peer", "[::ffff:127.0.0.1]:5", "Host", "127.0.0.1"}, 200},
		"from elsewhere":     {[]string{"peer", "192.0.2.1:5", "Host", "127.0.0.1"}, 403},
		"by another's name":  {[]string{"peer", "127.0.0.1:5", "Host", "evil.example"}, 403},
		"by another address": {[]string{"peer", "127.0.0.1:5", "Host", "192.0.2.1:8443"}, 403},
		"a longer name":      {[]string{"peer", "127.0.0.1:5", "Host", "localhost.evil.example"}, 403},
		"no name":            {[]string{"peer", "127.0.0.1:5", "Host", ""}, 403},
		"a proxy":            {[]string{"peer", "127.0.0.1:5", "Host", "127.0.0.1", "X-Forwarded-For", "192.0.2.1"}, 403},
		"another proxy":      {[]string{"peer", "127.0.0.1:5", "Host", "127.0.0.1", "Via", "1.1 x"}, 403},
		"a third":            {[]string{"peer", "127.0.0.1:5", "Host", "127.0.0.1", "Forwarded", "for=192.0.2.1"}, 403},
		"no address":         {[]string{"peer", "@", "Host", "127.0.0.1"}, 403},
	} {
		if w := r.do(http.MethodGet, "/x", "", c.header...); w.Code != c.want {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}
