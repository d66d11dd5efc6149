package app

import (
	"context"
	"fmt"

	"partnerguard/internal/assess"
	"partnerguard/internal/automation"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
)

// Automation reads and lists the scripts and services that sign in with user
// credentials.
func Automation(ctx context.Context, r Reading) (automation.Result, *facts.Facts, error) {
	var fold *automation.Fold
	r.Visit = func(f *facts.Facts) (func() signin.Visitor, error) {
		fold = automation.NewFold(f.Directory, 0)
		return fold.Visitor, nil
	}
	f, err := Read(ctx, r, nil)
	if err != nil {
		return automation.Result{}, nil, err
	}
	if f.SignIns == nil {
		return automation.Result{}, nil, problem.New(problem.BadInput, "no sign-in is in the input: there is nothing to look through").
			WithHint("export /beta/auditLogs/signIns, interactive and non-interactive (AuditLog.Read.All, Entra ID P1)")
	}
	return automation.Items(fold, f), f, nil
}

// both shows each row to two visitors.
type both struct{ a, b signin.Visitor }

func (v both) See(s *signin.Sighting) {
	v.a.See(s)
	v.b.See(s)
}

// noVisitor sees nothing.
type noVisitor struct{}

func (noVisitor) See(*signin.Sighting) {}

// automationFeed brings what was found to the report's form.
func automationFeed(r automation.Result, f *facts.Facts) *assess.Automation {
	out := &assess.Automation{}
	if r.Beyond > 0 {
		out.Incomplete = fmt.Sprintf("%d rows belong to more accounts and apps than are kept apart", r.Beyond)
	}
	for i := range r.Items {
		it := &r.Items[i]
		e := &it.Evidence
		ev := assess.Evidence{Subject: it.Name, Detail: it.Detail()}
		if !e.Last.IsZero() {
			at := e.Last.UTC()
			ev.Observed = &at
		}
		if len(e.Examples) > 0 {
			ev.RecordID, ev.Source = e.Examples[0].ID, e.Examples[0].Source
		} else {
			ev.Source = sourceOf(f, it.Account)
		}
		out.Items = append(out.Items, assess.AutomationItem{Account: it.Account, Sure: it.Decides(), Evidence: ev})
	}
	return out
}

func sourceOf(f *facts.Facts, account string) evidence.Source {
	if u := f.Directory.Users[account]; u != nil {
		return u.Source
	}
	return evidence.Source{}
}
