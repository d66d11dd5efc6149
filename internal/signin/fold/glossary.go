package fold

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"partnerguard/internal/signin/texts"
)

// Most of what a row says was said before: who signs in, where to, by which policies.
// A glossary keeps each such tuple of texts once, in a page of its own, and rows
// name it by number. A page of rows names tuples of one glossary.
type glossary struct {
	data    []byte
	offsets []uint32 // of each tuple in data
	hashes  []uint64 // of each tuple
	table   []glossaryEntry
	page    int // -1 when none is open
}

// glossaryEntry is one place of the table, which is found by hash with open addressing.
type glossaryEntry struct{ number, hash uint32 }

const (
	glossaryBytes  = 1 << 20
	glossaryTuples = 1 << 13
	glossaryProbes = 8 // a tuple that finds no place among so many is kept again
)

// tupleSeed keys the hash of tuples for this process. Results do not depend on it.
var tupleSeed = maphash.Bytes(maphash.MakeSeed(), nil)

// full says that no more rows should name tuples of it.
func (g *glossary) full() bool {
	return len(g.data) >= glossaryBytes || len(g.offsets) >= glossaryTuples
}

// number names a tuple; 0 is the one without texts. kind keeps tuples of different columns apart.
func (g *glossary) number(kind byte, tuple []string) uint32 {
	h, empty := hashTuple(kind, tuple)
	if empty {
		return 0
	}
	if 4*len(g.offsets) >= len(g.table) {
		g.grow()
	}
	mask := uint64(len(g.table) - 1)
	slot := -1
	for i := range uint64(glossaryProbes) {
		at := (h + i) & mask
		e := g.table[at]
		if e.number == 0 {
			slot = int(at)
			break
		}
		if e.hash == uint32(h>>32) && isTuple(g.data[g.offsets[e.number-1]:], kind, tuple) {
			return e.number
		}
	}
	b := append(g.data, kind) // g stays as it is until all texts were read: mapped ones may fault
	for _, s := range tuple {
		b = appendText(b, s)
	}
	g.offsets, g.hashes = append(g.offsets, uint32(len(g.data))), append(g.hashes, h)
	g.data = b
	n := uint32(len(g.offsets))
	if slot >= 0 {
		g.table[slot] = glossaryEntry{n, uint32(h >> 32)}
	}
	return n
}

// grow makes the table four times as large and finds a place in it for every tuple.
func (g *glossary) grow() {
	g.table = make([]glossaryEntry, max(256, 4*len(g.table)))
	mask := uint64(len(g.table) - 1)
	for i, h := range g.hashes {
		for p := range uint64(glossaryProbes) {
			if at := (h + p) & mask; g.table[at].number == 0 {
				g.table[at] = glossaryEntry{uint32(i + 1), uint32(h >> 32)}
				break
			}
		}
	}
}

// hashTuple looks at the ends and the middle of each text: tuples that agree in those, which
// nobody's log has many of, are told apart by comparison, and kept twice when they are too many.
func hashTuple(kind byte, tuple []string) (h uint64, empty bool) {
	h, empty = tupleSeed^uint64(kind), true
	for _, s := range tuple {
		n := len(s)
		empty = empty && n == 0
		var a, b uint64
		switch p := unsafe.Pointer(unsafe.StringData(s)); {
		case n >= 8:
			a, b = texts.Word(p, 0)^bits.RotateLeft64(texts.Word(p, n/2-4), 23), texts.Word(p, n-8)
		default:
			for i := range n {
				a = a<<8 | uint64(s[i])
			}
		}
		hi, lo := bits.Mul64(a^h, b^0x9e3779b97f4a7c15^uint64(n)<<56)
		h = hi ^ lo ^ bits.RotateLeft64(h, 17)
	}
	hi, lo := bits.Mul64(h, 0xbf58476d1ce4e5b9)
	return hi ^ lo, empty
}

// isTuple reports that a tuple stands at the head of b.
func isTuple(b []byte, kind byte, tuple []string) bool {
	if b[0] != kind {
		return false
	}
	b = b[1:]
	for _, s := range tuple {
		n := len(s)
		if n >= 255 {
			if b[0] != 255 || int(binary.LittleEndian.Uint32(b[1:])) != n || string(b[5:5+n]) != s {
				return false
			}
			b = b[5+n:]
			continue
		}
		if int(b[0]) != n || string(b[1:1+n]) != s {
			return false
		}
		b = b[1+n:]
	}
	return true
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
	g.data, g.offsets, g.hashes, g.page = g.data[:0], g.offsets[:0], g.hashes[:0], -1
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
	book  uint64
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

// books numbers all glossaries ever opened.
var books atomic.Uint64

// open reads a glossary.
func (w *words) open(st *store, page int) (err error) {
	p := &st.pages[page]
	w.page, w.book = -1, books.Add(1)
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
