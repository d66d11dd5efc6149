package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Paths below the gateway's own.
const (
	homePath     = answer.OwnPrefix
	signInPath   = answer.SignInPath
	stepUpPath   = answer.StepUpPath
	signOutPath  = answer.SignOutPath
	callbackPath = answer.OwnPrefix + "callback"
	frontPath    = answer.OwnPrefix + "front-channel-logout"
	backPath     = answer.OwnPrefix + "back-channel-logout"
	keysPath     = answer.OwnPrefix + "keys"
)

// maxForm bounds what is sent to the gateway's own paths, in bytes.
const maxForm = 64 << 10

// Handler answers what is below /.partnerguard/. What it does not know is 404. Whoever
// mounts it passes nothing else to it, and no host that has no route.
func (m *Manager) Handler() http.Handler {
	type door struct {
		methods string
		own     bool // a form of this origin alone
		do      func(http.ResponseWriter, *http.Request) error
	}
	doors := map[string][]door{
		homePath:     {{"GET", false, m.home}},
		signInPath:   {{"GET", false, m.signIn}, {"POST", true, m.postSignIn}},
		stepUpPath:   {{"GET", false, m.stepUp}, {"POST", true, m.postStepUp}},
		signOutPath:  {{"GET", false, m.askSignOut}, {"POST", true, m.signOut}},
		callbackPath: {{"GET", false, m.callback}},
		frontPath:    {{"GET", false, m.frontChannel}},
		backPath:     {{"POST", false, m.backChannel}},
		keysPath:     {{"GET", false, m.keys}},
	}
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list := doors[r.URL.Path]
		if list == nil || r.URL.RawPath != "" {
			m.fail(w, r, problem.New(problem.NotFound, "there is nothing at this address").WithHint("look at the address"))
			return
		}
		allow := ""
		for _, d := range list {
			if d.methods != r.Method && !(d.methods == http.MethodGet && r.Method == http.MethodHead) {
				allow += ", " + d.methods
				continue
			}
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			var err error
			if d.own {
				if err = cross.Check(r); err != nil {
					err = problem.New(problem.Forbidden, "the form comes from another site").WithHint("open the page here, and press its button")
				}
			}
			if err == nil {
				err = d.do(w, r)
			}
			if err != nil {
				m.fail(w, r, err)
			}
			return
		}
		w.Header().Set("Allow", strings.TrimPrefix(allow, ", "))
		m.status(w, r, http.StatusMethodNotAllowed, problem.New(problem.BadInput, "this address takes no %.10s", r.Method))
	})
}

// fail shows an error.
func (m *Manager) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := http.StatusInternalServerError
	for kind, c := range map[problem.Kind]int{problem.NotFound: 404, problem.Forbidden: 403, problem.BadInput: 400, problem.Unavailable: 503,
		problem.Unauthenticated: 401, problem.TooMany: 429, problem.Limit: 400, problem.Conflict: 409, problem.Usage: 400} {
		if errors.Is(err, kind) {
			code = c
		}
	}
	if code == http.StatusInternalServerError {
		m.d.Log.ErrorContext(r.Context(), "a browser could not be answered", "path", r.URL.Path, "err", err)
	}
	m.status(w, r, code, err)
}

func (m *Manager) status(w http.ResponseWriter, r *http.Request, code int, err error) {
	p := answer.Page{Title: "Not signed in", Tone: print.Bad, Banner: "Something went wrong here; it was logged"}
	if code == http.StatusNotFound || code == http.StatusMethodNotAllowed {
		p.Title = "Nothing here"
	}
	if e, ok := errors.AsType[*problem.Error](err); ok && e.Kind != problem.Internal {
		p.Banner, p.Fix = e.Public, e.Hint
	}
	if no, ok := errors.AsType[*refusal](err); ok {
		p.Title, p.Facts = no.title(), no.Facts
		if no.Retry {
			p.Links = []answer.Link{{Text: "Sign in again", Path: signInPath + "?" + url.Values{"to": {answer.SafePath(no.To)}, "why": {"again"}}.Encode(),
				Primary: true}}
		}
	}
	m.show(w, r, code, p)
}

// show writes a page.
func (m *Manager) show(w http.ResponseWriter, r *http.Request, code int, p answer.Page) {
	p.Sub = r.Host
	if m.d.Lab {
		p.Sub += " · local partner cloud, not Microsoft"
	}
	a := p.Answer(code)
	a.Header = append(a.Header, [2]string{"Cache-Control", "no-store"}, [2]string{"X-Content-Type-Options", "nosniff"})
	if r.Method == http.MethodHead {
		a.Body = nil
	}
	a.Write(w)
}

// refusal is a sign-in that was not taken. It unwraps to a problem with the same words.
type refusal struct {
	Title, Cause string
	Words, Fix   string
	To           string
	Retry        bool
	Facts        []answer.Fact
	kind         problem.Kind
}

func (r *refusal) Error() string { return r.Words }
func (r *refusal) Unwrap() error { return problem.New(r.kind, "%s", r.Words).WithHint("%s", r.Fix) }

func (r *refusal) title() string {
	if r.Title == "" {
		return "Not signed in"
	}
	return r.Title
}

func refuse(kind problem.Kind, cause, fix, format string, args ...any) *refusal {
	return &refusal{Cause: cause, Words: fmt.Sprintf(format, args...), Fix: fix, Retry: true, kind: kind}
}

// lead sends a browser on, with cookies.
func lead(w http.ResponseWriter, where string, cookies ...string) {
	h := w.Header()
	for _, c := range cookies {
		h.Add("Set-Cookie", c)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", where)
	w.WriteHeader(http.StatusSeeOther)
}

// who is the session of a request.
func (m *Manager) who(r *http.Request) (*entry, string, gateway.Reason) {
	return m.open(r.Host, strings.Join(r.Header.Values("Cookie"), "; "), m.now())
}

// app is the app that signs people in.
func (m *Manager) app(ctx context.Context) (SignIn, error) {
	si, err := m.d.SignIn(ctx)
	if err == nil && (si.App.ClientID == "" || !guid.MatchString(si.Tenant)) {
		err = problem.New(problem.NotFound, "no app is set up that signs browsers in").WithHint("signIn in the gateway's file names it")
	}
	si.Tenant = strings.ToLower(si.Tenant)
	if si.Name == "" {
		si.Name = si.Tenant
	}
	return si, err
}

// origin is the authority's, for a page whose form leads there.
func (m *Manager) origin(si *SignIn) string {
	u, err := url.Parse(m.d.Browsable(si.Cloud.Authority))
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (m *Manager) keys(w http.ResponseWriter, _ *http.Request) error {
	if m.d.KeySet == nil {
		return problem.New(problem.NotFound, "this gateway signs no assertions").WithHint("identity.assertion in its file switches them on")
	}
	h := w.Header()
	h.Set("Content-Type", "application/jwk-set+json")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(m.d.KeySet())
	return nil
}

// words says a duration: "8 hours", "1 hour and 30 minutes".
func words(d time.Duration) string {
	plural := func(n int, word string) string {
		if n == 1 {
			return "1 " + word
		}
		return fmt.Sprintf("%d %ss", n, word)
	}
	switch h, mins := int(d.Hours()), int(d.Minutes())%60; {
	case d < time.Minute:
		return plural(int(d.Seconds()), "second")
	case h == 0:
		return plural(mins, "minute")
	case mins == 0:
		return plural(h, "hour")
	default:
		return plural(h, "hour") + " and " + plural(mins, "minute")
	}
}
