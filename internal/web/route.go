package web

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"time"
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
type Access struct{ rule, why string }

// Public lets everybody ask. why says, for whoever reviews the list of routes,
// what makes that right.
func Public(why string) Access { return Access{"public", why} }

// Own leaves it to the handler, before anything else it does: callers of the
// broker, an invitation's secret. why says how.
func Own(why string) Access { return Access{"own", why} }

// Loopback lets this machine ask alone: from a loopback address, by a name of
// it, through no proxy that says so. One that says nothing, on this machine, is
// this machine.
var Loopback = Access{"loopback", "this machine alone"}

// String is for the list of routes: "public: a load balancer has no credentials".
func (a Access) String() string { return a.rule + ": " + a.why }

func (a Access) valid() bool { return a.rule != "" && strings.TrimSpace(a.why) != "" }

// allows says whether the request may go on to the handler.
func (a Access) allows(r *http.Request) bool { return a.rule != Loopback.rule || fromHere(r) }

// fromHere says that a request comes from this machine. The name it asks for
// counts too: a page's script can lead a name of its own to 127.0.0.1.
func fromHere(r *http.Request) bool {
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

var routeName = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*$`)

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
		return "it has no access rule: web.Public, web.Own or web.Loopback, with the reason"
	case r.Handle == nil:
		return "it has no handler"
	case !method && r.Fail == nil:
		return "its pattern has no method, and it has no errors of its own to refuse the others with"
	case r.MaxBody < 0 || r.Timeout < 0:
		return "a limit is negative"
	}
	return ""
}
