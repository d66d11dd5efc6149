package front

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"partnerguard/internal/bridge"
)

// Times of a connection (ours). A device that is not in has little patience of ours.
const (
	beforeIn   = time.Minute     // silent, until it is in
	untilIn    = 3 * time.Minute // in all, until it is in
	perWrite   = time.Minute     // the device reads what it is sent, or is cut off
	smtpIdle   = 5 * time.Minute // RFC 5321 section 4.5.3.2.7
	perMessage = time.Hour
)

// conn is a device's connection with its limits. Reading and writing are as of
// [net.Conn]; its deadlines are its own.
type conn struct {
	net.Conn
	from netip.Addr
	idle atomic.Int64 // how long a read waits, ns
	by   atomic.Int64 // when all must be over, Unix ns; 0 never
	once sync.Once
	done func()
}

func (c *conn) Read(b []byte) (int, error) {
	at := time.Now().Add(time.Duration(c.idle.Load()))
	if by := c.by.Load(); by != 0 && at.UnixNano() > by {
		at = time.Unix(0, by)
	}
	_ = c.SetReadDeadline(at)
	return c.Conn.Read(b)
}

func (c *conn) Write(b []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(perWrite))
	return c.Conn.Write(b)
}

// Close ends it, and makes room for another.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.done)
	return err
}

// within says how long it may be silent, and until when it may last; 0 is for ever.
func (c *conn) within(idle, all time.Duration) {
	c.idle.Store(int64(idle))
	by := int64(0)
	if all > 0 {
		by = time.Now().Add(all).UnixNano()
	}
	c.by.Store(by)
}

// connOf finds the device's connection below TLS.
func connOf(c net.Conn) *conn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	own, _ := c.(*conn)
	return own
}

// gate is a listener that takes who may come, and not more than there is room for.
type gate struct {
	net.Listener
	how *bridge.Listen
	s   *Server
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		raw, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := g.s.admit(raw, g.how); c != nil {
			return c, nil
		}
		_ = raw.Close()
	}
}

// admit counts a connection in; nil where it is not taken.
func (s *Server) admit(raw net.Conn, how *bridge.Listen) *conn {
	at, err := netip.ParseAddrPort(raw.RemoteAddr().String())
	if err != nil {
		return nil
	}
	from := at.Addr().Unmap().WithZone("")
	if !how.Takes(from) {
		s.count(func(c *Counts) { c.Turned++ })
		return nil
	}
	c := &conn{Conn: raw, from: from}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.conns) >= s.d.Limits.Connections || s.sources[from] >= s.d.Limits.PerSource {
		s.counts.Turned++
		return nil
	}
	s.conns[c] = struct{}{}
	s.sources[from]++
	s.counts.Connections++
	s.open.Add(1)
	c.done = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
		if s.sources[from]--; s.sources[from] <= 0 {
			delete(s.sources, from)
		}
		s.open.Done()
	}
	c.within(beforeIn, untilIn)
	return c
}
