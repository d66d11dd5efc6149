package web

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
)

// Mux takes the routes of a feature; *Kernel meets it.
type Mux interface {
	// Handle adds a route. It panics, naming the route, when that has no name or
	// one that is taken, no access rule, no handler, or a pattern that is wrong or
	// clashes: all of it is a mistake in the code and is met by every test that
	// starts a server.
	Handle(Route)
}

// Route is one thing that is answered.
type Route struct {
	// Name is how the log and the metrics call it: lower case, "feature.thing".
	Name string
	// Pattern is one of net/http, with its method: "GET /connect/{link}". Only a
	// route with Fail may leave the method out, and refuses the others itself.
	Pattern string
	// Access says who may ask. There is no default.
	Access Access
	// Page: errors are shown to a person, as a page, unless the client says that
	// it would rather have JSON; otherwise they are problem+json.
	Page bool
	// Policy is the content security policy; "" lets an answer do nothing at all.
	Policy string
	// OtherSites says why a form of another site is taken here; "" refuses it. Whoever
	// says so proves what comes by something else than a cookie.
	OtherSites string
	// MaxBody is how many bytes of a body are read; 0 is MaxBody.
	MaxBody int64
	// Timeout is when the request's context ends; 0 is Timeout.
	Timeout time.Duration
	// Handle answers. An error becomes the answer, unless one was begun: then the
	// connection is cut, so that nobody takes half of it for the whole.
	Handle func(w http.ResponseWriter, r *http.Request) error
	// Fail writes errors where a protocol, or a feature's page, has a form of its
	// own. It is given the status, must write it or one it knows better, and shows
	// no words but those of a problem.Error that is not Internal. Retry-After is
	// set already. Optional.
	Fail func(w http.ResponseWriter, r *http.Request, status int, err error)
}

// Limits of a route that says nothing else.
const (
	MaxBody = 1 << 20 // bytes
	Timeout = 110 * time.Second
)

// Access is a rule of who may ask. The zero value is none, and no route can be
// without one.
type Access struct {
	rule, why string
	guarded   bool
	allow     Allow // of a guarded route
}

// Allow decides whether a request may go on to the handler, and gives the request that
// the handler sees: who asks is in its context. It writes nothing but headers, such as
// a cookie. Its error becomes the answer: of kind [problem.Unauthenticated] where nobody
// has proven who asks ([Elsewhere] sends a person to where they can), of
// [problem.Forbidden] where who asks may not.
type Allow func(w http.ResponseWriter, r *http.Request) (*http.Request, error)

// Public lets everybody ask. why says, for whoever reviews the list of routes,
// what makes that right.
func Public(why string) Access { return Access{rule: "public", why: why} }

// Own leaves it to the handler, before anything else it does: callers of the
// broker, an invitation's secret. why says how.
func Own(why string) Access { return Access{rule: "own", why: why} }

// Guarded has a feature's own function decide before the handler runs, so that no
// handler can forget to ask. rule says what it asks for, such as a right; why how.
func Guarded(rule, why string, allow Allow) Access { return Access{rule, why, true, allow} }

// Rule is what the rule is called: "public", "own", "loopback", or what a guarded
// route asks for.
func (a Access) Rule() string { return a.rule }

// Loopback lets this machine ask alone: from a loopback address, by a name of
// it, through no proxy that says so. One that says nothing, on this machine, is
// this machine.
var Loopback = Access{rule: "loopback", why: "this machine alone"}

// String is for the list of routes: "public: a load balancer has no credentials".
func (a Access) String() string { return a.rule + ": " + a.why }

func (a Access) valid() bool {
	named := a.rule == "public" || a.rule == "own" || a.rule == Loopback.rule
	return a.rule != "" && strings.TrimSpace(a.why) != "" && named != a.guarded && a.guarded == (a.allow != nil)
}

// admit gives the request that may go on to the handler, or why none may.
func (a Access) admit(w http.ResponseWriter, r *http.Request) (*http.Request, error) {
	switch {
	case a.rule == Loopback.rule && !FromHere(r):
		return nil, problem.New(problem.Forbidden, "this is for the machine itself alone")
	case a.allow == nil:
		return r, nil
	}
	next, err := a.allow(w, r)
	if err == nil && next == nil { // a rule that forgot to decide lets nobody in
		err = problem.New(problem.Internal, "a rule of access decided nothing")
	}
	return next, err
}

// FromHere says that a request comes from this machine, through no proxy that says
// so. The name it asks for
// counts too: a page's script can lead a name of its own to 127.0.0.1.
func FromHere(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().IsLoopback() {
		return false
	}
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || strings.HasPrefix(name, "X-Forwarded-") {
			return false
		}
	}
	host := r.Host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	own, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && own.IsLoopback()
}

var routeName = pattern.Later(`^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*$`)

// fault is what keeps a route from being taken; "" is nothing.
func (r *Route) fault(taken func(string) bool) string {
	_, _, method := strings.Cut(r.Pattern, " ")
	switch {
	case r.Name == "":
		return "it has no name"
	case !routeName.MatchString(r.Name):
		return "a name is lower case words with dots between them"
	case taken(r.Name):
		return "the name is taken"
	case !r.Access.valid():
		return "it has no access rule: web.Public, web.Own, web.Loopback or web.Guarded, with the reason"
	case r.Handle == nil:
		return "it has no handler"
	case !method && r.Fail == nil:
		return "its pattern has no method, and it has no errors of its own to refuse the others with"
	case r.MaxBody < 0 || r.Timeout < 0:
		return "a limit is negative"
	}
	return ""
}
