package view

import (
	"context"
	"net/http"
	"slices"
	"time"

	"partnerguard/internal/archive/segment"
)

// resource adds the files of one resource.
func (b *builder) resource(ctx context.Context, v *View, name string) error {
	runs := b.resources[name]
	way, err := b.way(ctx, runs)
	if err != nil {
		return err
	}
	k := formOf(name, way == segment.Sliced)
	var l List
	var refusal *run
	if way == segment.Sliced {
		l, refusal = b.log(v, name, k, runs)
	} else {
		l, refusal = b.list(v, name, k, runs)
	}
	if refusal != nil {
		l.Refused = refusal.end.Refused
		v.Runs[refusal.id] = true
		if refusal.pages > 0 {
			file := k.file + ".refused.json"
			v.add(file, refusal.last, []*run{refusal}, func(ctx context.Context, s *sink) error { return b.refusal(ctx, refusal, s) })
			if l.File == "" {
				l.File, l.Run, l.At = file, refusal.id, refusal.last
			}
		}
	}
	if l.File != "" || l.Refused != "" {
		l.Resource = name
		v.Lists = append(v.Lists, l)
	}
	return nil
}

// add adds a file made of runs.
func (v *View) add(name string, at time.Time, runs []*run, make func(context.Context, *sink) error) {
	var bytes int64
	var of []string
	for _, r := range runs {
		bytes += r.bytes
		of = append(of, r.id)
		v.Runs[r.id] = true
		for _, p := range r.parts {
			v.Segments[p.s.Name] = true
		}
	}
	v.files = append(v.files, file{name, at, bytes, make, of})
}

// list adds the file of a list, and gives the refusal that is newer.
func (b *builder) list(v *View, name string, k kept, runs []*run) (l List, refusal *run) {
	c := b.choose(runs)
	if c.runs == nil {
		return l, c.refusal
	}
	newest := c.runs[len(c.runs)-1]
	l = List{File: k.file + ".json", Run: newest.id, At: newest.first, Whole: c.whole, Why: c.why}
	if l.At.IsZero() {
		l.At = newest.ended()
	}
	for _, r := range c.runs {
		l.Pages += r.pages
		l.Bytes += r.bytes
	}
	v.add(l.File, l.At, c.runs, func(ctx context.Context, s *sink) error { return b.write(ctx, k, &c, s) })
	return l, c.refusal
}

// log adds the files of a log, one for each day of reading, and gives the refusal
// that is the newest reading.
func (b *builder) log(v *View, name string, k kept, runs []*run) (l List, refusal *run) {
	runs = slices.Clone(runs)
	slices.SortFunc(runs, later)
	whole := slices.ContainsFunc(runs, (*run).whole)
	days := map[string][]*run{}
	var order []string
	for _, r := range runs {
		if r.refused() {
			refusal = r
			continue
		}
		refusal = nil
		if r.pages == 0 || !b.o.Since.IsZero() && r.last.Before(b.o.Since) {
			continue
		}
		day := r.last.UTC().Format(time.DateOnly)
		if days[day] == nil {
			order = append(order, day)
		}
		days[day] = append(days[day], r)
		l.Pages += r.pages
		l.Bytes += r.bytes
		l.Run, l.At, l.Whole = r.id, r.last, whole
	}
	for i, day := range order {
		of, cut := days[day], !whole && i == len(order)-1
		file := "logs/" + k.file + "-" + day + ".jsonl"
		if i == 0 {
			l.File = file
		}
		last := of[0].last
		for _, r := range of {
			if r.last.After(last) {
				last = r.last
			}
		}
		v.add(file, last, of, func(ctx context.Context, s *sink) error {
			t := trace{name: file}
			defer v.keep(&t)
			return b.rows(ctx, of, k.loop, cut, s, &t)
		})
	}
	if cut := l.File != "" && !whole; cut {
		l.Why = "no reading of it came to an end"
	}
	for _, r := range slices.Backward(runs) { // which says that one did
		if r.whole() {
			v.Runs[r.id] = true
			break
		}
	}
	return l, refusal
}

// refusal writes what a service said when it refused.
func (b *builder) refusal(ctx context.Context, r *run, s *sink) error {
	return b.each(ctx, r, func(p *segment.Page, _ at) error {
		if p.Status != http.StatusOK {
			s.put(trim(p.Body), []byte{'\n'})
		}
		return s.over
	})
}

// rows writes a log as JSON lines: a line an element.
func (b *builder) rows(ctx context.Context, runs []*run, loop, cut bool, s *sink, t *trace) error {
	any, odata := false, []byte(nil)
	var split splitter
	for _, r := range runs {
		err := b.each(ctx, r, func(p *segment.Page, a at) error {
			if p.Status != http.StatusOK || loop && p.Of == "" {
				return s.over
			}
			t.page(p, a)
			body := trim(p.Body)
			pg := split.page(body)
			if odata == nil {
				odata = append(odata, pg.context...)
			}
			if pg.list == nil {
				any = true
				t.lines++
				s.put(oneLine(body), []byte{'\n'})
				return s.over
			}
			if text := pg.lines(); text != nil {
				any = true
				t.lines += len(pg.cuts)
				return s.lend(text)
			}
			end, err := split.of(&pg, func(v []byte) error {
				any = true
				t.lines++
				s.put(oneLine(v), []byte{'\n'})
				return s.over
			})
			if err != nil {
				return err
			}
			if end < 0 { // what was cut off in a page is seen by whoever reads the line
				any = true
				t.lines++
				s.put(oneLine(pg.list), []byte{'\n'})
			}
			return s.over
		})
		if err != nil {
			return err
		}
	}
	if !any && !cut { // a log without rows is an answer too
		s.put(emptied(odata))
	}
	if cut {
		if odata == nil {
			odata = []byte(`""`)
		}
		s.put([]byte(`{"@odata.context":`), odata, unfinished, []byte(`,"value":[]}`+"\n"))
	}
	return nil
}

// emptied is a page without elements.
func emptied(odata []byte) []byte {
	if odata == nil {
		return []byte(`{"value":[]}` + "\n")
	}
	return append(append([]byte(`{"@odata.context":`), odata...), `,"value":[]}`+"\n"...)
}

// unfinished is the next link of a reading that broke off.
var unfinished = []byte(`,"@odata.nextLink":"archive:unfinished"`)
