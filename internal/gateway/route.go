package gateway

import "time"

// Mode is how far a route goes.
type Mode uint8

// The modes, each harder than the one before.
const (
	Off     Mode = iota // nothing is asked
	Report              // asked and written down, never refused
	Ramp                // refused for a share of callers, always the same ones
	Enforce             // refused
)

var modeWords = [...]string{"off", "report", "ramp", "enforce"}

// String is the word of the file.
func (m Mode) String() string {
	if int(m) < len(modeWords) {
		return modeWords[m]
	}
	return "enforce"
}

// Phase is a mode from a moment on.
type Phase struct {
	Mode  Mode
	Share int       // percent of callers, of Ramp: 1 to 99
	From  time.Time // zero: from the start
}

// Route is one host and path with its rule, compiled and never changed. The file's
// form and the defaults are docs/gateway-config.md.
type Route struct {
	Name     string
	Hosts    []string // lower case, without a port; "*.x" is one label; none is every host
	Path     string   // a prefix by segments: "/", "/api"
	Upstream string   // the first of To.URLs: http://host:port, https://host:port; "" where another proxy has it (forward)
	To       Upstream

	Tenants   []string // accepted, lower case; for AOBO see Customers
	Audiences []string

	Bearer, Browser bool // which callers

	MFA     bool          // the claim is asked for
	Context string        // acrs value asked for; "" is none
	MaxAge  time.Duration // of the sign-in; 0 is that of the token's or the session's own life

	Apps    []string // app-only that may, lower case; none: no app may
	AnyApp  bool
	Clients []string // apps through which users may come, lower case; none is any

	Roles  []string // app roles or directory role templates; with Groups: one of all is enough; none of both asks for none
	Groups []string

	AllCustomers bool
	Customers    []string // tenants for which the partner's people may act (AOBO), lower case

	Phases     []Phase // by From, the first from the start
	Exceptions []Exception
	FullTrail  bool // refuse when nothing can be written down

	Leeway time.Duration // for clocks that differ, the file's

	DropAuthorization bool // the upstream does not see the token
	EncodedSlash      bool // %2F in a path is let through
	Preflight         bool // CORS preflights (OPTIONS) need no token

	Limits Limits
	Plain  bool // all of its upstream speaks HTTP/1.1 without TLS, as the lean path does; set by compiling
}

// Limits of one route.
type Limits struct {
	Body     int64         // bytes of a request
	Header   int           // bytes
	Timeout  time.Duration // until the upstream's header is there
	Idle     time.Duration // of a stream that says nothing
	Retries  int           // of requests that may be sent twice
	Parallel int           // requests at the upstream; 0 is unbounded
}

// Exception lets one caller pass until a day, though the rule says no. It never
// excuses a token that is not genuine: only reasons from AppNotAllowed to AgeUnknown.
type Exception struct {
	Name    string
	Account string // an object id or an account name
	App     string // an app id
	Owner   string
	Why     string
	Until   time.Time
	Reasons []Reason // none is all that can be excused
}

// Phase gives the one that holds, and the one that comes next; nil where none does.
func (r *Route) Phase(now time.Time) (holds Phase, next *Phase) {
	holds = Phase{Mode: Enforce} // fail closed: a route has a phase from the start
	for i := range r.Phases {
		if r.Phases[i].From.After(now) {
			return holds, &r.Phases[i]
		}
		holds = r.Phases[i]
	}
	return holds, nil
}
