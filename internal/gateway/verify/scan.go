package verify

import (
	"bytes"
	"unicode/utf8"
)

// kind is what a JSON value is.
type kind uint8

const (
	absent  kind = iota
	null         // counts as absent
	text         // printable ASCII without escapes: its bytes are what it says
	written      // any other text
	number
	boolean
	list
	object
)

// span is where a value stands, quotes and brackets included.
type span struct {
	from, to int
	kind     kind
}

// check is what texts below a member are held to.
type check uint8

const (
	free   check = iota
	unseen       // [maxText] bytes, no character that hides or reorders text
	shown        // the same, but for what people's languages need
	scopes       // unseen, of [maxScopes] bytes
	length       // [maxText] bytes
)

// Limits of what is read.
const (
	maxDepth  = 16   // levels
	maxNames  = 512  // members of one object; Entra ID's tokens have some forty
	maxText   = 1024 // bytes of a claim that says who somebody is
	maxScopes = 16 << 10
)

// name is a member's name: of what is scanned, or of scanner.dec where it had escapes.
type name struct {
	hash     uint32
	from, to int
	dec      bool
}

// scanner reads JSON as strictly as can be: RFC 8259, UTF-8 throughout, no half
// characters, no name twice in an object, [maxDepth] levels. It allocates nothing once
// its buffers have grown.
type scanner struct {
	b     []byte
	i     int
	names []name
	dec   []byte // names without their escapes
	buf   []byte // one text without its escapes
	unfit bool   // a text is not as its member's check asks
}

// classes says of each byte in a text what it is.
var classes = func() (c [256]uint8) {
	for i := range c {
		switch {
		case i == '"':
			c[i] = quote
		case i == '\\':
			c[i] = escape
		case i < ' ':
			c[i] = control
		case i > '~':
			c[i] = foreign
		}
	}
	return c
}()

const (
	plainByte = iota
	quote
	escape
	control
	foreign
)

// shape is what an object is read for: place gives a known name's place in checks, or -1.
type shape struct {
	place  func(name []byte) int
	checks []check
}

// members reads one object and nothing behind it, and puts the known ones' spans into
// out. others has a bit for each known one that is there in other letters.
func (s *scanner) members(b []byte, known shape, out []span) (others uint64, ok bool) {
	s.b, s.i, s.names, s.dec, s.unfit = b, 0, s.names[:0], s.dec[:0], false
	if !utf8.Valid(b) || s.space() != '{' {
		return 0, false
	}
	s.i++
	more := s.space() != '}'
	if !more {
		s.i++
	}
	for more {
		n, ok := s.name(0)
		if !ok {
			return 0, false
		}
		of, mode := s.text(n), free
		id := known.place(of)
		if id >= 0 {
			mode = known.checks[id]
		} else if odd(of) {
			s.buf = folded(s.buf[:0], of)
			if other := known.place(s.buf); other >= 0 {
				others |= 1 << other
			}
		}
		v, ok := s.value(2, mode)
		if !ok {
			return 0, false
		}
		if id >= 0 {
			out[id] = v
		}
		if more, ok = s.more('}'); !ok {
			return 0, false
		}
	}
	return others, s.space() == 0 && s.i == len(s.b)
}

// space skips white space and gives what comes next; 0 at the end, and at a NUL, which
// no value begins with.
func (s *scanner) space() byte {
	for ; s.i < len(s.b); s.i++ {
		if c := s.b[s.i]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// more reads the comma or the end behind a value.
func (s *scanner) more(end byte) (more, ok bool) {
	switch c := s.space(); c {
	case ',', end:
		s.i++
		return c == ',', true
	}
	return false, false
}

// name reads a member's name and its colon; base is where its object's names begin.
func (s *scanner) name(base int) (name, bool) {
	if s.space() != '"' {
		return name{}, false
	}
	v, ok := s.quoted()
	if !ok || s.space() != ':' || len(s.names)-base >= maxNames {
		return name{}, false
	}
	s.i++
	n := name{from: v.from + 1, to: v.to - 1}
	if v.kind == written && bytes.IndexByte(s.b[n.from:n.to], '\\') >= 0 {
		raw := s.b[n.from:n.to]
		n.from, n.dec = len(s.dec), true
		s.dec = unescape(s.dec, raw)
		n.to = len(s.dec)
	}
	of := s.text(n)
	n.hash = 2166136261 // FNV-1a
	for _, c := range of {
		n.hash = (n.hash ^ uint32(c)) * 16777619
	}
	for _, o := range s.names[base:] {
		if o.hash == n.hash && string(s.text(o)) == string(of) {
			return name{}, false
		}
	}
	s.names = append(s.names, n)
	return n, true
}

func (s *scanner) text(n name) []byte {
	if n.dec {
		return s.dec[n.from:n.to]
	}
	return s.b[n.from:n.to]
}

// value reads any value; depth is the level it would open.
func (s *scanner) value(depth int, mode check) (span, bool) {
	c := s.space()
	from := s.i
	switch {
	case c == '"':
		v, ok := s.quoted()
		if ok && mode != free {
			s.hold(v, mode)
		}
		return v, ok
	case c == '{' || c == '[':
		if depth > maxDepth {
			return span{}, false
		}
		s.i++
		k, ok := list, false
		if c == '{' {
			k = object
			ok = s.object(depth, mode)
		} else {
			ok = s.list(depth, mode)
		}
		return span{from, s.i, k}, ok
	case c == '-' || '0' <= c && c <= '9':
		ok := s.number()
		if ok && mode != free && s.i-from > limit(mode) {
			s.unfit = true
		}
		return span{from, s.i, number}, ok
	}
	for _, l := range literals {
		if bytes.HasPrefix(s.b[from:], l.word) {
			s.i += len(l.word)
			return span{from, s.i, l.kind}, true
		}
	}
	return span{}, false
}

var literals = []struct {
	word []byte
	kind kind
}{{[]byte("true"), boolean}, {[]byte("false"), boolean}, {[]byte("null"), null}}

func (s *scanner) object(depth int, mode check) bool {
	base := len(s.names)
	if s.space() == '}' {
		s.i++
		return true
	}
	for {
		n, ok := s.name(base)
		if !ok {
			return false
		}
		if of := s.text(n); mode != free && (len(of) > limit(mode) || hides(of, mode)) {
			s.unfit = true
		}
		if _, ok := s.value(depth+1, mode); !ok {
			return false
		}
		more, ok := s.more('}')
		if !ok {
			return false
		}
		if !more {
			s.names = s.names[:base]
			return true
		}
	}
}

func (s *scanner) list(depth int, mode check) bool {
	if s.space() == ']' {
		s.i++
		return true
	}
	for {
		if _, ok := s.value(depth+1, mode); !ok {
			return false
		}
		more, ok := s.more(']')
		if !ok {
			return false
		}
		if !more {
			return true
		}
	}
}

// hold holds a text to its member's check.
func (s *scanner) hold(v span, mode check) {
	raw := s.b[v.from+1 : v.to-1]
	if v.kind == written {
		s.buf = unescape(s.buf[:0], raw)
		raw = s.buf
		if hides(raw, mode) {
			s.unfit = true
		}
	}
	if len(raw) > limit(mode) {
		s.unfit = true
	}
}

func limit(mode check) int {
	if mode == scopes {
		return maxScopes
	}
	return maxText
}

// quoted reads a text.
func (s *scanner) quoted() (span, bool) {
	v := span{from: s.i, kind: text}
	i := s.i + 1
	for i < len(s.b) {
		switch classes[s.b[i]] {
		case plainByte:
			i++
		case quote:
			s.i = i + 1
			v.to = s.i
			return v, true
		case foreign:
			v.kind = written
			i++
		case escape:
			v.kind = written
			n := escaped(s.b[i:])
			if n == 0 {
				return span{}, false
			}
			i += n
		default:
			return span{}, false
		}
	}
	return span{}, false
}

// number reads -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *scanner) number() bool {
	if s.b[s.i] == '-' {
		s.i++
	}
	if s.i < len(s.b) && s.b[s.i] == '0' {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	from := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}
