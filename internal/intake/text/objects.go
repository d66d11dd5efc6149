package text

import (
	"bytes"
	"math/bits"

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
	x       jsonscan.Index
	kinds   []byte   // of the tokens of the last object that was walked
	scalars []uint32 // those of its tokens that are numbers or literals
	tokens  []uint32
}

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
	end, sure := c.bulk(o, s.limit)
	if !sure {
		end = c.cut(o, s.limit)
	}
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

// masks say of 64 bytes which are quotes, backslashes, opening and closing
// brackets of either kind.
type masks struct{ quote, slash, open, shut uint64 }

const (
	blockSize  = 64
	maskBlocks = 64
)

// bulk finds the objects in one scan of all that seems to be whole, and returns where
// the last one ends; sure is false where the scan tells nothing.
func (c *Cutter) bulk(o *Objects, limit int) (end int, sure bool) {
	text := o.Text[:bytes.LastIndexByte(o.Text, '}')+1]
	x := &c.x
	if !x.Scan(text) {
		return 0, false
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
	return end, true
}

// learn remembers the tokens of an object that is valid.
func (c *Cutter) learn(k, next int) {
	c.kinds = append(c.kinds[:0], c.x.Kinds[k:next]...)
	c.scalars = c.scalars[:0]
	for i, kind := range c.kinds {
		if kind == '0' {
			c.scalars = append(c.scalars, uint32(i))
		}
	}
}

// same reports that the object at token k has the structure of the one learnt, and is
// valid with it. The last token of all is a brace, and none behind it is looked at.
func (c *Cutter) same(k int) (next int, ok bool) {
	next = k + len(c.kinds)
	if len(c.kinds) == 0 || next > c.x.Len() || !bytes.Equal(c.x.Kinds[k:next], c.kinds) {
		return 0, false
	}
	c.tokens = c.tokens[:0]
	for _, i := range c.scalars {
		c.tokens = append(c.tokens, uint32(k)+i)
	}
	return next, c.x.Scalars(c.tokens)
}

// cut finds the objects one by one and returns where the last one ends.
func (c *Cutter) cut(o *Objects, limit int) (end int) {
	var list [maskBlocks]masks
	var tail [blockSize]byte
	text := o.Text
	start, depth := -1, 0
	var escape, inString uint64 // of the bytes before: the next one is escaped; all ones in a text
	for at := 0; at < len(text); {
		blocks := min(len(text[at:])/blockSize, maskBlocks)
		if blocks > 0 {
			masksOf(text[at:], list[:blocks])
		} else {
			clear(tail[copy(tail[:], text[at:]):])
			blocks = 1
			masksOf(tail[:], list[:1])
		}
		for i := range list[:blocks] {
			m := &list[i]
			quote := m.quote
			if m.slash|escape != 0 {
				var escaped uint64
				escaped, escape = escapes(m.slash, escape)
				quote &^= escaped
			}
			in := prefixXor(quote) ^ inString
			inString = uint64(int64(in) >> 63)
			open, shut := m.open&^in, m.shut&^in
			if down := bits.OnesCount64(shut); depth > down {
				depth += bits.OnesCount64(open) - down
				continue
			}
			for both := open | shut; both != 0; both &= both - 1 {
				bit := both & -both
				here := at + i*blockSize + bits.TrailingZeros64(bit)
				if open&bit == 0 {
					if depth--; depth < 0 {
						return end // the array ends
					} else if depth > 0 {
						continue
					}
					if !c.keep(o, start, here+1, limit) {
						return end
					}
					end = here + 1
					continue
				}
				if depth++; depth == 1 {
					if text[here] != '{' || !joins(text[end:here], start < 0) {
						return end
					}
					start = here
				}
			}
		}
		at += blocks * blockSize
	}
	return end
}

// keep takes an object that is valid for certain.
func (c *Cutter) keep(o *Objects, start, end, limit int) bool {
	raw := o.Text[start:end]
	if len(raw) > limit || !c.x.Scan(raw) || !c.x.Valid() {
		return false
	}
	o.Cuts = append(o.Cuts, uint32(start), uint32(end))
	return true
}

// joins reports that between stands between two elements of an array, or, first,
// in front of the one that the scanner stands on.
func joins(between []byte, first bool) bool {
	if first || len(between) == 1 {
		return first == (len(between) == 0) && (first || between[0] == ',')
	}
	commas := 0
	for _, c := range between {
		switch c {
		case ',':
			commas++
		case ' ', '\t', '\r', '\n':
		default:
			return false
		}
	}
	return commas == 1
}

// escapes says which bytes are escaped by a backslash that is not escaped itself.
// escape is 1 where the first byte is, and next where the first byte behind is.
func escapes(slash, escape uint64) (escaped, next uint64) {
	const odd = 0xaaaaaaaaaaaaaaaa
	maybe := slash &^ escape
	// Carries run through each row of backslashes and tell by where they come out
	// whether it begins, and so ends, on an odd or an even place.
	both := ((maybe<<1 | odd) - maybe) ^ odd
	return both ^ (slash | escape), both & slash >> 63
}

// prefixXor sets each bit to the parity of the bits up to it: within texts, where
// the bits are quotes.
func prefixXor(x uint64) uint64 {
	x ^= x << 1
	x ^= x << 2
	x ^= x << 4
	x ^= x << 8
	x ^= x << 16
	return x ^ x<<32
}

func portableMasks(text []byte, out []masks) {
	for i := range out {
		m := masks{}
		for j, c := range text[i*blockSize : (i+1)*blockSize] {
			bit := uint64(1) << j
			switch c {
			case '"':
				m.quote |= bit
			case '\\':
				m.slash |= bit
			case '{', '[':
				m.open |= bit
			case '}', ']':
				m.shut |= bit
			}
		}
		out[i] = m
	}
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
