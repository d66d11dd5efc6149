package object

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// maxObject is the longest object that is taken; Graph's own limits are far below.
const maxObject = 1 << 20

// Canonical brings an object as Microsoft writes it (or a person does) into canonical
// form: members in order, what the server sets left out, null and empty lists left out
// where Graph means the same by them, GUIDs in lower case, lists that are sets in order,
// defaults as the server says them. What is not known stays as it is: see [Unknowns].
// "null" and nothing give nil.
func Canonical(kind remedy.Kind, raw json.RawMessage) (remedy.Object, error) {
	m, _, err := tree(kind, raw)
	if err != nil || m == nil {
		return nil, err
	}
	return write(m), nil
}

// Equal says whether two objects mean the same to Graph. nil is no object; what cannot
// be read is equal to nothing.
func Equal(kind remedy.Kind, a, b json.RawMessage) bool {
	x, _, err := tree(kind, a)
	y, _, bad := tree(kind, b)
	return err == nil && bad == nil && same(x, y)
}

// Unknowns are the paths of what stands in an object and is not known to us: members,
// values of enumerations, values of another form. They are carried along and never
// written. What is no object at all has none.
func Unknowns(kind remedy.Kind, raw json.RawMessage) []string {
	_, odd, _ := tree(kind, raw)
	return odd
}

// tree reads an object into canonical form; odd are the paths of what is not known.
func tree(kind remedy.Kind, raw json.RawMessage) (m map[string]any, odd []string, err error) {
	k, known := kinds[kind]
	if !known || k.shape == nil {
		return nil, nil, problem.New(problem.BadInput, "%.60q is no kind of object", string(kind))
	}
	m, err = decode(raw)
	if err != nil || m == nil {
		return nil, nil, err
	}
	v, odd, err := walk(k.shape, m, "", odd)
	if err != nil {
		return nil, nil, err
	}
	m, _ = v.(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	slices.Sort(odd)
	return m, slices.Compact(odd), nil
}

// decode reads an object strictly: one value, no member twice, UTF-8. Numbers keep
// their text.
func decode(raw json.RawMessage) (map[string]any, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, nil
	case len(raw) > maxObject:
		return nil, problem.New(problem.Limit, "an object has more than %d bytes", maxObject)
	case !jsontext.Value(raw).IsValid():
		return nil, problem.New(problem.BadInput, "an object is no JSON, or has a member twice")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "an object is no JSON object")
	}
	return m, nil
}

// write writes a tree; members come in order.
func write(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // texts, numbers, lists and maps of them alone
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) }

// walk brings a value into canonical form; nil leaves it out.
func walk(s *shape, v any, at string, odd []string) (any, []string, error) {
	if v == nil || s.form == server || s.absent != nil && same(v, s.absent) {
		return nil, odd, nil
	}
	strange := func() (any, []string, error) { return v, append(odd, at), nil }
	switch s.form {
	case verbatim:
		return v, odd, nil
	case text, ident, enum:
		t, is := v.(string)
		if !is {
			return strange()
		}
		t, known := s.scalar(t)
		switch {
		case t == "":
			return nil, odd, nil
		case s.absent != nil && same(t, s.absent):
			return nil, odd, nil
		case !known:
			odd = append(odd, at)
		}
		return t, odd, nil
	case flags:
		return walkFlags(s, v, at, odd)
	case boolean:
		if _, is := v.(bool); !is {
			return strange()
		}
	case number:
		n, is := v.(json.Number)
		if !is {
			return strange()
		}
		if f, err := n.Float64(); err == nil && f == float64(int64(f)) && f > -1e15 && f < 1e15 { // 1.0 is 1
			return json.Number(strconv.FormatInt(int64(f), 10)), odd, nil
		}
	case idSet, enumSet, textSet:
		return walkSet(s, v, at, odd)
	case set, list:
		return walkObjects(s, v, at, odd)
	case node:
		m, is := v.(map[string]any)
		if l, isList := v.([]any); isList && len(l) == 0 { // some tools write [] for null
			return nil, odd, nil
		}
		if !is {
			return strange()
		}
		return walkNode(s, m, at, odd)
	}
	return v, odd, nil
}

func walkNode(s *shape, m map[string]any, at string, odd []string) (any, []string, error) {
	out := map[string]any{}
	for name, v := range m {
		proper, sub := s.member(name)
		if sub == nil && (v == nil || s.other || annotation(name)) {
			continue
		}
		if _, twice := out[proper]; twice {
			return nil, odd, problem.New(problem.BadInput, "%s is given twice", at+"/"+proper)
		}
		if sub == nil {
			if !empty(v) {
				out[name], odd = v, append(odd, at+"/"+name)
			}
			continue
		}
		w, more, err := walk(sub, v, at+"/"+proper, odd)
		if err != nil {
			return nil, odd, err
		}
		if odd = more; w != nil {
			out[proper] = w
		}
	}
	if s.off && out["isEnabled"] == false && !slices.ContainsFunc(odd, under(at)) {
		return nil, odd, nil
	}
	if out["isEnabled"] == true {
		for k, v := range s.fill {
			if out[k] == nil {
				out[k] = v
			}
		}
	}
	if len(out) == 0 && !s.keep && at != "" {
		return nil, odd, nil
	}
	return out, odd, nil
}

func under(at string) func(string) bool {
	return func(p string) bool { return strings.HasPrefix(p, at+"/") }
}

// annotation reports OData's own members, of which none says anything about a setting:
// types that a shape derives, links, announced actions.
func annotation(name string) bool {
	return strings.HasPrefix(name, "#microsoft.graph.") || strings.Contains(name, "@odata.")
}

// empty reports what says nothing wherever it stands.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, x := range v {
			if !empty(x) {
				return false
			}
		}
		return true
	}
	return false
}

// walkFlags reads words that are joined by commas, or a list of them.
func walkFlags(s *shape, v any, at string, odd []string) (any, []string, error) {
	var words []string
	switch v := v.(type) {
	case string:
		words = strings.Split(v, ",")
	case []any:
		for _, x := range v {
			w, is := x.(string)
			if !is {
				return v, append(odd, at), nil
			}
			words = append(words, w)
		}
	default:
		return v, append(odd, at), nil
	}
	var out []string
	for _, w := range words {
		w, known := s.word(w)
		if w == "" {
			continue
		}
		if !known {
			odd = append(odd, at)
		}
		out = append(out, w)
	}
	rank := func(w string) int {
		if i := slices.Index(s.words, w); i >= 0 {
			return i
		}
		return len(s.words)
	}
	slices.SortFunc(out, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	if out = slices.Compact(out); len(out) == 0 {
		return nil, odd, nil
	}
	return strings.Join(out, ","), odd, nil
}

// walkSet reads texts whose order says nothing.
func walkSet(s *shape, v any, at string, odd []string) (any, []string, error) {
	l, is := v.([]any)
	if !is {
		return v, append(odd, at), nil
	}
	var out []string
	for _, x := range l {
		t, is := x.(string)
		if !is {
			return v, append(odd, at), nil
		}
		t, known := s.scalar(t)
		if !known {
			odd = append(odd, at)
		}
		out = append(out, t)
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) == 0 {
		return nil, odd, nil
	}
	res := make([]any, len(out))
	for i, t := range out {
		res[i] = t
	}
	return res, odd, nil
}

// walkObjects reads a list of objects.
func walkObjects(s *shape, v any, at string, odd []string) (any, []string, error) {
	l, is := v.([]any)
	if !is {
		return v, append(odd, at), nil
	}
	out := make([]any, 0, len(l))
	for _, x := range l {
		m, is := x.(map[string]any)
		if !is {
			return v, append(odd, at), nil
		}
		w, more, err := walkNode(&shape{form: node, members: s.members, keep: true}, m, at+"/-", odd)
		if err != nil {
			return nil, odd, err
		}
		odd, out = more, append(out, w)
	}
	if s.form == set {
		slices.SortFunc(out, func(a, b any) int { return bytes.Compare(write(a), write(b)) })
		out = slices.CompactFunc(out, same)
	}
	if len(out) == 0 {
		return nil, odd, nil
	}
	return out, odd, nil
}
