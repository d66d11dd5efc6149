package fold

import (
	"container/heap"
	"unsafe"

	"partnerguard/internal/signin"
)

// rowReader reads the rows of a part, counts them, and writes their CSV.
type rowReader struct {
	pass     *pass
	agg      *aggregate
	buf      []byte
	shelf    shelf
	visitor  signin.Visitor // or nil
	sighting signin.Sighting
}

// part appends the CSV of the rows in runs to b.
func (rr *rowReader) part(runs []run, b []byte) ([]byte, error) {
	if ordered(rr.pass.fold.st, runs) {
		for i := range runs {
			c := cursor{run: &runs[i], buf: rr.buf}
			err := c.open(rr.pass.fold.st, &rr.shelf)
			rr.buf = c.buf
			if err != nil {
				return b, err
			}
			for c.next() {
				b = rr.take(&c, b)
			}
		}
		return b, nil
	}
	h := &cursorHeap{st: rr.pass.fold.st}
	for i := range runs {
		c := &cursor{run: &runs[i]}
		if err := c.open(h.st, nil); err != nil {
			return b, err
		}
		if c.next() {
			h.list = append(h.list, c)
		}
	}
	heap.Init(h)
	for len(h.list) > 0 {
		c := h.list[0]
		b = rr.take(c, b)
		if c.next() {
			heap.Fix(h, 0)
		} else {
			heap.Pop(h)
		}
	}
	return b, nil
}

// take counts the cursor's row unless a better copy exists.
func (rr *rowReader) take(c *cursor, b []byte) []byte {
	p := rr.pass
	if p.superseded.has(c.run.page, c.ordinal) {
		return b
	}
	r := &c.row
	if r.flags&(flagStep|flagLate|flagJoin) != 0 && !rr.special(r, c) {
		return b
	}
	if r.verdict == signin.Interrupted {
		r.reason = r.reason.Resolved(p.completed.has(c.run.page, c.ordinal))
	}
	rr.agg.add(r)
	if r.flags&flagVisit != 0 {
		rr.show(r)
	}
	if p.out != nil && r.flags&flagCSV != 0 {
		b = r.appendCSV(b)
	}
	return b
}

// show lets the visitor see a row.
func (rr *rowReader) show(r *row) {
	st, t := rr.pass.fold.st, &r.text
	s := &rr.sighting
	*s = signin.Sighting{
		ID: t[colID], UserID: t[colUserID], UserPrincipalName: t[colUPN], AppID: t[colAppID], AppDisplayName: t[colAppName],
		ClientAppUsed: t[colClient], IPAddress: t[colIP], Country: t[colCountry], Platform: t[colPlatform], RiskLevel: t[colRisk], Program: t[colAgent],
		Resource: t[colTarget], Protocol: t[colProtocol], PolicyState: t[colApplied],
		Compliant: r.device.compliant(), HybridJoined: r.device.hybrid(), Verdict: r.verdict, Reason: r.reason,
		Success: r.flags&flagSuccess != 0, Legacy: r.flags&flagLegacy != 0, DeviceCode: r.flags&flagDeviceCode != 0,
		ROPC: r.flags&flagROPC != 0, AOBO: r.flags&flagAOBO != 0, Source: st.sources[r.source].Source,
	}
	s.Source.Line, s.Source.Index = int(r.line), int(r.index)
	if w := r.words; w != nil && !r.altered {
		s.Alike = signin.Alike{Book: w.book, Who: r.who, What: r.what, Seen: r.seen}
	}
	switch {
	case r.flags&flagInteractive != 0:
		s.Interactive = signin.Yes
	case r.flags&flagNonInteractive != 0:
		s.Interactive = signin.No
	}
	if r.flags&flagCreated != 0 {
		s.At = r.created.time()
	}
	rr.visitor.See(s)
}

func ordered(st *store, runs []run) bool {
	for i := 1; i < len(runs); i++ {
		a, b := &runs[i-1], &runs[i]
		if comparePlace(place{st.rank[a.source], a.untilLine, a.untilIndex}, place{st.rank[b.source], b.fromLine, b.fromIndex}) >= 0 {
			return false
		}
	}
	return true
}

// cursor walks the rows of one run.
type cursor struct {
	run     *run
	row     row
	ordinal int
	offset  int // of the row in its page
	size    int // of the row
	rest    []byte
	buf     []byte
	words   *words
}

// open reads the run, with its glossary from the shelf or, among cursors that stand side by
// side, for itself.
func (c *cursor) open(st *store, s *shelf) (err error) {
	c.rest, c.buf, err = st.read(c.run.page, int(c.run.offset), int(c.run.end-c.run.offset), c.buf)
	if glossary := int(st.pages[c.run.page].glos); err == nil && s != nil {
		c.words, err = s.take(st, glossary)
	} else if err == nil {
		c.words = new(words)
		err = c.words.open(st, glossary)
	}
	c.ordinal = int(c.run.first) - 1
	c.offset, c.size = int(c.run.offset), 0
	return err
}

func (c *cursor) next() bool {
	if len(c.rest) == 0 {
		return false
	}
	c.offset += c.size
	c.size = c.row.decode(c.rest, c.words)
	c.rest = c.rest[c.size:]
	c.ordinal++
	return true
}

// cursorHeap merges runs by place; rows at one place keep the order in which
// copies are compared, so that their order does not depend on the split.
type cursorHeap struct {
	st   *store
	list []*cursor
}

func (h *cursorHeap) Len() int { return len(h.list) }
func (h *cursorHeap) Less(i, j int) bool {
	a, b := &h.list[i].row, &h.list[j].row
	if d := comparePlace(h.st.place(a), h.st.place(b)); d != 0 {
		return d < 0
	}
	return a.compareCopies(b) > 0
}
func (h *cursorHeap) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *cursorHeap) Push(any)      {}
func (h *cursorHeap) Pop() any {
	last := len(h.list) - 1
	h.list = h.list[:last]
	return nil
}

func linkAt(b []byte) *link { return (*link)(unsafe.Pointer(&b[0])) }
