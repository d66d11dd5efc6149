package fold

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"

	"partnerguard/internal/signin"
)

// File is the random-access scratch file that a fold spills into.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// Scratch makes scratch files. The file must not outlive its Close.
type Scratch interface {
	Create() (File, error)
}

const (
	pageSize = 256 << 10 // bytes of a page; a larger row gets a page of its own
	pageRows = 1 << 12   // rows of a page at most, see rowRef
	maxPages = 1 << 28
)

// rowRef finds a row: page, offset in it, ordinal in it.
type rowRef uint64

func makeRef(page, offset, ordinal int) rowRef {
	return rowRef(page)<<36 | rowRef(offset)<<12 | rowRef(ordinal)
}

func (r rowRef) page() int    { return int(r >> 36) }
func (r rowRef) offset() int  { return int(r >> 12 & (1<<24 - 1)) }
func (r rowRef) ordinal() int { return int(r & (1<<12 - 1)) }

// page is a sealed stretch of rows or of index entries, in memory or in the
// scratch file.
type page struct {
	mem  []byte // nil when spilled
	at   int64
	size int32
	rows int32 // or tuples of a glossary
	glos int32 // page of the glossary of its rows
}

// store holds the pages of a family of folds (see [Fold.Fork]). Its methods
// are safe for concurrent use while the family is filled; reading starts when
// filling has ended.
type store struct {
	scratch Scratch
	budget  int64

	mu      sync.Mutex // guards everything below
	pages   []page
	used    int64 // bytes in memory
	spilled int64 // bytes in the file, also its end
	file    File
	err     error // the first failure; sticky
	folds   int   // that use the store

	sources  []signin.SourceRef // without line and index
	sourceID map[signin.SourceRef]uint32
	rank     []int          // sources in input order, set by rankSources
	clocks   []sourceClocks // by source, as far as any had clocks that are not exact
}

func newStore(scratch Scratch, budget int64) *store {
	return &store{scratch: scratch, budget: budget, sourceID: make(map[signin.SourceRef]uint32)}
}

func (s *store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

func (s *store) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// source numbers an input.
func (s *store) source(ref signin.SourceRef) uint32 {
	ref.Line, ref.Index = 0, 0
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.sourceID[ref]
	if !ok {
		id = uint32(len(s.sources))
		s.sources = append(s.sources, ref)
		s.sourceID[ref] = id
	}
	return id
}

// rankSources puts the inputs in order once all are known.
func (s *store) rankSources() {
	order := make([]int, len(s.sources))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := &s.sources[a], &s.sources[b]
		return cmp.Or(cmp.Compare(x.Seq, y.Seq), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Part, y.Part))
	})
	s.rank = make([]int, len(order))
	for r, i := range order {
		s.rank[i] = r
	}
}

// compare orders rows by where they stand in the input.
func (s *store) compare(a, b *row) int {
	return comparePlace(s.place(a), s.place(b))
}

// place is the position of a row in the whole input.
type place struct {
	rank        int
	line, index uint32
}

func (s *store) place(r *row) place { return place{s.rank[r.source], r.line, r.index} }

func comparePlace(a, b place) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.line, b.line), cmp.Compare(a.index, b.index))
}

// reserve numbers a page that will be sealed later.
func (s *store) reserve() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pages) == maxPages && s.err == nil {
		s.err = errors.New("too many sign-ins for one fold")
	}
	s.pages = append(s.pages, page{})
	return len(s.pages) - 1
}

// names says which glossary the rows of a page are written by.
func (s *store) names(page, glossary int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[page].glos = int32(glossary)
}

// seal stores the bytes of a page, which are copied or written out: b may be
// used again. Past the budget it goes to the scratch file.
func (s *store) seal(id int, b []byte, rows int) { s.sealWithin(id, b, rows, s.budget) }

// sealGlossary is seal for glossaries: a part of the budget is kept for them, as rows
// everywhere need them.
func (s *store) sealGlossary(id int, b []byte, tuples int) {
	s.sealWithin(id, b, tuples, s.budget+s.budget/4)
}

func (s *store) sealWithin(id int, b []byte, rows int, budget int64) {
	s.mu.Lock()
	p := &s.pages[id]
	p.size, p.rows = int32(len(b)), int32(rows)
	if s.scratch == nil || s.used+int64(len(b)) <= budget {
		s.used += int64(len(b))
		p.mem = bytes.Clone(b)
		s.mu.Unlock()
		return
	}
	if s.file == nil && s.err == nil {
		s.file, s.err = s.scratch.Create()
	}
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	file := s.file
	p.at = s.spilled
	at := s.spilled
	s.spilled += int64(len(b))
	s.mu.Unlock()
	if _, err := file.WriteAt(b, at); err != nil {
		s.fail(err)
	}
}

// read returns n bytes of a page from offset on, fewer at its end. They lie in
// memory or are read into buf, which comes back for further use.
func (s *store) read(id, offset, n int, buf []byte) (b, scratch []byte, err error) {
	p := &s.pages[id]
	n = min(n, int(p.size)-offset)
	if n <= 0 {
		return nil, buf, nil
	}
	if p.mem != nil {
		return p.mem[offset : offset+n], buf, nil
	}
	if cap(buf) < n {
		buf = make([]byte, n+n/4)
	}
	buf = buf[:cap(buf)]
	if _, err := s.file.ReadAt(buf[:n], p.at+int64(offset)); err != nil {
		return nil, buf, err
	}
	return buf[:n], buf, nil
}

// load decodes one row for a comparison; the texts are valid until buf is used
// again.
func (s *store) load(ref rowRef, r *row, buf []byte) ([]byte, error) {
	b, buf, err := s.read(ref.page(), ref.offset(), 1024, buf)
	if err != nil {
		return buf, err
	}
	if size := rowSize(b); size > len(b) {
		if b, buf, err = s.read(ref.page(), ref.offset(), size, buf); err != nil {
			return buf, err
		}
	}
	glossary := int(s.pages[ref.page()].glos)
	r.words = nil
	r.decodeFacts(b)
	for kind, n := range [kinds]uint32{r.who, r.what, r.how, r.seen} {
		to := r.tuple(kind)
		if clear(to); n == 0 {
			continue
		}
		t, err := s.tuple(glossary, n)
		if err != nil {
			return buf, err
		}
		for i := range to {
			to[i], t = takeText(t)
		}
	}
	return buf, nil
}

// tuple reads one tuple of a glossary.
func (s *store) tuple(page int, n uint32) ([]byte, error) {
	p := &s.pages[page]
	if p.mem != nil {
		return tuple(p.mem, int(p.rows), n), nil
	}
	var place [8]byte // of it, and of the one behind it
	at := int(p.size) - 4*int(p.rows) + 4*int(n-1)
	b, _, err := s.read(page, at, 8, place[:])
	if err != nil {
		return nil, err
	}
	from, to := int(binary.LittleEndian.Uint32(b)), int(p.size)-4*int(p.rows)
	if int(n) < int(p.rows) {
		to = int(binary.LittleEndian.Uint32(b[4:]))
	}
	b, _, err = s.read(page, from+1, to-from-1, nil)
	return b, err
}

func rowSize(b []byte) int {
	return int(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
}

func (s *store) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.folds++
}

// leave ends the use by one fold; the last one closes the file.
func (s *store) leave() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folds--; s.folds > 0 {
		return nil
	}
	s.pages, s.used = nil, 0
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file = nil
	return file.Close()
}
