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

	delegated *Delegated // what the customers' logs say of delegated rights; nil: they were not read

	// look, when set, is shown what was read before rows are counted, and makes visitors that
	// see the rows too.
	look func(*facts.Facts) func() signin.Visitor
}

// Judged is a report with what it was made from.
type Judged struct {
	Report *assess.Report
	Facts  *facts.Facts
	Engine *access.Engine // the settings that were judged; nil where they are not known
	// Scripts are what signs in with user credentials, as far as the log tells.
	Scripts automation.Result

	options assess.Options // that it was judged with
}

// Assess reads and judges.
func Assess(ctx context.Context, r Reading, q Question) (*assess.Report, error) {
	j, err := judge(ctx, r, q, nil)
	if err != nil {
		return nil, err
	}
	return j.Report, nil
}

// judge reads and judges; watch, when set, makes visitors that see the rows too.
func judge(ctx context.Context, r Reading, q Question, watch func() signin.Visitor) (*Judged, error) {
	// The log is replayed through today's settings as it is counted, so that
	// where the two disagree is part of the report.
	q.settle(&r)
	r.Hash = !r.quick
	var today *access.Engine
	var history *rehearse.History
	var scripts *automation.Fold
	changes := dates.NewFold()
	r.Visit = func(f *facts.Facts) (func() signin.Visitor, error) {
		today = access.Compile(f.Tenant())
		history = rehearse.NewHistory(today)
		scripts = automation.NewFold(f.Directory, 0)
		var look func() signin.Visitor
		if q.look != nil {
			look = q.look(f)
		}
		return func() signin.Visitor {
			v := both{history.Visitor(), both{scripts.Visitor(), changes.Visitor()}}
			if look != nil {
				v = both{v, look()}
			}
			if watch != nil {
				v = both{v, watch()}
			}
			return v
		}, nil
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
	found := automation.Items(scripts, f)
	o := assess.Options{AsOf: q.AsOf, Kind: q.Kind, Cloud: q.Cloud, Sample: r.Sample(), Engine: settings, Disagreements: disagreements(f, history, today),
		Automation: automationFeed(found, f), Dates: dates.Look(f, changes, q.AsOf, q.Kind, q.Cloud),
		Delegation: delegationFeed(f, q.AsOf, q.delegated)}
	report := assess.Assess(f, o)
	find := cause.Input{Facts: f, Report: report, Accounts: accountsOf(f), Today: settings, Settled: settled(f)}
	if f.SignIns != nil {
		find.History = history
	}
	report.Causes, report.From = cause.Find(find), r.From
	report.Program = "partnerguard " + Program().String()
	return &Judged{report, f, settings, found, o}, nil
}

// settled reports that the policies in force were read to their end.
func settled(f *facts.Facts) bool {
	return settingsRead(f) == nil && f.SettingsKnown() && len(f.Cuts(evidence.ConditionalAccessPolicy)) == 0 &&
		!slices.ContainsFunc(f.CutsFromLog(), func(c evidence.Cut) bool { return c.Kind == evidence.ConditionalAccessPolicy })
}
