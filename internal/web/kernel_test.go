package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// rig is a kernel with what it wrote.
type rig struct {
	*web.Kernel
	log bytes.Buffer
	reg *prometheus.Registry
}

func newRig() *rig {
	r := &rig{reg: prometheus.NewRegistry()}
	r.Kernel = web.NewKernel(web.Deps{Log: slog.New(slog.NewTextHandler(&r.log, nil)), Metrics: r.reg})
	return r
}

// route adds a route that nothing is special about.
func (r *rig) route(name, pattern string, h func(http.ResponseWriter, *http.Request) error, change ...func(*web.Route)) {
	route := web.Route{Name: name, Pattern: pattern, Access: web.Public("a test"), Handle: h}
	for _, c := range change {
		c(&route)
	}
	r.Handle(route)
}

func (r *rig) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(method, "https://pg.example"+path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			q.Host = header[i+1]
			continue
		}
		if header[i] == "peer" {
			q.RemoteAddr = header[i+1]
			continue
		}
		q.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w
}

func fine(http.ResponseWriter, *http.Request) error { return nil }

func page(r *web.Route) { r.Page = true }

func TestKernel(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.route("root", "GET /{$}", fine)
	r.route("form", "POST /{$}", fine)
	r.route("panic", "GET /panic/", func(http.ResponseWriter, *http.Request) error { panic("geheim") })
	r.route("read", "POST /read", func(_ http.ResponseWriter, q *http.Request) error {
		_, err := io.ReadAll(q.Body)
		return err
	})
	r.route("wrapped", "POST /wrapped", func(_ http.ResponseWriter, q *http.Request) error {
		if _, err := io.ReadAll(q.Body); err != nil {
			return problem.Wrap(err, problem.BadInput, "it cannot be read")
		}
		return nil
	}, func(r *web.Route) { r.MaxBody = 10 })
	ok := r.do(http.MethodGet, "/", "")
	for name, want := range map[string]string{
		"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cache-Control": "no-store", "Strict-Transport-Security": "max-age", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if !strings.Contains(ok.Header().Get(name), want) {
			t.Errorf("%s: %q", name, ok.Header().Get(name))
		}
	}
	for name, c := range map[string]struct {
		got  *httptest.ResponseRecorder
		want int
	}{
		"own form":          {r.do(http.MethodPost, "/", "", "Origin", "https://pg.example", "Sec-Fetch-Site", "same-origin"), 200},
		"another's":         {r.do(http.MethodPost, "/", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), 403},
		"older browser":     {r.do(http.MethodPost, "/", "", "Origin", "https://evil.example"), 403},
		"another's link":    {r.do(http.MethodGet, "/", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), 200},
		"a body":            {r.do(http.MethodPost, "/read", strings.Repeat("x", web.MaxBody)), 200},
		"large body":        {r.do(http.MethodPost, "/read", strings.Repeat("x", web.MaxBody+1)), 413},
		"its own limit":     {r.do(http.MethodPost, "/wrapped", "0123456789"), 200},
		"past it":           {r.do(http.MethodPost, "/wrapped", "0123456789a"), 413},
		"panic":             {r.do(http.MethodGet, "/panic/geheim?code=geheim", ""), 500},
		"a path unknown":    {r.do(http.MethodGet, "/geheim", ""), 404},
		"a method unknown":  {r.do(http.MethodDelete, "/read?code=geheim", ""), 405},
		"a path made clean": {r.do(http.MethodGet, "/x/../panic", ""), 301},
	} {
		if c.got.Code != c.want && !(c.want == 301 && c.got.Code == 307) {
			t.Errorf("%s: %d, want %d", name, c.got.Code, c.want)
		}
		if strings.Contains(c.got.Body.String(), "geheim") {
			t.Errorf("%s: it shows what it must not", name)
		}
	}
	if log := r.log.String(); !strings.Contains(log, "route=panic") || !strings.Contains(log, "kernel_test.go") || strings.Contains(log, "geheim") {
		t.Errorf("log: %s", log)
	}
	if allow := r.do(http.MethodDelete, "/read", "").Header().Get("Allow"); allow != "POST" {
		t.Errorf("Allow: %q", allow)
	}
	if n := testutil.ToFloat64(counter(t, r.reg, "partnerguard_http_panics_total")); n != 1 {
		t.Errorf("%v panics", n)
	}
}

// counter is the only series of a metric.
func counter(t *testing.T, g prometheus.Gatherer, name string) prometheus.Counter {
	t.Helper()
	all, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "x"})
	for _, f := range all {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				c.Add(m.GetCounter().GetValue())
			}
		}
	}
	return c
}

// TestStatuses: each kind has its status, its words are shown or not, and what
// is hidden is in the log alone.
func TestStatuses(t *testing.T) {
	t.Parallel()
	hidden := errors.New("geheim")
	for name, c := range map[string]struct {
		err    error
		status int
		shows  string // "" nothing of the error
	}{
		"usage":           {problem.Wrap(hidden, problem.Usage, "words"), 400, "words"},
		"bad input":       {problem.Wrap(hidden, problem.BadInput, "words"), 400, "words"},
		"unauthenticated": {problem.Wrap(hidden, problem.Unauthenticated, "words"), 401, "words"},
		"forbidden":       {problem.Wrap(hidden, problem.Forbidden, "words"), 403, "words"},
		"not found":       {problem.Wrap(hidden, problem.NotFound, "words"), 404, "words"},
		"conflict":        {problem.Wrap(hidden, problem.Conflict, "words"), 409, "words"},
		"limit":           {problem.Wrap(hidden, problem.Limit, "words"), 413, "words"},
		"unmet":           {problem.Wrap(hidden, problem.Unmet, "words"), 422, "words"},
		"too many":        {problem.Wrap(hidden, problem.TooMany, "words").WithAfter(1500 * time.Millisecond), 429, "words"},
		"internal":        {problem.Wrap(hidden, problem.Internal, "geheim"), 500, ""},
		"unavailable":     {problem.Wrap(hidden, problem.Unavailable, "words").WithAfter(2 * time.Second), 503, "words"},
		"a kind to come":  {problem.New(problem.Kind("geheim"), "geheim"), 500, ""},
		"unknown":         {hidden, 500, ""},
		"around":          {fmt.Errorf("geheim: %w", problem.New(problem.NotFound, "words")), 404, "words"},
		"the outer kind":  {problem.Wrap(problem.New(problem.Unmet, "geheim"), problem.Conflict, "words"), 409, "words"},
		"a timeout":       {context.DeadlineExceeded, 503, "it took too long"},
		"the client left": {context.Canceled, 503, ""},
		"a body":          {&http.MaxBytesError{Limit: 1}, 413, "what was sent"},
		"its own status":  {web.WithStatus(421, problem.New(problem.NotFound, "words")), 421, "words"},
		"own, no words":   {web.WithStatus(418, hidden), 418, ""},
		"no status":       {web.WithStatus(200, hidden), 500, ""},
		"no error":        {web.WithStatus(404, nil), 500, ""},
	} {
		r := newRig()
		r.route("x", "GET /x", func(http.ResponseWriter, *http.Request) error { return c.err })
		w := r.do(http.MethodGet, "/x", "")
		if got := web.Status(c.err); w.Code != c.status || got != c.status {
			t.Errorf("%s: %d and %d, want %d", name, w.Code, got, c.status)
		}
		body := w.Body.String()
		if strings.Contains(body, "geheim") || !strings.Contains(body, c.shows) {
			t.Errorf("%s: %s", name, body)
		}
		if p, ok := errors.AsType[*problem.Error](c.err); ok && p.Cause() != nil && !strings.Contains(r.log.String(), p.Cause().Error()) {
			t.Errorf("%s: the cause is not in the log: %s", name, &r.log)
		}
		if after := w.Header().Get("Retry-After"); (after != "") != (name == "too many" || name == "unavailable") || after != "" && after != "2" {
			t.Errorf("%s: Retry-After %q", name, after)
		}
		if (w.Header().Get("WWW-Authenticate") == "Bearer") != (c.status == 401) {
			t.Errorf("%s: WWW-Authenticate %q", name, w.Header().Get("WWW-Authenticate"))
		}
		if level := map[bool]string{true: "level=ERROR", false: "level=INFO"}[c.status >= 500 && c.status != 503]; c.status != 503 && !strings.Contains(r.log.String(), level) {
			t.Errorf("%s: %s", name, &r.log)
		}
	}
}

// TestProblemJSON holds an answer against RFC 9457: the members, their types,
// the media type, and that the instance is the request's.
func TestProblemJSON(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.route("x", "GET /x", func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Length", "5") // of what it was going to write
		w.Header().Set("ETag", `"a"`)
		return problem.New(problem.Conflict, "it <is> there").WithHint("name another")
	})
	w := r.do(http.MethodGet, "/x", "", "X-Request-Id", "abc-1")
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"type": "about:blank", "title": "Conflict", "status": 409.0, "detail": "it <is> there", "hint": "name another", "instance": "urn:partnerguard:request:abc-1"}
	if fmt.Sprint(m) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", m, want)
	}
	head := w.Header()
	if head.Get("Content-Type") != "application/problem+json" || head.Get("X-Request-Id") != "abc-1" || head.Get("Content-Length") != "" || head.Get("ETag") != "" || head.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", head)
	}
}

// TestForms: a person gets a page, a program JSON, each as it says or as the
// route is for.
func TestForms(t *testing.T) {
	t.Parallel()
	r := newRig()
	gone := func(http.ResponseWriter, *http.Request) error {
		return problem.New(problem.NotFound, "<b>it</b> is gone").WithHint("look elsewhere")
	}
	r.route("api", "GET /api", gone)
	r.route("page", "GET /page", gone, page)
	r.route("own", "/own", gone, func(r *web.Route) {
		r.Fail = func(w http.ResponseWriter, _ *http.Request, status int, err error) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "own: "+err.Error())
		}
	})
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, c := range []struct{ path, accept, want string }{
		{"/api", "", "application/problem+json"},
		{"/api", browser, "application/problem+json"},
		{"/page", "", "text/html; charset=utf-8"},
		{"/page", "*/*", "text/html; charset=utf-8"},
		{"/page", browser, "text/html; charset=utf-8"},
		{"/page", "application/json", "application/problem+json"},
		{"/page", "application/problem+json, text/html;q=0.5", "application/problem+json"},
		{"/nothing", "", "application/problem+json"},
		{"/nothing", browser, "text/html; charset=utf-8"},
		{"/nothing", "*/*", "application/problem+json"},
		{"/own", browser, ""},
	} {
		var header []string
		if c.accept != "" {
			header = []string{"Accept", c.accept}
		}
		w := r.do(http.MethodGet, c.path, "", header...)
		if got := w.Header().Get("Content-Type"); got != c.want || w.Code != 404 {
			t.Errorf("%s for %q: %d %q", c.path, c.accept, w.Code, got)
		}
		policy := w.Header().Get("Content-Security-Policy")
		if html := strings.HasPrefix(c.want, "text/html"); html != strings.Contains(policy, "style-src 'sha256-") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s for %q: %s", c.path, c.accept, policy)
		}
		if body := w.Body.String(); strings.HasPrefix(c.want, "text/html") && (strings.Contains(body, "<b>") || c.path == "/page" && !strings.Contains(body, "Look elsewhere.")) {
			t.Errorf("%s: %s", c.path, body)
		}
	}
	if w := r.do(http.MethodPost, "/own", "", "Origin", "https://evil.example"); w.Code != 403 || w.Body.String() != "own: a form of another site is not taken here" {
		t.Errorf("its own form: %d %s", w.Code, w.Body)
	}
}

func TestPolicyOfARoute(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.route("x", "GET /x", fine, func(r *web.Route) { r.Policy = "default-src 'self'" })
	if got := r.do(http.MethodGet, "/x", "").Header().Values("Content-Security-Policy"); len(got) != 1 || got[0] != "default-src 'self'" {
		t.Errorf("%q", got)
	}
}

// TestTimeout: a handler that heeds its context is answered for when its time is
// over, and not before.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for name, within := range map[string]time.Duration{"its own": 3 * time.Second, "the kernel's": 0, "a long one": time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			r.route("slow", "GET /slow", func(_ http.ResponseWriter, q *http.Request) error {
				<-q.Context().Done()
				return fmt.Errorf("looking: %w", q.Context().Err())
			}, func(r *web.Route) { r.Timeout = within })
			began := time.Now()
			w := r.do(http.MethodGet, "/slow", "")
			want := within
			if want == 0 {
				want = web.Timeout
			}
			if took := time.Since(began); took != want || w.Code != 503 || !strings.Contains(w.Body.String(), "it took too long") {
				t.Errorf("%s: after %s: %d %s", name, took, w.Code, w.Body)
			}
			if !strings.Contains(r.log.String(), "duration="+want.String()) {
				t.Errorf("%s: %s", name, &r.log)
			}
		})
	}
}

// TestHalfAnAnswer: what fails after it began is cut, so that nobody takes it
// for the whole.
func TestHalfAnAnswer(t *testing.T) {
	t.Parallel()
	r := newRig()
	half := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
	}
	r.route("error", "GET /error", func(w http.ResponseWriter, _ *http.Request) error { half(w); return errors.New("the rest is gone") })
	r.route("panic", "GET /panic", func(w http.ResponseWriter, _ *http.Request) error { half(w); panic("geheim") })
	r.route("abort", "GET /abort", func(w http.ResponseWriter, _ *http.Request) error { half(w); panic(http.ErrAbortHandler) })
	s := httptest.NewServer(r)
	defer s.Close()
	for _, path := range []string{"/error", "/panic", "/abort"} {
		res, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(path, err)
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err == nil || string(b) != "half" {
			t.Errorf("%s: %q %v", path, b, err)
		}
	}
}

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
	if r.log.Reset(); web.RequestID(t.Context()) != "" {
		t.Error("a request id outside of a request")
	}
	r.do(http.MethodGet, "/x/geheim?code=geheim", "", "Cookie", "a=geheim", "X-Request-Id", "abc")
	line := r.log.String()
	if strings.Count(line, "\n") != 1 || strings.Contains(line, "geheim") {
		t.Error(line)
	}
	for _, want := range []string{"level=INFO", "msg=request", "request=abc", "route=x.thing", `pattern="GET /x/{id}"`, "method=GET", "status=200", "bytes=4", "duration="} {
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
		"from here":         {[]string{"peer", "127.0.0.1:5", "Host", "127.0.0.1:8443"}, 200},
		"by name":           {[]string{"peer", "127.0.0.1:5", "Host", "LocalHost"}, 200},
		"by IPv6":           {[]string{"peer", "[::1]:5", "Host", "[::1]:8443"}, 200},
		"mapped":            {[]string{"peer", "[::ffff:127.0.0.1]:5", "Host", "127.0.0.1"}, 200},
		"from elsewhere":    {[]string{"peer", "192.0.2.1:5", "Host", "127.0.0.1"}, 403},
		"by another's name": {[]string{"peer", "127.0.0.1:5", "Host", "evil.example"}, 403},
		"a longer name":     {[]string{"peer", "127.0.0.1:5", "Host", "localhost.evil.example"}, 403},
		"no name":           {[]string{"peer", "127.0.0.1:5", "Host", ""}, 403},
		"a proxy":           {[]string{"peer", "127.0.0.1:5", "Host", "127.0.0.1", "X-Forwarded-For", "192.0.2.1"}, 403},
		"another proxy":     {[]string{"peer", "127.0.0.1:5", "Host", "127.0.0.1", "Via", "1.1 x"}, 403},
		"a third":           {[]string{"peer", "127.0.0.1:5", "Host", "127.0.0.1", "Forwarded", "for=192.0.2.1"}, 403},
		"no address":        {[]string{"peer", "@", "Host", "127.0.0.1"}, 403},
	} {
		if w := r.do(http.MethodGet, "/x", "", c.header...); w.Code != c.want {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// TestRegistration: a route that says too little ends the program, with words.
func TestRegistration(t *testing.T) {
	t.Parallel()
	whole := func() web.Route {
		return web.Route{Name: "a.b", Pattern: "GET /x", Access: web.Public("a test"), Handle: fine}
	}
	for name, c := range map[string]struct {
		change func(*web.Route)
		want   string // "" it is taken
	}{
		"whole":           {func(*web.Route) {}, ""},
		"no name":         {func(r *web.Route) { r.Name = "" }, "no name"},
		"an odd name":     {func(r *web.Route) { r.Name = "A b" }, "lower case"},
		"the kernel's":    {func(r *web.Route) { r.Name = "none" }, "taken"},
		"a double name":   {func(r *web.Route) { r.Name = "first" }, "taken"},
		"no access":       {func(r *web.Route) { r.Access = web.Access{} }, "no access rule"},
		"no reason":       {func(r *web.Route) { r.Access = web.Own(" ") }, "no access rule"},
		"no handler":      {func(r *web.Route) { r.Handle = nil }, "no handler"},
		"no method":       {func(r *web.Route) { r.Pattern = "/x" }, "no method"},
		"its own errors":  {func(r *web.Route) { r.Pattern, r.Fail = "/x", func(http.ResponseWriter, *http.Request, int, error) {} }, ""},
		"a double route":  {func(r *web.Route) { r.Pattern = "GET /first" }, "conflicts"},
		"no pattern":      {func(r *web.Route) { r.Pattern = "GET x y" }, "parsing"},
		"a limit below 0": {func(r *web.Route) { r.MaxBody = -1 }, "negative"},
	} {
		said := func() (said string) {
			defer func() {
				if p := recover(); p != nil {
					said = fmt.Sprint(p)
				}
			}()
			k := web.NewKernel(web.Deps{})
			k.Handle(web.Route{Name: "first", Pattern: "GET /first", Access: web.Loopback, Handle: fine})
			r := whole()
			c.change(&r)
			k.Handle(r)
			return ""
		}()
		if (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: %q", name, said)
		}
	}
	k := web.NewKernel(web.Deps{})
	k.Handle(whole())
	k.Handle(web.Health())
	if l := k.Routes(); len(l) != 2 || l[0].Name != "a.b" || l[0].Access.String() != "public: a test" || l[1].Name != "health" {
		t.Errorf("%v", l)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		var broken error
		hangs := true
		r.Handle(web.Health(web.Check{Name: "the database", Look: func(context.Context) error { return broken }},
			web.Check{Name: "the queue", Look: func(ctx context.Context) error {
				if hangs {
					<-ctx.Done()
				}
				return ctx.Err()
			}}))
		broken = io.EOF
		if w := r.do(http.MethodGet, "/healthz", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "the database does not answer") || strings.Contains(w.Body.String(), "EOF") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if !strings.Contains(r.log.String(), "cause=EOF") {
			t.Errorf("%s", &r.log)
		}
		broken = nil
		began := time.Now()
		w := r.do(http.MethodGet, "/healthz", "")
		if took := time.Since(began); took != 5*time.Second || w.Code != 503 || !strings.Contains(w.Body.String(), "the queue does not answer") {
			t.Errorf("after %s: %d %s", took, w.Code, w.Body)
		}
		hangs = false
		if w := r.do(http.MethodGet, "/healthz", ""); w.Code != 200 || w.Body.String() != "ok\n" || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
}

// TestMetrics: the names that people's dashboards know, and no series that a
// client can make.
func TestMetrics(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.Handle(web.Metrics(r.reg))
	r.route("x", "GET /x/", fine)
	r.route("bad", "GET /bad", func(http.ResponseWriter, *http.Request) error { panic("x") })
	r.do(http.MethodGet, "/x/1", "")
	r.do(http.MethodHead, "/x/2", "")
	r.do("GEHEIM", "/geheim", "")
	r.do("GEHEIM2", "/geheim2", "")
	r.do(http.MethodGet, "/bad", "")
	if w := r.do(http.MethodGet, "/metrics", ""); w.Code != 403 {
		t.Errorf("from elsewhere: %d", w.Code)
	}
	w := r.do(http.MethodGet, "/metrics", "", "peer", "127.0.0.1:5", "Host", "localhost")
	text := w.Body.String()
	for _, want := range []string{
		`partnerguard_http_requests_total{class="2xx",method="GET",route="x"} 1`,
		`partnerguard_http_requests_total{class="2xx",method="HEAD",route="x"} 1`,
		`partnerguard_http_requests_total{class="4xx",method="other",route="none"} 2`,
		`partnerguard_http_requests_total{class="5xx",method="GET",route="bad"} 1`,
		`partnerguard_http_requests_total{class="4xx",method="GET",route="metrics"} 1`,
		`partnerguard_http_request_duration_seconds_count{route="x"} 2`,
		`partnerguard_http_request_duration_seconds_bucket{route="x",le="0.001"}`,
		`partnerguard_http_requests_in_flight 1`,
		`partnerguard_http_panics_total{route="bad"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || strings.Contains(strings.ToLower(text), "geheim") {
		t.Errorf("%d %s\n%s", w.Code, w.Header().Get("Content-Type"), text)
	}
}
