package session

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

const (
	// flowLife is how long a person has to come back from Entra ID.
	flowLife = 10 * time.Minute
	// stepUpAge is how old the sign-in of a step-up may be: it was asked for anew.
	stepUpAge = 5 * time.Minute
	// leeway is how far clocks may differ.
	leeway = 5 * time.Minute
	// calm is how soon after a sign-in another one is not begun by itself.
	calm = 5 * time.Second
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// flow is a sign-in under way, in a sealed cookie of the browser that began: any process
// with the key can take the answer, and no other browser.
type flow struct {
	State    string `json:"s,omitempty"`
	Nonce    string `json:"n,omitempty"`
	Verifier string `json:"v,omitempty"` // PKCE
	To       string `json:"t,omitempty"`
	Hint     string `json:"h,omitempty"` // whose step-up it is
	At       int64  `json:"a"`           // microseconds
	Forced   bool   `json:"f,omitempty"` // a step-up
	Anew     bool   `json:"w,omitempty"` // and a new sign-in was demanded
	Done     bool   `json:"d,omitempty"` // it is over: when was the last
}

// late says that a flow's time is up. One of the future was begun before the clock was
// set back.
func (f *flow) late(now time.Time) bool {
	age := now.Sub(time.UnixMicro(f.At))
	return age >= flowLife || age < -time.Minute
}

// readFlow opens the cookie of a sign-in under way.
func (m *Manager) readFlow(r *http.Request) (f flow, ok bool, err error) {
	name := m.cookieName(r, flowSuffix)
	value, _ := cookieOf(strings.Join(r.Header.Values("Cookie"), "; "), name)
	if value == "" {
		return flow{}, false, nil
	}
	plain, ok, err := m.d.Seal.Open(bound(name, r.Host), value)
	if !ok || err != nil {
		return flow{}, false, err
	}
	if json.Unmarshal(plain, &f) != nil {
		return flow{}, false, nil
	}
	return f, true, nil
}

func (m *Manager) writeFlow(r *http.Request, f *flow) (string, error) {
	plain, err := json.Marshal(f)
	if err != nil {
		return "", problem.Wrap(err, problem.Internal, "a sign-in could not be written")
	}
	name := m.cookieName(r, flowSuffix)
	value, err := m.d.Seal.Seal(bound(name, r.Host), plain)
	if err != nil {
		return "", err
	}
	if len(value) > maxCookie {
		return "", problem.New(problem.Internal, "a sign-in does not fit into a cookie")
	}
	return cookieLine(name, value, flowLife), nil
}

// why are the words of a reason for which somebody is at the sign-in again.
func (m *Manager) why(word string) (string, print.Tone) {
	life, idle := m.span()
	switch word {
	case gateway.SessionOver.String():
		return "Your session has ended: it lasts " + words(life) + " at most, and ends when it is not used for " + words(idle), print.Doubt
	case gateway.Revoked.String():
		return "Your access was revoked here. A new sign-in may be let in, or not: that is up to whoever revoked it", print.Bad
	case "left":
		return "You are signed out here. Your sign-in at Microsoft is not ended by it", print.Good
	case "everywhere":
		return "You are signed out of every browser here. Your sign-in at Microsoft is not ended by it", print.Good
	case "again":
		return "Sign in again", print.Muted
	case "calm":
		return "You signed in a moment ago, and this browser has not kept the session: does it refuse cookies?", print.Doubt
	}
	return "", print.Muted
}

// signIn begins a sign-in at once, so that who is signed in at Microsoft is back without
// a press; where there is something to say it says that first.
func (m *Manager) signIn(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	to, why := answer.SafePath(q.Get("to")), q.Get("why")
	if f, ok, _ := m.readFlow(r); ok && f.Done && m.d.Now().Sub(time.UnixMicro(f.At)).Abs() < calm && why == "" && q.Get("as") == "" {
		if _, _, reason := m.who(r); reason != gateway.Passed {
			why = "calm"
		}
	}
	banner, tone := m.why(why)
	if banner == "" {
		return m.begin(w, r, flow{To: to}, nil, gateway.Passed, q.Get("as"))
	}
	si, err := m.app(r.Context())
	if err != nil {
		return err
	}
	p := answer.Page{Title: "Sign in", Tone: tone, Banner: banner, Leads: m.leads(r, &si), Forms: []answer.Form{
		{Action: signInPath, Text: "Continue with Entra ID", Primary: true, Fields: [][2]string{{"to", to}}},
		{Action: signInPath, Text: "Use another account", Fields: [][2]string{{"to", to}, {"as", "other"}}},
	}}
	m.show(w, r, http.StatusOK, p)
	return nil
}

// leads are the origins that the forms of a page lead on to.
func (m *Manager) leads(r *http.Request, si *SignIn) []string {
	out := []string{}
	if o := m.origin(si); o != "" {
		out = append(out, o)
	}
	if home := m.canonical(r); home != "" && !strings.HasSuffix(home, "//"+strings.ToLower(r.Host)) {
		out = append(out, home) // by 127.0.0.1 the form is sent on to localhost, which browsers hold to the same rule
	}
	return out
}

func (m *Manager) postSignIn(w http.ResponseWriter, r *http.Request) error {
	return m.begin(w, r, flow{To: answer.SafePath(r.PostFormValue("to"))}, nil, gateway.Passed, r.PostFormValue("as"))
}

// wishes asks, and does not demand, what a token says of the sign-in: the tenant's own
// policies decide first whether MFA is asked for.
const wishes = `{"id_token":{"amr":null,"auth_time":null}}`

// begin sends the browser to Entra ID. A step-up is for a route and what it lacks.
func (m *Manager) begin(w http.ResponseWriter, r *http.Request, f flow, route *gateway.Route, lacks gateway.Reason, as string) error {
	home := m.canonical(r)
	if home == "" {
		return problem.New(problem.BadInput, "a sign-in needs HTTPS here").WithHint("open https://%s", r.Host)
	}
	if !strings.HasSuffix(home, "//"+strings.ToLower(r.Host)) {
		// By 127.0.0.1: the cookie would not come along to localhost, so begin there.
		lead(w, home+signInPath+"?"+url.Values{"to": {f.To}}.Encode())
		return nil
	}
	si, err := m.app(r.Context())
	if err != nil {
		return err
	}
	state, nonce, verifier := token.State(), token.Nonce(), token.Verifier()
	f.State, f.Nonce, f.Verifier, f.At = state.Reveal(), nonce.Reveal(), verifier.Reveal(), m.d.Now().UnixMicro()
	life, _ := m.span()
	q := msapi.AuthorizeRequest{
		Cloud: si.Cloud, ClientID: si.App.ClientID, Tenant: si.Tenant, Redirect: home + callbackPath, Resource: si.Cloud.GraphResource,
		State: state, Nonce: nonce, Challenge: token.Challenge(verifier), Mode: "query", LoginHint: f.Hint, MaxAge: life, Claims: wishes,
	}
	if as == "other" {
		q.Prompt = "select_account"
	}
	if f.Forced {
		demand(&q, &f, route, lacks, m.d.Now())
	}
	where, err := m.d.Entra.AuthorizeURL(q)
	if err != nil {
		return err
	}
	cookie, err := m.writeFlow(r, &f)
	if err != nil {
		return err
	}
	lead(w, m.d.Browsable(where), cookie)
	return nil
}

// demand asks with force for what is lacking: by the claims, by MFA in each of the ways
// it can be asked for (contracts.md section 4.2), and by a new sign-in. Only a context is
// asked for without one: Entra ID knows what its policies want on top.
func demand(q *msapi.AuthorizeRequest, f *flow, route *gateway.Route, lacks gateway.Reason, now time.Time) {
	if c := answer.SignInClaims(route, lacks, now); c != "" && lacks != gateway.Revoked {
		q.Claims = c
	}
	if route.MFA {
		q.AMR = "mfa"
	}
	if lacks != gateway.ContextMissing {
		q.Prompt, q.MaxAge, f.Anew = "login", stepUpAge, true
	}
}
