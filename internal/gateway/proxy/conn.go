package proxy

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
)

// Limits of a connection, in bytes.
const (
	maxTrailer   = 8 << 10
	maxChunkSize = 15      // hex digits
	maxHeld      = 4 << 10 // read before an upgrade is answered
)

// refused is the method of the head that stands in a connection instead of one that was
// refused. It is longer than [Head] takes one, so that it comes from nobody else.
const refused = "PARTNERGUARD-REFUSED-THIS-HEAD"

func standIn(err *HeadError) []byte {
	status := "400"
	if err == ErrHeadLong {
		status = "431"
	}
	return []byte(refused + " /" + status + " HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n\r\n")
}

// NewConn puts itself before a connection that a server of net/http reads: the server
// only ever sees heads that [CheckHead] takes, bodies that end where they say, and chunks
// of the one form. read is what was read of c already. In place of a head that is refused
// the server sees one that [Proxy] answers by 400 or 431 and that ends the connection;
// what is wrong in a body ends it too. An upgrade that the proxy passes on makes it let
// everything through. Its TLS is c's.
func NewConn(c net.Conn, read []byte) net.Conn {
	out := &conn{Conn: c, buf: read[:len(read):len(read)]}
	if t, ok := c.(interface{ ConnectionState() tls.ConnectionState }); ok {
		return tlsConn{out, t}
	}
	return out
}

type tlsConn struct {
	*conn
	state interface{ ConnectionState() tls.ConnectionState }
}

func (c tlsConn) ConnectionState() tls.ConnectionState { return c.state.ConnectionState() }

// part is what a connection is read for.
type part uint8

const (
	partHead part = iota
	partBody
	partSize  // of a chunk, with its line's end
	partChunk // its data
	partEnd   // and the line's end behind
	partTrailer
	partHeld // an upgrade was asked for: nothing is passed until it is answered
	partOver // nothing more comes
)

// conn is read by one goroutine at a time, as net/http does.
type conn struct {
	net.Conn
	raw atomic.Bool // upgraded: everything passes

	store []byte // what buf begins in, empty
	buf   []byte // read and not given yet
	good  int    // of buf, may be given
	seen  int    // of buf, was looked at for the end of a head
	line  int    // of buf, where the line that is looked at begins
	left  int64  // of a body or chunk
	part  part
	err   error // behind good
}

// upgraded lets everything through from now on.
func (c *conn) upgraded() { c.raw.Store(true) }

// CloseWrite is the connection's own, where it has one.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if c.raw.Load() {
			c.good, c.err = len(c.buf), nil
		}
		switch {
		case c.good > 0:
			n := copy(p, c.buf[:c.good])
			c.buf = c.buf[n:]
			c.good -= n
			return n, nil
		case c.raw.Load():
			return c.Conn.Read(p)
		case c.err != nil:
			return 0, c.err
		case (c.part == partBody || c.part == partChunk) && len(c.buf) == 0:
			n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
			c.passed(int64(n))
			return n, err
		}
		if c.look() {
			continue
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
}

// fill reads more. An error is the connection's, perhaps a deadline: what was read stays.
func (c *conn) fill() error {
	if c.part == partHeld && len(c.buf) >= maxHeld {
		return io.ErrNoProgress
	}
	if len(c.buf) == 0 {
		if c.store == nil {
			c.store = make([]byte, 0, 4<<10)
		}
		c.buf = c.store
	}
	if cap(c.buf)-len(c.buf) < 1<<10 {
		c.buf = append(make([]byte, 0, 2*len(c.buf)+4<<10), c.buf...)
	}
	n, err := c.Conn.Read(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	if n > 0 {
		return nil
	}
	return err
}

// look judges what is there; it says whether more may be given, or nothing ever.
func (c *conn) look() bool {
	switch c.part {
	case partHead:
		return c.lookHead()
	case partBody, partChunk:
		n := min(int64(len(c.buf)), c.left)
		c.good = int(n)
		c.passed(n)
		return true
	case partSize:
		return c.lookSize()
	case partEnd:
		if len(c.buf) < 2 {
			return false
		}
		if c.buf[0] != '\r' || c.buf[1] != '\n' {
			return c.fail(errChunk)
		}
		c.good, c.part = 2, partSize
		return true
	case partTrailer:
		return c.lookTrailer()
	}
	return false
}

// passed counts what was given of a body or chunk.
func (c *conn) passed(n int64) {
	if c.left -= n; c.left > 0 {
		return
	}
	if c.part == partChunk {
		c.part = partEnd
		return
	}
	c.part = partHead
}

// section finds the empty line behind the lines in buf, most bytes in all; 0 while it is
// not there. A line that ends otherwise is refused at once: the rest may never come.
func (c *conn) section(most int) (int, *HeadError) {
	for ; c.seen < len(c.buf); c.seen++ {
		if c.buf[c.seen] != '\n' {
			continue
		}
		if c.seen == c.line || c.buf[c.seen-1] != '\r' {
			return 0, errLine
		}
		if c.seen-1 == c.line {
			n := c.seen + 1
			c.seen, c.line = 0, 0
			return n, nil
		}
		c.line = c.seen + 1
	}
	if len(c.buf) > most {
		return 0, ErrHeadLong
	}
	return 0, nil
}

func (c *conn) lookHead() bool {
	n, err := c.section(MaxHead)
	if err == nil && n == 0 {
		return false
	}
	var h Head
	if err == nil {
		err = h.Parse(c.buf[:n])
	}
	if err != nil {
		c.buf = standIn(err)
		c.good, c.part, c.err = len(c.buf), partOver, io.EOF
		return true
	}
	c.good = n
	switch {
	case h.WebSocket:
		c.part = partHeld
	case h.Length == Chunked:
		c.part = partSize
	case h.Length > 0:
		c.part, c.left = partBody, h.Length
	}
	return true
}

// lookSize takes digits and CR LF: no extension, which readers end in different places.
func (c *conn) lookSize() bool {
	size := int64(0)
	for i, b := range c.buf {
		switch {
		case isHex(b) && i < maxChunkSize:
			size = size<<4 | int64(nibble(b))
			continue
		case b != '\r' || i == 0:
			return c.fail(errChunk)
		case i+1 == len(c.buf):
			return false
		case c.buf[i+1] != '\n':
			return c.fail(errChunk)
		}
		c.good, c.left, c.part = i+2, size, partChunk
		if size == 0 {
			c.part, c.seen, c.line = partTrailer, 0, 0
		}
		return true
	}
	return false
}

// lookTrailer comes when the size of the last chunk was given, so that buf begins with
// the trailer.
func (c *conn) lookTrailer() bool {
	n, err := c.section(maxTrailer)
	if err != nil || n > maxTrailer {
		return c.fail(errTrailer)
	}
	if n == 0 {
		return false
	}
	for rest := c.buf[:n]; ; {
		var line []byte
		if line, rest, err = cutLine(rest); err != nil {
			return c.fail(errTrailer)
		}
		if len(line) == 0 {
			break
		}
		name, _, err := cutField(line)
		if err != nil || framing(name) {
			return c.fail(errTrailer)
		}
	}
	c.good, c.part = n, partHead
	return true
}

func (c *conn) fail(err *HeadError) bool {
	c.part, c.err = partOver, err
	return true
}
