package proxy

import (
	"net/netip"
	"unicode/utf8"
)

// Limits of a target and a host, in bytes.
const (
	MaxTarget = 16 << 10
	maxHost   = 255
)

// CheckTarget says whether a request target is an absolute path, perhaps with a query,
// that every server reads alike, so that the path a route was found by is the one that
// the upstream serves. What it refuses: segments that are empty, "." or ".." (also with
// parameters behind a semicolon), escapes of what need not be escaped (RFC 3986 section
// 2.3), of a slash, a backslash, a control or a percent sign before two digits, what is
// not UTF-8 once unescaped, and bytes that no path has. The query is the upstream's
// matter; it only has to be bytes that a query has.
func CheckTarget(target []byte) bool { return checkTarget(target, false) }

// checkTarget is [CheckTarget], with slash letting %2F through as a separator.
func checkTarget(target []byte, slash bool) bool {
	if len(target) == 0 || len(target) > MaxTarget || target[0] != '/' {
		return false
	}
	path := target
	for i, c := range target {
		if c == '?' {
			path = target[:i]
			if !plainQuery(target[i+1:]) {
				return false
			}
			break
		}
	}
	return plainPath(path, slash)
}

func plainQuery(q []byte) bool {
	for _, c := range q {
		if table[c]&inQuery == 0 {
			return false
		}
	}
	return true
}

// plainPath reads segment by segment. from is where the segment begins, wide whether an
// escape stood for a byte above ASCII.
func plainPath(path []byte, slash bool) bool {
	from, wide := 1, false
	for i := 1; i < len(path); i++ {
		switch c := path[i]; {
		case c == '/':
			if !plainSegment(path[from:i]) {
				return false
			}
			from = i + 1
		case c == '%':
			b, ok := unescape(path[i:])
			switch {
			case !ok || b < ' ' || b == 0x7f || b == '\\' || table[b]&unreserved != 0:
				return false
			case b == '/':
				if !slash || !plainSegment(path[from:i]) {
					return false
				}
				from = i + 3
			case b == '%' && i+5 <= len(path) && isHex(path[i+3]) && isHex(path[i+4]):
				return false
			case b >= utf8.RuneSelf:
				wide = true
			}
			i += 2
		case table[c]&inPath == 0:
			return false
		}
	}
	return (from == len(path) || plainSegment(path[from:])) && (!wide || plainText(path))
}

// plainSegment refuses the empty one, and the dots with or without parameters: some
// servers cut what is behind a semicolon before they resolve dots.
func plainSegment(s []byte) bool {
	n := 0
	for n < len(s) && s[n] == '.' {
		n++
	}
	if n == len(s) || s[n] == ';' || len(s) >= n+3 && s[n] == '%' && s[n+1] == '3' && s[n+2]|0x20 == 'b' {
		return n > 2
	}
	return true
}

// plainText says that the escapes above ASCII are UTF-8, without long forms, and without
// the wide forms of dot, slash, backslash and percent that some servers narrow.
func plainText(path []byte) bool {
	var buf [256]byte
	text := buf[:0]
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			c, _ = unescape(path[i:])
			i += 2
		}
		text = append(text, c)
	}
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 || r == '\uFF0E' || r == '\uFF0F' || r == '\uFF3C' || r == '\uFF05' {
			return false
		}
		text = text[n:]
	}
	return true
}

func unescape(s []byte) (byte, bool) {
	if len(s) < 3 || !isHex(s[1]) || !isHex(s[2]) {
		return 0, false
	}
	return nibble(s[1])<<4 | nibble(s[2]), true
}

func isHex(c byte) bool { return table[c]&hexDigit != 0 }

func nibble(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// CheckHost says whether the value of Host (or :authority) is a name or an address,
// perhaps with a port, that every server reads alike: no user, no escapes, no trailing
// dot, no zone, no empty port.
func CheckHost(host []byte) bool {
	if len(host) == 0 || len(host) > maxHost {
		return false
	}
	name, port := host, []byte(nil)
	if host[0] == '[' {
		end := 1
		for end < len(host) && host[end] != ']' {
			if host[end] == '%' {
				return false
			}
			end++
		}
		if end == len(host) {
			return false
		}
		if a, err := netip.ParseAddr(string(host[1:end])); err != nil || !a.Is6() {
			return false
		}
		if end+1 == len(host) {
			return true
		}
		return host[end+1] == ':' && plainPort(host[end+2:])
	}
	for i, c := range host {
		if c == ':' {
			name, port = host[:i], host[i+1:]
			if !plainPort(port) {
				return false
			}
			break
		}
	}
	return plainName(name)
}

func plainName(name []byte) bool {
	dot := true // before the first label, and behind a dot
	for _, c := range name {
		switch {
		case c == '.':
			if dot {
				return false
			}
			dot = true
		case table[c]&inName != 0:
			dot = false
		default:
			return false
		}
	}
	return !dot
}

func plainPort(p []byte) bool {
	if len(p) == 0 || len(p) > 5 || p[0] == '0' {
		return false
	}
	n := 0
	for _, c := range p {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n <= 65535
}
