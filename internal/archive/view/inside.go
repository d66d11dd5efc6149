package view

import (
	"context"
	"net/http"

	"partnerguard/internal/archive/segment"
)

// inside writes a list whose items have what the loop answered of them as a member.
// The answers are found again by their places, so that none is held.
func (b *builder) inside(ctx context.Context, r *run, into string, l *list) error {
	places := map[string][]at{}
	err := b.each(ctx, r, func(p *segment.Page, where at) error {
		switch {
		case p.Of == "":
		case p.Status == http.StatusOK:
			places[p.Of] = append(places[p.Of], where)
		case p.Status != http.StatusNotFound && p.Status != http.StatusGone:
			// Its members stay unknown, as of a group that nobody asked for.
			delete(places, p.Of)
		}
		return nil
	})
	if err != nil {
		return err
	}
	open := map[*Stored]*segment.Reader{} // apart from those that are read in order
	err = b.each(ctx, r, func(p *segment.Page, _ at) error {
		if p.Of != "" || !l.status(p) {
			return nil
		}
		a := l.split.page(trim(p.Body))
		l.head(&a)
		return l.each(&a, func(v []byte) error {
			where := places[idOf(v)]
			if len(where) == 0 {
				l.add(v)
				return l.s.over
			}
			return b.joined(ctx, v, into, where, open, l)
		})
	})
	if err != nil {
		return err
	}
	return l.end(nil)
}

// joined writes an item with the elements of its pages as a member.
func (b *builder) joined(ctx context.Context, item []byte, into string, where []at, open map[*Stored]*segment.Reader, l *list) (err error) {
	n, rest := 0, false
	var inner splitter // the list that item stands in is being taken apart
	l.add(withoutEnd(item, into), []byte(`"`+into+`":[`))
	for _, w := range where {
		rd := open[w.p.s]
		if rd == nil {
			if rd, err = w.p.s.Open(ctx); err != nil {
				return err
			}
			open[w.p.s] = rd
		}
		err = rd.Some(ctx, w.frame, w.frame, func(e *segment.Entry) error {
			if e.Index != w.index {
				return nil
			}
			a := inner.page(trim(e.Page.Body))
			rest = a.next || a.list == nil
			end, err := inner.elements(a.list, func(v []byte) error {
				if n++; n > 1 {
					l.s.text(",")
				}
				l.s.put(oneLine(v))
				return l.s.over
			})
			rest = rest || end < 0
			return err
		})
		if err != nil {
			return err
		}
	}
	l.s.text("]")
	if rest { // its last page says that there is more
		l.s.text(`,"` + into + `@odata.nextLink":"archive:unfinished"`)
	}
	l.s.text("}")
	return l.s.over
}

// withoutEnd is an object without its closing brace and without a member, ready for
// another one.
func withoutEnd(item []byte, but string) []byte {
	out := []byte{'{'}
	members(item, func(name, v []byte) bool {
		if string(name) != but {
			out = append(append(append(out, '"'), name...), '"', ':')
			out = append(append(out, v...), ',')
		}
		return true
	})
	return out
}
