package session

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// askSignOut shows the button: a link of anybody's signs nobody out.
func (m *Manager) askSignOut(w http.ResponseWriter, r *http.Request) error {
	e, _, reason := m.who(r)
	if reason != gateway.Passed {
		lead(w, signInPath+"?why=left")
		return nil
	}
	m.show(w, r, http.StatusOK, answer.Page{Title: "Sign out", Facts: []answer.Fact{{Name: "Account", Value: nameOf(e.id)}}, Forms: []answer.Form{
		{Action: signOutPath, Text: "Sign out here", Primary: true},
		{Action: signOutPath, Text: "Sign out of every browser", Fields: [][2]string{{"everywhere", "yes"}}},
	}, Links: []answer.Link{{Text: "Stay", Path: "/"}}, Foot: "Your sign-in at Microsoft is not ended by it."})
	return nil
}

// signOut ends the session, and with everywhere all that its user has.
func (m *Manager) signOut(w http.ResponseWriter, r *http.Request) error {
	everywhere := r.PostFormValue("everywhere") != ""
	why := "left"
	if e, _, reason := m.who(r); m.lives(e, reason) {
		x := Ended{ID: e.t.ID, Why: "signed out", Actor: e.t.actor(), Until: e.t.last()}
		if everywhere && reason == gateway.Passed {
			why = "everywhere"
			x.Tenant, x.ObjectID, x.Why, x.Until = e.t.Tenant, e.t.ObjectID, "signed out everywhere", time.Time{}
		}
		m.end(r.Context(), x)
		_ = m.record(r.Context(), Event{What: Left, Actor: e.t.actor(), Tenant: e.t.Tenant, Object: e.t.ObjectID, Session: e.t.ID, Host: r.Host,
			Reason: x.Why}, nil) // who wants to leave is not kept
	}
	w.Header().Set("Clear-Site-Data", `"cache"`) // what was seen is not to be paged back to
	lead(w, signInPath+"?why="+why, cookieLine(m.cookieName(r, ""), "", 0), cookieLine(m.cookieName(r, flowSuffix), "", 0))
	return nil
}

// lives says that a session may be used yet, or again: a file with other roles can have it
// over, and the next one not.
func (m *Manager) lives(e *entry, reason gateway.Reason) bool {
	return e != nil && (reason == gateway.Passed || reason == gateway.SessionOver) && m.now().Before(e.t.last()) && !m.ended.has(&e.t)
}

// frontChannel ends the sessions of a sign-in that ended at Entra ID, which loads this
// address in a frame (OpenID Connect Front-Channel Logout 1.0 section 2). The browser
// sends no cookie along from there, so the sign-in is told by its sid. That is no secret
// to others for ever, and nobody signs for it: all it does is to end sessions.
func (m *Manager) frontChannel(w http.ResponseWriter, r *http.Request) error {
	si, err := m.app(r.Context())
	if err != nil {
		return err
	}
	q := r.URL.Query()
	sid := q.Get("sid")
	switch {
	case len(q["sid"]) != 1 || len(q["iss"]) > 1 || sid == "" || len(sid) > 128 || !printable(sid):
		return problem.New(problem.BadInput, "the logout names no session (sid)").WithHint("have the app's registration ask for it: logoutUrl")
	case q.Get("iss") != "" && !slices.Contains(si.Cloud.IssuersOf(si.Tenant), q.Get("iss")):
		return problem.New(problem.BadInput, "the logout is another authority's")
	}
	const why = "signed out at Entra ID"
	if m.known.signedIn(sid) {
		m.end(r.Context(), Ended{Session: sid, Why: why, Actor: "entra:logout"})
		_ = m.record(r.Context(), Event{What: Left, Actor: "entra:logout", Tenant: si.Tenant, Session: sid, Host: r.Host, Reason: why}, nil)
	} else { // anybody can name one that nobody has: it is remembered for a while, among few
		now := m.now()
		m.stray.add(&Ended{Session: sid, At: now, Until: now.Add(maxLife)})
	}
	h := w.Header()
	if e, _, _ := m.who(r); e != nil && e.t.SID == sid { // and not of whoever follows somebody's link
		h.Add("Set-Cookie", cookieLine(m.cookieName(r, ""), "", 0))
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	frame := "'none'"
	if o := m.origin(&si); o != "" {
		frame = o
	}
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors "+frame)
	_, _ = w.Write([]byte("<!DOCTYPE html><title>Signed out</title>"))
	return nil
}

// logoutEvent is the event of a logout token.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// fresh is how old a logout token may be.
const fresh = 10 * time.Minute

// backChannel takes a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.5).
func (m *Manager) backChannel(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	no := func(code int, why string) error {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		b, _ := json.Marshal(map[string]string{"error": "invalid_request", "error_description": why})
		_, _ = w.Write(b)
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return no(http.StatusBadRequest, "it must come as a form")
	}
	if err := r.ParseForm(); err != nil || len(r.PostForm["logout_token"]) != 1 {
		return no(http.StatusBadRequest, "it has no logout_token")
	}
	si, err := m.app(r.Context())
	if err != nil {
		return no(http.StatusServiceUnavailable, "no sign-in is set up here")
	}
	x, why, err := m.logout(r, &si, secret.New(r.PostForm.Get("logout_token")))
	if err != nil {
		return no(http.StatusServiceUnavailable, "the authority's keys cannot be read now")
	}
	if why != "" {
		return no(http.StatusBadRequest, why)
	}
	m.end(r.Context(), x)
	_ = m.record(r.Context(), Event{What: Left, Actor: x.Actor, Tenant: si.Tenant, Object: x.ObjectID, Session: x.Session, Host: r.Host, Reason: x.Why}, nil)
	w.WriteHeader(http.StatusOK)
	return nil
}

// logout verifies a logout token (section 2.6): signed by the authority for this app, of
// now, with the event, without a nonce, naming a session or a user, and never seen.
func (m *Manager) logout(r *http.Request, si *SignIn, raw secret.Text) (Ended, string, error) {
	t, err := m.verified(r.Context(), si, raw, claim.Expect{Type: "logout+jwt"})
	if flaw, ok := errors.AsType[claim.Flaw](err); ok {
		return Ended{}, "the token is not taken: " + string(flaw), nil
	} else if err != nil {
		return Ended{}, "", err
	}
	var body struct {
		SID    string                     `json:"sid"`
		JTI    string                     `json:"jti"`
		Nonce  json.RawMessage            `json:"nonce"` // null is one too
		Events map[string]json.RawMessage `json:"events"`
	}
	if !claim.Part(raw, 1, &body) {
		return Ended{}, "it cannot be read", nil
	}
	var event map[string]json.RawMessage
	now := m.d.Now()
	switch {
	case len(body.Nonce) > 0:
		return Ended{}, "it has a nonce, as id tokens have", nil
	case json.Unmarshal(body.Events[logoutEvent], &event) != nil:
		return Ended{}, "it tells no logout", nil
	case body.JTI == "" || len(body.JTI) > 256:
		return Ended{}, "it has no jti", nil
	case t.IssuedAt.IsZero() || now.Sub(t.IssuedAt) > fresh:
		return Ended{}, "it is not of now", nil
	case len(body.SID) > 128, body.SID == "" && t.ObjectID == "":
		return Ended{}, "it names neither a session (sid) nor an account (oid)", nil
	case !m.jtis.first("jti "+body.JTI, now, t.NotAfter.Add(2*leeway)):
		return Ended{}, "it came before", nil
	}
	x := Ended{Session: body.SID, Why: "signed out at Entra ID", Actor: "entra:logout"}
	if body.SID == "" {
		x.Tenant, x.ObjectID = si.Tenant, strings.ToLower(t.ObjectID)
	}
	return x, "", nil
}

// strangers are refused often; of each cause one a minute is written down.
type strangers struct {
	mu   sync.Mutex // guards last
	last map[string]time.Time
}

func (s *strangers) due(cause string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = map[string]time.Time{}
	}
	if d := now.Sub(s.last[cause]); d >= 0 && d < time.Minute {
		return false
	}
	s.last[cause] = now // causes are words of ours, and few
	return true
}
