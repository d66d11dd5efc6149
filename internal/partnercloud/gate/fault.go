package gate

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// Kind says what harm a fault does.
type Kind string

// The kinds. Delay, RetryAfter and Status mean something for the kinds that
// name them and are refused for the others.
const (
	// Throttle answers 429 in the service's own shape, with Retry-After (RetryAfter, default 5 s).
	Throttle Kind = "429"
	// ThrottleBare answers 429 without Retry-After, as Conditional Access and Identity Protection do.
	ThrottleBare Kind = "429-bare"
	// ServerErrors answers 500, 502, 503 and 504 in turn, or always Status.
	ServerErrors Kind = "5xx"
	// Error500 and Error503 answer that status; 503 with Retry-After when RetryAfter is set.
	Error500 Kind = "500"
	Error503 Kind = "503"
	// Slow waits Delay (default 3 s) before the service sees the request.
	Slow Kind = "slow"
	// Cut closes the connection before anything is done or said.
	Cut Kind = "cut"
	// Half sends the headers and half of the body, then cuts.
	Half Kind = "half"
	// Lost lets the service do the work, then cuts without a word.
	Lost Kind = "lost"
	// RepeatPage answers a request for the next page once with the bytes of the page before.
	RepeatPage Kind = "repeat-page"
	// ChangedPage refuses the second read of the same next link.
	ChangedPage Kind = "changed-page"
	// Skew moves the Date header by Delay (either way, default 10 min); services read it from [SkewOf].
	Skew Kind = "skew"
	// TooWide answers 504 to a request for more of a log than Delay (default 1 day):
	// production times out over wide ranges (contracts.md section 3.1).
	TooWide Kind = "too-wide"
	// ExpiredToken answers as the service does to a token whose life has ended.
	ExpiredToken Kind = "expired-token"
	// NeverEnds lets the service begin what takes time and never end it: an operation stays
	// running, what is pending pending. Services read it from [FateOf].
	NeverEnds Kind = "never-ends"
	// EndsBadly lets it end in failure: an operation failed, an assignment in error.
	EndsBadly Kind = "ends-badly"
)

// beside says that a fault of this kind goes with whatever else answers.
func (k Kind) beside() bool { return k == Slow || k == Skew || k == NeverEnds || k == EndsBadly }

// Kinds lists every kind, each with a line for people.
func Kinds() [][2]string {
	return [][2]string{
		{string(Throttle), "throttled, in the service's own shape, with Retry-After"},
		{string(ThrottleBare), "throttled without Retry-After"},
		{string(ServerErrors), "500, 502, 503 and 504 in turn"},
		{string(Error500), "an internal error"},
		{string(Error503), "not available"},
		{string(Slow), "a reply that takes long"},
		{string(Cut), "the connection is cut before the request is seen"},
		{string(Half), "half of the body, then the connection is cut"},
		{string(Lost), "the work is done and the reply is lost"},
		{string(RepeatPage), "the same page twice"},
		{string(ChangedPage), "a next link that has expired when read again"},
		{string(Skew), "a clock that is off"},
		{string(ExpiredToken), "the token has expired"},
		{string(TooWide), "a log is asked for over too long a time"},
		{string(NeverEnds), "what takes time begins and never ends"},
		{string(EndsBadly), "what takes time ends in failure"},
	}
}

// Any is the service of a fault that hits all of them.
const Any = "*"

// The services the partner cloud has; their names decide the shape of errors.
const (
	Login  = "login"
	Graph  = "graph"
	Center = "center"
	ARM    = "arm"
	Portal = "portal"
	Vault  = "keyvault"
	// Retired is what Microsoft has switched off; no fault names it.
	Retired = "retired"
)

// Services lists the names a fault may have.
func Services() []string { return []string{Login, Graph, Center, ARM, Portal, Vault} }

// Fault is one harm and whom it hits. The zero Share means every request.
type Fault struct {
	ID         string        // given by [Gate.Inject]
	Service    string        // required: one of Services, or Any
	Kind       Kind          // required
	Share      float64       // of the requests it could hit; 0 and 1 are all
	Method     string        // optional: only this method
	PathPrefix string        // optional: only paths that start so
	Times      int           // ends after so many hits; 0 is never
	Delay      time.Duration // slow, skew, too-wide
	RetryAfter time.Duration // 429, 503: in whole seconds, rounded up
	Status     int           // 5xx: 500 to 599

	Met  int // requests it could have hit so far
	Hits int // requests it did hit
}

// Spent says that a fault has used up its times.
func (f *Fault) Spent() bool { return f.Times > 0 && f.Hits >= f.Times }

// The bounds of a fault, and how many there may be at once.
const (
	maxDelay      = 10 * time.Minute
	maxSkew       = 366 * 24 * time.Hour
	maxRetryAfter = 24 * time.Hour
	maxFaults     = 100
	maxPath       = 512
)

// checked gives the fault with its defaults, or says what is wrong with it.
func (f Fault) checked() (Fault, error) {
	bad := func(format string, args ...any) (Fault, error) {
		return Fault{}, problem.New(problem.Usage, format, args...)
	}
	var kinds []string
	for _, k := range Kinds() {
		kinds = append(kinds, k[0])
	}
	if !slices.Contains(kinds, string(f.Kind)) {
		return Fault{}, problem.New(problem.Usage, "no fault is called %.40q", string(f.Kind)).WithHint("faults: %s", strings.Join(kinds, ", "))
	}
	if f.Service != Any && !slices.Contains(Services(), f.Service) {
		return Fault{}, problem.New(problem.Usage, "no service is called %.40q", f.Service).
			WithHint("services: %s, or %s for all", strings.Join(Services(), ", "), Any)
	}
	if f.Kind == ExpiredToken && (f.Service == Login || f.Service == Portal) {
		return Fault{}, problem.New(problem.Usage, "%s takes no access token that could expire", f.Service).WithHint("services with tokens: graph, center, arm")
	}
	if math.IsNaN(f.Share) || f.Share < 0 || f.Share > 1 {
		return bad("the share of a fault is between 0 and 1, got %v", f.Share)
	}
	if f.Share == 0 {
		f.Share = 1
	}
	f.Method = strings.ToUpper(f.Method)
	if !slices.Contains([]string{"", http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions}, f.Method) {
		return bad("no method is called %.20q", f.Method)
	}
	if f.PathPrefix != "" && f.PathPrefix[0] != '/' || len(f.PathPrefix) > maxPath {
		return Fault{}, problem.New(problem.Usage, "the path of a fault starts with / and has at most %d characters", maxPath).WithHint("e.g. /v1.0/users")
	}
	if f.Times < 0 {
		return bad("a fault cannot happen %d times", f.Times)
	}
	switch {
	case f.Kind == Slow && (f.Delay < 0 || f.Delay > maxDelay):
		return bad("a reply is slow by %s at most, got %s", maxDelay, f.Delay)
	case f.Kind == Skew && (f.Delay < -maxSkew || f.Delay > maxSkew):
		return bad("a clock is off by a year at most, got %s", f.Delay)
	case f.Kind == TooWide && (f.Delay < 0 || f.Delay > maxSkew):
		return bad("a log is asked for over a year at most, got %s", f.Delay)
	case f.Kind != Slow && f.Kind != Skew && f.Kind != TooWide && f.Delay != 0:
		return bad("the fault %s has no delay", f.Kind)
	case f.Kind == Slow && f.Delay == 0:
		f.Delay = 3 * time.Second
	case f.Kind == TooWide && f.Delay == 0:
		f.Delay = 24 * time.Hour
	case f.Kind == Skew && f.Delay == 0:
		f.Delay = 10 * time.Minute
	}
	switch {
	case f.RetryAfter != 0 && f.Kind != Throttle && f.Kind != Error503:
		return bad("the fault %s has no Retry-After", f.Kind)
	case f.RetryAfter < 0 || f.RetryAfter > maxRetryAfter:
		return bad("Retry-After is at most %s, got %s", maxRetryAfter, f.RetryAfter)
	case f.Kind == Throttle && f.RetryAfter == 0:
		f.RetryAfter = 5 * time.Second
	}
	if f.Status != 0 && (f.Kind != ServerErrors || f.Status < 500 || f.Status > 599) {
		return bad("a status goes with 5xx alone and is between 500 and 599, got %d", f.Status)
	}
	f.ID, f.Met, f.Hits = "", 0, 0
	return f, nil
}

// covers says whether a request of a service could be hit by f at all.
func (f *Fault) covers(service string, r *http.Request) bool {
	return (f.Service == Any || f.Service == service) && (f.Method == "" || f.Method == r.Method) && strings.HasPrefix(r.URL.Path, f.PathPrefix) &&
		!f.Spent() && (f.Kind != ExpiredToken || service != Login && service != Portal)
}

// strike counts one request that f could hit, and says whether it does. Of N
// such requests it hits round(Share·N), evenly spread.
func (f *Fault) strike() bool {
	upTo := func(n int) float64 { return math.Floor(f.Share*float64(n) + 0.5) }
	f.Met++
	if upTo(f.Met) <= upTo(f.Met-1) {
		return false
	}
	f.Hits++
	return true
}

// applied is how a fault is named in what was seen.
func (f *Fault) applied() string { return fmt.Sprintf("%s %s", f.ID, f.Kind) }

// Inject turns a fault on and gives it back with its id and defaults. Faults
// are asked in the order they were injected. Kind problem.Usage says what is
// wrong with it, problem.Limit that there are too many.
func (g *Gate) Inject(f Fault) (Fault, error) {
	f, err := f.checked()
	if err != nil {
		return Fault{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.faults) >= maxFaults {
		return Fault{}, problem.New(problem.Limit, "there are already %d faults", maxFaults).WithHint("clear some first")
	}
	g.lastFault++
	f.ID = fmt.Sprintf("f%d", g.lastFault)
	g.faults = append(g.faults, &f)
	return f, nil
}

// Clear ends the fault with this id, or all when it is empty, and says how
// many that were.
func (g *Gate) Clear(id string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := len(g.faults)
	g.faults = slices.DeleteFunc(g.faults, func(f *Fault) bool { return id == "" || f.ID == id })
	if !slices.ContainsFunc(g.faults, func(f *Fault) bool { return f.Kind == RepeatPage || f.Kind == ChangedPage }) {
		g.pages.forget()
	}
	return before - len(g.faults)
}

// Faults lists what is on, spent ones too, with how often each struck.
func (g *Gate) Faults() []Fault {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Fault, 0, len(g.faults))
	for _, f := range g.faults {
		out = append(out, *f)
	}
	return out
}
