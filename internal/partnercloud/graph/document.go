package graph

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Settings objects that are kept as they were written.

// fill completes an object to the form Graph gives: every member is there, null
// or an empty collection where nothing was said.
func fill(fs fields, m map[string]any) map[string]any {
	out := make(map[string]any, len(fs))
	for k, v := range m {
		if !strings.Contains(k, "@odata.") || k == "@odata.type" {
			out[k] = v
		}
	}
	for k, s := range fs {
		v, ok := out[k]
		switch {
		case s.kind == kList && v == nil && s.must:
			out[k] = []any{}
		case !ok:
			out[k] = nil
		case s.kind == kObject && v != nil:
			out[k] = fill(s.props, v.(map[string]any))
		case s.kind == kFlags && v != nil:
			out[k] = s.inOrder(v)
		}
	}
	return out
}

// inOrder writes flags as Graph answers them: in the order of the enumeration, each once,
// however they were sent.
func (s *spec) inOrder(v any) any {
	text, is := v.(string)
	if !is {
		return v
	}
	var sent, out []string
	for w := range strings.SplitSeq(text, ",") {
		sent = append(sent, strings.TrimSpace(w))
	}
	for _, w := range s.words {
		if slices.Contains(sent, w) {
			out = append(out, w)
		}
	}
	return strings.Join(out, ",")
}

func decodeObject(raw json.RawMessage) map[string]any {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil || m == nil {
		m = map[string]any{}
	}
	return m
}

// document shows a settings object that is kept as written.
type document struct {
	id   string
	raw  json.RawMessage
	all  map[string]json.RawMessage // decoded when first asked
	keys []string
}

func newDocument(id string, raw json.RawMessage) *document {
	d := &document{id: id, raw: raw}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return d
	}
	d.all = map[string]json.RawMessage{}
	for dec.More() {
		k, err := dec.Token()
		if err != nil {
			break
		}
		name, _ := k.(string)
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			break
		}
		if _, dup := d.all[name]; !dup {
			d.keys = append(d.keys, name)
		}
		d.all[name] = v
	}
	return d
}

// documentShape shows documents of a type: the listed properties in order.
func documentShape(typ string, kind func(*document) string, names ...string) *shape {
	var fs []field
	for _, n := range names {
		fs = append(fs, f(n, func(d *document) any {
			if v, ok := d.all[n]; ok {
				return v
			}
			if known, isList := knownProperty(typ, n, true); known && isList {
				return []string{}
			}
			return nil
		}))
	}
	sh := newShape(typ, func(r any) string { return r.(*document).id }, fs...)
	if kind != nil {
		sh.kind = func(r any) string { return kind(r.(*document)) }
	}
	return sh
}
