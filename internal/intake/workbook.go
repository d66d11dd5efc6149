package intake

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
	maxTitleRows   = 50 // rows above a header
)

const saveAsCSV = ": save each sheet as CSV (UTF-8)"

// workbook reads each sheet of an Excel workbook as a table like a CSV: the
// first row with two cells or more names the columns. Dates are stored as
// numbers and handed on as clocks.
func (f *file) workbook(zr *zip.Reader, at io.ReaderAt, n int64) error {
	f.in.Format = "xlsx"
	unread := func(why string) error {
		f.fault(f.at(place{}), 0, "an Excel workbook "+why+saveAsCSV)
		return nil
	}
	if n > maxWorkbook {
		return unread("larger than " + size(maxWorkbook))
	}
	switch err := survey(f.ctx, zr); {
	case f.ctx.Err() != nil:
		return f.ctx.Err()
	case errors.Is(err, errBomb):
		return unread("that unpacks to more than is read")
	case err != nil:
		return unread("with a part that is damaged or encrypted")
	}
	book, err := openBook(io.NewSectionReader(at, 0, n))
	if err != nil {
		return unread("that cannot be opened")
	}
	defer func() { _ = book.Close() }() // in memory, nothing to write
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return unread("in which no sheet can be found")
	}
	used := 0
	for _, name := range sheets {
		some, err := f.sheet(book, name)
		switch {
		case errors.Is(err, errSheet):
			f.fault(f.at(place{part: name}), 0, "a sheet that cannot be read"+saveAsCSV)
		case err != nil:
			return err
		}
		if some || err != nil {
			used++
		}
	}
	if used == 0 {
		f.emptyFile("the workbook has no table in it")
	}
	return nil
}

// errSheet says that the library could not read a sheet.
var errSheet = errors.New("unreadable sheet")

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
			if depth++; depth > maxDepth {
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
		*err = errSheet
	}
}

func openBook(r io.Reader) (book *excelize.File, err error) {
	defer guard(&err)
	return excelize.OpenReader(r, excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked})
}

// sheetRows walks a sheet twice at once: for the values as they are stored and
// as they are shown, which together tell a date from a number.
type sheetRows struct {
	stored, shown *excelize.Rows
	base1904      bool
	n             int
}

func openSheet(book *excelize.File, name string) (r *sheetRows, err error) {
	defer guard(&err)
	r = &sheetRows{}
	if p, err := book.GetWorkbookProps(); err == nil && p.Date1904 != nil {
		r.base1904 = *p.Date1904
	}
	if r.stored, err = book.Rows(name); err != nil {
		return nil, errSheet
	}
	if r.shown, err = book.Rows(name); err != nil {
		return nil, errSheet
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
			return nil, false, errSheet
		}
		return nil, false, nil
	}
	r.n++
	stored, err := r.stored.Columns(excelize.Options{RawCellValue: true})
	if err != nil {
		return nil, false, errSheet
	}
	shown, err := r.shown.Columns()
	if err != nil {
		return nil, false, errSheet
	}
	row = cells[:0]
	for i, s := range stored[:min(len(stored), maxColumns)] {
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

// sheet reads one sheet; some is false when there is nothing in it.
func (f *file) sheet(book *excelize.File, name string) (some bool, err error) {
	swapped, err := swappedColumns(book, name)
	if err != nil {
		return false, err
	}
	rows, err := openSheet(book, name)
	if err != nil {
		return false, err
	}
	var t *csvTable
	var row []sheetCell
	cells := make([][]byte, 0, 64)
	for {
		if err := f.ctx.Err(); err != nil {
			return some, err
		}
		var more bool
		if row, more, err = rows.next(row); err != nil || !more {
			break
		}
		filled := 0
		cells = cells[:0]
		for i, c := range row {
			if c.text != "" {
				filled++
			}
			if i < len(swapped) && swapped[i] != "" && !c.clock.IsZero() {
				c.text = c.clock.Format(swapped[i])
			}
			cells = append(cells, []byte(c.text))
		}
		switch {
		case filled == 0, t == nil && filled == 1 && rows.n <= maxTitleRows: // nothing, or a title
			continue
		case t == nil:
			t, some = f.newTable(cells), true
			continue
		}
		if err := t.add(cells, place{line: rows.n, part: name}, len(cells) > t.header.width); err != nil {
			return some, err
		}
	}
	if t != nil {
		if told := t.end(err == nil); err == nil {
			err = told
		}
	}
	return some, err
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
