package proxy

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Certifier gives a certificate for the server name of a hello.
type Certifier interface {
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// Deps is everything a Proxy needs.
type Deps struct {
	CA          Certifier               // required
	Routes      map[string]http.Handler // required: host name, lower case, without port
	Secret      string                  // optional: the password of the proxy's user; empty lets every local client in
	AllowRemote bool                    // answer clients that are not on this machine
	Now         func() time.Time        // of refusals; nil means time.Now
	Log         *slog.Logger            // nil discards
	Keep        int                     // how many refusals are remembered; 0 means 200
}

// User is the name that goes with the secret in the proxy's URL.
const User = "cloud"

// Refusal is a request for a place outside that was not let through.
type Refusal struct {
	Time time.Time `json:"time"`
	Host string    `json:"host"` // as asked for, made printable
	How  string    `json:"how"`  // "CONNECT", "http", "tls", "request"
}

// Proxy serves both ways in. Safe for concurrent use.
type Proxy struct {
	d     Deps
	front *http.Server  // speaks to clients of the proxy
	inner *http.Server  // speaks inside their tunnels, and to direct clients
	fed   *feed         // tunnels on their way to inner
	tls   *tls.Config   // of inner
	want  [32]byte      // hash of the Authorization that is let in
	done  chan struct{} // closed by Close
	once  sync.Once     // closes done
	start sync.Once     // starts inner on fed

	mu       sync.Mutex // guards the fields below
	refusals []Refusal
	tunnels  map[net.Conn]struct{} // to loopback, hijacked: Close must cut them
}

const (
	headerTimeout = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	dialTimeout   = 10 * time.Second
	maxHeader     = 128 << 10 // access tokens with many groups are long
)

// New makes a Proxy that serves nothing yet.
func New(d Deps) (*Proxy, error) {
	if d.CA == nil || len(d.Routes) == 0 {
		return nil, errors.New("proxy: CA and Routes are required")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Keep <= 0 {
		d.Keep = 200
	}
	p := &Proxy{d: d, done: make(chan struct{}), tunnels: map[net.Conn]struct{}{}}
	p.want = sha256.Sum256([]byte(User + ":" + d.Secret))
	p.fed = &feed{conns: make(chan net.Conn), done: p.done}
	p.tls = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.certificate, NextProtos: []string{"h2", "http/1.1"}}
	quiet := slog.NewLogLogger(d.Log.Handler(), slog.LevelDebug) // handshakes that clients give up
	p.front = &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: quiet}
	// HTTP/2 knows no CONNECT of this kind: the proxy itself speaks HTTP/1.1 only.
	p.front.Protocols = new(http.Protocols)
	p.front.Protocols.SetHTTP1(true)
	p.inner = &http.Server{Handler: http.HandlerFunc(p.dispatch), TLSConfig: p.tls, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: quiet}
	return p, nil
}

// URL is what a client puts into HTTPS_PROXY for a proxy that listens on addr.
// It holds the secret.
func (p *Proxy) URL(addr string) string {
	u := url.URL{Scheme: "http", Host: addr}
	if p.d.Secret != "" {
		u.User = url.UserPassword(User, p.d.Secret)
	}
	return u.String()
}

// Serve answers proxy clients on l until Close; then it gives
// [http.ErrServerClosed].
func (p *Proxy) Serve(l net.Listener) error {
	p.start.Do(func() { go func() { _ = p.inner.ServeTLS(p.fed, "", "") }() })
	return p.front.Serve(&local{Listener: l, p: p})
}

// ServeSNI answers clients that connect directly and name the host in their
// TLS hello, until Close.
func (p *Proxy) ServeSNI(l net.Listener) error {
	return p.inner.ServeTLS(&local{Listener: l, p: p}, "", "")
}

// Close ends everything at once: listeners, tunnels, requests. Safe twice.
func (p *Proxy) Close() error {
	p.once.Do(func() { close(p.done) })
	err := errors.Join(p.front.Close(), p.inner.Close())
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.tunnels {
		_ = c.Close()
	}
	return err
}

// Shutdown lets requests that are being served end, until ctx does.
func (p *Proxy) Shutdown(ctx context.Context) error {
	p.once.Do(func() { close(p.done) }) // or inner waits for its feed
	err := errors.Join(p.front.Shutdown(ctx), p.inner.Shutdown(ctx))
	return errors.Join(err, p.Close())
}

// Refusals lists who asked for the world outside, oldest first.
func (p *Proxy) Refusals() []Refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Refusal{}, p.refusals...)
}

func (p *Proxy) refused(host, how string) {
	host = printable(host)
	p.d.Log.Warn("refused", "host", host, "how", how)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.refusals) >= p.d.Keep {
		p.refusals = append(p.refusals[:0], p.refusals[1:]...)
	}
	p.refusals = append(p.refusals, Refusal{p.d.Now().UTC(), host, how})
}

// known gives the handler of a host, with or without port.
func (p *Proxy) known(hostport string) (http.Handler, bool) {
	h, ok := p.d.Routes[Canonical(hostport)]
	return h, ok
}

// Canonical takes port, root dot and capitals off a host.
func Canonical(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// serve speaks to a client of the proxy.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Partner-Cloud", "local; not Microsoft")
	if !p.admitted(r) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="Partner cloud", charset="UTF-8"`)
		say(w, http.StatusProxyAuthRequired, "the proxy of the partner cloud needs the password from its URL")
		return
	}
	r.Header.Del("Proxy-Authorization")
	switch {
	case r.Method == http.MethodConnect:
		p.connect(w, r)
	case r.URL.IsAbs():
		p.plain(w, r)
	default:
		say(w, http.StatusBadRequest, "this is the HTTPS proxy of the partner cloud: put its address into HTTPS_PROXY, or use partnerguard cloud exec")
	}
}

// admitted checks the password in constant time.
func (p *Proxy) admitted(r *http.Request) bool {
	if p.d.Secret == "" {
		return true
	}
	// BasicAuth reads Authorization; this is the same scheme under another name.
	probe := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	user, password, ok := probe.BasicAuth()
	got := sha256.Sum256([]byte(user + ":" + password))
	return subtle.ConstantTimeCompare(got[:], p.want[:]) == 1 && ok
}

func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	_, known := p.known(r.Host)
	target := ""
	if !known {
		if target = loopback(r.Host); target == "" {
			p.refuse(w, r.Host, "CONNECT")
			return
		}
	}
	var up net.Conn
	if !known {
		var err error
		if up, err = (&net.Dialer{Timeout: dialTimeout}).DialContext(r.Context(), "tcp", target); err != nil {
			say(w, http.StatusBadGateway, "nothing answers at "+printable(r.Host)+" on this machine")
			return
		}
	}
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		if up != nil {
			_ = up.Close()
		}
		say(w, http.StatusInternalServerError, "the connection cannot be tunnelled")
		return
	}
	_ = conn.SetDeadline(time.Time{})
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\nX-Partner-Cloud: local; not Microsoft\r\n\r\n")); err != nil {
		_ = conn.Close()
		if up != nil {
			_ = up.Close()
		}
		return
	}
	conn = early(conn, buf.Reader)
	if known {
		p.fed.put(conn)
		return
	}
	p.tunnel(conn, up)
}

func (p *Proxy) refuse(w http.ResponseWriter, host, how string) {
	p.refused(host, how)
	say(w, http.StatusForbidden, "refused: "+printable(Canonical(host))+" is not part of the partner cloud; nothing leaves this machine")
}

// certificate hands out certificates of known hosts only. A client that names
// no host cannot mean one of them.
func (p *Proxy) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if _, ok := p.known(hello.ServerName); !ok {
		p.refused(hello.ServerName, "tls")
		return nil, fmt.Errorf("refused: %q is not part of the partner cloud", printable(hello.ServerName))
	}
	return p.d.CA.GetCertificate(hello)
}

// dispatch finds the service that a request inside TLS is for. The Host header
// decides, as in production; a connection for one known host may carry another.
func (p *Proxy) dispatch(w http.ResponseWriter, r *http.Request) {
	h, ok := p.known(r.Host)
	if !ok {
		w.Header().Set("X-Partner-Cloud", "local; not Microsoft")
		p.refused(r.Host, "request")
		say(w, http.StatusMisdirectedRequest, "refused: "+printable(Canonical(r.Host))+" is not part of the partner cloud; nothing leaves this machine")
		return
	}
	h.ServeHTTP(w, r)
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// printable makes a name from outside safe for logs and terminals.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		if c <= ' ' || c >= 0x7f {
			return '?'
		}
		return c
	}, s)
	if len(s) > 255 {
		s = s[:255] + "..."
	}
	return s
}

// early gives a connection whose first bytes were already read.
func early(c net.Conn, r *bufio.Reader) net.Conn {
	n := r.Buffered()
	if n == 0 {
		return c
	}
	head, _ := r.Peek(n) // they are there
	return &earlyConn{Conn: c, head: append([]byte{}, head...)}
}

type earlyConn struct {
	net.Conn
	head []byte
}

func (c *earlyConn) Read(b []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(b, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}
