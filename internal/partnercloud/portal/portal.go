package portal

import (
	"crypto/sha256"
	"crypto/subtle"
	_ "embed" // the style sheet
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/skin"
	"partnerguard/internal/partnercloud/world"
)

// Deps is everything a Portal needs. Nil Log discards.
type Deps struct {
	World *world.World // required
	Keys  *bearer.Keys // required
	Log   *slog.Logger
	// Login is the authority's base URL for the browser of a request. Required.
	Login func(*http.Request) string
	// Transport reaches the authority; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// Center is not asked: the pages read the same world. It may be nil.
	Center http.Handler
}

// Portal is the portal. Safe for concurrent use; it has no goroutine.
type Portal struct {
	world  *world.World
	keys   *bearer.Keys
	log    *slog.Logger
	login  func(*http.Request) string
	client *http.Client
	mux    *http.ServeMux

	mu       sync.Mutex // guards what follows
	sessions map[string]*session
	pending  map[string]*pending
	users    usersCache
}

//go:embed style.css
var style string

// sheetCSS is the style sheet, served as a file.
var sheetCSS = sync.OnceValue(func() []byte { return []byte(skin.Sheet(style).CSS) })

// New makes the portal.
func New(d Deps) *Portal {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	p := &Portal{
		world: d.World, keys: d.Keys, log: d.Log, login: d.Login, mux: http.NewServeMux(), sessions: map[string]*session{}, pending: map[string]*pending{},
		client: &http.Client{Transport: d.Transport, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	p.mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "max-age=300")
		_, _ = w.Write(sheetCSS())
	})
	p.mux.HandleFunc("GET /signin", p.begin)
	p.mux.HandleFunc("GET /signin-oidc", p.finish)
	p.mux.HandleFunc("POST /signout", p.signOut)
	p.mux.HandleFunc("GET /{$}", p.page("Get /dashboard", anyone, p.home))
	p.mux.HandleFunc("GET /requirements", p.page("Get /security/compliance", securityViewers, p.requirements))
	p.mux.HandleFunc("GET /requirements/portal.csv", p.page("Get /security/compliance/portal", securityViewers, p.portalCSV))
	p.mux.HandleFunc("GET /requirements/api-summary.csv", p.page("Get /security/compliance/apisummary", securityViewers, p.summaryCSV))
	p.mux.HandleFunc("GET /requirements/api.csv", p.page("Get /security/compliance/api", securityViewers, p.apiCSV))
	p.mux.HandleFunc("GET /score", p.page("Get /security/requirements", scoreViewers, p.score))
	p.mux.HandleFunc("GET /customers", p.page("Get /customers", agents, p.customers))
	p.mux.HandleFunc("GET /customers/{id}", p.page("Get /customers/{id}", agents, p.customer))
	p.mux.HandleFunc("GET /customers/{id}/open", p.page("Get /customers/{id}/aobo", agents, p.open))
	p.adminRoutes()
	// The addresses under which the first status report was known.
	for _, old := range []string{"/pcv/security/compliance", "/commerce/security/compliance"} {
		p.mux.Handle("GET "+old, http.RedirectHandler("/requirements", http.StatusSeeOther))
	}
	p.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p.show(w, r, http.StatusNotFound, view{Title: "There is no such page", Kind: "message", Message: "The address leads nowhere in this portal.",
			User: p.named(r)})
	})
	return p
}

// ServeHTTP answers one request.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	p.mux.ServeHTTP(w, r)
}

// audience is who may see a page, by directory role or group of the partner.
type audience struct {
	roles  []string
	groups []string
	words  string
}

var (
	anyone          = audience{}
	securityViewers = audience{roles: []string{entra.RoleGlobalAdministrator, entra.RoleSecurityAdministrator, entra.RoleSecurityReader},
		words: "Global Administrator, Security Administrator or Security Reader"}
	scoreViewers = audience{roles: securityViewers.roles, groups: []string{world.AdminAgents},
		words: "Admin Agent, Global Administrator, Security Administrator or Security Reader"}
	agents = audience{roles: []string{entra.RoleGlobalAdministrator}, groups: []string{world.AdminAgents, world.HelpdeskAgents, world.SalesAgents},
		words: "Admin Agent, Helpdesk Agent, Sales Agent or Global Administrator"}
)

func (a audience) admits(t *world.Tenant, user string, now time.Time) bool {
	if len(a.roles)+len(a.groups) == 0 || t.HasRole(user, now, a.roles...) {
		return true
	}
	for _, g := range a.groups {
		if t.InGroup(user, g) {
			return true
		}
	}
	return false
}

// visit is a page looked at by a signed-in person.
type visit struct {
	w       http.ResponseWriter
	r       *http.Request
	session session // a copy
	user    *world.User
	now     time.Time
}

// page lets in who is signed in, has MFA as far as enforcement asks for it, and
// may see it; and notes the request.
func (p *Portal) page(operation string, who audience, f func(*visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, found := p.session(r)
		if !found {
			if r.URL.Path == "/" {
				p.show(w, r, http.StatusOK, view{Title: "Sign in", Kind: "welcome"})
				return
			}
			http.Redirect(w, r, "/signin?return="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		v := &visit{w: w, r: r, session: s, now: p.world.Clock.Now()}
		ask, may, gone := false, false, false
		p.world.Read(func(st *world.State) {
			t := st.PartnerTenant()
			if t == nil || t.ID != s.tenant {
				gone = true
				return
			}
			v.user = t.Users.Get(s.user)
			if v.user == nil || !v.user.Enabled || v.user.SessionsValidFrom.After(s.created) {
				gone = true
				return
			}
			if !s.mfa && st.Refuses(st.Enforcement.Portal, t, false) {
				ask = true
				return
			}
			may = who.admits(t, s.user, v.now)
			st.LogRequest(t, &world.PartnerRequest{
				Operation: operation, IP: s.ip, UserID: s.user, TenantID: t.ID, UPN: v.user.UPN, AppID: entra.AppPartner,
				AppName: "Partner cloud portal", Portal: true, MFA: s.mfa,
			})
		})
		switch {
		case gone:
			p.forget(w, r, sessionCookie)
			http.Redirect(w, r, "/", http.StatusSeeOther)
		case ask:
			http.Redirect(w, r, "/signin?mfa=1&return="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		case !may:
			p.show(w, r, http.StatusForbidden, view{Title: "You may not see this page", Kind: "message", User: v.user.Name, CSRF: s.csrf,
				Message: "This page is for the roles " + who.words + ". Your account " + v.user.UPN +
					" holds none of them. Ask a Global Administrator of the partner tenant for one."})
		default:
			f(v)
		}
	}
}

// named is the person's name for pages that need none.
func (p *Portal) named(r *http.Request) string {
	s, found := p.session(r)
	if !found {
		return ""
	}
	return s.name
}

// digest is how cookies are kept.
func digest(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// local keeps a return address within the portal.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || len(path) > 2<<10 || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") ||
		u.Host != "" || u.Scheme != "" || strings.HasPrefix(u.Path, "//") ||
		strings.HasPrefix(u.Path, "/signin") {
		return "/"
	}
	return path
}
