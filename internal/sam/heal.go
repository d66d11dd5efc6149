package sam

import "strings"

// Heal is the one command that brings a connection back.
func Heal(c Connection) string {
	words := []string{"partnerguard connect"}
	if c.Name != "" {
		words = append(words, "--name", shellWord(c.Name))
	}
	if c.ClientID != "" {
		words = append(words, "--client-id", c.ClientID)
	}
	return strings.Join(words, " ")
}

func shellWord(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-@", r))
	}) < 0
	if plain && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
