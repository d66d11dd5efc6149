package archive

import (
	"context"
	"strconv"
	"time"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
)

// Writer gathers pages of one tenant for a segment. For one goroutine.
type Writer struct {
	a     *Archive
	made  time.Time
	name  string
	spool spool
	seg   *segment.Writer
	over  bool
}

// Begin begins a segment. Commit or Discard ends it.
func (a *Archive) Begin(tenant string) (*Writer, error) {
	now := a.Now()
	w := &Writer{a: a, made: now, name: newName(now)}
	seg, err := segment.NewWriter(&w.spool, w.name, tenant, now)
	if err != nil {
		return nil, err
	}
	w.seg = seg
	return w, nil
}

// Add adds a page; its body may be used again afterwards. What is refused leaves
// the rest as it was.
func (w *Writer) Add(p Page) error {
	if w.over {
		return ended()
	}
	return w.seg.Page(&p)
}

// End adds the end of a run.
func (w *Writer) End(r Run) error {
	if w.over {
		return ended()
	}
	return w.seg.Run(&r)
}

// Bytes is how large the segment is, about. A few MiB make a good one.
func (w *Writer) Bytes() int64 { return w.seg.Size() }

// Discard forgets what was added. After Commit it does nothing.
func (w *Writer) Discard() {
	w.over = true
	w.spool.close()
}

func ended() error { return problem.New(problem.Internal, "this segment has ended") }

// Commit writes the segment whole, and then in one transaction what with writes,
// the segment's row and its entry in the trail. After an error nothing of it
// stays. Where nothing was added, with alone runs. with may run more than once, and
// may be nil. The writer is over, either way.
func (w *Writer) Commit(ctx context.Context, with func(ctx context.Context) error) (Segment, error) {
	if w.over {
		return Segment{}, ended()
	}
	defer w.Discard()
	if w.a.DB.Tx(ctx) != nil {
		return Segment{}, problem.New(problem.Internal, "a segment is not committed within a transaction: the object comes before it")
	}
	if with == nil {
		with = func(context.Context) error { return nil }
	}
	if w.seg.Empty() {
		return Segment{}, w.a.DB.InTx(ctx, with)
	}
	done, err := w.seg.Close()
	if err != nil {
		return Segment{}, err
	}
	s := segmentOf(&done, w.made)
	p, err := w.a.at(ctx)
	if err != nil {
		return Segment{}, err
	}
	if _, err := w.a.DB.ExecContext(ctx, putPending, s.Name, s.Object, w.a.Now().UnixMicro(), s.Size, s.SHA256); err != nil {
		return Segment{}, problem.Wrap(err, problem.Internal, "the database does not take a segment")
	}
	if err := p.put(ctx, s.Object, w.spool.reader(s.Size)); err != nil {
		w.a.undo(ctx, p, s)
		return Segment{}, err
	}
	if err := w.a.DB.InTx(ctx, func(ctx context.Context) error { return w.a.enter(ctx, &s, with) }); err != nil {
		return w.a.settle(ctx, p, s, err)
	}
	return s, nil
}

// enter is the transaction of a commit. The trail comes last but for the place in
// it, as its head is locked from there on.
func (a *Archive) enter(ctx context.Context, s *Segment, with func(context.Context) error) error {
	if err := with(ctx); err != nil {
		return err
	}
	res, err := a.DB.ExecContext(ctx, endPending, s.Name)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return problem.Wrap(err, problem.Conflict, "the segment %s took so long that it was cleaned away", s.Name).WithHint("it is read again")
	}
	if err := a.insert(ctx, s); err != nil {
		return err
	}
	if err := a.Trail.Record(ctx, a.kept(s)); err != nil {
		return err
	}
	head, err := a.Trail.Head(ctx)
	if err != nil {
		return err
	}
	s.Seq = head.Seq
	_, err = a.DB.ExecContext(ctx, setSeq, s.Seq, s.Name)
	return err
}

// kept is the entry of the trail.
func (a *Archive) kept(s *Segment) audit.Event {
	return audit.Event{
		Action: audit.ArchiveKept, Outcome: audit.Done, Actor: a.Actor, Object: s.Name, Tenant: s.Tenant,
		Details: map[string]string{
			"object": s.Object, "sha256": s.SHA256, "root": s.Root, "size": strconv.FormatInt(s.Size, 10),
			"entries": strconv.FormatInt(s.Entries, 10), "pages": strconv.Itoa(s.Pages),
		},
	}
}

// leaving bounds what is put away after a failure, whose context may be over.
const leaving = 10 * time.Second

// settle finds out what became of a transaction that failed: a commit whose answer
// was lost is no failure.
func (a *Archive) settle(ctx context.Context, p *place, s Segment, why error) (Segment, error) {
	after, stop := context.WithTimeout(context.WithoutCancel(ctx), leaving)
	defer stop()
	got, err := a.Segment(after, s.Name)
	switch {
	case err == nil:
		return got, nil
	case missing(err):
		a.undo(ctx, p, s)
	default:
		a.Log.WarnContext(ctx, "a segment stays until it is known what became of it", "segment", s.Name)
	}
	return Segment{}, why
}

// undo takes an object away again and, when it is gone, its pending row. What
// cannot be done now is done by [Archive.Clean].
func (a *Archive) undo(ctx context.Context, p *place, s Segment) {
	after, stop := context.WithTimeout(context.WithoutCancel(ctx), leaving)
	defer stop()
	err := p.remove(after, s.Object)
	if err == nil {
		_, err = a.DB.ExecContext(after, endPending, s.Name)
	}
	if err != nil {
		a.Log.WarnContext(ctx, "what was written of a segment stays until it is cleaned away", "segment", s.Name)
	}
}
