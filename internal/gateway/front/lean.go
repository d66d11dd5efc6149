package front

import (
	"errors"
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

// pass judges the request in head, and answers it: itself, or by its upstream. False
// says that its route became one that the lean path cannot serve, and nothing was done
// but the judging.
func (c *conn) pass(began time.Time) bool {
	d, deps := &c.decision, &c.front.deps
	c.last, c.status = c.head.close || c.front.draining.Load(), 0
	c.ask()
	*d = deps.Judge.Judge(&c.in)
	switch {
	case d.Refused:
		a := answer.For(*d, &c.in, deps.Answer)
		c.last = c.last || d.Reason.Kind() == gateway.Bad
		c.say(&a, began)
	case !c.fits(d.Route):
		return false // a new file came between
	default:
		if a := c.forward(began); a != nil {
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
// for those that hardly change on a connection, and the id.
func (c *conn) ask() {
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

// forward sends the request to its upstream and the answer back. A reply is what to say
// instead, when nothing was sent back yet.
func (c *conn) forward(began time.Time) *answer.Answer {
	p := c.front.deps.Lines.at(c.decision.Route.Upstream)
	c.out = c.request(c.out[:0])
	for tries := 0; ; tries++ {
		u := p.get(began)
		if u == nil {
			fresh, err := p.dial()
			if err != nil {
				if c.again(tries, nil) {
					continue
				}
				return c.failed(http.StatusBadGateway, err)
			}
			u = fresh
		}
		err := u.exchange(c.out, &c.answer, c.patience(), began, c.early)
		if err == nil {
			return c.back(u, began)
		}
		_ = u.net.Close()
		switch {
		case timeout(err):
			return c.failed(http.StatusGatewayTimeout, err)
		case errors.Is(err, errStale) && c.again(tries, u):
			continue
		}
		return c.failed(http.StatusBadGateway, err)
	}
}

// again says whether a request may be sent once more: one that has no body and changes
// nothing by being asked for twice (RFC 9110 section 9.2.2), and failed before a byte of
// an answer. A connection that had been idle is no try of the route's.
func (c *conn) again(tries int, u *upstream) bool {
	most := 0
	switch string(c.head.method) {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		most = c.decision.Route.Limits.Retries
		if u != nil && u.reused {
			most = max(most, 1)
		}
	case http.MethodPut, http.MethodDelete:
		most = c.decision.Route.Limits.Retries
	}
	return c.head.length == 0 && tries < most
}

func (c *conn) failed(status int, err error) *answer.Answer {
	a := c.front.deps.Failed(&c.decision, &c.in, status, err)
	return &a
}

// request writes what the upstream gets: the caller's head without what is of this hop
// and without what outsiders may not say, then the facts, then the body.
func (c *conn) request(b []byte) []byte {
	h, deps := &c.head, &c.front.deps
	from := 0 // what was not written yet
	for i := range h.fields {
		f := &h.fields[i]
		if name := h.raw[f.name:f.colon]; f.kind != ofHop && !assert.Strip(name) && !same(name, "proxy") {
			continue
		}
		b = append(b, h.raw[from:f.name]...)
		from = f.end
	}
	b = append(b, h.raw[from:len(h.raw)-2]...)
	b = deps.Assert.Lines(b, &c.decision, &c.in, c.decision.Route.Upstream)
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
