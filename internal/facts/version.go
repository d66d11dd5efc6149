package facts

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// versions are the copies of one thing that differ. The newest by its own date
// counts; where dates do not tell, none does, whatever the order they were read
// in.
type versions[T any] struct {
	list []version[T]
}

type version[T any] struct {
	value   *T
	date    time.Time
	content string
}

// copiesOf are those of one thing.
func copiesOf[T any](all map[string]*versions[T], k string) *versions[T] {
	if all[k] == nil {
		all[k] = &versions[T]{}
	}
	return all[k]
}

// add keeps a copy unless it says the same as another; of equal copies the
// newer date stays.
func (v *versions[T]) add(value *T, date time.Time, content string) {
	for i := range v.list {
		if old := &v.list[i]; old.content == content {
			if date.After(old.date) {
				old.value, old.date = value, date
			}
			return
		}
	}
	v.list = append(v.list, version[T]{value, date, content})
}

// current is the copy that counts. sure is false when another may be as new:
// then which copy is returned does not hang on the order.
func (v *versions[T]) current() (value *T, sure bool) {
	best := &v.list[0]
	sure = true
	for i := 1; i < len(v.list); i++ {
		c := &v.list[i]
		switch {
		case best.date.IsZero() || c.date.IsZero() || c.date.Equal(best.date):
			sure = false
			if c.content < best.content {
				best = c
			}
		case c.date.After(best.date):
			best = c
		}
	}
	for i := range v.list { // an undated copy may be newer than any
		if len(v.list) > 1 && v.list[i].date.IsZero() {
			sure = false
		}
	}
	return best.value, sure
}

// content is what of a value decides, as text to compare copies by.
func content(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// addPolicy keeps every copy of a policy that differs: dated exports of one
// tenant hold the same policy many times.
func (f *Facts) addPolicy(p *access.Policy) {
	k := key(p.ID, p.DisplayName, p.Source)
	v := copiesOf(f.policyCopies, k)
	plain := *p
	plain.ID, plain.DisplayName, plain.CreatedDateTime.Time, plain.Source = "", "", time.Time{}, evidence.Source{}
	plain.CreatedDateTime.Set, plain.Modified.Set = false, false
	v.add(p, p.Modified.Time, content(plain)+strings.Join(p.Unsupported, "|"))
	now, sure := v.current()
	if !sure {
		now = doubtful(v)
	}
	f.Policies[k] = now
}

// doubtful is a policy whose copies contradict each other: it may be any of
// them, so it counts as not understood, and as on when one of them is.
func doubtful(v *versions[access.Policy]) *access.Policy {
	rank := func(p *access.Policy) int {
		switch {
		case p.Enforced():
			return 2
		case p.ReportOnly():
			return 1
		}
		return 0
	}
	best := &v.list[0]
	for i := 1; i < len(v.list); i++ {
		c := &v.list[i]
		if a, b := rank(c.value), rank(best.value); a > b || a == b && c.content < best.content {
			best = c
		}
	}
	p := *best.value
	p.Unsupported = append(slices.Clone(p.Unsupported), access.CopiesDiffer)
	return &p
}

// copiesDiffer is why nothing that a copy says counts.
const copiesDiffer = "its copies differ and none is known to be newer"

// addLocation keeps the copy that counts, and says when none does.
func (f *Facts) addLocation(l *access.NamedLocation) {
	k := key(l.ID, l.DisplayName, l.Source)
	v := copiesOf(f.locationCopies, k)
	plain := *l
	plain.ID, plain.DisplayName, plain.Source, plain.Modified = "", "", evidence.Source{}, lenient.Time{}
	v.add(l, l.Modified.Time, content(plain))
	now, sure := v.current()
	if !sure {
		// Nothing that one copy says of where it is counts, nor of trust what two say
		// differently.
		copied := access.NamedLocation{ID: now.ID, DisplayName: now.DisplayName, IsTrusted: now.IsTrusted, Source: now.Source,
			Unclear: copiesDiffer}
		for i := range v.list {
			if v.list[i].value.IsTrusted != now.IsTrusted {
				copied.IsTrusted = lenient.Bool{}
			}
		}
		now = &copied
	}
	f.Locations[k] = now
}

// addStrength is addLocation for authentication strengths.
func (f *Facts) addStrength(s *access.Strength) {
	k := key(s.ID, s.DisplayName, s.Source)
	v := copiesOf(f.strengthCopies, k)
	plain := *s
	plain.ID, plain.DisplayName, plain.Source, plain.Modified = "", "", evidence.Source{}, lenient.Time{}
	v.add(s, s.Modified.Time, content(plain))
	now, sure := v.current()
	if !sure {
		copied := *now
		copied.Unclear = copiesDiffer
		now = &copied
	}
	f.Strengths[k] = now
}

// addDefaults forgets security defaults of which two copies differ: they carry
// no date.
func (f *Facts) addDefaults(s *access.SecurityDefaults) {
	switch {
	case f.defaultsDiffer || !s.IsEnabled.Set:
	case f.Defaults == nil:
		f.Defaults = s
	case f.Defaults.IsEnabled != s.IsEnabled:
		f.Defaults, f.defaultsDiffer = nil, true
	}
}
