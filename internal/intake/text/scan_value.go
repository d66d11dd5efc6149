package text

import (
	"encoding/binary"
	"fmt"
	"io"
)

// plain are the bytes that need no attention inside a string.
var plain = func() (t [256]bool) {
	for i := range t {
		t[i] = i >= 0x20 && i != '"' && i != '\\'
	}
	return t
}()

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// allPlain tests eight bytes at once: none below 0x20, no quote, no backslash.
func allPlain(w uint64) bool {
	q := w ^ ones*'"'
	e := w ^ ones*'\\'
	// x-ones &^ x has the high bit of each byte that is zero; a borrow can only
	// add false alarms behind a true one.
	return ((w-ones*0x20)&^w|(q-ones)&^q|(e-ones)&^e)&highs == 0
}

// str passes a string; the scanner stands on its opening quote.
func (s *Scanner) str() error {
	s.pos++
	for {
		b := s.buf[s.pos:s.end]
		i := 0
		for i+8 <= len(b) && allPlain(binary.LittleEndian.Uint64(b[i:])) {
			i += 8
		}
		for i < len(b) && plain[b[i]] {
			i++
		}
		s.pos += i
		if i == len(b) {
			if err := s.more("the closing '\"' of a text"); err != nil {
				return err
			}
			continue
		}
		switch b[i] {
		case '"':
			s.pos++
			return nil
		case '\\':
			if err := s.escape(); err != nil {
				return err
			}
		default:
			return s.Fail("expected no bare control character inside a text, found "+describeByte(b[i])+" (a quote may be missing)", false)
		}
	}
}

func (s *Scanner) escape() error {
	s.pos++
	if err := s.more("an escape"); err != nil {
		return err
	}
	switch s.buf[s.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return nil
	case 'u':
		s.pos++
		for range 4 {
			if err := s.more("a hexadecimal digit"); err != nil {
				return err
			}
			c := s.buf[s.pos]
			if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
				return s.Expected(`four hexadecimal digits after \u`)
			}
			s.pos++
		}
		return nil
	}
	return s.Expected(`one of " \ / b f n r t u after a backslash`)
}

func (s *Scanner) literal(word string) error {
	for i := range len(word) {
		if err := s.more(word); err != nil {
			return err
		}
		if s.buf[s.pos] != word[i] {
			return s.Expected("the word " + word)
		}
		s.pos++
	}
	return nil
}

// digits passes one digit or more; a number may end with the text.
func (s *Scanner) digits() error {
	if err := s.more("a digit"); err != nil {
		return err
	}
	if c := s.buf[s.pos]; c < '0' || c > '9' {
		return s.Expected("a digit")
	}
	for {
		for s.pos < s.end {
			if c := s.buf[s.pos]; c < '0' || c > '9' {
				return nil
			}
			s.pos++
		}
		if s.Over() {
			return ErrTooLarge
		}
		if !s.fill() {
			return s.Clean()
		}
	}
}

// Clean is nil at a proper end of the stream, else its fault.
func (s *Scanner) Clean() error {
	if s.err == nil || s.err == io.EOF {
		return nil
	}
	return s.err
}

// Peek returns the next byte, or 0 at a clean end.
func (s *Scanner) Peek() (byte, error) {
	for s.pos >= s.end {
		if s.Over() {
			return 0, ErrTooLarge
		}
		if !s.fill() {
			return 0, s.Clean()
		}
	}
	return s.buf[s.pos], nil
}

func (s *Scanner) number() error {
	if s.buf[s.pos] == '-' {
		s.pos++
		if err := s.more("a digit"); err != nil {
			return err
		}
	}
	if s.buf[s.pos] == '0' {
		s.pos++
	} else if err := s.digits(); err != nil {
		return err
	}
	c, err := s.Peek()
	if err == nil && c == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
		c, err = s.Peek()
	}
	if err == nil && (c == 'e' || c == 'E') {
		s.pos++
		if err := s.more("an exponent"); err != nil {
			return err
		}
		if c := s.buf[s.pos]; c == '+' || c == '-' {
			s.pos++
		}
		return s.digits()
	}
	return err
}

const (
	wantKey   = "a name in double quotes or '}'"
	wantValue = "a value"
)

// key passes a name and its colon; the scanner stands on the name's first byte.
func (s *Scanner) key(c byte, afterComma bool) error {
	if c != '"' {
		if c == '}' && afterComma {
			return s.Fail("expected a name after ',' (a trailing comma is not JSON), found '}'", false)
		}
		if afterComma {
			return s.Expected("a name in double quotes after ','")
		}
		return s.Expected(wantKey)
	}
	if err := s.str(); err != nil {
		return err
	}
	return s.colon()
}

func (s *Scanner) colon() error {
	c, err := s.Space("':' after a name")
	if err != nil {
		return err
	}
	if c != ':' {
		return s.Expected("':' after a name")
	}
	s.pos++
	return nil
}

// Value passes one value of any kind. Nesting past maxDepth sets deep.
func (s *Scanner) Value() error {
	var small [64]byte
	stack := small[:0] // open brackets
	afterComma := false
	for {
		c, err := s.Space(wantValue)
		if err != nil {
			return err
		}
		switch c {
		case '{', '[':
			if stack = append(stack, c); len(stack) > hardDepth {
				return s.Fail(fmt.Sprintf("expected no nesting deeper than %d", hardDepth), false)
			}
			s.deep = s.deep || len(stack) > MaxDepth
			afterComma = false
			if empty, err := s.open(c); err != nil {
				return err
			} else if !empty {
				continue
			}
			stack = stack[:len(stack)-1]
		case '"':
			if err := s.str(); err != nil {
				return err
			}
		default:
			if err := s.scalar(c, afterComma); err != nil {
				return err
			}
		}
		// After a value: close brackets until a comma or the end.
		for more := true; more; {
			if len(stack) == 0 {
				return nil
			}
			inObject := stack[len(stack)-1] == '{'
			want, shut := "',' or ']'", byte(']')
			if inObject {
				want, shut = "',' or '}'", '}'
			}
			c, err := s.Space(want)
			if err != nil {
				return err
			}
			switch c {
			case ',':
				s.pos++
				afterComma, more = true, false
				if inObject {
					c, err := s.Space("a name after ','")
					if err != nil {
						return err
					}
					if err := s.key(c, true); err != nil {
						return err
					}
					afterComma = false
				}
			case shut:
				s.pos++
				stack = stack[:len(stack)-1]
			default:
				return s.Expected(want)
			}
		}
	}
}

// open passes an opening bracket, and the closing one if nothing is between
// them, else the first name of an object with its colon.
func (s *Scanner) open(c byte) (empty bool, err error) {
	want, shut := "a value or ']'", byte(']')
	if c == '{' {
		want, shut = wantKey, '}'
	}
	s.pos++
	next, err := s.Space(want)
	switch {
	case err != nil:
		return false, err
	case next == shut:
		s.pos++
		return true, nil
	case c == '{':
		return false, s.key(next, false)
	}
	return false, nil
}

// scalar passes a literal or a number that begins with c.
func (s *Scanner) scalar(c byte, afterComma bool) error {
	switch c {
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number()
	}
	return s.noValue(c, afterComma)
}

func (s *Scanner) noValue(c byte, afterComma bool) error {
	switch {
	case afterComma && (c == ']' || c == '}'):
		return s.Fail("expected a value after ',' (a trailing comma is not JSON), found '"+string(rune(c))+"'", false)
	case c == '/':
		return s.Fail("expected a value, found '/' (comments are not JSON)", false)
	case c == '\'':
		return s.Fail("expected a value, found ''' (JSON quotes texts with \")", false)
	}
	return s.Expected(wantValue)
}
