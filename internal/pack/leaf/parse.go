package leaf

import (
	"bytes"
	"encoding/base64"

	"github.com/go-json-experiment/json/jsontext"
)

// Parse reads a record and computes its root. A line that Append would write otherwise
// is refused, so that one record is one line.
func Parse(line []byte) (*Record, error) {
	if len(line) > MaxLine {
		return nil, errLine
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(line))
	if d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return nil, errLine
		}
		h, ok := root32(t.String())
		r := &Record{Root: h}
		return r, same(r, line, ok)
	}
	if d.PeekKind() != '[' {
		return nil, errLine
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, errLine
	}
	r := &Record{Leaves: []Leaf{}}
	for d.PeekKind() == '[' {
		l, ok := parseLeaf(d)
		if !ok || len(r.Leaves) >= MaxLeaves {
			return nil, errLine
		}
		r.Leaves = append(r.Leaves, l)
	}
	if t, err := d.ReadToken(); err != nil || t.Kind() != ']' || len(r.Leaves) == 0 {
		return nil, errLine
	}
	r.Root = r.root()
	return r, same(r, line, true)
}

func same(r *Record, line []byte, ok bool) error {
	if !ok || !bytes.Equal(bytes.TrimSuffix(r.Append(nil), []byte{'\n'}), line) {
		return errLine
	}
	return nil
}

func parseLeaf(d *jsontext.Decoder) (l Leaf, ok bool) {
	if _, err := d.ReadToken(); err != nil { // the bracket
		return l, false
	}
	path, err := d.ReadToken()
	if err != nil || path.Kind() != '"' {
		return l, false
	}
	l.Path = path.String()
	salt, err := d.ReadToken()
	if err != nil || salt.Kind() != 'n' && salt.Kind() != '"' || len(l.Path) > MaxPath {
		return l, false
	}
	if salt.Kind() == '"' {
		if l.Salt, ok = decode64(salt.String(), SaltSize); !ok {
			return l, false
		}
	}
	v, err := d.ReadValue()
	if err != nil || !scalar(v) || l.Salt == nil && v.Kind() != '"' {
		return l, false
	}
	l.Raw = bytes.Clone(v)
	if l.Salt == nil {
		t, err := d.ReadToken()
		if err != nil || t.Kind() != '"' {
			return l, false
		}
		h, ok := decode64(t.String(), len(l.Inner))
		if !ok {
			return l, false
		}
		l.Inner = Hash(h)
	} else {
		l.Inner = inner(l.Salt, l.Raw)
	}
	t, err := d.ReadToken()
	return l, err == nil && t.Kind() == ']'
}

// scalar says that a value is one as Cut gives them.
func scalar(v jsontext.Value) bool {
	return v.Kind() != '{' && v.Kind() != '[' || string(v) == "{}" || string(v) == "[]"
}

func decode64(s string, size int) ([]byte, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	return b, err == nil && len(b) == size && base64.StdEncoding.EncodeToString(b) == s
}
