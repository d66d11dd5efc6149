package intake

import (
	"bytes"
	"slices"
	"strings"

	"partnerguard/internal/intake/text"
)

// keySet is a set of the keys the rules know, one bit each.
type keySet [6]uint64

func (s *keySet) add(i int)     { s[i>>6] |= 1 << (i & 63) }
func (s keySet) has(i int) bool { return s[i>>6]&(1<<(i&63)) != 0 }

// holds reports that every key of want is in s.
func (s *keySet) holds(want *keySet) bool {
	for i := range s {
		if s[i]&want[i] != want[i] {
			return false
		}
	}
	return true
}

// touches reports that any key of other is in s.
func (s *keySet) touches(other *keySet) bool {
	for i := range s {
		if s[i]&other[i] != 0 {
			return true
		}
	}
	return false
}

// keyIDs numbers every key named by a rule. It is filled while the package's
// tables are built and only read afterwards.
type keyIDs map[string]int

func (k keyIDs) id(name string) int {
	i, ok := k[name]
	if !ok {
		i = len(k)
		if i >= len(keySet{})*64 {
			panic("intake: too many keys in the recognition table")
		}
		k[name] = i
	}
	return i
}

func (k keyIDs) set(names string) (s keySet) {
	for n := range strings.FieldsSeq(names) {
		s.add(k.id(n))
	}
	return s
}

// facts is what recognition looks at: the members of one object, one level deep.
type facts struct {
	known  keySet
	values []knownValue // of the known keys, in order
	names  int          // members, without @odata annotations
	nulls  int          // of them null, or empty containers
	texts  int          // of them texts
	words  int          // of them texts that are the name of a type
	low    []byte       // scratch
}

type knownValue struct {
	id  int
	raw []byte
}

// get is the value of a known key, the last one if it is there twice, or nil.
func (o *facts) get(id int) []byte {
	for _, v := range slices.Backward(o.values) {
		if v.id == id {
			return v.raw
		}
	}
	return nil
}

// text is the decoded text of a known key, or "".
func (o *facts) text(id int) string {
	if v := o.get(id); len(v) > 1 && v[0] == '"' {
		return text.Unquote(v)
	}
	return ""
}

// read fills o from a valid JSON object.
func (o *facts) read(t *table, raw []byte) {
	*o = facts{values: o.values[:0], low: o.low}
	text.Members(raw, func(key, val []byte) bool {
		low := o.lower(key)
		if i, ok := t.keys[string(low)]; ok {
			o.known.add(i)
			o.values = append(o.values, knownValue{i, val})
		}
		if bytes.IndexByte(low, '@') >= 0 || bytes.HasPrefix(low, []byte("#")) {
			return true
		}
		o.names++
		switch val[0] {
		case 'n':
			o.nulls++
		case '[', '{':
			if len(val) == 2 {
				o.nulls++
			}
		case '"':
			o.texts++
			if len(val) < 40 && typeWords[string(val[1:len(val)-1])] {
				o.words++
			}
		}
		return true
	})
}

// lower is key in lower case, decoded; valid until the next call.
func (o *facts) lower(key []byte) []byte {
	if bytes.IndexByte(key, '\\') >= 0 {
		return []byte(strings.ToLower(text.Unquote(key)))
	}
	o.low = append(o.low[:0], key[1:len(key)-1]...)
	for i, c := range o.low {
		if 'A' <= c && c <= 'Z' {
			o.low[i] = c | 0x20
		}
	}
	o.low = bytes.TrimSpace(o.low)
	// Log Analytics writes the zone behind the name of a time column.
	if n := len(o.low); n > 4 && o.low[n-1] == ']' {
		if i := bytes.LastIndex(o.low, []byte(" [")); i > 0 {
			o.low = o.low[:i]
		}
	}
	for i, c := range o.low { // "Control ID" -> control_id
		if c == ' ' {
			o.low[i] = '_'
		}
	}
	return o.low
}

// typeWords are what documentation prints in the place of values.
var typeWords = map[string]bool{
	"String": true, "Integer": true, "Boolean": true, "Int32": true, "Int64": true, "Double": true, "Guid": true,
	"DateTimeOffset": true, "Duration": true, "Collection": true, "String (identifier)": true, "String (timestamp)": true,
	"String (enum)": true, "Edm.String": true, "Edm.Boolean": true, "Edm.Int32": true, "Edm.DateTimeOffset": true,
	"Edm.Guid": true, "string": true, "boolean": true, "integer": true, "number": true,
}

// describe names an object by its first keys.
func describe(raw []byte) string {
	var names []string
	total := 0
	text.Members(raw, func(key, _ []byte) bool {
		if total++; len(names) < 5 {
			n := text.Unquote(key)
			if len(n) > 40 {
				n = strings.ToValidUTF8(n[:40], "") + "…"
			}
			names = append(names, strings.Map(text.Printable, n))
		}
		return true
	})
	switch {
	case total == 0:
		return "an object without members"
	case total > len(names):
		return "an object with the members " + strings.Join(names, ", ") + ", …"
	}
	return "an object with the members " + strings.Join(names, ", ")
}
