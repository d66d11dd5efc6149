package intake

import (
	"slices"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/signin/read"
)

// rowsAhead gathers the rows of a table of sign-ins for the sink.
type rowsAhead struct {
	table *read.Table
	own   []int // the columns that have a name of their own, which a row's cells are
	b     *batch
	back  [][]byte // a row's cells at the places of the header
}

// readAhead has the rows of a table read ahead if its columns are those of sign-ins
// and of nothing else.
func (t *csvTable) readAhead() {
	f := t.f
	if f.ahead == nil || len(t.header.names) == 0 {
		return
	}
	row, _ := t.header.row(nil, nil)
	o, k := &f.facts, theTable
	o.read(k, row)
	known := &o.known
	if known.has(k.keys["isztmodelrow"]) || known.has(k.keys["@removed"]) || known.has(k.odataType) || known.has(k.context) || known.touches(&k.notSignIn) ||
		!(known.touches(&k.who) && known.touches(&k.when) && known.touches(&k.outcome) && known.touches(&k.with)) || o.names != o.texts {
		return
	}
	a := &rowsAhead{}
	var names []string
	for i, n := range t.header.names {
		if !t.header.later[i] {
			a.own = append(a.own, i)
			names = append(names, text.Unquote(n))
		}
	}
	if a.table = read.NewTable(names); a.table == nil || o.names != len(names) {
		return
	}
	t.ahead, f.rows = a, t
}

// gather adds one row to those that are handed on next.
func (t *csvTable) gather(cells [][]byte, at place) error {
	a := t.ahead
	if a.b == nil {
		a.b = t.f.ahead.get()
		a.b.cells, a.b.ends, a.b.at = a.b.cells[:0], a.b.ends[:0], a.b.at[:0]
	}
	b := a.b
	for _, i := range a.own {
		b.cells = append(b.cells, t.header.cell(cells, i)...)
		b.ends = append(b.ends, uint32(len(b.cells)))
	}
	if b.at = append(b.at, at.line); len(b.cells) < text.MaxStretch-16<<10 {
		return nil
	}
	return t.flush()
}

// flush hands on what was gathered.
func (t *csvTable) flush() error {
	f, a := t.f, t.ahead
	b := a.b
	if b == nil {
		return nil
	}
	a.b = nil
	b.Text, b.Cuts, b.Table, b.Ends, b.At, b.Source = b.cells, nil, a.table, b.ends, b.at, evidence.Source{Path: f.in.Path}
	f.ahead.sink.Begin(&b.Batch)
	return f.ahead.push(step{f: f, b: b, table: t})
}

// left reads the rows of a batch that only the slow way can tell.
func (t *csvTable) left(b *batch) error {
	before := -1
	for _, i := range b.Left {
		if i > before+1 {
			t.f.before, _ = t.header.row(t.f.before[:0], t.cells(b, i-1))
		}
		before = i
		if err := t.one(t.cells(b, i), place{line: b.at[i]}); err != nil {
			return err
		}
	}
	if last := len(b.at) - 1; before < last {
		t.f.before, _ = t.header.row(t.f.before[:0], t.cells(b, last))
	}
	return nil
}

// cells are those of row i, at the places of the header.
func (t *csvTable) cells(b *batch, i int) [][]byte {
	a := t.ahead
	a.back = slices.Grow(a.back[:0], t.header.width)[:t.header.width]
	clear(a.back)
	wide := len(a.own)
	from := uint32(0)
	if i > 0 {
		from = b.ends[i*wide-1]
	}
	for j, column := range a.own {
		to := b.ends[i*wide+j]
		a.back[column] = b.cells[from:to]
		from = to
	}
	return a.back
}

// cell is what a row says in the column: the first that says something of those with
// the same name.
func (h *header) cell(cells [][]byte, i int) []byte {
	cell := cellAt(cells, i)
	for j := h.next[i]; j >= 0 && !telling(cell); j = h.next[j] {
		if c := cellAt(cells, j); telling(c) {
			cell = c
		}
	}
	return cell
}
