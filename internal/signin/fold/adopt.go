package fold

import (
	"encoding/binary"
	"unsafe"
)

// moveTo copies the sealed pages of f into another store and renumbers every
// reference to them. It is for folds that were not forked from one another.
func (f *Fold) moveTo(to *store) {
	from := f.st
	if err := from.failure(); err != nil {
		to.fail(err)
		return
	}
	source := make([]uint32, len(from.sources))
	for i, s := range from.sources {
		source[i] = to.source(s)
		if i < len(from.clocks) {
			to.joinClocks(source[i], &from.clocks[i])
			from.clocks[i] = sourceClocks{} // the next fold of the family must not bring it again
		}
	}
	var renamed newest
	for id, at := range f.newest {
		if at != (clock{}) {
			renamed.see(source[id], at)
		}
	}
	f.newest = renamed
	moved := make(map[int]int) // row pages
	var buf []byte
	glossaries := make(map[int32]int)
	copyPage := func(id int, rewrite func(b []byte)) int {
		b, scratch, err := from.read(id, 0, int(from.pages[id].size), buf)
		if err != nil {
			to.fail(err)
			return 0
		}
		buf = scratch
		rewrite(b)
		n := to.reserve()
		to.seal(n, b, int(from.pages[id].rows))
		return n
	}
	for i := range f.runs {
		r := &f.runs[i]
		id, ok := moved[r.page]
		if !ok {
			id = copyPage(r.page, func(b []byte) {
				for at := 0; at < len(b); at += rowSize(b[at:]) {
					s := b[at+atSource:]
					binary.LittleEndian.PutUint32(s, source[binary.LittleEndian.Uint32(s)])
				}
			})
			moved[r.page] = id
			was := from.pages[r.page].glos
			if _, ok := glossaries[was]; !ok {
				glossaries[was] = copyPage(int(was), func([]byte) {})
			}
			to.names(id, glossaries[was])
		}
		r.page, r.source = id, source[r.source]
	}
	renumber := func(ref rowRef) rowRef { return makeRef(moved[ref.page()], ref.offset(), ref.ordinal()) }
	for _, blocks := range [][]int{f.entryBlocks, f.stepBlocks} {
		for i, id := range blocks {
			blocks[i] = copyPage(id, func(b []byte) {
				e := unsafe.Slice((*entry)(unsafe.Pointer(&b[0])), len(b)/entryBytes)
				for i := range e {
					e[i].ref = renumber(e[i].ref)
				}
			})
		}
	}
	for _, blocks := range [][]int{f.promptBlocks, f.successBlocks, f.lateBlocks} {
		for i, id := range blocks {
			blocks[i] = copyPage(id, func(b []byte) {
				l := unsafe.Slice((*link)(unsafe.Pointer(&b[0])), len(b)/linkBytes)
				for i := range l {
					l[i].ref = renumber(l[i].ref)
				}
			})
		}
	}
}
