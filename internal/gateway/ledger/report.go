package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/print"
)

// Sum is how often something was decided.
type Sum struct {
	Hour                                                                            int64 // since 1970; of several the first
	Route, Reason, Mode, Kind, Tenant, Caller, Client, Agent, Way, Excused, Account string
	Refused                                                                         bool
	N                                                                               int64
	First, Last                                                                     time.Time
}

// Hour is how much came in one hour.
type Hour struct {
	At       time.Time `json:"at"`
	Requests int64     `json:"requests"`
	NotWell  int64     `json:"wouldRefuse"` // what enforcing refuses
	Refused  int64     `json:"refused"`
}

// Route is what a report should know of a route; [gateway.Route] makes one.
type Route struct {
	Name       string
	Holds      gateway.Phase
	Next       *gateway.Phase
	Exceptions int
}

// RoutesOf are a file's routes as they are at a moment.
func RoutesOf(routes []*gateway.Route, now time.Time) (out []Route) {
	for _, r := range routes {
		holds, next := r.Phase(now)
		out = append(out, Route{Name: r.Name, Holds: holds, Next: next, Exceptions: len(r.Exceptions)})
	}
	return out
}

// Turn is what a route's mode will be.
type Turn struct {
	Mode  string    `json:"mode"`
	Share int       `json:"share,omitempty"` // percent of callers
	From  time.Time `json:"from"`
}

// Ready is how ready a route is to be enforced.
type Ready struct {
	Route    string `json:"route"`
	Mode     string `json:"mode"` // "" where the file is not known
	Share    int    `json:"share,omitempty"`
	Next     *Turn  `json:"next,omitempty"`
	Requests int64  `json:"requests"`
	Would    int64  `json:"wouldRefuse"` // requests that enforcing refuses, those that were refused among them
	Refused  int64  `json:"refused"`     // that were
	Renewed  int64  `json:"renewed"`     // of wouldRefuse: by a token or session that was over, which clients and browsers renew by themselves
	Excused  int64  `json:"excused"`
	Unasked  int64  `json:"notAsked"` // came while the mode was off: nothing is known of them

	Callers   int    `json:"callers"`        // who proved who they are
	Hit       int    `json:"callersHit"`     // of these: enforcing refuses something of theirs
	Excepted  int    `json:"callersExcused"` // of these: by an exception they pass
	Strangers int64  `json:"unproven"`       // requests without a token or session that is taken
	Beyond    int64  `json:"beyond"`         // requests of callers that were too many to count one by one
	Says      string `json:"says"`
}

// Finding is who would be refused, and why.
type Finding struct {
	Route   string    `json:"route"`
	Reason  string    `json:"reason"`
	Title   string    `json:"title"`
	Fix     string    `json:"fix"`
	Kind    string    `json:"kind"`
	Tenant  string    `json:"tenant,omitempty"`
	Caller  string    `json:"caller,omitempty"`
	Account string    `json:"account,omitempty"`
	Client  string    `json:"client,omitempty"`
	Agent   string    `json:"agent,omitempty"`
	Excused string    `json:"excused,omitempty"`
	Times   int64     `json:"times"`
	Refused int64     `json:"refused"` // of these that were refused already
	Share   float64   `json:"share"`   // of the route's requests
	Callers int       `json:"callers,omitempty"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// Report is who would be refused tomorrow.
type Report struct {
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	Routes   []Ready   `json:"routes"`
	Findings []Finding `json:"findings"`
}

// Filter says what a report is of.
type Filter struct {
	Since, Until time.Time
	Route        string
}

// Report makes the report of what is kept. routes are the file's; nil where it is not
// known. What is counted and not written down yet is written first.
func (l *Ledger) Report(ctx context.Context, f Filter, routes []Route) (*Report, error) {
	if f.Until.IsZero() {
		f.Until = l.d.Now()
	}
	list, err := l.sums(ctx, hourOf(f.Since), hourOf(f.Until), f.Route)
	if err != nil {
		return nil, err
	}
	return Make(list, routes, f), nil
}

// Hours are the requests of each hour since a moment; hours without any are left out.
func (l *Ledger) Hours(ctx context.Context, since time.Time, route string) ([]Hour, error) {
	return l.hours(ctx, hourOf(since), route)
}

// Whose gives the accounts, as tenant and object id, that a name or an object id was of;
// five at most.
func (l *Ledger) Whose(ctx context.Context, name string) ([][2]string, error) {
	return l.whose(ctx, name)
}

// who names a caller.
type who struct{ kind, tenant, caller string }

// stand is a route while it is added up.
type stand struct {
	Ready
	callers, hit, excepted map[who]bool
}

// Make adds counts up. It reads nothing.
func Make(list []Sum, routes []Route, f Filter) *Report {
	by := map[string]*stand{}
	of := func(name string) *stand {
		s := by[name]
		if s == nil {
			s = &stand{Ready: Ready{Route: name}, callers: map[who]bool{}, hit: map[who]bool{}, excepted: map[who]bool{}}
			by[name] = s
		}
		return s
	}
	for i := range routes {
		r := &routes[i]
		if f.Route != "" && r.Name != f.Route {
			continue
		}
		s := of(r.Name)
		s.Mode, s.Share = r.Holds.Mode.String(), r.Holds.Share
		if r.Next != nil {
			s.Next = &Turn{r.Next.Mode.String(), r.Next.Share, r.Next.From.UTC()}
		}
	}
	for i := range list {
		of(list[i].Route).count(&list[i])
	}
	r := &Report{Since: f.Since.UTC(), Until: f.Until.UTC(), Routes: []Ready{}, Findings: []Finding{}}
	for _, s := range by {
		s.Callers, s.Hit, s.Excepted = len(s.callers), len(s.hit), len(s.excepted)
		s.Says = s.say()
		r.Routes = append(r.Routes, s.Ready)
	}
	slices.SortFunc(r.Routes, func(a, b Ready) int { return cmp.Or(cmp.Compare(b.Would, a.Would), strings.Compare(a.Route, b.Route)) })
	r.find(list, by)
	return r
}

// count takes a count of a route.
func (s *stand) count(c *Sum) {
	s.Requests += c.N
	w := who{c.Kind, c.Tenant, c.Caller}
	proven := c.Kind == User.String() || c.Kind == App.String()
	switch {
	case c.Kind == Others.String():
		s.Beyond += c.N
	case proven:
		s.callers[w] = true
	case c.Mode == gateway.Off.String():
	default:
		s.Strangers += c.N
	}
	switch {
	case c.Mode == gateway.Off.String() && c.Reason == gateway.Passed.String():
		s.Unasked += c.N
	case c.Excused != "":
		s.Excused += c.N
		if proven {
			s.excepted[w] = true
		}
	case c.Reason != gateway.Passed.String():
		s.Would += c.N
		if c.Refused {
			s.Refused += c.N
		}
		switch {
		case c.Reason == gateway.Expired.String() || c.Reason == gateway.SessionOver.String():
			s.Renewed += c.N
		case proven:
			s.hit[w] = true
		}
	}
}

// say is how ready a route is, in a sentence.
func (s *stand) say() string {
	switch {
	case s.Requests == 0:
		return "Nothing came, so nothing is known."
	case s.Unasked == s.Requests:
		return "Nothing was asked while its mode was off: report says who would be refused."
	case s.Route == "":
		return fmt.Sprintf("%s asked for a host or path that no route serves: these are refused in every mode.", print.Plural(s.Requests, "requests"))
	}
	asked := s.Requests - s.Unasked
	verb := "Enforcing now would refuse"
	if s.Mode == gateway.Enforce.String() {
		verb = "It refuses"
	}
	out := "Enforcing would have refused nobody"
	if s.Mode == gateway.Enforce.String() {
		out = "It refused nobody"
	}
	out += fmt.Sprintf(" of %s.", print.Plural(int64(s.Callers), "callers"))
	if s.Callers == 0 {
		out = "Nobody proved who asks."
		if s.Would > 0 {
			out = fmt.Sprintf("%s %s of requests: nobody proved who asks.", verb, Percent(s.Would, asked))
		}
	} else if s.Would > 0 {
		out = fmt.Sprintf("%s %d of %s, %s of requests.", verb, s.Hit, print.Plural(int64(s.Callers), "callers"), Percent(s.Would, asked))
	}
	if s.Renewed > 0 {
		out += fmt.Sprintf(" %s by tokens or sessions that were over: clients renew these by themselves.", print.Plural(s.Renewed, "requests"))
	}
	if s.Strangers > 0 && s.Callers > 0 {
		out += fmt.Sprintf(" %s came without a token or session that is taken.", print.Plural(s.Strangers, "requests"))
	}
	if s.Mode == "" && s.Refused > 0 { // of a file that is not known
		out += fmt.Sprintf(" Already refused: %s.", print.Plural(s.Refused, "requests"))
	}
	if s.Excepted > 0 {
		out += fmt.Sprintf(" %s by exceptions.", plural(s.Excepted, "caller passes", "callers pass"))
	}
	if s.Unasked > 0 {
		out += fmt.Sprintf(" Of %s nothing is known: the mode was off.", print.Plural(s.Unasked, "requests"))
	}
	if s.Beyond > 0 {
		out += fmt.Sprintf(" %s were of more callers than are counted one by one.", print.Plural(s.Beyond, "requests"))
	}
	return out
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Percent is a share in words: never 0 % of something, nor all of less.
func Percent(n, of int64) string {
	switch {
	case of <= 0:
		return "none"
	case n == 0:
		return "0 %"
	case n == of:
		return "100 %"
	}
	p := float64(n) * 100 / float64(of)
	switch {
	case p < 0.1:
		return "less than 0.1 %"
	case p > 99.9:
		return "more than 99.9 %"
	case p < 10:
		return fmt.Sprintf("%.1f %%", p)
	}
	return fmt.Sprintf("%.0f %%", min(p, 99))
}
