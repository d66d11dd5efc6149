package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/signin/read"
)

// csv reads delimited text whose first row names the columns.
func (f *file) csv(br *bufio.Reader, head []byte) error {
	lines := 0
	comma := byte(0)
	for { // preambles of Export-Csv ("#TYPE …") and Excel ("sep=;")
		line, _, _ := bytes.Cut(head, []byte("\n"))
		low := strings.ToLower(strings.TrimSpace(string(line[:min(len(line), 16)])))
		if strings.HasPrefix(low, "sep=") && len(low) == 5 {
			comma = low[4]
		} else if !strings.HasPrefix(low, "#type ") {
			break
		}
		if _, err := br.ReadSlice('\n'); err != nil {
			return err
		}
		lines++
		head, _ = br.Peek(text.SniffLen)
	}
	if comma == 0 {
		comma = text.Delimiter(head)
	}
	if comma == 0 || text.Binary(head) {
		f.foreign("text that is neither JSON nor CSV with a header row")
		return nil
	}
	c := text.NewCSV(br, comma, f.o.MaxRecord)
	c.Line = lines
	header, err := c.Next(text.MaxColumns)
	switch err {
	case nil:
	case text.ErrTooWide, text.ErrRowTooLong, text.ErrOpenQuote:
		if err == text.ErrOpenQuote {
			f.foreign("text that is neither JSON nor CSV: a quote in its first row is never closed")
			return nil
		}
		f.in.Format = "csv"
		f.fault(f.at(place{line: c.Row}), 0, "expected a header row of column names: "+err.Error())
		return nil
	default:
		return err
	}
	f.in.Format = "csv"
	t := f.newTable(header)
	t.readAhead()
	return t.read(c)
}

// csvTable is the reading of one table behind its header.
type csvTable struct {
	f      *file
	header header
	row    []byte
	clocks tableClocks

	ahead *rowsAhead // nil: rows are read one by one

	rows                  int
	ragged, badText       int // rows of another width; rows that are not UTF-8
	firstRagged, firstBad int // lines
}

// newTable is the table under a header. A column of clocks whose name tells
// another zone than UTC is left as it is.
func (f *file) newTable(header [][]byte) *csvTable {
	f.clocked = true
	t := &csvTable{f: f, header: newHeader(header)}
	for i, cell := range header {
		if read.LocalZone(string(cell)) {
			for len(t.clocks.columns) < i {
				t.clocks.columns = append(t.clocks.columns, newColumn)
			}
			t.clocks.columns = append(t.clocks.columns, otherColumn)
		}
	}
	return t
}

// add takes one row; odd says that its width is not the header's.
func (t *csvTable) add(cells [][]byte, at place, odd bool) error {
	t.rows++
	if odd {
		if t.ragged++; t.ragged == 1 {
			t.firstRagged = at.line
		}
	}
	return t.clocks.row(cells, at, t.give)
}

// read reads all rows. Rows may wait for the clocks of later ones; whatever ends
// the table, they are given on.
func (t *csvTable) read(c *text.CSV) error {
	end := t.readRows(c)
	if stop := (sinkError{}); errors.As(end, &stop) {
		return end
	}
	err := t.clocks.flush(t.give)
	if t.ahead != nil && err == nil {
		err = t.f.sync()
		t.f.rows = nil
	}
	if err == nil {
		err = t.end(end == io.EOF)
	}
	if err == nil && end != io.EOF && end != text.ErrOpenQuote {
		return end
	}
	return err
}

// end gives the rows that waited, and tells what was odd if the table was read
// whole.
func (t *csvTable) end(whole bool) error {
	if err := t.clocks.flush(t.give); err != nil {
		return err
	}
	f := t.f
	if t.clocks.doubt > 0 && f.in.Kinds[evidence.SignIn] == 0 { // the fold tells of the clocks of sign-ins
		f.in.Add(evidence.Note{Source: f.at(place{line: t.clocks.first}), Message: rowsHave(t.clocks.doubt) +
			" a clock of which nothing in the table tells whether the day or the month stands first; between slashes it is read month first" +
			" (this is the first; export as JSON, or with the culture en-US)"})
	}
	if t.ragged > 0 && whole {
		f.fault(f.at(place{line: t.firstRagged}), 0, fmt.Sprintf("%s more or fewer cells than the header has names (%d); this is the first",
			rowsHave(t.ragged), t.header.width))
	}
	if t.badText > 0 && whole {
		f.fault(f.at(place{line: t.firstBad}), 0, fmt.Sprintf("%s bytes that are not UTF-8, read as U+FFFD; this is the first (save the file as UTF-8)",
			rowsHave(t.badText)))
	}
	return f.headerOnly(t.rows, &t.header)
}

// readRows reads rows until something ends them, and returns that: io.EOF,
// errOpenQuote, an error of the stream, the sink or the context.
func (t *csvTable) readRows(c *text.CSV) error {
	f, width := t.f, t.header.width
	for {
		cells, err := c.Next(text.MaxColumns * 2)
		switch err {
		case nil:
		case text.ErrRowTooLong:
			f.fault(f.at(place{line: c.Row}), 0, fmt.Sprintf("this row is larger than %s and was skipped", text.Size(f.o.MaxRecord)))
			continue
		case text.ErrTooWide:
			f.fault(f.at(place{line: c.Row}), 0, fmt.Sprintf("expected %d cells, found more than %d; the row was skipped", width, text.MaxColumns*2))
			continue
		case text.ErrOpenQuote:
			f.fault(f.at(place{line: c.Row}), 0, "a quoted cell that opens in this row is never closed; nothing behind it was read")
			return err
		default:
			return err
		}
		extra := len(cells) < width
		for _, cell := range cells[min(width, len(cells)):] {
			extra = extra || len(cell) > 0
		}
		if err := t.add(cells, place{line: c.Row}, extra); err != nil {
			return err
		}
	}
}

// give hands one row on.
func (t *csvTable) give(cells [][]byte, at place) error {
	if t.ahead != nil {
		return t.gather(cells, at)
	}
	return t.one(cells, at)
}

// one hands one row on as an object.
func (t *csvTable) one(cells [][]byte, at place) error {
	var bad bool
	t.row, bad = t.header.row(t.row[:0], cells)
	if len(t.row) > t.f.o.MaxRecord+len(t.header.names)*8 && at.part != "" { // a CSV's rows were measured before
		t.f.fault(t.f.at(at), 0, fmt.Sprintf("this row is larger than %s and was skipped", text.Size(t.f.o.MaxRecord)))
		return nil
	}
	if bad {
		if t.badText++; t.badText == 1 {
			t.firstBad = at.line
		}
	}
	return t.f.one(t.row, at)
}

func rowsHave(n int) string {
	if n == 1 {
		return "1 row has"
	}
	return fmt.Sprintf("%d rows have", n)
}

// headerOnly counts a table without rows as an empty collection of its kind.
func (f *file) headerOnly(rows int, h *header) error {
	if rows > 0 {
		return nil
	}
	row, _ := h.row(nil, nil)
	kind, _ := f.recognise(row, nil)
	f.emptyList(kind, "a CSV header without rows")
	return nil
}
