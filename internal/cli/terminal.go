package cli

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal gives the file behind w when it is a terminal.
func terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// colour says whether standard output may carry colours: only a terminal that
// is not dumb, and never with NO_COLOR set (no-color.org).
func colour(env *Env) bool {
	_, tty := terminal(env.Stdout)
	return tty && env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb"
}

// width is how many columns a line may take: the terminal's, between 60 and
// 200, or 100 when standard output is no terminal.
func width(env *Env) int {
	if f, tty := terminal(env.Stdout); tty {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			return min(max(w, 60), 200)
		}
	}
	return 100
}

// paint adds colour when it is on.
type paint struct{ on bool }

func (p paint) wrap(code, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
func (p paint) bold(s string) string { return p.wrap("1", s) }
func (p paint) dim(s string) string  { return p.wrap("2", s) }

// wrap breaks our own ASCII sentences at spaces; a longer word stays whole.
func wrap(s string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(s) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
