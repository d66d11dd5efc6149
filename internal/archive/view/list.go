package view

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"partnerguard/internal/archive/segment"
)

// answered is what a page says of itself and its elements. It points into the page.
type answered struct {
	context []byte
	list    []byte // the array; nil: it has none
	items   bool   // under items, as Partner Center has it
	total   []byte
	next    bool
	ok      bool       // it is an object, or a list, from end to end
	cuts    [][2]int32 // where the elements of list lie, where that was kept
	one     bool       // no element has a line feed; only with cuts
}

func (s *splitter) page(b []byte) (a answered) {
	if i := space(b, 0); i < len(b) && b[i] == '[' {
		if end := s.list(b, i); end > 0 && space(b, end) == len(b) {
			a.ok = true
			s.found(&a, b[i:end])
		}
		return a
	}
	end := func(b []byte, i int) int {
		if i < len(b) && b[i] == '[' {
			return s.list(b, i)
		}
		return value(b, i)
	}
	a.ok = membersBy(b, end, func(name, v []byte) bool {
		switch string(name) {
		case "@odata.context":
			a.context = v
		case "value":
			if v[0] == '[' {
				s.found(&a, v)
			}
		case "items":
			if v[0] == '[' && a.list == nil {
				a.items = true
				s.found(&a, v)
			}
		case "totalCount":
			a.total = v
		case "@odata.nextLink", "nextLink":
			a.next = len(v) > 2
		}
		return true
	})
	return a
}

// trim takes the byte order mark away that Partner Center writes.
func trim(b []byte) []byte { return bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff"))) }

// list writes elements as the list that an export has.
type list struct {
	s     *sink
	began bool
	bare  bool // an array without a page around it
	items bool
	total []byte
	n     int
	cut   bool // something of it is missing
	split splitter
}

// head begins the list, in the form of its first page.
func (l *list) head(a *answered) {
	if l.began {
		return
	}
	l.began, l.items = true, a.items
	l.total = bytes.Clone(a.total)
	switch {
	case l.bare:
		l.s.text("[\n")
	case a.items:
		l.s.text(`{"items":[` + "\n")
	case a.context != nil:
		l.s.put([]byte(`{"@odata.context":`), a.context, []byte(`,"value":[`+"\n"))
	default:
		l.s.text(`{"value":[` + "\n")
	}
}

func (l *list) add(parts ...[]byte) {
	if !l.began {
		l.head(&answered{})
	}
	if l.n++; l.n > 1 {
		l.s.text(",\n")
	}
	for _, p := range parts {
		l.s.put(oneLine(p))
	}
}

// end ends the list; odata is the context of a page of it, where it is bare.
func (l *list) end(odata []byte) error {
	if l.bare && l.cut {
		if odata == nil {
			odata = []byte(`""`)
		}
		l.add([]byte(`{"@odata.context":`), odata, unfinished, []byte(`,"value":[]}`))
	}
	if !l.began {
		l.head(&answered{})
	}
	l.s.text("\n]")
	switch {
	case l.bare:
		l.s.text("\n")
		return l.s.over
	case l.items && l.total != nil:
		l.s.put([]byte(`,"totalCount":`), l.total)
	}
	if l.cut {
		if l.items {
			l.s.text(`,"links":{"next":{"uri":"archive:unfinished","method":"GET"}}`)
		} else {
			l.s.put(unfinished)
		}
	}
	l.s.text("}\n")
	return l.s.over
}

// status says whether a page has data. What is gone is no part of the list; what
// was refused is missing from it.
func (l *list) status(p *segment.Page) bool {
	if p.Status == http.StatusOK {
		return true
	}
	if p.Of == "" || p.Status != http.StatusNotFound && p.Status != http.StatusGone {
		l.cut = true
	}
	return false
}

// each gives the elements of a page; one that is no page is missing.
func (l *list) each(a *answered, take func([]byte) error) error {
	if a.list == nil || !a.ok {
		l.cut = true
		return l.s.over
	}
	end, err := l.split.of(a, take)
	if err == nil && end < 0 {
		l.cut = true
	}
	if err == nil {
		err = l.s.over
	}
	return err
}

// write writes a list in its form.
func (b *builder) write(ctx context.Context, k kept, c *chosen, s *sink) error {
	l := &list{s: s, cut: !c.whole}
	last := c.runs[len(c.runs)-1]
	switch k.form {
	case single:
		return b.object(ctx, last, s)
	case inside:
		return b.inside(ctx, last, k.into, l)
	case instead:
		return b.instead(ctx, last, l)
	case states, answers:
		return b.loop(ctx, last, k.form == answers, l)
	}
	if len(c.runs) > 1 || last.end != nil && last.end.Way == segment.Delta {
		return b.merged(ctx, c.runs, l)
	}
	plain := false // it is no list after all
	err := b.each(ctx, last, func(p *segment.Page, _ at) error {
		if !l.status(p) {
			return nil
		}
		body := trim(p.Body)
		a := l.split.page(body)
		if a.ok && a.list == nil && !l.began {
			plain = true
			s.put(body, []byte{'\n'})
			return s.over
		}
		l.head(&a)
		return l.each(&a, func(v []byte) error { l.add(v); return s.over })
	})
	if err != nil || plain {
		return err
	}
	return l.end(nil)
}

// object writes the newest answer of one object.
func (b *builder) object(ctx context.Context, r *run, s *sink) error {
	var body []byte
	err := b.each(ctx, r, func(p *segment.Page, _ at) error {
		if p.Status == http.StatusOK {
			body = append(body[:0], p.Body...)
		}
		return nil
	})
	if err == nil {
		s.put(trim(body), []byte{'\n'})
		err = s.over
	}
	return err
}

// loop writes the answers of a loop: pages as they are, or objects with the id of
// the item that each is of.
func (b *builder) loop(ctx context.Context, r *run, asPages bool, l *list) error {
	l.bare = asPages
	var odata []byte
	err := b.each(ctx, r, func(p *segment.Page, _ at) error {
		body := trim(p.Body)
		switch {
		case p.Of == "":
			_ = l.status(p)
			return nil
		case p.Status != http.StatusOK:
			if !l.status(p) && p.Status != http.StatusNotFound && p.Status != http.StatusGone && len(body) > 0 && body[0] == '{' && l.split.page(body).ok {
				l.add(body)
			}
			return l.s.over
		}
		a := l.split.page(body)
		if !a.ok {
			l.cut = true
			return nil
		}
		if odata == nil {
			odata = append(odata, a.context...)
		}
		if asPages {
			l.add(body)
			return l.s.over
		}
		l.add(withID(p.Of, body))
		return l.s.over
	})
	if err != nil {
		return err
	}
	return l.end(odata)
}

// withID is an object with an id and without its annotations.
func withID(id string, body []byte) []byte {
	quoted, _ := json.Marshal(id) // of a text
	out := append([]byte(`{"id":`), quoted...)
	members(body, func(name, v []byte) bool {
		if string(name) != "id" && !bytes.HasPrefix(name, []byte("@odata.")) {
			out = append(append(append(out, ',', '"'), name...), '"', ':')
			out = append(out, v...)
		}
		return true
	})
	return append(out, '}')
}

// idOf is the id of an element, as it is written between its quotes.
func idOf(v []byte) (id string) {
	members(v, func(name, val []byte) bool {
		if string(name) != "id" || len(val) < 2 || val[0] != '"' {
			return true
		}
		id = string(val[1 : len(val)-1])
		return false
	})
	return id
}

// instead writes a list whose items stand as the loop answered them, and as the
// list has them where it did not.
func (b *builder) instead(ctx context.Context, r *run, l *list) error {
	have := map[string]bool{}
	err := b.each(ctx, r, func(p *segment.Page, _ at) error {
		if p.Of != "" && p.Status == http.StatusOK {
			have[p.Of] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = b.each(ctx, r, func(p *segment.Page, _ at) error {
		if p.Of != "" {
			if p.Status == http.StatusOK {
				l.add(trim(p.Body))
			}
			return l.s.over
		}
		if !l.status(p) {
			return nil
		}
		a := l.split.page(trim(p.Body))
		l.head(&a)
		return l.each(&a, func(v []byte) error {
			if !have[idOf(v)] {
				l.add(v)
			}
			return l.s.over
		})
	})
	if err != nil {
		return err
	}
	return l.end(nil)
}
