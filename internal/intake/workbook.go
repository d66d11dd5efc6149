package intake

import (
	"archive/zip"
	"errors"
	"io"

	"partnerguard/internal/intake/text"
)

// maxTitleRows bounds the rows above a header.
const maxTitleRows = 50

const saveAsCSV = ": save each sheet as CSV (UTF-8)"

// workbook reads each sheet of an Excel workbook as a table like a CSV: the
// first row with two cells or more names the columns.
func (f *file) workbook(zr *zip.Reader, at io.ReaderAt, n int64) error {
	f.in.Format = "xlsx"
	book, err := text.OpenWorkbook(f.ctx, zr, at, n)
	if stop := f.ctx.Err(); stop != nil {
		return stop
	}
	if err != nil {
		f.fault(f.at(place{}), 0, "an Excel workbook "+err.Error()+saveAsCSV)
		return nil
	}
	defer book.Close()
	names := book.Names()
	if len(names) == 0 {
		f.fault(f.at(place{}), 0, "an Excel workbook in which no sheet can be found"+saveAsCSV)
		return nil
	}
	used := 0
	for _, name := range names {
		some, err := f.sheet(book, name)
		switch {
		case errors.Is(err, text.ErrSheet):
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

// sheet reads one sheet; some is false when there is nothing in it.
func (f *file) sheet(book *text.Workbook, name string) (some bool, err error) {
	rows, err := book.Sheet(name)
	if err != nil {
		return false, err
	}
	var t *csvTable
	for {
		if err := f.ctx.Err(); err != nil {
			return some, err
		}
		var cells [][]byte
		var more bool
		if cells, more, err = rows.Next(); err != nil || !more {
			break
		}
		filled := 0
		for _, c := range cells {
			if len(c) > 0 {
				filled++
			}
		}
		switch {
		case filled == 0, t == nil && filled == 1 && rows.N <= maxTitleRows: // nothing, or a title
			continue
		case t == nil:
			t, some = f.newTable(cells), true
			continue
		}
		if err := t.add(cells, place{line: rows.N, part: name}, len(cells) > t.header.width); err != nil {
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
