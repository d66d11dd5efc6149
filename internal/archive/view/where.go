package view

import (
	"cmp"
	"slices"
	"sync"

	"partnerguard/internal/archive/segment"
)

// Place is where a line of a log is in the archive.
type Place struct {
	Segment string
	Entry   int64 // among all entries of the segment, from 0
}

// Where is the place of a line of a log, counted from 1, once it was read. False for
// another file, and for lines that are no row.
func (v *View) Where(name string, line int) (Place, bool) {
	v.traced.Lock()
	pages := v.traced.of[name]
	v.traced.Unlock()
	// Behind a page's first line is the next page's.
	i, found := slices.BinarySearchFunc(pages, line, func(p traced, line int) int { return cmp.Compare(p.line, line) })
	if !found {
		i--
	}
	if i < 0 || line < 1 {
		return Place{}, false
	}
	return pages[i].Place, true
}

// traces are where the pages of the logs that were read begin.
type traces struct {
	sync.Mutex // guards of
	of         map[string][]traced
}

// traced is the first line of a page.
type traced struct {
	Place
	line int
}

// trace follows one reading of a file.
type trace struct {
	name  string
	lines int
	pages []traced
}

// page begins a page.
func (t *trace) page(p *segment.Page, a at) {
	if p != nil && a.p.s != nil {
		t.pages = append(t.pages, traced{Place{a.p.s.Name, a.index}, t.lines + 1})
	}
}

// keep keeps what was found, once the file was read to its end.
func (v *View) keep(t *trace) {
	v.traced.Lock()
	defer v.traced.Unlock()
	if v.traced.of == nil {
		v.traced.of = map[string][]traced{}
	}
	v.traced.of[t.name] = t.pages
}
