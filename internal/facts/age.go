package facts

import (
	"time"

	"partnerguard/internal/evidence"
)

// Ages says for which moment what was read is taken to hold.
type Ages struct {
	inputs map[string]evidence.Dated
	kinds  map[evidence.Kind]evidence.Dated
	Span   evidence.Span
	Any    bool // something is dated, and Span says what
	// Weak is the input with the oldest content among those that nothing but their
	// file's time dates; "" when there is none.
	Weak      string
	WeakDated evidence.Dated
	Undated   string // an input with records that nothing dates; "" when there is none
}

// Ages dates the inputs, once they are all read and the log is counted.
func (f *Facts) Ages() *Ages {
	dated := evidence.Date(f.Inputs)
	a := &Ages{inputs: map[string]evidence.Dated{}, kinds: evidence.DateKinds(f.Inputs, dated)}
	a.Span, a.Any = evidence.SpanOf(f.Inputs, dated)
	for i := range f.Inputs {
		in, d := &f.Inputs[i], dated[i]
		a.inputs[in.Path] = d
		if !in.Dates() {
			continue
		}
		switch d.By {
		case evidence.ByFile:
			if a.Weak == "" || d.Newest.Before(a.WeakDated.Newest) {
				a.Weak, a.WeakDated = in.Path, d
			}
		case evidence.ByNothing:
			a.Undated = in.Path
		}
		in.Times.At, in.Times.By = nil, d.By
		if !d.At.IsZero() {
			at := d.At.UTC()
			in.Times.At = &at
		}
	}
	return a
}

// Of dates the list of a kind; false where none was read.
func (a *Ages) Of(k evidence.Kind) (evidence.Dated, bool) {
	d, ok := a.kinds[k]
	return d, ok
}

// OfInput dates what was read of an input: a log by all of it.
func (a *Ages) OfInput(in *evidence.Input) evidence.Dated {
	d := a.inputs[in.Path]
	for k := range in.Kinds {
		if log := a.kinds[k]; evidence.IsLog(k) && log.Bound().After(d.Bound()) {
			d = log
		}
	}
	return d
}

// settled are the kinds that say what is set, and until when.
var settled = []evidence.Kind{evidence.ConditionalAccessPolicy, evidence.SecurityDefaults, evidence.RoleAssignment, evidence.RoleEligibility,
	evidence.GroupEligibility, evidence.GroupAssignment}

// SettledAt is the moment at which settings and schedules are to be looked at
// when they are judged as of asOf: what they promise for later they may not have
// kept, so judging later is no better.
func (a *Ages) SettledAt(asOf time.Time) time.Time {
	at := asOf
	for _, k := range settled {
		if d, ok := a.kinds[k]; ok && !d.Bound().IsZero() && d.Bound().Before(at) {
			at = d.Bound()
		}
	}
	return at
}

// At is the moment at which a list is to be looked at.
func (a *Ages) At(k evidence.Kind, asOf time.Time) time.Time {
	if d, ok := a.kinds[k]; ok && !d.Bound().IsZero() && d.Bound().Before(asOf) {
		return d.Bound()
	}
	return asOf
}
