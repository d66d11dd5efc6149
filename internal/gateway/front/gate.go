package front

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"partnerguard/internal/gateway"
)

// gate is a connection as net/http's server has it: it first says again what the loop
// has read, and lets no head through that [Deps.CheckHead] refuses, and no chunk whose
// end two readers could see in two places. A refused head is replaced by one whose
// method nobody can know, so that the answer to it comes in its turn, behind those that
// are under way.
type gate struct {
	net.Conn
	front *Front

	buf   []byte // read, and not yet said on
	seen  int    // bytes of buf that have no end of a head
	ready int    // bytes of buf that may be said on
	state gateState
	left  int64 // of a body
	chunk chunks
	head  head
	fault error // that of the refused head

	once sync.Once
	raw  atomic.Bool // it was hijacked: another protocol has it
}

type gateState uint8

const (
	gateHead gateState = iota
	gateBody
	gateChunks
	gateShut
)

// Read implements net.Conn. It is called by one goroutine at a time.
func (g *gate) Read(p []byte) (int, error) {
	for {
		if g.raw.Load() {
			if len(g.buf) == 0 {
				return g.Conn.Read(p)
			}
			g.ready = len(g.buf)
		}
		if g.ready > 0 {
			n := copy(p, g.buf[:g.ready])
			g.buf = g.buf[:copy(g.buf, g.buf[n:])]
			if g.ready -= n; len(g.buf) == 0 {
				g.buf = nil // what waits for its next request holds no memory
			}
			return n, nil
		}
		switch {
		case g.state == gateShut:
			return 0, io.EOF
		case g.state == gateHead:
			if end := headEnd(g.buf, g.seen); end > 0 || len(g.buf) > g.front.deps.Limits.Header {
				g.admit(end)
				continue
			}
			g.seen = len(g.buf)
			if err := g.more(); err != nil {
				return 0, err
			}
		case len(g.buf) > 0:
			n, err := g.body(g.buf)
			if err != nil {
				return 0, err
			}
			g.ready = n
		default:
			return g.straight(p)
		}
	}
}

// Close implements net.Conn, and counts the connection out.
func (g *gate) Close() error {
	g.once.Do(g.front.gone)
	return g.Conn.Close()
}

// more reads on behind what is there.
func (g *gate) more() error {
	if cap(g.buf)-len(g.buf) < 1024 {
		g.buf = append(make([]byte, 0, max(4096, 2*cap(g.buf))), g.buf...)
	}
	n, err := g.Conn.Read(g.buf[len(g.buf):cap(g.buf)])
	g.buf = g.buf[:len(g.buf)+n]
	if n > 0 {
		return nil
	}
	return err
}

// admit takes the head at buf's start; end is 0 where it is too long.
func (g *gate) admit(end int) {
	g.seen = 0
	if end > g.front.deps.Limits.Header {
		end = 0
	}
	if end == 0 {
		g.refuse(errLong)
		return
	}
	raw := g.buf[:end]
	if err := g.front.deps.CheckHead(raw); err != nil {
		g.refuse(err)
		return
	}
	if !g.head.request(raw) {
		g.refuse(errFraming)
		return
	}
	g.ready = end
	switch {
	case g.head.chunked:
		g.state, g.chunk = gateChunks, chunks{}
	case g.head.length > 0:
		g.state, g.left = gateBody, g.head.length
	}
}

// refuse puts the method that nobody knows in the head's place, and ends what is read.
func (g *gate) refuse(err error) {
	g.front.stats.refused.Add(1)
	g.fault, g.state = err, gateShut
	g.buf = append(g.buf[:0], g.front.poison+" / HTTP/1.1\r\nHost: gateway.invalid\r\nConnection: close\r\n\r\n"...)
	g.ready = len(g.buf)
}

// straight reads a body without holding it.
func (g *gate) straight(p []byte) (int, error) {
	if g.state == gateBody && int64(len(p)) > g.left {
		p = p[:g.left]
	}
	n, err := g.Conn.Read(p)
	if n == 0 {
		return 0, err
	}
	took, fault := g.body(p[:n])
	if fault != nil {
		return 0, fault
	}
	g.buf = append(g.buf, p[took:n]...) // the next head
	return took, nil
}

// body says how much of b is of the body that is read now.
func (g *gate) body(b []byte) (int, error) {
	if g.state == gateBody {
		n := int(min(g.left, int64(len(b))))
		if g.left -= int64(n); g.left == 0 {
			g.state = gateHead
		}
		return n, nil
	}
	took := 0
	for took < len(b) && g.chunk.state != chunksDone {
		n, _, _, err := g.chunk.next(b[took:])
		if err != nil {
			g.front.stats.refused.Add(1)
			g.state, g.buf = gateShut, nil
			return 0, err
		}
		took += n
	}
	if g.chunk.state == chunksDone {
		g.state = gateHead
	}
	return took, nil
}

// headEnd is behind the first empty line of b, or 0. A line that ends in a bare line
// feed ends a head too: the gate refuses it then, rather than wait for what it would
// take. from is how much of b is known to have no end.
func headEnd(b []byte, from int) int {
	for at := max(0, from-3); ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return 0
		}
		at += i + 1
		switch {
		case at < len(b) && b[at] == '\n':
			return at + 1
		case at+1 < len(b) && b[at] == '\r' && b[at+1] == '\n':
			return at + 2
		}
	}
}

// secureGate is a gate whose connection is TLS: net/http's server asks for its state.
type secureGate struct {
	*gate
	tls *tls.Conn
}

// ConnectionState is that of the TLS connection.
func (s *secureGate) ConnectionState() tls.ConnectionState { return s.tls.ConnectionState() }

type keyConn struct{}

// withConn has the server's requests know their gate.
func withConn(ctx context.Context, c net.Conn) context.Context {
	switch c := c.(type) {
	case *gate:
		return context.WithValue(ctx, keyConn{}, c)
	case *secureGate:
		return context.WithValue(ctx, keyConn{}, c.gate)
	}
	return ctx
}

// gated answers what stands in a refused head's place; all else is next's.
func (f *Front) gated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g, _ := r.Context().Value(keyConn{}).(*gate)
		if g == nil {
			next.ServeHTTP(w, r)
			return
		}
		if r.Method == f.poison {
			a := f.refusal(g.fault, addrOf(g.Conn), r.TLS != nil)
			for _, h := range a.Header {
				w.Header().Add(h[0], h[1])
			}
			w.WriteHeader(a.Status)
			_, _ = w.Write(a.Body)
			return
		}
		if r.Header.Get("Upgrade") != "" {
			w = &hijacker{w, g}
		}
		next.ServeHTTP(w, r)
	})
}

// hijacker tells the gate when its connection gets another protocol.
type hijacker struct {
	http.ResponseWriter
	gate *gate
}

// Unwrap lets an http.ResponseController through.
func (h *hijacker) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// Hijack implements http.Hijacker. The server reads nothing of the connection any more
// when it gives it away, and so nobody else is in [gate.Read].
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err == nil {
		h.gate.raw.Store(true)
	}
	return c, rw, err
}

// refusal answers a head that the gate refused.
func (f *Front) refusal(fault error, from netip.Addr, secure bool) Reply {
	status := http.StatusBadRequest
	if tooLong(fault) {
		status = http.StatusRequestHeaderFieldsTooLarge
	}
	return f.deps.Refuse(&gateway.Request{Remote: from, TLS: secure, Now: f.deps.Now()}, status, gateway.BadRequest)
}

func tooLong(err error) bool { return errors.Is(err, errLong) }

// handed is the listener by which connections come to the server.
type handed struct {
	once  sync.Once
	next  chan net.Conn
	ended chan struct{}
	end   sync.Once
}

func newHanded() *handed { return &handed{next: make(chan net.Conn), ended: make(chan struct{})} }

// put gives a connection to the server; false when there is none any more.
func (h *handed) put(c net.Conn) bool {
	select {
	case h.next <- c:
		return true
	case <-h.ended:
		return false
	}
}

// Accept implements net.Listener.
func (h *handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.next:
		return c, nil
	case <-h.ended:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. The server is shut down when no loop is left that could
// hand over.
func (h *handed) Close() error {
	h.end.Do(func() { close(h.ended) })
	return nil
}

// Addr implements net.Listener.
func (h *handed) Addr() net.Addr { return &net.TCPAddr{} }

// watch counts connections of HTTP/2 out; the others are gates.
func (f *Front) watch(c net.Conn, s http.ConnState) {
	if _, h2 := c.(*tls.Conn); h2 && s == http.StateClosed {
		f.gone()
	}
}
