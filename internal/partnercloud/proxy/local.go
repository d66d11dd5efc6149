package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
)

// loopback gives the address to dial for a host on this machine, or "" when it
// is not literally one: names are not looked up, they could mean anything.
func loopback(hostport string) string {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), "80"
	}
	if strings.EqualFold(host, "localhost") {
		return net.JoinHostPort("127.0.0.1", port)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return net.JoinHostPort(ip.String(), port)
	}
	return ""
}

// plain forwards a plain HTTP request to this machine itself, and refuses it
// to any other.
func (p *Proxy) plain(w http.ResponseWriter, r *http.Request) {
	if _, known := p.known(r.URL.Host); known {
		say(w, http.StatusForbidden, "refused: "+printable(Canonical(r.URL.Host))+" is part of the partner cloud over https only")
		return
	}
	target := loopback(r.URL.Host)
	if r.URL.Scheme != "http" || target == "" {
		p.refuse(w, r.URL.Host, "http")
		return
	}
	out := r.Clone(r.Context())
	out.RequestURI = ""
	for _, name := range hopByHop(r.Header) {
		out.Header.Del(name)
	}
	tr := &http.Transport{
		Proxy: nil, DisableKeepAlives: true, DisableCompression: true, ResponseHeaderTimeout: idleTimeout,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, target)
		},
	}
	res, err := tr.RoundTrip(out)
	if err != nil {
		say(w, http.StatusBadGateway, "nothing answers at "+printable(r.URL.Host)+" on this machine")
		return
	}
	defer res.Body.Close()
	for _, name := range hopByHop(res.Header) {
		res.Header.Del(name)
	}
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body)
}

// hopByHop are the headers that end at a proxy (RFC 9110, 7.6.1).
func hopByHop(h http.Header) []string {
	names := []string{"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding",
		"Upgrade"}
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// tunnel copies both ways until both are done or Close.
func (p *Proxy) tunnel(down, up net.Conn) {
	p.mu.Lock()
	p.tunnels[down], p.tunnels[up] = struct{}{}, struct{}{}
	p.mu.Unlock()
	select {
	case <-p.done: // Close came before they were in the table
		_, _ = down.Close(), up.Close()
	default:
	}
	half := func(dst, src net.Conn, end chan<- struct{}) {
		_, _ = io.Copy(dst, src)
		if c, ok := dst.(interface{ CloseWrite() error }); ok {
			_ = c.CloseWrite()
		} else {
			_ = dst.Close()
		}
		end <- struct{}{}
	}
	end := make(chan struct{}, 2)
	go half(up, down, end)
	go half(down, up, end)
	<-end
	<-end
	_, _ = down.Close(), up.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tunnels, down)
	delete(p.tunnels, up)
}

// local is a listener that takes clients of this machine only.
type local struct {
	net.Listener
	p *Proxy
}

func (l *local) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.p.d.AllowRemote {
			return c, err
		}
		if a, ok := c.RemoteAddr().(*net.TCPAddr); ok && a.IP.IsLoopback() {
			return c, nil
		}
		l.p.d.Log.Warn("refused a client of another machine", "remote", c.RemoteAddr().String())
		_ = c.Close()
	}
}

// feed is a listener whose connections are the tunnels of the proxy.
type feed struct {
	conns chan net.Conn
	done  chan struct{}
}

func (f *feed) put(c net.Conn) {
	select {
	case f.conns <- c:
	case <-f.done:
		_ = c.Close()
	}
}

func (f *feed) Accept() (net.Conn, error) {
	select {
	case c := <-f.conns:
		return c, nil
	case <-f.done:
		return nil, net.ErrClosed
	}
}

func (f *feed) Close() error   { return nil } // Proxy.Close ends it
func (f *feed) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
