package forward

import (
	"net/http"
	"net/netip"
	"strings"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/proxy"
)

// family is the names by which a proxy says what was asked.
type family struct{ method, host, uri, proto, client string }

// The families. Names are as net/http writes them.
var (
	forwarded = family{"X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Proto", "X-Forwarded-For"}
	original  = family{"X-Original-Method", "X-Original-Host", "X-Original-Uri", "X-Original-Proto", "X-Original-For"}
)

// any says whether one of those that decide is there.
func (f *family) any(h http.Header) bool {
	return h[f.method] != nil || h[f.host] != nil || h[f.uri] != nil
}

// maxHops bounds the addresses of a request's way.
const maxHops = 64

// read makes of a peer's question the request that it is about. why says what is wrong
// with the question.
func (e *Endpoint) read(hr *http.Request, peer netip.Addr) (r *gateway.Request, f *family, why string) {
	h := hr.Header
	switch a, b := forwarded.any(h), original.any(h); {
	case a && b:
		return nil, nil, "X-Forwarded-* and X-Original-* both say what was asked: the proxy must take away those that it does not set"
	case a:
		f = &forwarded
	case b:
		f = &original
	default:
		return nil, nil, "nothing says what was asked"
	}
	for _, name := range []string{f.method, f.host, f.uri} {
		if len(h[name]) != 1 || h[name][0] == "" {
			return nil, nil, name + " is not there once"
		}
	}
	r = &gateway.Request{Method: h[f.method][0], Host: h[f.host][0], Now: e.d.Now(), UserAgent: h.Get("User-Agent"), Accept: strings.Join(h["Accept"], ", "),
		FetchMode: h.Get("Sec-Fetch-Mode"), FetchDest: h.Get("Sec-Fetch-Dest"), RequestedWith: h.Get("X-Requested-With"),
		Cookie: strings.Join(h["Cookie"], "; ")}
	if e.d.ID != nil {
		r.ID = e.d.ID()
	} else {
		r.ID = proxy.NewID()
	}
	r.Path, r.Query, _ = strings.Cut(h[f.uri][0], "?")
	if auth := h["Authorization"]; len(auth) > 0 {
		r.Authorization, r.Doubled = auth[0], len(auth) > 1
	}
	switch proto := h[f.proto]; {
	case len(proto) == 0:
	case len(proto) > 1:
		return nil, nil, f.proto + " is there twice"
	case strings.EqualFold(proto[0], "https"), strings.EqualFold(proto[0], "wss"):
		r.TLS = true
	case strings.EqualFold(proto[0], "http"), strings.EqualFold(proto[0], "ws"):
	default:
		return nil, nil, f.proto + " is neither http nor https"
	}
	r.Remote = client(h[f.client], peer.Unmap().WithZone(""), *e.peers.Load())
	return r, f, ""
}

// client is the last address of the way that is no peer's: what is before it, the caller
// could have written. It is the peer itself where the way says nothing.
func client(way []string, peer netip.Addr, peers []netip.Prefix) netip.Addr {
	hops := strings.Split(strings.Join(way, ","), ",")
	last := peer
	for i := len(hops) - 1; i >= max(0, len(hops)-maxHops); i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return last
		}
		if last = a.Unmap().WithZone(""); !among(last, peers) {
			return last
		}
	}
	return last
}

func among(a netip.Addr, list []netip.Prefix) bool {
	a = a.Unmap().WithZone("")
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// plain holds what was asked to what every server reads alike. A %2F is refused whatever
// the route says: what the other proxy makes of it is not known here.
func plain(r *gateway.Request) bool {
	target := r.Path
	if r.Query != "" {
		target += "?" + r.Query
	}
	return proxy.CheckTarget([]byte(target)) && proxy.CheckHost([]byte(r.Host)) && isMethod(r.Method)
}

// isMethod takes the letters of registered methods.
func isMethod(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 32
}
