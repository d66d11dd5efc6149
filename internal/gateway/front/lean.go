package front

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/gateway/proxy"
)

// Failures of an upstream.
var (
	errAnswer = errors.New("the upstream's answer can be read in two ways")
	errOver   = errors.New("who asked for the stream may not have it any more")
	errStale  = errors.New("the connection ended before a byte of an answer")
)

// pass judges the request that was asked for, and answers it: itself, or by its upstream.
// False says that its route became one that the lean path cannot serve, and nothing was done
// but the judging.
func (c *conn) pass(began time.Time) bool {
	d, deps := &c.decision, &c.front.deps
	c.last, c.status = c.head.close || c.front.draining.Load(), 0
	*d = deps.Judge.Judge(&c.in)
	switch {
	case d.Refused:
		a := answer.For(*d, &c.in, deps.Answer)
		c.last = c.last || d.Reason.Kind() == gateway.Bad
		c.say(&a, began)
	case !c.fits(d.Route):
		return false // a new file came between
	default:
		if c.lane = deps.Via.Lane(d.Route); !c.lane.Is() {
			return false
		}
		if a := c.enter(began); a != nil {
			c.say(a, began)
		}
	}
	c.front.stats.lean.Add(1)
	if deps.Done != nil {
		deps.Done(d, &c.in, c.status, time.Since(began))
	}
	return true
}

// ask makes the request as the judge sees it. Its texts are the buffer's own bytes, but
// for those that hardly change on a connection, and the id. False says that what a proxy in
// front tells of it can be read in two ways.
func (c *conn) ask() bool {
	h := &c.head
	if string(h.host) != c.host {
		c.host = string(h.host)
	}
	if string(h.agent) != c.agent {
		c.agent = string(h.agent)
	}
	c.in = gateway.Request{
		Method: text(h.method), Host: c.host, Path: text(h.path), Query: text(h.query),
		Authorization: text(h.auth), Doubled: h.doubled, Cookie: text(h.cookie), UserAgent: c.agent, Accept: text(h.accept),
		FetchMode: text(h.mode), FetchDest: text(h.dest), RequestedWith: text(h.with),
		Remote: c.remote, ID: proxy.NewID(), TLS: c.secure, Now: c.front.deps.Now(), Memory: &c.memory,
	}
	trusted := c.front.table.Load().Trusted
	return len(trusted) == 0 ||
		proxy.Believe(&c.in, trusted, h.all("x-forwarded-for"), h.all("x-forwarded-proto"), h.all("x-forwarded-host"))
}

// say sends an answer of our own.
func (c *conn) say(a *answer.Answer, now time.Time) {
	c.status = a.Status
	c.out = c.reply(c.out[:0], a)
	if c.write(c.out, now) != nil {
		c.last = true
	}
}

// reply writes an answer of our own.
func (c *conn) reply(b []byte, a *answer.Answer) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(a.Status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(a.Status)...)
	b = append(b, crlf...)
	for _, h := range a.Header {
		b = appendField(b, h[0], h[1])
	}
	headOnly := string(c.head.method) == http.MethodHead
	if a.Body != nil || !headOnly { // what is not there for HEAD has a length that is not known
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(a.Body)), 10)
		b = append(b, crlf...)
	}
	b = c.front.appendDate(b)
	if c.last {
		b = append(b, "Connection: close\r\n"...)
	}
	b = append(b, crlf...)
	if headOnly {
		return b
	}
	return append(b, a.Body...)
}

const crlf = "\r\n"

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	at := len(b)
	b = append(b, value...)
	if strings.IndexByte(value, '\r') >= 0 || strings.IndexByte(value, '\n') >= 0 || strings.IndexByte(value, 0) >= 0 {
		for i := at; i < len(b); i++ {
			if b[i] == '\r' || b[i] == '\n' || b[i] == 0 {
				b[i] = ' '
			}
		}
	}
	return append(b, crlf...)
}

// enter forwards the request if the route's upstream has room for one more.
func (c *conn) enter(began time.Time) *answer.Answer {
	if !c.lane.Enter(c.decision.Route.Limits.Parallel) {
		return c.failed(http.StatusServiceUnavailable, proxy.ErrParallel)
	}
	defer c.lane.Leave()
	return c.forward(began)
}

// forward sends the request to its upstream and the answer back. A reply is what to say
// instead, when nothing was sent back yet.
func (c *conn) forward(began time.Time) *answer.Answer {
	c.tried = c.tried[:0]
	var to *proxy.Server
	for stale := false; ; {
		s := c.lane.Pick(c.tried, began)
		if s == nil {
			return c.failed(http.StatusServiceUnavailable, proxy.ErrDown)
		}
		if s != to {
			to = s
			c.out = c.request(c.out[:0], s.Origin())
		}
		u, err := c.send(s.Host(), began)
		if err == nil {
			s.Lives()
			c.lane.Answered(c.answer.status, time.Since(began))
			return c.back(u, began)
		}
		idle := u != nil && u.reused
		if timeout(err) && u != nil {
			return c.failed(http.StatusGatewayTimeout, err)
		}
		// A connection that had been idle is no try of the route's, and no failure of the server.
		if idle && !stale && c.head.length == 0 && errors.Is(err, errStale) && safe(text(c.head.method)) {
			stale = true
			continue
		}
		s.Fails(time.Now())
		if !c.again(err, u != nil) {
			return c.failed(statusOf(err), err)
		}
		c.tried = append(c.tried, s)
		c.lane.Retried()
	}
}

// statusOf is what a failed connection is answered by.
func statusOf(err error) int {
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

// send sends c.out and reads the answer's head. Without a connection there is an error;
// one that failed is closed.
func (c *conn) send(host string, began time.Time) (*upstream, error) {
	p := c.front.deps.Lines.plain(host)
	u := p.get(began)
	if u == nil {
		fresh, err := p.dial()
		if err != nil {
			return nil, err
		}
		u = fresh
	}
	err := u.exchange(c.out, &c.answer, c.patience(), began, c.early)
	if err != nil {
		_ = u.net.Close()
	}
	return u, err
}

// again says whether a request may be sent once more: one that has no body and does the
// same when it is asked for twice (RFC 9110 section 9.2.2), and failed before a byte of an
// answer.
func (c *conn) again(err error, connected bool) bool {
	if connected && !errors.Is(err, errStale) || c.head.length > 0 || len(c.tried) >= c.decision.Route.Limits.Retries {
		return false
	}
	switch string(c.head.method) {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

func (c *conn) failed(status int, err error) *answer.Answer {
	a := c.front.deps.Via.Fail(&c.decision, &c.in, status, err)
	return &a
}

// request writes what the upstream gets: the caller's head without what is of this hop
// and without what outsiders may not say, then the facts, then the body. origin is whose
// it is.
func (c *conn) request(b []byte, origin string) []byte {
	h, deps := &c.head, &c.front.deps
	from, own := 0, "" // what was not written yet; the site's cookies, where some are ours
	if h.cookie != nil {
		own = assert.Cookies(c.in.Cookie)
	}
	for i := range h.fields {
		f := &h.fields[i]
		name := h.raw[f.name:f.colon]
		switch {
		case f.kind == ofHop, assert.Strip(name), same(name, "proxy"):
		case f.kind == ofAuth && c.decision.Route.DropAuthorization:
		case f.kind == ofCookie && own != c.in.Cookie:
		case f.kind == ofHost && c.in.Host != string(h.host):
		default:
			continue
		}
		b = append(b, h.raw[from:f.name]...)
		switch {
		case f.kind == ofCookie && own != "":
			b = appendField(b, "Cookie", own)
		case f.kind == ofHost:
			b = appendField(b, "Host", c.in.Host)
		}
		from = f.end
	}
	b = append(b, h.raw[from:len(h.raw)-2]...)
	b = deps.Assert.Lines(b, &c.decision, &c.in, origin)
	b = append(b, crlf...)
	at := c.r + len(h.raw)
	return append(b, c.buf[at:at+int(h.length)]...)
}

// patience is how long the upstream may take for an answer's head.
func (c *conn) patience() time.Duration {
	if limit := c.decision.Route.Limits.Timeout; limit > 0 {
		return limit
	}
	return 30 * time.Second
}
