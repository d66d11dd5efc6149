package print

import "strings"

// Quote makes one word of a POSIX shell.
func Quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("@%_+=:,./-", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// FoldCommand breaks a command into lines of at most w columns that a shell joins
// again. A word that is longer gets a line of its own.
func FoldCommand(words []string, w int) []string {
	var lines []string
	line := ""
	for i, word := range words {
		room := w
		if i < len(words)-1 {
			room -= 2 // " \"
		}
		switch {
		case line == "":
			line = word
		case Width(line)+1+Width(word) <= room:
			line += " " + word
		default:
			lines = append(lines, line+` \`)
			line = "  " + word
		}
	}
	return append(lines, line)
}
