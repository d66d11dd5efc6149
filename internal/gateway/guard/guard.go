package guard

import (
	"strings"
	"sync"
	"sync/atomic"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/rule"
	"partnerguard/internal/problem"
)

// Deps are what a guard asks. Verifier is required; without Sessions no browser is in,
// without Revocations nothing is revoked, without Book nothing is written down.
type Deps struct {
	Verifier    gateway.Verifier
	Sessions    gateway.Sessions
	Revocations gateway.Revocations
	Book        gateway.Book
}

// Guard is a [gateway.Judge] by the table it has taken last.
type Guard struct {
	d     Deps
	again gateway.Rememberer // the verifier, where it is one
	table atomic.Pointer[gateway.Table]
	notes sync.Pool // of *gateway.Decision, so that a note costs no allocation
}

var _ gateway.Judge = (*Guard)(nil)

// New makes a guard that finds no route until it has taken a table.
func New(d Deps) (*Guard, error) {
	if d.Verifier == nil {
		return nil, problem.New(problem.Internal, "a guard needs a verifier")
	}
	g := &Guard{d: d}
	g.again, _ = d.Verifier.(gateway.Rememberer)
	g.notes.New = func() any { return new(gateway.Decision) }
	g.table.Store(&gateway.Table{})
	return g, nil
}

// Take makes t the table that holds. Requests that are being decided keep the one
// they began with.
func (g *Guard) Take(t *gateway.Table) { g.table.Store(t) }

// Table is the one that holds.
func (g *Guard) Table() *gateway.Table { return g.table.Load() }

// Judge decides one request, and writes the decision into the book.
func (g *Guard) Judge(r *gateway.Request) gateway.Decision {
	d := g.decide(r)
	if g.d.Book != nil {
		n := g.notes.Get().(*gateway.Decision)
		*n = d
		g.d.Book.Note(n, r)
		*n = gateway.Decision{}
		g.notes.Put(n)
	}
	return d
}

func (g *Guard) decide(r *gateway.Request) gateway.Decision {
	d := gateway.Decision{}
	d.Route, d.Reason = g.table.Load().Find(r.Host, r.Path)
	if d.Reason != gateway.Passed || d.Route == nil {
		if d.Reason == gateway.Passed {
			d.Reason = gateway.NoRoute
		}
		d.Refused = true
		return d
	}
	if d.Phase, d.Next = d.Route.Phase(r.Now); d.Phase.Mode == gateway.Off {
		return d
	}
	d.Identity, d.Reason = g.who(d.Route, r)
	if d.Reason == gateway.Passed {
		d.Reason, d.Excused = g.well(d.Route, d.Identity, r)
	}
	if d.Route.FullTrail && (d.Reason == gateway.Passed || d.Excused != nil) && (g.d.Book == nil || g.d.Book.Full()) {
		d.Reason, d.Excused = gateway.TrailFull, nil
	}
	d.Refused = d.Reason != gateway.Passed && d.Excused == nil && refuses(&d, r)
	return d
}

// who says who asks: by the token where there is one, else by a browser's session.
func (g *Guard) who(route *gateway.Route, r *gateway.Request) (*gateway.Identity, gateway.Reason) {
	if r.Doubled {
		return nil, gateway.TooManyTokens
	}
	if token, ok := Bearer(r.Authorization); ok {
		if !route.Bearer {
			return nil, gateway.NoToken
		}
		if r.Memory != nil && g.again != nil {
			return sure(g.again.Remember(r.Memory, token, r.Remote, r.Now))
		}
		return sure(g.d.Verifier.Verify(token, r.Remote, r.Now))
	}
	if !route.Browser || g.d.Sessions == nil || r.Cookie == "" {
		return nil, gateway.NoToken
	}
	return sure(g.d.Sessions.Open(r.Host, r.Cookie, r.Now))
}

// sure fails closed: nobody passes without an identity.
func sure(id *gateway.Identity, reason gateway.Reason) (*gateway.Identity, gateway.Reason) {
	if reason == gateway.Passed && id == nil {
		return nil, gateway.NoToken
	}
	return id, reason
}

// well says what is wrong with somebody who has proven who they are.
func (g *Guard) well(route *gateway.Route, id *gateway.Identity, r *gateway.Request) (gateway.Reason, *gateway.Exception) {
	if reason := rule.Meant(route, id); reason != gateway.Passed {
		return reason, nil
	}
	if reason := gateway.Out(g.d.Revocations, id, r.Now); reason != gateway.Passed {
		return reason, nil
	}
	return rule.Satisfies(route, id, r.Now)
}

// refuses says whether the mode of the moment refuses what is not well.
func refuses(d *gateway.Decision, r *gateway.Request) bool {
	switch {
	case d.Reason == gateway.NoRoute, d.Reason == gateway.BadRequest, d.Reason == gateway.TooManyTokens:
		return true
	case d.Phase.Mode == gateway.Report:
		return false
	case d.Phase.Mode == gateway.Ramp:
		return Share(d.Route.Name, d.Identity, r.Remote) < d.Phase.Share
	}
	return true
}

// Bearer gives the token of an Authorization header of that scheme (RFC 6750 section
// 2.1), whatever it is; ok says that the scheme is Bearer, the token may be empty.
func Bearer(header string) (token string, ok bool) {
	const scheme = "bearer"
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", false
	}
	rest := header[len(scheme):]
	if rest == "" {
		return "", true
	}
	if rest[0] != ' ' {
		return rest, rest[0] == '\t' // a tab is none of the grammar, and some readers take it
	}
	return rest[1:], true
}
