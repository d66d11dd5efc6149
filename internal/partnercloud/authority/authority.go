package authority

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/eam"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// Deps is everything an Authority needs.
type Deps struct {
	World *world.World // required
	Keys  *bearer.Keys // required
	Log   *slog.Logger // optional; nil discards
	// Locate gives the place of an address; nil knows none.
	Locate func(netip.Addr) world.Place
	// Transport reaches External MFA providers' discovery and keys; nil means the
	// default one. It must not leave the machine.
	Transport http.RoundTripper
	// Portals are further bases that the portal's client may be redirected to.
	Portals []string
}

// Authority serves the login hosts. Safe for concurrent use.
type Authority struct {
	w        *world.World
	keys     *bearer.Keys
	log      *slog.Logger
	locate   func(netip.Addr) world.Place
	portals  []string
	external *eam.Client
	cross    *http.CrossOriginProtection

	flows   shelf[*flow]
	codes   shelf[*code]
	devices shelf[*device]
	proofs  shelf[proof]    // of tokens that may come back on behalf of, by uti
	used    shelf[[32]byte] // assertions by client and jti
	guard   guard

	pruneMu sync.Mutex // guards pruned
	pruned  time.Time  // when dead sessions and refresh tokens were last removed
}

// New makes an authority. Its errors are mistakes of the caller.
func New(d Deps) (*Authority, error) {
	if d.World == nil || d.Keys == nil {
		return nil, errors.New("authority: World and Keys are required")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Locate == nil {
		d.Locate = func(netip.Addr) world.Place { return world.Place{} }
	}
	a := &Authority{
		w: d.World, keys: d.Keys, log: d.Log, locate: d.Locate, portals: d.Portals,
		external: eam.NewClient(d.Transport, d.World.Clock.Now), cross: http.NewCrossOriginProtection(),
	}
	return a, nil
}

// What one request may hold.
const (
	maxForm  = 128 << 10
	maxQuery = 32 << 10
)

// ServeHTTP routes by the part of the path that follows the tenant.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("P3P", `CP="This is the partner cloud: local, not Microsoft"`)
	q := newRequest(a, r)
	w.Header().Set("x-ms-request-id", q.trace)
	if v := r.Header.Get("client-request-id"); world.IsGUID(v) {
		w.Header().Set("client-request-id", v)
	}
	if len(r.URL.RawQuery) > maxQuery {
		a.showFault(w, q, oauth.Refuse(entra.CodeRequestTooLarge))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	path := strings.Trim(r.URL.Path, "/")
	switch strings.ToLower(path) {
	case "":
		a.showHome(w, q)
		return
	case "robots.txt":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("User-agent: *\nDisallow: /\n"))
		return
	case "favicon.ico":
		w.WriteHeader(http.StatusNoContent)
		return
	case "error":
		a.showCode(w, q)
		return
	case "devicelogin":
		a.deviceLogin(w, q)
		return
	}
	name, rest, ok := strings.Cut(path, "/")
	if !ok || len(name) > 255 {
		a.showMissing(w, q)
		return
	}
	q.tenantName = name
	a.route(w, q, strings.ToLower(rest))
}

func (a *Authority) route(w http.ResponseWriter, q *request, rest string) {
	switch rest {
	case "v2.0/.well-known/openid-configuration", ".well-known/openid-configuration":
		a.metadata(w, q, strings.HasPrefix(rest, "v2.0"))
	case "discovery/v2.0/keys", "discovery/keys":
		a.jwks(w, q, rest == "discovery/v2.0/keys")
	case "discovery/instance":
		a.instance(w, q)
	case "oauth2/v2.0/authorize", "oauth2/authorize":
		a.authorize(w, q, rest == "oauth2/authorize")
	case "oauth2/v2.0/token", "oauth2/token":
		a.token(w, q, rest == "oauth2/token")
	case "oauth2/v2.0/devicecode", "oauth2/devicecode":
		a.deviceCode(w, q, rest == "oauth2/devicecode")
	case "oauth2/v2.0/logout", "oauth2/logout":
		a.logout(w, q)
	case "v2.0/adminconsent", "adminconsent":
		a.adminConsent(w, q, rest == "v2.0/adminconsent")
	case "deviceauth", "oauth2/deviceauth":
		a.deviceLogin(w, q)
	case "federation/externalauthprovider":
		a.externalReturn(w, q)
	case "signin":
		a.signin(w, q)
	default:
		if user, ok := strings.CutPrefix(rest, "userrealm/"); ok {
			a.userRealm(w, q, user)
			return
		}
		a.showMissing(w, q)
	}
}

// request is what every handler needs of an HTTP request.
type request struct {
	*http.Request
	tenantName  string
	now         time.Time
	trace       string
	correlation string
	ip          netip.Addr
	place       world.Place
}

func newRequest(a *Authority, r *http.Request) *request {
	q := &request{Request: r, now: a.w.Clock.Now(), trace: world.NewGUID(), correlation: r.Header.Get("client-request-id")}
	if !world.IsGUID(q.correlation) {
		q.correlation = world.NewGUID()
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		q.ip = ip.Unmap()
		q.place = a.locate(q.ip)
	}
	return q
}

// base is the authority's address as this client sees it.
func (q *request) base() string {
	if q.TLS != nil {
		return "https://" + q.Host
	}
	return "http://" + q.Host
}

func (q *request) hostname() string {
	if h, _, err := net.SplitHostPort(q.Host); err == nil {
		return h
	}
	return q.Host
}

// production names the real authority, that a proxy brings here.
func production(host string) bool {
	switch strings.ToLower(host) {
	case entra.LoginHost, entra.LoginWindowsHost, entra.STSHost, entra.LoginLiveHost, entra.DeviceLoginHost:
		return true
	}
	return false
}

// issuerV2 is the issuer of v2 tokens for whoever asks by this host name.
func (q *request) issuerV2(tenant string) string {
	if production(q.hostname()) {
		return bearer.IssuerV2(tenant)
	}
	return q.base() + "/" + tenant + "/v2.0"
}

// pathTenant is the tenant segment of a path: one tenant, or a name for any.
type pathTenant struct {
	any    bool // common or organizations
	common bool
	tenant *world.Tenant
}

// findTenant reads the tenant segment.
func findTenant(s *world.State, name string) (pathTenant, *oauth.Fault) {
	switch strings.ToLower(name) {
	case "common":
		return pathTenant{any: true, common: true}, nil
	case "organizations":
		return pathTenant{any: true}, nil
	case "consumers":
		return pathTenant{}, oauth.Refuse(entra.CodePersonalOnly)
	}
	if t := s.Tenant(name); t != nil {
		return pathTenant{tenant: t}, nil
	}
	if world.IsGUID(name) || strings.Contains(name, ".") {
		return pathTenant{}, oauth.Refuse(entra.CodeTenantNotFound, name)
	}
	return pathTenant{}, oauth.Refuse(entra.CodeTenantNameInvalid, name)
}
