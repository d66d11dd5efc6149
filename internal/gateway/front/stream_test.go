package front

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/gateway"
)

const plainGet = "GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer good\r\n\r\n"

// scripted is an upstream whose connections are served by what the test says.
func scripted(t *testing.T, serve func(n int, c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(n, c, bufio.NewReader(c))
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Errorf("writing: %v", err)
	}
}

func dial(t *testing.T, g *rig) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", g.at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c, bufio.NewReader(c)
}

func get(t *testing.T, c net.Conn, r *bufio.Reader) *http.Response {
	t.Helper()
	say(t, c, plainGet)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return res
}

// TestStreamsComeAsTheyAre sends a part of a body only when the client has the one
// before: whoever holds one back stops both.
func TestStreamsComeAsTheyAre(t *testing.T) {
	t.Parallel()
	for how, head := range map[string]string{
		"chunks": "Transfer-Encoding: chunked\r\n\r\n", "length": "Content-Length: 9\r\n\r\n", "close": "Connection: close\r\n\r\n",
	} {
		for _, lean := range []bool{true, false} {
			t.Run(fmt.Sprint(how, lean), func(t *testing.T) {
				t.Parallel()
				got := make(chan bool)
				g := newRig(t, lean, scripted(t, func(_ int, c net.Conn, r *bufio.Reader) {
					if _, _, err := readAsIs(r); err != nil {
						return
					}
					say(t, c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"+head)
					for _, part := range []string{"one", "two", "six"} {
						if how == "chunks" {
							part = "3\r\n" + part + "\r\n"
						}
						say(t, c, part)
						<-got
					}
					if how == "chunks" {
						say(t, c, "0\r\n\r\n")
					}
				}), nil)
				c, r := dial(t, g)
				res := get(t, c, r)
				for _, want := range []string{"one", "two", "six"} {
					part := make([]byte, 3)
					if _, err := io.ReadFull(res.Body, part); err != nil || string(part) != want {
						t.Fatalf("%q came, %v", part, err)
					}
					got <- true
				}
				if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
					t.Errorf("%q is left, %v", rest, err)
				}
				if g.front.stats.handed.Load() != 0 && lean {
					t.Error("it was not the lean path")
				}
			})
		}
	}
}

// TestGoneClientFreesItsUpstream: who has gone holds no stream.
func TestGoneClientFreesItsUpstream(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	g := newRig(t, true, scripted(t, func(_ int, c net.Conn, r *bufio.Reader) {
		_, _, _ = readAsIs(r)
		say(t, c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
		_ = c.SetReadDeadline(time.Now().Add(1500 * time.Millisecond)) // before the route's idle time
		_, err := r.ReadByte()
		ended <- err
	}), nil)
	c, r := dial(t, g)
	res := get(t, c, r)
	if _, err := io.ReadFull(res.Body, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if err := <-ended; err != io.EOF && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the upstream's connection: %v", err)
	}
}

// TestNextRequestBehindAStream: what the client sends while an answer streams is its next
// request, and not lost.
func TestNextRequestBehindAStream(t *testing.T) {
	t.Parallel()
	sent := make(chan bool)
	g := newRig(t, true, scripted(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			if _, _, err := readAsIs(r); err != nil {
				return
			}
			say(t, c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
			<-sent
			say(t, c, "0\r\n\r\n")
		}
	}), nil)
	c, r := dial(t, g)
	res := get(t, c, r)
	if _, err := io.ReadFull(res.Body, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	say(t, c, plainGet[:20])
	time.Sleep(20 * time.Millisecond)
	say(t, c, plainGet[20:])
	time.Sleep(20 * time.Millisecond)
	close(sent)
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v, %v", res, err)
	}
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "one" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestStreamEndsWithItsDecision: a stream whose caller was revoked is cut.
func TestStreamEndsWithItsDecision(t *testing.T) {
	t.Parallel()
	g := newRig(t, true, scripted(t, func(_ int, c net.Conn, r *bufio.Reader) {
		_, _, _ = readAsIs(r)
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for err == nil {
			_, err = io.WriteString(c, "3\r\none\r\n")
			time.Sleep(10 * time.Millisecond)
		}
	}), func(d *Deps) {
		d.Still = func(*gateway.Decision, time.Time) bool { return false }
	})
	g.front.every = 50 * time.Millisecond
	c, r := dial(t, g)
	got, err := io.ReadAll(get(t, c, r).Body)
	if err == nil || len(got) == 0 {
		t.Errorf("%q, %v", got, err)
	}
}

// TestStreamEndsWithItsMode: one that nobody was refused at its beginning is cut when its
// route's mode refuses who has it, or a new file does.
func TestStreamEndsWithItsMode(t *testing.T) {
	t.Parallel()
	for what, turns := range map[string]bool{"nothing": false, "date": true, "file": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var ahead atomic.Int64
			g := newRig(t, true, scripted(t, func(_ int, c net.Conn, r *bufio.Reader) {
				_, _, _ = readAsIs(r)
				_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
				for n := 0; err == nil && n < 60; n++ {
					_, err = io.WriteString(c, "3\r\none\r\n")
					time.Sleep(10 * time.Millisecond)
				}
				_, _ = io.WriteString(c, "0\r\n\r\n")
			}), func(d *Deps) {
				d.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
			})
			g.front.every = 50 * time.Millisecond
			c, r := dial(t, g)
			say(t, c, "GET /x HTTP/1.1\r\nHost: r.example\r\n\r\n")
			res, err := http.ReadResponse(r, nil)
			if err != nil || res.StatusCode != 200 {
				t.Fatal(res, err)
			}
			if what != "nothing" { // the date has come; or the table is another one, by which the judge says so
				ahead.Store(int64(time.Until(time.Date(2099, 1, 2, 0, 0, 0, 0, time.UTC))))
			}
			if what == "file" {
				other := *g.table
				other.Routes = nil
				g.front.Take(&other)
			}
			if _, err := io.ReadAll(res.Body); (err != nil) != turns {
				t.Errorf("it ended by %v", err)
			}
		})
	}
}

// TestStaleConnections: an upstream that closes its connections when nobody looks costs
// no request, and none that changes something is sent twice.
func TestStaleConnections(t *testing.T) {
	t.Parallel()
	g := newRig(t, true, scripted(t, func(_ int, c net.Conn, r *bufio.Reader) {
		if _, _, err := readAsIs(r); err == nil {
			say(t, c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}), nil)
	c, r := dial(t, g)
	for i := range 20 {
		say(t, c, strings.Replace(plainGet, "GET", []string{"GET", "POST", "DELETE"}[i%3], 1))
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%d: %v, %v", i, res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		if i%3 != 2 { // the next changes something: it is only safe where the end was seen
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// TestUnaskedAnswers: what an upstream says without being asked is nobody's answer.
func TestUnaskedAnswers(t *testing.T) {
	t.Parallel()
	for when, pause := range map[string]time.Duration{"at once": 0, "later": 30 * time.Millisecond} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, true, scripted(t, func(n int, c net.Conn, r *bufio.Reader) {
				for {
					if _, _, err := readAsIs(r); err != nil {
						return
					}
					text := "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
					if pause == 0 {
						text += "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
					}
					_, _ = io.WriteString(c, text)
					if pause > 0 {
						time.Sleep(pause)
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
					}
				}
			}), nil)
			c, r := dial(t, g)
			for range 5 {
				if b, err := io.ReadAll(get(t, c, r).Body); err != nil || string(b) != "good" {
					t.Fatalf("%q, %v", b, err)
				}
				time.Sleep(2 * pause)
			}
		})
	}
}

// TestTries: what fails before a byte of an answer is asked for again only where it is
// harmless, and nothing is asked for without end.
func TestTries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method string
		old    bool // over a connection that was used before
		want   int  // how often the upstream sees it
	}{
		"get": {"GET", false, 1}, "post": {"POST", false, 1}, // the route has no retries
		"get over an old connection": {"GET", true, 2}, "post over an old connection": {"POST", true, 1}, "delete over an old connection": {"DELETE", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			saw := make(chan bool, 10)
			g := newRig(t, true, scripted(t, func(n int, conn net.Conn, r *bufio.Reader) {
				if _, _, err := readAsIs(r); err == nil && n == 0 && c.old {
					say(t, conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
					_, _, _ = readAsIs(r)
				}
				saw <- true
			}), nil)
			conn, r := dial(t, g)
			if c.old {
				if b, err := io.ReadAll(get(t, conn, r).Body); err != nil || string(b) != "ok" {
					t.Fatalf("%q, %v", b, err)
				}
			}
			say(t, conn, strings.Replace(plainGet, "GET", c.method, 1))
			if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 502 {
				t.Errorf("%v, %v", res, err)
			}
			if len(saw) != c.want {
				t.Errorf("the upstream saw %d", len(saw))
			}
		})
	}
}

// TestSlowUpstreams: one that says nothing is a 504, one that stops in a body is cut off,
// one that is not there is a 502.
func TestSlowUpstreams(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says string
		want int
	}{
		"nothing": {"", 504}, "half a head": {"HTTP/1.1 200 OK\r\nContent-Le", 504}, "half a body": {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			over := make(chan bool)
			t.Cleanup(func() { close(over) })
			g := newRig(t, true, scripted(t, func(_ int, conn net.Conn, r *bufio.Reader) {
				_, _, _ = readAsIs(r)
				say(t, conn, c.says)
				<-over
			}), nil)
			conn, r := dial(t, g)
			res := get(t, conn, r)
			if res.StatusCode != c.want {
				t.Errorf("%d", res.StatusCode)
			}
			if _, err := io.ReadAll(res.Body); (err != nil) != (c.want == 200) {
				t.Errorf("the body: %v", err)
			}
		})
	}
	t.Run("nobody", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		g := newRig(t, true, "http://"+l.Addr().String(), nil)
		conn, r := dial(t, g)
		if res := get(t, conn, r); res.StatusCode != 502 {
			t.Errorf("%d", res.StatusCode)
		}
	})
}
