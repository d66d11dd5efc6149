package fold

import (
	"encoding/binary"
	"hash/maphash"
	"unsafe"
)

// Most of what a row says was said before: who signs in, where to, by which policies.
// A glossary keeps each such tuple of texts once, in a page of its own, and rows
// name it by number. A page of rows names tuples of one glossary.
type glossary struct {
	data    []byte
	offsets []uint32 // of each tuple in data
	table   []uint32 // number + 1 by hash, open addressing; as good as any to start with
	scratch []byte
	page    int // -1 when none is open
}

const (
	glossaryBytes  = 1 << 20
	glossaryTuples = 1 << 13
	glossaryProbes = 8 // a tuple that finds no place among so many is kept again
)

// tupleSeed keys the hash of tuples for this process. Results do not depend on it.
var tupleSeed = maphash.MakeSeed()

// full says that no more rows should name tuples of it.
func (g *glossary) full() bool {
	return len(g.data) >= glossaryBytes || len(g.offsets) >= glossaryTuples
}

// number names a tuple; 0 is the one without texts. kind keeps tuples of different columns apart.
func (g *glossary) number(kind byte, tuple []string) uint32 {
	b := append(g.scratch[:0], kind)
	empty := true
	for _, s := range tuple {
		b = appendText(b, s)
		empty = empty && s == ""
	}
	g.scratch = b
	if empty {
		return 0
	}
	if 4*len(g.offsets) >= len(g.table) {
		g.grow()
	}
	mask := uint64(len(g.table) - 1)
	h := maphash.Bytes(tupleSeed, b)
	slot := -1
	for i := range uint64(glossaryProbes) {
		at := (h + i) & mask
		n := g.table[at]
		if n == 0 {
			slot = int(at)
			break
		}
		from := int(g.offsets[n-1])
		if end := from + len(b); end <= len(g.data) && string(g.data[from:end]) == string(b) {
			return n
		}
	}
	g.offsets = append(g.offsets, uint32(len(g.data)))
	g.data = append(g.data, b...)
	n := uint32(len(g.offsets))
	if slot >= 0 {
		g.table[slot] = n
	}
	return n
}

// grow makes the table four times as large and finds a place in it for every tuple.
func (g *glossary) grow() {
	g.table = make([]uint32, max(256, 4*len(g.table)))
	mask := uint64(len(g.table) - 1)
	for i, from := range g.offsets {
		to := len(g.data)
		if i+1 < len(g.offsets) {
			to = int(g.offsets[i+1])
		}
		h := maphash.Bytes(tupleSeed, g.data[from:to])
		for p := range uint64(glossaryProbes) {
			if at := (h + p) & mask; g.table[at] == 0 {
				g.table[at] = uint32(i + 1)
				break
			}
		}
	}
}

// sealed is the page of it: the tuples, then where each begins.
func (g *glossary) sealed() []byte {
	b := g.data
	for _, o := range g.offsets {
		b = binary.LittleEndian.AppendUint32(b, o)
	}
	return b
}

func (g *glossary) reset() {
	g.data, g.offsets, g.page = g.data[:0], g.offsets[:0], -1
	clear(g.table)
	if cap(g.data) > 4*glossaryBytes {
		g.data = nil
	}
}

// tuple is where the texts of tuple n lie in the page of a glossary, behind its kind.
func tuple(page []byte, tuples int, n uint32) []byte {
	index := page[len(page)-4*tuples:]
	return page[binary.LittleEndian.Uint32(index[4*(n-1):])+1:]
}

// appendText appends a text behind its length.
func appendText(b []byte, s string) []byte {
	if len(s) < 255 {
		b = append(b, byte(len(s)))
	} else {
		b = append(b, 255)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
	}
	return append(b, s...)
}

// takeText reads a text of appendText, which aliases b, and what follows it.
func takeText(b []byte) (s string, rest []byte) {
	n := int(b[0])
	b = b[1:]
	if n == 255 {
		n = int(binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	return unsafe.String(unsafe.SliceData(b), n), b[n:]
}

// words is a glossary opened for reading rows one after the other.
type words struct {
	page  int
	data  []byte
	buf   []byte
	texts []string // of all tuples
	first []uint32 // where those of each tuple begin

	// What an aggregate, in its generation, made of the tuples.
	generation int
	accounts   []*account
	apps       []*app

	cells []cells // of each tuple, made when first asked for
	arena []byte
}

// open reads a glossary.
func (w *words) open(st *store, page int) (err error) {
	p := &st.pages[page]
	w.page = -1
	if w.data, w.buf, err = st.read(page, 0, int(p.size), w.buf); err != nil {
		return err
	}
	n := int(p.rows)
	size := 0
	for i := range n {
		k := w.kind(n, i)
		size += columns[k][1] - columns[k][0]
	}
	w.texts, w.first = emptied(w.texts, size)[:0], append(emptied(w.first, n+1)[:0], 0)
	for i := range n {
		w.first = append(w.first, uint32(len(w.texts)))
		b := tuple(w.data, n, uint32(i+1))
		for range columns[w.kind(n, i)][1] - columns[w.kind(n, i)][0] {
			var s string
			s, b = takeText(b)
			w.texts = append(w.texts, s)
		}
	}
	w.cells, w.arena = emptied(w.cells, n+1), nil
	w.accounts, w.apps = emptied(w.accounts, n+1), emptied(w.apps, n+1)
	w.page = page
	return nil
}

func (w *words) kind(n, i int) byte {
	index := w.data[len(w.data)-4*n:]
	return w.data[binary.LittleEndian.Uint32(index[4*i:])]
}

// fill puts the texts of tuple n, which has len(to) of them, there.
func (w *words) fill(n uint32, to []string) {
	if n == 0 {
		clear(to)
		return
	}
	copy(to, w.texts[w.first[n]:][:len(to)])
}

// known forgets what an older generation of the aggregate made of the tuples.
func (w *words) known(generation int) {
	if w.generation != generation {
		w.generation = generation
		clear(w.accounts)
		clear(w.apps)
	}
}

// emptied is a list of n zero elements in the memory of list where there is room.
func emptied[T any](list []T, n int) []T {
	if cap(list) < n {
		return make([]T, n)
	}
	list = list[:n]
	clear(list)
	return list
}

// shelf holds the glossaries last opened.
type shelf struct {
	list [4]words
	next int
	open bool
}

// take opens a glossary unless it is open already.
func (s *shelf) take(st *store, page int) (*words, error) {
	if !s.open {
		s.open = true
		for i := range s.list {
			s.list[i].page = -1
		}
	}
	for i := range s.list {
		if s.list[i].page == page {
			return &s.list[i], nil
		}
	}
	w := &s.list[s.next]
	s.next = (s.next + 1) % len(s.list)
	return w, w.open(st, page)
}
