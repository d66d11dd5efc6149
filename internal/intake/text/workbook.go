package text

import (
	"archive/zip"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"partnerguard/internal/lenient"
)

// The limits of a workbook. The library holds the parts unpacked in memory.
const (
	maxWorkbook    = 64 << 20  // as stored
	maxUnpacked    = 192 << 20 // all parts together
	maxSharedTexts = 2_000_000
	maxCells       = 30_000_000
)

// ErrSheet says that the library could not read a sheet.
var ErrSheet = errors.New("unreadable sheet")

// survey reads every part of a workbook to its end: the library takes a part
// that breaks off for one that ends, and holds what it reads in memory.
func survey(ctx context.Context, zr *zip.Reader) error {
	total, cells, texts := int64(0), 0, 0
	for _, e := range zr.File {
		if e.Flags&1 != 0 {
			return zip.ErrAlgorithm
		}
		rc, err := e.Open()
		if err != nil {
			return err
		}
		r := &counter{r: io.LimitReader(rc, maxUnpacked+1), ctx: ctx}
		name := strings.ToLower(e.Name)
		if !strings.HasSuffix(name, ".xml") {
			_, err = io.Copy(io.Discard, r)
		} else {
			err = walkXML(r, func(element string) error {
				switch element {
				case "c":
					cells++
				case "si":
					texts++
				}
				if cells > maxCells || texts > maxSharedTexts {
					return errBomb
				}
				return nil
			})
		}
		_ = rc.Close() // read only
		if err != nil {
			return err
		}
		if total += r.n; total > maxUnpacked {
			return errBomb
		}
	}
	return nil
}

// walkXML reads a text of XML to its end and calls start for each element.
func walkXML(r io.Reader, start func(element string) error) error {
	dec := xml.NewDecoder(r)
	depth := 0
	for {
		tok, err := dec.RawToken()
		if err == io.EOF && depth == 0 {
			_, err = io.Copy(io.Discard, r) // to the checksum
			return err
		}
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if depth++; depth > MaxDepth {
				return errBomb
			}
			if err := start(t.Name.Local); err != nil {
				return err
			}
		case xml.EndElement:
			depth--
		}
	}
}

// guard turns a panic of the library, whose input is hostile, into an error.
func guard(err *error) {
	if recover() != nil {
		*err = ErrSheet
	}
}

// Workbook is an Excel workbook.
type Workbook struct{ file *excelize.File }

// OpenWorkbook opens the workbook that the archive zr, the n bytes at, is. The
// error says what is wrong with it in words that follow its name, or is that of
// the context.
func OpenWorkbook(ctx context.Context, zr *zip.Reader, at io.ReaderAt, n int64) (*Workbook, error) {
	if n > maxWorkbook {
		return nil, errors.New("larger than " + Size(maxWorkbook))
	}
	switch err := survey(ctx, zr); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errBomb):
		return nil, errors.New("that unpacks to more than is read")
	case err != nil:
		return nil, errors.New("with a part that is damaged or encrypted")
	}
	file, err := openBook(io.NewSectionReader(at, 0, n))
	if err != nil {
		return nil, errors.New("that cannot be opened")
	}
	return &Workbook{file}, nil
}

func openBook(r io.Reader) (book *excelize.File, err error) {
	defer guard(&err)
	return excelize.OpenReader(r, excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked})
}

// Close gives the memory back.
func (b *Workbook) Close() { _ = b.file.Close() } // in memory, nothing to write

// Names lists the sheets in the order of their tabs.
func (b *Workbook) Names() []string { return b.file.GetSheetList() }

// Sheet is one sheet while it is read.
type Sheet struct {
	N       int // rows read
	rows    *sheetRows
	swapped []string
	row     []sheetCell
	cells   [][]byte
}

// Sheet opens a sheet. The error is ErrSheet.
func (b *Workbook) Sheet(name string) (*Sheet, error) {
	swapped, err := swappedColumns(b.file, name)
	if err != nil {
		return nil, err
	}
	rows, err := openSheet(b.file, name)
	if err != nil {
		return nil, err
	}
	return &Sheet{rows: rows, swapped: swapped}, nil
}

// Next reads the next row, valid until the next call; more is false behind the
// last. Dates are stored as numbers and come as clocks.
func (s *Sheet) Next() (cells [][]byte, more bool, err error) {
	if s.row, more, err = s.rows.next(s.row); err != nil || !more {
		return nil, false, err
	}
	s.N++
	s.cells = s.cells[:0]
	for i, c := range s.row {
		if i < len(s.swapped) && s.swapped[i] != "" && !c.clock.IsZero() {
			c.text = c.clock.Format(s.swapped[i])
		}
		s.cells = append(s.cells, []byte(c.text))
	}
	return s.cells, true, nil
}

// sheetRows walks a sheet twice at once: for the values as they are stored and
// as they are shown, which together tell a date from a number.
type sheetRows struct {
	stored, shown *excelize.Rows
	base1904      bool
}

func openSheet(book *excelize.File, name string) (r *sheetRows, err error) {
	defer guard(&err)
	r = &sheetRows{}
	if p, err := book.GetWorkbookProps(); err == nil && p.Date1904 != nil {
		r.base1904 = *p.Date1904
	}
	if r.stored, err = book.Rows(name); err != nil {
		return nil, ErrSheet
	}
	if r.shown, err = book.Rows(name); err != nil {
		return nil, ErrSheet
	}
	return r, nil
}

// sheetCell is one cell: its text, or a clock.
type sheetCell struct {
	text  string
	clock time.Time // not zero for a date
}

// next reads the next row into cells; more is false behind the last.
func (r *sheetRows) next(cells []sheetCell) (row []sheetCell, more bool, err error) {
	defer guard(&err)
	if !r.stored.Next() || !r.shown.Next() {
		if r.stored.Error() != nil {
			return nil, false, ErrSheet
		}
		return nil, false, nil
	}
	stored, err := r.stored.Columns(excelize.Options{RawCellValue: true})
	if err != nil {
		return nil, false, ErrSheet
	}
	shown, err := r.shown.Columns()
	if err != nil {
		return nil, false, ErrSheet
	}
	row = cells[:0]
	for i, s := range stored[:min(len(stored), MaxColumns)] {
		as := ""
		if i < len(shown) {
			as = shown[i]
		}
		row = append(row, cellOf(s, as, r.base1904))
	}
	return row, true, nil
}

// The serial numbers of 1970 and 2100. Earlier and later ones are numbers that
// somebody formatted.
const firstSerial, lastSerial = 25569, 73050

// cellOf reads a cell from its stored and its shown form.
func cellOf(stored, shown string, base1904 bool) sheetCell {
	c := sheetCell{text: stored}
	if shown == stored {
		return c
	}
	if shown == "TRUE" || shown == "FALSE" {
		c.text = shown
		return c
	}
	serial, err := strconv.ParseFloat(stored, 64)
	from := 0.0
	if base1904 {
		from = 1462
	}
	if err != nil || serial+from < firstSerial || serial+from > lastSerial || !shownDate(shown) {
		return c
	}
	t, err := excelize.ExcelDateToTime(serial, base1904)
	if err != nil {
		return c
	}
	c.clock = t.Round(time.Millisecond)
	c.text = c.clock.Format("2006-01-02T15:04:05.999Z")
	return c
}

// shownDate reports that a number is shown as a date.
func shownDate(s string) bool {
	for _, sep := range []string{"/", "-", "."} {
		if strings.Count(s, sep) >= 2 {
			return true
		}
	}
	if strings.Contains(s, ":") {
		return true
	}
	letters := 0
	for _, r := range s {
		if r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r > 0x7f {
			letters++
		}
	}
	return letters >= 2 && !strings.Contains(s, "E+") && strings.ContainsAny(s, "0123456789")
}

// swappedColumns finds the columns in which Excel took day and month for each
// other when it opened a CSV: it turned the dates it could read into numbers
// and left the others, with a day past twelve, as text. The numbers of such a
// column are written back as the text they were, so that the whole column is
// read in one order.
func swappedColumns(book *excelize.File, name string) (layouts []string, err error) {
	type column struct {
		dates   lenient.Dates
		serials int
		late    bool // a number that is no such mistake
	}
	var columns []column
	rows, err := openSheet(book, name)
	if err != nil {
		return nil, err
	}
	for row, more := []sheetCell(nil), true; more; {
		if row, more, err = rows.next(row); err != nil {
			return nil, err
		}
		for i, c := range row {
			for len(columns) <= i {
				columns = append(columns, column{})
			}
			switch col := &columns[i]; {
			case c.clock.IsZero():
				col.dates.Learn(c.text)
			default:
				col.serials++
				col.late = col.late || c.clock.Day() > 12
			}
		}
	}
	layouts = make([]string, len(columns))
	for i := range columns {
		if c := &columns[i]; c.serials > 0 && !c.late {
			switch c.dates.Order() {
			case lenient.DayFirst: // Excel reads the month first
				layouts[i] = "01/02/2006 15:04:05"
			case lenient.MonthFirst:
				layouts[i] = "02/01/2006 15:04:05"
			}
		}
	}
	return layouts, nil
}
