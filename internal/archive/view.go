package archive

import (
	"context"
	"iter"
	"time"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/problem"
)

// ViewOf says what a view shows.
type ViewOf struct {
	Tenant string    // required
	AsOf   time.Time // what was answered later is left out; zero: nothing is
	Since  time.Time // of logs, what was answered earlier is left out; zero: nothing is
	Apart  bool      // the same evidence shows the same files wherever it lies, as [view.Options] says
}

// View shows the archive as the export that would have been made at a moment. Its
// files are read with ctx. Kind problem.NotFound where nothing of the tenant is kept.
func (a *Archive) View(ctx context.Context, o ViewOf) (*view.View, error) {
	q := Query{Tenant: o.Tenant}
	if !o.AsOf.IsZero() {
		q.To = o.AsOf.Add(time.Microsecond)
	}
	v, err := view.New(ctx, view.Options{Tenant: o.Tenant, AsOf: o.AsOf, Since: o.Since, Apart: o.Apart}, a.stored(ctx, q))
	if err != nil {
		return nil, err
	}
	if len(v.Lists) == 0 {
		p := problem.New(problem.NotFound, "the archive has nothing of the tenant %s", o.Tenant)
		if !o.AsOf.IsZero() {
			p = problem.New(problem.NotFound, "the archive has nothing of the tenant %s from before %s", o.Tenant, o.AsOf.UTC().Format("2006-01-02 15:04"))
		}
		return nil, p.WithHint("partnerguard archive list says what there is; partnerguard collect --now reads more")
	}
	return v, nil
}

// stored are segments as a view takes them.
func (a *Archive) stored(ctx context.Context, q Query) iter.Seq2[view.Stored, error] {
	return func(yield func(view.Stored, error) bool) {
		for s, err := range a.Segments(ctx, q) {
			of := view.Stored{
				Name: s.Name, Seq: s.Seq, Parts: s.Runs, Gone: !s.Removed.IsZero(),
				Open: func(ctx context.Context) (*segment.Reader, error) { return a.reader(ctx, &s) },
			}
			if !yield(of, err) || err != nil {
				return
			}
		}
	}
}
