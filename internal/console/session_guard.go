package console

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/web"
)

type keyViewer struct{}

// ViewerOf is who asks, on a route behind [Console.Guard] or [Console.Entered]; nil on
// any other.
func ViewerOf(ctx context.Context) *screen.Viewer {
	v, _ := ctx.Value(keyViewer{}).(*screen.Viewer)
	return v
}

// Guard is the rule of a route that needs a right: a session, or a program's token, whose
// role has it. A person without a session is sent to the sign-in and comes back; who may
// not is refused, which the trail says. What changes something needs a proof of MFA that
// is new enough, else the person is sent to prove it.
//
// It does not know tenants: whoever mounts a page holds the tenant that is asked for to
// [screen.Viewer.Sees].
func (c *Console) Guard(right screen.Right) web.Access {
	allow := func(w http.ResponseWriter, r *http.Request) (*http.Request, error) { return c.admit(w, r, right) }
	return web.Guarded(string(right), "a session, or a token in its scope, whose role has the right", allow)
}

// Entered is the rule of a route for everybody who came in, whatever they may.
func (c *Console) Entered() web.Access {
	return web.Guarded("entered", "a session or a token, whatever its role", func(w http.ResponseWriter, r *http.Request) (*http.Request, error) {
		return c.admit(w, r, "")
	})
}

func (c *Console) admit(w http.ResponseWriter, r *http.Request, right screen.Right) (*http.Request, error) {
	v, s, err := c.who(w, r)
	if err != nil {
		return nil, err
	}
	if right != "" && !v.May(right) {
		return nil, c.mayNot(r, v, right)
	}
	if right.Acts() && s != nil && !s.fresh(c.now(), c.d.Config) {
		return nil, web.Elsewhere(stepUpPath+"?"+url.Values{"why": {"old"}, "to": {backTo(r)}}.Encode(),
			problem.New(problem.Unauthenticated, "the proof of MFA is too old to change something; nothing was done").
				WithHint("prove MFA anew, and send it again"))
	}
	return r.WithContext(context.WithValue(r.Context(), keyViewer{}, v)), nil
}

// who is who asks. A request with a token is a program's, whatever cookies it has.
func (c *Console) who(w http.ResponseWriter, r *http.Request) (*screen.Viewer, *Session, error) {
	if given := r.Header.Values("Authorization"); len(given) > 0 {
		scheme, text, _ := strings.Cut(given[0], " ")
		if len(given) > 1 || !strings.EqualFold(scheme, "Bearer") {
			return nil, nil, problem.New(problem.Unauthenticated, "the header Authorization is not understood").
				WithHint("Authorization: Bearer %s…", TokenPrefix)
		}
		v, err := c.byToken(r.Context(), strings.TrimSpace(text), addressOf(r))
		return v, nil, err
	}
	s, err := c.session(r)
	if err == nil {
		var v *screen.Viewer
		if v, err = c.viewer(r.Context(), s); err == nil {
			return v, s, nil
		}
	}
	over, ok := errors.AsType[*ended](err)
	if !ok {
		return nil, nil, err
	}
	if over.why != "" {
		c.setCookie(w, r, cookieSession, "", 0)
	}
	q := url.Values{"to": {backTo(r)}}
	if over.why != "" {
		q.Set("why", over.why)
	} else if r.Method == http.MethodGet && r.URL.Path == "/" {
		q.Del("to")
	}
	where := signInPath
	if len(q) > 0 {
		where += "?" + q.Encode()
	}
	return nil, nil, web.Elsewhere(where, problem.New(problem.Unauthenticated, "nobody is signed in").
		WithHint("sign in, or send a token: Authorization: Bearer %s…", TokenPrefix))
}

// mayNot refuses, and says so in the trail: a person's at most once a minute a right.
func (c *Console) mayNot(r *http.Request, v *screen.Viewer, right screen.Right) error {
	if c.stray.Due(c.now(), "may "+v.Actor+" "+string(right)) > 0 {
		if err := c.record(r.Context(), audit.Event{Action: audit.ConsoleRefused, Outcome: audit.Refused, Actor: v.Actor,
			Reason: "the role has no right to it", Details: map[string]string{"right": string(right), "role": v.Role, "session": v.Session}}); err != nil {
			return err
		}
	}
	return problem.New(problem.Forbidden, "the role %s has no right to this (%s)", v.Role, right).WithHint("an administrator gives roles: see docs/console.md")
}

// backTo is where a person goes after the sign-in: the page itself, or the page that a
// form stands on, which is never sent again by itself.
func backTo(r *http.Request) string {
	to := r.URL.EscapedPath()
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		if r.URL.RawQuery != "" {
			to += "?" + r.URL.RawQuery
		}
	} else {
		to = path.Dir(to)
	}
	return safePath(to)
}

// safePath is an address of this server to go to, "/" for anything else: an address of
// another host, a scheme, whatever a browser could take for one.
func safePath(to string) string {
	const most = 1500
	if to == "" || to[0] != '/' || len(to) > most || strings.HasPrefix(to, "//") ||
		strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' || r == '#' }) {
		return "/"
	}
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	// As the server reads it: no path of ours is written longer than it has to be.
	clean := path.Clean(u.Path)
	if strings.ContainsFunc(u.Path, func(r rune) bool { return r < ' ' || r == '\\' }) || clean != u.Path && clean+"/" != u.Path ||
		clean == signInPath || strings.HasPrefix(clean, signInPath+"/") || clean == signOutPath || strings.HasPrefix(clean, signOutPath+"/") {
		return "/"
	}
	return to
}

// addressOf is who is at the other end of the connection: a proxy where there is one,
// since what it says of others can be said by anybody.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || strings.HasPrefix(name, "X-Forwarded-") {
			return host + " (a proxy)"
		}
	}
	return host
}

// clientOf is the class of a browser, of words of ours alone.
func clientOf(r *http.Request) string {
	ua := r.UserAgent()
	if len(ua) > 1000 {
		ua = ua[:1000]
	}
	pick := func(of [][2]string) string {
		for _, p := range of {
			if strings.Contains(ua, p[0]) {
				return p[1]
			}
		}
		return ""
	}
	what := pick([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
		{"Go-http-client", "a Go program"}})
	on := pick([][2]string{{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
		{"CrOS", "ChromeOS"}})
	switch {
	case what == "":
		return "another client"
	case on == "":
		return what
	}
	return what + " on " + on
}
