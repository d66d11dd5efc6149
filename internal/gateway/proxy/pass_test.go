package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/problem"
)

// to makes all routes go to an upstream of the test's own.
func (g *rig) to(h http.Handler) *httptest.Server {
	g.t.Helper()
	s := httptest.NewServer(h)
	g.t.Cleanup(s.Close)
	g.take(fmt.Sprintf(routes, s.URL), "")
	return s
}

func (g *rig) status(r *http.Request, want int, word string) string {
	g.t.Helper()
	r.Header.Set("Authorization", "Bearer good")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want || !strings.Contains(string(body), word) {
		g.t.Errorf("%s %s: %d %s %v, want %d %s", r.Method, r.URL.Path, res.StatusCode, body, err, want, word)
	}
	return string(body)
}

func TestPassedOn(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	r := g.ask("PUT", "/a?b=c", strings.NewReader("hello"))
	r.Header.Set("Cookie", "pg=secret; a=b; __Host-pg=secret")
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	r.Header.Set("Range", "bytes=0-1")
	r.Header.Set("Te", "trailers")
	r.Header.Set("Accept-Encoding", "br")
	seen, res := g.get(r)
	if seen.Method != "PUT" || seen.Target != "/a?b=c" || seen.Body != "hello" || seen.Host != g.at {
		t.Errorf("%+v", seen)
	}
	for name, want := range map[string]string{
		"Cookie": "a=b", "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Range": "bytes=0-1", "Te": "trailers",
		"Accept-Encoding": "br", "Content-Length": "5",
		"Authorization": "Bearer good", "X-Partnerguard-User": "ada@contoso.example", "X-Partnerguard-Mfa": "true", "X-Partnerguard-Route": "open",
	} {
		if got := seen.Header[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
	if seen.Header["Via"] != nil || len(seen.Header["X-Partnerguard-Assertion"]) != 1 ||
		seen.Header["X-Request-Id"][0] != seen.Header["X-Partnerguard-Request"][0] {
		t.Errorf("%v", seen.Header)
	}
	if res.Header.Get(answer.HeaderMode) != "report" {
		t.Errorf("what is coming is not announced: %v", res.Header)
	}
	seen, _ = g.get(g.ask("GET", "/strict", nil))
	if seen.Header["Authorization"] != nil || seen.Header["X-Partnerguard-User"] == nil {
		t.Errorf("the token is passed on, or who it is of is not: %v", seen.Header)
	}
}

// What an upstream may not say in the gateway's name is left out.
func TestAnswersAreCleaned(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.to(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Partnerguard-Mode", "off")
		h.Set("X-Partnerguard-User", "root")
		h["Set-Cookie"] = []string{"pg=stolen; Path=/", "a=b", "__Host-pg=stolen; Secure"}
		h.Set("Connection", "X-Hop")
		h.Set("X-Hop", "y")
		h.Set("Keep-Alive", "timeout=5")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
	}))
	_, res := g.get(g.ask("GET", "/", nil))
	if res.StatusCode != http.StatusTeapot || res.Header.Get("X-Hop") != "" || res.Header.Get("Keep-Alive") != "" || !slices.Equal(res.Header["Set-Cookie"],
		[]string{"a=b"}) ||
		res.Header.Get("X-Partnerguard-User") != "" || !slices.Equal(res.Header["Partnerguard-Mode"], []string{"report"}) {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	long := strings.Repeat("x", 1025)
	g.status(g.ask("POST", "/strict", strings.NewReader(long)), 413, "body-too-long")
	g.status(g.ask("POST", "/strict", io.MultiReader(strings.NewReader(long))), 413, "body-too-long")
	g.status(g.ask("POST", "/strict", strings.NewReader(long[1:])), 200, "x")
	r := g.ask("GET", "/strict", nil)
	r.Header.Set("X-Long", strings.Repeat("x", 4000))
	g.status(r, 431, "head-too-long")
	for _, s := range g.upstream.Seen() {
		if len(s.Body) > 1024 {
			t.Error("the upstream got a long body")
		}
	}
	g.proxy.mu.Lock()
	for route, w := range g.proxy.ways.Load().now {
		if route.Name == "strict" {
			w.count.Add(50)
			defer w.count.Add(-50)
		}
	}
	g.proxy.mu.Unlock()
	g.status(g.ask("GET", "/strict", nil), 503, "upstream-unavailable")
	g.status(g.ask("GET", "/x", nil), 200, "")
}

func TestUpstreamsThatFail(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	hang := make(chan struct{})
	defer close(hang)
	g.to(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/strict/slow":
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		case "/strict/bad":
			c, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")
			_ = c.Close()
		case "/strict/half":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		}
	}))
	began := time.Now()
	g.status(g.ask("GET", "/strict/slow", nil), 504, "upstream-slow")
	if took := time.Since(began); took < 900*time.Millisecond || took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	g.status(g.ask("POST", "/strict/slow", strings.NewReader("x")), 504, "upstream-slow")
	g.status(g.ask("POST", "/strict/bad", strings.NewReader("x")), 502, "upstream-failed")
	r := g.ask("GET", "/strict/half", nil)
	r.Header.Set("Authorization", "Bearer good")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("half an answer passes for a whole one: %q", body)
	}
	g.take(fmt.Sprintf(routes, "http://127.0.0.1:1"), "")
	g.status(g.ask("GET", "/x", nil), 502, "upstream-failed")
	if r := g.ask("HEAD", "/x", nil); g.status(r, 502, "") != "" {
		t.Error("HEAD has a body")
	}
}

// A request is sent once more only where that is safe.
func TestRetries(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	var calls atomic.Int32
	s := g.to(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 && r.Header.Get("X-Fail") != "" {
			c, _, _ := http.NewResponseController(w).Hijack()
			if r.Header.Get("X-Fail") == "late" {
				_, _ = io.WriteString(c, "HTTP/1.1 2")
			}
			_ = c.Close()
		}
	}))
	defer s.Close()
	for _, c := range []struct {
		method, body, fail string
		status             int
		calls              int32
	}{
		{"GET", "", "early", 200, 2}, {"HEAD", "", "early", 200, 2}, {"DELETE", "", "early", 200, 2}, {"PUT", "", "early", 200, 2}, {"OPTIONS", "", "early",
			200, 2},
		{"POST", "", "early", 502, 1}, {"PATCH", "", "early", 502, 1}, {"PUT", "x", "early", 502, 1}, {"GET", "x", "early", 502, 1}, {"GET", "", "late", 502,
			1},
	} {
		calls.Store(0)
		var body io.Reader
		if c.body != "" {
			body = strings.NewReader(c.body)
		}
		r := g.ask(c.method, "/strict", body)
		r.Header.Set("X-Fail", c.fail)
		g.status(r, c.status, "")
		if n := calls.Load(); n != c.calls {
			t.Errorf("%+v: sent %d times", c, n)
		}
	}
}

func TestOwnPagesAndPreflights(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	if body := g.status(g.ask("GET", "/.partnerguard/sign-in", nil), 200, "own "+g.at+" /.partnerguard/sign-in false 127.0.0.1:"); body == "" {
		t.Error("nothing")
	}
	for path, want := range map[string]string{"/.Partnerguard/x": "400", "/%2epartnerguard/x": "400", "/.partnerguard/../x": "400"} {
		if got := statuses(g.raw(g.at, "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	for head, want := range map[string]string{
		"OPTIONS /strict HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method: PUT\r\nConnection: close\r\n\r\n": "200",
		"OPTIONS /strict HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nConnection: close\r\n\r\n":                                       "401",
		"GET /strict HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method: PUT\r\nConnection: close\r\n\r\n":     "401",
	} {
		if got := statuses(g.raw(g.at, head)); len(got) != 1 || got[0] != want {
			t.Errorf("%q: %v, want %s", head, got, want)
		}
	}
	for _, s := range g.upstream.Seen() {
		if s.Header["X-Partnerguard-User"] != nil || strings.Contains(s.Target, "partnerguard") {
			t.Errorf("the upstream saw %+v", s)
		}
	}
}

// Only who is trusted says from where and by which host a request came.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	ask := func(fields string) string {
		return g.raw(g.at, "GET /x HTTP/1.1\r\nHost: inner\r\n"+good+fields+"Connection: close\r\n\r\n")
	}
	forwarded := "X-Forwarded-For: 198.51.100.1, 192.0.2.9, 10.0.0.3\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer.example\r\n"
	if back := ask(forwarded); !strings.Contains(back, `"X-Forwarded-For":["127.0.0.1"]`) || !strings.Contains(back, `"X-Forwarded-Host":["inner"]`) {
		t.Errorf("who is not trusted is believed: %s", back)
	}
	g.take(fmt.Sprintf(routes, g.upstream.URL), "trusted: [127.0.0.0/8, 10.0.0.0/8]")
	if back := ask(forwarded); !strings.Contains(back, `"X-Forwarded-For":["192.0.2.9"]`) || !strings.Contains(back,
		`"X-Forwarded-Host":["outer.example"]`) ||
		!strings.Contains(back, `"X-Forwarded-Proto":["https"]`) || !strings.Contains(back, `"host":"outer.example"`) {
		t.Errorf("who is trusted is not believed: %s", back)
	}
	for _, fields := range []string{
		"X-Forwarded-Host: a, b\r\n", "X-Forwarded-Host: a\r\nX-Forwarded-Host: b\r\n", "X-Forwarded-Proto: gopher\r\n", "X-Forwarded-Proto: https, http\r\n",
		"X-Forwarded-For: x\r\n", "X-Forwarded-Host: a@b\r\n",
	} {
		if got := statuses(ask(fields)); len(got) != 1 || got[0] != "400" {
			t.Errorf("%q: %v", fields, got)
		}
	}
}

// An upstream of TLS is held to the roots and the name of its route; a reload keeps its
// connections, and one that cannot be served changes nothing.
func TestUpstreamTLS(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	var fresh atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %v", r.Proto, r.TLS.ServerName)
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			fresh.Add(1)
		}
	}
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(upstream string) string {
		return strings.ReplaceAll(fmt.Sprintf(routes, "X"), `upstream: "X"`, "upstream: "+upstream)
	}
	g.take(with("{url: "+s.URL+"}"), "")
	g.status(g.ask("GET", "/", nil), 502, "upstream-failed")
	g.take(with("{url: "+s.URL+", ca: "+ca+", serverName: other.example.org}"), "")
	g.status(g.ask("GET", "/", nil), 502, "upstream-failed")
	named := with("{url: " + s.URL + ", ca: " + ca + ", serverName: example.com}")
	g.take(named, "")
	fresh.Store(0)
	for range 3 {
		g.status(g.ask("GET", "/", nil), 200, "HTTP/2.0 example.com")
		g.take(named, "")
	}
	if n := fresh.Load(); n != 1 {
		t.Errorf("%d connections over three reloads", n)
	}
	if err := os.WriteFile(ca, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.proxy.Take(g.compile(named, "")); !errors.Is(err, problem.BadInput) {
		t.Errorf("roots that are none: %v", err)
	}
	g.status(g.ask("GET", "/", nil), 200, "HTTP/2.0")
	_ = os.Remove(ca)
	if err := g.proxy.Take(g.compile(named, "")); !errors.Is(err, problem.NotFound) {
		t.Errorf("roots that are away: %v", err)
	}
}

// Of several servers the one that fails rests, and one that says it is not well is asked
// nothing else.
func TestHealth(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	var ill atomic.Bool
	serve := func(name string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/healthz" && ill.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			_, _ = io.WriteString(w, name)
		}))
		t.Cleanup(s.Close)
		return s
	}
	a, b := serve("a"), serve("b")
	a.Close()
	with := func(upstream string) string {
		return strings.ReplaceAll(fmt.Sprintf(routes, "X"), `upstream: "X"`, "upstream: "+upstream)
	}
	g.take(with(`{urls: ["`+a.URL+`", "`+b.URL+`"]}`), "")
	for range 12 {
		g.status(g.ask("GET", "/strict", nil), 200, "b")
	}
	for _, h := range g.proxy.Health() {
		if h.Down || h.Resting != (h.Origin == a.URL) {
			t.Errorf("%+v", h)
		}
	}
	for range 5 { // the one that is dead rests, so that even what is sent but once arrives
		g.status(g.ask("POST", "/strict", strings.NewReader("x")), 200, "b")
	}
	ill.Store(true)
	g.take(with("{url: "+b.URL+", health: /healthz}"), "")
	deadline := time.Now().Add(10 * time.Second)
	for !g.proxy.Health()[0].Down && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	g.status(g.ask("GET", "/strict", nil), 503, "upstream-unavailable")
}

// A large body goes through whole, both ways.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.to(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	for _, body := range []io.Reader{bytes.NewReader(sent), io.MultiReader(bytes.NewReader(sent))} {
		res, err := http.Post("http://"+g.at+"/", "application/octet-stream", body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes come back of %d: %v", len(got), len(sent), err)
		}
	}
}

// gRPC needs HTTP/2 to an upstream without TLS, and the trailers of its answer.
func TestHTTP2Upstream(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("X-Saw", r.Proto+" "+r.Header.Get("Te")+" "+r.RequestURI)
		w.WriteHeader(http.StatusOK)
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	})}
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	g.take(strings.ReplaceAll(fmt.Sprintf(routes, "X"), `upstream: "X"`, "upstream: {url: http://"+l.Addr().String()+", http2: true}"), "")
	rt := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{}}
	rt.Protocols.SetUnencryptedHTTP2(true)
	defer rt.CloseIdleConnections()
	r, _ := http.NewRequestWithContext(context.Background(), "POST", "http://"+g.plain+"/pkg.Service/Call%3A", strings.NewReader("\x00\x00\x00\x00\x00"))
	r.Header.Set("Te", "trailers")
	r.Header.Set("Content-Type", "application/grpc")
	res, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	if res.Header.Get("X-Saw") != "HTTP/2.0 trailers /pkg.Service/Call%3A" || res.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("%v %v", res.Header, res.Trailer)
	}
}
