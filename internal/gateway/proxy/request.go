package proxy

import (
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"partnerguard/internal/gateway"
)

// believedTLS stands for a connection that another proxy had.
var believedTLS tls.ConnectionState

// NewID makes a request's id: 128 random bits, in hex. They tell requests apart and are no
// secret: the runtime's generator does, and asks the system for nothing.
func NewID() string {
	var b [16]byte
	var text [32]byte
	binary.LittleEndian.PutUint64(b[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	hex.Encode(text[:], b[:])
	return string(text[:])
}

// read makes of a request of net/http what is judged, or says what is not plain in it.
// The request id is there either way.
func (x *exchange) read(hr *http.Request) (*gateway.Request, *HeadError) {
	r := &x.request
	*r = gateway.Request{Method: hr.Method, Host: hr.Host, ID: NewID(), TLS: hr.TLS != nil, Now: x.proxy.deps.Now()}
	if peer, err := netip.ParseAddrPort(hr.RemoteAddr); err == nil {
		r.Remote = peer.Addr().Unmap().WithZone("")
	}
	if hr.Method == refused {
		r.Method = http.MethodGet
		if hr.RequestURI == "/431" {
			return r, ErrHeadLong
		}
		return r, errLine
	}
	target := hr.RequestURI
	if hr.ProtoMajor == 1 {
		target = string(relative([]byte(target)))
	}
	r.Path, r.Query, x.query = strings.Cut(target, "?")
	if err := plainRequest(hr, target); err != nil {
		return r, err
	}
	h := hr.Header
	auth := h["Authorization"]
	if len(auth) > 0 {
		r.Authorization, r.Doubled = auth[0], len(auth) > 1
	}
	r.Cookie = strings.Join(h["Cookie"], "; ")
	r.UserAgent, r.Accept = h.Get("User-Agent"), strings.Join(h["Accept"], ", ")
	r.FetchMode, r.FetchDest, r.RequestedWith = h.Get("Sec-Fetch-Mode"), h.Get("Sec-Fetch-Dest"), h.Get("X-Requested-With")
	if len(x.table.Trusted) > 0 &&
		!Believe(r, x.table.Trusted, join(h, "X-Forwarded-For"), join(h, "X-Forwarded-Proto"), join(h, "X-Forwarded-Host")) {
		return r, errHost
	}
	return r, nil
}

func join(h http.Header, name string) string { return strings.Join(h[name], ", ") }

// plainRequest looks again at what net/http has read: HTTP/2 has no head that [CheckHead]
// could read, and a server may stand without [NewConn].
func plainRequest(hr *http.Request, target string) *HeadError {
	for i := range len(hr.Method) {
		if table[hr.Method[i]]&inMethod == 0 {
			return errMethod
		}
	}
	switch hr.Method {
	case "", http.MethodConnect, http.MethodTrace, "TRACK", "PRI":
		return errMethod
	}
	if len(hr.Method) > maxMethod {
		return errMethod
	}
	if !checkTarget([]byte(target), true) {
		return errTarget
	}
	if hosts := hr.Header["Host"]; !CheckHost([]byte(hr.Host)) || len(hosts) > 1 || len(hosts) == 1 && !strings.EqualFold(hosts[0], hr.Host) {
		return errHost
	}
	if told := hr.Header["Content-Length"]; len(told) > 1 || len(told) == 1 && told[0] != strconv.FormatInt(hr.ContentLength, 10) {
		return errLength // a stream of HTTP/2 may end at once though it tells a length
	}
	return plainHeader(hr)
}

func plainHeader(hr *http.Request) *HeadError {
	n, size := 0, len(hr.Method)+len(hr.RequestURI)
	for name, values := range hr.Header {
		if strings.Contains(name, "_") && matters([]byte(name)) {
			return errUnderscore
		}
		for _, v := range values {
			n++
			size += len(name) + len(v) + 4
			for i := range len(v) {
				if table[v[i]]&inValue == 0 {
					return errLine
				}
			}
		}
	}
	if n > maxFields || size > MaxHead {
		return ErrHeadLong
	}
	return nil
}

// Believe takes from a proxy that is trusted who asked it, by which scheme and host. It
// changes nothing where r.Remote is not among trusted. Each argument is a header's values,
// joined by commas; "" is none. It is false where they can be read in two ways: the request is
// a bad one then.
func Believe(r *gateway.Request, trusted []netip.Prefix, forwardedFor, proto, host string) bool {
	if !among(trusted, r.Remote) {
		return true
	}
	switch strings.ToLower(proto) {
	case "":
	case "http", "https", "ws", "wss":
		r.TLS = strings.HasSuffix(strings.ToLower(proto), "s")
	default:
		return false
	}
	if host != "" {
		if !CheckHost([]byte(host)) {
			return false
		}
		r.Host = host
	}
	// The last that is not a proxy of ours is who came: what stands before it, anybody may say.
	for forwardedFor != "" {
		last := forwardedFor
		if i := strings.LastIndexByte(forwardedFor, ','); i >= 0 {
			last, forwardedFor = forwardedFor[i+1:], forwardedFor[:i]
		} else {
			forwardedFor = ""
		}
		a, err := address(strings.Trim(last, " \t"))
		if err != nil {
			return false
		}
		if r.Remote = a; !among(trusted, a) {
			break
		}
	}
	return true
}

// address reads one of X-Forwarded-For: some proxies add the port.
func address(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		var ap netip.AddrPort
		ap, err = netip.ParseAddrPort(s)
		a = ap.Addr()
	}
	return a.Unmap().WithZone(""), err
}

func among(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
