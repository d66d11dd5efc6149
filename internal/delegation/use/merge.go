package use

import (
	"cmp"
	"slices"
	"time"

	"partnerguard/internal/evidence"
)

// Keep is how long what was seen is kept in a part that is merged again and again.
const Keep = 180 * hours24

// Covered says of what time a live log was collected whole: nothing else of it is taken for
// complete. Only for a part that nobody else has yet.
func (p *Part) Covered(kind evidence.Kind, spans []Span) {
	for i := range p.Logs {
		if l := &p.Logs[i]; l.Kind == kind {
			l.Live, l.Spans, l.Whole, l.Why, l.Ask = true, union(spans), len(spans) > 0, "", ""
			l.Read = l.Read || len(spans) > 0
		}
	}
}

// Merge joins what was kept of a live tenant with what was read anew, of the time from since
// on: from the first whole day after since, now counts; before that, old. What is older than
// [Keep] goes. old may be nil.
func Merge(old, now *Part, since time.Time) *Part {
	if old == nil || old.Tenant != now.Tenant {
		return now
	}
	first := day(since.Add(hours24 - time.Nanosecond)) // the first whole day
	cut := time.Unix(first*86400, 0).UTC()
	out := *now
	if old.Newest.After(out.Newest) {
		out.Newest = old.Newest
	}
	oldest := cmp.Or(out.Newest, cut).Add(-Keep)
	sum := map[actKey]*Act{}
	for _, half := range []struct {
		acts     []Act
		from, to time.Time
	}{{old.Acts, oldest, cut.Add(-time.Nanosecond)}, {now.Acts, cut, time.Unix(1<<40, 0)}} {
		for i := range half.acts {
			a, ok := half.acts[i].within(half.from, half.to)
			if !ok {
				continue
			}
			if had := sum[a.key()]; had != nil {
				had.join(&a)
			} else {
				sum[a.key()] = &a
			}
		}
	}
	out.Acts = make([]Act, 0, len(sum))
	for _, a := range sum {
		out.Acts = append(out.Acts, *a)
	}
	sortActs(out.Acts)
	if len(out.Acts) > MaxKinds {
		out.Acts, out.Overflow = out.Acts[:MaxKinds], true
	}
	out.Overflow = out.Overflow || old.Overflow
	out.Logs = slices.Clone(now.Logs)
	for i := range out.Logs {
		l := &out.Logs[i]
		was := old.Log(l.Kind)
		if !l.Live || !was.Live {
			continue
		}
		spans := slices.Clone(l.Spans)
		for _, s := range was.Spans {
			if s.To.After(cut) {
				s.To = cut
			}
			if s.To.After(oldest) {
				spans = append(spans, s)
			}
		}
		l.Spans = union(spans)
		l.Read = l.Read || was.Read
		if l.First.IsZero() || !was.First.IsZero() && was.First.Before(l.First) {
			l.First = was.First
		}
		l.Last = later(l.Last, was.Last)
	}
	return &out
}

// join adds what was seen of the same act at another time.
func (a *Act) join(o *Act) {
	a.Count += o.Count
	a.First = earlier(a.First, o.First)
	if o.Last.After(a.Last) {
		a.Last, a.Row = o.Last, o.Row
	}
	a.Days = addDays(a.Days, o.Days)
}

// Join adds to a customer's part what the partner's own records say of it. people are object
// ids by user principal name, lower case, for the acts that name these alone. More may be nil.
func (p *Part) Join(more *Part, people map[string]string) *Part {
	if more == nil {
		return p
	}
	out := *p
	sum := map[actKey]*Act{}
	for _, list := range [][]Act{p.Acts, more.Acts} {
		for i := range list {
			a := list[i]
			if id := people[a.Actor]; id != "" {
				a.Actor = id
			}
			if had := sum[a.key()]; had != nil {
				had.join(&a)
			} else {
				sum[a.key()] = &a
			}
		}
	}
	out.Acts = make([]Act, 0, len(sum))
	for _, a := range sum {
		out.Acts = append(out.Acts, *a)
	}
	sortActs(out.Acts)
	out.Rows, out.Outside, out.Overflow = p.Rows+more.Rows, p.Outside+more.Outside, p.Overflow || more.Overflow
	out.Newest = later(p.Newest, more.Newest)
	out.Logs = slices.Clone(p.Logs)
	for i := range out.Logs {
		if l := more.Log(out.Logs[i].Kind); l.Kind == evidence.PartnerAuditRecord && l.Read {
			out.Logs[i] = l
		}
	}
	return &out
}
