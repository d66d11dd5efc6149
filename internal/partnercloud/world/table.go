package world

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"
)

// Row is what a Table keeps: something with an id.
type Row interface{ Key() string }

// Table keeps rows by id, without case, in the order they came. The zero value
// is an empty table. Rows are immutable once put. Not safe for concurrent use:
// the state's lock guards it.
type Table[T any, P interface {
	*T
	Row
}] struct {
	rows  map[string]P
	order []string
}

// Get finds a row, or nil.
func (t *Table[T, P]) Get(id string) P { return t.rows[strings.ToLower(id)] }

// Put adds a row, or replaces the one of the same id in its place.
func (t *Table[T, P]) Put(row P) {
	k := strings.ToLower(row.Key())
	if t.rows == nil {
		t.rows = make(map[string]P)
	}
	if _, ok := t.rows[k]; !ok {
		t.order = append(t.order, k)
	}
	t.rows[k] = row
}

// Change replaces a row by a changed copy and reports whether there was one.
// Slices and maps inside must be replaced too, never written into.
func (t *Table[T, P]) Change(id string, f func(P)) bool {
	old := t.Get(id)
	if old == nil {
		return false
	}
	c := *old
	f(&c)
	t.rows[strings.ToLower(id)] = &c
	return true
}

// Delete removes a row and reports whether there was one.
func (t *Table[T, P]) Delete(id string) bool {
	k := strings.ToLower(id)
	if _, ok := t.rows[k]; !ok {
		return false
	}
	delete(t.rows, k)
	i := slices.Index(t.order, k)
	t.order = slices.Delete(slices.Clone(t.order), i, i+1)
	return true
}

// Len is the number of rows.
func (t *Table[T, P]) Len() int { return len(t.order) }

// All yields the rows in order. The table must not change meanwhile.
func (t *Table[T, P]) All() iter.Seq[P] {
	return func(yield func(P) bool) {
		for _, k := range t.order {
			if !yield(t.rows[k]) {
				return
			}
		}
	}
}

// List copies the rows in order.
func (t *Table[T, P]) List() []P {
	out := make([]P, 0, len(t.order))
	for _, k := range t.order {
		out = append(out, t.rows[k])
	}
	return out
}

// Page copies up to n rows that come after the row named after ("" from the
// start) and reports whether more follow. A row deleted meanwhile starts over.
func (t *Table[T, P]) Page(after string, n int) (rows []P, more bool) {
	start := 0
	if after != "" {
		start = slices.Index(t.order, strings.ToLower(after)) + 1
	}
	end := min(start+n, len(t.order))
	for _, k := range t.order[start:end] {
		rows = append(rows, t.rows[k])
	}
	return rows, end < len(t.order)
}

// MarshalJSON writes the rows as an array.
func (t Table[T, P]) MarshalJSON() ([]byte, error) { return json.Marshal(t.List()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Table[T, P]) UnmarshalJSON(b []byte) error {
	var rows []P
	if err := json.Unmarshal(b, &rows); err != nil {
		return err
	}
	*t = Table[T, P]{}
	for _, r := range rows {
		if r != nil {
			t.Put(r)
		}
	}
	return nil
}
