package text

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// MaxColumns is the widest header read. Wider ones are pivoted tables, not
// exports, and would cost memory for every row.
const MaxColumns = 2000

// What is wrong with a row.
var (
	ErrTooWide    = fmt.Errorf("the header has more than %d columns", MaxColumns)
	ErrOpenQuote  = errors.New("the text ends inside a quoted cell")
	ErrRowTooLong = errors.New("larger than the limit for one record")
)

// CSV reads rows as encoding/csv does where that accepts the text, and
// goes on where it would not: a stray quote is kept as it stands. One row is
// bounded.
type CSV struct {
	r     *bufio.Reader
	comma byte
	limit int // most bytes of one row

	Line  int    // lines begun so far
	Row   int    // line the current row starts on
	buf   []byte // the cells of the current row, end to end
	ends  []int  // where each cell ends in buf
	cells [][]byte
	raw   []byte // the current physical line
	own   []byte // its memory where it is longer than the reader's buffer
}

// NewCSV reads rows whose cells comma separates, each of no more than limit bytes.
func NewCSV(r *bufio.Reader, comma byte, limit int) *CSV {
	return &CSV{r: r, comma: comma, limit: limit}
}

// readLine reads up to and including a newline into c.raw. A line longer than
// room is read to its end but not kept; tooLong reports that, and odd that such a
// line holds an odd number of quotes. c.raw is valid until the next read.
func (c *CSV) readLine(room int) (tooLong, odd bool, err error) {
	part, err := c.r.ReadSlice('\n')
	if err == nil && len(part) <= room { // the whole line, as nearly always
		c.Line++
		c.raw = part
		return false, false, nil
	}
	c.raw = c.own[:0]
	defer func() { c.own = c.raw }()
	some := false
	for {
		some = some || len(part) > 0
		odd = odd != (bytes.Count(part, quote)%2 == 1)
		if len(c.raw)+len(part) > room {
			tooLong = true
			c.raw = c.raw[:0]
		} else if !tooLong {
			c.raw = append(c.raw, part...)
		}
		if err == bufio.ErrBufferFull {
			part, err = c.r.ReadSlice('\n')
			continue
		}
		if some && err == io.EOF {
			err = nil
		}
		if err == nil {
			c.Line++
		}
		return tooLong, odd, err
	}
}

var quote = []byte{'"'}

// skipRow passes what is left of a row that is too long: nothing, or, inside a
// quoted cell, the lines up to its end.
func (c *CSV) skipRow(quoted bool) error {
	for quoted {
		_, odd, err := c.readLine(0)
		switch {
		case err == io.EOF:
			return ErrOpenQuote
		case err != nil:
			return err
		}
		quoted = quoted != odd
	}
	return ErrRowTooLong
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

// Next returns the cells of the next row that is not empty, valid until the
// next call. ErrRowTooLong, ErrTooWide and ErrOpenQuote leave nothing of the
// row; after the first two reading may go on.
func (c *CSV) Next(columns int) ([][]byte, error) {
	var body []byte
	var ended bool
	for {
		tooLong, odd, err := c.readLine(c.limit)
		if err != nil {
			return nil, err
		}
		c.Row = c.Line
		if tooLong {
			return nil, c.skipRow(odd)
		}
		if body, ended = trimEnd(c.raw); len(body) > 0 {
			break
		}
	}
	c.buf, c.ends = slices.Grow(c.buf[:0], len(body)+8), c.ends[:0]
	i, wide := 0, false
	for { // one cell each
		if i < len(body) && body[i] == '"' {
			i++
			for {
				q := c.upTo('"', body[i:])
				if q < 0 { // the cell goes on behind the line's end
					if !ended {
						return nil, ErrOpenQuote
					}
					c.buf = append(c.buf, '\n')
					tooLong, odd, err := c.readLine(c.limit - len(c.buf))
					if err == io.EOF {
						return nil, ErrOpenQuote
					}
					if err != nil {
						return nil, err
					}
					if tooLong {
						return nil, c.skipRow(!odd)
					}
					body, ended = trimEnd(c.raw)
					c.buf = slices.Grow(c.buf, len(body)+8)
					i = 0
					continue
				}
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
			q := c.upTo(c.comma, body[i:])
			if q < 0 {
				q = len(body) - i
			}
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
		return nil, ErrTooWide
	}
	return c.cut(), nil
}

// upTo puts what stands in front of the next stop into the cells, all of b where there
// is none, and returns its place or -1. The cells have room for b and eight bytes more.
func (c *CSV) upTo(stop byte, b []byte) int {
	n := len(c.buf)
	to := c.buf[n : n+len(b)+8]
	pattern := ones * uint64(stop)
	i := 0
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		binary.LittleEndian.PutUint64(to[i:], w)
		x := w ^ pattern
		if hit := (x - ones) &^ x & highs; hit != 0 { // the lowest bit is a true one
			i += bits.TrailingZeros64(hit) / 8
			c.buf = c.buf[:n+i]
			return i
		}
		if i += 8; i == 64 { // a long cell
			q := bytes.IndexByte(b[i:], stop)
			end := i + q
			if q < 0 {
				end = len(b)
			}
			c.buf = append(c.buf[:n+i], b[i:end]...)
			if q < 0 {
				return -1
			}
			return end
		}
	}
	for ; i < len(b); i++ {
		if b[i] == stop {
			c.buf = c.buf[:n+i]
			return i
		}
		to[i] = b[i]
	}
	c.buf = c.buf[:n+len(b)]
	return -1
}

// cut gives the cells that stand end to end in buf.
func (c *CSV) cut() [][]byte {
	c.cells = c.cells[:0]
	from := 0
	for _, to := range c.ends {
		c.cells = append(c.cells, c.buf[from:to])
		from = to
	}
	return c.cells
}

// Delimiter guesses what separates the cells of the first row: the candidate
// that occurs most often outside quotes. Zero means none does.
func Delimiter(head []byte) byte {
	var n [256]int
	quoted := false
	for _, c := range head {
		if quoted = quoted != (c == '"'); !quoted {
			if c == '\n' {
				break
			}
			n[c]++
		}
	}
	switch comma, semicolon, tab := n[','], n[';'], n['\t']; {
	case comma == 0 && semicolon == 0 && tab == 0:
		return 0
	case tab >= comma && tab >= semicolon:
		return '\t'
	case semicolon > comma:
		return ';'
	}
	return ','
}
