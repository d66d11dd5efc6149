package partnercloud

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"

	"partnerguard/internal/problem"
)

// inside lets one room of the cloud call another without leaving the process,
// and lets it reach servers on this machine; everything else is refused, so that
// no setting of a scenario can make the cloud call out.
type inside struct {
	routes map[string]http.Handler // by host, and host:port of our own listeners
	out    http.RoundTripper
}

// maxInside bounds a reply between rooms.
const maxInside = 64 << 20

func (t *inside) RoundTrip(r *http.Request) (*http.Response, error) {
	host := strings.ToLower(r.URL.Host)
	h := t.routes[host]
	if h == nil {
		h = t.routes[strings.ToLower(r.URL.Hostname())]
	}
	if h == nil {
		if ip := net.ParseIP(r.URL.Hostname()); r.URL.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
			return t.out.RoundTrip(r)
		}
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, problem.New(problem.Limit, "%s is not part of the partner cloud: nothing leaves this machine", r.URL.Hostname())
	}
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.Host = r.URL.Host
	in.RemoteAddr = "127.0.0.1:0"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{}
	}
	w := &reply{header: http.Header{}, code: http.StatusOK}
	if err := serve(h, w, in); err != nil {
		return nil, err
	}
	_ = in.Body.Close()
	return &http.Response{
		Status: http.StatusText(w.code), StatusCode: w.code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// serve turns a cut connection into an error.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				panic(v)
			}
			err = io.ErrUnexpectedEOF
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// reply collects what a handler writes.
type reply struct {
	header http.Header
	code   int
	wrote  bool
	body   bytes.Buffer
}

func (w *reply) Header() http.Header { return w.header }

func (w *reply) WriteHeader(code int) {
	if !w.wrote {
		w.code, w.wrote = code, true
	}
}

func (w *reply) Write(b []byte) (int, error) {
	w.wrote = true
	if w.body.Len()+len(b) > maxInside {
		return 0, problem.New(problem.Limit, "a reply inside the partner cloud is over %d bytes", maxInside)
	}
	return w.body.Write(b)
}
