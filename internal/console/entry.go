package console

import (
	_ "embed"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/secret"
	"partnerguard/internal/web"
)

// Paths of the entry.
const (
	signInPath   = "/signin"
	beginPath    = "/signin/entra"
	callbackPath = "/signin/callback"
	stepUpPath   = "/signin/step-up"
	linkPath     = "/signin/link/"
	signOutPath  = "/signout"
)

// Enter mounts the entry: the sign-in and its answer, the link, the step-up, the end.
func (c *Console) Enter(m web.Mux) {
	for _, r := range []web.Route{
		{Name: "console.signin", Pattern: "GET " + signInPath, Access: web.Public("somebody who is not in yet must see how to come in"), Handle: c.showSignIn},
		{Name: "console.signin.entra", Pattern: "POST " + beginPath, Access: web.Public("it sends a browser to Entra ID and gives nothing"),
			Handle: c.postSignIn},
		{Name: "console.signin.callback", Pattern: "GET " + callbackPath,
			Access: web.Own("the answer's state and the browser's sealed cookie bind it to a sign-in that was begun here"), Handle: c.callback},
		{Name: "console.stepup", Pattern: "GET " + stepUpPath, Access: web.Public("it says why MFA is asked for, and gives nothing"), Handle: c.showStepUp},
		{Name: "console.stepup.entra", Pattern: "POST " + stepUpPath, Access: web.Public("it sends a browser to Entra ID and gives nothing"),
			Handle: c.postStepUp},
		{Name: "console.link", Pattern: "GET " + linkPath + "{link}", Access: web.Loopback, Handle: c.showLink},
		{Name: "console.link.use", Pattern: "POST " + linkPath + "{link}", Access: web.Loopback, Handle: c.postLink},
		{Name: "console.signout", Pattern: "POST " + signOutPath, Access: c.Entered(), Handle: c.signOut},
		{Name: "console.signout.everywhere", Pattern: "POST " + signOutPath + "/everywhere", Access: c.Entered(), Handle: c.signOutEverywhere},
	} {
		r.Page, r.MaxBody = true, 16<<10
		r.Policy = screen.Policy
		if strings.HasPrefix(r.Name, "console.sign") || strings.HasPrefix(r.Name, "console.step") || strings.HasPrefix(r.Name, "console.link") {
			r.Fail = c.fail
		}
		m.Handle(r)
	}
}

// whyWords are what the sign-in page says of a session that is over.
func (c *Console) whyWords(why string) (words string, tone print.Tone) {
	switch why {
	case overLife:
		return "Your session ended after " + span(c.d.Config.Life), print.Doubt
	case overIdle:
		return "Your session ended: it was not used for " + span(c.d.Config.Idle), print.Doubt
	case overGone:
		return "Your session was ended", print.Doubt
	case overClock:
		return "Your session ended: this machine's clock was set back", print.Doubt
	case overRole:
		return "Your session ended: you have no role here any more", print.Doubt
	case "left":
		return "You are signed out here. Your sign-in at Microsoft is not ended by it", print.Good
	}
	return "", print.Muted
}

func (c *Console) showSignIn(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	to, why := safePath(q.Get("to")), q.Get("why")
	if _, err := c.session(r); err == nil && why == "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	p := &entryPage{Title: "Sign in", Sub: r.Host, Foot: "A second factor is always asked for. Who comes in, and who is refused, stands in the trail."}
	if p.Banner, p.Tone = c.whyWords(why); p.Banner != "" && why != "left" {
		p.Back = called(to)
	}
	c.offer(r, p, to)
	c.show(w, r, p)
	return nil
}

// offer says how somebody can come in.
func (c *Console) offer(r *http.Request, p *entryPage, to string) {
	const own = "partnerguard console link"
	si, err := c.app(r.Context())
	switch {
	case err == nil:
		p.Sub = r.Host + " · " + print.Clean(si.Name, print.MaxName)
		p.form = c.authorityOrigin()
		if home := c.canonical(r); home != "" && !strings.HasSuffix(home, "//"+r.Host) {
			p.form += " " + home // by 127.0.0.1 the form is sent on to localhost, which browsers hold to the same rule
		}
		p.Forms = []entryForm{
			{Action: beginPath, Text: "Continue with Entra ID", Icon: "out", Primary: true, To: to},
			{Action: beginPath, Text: "Use another account", To: to, As: "other"},
		}
		if c.canonical(r) == "" {
			p.Forms, p.Fix = nil, "open the console by its own name: "+c.d.Public
		}
	case errors.Is(err, problem.NotFound):
		p.Words = append(p.Words, "No tenant is connected yet, so nobody can sign in with Entra ID")
	default:
		p.Words = append(p.Words, "Entra ID cannot be asked just now: "+public(err))
	}
	if web.FromHere(r) || len(p.Forms) == 0 {
		p.Other = own
	}
}

// public are the words of an error that may be shown.
func public(err error) string {
	if e, ok := errors.AsType[*problem.Error](err); ok && e.Kind != problem.Internal {
		return e.Public
	}
	return "something went wrong here; it was logged"
}

func (c *Console) authorityOrigin() string {
	u, err := url.Parse(c.d.Browsable(c.d.Cloud.Authority))
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (c *Console) showLink(w http.ResponseWriter, r *http.Request) error {
	l, err := c.findLink(r.Context(), secret.New(r.PathValue("link")))
	if err != nil {
		return c.strayLink(r, err)
	}
	c.show(w, r, &entryPage{Title: "Open the console", Sub: r.Host,
		Words: []string{"This link lets you in as the operator of this machine, with every right. It works once"},
		Facts: []entryFact{{"You come in as", l.actor}, {"Works until", l.ends.Format("15:04 UTC")}},
		Forms: []entryForm{{Action: r.URL.EscapedPath(), Text: "Open the console", Icon: "key", Primary: true}},
		Foot:  "From this machine alone. The session ends after " + span(c.d.Config.Life) + "."})
	return nil
}

func (c *Console) postLink(w http.ResponseWriter, r *http.Request) error {
	was := ""
	if s, err := c.session(r); err == nil {
		was = s.ID
	}
	s, text, err := c.useLink(r.Context(), secret.New(r.PathValue("link")), r, was)
	if err != nil {
		return c.strayLink(r, err)
	}
	if err := c.give(w, r, s, text); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// strayLink writes down that somebody came with a link that lets nobody in.
func (c *Console) strayLink(r *http.Request, err error) error {
	if errors.Is(err, problem.NotFound) {
		c.refused(r, "unknown", "", "link", err.Error(), nil)
	}
	return err
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) error {
	v := ViewerOf(r.Context())
	if v.Session == "" {
		return problem.New(problem.Usage, "a token has no session to end").WithHint("partnerguard console tokens remove ends a token")
	}
	if err := c.end(r.Context(), v.Session, audit.ConsoleLeft, v.Actor); err != nil && !errors.Is(err, problem.NotFound) {
		return err
	}
	return c.leave(w, r)
}

func (c *Console) signOutEverywhere(w http.ResponseWriter, r *http.Request) error {
	v := ViewerOf(r.Context())
	if v.Session == "" {
		return problem.New(problem.Usage, "a token has no session to end").WithHint("partnerguard console tokens remove ends a token")
	}
	if err := c.end(r.Context(), v.Session, audit.ConsoleLeft, v.Actor); err != nil && !errors.Is(err, problem.NotFound) {
		return err
	}
	if _, err := c.EndSessions(r.Context(), v.Actor, "", v.Actor); err != nil {
		return err
	}
	return c.leave(w, r)
}

func (c *Console) leave(w http.ResponseWriter, r *http.Request) error {
	c.setCookie(w, r, cookieSession, "", 0)
	w.Header().Set("Clear-Site-Data", `"cache"`) // what was seen is not to be paged back to
	http.Redirect(w, r, signInPath+"?why=left", http.StatusSeeOther)
	return nil
}
