package front

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"partnerguard/internal/gateway/proxy"
)

// handOver gives the connection with all that was read of it to the server, behind the
// gate that its further heads pass.
func (c *conn) handOver() net.Conn {
	c.front.stats.handed.Add(1)
	c.state.Store(stateInUse)
	_ = c.net.SetDeadline(time.Time{})
	read := append([]byte(nil), c.buf[c.r:c.w]...)
	if t, ok := c.net.(*tls.Conn); ok {
		return proxy.NewConn(&countedTLS{counted: counted{Conn: t, front: c.front}, tls: t}, read)
	}
	return proxy.NewConn(&counted{Conn: c.net, front: c.front}, read)
}

// counted is a connection that counts itself out.
type counted struct {
	net.Conn
	front *Front
	once  sync.Once
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.once.Do(c.front.gone)
	return c.Conn.Close()
}

// CloseWrite is the connection's own, where it has one.
func (c *counted) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

type countedTLS struct {
	counted
	tls *tls.Conn
}

// ConnectionState is that of the TLS connection; net/http's server asks for it.
func (c *countedTLS) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

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

// watch counts connections of HTTP/2 out; the others count themselves. Those that are idle
// it knows of.
func (f *Front) watch(c net.Conn, s http.ConnState) {
	f.mu.Lock()
	if s == http.StateIdle {
		f.idle[c] = struct{}{}
	} else {
		delete(f.idle, c)
	}
	f.mu.Unlock()
	if _, h2 := c.(*tls.Conn); h2 && s == http.StateClosed {
		f.gone()
	}
}
