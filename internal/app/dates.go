package app

import (
	"context"

	"partnerguard/internal/dates"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/sample"
	"partnerguard/internal/signin"
)

// Dates reads and holds Microsoft's dated changes against what was read.
func Dates(ctx context.Context, r Reading, q Question) (*dates.Report, error) {
	q.settle(&r)
	log := dates.NewFold()
	r.Visit = func(*facts.Facts) (func() signin.Visitor, error) { return log.Visitor, nil }
	f, err := Read(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	out := &dates.Report{Schema: dates.SchemaID, AsOf: q.AsOf.UTC(), Inputs: f.Inputs, Sample: r.Sample(), Changes: dates.Look(f, log, q.AsOf, q.Kind, q.Cloud)}
	if len(f.Directory.Organizations) > 0 {
		out.Partner = f.Directory.Organizations[0].DisplayName
	}
	return out, nil
}

// settle fills in what the question leaves open, and tells the reading.
func (q *Question) settle(r *Reading) {
	if q.AsOf.IsZero() {
		q.AsOf = q.Now
		if r.Sample() {
			q.AsOf = sample.AsOf
		}
	}
	if q.Kind == "" {
		q.Kind = partner.DirectBill
	}
	r.At = q.AsOf
	if r.Now.IsZero() {
		r.Now = q.Now
	}
}
