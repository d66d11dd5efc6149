//go:build !judge

package app

import (
	"context"

	"partnerguard/internal/practice"
	"partnerguard/internal/practice/pages"
	"partnerguard/internal/practice/render"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
)

// practiceMaker makes how the best practices stand by the partner's own facts. What
// customers' tenants say is not at hand when the partner is judged, and is unknown.
type practiceMaker struct{}

func (practiceMaker) visitor(whereIs) signin.Visitor { return nil }

func (practiceMaker) parts(_ context.Context, j *Judged, _ string) (map[string]any, error) {
	r := render.Settled(j.practices(nil, nil))
	r.Inputs = nil // the page of collection has them
	return map[string]any{pages.PartName: r}, nil
}

// practicePages are the pages of the best practices, over the snapshot.
func (i *Installation) practicePages() pager {
	return &pages.Pages{Report: func(ctx context.Context) (*practice.Report, error) {
		t, err := i.Collect.Tenant(ctx, "partner")
		if err != nil {
			return nil, err
		}
		r, _, err := snapshot.Get[practice.Report](ctx, i.Snapshot, t.ID, pages.PartName)
		return r, err
	}}
}
