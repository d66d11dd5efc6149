package kit

import (
	"errors"
	"fmt"
	"strings"

	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Next names the step that follows what was just done, as a command to copy. It comes
// last, on standard error, and only where that is a terminal. A script never sees it:
// what it reads on either stream, and mail that a timer sends of it, stay as they were.
// What could not be done has a hint instead.
func Next(env *Env, format string, args ...any) { env.next = fmt.Sprintf(format, args...) }

// tellNext ends a command that came to its end with err.
func tellNext(env *Env, err error) {
	if env.next == "" || err != nil && !errors.Is(err, problem.Unmet) {
		return
	}
	if _, tty := Terminal(env.Stderr); tty {
		fmt.Fprintf(env.Stderr, "next: %s\n", print.Clean(env.next, 500))
	}
}

// From is the inputs of a command, for the next one to read them too: " --from x".
func From(from []string) string {
	var b strings.Builder
	for _, f := range from {
		if f == "-" { // read already
			f = "..."
		}
		b.WriteString(" --from " + Quoted(f))
	}
	return b.String()
}

// Quoted is a word as a shell takes it.
func Quoted(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@,+=%", r))
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
