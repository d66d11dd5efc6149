package app

import (
	"context"
	"partnerguard/internal/jobs"
	"partnerguard/internal/screen"
)

// Screens are the pages of all features, for tests.
func (i *Installation) Screens() []screen.Screen { return i.screens(nil) }

// ScreensWith are the pages over a queue, so that they can count what is in it.
func (i *Installation) ScreensWith(q *jobs.Queue) []screen.Screen { return i.screens(q) }

// FeedSees says what the owner of a calendar may know of.
func (i *Installation) FeedSees(ctx context.Context, owner string) (func(string) bool, bool, error) {
	return i.feedSees(ctx, owner)
}
