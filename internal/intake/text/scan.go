package text

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	// MaxDepth is the deepest nesting of a record that is handed on.
	MaxDepth = 512
	// hardDepth is where encoding/json gives up too; past it reading stops.
	hardDepth = 10000
	// minRead is the least room a read is given.
	minRead = 64 << 10
)

// ErrTooLarge says that more bytes would have to be kept than allowed. The
// scanner still holds everything from its mark on, so the caller may rewind.
var ErrTooLarge = errors.New("larger than the limit for one record")

// ErrTooDeep says that a value was passed that is nested deeper than maxDepth.
var ErrTooDeep = errors.New("nested deeper than the limit for one record")

// SyntaxError is a place where the text is not JSON.
type SyntaxError struct {
	Offset int64 // bytes into the decoded text
	Line   int   // 1-based
	Msg    string
	cut    bool // the text ends too early
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, byte %d: %s", e.Line, e.Offset, e.Msg)
}

// Scanner reads JSON values from a stream, as strict as encoding/json, and
// keeps no more than what lies behind its mark.
type Scanner struct {
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

// NewScanner reads from r and keeps no more than limit bytes of it.
func NewScanner(r io.Reader, limit int) *Scanner {
	return &Scanner{r: r, mark: -1, limit: limit, line: 1}
}

// buffers are the first buffers of scanners, for those that come.
var buffers = sync.Pool{New: func() any { b := make([]byte, 4*minRead); return &b }}

// Release gives the scanner's memory back. Nothing it gave may be looked at any more.
func (s *Scanner) Release() {
	if s.r != nil && len(s.buf) == 4*minRead {
		b := s.buf
		s.buf, s.r, s.err = nil, nil, io.EOF
		s.pos, s.end, s.lined, s.mark = 0, 0, 0, -1
		buffers.Put(&b)
	}
}

// InMemory reads from memory and never copies it.
func InMemory(b []byte) *Scanner {
	return &Scanner{buf: b, end: len(b), mark: -1, limit: len(b) + 1, line: 1, err: io.EOF}
}

// Hold keeps everything from the next unread byte on, until [Scanner.Drop],
// [Scanner.Back] or [Scanner.Rest].
func (s *Scanner) Hold() { s.mark, s.deep = s.pos, false }

// Held is what was read since hold, valid until the next read.
func (s *Scanner) Held() []byte { return s.buf[s.mark:s.pos] }

// Drop keeps nothing any more.
func (s *Scanner) Drop() { s.mark = -1 }

// Back goes back to where hold was called.
func (s *Scanner) Back() { s.pos, s.mark = s.mark, -1 }

// Skip passes the byte the scanner stands on.
func (s *Scanner) Skip() { s.pos++ }

// Deep reports that something nested deeper than maxDepth was passed since hold.
func (s *Scanner) Deep() bool { return s.deep }

// Offset is the place of the next unread byte in the decoded text.
func (s *Scanner) Offset() int64 { return s.base + int64(s.pos) }

// Line is the 1-based line of the next unread byte.
func (s *Scanner) Line() int {
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
// ErrTooLarge in hand of the caller through over, when nothing more may be kept.
func (s *Scanner) fill() bool {
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
			var bigger []byte
			if s.buf == nil {
				bigger = *buffers.Get().(*[]byte)
			} else {
				bigger = make([]byte, max(2*len(s.buf), 4*minRead))
			}
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

// Over reports that the mark holds more than may be kept.
func (s *Scanner) Over() bool { return s.mark >= 0 && s.pos-s.mark > s.limit }

// more makes sure that a byte is there. The error is ErrTooLarge, a fault of
// the stream, or a SyntaxError that says what was expected.
func (s *Scanner) more(want string) error {
	for s.pos >= s.end {
		if s.Over() {
			return ErrTooLarge
		}
		if !s.fill() {
			if s.err != io.EOF {
				return s.err
			}
			return s.Fail("the text ends here, expected "+want, true)
		}
	}
	return nil
}

// Fail is the error msg at the place of the next unread byte; cut says that the
// text ends too early.
func (s *Scanner) Fail(msg string, cut bool) error {
	return &SyntaxError{Offset: s.Offset(), Line: s.Line(), Msg: msg, cut: cut}
}

// Expected is the error for the byte at hand.
func (s *Scanner) Expected(want string) error {
	return s.Fail("expected "+want+", found "+describeByte(s.buf[s.pos]), false)
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

// Space skips white space and returns the byte it stands on.
func (s *Scanner) Space(want string) (byte, error) {
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

// AtEnd skips white space and reports a clean end of the stream.
func (s *Scanner) AtEnd() (bool, error) {
	_, err := s.Space("")
	if se := (*SyntaxError)(nil); errors.As(err, &se) {
		return true, nil
	}
	return false, err
}

// Text passes a string and returns it decoded.
func (s *Scanner) Text() (string, error) {
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
	return Unquote(raw), nil
}

// Raw passes one value and returns its bytes, valid until the next read. With
// ErrTooLarge the scanner stands on the value again.
func (s *Scanner) Raw() ([]byte, error) {
	if s.mark >= 0 { // someone above keeps everything anyway
		at := s.pos - s.mark
		err := s.Value()
		if err != nil {
			return nil, err
		}
		return s.buf[s.mark+at : s.pos], nil
	}
	s.mark = s.pos
	err := s.Value()
	if err == nil && s.Over() {
		err = ErrTooLarge
	}
	b := s.buf[s.mark:s.pos]
	if err == ErrTooLarge {
		s.pos = s.mark
	}
	s.mark = -1
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Whole is Raw for a value that is to be kept: ErrTooDeep says that it was
// passed and is nested deeper than maxDepth.
func (s *Scanner) Whole() ([]byte, error) {
	s.deep = false
	b, err := s.Raw()
	if err == nil && s.deep {
		s.deep = false
		return nil, ErrTooDeep
	}
	return b, err
}

// NextObject goes to the next line that begins with '{', and reports whether
// there is one. JSON lines do, and so do pretty-printed objects behind each
// other; the inner lines of one do not.
func (s *Scanner) NextObject() bool {
	for {
		i := bytes.IndexByte(s.buf[s.pos:s.end], '\n')
		if i < 0 {
			s.pos = s.end
			if !s.fill() {
				return false
			}
			continue
		}
		s.pos += i + 1
		c, err := s.Peek()
		if err != nil || c == 0 && s.pos >= s.end {
			return false
		}
		if c == '{' {
			return true
		}
	}
}

// AtLineEnd reports that nothing but a line end or the end of the text follows.
func (s *Scanner) AtLineEnd() bool {
	for {
		c, err := s.Peek()
		if err != nil && err != ErrTooLarge {
			return false
		}
		if c != ' ' && c != '\t' && c != '\r' {
			return c == '\n'
		}
		s.pos++
	}
}

// Rest is the unread stream, from what is held on, and its place in the decoded
// text. The scanner reads no more.
func (s *Scanner) Rest() (r io.Reader, offset int64) {
	from := s.pos
	if s.mark >= 0 {
		from = s.mark
	}
	s.mark = -1
	head := bytes.NewReader(s.buf[from:s.end])
	if s.err != nil {
		return io.MultiReader(head, errReader{s.err}), s.base + int64(from)
	}
	return io.MultiReader(head, s.r), s.base + int64(from)
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }
