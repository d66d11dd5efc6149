package app

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/fraud/budget"
	"partnerguard/internal/notify"
)

// A customer over its budget is an alert of its own, new ones without a budget are one, and
// what was not read closes nothing.
func TestSpendingFindings(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC)
	mid := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	from := now.AddDate(0, -1, 0)
	acc := func(tenant string, of budget.Answer, amount, cost float64, since time.Time) budget.Account {
		return budget.Account{Tenant: tenant, Name: "N " + tenant, Budgeted: of, Budget: &amount, Cost: &cost, CostAt: mid, Read: now, Since: since}
	}
	k := &SpendingKept{Book: &budget.Book{From: from, Usage: budget.List{At: now, Whole: true}, Customers: []budget.Account{
		acc("a", budget.Yes, 100, 150, from), acc("b", budget.Yes, 100, 90, from), acc("c", budget.Yes, 1000, 90, from),
		acc("d", budget.No, 0, 90, from), acc("e", budget.No, 0, 90, now.AddDate(0, 0, -1)), acc("f", budget.No, 0, 90, now.AddDate(0, 0, -2)),
		acc("g", budget.Unknown, 0, 90, now)}}}
	list, whole := spendingFindings(k, now)
	var got []string
	for _, f := range list {
		got = append(got, f.Key+" "+string(f.Severity))
		if f.Title == "" || f.Cause == "" || f.Fix == "" || f.Path == "" || f.Since.IsZero() {
			t.Errorf("%+v", f)
		}
	}
	want := []string{"spending:a " + string(notify.Warning), "spending:b " + string(notify.Notice), "spending:new " + string(notify.Warning)}
	if !whole || strings.Join(got, ", ") != strings.Join(want, ", ") || list[2].Count != 2 || len(list[2].Subjects) != 2 {
		t.Errorf("%v %v %+v", whole, got, list)
	}
	k.Book.Usage.Whole = false
	if _, whole := spendingFindings(k, now); whole {
		t.Error("a list that was not read whole closes what is open")
	}
	k.Book.Usage = budget.List{At: now.AddDate(0, 0, -4), Whole: true}
	if _, whole := spendingFindings(k, now); whole {
		t.Error("an old list closes what is open")
	}
}
