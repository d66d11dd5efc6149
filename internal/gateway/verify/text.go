package verify

import (
	"unicode"
	"unicode/utf8"
)

// escaped gives the length of the escape that b begins with; 0 is none, or half a
// character.
func escaped(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		u, ok := unit(b)
		switch {
		case !ok, 0xdc00 <= u && u <= 0xdfff:
			return 0
		case 0xd800 <= u && u <= 0xdbff:
			if low, ok := unit(b[6:]); !ok || low < 0xdc00 || low > 0xdfff {
				return 0
			}
			return 12
		}
		return 6
	}
	return 0
}

// unit reads \uXXXX.
func unit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var u rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		u = u<<4 | rune(c)
	}
	return u, true
}

// unescape appends what a text that was scanned says.
func unescape(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			i++
			continue
		}
		n := escaped(raw[i:])
		switch c := raw[i+1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			u, _ := unit(raw[i:])
			if n == 12 {
				low, _ := unit(raw[i+6:])
				u = 0x10000 + (u-0xd800)<<10 + (low - 0xdc00)
			}
			dst = utf8.AppendRune(dst, u)
		default:
			dst = append(dst, c)
		}
		i += n
	}
	return dst
}

// hides finds characters that end a line or change the order in which text is read, and,
// where no person's language needs them, those that are not seen: as the claim engine
// does, which tests hold it to.
func hides(b []byte, mode check) bool {
	if mode == length || mode == free {
		return false
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		i += n
		switch {
		case r >= ' ' && r <= '~':
		case unicode.IsControl(r), r == 0x2028, r == 0x2029, r == 0xfeff, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return true
		case mode == shown:
		case unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point), r == 0x2800:
			return true
		}
	}
	return false
}

// folded appends a name in small letters as readers that compare without case would
// take it; nothing where no ASCII name is one of them.
func folded(dst, name []byte) []byte {
	for i := 0; i < len(name); {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(name[i:])
			switch r {
			case 'ſ':
				c = 's'
			case '\u212a': // Kelvin
				c = 'k'
			default:
				return dst[:0]
			}
			i += n - 1
		}
		i++
		dst = append(dst, c)
	}
	return dst
}

// odd says whether a name could be another in other letters.
func odd(name []byte) bool {
	for _, c := range name {
		if 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// isGUID takes 8-4-4-4-12 hexadecimal digits.
func isGUID[T string | []byte](s T) bool {
	if len(s) != 36 {
		return false
	}
	for i := range 36 {
		c := s[i]
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
		if dash && c != '-' || !dash && !hex {
			return false
		}
	}
	return true
}
