package app

import (
	"partnerguard/internal/jobs"
	"partnerguard/internal/screen"
)

// Screens are the pages of all features, for tests.
func (i *Installation) Screens() []screen.Screen { return i.screens(nil) }

// ScreensWith are the pages over a queue, so that they can count what is in it.
func (i *Installation) ScreensWith(q *jobs.Queue) []screen.Screen { return i.screens(q) }
