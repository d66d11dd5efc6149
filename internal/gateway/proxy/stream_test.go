package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// dial sends a head and gives the connection, and what comes behind the answer's head.
func (g *rig) dial(head string) (net.Conn, *bufio.Reader, *http.Response) {
	g.t.Helper()
	c, err := net.Dial("tcp", g.at)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, head); err != nil {
		g.t.Fatal(err)
	}
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	return c, r, res
}

// echo answers an upgrade, and sends back what comes.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Connection") != "Upgrade" {
		w.WriteHeader(http.StatusUpgradeRequired)
		return
	}
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Saw: %s\r\n\r\n",
		r.Header.Get("X-Partnerguard-User"))
	_ = rw.Flush()
	_, _ = io.Copy(c, rw)
}

const upgrade = " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"

func TestWebSocket(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.to(http.HandlerFunc(echo))
	c, r, res := g.dial("GET /ws" + upgrade + "early")
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("X-Saw") != "ada@contoso.example" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "early" {
		t.Errorf("%q %v", got, err)
	}
	for range 3 { // no bytes of it are a request any more
		if _, err := io.WriteString(c, "GET\n\x00"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, got); err != nil || string(got) != "GET\n\x00" {
			t.Errorf("%q %v", got, err)
		}
	}
	_ = c.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
		t.Errorf("%q %v", rest, err)
	}
	_, _, res = g.dial("GET /strict" + strings.Replace(upgrade, "good", "bad", 1))
	if res.StatusCode != http.StatusUnauthorized || !res.Close {
		t.Errorf("who is refused: %d, closes %v", res.StatusCode, res.Close)
	}
	g.to(http.NotFoundHandler())
	if _, _, res = g.dial("GET /ws" + upgrade); res.StatusCode != http.StatusNotFound || !res.Close {
		t.Errorf("an upstream that refuses: %d, closes %v", res.StatusCode, res.Close)
	}
}

// events sends one event at once and then one each 50 ms, or none where quiet.
func events(quiet bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			_, _ = io.WriteString(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
			wait := 50 * time.Millisecond
			if quiet {
				wait = time.Minute
			}
			select {
			case <-r.Context().Done():
				return
			case <-time.After(wait):
			}
		}
	}
}

const listen = " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nAccept: text/event-stream\r\n\r\n"

// A stream ends when whoever has it may not any more, and not before.
func TestStreamsOfWhoMayNotAnyMore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path   string
		change func(*rig)
		ends   bool
	}{
		"all is well":              {"/strict", func(*rig) {}, false},
		"revoked":                  {"/strict", func(g *rig) { g.revoked.Store(true) }, true},
		"expired":                  {"/strict", func(g *rig) { g.now.Store(3600) }, true},
		"within the leeway":        {"/strict", func(g *rig) { g.now.Store(600 + 60) }, false},
		"revoked, only reported":   {"/open", func(g *rig) { g.revoked.Store(true) }, false},
		"expired, only reported":   {"/open", func(g *rig) { g.now.Store(3600) }, false},
		"nothing is said for long": {"/strict", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, nil)
			g.id.NotAfter = time.Now().Unix() + 600
			g.to(events(c.change == nil))
			_, r, res := g.dial("GET " + c.path + listen)
			if res.StatusCode != http.StatusOK {
				t.Fatal(res.StatusCode)
			}
			body := bufio.NewReader(res.Body)
			if line, err := body.ReadString('\n'); err != nil || line != "data: x\n" {
				t.Fatalf("the first event: %q %v", line, err)
			}
			if c.change != nil {
				c.change(g)
			}
			began, ended := time.Now(), false
			for time.Since(began) < 600*time.Millisecond || c.ends && time.Since(began) < 20*time.Second {
				if _, err := body.ReadString('\n'); err != nil {
					ended = !errors.Is(err, os.ErrDeadlineExceeded) // our own patience is no end
					break
				}
			}
			if ended != c.ends {
				t.Errorf("it ended: %v", ended)
			}
			if _, err := r.ReadByte(); ended && err == nil {
				t.Error("the connection goes on")
			}
		})
	}
}

// A stream that began when nobody was refused ends when its rule refuses who has it: by its
// date, or by a new file.
func TestStreamsOfARuleThatTurned(t *testing.T) {
	t.Parallel()
	const rule = `
  - {name: told, upstream: "%s", tenants: [7b2d0000-0000-4000-8000-000000000001], audiences: ["api://a"], mode: %s}`
	for name, c := range map[string]struct {
		mode string
		turn func(*rig)
		ends bool
	}{
		"nothing":             {"report", func(*rig) {}, false},
		"by its date":         {"report, next: [{mode: enforce, from: 2099-01-01}]", func(g *rig) { g.now.Store(90 * 365 * 86400) }, true},
		"from off":            {"off, next: [{mode: enforce, from: 2099-01-01}]", func(g *rig) { g.now.Store(90 * 365 * 86400) }, true},
		"by a new file":       {"report", func(g *rig) { g.take(fmt.Sprintf(rule, g.upstream.URL, "enforce"), "") }, true},
		"a new file, as soft": {"report", func(g *rig) { g.take(fmt.Sprintf(rule, g.upstream.URL, "report, trail: full"), "") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, nil)
			g.take(fmt.Sprintf(rule, g.to(events(false)).URL, c.mode), "")
			_, _, res := g.dial("GET /x" + strings.Replace(listen, "Bearer good", "none", 1))
			if res.StatusCode != http.StatusOK {
				t.Fatal(res.StatusCode)
			}
			body, ended := bufio.NewReader(res.Body), false
			_, _ = body.ReadString('\n')
			c.turn(g)
			for began := time.Now(); !ended && (time.Since(began) < 500*time.Millisecond || c.ends && time.Since(began) < 20*time.Second); {
				_, err := body.ReadString('\n')
				ended = err != nil
			}
			if ended != c.ends {
				t.Errorf("it ended: %v", ended)
			}
		})
	}
}

func TestWebSocketOfWhoMayNotAnyMore(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.to(http.HandlerFunc(echo))
	c, r, _ := g.dial("GET /strict" + upgrade)
	_, _ = io.WriteString(c, "hello\n")
	if line, err := r.ReadString('\n'); err != nil || line != "hello\n" {
		t.Fatalf("%q %v", line, err)
	}
	g.revoked.Store(true)
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil && strings.Contains(err.Error(), "timeout") {
		t.Errorf("%q %v", rest, err)
	}
}

// Nothing waits for a whole body: what is sent arrives while the rest is on its way.
func TestBothWaysAtOnce(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	g.to(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		w.Header().Set("Trailer", "X-Sum")
		for in := bufio.NewReader(r.Body); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				break
			}
			_, _ = io.WriteString(w, "seen "+line)
			_ = rc.Flush()
		}
		w.Header().Set("X-Sum", "7")
	}))
	rt := &http.Transport{Protocols: new(http.Protocols)}
	rt.Protocols.SetUnencryptedHTTP2(true)
	defer rt.CloseIdleConnections()
	us, them := io.Pipe()
	r, _ := http.NewRequest("POST", "http://"+g.plain+"/", us)
	go func() { _, _ = io.WriteString(them, "one\n") }()
	res, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	back := bufio.NewReader(res.Body)
	for _, word := range []string{"one", "two", "three"} {
		if word != "one" {
			_, _ = io.WriteString(them, word+"\n")
		}
		if line, err := back.ReadString('\n'); err != nil || line != "seen "+word+"\n" {
			t.Fatalf("%q %v", line, err)
		}
	}
	_ = them.Close()
	_, _ = io.Copy(io.Discard, back)
	if res.Trailer.Get("X-Sum") != "7" {
		t.Errorf("the trailer is lost: %v", res.Trailer)
	}
}
