package app

import (
	"context"

	"partnerguard/internal/jobs"
	"partnerguard/internal/screen"
)

// GapsAsInputs is gapsAsInputs.
var GapsAsInputs = gapsAsInputs

// TellInputs is tellInputs.
var TellInputs = tellInputs

// Screens are the pages of all features.
func Screens(i *Installation, q *jobs.Queue) []screen.Screen { return i.screens(q) }

// TenantsOf are those that facts are of.
func TenantsOf(ctx context.Context, i *Installation) ([]screen.Tenant, error) { return i.tenants(ctx) }
