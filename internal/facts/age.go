package facts

import (
	"fmt"
	"time"

	"partnerguard/internal/access"
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

// Alike reports that settings and schedules decide at b as they do at a.
func (f *Facts) Alike(a, b time.Time) bool { return access.SameMoment(a, b) && f.Directory.Alike(a, b) }

// At is the moment at which a list is to be looked at.
func (a *Ages) At(k evidence.Kind, asOf time.Time) time.Time {
	if d, ok := a.kinds[k]; ok && !d.Bound().IsZero() && d.Bound().Before(asOf) {
		return d.Bound()
	}
	return asOf
}

// oneExport is how long an export may take: what lies further apart is mixed.
const oneExport = 48 * time.Hour

// Mixed reports inputs of days that lie further apart than one export takes.
func (a *Ages) Mixed() bool { return a.Any && a.Span.Newest.Sub(a.Span.Oldest) > oneExport }

// Banner says, in sentences, what a reader of any answer has to know of the age
// of what was read.
func (a *Ages) Banner(asOf time.Time) []string {
	out := []string{}
	day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	if s := a.Span; a.Mixed() {
		out = append(out, fmt.Sprintf("The inputs are of different days: the oldest is %s of %s, the newest %s of %s. What changed between them is not seen; "+
			"export everything in one go", s.OldestPath, day(s.Oldest), s.NewestPath, day(s.Newest)))
	}
	if age := asOf.Sub(a.Span.Newest); a.Any && age > 24*time.Hour {
		out = append(out, fmt.Sprintf("The newest evidence is %s old: what happened since is not seen", Days(age)))
	}
	if a.Weak != "" {
		inside := "holds no record with a date"
		if d := a.WeakDated; !d.Newest.IsZero() {
			inside = "holds no record later than " + day(d.Newest)
		}
		out = append(out, fmt.Sprintf("Nothing but its file's time (%s) dates %s, and copying sets that anew; it %s", day(a.WeakDated.At), a.Weak, inside))
	}
	switch a.Undated {
	case "":
	case "-":
		out = append(out, "How old what came through standard input is cannot be told: nothing dates it")
	default:
		out = append(out, "How old "+a.Undated+" is cannot be told: nothing dates it")
	}
	return out
}

// Days says an age as people do: "5 hours", "3 days".
func Days(d time.Duration) string {
	n, unit := int(d.Hours()/24), "day"
	if d < 48*time.Hour {
		n, unit = max(int(d.Hours()), 0), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}
