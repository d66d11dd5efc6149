package kit

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"partnerguard/internal/print"
)

// Column of a table: its head, and what it says of a row.
type Column[T any] struct {
	head string
	cell func(*T) string
}

// Col makes a column.
func Col[T any](head string, cell func(*T) string) Column[T] { return Column[T]{head, cell} }

// leastWide is what the last column is given before a table becomes a list.
const leastWide = 24

// Table prints rows in columns as wide as they must be. A column that says
// nothing of any row is left out; the last one is not padded.
//
// Nothing is ever cut. Where the terminal is too narrow the last column, which has
// the longest words, is wrapped between words; where even that has no room each row becomes a
// few lines of its own, as what is in a column may have to be copied whole.
func Table[T any](w io.Writer, p Paint, rows []T, columns ...Column[T]) {
	cells := make([][]string, len(rows)+1)
	var wide []int
	for _, c := range columns {
		col, widest, any := make([]string, len(rows)), print.Width(c.head), false
		for i := range rows {
			col[i] = print.Clean(c.cell(&rows[i]), 600)
			any = any || col[i] != ""
			widest = max(widest, print.Width(col[i]))
		}
		if !any {
			continue
		}
		wide = append(wide, widest)
		cells[0] = append(cells[0], c.head)
		for i, s := range col {
			cells[i+1] = append(cells[i+1], cmp.Or(s, "-"))
		}
	}
	if len(wide) == 0 {
		fmt.Fprintln(w)
		return
	}
	last, before := len(wide)-1, 0
	for _, n := range wide[:last] {
		before += 2 + n
	}
	if room := p.Width - before - 2; p.Width > 0 && room < wide[last] {
		word := leastWide // an id that is broken cannot be copied
		for _, row := range cells {
			word = max(word, longest(row[last]))
		}
		if room < word {
			stack(w, p, cells)
			return
		}
		wide[last] = room
	}
	for i, row := range cells {
		for n, l := range print.Wrap(row[last], wide[last]) {
			line := ""
			for k, s := range row[:last] {
				if n > 0 {
					s = ""
				}
				line += "  " + s + strings.Repeat(" ", wide[k]-print.Width(s))
			}
			line = strings.TrimRight(line+"  "+l, " ")
			if i == 0 {
				line = p.Dim(line)
			}
			fmt.Fprintln(w, line)
		}
	}
}

// longest is the width of the longest word.
func longest(s string) (n int) {
	for word := range strings.FieldsSeq(s) {
		n = max(n, print.Width(word))
	}
	return n
}

// stack prints each row as lines of its own, what is not said left out.
func stack(w io.Writer, p Paint, cells [][]string) {
	head := 0
	for _, s := range cells[0] {
		head = max(head, print.Width(s))
	}
	for _, row := range cells[1:] {
		fmt.Fprintln(w, p.Bold("  "+row[0]))
		for k := 1; k < len(row); k++ {
			if row[k] == "-" {
				continue
			}
			name, room := cells[0][k], max(p.Width-head-6, leastWide)
			lines := print.Wrap(row[k], room)
			if longest(row[k]) > room { // the terminal breaks it, and copies it whole
				lines = []string{row[k]}
			}
			for _, l := range lines {
				fmt.Fprintf(w, "    %s%s  %s\n", p.Dim(name), strings.Repeat(" ", head-print.Width(name)), l)
				name = ""
			}
		}
	}
}

// Flow puts the parts of one line two spaces apart, and where the terminal ends
// goes on in the next line, indented. strong is painted, if it is one of them.
func Flow(p Paint, strong string, parts ...string) string {
	var out strings.Builder
	used := 0
	for _, part := range parts {
		if part == "" {
			continue
		}
		n := print.Width(part)
		switch {
		case used == 0:
		case p.Width > 0 && used+2+n > p.Width:
			out.WriteString("\n    ")
			used = 4
		default:
			out.WriteString("  ")
			used += 2
		}
		if p.Width > 0 && used+n > p.Width {
			part = strings.Join(print.Wrap(part, p.Width-used), "\n    ")
		}
		if part == strong {
			part = p.Bold(part)
		}
		out.WriteString(part)
		used += n
	}
	return out.String()
}
