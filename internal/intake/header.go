package intake

import (
	"bytes"
	"unicode/utf8"

	"partnerguard/internal/intake/text"
)

// header is the named columns of a table. Exporters give a name twice now and
// then (the portal's sign-ins have two columns "Incoming token type"): of those
// the first that says something counts.
type header struct {
	names [][]byte // as JSON texts
	width int      // columns that have a name
	next  []int    // the next column of the same name, or -1
	later []bool   // an earlier column has the name
}

// newHeader takes the first row of a table.
func newHeader(cells [][]byte) header {
	h := header{names: make([][]byte, len(cells))}
	for i, c := range cells {
		h.names[i] = text.AppendQuoted(nil, bytes.TrimSpace(c))
	}
	h.width = len(cells)
	for h.width > 1 && len(h.names[h.width-1]) == 2 {
		h.width-- // exporters that end every row with a comma
	}
	h.names = h.names[:h.width]
	graphHeader(h.names)
	h.next, h.later = make([]int, h.width), make([]bool, h.width)
	last := make(map[string]int, h.width)
	for i, n := range h.names {
		h.next[i] = -1
		if before, twice := last[string(n)]; twice && len(n) > 2 {
			h.next[before], h.later[i] = i, true
		}
		last[string(n)] = i
	}
	return h
}

// row writes a row as a JSON object of header -> text; cells that are missing
// are empty. Bytes that are not UTF-8 become U+FFFD; bad reports them.
func (h *header) row(dst []byte, cells [][]byte) (row []byte, bad bool) {
	dst = append(dst, '{')
	some := false
	for i, n := range h.names {
		if h.later[i] {
			continue
		}
		if some {
			dst = append(dst, ',')
		}
		some = true
		dst = append(append(dst, n...), ':')
		cell := h.cell(cells, i)
		bad = bad || !utf8.Valid(cell)
		dst = text.AppendQuoted(dst, cell)
	}
	return append(dst, '}'), bad
}

func cellAt(cells [][]byte, i int) []byte {
	if i < len(cells) {
		return cells[i]
	}
	return nil
}

// telling reports a cell that is neither empty nor a word for it.
func telling(cell []byte) bool {
	c := bytes.TrimSpace(cell)
	return len(c) > 0 && !bytes.EqualFold(c, []byte("none"))
}
