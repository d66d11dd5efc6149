package fold

import (
	"context"
	"slices"
	"time"

	"partnerguard/internal/lenient"
	"partnerguard/internal/signin"
)

// Clocks written as people write them can only be read once the whole input
// was seen: one date with a day past twelve settles all others. Rows with such
// a clock keep its text, and the fold resolves it at the end.

// sourceClocks is what one input taught about its clocks.
type sourceClocks struct {
	dates     lenient.Dates
	ambiguous int64  // rows whose day and month could be exchanged
	zone      int64  // rows in the local time of whoever exported
	first     uint32 // place of the first of either
	firstAt   uint32
}

func (c *sourceClocks) join(o *sourceClocks) {
	c.dates.Join(o.dates)
	if o.ambiguous+o.zone > 0 && (c.ambiguous+c.zone == 0 || o.first < c.first || o.first == c.first && o.firstAt < c.firstAt) {
		c.first, c.firstAt = o.first, o.firstAt
	}
	c.ambiguous += o.ambiguous
	c.zone += o.zone
}

// learn takes note of a clock that is not exact.
func (s *store) learn(id uint32, e *signin.Event, src signin.SourceRef) {
	one := sourceClocks{first: uint32(src.Line), firstAt: uint32(src.Index)}
	one.dates.Learn(e.CreatedRaw)
	switch e.Clock {
	case signin.ClockAmbiguous:
		one.ambiguous = 1
	case signin.ClockZoneUnknown:
		one.zone = 1
	}
	s.joinClocks(id, &one)
}

func (s *store) joinClocks(id uint32, o *sourceClocks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.clocks) <= int(id) {
		s.clocks = append(s.clocks, sourceClocks{})
	}
	s.clocks[id].join(o)
}

// lateClock reads the clock of a row by what its input taught. ambiguous says
// that nothing decides it; the time is then the likelier one.
func (s *store) lateClock(r *row) (t time.Time, ambiguous bool) {
	return s.clocks[r.source].dates.Parse(r.text[colCreatedRaw])
}

// resolve reads a late clock; false means that the row is out of range.
func (f *Fold) resolve(r *row) bool {
	t, ambiguous := f.st.lateClock(r)
	if ambiguous || t.IsZero() {
		return true
	}
	if !f.opt.takes(t) {
		return false
	}
	r.flags |= flagCreated
	r.created = clockOf(t)
	return true
}

// takes reports that a clock is within Since and Until.
func (o *Options) takes(t time.Time) bool {
	return (o.Since.IsZero() || !t.Before(o.Since)) && (o.Until.IsZero() || t.Before(o.Until))
}

// linkLate turns the links of rows with late clocks into ordinary ones. An
// order that nothing decides does not matter here: both ends of a session are
// read alike.
func (f *Fold) linkLate(ctx context.Context) error {
	f.lateBlocks = f.sealLinks(f.late, f.lateBlocks)
	f.late = nil
	var r row
	var buf, rowBuf []byte
	var prompts, successes []link
	for _, id := range f.lateBlocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, scratch, err := f.st.read(id, 0, int(f.st.pages[id].size), buf)
		if err != nil {
			return err
		}
		buf = scratch
		for ; len(b) > 0; b = b[linkBytes:] {
			l := *linkAt(b)
			if rowBuf, err = f.st.load(l.ref, &r, rowBuf); err != nil {
				return err
			}
			t, ambiguous := f.st.lateClock(&r)
			if t.IsZero() || !ambiguous && !f.opt.takes(t) {
				continue
			}
			r.created, r.flags = clockOf(t), r.flags|flagCreated
			when, ok := sessionClock(&r)
			if !ok {
				continue
			}
			success := l.when & 1
			if l.when = when<<1 | success; success != 0 {
				successes = append(successes, l)
			} else {
				prompts = append(prompts, l)
			}
		}
		f.promptBlocks, f.successBlocks = f.sealLinks(prompts, f.promptBlocks), f.sealLinks(successes, f.successBlocks)
		prompts, successes = prompts[:0], successes[:0]
	}
	return nil
}

// clockNotes tells of the inputs with unread clocks, in input order.
func (f *Fold) clockNotes() (notes []signin.ClockNote) {
	st := f.st
	order := make([]int, 0, len(st.clocks))
	for id := range st.clocks {
		order = append(order, id)
	}
	slices.SortFunc(order, func(a, b int) int { return st.rank[a] - st.rank[b] })
	for _, id := range order {
		c := &st.clocks[id]
		src := st.sources[id].Source
		src.Line, src.Index = int(c.first), int(c.firstAt)
		if c.zone > 0 {
			notes = append(notes, signin.ClockNote{Source: src, Rows: c.zone, LocalTime: true})
		}
		if o := c.dates.Order(); c.ambiguous > 0 && (o == lenient.Undecided || o == lenient.Contrary) {
			notes = append(notes, signin.ClockNote{Source: src, Rows: c.ambiguous, Contrary: o == lenient.Contrary})
		}
	}
	return notes
}
