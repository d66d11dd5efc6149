//go:build !judge

package app

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/segment"
	"partnerguard/internal/collect"
	"partnerguard/internal/practice"
	"partnerguard/internal/problem"
)

// auditLog is the resource of the directory's audit log.
const auditLog = "directoryAudits"

// keptSpan is how far back it is looked for what is kept of a log: longer than any practice
// asks for.
const keptSpan = 60 * 24 * time.Hour

// listsAlone are a tenant's lists in the archive, without its logs: those of every customer
// are too much to read for each judgement of the partner.
type listsAlone struct{ *shown }

// ReadDir implements [fs.ReadDirFS].
func (l listsAlone) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := l.shown.ReadDir(name)
	return slices.DeleteFunc(all, func(e fs.DirEntry) bool { return name == "." && e.IsDir() && e.Name() == "logs" }), err
}

// practicesBeside implements [besidePractices].
func (s *shown) practicesBeside(ctx context.Context, asOf time.Time) ([]CustomerFolder, *practice.Own, error) {
	if s.house == nil {
		return nil, nil, nil
	}
	return s.house.practicesBeside(ctx, s.View.Tenant, asOf)
}

// practicesBeside are the lists of the customers that are collected, where the tenant is the
// partner's, and what is kept of its audit log.
func (i *Installation) practicesBeside(ctx context.Context, tenant string, asOf time.Time) (out []CustomerFolder, own *practice.Own, err error) {
	own, err = i.auditsKept(ctx, tenant, asOf)
	if err != nil {
		return nil, nil, err
	}
	t, err := i.Collect.Tenant(ctx, tenant)
	if errors.Is(err, problem.NotFound) || err == nil && !t.Partner {
		return nil, own, nil
	}
	if err != nil {
		return nil, nil, err
	}
	all, err := i.Collect.Tenants(ctx)
	if err != nil {
		return nil, nil, err
	}
	kept, err := i.Archive.Tenants(ctx)
	if err != nil {
		return nil, nil, err
	}
	all = slices.DeleteFunc(all, func(c collect.Tenant) bool { return c.Partner || !slices.Contains(kept, c.ID) })
	for k := range all {
		lists, err := i.shown(ctx, Archived{Tenant: all[k].ID, AsOf: asOf, Since: asOf})
		if errors.Is(err, problem.NotFound) {
			continue // nothing was kept of it by then
		}
		if err != nil {
			return nil, nil, err
		}
		c := CustomerFolder{Tenant: strings.ToLower(all[k].ID), Path: FromArchive + all[k].ID, files: listsAlone{lists}}
		if c.own, err = i.auditsKept(ctx, all[k].ID, asOf); err != nil {
			return nil, nil, err
		}
		out = append(out, c)
	}
	return out, own, nil
}

// auditsKept says since when audit rows of a tenant are kept without a gap: as far back from
// the newest reading as each begins before the next ended. What was removed is not kept.
func (i *Installation) auditsKept(ctx context.Context, tenant string, asOf time.Time) (*practice.Own, error) {
	var spans []segment.Run
	for s, err := range i.Archive.Segments(ctx, archive.Query{Tenant: tenant, Resource: auditLog, From: asOf.Add(-keptSpan), To: asOf.Add(time.Microsecond)}) {
		if err != nil {
			return nil, err
		}
		for k := range s.Runs {
			if r := s.Runs[k].End; r != nil && r.Resource == auditLog && r.Whole && s.Removed.IsZero() && !r.Ended.After(asOf) {
				spans = append(spans, *r)
			}
		}
	}
	slices.SortFunc(spans, func(a, b segment.Run) int { return b.To.Compare(a.To) })
	own := &practice.Own{}
	for k := range spans {
		r := &spans[k]
		switch {
		case k == 0:
			own.KeptFrom, own.KeptUntil = r.From, r.To
		case r.To.Before(own.KeptFrom):
		case r.From.Before(own.KeptFrom):
			own.KeptFrom = r.From
		}
	}
	gaps, err := i.Collect.Gaps(ctx, tenant, asOf)
	if err != nil {
		return nil, err
	}
	for k := range gaps {
		if g := &gaps[k]; g.Resource == auditLog && g.Interval() && g.Lost && g.To.After(asOf.AddDate(0, 0, -logDays)) {
			own.Gaps = append(own.Gaps, "the rows from "+g.From.Format(time.DateTime)+" to "+g.To.Format(time.DateTime)+" are lost: "+g.Why)
		}
	}
	return own, nil
}
