package front

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/gateway"
)

// rig is a front before one upstream, with fakes of the other rooms: a bearer token "good"
// passes, all else is refused.
type rig struct {
	t      *testing.T
	front  *Front
	at     string
	route  *gateway.Route
	judged atomic.Int64
	stop   func() error
}

type fakeAssert struct{}

func (fakeAssert) Headers(dst [][2]string, d *gateway.Decision, r *gateway.Request, _ string) [][2]string {
	return append(dst, [2]string{"X-Partnerguard-Route", d.Route.Name}, [2]string{"X-Partnerguard-Request", r.ID})
}

func (fakeAssert) Strip(name []byte) bool {
	n := strings.ReplaceAll(strings.ToLower(string(name)), "_", "-")
	for _, p := range []string{"x-partnerguard-", "x-forwarded-", "forwarded", "x-real-ip"} {
		if strings.HasPrefix(n, p) {
			return true
		}
	}
	return false
}

// Judge is the rig's.
func (g *rig) Judge(r *gateway.Request) gateway.Decision {
	g.judged.Add(1)
	d := gateway.Decision{Route: g.route}
	token, ok := strings.CutPrefix(r.Authorization, "Bearer ")
	switch {
	case r.Doubled:
		d.Reason = gateway.TooManyTokens
	case !ok:
		d.Reason = gateway.NoToken
	case sha256.Sum256([]byte(token)) != sha256.Sum256([]byte("good")):
		d.Reason = gateway.Malformed
	}
	d.Refused = d.Reason != gateway.Passed
	return d
}

func answerOf(why gateway.Reason) Reply {
	status := http.StatusUnauthorized
	if why.Kind() == gateway.Bad {
		status = http.StatusBadRequest
	}
	return Reply{Status: status, Header: [][2]string{{"Content-Type", "text/plain"}, {"X-Reason", why.String()}}, Body: []byte(why.Title() + "\n")}
}

// checkHead is a gate good enough for tests that are not of the gate.
func checkHead(b []byte) error {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(b))))
	if err != nil {
		return err
	}
	if strings.Count(string(b), "\n") != strings.Count(string(b), "\r\n") || r.Host == "" || len(r.TransferEncoding) > 0 && r.Header["Content-Length"] != nil {
		return errors.New("not plain")
	}
	return nil
}

// full is the path by net/http, with the same judge and facts.
func (g *rig) full(upstream string) http.Handler {
	u, err := url.Parse(upstream)
	if err != nil {
		g.t.Fatal(err)
	}
	p := &httputil.ReverseProxy{
		FlushInterval: -1,
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = u.Scheme, u.Host, r.In.Host
			for name := range r.Out.Header {
				if (fakeAssert{}).Strip([]byte(name)) {
					delete(r.Out.Header, name)
				}
			}
			if _, told := r.Out.Header["User-Agent"]; !told {
				r.Out.Header["User-Agent"] = nil
			}
			r.Out.Header["X-Forwarded-For"] = nil
			r.Out.Header.Set("X-Partnerguard-Route", g.route.Name)
			r.Out.Header.Set("X-Partnerguard-Request", "1")
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := g.Judge(&gateway.Request{Authorization: r.Header.Get("Authorization"), Doubled: len(r.Header["Authorization"]) > 1})
		if d.Refused {
			a := answerOf(d.Reason)
			for _, h := range a.Header {
				w.Header().Set(h[0], h[1])
			}
			w.WriteHeader(a.Status)
			_, _ = w.Write(a.Body)
			return
		}
		p.ServeHTTP(w, r)
	})
}

// newRig serves upstream on a port of its own.
func newRig(t *testing.T, lean bool, upstream string, change func(*Deps, *gateway.Route)) *rig {
	t.Helper()
	g := &rig{t: t, route: &gateway.Route{Name: "panel", Path: "/", Upstream: upstream, Bearer: true, Plain: true,
		Limits: gateway.Limits{Timeout: 2 * time.Second, Idle: 2 * time.Second}}}
	d := Deps{
		Handler: g.full(upstream), CheckHead: checkHead, Lean: lean, Judge: g, Assert: fakeAssert{},
		Find:   func(string, string) (*gateway.Route, gateway.Reason) { return g.route, gateway.Passed },
		Answer: func(d *gateway.Decision, _ *gateway.Request) Reply { return answerOf(d.Reason) },
		Refuse: func(_ *gateway.Request, status int, why gateway.Reason) Reply {
			a := answerOf(why)
			a.Status = status
			return a
		},
		Failed: func(_ *gateway.Decision, _ *gateway.Request, status int, _ error) Reply { return Reply{Status: status} },
	}
	if change != nil {
		change(&d, g.route)
	}
	f, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.serve(f, l)
	return g
}

func (g *rig) serve(f *Front, l net.Listener) {
	g.front, g.at = f, l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Serve(ctx, []net.Listener{l}) }()
	g.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		limit, free := context.WithTimeout(context.Background(), 5*time.Second)
		defer free()
		return errors.Join(err, f.Shutdown(limit))
	})
	g.t.Cleanup(func() {
		if err := g.stop(); err != nil {
			g.t.Errorf("stopping: %v", err)
		}
	})
}

// raw sends bytes as they are, and reads until the connection ends or nothing comes for
// a moment.
func (g *rig) raw(sent string) string {
	g.t.Helper()
	c, err := net.Dial("tcp", g.at)
	if err != nil {
		g.t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, sent); err != nil {
		g.t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	got, err := io.ReadAll(c)
	if err != nil && len(got) == 0 {
		g.t.Errorf("%q: nothing came: %v", sent, err)
	}
	return string(got)
}

// saw is an upstream that tells each request it got, byte for byte, and answers by what
// the path asks for.
func saw(t *testing.T) (url string, seen func() []string) {
	t.Helper()
	var mu sync.Mutex
	var list []string
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					text, path, err := readAsIs(r)
					if err != nil {
						return
					}
					mu.Lock()
					list = append(list, text)
					mu.Unlock()
					answer, ok := answers[path]
					if !ok {
						answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
					}
					if _, err := io.WriteString(c, answer); err != nil || strings.Contains(answer, "close") || strings.HasPrefix(answer, "HTTP/1.0") {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), list...)
	}
}

// readAsIs reads one request of a client that frames well.
func readAsIs(r *bufio.Reader) (text, path string, err error) {
	var b strings.Builder
	length, chunked := 0, false
	for n := 0; ; n++ {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", "", err
		}
		b.WriteString(line)
		if n == 0 {
			path = strings.Fields(line)[1]
		}
		lower := strings.ToLower(line)
		if _, err := fmt.Sscanf(lower, "content-length: %d", &length); err == nil {
			continue
		}
		chunked = chunked || strings.HasPrefix(lower, "transfer-encoding: chunked")
		if line == "\r\n" {
			break
		}
	}
	if chunked {
		body, err := io.ReadAll(httputil.NewChunkedReader(r))
		if err != nil {
			return "", "", err
		}
		_, _ = r.ReadString('\n')
		b.WriteString("(chunked) " + string(body))
	}
	body := make([]byte, length)
	_, err = io.ReadFull(r, body)
	b.Write(body)
	return b.String(), path, err
}

// answers has what the upstream says to some paths.
var answers = map[string]string{
	"/204":     "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
	"/304":     "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
	"/chunked": "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
	"/trailer": "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n",
	"/close":   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nto the end",
	"/old":     "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end",
	"/hop": "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\n" +
		"Proxy-Authenticate: Basic\r\nX-Stays: 2\r\nContent-Length: 2\r\n\r\nok",
	"/early":    "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok",
	"/error":    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\noops",
	"/redirect": "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
	"/cookies":  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
}
