package jsonscan

import (
	"encoding/binary"
	"unsafe"
)

// Words of the literals, as [Index.word] reads them.
const (
	wordNull = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24
	wordTrue = 't' | 'r'<<8 | 'u'<<16 | 'e'<<24
	wordFals = 'f' | 'a'<<8 | 'l'<<16 | 's'<<24
)

// At is the first byte of token k, which may lie up to eight past the last one:
// those read as the text's first byte, a brace that fits nowhere.
//
// Walkers call it for every token, so it does without bounds checks: a place
// in Pos always lies within Text, and a walker that has passed the end is
// stopped by the braces there, long before the eighth.
func (x *Index) At(k int) byte { return *(*byte)(unsafe.Add(x.text, x.place(k))) }

func (x *Index) place(k int) uint32 { return *(*uint32)(unsafe.Add(x.pos, k*4)) }

// String returns the place of the content of the string at token k, without
// its quotes and with its escapes as written.
func (x *Index) String(k int) (from, to int, ok bool) {
	from, to = int(x.place(k))+1, int(x.place(k+1))-1
	if to < from { // the text ends here, so it lacks a brace
		return 0, 0, false
	}
	if *(*byte)(unsafe.Add(x.text, to)) != '"' { // blanks before the next token
		to = x.closing(from, to)
	}
	return from, to, true
}

// Base gives the addresses of the first byte of the text and of the first place
// in Pos, for loops that know how far they may go.
func (x *Index) Base() (text, pos unsafe.Pointer) { return x.text, x.pos }

// Content is the content of the string at token k, which must not be the last
// one and must be a string; plain is [Index.Plain] of it, or true when it is
// empty.
func (x *Index) Content(k int) (s string, plain bool) {
	from, to := x.place(k)+1, x.place(k+1)-1
	if *(*byte)(unsafe.Add(x.text, to)) != '"' {
		to = uint32(x.closing(int(from), int(to)))
	}
	if from == to {
		return "", true
	}
	return unsafe.String((*byte)(unsafe.Add(x.text, from)), to-from), x.Plain(int(from), int(to))
}

// Scalars checks the grammar of the numbers and literals at tokens, none of
// which may be the last one.
func (x *Index) Scalars(tokens []uint32) bool {
	limit := len(x.Text) - 4
	for _, k := range tokens {
		from, next := x.place(int(k)), x.place(int(k)+1)
		if int(from) <= limit {
			// As exporters write them: no blanks, mostly literals.
			w, size := binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(x.text, from))[:]), next-from
			if size == 4 && (w == wordNull || w == wordTrue) ||
				size == 5 && w == wordFals && *(*byte)(unsafe.Add(x.text, from+4)) == 'e' ||
				size == 1 && byte(w)-'0' <= 9 {
				continue
			}
		}
		if _, ok := x.Scalar(int(k)); !ok {
			return false
		}
	}
	return true
}

// closing finds the quote that closes the string between from and to. There is one,
// because only blanks stand between it and the next token; in memory that somebody
// else writes to there may be none any more, and the string is then empty.
func (x *Index) closing(from, to int) int {
	for to > from && x.Text[to] != '"' {
		to--
	}
	return to
}

// Scalar returns the number or literal at token k after checking its grammar.
func (x *Index) Scalar(k int) (text []byte, ok bool) {
	from, next := x.Pos[k], x.Pos[k+1]
	if next <= from {
		return nil, false
	}
	text = x.Text[from:next]
	if len(text) == 4 { // no blanks, as exporters write
		if w := x.word(from); w == wordNull || w == wordTrue {
			return text, true
		}
	}
	for len(text) > 0 && blank(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	switch x.word(from) {
	case wordNull, wordTrue:
		return text, len(text) == 4
	case wordFals:
		return text, len(text) == 5 && text[4] == 'e'
	}
	return text, Number(text)
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// Number checks the grammar of a JSON number (RFC 8259, section 6).
func Number(s []byte) bool {
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	if len(s) == 0 {
		return false
	}
	if s[0] == '0' {
		s = s[1:]
	} else {
		n := digits(s)
		if n == 0 {
			return false
		}
		s = s[n:]
	}
	if len(s) > 0 && s[0] == '.' {
		n := digits(s[1:])
		if n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if len(s) > 0 && s[0]|0x20 == 'e' {
		s = s[1:]
		if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		n := digits(s)
		if n == 0 {
			return false
		}
		s = s[n:]
	}
	return len(s) == 0
}

func digits(s []byte) (n int) {
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	return n
}

// Skip steps over the value at token k and returns the token behind it. It
// reports false when the value is not valid or nests deeper than [MaxDepth].
func (x *Index) Skip(k int) (next int, ok bool) {
	var objects uint64 // one bit for each open container: 1 is an object
	depth := 0
value:
	switch x.At(k) {
	case '"':
		k++
	case '{':
		if depth == MaxDepth {
			return 0, false
		}
		k++
		if x.At(k) == '}' {
			k++
			break
		}
		objects = objects<<1 | 1
		depth++
		goto key
	case '[':
		if depth == MaxDepth {
			return 0, false
		}
		k++
		if x.At(k) == ']' {
			k++
			break
		}
		objects <<= 1
		depth++
		goto value
	default:
		if _, ok := x.Scalar(k); !ok {
			return 0, false
		}
		k++
	}
after:
	if depth == 0 {
		return k, true
	}
	switch x.At(k) {
	case ',':
		k++
		if objects&1 == 0 {
			goto value
		}
	case '}':
		if objects&1 == 0 {
			return 0, false
		}
		objects >>= 1
		depth--
		k++
		goto after
	case ']':
		if objects&1 != 0 {
			return 0, false
		}
		objects >>= 1
		depth--
		k++
		goto after
	default:
		return 0, false
	}
key:
	if x.At(k) != '"' || x.At(k+1) != ':' {
		return 0, false
	}
	k += 2
	goto value
}

// Valid reports that the text scanned is one valid JSON object. False may also
// mean that it is not sure.
func (x *Index) Valid() bool {
	if x.n == 0 {
		return false
	}
	k, ok := x.Skip(0)
	return ok && k == x.n
}
