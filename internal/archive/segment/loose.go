package segment

import (
	"cmp"
	"context"
	"slices"
)

// Loose is an entry of a segment that is kept apart from the others, in a file of its own.
type Loose struct {
	Index int64 // in the segment
	Page  *Page // without its body; or
	Run   *Run
	Bytes int64                                 // of the body
	Body  func(context.Context) ([]byte, error) // of a page; what it gives is the caller's
}

// NewLoose reads what there is of a segment apart from it. Nothing is held to a root:
// whoever kept the entries apart proved them. A frame is an entry, and those of a run
// lie together.
func NewLoose(name, tenant string, entries []Loose) *Reader {
	r := &Reader{Manifest: Manifest{Format: Format, Name: name, Tenant: tenant, Frames: []Frame{}, Parts: []Part{}}, loose: slices.Clone(entries)}
	slices.SortStableFunc(r.loose, func(a, b Loose) int { return cmp.Or(cmp.Compare(a.run(), b.run()), cmp.Compare(a.Index, b.Index)) })
	for i, e := range r.loose {
		r.Frames = append(r.Frames, Frame{Entries: 1, Raw: e.Bytes, Size: e.Bytes})
		r.before = append(r.before, i)
		n := len(r.Parts)
		if n == 0 || r.Parts[n-1].Run != e.run() {
			r.Parts = append(r.Parts, Part{Run: e.run(), Frames: [2]int{i, i}})
			n++
		}
		p := &r.Parts[n-1]
		p.Frames[1] = i
		if e.Run != nil {
			p.Resource, p.End = e.Run.Resource, e.Run
			widen(&r.First, &r.Last, e.Run.Ended)
			continue
		}
		if p.Pages == 0 {
			p.Number = e.Page.Number
		}
		p.Resource = e.Page.Resource
		p.Pages++
		p.Bytes += e.Bytes
		r.Pages++
		r.Bytes += e.Bytes
		widen(&p.First, &p.Last, e.Page.At)
		widen(&r.First, &r.Last, e.Page.At)
	}
	return r
}

func (e *Loose) run() string {
	if e.Run != nil {
		return e.Run.ID
	}
	return e.Page.Run
}

// someLoose is Some of entries that lie apart.
func (r *Reader) someLoose(ctx context.Context, first, last int, each func(*Entry) error) error {
	for i := first; i <= last; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		l := &r.loose[i]
		e := &Entry{Index: l.Index, Run: l.Run}
		if l.Page != nil {
			p := *l.Page
			var err error
			if p.Body, err = l.Body(ctx); err != nil {
				return err
			}
			e.Page = &p
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}
