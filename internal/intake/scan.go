package intake

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	// maxDepth is the deepest nesting of a record that is handed on.
	maxDepth = 512
	// hardDepth is where encoding/json gives up too; past it reading stops.
	hardDepth = 10000
	// minRead is the least room a read is given.
	minRead = 64 << 10
)

// errTooLarge says that more bytes would have to be kept than allowed. The
// scanner still holds everything from its mark on, so the caller may rewind.
var errTooLarge = errors.New("larger than the limit for one record")

// errStop ends a walk over an object early, without fault.
var errStop = errors.New("stop")

// syntaxError is a place where the text is not JSON.
type syntaxError struct {
	Offset int64 // bytes into the decoded text
	Line   int   // 1-based
	Msg    string
	cut    bool // the text ends too early
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("line %d, byte %d: %s", e.Line, e.Offset, e.Msg)
}

// scanner reads JSON values from a stream, as strict as encoding/json, and
// keeps no more than what lies behind its mark.
type scanner struct {
	r     io.Reader
	buf   []byte
	pos   int // next unread byte
	end   int // end of what was read
	mark  int // first byte to keep, or -1
	limit int // most bytes to keep

	base  int64 // offset of buf[0] in the text
	line  int   // 1-based line of buf[lined]
	lined int

	deep bool  // something nested deeper than maxDepth was passed
	err  error // what r said at its end, io.EOF included
}

func newScanner(r io.Reader, limit int) *scanner {
	return &scanner{r: r, mark: -1, limit: limit, line: 1}
}

// memScanner reads from memory and never copies it.
func memScanner(b []byte) *scanner {
	return &scanner{buf: b, end: len(b), mark: -1, limit: len(b) + 1, line: 1, err: io.EOF}
}

// offset is the place of the next unread byte in the decoded text.
func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

// lineNow is the 1-based line of the next unread byte.
func (s *scanner) lineNow() int {
	if s.pos >= s.lined {
		s.line += bytes.Count(s.buf[s.lined:s.pos], newline)
	} else {
		s.line -= bytes.Count(s.buf[s.pos:s.lined], newline)
	}
	s.lined = s.pos
	return s.line
}

var newline = []byte{'\n'}

// fill reads more. It reports false at the end of the stream and, with
// errTooLarge in hand of the caller through over, when nothing more may be kept.
func (s *scanner) fill() bool {
	if s.err != nil {
		return false
	}
	keep := s.pos
	if s.mark >= 0 {
		keep = s.mark
	}
	if len(s.buf)-s.end < minRead {
		if keep > 0 {
			if s.lined < keep {
				s.line += bytes.Count(s.buf[s.lined:keep], newline)
				s.lined = keep
			}
			copy(s.buf, s.buf[keep:s.end])
			s.pos -= keep
			s.end -= keep
			s.lined -= keep
			s.base += int64(keep)
			if s.mark >= 0 {
				s.mark = 0
			}
		}
		if len(s.buf)-s.end < minRead {
			bigger := make([]byte, max(2*len(s.buf), 4*minRead))
			copy(bigger, s.buf[:s.end])
			s.buf = bigger
		}
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err != nil {
			s.err = err
			return n > 0
		}
		if n > 0 {
			return true
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// over reports that the mark holds more than may be kept.
func (s *scanner) over() bool { return s.mark >= 0 && s.pos-s.mark > s.limit }

// more makes sure that a byte is there. The error is errTooLarge, a fault of
// the stream, or a syntaxError that says what was expected.
func (s *scanner) more(want string) error {
	for s.pos >= s.end {
		if s.over() {
			return errTooLarge
		}
		if !s.fill() {
			if s.err != io.EOF {
				return s.err
			}
			return s.fail("the text ends here, expected "+want, true)
		}
	}
	return nil
}

func (s *scanner) fail(msg string, cut bool) error {
	return &syntaxError{Offset: s.offset(), Line: s.lineNow(), Msg: msg, cut: cut}
}

// expected is the error for the byte at hand.
func (s *scanner) expected(want string) error {
	return s.fail("expected "+want+", found "+describeByte(s.buf[s.pos]), false)
}

func describeByte(c byte) string {
	switch {
	case c == 0:
		return "a NUL byte"
	case c < 0x20 || c >= 0x7f:
		return fmt.Sprintf("the byte 0x%02x", c)
	}
	return "'" + string(rune(c)) + "'"
}

// space skips white space and returns the byte it stands on.
func (s *scanner) space(want string) (byte, error) {
	for {
		for s.pos < s.end {
			c := s.buf[s.pos]
			if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				return c, nil
			}
			s.pos++
		}
		if err := s.more(want); err != nil {
			return 0, err
		}
	}
}

// atEnd skips white space and reports a clean end of the stream.
func (s *scanner) atEnd() (bool, error) {
	_, err := s.space("")
	if se := (*syntaxError)(nil); errors.As(err, &se) {
		return true, nil
	}
	return false, err
}

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
func (s *scanner) str() error {
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
			return s.fail("expected no bare control character inside a text, found "+describeByte(b[i])+" (a quote may be missing)", false)
		}
	}
}

func (s *scanner) escape() error {
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
				return s.expected(`four hexadecimal digits after \u`)
			}
			s.pos++
		}
		return nil
	}
	return s.expected(`one of " \ / b f n r t u after a backslash`)
}

func (s *scanner) literal(word string) error {
	for i := range len(word) {
		if err := s.more(word); err != nil {
			return err
		}
		if s.buf[s.pos] != word[i] {
			return s.expected("the word " + word)
		}
		s.pos++
	}
	return nil
}

// digits passes one digit or more; a number may end with the text.
func (s *scanner) digits() error {
	if err := s.more("a digit"); err != nil {
		return err
	}
	if c := s.buf[s.pos]; c < '0' || c > '9' {
		return s.expected("a digit")
	}
	for {
		for s.pos < s.end {
			if c := s.buf[s.pos]; c < '0' || c > '9' {
				return nil
			}
			s.pos++
		}
		if s.over() {
			return errTooLarge
		}
		if !s.fill() {
			return s.clean()
		}
	}
}

// clean is nil at a proper end of the stream, else its fault.
func (s *scanner) clean() error {
	if s.err == nil || s.err == io.EOF {
		return nil
	}
	return s.err
}

// peekByte returns the next byte, or 0 at a clean end.
func (s *scanner) peekByte() (byte, error) {
	for s.pos >= s.end {
		if s.over() {
			return 0, errTooLarge
		}
		if !s.fill() {
			return 0, s.clean()
		}
	}
	return s.buf[s.pos], nil
}

func (s *scanner) number() error {
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
	c, err := s.peekByte()
	if err == nil && c == '.' {
		s.pos++
		if err := s.digits(); err != nil {
			return err
		}
		c, err = s.peekByte()
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
func (s *scanner) key(c byte, afterComma bool) error {
	if c != '"' {
		if c == '}' && afterComma {
			return s.fail("expected a name after ',' (a trailing comma is not JSON), found '}'", false)
		}
		if afterComma {
			return s.expected("a name in double quotes after ','")
		}
		return s.expected(wantKey)
	}
	if err := s.str(); err != nil {
		return err
	}
	return s.colon()
}

func (s *scanner) colon() error {
	c, err := s.space("':' after a name")
	if err != nil {
		return err
	}
	if c != ':' {
		return s.expected("':' after a name")
	}
	s.pos++
	return nil
}

// value passes one value of any kind. Nesting past maxDepth sets deep.
func (s *scanner) value() error {
	var small [64]byte
	stack := small[:0] // open brackets
	afterComma := false
	for {
		c, err := s.space(wantValue)
		if err != nil {
			return err
		}
		switch c {
		case '{', '[':
			stack = append(stack, c)
			if len(stack) > maxDepth {
				s.deep = true
				if len(stack) > hardDepth {
					return s.fail(fmt.Sprintf("expected no nesting deeper than %d", hardDepth), false)
				}
			}
			s.pos++
			afterComma = false
			if c == '{' {
				if c, err = s.space(wantKey); err != nil {
					return err
				}
				if c != '}' {
					if err := s.key(c, false); err != nil {
						return err
					}
					continue
				}
			} else {
				if c, err = s.space("a value or ']'"); err != nil {
					return err
				}
				if c != ']' {
					continue
				}
			}
			s.pos++
			stack = stack[:len(stack)-1]
		case '"':
			err = s.str()
		case 't':
			err = s.literal("true")
		case 'f':
			err = s.literal("false")
		case 'n':
			err = s.literal("null")
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			err = s.number()
		default:
			return s.noValue(c, afterComma)
		}
		if err != nil {
			return err
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
			c, err := s.space(want)
			if err != nil {
				return err
			}
			switch c {
			case ',':
				s.pos++
				afterComma, more = true, false
				if inObject {
					c, err := s.space("a name after ','")
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
				return s.expected(want)
			}
		}
	}
}

func (s *scanner) noValue(c byte, afterComma bool) error {
	switch {
	case afterComma && (c == ']' || c == '}'):
		return s.fail("expected a value after ',' (a trailing comma is not JSON), found '"+string(rune(c))+"'", false)
	case c == '/':
		return s.fail("expected a value, found '/' (comments are not JSON)", false)
	case c == '\'':
		return s.fail("expected a value, found ''' (JSON quotes texts with \")", false)
	}
	return s.expected(wantValue)
}

// object walks the members of the object the scanner stands on. For each one
// it stands on the value's first byte c and calls member, which either
// consumes the value and reports true, or leaves it to be passed. An error of
// member ends the walk as it is.
func (s *scanner) object(member func(key string, c byte) (bool, error)) error {
	s.pos++
	c, err := s.space(wantKey)
	if err != nil {
		return err
	}
	if c == '}' {
		s.pos++
		return nil
	}
	for afterComma := false; ; afterComma = true {
		if c != '"' {
			return s.key(c, afterComma)
		}
		key, err := s.text()
		if err != nil {
			return err
		}
		if err := s.colon(); err != nil {
			return err
		}
		if c, err = s.space(wantValue); err != nil {
			return err
		}
		taken, err := member(key, c)
		if err != nil {
			return err
		}
		if !taken {
			if err := s.value(); err != nil {
				return err
			}
		}
		if c, err = s.space("',' or '}'"); err != nil {
			return err
		}
		switch c {
		case ',':
			s.pos++
			if c, err = s.space("a name after ','"); err != nil {
				return err
			}
		case '}':
			s.pos++
			return nil
		default:
			return s.expected("',' or '}'")
		}
	}
}

// array walks the elements of the array the scanner stands on; element must
// consume each.
func (s *scanner) array(element func(c byte) error) error {
	s.pos++
	c, err := s.space("a value or ']'")
	if err != nil {
		return err
	}
	if c == ']' {
		s.pos++
		return nil
	}
	for afterComma := false; ; afterComma = true {
		if c == ']' || c == '}' {
			return s.noValue(c, afterComma)
		}
		if err := element(c); err != nil {
			return err
		}
		if c, err = s.space("',' or ']'"); err != nil {
			return err
		}
		switch c {
		case ',':
			s.pos++
			if c, err = s.space("a value after ','"); err != nil {
				return err
			}
		case ']':
			s.pos++
			return nil
		default:
			return s.expected("',' or ']'")
		}
	}
}

// text passes a string and returns it decoded.
func (s *scanner) text() (string, error) {
	own := s.mark < 0
	if own {
		s.mark = s.pos
	}
	at := s.pos - s.mark
	err := s.str()
	var raw []byte
	if err == nil {
		raw = s.buf[s.mark+at : s.pos]
	}
	if own {
		s.mark = -1
	}
	if err != nil {
		return "", err
	}
	return unquote(raw), nil
}

// raw passes one value and returns its bytes, valid until the next read. With
// errTooLarge the scanner stands on the value again.
func (s *scanner) raw() ([]byte, error) {
	if s.mark >= 0 { // someone above keeps everything anyway
		at := s.pos - s.mark
		err := s.value()
		if err != nil {
			return nil, err
		}
		return s.buf[s.mark+at : s.pos], nil
	}
	s.mark = s.pos
	err := s.value()
	if err == nil && s.over() {
		err = errTooLarge
	}
	b := s.buf[s.mark:s.pos]
	if err == errTooLarge {
		s.pos = s.mark
	}
	s.mark = -1
	if err != nil {
		return nil, err
	}
	return b, nil
}

// unquote decodes a valid JSON string.
func unquote(raw []byte) string {
	if len(raw) < 2 {
		return ""
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var t string
	_ = json.Unmarshal(raw, &t) // raw is valid by construction
	return t
}

// rest is the unread stream, from the mark on if there is one.
func (s *scanner) rest() io.Reader {
	from := s.pos
	if s.mark >= 0 {
		from = s.mark
	}
	head := bytes.NewReader(s.buf[from:s.end])
	if s.err != nil {
		return io.MultiReader(head, errReader{s.err})
	}
	return io.MultiReader(head, s.r)
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }
