package trail

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// Report is what verifying found.
type Report struct {
	Entries int64 `json:"entries"` // that hold, from the first one on
	After   int64 `json:"after"`   // the number before the first one: 0 for a whole trail
	Head    Head  `json:"head"`    // the last entry that holds: write it down elsewhere
	Bad     *Bad  `json:"bad,omitempty"`
	// Anchors are those that were compared, and those that could not be.
	Anchors []Compared `json:"anchors,omitempty"`
	// Restored are the newest entries that say that a backup was put into place, where
	// an anchor does not fit: they may be why, and excuse nothing.
	Restored []Entry `json:"restored,omitempty"`
}

// Bad is the first place where the trail does not hold.
type Bad struct {
	Seq   int64  `json:"seq"` // of the entry; or of the first missing one
	Words string `json:"words"`
}

func bad(seq int64, format string, args ...any) *Bad {
	return &Bad{seq, fmt.Sprintf(format, args...)}
}

// as is where the trail does not hold, as a problem: Unmet where that was asked,
// Conflict where it is in the way of something else.
func (b *Bad) as(kind problem.Kind) error {
	return problem.New(kind, "the audit trail does not hold at entry %d: %s", b.Seq, b.Words).
		WithHint("keep the database as it is, and compare with an export, an anchor or a head written down before")
}

// Err is nil when the trail holds and every anchor that was read fits, else a
// problem.Unmet that names the place.
func (r *Report) Err() error {
	if r.Bad != nil {
		return r.Bad.as(problem.Unmet)
	}
	for _, a := range r.Anchors {
		if a.Misfit != "" {
			return problem.New(problem.Unmet, "the audit trail does not fit the anchor %s: %s", a.Anchor, a.Misfit).
				WithHint("keep the database as it is, and the anchor")
		}
	}
	return nil
}

// walk checks entries one by one. It is the one place that knows what a good
// trail is, for the database and for exports.
type walk struct {
	at     Head // Hash is the line's: the chain's, later the leaf's
	chain  chain
	tree   tree
	trail  string                // its name in checkpoints, of an export that says it
	entry  Entry                 // the newest, decoded
	wanted *Hash                 // a head written down elsewhere, until it was met
	roots  map[int64]Hash        // the sizes whose roots are asked for, and the roots
	leaf   func(tlog.Hash) error // told of each leaf; may be nil
}

func newWalk(c chain, wanted *Hash) *walk {
	w := &walk{chain: c, wanted: wanted, at: Head{0, c.anchor}}
	return w
}

// add checks the next line, already taken apart.
func (w *walk) add(h Hash, canonical []byte) (*Bad, error) {
	want := w.at.Seq + 1
	n, ok := number(canonical)
	switch {
	case !ok:
		return bad(want, "it cannot be read"), nil
	case n > want:
		return bad(want, "it is missing: entry %d stands in its place", n), nil
	case n < want:
		return bad(want, "entry %d stands in its place", n), nil
	}
	leaf := tlog.RecordHash(canonical)
	switch {
	case n <= w.chain.head.Seq && w.at.Hash.next(canonical) != h:
		return bad(want, "its hash does not follow from the entry before it: one of the two was changed"), nil
	case n == w.chain.head.Seq && h != w.chain.head.Hash:
		return bad(want, "its hash is not what the head row says: it, or the head row, was changed"), nil
	case n > w.chain.head.Seq && Hash(leaf) != h:
		return bad(want, "its hash does not follow from its words: one of the two was changed"), nil
	}
	e, err := read(h, canonical)
	if err != nil {
		return bad(want, "it cannot be read"), nil
	}
	w.at, w.entry = Head{n, h}, e
	w.tree.add(leaf)
	if n <= w.chain.head.Seq {
		w.meet(h)
	}
	_, asked := w.roots[n]
	if w.wanted != nil || asked {
		root := Hash(w.tree.root())
		w.meet(root)
		if asked {
			w.roots[n] = root
		}
	}
	if w.leaf != nil {
		return nil, w.leaf(leaf)
	}
	return nil, nil
}

func (w *walk) meet(h Hash) {
	if w.wanted != nil && *w.wanted == h {
		w.wanted = nil
	}
}

// end says what a head that never came means.
func (w *walk) end() *Bad {
	if w.wanted == nil {
		return nil
	}
	return bad(w.at.Seq+1, "the head %.16s… that was written down is not in this trail: it was cut off before that entry, or written anew", w.wanted.String())
}

// ended says what is missing of a trail that should have size entries.
func (w *walk) ended(size int64) *Bad {
	if w.at.Seq >= size {
		return nil
	}
	return bad(w.at.Seq+1, "it is missing, and all up to entry %d of the head row: the end was cut off", size)
}

// verifyPages is how many pages are held at a time.
const verifyPages = 16

// pages checks all pages in the order of their own numbers, from the smallest
// there can be: a page that claims a number before its turn was inserted. It
// stops after entry most.
func (w *walk) pages(ctx context.Context, q *db.DB, most int64) (*Bad, error) {
	for cursor := int64(math.MinInt64); ; {
		list, err := pages(ctx, q, verifyPages, "first > $1 ORDER BY first", cursor)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		for i := range list {
			p := &list[i]
			cursor = p.first
			if b, err := w.page(p); b != nil || err != nil {
				return b, err
			}
			if w.at.Seq >= most {
				return nil, nil
			}
		}
	}
}

func (w *walk) page(p *page) (*Bad, error) {
	if p.first < w.at.Seq+1 {
		return bad(max(p.first, 1), "a page that begins with it was inserted"), nil
	}
	if p.first != w.at.Seq+1 {
		return bad(w.at.Seq+1, "it is missing: the next page begins with entry %d", p.first), nil
	}
	var earliest, latest int64
	for k, line := range p.lines() {
		h, canonical, ok := split(line)
		if !ok {
			return bad(w.at.Seq+1, "it cannot be read"), nil
		}
		if b, err := w.add(h, canonical); b != nil || err != nil {
			return b, err
		}
		at := w.entry.At.UnixMicro()
		if k == 0 {
			earliest, latest = at, at
		}
		earliest, latest = min(earliest, at), max(latest, at)
	}
	if p.last != w.at.Seq || p.earliest != earliest || p.latest != latest {
		return bad(p.first, "the page that begins with it says something else of itself than it holds"), nil
	}
	return nil, nil
}

// checkTiles compares the stored tiles with the leaves as they come.
type checkTiles struct {
	ctx   context.Context
	q     *db.DB
	level [][]tlog.Hash // of each, those since the last full tile
	count []int64       // of each, full tiles
	bad   *Bad
}

var errBad = errors.New("a tile does not fit")

func (c *checkTiles) add(level int, h tlog.Hash) error {
	if len(c.level) == level {
		c.level, c.count = append(c.level, nil), append(c.count, 0)
	}
	c.level[level] = append(c.level[level], h)
	if len(c.level[level]) < tileWidth {
		return nil
	}
	var t tree
	for _, h := range c.level[level] {
		t.add(h)
	}
	n, root := c.count[level], t.root()
	var has, hashes []byte
	err := c.q.QueryRowContext(c.ctx, readTile, level, n).Scan(&has, &hashes)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return unread(err)
	}
	if want := (&tree{nodes: c.level[level]}).bytes(); !bytes.Equal(has, root[:]) || !bytes.Equal(hashes, want) {
		at := n
		for range level + 1 {
			at *= tileWidth
		}
		at++
		for k := 0; level == 0 && k < tileWidth && len(hashes) == len(want); k++ {
			if i := k * tlog.HashSize; !bytes.Equal(hashes[i:i+tlog.HashSize], want[i:i+tlog.HashSize]) {
				at += int64(k)
				break
			}
		}
		c.bad = bad(at, "it, or the tree's stored hash of it, was changed")
		return errBad
	}
	c.level[level], c.count[level] = c.level[level][:0], n+1
	return c.add(level+1, root)
}

// Verify checks the whole trail in the order of its entries, with bounded
// memory: each entry's number and hash, each page's own words about itself, the
// tree's stored hashes, and the head row. wanted, when given, is the hash of a
// head written down elsewhere, which must be among the trail's. It may run while
// others record. The error is about reading; what does not hold is in the report.
func (t *Trail) Verify(ctx context.Context, wanted *Hash) (Report, error) {
	r, _, err := t.verify(ctx, wanted, nil)
	return r, err
}

// verify also gives the roots at the sizes that are keys of roots; one that
// stays zero is beyond the end, or beyond what holds.
func (t *Trail) verify(ctx context.Context, wanted *Hash, roots map[int64]Hash) (Report, map[int64]Hash, error) {
	c, err := oldChain(ctx, t.db)
	if err != nil {
		return Report{}, nil, err
	}
	stand, id, err := t.head(ctx)
	if err != nil {
		var r Report
		if w := newWalk(c, wanted); errors.Is(err, problem.Conflict) {
			r.Bad, err = w.pages(ctx, t.db, math.MaxInt64)
			if r.Bad == nil {
				r.Bad = w.ended(c.head.Seq)
			}
			r.Entries, r.Head = w.at.Seq, w.at
		}
		return r, nil, err
	}
	w := newWalk(c, wanted)
	if _, asked := roots[0]; asked {
		roots[0] = Hash(w.tree.root())
	}
	w.roots = roots
	if h, err := ParseHash(id); err == nil {
		w.meet(h)
	}
	w.meet(Hash(w.tree.root()))
	ct := &checkTiles{ctx: ctx, q: t.db}
	var standBad *Bad
	w.leaf = func(h tlog.Hash) error {
		if w.tree.size == stand.size && w.tree.root() != stand.root() {
			standBad = bad(stand.size-stand.size%tileWidth+1,
				"it, or one up to entry %d, or the head row, was changed: together they do not make the tree of the head row", stand.size)
			return errBad
		}
		return ct.add(0, h)
	}
	b, err := w.pages(ctx, t.db, math.MaxInt64)
	if errors.Is(err, errBad) {
		b, err = standBad, nil
		if b == nil {
			b = ct.bad
		}
	}
	if err != nil {
		return Report{}, nil, err
	}
	if b == nil {
		if b, err = t.ended(ctx, w, stand, ct.count); err != nil {
			return Report{}, nil, err
		}
	}
	r := Report{Entries: w.at.Seq, Head: Head{w.at.Seq, Hash(w.tree.root())}, Bad: b}
	if b != nil {
		r.Entries = min(r.Entries, max(b.Seq-1, 0))
	}
	return r, roots, nil
}

// ended checks what can be checked only at the end.
func (t *Trail) ended(ctx context.Context, w *walk, stand tree, full []int64) (*Bad, error) {
	if b := w.ended(stand.size); b != nil {
		return b, nil
	}
	if w.at.Seq < w.chain.head.Seq {
		return w.ended(w.chain.head.Seq), nil
	}
	if w.at.Seq > stand.size {
		// Others recorded meanwhile; the head row must have gone along.
		now, _, err := t.head(ctx)
		if err != nil {
			return nil, err
		}
		if now.size < w.at.Seq {
			return bad(now.size+1, "it stands after the head row's last entry"), nil
		}
	}
	for level, n := range full {
		var more int64
		limit := w.at.Seq
		for range level + 1 {
			limit /= tileWidth
		}
		if err := t.db.QueryRowContext(ctx, countTilesBelow, level, limit).Scan(&more); err != nil {
			return nil, unread(err)
		}
		if more != n {
			return bad(w.at.Seq+1, "the tree's stored hashes are not those of its entries"), nil
		}
	}
	return w.end(), nil
}
