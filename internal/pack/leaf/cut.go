package leaf

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"partnerguard/internal/problem"
)

// Scalar is a value of a record that has no members, as it is written, at its path. An
// empty object or list is one too.
type Scalar struct {
	Path string
	Raw  []byte
}

// A path is a sequence of steps: /NAME into an object, where ~ is written ~0, / ~1 and
// # ~2, and #N into a list.

// Limits of a record.
const (
	MaxDepth  = 100
	MaxPath   = 4 << 10
	MaxLeaves = 1 << 20 // of a record
)

var bom = []byte("\ufeff")

// Cut takes a page apart: first what is around its list, then each element of it.
// scalars are the caller's until the next call. The list is value, or items, or the page
// itself; around it it stands as []. What is no JSON of unique names, or nests too
// deeply, is refused: what was given of it before does not count.
func Cut(body []byte, each func(scalars []Scalar) error) error {
	top, err := split(bytes.TrimSpace(bytes.TrimPrefix(body, bom)))
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "it is no JSON that can be cut")
	}
	c := cutter{}
	for _, m := range top.around {
		if m.raw == nil {
			c.out = append(c.out, Scalar{m.path, []byte("[]")})
			continue
		}
		if err := c.whole(m.path, m.raw); err != nil {
			return err
		}
	}
	if len(top.around) == 0 {
		c.out = append(c.out, Scalar{"", []byte("{}")})
	}
	if err := each(c.out); err != nil || top.list == nil {
		return err
	}
	return c.elements(top.list, each)
}

type member struct {
	path string
	raw  []byte // nil: the list
}

type page struct {
	around []member
	list   []byte // nil: it has none
}

// split reads a page's own members.
func split(b []byte) (p page, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(b))
	switch d.PeekKind() {
	case '[':
		v, err := d.ReadValue()
		if err != nil {
			return p, err
		}
		p.list, p.around = v, []member{{"", nil}}
		return p, ended(d)
	case '{':
	default:
		v, err := d.ReadValue()
		if err != nil {
			return p, err
		}
		p.around = []member{{"", v}}
		return p, ended(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return p, err
	}
	at := -1 // of the list
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return p, err
		}
		name := t.String()
		v, err := d.ReadValue()
		if err != nil {
			return p, err
		}
		if v.Kind() == '[' && (name == "value" || name == "items" && at < 0) {
			at = len(p.around)
		}
		p.around = append(p.around, member{string(appendName(nil, name)), v})
	}
	if _, err := d.ReadToken(); err != nil {
		return p, err
	}
	if at >= 0 {
		p.list, p.around[at].raw = p.around[at].raw, nil
	}
	return p, ended(d)
}

func ended(d *jsontext.Decoder) error {
	if len(bytes.TrimSpace(d.UnreadBuffer())) > 0 {
		return problem.New(problem.BadInput, "something is behind its end")
	}
	return nil
}

func appendName(path []byte, name string) []byte {
	path = append(path, '/')
	for i := range len(name) {
		switch c := name[i]; c {
		case '~':
			path = append(path, "~0"...)
		case '/':
			path = append(path, "~1"...)
		case '#':
			path = append(path, "~2"...)
		default:
			path = append(path, c)
		}
	}
	return path
}

// cutter cuts one record after the other.
type cutter struct {
	out  []Scalar
	path []byte
}

// whole cuts a value that stands at a path.
func (c *cutter) whole(path string, raw []byte) error {
	c.path = append(c.path[:0], path...)
	return c.value(jsontext.NewDecoder(bytes.NewBuffer(raw)), 0)
}

// elements cuts each element of a list.
func (c *cutter) elements(list []byte, each func([]Scalar) error) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(list))
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		c.out, c.path = c.out[:0], c.path[:0]
		if err := c.value(d, 0); err != nil {
			return err
		}
		if err := each(c.out); err != nil {
			return err
		}
	}
	return nil
}

func (c *cutter) value(d *jsontext.Decoder, depth int) error {
	refuse := func(why string) error { return problem.New(problem.BadInput, "it cannot be cut: %s", why) }
	if depth > MaxDepth || len(c.path) > MaxPath || len(c.out) >= MaxLeaves {
		return refuse("it is too deep, too long or too large")
	}
	kind := d.PeekKind()
	if kind != '{' && kind != '[' {
		v, err := d.ReadValue()
		if err != nil {
			return refuse("it is no JSON")
		}
		c.out = append(c.out, Scalar{string(c.path), bytes.Clone(v)})
		return nil
	}
	if _, err := d.ReadToken(); err != nil {
		return refuse("it is no JSON")
	}
	length, n := len(c.path), 0
	for ; d.PeekKind() != '}' && d.PeekKind() != ']'; n++ {
		if kind == '{' {
			t, err := d.ReadToken()
			if err != nil {
				return refuse("it is no JSON of names that differ")
			}
			c.path = appendName(c.path, t.String())
		} else {
			c.path = strconv.AppendInt(append(c.path, '#'), int64(n), 10)
		}
		if err := c.value(d, depth+1); err != nil {
			return err
		}
		c.path = c.path[:length]
	}
	if _, err := d.ReadToken(); err != nil {
		return refuse("it is no JSON")
	}
	if n == 0 {
		empty := []byte("{}")
		if kind == '[' {
			empty = []byte("[]")
		}
		c.out = append(c.out, Scalar{string(c.path), empty})
	}
	return nil
}
