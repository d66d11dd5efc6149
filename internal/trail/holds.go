package trail

import (
	"context"
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/problem"
)

// Holds says that the pages have each entry after number after, up to number to,
// just as the tree of the present head has them: what a [Trail.Search] among them
// found, or did not find, is what was recorded. The error is a problem.Unmet when
// they do not. It reads these entries, and of the others a few tiles.
func (t *Trail) Holds(ctx context.Context, after, to int64) error {
	now, _, err := t.head(ctx)
	if err != nil {
		return err
	}
	if after < 0 || to > now.size || after > to {
		return problem.New(problem.Unmet, "the trail has %d entries, not %d", now.size, to)
	}
	have, err := t.treeAt(ctx, now, after)
	if err != nil {
		return err
	}
	for have.size < to {
		was := have.size
		list, err := t.pages(ctx, verifyPages, "last > $1 AND first <= $2 ORDER BY first", was, to)
		if err != nil {
			return err
		}
		for i := range list {
			if err := have.take(&list[i], to); err != nil {
				return err
			}
		}
		if have.size == was {
			return torn(errGap)
		}
	}
	want, err := t.rootAt(ctx, now, to)
	if err != nil {
		return err
	}
	if Hash(have.root()) != want {
		return torn(errors.New("other entries"))
	}
	return nil
}

var errGap = errors.New("entries are missing")

// take adds the entries of a page that are not in the tree yet, up to one.
func (t *tree) take(p *page, to int64) error {
	lines := p.lines()
	if p.last-p.first+1 != int64(len(lines)) || p.first > t.size+1 {
		return torn(errGap)
	}
	for i, line := range lines {
		_, canonical, ok := split(line)
		n, numbered := number(canonical)
		if !ok || !numbered || n != p.first+int64(i) {
			return torn(errGap)
		}
		if n == t.size+1 && n <= to {
			t.add(tlog.RecordHash(canonical))
		}
	}
	return nil
}
