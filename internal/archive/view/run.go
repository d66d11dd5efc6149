package view

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/archive/segment"
)

// run is one reading, over the segments that have something of it.
type run struct {
	id       string
	resource string
	end      *segment.Run // nil: it did not end up to the moment
	parts    []part
	pages    int
	bytes    int64
	first    time.Time
	last     time.Time
	gone     bool // policy removed something of it
}

// part is what a segment has of a run.
type part struct {
	s      *Stored
	frames [2]int
}

// ended is when it ended, or its newest page where it did not.
func (r *run) ended() time.Time {
	if r.end != nil {
		return r.end.Ended
	}
	return r.last
}

// whole reports that it was read to its end and that all of it is here: a segment that
// nobody knows of any more may have had pages of it.
func (r *run) whole() bool {
	return r.end != nil && r.end.Whole && r.end.Refused == "" && !r.gone && r.pages >= r.end.Pages
}

func (r *run) refused() bool { return r.end != nil && r.end.Refused != "" }

// builder gathers runs.
type builder struct {
	o         Options
	runs      map[string]*run
	resources map[string][]*run
}

// take adds what a segment has.
func (b *builder) take(s Stored) {
	kept := &s
	for _, p := range s.Parts {
		if b.later(p.First) && (p.End == nil || b.later(p.End.Ended)) {
			continue // of after the moment
		}
		r := b.runs[p.Run]
		if r == nil {
			r = &run{id: p.Run, resource: p.Resource}
			b.runs[p.Run] = r
			b.resources[p.Resource] = append(b.resources[p.Resource], r)
		}
		if p.End != nil && !b.later(p.End.Ended) {
			r.end = p.End
		}
		if s.Gone && p.Pages > 0 {
			r.gone = true
		}
		if s.Gone {
			continue
		}
		r.parts = append(r.parts, part{kept, p.Frames})
		if p.Pages == 0 {
			continue
		}
		r.pages += p.Pages
		r.bytes += p.Bytes
		if r.first.IsZero() || p.First.Before(r.first) {
			r.first = p.First
		}
		if last := p.Last; last.After(r.last) {
			r.last = last
			if b.later(last) {
				r.last = b.o.AsOf
			}
		}
	}
}

// later reports a moment behind that of the view.
func (b *builder) later(at time.Time) bool { return !b.o.AsOf.IsZero() && at.After(b.o.AsOf) }

// at is where an entry lies.
type at struct {
	p     part
	frame int
	index int64
}

// each gives the pages of a run in order, each number once.
func (b *builder) each(ctx context.Context, r *run, take func(*segment.Page, at) error) error {
	next := 0
	for _, p := range r.parts {
		rd, err := p.s.Open(ctx)
		if err != nil {
			return err
		}
		frame, left := p.frames[0], 0
		if frame < len(rd.Frames) {
			left = rd.Frames[frame].Entries
		}
		err = rd.Some(ctx, p.frames[0], p.frames[1], func(e *segment.Entry) error {
			for left == 0 {
				frame++
				left = rd.Frames[frame].Entries
			}
			left--
			if e.Page == nil || e.Page.Run != r.id || e.Page.Number < next || b.later(e.Page.At) {
				return nil
			}
			next = e.Page.Number + 1
			return take(e.Page, at{p, frame, e.Index})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// way finds out how a resource is read: by a run that ended, or by a page.
func (b *builder) way(ctx context.Context, runs []*run) (string, error) {
	for _, r := range slices.Backward(runs) {
		if r.end != nil {
			return r.end.Way, nil
		}
	}
	way := segment.Whole
	for _, r := range runs {
		err := b.each(ctx, r, func(p *segment.Page, _ at) error {
			switch {
			case !p.From.IsZero() || !p.To.IsZero():
				way = segment.Sliced
			case strings.Contains(p.Request, "/delta"):
				way = segment.Delta
			}
			return errEnough
		})
		if errors.Is(err, errEnough) {
			break
		}
		if err != nil {
			return "", err
		}
	}
	return way, nil
}

// chosen is what is shown of a list.
type chosen struct {
	runs    []*run // the base first, then the changes, in order
	whole   bool
	why     string
	refusal *run // newer than what is shown, or all there is
}

// choose takes the newest whole reading, else the newest that has something.
func (b *builder) choose(runs []*run) (c chosen) {
	runs = slices.Clone(runs)
	slices.SortFunc(runs, later)
	for _, r := range slices.Backward(runs) {
		if r.whole() {
			c.runs, c.whole, c.why = b.chain(r)
			break
		}
		if c.refusal == nil && r.refused() {
			c.refusal = r
		}
	}
	if c.runs != nil {
		return c
	}
	for _, r := range slices.Backward(runs) {
		if !r.refused() && r.pages > 0 {
			c.runs, c.why = []*run{r}, "its reading did not come to an end"
			if r.gone {
				c.why = "policy removed a part of it"
			} else if r.end != nil && r.end.Why != "" {
				c.why = r.end.Why
			}
			break
		}
	}
	return c
}

// chain goes back from a reading of changes to the whole list.
func (b *builder) chain(r *run) (runs []*run, whole bool, why string) {
	seen := map[string]bool{}
	for {
		runs = append(runs, r)
		seen[r.id] = true
		if r.end == nil || r.end.Base == "" {
			break
		}
		base := b.runs[r.end.Base]
		if base == nil || seen[base.id] || base.resource != r.resource || !base.whole() {
			slices.Reverse(runs)
			return runs, false, "the reading that its changes go on from is not in the archive"
		}
		r = base
	}
	slices.Reverse(runs)
	return runs, true, ""
}
