package app

import (
	"context"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/automation"
	"partnerguard/internal/dates"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/signin"
)

// Question says who is judged, and as of when.
type Question struct {
	AsOf  time.Time // zero means now, or the sample's own moment
	Now   time.Time // required
	Kind  partner.Kind
	Cloud partner.Cloud
}

// Assess reads and judges.
func Assess(ctx context.Context, r Reading, q Question) (*assess.Report, error) {
	// The log is replayed through today's settings as it is counted, so that
	// where the two disagree is part of the report.
	q.settle(&r)
	var today *access.Engine
	var history *rehearse.History
	var scripts *automation.Fold
	changes := dates.NewFold()
	r.Visit = func(f *facts.Facts) (func() signin.Visitor, error) {
		today = access.Compile(f.Tenant())
		history = rehearse.NewHistory(today)
		scripts = automation.NewFold(f.Directory, 0)
		return func() signin.Visitor { return both{history.Visitor(), both{scripts.Visitor(), changes.Visitor()}} }, nil
	}
	f, err := Read(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	settings := today
	if len(f.CutsFromLog()) > 0 {
		settings = nil // it was compiled before the log could say what the lists lack
	}
	if at := f.Ages().SettledAt(q.AsOf); !f.Alike(at, q.AsOf) {
		f.SetTime(at)
		settings = nil // it looked at schedules and Microsoft's changes as of later
	}
	o := assess.Options{AsOf: q.AsOf, Kind: q.Kind, Cloud: q.Cloud, Sample: r.Sample(), Engine: settings, Disagreements: disagreements(f, history, today),
		Automation: automationFeed(automation.Items(scripts, f), f), Dates: dates.Look(f, changes, q.AsOf, q.Kind)}
	return assess.Assess(f, o), nil
}
