package front

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"partnerguard/internal/gateway/answer"
)

// streamBuf is how much of a body is on its way at once.
const streamBuf = 32 << 10

// ending is how an answer's body ends.
type ending uint8

const (
	nothing ending = iota
	byLength
	byChunks
	byClose
)

// early passes an interim answer on, which is in c.answer (RFC 9110 section 15.2).
func (c *conn) early(*head) error {
	c.outHead(nothing)
	return c.write(append(c.scratch, crlf...), time.Now())
}

// outHead writes the answer's head without its empty line to c.scratch: the upstream's
// without what is of its hop alone.
func (c *conn) outHead(body ending) {
	h, from := &c.answer, len("HTTP/1.1")
	b := append(c.scratch[:0], "HTTP/1.1"...)
	for i := range h.fields {
		f := &h.fields[i]
		if f.kind != ofHop && (h.named == nil || !h.connected(h.raw[f.name:f.colon])) {
			continue
		}
		b = append(b, h.raw[from:f.name]...)
		from = f.end
	}
	b = append(b, h.raw[from:len(h.raw)-2]...)
	if body == byChunks || body == byClose {
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	c.scratch = b
}

// back passes the answer on as it comes. The reply is what to say instead where the
// upstream's body is broken before a byte of the answer was sent.
func (c *conn) back(u *upstream, now time.Time) *answer.Answer {
	h, body := &c.answer, byClose
	switch {
	case without(c.head.method, h.status):
		body = nothing
	case h.chunked:
		body = byChunks
	case h.told:
		body = byLength
	}
	c.status = h.status
	c.outHead(body)
	b := c.scratch
	if !h.date {
		b = c.front.appendDate(b)
	}
	for _, v := range answer.Announce(c.decision) {
		b = appendField(b, v[0], v[1])
	}
	if c.last {
		b = append(b, "Connection: close\r\n"...)
	}
	c.scratch = append(b, crlf...)
	keep := !h.close && !h.old && body != byClose
	done, err := c.stream(u, body, now)
	switch {
	case err == errFraming && done == 0:
		_ = u.net.Close()
		return c.failed(http.StatusBadGateway, errAnswer)
	case err != nil:
		c.last = true
		fallthrough
	case !keep || u.r < u.w: // more than was asked for
		_ = u.net.Close()
	default:
		u.pool.put(u, now)
	}
	return nil
}

// stream sends c.scratch, which is the head, and the body behind it, each part as soon
// as it is there. sent says how often it wrote to the client.
func (c *conn) stream(u *upstream, body ending, now time.Time) (sent int, err error) {
	left := c.answer.length
	c.chunk, c.trailer, c.stood = chunks{}, c.trailer[:0], now
	var w *watcher
	for {
		end := body == nothing
		if !end {
			if end, err = c.portion(u, body, &left); err != nil {
				break
			}
		}
		if len(c.scratch) > 0 {
			if err = c.write(c.scratch, now); err != nil {
				break
			}
			sent++
			c.scratch = c.scratch[:0]
		}
		if end {
			break
		}
		if w == nil {
			w = c.watch(u)
		}
		if now, err = c.refill(u, body); err != nil {
			if err == io.EOF && body == byClose {
				err = c.write([]byte("0\r\n\r\n"), now)
			}
			break
		}
	}
	w.stop(c)
	return sent, err
}

// portion moves what is there of the body to c.scratch, and says whether that was all.
func (c *conn) portion(u *upstream, body ending, left *int64) (end bool, err error) {
	have := u.buf[u.r:u.w]
	switch body {
	case byLength:
		n := int(min(*left, int64(len(have))))
		c.scratch = append(c.scratch, have[:n]...)
		u.r += n
		*left -= int64(n)
		return *left == 0, nil
	case byClose:
		u.r = u.w
		c.chunked(have)
		return false, nil
	}
	// The data of all chunks that are there makes one.
	data, took := have[:0], 0
	var tail []byte
	for took < len(have) && c.chunk.state != chunksDone {
		n, isData, isTrailer, err := c.chunk.next(have[took:])
		if err != nil {
			return false, err
		}
		switch {
		case isData:
			data = append(data, have[took:took+n]...) // in place: it never grows over what is read
		case isTrailer:
			tail = append(tail, have[took:took+n]...)
		}
		took += n
	}
	u.r += took
	c.chunked(data)
	c.trailer = append(c.trailer, tail...)
	if c.chunk.state != chunksDone {
		return false, nil
	}
	c.scratch = append(c.scratch, "0\r\n"...)
	c.scratch = append(c.scratch, c.trailer...)
	c.scratch = append(c.scratch, crlf...)
	return true, nil
}

func (c *conn) chunked(data []byte) {
	if len(data) == 0 {
		return
	}
	c.scratch = strconv.AppendInt(c.scratch, int64(len(data)), 16)
	c.scratch = append(c.scratch, crlf...)
	c.scratch = append(c.scratch, data...)
	c.scratch = append(c.scratch, crlf...)
}

// refill reads on in a body, and cuts one that says nothing for the route's idle time,
// or whose decision does not hold any more.
func (c *conn) refill(u *upstream, body ending) (time.Time, error) {
	idle := c.decision.Route.Limits.Idle
	if idle <= 0 {
		idle = 5 * time.Minute
	}
	if len(u.buf) < streamBuf && u.r == u.w {
		u.buf = make([]byte, streamBuf)
	}
	u.limit = time.Time{}
	u.within(idle, time.Now())
	_, err := u.fill()
	u.limit = time.Time{} // the next answer's head has a limit of its own
	now := time.Now()
	if now.Sub(c.stood) > c.front.every { // behind the wait, which may have been long
		c.stood = now
		if !c.holds(c.front.deps.Now()) {
			return now, errOver
		}
	}
	return now, err
}

// holds says whether a stream may go on: who asked for it may yet, and where the rule has
// turned since, the judge says so again.
func (c *conn) holds(now time.Time) bool {
	deps, d := &c.front.deps, &c.decision
	if deps.Still != nil && !deps.Still(d, now) {
		return false
	}
	if !d.Turned(now) && slices.Contains(c.front.table.Load().Routes, d.Route) {
		return true
	}
	r := c.in
	r.Now = now
	next := deps.Judge.Judge(&r)
	if next.Refused || next.Route == nil {
		return false
	}
	c.decision = next
	return true
}

// watcher looks, while an answer streams, whether the client has gone: an upstream that
// says nothing would be held for nobody.
type watcher struct {
	done chan struct{}
	n    int
}

// watch begins to; nil where the client has sent more already.
func (c *conn) watch(u *upstream) *watcher {
	if c.w > c.r+len(c.head.raw)+int(c.head.length) || c.w == len(c.buf) {
		return nil
	}
	w := &watcher{done: make(chan struct{})}
	_ = c.net.SetReadDeadline(time.Time{})
	into := c.buf[c.w:]
	go func() {
		defer close(w.done)
		n, err := c.net.Read(into)
		if w.n = n; err != nil && !timeout(err) {
			_ = u.net.Close()
		}
	}()
	return w
}

// stop ends it, and takes over what the client sent meanwhile.
func (w *watcher) stop(c *conn) {
	if w == nil {
		return
	}
	_ = c.net.SetReadDeadline(time.Unix(1, 0))
	<-w.done
	c.w += w.n
	c.reads = time.Time{}
	_ = c.net.SetReadDeadline(time.Time{})
}
