package archive

import (
	"context"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/problem"
)

// Read reads a segment from its start: each page to each, each end of a run to
// end, in the order in which they were added; nil leaves them out. Everything is
// held to the recorded root before it is given out. A page and its body are the
// reader's again when the function that got it returns.
func (a *Archive) Read(ctx context.Context, s Segment, each func(*Page) error, end func(*Run) error) error {
	r, err := a.reader(ctx, &s)
	if err != nil {
		return err
	}
	err = r.All(ctx, func(e *segment.Entry) error {
		if err := e.Check(); err != nil {
			return err
		}
		switch {
		case e.Page != nil && each != nil:
			return each(e.Page)
		case e.Run != nil && end != nil:
			return end(e.Run)
		}
		return nil
	})
	return inSegment(&s, err)
}

// Open gives what reads a segment's entries with their lines: held to the recorded root.
func (a *Archive) Open(ctx context.Context, s Segment) (*segment.Reader, error) {
	return a.reader(ctx, &s)
}

// reader opens a segment's object.
func (a *Archive) reader(ctx context.Context, s *Segment) (*segment.Reader, error) {
	if !s.Removed.IsZero() {
		return nil, problem.New(problem.NotFound, "the segment %s was removed by policy on %s", s.Name, s.Removed.Format("2006-01-02"))
	}
	p, err := a.at(ctx)
	if err != nil {
		return nil, err
	}
	r, err := segment.NewReader(ctx, object{p, s.Object}, s.Size, s.Root)
	if err != nil {
		return nil, inSegment(s, err)
	}
	if r.Name != s.Name || r.Tenant != s.Tenant {
		return nil, problem.New(problem.BadInput, "the object of the segment %s is that of another", s.Name)
	}
	return r, nil
}

// inSegment says in which segment something is wrong.
func inSegment(s *Segment, err error) error {
	if p, ok := err.(*problem.Error); ok && p.Kind == problem.BadInput { //nolint:errorlint // those of each pass as they are
		return problem.Wrap(err, problem.BadInput, "the segment %s is damaged: %s", s.Name, p.Public).WithHint("partnerguard archive verify says what else is")
	}
	return err
}
