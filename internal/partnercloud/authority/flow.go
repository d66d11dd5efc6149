package authority

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/authority/oauth"
	"partnerguard/internal/partnercloud/authority/pages"
	"partnerguard/internal/partnercloud/world"
)

// purpose is what a flow is for.
type purpose int

const (
	forApp purpose = iota
	forDevice
	forAdmin
)

// flow is one interactive sign-in of one browser. It is found by its id, and
// moves only with the cookie and the form token that go with it.
type flow struct {
	id     string
	cookie string // hash of the browser's cookie
	csrf   string
	until  time.Time

	purpose     purpose
	pathName    string
	correlation string
	trace       string
	client      *client
	redirect    string
	platform    platform
	mode        string // query, fragment, form_post
	kind        string // response_type
	state       string
	nonce       string
	challenge   oauth.Challenge
	target      *target
	ask         *oauth.ClaimsRequest
	prompt      string
	askMFA      bool
	authTime    bool // max_age was given
	info        bool
	hint        string
	device      *device
	admin       adminAsk

	mu         sync.Mutex // guards the rest; never taken under the world's lock
	home, user string
	upn        string
	name       string // as typed
	proof      proof
	steps      []world.Step
	typed      bool // a person did something: this is an interactive sign-in
	session    string
	confirmed  bool
	stayAsked  bool
	stay       bool
	consented  bool
	way        string // the way to prove it that was chosen
	secret     string // of a TOTP registration under way
	ceremony   *webauthn.SessionData
	ext        *externalAsk
	say        string // what the next page says first
	fault      *oauth.Fault
	logged     map[int]bool
	done       bool
}

// flowLife is how long a person has.
const flowLife = 10 * time.Minute

const flowCookie = "pc-flow-"

// open begins a flow in a browser and remembers it.
func (a *Authority) open(w http.ResponseWriter, q *request, f *flow) {
	cookie := world.NewSecret()
	f.id, f.csrf, f.cookie = world.NewSecret(), world.NewSecret(), world.HashSecret(cookie)
	f.until = q.now.Add(flowLife)
	f.correlation, f.trace, f.logged = q.correlation, q.trace, map[int]bool{}
	a.flows.put(q.now, f.until, f.id, f)
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure where there is TLS; plain loopback is a way in too
		Name: flowCookie + f.id[:8], Value: cookie, Path: "/", HttpOnly: true, Secure: q.TLS != nil, SameSite: http.SameSiteLaxMode,
		MaxAge: int(flowLife.Seconds()),
	})
}

// flowOf finds a flow and holds the browser to it.
func (a *Authority) flowOf(q *request, id string) (*flow, *oauth.Fault) {
	f, ok := a.flows.get(q.now, id)
	if !ok || len(id) < 8 {
		return nil, oauth.Refuse(entra.CodePageExpired)
	}
	c, err := q.Cookie(flowCookie + id[:8])
	if err != nil || subtle.ConstantTimeCompare([]byte(world.HashSecret(c.Value)), []byte(f.cookie)) != 1 {
		return nil, oauth.Refuse(entra.CodePageExpired)
	}
	return f, nil
}

// url is where the flow's pages are.
func (f *flow) url() string { return "/common/signin?flow=" + url.QueryEscape(f.id) }

// page begins a page of the flow.
func (f *flow) page(name, title string) pages.Page {
	p := pages.Page{
		Name: name, Title: title, App: f.client.Shown(), Account: f.upn, Action: "/common/signin", Error: f.say,
		Hidden: []pages.Field{{Name: "flow", Value: f.id}, {Name: "csrf", Value: f.csrf}},
	}
	// A browser holds redirects that follow a form to form-action.
	if o, ok := oauth.Origin(f.redirect); ok {
		p.FormAction = append(p.FormAction, o)
	}
	return p
}

// switchUser forgets who signs in.
func (f *flow) switchUser() {
	f.home, f.user, f.upn, f.name, f.proof, f.steps, f.session, f.way, f.secret, f.ceremony, f.ext, f.fault = "", "", "", "", proof{}, nil, "", "", "", nil,
		nil, nil
	f.stayAsked, f.stay, f.consented, f.logged = false, false, false, map[int]bool{}
}

// sessionCookie holds a browser's signed-in state.
const sessionCookie = "pc-session"

// sessionOf finds the browser's session with everything that may have ended it.
func (a *Authority) sessionOf(s *world.State, q *request) *world.Session {
	c, err := q.Cookie(sessionCookie)
	if err != nil || len(c.Value) > 128 {
		return nil
	}
	x := s.Sessions.Get(world.HashSecret(c.Value))
	if x == nil || !sessionAlive(x, q.now) {
		return nil
	}
	home := s.Tenant(x.TenantID)
	if home == nil {
		return nil
	}
	u := home.Users.Get(x.UserID)
	if u == nil || !u.Enabled {
		return nil
	}
	if _, dead := revoked(u, x.Created, false); dead {
		return nil
	}
	return x
}

// join lets a flow go on with a browser's session.
func (f *flow) join(s *world.State, x *world.Session) {
	u := s.Tenant(x.TenantID).Users.Get(x.UserID)
	f.home, f.user, f.upn, f.session = x.TenantID, x.UserID, u.UPN, x.Hash
	f.proof = proof{home: x.TenantID, user: x.UserID, authTime: x.AuthTime, mfaTime: x.MFATime, amr: x.AMR, combos: x.Combos, sid: x.SID,
		external: contains(x.Combos, externalMark)}
}

func contains(list []string, v string) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

// keepSession writes the browser's session after a sign-in. The cookie is new
// whenever somebody proved something. It is called under the world's lock.
func (a *Authority) keepSession(s *world.State, q *request, f *flow, persistent bool) (cookie string, maxAge int) {
	if f.session != "" && !f.typed {
		s.Sessions.Change(f.session, func(x *world.Session) { x.LastUsed = q.now })
		s.Dirty()
		return "", 0
	}
	created := q.now
	if old := s.Sessions.Get(f.session); old != nil {
		persistent = persistent || old.Persistent
		s.Sessions.Delete(old.Hash)
	}
	cookie = world.NewSecret()
	s.Sessions.Put(&world.Session{
		Hash: world.HashSecret(cookie), SID: f.proof.sid, TenantID: f.home, UserID: f.user, Created: created, AuthTime: f.proof.authTime,
		MFATime: f.proof.mfaTime,
		AMR:     f.proof.amr, Combos: f.proof.combos, Persistent: persistent, LastUsed: q.now, UserAgent: clip(q.UserAgent(), 256),
	})
	s.Dirty()
	a.prune(s, q.now)
	if persistent {
		maxAge = int(persistentLimit.Seconds())
	}
	return cookie, maxAge
}

func setSession(w http.ResponseWriter, q *request, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure where there is TLS; plain loopback is a way in too
		Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, Secure: q.TLS != nil, SameSite: http.SameSiteLaxMode, MaxAge: maxAge,
	})
}
