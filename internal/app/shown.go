//go:build !judge

package app

import (
	"context"
	"io/fs"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/view"
)

// shown is a view of the archive with what is known beside it.
type shown struct {
	*view.View
	beside known
}

func (s *shown) known() known { return s.beside }

// Shown shows the archive as of a moment, for [Reading.Archive], with what people vouch
// for in the database, the exceptions in force, and what was to be read and was not.
func (i *Installation) Shown(ctx context.Context, a Archived) (fs.FS, error) {
	tenant, err := i.ArchiveTenant(ctx, a.Tenant)
	if err != nil {
		return nil, err
	}
	v, err := i.Archive.View(ctx, archive.ViewOf{Tenant: tenant, AsOf: a.AsOf, Since: a.Since})
	if err != nil {
		return nil, err
	}
	out := &shown{View: v}
	if out.beside.vouched, err = i.Posture.Vouched(ctx, tenant); err != nil {
		return nil, err
	}
	at := a.AsOf
	if at.IsZero() {
		at = i.Now()
	}
	return out, i.gapsOf(ctx, out, tenant, at, a.Since)
}

// gapsOf adds what was not read, as far as it lies in what is looked at.
func (i *Installation) gapsOf(ctx context.Context, s *shown, tenant string, at, since time.Time) error {
	if i.Collect == nil {
		return nil
	}
	gaps, err := i.Collect.Gaps(ctx, tenant, at)
	if err != nil {
		return err
	}
	for k := range gaps {
		g := &gaps[k]
		if g.Kind == "" || g.Interval() && (!g.To.After(since) || g.From.After(at)) {
			continue
		}
		s.beside.cuts = append(s.beside.cuts, g.Cut())
	}
	return nil
}
