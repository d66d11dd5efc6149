package front

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ok is an upstream that answers after a while.
func ok(t *testing.T, after time.Duration) string {
	return scripted(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			if _, _, err := readAsIs(r); err != nil {
				return
			}
			time.Sleep(after)
			if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"); err != nil {
				return
			}
		}
	})
}

// TestSlowClients: who sends a head or a body a byte at a time is not waited for, and who
// says nothing is let go.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"nothing": "", "half a head": "GET / HTTP/1.1\r\nHost: a.exa", "half a second head": plainGet + "GET /",
		"half a body": "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n" + good + "\r\nhalf",
	} {
		for _, lean := range []bool{true, false} {
			if !lean && name != "half a head" { // a body is the proxy's matter, and a connection's further heads have the idle time there
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				g := newRig(t, lean, ok(t, 0), func(d *Deps) {
					d.Limits.Read, d.Limits.Idle = 300*time.Millisecond, 20*time.Second
					if sent == "" {
						d.Limits.Read, d.Limits.Idle = 20*time.Second, 300*time.Millisecond
					}
				})
				c, r := dial(t, g)
				began := time.Now()
				stop := make(chan bool)
				defer close(stop)
				say(t, c, sent)
				go func() { // and a little more, again and again
					for range 600 {
						select {
						case <-stop:
							return
						case <-time.After(50 * time.Millisecond):
						}
						if sent != "" && !strings.HasSuffix(sent, "\r\n\r\n") {
							_, _ = io.WriteString(c, "x")
						}
					}
				}()
				_, _ = io.Copy(io.Discard, r)
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("it was let go after %v", took)
				}
			})
		}
	}
}

// TestRoom: beyond the bound those who are idle make room, and who is served does not.
func TestRoom(t *testing.T) {
	t.Parallel()
	g := newRig(t, true, ok(t, 300*time.Millisecond), func(d *Deps) { d.Limits.Conns = 2 })
	idle, idleR := dial(t, g)
	_ = get(t, idle, idleR)
	busy, busyR := dial(t, g)
	say(t, busy, plainGet)
	time.Sleep(50 * time.Millisecond)
	third, thirdR := dial(t, g)
	say(t, third, plainGet)
	if res, err := http.ReadResponse(thirdR, nil); err != nil || res.StatusCode != 200 {
		t.Errorf("the third: %v, %v", res, err)
	}
	if res, err := http.ReadResponse(busyR, nil); err != nil || res.StatusCode != 200 {
		t.Errorf("who was served: %v, %v", res, err)
	}
	_, _ = io.ReadAll(io.LimitReader(idleR, 2))
	if _, err := idleR.ReadByte(); err == nil {
		t.Error("who was idle is still there")
	}
	say(t, busy, plainGet)
	say(t, third, plainGet)
	time.Sleep(50 * time.Millisecond)
	fourth, fourthR := dial(t, g)
	_, _ = io.WriteString(fourth, plainGet)
	if _, err := fourthR.ReadByte(); err == nil {
		t.Error("the fourth was taken")
	}
}

// TestShutdownDropsNothing: requests under way are answered to their end, and so is the
// one that an idle client sends just then.
func TestShutdownDropsNothing(t *testing.T) {
	t.Parallel()
	for _, lean := range []bool{true, false} {
		g := newRig(t, lean, ok(t, 400*time.Millisecond), nil)
		idle, idleR := dial(t, g)
		res := get(t, idle, idleR)
		_, _ = io.Copy(io.Discard, res.Body)
		busy, busyR := dial(t, g)
		say(t, busy, plainGet)
		time.Sleep(100 * time.Millisecond)
		stopped := make(chan error)
		go func() { stopped <- g.stop() }()
		time.Sleep(20 * time.Millisecond)
		if lean { // net/http closes who is idle at once
			res := get(t, idle, idleR)
			if b, err := io.ReadAll(res.Body); err != nil || string(b) != "ok" || !res.Close {
				t.Errorf("who was idle: %q, %v, close %v", b, err, res.Close)
			}
		}
		res, err := http.ReadResponse(busyR, nil)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("who was served: %v, %v", res, err)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		if _, err := net.Dial("tcp", g.at); err == nil {
			t.Error("it still listens")
		}
	}
}

// TestShutdownEnds: what does not end is cut when the time is up, and that is said.
func TestShutdownEnds(t *testing.T) {
	t.Parallel()
	for _, lean := range []bool{true, false} {
		g := newRig(t, lean, ok(t, 5*time.Second), nil)
		c, _ := dial(t, g)
		say(t, c, plainGet)
		time.Sleep(50 * time.Millisecond)
		ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
		began := time.Now()
		if err := g.front.Shutdown(ctx); err == nil {
			t.Errorf("lean %v: nothing is said of what was cut", lean)
		}
		stop()
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("it took %v", took)
		}
	}
}

// TestReloadDropsNothing: tables come while requests do.
func TestReloadDropsNothing(t *testing.T) {
	t.Parallel()
	g := newRig(t, true, ok(t, 0), nil)
	var all sync.WaitGroup
	var done atomic.Bool
	var served atomic.Int64
	for n := range 4 {
		all.Go(func() {
			c, err := net.Dial("tcp", g.at)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			r := bufio.NewReader(c)
			for !done.Load() {
				text := plainGet
				if n%2 == 1 {
					text = "POST / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer good\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
				}
				if _, err := io.WriteString(c, text); err != nil {
					t.Error(err)
					return
				}
				res, err := http.ReadResponse(r, nil)
				if err != nil || res.StatusCode != 200 {
					t.Errorf("%v, %v", res, err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				served.Add(1)
			}
		})
	}
	for i := range 100 {
		next := *g.table
		next.Generation = uint64(i + 2)
		g.front.Take(&next)
		time.Sleep(2 * time.Millisecond)
	}
	done.Store(true)
	all.Wait()
	if served.Load() < 100 {
		t.Errorf("only %d were served", served.Load())
	}
}

// TestUpgradePasses: a WebSocket behind a plain request of the same connection.
func TestUpgradePasses(t *testing.T) {
	t.Parallel()
	g := newRig(t, true, scripted(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			text, _, err := readAsIs(r)
			if err != nil {
				return
			}
			if !strings.Contains(text, "Upgrade: websocket") {
				say(t, c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				continue
			}
			say(t, c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			_, _ = io.Copy(c, r)
			return
		}
	}), nil)
	c, r := dial(t, g)
	if b, err := io.ReadAll(get(t, c, r).Body); err != nil || string(b) != "ok" {
		t.Fatalf("%q, %v", b, err)
	}
	say(t, c, "GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+good+"\r\n")
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 101 {
		t.Fatalf("%v, %v", res, err)
	}
	for _, word := range []string{"hello", "GET / HTTP/1.1\r\n\r\n"} { // nothing of it is a head any more
		say(t, c, word)
		got := make([]byte, len(word))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != word {
			t.Errorf("%q came back, %v", got, err)
		}
	}
}

// TestBodyInPieces: a body that comes behind its head in pieces, and one that is longer
// than the buffer.
func TestBodyInPieces(t *testing.T) {
	t.Parallel()
	up, seen := saw(t)
	g := newRig(t, true, up, nil)
	c, r := dial(t, g)
	long := strings.Repeat("0123456789", 6000)
	for _, text := range []string{"hello", long, "", long[:9000]} {
		head := "POST /x HTTP/1.1\r\nHost: a.example\r\n" + good + "Content-Length: " + strconv.Itoa(len(text)) + "\r\n\r\n"
		for _, piece := range []string{head[:30], head[30:], text[:len(text)/2], text[len(text)/2:]} {
			say(t, c, piece)
			time.Sleep(5 * time.Millisecond)
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%v, %v", res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		list := seen()
		if got := list[len(list)-1]; !strings.HasSuffix(got, "\r\n\r\n"+text) {
			t.Errorf("the upstream got %d bytes that end in %.20q", len(got), got[max(0, len(got)-20):])
		}
	}
	if g.front.stats.handed.Load() != 0 {
		t.Error("it was handed over")
	}
}
