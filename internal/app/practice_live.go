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

// practiceMaker makes how the best practices stand by the partner's own facts, and by the
// lists of the customers that are collected.
type practiceMaker struct{ i *Installation }

func (practiceMaker) visitor(whereIs) signin.Visitor { return nil }

// mostInRound is of how many customers the lists are read for the page, after each round: what
// is read of one takes some milliseconds, and a round must not wait for a thousand.
const mostInRound = 100

func (m practiceMaker) parts(ctx context.Context, j *Judged, tenant string) (map[string]any, error) {
	folders, own, err := m.i.practicesBeside(ctx, tenant, j.Report.AsOf)
	if err != nil {
		return nil, err
	}
	if len(folders) > mostInRound { // of the others it is not known; practices --from archive: reads all
		folders = folders[:mostInRound]
	}
	customers, err := customersRead(ctx, Reading{From: []string{FromArchive + tenant}, Now: m.i.Now()}, j, folders)
	if err != nil {
		return nil, err
	}
	r := render.Settled(j.practices(customers, own))
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
