package view

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"partnerguard/internal/jsonscan"
)

// members calls take with the name, as it is written between its quotes, and the
// value of each member of the JSON object b, and reports whether b is one from end
// to end, as far as braces and quotes tell: what is in a value is for whoever reads
// it. take ends the walk by false.
func members(b []byte, take func(name, value []byte) bool) bool {
	return membersBy(b, value, take)
}

// membersBy is members with how the end of a value is found.
func membersBy(b []byte, value func([]byte, int) int, take func(name, value []byte) bool) bool {
	i := space(b, 0)
	if i == len(b) || b[i] != '{' {
		return false
	}
	if i = space(b, i+1); i < len(b) && b[i] == '}' {
		return space(b, i+1) == len(b)
	}
	for i < len(b) && b[i] == '"' {
		end := text(b, i)
		if end < 0 {
			return false
		}
		name := b[i+1 : end-1]
		if i = space(b, end); i == len(b) || b[i] != ':' {
			return false
		}
		i = space(b, i+1)
		if end = value(b, i); end < 0 {
			return false
		}
		if !take(name, b[i:end]) {
			return true
		}
		if i = space(b, end); i == len(b) {
			return false
		}
		if b[i] == '}' {
			return space(b, i+1) == len(b)
		}
		if b[i] != ',' {
			return false
		}
		i = space(b, i+1)
	}
	return false
}

// splitter takes lists apart. The zero value is ready; for one goroutine.
type splitter struct {
	x     jsonscan.Index
	cuts  [][2]int32 // the elements of the list that was passed last
	last  []byte     // that list
	one   bool       // none of them has a line feed
	spare [][2]int32
}

// mostCuts bounds what is remembered of a list: more elements are found again.
const mostCuts = 1 << 16

// found says that a page's list is one that was passed just now.
func (s *splitter) found(a *answered, list []byte) {
	a.list, a.cuts, a.one = list, nil, false
	if len(s.last) == len(list) && &s.last[0] == &list[0] {
		a.cuts, a.one = s.cuts, s.one
		s.cuts, s.spare = s.spare, s.cuts // the page may have more lists
	}
}

// lines are the elements of a page's list as a line each, in the memory of the page,
// whose list is none any more; nil where they do not lie so that this can be done.
func (a *answered) lines() []byte {
	if len(a.cuts) == 0 || !a.one {
		return nil
	}
	for i, c := range a.cuts {
		if i > 0 && c[0] != a.cuts[i-1][1]+1 {
			return nil
		}
	}
	for _, c := range a.cuts {
		a.list[c[1]] = '\n' // what was a comma, and the bracket or the blank behind the last
	}
	return a.list[a.cuts[0][0] : a.cuts[len(a.cuts)-1][1]+1]
}

// of calls take with each element of a page's list, as elements does.
func (s *splitter) of(a *answered, take func([]byte) error) (end int, err error) {
	if a.cuts == nil {
		return s.elements(a.list, take)
	}
	for _, c := range a.cuts {
		if err := take(a.list[c[0]:c[1]]); err != nil {
			return -1, err
		}
	}
	return len(a.list), nil
}

// elements calls take with each element of the JSON array that b begins with, and
// gives the place behind it, or -1 where it is none.
func (s *splitter) elements(b []byte, take func(value []byte) error) (end int, err error) {
	i := space(b, 0)
	if i == len(b) || b[i] != '[' {
		return -1, nil
	}
	if i = space(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for i < len(b) {
		n, err := s.many(b[i:], take)
		if err != nil {
			return -1, err
		}
		if i += n; n == 0 {
			end := value(b, i)
			if end < 0 {
				return -1, nil
			}
			if err := take(b[i:end]); err != nil {
				return -1, err
			}
			i = end
		}
		if i = space(b, i); i == len(b) {
			return -1, nil
		}
		if b[i] == ']' {
			return i + 1, nil
		}
		if b[i] != ',' {
			return -1, nil
		}
		i = space(b, i+1)
	}
	return -1, nil
}

// The least and the most that many looks at.
const (
	fewBytes = 2 << 10
	window   = 192 << 10
)

var betweenObjects = []byte("},{")

// many is elements for objects as services write them, without blanks between, many
// times faster: it gives how far it came, 0 where it cannot tell.
func (s *splitter) many(b []byte, take func([]byte) error) (n int, err error) {
	if len(b) < fewBytes || b[0] != '{' {
		return 0, nil
	}
	// Where the last place that looks like the end of one is none, because it lies
	// within one or within a text, that is seen below.
	w := b[:min(len(b), window)]
	end := bytes.LastIndex(w, betweenObjects)
	if end < 0 || !s.x.Scan(w[:end+1]) {
		return 0, nil
	}
	kinds, depth, start := s.x.Kinds, 0, 0
	for k := 0; k < len(kinds); k++ {
		// Most tokens are within an object, and none of these: eight at a time.
		for depth > 0 && k+8 <= len(kinds) {
			if at := binary.LittleEndian.Uint64(kinds[k:]) & brackets; at != 0 {
				k += bits.TrailingZeros64(at) / 8
				break
			}
			k += 8
		}
		if k == len(kinds) {
			return n, nil
		}
		depth += int(deeper[kinds[k]])
		if depth > 0 && depth <= maxDepth {
			if depth == 1 && deeper[kinds[k]] == 1 {
				start = int(s.x.Pos[k])
			}
			continue
		}
		last := k+1 == len(kinds)
		switch {
		case depth != 0:
			return n, nil
		case deeper[kinds[k]] < 0:
			n = int(s.x.Pos[k]) + 1
			if err := take(w[start:n]); err != nil || !last && kinds[k+1] != ',' {
				return n, err
			}
		case kinds[k] != ',' || last || deeper[kinds[k+1]] <= 0:
			return n, nil
		}
	}
	return n, nil
}

// brackets is a bit that braces and brackets have and no other kind of token, in each
// of eight.
const brackets = 0x4040404040404040

// deeper is by how much a token changes the depth.
var deeper = [256]int8{'{': 1, '[': 1, '}': -1, ']': -1}

// list gives the place behind the array that begins at i, or -1.
func (s *splitter) list(b []byte, i int) int {
	whole := b[i:]
	cuts, many := s.cuts[:0], false
	s.cuts, s.last, s.one = nil, nil, true
	end, err := s.elements(whole, func(v []byte) error {
		s.one = s.one && bytes.IndexByte(v, '\n') < 0
		if many = many || len(cuts) == mostCuts; !many {
			from := int32(cap(whole) - cap(v))                        //nolint:gosec // a page has no more
			cuts = append(cuts, [2]int32{from, from + int32(len(v))}) //nolint:gosec // a page has no more
		}
		return nil
	})
	if err != nil || end < 0 {
		return -1
	}
	if !many {
		s.cuts, s.last = cuts, whole[:end]
	}
	return i + end
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// text gives the place behind the string that begins at i, or -1.
func text(b []byte, i int) int {
	for i++; i < len(b); i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		back := i - 1
		for b[back] == '\\' { // the opening quote ends it
			back--
		}
		if (i-back)&1 == 1 {
			return i + 1
		}
	}
	return -1
}

// maxDepth is how deep a value may nest.
const maxDepth = 1000

// value gives the place behind the value that begins at i, or -1.
func value(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return text(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				if i = text(b, i); i < 0 {
					return -1
				}
				continue
			case '{', '[':
				if depth++; depth > maxDepth {
					return -1
				}
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return -1
	case ',', ':', '}', ']':
		return -1
	}
	from := i
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	if i == from {
		return -1
	}
	return i
}

// oneLine puts a value on one line: within valid JSON a line end is blank.
func oneLine(b []byte) []byte {
	if bytes.IndexByte(b, '\n') < 0 { // a carriage return ends no line
		return b
	}
	out := bytes.Clone(b)
	for i, c := range out {
		if c == '\n' || c == '\r' {
			out[i] = ' '
		}
	}
	return out
}
