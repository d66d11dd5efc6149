package gateway

import (
	"net/netip"
	"time"
)

// Request is what a decision needs to know of one. It holds secrets, and lives as long
// as the request does: nobody keeps it, and its bytes are the caller's to use again.
type Request struct {
	Method string
	Host   string // as it was sent, perhaps with a port
	Path   string // as it was sent, without the query, still escaped
	Query  string // as it was sent, without the question mark; not decided by

	Authorization string // the one header's value; "" is none
	Doubled       bool   // there were several Authorization headers
	Cookie        string // the one Cookie header's value, or several joined by "; "
	UserAgent     string
	Accept        string
	FetchMode     string // Sec-Fetch-Mode
	FetchDest     string // Sec-Fetch-Dest
	RequestedWith string // X-Requested-With

	Remote netip.Addr
	ID     string // request id
	TLS    bool
	Now    time.Time

	Memory *Memory // of the connection that it came by; nil is none
}

// Memory is what a verifier keeps of the token that a connection brought last, for the
// same one to be known again without more than a comparison. It is one connection's, goes
// with it, and is used by one goroutine at a time. It starts empty.
type Memory struct {
	Token []byte // a secret
	Found any    // what the verifier knows of it
}

// Decision is what becomes of one request.
type Decision struct {
	Route    *Route // nil where there is none
	Identity *Identity
	Reason   Reason // what is wrong, whether or not it is refused
	Refused  bool   // and so it is answered, not served
	Phase    Phase
	Next     *Phase
	// Excused is the exception by which it passes, with Reason still saying what it
	// excuses.
	Excused *Exception
}

// Told is the identity that the upstream may be told of: nil unless it is genuine, in
// time, of an accepted tenant, for this audience and not revoked, though a route that
// only reports serves the rest too.
func (d *Decision) Told() *Identity {
	if d.Route == nil || d.Reason != Passed && (d.Reason < AppNotAllowed || d.Reason == CustomerNotAllowed || d.Reason == TooMany || d.Reason >= reasons) {
		return nil
	}
	return d.Identity
}

// Turned says whether the decision may be another one now, of the same request by the same
// file: the route's mode has turned, or the exception has ended.
func (d *Decision) Turned(now time.Time) bool {
	if d.Route == nil {
		return true
	}
	holds, _ := d.Route.Phase(now)
	return holds != d.Phase || d.Excused != nil && !now.Before(d.Excused.Until)
}

// Judge decides requests. It is safe for concurrent use, and takes no lock where the
// token was seen before.
type Judge interface {
	Judge(r *Request) Decision
}

// Verifier takes a token only when it is genuine, in time and of an accepted authority.
// It keeps no part of token. What it cannot take has its reason and no identity, except
// that a genuine token which is Expired or NotYetValid has both. Tenant, audience,
// revocation and MFA are not its matter.
type Verifier interface {
	Verify(token string, from netip.Addr, now time.Time) (*Identity, Reason)
}

// Rememberer is a [Verifier] that has use for a connection's memory, which may not be nil.
// It decides as Verify does, of the same moment.
type Rememberer interface {
	Remember(m *Memory, token string, from netip.Addr, now time.Time) (*Identity, Reason)
}

// Sessions opens the cookie of a browser: the identity of its sign-in, or the reason:
// NoToken where there is none, SessionOver, Revoked, Blocked.
type Sessions interface {
	Open(host, cookie string, now time.Time) (*Identity, Reason)
}

// Revocations say whether somebody may not come in any more. They take no lock.
type Revocations interface {
	Revoked(id *Identity, now time.Time) bool
}

// Blocks tell besides of whom no later sign-in is taken: a challenge would only send a
// client in circles.
type Blocks interface {
	Blocked(id *Identity, now time.Time) bool
}

// Out says whether somebody may not come in any more: [Revoked], [Blocked] where r tells
// that no new sign-in helps, or [Passed]. r may be nil: nobody is out.
func Out(r Revocations, id *Identity, now time.Time) Reason {
	if r == nil || !r.Revoked(id, now) {
		return Passed
	}
	if b, ok := r.(Blocks); ok && b.Blocked(id, now) {
		return Blocked
	}
	return Revoked
}

// Book writes down what was decided. It never waits, and never fails the request.
type Book interface {
	Note(d *Decision, r *Request)
	// Full says that nothing more can be written down now.
	Full() bool
}
