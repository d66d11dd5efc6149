package texts

import (
	"strings"
	"unsafe"
)

// EqualFold is strings.EqualFold for a word that is ASCII and not empty, quick
// where the texts are equal or soon differ.
func EqualFold(s, word string) bool {
	if len(s) < len(word) {
		return false // a letter outside ASCII that folds to one of it is longer
	}
	if s == word {
		return true
	}
	for i := range len(word) {
		if s[i] >= 0x80 {
			return strings.EqualFold(s, word)
		}
		if s[i]|0x20 != word[i]|0x20 {
			return false
		}
	}
	return len(s) == len(word) && strings.EqualFold(s, word)
}

// HasPrefixFold is [EqualFold] for the beginning of s.
func HasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && EqualFold(s[:len(prefix)], prefix)
}

// ContainsFold reports whether s contains sub, which must be lower-case ASCII,
// without regard to ASCII case. It does not allocate.
func ContainsFold(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		j := 0
		for j < len(sub) {
			c := s[i+j]
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			if c != sub[j] {
				break
			}
			j++
		}
		if j == len(sub) {
			return true
		}
	}
	return false
}

// Either is a, or b where a is empty.
func Either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Word is eight of a text's bytes, which must be there.
func Word(p unsafe.Pointer, at int) uint64 {
	b := (*[8]byte)(unsafe.Add(p, at))
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// GUID reads the 36-character form of a GUID in any case.
func GUID(s string) (hi, lo uint64, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return 0, 0, false
	}
	p := unsafe.Pointer(unsafe.StringData(s))
	// The four groups of eight digits; the low half of one word and the high half
	// of the other hold four digits each.
	const low = 1<<32 - 1
	a, badA := hexWord(Word(p, 0))
	b, badB := hexWord(Word(p, 9)&low | Word(p, 14)<<32)
	c, badC := hexWord(Word(p, 19)&low | Word(p, 24)<<32)
	d, badD := hexWord(Word(p, 28))
	return a<<32 | b, c<<32 | d, badA|badB|badC|badD == 0
}

// hexWord reads eight hexadecimal digits, the first in the lowest byte; bad is
// not zero when one of them is none.
func hexWord(w uint64) (v, bad uint64) {
	const ones = 0x0101010101010101
	letter := w >> 6 & ones // bytes from 0x40 on
	v = w&(15*ones) + 9*letter
	bad = (w|letter<<5)&(0xf0*ones) ^ 0x30*(ones+letter) // 0x3_ or 0x6_
	bad |= ((v+6*ones)>>4 ^ letter | v>>4) & ones        // 0 to 9, or 10 to 15
	v = (v<<4 | v>>8) & 0x00ff00ff00ff00ff
	v = (v<<8 | v>>16) & 0x0000ffff0000ffff
	return (v<<16 | v>>32) & (1<<32 - 1), bad
}

// HexDigit maps a byte to its value, 0x80 when it is no hexadecimal digit.
var HexDigit = func() (t [256]byte) {
	for i := range t {
		switch c := byte(i); {
		case '0' <= c && c <= '9':
			t[i] = c - '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			t[i] = c | 0x20 - 'a' + 10
		default:
			t[i] = 0x80
		}
	}
	return t
}()

// Lower is strings.ToLower that costs little for text without capitals.
func Lower(s string) string {
	if n := len(s); n >= 8 {
		p := unsafe.Pointer(unsafe.StringData(s))
		odd := capitals(Word(p, n-8))
		for i := 0; i < n-8; i += 8 {
			odd |= capitals(Word(p, i))
		}
		if odd == 0 {
			return s
		}
	}
	return strings.ToLower(s)
}

// capitals is not zero when w has a capital letter or a byte above 0x7f.
func capitals(w uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	return (w | (w&^high+(0x80-'A')*ones)&^(w&^high+(0x80-'Z'-1)*ones)) & high
}
