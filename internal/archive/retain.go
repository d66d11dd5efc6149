package archive

import (
	"context"
	"time"

	"partnerguard/internal/archive/view"
	"partnerguard/internal/audit"
)

// sweptFor is how long the objects of removed segments are looked for: one that
// could not be removed then goes later.
const sweptFor = 90 * 24 * time.Hour

// Retain takes away what the policy no longer keeps: segments all of whose pages are
// older, but for what today's view of a list is still made of. Rows stay as
// tombstones, and the trail says when and by which policy. It gives how many went.
// By a clock that is wrong nothing goes, and the error says how it is.
func (a *Archive) Retain(ctx context.Context) (n int, err error) {
	if a.Right != nil {
		if err := a.Right(ctx); err != nil {
			return 0, err // what a clock that runs ahead takes for old is gone for good
		}
	}
	p, err := a.at(ctx)
	if err != nil {
		return 0, err
	}
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return 0, err
	}
	for _, t := range tenants {
		m, err := a.retain(ctx, p, t)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (a *Archive) retain(ctx context.Context, p *place, tenant string) (n int, err error) {
	now := a.Now()
	needed := map[string]bool{}
	if a.Config.Keep > 0 {
		v, err := view.New(ctx, view.Options{Tenant: tenant, Since: now}, a.stored(ctx, Query{Tenant: tenant}))
		if err != nil {
			return 0, err
		}
		needed = v.Segments
	}
	for s, err := range a.Segments(ctx, Query{Tenant: tenant}) {
		if err != nil {
			return n, err
		}
		switch {
		case !s.Removed.IsZero():
			if now.Sub(s.Removed) < sweptFor {
				err = p.remove(ctx, s.Object)
			}
		case a.Config.Keep > 0 && now.Sub(s.Last) > a.Config.Keep && !needed[s.Name]:
			if err = a.bury(ctx, &s); err == nil {
				n++
				err = p.remove(ctx, s.Object)
			}
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// bury writes the tombstone of a segment.
func (a *Archive) bury(ctx context.Context, s *Segment) error {
	policy := "archiveKeep " + a.Config.Keep.String()
	return a.DB.InTx(ctx, func(ctx context.Context) error {
		res, err := a.DB.ExecContext(ctx, setRemoved, a.Now().UnixMicro(), policy, s.Name)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // another process did
		}
		return a.Trail.Record(ctx, audit.Event{
			Action: audit.ArchiveRemoved, Outcome: audit.Done, Actor: a.Actor, Object: s.Name, Tenant: s.Tenant,
			Details: map[string]string{"policy": policy, "sha256": s.SHA256, "root": s.Root, "object": s.Object},
		})
	})
}
