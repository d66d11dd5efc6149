package console

import (
	"bytes"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"partnerguard/internal/audit"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
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

//go:embed entry.tmpl
var entryText string

var (
	writeEntry = page.Renderer(entryText, nil)
	entrySheet = sync.OnceValue(func() page.Sheet { return page.NewSheet() })
)

// entryPage is one page of the entry: one question, one or two buttons.
type entryPage struct {
	CSS    template.CSS
	Title  string
	Sub    string
	Tone   string // of the banner: "unk", "not", "met"
	Banner string
	Words  []string
	Fix    string
	Facts  []entryFact
	Forms  []entryForm
	Link   string // text of a link to Path
	Path   string
	Foot   string
	Local  bool
	status int
	form   string // where its forms may lead beside us
}

type entryFact struct{ Name, Value string }

type entryForm struct {
	Action, Text, Icon string
	Primary            bool
	To                 string
	As                 string // value of "as"
}

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
		r.Policy = entrySheet().Policy("'self'")
		if strings.HasPrefix(r.Name, "console.sign") || strings.HasPrefix(r.Name, "console.step") || strings.HasPrefix(r.Name, "console.link") {
			r.Fail = c.fail
		}
		m.Handle(r)
	}
}

func (c *Console) show(w http.ResponseWriter, p *entryPage) {
	sheet := entrySheet()
	p.CSS, p.Local = sheet.CSS, c.d.Lab
	for i := range p.Words {
		p.Words[i] = sentence(p.Words[i])
	}
	p.Banner, p.Fix = sentence(p.Banner), sentence(p.Fix)
	for i := range p.Facts {
		p.Facts[i].Value = print.Clean(p.Facts[i].Value, print.MaxName)
	}
	var b bytes.Buffer
	if err := writeEntry(&b, p); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	form := "'self'"
	if p.form != "" { // browsers hold the redirect of a form against form-action too
		form += " " + p.form
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", sheet.Policy(form))
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	if p.status == 0 {
		p.status = http.StatusOK
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(b.Bytes())
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return print.Ended(print.Clean(s, print.MaxSaying))
}

// whyWords are what the sign-in page says of a session that is over.
func (c *Console) whyWords(why string) (words, tone string) {
	switch why {
	case overLife:
		return "Your session ended after " + span(c.d.Config.Life), "unk"
	case overIdle:
		return "Your session ended: it was not used for " + span(c.d.Config.Idle), "unk"
	case overGone:
		return "Your session was ended", "unk"
	case overClock:
		return "Your session ended: this machine's clock was set back", "unk"
	case overRole:
		return "Your session ended: you have no role here any more", "unk"
	case "left":
		return "You are signed out here. Your sign-in at Microsoft is not ended by it", "met"
	}
	return "", ""
}

func (c *Console) showSignIn(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	to, why := safePath(q.Get("to")), q.Get("why")
	if _, err := c.session(r); err == nil && why == "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	p := &entryPage{Title: "Sign in", Sub: r.Host, Foot: "A second factor is always asked for. Who comes in, and who is refused, stands in the trail."}
	if p.Banner, p.Tone = c.whyWords(why); p.Banner != "" && to != "/" && why != "left" {
		p.Banner += ". Sign in, and you are back at " + strings.TrimPrefix(strings.SplitN(to, "?", 2)[0], "/")
	}
	c.offer(r, p, to)
	c.show(w, p)
	return nil
}

// offer says how somebody can come in.
func (c *Console) offer(r *http.Request, p *entryPage, to string) {
	own := "On the machine itself there is another way: partnerguard console link"
	si, err := c.app(r.Context())
	switch {
	case err == nil:
		p.Sub = r.Host + " · " + print.Clean(si.Name, print.MaxName)
		p.form = c.authorityOrigin()
		p.Forms = []entryForm{
			{Action: beginPath, Text: "Continue with Entra ID", Icon: "out", Primary: true, To: to},
			{Action: beginPath, Text: "Use another account", To: to, As: "other"},
		}
		if c.canonical(r) == "" {
			p.Forms, p.Fix = nil, "open the console by its own name: "+c.d.Public
		}
	case errors.Is(err, problem.NotFound):
		p.Words = append(p.Words, "No tenant is connected yet, so nobody can sign in with Entra ID")
		p.Fix = own
	default:
		p.Words = append(p.Words, "Entra ID cannot be asked just now: "+public(err))
		p.Fix = own
	}
	if len(p.Forms) > 0 && web.FromHere(r) {
		p.Words = append(p.Words, own)
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
	c.show(w, &entryPage{Title: "Open the console", Sub: r.Host,
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

// fail shows an error of the entry as a page of it.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	p := &entryPage{Title: "Not signed in", Tone: "not", Banner: "Something went wrong here; it was logged", Link: "Back to the sign-in", Path: signInPath,
		status: status}
	if e, ok := errors.AsType[*problem.Error](err); ok && e.Kind != problem.Internal {
		p.Banner, p.Fix = e.Public, e.Hint
	}
	if no, ok := errors.AsType[*refusal](err); ok {
		p.Facts, p.Link, p.Path = no.Facts, "Sign in again", signInPath
		if no.To != "" && no.To != "/" {
			p.Path += "?" + url.Values{"to": {no.To}}.Encode()
		}
	}
	c.show(w, p)
}
