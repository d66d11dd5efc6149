package pages

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/mfa"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/web"
)

// Paths below the public address.
const (
	ChallengePath = "/mfa/challenge/"
	EnrolPath     = "/mfa/enrol/"
	OwnPath       = "/mfa/me"
	staticPath    = "/mfa/static/"
)

var (
	//go:embed page.tmpl
	pageText string
	//go:embed page.css
	pageCSS string
	//go:embed key.js
	keyJS string

	writePage = page.Renderer(pageText, nil)
	sheet     = sync.OnceValue(func() page.Sheet { return page.NewSheet(pageCSS) })
	scriptAt  = sync.OnceValue(func() string {
		sum := sha256.Sum256([]byte(keyJS))
		return staticPath + "key." + hex.EncodeToString(sum[:8]) + ".js"
	})
)

// Deps is everything the pages need.
type Deps struct {
	Store *mfa.Store       // required
	Now   func() time.Time // nil is time.Now
	Log   *slog.Logger     // nil discards
}

// Pages are the pages of people: they ask, and package mfa judges. It is an
// [mfa.Challenger]. Safe for concurrent use.
type Pages struct {
	d      Deps
	answer mfa.Answerer
	secure bool

	mu    sync.Mutex        // guards the field below
	asked map[string]asking // keys that were asked without a name, by the hash of the cookie
}

var _ mfa.Challenger = (*Pages)(nil)

// asking is a key that was asked who it is.
type asking struct {
	kept   json.RawMessage
	until  time.Time
	source string
}

// They are bounded, and few are one address's, or a stranger would keep everybody from
// being asked. Behind a load balancer a person comes back to the process that asked, or
// asks again.
const (
	maxAsked   = 10_000
	maxAskedOf = 100
)

// New makes the pages.
func New(d Deps) (*Pages, error) {
	if d.Store == nil {
		return nil, errors.New("mfa/pages: Store is required")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Pages{d: d, secure: strings.HasPrefix(d.Store.Public(), "https://"), asked: map[string]asking{}}, nil
}

// Answers says who sends browsers back to Entra ID. Call it before anything is served;
// without it no challenge is taken.
func (p *Pages) Answers(a mfa.Answerer) { p.answer = a }

// Mount answers the pages.
func (p *Pages) Mount(m web.Mux) error {
	policy := strings.Replace(sheet().Policy("'self'"), "base-uri", "script-src 'self'; base-uri", 1)
	for _, r := range []web.Route{
		{Name: "mfa.challenge", Pattern: "GET " + ChallengePath + "{id}", Access: web.Own("a cookie binds the challenge to the browser that brought it"),
			Handle: opened(p.challenge)},
		{Name: "mfa.challenge.answer", Pattern: "POST " + ChallengePath + "{id}",
			Access: web.Own("a cookie binds the challenge to the browser that brought it"), Handle: opened(p.challengeAnswer)},
		{Name: "mfa.enrol", Pattern: "GET " + EnrolPath + "{link}", Access: web.Own("the address holds the invitation's secret"), Handle: p.invitation},
		{Name: "mfa.enrol.begin", Pattern: "POST " + EnrolPath + "{link}", Access: web.Own("the address holds the invitation's secret"),
			Handle: p.invitationBegin},
		{Name: "mfa.me", Pattern: "GET " + OwnPath, Access: web.Own("a factor is shown first, and a cookie says so for some minutes"), Handle: p.own},
		{Name: "mfa.me.do", Pattern: "POST " + OwnPath, Access: web.Own("a factor is shown first, and a cookie says so for some minutes"), Handle: p.ownDo},
	} {
		r.Page, r.Policy, r.Fail, r.MaxBody = true, policy, p.fail, 128<<10
		m.Handle(r)
	}
	m.Handle(web.Route{Name: "mfa.static", Pattern: "GET " + staticPath + "{name}", Access: web.Public("the script of the pages, the same for everybody"),
		Handle: func(w http.ResponseWriter, r *http.Request) error {
			if staticPath+r.PathValue("name") != scriptAt() {
				return problem.New(problem.NotFound, "there is no such file").WithHint("load the page again")
			}
			return web.Fixed("text/javascript; charset=utf-8", []byte(keyJS))(w, r)
		}})
	return nil
}

// opened lets the window of a challenge keep whoever opened it: many applications sign in
// by a window of their own, and wait for it. Also when it fails: the window goes back.
func opened(h func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cross-Origin-Opener-Policy", "unsafe-none")
		return h(w, r)
	}
}

// Begin keeps a challenge, binds it to the browser, and sends that to the page.
func (p *Pages) Begin(ctx context.Context, w http.ResponseWriter, r *http.Request, c mfa.Challenge, payload []byte) error {
	if p.answer == nil {
		return problem.New(problem.Unavailable, "nobody here answers Microsoft Entra ID")
	}
	c, browser, err := p.d.Store.Keep(ctx, c, payload)
	if err != nil {
		return err
	}
	p.setCookie(w, challengeCookie(c.ID), browser, c.Deadline.Sub(p.d.Now())+10*time.Minute)
	http.Redirect(w, r, ChallengePath+c.ID, http.StatusSeeOther)
	return nil
}

// Cookies: the prefix keeps other hosts and plain HTTP from setting one (RFC 6265bis). They
// come back with a navigation from Entra ID, which is another site: Lax, not Strict.
const (
	ownCookie   = "partnerguard-mfa"
	askCookie   = "partnerguard-mfa-ask"
	knownPrefix = "partnerguard-mfa-known-"
)

func challengeCookie(id string) string { return "partnerguard-mfa-" + id }

func (p *Pages) cookieName(name string) string {
	if p.secure {
		return "__Host-" + name
	}
	return name
}

func (p *Pages) setCookie(w http.ResponseWriter, name string, value secret.Text, life time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: p.cookieName(name), Value: value.Reveal(), Path: "/", MaxAge: int(life.Seconds()), HttpOnly: true,
		Secure: p.secure, SameSite: http.SameSiteLaxMode})
}

func (p *Pages) dropCookie(w http.ResponseWriter, name string) {
	p.setCookie(w, name, secret.Text{}, -time.Second)
}

// cookie is the value of a cookie that is there once.
func (p *Pages) cookie(r *http.Request, name string) secret.Text {
	if found := r.CookiesNamed(p.cookieName(name)); len(found) == 1 {
		return secret.New(found[0].Value)
	}
	return secret.Text{}
}

// know remembers that a browser is a person's own.
func (p *Pages) know(w http.ResponseWriter, r *http.Request, person *mfa.Person) {
	if v, err := p.d.Store.Known(r.Context(), person); err == nil {
		p.setCookie(w, knownPrefix+person.ID, v, mfa.KnownFor)
	}
}

// sent reads a form: each field once, and none but those that are named.
func sent(r *http.Request, names ...string) (map[string]string, error) {
	if err := r.ParseForm(); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "what was sent is no form").WithHint("load the page again")
	}
	out := map[string]string{}
	for name, list := range r.PostForm {
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if !known || len(list) != 1 {
			return nil, problem.New(problem.Usage, "the form has a field that this page does not have").WithHint("load the page again")
		}
		out[name] = list[0]
	}
	return out, nil
}

// view is what a page shows.
type view struct {
	CSS        template.CSS
	Title, Sub string
	Tone       print.Tone
	Banner     string
	BannerHint string
	Facts      []fact
	Picture    template.HTML // a QR picture of ours
	Key        string        // a secret that is shown once
	Codes      []string
	Have       []have
	Form       *form
	Fault      string
	FaultHint  string
	Buttons    []button
	WaysHead   string
	Ways       []way
	NotMe      string
	Script     string

	status int
}

type (
	fact   struct{ Name, Value, More string }
	way    struct{ Text, Path string }
	hidden struct{ Name, Value string }
	have   struct {
		ID, Label, Kind, Sub string
		May                  bool
	}
	field struct {
		Name, Label, Value, Hint, Mode, Complete string
		Max                                      int
		Code, Required, Focus                    bool
		Judged                                   bool // the fault is this field's
		Enum                                     []hidden
	}
	form struct {
		Action, Button, Options string
		Hidden                  []hidden
		Fields                  []field
	}
	button struct {
		Button, Action string
		Hidden         []hidden
		Primary        bool
	}
)

// Judges says that a field shows the fault.
func (f *form) Judges() bool {
	for _, x := range f.Fields {
		if x.Judged {
			return true
		}
	}
	return false
}

func do(what string, more ...hidden) []hidden { return append([]hidden{{"do", what}}, more...) }

// faulted shows an error beside the field, where a person can mend it; else it gives the
// error back.
func (v *view) faulted(err error) error {
	e, ok := errors.AsType[*problem.Error](err)
	if !ok || e.Kind == problem.Internal || e.Kind == problem.Unavailable || e.Kind == problem.NotFound || e.Kind == problem.Unauthenticated {
		return err
	}
	v.status = web.Status(err)
	v.Fault, v.FaultHint = print.Ended(print.Sentence(e.Public)), print.Ended(print.Sentence(e.Hint))
	return nil
}

func (p *Pages) show(w http.ResponseWriter, v *view) error {
	v.CSS = sheet().CSS
	if v.Form != nil && v.Form.Options != "" {
		v.Script = scriptAt()
	}
	var b bytes.Buffer
	if err := writePage(&b, v); err != nil {
		return problem.Wrap(err, problem.Internal, "the page could not be written")
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if v.status != 0 {
		w.WriteHeader(v.status)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// fail writes an error as a page.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	words, hint := web.Words(status, err)
	v := &view{Title: "This cannot go on", Tone: print.Bad, Banner: print.Ended(print.Sentence(words)), BannerHint: print.Ended(print.Sentence(hint)),
		status: status}
	if errors.Is(err, problem.NotFound) || errors.Is(err, problem.Conflict) {
		v.Tone = print.Doubt
	}
	if serr := p.show(w, v); serr != nil {
		p.d.Log.ErrorContext(r.Context(), "a page could not be written", "err", serr)
	}
}

// ask remembers what a key was asked without a name, and binds it to the browser.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request, c mfa.Ceremony) error {
	browser, source, of := token.Text(), mfa.Source(r), 0
	now := p.d.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, a := range p.asked {
		if !now.Before(a.until) {
			delete(p.asked, k)
		} else if a.source == source {
			of++
		}
	}
	if len(p.asked) >= maxAsked || of >= maxAskedOf && !mfa.Proxied(source) {
		return problem.New(problem.TooMany, "too many keys are being asked").WithHint("try again in some minutes").WithAfter(time.Minute)
	}
	p.asked[token.Fingerprint(browser)] = asking{c.Kept, now.Add(5 * time.Minute), source}
	p.setCookie(w, askCookie, browser, 5*time.Minute)
	return nil
}

// taken gives what was asked, once.
func (p *Pages) taken(r *http.Request) json.RawMessage {
	k := token.Fingerprint(p.cookie(r, askCookie))
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.asked[k]
	delete(p.asked, k)
	if !ok || !p.d.Now().Before(a.until) {
		return nil
	}
	return a.kept
}
