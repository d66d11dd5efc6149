package jsonscan

import "unsafe"

// Value is a place in a sample that may read otherwise in other texts: the
// content of a string, without its quotes, or a number or literal.
type Value struct {
	From, To int
	Text     bool // a string
	Even     bool // nearly always as long as here: texts fit the faster for it
}

// A Stencil is what a text looks like whose make is known: stretches that never
// change, each followed by a value that does. A text that fits it is valid where
// the sample was, byte for byte, without being looked at token by token.
//
// A Stencil is never changed once it was cut and may be used by several
// goroutines at once.
type Stencil struct {
	fixed  []byte // all stretches, with slack behind them
	pieces []piece
}

// piece is one stretch and what follows it. The assembly knows its layout.
type piece struct {
	at, size uint32 // in fixed
	follows  uint32
	usual    uint32 // size of the text that follows, or what none has
}

const unusual = 1<<32 - 1

// What follows a stretch.
const (
	followsText = iota
	followsScalar
	followsEnd
)

// Span is where a value stands in a text. The assembly knows its layout.
type Span struct {
	From uint32
	to   uint32 // with the highest bit set for odd ones
}

const oddSpan = 1 << 31

// To is the place behind the value.
func (s Span) To() int { return int(s.to &^ oddSpan) }

// Odd says that the value has a backslash or a byte outside ASCII.
func (s Span) Odd() bool { return s.to&oddSpan != 0 }

// Of is the value in its text.
func (s Span) Of(text []byte) string {
	return unsafe.String((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(text)), s.From)), s.to&^oddSpan-s.From)
}

// Cut makes a stencil of a sample, which must be one valid JSON object, and of
// its values in the order in which they stand. It keeps nothing of either.
func Cut(sample []byte, values []Value) *Stencil {
	s := &Stencil{}
	at := 0
	stretch := func(end int, follows, usual uint32) {
		s.pieces = append(s.pieces, piece{at: uint32(len(s.fixed)), size: uint32(end - at), follows: follows, usual: usual})
		s.fixed = append(s.fixed, sample[at:end]...)
	}
	for _, v := range values {
		follows, usual := uint32(followsScalar), uint32(unusual)
		if v.Text {
			follows = followsText
		}
		if v.Even {
			usual = uint32(v.To - v.From)
		}
		stretch(v.From, follows, usual)
		at = v.To
	}
	stretch(len(sample), followsEnd, unusual)
	s.fixed = append(s.fixed, make([]byte, Slack)...)
	return s
}

// Values is how many values a text has.
func (s *Stencil) Values() int { return len(s.pieces) - 1 }

// Alike is how many pieces, each a stretch and its value, two stencils begin with alike.
func (s *Stencil) Alike(o *Stencil) (n int) {
	for n < min(len(s.pieces), len(o.pieces)) {
		a, b := s.pieces[n], o.pieces[n]
		if a.follows != b.follows || string(s.stretch(a)) != string(o.stretch(b)) {
			break
		}
		n++
	}
	return n
}

func (s *Stencil) stretch(p piece) []byte { return s.fixed[p.at : p.at+p.size] }

// Fit lays the stencil on text from its piece i on, which begins at the place
// that the value before it ends at (0 for the first). The places of the values go to spans,
// which must have room for [Stencil.Values] and hold those before i.
//
// ok says that everything fits; then end is the place behind the object, and
// text[:end] is valid JSON. Otherwise at is the first piece that does not fit;
// the pieces before it do. Bytes from len(text) on, up to [Slack], may be read
// but do not matter: without them in text's capacity the portable way is taken.
func (s *Stencil) Fit(text []byte, spans []Span, i int) (at, end int, ok bool) {
	if len(spans) < len(s.pieces)-1 || len(text) >= oddSpan-Slack {
		return i, 0, false
	}
	lay := (*Stencil).portable
	if cap(text)-len(text) >= Slack && fitsFast {
		lay = (*Stencil).fast
	}
	return s.fit(lay, text, spans, i)
}

// fitFunc lays a stencil from a piece and place on until the end, a piece that differs or a
// value that needs a closer look.
type fitFunc func(s *Stencil, text []byte, spans []Span, i, pos int) (at, end, why int)

func (s *Stencil) fit(lay fitFunc, text []byte, spans []Span, i int) (at, end int, ok bool) {
	pos := 0
	if i > 0 {
		pos = spans[i-1].To()
	}
	for {
		var why int
		if i, pos, why = lay(s, text, spans, i, pos); why == fits {
			return i, pos, true
		} else if why == differs {
			return i, 0, false
		}
		// A value that needs a closer look.
		to, odd, ok := closer(text, pos, s.pieces[i].follows == followsText)
		if !ok {
			return i, 0, false
		}
		spans[i] = span(pos, to, odd)
		i, pos = i+1, to
	}
}

// Why a run over the pieces ends: the assembly knows them.
const (
	fits    = iota
	differs // the piece's stretch, or the text is over
	special // the piece's value begins there and is for closer
)

func span(from, to int, odd bool) Span {
	s := Span{uint32(from), uint32(to)}
	if odd {
		s.to |= oddSpan
	}
	return s
}

// portable lays the stencil in plain Go.
func (s *Stencil) portable(text []byte, spans []Span, i, pos int) (at, end, why int) {
	for ; ; i++ {
		p := s.pieces[i]
		next := pos + int(p.size)
		if next > len(text) || string(text[pos:next]) != string(s.stretch(p)) {
			return i, 0, differs
		}
		if pos = next; p.follows == followsEnd {
			return i, pos, fits
		}
		to, odd, ok := closer(text, pos, p.follows == followsText)
		if !ok {
			return i, 0, differs
		}
		spans[i] = span(pos, to, odd)
		pos = to
	}
}

// closer finds the end of the value at pos and checks its grammar.
func closer(text []byte, pos int, isText bool) (to int, odd, ok bool) {
	if !isText {
		to = scalarEnd(text, pos)
		s := text[pos:to]
		return to, false, string(s) == "true" || string(s) == "false" || string(s) == "null" || Number(s)
	}
	for i := pos; i < len(text); i++ {
		c := text[i]
		if class[c]&isSpecial == 0 {
			continue
		}
		switch {
		case c == '"':
			return i, odd, true
		case c == '\\':
			odd = true
			n := escape(text[i+1:])
			if n == 0 {
				return 0, false, false
			}
			i += n
		case c < ' ':
			return 0, false, false
		default:
			odd = true
		}
	}
	return 0, false, false
}

// scalarEnd is the place behind the letters, digits and signs that numbers and literals are made of.
func scalarEnd(text []byte, pos int) int {
	for pos < len(text) {
		c := text[pos]
		if c-'0' > 9 && c|0x20-'a' > 25 && c != '-' && c != '+' && c != '.' {
			break
		}
		pos++
	}
	return pos
}

// escape is the length of the escape sequence behind a backslash; 0 is none.
func escape(s []byte) int {
	if len(s) == 0 {
		return 0
	}
	switch s[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(s) >= 5 && hex(s[1]) && hex(s[2]) && hex(s[3]) && hex(s[4]) {
			return 5
		}
	}
	return 0
}
