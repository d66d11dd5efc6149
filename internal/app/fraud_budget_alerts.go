//go:build !judge

package app

import (
	"context"
	"errors"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/fraud/budget"
	"partnerguard/internal/notify"
	"partnerguard/internal/problem"
)

// spendingAlerts are the customers whose Azure is over its budget, or will be by the forecast,
// each its own, and those that are new and have none, as one. Whole only where the list of
// usage was read whole and of late: what is open is not closed by what was not read.
func (i *Installation) spendingAlerts(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	kept, err := i.spendingFacts(ctx)
	if errors.Is(err, problem.NotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	now := i.Now()
	r := budget.Stand(kept.Book, kept.Own, now, nil)
	fresh := alert.Finding{Key: "spending:new", Kind: alert.Spending, Severity: notify.Warning, Unit: "customers", Title: "New customers with Azure have no budget",
		Cause: "Nobody is told there, whatever is spent.", Path: "/spend?standing=no-budget", Command: "partnerguard budgets plan --amount 500",
		Fix: "set a spending budget: it tells people, and caps nothing"}
	for k := range r.Rows {
		x := &r.Rows[k]
		f := alert.Finding{Key: "spending:" + x.Tenant, Kind: alert.Spending, Tenant: x.Tenant, Cause: x.Why + ".", Since: x.CostAt, Path: "/spend?q=" + x.Tenant,
			Command: "partnerguard spend status --customer " + x.Tenant, Fix: "ask the customer what it is for, and look at what is odd in it; no budget stops anything"}
		switch x.Standing {
		case budget.OverBudget:
			f.Severity, f.Title = notify.Warning, x.Name+" is over its Azure budget"
			out = append(out, f)
		case budget.WillBeOver:
			f.Severity, f.Title = notify.Notice, x.Name+" will be over its Azure budget"
			out = append(out, f)
		case budget.NoBudget:
			if kept.Book.From.IsZero() || !x.Since.After(kept.Book.From) {
				continue // the requirement tells of these
			}
			if fresh.Count++; fresh.Since.IsZero() || x.Since.Before(fresh.Since) {
				fresh.Since = x.Since
			}
			if len(fresh.Subjects) < alert.MaxSubjects {
				fresh.Subjects = append(fresh.Subjects, x.Name)
			}
		}
	}
	if fresh.Count > 0 {
		out = append(out, fresh)
	}
	return out, kept.Book.Usage.Whole && now.Sub(kept.Book.Usage.At) < 3*24*time.Hour, nil
}
