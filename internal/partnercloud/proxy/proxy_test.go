package proxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/ca"
	"partnerguard/internal/partnercloud/proxy"
)

const password = "p@ss/w0rd:"

type stand struct {
	*proxy.Proxy
	ca        *ca.Authority
	addr, sni string
}

func hello(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s tls=%v", name, r.Proto, r.Host, b, r.TLS != nil)
	})
}

func start(t *testing.T, secret string) *stand {
	t.Helper()
	a, err := ca.Open("", nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := proxy.New(proxy.Deps{CA: a, Secret: secret, Keep: 5, Routes: map[string]http.Handler{"graph.microsoft.com": hello("graph"),
		"login.microsoftonline.com": hello("login")}})
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{Proxy: p, ca: a}
	for _, way := range []struct {
		addr  *string
		serve func(net.Listener) error
	}{{&s.addr, p.Serve}, {&s.sni, p.ServeSNI}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*way.addr = l.Addr().String()
		ended := make(chan error, 1)
		go func() { ended <- way.serve(l) }()
		t.Cleanup(func() {
			_ = p.Close()
			if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("serving ended with %v", err)
			}
		})
	}
	return s
}

func (s *stand) client(t *testing.T, h2 bool) *http.Client {
	t.Helper()
	u, err := url.Parse(s.URL(s.addr))
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{Proxy: http.ProxyURL(u), TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool()}, ForceAttemptHTTP2: h2}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

func post(t *testing.T, c *http.Client, url, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func TestRealNamesLandHere(t *testing.T) {
	t.Parallel()
	s := start(t, password)
	for _, h2 := range []bool{false, true} {
		c, proto := s.client(t, h2), "HTTP/1.1"
		if h2 {
			proto = "HTTP/2.0"
		}
		for _, host := range []string{"graph.microsoft.com", "login.microsoftonline.com", "GRAPH.microsoft.com"} {
			status, body, err := post(t, c, "https://"+host+"/v1.0/me", "hi")
			want := strings.ToLower(host[:5]) + " " + proto + " " + strings.ToLower(host) + " hi tls=true"
			if err != nil || status != 200 || !strings.EqualFold(body, want) {
				t.Errorf("%s: %d %q %v, want %q", host, status, body, err, want)
			}
		}
	}
}

func TestNothingElseIsReached(t *testing.T) {
	t.Parallel()
	s := start(t, password)
	c := s.client(t, false)
	for _, u := range []string{"https://example.com/", "https://graph.microsoft.com.evil.example/", "https://10.0.0.1/", "https://127.0.0.1.nip.example:444/",
		"https://0.0.0.0/", "https://[::ffff:8.8.8.8]/"} {
		if _, _, err := post(t, c, u, ""); err == nil || !strings.Contains(err.Error(), "Forbidden") {
			t.Errorf("%s: %v", u, err)
		}
	}
	if r := s.Refusals(); len(r) != 5 || r[4].How != "CONNECT" || !strings.HasPrefix(r[0].Host, "graph.microsoft.com.evil") {
		t.Errorf("refusals: %+v", r)
	}
	// The words, as curl would see them.
	status, body := raw(t, s.addr, "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nProxy-Authorization: Basic Y2xvdWQ6cEBzcy93MHJkOg==\r\n\r\n")
	if status != 403 || strings.TrimSpace(body) != "refused: evil.example is not part of the partner cloud; nothing leaves this machine" {
		t.Errorf("%d %q", status, body)
	}
	for u, want := range map[string]string{"http://example.com/": "nothing leaves", "http://graph.microsoft.com/": "over https only"} {
		if status, body, err := post(t, c, u, ""); err != nil || status != 403 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %q %v", u, status, body, err)
		}
	}
	// Through a good tunnel, for somebody else.
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://graph.microsoft.com/", nil)
	req.Host = "evil.example"
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another Host inside a tunnel: %d", res.StatusCode)
	}
}

// raw sends one request and reads one reply.
func raw(t *testing.T, addr, text string) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

func TestThePasswordIsNeeded(t *testing.T) {
	t.Parallel()
	s := start(t, password)
	for name, header := range map[string]string{
		"none": "", "wrong": "Proxy-Authorization: Basic Y2xvdWQ6eA==\r\n", "empty": "Proxy-Authorization: Basic \r\n",
		"other scheme":        "Proxy-Authorization: Bearer cEBzcw==\r\n",
		"in the wrong header": "Authorization: Basic Y2xvdWQ6cEBzcy93MHJkOg==\r\n", "junk": "Proxy-Authorization: Basic !!!\r\n",
	} {
		for _, line := range []string{"CONNECT graph.microsoft.com:443", "GET http://127.0.0.1:1/", "CONNECT 127.0.0.1:22", "GET /"} {
			status, body := raw(t, s.addr, line+" HTTP/1.1\r\nHost: x\r\n"+header+"\r\n")
			if status != http.StatusProxyAuthRequired || strings.Contains(body, password) {
				t.Errorf("%s, %s: %d %q", name, line, status, body)
			}
		}
	}
	open := start(t, "")
	if strings.Contains(open.URL(open.addr), "@") {
		t.Error("an open proxy's URL has a user")
	}
	if status, body, err := post(t, open.client(t, true), "https://graph.microsoft.com/", ""); err != nil || status != 200 {
		t.Errorf("open proxy: %d %q %v", status, body, err)
	}
}

func TestLoopbackStaysReachable(t *testing.T) {
	t.Parallel()
	s := start(t, password)
	var asked http.Header
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Clone()
		hello("own").ServeHTTP(w, r)
	}))
	defer plain.Close()
	// Go's own client never sends loopback through a proxy: by hand.
	auth := "Proxy-Authorization: Basic Y2xvdWQ6cEBzcy93MHJkOg==\r\n"
	host := plain.Listener.Addr().String()
	if status, body := raw(t, s.addr, "GET http://"+host+"/x HTTP/1.1\r\nHost: "+host+"\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n"+auth+
		"\r\n"); status != 200 || !strings.HasPrefix(body, "own HTTP/1.1 "+host) {
		t.Errorf("%d %q", status, body)
	}
	if asked.Get("Proxy-Authorization") != "" || asked.Get("X-Hop") != "" {
		t.Errorf("the proxy's own headers were passed on: %v", asked)
	}
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The request follows at once, before the tunnel is confirmed.
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", strings.Replace(host, "127.0.0.1", "localhost", 1), host, auth)
	r := bufio.NewReader(conn)
	if res, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect}); err != nil || res.StatusCode != 200 {
		t.Fatalf("CONNECT to loopback: %v %v", res, err)
	}
	fmt.Fprintf(conn, "GET /y HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n")
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 200 {
		t.Errorf("through the tunnel: %v %v", res, err)
	}
	if status, body := raw(t, s.addr, "GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\n"+auth+"\r\n"); status != 502 ||
		!strings.Contains(body, "nothing answers") {
		t.Errorf("a closed port: %d %q", status, body)
	}
}

// TestAnEagerClient sends its hello in the same packet as CONNECT.
func TestAnEagerClient(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	e := &eager{Conn: conn, head: "CONNECT graph.microsoft.com:443 HTTP/1.1\r\nHost: graph.microsoft.com:443\r\n\r\n"}
	c := tls.Client(e, &tls.Config{RootCAs: s.ca.Pool(), ServerName: "graph.microsoft.com"})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
}

type eager struct {
	net.Conn
	head string
	seen bool
}

func (e *eager) Write(b []byte) (int, error) {
	if e.head != "" {
		_, err := e.Conn.Write(append([]byte(e.head), b...))
		e.head = ""
		return len(b), err
	}
	return e.Conn.Write(b)
}

func (e *eager) Read(b []byte) (int, error) {
	if !e.seen { // the proxy's own reply comes first
		e.seen = true
		var line []byte
		for one := make([]byte, 1); !strings.HasSuffix(string(line), "\r\n\r\n"); line = append(line, one[0]) {
			if _, err := io.ReadFull(e.Conn, one); err != nil {
				return 0, err
			}
		}
	}
	return e.Conn.Read(b)
}

func TestDirectClientsByName(t *testing.T) {
	t.Parallel()
	s := start(t, password)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool()}, ForceAttemptHTTP2: true, DialContext: func(ctx context.Context, network,
		_ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.sni)
	}}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr}
	if status, body, err := post(t, c, "https://graph.microsoft.com/", "x"); err != nil || status != 200 ||
		body != "graph HTTP/2.0 graph.microsoft.com x tls=true" {
		t.Errorf("%d %q %v", status, body, err)
	}
	for _, host := range []string{"example.com", "management.azure.com", "localhost"} { // the CA would vouch for the last two
		if _, _, err := post(t, c, "https://"+host+"/", ""); err == nil {
			t.Errorf("%s was served", host)
		}
	}
	if r := s.Refusals(); len(r) != 3 || r[0].How != "tls" {
		t.Errorf("refusals: %+v", r)
	}
}

func TestHostileRequests(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	for _, text := range []string{
		"CONNECT  HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT evil\x1b[31m:443 HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT " + strings.Repeat("a", 5000) +
			":443 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n", "GET ftp://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX: " +
			strings.Repeat("a", 200<<10) + "\r\n\r\n",
		"GET http://example.com@127.0.0.1.evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT graph.microsoft.com:443@evil.example HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		status, body := raw(t, s.addr, text)
		if status == 200 || status >= 500 || strings.ContainsAny(body, "\x1b") || len(body) > 1000 {
			t.Errorf("%.60q: %d %.200q", text, status, body)
		}
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"Graph.Microsoft.com.:443": "graph.microsoft.com", "graph.microsoft.com": "graph.microsoft.com",
		"[::1]:80": "::1", "[::1]": "::1", "": ""} {
		if got := proxy.Canonical(in); got != want {
			t.Errorf("Canonical(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCloseCutsTunnels(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n", l.Addr())
	up, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	if _, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodConnect}); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	for _, c := range []net.Conn{conn, up} {
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "timeout") {
			t.Errorf("a tunnel lives on: %v", err)
		}
	}
}

func TestNewNeeds(t *testing.T) {
	t.Parallel()
	if _, err := proxy.New(proxy.Deps{}); err == nil {
		t.Error("a proxy without anything was made")
	}
}
