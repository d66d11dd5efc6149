package jsonscan

import (
	"bytes"
	"encoding/binary"
	"unsafe"
)

// MaxText is the longest text Scan takes.
const MaxText = 256 << 10

// MaxDepth is how deep values may nest for Skip.
const MaxDepth = 64

// Flags say what a text contains.
type Flags uint8

// The flags.
const (
	Backslash Flags = 1 << iota // a backslash anywhere
	NonASCII                    // a byte above 0x7f anywhere
)

// sentinels is how many entries past the last token may be read; they hold 0,
// the place of the text's first token, which is never a legal continuation.
const sentinels = 8

// Index is the list of tokens of one text. The zero value is ready. It is
// valid until the next Scan.
type Index struct {
	// Text is the text that was scanned.
	Text []byte
	// Pos holds the place of each token in Text, in order, followed by eight
	// zeros that may be read but are not counted by Len.
	Pos   []uint32
	Flags Flags
	// Kinds holds the first byte of each token, with '0' for every number and
	// literal. Texts of equal kinds have the same structure.
	Kinds []byte

	n     int
	space []uint32
	kinds []uint8
	odd   []uint8 // 1 for blocks with a backslash or a byte outside ASCII
	tail  [64]byte

	text, pos unsafe.Pointer // the first elements of Text and Pos
}

// state is carried from block to block. The assembly knows its layout.
type state struct {
	base     uint64 // place of the block's first byte
	inString uint64 // all ones inside a string
	escaped  uint64 // 1: the first byte of the block is escaped
	scalar   uint64 // 1: the block before ended within a number or literal
	control  uint64 // not zero: a control character inside a string
	high     uint64 // not zero: a byte above 0x7f
	slash    uint64 // not zero: a backslash
}

// Len is the number of tokens.
func (x *Index) Len() int { return x.n }

// Scan lists the tokens of text. It reports false when text is no JSON for
// certain (an open string, a control character or a bad escape in a string),
// when it does not begin with an opening brace, or when it is longer than
// [MaxText]. True does not yet mean that the text is valid.
func (x *Index) Scan(text []byte) bool {
	if len(text) == 0 || text[0] != '{' || len(text) > MaxText {
		return false
	}
	x.grow(len(text))
	var st state
	whole := len(text) / 64
	n := 0
	if whole > 0 {
		n = scanBlocks(text, whole, x.space, &st, x.odd, x.kinds)
	}
	if rest := text[whole*64:]; len(rest) > 0 {
		fill := copy(x.tail[:], rest)
		for i := fill; i < 64; i++ {
			x.tail[i] = ' '
		}
		n += scanBlocks(x.tail[:], 1, x.space[n:], &st, x.odd[whole:], x.kinds[n:])
	}
	return x.scanned(text, n, &st)
}

// Slack is how many bytes behind a text [Index.ScanLine] must be able to read.
const Slack = 64

// usualLine is how far a line's end is looked for while it is scanned: room for its
// tokens is made beforehand. Longer ones cost a pass more.
const usualLine = 32 << 10

// ScanLine is [Index.Scan] of the text's first line, without its line feed;
// end is where the line feed stands, or len(text). Bytes from len(text) on, up
// to [Slack], are read but do not matter: text's capacity must have them.
func (x *Index) ScanLine(text []byte) (end int, ok bool) {
	limit := min(len(text), usualLine)
	if scansLines && limit > 0 && text[0] == '{' && cap(text) >= limit+Slack {
		x.grow(limit)
		var st state
		n, end := scanLine(text[:limit+Slack], (limit+63)/64, x.space, &st, x.odd, x.kinds)
		if 0 <= end && end < limit {
			return end, x.scanned(text[:end], n, &st)
		}
	}
	if end = bytes.IndexByte(text, '\n'); end < 0 {
		end = len(text)
	}
	return end, x.Scan(text[:end])
}

// grow makes room for the tokens of a text.
func (x *Index) grow(size int) {
	if need := size + 64 + 64 + sentinels; len(x.space) < need {
		x.space = make([]uint32, need+need/4)
		x.kinds = make([]uint8, need+need/4)
	}
	if need := size/64 + 2; len(x.odd) < need {
		x.odd = make([]uint8, need+need/4)
	}
}

// scanned takes over what stage one found in text.
func (x *Index) scanned(text []byte, n int, st *state) bool {
	clear(x.space[n : n+sentinels])
	x.Text, x.Pos, x.n = text, x.space[:n+sentinels], n
	x.text, x.pos = unsafe.Pointer(&text[0]), unsafe.Pointer(&x.space[0])
	x.Kinds = x.kinds[:n]
	x.Flags = 0
	if st.slash != 0 {
		x.Flags |= Backslash
	}
	if st.high != 0 {
		x.Flags |= NonASCII
	}
	if st.inString != 0 || st.control != 0 || st.slash != 0 && !x.validEscapes() {
		return false
	}
	return true
}

// validEscapes checks every escape sequence, looking only at blocks that have
// a backslash. One outside a string is refused later, as part of a number or
// literal.
func (x *Index) validEscapes() bool {
	text := x.Text
	blocks := (len(text) + 63) / 64
	for from := 0; from < len(text); {
		b := from / 64
		if x.odd[b] == 0 {
			skip := bytes.IndexByte(x.odd[b:blocks], 1)
			if skip < 0 {
				break
			}
			b += skip
			from = b * 64
		}
		end := min(len(text), (b+1)*64)
		i := bytes.IndexByte(text[from:end], '\\')
		if i < 0 {
			from = end
			continue
		}
		from += i + 1
		if from == len(text) {
			return false
		}
		switch text[from] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			from++
		case 'u':
			if len(text) < from+5 || !hex(text[from+1]) || !hex(text[from+2]) || !hex(text[from+3]) || !hex(text[from+4]) {
				return false
			}
			from += 5
		default:
			return false
		}
	}
	return true
}

func hex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// scanFunc is scanBlocks or a twin of it.
type scanFunc func(text []byte, blocks int, out []uint32, st *state, odd, kinds []uint8) int

// The classes of bytes, as bits.
const (
	isQuote = 1 << iota
	isSlash
	isControl
	isOp
	isBlank
	isHigh

	isSpecial = isQuote | isSlash | isControl | isHigh // matters within a string
)

var class = func() (t [256]uint8) {
	for i := range t {
		c := byte(i)
		if c < 0x20 {
			t[i] |= isControl
		}
		if c >= 0x80 {
			t[i] |= isHigh
		}
		switch c {
		case '"':
			t[i] |= isQuote
		case '\\':
			t[i] |= isSlash
		case ' ', '\t', '\n', '\r':
			t[i] |= isBlank
		}
		switch c | 0x20 { // with two control characters, which no walker takes for operators
		case '{', '}', ':', ',':
			t[i] |= isOp
		}
	}
	return t
}()

// portableBlocks is scanBlocks in plain Go, a byte at a time.
func portableBlocks(text []byte, blocks int, out []uint32, st *state, odd, kinds []uint8) (n int) {
	text = text[:blocks*64]
	clear(odd[:blocks])
	base := st.base
	inString, escaped, scalar := st.inString != 0, st.escaped != 0, st.scalar != 0
	for i := 0; i < len(text); i++ {
		if inString && !escaped {
			start := i
			for i < len(text) && class[text[i]]&isSpecial == 0 {
				i++
			}
			if i > start {
				scalar = class[text[i-1]]&(isOp|isBlank) == 0
			}
			if i == len(text) {
				break
			}
		}
		c := class[text[i]]
		wasEscaped := escaped
		escaped = c&isSlash != 0 && !wasEscaped
		if c&(isSlash|isHigh) != 0 {
			odd[i/64] = 1
			if c&isSlash != 0 {
				st.slash = 1
			} else {
				st.high = 1
			}
		}
		quote := c&isQuote != 0 && !wasEscaped
		follows := scalar
		scalar = c&(isOp|isBlank) == 0 && !quote
		if !inString && (c&isOp != 0 || c&isBlank == 0 && !follows) {
			out[n] = uint32(st.base) + uint32(i)
			n++
		}
		if quote {
			inString = !inString
		}
		if inString && c&isControl != 0 {
			st.control = 1
		}
	}
	st.base += uint64(len(text))
	st.inString, st.escaped, st.scalar = 0, 0, 0
	if inString {
		st.inString = ^uint64(0)
	}
	if escaped {
		st.escaped = 1
	}
	if scalar {
		st.scalar = 1
	}
	kindsOf(text, out[:n], uint32(base), kinds)
	return n
}

// kindsOf writes the kind of each token: its first byte, or 0 for numbers and
// literals.
func kindsOf(text []byte, places []uint32, base uint32, kinds []uint8) {
	kinds = kinds[:len(places)]
	for i, p := range places {
		c := text[p-base]
		if class[c]&(isOp|isQuote) == 0 {
			c = '0'
		}
		kinds[i] = c
	}
}

// Plain reports for certain that text[from:to], which must lie within the text
// and not be empty, has neither a backslash nor a byte outside ASCII. False
// means that it may have.
func (x *Index) Plain(from, to int) bool {
	first, last := from/64, (to-1)/64
	odd := x.odd[first] | x.odd[last]
	for b := first + 1; b < last; b++ {
		odd |= x.odd[b]
	}
	return odd == 0
}

// word is the four bytes at p, or zero past the end.
func (x *Index) word(p uint32) uint32 {
	if int(p)+4 > len(x.Text) {
		return 0
	}
	return binary.LittleEndian.Uint32(x.Text[p:])
}
