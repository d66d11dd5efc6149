package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// spec says what a member of a request body may hold. A body is refused whole
// when any part of it is not understood: settings must not be half taken.
type spec struct {
	kind  specKind
	words []string // of enums and flags
	of    *spec    // of collections
	props fields   // of objects
	max   int      // length of text, number of elements; 0: 10,000
	must  bool     // not null
}

type fields map[string]*spec

type specKind uint8

const (
	kText specKind = iota
	kBool
	kInt
	kTime
	kEnum
	kFlags
	kObject
	kList
	kAny
	kReadOnly
	kNull // may only be null or empty: known to Graph, not part of this cloud
)

func text() *spec            { return &spec{kind: kText} }
func flag() *spec            { return &spec{kind: kBool} }
func number() *spec          { return &spec{kind: kInt} }
func when() *spec            { return &spec{kind: kTime} }
func readOnly() *spec        { return &spec{kind: kReadOnly} }
func anything() *spec        { return &spec{kind: kAny} }
func unused() *spec          { return &spec{kind: kNull} }
func list(of *spec) *spec    { return &spec{kind: kList, of: of} }
func obj(props fields) *spec { return &spec{kind: kObject, props: props} }
func enum(w string) *spec    { return &spec{kind: kEnum, words: strings.Fields(w)} }
func flags(w string) *spec   { return &spec{kind: kFlags, words: strings.Fields(w)} }
func (s *spec) need() *spec  { s.must = true; return s }
func (s *spec) upTo(n int) *spec {
	s.max = n
	return s
}

// check refuses a value that does not fit. path names it in the refusal.
func (s *spec) check(path string, v any) error {
	wrong := func(what string) error {
		return badRequest("Invalid value specified for property '%s': %s.", path, what)
	}
	if v == nil {
		if s.must {
			return wrong("it must not be null")
		}
		return nil
	}
	limit := s.max
	if limit == 0 {
		limit = 10_000
	}
	switch s.kind {
	case kText, kTime, kEnum, kFlags:
		str, ok := v.(string)
		if !ok {
			return wrong("it must be text")
		}
		if len(str) > limit {
			return wrong(fmt.Sprintf("it is longer than %d", limit))
		}
		switch s.kind {
		case kTime:
			if _, err := time.Parse(time.RFC3339, str); err != nil {
				return wrong("it must be a date and time with its zone")
			}
		case kEnum:
			if !slices.Contains(s.words, str) {
				return wrong("'" + clip(str) + "' is not a member of its enumeration")
			}
		case kFlags:
			for w := range strings.SplitSeq(str, ",") {
				if !slices.Contains(s.words, strings.TrimSpace(w)) {
					return wrong("'" + clip(w) + "' is not a member of its enumeration")
				}
			}
		}
	case kBool:
		if _, ok := v.(bool); !ok {
			return wrong("it must be true or false")
		}
	case kInt:
		if n, ok := v.(float64); !ok || n != float64(int64(n)) {
			return wrong("it must be a whole number")
		}
	case kReadOnly:
		return badRequest("Property '%s' is read-only and cannot be set.", path)
	case kNull:
		if l, ok := v.([]any); !ok || len(l) > 0 {
			return badRequest("Property '%s' is not part of the partner cloud and can only be null.", path)
		}
	case kList:
		l, ok := v.([]any)
		if !ok {
			return wrong("it must be a collection")
		}
		if len(l) > limit {
			return wrong("it has too many elements")
		}
		for i, x := range l {
			if x == nil {
				return wrong("an element is null")
			}
			if err := s.of.check(fmt.Sprintf("%s[%d]", path, i), x); err != nil {
				return err
			}
		}
	case kObject:
		m, ok := v.(map[string]any)
		if !ok {
			return wrong("it must be an object")
		}
		return s.props.check(path, m)
	}
	return nil
}

// spell brings the names of members, which count without case, to their spelling,
// and refuses a member that is there twice.
func (f fields) spell(path string, m map[string]any) error {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		name, _, bind := strings.Cut(k, "@odata.")
		if f[k] != nil || f[name] != nil && !bind {
			continue
		}
		for n := range f {
			if !strings.EqualFold(n, k) {
				continue
			}
			if _, twice := m[n]; twice {
				return badRequest("The property '%s' is there twice.", clip(strings.TrimPrefix(path+"."+n, ".")))
			}
			m[n] = m[k]
			delete(m, k)
			break
		}
	}
	return nil
}

// check refuses unknown members. Annotations pass, since clients send them back, but
// for bindings, which say something. Names count without case; the members have the
// type's spelling afterwards.
func (f fields) check(path string, m map[string]any) error {
	if err := f.spell(path, m); err != nil {
		return err
	}
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		if strings.Contains(k, "@odata.") && !strings.HasSuffix(k, "@odata.bind") {
			continue
		}
		full := k
		if path != "" {
			full = path + "." + k
		}
		s := f[k]
		if s == nil {
			return badRequest("Invalid property '%s'.", clip(full))
		}
		if err := s.check(full, m[k]); err != nil {
			return err
		}
	}
	return nil
}

// Members of a checked body.

func str(m map[string]any, k string) string { v, _ := m[k].(string); return v }
func truth(m map[string]any, k string) bool { v, _ := m[k].(bool); return v }
func given(m map[string]any, k string) bool { _, ok := m[k]; return ok }
func inner(m map[string]any, k string) map[string]any {
	v, _ := m[k].(map[string]any)
	return v
}

func strs(m map[string]any, k string) []string {
	l, _ := m[k].([]any)
	out := make([]string, 0, len(l))
	for _, v := range l {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// take takes a member over where it is given.
func take[T any](m map[string]any, k string, to *T, read func(map[string]any, string) T) {
	if given(m, k) {
		*to = read(m, k)
	}
}

func objs(m map[string]any, k string) []map[string]any {
	l, _ := m[k].([]any)
	var out []map[string]any
	for _, v := range l {
		if o, ok := v.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

func moment(m map[string]any, k string) time.Time {
	t, _ := time.Parse(time.RFC3339, str(m, k))
	return t.UTC()
}

// merge lays a change over a settings object as PATCH does: objects are merged,
// everything else replaced.
func merge(old, change map[string]any) map[string]any {
	out := make(map[string]any, len(old)+len(change))
	for k, v := range old {
		out[k] = v
	}
	for k, v := range change {
		a, isOld := out[k].(map[string]any)
		b, isNew := v.(map[string]any)
		if isOld && isNew {
			out[k] = merge(a, b)
		} else {
			out[k] = v
		}
	}
	return out
}

// jsonText is a value as modifiedProperties shows it.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}
