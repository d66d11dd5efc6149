package check

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/guard"
	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/proxy"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Deps are what a Checker needs.
type Deps struct {
	Table *gateway.Table
	// Keys has the authorities' keys; nil reads none, and then what a token says is taken
	// as it says it.
	Keys verify.Source
	// Authority is what challenges name; "" is the commercial cloud's.
	Authority string
	Now       time.Time // of whatever says no moment of its own
}

// Checker tries requests against a table. It is for one goroutine.
type Checker struct {
	d     Deps
	guard *guard.Guard
	who   *taker
	clock atomic.Pointer[time.Time]
}

// New makes a checker; kind problem.Usage where the table's authorities cannot be.
func New(d Deps) (*Checker, error) {
	if d.Table == nil || d.Now.IsZero() {
		return nil, problem.New(problem.Internal, "a check needs a table and a moment")
	}
	c := &Checker{d: d}
	c.clock.Store(&d.Now)
	who, err := newTaker(d, func() time.Time { return *c.clock.Load() })
	if err != nil {
		return nil, err
	}
	c.who = who
	if c.guard, err = guard.New(guard.Deps{Verifier: who}); err != nil {
		return nil, err
	}
	c.guard.Take(d.Table)
	return c, nil
}

// Tried is what one request would get.
type Tried struct {
	ID     string    `json:"id,omitempty"` // as it was asked
	Method string    `json:"method"`
	URL    string    `json:"url"` // without its query
	At     time.Time `json:"at"`

	Route   string  `json:"route,omitempty"`
	Mode    string  `json:"mode,omitempty"`
	Next    *Phase  `json:"next,omitempty"`
	Reason  string  `json:"reason"`
	Title   string  `json:"title"`
	Fix     string  `json:"fix,omitempty"`
	Refused bool    `json:"refused"`
	Enforce bool    `json:"wouldRefuse"` // enforcing would refuse it
	Excused *Except `json:"excused,omitempty"`

	// Because is what of the token or the request decided.
	Because string `json:"because,omitempty"`
	// Checked says whether the signature was: without keys a token is taken as it says.
	Checked bool    `json:"signatureChecked"`
	Caller  *Caller `json:"caller,omitempty"`
	// Told says whether the upstream is told who asks.
	Told bool `json:"told"`

	Answer   *Answer   `json:"answer,omitempty"` // where it is refused now
	Enforced *Answer   `json:"answerEnforced,omitempty"`
	Announce []Header  `json:"announce,omitempty"` // headers of what is served
	Notes    []string  `json:"notes,omitempty"`
	decision *decision // for lines of the report
}

type decision struct {
	d gateway.Decision
	r *gateway.Request
}

// Header is one of an answer.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Phase is a mode from a moment on.
type Phase struct {
	Mode string    `json:"mode"`
	From time.Time `json:"from,omitzero"`
}

// Caller is who asks.
type Caller struct {
	Tenant   string    `json:"tenant,omitempty"`
	Home     string    `json:"home,omitempty"`
	ObjectID string    `json:"objectId,omitempty"`
	Account  string    `json:"account,omitempty"`
	App      string    `json:"app,omitempty"`
	IsApp    bool      `json:"isApp,omitempty"`
	MFA      string    `json:"mfa"` // true, false, unknown
	AuthTime time.Time `json:"authTime,omitzero"`
	Version  string    `json:"version,omitempty"`
}

// Try says what becomes of a request. It never fails: what cannot be is refused.
func (c *Checker) Try(a *Asked) *Tried {
	at := a.At
	if at.IsZero() {
		at = c.d.Now
	}
	c.clock.Store(&at)
	c.who.begin(a)
	r := a.request(at)
	if len(a.Claims) > 0 {
		r.Authorization = "Bearer " + saidToken
	}
	d := c.decide(a, r)
	t := &Tried{ID: a.ID, Method: r.Method, URL: a.plainURL(), At: at, Reason: d.Reason.String(), Title: d.Reason.Title(), Fix: d.Reason.Fix(),
		Refused: d.Refused, Enforce: d.Reason != gateway.Passed && d.Excused == nil, Told: d.Told() != nil, Checked: c.who.checked,
		decision: &decision{d, r}}
	if d.Route != nil {
		t.Route, t.Mode = d.Route.Name, d.Phase.String()
		if d.Next != nil {
			t.Next = &Phase{Mode: d.Next.String(), From: d.Next.From}
		}
	}
	if d.Excused != nil {
		t.Excused = except(d.Excused, at)
	}
	if id := d.Identity; id != nil {
		t.Caller = caller(id)
	}
	t.Because = c.because(a, r, &d)
	t.Notes = c.notes(a, r, &d)
	c.answers(t, d, r)
	return t
}

// decide is the gateway's own way (proxy): what is not plain is refused, its own pages
// are nobody's route, a route may let preflights through, and the guard decides the rest.
func (c *Checker) decide(a *Asked, r *gateway.Request) gateway.Decision {
	bad := gateway.Decision{Reason: gateway.BadRequest, Refused: true}
	if !a.whole || !proxy.CheckHost([]byte(r.Host)) {
		return bad
	}
	route, _ := c.d.Table.Find(r.Host, r.Path)
	target := r.Path
	if route != nil && route.EncodedSlash {
		target = strings.NewReplacer("%2f", "/", "%2F", "/").Replace(target)
	}
	if r.Query != "" {
		target += "?" + r.Query
	}
	switch {
	case !proxy.CheckTarget([]byte(target)):
		bad.Route = route
		return bad
	case c.own(r):
		return gateway.Decision{}
	case route != nil && route.Preflight && preflight(a, r):
		d := gateway.Decision{Route: route}
		d.Phase, d.Next = route.Phase(r.Now)
		return d
	}
	return c.guard.Judge(r)
}

// own says whether a request is for the gateway's own pages.
func (c *Checker) own(r *gateway.Request) bool {
	return gateway.Reserved(r.Path) && c.d.Table.Serves(r.Host)
}

// preflight is a browser's question whether a script may ask (CORS).
func preflight(a *Asked, r *gateway.Request) bool {
	return r.Method == http.MethodOptions && r.Authorization == "" && len(a.header("Origin")) > 0 && len(a.header("Access-Control-Request-Method")) > 0
}

func (c *Checker) answers(t *Tried, d gateway.Decision, r *gateway.Request) {
	o := answer.Options{Authority: c.d.Authority, SignIn: c.d.Table.SignIn != nil && d.Route != nil && d.Route.Browser}
	switch {
	case d.Refused:
		t.Answer = answered(answer.For(d, r, o))
	default:
		for _, h := range answer.Announce(d) {
			t.Announce = append(t.Announce, Header{h[0], h[1]})
		}
		if t.Enforce {
			d.Refused, d.Phase = true, gateway.Phase{Mode: gateway.Enforce}
			t.Enforced = answered(answer.For(d, r, o))
		}
	}
}

func caller(id *gateway.Identity) *Caller {
	out := &Caller{Tenant: id.Tenant, Home: id.Home, ObjectID: id.ObjectID, Account: id.Account, App: id.App, IsApp: id.IsApp, Version: id.Version,
		MFA: "false"}
	switch {
	case id.Proven:
		out.MFA = "true"
	case id.IsApp, id.Lacks == gateway.VersionHides:
		out.MFA = "unknown"
	}
	if id.AuthTime > 0 {
		out.AuthTime = time.Unix(id.AuthTime, 0).UTC()
	}
	return out
}

// Keys reads the keys of the table's authorities and says how it stands with them. nil
// where none are read. What could not be read is in the states, and is no error.
func (c *Checker) Keys(ctx context.Context) []verify.AuthorityStatus {
	if c.d.Keys == nil {
		return nil
	}
	_ = c.who.real.Refresh(ctx) // told by the states
	return c.who.real.Status().Authorities
}

// inspect reads what a token says, for the words about it.
func inspect(token string) claim.Token { return claim.Inspect(secret.New(token)) }

// Line is the decision as files of decisions have it (partnerguard gateway report --from).
func (t *Tried) Line() ledger.Line {
	d, r := &t.decision.d, t.decision.r
	l := ledger.Line{At: t.At, Route: t.Route, Reason: t.Reason, Mode: d.Phase.Mode.String(), Refused: d.Refused, Kind: ledger.Unknown.String(), Request: t.ID}
	if d.Excused != nil {
		l.Excused = d.Excused.Name
	}
	id := d.Identity
	if id == nil {
		if r.Remote.IsValid() {
			l.Caller = r.Remote.Unmap().String()
		}
		return l
	}
	l.Kind, l.Caller, l.Tenant, l.Account, l.Client, l.Way = ledger.User.String(), id.ObjectID, id.Tenant, id.Account, id.App, "bearer"
	if id.IsApp {
		l.Kind, l.Caller = ledger.App.String(), id.App
	}
	return l
}
