package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"partnerguard/internal/notify/mailer"
	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Limits of a request that goes out.
const (
	dialWithin = 10 * time.Second
	sendWithin = 20 * time.Second // all of it; the receiver is to take a message, not to work on it
	maxAnswer  = 4 << 10          // bytes of an answer's body; nothing is read of it but its end
	maxHead    = 16 << 10
	maxAfter   = 24 * time.Hour
)

// poster posts JSON over HTTPS: to no private address unless it may, following no
// redirect, through the proxy of the environment where there is one.
type poster struct {
	address func(context.Context) (secret.Text, error)
	private bool
	direct  http.RoundTripper // guards where it goes
	proxied http.RoundTripper // goes to the proxy, which resolves names itself
	proxy   func(*http.Request) (*url.URL, error)
}

func newPoster(address func(context.Context) (secret.Text, error), roots *x509.CertPool, private bool,
	proxy func(*http.Request) (*url.URL, error)) *poster {
	p := &poster{address: address, private: private, proxy: proxy}
	make := func(control func(string, string, syscall.RawConn) error, through func(*http.Request) (*url.URL, error)) http.RoundTripper {
		d := &net.Dialer{Timeout: dialWithin, Control: control}
		return observe.Outgoing(&http.Transport{DialContext: d.DialContext, Proxy: through, ForceAttemptHTTP2: true,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: dialWithin, ResponseHeaderTimeout: sendWithin, MaxResponseHeaderBytes: maxHead, MaxIdleConns: 4,
			IdleConnTimeout: 30 * time.Second})
	}
	p.direct, p.proxied = make(p.guard, nil), make(nil, proxy)
	return p
}

// errInside says that an address is not one of the internet.
var errInside = errors.New("inside")

// guard is asked with the address that a name led to, so that no name leads inside.
func (p *poster) guard(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !p.private && !public(a.Addr()) {
		return errInside
	}
	return nil
}

// inside are the ranges that are nobody's on the internet, besides those that netip
// knows (IANA special-purpose registries).
var inside = func() (list []netip.Prefix) {
	for _, s := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"240.0.0.0/4", "::/96", "64:ff9b:1::/48", "fec0::/10", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// public says that an address is one of the internet.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if nat64.Contains(a) { // an IPv4 address within
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range inside {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// post sends a body once. The header is added to its own.
func (p *poster) post(ctx context.Context, body []byte, header http.Header) (Answer, error) {
	text, err := p.address(ctx)
	if err != nil {
		return Answer{}, err
	}
	u, err := parseAddress(text.Reveal(), p.private)
	if err != nil {
		return Answer{}, err
	}
	ctx, stop := context.WithTimeout(ctx, sendWithin)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return Answer{}, problem.New(problem.Usage, "the address of %s cannot be used", u.Hostname())
	}
	for name, v := range header {
		req.Header[name] = v
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Partnerguard")
	through, err := p.through(req)
	if err != nil {
		return Answer{}, err
	}
	res, err := through.RoundTrip(req) // which follows no redirect
	if err != nil {
		return Answer{}, p.words(ctx, u.Hostname(), err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	return judged(u.Hostname(), res)
}

// through is the way to an address. A proxy resolves names itself: what is inside by
// its own name is refused before.
func (p *poster) through(req *http.Request) (http.RoundTripper, error) {
	via, err := p.proxy(req)
	if err != nil {
		return nil, fail("", "look at HTTPS_PROXY and NO_PROXY", "the proxy of the environment cannot be used")
	}
	if via == nil {
		return p.direct, nil
	}
	host := req.URL.Hostname()
	a, err := netip.ParseAddr(host)
	if !p.private && (mailer.Loopback(host) || err == nil && !public(a)) {
		return nil, p.words(req.Context(), host, errInside)
	}
	return p.proxied, nil
}

// judged is what an answer's number means.
func judged(host string, res *http.Response) (Answer, error) {
	status := strconv.Itoa(res.StatusCode)
	var f *Failure
	switch n := res.StatusCode; {
	case n >= 200 && n < 300:
		return Answer{Status: status}, nil
	case n >= 300 && n < 400:
		f = fail(status, "give the address that it answers at: no redirect is followed", "%s sends on to another address (%s)", host, status)
	case n == 401 || n == 403:
		f = fail(status, "the address or its secret is not the right one any more: make a new one at the receiver", "%s lets nobody in (%s)", host, status)
	case n == 404:
		f = fail(status, "the address is not the right one any more: make a new one at the receiver", "%s has no such address (%s)", host, status)
	case n == 410:
		f = fail(status, "the receiver wants no more: take the channel out of the settings, or make a new address", "%s is gone (%s)", host, status)
	case n == 429:
		f = fail(status, "it is tried again later; several channels of one receiver share its limit", "%s takes no more for now (%s)", host, status)
	case n >= 500:
		f = fail(status, "it is tried again later", "%s has a trouble of its own (%s)", host, status)
	default:
		f = fail(status, "the receiver wants another form: is it of this kind of channel?", "%s did not take the message (%s)", host, status)
	}
	f.Last = res.StatusCode == 400 || res.StatusCode == 410 || res.StatusCode == 413 || res.StatusCode == 422
	f.After = after(res.Header.Get("Retry-After"))
	return Answer{}, f
}

// after reads Retry-After, in seconds or as a date, within a day.
func after(s string) time.Duration {
	d := time.Duration(0)
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n <= int(maxAfter/time.Second) {
		d = time.Duration(n) * time.Second
	} else if t, err := http.ParseTime(s); err == nil {
		d = time.Until(t)
	}
	return min(max(d, 0), maxAfter)
}

// words says what failed without the address, which may be a secret.
func (p *poster) words(ctx context.Context, host string, err error) error {
	var cert *tls.CertificateVerificationError
	var name *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, errInside):
		return fail("", "private: true at the channel allows it", "%s is on this machine or a private network, and nothing goes there", host)
	case errors.As(err, &cert):
		return fail("", "roots names a PEM file of the authorities it comes from", "%s has a certificate that does not verify", host)
	case errors.As(err, &name):
		return fail("", "is the name right, and does this machine resolve names?", "%s is not found", host)
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return fail("", "a receiver is to take a message at once and work on it later", "%s did not answer within %s", host, sendWithin)
	case strings.Contains(err.Error(), "malformed HTTP"), strings.Contains(err.Error(), "first record does not look like a TLS handshake"):
		return fail("", "is it the right port?", "%s does not answer as a web server", host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail("", "does it run, and is the port open to this machine?", "%s takes no connection", host)
	}
	return fail("", "is it reached from this machine, and does a proxy stand between?", "%s cut the connection", host)
}

// host is where a secret address leads, for lists; "?" where it cannot be read.
func (p *poster) host(ctx context.Context) string {
	text, err := p.address(ctx)
	if err != nil {
		return "?"
	}
	u, err := parseAddress(text.Reveal(), p.private)
	if err != nil {
		return "?"
	}
	return fmt.Sprintf("%s://%s", u.Scheme, u.Host)
}
