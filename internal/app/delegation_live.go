//go:build !judge

package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/archive"
	"partnerguard/internal/collect"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/pages"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
)

// assignmentsOf is the resource that access assignments are read by.
const assignmentsOf = "delegatedAdminAccessAssignments"

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

// delegationPages are the pages of delegation, over the snapshot.
func (i *Installation) delegationPages() pager { return &pages.Pages{Inventory: i.Inventory} }

// delegatedGroups are the groups of the partner that access assignments give roles to, as they
// were read last.
func (i *Installation) delegatedGroups(ctx context.Context, t collect.Tenant) ([]string, error) {
	v, err := i.Archive.View(ctx, archive.ViewOf{Tenant: t.ID, Since: i.Now()})
	if errors.Is(err, problem.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	name := assignmentsOf + ".json"
	if !slices.Contains(v.Names(), name) {
		return nil, nil
	}
	body, err := fs.ReadFile(v, name)
	if err != nil {
		return nil, err
	}
	var pages []struct {
		Value []struct {
			Container struct {
				ID string `json:"accessContainerId"`
			} `json:"accessContainer"`
		} `json:"value"`
	}
	if err := json.Unmarshal(body, &pages); err != nil { // what is kept is read as an export all the same
		i.Log.WarnContext(ctx, "the access assignments that are kept cannot be read", "tenant", t.ID, "error", err)
		return nil, nil
	}
	ids := map[string]bool{}
	for k := range pages {
		for n := range pages[k].Value {
			ids[strings.ToLower(pages[k].Value[n].Container.ID)] = true
		}
	}
	return slices.Sorted(maps.Keys(ids)), nil
}
