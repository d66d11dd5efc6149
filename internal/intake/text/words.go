package text

import (
	"fmt"
	"strings"
)

// Clip shortens s for a message and makes it printable.
func Clip(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return strings.Map(Printable, s)
}

// Printable is for strings.Map: control characters become question marks.
func Printable(r rune) rune {
	if r < 0x20 || r == 0x7f {
		return '?'
	}
	return r
}

// Size is n bytes in words.
func Size(n int) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
