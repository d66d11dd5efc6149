package front

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// boundTo is an upstream as IIS is with Windows authentication: a connection that proved
// somebody by NTLM is theirs until it ends.
func boundTo(t *testing.T) string {
	t.Helper()
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
				who := "nobody"
				for r := bufio.NewReader(c); ; {
					q, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					for _, auth := range q.Header["Authorization"] {
						if scheme, name, _ := strings.Cut(auth, " "); strings.EqualFold(scheme, "NTLM") || strings.EqualFold(scheme, "Negotiate") {
							who = name
						}
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: "+string(rune('0'+len(who)))+"\r\n\r\n"+who)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestConnectionsProveNobodyElse: what proves the person of a connection to an upstream
// proves nobody who comes next, on either path.
func TestConnectionsProveNobodyElse(t *testing.T) {
	for _, lean := range []bool{true, false} {
		for _, host := range []string{"r.example", "o.example"} {
			for _, auth := range []string{"NTLM alice", "Negotiate alice", "nTlM alice", "Basic x\r\nAuthorization: NTLM alice"} {
				if host == "r.example" && strings.Contains(auth, "Basic") {
					continue // several are refused but where nothing is asked
				}
				g := newRig(t, lean, boundTo(t), nil)
				ask := func(fields string) string {
					return g.raw("GET /x HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + fields + "\r\n")
				}
				if got := ask("Authorization: " + auth + "\r\n"); !strings.HasSuffix(got, "alice") {
					t.Errorf("lean %v: %q: %q", lean, auth, got)
				}
				time.Sleep(5 * time.Millisecond) // the connection goes back to where it is kept
				if got := ask(""); !strings.HasSuffix(got, "nobody") {
					t.Errorf("lean %v, %s, %s: who came without a proof is served as %q", lean, host, auth, got[strings.LastIndex(got, "\n")+1:])
				}
			}
		}
	}
}

// TestIdleAtTheServerMakesRoom: connections that were handed over and say nothing keep
// nobody out; those in use are left alone.
func TestIdleAtTheServerMakesRoom(t *testing.T) {
	t.Parallel()
	g := newRig(t, true, ok(t, 300*time.Millisecond), func(d *Deps) { d.Limits.Conns = 2 })
	chunked := "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n" + good + "\r\n2\r\nab\r\n0\r\n\r\n" // of the full path
	busy, br := dial(t, g)
	for n := range 5 {
		if n == 3 {
			say(t, busy, chunked)
			time.Sleep(20 * time.Millisecond) // it is in use
		}
		c, r := dial(t, g)
		say(t, c, chunked)
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("connection %d: %v %v", n, res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		time.Sleep(20 * time.Millisecond) // the server sees that it is idle
		if n == 2 {
			busy, br = dial(t, g) // it takes an idle one's place
		}
	}
	if res, err := http.ReadResponse(br, nil); err != nil || res.StatusCode != 200 {
		t.Errorf("one in use was closed: %v", err)
	}
}
