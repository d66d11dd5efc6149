package app

import (
	"context"
	"slices"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/assess"
	"partnerguard/internal/automation"
	"partnerguard/internal/cause"
	"partnerguard/internal/dates"
	"partnerguard/internal/evidence"
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
	r.Hash = true
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
	if settings == nil && f.SettingsKnown() {
		settings = access.Compile(f.Tenant())
	}
	o := assess.Options{AsOf: q.AsOf, Kind: q.Kind, Cloud: q.Cloud, Sample: r.Sample(), Engine: settings, Disagreements: disagreements(f, history, today),
		Automation: automationFeed(automation.Items(scripts, f), f), Dates: dates.Look(f, changes, q.AsOf, q.Kind)}
	report := assess.Assess(f, o)
	find := cause.Input{Facts: f, Report: report, Accounts: accountsOf(f), Today: settings, Settled: settled(f)}
	if f.SignIns != nil {
		find.History = history
	}
	report.Causes, report.From = cause.Find(find), r.From
	report.Program = "partnerguard " + Program().String()
	return report, nil
}

// settled reports that the policies in force were read to their end.
func settled(f *facts.Facts) bool {
	return settingsRead(f) == nil && f.SettingsKnown() && len(f.Cuts(evidence.ConditionalAccessPolicy)) == 0 &&
		!slices.ContainsFunc(f.CutsFromLog(), func(c evidence.Cut) bool { return c.Kind == evidence.ConditionalAccessPolicy })
}
