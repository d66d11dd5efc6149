package print

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Limits of text from the outside, in characters, where people read.
const (
	MaxName   = 120   // a name, an id, a path
	MaxSaying = 400   // a sentence
	MaxCell   = 32000 // a CSV cell: spreadsheets refuse 32,768
	maxMarks  = 3     // combining marks on one character
)

// Clean makes text from the outside safe to show on one line. Terminal escape
// sequences, control characters, bidirectional controls and other invisible
// format characters go (joiners stay, scripts need them); line breaks and tabs
// become spaces, runs of spaces one; broken UTF-8 becomes U+FFFD. A text of
// more than limit characters ends in "…".
func Clean(s string, limit int) string {
	var b strings.Builder
	b.Grow(min(len(s), limit+8))
	n, marks, space := 0, 0, true // leading spaces go
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if skip := escapeLen(s[i:], r); skip > 0 {
			i += skip
			continue
		}
		i += size
		switch {
		case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029':
			if space {
				continue
			}
			space = true
			continue // written before the next visible character
		case r == utf8.RuneError, r&0xfffe == 0xfffe, r >= 0xfdd0 && r <= 0xfdef:
			r = utf8.RuneError
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d':
			continue
		}
		if unicode.Is(unicode.M, r) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
			n++
		}
		space = false
		if n >= limit {
			b.WriteString("…")
			break
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// escapeLen is the length of the terminal escape sequence that s begins with,
// or 0. r is the first character of s. A string sequence that never ends loses
// only its introducer, so that it cannot swallow what follows.
func escapeLen(s string, r rune) int {
	var kind byte // the 7-bit letter after ESC
	var at int    // where the body begins
	switch {
	case r == 0x1b && len(s) > 1:
		kind, at = s[1], 2
	case r >= 0x80 && r < 0xa0 && r != 0x85: // U+0085 is a line break
		kind, at = byte(r)-0x40, 2 // C1 takes two bytes in UTF-8
	default:
		return 0
	}
	switch kind {
	case '[': // CSI: parameters, intermediates, one final
		i := at
		for i < len(s) && i < at+64 && s[i] >= 0x20 && s[i] < 0x40 {
			i++
		}
		if i < len(s) && s[i] >= 0x40 && s[i] < 0x7f {
			return i + 1
		}
		return i
	case ']', 'P', 'X', '^', '_': // OSC, DCS, SOS, PM, APC: up to BEL or ST
		for i := at; i < len(s) && i < at+4096; i++ {
			switch {
			case s[i] == 0x07:
				return i + 1
			case s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\':
				return i + 2
			case s[i] == 0xc2 && i+1 < len(s) && s[i+1] == 0x9c:
				return i + 2
			}
		}
		return at
	}
	if r != 0x1b {
		return at // a lone C1 control
	}
	i := 1
	for i < len(s) && i < 4 && s[i] >= 0x20 && s[i] < 0x30 {
		i++
	}
	if i < len(s) && s[i] >= 0x30 && s[i] < 0x7f {
		i++
	}
	return i
}

// Width is how many terminal columns s takes.
func Width(s string) int { return uniseg.StringWidth(s) }

// Wrap breaks s into lines of at most w columns, at spaces where it can and
// between whole characters where it must. There is always at least one line.
func Wrap(s string, w int) []string {
	var lines []string
	var line strings.Builder
	used := 0
	flush := func() {
		lines = append(lines, line.String())
		line.Reset()
		used = 0
	}
	for word := range strings.FieldsSeq(s) {
		need := Width(word)
		if used > 0 && used+1+need > w {
			// A long path or address may begin on this line only when it
			// would not fit a line of its own either.
			if need <= w || w-used < 12 {
				flush()
			}
		}
		if used > 0 {
			line.WriteByte(' ')
			used++
		}
		if used+need <= w {
			line.WriteString(word)
			used += need
			continue
		}
		for rest, state := word, -1; rest != ""; {
			var cluster string
			var cw int
			cluster, rest, cw, state = uniseg.FirstGraphemeClusterInString(rest, state)
			if used+cw > w && used > 0 {
				flush()
			}
			line.WriteString(cluster)
			used += cw
		}
	}
	if used > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// Fit cuts s to w columns, ending in "…" when something went.
func Fit(s string, w int) string {
	if Width(s) <= w {
		return s
	}
	var b strings.Builder
	used := 0
	for rest, state := s, -1; rest != ""; {
		var cluster string
		var cw int
		cluster, rest, cw, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+cw > w-1 {
			break
		}
		b.WriteString(cluster)
		used += cw
	}
	return strings.TrimRight(b.String(), " ") + "…"
}
