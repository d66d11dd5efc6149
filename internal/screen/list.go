package screen

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// Column is one column of a list.
type Column[T any] struct {
	Name  string // of the order, and of the CSV's column: lower camel case
	Head  string
	About string // what it says, for the API's document and the head's title
	// Cell is what the page shows. Its words are what the CSV has and what is searched,
	// unless Text says otherwise.
	Cell func(*T) Cell
	Text func(*T) string
	// Order compares two rows; nil goes by the words. A row that has no value comes last
	// in both directions: Blank says which do.
	Order func(a, b *T) int
	Blank func(*T) bool
	Right bool // numbers
	Fixed bool // it has no order
	Plain bool // not searched
	Drop  bool // left out where there is no room
	Only  bool // for the CSV alone: it has no cell
}

// Filter is something that rows are narrowed by, shown as chips with their counts.
type Filter[T any] struct {
	Name, Head string
	Of         func(*T) []string   // the row's values
	Word       func(string) string // a value in words; nil is the value itself
	Enum       []string            // the values there are, in order; empty: those of the rows, most first
	Chips      []string            // the values that have a chip while they are not asked for; empty: all of them
	Quiet      bool                // no chips: links of the page use it
}

// List is how rows of a kind are shown, narrowed, ordered, and handed out. It is made
// once, and safe for concurrent use.
type List[T any] struct {
	Columns []Column[T]
	Filters []Filter[T]
	Key     func(*T) string // stable: of ?row=, of anchors
	Tenant  func(*T) string // whose it is; nil: the viewer's tenants do not matter
	Default string          // the order where none is asked for: "-unasked"
	Search  string          // what the search field says is looked through
	Hay     func(*T) string // what is looked through, in lower case, where it is known beforehand; nil: the columns' words
	Noun    string          // "account": "22 of 214 accounts"
	PerPage int
	// Detail is what an open row shows below itself; nil: rows do not open. Where there is more to
	// say than fits, the page gives View.Aside for Query.Row instead, and Drawer is set.
	Detail func(*T) []Block
	Drawer bool
	Tight  bool // 28 px a row
	Lead   int  // the column that names the row: the first, where nothing else is said
	// Part says in words which part of the list a row is in, such that the order by Default has the
	// rows of a part together; each part has a head then. nil: the list has none.
	Part func(*T) string
}

// Lister is a List of any rows.
type Lister interface {
	filters() []string
	sorts() []string
	perPage() int
	row() reflect.Type
	about() []ColumnAbout
	filterAbout() []FilterAbout
	fake(n int, fill func(i int, row any)) Rows
}

// ColumnAbout tells of a column what the API's document and the page's head say.
type ColumnAbout struct {
	Name, Head, About string
	Right, Sorts      bool
	Down              bool // the first order by it is the descending one
	Drop              bool // left out where there is no room
}

// FilterAbout tells of a filter.
type FilterAbout struct {
	Name, Head string
	Enum       []string
}

func (l *List[T]) filters() (out []string) {
	for i := range l.Filters {
		out = append(out, l.Filters[i].Name)
	}
	return out
}

func (l *List[T]) sorts() (out []string) {
	for i := range l.Columns {
		if !l.Columns[i].Fixed {
			out = append(out, l.Columns[i].Name)
		}
	}
	return out
}

func (l *List[T]) perPage() int { return l.PerPage }

// fake makes n rows of what fill puts into them.
func (l *List[T]) fake(n int, fill func(i int, row any)) Rows {
	rows := make([]T, n)
	for i := range rows {
		fill(i, &rows[i])
	}
	return l.Of(rows)
}

// Fake makes n rows of a list, which fill fills: it is given pointers to rows. It is for
// tests of lists whose rows they do not know.
func Fake(l Lister, n int, fill func(i int, row any)) Rows { return l.fake(n, fill) }

func (l *List[T]) row() reflect.Type { return reflect.TypeFor[T]() }

func (l *List[T]) about() (out []ColumnAbout) {
	for i := range l.Columns {
		c := &l.Columns[i]
		out = append(out, ColumnAbout{c.Name, c.Head, c.About, c.Right, !c.Fixed, c.Right, c.Drop})
	}
	return out
}

func (l *List[T]) filterAbout() (out []FilterAbout) {
	for i := range l.Filters {
		out = append(out, FilterAbout{l.Filters[i].Name, l.Filters[i].Head, l.Filters[i].Enum})
	}
	return out
}

// Rows are the rows of a list, not yet narrowed.
type Rows interface {
	// Select narrows, orders and pages. The rows given are not changed.
	Select(v *Viewer, q Query) *Selection
}

// Of are these rows of the list. They are shared and never changed.
func (l *List[T]) Of(rows []T) Rows { return rowsOf[T]{l, rows} }

type rowsOf[T any] struct {
	list *List[T]
	rows []T
}

// Selection is one page of a list.
type Selection struct {
	Total   int // rows the viewer may see
	Matched int // that the query lets through
	First   int // of the page, from 1; 0: none
	Page    int
	Pages   int
	Chips   []Chips
	Heads   []ColumnAbout
	Lines   []Line
	Query   Query
	Noun    string
	Search  string
	Opens   bool
	Drawer  bool
	Tight   bool
	Lead    int      // the cell that names the row
	Order   string   // what it is ordered by, as Query.Sort says it
	Names   []string // of the columns of an export
	// All gives every row that the query lets through, for the exports: the cells' words and
	// the row itself.
	All func(each func(words func() []string, row any) bool)
	// Items are the page's rows themselves.
	Items []any
}

// Line is one row of the page.
type Line struct {
	Key    string
	Part   string // which part of the list it is in, where the list has parts and their order
	Cells  []Cell
	Open   bool
	Detail []Block
}

// Chips are the values of one filter, with how many rows each would leave.
type Chips struct {
	Name, Head string
	List       []Chip
}

// Chip is one value of a filter.
type Chip struct {
	Value, Word string
	Count       int
	On          bool
}

// maxChips bounds the chips of a filter whose values are the rows' own.
const maxChips = 8

// Select narrows, orders and pages.
func (r rowsOf[T]) Select(v *Viewer, q Query) *Selection {
	l := r.list
	s := &Selection{Query: q, Noun: l.Noun, Search: l.Search, Opens: l.Detail != nil || l.Drawer, Drawer: l.Drawer, Tight: l.Tight, Lead: l.Lead,
		Order: cmp.Or(q.Sort, l.Default)}
	for _, c := range l.about() {
		s.Names = append(s.Names, c.Name)
		if !l.Columns[slices.IndexFunc(l.Columns, func(o Column[T]) bool { return o.Name == c.Name })].Only {
			s.Heads = append(s.Heads, c)
		}
	}
	words := strings.Fields(strings.ToLower(q.Text))
	counts := make([]counter, len(l.Filters))
	asked := make([]bool, len(l.Filters)) // whose counts nobody sees, and that nothing is narrowed by, are not looked at
	for f := range counts {
		counts[f].values, counts[f].n = l.Filters[f].Enum, make([]int, len(l.Filters[f].Enum))
		asked[f] = !l.Filters[f].Quiet || len(q.Filters[l.Filters[f].Name]) > 0
	}
	var hits []*T
	values := make([][]string, len(l.Filters))
	for i := range r.rows {
		row := &r.rows[i]
		if l.Tenant != nil && !v.Sees(l.Tenant(row)) {
			continue
		}
		s.Total++
		if !l.matches(row, words) {
			continue
		}
		misses, missed := 0, -1
		for f := range l.Filters {
			if !asked[f] {
				continue
			}
			values[f] = l.Filters[f].Of(row)
			if want := q.Filters[l.Filters[f].Name]; len(want) > 0 && !slices.ContainsFunc(want, func(w string) bool { return slices.Contains(values[f], w) }) {
				misses, missed = misses+1, f
			}
		}
		// A chip counts what it would leave beside the other filters.
		for f := range l.Filters {
			if asked[f] && (misses == 0 || misses == 1 && missed == f) {
				for _, value := range values[f] {
					counts[f].add(value)
				}
			}
		}
		if misses == 0 {
			hits = append(hits, row)
		}
	}
	s.Matched = len(hits)
	s.Chips = l.chips(counts, q)
	compare := l.comparing(hits, cmp.Or(q.Sort, l.Default))
	l.page(s, hits, compare, q)
	s.All = func(each func(func() []string, any) bool) {
		if compare != nil {
			slices.SortFunc(hits, compare)
		}
		for _, row := range hits {
			if !each(func() []string { return l.words(row) }, row) {
				return
			}
		}
	}
	return s
}

// matches says whether every word is somewhere in the row.
func (l *List[T]) matches(row *T, words []string) bool {
	if len(words) == 0 {
		return true
	}
	all := ""
	if l.Hay != nil {
		all = l.Hay(row)
	} else {
		var b strings.Builder
		for i := range l.Columns {
			if c := &l.Columns[i]; !c.Plain {
				b.WriteString(strings.ToLower(c.text(row)))
				b.WriteByte('\n')
			}
		}
		all = b.String()
	}
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) })
}

func (c *Column[T]) text(row *T) string {
	switch {
	case c.Text != nil:
		return c.Text(row)
	case c.Cell != nil:
		cell := c.Cell(row)
		return cell.String()
	}
	return ""
}

// words are the row's cells for an export.
func (l *List[T]) words(row *T) []string {
	out := make([]string, len(l.Columns))
	for i := range l.Columns {
		out[i] = l.Columns[i].text(row)
	}
	return out
}

// comparing is the order of rows by a column; what is equal stays in the order of its key,
// so that pages are stable. nil: the rows stay as they are.
func (l *List[T]) comparing(hits []*T, by string) func(a, b *T) int {
	name, down := strings.CutPrefix(by, "-")
	i := slices.IndexFunc(l.Columns, func(c Column[T]) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	c := &l.Columns[i]
	compare := c.Order
	if compare == nil {
		// The words are made once a row, not once a comparison.
		words := make(map[*T]string, len(hits))
		for _, row := range hits {
			words[row] = strings.ToLower(c.text(row))
		}
		compare = func(a, b *T) int { return strings.Compare(words[a], words[b]) }
	}
	return func(a, b *T) int { // keys differ: the order is whole
		if c.Blank != nil {
			switch x, y := c.Blank(a), c.Blank(b); {
			case x && y:
				return strings.Compare(l.Key(a), l.Key(b))
			case x:
				return 1
			case y:
				return -1
			}
		}
		n := compare(a, b)
		if n == 0 { // keys are made: not for nothing
			return strings.Compare(l.Key(a), l.Key(b))
		}
		if down {
			return -n
		}
		return n
	}
}

// first gives the first n rows of an order, without putting all of them in order.
func first[T any](hits []*T, n int, compare func(a, b *T) int) []*T {
	if compare == nil {
		return hits[:min(n, len(hits))]
	}
	var last *T // of the first n so far
	some := make([]*T, 0, min(2*n, len(hits)))
	for _, row := range hits {
		if last != nil && compare(row, last) > 0 {
			continue
		}
		if some = append(some, row); len(some) == 2*n {
			slices.SortFunc(some, compare)
			some, last = some[:n], some[n-1]
		}
	}
	slices.SortFunc(some, compare)
	return some[:min(n, len(some))]
}

// page makes the lines of the page that is asked for; a page past the end is the last.
func (l *List[T]) page(s *Selection, hits []*T, compare func(a, b *T) int, q Query) {
	size := q.Size
	if size <= 0 {
		size = Size
	}
	s.Pages = max(1, (len(hits)+size-1)/size)
	s.Page = min(max(q.Page, 1), s.Pages)
	from := (s.Page - 1) * size
	hits = first(hits, from+size, compare)
	for i := from; i < len(hits); i++ {
		row := hits[i]
		line := Line{Key: l.Key(row)}
		if l.Part != nil && (q.Sort == "" || q.Sort == l.Default) {
			line.Part = l.Part(row)
		}
		for c := range l.Columns {
			if !l.Columns[c].Only {
				cell := l.Columns[c].Cell(row)
				cell.right, cell.drop = l.Columns[c].Right, l.Columns[c].Drop
				line.Cells = append(line.Cells, cell)
			}
		}
		if q.Row != "" && q.Row == line.Key {
			line.Open = true
			if l.Detail != nil {
				line.Detail = l.Detail(row)
			}
		}
		s.Lines = append(s.Lines, line)
		s.Items = append(s.Items, row)
	}
	if len(s.Lines) > 0 {
		s.First = from + 1
	}
}

// chips are the filters with what each value would leave.
func (l *List[T]) chips(counts []counter, q Query) (out []Chips) {
	for f := range l.Filters {
		fl := &l.Filters[f]
		on := q.Filters[fl.Name]
		values := slices.Clone(fl.Enum)
		if len(values) == 0 {
			for v := range counts[f].more {
				values = append(values, v)
			}
			slices.SortFunc(values, func(a, b string) int { return cmp.Or(counts[f].of(b)-counts[f].of(a), strings.Compare(a, b)) })
			values = values[:min(len(values), maxChips)]
		}
		for _, v := range on {
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		c := Chips{Name: fl.Name, Head: fl.Head}
		for _, v := range values {
			word := v
			if fl.Word != nil {
				word = fl.Word(v)
			}
			chip := Chip{Value: v, Word: word, Count: counts[f].of(v), On: slices.Contains(on, v)}
			if chip.On || !fl.Quiet && chip.Count > 0 && (len(fl.Chips) == 0 || slices.Contains(fl.Chips, v)) {
				c.List = append(c.List, chip)
			}
		}
		if len(c.List) > 0 {
			out = append(out, c)
		}
	}
	return out
}
