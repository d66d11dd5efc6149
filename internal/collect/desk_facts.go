//go:build !judge

package collect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/page"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// Fact is one list of a tenant as the page shows it.
type Fact struct {
	Tenant  string             `json:"tenant"`
	List    string             `json:"list"` // the resource's name
	Proves  string             `json:"proves"`
	Source  string             `json:"source"`
	State   string             `json:"state"`       // see the states
	At      time.Time          `json:"at,omitzero"` // of when it is: a log is read up to then
	Due     time.Time          `json:"due,omitzero"`
	Gaps    int                `json:"gaps,omitempty"`
	Lost    int                `json:"lost,omitempty"`
	Reason  evidence.GapReason `json:"reason,omitempty"` // why it is refused
	Needs   string             `json:"needs,omitempty"`
	Words   string             `json:"words,omitempty"` // of the last failure
	Pages   int                `json:"pages,omitempty"` // of the reading under way
	Decides []string           `json:"decides,omitempty"`
	Request string             `json:"request"`
	Nearest []string           `json:"nearest,omitempty"`
	Can     string             `json:"can,omitempty"` // what heals it
	Needed  []string           `json:"permissions,omitempty"`
	Every   time.Duration      `json:"-"` // how often it is read
	// Allows is how old it may be before a verdict that rests on it is unknown; 0: none
	// rests on it.
	Allows time.Duration `json:"-"`
	Hours  int           `json:"allowedHours,omitempty"` // Allows
	Age    time.Duration `json:"-"`
	Kept   time.Duration `json:"-"` // how far back Microsoft keeps it

	overdue bool
}

// The states of a fact, the worst first.
const (
	stateStale   = "stale"   // a verdict that rests on it is unknown
	stateLost    = "lost"    // a part can no longer be had
	stateFailing = "failing" // it is tried again
	stateRefused = "refused"
	stateGap     = "gap" // a part is missing, and can be had
	stateNever   = "never"
	stateReading = "reading"
	stateWhole   = "whole"
)

var factStates = []string{stateStale, stateLost, stateFailing, stateRefused, stateGap, stateNever, stateReading, stateWhole}

// rests says of a kind how old it may be for the rules that it decides, and which they are.
type rests struct {
	allows time.Duration
	rules  []string
}

// restsOn is the rule book by kind of evidence.
var restsOn = sync.OnceValue(func() map[evidence.Kind]rests {
	out := map[evidence.Kind]rests{}
	for _, r := range partner.Book() {
		for _, k := range r.Evidence() {
			x := out[k]
			if max := time.Duration(r.MaxAge.Hours) * time.Hour; max > 0 && (x.allows == 0 || max < x.allows) {
				x.allows = max
			}
			x.rules = append(x.rules, r.ID)
			out[k] = x
		}
	}
	return out
})

// Facts are the lists of a tenant, with what is missing of each. The second value says
// whether somebody reads the tenant now. Kind problem.NotFound where the tenant is not read.
func (c *Collector) Facts(ctx context.Context, tenant string) ([]Fact, bool, error) {
	t, err := c.Tenant(ctx, tenant)
	if err != nil {
		return nil, false, err
	}
	status, err := c.Status(ctx, t.ID)
	if err != nil || len(status) == 0 {
		return nil, false, err
	}
	now := c.now()
	gaps, err := c.Gaps(ctx, t.ID, now)
	if err != nil {
		return nil, false, err
	}
	var out []Fact
	for i := range status[0].Resources {
		r := &status[0].Resources[i]
		if res, ok := c.resource(r.Resource); ok {
			out = append(out, factOf(t.ID, r, &res, gaps, now))
		}
	}
	return out, status[0].Reading, nil
}

func factOf(tenant string, r *ResourceStatus, res *evidence.Resource, gaps []evidence.Gap, now time.Time) Fact {
	on := restsOn()[res.Kind]
	f := Fact{Tenant: tenant, List: res.Name, Proves: res.Proves, Source: serviceWord(res.Service) + " " + strings.TrimPrefix(res.Path, "/"), At: r.Last,
		Allows: on.allows, Every: max(res.Every, time.Minute), Due: r.Due, Reason: r.Refused, Needs: r.Needs, Words: r.Words, Pages: r.Pages, Decides: on.rules,
		Request: res.String(), Kept: res.Back, Needed: res.Permissions, Hours: int(on.allows / time.Hour)}
	if r.Covered.After(f.At) {
		f.At = r.Covered
	}
	f.overdue = !f.Due.After(now)
	if f.At.After(now) {
		f.At = now // a clock that was wrong: it is not from the future
	}
	if !f.At.IsZero() {
		f.Age = now.Sub(f.At)
	}
	for i := range gaps {
		g := &gaps[i]
		if g.Resource != res.Name || g.Reason == evidence.GapNever {
			continue
		}
		f.Gaps++
		if g.Lost {
			f.Lost++
		}
		f.Can = cmp.Or(f.Can, g.Can)
		f.Nearest = g.Nearest
		f.Words = cmp.Or(f.Words, g.Why)
	}
	switch {
	case f.Allows > 0 && !f.At.IsZero() && f.Age > f.Allows:
		f.State = stateStale
	case f.Lost > 0:
		f.State = stateLost
	case r.State == "failing", r.State == "refused", r.State == "never", r.State == "reading":
		f.State = r.State
	case f.Gaps > 0:
		f.State = stateGap
	default:
		f.State = stateWhole
	}
	return f
}

func serviceWord(s evidence.Service) string {
	switch s {
	case evidence.Graph:
		return "Graph"
	case evidence.PartnerCenter:
		return "Partner Center"
	case evidence.ExchangeOnline:
		return "Exchange Online"
	case evidence.ARM:
		return "Azure"
	}
	return string(s)
}

// said is a fact's state as a verdict: what is missing makes a verdict unknown, and so is
// the tone of it.
func (f *Fact) said() page.Said {
	switch f.State {
	case stateWhole:
		return page.Said{Tone: print.Good, Word: "whole"}
	case stateReading:
		return page.Said{Tone: print.Muted, Word: "being read"}
	case stateLost:
		return page.Said{Tone: print.Bad, Word: "lost in part"}
	case stateStale:
		return page.Said{Tone: print.Bad, Word: "too old"}
	case stateGap:
		return page.Said{Tone: print.Doubt, Word: "partly"}
	case stateNever:
		return page.Said{Tone: print.Doubt, Word: "never read"}
	}
	return page.Said{Tone: print.Doubt, Word: f.State}
}

// why is the second line of a state.
func (f *Fact) why() string {
	switch f.State {
	case stateWhole:
		return ""
	case stateReading:
		return print.Plural(int64(f.Pages), "pages") + " so far"
	case stateStale:
		return "a verdict that rests on it is unknown"
	case stateLost, stateGap:
		return print.Plural(int64(f.Gaps), "gaps") + ": " + print.Clean(f.Words, 120)
	case stateRefused:
		return print.Clean(reasonWord(f.Reason, f.Needs), 120)
	}
	return print.Clean(f.Words, 120)
}

func reasonWord(r evidence.GapReason, needs string) string {
	word := map[evidence.GapReason]string{evidence.GapLicence: "no licence for it", evidence.GapPermission: "no permission",
		evidence.GapRole: "no role for it", evidence.GapMFA: "no MFA claim", evidence.GapConsent: "no consent there",
		evidence.GapAbsent: "there is none here", evidence.GapGone: "it is there no more"}[r]
	if word == "" {
		word = string(r)
	}
	if needs != "" {
		word += ": " + needs
	}
	return word
}

// late says that it is older than two readings: the amber before the red.
func (f *Fact) late() bool {
	return f.Age > 2*f.Every+time.Hour || f.Allows > 0 && f.Age > f.Allows/5*4
}

// against is the age of a fact against what it may be.
func (f *Fact) against() screen.Cell {
	if f.At.IsZero() {
		return screen.Cell{Never: "–"}
	}
	if f.Allows == 0 {
		return screen.Cell{Text: "no verdict rests on it", Quiet: true}
	}
	unit, name := time.Hour, "h"
	if f.Allows >= 3*24*time.Hour {
		unit, name = 24*time.Hour, "d"
	}
	tone := print.Tone{Class: "3"}
	switch {
	case f.State == stateStale:
		tone = print.Bad
	case f.late():
		tone = print.Doubt
	}
	return screen.Cell{Of: &screen.Part{N: int64(f.Age / unit), Of: int64(f.Allows / unit), Unit: name, Bar: true, Tone: tone}}
}

func factRank(f *Fact) int { return slices.Index(factStates, f.State) }

var factList = &screen.List[Fact]{
	Noun: "list", Default: "state", Search: "list, source, what it proves", PerPage: 200,
	Key:    func(f *Fact) string { return f.List },
	Tenant: func(f *Fact) string { return f.Tenant },
	Columns: []screen.Column[Fact]{
		{Name: "list", Head: "List", About: "what is read, by its name in partnerguard collect",
			Cell: func(f *Fact) screen.Cell { return screen.Cell{Text: f.List, Sub: f.Proves} }},
		{Name: "source", Head: "Source", Drop: true, Cell: func(f *Fact) screen.Cell { return screen.Cell{Text: print.Clean(f.Source, 60), Quiet: true} }},
		{Name: "age", Head: "Age", About: "of when it is; a log is read up to then", Right: true,
			Order: func(a, b *Fact) int { return a.At.Compare(b.At) }, Blank: func(f *Fact) bool { return f.At.IsZero() },
			Cell: func(f *Fact) screen.Cell { return screen.Cell{At: f.At, Ago: true, Never: "never"} }},
		{Name: "allowed", Head: "Of what is allowed", About: "how old it may be before a verdict that rests on it is unknown", Plain: true,
			Order: func(a, b *Fact) int { return cmp.Compare(a.share(), b.share()) }, Blank: func(f *Fact) bool { return f.share() < 0 },
			Cell: (*Fact).against},
		{Name: "state", Head: "Read", Order: func(a, b *Fact) int { return cmp.Or(factRank(a)-factRank(b), a.At.Compare(b.At)) },
			Cell: func(f *Fact) screen.Cell { s := f.said(); return screen.Cell{Said: &s, Sub: f.why()} }},
		{Name: "next", Head: "Next", Right: true, Plain: true, Order: func(a, b *Fact) int { return a.Due.Compare(b.Due) },
			Blank: func(f *Fact) bool { return f.Due.IsZero() },
			Cell: func(f *Fact) screen.Cell {
				if f.overdue {
					return screen.Cell{Text: "due", Quiet: true}
				}
				return screen.Cell{At: f.Due, Ago: true, Never: "due"}
			}},
	},
	Filters: []screen.Filter[Fact]{
		{Name: "state", Head: "State", Enum: factStates, Of: func(f *Fact) []string { return []string{f.State} },
			Word: func(v string) string { f := Fact{State: v}; return f.said().Word }},
		{Name: "decides", Head: "Decides", Enum: []string{"yes", "no"}, Word: func(v string) string {
			return map[string]string{"yes": "decides a requirement", "no": "decides nothing"}[v]
		}, Of: func(f *Fact) []string { return []string{map[bool]string{true: "yes", false: "no"}[len(f.Decides) > 0]} }},
	},
	Detail: factDetail,
}

// share is the age as a part of what is allowed; less than 0 where there is none.
func (f *Fact) share() float64 {
	if f.Allows == 0 || f.At.IsZero() {
		return -1
	}
	return float64(f.Age) / float64(f.Allows)
}

func factDetail(f *Fact) []screen.Block {
	pairs := screen.Pairs{
		{Key: "Request", Cell: screen.Cell{Text: f.Request, Mono: true}},
		{Key: "Read every", Cell: screen.Words(screen.Span(f.Every))},
	}
	if !f.At.IsZero() {
		pairs = append(pairs, screen.Pair{Key: "Of", Cell: screen.Cell{At: f.At}})
	}
	if f.Kept > 0 {
		pairs = append(pairs, screen.Pair{Key: "Microsoft keeps", Cell: screen.Words(screen.Span(f.Kept))})
	}
	if len(f.Decides) > 0 {
		pairs = append(pairs, screen.Pair{Key: "Decides", Cell: screen.Words(strings.Join(f.Decides, ", "))})
	}
	if len(f.Needed) > 0 {
		pairs = append(pairs, screen.Pair{Key: "Permission", Cell: screen.Words(strings.Join(f.Needed, " or "))})
	}
	if f.Reason != "" {
		pairs = append(pairs, screen.Pair{Key: "Refused", Cell: screen.Words(reasonWord(f.Reason, f.Needs))})
	}
	if f.Words != "" {
		pairs = append(pairs, screen.Pair{Key: "Said", Cell: screen.Words(f.Words)})
	}
	if f.Can != "" {
		pairs = append(pairs, screen.Pair{Key: "What heals it", Cell: healing(f.Can)})
	}
	if len(f.Nearest) > 0 {
		pairs = append(pairs, screen.Pair{Key: "Says something of the same", Cell: screen.Words(strings.Join(f.Nearest, ", "))})
	}
	if f.Gaps > 0 {
		pairs = append(pairs, screen.Pair{Key: "Gaps", Cell: screen.Cell{Text: fmt.Sprintf("%d, %d lost", f.Gaps, f.Lost),
			Path: screen.With("/collection/gaps", "tenant", f.Tenant, "list", f.List)}})
	}
	return []screen.Block{pairs}
}
