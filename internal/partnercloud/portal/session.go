package portal

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// session is a browser that signed in. The cookie's hash is its key.
type session struct {
	tenant, user, upn, name, ip string
	mfa, admin                  bool // admin: of a customer's administrator, in the admin center
	amr                         []string
	csrf                        string
	created, ends               time.Time
	// inside is what tokens for customers' tenants said, by tenant id.
	inside map[string]entry
}

// entry is a customer's tenant that was entered.
type entry struct {
	at    time.Time
	roles []string
	mfa   bool
	kind  string // gdap or dap
}

// pending is a sign-in under way, by its state.
type pending struct {
	errand
	browser, verifier, nonce string
	ends                     time.Time
}

// errand is what a browser is sent to the authority for.
type errand struct {
	tenant, resource, back, hint string
	customer                     string // the tenant to work in on its behalf
	mfa                          bool
	admin                        bool // a customer's administrator, for the admin center
}

// client is who asks.
func (e *errand) client() string {
	if e.admin {
		return entra.AppM365Admin
	}
	return entra.AppPartner
}

// Bounds, by the world's clock.
const (
	sessionFor  = 8 * time.Hour
	pendingFor  = 15 * time.Minute
	maxSessions = 10_000
	maxPending  = 1_000
	maxInside   = 50
)

const (
	sessionCookie = "partnercloud_portal"
	browserCookie = "partnercloud_portal_signin"
)

func cookie(w http.ResponseWriter, r *http.Request, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode})
}

// session finds the browser's session and copies it.
func (p *Portal) session(r *http.Request) (session, bool) { return p.sessionOf(r, sessionCookie) }

func (p *Portal) sessionOf(r *http.Request, name string) (session, bool) {
	c, err := r.Cookie(name)
	if err != nil || len(c.Value) > 100 {
		return session{}, false
	}
	now := p.world.Clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sessions[digest(c.Value)]
	if s == nil || !now.Before(s.ends) || s.admin != (name == adminCookie) {
		return session{}, false
	}
	return *s, true
}

// remember begins a session.
func (p *Portal) remember(w http.ResponseWriter, r *http.Request, name string, s *session) {
	now := p.world.Clock.Now()
	value := world.NewSecret()
	p.mu.Lock()
	makeRoom(p.sessions, maxSessions, func(x *session) bool { return !now.Before(x.ends) })
	p.sessions[digest(value)] = s
	p.mu.Unlock()
	cookie(w, r, name, value, 0)
}

func (p *Portal) forget(w http.ResponseWriter, r *http.Request, name string) {
	if c, err := r.Cookie(name); err == nil {
		p.mu.Lock()
		delete(p.sessions, digest(c.Value))
		p.mu.Unlock()
	}
	cookie(w, r, name, "", -1)
}

func baseOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// begin sends the browser to the authority: to sign in, with mfa=1 to do so
// with MFA.
func (p *Portal) begin(w http.ResponseWriter, r *http.Request) {
	hint := ""
	if s, found := p.session(r); found {
		hint = s.upn
	}
	p.toAuthority(w, r, errand{tenant: "organizations", resource: entra.AppPartnerCenter, back: local(r.URL.Query().Get("return")), hint: hint,
		mfa: r.URL.Query().Get("mfa") == "1"})
}

// makeRoom forgets what is over once there is too much, and all when that is not
// enough.
func makeRoom[T any](m map[string]*T, most int, over func(*T) bool) {
	if len(m) >= most {
		maps.DeleteFunc(m, func(_ string, x *T) bool { return over(x) })
	}
	if len(m) >= most {
		clear(m)
	}
}

func (p *Portal) toAuthority(w http.ResponseWriter, r *http.Request, e errand) {
	browser, err := r.Cookie(browserCookie)
	value := ""
	if err == nil && len(browser.Value) >= 40 && len(browser.Value) <= 100 {
		value = browser.Value
	} else {
		value = world.NewSecret()
		cookie(w, r, browserCookie, value, int(pendingFor.Seconds()))
	}
	now := p.world.Clock.Now()
	state := world.NewSecret()
	one := &pending{errand: e, browser: digest(value), verifier: world.NewSecret(), nonce: world.NewSecret(), ends: now.Add(pendingFor)}
	p.mu.Lock()
	makeRoom(p.pending, maxPending, func(x *pending) bool { return !now.Before(x.ends) })
	p.pending[state] = one
	p.mu.Unlock()
	q := url.Values{
		"client_id": {e.client()}, "response_type": {"code"}, "response_mode": {"query"}, "redirect_uri": {baseOf(r) + "/signin-oidc"},
		"scope": {"openid profile " + world.FindResource(e.resource).URIs[0] + "/.default"}, "state": {state}, "nonce": {one.nonce},
		"code_challenge": {digest(one.verifier)}, "code_challenge_method": {"S256"},
	}
	if e.hint != "" {
		q.Set("login_hint", e.hint)
	}
	if e.mfa {
		q.Set("amr_values", "mfa")
	}
	http.Redirect(w, r, p.login(r)+"/"+e.tenant+"/oauth2/v2.0/authorize?"+q.Encode(), http.StatusSeeOther)
}

// finish takes the code back, redeems it and begins a session.
func (p *Portal) finish(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	now := p.world.Clock.Now()
	p.mu.Lock()
	one := p.pending[q.Get("state")]
	delete(p.pending, q.Get("state"))
	p.mu.Unlock()
	fail := func(status int, why string) {
		admin := one != nil && one.admin
		p.show(w, r, status, view{Title: "The sign-in did not work", Kind: "message", Message: why, Again: !admin, Admin: admin})
	}
	browser, err := r.Cookie(browserCookie)
	if one == nil || err != nil || !now.Before(one.ends) || !same(one.browser, digest(browser.Value)) {
		fail(http.StatusBadRequest, "This sign-in was not begun here, or it took too long.")
		return
	}
	if q.Get("error") != "" {
		what := q.Get("error")
		if d, _, _ := strings.Cut(q.Get("error_description"), "\n"); d != "" {
			what = d
		}
		if len(what) > 300 {
			what = what[:300]
		}
		fail(http.StatusForbidden, "The authority refused: "+strings.ToValidUTF8(what, "?"))
		return
	}
	access, id, err := p.redeem(r, one.tenant, q.Get("code"), one)
	if err != nil {
		p.log.LogAttrs(r.Context(), slog.LevelInfo, "portal sign-in", slog.Any("err", err))
		fail(http.StatusBadGateway, err.Error())
		return
	}
	if one.customer != "" {
		p.entered(w, r, one, access, fail)
		return
	}
	if one.admin {
		p.adminArrived(w, r, one, access, id, fail)
		return
	}
	partner := ""
	name := ""
	p.world.Read(func(s *world.State) {
		if t := s.PartnerTenant(); t != nil {
			partner = t.ID
			if u := t.Users.Get(access.ObjectID); u != nil {
				name = u.Name
			}
		}
	})
	if access.TenantID != partner || id.ObjectID != access.ObjectID {
		fail(http.StatusForbidden, "This portal is for the partner's own people: the account belongs to another tenant.")
		return
	}
	p.forget(w, r, sessionCookie)
	p.remember(w, r, sessionCookie, &session{
		tenant: access.TenantID, user: access.ObjectID, upn: access.UPN, name: name, ip: ipOf(access, r), mfa: access.HasMFA(), amr: access.AMR,
		csrf:    world.NewSecret(),
		created: now, ends: now.Add(sessionFor), inside: map[string]entry{},
	})
	http.Redirect(w, r, one.back, http.StatusSeeOther)
}

func ipOf(c *bearer.Claims, r *http.Request) string {
	if c.IPAddr != "" {
		return c.IPAddr
	}
	host := r.RemoteAddr
	if i := strings.LastIndexByte(host, ':'); i > 0 {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}

// maxTokens bounds the authority's answer.
const maxTokens = 256 << 10

// redeem exchanges the code and checks both tokens.
func (p *Portal) redeem(r *http.Request, tenant, code string, one *pending) (access, id *bearer.Claims, err error) {
	bad := func(why string) error { return problem.New(problem.BadInput, "%s", why) }
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {one.client()}, "code": {code}, "redirect_uri": {baseOf(r) + "/signin-oidc"},
		"code_verifier": {one.verifier},
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, p.login(r)+"/"+tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, bad("the authority's address is not valid")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, nil, problem.Wrap(err, problem.Limit, "The authority did not answer.")
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
		Codes  []int  `json:"error_codes"`
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxTokens))
	if err != nil || json.Unmarshal(raw, &out) != nil {
		return nil, nil, bad("The authority's answer cannot be read.")
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, problem.New(problem.BadInput, "The authority did not take the code: %v.", out.Codes)
	}
	var fault *bearer.Fault
	if access, fault = p.keys.Parse(out.Access); fault != nil {
		return nil, nil, bad("The access token is not valid: " + fault.Text)
	}
	if id, fault = p.keys.Parse(out.ID); fault != nil {
		return nil, nil, bad("The ID token is not valid: " + fault.Text)
	}
	switch {
	case id.Audience != one.client() || !same(id.Nonce, one.nonce):
		return nil, nil, bad("The ID token is for somebody else.")
	case access.Client() != one.client() || access.AppOnly():
		return nil, nil, bad("The access token is for somebody else.")
	}
	return access, id, nil
}

// open sends the browser to the authority for a customer's tenant: work on
// behalf of the customer begins with a token of that tenant.
func (p *Portal) open(v *visit) {
	id := strings.ToLower(v.r.PathValue("id"))
	known := false
	p.world.Read(func(s *world.State) {
		c := s.PartnerTenant().Customers.Get(id)
		known = c != nil && c.Relationship != "none"
	})
	if !known || !world.IsGUID(id) {
		p.missing(v)
		return
	}
	p.toAuthority(v.w, v.r, errand{tenant: id, resource: entra.AppARM, back: "/customers/" + id, hint: v.session.upn, customer: id})
}

// entered notes what a token for a customer's tenant says.
func (p *Portal) entered(w http.ResponseWriter, r *http.Request, one *pending, access *bearer.Claims, fail func(int, string)) {
	c, err := r.Cookie(sessionCookie)
	now := p.world.Clock.Now()
	if err != nil {
		fail(http.StatusBadRequest, "The session of this portal is over.")
		return
	}
	p.mu.Lock()
	s := p.sessions[digest(c.Value)]
	good := s != nil && now.Before(s.ends) && access.HomeTenant == s.tenant && access.ObjectID == s.user && access.TenantID == one.customer
	if good {
		inside := map[string]entry{one.customer: {now, slices.Clone(access.Wids), access.HasMFA(), access.Delegation}}
		for k, v := range s.inside {
			if k != one.customer && len(inside) < maxInside {
				inside[k] = v
			}
		}
		n := *s
		n.inside = inside
		p.sessions[digest(c.Value)] = &n
	}
	p.mu.Unlock()
	if !good {
		fail(http.StatusForbidden, "The token is not for this person in that customer's tenant.")
		return
	}
	http.Redirect(w, r, one.back, http.StatusSeeOther)
}

func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) {
	s, found := p.session(r)
	if found && (r.ParseForm() != nil || !same(r.PostForm.Get("csrf"), s.csrf)) {
		p.show(w, r, http.StatusForbidden, view{Title: "This form is not from here", Kind: "message", Message: "Open the portal again and sign out there.",
			User: s.name, CSRF: s.csrf})
		return
	}
	p.forget(w, r, sessionCookie)
	p.show(w, r, http.StatusOK, view{Title: "You are signed out", Kind: "welcome",
		Message: "The session of this portal is over. The authority may still know you: its own sign-out ends that.", Logout: p.login(r) +
			"/organizations/oauth2/v2.0/logout"})
}
