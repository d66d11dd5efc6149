//go:build !judge

package app

import (
	"context"

	"partnerguard/internal/fraud/inquiry"
)

// containedFor is what containment did about an alert, for its timeline.
func (i *Installation) containedFor(context.Context, string) ([]inquiry.Done, error) { return nil, nil }
