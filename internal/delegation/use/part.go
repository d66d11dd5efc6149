package use

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

type lenientText = lenient.String

// PartName is the part of a customer's snapshot, and OwnName that of the partner's: what its
// own records say of its customers.
const (
	PartName = "delegationUse"
	OwnName  = "delegationUseOwn"
)

// Own is what the partner's own records say of its customers.
type Own struct {
	Parts []*Part `json:"customers"`
}

// Logs are the kinds of logs that a part says of how they were read.
var Logs = []evidence.Kind{evidence.DirectoryAudit, evidence.SignIn, evidence.AzureActivity, evidence.PartnerAuditRecord}

// asks are the requests that settle a log that is not whole.
var asks = map[evidence.Kind]string{
	evidence.DirectoryAudit:     "GET /auditLogs/directoryAudits in the customer's tenant, every page (AuditLog.Read.All), at least weekly",
	evidence.SignIn:             "GET /beta/auditLogs/signIns in the customer's tenant, every page, interactive and not (AuditLog.Read.All, Entra ID P1)",
	evidence.AzureActivity:      "GET /subscriptions/{id}/providers/Microsoft.Insights/eventtypes/management/values, each subscription (Reader)",
	evidence.PartnerAuditRecord: "GET /v1/auditrecords of Partner Center, 90 days at most",
}

const hours24 = 24 * time.Hour

// What a log that comes as a file is taken for. Graph serves rows of 30 days with Entra ID P1
// or P2, and of 7 without (contracts.md 3.10); one that goes further back was kept by somebody.
const (
	servedDays = 30 * hours24
	keptDays   = 31 * hours24
	freeDays   = 7 * hours24
	quietDays  = 14 * hours24 // a silence that long at an end of a log is taken for silence
)

// log says how one log was read.
func (f *Fold) log(kind evidence.Kind, inputs []evidence.Input) Log {
	x := f.logs[kind]
	if x == nil {
		x = &extent{}
	}
	l := Log{Kind: kind, Read: x.rows+x.unread > 0, Whole: true, First: x.first.UTC(), Last: x.last.UTC(), Lost: x.unread, Ask: asks[kind]}
	if x.first.IsZero() {
		l.First, l.Last = time.Time{}, time.Time{}
	}
	cut := func(format string, args ...any) {
		l.Whole = false
		l.Why = cmp.Or(l.Why, fmt.Sprintf(format, args...))
	}
	for i := range inputs {
		in := &inputs[i]
		_, here := in.Kinds[kind]
		l.Read = l.Read || here
		for _, c := range in.Cuts {
			if c.Kind == kind {
				cut("the log %s", c.Why)
				l.Ask = cmp.Or(c.Settle(), l.Ask)
			}
		}
		switch {
		case in.Status == evidence.Unreadable && in.Refused == "" && len(in.Kinds) == 0:
			cut("it may go on in %s, which could not be read", in.Path)
		case !here:
		case in.NextLink:
			cut("it ends with a link to a further page that is not here")
		case in.Status == evidence.Partial || in.Status == evidence.Unreadable:
			cut("it could only be read in part: %s", in.Path)
		}
	}
	if x.unread > 0 {
		cut("%d of its rows could not be read: %s", x.unread, x.why)
	}
	if !l.Read {
		l.Whole, l.Why = false, cmp.Or(l.Why, "it was not read")
	}
	if l.Whole {
		l.Ask = ""
	}
	return l
}

// covered are the times of the window of which the log is complete.
func (l *Log) covered(from, to time.Time) []Span {
	switch {
	case !l.Read:
		return nil
	case l.Live:
		return l.Spans
	case !l.Whole:
		return nil
	case l.First.IsZero():
		return []Span{{to.Add(-freeDays), to}}
	}
	s := Span{l.First, to}
	switch old := l.First.Before(to.Add(-keptDays)); {
	case old && !l.First.After(from.Add(quietDays)):
		s.From = earlier(l.First, from)
	case !old && l.First.Before(to.Add(-servedDays)):
		s.From = to.Add(-servedDays)
	}
	if l.Last.Before(to.Add(-quietDays)) {
		s.To = l.Last
	}
	return []Span{s}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// complete counts the days from from on, each 24 hours, that the spans cover whole.
func complete(spans []Span, from time.Time, days int) (n int) {
	spans = union(spans)
	for i := range days {
		a := from.Add(time.Duration(i) * hours24)
		b := a.Add(hours24)
		if slices.ContainsFunc(spans, func(s Span) bool { return !s.From.After(a) && !s.To.Before(b) }) {
			n++
		}
	}
	return n
}

// union joins spans that touch, in order.
func union(spans []Span) []Span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	var out []Span
	for _, s := range spans {
		if n := len(out); n > 0 && !s.From.After(out[n-1].To) {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
		} else if s.To.After(s.From) {
			out = append(out, s)
		}
	}
	return out
}

// Within is what was seen in the days that end with to, with how many of them are complete in
// each log. What was done after them counts too, up to latest; zero is to. The parts it is
// made of are shared with p.
func (p *Part) Within(to time.Time, days int, latest time.Time) *Part {
	from := to.Add(-time.Duration(days) * hours24)
	latest = later(to, latest)
	out := *p
	out.From, out.To, out.Logs = from, to, slices.Clone(p.Logs)
	whole := !slices.ContainsFunc(p.Acts, func(a Act) bool { return a.First.Before(from) || a.Last.After(latest) })
	if !whole {
		out.Acts = make([]Act, 0, len(p.Acts))
	}
	for i := range p.Acts {
		if whole {
			break
		}
		if a, ok := p.Acts[i].within(from, latest); ok {
			out.Acts = append(out.Acts, a)
			out.Outside += p.Acts[i].Count - a.Count
		} else {
			out.Outside += p.Acts[i].Count
		}
	}
	for i := range out.Logs {
		l := &out.Logs[i]
		l.Days, l.Complete = days, complete(l.covered(from, to), from, days)
		if l.Complete < days && l.Why == "" {
			l.Why = fmt.Sprintf("of %d days %d are complete", days, l.Complete)
			if !l.First.IsZero() {
				l.Why += ": its first row is of " + l.First.Format(time.DateOnly) + ", its last of " + l.Last.Format(time.DateOnly)
			}
			l.Ask = cmp.Or(l.Ask, asks[l.Kind])
		}
	}
	return &out
}

// within cuts an act to a window. On the days that the window cuts, all of the day counts.
func (a *Act) within(from, to time.Time) (Act, bool) {
	if a.Last.Before(from) || a.First.After(to) {
		return Act{}, false
	}
	out := *a
	if !a.First.Before(from) && !a.Last.After(to) {
		return out, true
	}
	out.Days = slices.DeleteFunc(slices.Clone(a.Days), func(d Day) bool { return d[0] < day(from) || d[0] > day(to) })
	if len(out.Days) == 0 {
		return Act{}, false
	}
	out.Count = 0
	for _, d := range out.Days {
		out.Count += d[1]
	}
	if a.First.Before(from) {
		out.First = later(time.Unix(out.Days[0][0]*86400, 0).UTC(), from)
	}
	if a.Last.After(to) {
		out.Last, out.Row = earlier(time.Unix((out.Days[len(out.Days)-1][0]+1)*86400-1, 0).UTC(), to), ""
	}
	return out, true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Log finds how a log was read.
func (p *Part) Log(kind evidence.Kind) Log {
	for i := range p.Logs {
		if p.Logs[i].Kind == kind {
			return p.Logs[i]
		}
	}
	return Log{Kind: kind, Why: "it was not read", Ask: asks[kind]}
}

func (a *Act) key() actKey {
	return actKey{actor: a.Actor, app: a.App, failed: a.Failed, log: a.Act.Log, category: a.Act.Category, activity: a.Act.Activity,
		props: strings.Join(a.Act.Properties, "\n"), target: a.Act.Target}
}

func sortActs(list []Act) {
	slices.SortFunc(list, func(a, b Act) int {
		x, y := a.key(), b.key()
		return cmp.Or(cmp.Compare(x.actor, y.actor), cmp.Compare(x.log, y.log), cmp.Compare(x.activity, y.activity), cmp.Compare(x.category, y.category),
			cmp.Compare(x.props, y.props), cmp.Compare(x.target, y.target), bools(x.failed, y.failed), bools(x.app, y.app))
	})
}

func bools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
