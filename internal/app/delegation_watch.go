package app

import (
	"context"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/watch"
	"partnerguard/internal/sample"
)

// DelegationWatch reads the partner's own lists, and says which relationships end within days
// (0: the first of watch.Stages). all adds what else is to be looked at, also by what the
// customers' own lists and logs say.
func DelegationWatch(ctx context.Context, r Reading, days int, all bool) (*watch.Report, error) {
	at := r.At
	switch {
	case !at.IsZero():
	case r.Sample():
		at = sample.AsOf
	case !r.Now.IsZero():
		at = r.Now
	default:
		at = time.Now()
	}
	r.At = at
	var in watch.Input
	if all {
		seen, _, err := RecommendFrom(ctx, r, RecommendQuestion{AsOf: at, Now: r.Now})
		if err != nil {
			return nil, err
		}
		in = watch.Input{Inventory: seen.Inventory, Recommend: recommend.Run(seen), Use: seen.Use}
	} else {
		inv, _, err := Delegation(ctx, DelegationReading{Own: func(string) bool { return false }, Reading: r})
		if err != nil {
			return nil, err
		}
		in = watch.Input{Inventory: inv}
	}
	in.AsOf, in.Days = at, days
	out := watchReport(in, all)
	out.Sample = r.Sample()
	return out, nil
}

// watchReport looks, and tells.
func watchReport(in watch.Input, all bool) *watch.Report {
	if in.Days == 0 {
		in.Days = watch.Stages[0]
	}
	if in.Inventory == nil {
		in.Inventory = &delegation.Inventory{AsOf: in.AsOf}
	}
	list := watch.Find(in)
	if !all {
		list = watch.Ends(list)
	}
	return watch.Tell(in.Inventory, list, in.AsOf, in.Days)
}
