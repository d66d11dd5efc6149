package factor

import (
	"strings"

	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// letters is Crockford's base32: no i, l, o or u, which are read as others.
const letters = "0123456789abcdefghjkmnpqrstvwxyz"

// codeLength in characters of five bits each: 50 bits.
const codeLength = 10

// Codes makes n recovery codes of 50 random bits each, written xxxxx-xxxxx. None is
// there twice. n is at most 100.
func Codes(n int) []secret.Text {
	n = min(max(n, 0), 100)
	seen := map[string]bool{}
	all := make([]secret.Text, 0, n)
	for len(all) < n {
		c := Pass()
		if !seen[c.Reveal()] {
			seen[c.Reveal()] = true
			all = append(all, c)
		}
	}
	return all
}

// Pass makes the text of one temporary pass, in the form of a recovery code.
func Pass() secret.Text {
	var b strings.Builder
	for i, r := range token.Bytes(codeLength) {
		if i == codeLength/2 {
			b.WriteByte('-')
		}
		b.WriteByte(letters[r&31])
	}
	return secret.New(b.String())
}

// ReadCode gives the one form, xxxxx-xxxxx, of a recovery code or pass as somebody
// typed it: in any case, with or without the hyphen and spaces, o for 0, i and l for
// 1. It is false for what cannot be one. Hash what it gives, not what was typed.
func ReadCode(typed secret.Text) (secret.Text, bool) {
	t := typed.Reveal()
	if len(t) > 64 {
		return secret.Text{}, false
	}
	var b strings.Builder
	for _, r := range strings.ToLower(t) {
		switch r {
		case ' ', '-', '\t', '\r', '\n', '\u00a0':
			continue
		case 'o':
			r = '0'
		case 'i', 'l':
			r = '1'
		}
		if !strings.ContainsRune(letters, r) {
			return secret.Text{}, false
		}
		b.WriteRune(r)
		if b.Len() == codeLength/2 {
			b.WriteByte('-')
		}
	}
	return secret.New(b.String()), b.Len() == codeLength+1
}
