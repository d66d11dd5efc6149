package console

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sheet writes CSV for spreadsheets (RFC 4180, UTF-8, CRLF). A cell that a
// spreadsheet might take for a formula gets a leading apostrophe.
type Sheet struct{ w *csv.Writer }

// NewSheet begins a sheet with its heading.
func NewSheet(w io.Writer, header ...string) Sheet {
	s := Sheet{csv.NewWriter(w)}
	s.w.UseCRLF = true
	_ = s.w.Write(header) // kept by the writer, told by Close
	return s
}

// Row writes one row; write errors are told by Close.
func (s Sheet) Row(cells ...string) {
	for i, c := range cells {
		cells[i] = cell(c)
	}
	_ = s.w.Write(cells)
}

// Close ends the sheet and tells what went wrong.
func (s Sheet) Close() error {
	s.w.Flush()
	return s.w.Error()
}

// cell makes text safe for a spreadsheet. What counts is the first character
// that is seen: spreadsheets skip spaces and invisible characters before a
// formula, and some read the full-width signs as the plain ones.
func cell(s string) string {
	tail := s
	formula := strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || strings.HasPrefix(s, "\n")
	tail = strings.TrimLeftFunc(tail, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
	})
	s = Clean(s, MaxCell)
	if formula || startsFormula(tail) || startsFormula(s) {
		return "'" + s
	}
	return s
}

func startsFormula(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return strings.ContainsRune("=+-@＝＋－＠−﹢﹣﹦﹫", r) && s != ""
}
