package onboard

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/web"
)

// Paths below the public address.
const (
	Prefix   = "/connect/"
	Callback = "/connect/callback"
	Ended    = "/connect/done/" // pages at the end of sign-ins
)

// cookie binds an answer to the browser that began. The prefix keeps other
// hosts and plain HTTP from setting it (RFC 6265bis); it needs TLS.
const cookie = "__Host-partnerguard-connect"

// plainCookie is its name on loopback without TLS.
const plainCookie = "partnerguard-connect"

// Apps gives apps with their credentials; *sam.Store meets it.
type Apps interface {
	App(ctx context.Context, clientID string) (msapi.App, error)
	Registration(ctx context.Context, clientID string) (sam.Registration, error)
}

// Deps is everything the handler needs; all but Log are required.
type Deps struct {
	Store *Store
	Apps  Apps
	// Capture makes what takes a consent; kept runs in the transaction that
	// keeps it.
	Capture func(kept func(context.Context, sam.Connection) error) (*capture.Capture, error)
	Cloud   msapi.Cloud
	Public  string // https://guard.contoso.example, without a path
	Now     func() time.Time
	Log     *slog.Logger
	// TenantOf gives the id of the tenant that a domain belongs to; optional.
	TenantOf func(ctx context.Context, domain string) (string, error)
	// Browsable makes the sign-in's address fit for a person's browser; optional.
	Browsable func(string) string
}

// Handler answers below [Prefix].
type Handler struct {
	d       Deps
	capture *capture.Capture
	ends    *capture.Ends
	secure  bool

	mu    sync.Mutex          // guards the field below
	begun map[string]underway // by the fingerprint of the state
}

type underway struct {
	invitation string // id
	door       capture.Door
	until      time.Time
}

// maxBegun bounds sign-ins under way; more wait until some end.
const maxBegun = 1000

// keyInvitation carries the invitation of an answer to where it is kept.
type keyInvitation struct{}

// NewHandler makes the handler.
func NewHandler(d Deps) (*Handler, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Browsable == nil {
		d.Browsable = func(s string) string { return s }
	}
	h := &Handler{d: d, secure: strings.HasPrefix(d.Public, "https://"), begun: map[string]underway{}, ends: capture.NewEnds(d.Now)}
	c, err := d.Capture(func(ctx context.Context, c sam.Connection) error {
		id, _ := ctx.Value(keyInvitation{}).(string)
		if id == "" {
			return problem.New(problem.Internal, "a consent came without its invitation")
		}
		return d.Store.Use(ctx, id, c.ID)
	})
	h.capture = c
	return h, err
}

// Redirect is the redirect URI that the app must have registered.
func (h *Handler) Redirect() string { return h.d.Public + Callback }

// Mount answers below [Prefix], whatever the method is: errors are pages for the
// partner who was invited.
func (h *Handler) Mount(m web.Mux) {
	for _, r := range []web.Route{
		{Name: "connect.callback", Pattern: Callback, Access: web.Own("the answer's state and the browser's cookie bind it to a sign-in that was begun here"),
			Handle: h.answer},
		{Name: "connect.done", Pattern: Ended, Access: web.Own("the address is one that nobody guesses, and was given to the browser that signed in"),
			Handle: h.ended},
		{Name: "connect.invitation", Pattern: Prefix, Access: web.Own("the address holds the invitation's secret"), Handle: h.invitation},
	} {
		r.Page = true
		r.Fail = func(w http.ResponseWriter, _ *http.Request, status int, err error) {
			capture.WriteInvited(w, status, capture.Done{}, err)
		}
		m.Handle(r)
	}
}

func (h *Handler) invitation(w http.ResponseWriter, r *http.Request) error {
	link := strings.TrimPrefix(r.URL.Path, Prefix)
	if link == "" || strings.Contains(link, "/") || r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
		return problem.New(problem.NotFound, "there is no such page")
	}
	if u, err := url.Parse(h.d.Public); err != nil || !strings.EqualFold(r.Host, u.Host) {
		// Under another name the cookie and the answer would not come back.
		return web.WithStatus(http.StatusMisdirectedRequest, problem.New(problem.NotFound, "this server answers under another name"))
	}
	i, err := h.d.Store.Open(r.Context(), secret.New(link))
	if err != nil {
		return failed(err)
	}
	if r.Method == http.MethodPost {
		return failed(h.begin(w, r, i))
	}
	name := i.ClientID
	if reg, err := h.d.Apps.Registration(r.Context(), i.ClientID); err == nil && reg.Name != "" {
		name = reg.Name
	}
	capture.WriteInvitation(w, capture.Invitation{App: name, ClientID: i.ClientID, Tenant: i.Tenant, Domain: h.domain(r.Context(), i), Until: i.Expires.UTC().
		Format("2 January 2006 15:04 UTC"), Cloud: h.d.Cloud, Features: i.Features, SignIn: h.d.Browsable(h.d.Cloud.Authority)})
	return nil
}

// domain is the name of an invitation where that is the tenant's own domain, by the
// authority's word: people know their tenant by it, and not by its id.
func (h *Handler) domain(ctx context.Context, i Invitation) string {
	if h.d.TenantOf == nil || !strings.Contains(i.Name, ".") {
		return ""
	}
	ctx, stop := context.WithTimeout(ctx, 3*time.Second)
	defer stop()
	if id, err := h.d.TenantOf(ctx, i.Name); err != nil || !strings.EqualFold(id, i.Tenant) {
		return ""
	}
	return i.Name
}

// failed is what keeps an invitation from being gone on with: unless it is not
// there, or there are too many, it is ours to mend and not the partner's.
func failed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, problem.NotFound):
		return web.WithStatus(http.StatusNotFound, err)
	case errors.Is(err, problem.Limit), errors.Is(err, problem.TooMany):
		return web.WithStatus(http.StatusServiceUnavailable, err)
	}
	return web.WithStatus(http.StatusInternalServerError, err)
}

func (h *Handler) begin(w http.ResponseWriter, r *http.Request, i Invitation) error {
	app, err := h.d.Apps.App(r.Context(), i.ClientID)
	if err != nil {
		return err
	}
	b, err := h.capture.Begin(r.Context(), capture.Request{
		Suggested: i.Name, Model: sam.CPV, Cloud: h.d.Cloud, App: app, Tenant: i.Tenant, Redirect: h.Redirect(), Mode: "query", Features: i.Features,
		Actor: "invited:" + i.ID, Invitation: i.ID, Bind: true,
	})
	if err != nil {
		return err
	}
	if !h.put(token.Fingerprint(b.State), underway{i.ID, b.Door, b.Until}) {
		h.capture.Forget(b)
		return problem.New(problem.TooMany, "too many sign-ins are under way").WithHint("try again in some minutes")
	}
	http.SetCookie(w, h.bind(b.Binding.Reveal(), int(capture.Life.Seconds())))
	http.Redirect(w, r, h.d.Browsable(b.URL), http.StatusSeeOther)
	return nil
}

// bind is the cookie. It comes back with a navigation from the authority, which
// is another site: Lax, not Strict.
func (h *Handler) bind(value string, age int) *http.Cookie {
	c := &http.Cookie{Name: plainCookie, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if h.secure {
		c.Name, c.Secure = cookie, true
	}
	return c
}

func (h *Handler) put(state string, u underway) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.d.Now()
	for k, v := range h.begun {
		if left := v.until.Sub(now); left <= 0 || left > capture.Life {
			delete(h.begun, k)
		}
	}
	if len(h.begun) >= maxBegun {
		return false
	}
	h.begun[state] = u
	return true
}

func (h *Handler) peek(state string) underway {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.begun[state]
}

func (h *Handler) drop(state string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.begun, state)
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request) error {
	u, err := url.Parse(h.d.Public)
	if err != nil {
		return failed(err)
	}
	door := capture.Door{Host: u.Host, Path: Callback, Mode: "query", Origin: h.d.Cloud.Authority}
	cb, err := door.Read(w, r)
	if err != nil {
		return err
	}
	name := plainCookie
	if h.secure {
		name = cookie
	}
	if c, err := r.Cookie(name); err == nil {
		cb.Binding = secret.New(c.Value)
	}
	// One that nobody began has no invitation; Complete refuses it, with words,
	// and records that.
	state := token.Fingerprint(cb.State)
	way := h.peek(state)
	// A browser that leaves does not cut a redemption short.
	ctx := context.WithValue(context.WithoutCancel(r.Context()), keyInvitation{}, way.invitation)
	done, err := h.capture.Complete(ctx, cb)
	no, refused := errors.AsType[*capture.Refusal](err)
	// An answer that is not this browser's ends neither the sign-in that it names
	// nor the one that this browser is at: a stranger, or an earlier tab, cannot
	// keep anybody from finishing.
	if !refused || no.Cause != capture.Forged && no.Cause != capture.OtherTab && no.Cause != capture.Late {
		h.drop(state)
		http.SetCookie(w, h.bind("", -1))
	}
	switch {
	case refused && (no.Cause == capture.Forged || no.Cause == capture.Replayed || no.Cause == capture.OtherTab):
		return web.WithStatus(http.StatusBadRequest, err)
	case err != nil && !refused:
		h.d.Log.WarnContext(r.Context(), "an invited partner's consent was not kept", "error", err)
	}
	h.ends.SendInvited(w, r, Ended, done, err)
	return nil
}

// ended shows how a sign-in ended, at an address without its code.
func (h *Handler) ended(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || !h.ends.Show(w, strings.TrimPrefix(r.URL.Path, Ended)) {
		return problem.New(problem.NotFound, "this page is shown for some minutes after a sign-in, and is gone")
	}
	return nil
}
