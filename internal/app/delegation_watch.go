package app

import (
	"context"

	"partnerguard/internal/delegation/watch"
)

// DelegationWatch reads the partner's own lists, and says which relationships end within days
// (0: 60); all adds what else is to be looked at of what the lists say. What needs the
// customers' logs is not among it: a judgement of the archive finds that.
func DelegationWatch(ctx context.Context, r DelegationReading, days int, all bool) (*watch.Report, error) {
	if days == 0 {
		days = watch.Stages[0]
	}
	inv, _, err := Delegation(ctx, r)
	if err != nil {
		return nil, err
	}
	list := watch.Find(watch.Input{Inventory: inv, AsOf: inv.AsOf, Days: days})
	if !all {
		list = watch.Ends(list)
	}
	out := watch.Tell(inv, list, inv.AsOf, days)
	out.Sample = r.Sample()
	return out, nil
}
