package trail

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/problem"
)

// Held says that the pages have each entry after number after, up to number to,
// just as the tree of the present head has them, and tells of them in their order:
// of those whose line want takes, or of all; each may be nil. The error is a
// problem.Conflict when they do not hold. What each was told counts when the error is
// nil, and not before. It reads these entries, and of the others a few tiles.
//
// What a [Trail.Search] among them found, or did not find, need not be what was
// recorded: a search goes by what pages say of themselves, and reads them another
// time.
func (t *Trail) Held(ctx context.Context, after, to int64, want func(line []byte) bool, each func(Entry)) error {
	now, _, err := t.head(ctx)
	if err != nil {
		return err
	}
	if after < 0 || to > now.size || after > to {
		return problem.New(problem.Conflict, "the trail has %d entries, not %d", now.size, to)
	}
	have, ok := t.seenAt(after)
	if !ok {
		if have, err = t.treeAt(ctx, now, after); err != nil {
			return err
		}
	}
	var some reach
	for have.size < to {
		was := have.size
		list, err := some.pages(ctx, t.db, "last > $1 AND first <= $2 AND first > $3 ORDER BY first", was, to, was-pageEntries) // a page has no more
		if err != nil {
			return err
		}
		for i := range list {
			if err := have.take(&list[i], after, to, want, each); err != nil {
				return err
			}
		}
		if have.size == was {
			return torn(errGap)
		}
	}
	root, err := t.rootAt(ctx, now, to)
	if err != nil {
		return err
	}
	if Hash(have.root()) != root {
		t.see(tree{}) // another trail may have been put in place: it is read from its beginning
		return torn(errors.New("other entries"))
	}
	t.see(have)
	return nil
}

// mostSeen is how many who read on from where they were are remembered.
const mostSeen = 8

// seenAt is the tree as it stood with size entries, where Held came to it before: who
// reads on needs nothing of what was before. A root that does not follow from it is found
// at the end.
func (t *Trail) seenAt(size int64) (tree, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.seen {
		if s.size == size {
			return tree{s.size, slices.Clone(s.nodes)}, true
		}
	}
	return tree{}, false
}

// see remembers a tree that holds; none forgets all.
func (t *Trail) see(at tree) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at.size == 0 {
		t.seen = nil
		return
	}
	t.seen = append(slices.DeleteFunc(t.seen, func(s tree) bool { return s.size == at.size }), tree{at.size, slices.Clone(at.nodes)})
	t.seen = t.seen[max(len(t.seen)-mostSeen, 0):]
}

var errGap = errors.New("entries are missing")

// take adds the entries of a page, up to one. Only the first page of all, in whose
// midst after may lie, can begin before the tree's end: pages stand over nothing.
func (t *tree) take(p *page, after, to int64, want func([]byte) bool, each func(Entry)) error {
	lines := p.lines()
	if p.last-p.first+1 != int64(len(lines)) || p.first > t.size+1 || p.first <= t.size && t.size != after {
		return torn(errGap)
	}
	for i, line := range lines {
		h, canonical, ok := split(line)
		n, numbered := number(canonical)
		if !ok || !numbered || n != p.first+int64(i) {
			return torn(errGap)
		}
		if n != t.size+1 || n > to {
			continue
		}
		t.add(tlog.RecordHash(canonical))
		if each == nil || want != nil && !want(canonical) {
			continue
		}
		e, err := read(h, canonical)
		if err != nil {
			return torn(err)
		}
		each(e)
	}
	return nil
}
