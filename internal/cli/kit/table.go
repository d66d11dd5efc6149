package kit

import (
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

// Table prints rows in columns as wide as they must be. A column that says
// nothing of any row is left out; the last one is not padded.
func Table[T any](w io.Writer, p Paint, rows []T, columns ...Column[T]) {
	cells := make([][]string, len(rows)+1)
	for _, c := range columns {
		col, widest, any := make([]string, len(rows)), print.Width(c.head), false
		for i := range rows {
			col[i] = print.Clean(c.cell(&rows[i]), 200)
			any = any || col[i] != ""
			widest = max(widest, print.Width(col[i]))
		}
		if !any {
			continue
		}
		pad := func(s string) string { return s + strings.Repeat(" ", widest-print.Width(s)) }
		cells[0] = append(cells[0], pad(c.head))
		for i, s := range col {
			if s == "" {
				s = "-"
			}
			cells[i+1] = append(cells[i+1], pad(s))
		}
	}
	for i, row := range cells {
		line := strings.TrimRight("  "+strings.Join(row, "  "), " ")
		if i == 0 {
			line = p.Dim(line)
		}
		fmt.Fprintln(w, line)
	}
}
