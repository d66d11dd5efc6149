//go:build !judge

package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/evidence"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
)

// recordMaker is a maker that wants to see rows of logs as they are written.
type recordMaker interface {
	maker
	record(kind evidence.Kind, raw []byte, src evidence.Source)
}

// recordsOf is what shows rows to all makers that want them; nil where none does.
func recordsOf(list []maker) func(evidence.Kind, []byte, evidence.Source) {
	var want []recordMaker
	for _, m := range list {
		if r, ok := m.(recordMaker); ok {
			want = append(want, r)
		}
	}
	if len(want) == 0 {
		return nil
	}
	return func(kind evidence.Kind, raw []byte, src evidence.Source) {
		for _, m := range want {
			m.record(kind, raw, src)
		}
	}
}

// useMaker makes of a customer's judgement what the partner was seen doing there, and joins
// it with what was seen before.
type useMaker struct {
	i    *Installation
	mu   sync.Mutex
	fold *use.Fold
}

func newUseMaker(i *Installation) *useMaker { return &useMaker{i: i, fold: use.New(use.Options{})} }

func (*useMaker) visitor(whereIs) signin.Visitor { return nil }

func (m *useMaker) record(kind evidence.Kind, raw []byte, src evidence.Source) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.fold.Take(kind, raw, src) // a row that cannot be read is counted, and its log is not whole
}

func (m *useMaker) parts(ctx context.Context, j *Judged, tenant string) (map[string]any, error) {
	tenant = strings.ToLower(tenant)
	since := j.Report.AsOf.Add(-m.i.postureSpan())
	m.fold.Held(heldIn(j.Facts))
	now := m.fold.Part(j.Facts.Inputs)
	now.Tenant = tenant
	spans, err := m.i.readSpans(ctx, tenant, auditsOf)
	if err != nil {
		return nil, err
	}
	if now.Log(evidence.DirectoryAudit).Lost > 0 {
		spans = nil // nobody knows whose rows these were, or of when
	}
	now.Covered(evidence.DirectoryAudit, spans)
	old, _, err := snapshot.Get[use.Part](ctx, m.i.Snapshot, tenant, use.PartName)
	if err != nil && !errors.Is(err, problem.NotFound) && !errors.Is(err, snapshot.ErrBroken) {
		return nil, err
	}
	return map[string]any{use.PartName: use.Merge(old, now, since)}, nil
}

// ownUseMaker makes of the partner's judgement what its own records say of its customers.
type ownUseMaker struct {
	i   *Installation
	own partnerUse
}

func newOwnUseMaker(i *Installation) *ownUseMaker {
	return &ownUseMaker{i: i, own: partnerUse{folds: map[string]*use.Fold{}}}
}

func (*ownUseMaker) visitor(whereIs) signin.Visitor { return nil }

func (m *ownUseMaker) record(kind evidence.Kind, raw []byte, src evidence.Source) {
	m.own.take(kind, raw, src)
}

func (m *ownUseMaker) parts(ctx context.Context, j *Judged, tenant string) (map[string]any, error) {
	old, _, err := snapshot.Get[use.Own](ctx, m.i.Snapshot, strings.ToLower(tenant), use.OwnName)
	if err != nil && !errors.Is(err, problem.NotFound) && !errors.Is(err, snapshot.ErrBroken) {
		return nil, err
	}
	since := j.Report.AsOf.Add(-m.i.postureSpan())
	all := map[string]*use.Part{}
	for customer, f := range m.own.folds {
		all[customer] = f.Part(j.Facts.Inputs)
	}
	if old != nil {
		for _, p := range old.Parts {
			now := all[p.Tenant]
			if now == nil {
				now = use.New(use.Options{Tenant: p.Tenant}).Part(nil)
			}
			all[p.Tenant] = use.Merge(p, now, since)
		}
	}
	out := &use.Own{Parts: []*use.Part{}}
	for _, p := range all {
		if len(p.Acts) > 0 {
			out.Parts = append(out.Parts, p)
		}
	}
	slices.SortFunc(out.Parts, func(a, b *use.Part) int { return strings.Compare(a.Tenant, b.Tenant) })
	return map[string]any{use.OwnName: out}, nil
}

// postureSpan is how far back logs are judged.
func (i *Installation) postureSpan() time.Duration {
	if i.Config.Posture.Span > 0 {
		return i.Config.Posture.Span
	}
	return posture.DefaultSpan
}

// readSpans are the times of which a log of a tenant was read whole, as the archive knows.
func (i *Installation) readSpans(ctx context.Context, tenant, resource string) (spans []use.Span, err error) {
	for s, err := range i.Archive.Segments(ctx, archive.Query{Tenant: tenant, Resource: resource}) {
		if err != nil {
			return nil, err
		}
		for _, p := range s.Runs {
			if p.Resource == resource && p.End != nil && p.End.Whole && s.Removed.IsZero() {
				spans = append(spans, use.Span{From: p.End.From, To: p.End.To})
			}
		}
	}
	return spans, nil
}

// RecommendFrom makes what a recommendation is made of out of what was collected and judged;
// said is what was chosen for a job, in words. Kind problem.NotFound where nothing was yet.
func (i *Installation) RecommendFrom(ctx context.Context, q RecommendQuestion) (in recommend.Input, said string, err error) {
	inv, err := i.Inventory(ctx)
	if err != nil {
		return in, "", err
	}
	people := map[string]string{}
	for id, p := range inv.People {
		if p.UPN != "" {
			people[strings.ToLower(p.UPN)] = id
		}
	}
	in = recommend.Input{Inventory: inv, Use: map[string]*use.Part{}, Days: q.Days, To: q.AsOf}
	if in.To.IsZero() { // the last whole day: what was done since counts, and is not said to be all
		in.To, in.Latest = i.Now().UTC().Truncate(24*time.Hour), i.Now().UTC()
	}
	for x, err := range snapshot.All[use.Part](ctx, i.Snapshot, use.PartName) {
		if err != nil && x.Tenant == "" {
			return in, "", err
		}
		if err == nil { // one that cannot be read is made anew, and the customer is not judged until then
			in.Use[x.Tenant] = x.Part
		}
	}
	for x, err := range snapshot.All[use.Own](ctx, i.Snapshot, use.OwnName) {
		if err != nil {
			continue // as above
		}
		for _, p := range x.Part.Parts {
			if had := in.Use[p.Tenant]; had != nil {
				in.Use[p.Tenant] = had.Join(p, people)
			}
		}
	}
	if q.kept, err = i.keptPins(ctx); err != nil {
		return in, "", err
	}
	said, err = q.fill(&in)
	return in, said, err
}

// keptPins are the pins of this installation, each held to its mark. Where there are some and
// the vault is closed it is an error of kind problem.Unavailable: without them a pinned role
// would be told as one that goes.
func (i *Installation) keptPins(ctx context.Context) ([]recommend.Pin, error) {
	if list, err := i.Mover.Pins(ctx); err != nil || len(list) == 0 {
		return nil, err
	}
	return i.Mover.Pinned(ctx)
}
