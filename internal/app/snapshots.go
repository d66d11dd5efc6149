//go:build !judge

package app

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"partnerguard/internal/archive/view"
	"partnerguard/internal/dates"
	"partnerguard/internal/posture"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
)

// whereIs tells where in the archive a row is; false where it is not known.
type whereIs func(*signin.Sighting) (view.Place, bool)

// maker makes parts of a tenant's snapshot out of one judgement: it is made for it, sees
// its rows where it wants to, and is asked when the judgement is done.
type maker interface {
	// visitor is a visitor of the rows for one goroutine; nil: it wants none. where is safe
	// for concurrent use.
	visitor(where whereIs) signin.Visitor
	// parts are what is shown, by the part's name.
	parts(ctx context.Context, j *Judged, tenant string) (map[string]any, error)
}

// makers are what a judgement of a tenant is shown by, one line a feature.
func (i *Installation) makers(ctx context.Context, tenant string, partner bool) []maker {
	list := []maker{&peopleMaker{partner: partner}, i.coverMaker()}
	if partner {
		list = append(list, statusMaker{i}, alertMaker{dates.NewFold()}, customersMaker{}, automationMaker{i}, delegationMaker{},
			newOwnUseMaker(i), watchMaker{i}, spendMaker{i}, practiceMaker{i})
	} else {
		list = append(list, &customerMaker{}, delegationOwnMaker{}, newUseMaker(i), seenMaker{i}, newEyesMaker(ctx, i, tenant), ownBudgetMaker{})
	}
	return list
}

// keepShown writes what pages show of a tenant. Nothing of a judgement fails by it.
func (i *Installation) keepShown(ctx context.Context, j *Judged, tenant string, at posture.Position, list []maker) {
	all := map[string]any{}
	for _, m := range list {
		parts, err := m.parts(ctx, j, tenant)
		if err != nil {
			i.Log.WarnContext(ctx, "a page of a tenant was not made", "tenant", tenant, "maker", fmt.Sprintf("%T", m), "error", err)
			continue
		}
		maps.Copy(all, parts)
	}
	if len(all) == 0 {
		return
	}
	if err := i.Snapshot.Put(ctx, strings.ToLower(tenant), j.Report.AsOf, at.Segment, all); err != nil {
		i.Log.WarnContext(ctx, "what pages show of a tenant was not kept", "tenant", tenant, "error", err)
	}
}

// makeSnapshot makes the store of what pages show.
func (i *Installation) makeSnapshot() (err error) {
	i.Snapshot, err = snapshot.New(snapshot.Deps{DB: i.DB, Now: i.Now})
	return err
}
