package app

import "partnerguard/internal/screen"

// Screens are the pages of all features, for tests.
func (i *Installation) Screens() []screen.Screen { return i.screens(nil) }
