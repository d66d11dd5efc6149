//go:build !judge

package app

import (
	"context"

	"partnerguard/internal/customers"
	"partnerguard/internal/signin"
)

// customersMaker makes what the partner's facts say of its customers.
type customersMaker struct{}

func (customersMaker) visitor(whereIs) signin.Visitor { return nil }

func (customersMaker) parts(_ context.Context, j *Judged, _ string) (map[string]any, error) {
	return map[string]any{customers.PartName: customers.Build(customers.Input{Facts: j.Facts, AsOf: j.Report.AsOf})}, nil
}

// customerMaker makes what a customer's own sign-ins say. Where none were read there is no
// part: that is unknown, and no zero.
type customerMaker struct{ own customers.Own }

func (m *customerMaker) visitor(whereIs) signin.Visitor { return m.own.Visitor() }

func (m *customerMaker) parts(_ context.Context, j *Judged, _ string) (map[string]any, error) {
	if j.Facts.SignIns == nil {
		return nil, nil
	}
	return map[string]any{customers.OwnName: m.own.Part(j.Report.AsOf)}, nil
}

// automationMaker brings the list of what signs in with user credentials up to date. The
// list is kept by its feature, since people decide in it, and is no part of a snapshot.
type automationMaker struct{ *Installation }

func (automationMaker) visitor(whereIs) signin.Visitor { return nil }

func (m automationMaker) parts(ctx context.Context, j *Judged, _ string) (map[string]any, error) {
	if j.Facts.SignIns == nil || m.look {
		return nil, nil
	}
	_, err := m.Automation.Merge(ctx, j.Scripts)
	return nil, err
}
