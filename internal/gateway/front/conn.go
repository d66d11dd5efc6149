package front

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/gateway/proxy"
)

const (
	linger     = 250 * time.Millisecond // for the next request of who is idle, when we stop
	firstBuf   = 8 << 10
	stateIdle  = 0
	stateInUse = 1
)

// conn is a connection while it is in the loop of the lean path.
type conn struct {
	front  *Front
	net    net.Conn
	remote netip.Addr
	secure bool
	state  atomic.Int32

	buf  []byte // buf[r:w] is read and not answered
	r, w int
	head head

	in       gateway.Request
	memory   gateway.Memory
	decision gateway.Decision
	out      []byte
	host     string
	agent    string
	answer   head // the upstream's
	chunk    chunks
	last     bool // the connection ends behind this answer
	status   int

	scratch []byte    // what goes to the client
	trailer []byte    // of an answer
	stood   time.Time // when the decision of a stream was last looked at

	reads, writes time.Time // the deadlines that are set
}

// serve answers requests until the connection ends, and then gives nil, or what the
// server shall have. It leaves the connection open.
func (c *conn) serve() net.Conn {
	if !c.front.deps.Lean {
		return c.handOver()
	}
	c.buf, c.out = make([]byte, firstBuf), make([]byte, 0, 4<<10)
	for {
		raw, err := c.next()
		if err != nil {
			return nil
		}
		// What is wrong is for the server to answer, in the words it has for it.
		if raw == nil || proxy.CheckHead(raw) != nil || !c.head.request(raw) {
			return c.handOver()
		}
		if !c.suits() {
			return c.handOver()
		}
		if err := c.body(); err != nil {
			return nil
		}
		if !c.pass(time.Now()) {
			return c.handOver()
		}
		c.r += len(raw) + int(c.head.length)
		if c.last {
			return nil
		}
	}
}

// suits says whether the lean path can serve the request in head.
func (c *conn) suits() bool {
	f, h := c.front, &c.head
	table := f.table.Load()
	if !h.bare(f.deps.Limits.Body) || assert.Cookies(text(h.cookie)) != text(h.cookie) || trusts(table.Trusted, c.remote) {
		return false
	}
	route, why := table.Find(text(h.host), text(h.path))
	return why == gateway.Passed && c.fits(route)
}

// trusts says whether somebody's X-Forwarded headers are believed.
func trusts(list []netip.Prefix, from netip.Addr) bool {
	for _, p := range list {
		if p.Contains(from) {
			return true
		}
	}
	return false
}

// fits says whether the route asks for nothing that the lean path lacks, for this
// request. What is too long for the route is refused on the full path.
func (c *conn) fits(route *gateway.Route) bool {
	if route == nil || !route.Plain {
		return false
	}
	h, l := &c.head, &route.Limits
	return (!route.Browser || h.auth != nil) && !route.Preflight && !route.DropAuthorization && l.Parallel == 0 &&
		(l.Body <= 0 || h.length <= l.Body) && (l.Header <= 0 || len(h.raw) <= l.Header)
}

// next waits for a whole head. None without an error is one that is too long; an error
// is the connection's end.
func (c *conn) next() ([]byte, error) {
	if c.r == c.w {
		c.r, c.w = 0, 0
		c.state.Store(stateIdle)
		if c.front.draining.Load() {
			c.hurry()
		} else {
			c.within(c.front.deps.Limits.Idle)
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
		c.state.Store(stateInUse)
	}
	seen := 0
	for late := false; ; {
		if end := headEnd(c.buf[c.r:c.w], seen); end > 0 {
			if late {
				c.reads = time.Time{} // of the head: the next wait is longer
			}
			return c.buf[c.r : c.r+end], nil
		}
		if c.w-c.r > proxy.MaxHead {
			return nil, nil
		}
		if !late {
			late = true
			c.reads = time.Now().Add(c.front.deps.Limits.Read)
			_ = c.net.SetReadDeadline(c.reads)
		}
		seen = c.w - c.r
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// body reads the request's body to its end, behind its head.
func (c *conn) body() error {
	whole := len(c.head.raw) + int(c.head.length)
	if c.w-c.r >= whole {
		return nil
	}
	n := len(c.head.raw)
	c.reads = time.Now().Add(c.front.deps.Limits.Read)
	_ = c.net.SetReadDeadline(c.reads)
	for c.w-c.r < whole {
		if err := c.fill(); err != nil {
			return err
		}
	}
	c.reads = time.Time{}
	c.head.request(c.buf[c.r : c.r+n]) // the bytes may have moved
	return nil
}

// fill reads once.
func (c *conn) fill() error {
	if c.w == len(c.buf) {
		if c.r > 0 {
			c.w, c.r = copy(c.buf, c.buf[c.r:c.w]), 0
		} else {
			c.buf = append(c.buf, make([]byte, len(c.buf))...)
		}
	}
	n, err := c.net.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	return err
}

// within has reads fail when nothing comes for d, and up to an eighth more.
func (c *conn) within(d time.Duration) {
	if now := time.Now(); c.reads.Sub(now) < d {
		c.reads = now.Add(d + d/8)
		_ = c.net.SetReadDeadline(c.reads)
	}
}

// hurry has who is idle send its next request soon, or no more.
func (c *conn) hurry() {
	if c.state.Load() == stateIdle {
		_ = c.net.SetReadDeadline(time.Now().Add(linger))
	}
}

// write sends b, and gives up on a client that takes nothing for the idle time.
func (c *conn) write(b []byte, now time.Time) error {
	if idle := c.front.deps.Limits.Idle; c.writes.Sub(now) < idle {
		c.writes = now.Add(idle + idle/8)
		_ = c.net.SetWriteDeadline(c.writes)
	}
	_, err := c.net.Write(b)
	return err
}

// text is b as a string without a copy, which holds as long as b's bytes do.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func timeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// headEnd is behind the first empty line of b, or 0. A line that ends in a bare line
// feed ends a head too: it is refused then, rather than waited for what would be taken.
// from is how much of b is known to have no end.
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
