package print

import (
	"bufio"
	"io"
	"strings"

	"partnerguard/internal/evidence"
)

// Options says what the terminal can do.
type Options struct {
	Width int  // columns; 0 means 100, less than 40 reads as 40
	Color bool // ANSI colours; the caller knows the terminal and NO_COLOR
}

// Style is an SGR parameter; "" is plain.
type Style string

// The styles.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "1;31"
	Green  Style = "32"
	Yellow Style = "33"
	Cyan   Style = "36"
)

// Strong makes a style bold without doubling it.
func (s Style) Strong() Style {
	if strings.HasPrefix(string(s), "1") {
		return s
	}
	return "1;" + s
}

// Line is one line of a cell, in one style.
type Line struct {
	Text  string
	Style Style
}

// Screen writes lines for a terminal. No line is wider than its width, and
// without colour there is no escape sequence at all. Write errors stay in the
// buffered writer until Flush.
type Screen struct {
	w     *bufio.Writer
	width int
	color bool
}

// NewScreen begins a printed answer.
func NewScreen(w io.Writer, o Options) *Screen {
	if o.Width == 0 {
		o.Width = 100
	}
	return &Screen{w: bufio.NewWriter(w), width: max(o.Width, 40), color: o.Color}
}

// Width is the columns of the screen.
func (p *Screen) Width() int { return p.width }

// Flush ends the answer and tells what went wrong.
func (p *Screen) Flush() error { return p.w.Flush() }

// Blank writes an empty line.
func (p *Screen) Blank() { _ = p.w.WriteByte('\n') }

// Print writes one line that fits.
func (p *Screen) Print(s string, st Style) {
	_, _ = p.w.WriteString(p.paint(Fit(s, p.width), st))
	p.Blank()
}

func (p *Screen) paint(s string, st Style) string {
	if !p.color || st == Plain || s == "" {
		return s
	}
	return "\x1b[" + string(st) + "m" + s + "\x1b[0m"
}

// Para writes text wrapped to the page, its first line after lead, the others
// indented as far.
func (p *Screen) Para(lead, text string, st Style) {
	if text == "" {
		return
	}
	in := Width(lead)
	for i, l := range Wrap(text, p.width-in) {
		if i > 0 {
			lead = strings.Repeat(" ", in)
		}
		p.Put([]int{in, p.width - in}, 0, []Line{{lead, st}}, []Line{{l, st}})
	}
}

// Put writes cells side by side: cell i is sizes[i] columns wide, gap columns
// apart.
func (p *Screen) Put(sizes []int, gap int, cells ...[]Line) {
	rows := 0
	for _, c := range cells {
		rows = max(rows, len(c))
	}
	for y := range rows {
		pad := 0
		for x, c := range cells {
			if x > 0 {
				pad += gap
			}
			if y >= len(c) || c[y].Text == "" {
				pad += sizes[x]
				continue
			}
			_, _ = p.w.WriteString(strings.Repeat(" ", pad))
			_, _ = p.w.WriteString(p.paint(c[y].Text, c[y].Style))
			pad = sizes[x] - Width(c[y].Text)
		}
		p.Blank()
	}
}

// Cell is a cell of one line, not wrapped.
func Cell(text string, st Style) []Line { return []Line{{text, st}} }

// Lines wraps text into a cell of w columns.
func Lines(text string, w int, st Style) []Line {
	if text == "" {
		return nil
	}
	var out []Line
	for _, l := range Wrap(text, w) {
		out = append(out, Line{l, st})
	}
	return out
}

// Hanging wraps text behind a mark.
func Hanging(mark, text string, w int, st Style) []Line {
	in := Width(mark)
	out := Lines(text, w-in, st)
	for i := range out {
		if i == 0 {
			out[i].Text = mark + out[i].Text
		} else {
			out[i].Text = strings.Repeat(" ", in) + out[i].Text
		}
	}
	return out
}

// Section writes a heading with a rule to the edge.
func (p *Screen) Section(title, aside string) {
	p.Blank()
	title = Fit(title, p.width)
	rest := p.width - Width(title)
	_, _ = p.w.WriteString(p.paint(title, Bold))
	if aside != "" && rest > 8 {
		aside = Fit(aside, rest-2)
		_, _ = p.w.WriteString("  " + aside)
		rest -= 2 + Width(aside)
	}
	if rest > 4 {
		_, _ = p.w.WriteString(" " + p.paint(strings.Repeat("─", rest-1), Dim))
	}
	p.Blank()
}

// Incomplete says whether everything was read to its end, and if not, why.
func (p *Screen) Incomplete(complete bool, what string, why []string, inputs []evidence.Input) {
	if complete {
		p.Para("✓ ", CompleteWords(what, AnyCut(inputs)), Green)
		return
	}
	p.Para("! ", "INCOMPLETE: what follows may change when the rest is read.", Yellow)
	shown := min(len(why), textInputs)
	for _, s := range why[:shown] {
		p.Para("  - ", Clean(s, MaxSaying), Plain)
	}
	if more := len(why) - shown; more > 0 {
		p.Para("    ", "and "+Number(int64(more))+" more in the JSON", Dim)
	}
}

// Command writes a line of a command, indented, not wrapped: a command that is
// broken in the middle of a word is not the command any more. What is wider
// than the screen is left to the terminal.
func (p *Screen) Command(indent int, s string) {
	if s == "" {
		return
	}
	_, _ = p.w.WriteString(strings.Repeat(" ", indent) + p.paint(s, Cyan))
	p.Blank()
}
