package console

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// flowLife is how long a person has to come back from Entra ID.
const flowLife = 10 * time.Minute

// stepUpAge is how old the sign-in of a step-up may be: it was asked for anew.
const stepUpAge = 5 * time.Minute

// flow is a sign-in under way. It lives in a sealed cookie of the browser that began, so
// that any process of ours can take the answer, and no other browser.
type flow struct {
	State    string `json:"s,omitempty"`
	Nonce    string `json:"n,omitempty"`
	Verifier string `json:"v,omitempty"` // PKCE
	To       string `json:"t,omitempty"`
	Hint     string `json:"h,omitempty"` // who it was that came without MFA
	At       int64  `json:"a"`           // microseconds
	Forced   bool   `json:"f,omitempty"` // the step-up: MFA was demanded
	Missed   string `json:"m,omitempty"` // why the first sign-in did not do, for the step-up's page
}

// late says that a flow's time is up. One of the future was begun before the clock was
// set back.
func (f *flow) late(now time.Time) bool {
	age := now.Sub(time.UnixMicro(f.At))
	return age >= flowLife || age < -time.Minute
}

// used remembers the states that were answered, so that an answer counts once, as long as
// its flow could be late. Entra ID takes each code once in any case.
type used struct {
	mu   sync.Mutex // guards the fields below
	list map[[32]byte]time.Time
}

const maxUsed = 100_000

// once says whether a state comes for the first time.
func (u *used) once(state string) bool {
	hash := sha256.Sum256([]byte(state))
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.list == nil {
		u.list = map[[32]byte]time.Time{}
	}
	if _, is := u.list[hash]; is {
		return false
	}
	if len(u.list) >= maxUsed {
		for k, at := range u.list {
			if time.Since(at) >= flowLife {
				delete(u.list, k)
			}
		}
		if len(u.list) >= maxUsed {
			return false
		}
	}
	u.list[hash] = time.Now()
	return true
}

// app is the app that signs people in, and whose.
func (c *Console) app(ctx context.Context) (SignIn, error) {
	if c.d.Entra == nil {
		return SignIn{}, problem.New(problem.NotFound, "nothing is connected to sign in at")
	}
	si, err := c.d.SignIn(ctx, c.d.Config.App)
	if err == nil && (si.App.ClientID == "" || !guidForm.MatchString(si.Tenant)) {
		err = problem.New(problem.NotFound, "the app that signs people in is not known").WithHint("partnerguard connect; or set consoleApp")
	}
	if si.Name == "" {
		si.Name = si.Tenant
	}
	si.Tenant = strings.ToLower(si.Tenant)
	return si, err
}

// canonical is the console's own address for a request: where its cookies live and the
// answer of Entra ID comes in. "" says that the request came by another name.
func (c *Console) canonical(r *http.Request) string {
	if c.d.Public != "" {
		u, err := url.Parse(c.d.Public)
		if err == nil && strings.EqualFold(u.Host, r.Host) {
			return c.d.Public
		}
		return ""
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	u := url.URL{Scheme: scheme, Host: r.Host}
	if !loopbackName(u.Hostname()) {
		return ""
	}
	// Entra ID takes http for localhost alone (RFC 8252 section 8.3 has it otherwise).
	host := "localhost"
	if p := u.Port(); p != "" {
		host += ":" + p
	}
	return scheme + "://" + host
}

// asked is a form's field "to".
func asked(r *http.Request) string { return safePath(r.PostFormValue("to")) }

func (c *Console) postSignIn(w http.ResponseWriter, r *http.Request) error {
	as := ""
	if r.PostFormValue("as") == "other" {
		as = "select_account"
	}
	return c.beginFlow(w, r, flow{To: asked(r)}, as)
}

// beginFlow sends the browser to Entra ID.
func (c *Console) beginFlow(w http.ResponseWriter, r *http.Request, f flow, prompt string) error {
	home := c.canonical(r)
	if home == "" {
		return problem.New(problem.BadInput, "the console is not reached by this name").WithHint("open %s", c.d.Public)
	}
	if u, err := url.Parse(home); err == nil && !strings.EqualFold(u.Host, r.Host) {
		// By 127.0.0.1: the cookie would not come along to localhost, so begin there.
		http.Redirect(w, r, home+signInPath+"?"+url.Values{"to": {f.To}}.Encode(), http.StatusSeeOther)
		return nil
	}
	si, err := c.app(r.Context())
	if err != nil {
		return err
	}
	state, nonce, verifier := token.State(), token.Nonce(), token.Verifier()
	f.State, f.Nonce, f.Verifier, f.At, f.Missed = state.Reveal(), nonce.Reveal(), verifier.Reveal(), c.now().UnixMicro(), ""
	q := msapi.AuthorizeRequest{
		Cloud: c.d.Cloud, ClientID: si.App.ClientID, Tenant: si.Tenant, Redirect: home + callbackPath, Resource: c.d.Cloud.GraphResource,
		State: state, Nonce: nonce, Challenge: token.Challenge(verifier), Mode: "query", Prompt: prompt, LoginHint: f.Hint,
		MaxAge: c.d.Config.Life, Claims: wishes,
	}
	if f.Forced {
		// Once more and with force: a new sign-in, and MFA in each of the ways it can be
		// asked for (contracts.md section 4.2; OpenID Connect Core 5.5).
		q.Prompt, q.AMR, q.MaxAge, q.Claims = "login", "mfa", stepUpAge, c.demands()
	}
	where, err := c.d.Entra.AuthorizeURL(q)
	if err != nil {
		return err
	}
	sealed, err := c.box.seal(r.Context(), c.cookieName(r, cookieFlow), f)
	if err != nil {
		return err
	}
	c.setCookie(w, r, cookieFlow, sealed, flowLife)
	http.Redirect(w, r, c.d.Browsable(where), http.StatusSeeOther)
	return nil
}

// wishes asks, and does not demand, what a token says of the sign-in: the tenant's own
// policies decide first whether MFA is asked for.
const wishes = `{"id_token":{"amr":null,"auth_time":null}}`

// demands asks for MFA by the claim, and by an authentication context where the settings
// name one.
func (c *Console) demands() string {
	context := ""
	if c.d.Config.Context != "" {
		context = `,"acrs":{"essential":true,"value":"` + c.d.Config.Context + `"}`
	}
	return `{"id_token":{"amr":{"essential":true,"values":["mfa"]},"auth_time":{"essential":true}` + context + `}}`
}

// showStepUp says why MFA is asked for, in words, and has one button.
func (c *Console) showStepUp(w http.ResponseWriter, r *http.Request) error {
	si, err := c.app(r.Context())
	if err != nil {
		return err
	}
	f, err := c.waiting(r)
	if err != nil {
		return err
	}
	p := &entryPage{Title: "Prove MFA", Sub: r.Host + " · " + si.Name, Tone: print.Doubt, form: c.authorityOrigin(),
		Foot: "Entra ID is asked for a new sign-in with MFA. If it comes without again, nobody is let in, and the page says what must be set."}
	to := f.To
	switch s, serr := c.session(r); {
	case f.Missed != "":
		p.Banner = "You signed in" + asWhom(f.Hint) + ", and the sign-in does not prove MFA"
		p.Words = []string{"What Entra ID said: " + f.Missed,
			"The tenant's policies did not ask for a second factor at this sign-in. Partner Center demands it of every sign-in, and so does this console"}
	case serr == nil:
		to = safePath(r.URL.Query().Get("to"))
		if s.Way == ByLink {
			return problem.New(problem.Unauthenticated, "this session began with a link, too long ago to change something").
				WithHint("make another on this machine: partnerguard console link")
		}
		p.Banner = "Your proof of MFA is older than " + span(c.d.Config.Proof)
		p.Words = []string{"To see things, it will do. To change something, prove MFA anew; you come back to the page. Nothing that you sent was done"}
		p.Link, p.Path = "Back, without changing anything", to
	default:
		http.Redirect(w, r, signInPath, http.StatusSeeOther)
		return nil
	}
	p.Forms = []entryForm{{Action: stepUpPath, Text: "Sign in with MFA", Icon: "key", Primary: true, To: to}}
	c.show(w, r, p)
	return nil
}

func asWhom(account string) string {
	if account == "" {
		return ""
	}
	return " as " + account
}

// waiting is a first sign-in that came without MFA, zero where there is none.
func (c *Console) waiting(r *http.Request) (flow, error) {
	var f flow
	ok, err := c.readCookie(r, cookieFlow, &f)
	if err != nil || !ok || f.Missed == "" || f.late(c.now()) {
		return flow{}, err
	}
	return f, nil
}

func (c *Console) postStepUp(w http.ResponseWriter, r *http.Request) error {
	f, err := c.waiting(r)
	if err != nil {
		return err
	}
	next := flow{To: asked(r), Forced: true, Hint: f.Hint}
	if next.Hint == "" {
		s, err := c.session(r)
		if err != nil {
			http.Redirect(w, r, signInPath+"?"+url.Values{"to": {next.To}}.Encode(), http.StatusSeeOther)
			return nil
		}
		if strings.Contains(s.Name, "@") {
			next.Hint = s.Name
		}
	}
	return c.beginFlow(w, r, next, "")
}

// refusal is a sign-in that was not taken. It unwraps to a problem with the same words.
type refusal struct {
	Cause string // for the trail
	Words string
	Fix   string
	To    string // where the person wanted to go
	Facts []entryFact
	// Command is what somebody runs, to be copied.
	Command string
	kind    problem.Kind
}

func (r *refusal) Error() string { return r.Words }
func (r *refusal) Unwrap() error { return problem.New(r.kind, "%s", r.Words).WithHint("%s", r.Fix) }

// refuse makes a refusal of somebody who may not; what came is wrong where bad.
func refuse(kind problem.Kind, cause, fix, format string, args ...any) *refusal {
	return &refusal{Cause: cause, Words: fmt.Sprintf(format, args...), Fix: fix, kind: kind}
}

// refused writes a refusal down: of somebody who is known each one, of strangers one a
// minute a cause, with how many there were.
func (c *Console) refused(r *http.Request, actor, tenant, cause, words string, details map[string]string) {
	d := map[string]string{"cause": cause, "address": addressOf(r), "client": clientOf(r)}
	for k, v := range details {
		d[k] = v
	}
	if actor == "unknown" {
		n := c.stray.Due(c.now(), "in "+cause)
		if n == 0 {
			return
		}
		d["times"] = fmt.Sprint(n)
	}
	ctx := context.WithoutCancel(r.Context()) // a browser that leaves keeps it out of no trail
	if err := c.record(ctx, audit.Event{Action: audit.ConsoleRefused, Outcome: audit.Refused, Actor: actor, Tenant: tenant, Reason: words,
		Details: d}); err != nil {
		c.d.Log.ErrorContext(ctx, "a refusal could not be recorded", "cause", cause, "err", err)
	}
}

// turnAway records why a sign-in was not taken, and gives the error back.
func (c *Console) turnAway(r *http.Request, who *person, to string, err error) error {
	no, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	no.To = to
	actor, tenant, d := "unknown", "", map[string]string{}
	if who != nil && who.subject != "" {
		actor, tenant = who.actor(), who.tenant
		d["subject"] = who.subject
	}
	c.refused(r, actor, tenant, no.Cause, no.Words, d)
	return no
}

// span says a duration of the settings in words.
func span(d time.Duration) string {
	h, m := int(d.Hours()), int(d.Minutes())%60
	plural := func(n int, word string) string {
		if n == 1 {
			return "1 " + word
		}
		return fmt.Sprintf("%d %ss", n, word)
	}
	switch {
	case h == 0:
		return plural(m, "minute")
	case m == 0:
		return plural(h, "hour")
	}
	return plural(h, "hour") + " and " + plural(m, "minute")
}
