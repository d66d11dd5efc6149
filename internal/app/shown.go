//go:build !judge

package app

import (
	"context"
	"io/fs"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/evidence"
)

// shown is a view of the archive with what is known beside it.
type shown struct {
	*view.View
	beside known
	gaps   []evidence.Input
	house  *Installation
}

// Lacking implements [lacking].
func (s *shown) Lacking() []evidence.Input { return s.gaps }

func (s *shown) known() known { return s.beside }

// Shown shows the archive as of a moment, for [Reading.Archive], with what people vouch
// for in the database, the exceptions in force, and what was to be read and was not.
func (i *Installation) Shown(ctx context.Context, a Archived) (fs.FS, error) {
	s, err := i.shown(ctx, a)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (i *Installation) shown(ctx context.Context, a Archived) (*shown, error) {
	tenant, err := i.ArchiveTenant(ctx, a.Tenant)
	if err != nil {
		return nil, err
	}
	v, err := i.Archive.View(ctx, archive.ViewOf{Tenant: tenant, AsOf: a.AsOf, Since: a.Since})
	if err != nil {
		return nil, err
	}
	out := &shown{View: v, house: i}
	if out.beside.vouched, err = i.Posture.Vouched(ctx, tenant, a.AsOf); err != nil {
		return nil, err
	}
	out.gaps, err = i.gapInputs(ctx, v.Tenant, a)
	return out, err
}
