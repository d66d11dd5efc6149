package proxy

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/assert"
)

// exchange is one request on its way, and its answer.
type exchange struct {
	proxy    *Proxy
	table    *gateway.Table
	writer   http.ResponseWriter
	request  gateway.Request
	query    bool // there is a question mark
	decision gateway.Decision
	way      way
	watch    *watch
	body     *body // nil: there is none
	sent     time.Time
	client   context.Context // ends when the client is gone
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// serve passes the request on within the route's limits.
func (x *exchange) serve(w http.ResponseWriter, hr *http.Request) {
	limits := &x.decision.Route.Limits
	if limits.Header > 0 && headSize(hr) > limits.Header {
		ends(w, hr)
		x.fail(w, http.StatusRequestHeaderFieldsTooLarge, ErrHeadLong)
		return
	}
	if limits.Body > 0 && hr.ContentLength > limits.Body {
		ends(w, hr)
		x.fail(w, http.StatusRequestEntityTooLarge, errBodyLong)
		return
	}
	if n := x.way.count.Add(1); limits.Parallel > 0 && n > int64(limits.Parallel) {
		x.way.count.Add(-1)
		x.fail(w, http.StatusServiceUnavailable, errParallel)
		return
	}
	defer x.way.count.Add(-1)
	x.client = hr.Context()
	ctx, cancel := context.WithCancelCause(context.WithValue(hr.Context(), exchangeKey{}, x))
	x.watch = newWatch(x, cancel, http.NewResponseController(x.writer))
	defer x.watch.end()
	if hr.ContentLength != 0 && hr.Body != nil && hr.Body != http.NoBody {
		x.body = &body{from: hr.Body, watch: x.watch, most: limits.Body}
		hr.Body = x.body
	}
	x.watch.touch()
	x.sent = time.Now()
	x.proxy.stats.open.Inc()
	defer x.proxy.stats.open.Dec()
	x.proxy.pass.ServeHTTP(w, hr.WithContext(ctx))
}

func headSize(hr *http.Request) int {
	n := len(hr.Method) + len(hr.RequestURI) + len("  HTTP/1.1\r\nHost: \r\n\r\n") + len(hr.Host)
	for name, values := range hr.Header {
		for _, v := range values {
			n += len(name) + len(v) + 4
		}
	}
	return n
}

// rewrite makes what the upstream gets: the target byte for byte, the headers without
// what is of this hop, of the gateway or not an outsider's to say.
func rewrite(pr *httputil.ProxyRequest) {
	x, out := exchangeOf(pr.In.Context()), pr.Out
	out.URL.Opaque, out.URL.RawQuery, out.URL.ForceQuery = x.request.Path, x.request.Query, x.query
	out.URL.Scheme, out.URL.Host, out.Host = "http", x.request.Host, x.request.Host
	out.Trailer = nil // what comes behind a body cannot be told from what we add before it
	h := out.Header
	for name := range h {
		if assert.Strip([]byte(name)) {
			delete(h, name)
		}
	}
	delete(h, "Host")
	delete(h, "Proxy") // some servers make a variable HTTP_PROXY of it
	if _, ok := h["Cookie"]; ok {
		if left := assert.Cookies(x.request.Cookie); left == "" {
			delete(h, "Cookie")
		} else {
			h["Cookie"] = []string{left}
		}
	}
	if x.decision.Route.DropAuthorization {
		delete(h, "Authorization")
	}
	if up := h["Upgrade"]; len(up) > 0 && (len(up) > 1 || !strings.EqualFold(up[0], "websocket")) {
		delete(h, "Upgrade") // another protocol would be a way past the judge
		delete(h, "Connection")
	}
	if out.Body != nil && bodiless(out.Method) {
		out.Close = true // an upstream that reads no body here must not take it for a request
	}
	for _, v := range h["Authorization"] {
		out.Close = out.Close || OfConnection(v)
	}
}

// OfConnection says whether the proof in an Authorization may be of its connection and not
// of its request alone, as those of NTLM and Negotiate are (RFC 4559): who comes next on that
// connection would be taken for the same person. Only schemes that are known to be of a
// request are none of these.
func OfConnection(authorization string) bool {
	scheme, _, _ := strings.Cut(authorization, " ")
	for _, known := range [...]string{"Bearer", "", "Basic", "Digest", "DPoP"} {
		if strings.EqualFold(scheme, known) {
			return false
		}
	}
	return true
}

func bodiless(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodDelete:
		return true
	}
	return false
}

// answered is between the upstream's head and the client.
func (p *Proxy) answered(res *http.Response) error {
	x := exchangeOf(res.Request.Context())
	x.watch.answered()
	p.stats.answered(x.decision.Route.Name, res.StatusCode, time.Since(x.sent))
	h := res.Header
	for name := range h {
		if low := strings.ToLower(name); strings.HasPrefix(low, "partnerguard-") || strings.HasPrefix(low, "x-partnerguard-") {
			delete(h, name)
		}
	}
	if set, ok := h["Set-Cookie"]; ok {
		h["Set-Cookie"] = foreign(set)
	}
	for _, kv := range answer.Announce(x.decision) {
		h[http.CanonicalHeaderKey(kv[0])] = []string{kv[1]}
	}
	if p.deps.Renew != nil {
		if line := p.deps.Renew(&x.decision, &x.request); line != "" {
			h.Add("Set-Cookie", line)
		}
	}
	res.Body = watchBody(res.Body, x.watch)
	return nil
}

// foreign leaves the gateway's own cookies out.
func foreign(set []string) (out []string) {
	for _, c := range set {
		if !assert.SetsOwn(c) {
			out = append(out, c)
		}
	}
	return out
}

// responseWriter gives w the ways that an upgrade needs.
func (x *exchange) responseWriter(hr *http.Request) http.ResponseWriter {
	if hr.ProtoMajor != 1 || hr.Header["Upgrade"] == nil {
		return x.writer
	}
	return &upgrader{ResponseWriter: x.writer}
}

// upgrader tells the connection when its request was upgraded; when it was not, the
// connection ends with the answer, since what came behind the request was held.
type upgrader struct {
	http.ResponseWriter
	begun bool
}

// Unwrap is for [http.ResponseController].
func (u *upgrader) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// WriteHeader ends the connection after any answer but an interim one.
func (u *upgrader) WriteHeader(status int) {
	if status >= http.StatusOK {
		u.Header().Set("Connection", "close")
		u.begun = true
	}
	u.ResponseWriter.WriteHeader(status)
}

// Write begins the answer where nobody has.
func (u *upgrader) Write(b []byte) (int, error) {
	if !u.begun {
		u.WriteHeader(http.StatusOK)
	}
	return u.ResponseWriter.Write(b)
}

// Hijack is [http.Hijacker].
func (u *upgrader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err == nil {
		_ = c.SetDeadline(time.Time{})
		if g, ok := c.(interface{ upgraded() }); ok {
			g.upgraded()
		}
	}
	return c, rw, err
}
