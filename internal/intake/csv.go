package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// maxColumns is the widest header read. Wider ones are pivoted tables, not
// exports, and would cost memory for every row.
const maxColumns = 2000

var (
	errTooWide    = fmt.Errorf("the header has more than %d columns", maxColumns)
	errOpenQuote  = errors.New("the text ends inside a quoted cell")
	errRowTooLong = errors.New("larger than the limit for one record")
)

// csvReader reads rows as encoding/csv does where that accepts the text, and
// goes on where it would not: a stray quote is kept as it stands. One row is
// bounded.
type csvReader struct {
	r     *bufio.Reader
	comma byte
	limit int // most bytes of one row

	line  int    // lines begun so far
	row   int    // line the current row starts on
	buf   []byte // the cells of the current row, end to end
	ends  []int  // where each cell ends in buf
	cells [][]byte
	raw   []byte // the current physical line
}

func newCSVReader(r *bufio.Reader, comma byte, limit int) *csvReader {
	return &csvReader{r: r, comma: comma, limit: limit}
}

// readLine reads up to and including a newline into c.raw. A line longer than
// room is read to its end but not kept; tooLong reports that, and odd that the
// line holds an odd number of quotes.
func (c *csvReader) readLine(room int) (tooLong, odd bool, err error) {
	c.raw = c.raw[:0]
	some := false
	for {
		part, err := c.r.ReadSlice('\n')
		some = some || len(part) > 0
		odd = odd != (bytes.Count(part, quote)%2 == 1)
		if len(c.raw)+len(part) > room {
			tooLong = true
			c.raw = c.raw[:0]
		} else if !tooLong {
			c.raw = append(c.raw, part...)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if some && err == io.EOF {
			err = nil
		}
		if err == nil {
			c.line++
		}
		return tooLong, odd, err
	}
}

var quote = []byte{'"'}

// skipRow passes what is left of a row that is too long: nothing, or, inside a
// quoted cell, the lines up to its end.
func (c *csvReader) skipRow(quoted bool) error {
	for quoted {
		_, odd, err := c.readLine(0)
		switch {
		case err == io.EOF:
			return errOpenQuote
		case err != nil:
			return err
		}
		quoted = quoted != odd
	}
	return errRowTooLong
}

// trimEnd cuts a line end as encoding/csv does: \r\n counts as \n, and a \r
// before the end of the text is dropped too.
func trimEnd(line []byte) (body []byte, ended bool) {
	n := len(line)
	if n > 0 && line[n-1] == '\n' {
		n--
		if n > 0 && line[n-1] == '\r' {
			n--
		}
		return line[:n], true
	}
	if n > 0 && line[n-1] == '\r' {
		n--
	}
	return line[:n], false
}

// next returns the cells of the next row that is not empty, valid until the
// next call. errRowTooLong, errTooWide and errOpenQuote leave nothing of the
// row; after the first two reading may go on.
func (c *csvReader) next(columns int) ([][]byte, error) {
	var body []byte
	var ended bool
	for {
		tooLong, odd, err := c.readLine(c.limit)
		if err != nil {
			return nil, err
		}
		c.row = c.line
		if tooLong {
			return nil, c.skipRow(odd)
		}
		if body, ended = trimEnd(c.raw); len(body) > 0 {
			break
		}
	}
	c.buf, c.ends = c.buf[:0], c.ends[:0]
	i, wide := 0, false
	for { // one cell each
		if i < len(body) && body[i] == '"' {
			i++
			for {
				q := bytes.IndexByte(body[i:], '"')
				if q < 0 { // the cell goes on behind the line's end
					c.buf = append(c.buf, body[i:]...)
					if !ended {
						return nil, errOpenQuote
					}
					c.buf = append(c.buf, '\n')
					tooLong, odd, err := c.readLine(c.limit - len(c.buf))
					if err == io.EOF {
						return nil, errOpenQuote
					}
					if err != nil {
						return nil, err
					}
					if tooLong {
						return nil, c.skipRow(!odd)
					}
					body, ended = trimEnd(c.raw)
					i = 0
					continue
				}
				c.buf = append(c.buf, body[i:i+q]...)
				i += q + 1
				if i == len(body) || body[i] == c.comma {
					break
				}
				c.buf = append(c.buf, '"') // a doubled quote, or a stray one
				if body[i] == '"' {
					i++
				}
			}
		} else {
			q := bytes.IndexByte(body[i:], c.comma)
			if q < 0 {
				q = len(body) - i
			}
			c.buf = append(c.buf, body[i:i+q]...)
			i += q
		}
		if len(c.ends) < columns {
			c.ends = append(c.ends, len(c.buf))
		} else { // too many to keep; the rest of the row only has to be passed
			wide = true
			c.buf = c.buf[:c.ends[columns-1]]
		}
		if i >= len(body) {
			break
		}
		i++ // the comma
	}
	if wide {
		return nil, errTooWide
	}
	c.cells = c.cells[:0]
	from := 0
	for _, to := range c.ends {
		c.cells = append(c.cells, c.buf[from:to])
		from = to
	}
	return c.cells, nil
}

// delimiter guesses what separates the cells of the first row: the candidate
// that occurs most often outside quotes. Zero means none does.
func delimiter(head []byte) byte {
	var comma, semicolon, tab int
	quoted := false
scan:
	for _, c := range head {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n':
			break scan
		case c == ',':
			comma++
		case c == ';':
			semicolon++
		case c == '\t':
			tab++
		}
	}
	switch {
	case comma == 0 && semicolon == 0 && tab == 0:
		return 0
	case tab >= comma && tab >= semicolon:
		return '\t'
	case semicolon > comma:
		return ';'
	}
	return ','
}

const hexDigits = "0123456789abcdef"

// appendJSONString quotes s. Invalid UTF-8 becomes U+FFFD.
func appendJSONString(dst, s []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if plain[c] {
				i++
				continue
			}
			dst = append(dst, s[from:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[from:i]...)
			dst = append(dst, "\uFFFD"...)
			i++
			from = i
			continue
		}
		i += n
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// quoteString is appendJSONString for a name.
func quoteString(s string) []byte { return appendJSONString(nil, []byte(s)) }

// csv reads delimited text whose first row names the columns.
func (f *file) csv(br *bufio.Reader, head []byte) error {
	lines := 0
	comma := byte(0)
	for { // preambles of Export-Csv ("#TYPE …") and Excel ("sep=;")
		line, _, _ := bytes.Cut(head, newline)
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
		head, _ = br.Peek(sniffLen)
	}
	if comma == 0 {
		comma = delimiter(head)
	}
	if comma == 0 || binaryLooking(head) {
		f.foreign("text that is neither JSON nor CSV with a header row")
		return nil
	}
	c := newCSVReader(br, comma, f.o.MaxRecord)
	c.line = lines
	header, err := c.next(maxColumns)
	switch err {
	case nil:
	case errTooWide, errRowTooLong, errOpenQuote:
		if err == errOpenQuote {
			f.foreign("text that is neither JSON nor CSV: a quote in its first row is never closed")
			return nil
		}
		f.in.Format = "csv"
		f.fault(f.at(place{line: c.row}), 0, "expected a header row of column names: "+err.Error())
		return nil
	default:
		return err
	}
	f.in.Format = "csv"
	return f.newTable(header).read(c)
}

// csvTable is the reading of one table behind its header.
type csvTable struct {
	f      *file
	header header
	row    []byte
	clocks tableClocks

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
		if signin.LocalZone(string(cell)) {
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
func (t *csvTable) read(c *csvReader) error {
	end := t.readRows(c)
	if stop := (sinkError{}); errors.As(end, &stop) {
		return end
	}
	err := t.end(end == io.EOF)
	if err == nil && end != io.EOF && end != errOpenQuote {
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
		f.fault(f.at(place{line: t.firstRagged}), 0, fmt.Sprintf("%s more or fewer cells than the header has names (%d); this is the first", rowsHave(t.ragged), t.header.width))
	}
	if t.badText > 0 && whole {
		f.fault(f.at(place{line: t.firstBad}), 0, fmt.Sprintf("%s bytes that are not UTF-8, read as U+FFFD; this is the first (save the file as UTF-8)", rowsHave(t.badText)))
	}
	return f.headerOnly(t.rows, &t.header)
}

// readRows reads rows until something ends them, and returns that: io.EOF,
// errOpenQuote, an error of the stream, the sink or the context.
func (t *csvTable) readRows(c *csvReader) error {
	f, width := t.f, t.header.width
	for {
		cells, err := c.next(maxColumns * 2)
		switch err {
		case nil:
		case errRowTooLong:
			f.fault(f.at(place{line: c.row}), 0, fmt.Sprintf("this row is larger than %s and was skipped", size(f.o.MaxRecord)))
			continue
		case errTooWide:
			f.fault(f.at(place{line: c.row}), 0, fmt.Sprintf("expected %d cells, found more than %d; the row was skipped", width, maxColumns*2))
			continue
		case errOpenQuote:
			f.fault(f.at(place{line: c.row}), 0, "a quoted cell that opens in this row is never closed; nothing behind it was read")
			return err
		default:
			return err
		}
		extra := len(cells) < width
		for _, cell := range cells[min(width, len(cells)):] {
			extra = extra || len(cell) > 0
		}
		if err := t.add(cells, place{line: c.row}, extra); err != nil {
			return err
		}
	}
}

// give hands one row on as an object.
func (t *csvTable) give(cells [][]byte, at place) error {
	var bad bool
	t.row, bad = t.header.row(t.row[:0], cells)
	if len(t.row) > t.f.o.MaxRecord+len(t.header.names)*8 && at.part != "" { // a CSV's rows were measured before
		t.f.fault(t.f.at(at), 0, fmt.Sprintf("this row is larger than %s and was skipped", size(t.f.o.MaxRecord)))
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
