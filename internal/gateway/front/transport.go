package front

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Transport gives what package proxy may send requests with: those of HTTP/1.1 without
// TLS, without a body or with a short one of a told length, and without an upgrade go over
// the lean path's own connections, by one goroutine each and with answers held to the same
// strict reading; all others go to rest. How long all may take is the request's context.
func (l *Lines) Transport(rest http.RoundTripper) http.RoundTripper {
	return &transport{lines: l, rest: rest}
}

type transport struct {
	lines *Lines
	rest  http.RoundTripper
}

// mostBody is how much of a body is read before any of it is sent.
const mostBody = 64 << 10

// exchange is one request and its answer on a connection. It is used again.
type exchange struct {
	out    []byte
	answer head
	u      *upstream
	stop   func() bool // of the watch on the request's context
}

var exchanges = sync.Pool{New: func() any { return &exchange{out: make([]byte, 0, 4<<10)} }}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "http" || r.ContentLength < 0 || r.ContentLength > mostBody ||
		r.Header.Get("Upgrade") != "" || r.Header.Get("Expect") != "" || len(r.Trailer) > 0 || r.Close {
		return t.rest.RoundTrip(r)
	}
	x := exchanges.Get().(*exchange)
	if err := x.request(r); err != nil {
		return nil, err
	}
	p := t.lines.plain(r.URL.Host)
	for tries := 0; ; tries++ {
		res, err := t.once(x, r, p)
		if err == nil {
			return res, nil
		}
		_ = x.u.shut()
		again := errors.Is(err, errStale) && tries == 0 && x.u != nil && x.u.reused && r.ContentLength == 0 && safe(r.Method)
		if ctx := r.Context().Err(); ctx != nil {
			err, again = ctx, false
		}
		if !again {
			exchanges.Put(x)
			return nil, err
		}
	}
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// request writes the request with its body.
func (x *exchange) request(r *http.Request) error {
	b := append(x.out[:0], r.Method...)
	b = append(b, ' ')
	b = append(b, r.URL.RequestURI()...)
	b = append(b, " HTTP/1.1\r\n"...)
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	b = appendField(b, "Host", host)
	for name, values := range r.Header {
		if name == "Host" || name == "Content-Length" || name == "Transfer-Encoding" || name == "Trailer" || name == "Connection" {
			continue
		}
		if name == "User-Agent" { // one, and none where it is "", as net/http has it
			if values = values[:1]; values[0] == "" {
				continue
			}
		}
		for _, v := range values {
			b = appendField(b, name, v)
		}
	}
	if r.ContentLength > 0 || r.Body != nil && r.Body != http.NoBody || r.Header["Content-Length"] != nil {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, r.ContentLength, 10)
		b = append(b, crlf...)
	}
	b = append(b, crlf...)
	if r.Body != nil {
		n := len(b)
		b = append(b, make([]byte, r.ContentLength)...)
		_, err := io.ReadFull(r.Body, b[n:])
		_ = r.Body.Close()
		if err != nil {
			return err
		}
	}
	x.out = b
	return nil
}

// once asks once.
func (t *transport) once(x *exchange, r *http.Request, p *pool) (*http.Response, error) {
	now, err := time.Now(), error(nil)
	if x.u = p.get(now); x.u == nil {
		if x.u, err = p.dial(); err != nil {
			return nil, err
		}
	}
	u := x.u
	x.stop = context.AfterFunc(r.Context(), func() { _ = u.net.Close() })
	trace := httptrace.ContextClientTrace(r.Context())
	err = u.exchange(x.out, &x.answer, 0, now, func(h *head) error {
		if trace == nil || trace.Got1xxResponse == nil {
			return nil
		}
		return trace.Got1xxResponse(h.status, textproto.MIMEHeader(h.header()))
	})
	if trace != nil && trace.GotFirstResponseByte != nil && !errors.Is(err, errStale) {
		trace.GotFirstResponseByte()
	}
	if err != nil {
		x.stop()
		return nil, err
	}
	return x.response(r), nil
}

// header makes the map of an answer's headers; those of its hop stay in it, for
// [httputil.ReverseProxy] to take away.
func (h *head) header() http.Header {
	out := make(http.Header, len(h.fields))
	all := make([]string, len(h.fields))
	for i := range h.fields {
		f := &h.fields[i]
		name := textproto.CanonicalMIMEHeaderKey(string(h.raw[f.name:f.colon]))
		all[i] = string(h.raw[f.value:f.stop])
		if old, ok := out[name]; ok {
			out[name] = append(old, all[i])
		} else {
			out[name] = all[i : i+1 : i+1]
		}
	}
	return out
}

// response makes the answer. Its body gives the connection back.
func (x *exchange) response(r *http.Request) *http.Response {
	h := &x.answer
	res := &http.Response{
		Status: string(h.raw[9 : h.start-2]), StatusCode: h.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h.header(), ContentLength: -1, Request: r, Body: http.NoBody,
	}
	if h.old {
		res.Proto, res.ProtoMinor = "HTTP/1.0", 0
	}
	if h.told {
		res.ContentLength = h.length
	}
	if h.chunked {
		res.TransferEncoding = []string{"chunked"}
		delete(res.Header, "Transfer-Encoding")
		announced(res)
	}
	if h.named == nil { // else it names what is of this hop, and whoever passes it on has to know
		delete(res.Header, "Connection")
	}
	b := &body{x: x, left: h.length, keep: !h.close && !h.old, how: byClose}
	switch {
	case without([]byte(r.Method), h.status):
		b.how = nothing
	case h.chunked:
		b.how, b.res = byChunks, res
	case h.told:
		b.how = byLength
	}
	if b.how == nothing && r.Method != http.MethodHead {
		res.ContentLength = 0
	}
	if b.how == nothing || b.how == byLength && h.length == 0 {
		b.end(true)
		return res
	}
	res.Body = b
	return res
}

// announced moves the names of trailers to where their values will stand.
func announced(res *http.Response) {
	for _, v := range res.Header["Trailer"] {
		for one := range strings.SplitSeq(v, ",") {
			if name := textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(one)); name != "" {
				if res.Trailer == nil {
					res.Trailer = http.Header{}
				}
				res.Trailer[name] = nil
			}
		}
	}
	delete(res.Header, "Trailer")
}

// body is an answer's, as it comes.
type body struct {
	x     *exchange
	res   *http.Response // of chunks: where trailers go
	how   ending
	left  int64
	chunk chunks
	tail  []byte
	keep  bool
	err   error // how it ended
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	for {
		if b.err != nil {
			return 0, b.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		u := b.x.u
		if u.r < u.w {
			n, err := b.take(p, u)
			if err != nil {
				b.finish(err)
			}
			if n > 0 {
				return n, nil
			}
			continue
		}
		if len(u.buf) < streamBuf {
			u.buf, u.r, u.w = make([]byte, streamBuf), 0, 0
		}
		_, err := u.fill()
		switch {
		case err == io.EOF && b.how == byClose:
			b.finish(io.EOF)
		case err == io.EOF:
			b.finish(io.ErrUnexpectedEOF)
		case err != nil:
			b.finish(err)
		}
	}
}

// Ready implements [proxy.Ready].
func (b *body) Ready() bool { return b.err != nil || b.x.u.r < b.x.u.w }

// take moves what is there of the body to p; io.EOF says that it was the last of it.
func (b *body) take(p []byte, u *upstream) (n int, err error) {
	switch b.how {
	case byClose:
		n = copy(p, u.buf[u.r:u.w])
		u.r += n
		return n, nil
	case byLength:
		n = copy(p[:min(int64(len(p)), b.left)], u.buf[u.r:u.w])
		u.r += n
		if b.left -= int64(n); b.left == 0 {
			return n, io.EOF
		}
		return n, nil
	}
	for u.r < u.w && n < len(p) {
		took, data, trailer, err := b.chunk.next(u.buf[u.r:min(u.w, u.r+len(p)-n)])
		if err != nil {
			return n, err
		}
		switch {
		case data:
			n += copy(p[n:], u.buf[u.r:u.r+took])
		case trailer:
			b.tail = append(b.tail, u.buf[u.r:u.r+took]...)
		}
		if u.r += took; b.chunk.state == chunksDone {
			b.trailers()
			return n, io.EOF
		}
	}
	return n, nil
}

// finish notes how the body ended, and gives the connection back where it ended well.
func (b *body) finish(err error) {
	b.err = err
	b.end(err == io.EOF && b.how != byClose)
}

func (b *body) end(well bool) {
	x := b.x
	if x == nil {
		return
	}
	b.x = nil
	undisturbed := x.stop()
	if well && undisturbed && b.keep && x.u.r == x.u.w {
		x.u.pool.put(x.u, time.Now())
	} else {
		_ = x.u.shut()
	}
	x.u, x.stop = nil, nil
	exchanges.Put(x)
}

// Close implements io.Closer. What was not read is not read on.
func (b *body) Close() error {
	if b.err == nil {
		b.err = http.ErrBodyReadAfterClose
		b.end(false)
	}
	return nil
}

// trailers reads what stood behind the last chunk.
func (b *body) trailers() {
	for line := range bytes.Lines(b.tail) {
		k, v, ok := bytes.Cut(bytes.TrimRight(line, crlf), []byte{':'})
		if !ok || !name(k) || b.res == nil {
			continue
		}
		if b.res.Trailer == nil {
			b.res.Trailer = http.Header{}
		}
		b.res.Trailer.Add(string(k), string(bytes.TrimSpace(v)))
	}
}
