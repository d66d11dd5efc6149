package kit

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Terminal gives the file behind w when it is a terminal.
func Terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// Colour says whether standard output may carry colours: only a terminal that
// is not dumb, and never with NO_COLOR set (no-color.org).
func Colour(env *Env) bool {
	_, tty := Terminal(env.Stdout)
	return tty && env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb"
}

// Width is how many columns a line may take: the terminal's, between 40 and
// 200, or 100 when standard output is no terminal.
func Width(env *Env) int {
	if f, tty := Terminal(env.Stdout); tty {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 { // a serial line says 0
			return min(max(w, 40), 200)
		}
	}
	return 100
}

// Paint adds colour when it is on, and knows how wide a table may be.
type Paint struct {
	On    bool
	Width int // columns of the terminal; 0 where there is none, and nothing is bound
}

// NewPaint is how standard output is painted.
func NewPaint(env *Env) Paint {
	p := Paint{On: Colour(env)}
	if _, tty := Terminal(env.Stdout); tty {
		p.Width = Width(env)
	}
	return p
}

func (p Paint) Wrap(code, s string) string {
	if !p.On || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
func (p Paint) Bold(s string) string { return p.Wrap("1", s) }
func (p Paint) Dim(s string) string  { return p.Wrap("2", s) }

// Wrap breaks our own ASCII sentences at spaces; a longer word stays whole.
func Wrap(s string, width int) (lines []string) {
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
