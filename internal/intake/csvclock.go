package intake

import (
	"bytes"
	"time"

	"partnerguard/internal/lenient"
)

// tableClocks reads the clocks of one table with knowledge of all its rows: a
// day over 12 in any row decides the order of day and month for every row. Rows
// whose clocks can be read both ways wait until one decides, or the table ends,
// or too much waits.
type tableClocks struct {
	dates   lenient.Dates
	columns []clockColumn
	waiting []waitingRow
	bytes   int
	given   bool   // up: too much waited
	written []byte // the clocks rewritten of one row
	doubt   int    // rows given on although their clocks can be read both ways
	first   int    // line of the first of them
}

// clockColumn says what a column's cells were so far.
type clockColumn uint8

const (
	newColumn   clockColumn = iota // nothing but empty cells
	localColumn                    // local clocks
	otherColumn                    // something else, or clocks that leave nothing to decide
)

type waitingRow struct {
	cells [][]byte
	at    place
}

// maxWaiting bounds the rows that wait, in bytes.
const maxWaiting = 16 << 20

// row takes the cells of one row and gives the rows that can be read now to
// give, the clocks among their cells rewritten as ISO 8601. The cells are
// copied if they have to wait.
func (t *tableClocks) row(cells [][]byte, at place, give func([][]byte, place) error) error {
	if !t.look(cells) && len(t.waiting) == 0 {
		return give(cells, at)
	}
	if t.given || t.dates.Order() != lenient.Undecided || len(t.waiting) == 0 && !t.doubtful(cells) {
		if err := t.flush(give); err != nil {
			return err
		}
		t.rewrite(cells, at)
		return give(cells, at)
	}
	kept := make([][]byte, len(cells))
	for i, c := range cells {
		kept[i] = bytes.Clone(c)
		t.bytes += len(c) + 32
	}
	t.waiting = append(t.waiting, waitingRow{kept, at})
	if t.bytes > maxWaiting {
		t.given = true
		return t.flush(give)
	}
	return nil
}

// flush gives all rows that wait.
func (t *tableClocks) flush(give func([][]byte, place) error) error {
	for _, w := range t.waiting {
		t.rewrite(w.cells, w.at)
		if err := give(w.cells, w.at); err != nil {
			return err
		}
	}
	t.waiting, t.bytes = nil, 0
	return nil
}

// look learns from the cells of one row and reports that it has local clocks.
func (t *tableClocks) look(cells [][]byte) bool {
	some := false
	for i, c := range cells {
		if i == len(t.columns) {
			t.columns = append(t.columns, newColumn)
		}
		if len(c) == 0 || t.columns[i] == otherColumn {
			continue
		}
		if !localClock(c) {
			t.columns[i] = otherColumn
			continue
		}
		t.columns[i] = localColumn
		t.learn(c)
		some = true
	}
	return some
}

// localClock reports a clock in a form of people, not of machines (ISO 8601).
func localClock(c []byte) bool {
	if len(c) < 6 || len(c) > 96 || c[0] < '0' && c[0] != ' ' || len(c) > 9 && c[4] == '-' && c[7] == '-' {
		return false
	}
	if _, ok := scanSlashed(c); ok {
		return true
	}
	var d lenient.Dates
	t, _ := d.Parse(string(c))
	return !t.IsZero()
}

// learn takes note of a clock that decides the order, unless it is known.
func (t *tableClocks) learn(c []byte) {
	if s, ok := scanSlashed(c); ok {
		switch order := t.dates.Order(); {
		case s.a <= 12 && s.b <= 12, s.a > 12 && order == lenient.DayFirst, s.b > 12 && order == lenient.MonthFirst, order == lenient.Contrary:
			return // it teaches nothing
		}
	}
	t.dates.Learn(string(c))
}

// zoned reports a local clock that names its zone.
func zoned(c []byte) bool {
	low := bytes.ToLower(c)
	if bytes.ContainsRune(low, '+') || bytes.Contains(low, []byte("utc")) || bytes.Contains(low, []byte("gmt")) || bytes.HasSuffix(low, []byte("z")) {
		return true
	}
	i := bytes.IndexByte(low, ':')
	return i >= 0 && bytes.IndexByte(low[i:], '-') > 0
}

// doubtful reports a row with a clock that can be read both ways.
func (t *tableClocks) doubtful(cells [][]byte) bool {
	for i, c := range cells {
		if i < len(t.columns) && t.columns[i] == localColumn && len(c) > 0 {
			if _, ambiguous := t.dates.Parse(string(c)); ambiguous {
				return true
			}
		}
	}
	return false
}

// rewrite writes the clocks of a row as ISO 8601. One that can be read both
// ways stays as it is written.
func (t *tableClocks) rewrite(cells [][]byte, at place) {
	doubt := false
	t.written = t.written[:0]
	for i, c := range cells {
		if i >= len(t.columns) || t.columns[i] != localColumn || len(c) == 0 {
			continue
		}
		if s, ok := scanSlashed(c); ok {
			iso, ambiguous := s.appendISO(t.written, t.dates.Order())
			if doubt = doubt || ambiguous; !ambiguous {
				cells[i] = iso[len(t.written):]
				t.written = iso
			}
			continue
		}
		clock, ambiguous := t.dates.Parse(string(c))
		switch {
		case ambiguous:
			doubt = true
		case !clock.IsZero():
			layout := "2006-01-02T15:04:05.999999999" // a clock without a zone stays without one
			if zoned(c) {
				layout = time.RFC3339Nano
			}
			cells[i] = clock.AppendFormat(nil, layout)
		}
	}
	if doubt {
		if t.doubt++; t.doubt == 1 {
			t.first = at.line
		}
	}
}
