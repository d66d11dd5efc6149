package view

import (
	"bytes"
	"context"
	"net/http"
	"slices"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/problem"
)

// maxChanges bounds the changes that are merged over a list, in bytes.
const maxChanges = 512 << 20

// change is what became of one element since the whole list was read.
type change struct {
	names   [][]byte
	values  [][]byte
	removed bool
	fresh   bool // it was made anew: nothing of the element before counts
	used    bool
}

// set puts the members of a newer version over those that are there.
func (c *change) set(v []byte) (size int) {
	members(v, func(name, val []byte) bool {
		size += len(name) + len(val) + 48
		if i := slices.IndexFunc(c.names, func(n []byte) bool { return bytes.Equal(n, name) }); i >= 0 {
			c.values[i] = bytes.Clone(val)
			return true
		}
		c.names, c.values = append(c.names, bytes.Clone(name)), append(c.values, bytes.Clone(val))
		return true
	})
	return size
}

// over writes an element with the change over it; nil is no element.
func (c *change) over(v []byte) []byte {
	out := []byte{'{'}
	member := func(name, val []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), name...), '"', ':')
		out = append(out, val...)
	}
	if v != nil && !c.fresh {
		members(v, func(name, val []byte) bool {
			if !slices.ContainsFunc(c.names, func(n []byte) bool { return bytes.Equal(n, name) }) {
				member(name, val)
			}
			return true
		})
	}
	for i := range c.names {
		member(c.names[i], c.values[i])
	}
	return append(out, '}')
}

var removed = []byte(`"@removed"`)

// isRemoved reports an element that says it is gone.
func isRemoved(v []byte) bool {
	if !bytes.Contains(v, removed) {
		return false
	}
	gone := false
	members(v, func(name, _ []byte) bool { gone = string(name) == "@removed"; return !gone })
	return gone
}

// merged writes a list that was read whole once, and then by its changes: runs[0] is
// the whole one, the others follow in order.
func (b *builder) merged(ctx context.Context, runs []*run, l *list) error {
	changes, order, err := b.changes(ctx, runs[1:], l)
	if err != nil {
		return err
	}
	gone, err := b.goneInside(ctx, runs[0], l)
	if err != nil {
		return err
	}
	number := 0
	err = b.each(ctx, runs[0], func(p *segment.Page, _ at) error {
		if !l.status(p) {
			return nil
		}
		number++
		a := l.split.page(trim(p.Body))
		a.context = plainSet(a.context)
		l.head(&a)
		return l.each(&a, func(v []byte) error {
			id := idOf(v)
			if when, is := gone[id]; is && when >= number || isRemoved(v) {
				return l.s.over
			}
			c := changes[id]
			if c == nil {
				l.add(v)
				return l.s.over
			}
			if c.used = true; !c.removed {
				l.add(c.over(v))
			}
			return l.s.over
		})
	})
	if err != nil {
		return err
	}
	for _, id := range order {
		if c := changes[id]; !c.used && !c.removed {
			l.add(c.over(nil))
		}
	}
	return l.end(nil)
}

// plainSet is the context of a list for that of its changes, which ends in $delta.
func plainSet(odata []byte) []byte {
	return bytes.Replace(odata, []byte("/$delta"), nil, 1)
}

// changes reads what changed, the oldest first.
func (b *builder) changes(ctx context.Context, runs []*run, l *list) (all map[string]*change, order []string, err error) {
	all = map[string]*change{}
	size := 0
	for _, r := range runs {
		err := b.each(ctx, r, func(p *segment.Page, _ at) error {
			if !l.status(p) {
				return nil
			}
			a := l.split.page(trim(p.Body))
			return l.each(&a, func(v []byte) error {
				id := idOf(v)
				c := all[id]
				if c == nil {
					c = &change{}
					all[id] = c
					order = append(order, id)
				}
				if isRemoved(v) {
					*c = change{removed: true}
					return nil
				}
				if c.removed {
					*c = change{fresh: true}
				}
				if size += c.set(v); size > maxChanges {
					return problem.New(problem.Limit, "the changes of %s since it was read whole are more than %d bytes", r.resource, maxChanges).
						WithHint("read it whole again: partnerguard collect --now --resource %s", r.resource)
				}
				return nil
			})
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return all, order, nil
}

// goneInside are the elements that a whole reading gave and took back while it went
// on, with the number of the page that took them back.
func (b *builder) goneInside(ctx context.Context, r *run, l *list) (map[string]int, error) {
	gone, number := map[string]int{}, 0
	err := b.each(ctx, r, func(p *segment.Page, _ at) error {
		if p.Status != http.StatusOK {
			return nil
		}
		if number++; !bytes.Contains(p.Body, removed) {
			return nil
		}
		a := l.split.page(trim(p.Body))
		_, err := l.split.elements(a.list, func(v []byte) error {
			if isRemoved(v) {
				gone[idOf(v)] = number
			}
			return nil
		})
		return err
	})
	return gone, err
}
