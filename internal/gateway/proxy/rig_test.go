package proxy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/gateway/gatewaytest"
)

// rig is a gateway before an upstream that tells what it saw. Its judge takes the bearer
// token "good" and nothing else.
type rig struct {
	t        testing.TB
	proxy    *Proxy
	upstream *gatewaytest.Upstream
	at       string // host:port; every connection passes NewConn
	plain    string // host:port of a server without, which also takes HTTP/2 by prior knowledge

	mu      sync.Mutex
	noted   []gateway.Reason
	table   atomic.Pointer[gateway.Table]
	id      *gateway.Identity
	revoked atomic.Bool
	now     atomic.Int64 // seconds beside the real clock
}

func (g *rig) clock() time.Time { return time.Now().Add(time.Duration(g.now.Load()) * time.Second) }

func (g *rig) Judge(r *gateway.Request) gateway.Decision {
	var d gateway.Decision
	if d.Route, d.Reason = g.table.Load().Find(r.Host, r.Path); d.Reason != gateway.Passed {
		d.Refused = true
		return d
	}
	d.Phase, d.Next = d.Route.Phase(r.Now)
	switch {
	case r.Doubled:
		d.Reason, d.Refused = gateway.TooManyTokens, true
		return d
	case r.Authorization != "Bearer good":
		d.Reason = gateway.NoToken
	default:
		d.Identity = g.id
		switch {
		case g.id.NotAfter > 0 && r.Now.Unix() > g.id.NotAfter:
			d.Reason = gateway.Expired
		case g.revoked.Load():
			d.Reason = gateway.Revoked
		}
	}
	d.Refused = d.Reason != gateway.Passed && d.Phase.Mode == gateway.Enforce
	return d
}

// Revoked is of [gateway.Revocations].
func (g *rig) Revoked(*gateway.Identity, time.Time) bool { return g.revoked.Load() }

// Note is of [gateway.Book].
func (g *rig) Note(d *gateway.Decision, _ *gateway.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.noted = append(g.noted, d.Reason)
}

// Full is of [gateway.Book].
func (*rig) Full() bool { return false }

// routes are those of the tests; %s is the upstream.
const routes = `
  - {name: strict, path: /strict, upstream: "%[1]s", tenants: [7b2d0000-0000-4000-8000-000000000001], audiences: ["api://a"], mode: enforce, preflight: true,
	authorization: drop, limits: {body: 1KB, header: 4KB, timeout: 1s, idle: 1s, retries: 1, parallel: 50}}
  - {name: slash, path: /slash, upstream: "%[1]s", tenants: [7b2d0000-0000-4000-8000-000000000001], audiences: ["api://a"], mode: report,
	allowEncodedSlash: true}
  - {name: open, path: /, upstream: "%[1]s", tenants: [7b2d0000-0000-4000-8000-000000000001], audiences: ["api://a"], mode: report, limits: {body: 1GB,
	timeout: 5s, idle: 1m}}
`

func newRig(t testing.TB, change func(*Deps)) *rig {
	t.Helper()
	g := &rig{t: t, upstream: gatewaytest.NewUpstream(t), id: &gateway.Identity{Way: gateway.ByBearer, Tenant: "7b2d0000-0000-4000-8000-000000000001",
		ObjectID: "oid-1",
		Account:  "ada@contoso.example", Proven: true}}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a, err := assert.New(assert.Deps{Key: key, Now: g.clock})
	if err != nil {
		t.Fatal(err)
	}
	d := Deps{Judge: g, Assert: a, Revocations: g, Book: g, Now: g.clock, Log: slog.New(slog.DiscardHandler), Again: 20 * time.Millisecond,
		Own: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, "own %s %s %v %s %q", r.Host, r.URL.Path, r.TLS != nil, r.RemoteAddr, r.Header["X-Forwarded-For"])
		})}
	if change != nil {
		change(&d)
	}
	if g.proxy, err = New(d); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.proxy.Close)
	g.take(fmt.Sprintf(routes, g.upstream.URL), "")
	g.at = g.listen(true)
	g.plain = g.listen(false)
	return g
}

// take has both the judge and the proxy take a table of these routes.
func (g *rig) take(routes, head string) {
	g.t.Helper()
	t := g.compile(routes, head)
	if err := g.proxy.Take(t); err != nil {
		g.t.Fatal(err)
	}
	g.table.Store(t)
}

func (g *rig) compile(routes, head string) *gateway.Table {
	g.t.Helper()
	raw := "version: 1\nlisten: [{at: 127.0.0.1:8480}]\nauthorities: [{cloud: public}]\n" + head + "\nroutes:" + routes
	f, err := gateway.Read([]byte(raw), gateway.Names{Now: time.Now()})
	if err != nil {
		g.t.Fatal(err)
	}
	return f.Compile(1)
}

type guarded struct{ net.Listener }

func (l guarded) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return NewConn(c, nil), nil
}

func (g *rig) listen(strict bool) string {
	g.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	s := &http.Server{Handler: g.proxy, ReadHeaderTimeout: 5 * time.Second, DisableGeneralOptionsHandler: true,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	at := l.Addr().String()
	if strict {
		l = guarded{l}
	} else {
		s.Protocols.SetUnencryptedHTTP2(true)
	}
	go func() { _ = s.Serve(l) }()
	g.t.Cleanup(func() { _ = s.Close() })
	return at
}

// raw sends bytes as they are, and gives all that comes back until the connection ends
// or nothing comes for a moment.
func (g *rig) raw(at, bytes string) string {
	g.t.Helper()
	c, err := net.Dial("tcp", at)
	if err != nil {
		g.t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, bytes); err != nil {
		g.t.Fatal(err)
	}
	var out strings.Builder
	buf := make([]byte, 4096)
	for {
		wait := 20 * time.Second
		if out.Len() > 0 {
			wait = 300 * time.Millisecond
		}
		_ = c.SetReadDeadline(time.Now().Add(wait))
		n, err := c.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			return out.String()
		}
	}
}

// statuses are those of the answers in what came back.
func statuses(back string) (out []string) {
	for rest := back; ; {
		i := strings.Index(rest, "HTTP/1.1 ")
		if i < 0 || len(rest) < i+12 {
			return out
		}
		out = append(out, rest[i+9:i+12])
		rest = rest[i+12:]
	}
}

// get asks for a path with a good token, and gives what the upstream saw.
func (g *rig) get(r *http.Request) (gatewaytest.Seen, *http.Response) {
	g.t.Helper()
	r.Header.Set("Authorization", "Bearer good")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	var seen gatewaytest.Seen
	raw, _ := io.ReadAll(res.Body)
	_ = json.Unmarshal(raw, &seen)
	return seen, res
}

func (g *rig) ask(method, path string, body io.Reader) *http.Request {
	g.t.Helper()
	r, err := http.NewRequest(method, "http://"+g.at+path, body)
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}
