//go:build !judge

package app

import (
	"context"
	"errors"
	"maps"
	"slices"

	"partnerguard/internal/collect"
	"partnerguard/internal/delegation"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
)

// delegationMaker makes what the partner's facts say of its delegation.
type delegationMaker struct{}

func (delegationMaker) visitor(whereIs) signin.Visitor { return nil }

func (delegationMaker) parts(_ context.Context, j *Judged, _ string) (map[string]any, error) {
	return map[string]any{delegation.PartName: delegation.Build(j.Facts, j.Report.AsOf)}, nil
}

// delegationOwnMaker makes what a customer's own facts say of the partner there.
type delegationOwnMaker struct{}

func (delegationOwnMaker) visitor(whereIs) signin.Visitor { return nil }

func (delegationOwnMaker) parts(_ context.Context, j *Judged, _ string) (map[string]any, error) {
	return map[string]any{delegation.OwnName: delegation.BuildOwn(j.Facts)}, nil
}

// Inventory is the partner's delegation as it was judged last, with what its customers' own
// facts say beside it. What it gives is shared: it is never changed. Kind problem.NotFound
// where nothing was collected yet.
func (i *Installation) Inventory(ctx context.Context) (*delegation.Inventory, error) {
	t, err := i.Collect.Tenant(ctx, "partner")
	if err != nil {
		return nil, err
	}
	inv, _, err := snapshot.Get[delegation.Inventory](ctx, i.Snapshot, t.ID, delegation.PartName)
	if err != nil {
		return nil, err
	}
	own := map[string]*delegation.Own{}
	for x, err := range snapshot.All[delegation.Own](ctx, i.Snapshot, delegation.OwnName) {
		if err != nil && x.Tenant == "" {
			return nil, err
		}
		if err == nil { // one that cannot be read is made anew, and not known until then
			own[x.Tenant] = x.Part
		}
	}
	return delegation.Join(inv, own), nil
}

// delegatedGroups are the groups of the partner that ways go by, as they were known last.
func (i *Installation) delegatedGroups(ctx context.Context, t collect.Tenant) ([]string, error) {
	inv, _, err := snapshot.Get[delegation.Inventory](ctx, i.Snapshot, t.ID, delegation.PartName)
	if errors.Is(err, problem.NotFound) || errors.Is(err, snapshot.ErrBroken) {
		return nil, nil // nothing was judged yet
	}
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(inv.Groups)), nil
}
