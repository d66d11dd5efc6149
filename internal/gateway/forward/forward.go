package forward

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/assert"
)

// Path is the endpoint's.
const Path = "/auth"

// Asserter tells upstreams who asks. [assert.Asserter] is one.
type Asserter interface {
	Headers(dst [][2]string, d *gateway.Decision, r *gateway.Request, upstream string) [][2]string
}

// Deps are what an [Endpoint] needs.
type Deps struct {
	Judge  gateway.Judge
	Assert Asserter
	Answer answer.Options
	Peers  []netip.Prefix   // who may ask
	Now    func() time.Time // nil is the machine's clock
	ID     func() string    // makes a request's id
	Log    *slog.Logger     // of questions that cannot be understood; nil is none
}

// Endpoint is an [http.Handler]. It is safe for concurrent use.
type Endpoint struct {
	d      Deps
	peers  atomic.Pointer[[]netip.Prefix]
	logged atomic.Int64 // when something was logged, seconds since 1970
}

// New makes an endpoint.
func New(d Deps) *Endpoint {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	e := &Endpoint{d: d}
	e.peers.Store(&d.Peers)
	return e
}

// Take takes the peers of a new table; without a forward part nobody may ask.
func (e *Endpoint) Take(t *gateway.Table) {
	peers := []netip.Prefix{}
	if t.Forward != nil {
		peers = t.Forward.Peers
	}
	e.peers.Store(&peers)
}

// ServeHTTP implements [http.Handler].
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	peer, err := netip.ParseAddrPort(hr.RemoteAddr)
	switch {
	case err != nil || !among(peer.Addr(), *e.peers.Load()):
		e.warn("somebody who is no peer asks", "from", hr.RemoteAddr)
		refuse(w, http.StatusForbidden, "this address may not ask: name it in forward.peers of the gateway's file")
		return
	case hr.URL.Path != Path:
		refuse(w, http.StatusNotFound, "ask at "+Path+"; send what is below "+answer.OwnPrefix+" to the gateway's own address")
		return
	}
	r, f, why := e.read(hr, peer.Addr())
	if why != "" {
		e.warn("a peer's question cannot be understood", "from", hr.RemoteAddr, "why", why)
		refuse(w, http.StatusBadRequest, why+": docs/gateway-forward.md has what to set")
		return
	}
	d := gateway.Decision{Reason: gateway.BadRequest, Refused: true}
	switch {
	case strings.HasPrefix(r.Path, answer.OwnPrefix):
		d.Reason = gateway.NoRoute // no upstream sees these
	case plain(r):
		d = e.d.Judge.Judge(r)
	}
	if d.Refused {
		e.no(w, &d, r, f)
		return
	}
	e.yes(w, &d, r)
}

// refuse answers a question that was none.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why, status)
}

// warn logs, at most once in ten seconds: anybody can make it.
func (e *Endpoint) warn(what string, args ...any) {
	now, last := e.d.Now().Unix(), e.logged.Load()
	if (now-last >= 10 || now < last) && e.logged.CompareAndSwap(last, now) {
		e.d.Log.Warn("gateway forward: "+what, args...)
	}
}

// told are the names that a 200 always has, so that they write over the caller's.
var told = [...]string{
	assert.HeaderUser, assert.HeaderObjectID, assert.HeaderTenant, assert.HeaderHome, assert.HeaderCustomer, assert.HeaderApp, assert.HeaderMFA,
	assert.HeaderAuthTime, assert.HeaderRoles, assert.HeaderWids, assert.HeaderGroups, assert.HeaderElsewhere, assert.HeaderRoute, assert.HeaderRequest,
	assert.HeaderAssertion,
}

// yes lets the request go on.
func (e *Endpoint) yes(w http.ResponseWriter, d *gateway.Decision, r *gateway.Request) {
	h := w.Header()
	for _, name := range told {
		h.Set(name, "")
	}
	upstream := origin(r)
	if d.Route != nil && d.Route.Upstream != "" {
		upstream = d.Route.Upstream
	}
	for _, kv := range e.d.Assert.Headers(nil, d, r, upstream) {
		if strings.HasPrefix(kv[0], "X-Partnerguard-") {
			h.Set(kv[0], kv[1])
		}
	}
	for _, kv := range answer.Announce(*d) {
		h.Set(kv[0], kv[1])
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}

// The headers by which a refusal says more than nginx passes on.
const (
	headerReason   = "X-Partnerguard-Reason"
	headerRedirect = "X-Auth-Request-Redirect"
)

// no refuses. Proxies that pass the answer on get it whole, with an address that does not
// depend on where it comes from; nginx takes 401 and 403 alone, and makes 500 of all else.
func (e *Endpoint) no(w http.ResponseWriter, d *gateway.Decision, r *gateway.Request, f *family) {
	a := answer.For(*d, r, e.d.Answer)
	for i, kv := range a.Header {
		if kv[0] == "Location" && strings.HasPrefix(kv[1], "/") {
			a.Header[i][1] = origin(r) + kv[1]
		}
	}
	if f != &original {
		a.Write(w)
		return
	}
	h := w.Header()
	for _, kv := range a.Header {
		h.Set(kv[0], kv[1])
	}
	h.Set(headerReason, d.Reason.String())
	status := a.Status
	switch status {
	case http.StatusFound:
		status = http.StatusUnauthorized
		h.Del("Location")
		h.Set(headerRedirect, a.Get("Location"))
		h.Set("WWW-Authenticate", answer.Challenge(d.Route, d.Reason, r.Now, e.d.Answer))
	case http.StatusBadRequest, http.StatusNotFound:
		status = http.StatusForbidden
	}
	h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(status)
	_, _ = w.Write(a.Body)
}

// origin is where the caller thinks to be.
func origin(r *gateway.Request) string {
	if r.TLS {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
