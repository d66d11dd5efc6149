package app

import (
	"context"
	"time"

	"partnerguard/internal/delegation/recommend"
)

// RecommendQuestion says what a recommendation is asked for.
type RecommendQuestion struct {
	AsOf     time.Time       // the window's end; zero: the newest of what was read
	Days     int             // the window's length; 0 is 90
	Customer string          // tenant id, domain or name; "" all
	Job      string          // a group, or a set of roles by name; "" all
	Accept   []string        // roles by name or id
	Pins     []recommend.Pin // kept whatever was seen
}

// DelegationRecommend reads, and derives the least roles from what was done.
func DelegationRecommend(ctx context.Context, r Reading, q RecommendQuestion) (*recommend.Result, error) {
	return nil, nil //nolint:nilnil // signature only
}
