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
	if log := r.log.String(); !strings.Contains(log, "route=panic") || !strings.Contains(log, "kind=internal") || !strings.Contains(log, "kernel_test.go") ||
		strings.Contains(log, "geheim") {
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
		level := "level=INFO"
		switch {
		case c.status == 503:
			level = "level=WARN"
		case c.status >= 500:
			level = "level=ERROR"
		}
		if !strings.Contains(r.log.String(), level) {
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
	want := map[string]any{
		"type": "about:blank", "title": "Conflict", "status": 409.0, "detail": "it <is> there", "hint": "name another",
		"instance": "urn:partnerguard:request:abc-1",
	}
	if fmt.Sprint(m) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", m, want)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/problem+json", "X-Request-Id": "abc-1", "Content-Length": "", "ETag": "", "Cache-Control": "no-store",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
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
		if html := strings.HasPrefix(c.want, "text/html"); html != strings.Contains(policy, "style-src 'sha256-") ||
			!strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s for %q: %s", c.path, c.accept, policy)
		}
		body := w.Body.String()
		if strings.HasPrefix(c.want, "text/html") && (strings.Contains(body, "<b>") || c.path == "/page" && !strings.Contains(body, "Look elsewhere.")) {
			t.Errorf("%s: %s", c.path, body)
		}
	}
	w := r.do(http.MethodPost, "/own", "", "Origin", "https://evil.example")
	if w.Code != 403 || w.Body.String() != "own: a form of another site is not taken here" {
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
	r.route("flushed", "GET /flushed", func(w http.ResponseWriter, _ *http.Request) error {
		return errors.Join(http.NewResponseController(w).Flush(), errors.New("nothing came"))
	})
	s := httptest.NewServer(r)
	defer s.Close()
	for path, want := range map[string]string{"/error": "half", "/panic": "half", "/abort": "half", "/flushed": ""} {
		res, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(path, err)
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err == nil || string(b) != want || res.StatusCode != 200 {
			t.Errorf("%s: %q %v", path, b, err)
		}
	}
}
