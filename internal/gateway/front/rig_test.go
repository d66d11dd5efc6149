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
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/gateway/proxy"
)

// rig is a front before one upstream, with fakes of the other rooms: a bearer token "good"
// passes, all else is refused.
type rig struct {
	t      *testing.T
	front  *Front
	at     string
	table  *gateway.Table
	assert *assert.Asserter
	judged atomic.Int64
	stop   func() error
}

// Judge is the rig's.
func (g *rig) Judge(r *gateway.Request) gateway.Decision {
	g.judged.Add(1)
	d := gateway.Decision{}
	if d.Route, d.Reason = g.table.Find(r.Host, r.Path); d.Reason != gateway.Passed {
		d.Refused = true
		return d
	}
	if d.Phase, d.Next = d.Route.Phase(r.Now); d.Phase.Mode == gateway.Off {
		return d
	}
	token, ok := strings.CutPrefix(r.Authorization, "Bearer ")
	switch {
	case r.Doubled:
		d.Reason = gateway.TooManyTokens
	case !ok && d.Route.Browser && strings.Contains(r.Cookie, "pg=in"):
	case !ok:
		d.Reason = gateway.NoToken
	case sha256.Sum256([]byte(token)) != sha256.Sum256([]byte("good")):
		d.Reason = gateway.Malformed
	}
	d.Refused = d.Reason == gateway.TooManyTokens || d.Reason != gateway.Passed && d.Phase.Mode == gateway.Enforce
	if d.Reason == gateway.Passed {
		d.Identity = ada
	}
	return d
}

var ada = &gateway.Identity{Way: gateway.ByBearer, Tenant: "t", ObjectID: "o", Account: "ada@contoso.example", Proven: true}

const file = `version: 1
listen: [{at: "127.0.0.1:1"}]
authorities: [{cloud: public}]
signIn: {app: 3d5e7a90-0000-4000-8000-00000000000a, secret: x}
tenants: [9a8b7c6d-0000-4000-8000-000000000001]
routes:
  - {name: panel, host: a.example, audiences: ["api://panel"], upstream: "%[1]s", mode: enforce, callers: [api],
     limits: {timeout: 2s, idle: 2s, retries: 0, body: 100KB}}
  - {name: other, host: b.example, audiences: ["api://panel"], upstream: "%[1]s", mode: enforce, callers: [api, browser],
     limits: {timeout: 2s, idle: 2s, body: 10B}}
  - {name: busy, host: c.example, audiences: ["api://panel"], upstream: "%[1]s", mode: enforce, limits: {parallel: 1}}
  - {name: told, host: r.example, audiences: ["api://panel"], upstream: "%[1]s", mode: report, next: [{mode: enforce, from: 2099-01-01}]}
  - {name: open, host: o.example, audiences: ["api://panel"], upstream: "%[1]s", mode: off}
  - {name: dropped, host: d.example, audiences: ["api://panel"], upstream: "%[1]s", mode: enforce, authorization: drop}
`

// newRig serves upstream on a port of its own.
func newRig(t *testing.T, lean bool, upstream string, change func(*Deps)) *rig {
	t.Helper()
	return rigOf(t, lean, fmt.Sprintf(file, upstream), nil, change)
}

// rigOf serves by a file of its own; plain is the proxy's.
func rigOf(t *testing.T, lean bool, file string, plain func(http.RoundTripper) http.RoundTripper, change func(*Deps)) *rig {
	t.Helper()
	read, err := gateway.Read([]byte(file), gateway.Names{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{t: t, table: read.Compile(1)}
	if g.assert, err = assert.New(assert.Deps{}); err != nil {
		t.Fatal(err)
	}
	p, err := proxy.New(proxy.Deps{Judge: g, Assert: g.assert, Plain: plain})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	if err := p.Take(g.table); err != nil {
		t.Fatal(err)
	}
	d := Deps{Handler: p, Lean: lean, Judge: g, Assert: g.assert, Via: p}
	if change != nil {
		change(&d)
	}
	f, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	f.Take(g.table)
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
		limit, free := context.WithTimeout(context.Background(), 30*time.Second)
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
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	got, err := io.ReadAll(c)
	if err != nil && len(got) == 0 {
		g.t.Errorf("%.200q: nothing came: %v", sent, err)
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
					over := answer == "" || strings.HasPrefix(answer, "HTTP/1.0") || strings.Contains(answer, "close")
					if _, err := io.WriteString(c, answer); err != nil || over {
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
			path, _, _ = strings.Cut(strings.Fields(line)[1], "?")
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

const fixedDate = "Sat, 28 Nov 2026 08:00:00 GMT"

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
	"/early":       "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok",
	"/error":       "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\noops",
	"/redirect":    "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
	"/dated":       "HTTP/1.1 200 OK\r\nDate: " + fixedDate + "\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok",
	"/kindless":    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"/chunkless":   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
	"/two-lengths": "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok",
	"/bad-chunk":   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nxyz\r\nclose",
	"/garbage":     "SSH-2.0-close\r\n\r\n",
	"/hang-up":     "",
	"/told": "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Partnerguard-User: eve\r\nPartnerguard-Mode: off\r\nX-Request-Id: 7\r\n" +
		"Set-Cookie: a=1\r\nSet-Cookie: __Host-pg=evil; Path=/\r\nSet-Cookie: =pg=evil\r\nContent-Length: 2\r\n\r\nok",
	"/cookies": "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok",
}
