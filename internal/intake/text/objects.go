package text

import (
	"bytes"

	"partnerguard/internal/jsonscan"
)

// Objects is a stretch of an array: whole objects behind each other, parted by
// commas. The zero value is ready and may be used again and again.
type Objects struct {
	// Text is what the objects lie in. [jsonscan.Slack] bytes behind its length may
	// be read.
	Text []byte
	// Cuts holds where each object begins in Text and where it ends, in turn.
	Cuts []uint32

	buf []byte
}

// Cutter finds objects. The zero value is ready; one serves one goroutine.
type Cutter struct {
	x      jsonscan.Index
	known  []structure // those met last in front
	tokens []uint32
}

// structure is the tokens of an object that was walked: others that have the same are
// valid if their numbers and literals are. None is the beginning of another.
type structure struct {
	kinds   []byte
	scalars []uint32 // the tokens that are numbers or literals
}

// maxStructures bounds those remembered; an export has a handful.
const maxStructures = 16

// MaxStretch is how much of a text is cut at once, in bytes.
const MaxStretch = 256 << 10

// Len is the number of objects.
func (o *Objects) Len() int { return len(o.Cuts) / 2 }

// At is object i.
func (o *Objects) At(i int) []byte { return o.Text[o.Cuts[2*i]:o.Cuts[2*i+1]] }

// Objects passes the objects that stand whole in the next size bytes of the array
// the scanner is in, which begin with '{', and gives them to o. Each is valid JSON
// and no larger than the scanner's limit. The first value that is no such object
// ends the stretch; the scanner stands behind the last object taken, or where it
// stood. Nothing may be held.
func (s *Scanner) Objects(o *Objects, c *Cutter, size int) {
	size = min(size, MaxStretch)
	if len(o.buf) < size+jsonscan.Slack {
		o.buf = make([]byte, size+jsonscan.Slack)
	}
	o.Cuts = o.Cuts[:0]
	o.Text = o.buf[:size]
	there := s.end - s.pos
	n := copy(o.Text, s.buf[s.pos:s.end])
	more := n == there
	for more && n < size && s.err == nil {
		m, err := s.r.Read(o.Text[n:])
		n += m
		s.err = err
		if m == 0 && err == nil {
			break // a reader that gives nothing now may give later
		}
	}
	o.Text = o.buf[:n]
	end := c.cut(o, s.limit)
	if n == there || !more {
		s.pos += end
		return
	}
	_ = s.Line() // counts up to pos
	s.line += bytes.Count(o.Text[:end], newline)
	s.base += int64(s.pos + end)
	if rest := n - end; len(s.buf) < rest {
		s.buf = make([]byte, max(rest, 4*minRead))
	}
	s.pos, s.lined, s.end = 0, 0, copy(s.buf, o.Text[end:])
}

// cut finds the objects in one scan of all that seems to be whole, and returns where
// the last one ends. Where anything in it is odd there are none.
func (c *Cutter) cut(o *Objects, limit int) (end int) {
	text := o.Text[:bytes.LastIndexByte(o.Text, '}')+1]
	x := &c.x
	if !x.Scan(text) {
		return 0
	}
	for k := 0; k < x.Len() && x.Kinds[k] == '{'; k++ { // k passes the comma
		next, ok := c.same(k)
		if !ok {
			if next, ok = x.Skip(k); !ok || next > x.Len() {
				break
			}
			c.learn(k, next)
		}
		from, to := x.Pos[k], x.Pos[next-1]+1
		if int(to-from) > limit {
			break
		}
		o.Cuts = append(o.Cuts, from, to)
		end, k = int(to), next
		if k >= x.Len() || x.Kinds[k] != ',' {
			break
		}
	}
	return end
}

// learn remembers the tokens of an object that is valid, in the place of the structure
// met longest ago where there are many.
func (c *Cutter) learn(k, next int) {
	if len(c.known) < maxStructures {
		c.known = append(c.known, structure{})
	}
	s := &c.known[len(c.known)-1]
	s.kinds, s.scalars = append(s.kinds[:0], c.x.Kinds[k:next]...), s.scalars[:0]
	for i, kind := range s.kinds {
		if kind == '0' {
			s.scalars = append(s.scalars, uint32(i))
		}
	}
}

// same reports that the object at token k has a structure that is known, and is valid
// with it. Its last token is a brace, so that none of the scalars is the last of all.
func (c *Cutter) same(k int) (next int, ok bool) {
	for i := range c.known {
		s := &c.known[i]
		if next = k + len(s.kinds); next > c.x.Len() || !bytes.Equal(c.x.Kinds[k:next], s.kinds) {
			continue
		}
		c.tokens = c.tokens[:0]
		for _, at := range s.scalars {
			c.tokens = append(c.tokens, uint32(k)+at)
		}
		c.known[i], c.known[i/2] = c.known[i/2], c.known[i]
		return next, c.x.Scalars(c.tokens)
	}
	return 0, false
}

// Streams reports that the scanner reads from a stream and holds nothing of it.
func (s *Scanner) Streams() bool { return s.r != nil && s.mark < 0 }

// ThisLine is what is left of the line the scanner is in, without blanks at its end,
// or nil where its end was not read yet. Nothing is passed.
func (s *Scanner) ThisLine() []byte {
	if i := bytes.IndexByte(s.buf[s.pos:s.end], '\n'); i >= 0 {
		return bytes.TrimRight(s.buf[s.pos:s.pos+i], " \t\r")
	}
	return nil
}

// Unread takes back the objects that [Scanner.Objects] passed last.
func (s *Scanner) Unread(o *Objects) {
	end := 0
	if n := len(o.Cuts); n > 0 {
		end = int(o.Cuts[n-1])
	}
	if s.pos >= end && bytes.Equal(s.buf[s.pos-end:s.pos], o.Text[:end]) {
		s.pos -= end
		return
	}
	rest := s.end - s.pos
	if len(s.buf) < end+rest {
		bigger := make([]byte, end+rest+minRead)
		copy(bigger[end:], s.buf[s.pos:s.end])
		s.buf = bigger
	} else {
		copy(s.buf[end:], s.buf[s.pos:s.end])
	}
	copy(s.buf, o.Text[:end])
	s.line = s.Line() - bytes.Count(o.Text[:end], newline)
	s.base += int64(s.pos - end)
	s.pos, s.lined, s.end = 0, 0, end+rest
}

// NextElement passes the comma behind an element and stands on the value behind it if
// that is an object. Otherwise it passes nothing.
func (s *Scanner) NextElement() (object bool, err error) {
	for i := s.pos; ; i++ {
		if i >= s.end {
			at := i - s.pos
			if s.mark < 0 && !s.fill() {
				return false, s.Clean()
			}
			i = s.pos + at
		}
		switch s.buf[i] {
		case ' ', '\t', '\r', '\n', ',':
			if s.buf[i] == ',' && bytes.IndexByte(s.buf[s.pos:i], ',') >= 0 {
				return false, nil
			}
			continue
		case '{':
			if bytes.IndexByte(s.buf[s.pos:i], ',') < 0 {
				return false, nil
			}
			s.pos = i
			return true, nil
		}
		return false, nil
	}
}
