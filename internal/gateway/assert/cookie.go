package assert

import "strings"

// cookies are the gateway's own, which no upstream gets.
var cookies = [...]string{"__Host-pg", "pg", "__Host-pg-in", "pg-in"}

// Cookies takes the gateway's own out of the value of a header Cookie; "" where nothing
// is left.
func Cookies(header string) string {
	if !strings.Contains(header, "pg") {
		return header
	}
	left := make([]string, 0, 8)
	for part := range strings.SplitSeq(header, ";") {
		name, _, _ := strings.Cut(part, "=")
		if part = strings.Trim(part, " \t"); part != "" && !OwnCookie(strings.Trim(name, " \t")) {
			left = append(left, part)
		}
	}
	return strings.Join(left, "; ")
}

// SetsOwn says whether the value of a header Set-Cookie sets one of the gateway's. A cookie
// without a name is sent back as its value alone, in which others read a name.
func SetsOwn(value string) bool {
	value, _, _ = strings.Cut(value, ";")
	name, _, _ := strings.Cut(strings.TrimLeft(value, "= \t"), "=")
	return OwnCookie(strings.TrimSpace(name))
}

// OwnCookie says whether a cookie is the gateway's, which no upstream may set either.
func OwnCookie(name string) bool {
	for _, own := range cookies {
		if strings.EqualFold(name, own) {
			return true
		}
	}
	return false
}
