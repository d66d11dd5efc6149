package print

import (
	"encoding/csv"
	"io"

	"partnerguard/internal/sheet"
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

// cell makes text safe for a spreadsheet, before it is cleaned and after:
// cleaning takes away what stood before a sign.
func cell(s string) string {
	clean := Clean(s, MaxCell)
	if sheet.Formula(s) || sheet.Formula(clean) {
		return string(sheet.Guard) + clean
	}
	return clean
}
