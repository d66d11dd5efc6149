//go:build !judge

package budget

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

// The parts of snapshots: of the partner, and of each customer.
const (
	PartName = "spending"
	OwnName  = "azureBudgets"
)

// Bounds of what is kept.
const (
	maxDays          = 40 // readings of the month at hand and the one before
	maxMonths        = 13
	maxAccounts      = 20_000
	maxSubscriptions = 2_000 // of a customer
	maxAzureBudgets  = 50    // of a subscription
)

// Book is what is known of what customers with Azure cost.
type Book struct {
	Partner   string    `json:"partner"` // tenant
	AsOf      time.Time `json:"asOf"`
	From      time.Time `json:"from,omitzero"` // since then the list of usage is watched: who was there then is not new
	Usage     List      `json:"usage"`         // Partner Center's list of usage
	Bought    List      `json:"subscriptions"` // Partner Center's list of subscriptions
	Score     *Score    `json:"score,omitempty"`
	Customers []Account `json:"customers"` // with Azure, as far as it was read, by tenant
}

// List says how much of a list was read, and when.
type List struct {
	At    time.Time `json:"at,omitzero"` // of when it is; zero: not read
	Whole bool      `json:"whole"`
	Why   string    `json:"why,omitempty"` // it is not whole
}

// Score is what Microsoft counts of budgets.
type Score struct {
	With   int64     `json:"customersWithSpendBudgetCount"`
	Of     int64     `json:"totalCustomersCount"`
	Status string    `json:"complianceStatus"`
	At     time.Time `json:"at,omitzero"`
}

// Account is one customer with Azure.
type Account struct {
	Tenant   string    `json:"customerTenantId"`
	Name     string    `json:"name,omitempty"`
	Domain   string    `json:"domain,omitempty"`
	Currency string    `json:"currency,omitempty"`
	Cost     *float64  `json:"cost,omitempty"`   // of the month of CostAt so far; nil: not known
	CostAt   time.Time `json:"costAt,omitzero"`  // when Microsoft made the estimate
	Budget   *float64  `json:"budget,omitempty"` // Partner Center's; nil: none, or not known
	Budgeted Answer    `json:"budgeted"`
	Read     time.Time `json:"read,omitzero"` // when it was asked for
	Since    time.Time `json:"since"`         // first seen with Azure
	// Days are the readings by the day of the estimate, oldest first: what the month had
	// cost by then.
	Days []Day `json:"days,omitempty"`
	// Months are past months, oldest first: the last reading of each.
	Months []Month `json:"months,omitempty"`
}

// Answer is whether something is so.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// Day is what the month had cost by the end of a day.
type Day struct {
	At    time.Time `json:"at"` // of the estimate
	Total float64   `json:"total"`
}

// Month is what a month cost.
type Month struct {
	Month    string    `json:"month"` // 2026-10
	Total    float64   `json:"total"`
	At       time.Time `json:"at"` // the last estimate that was read
	Currency string    `json:"currency,omitempty"`
}

// Whole reports that the last reading was of the end of the month, so that the total is
// nearly all of it: Microsoft's estimate is a day behind.
func (m *Month) Whole() bool {
	first, err := time.Parse("2006-01", m.Month)
	return err == nil && !m.At.Before(first.AddDate(0, 1, -2))
}

// Own is what a customer's own facts say of budgets of Azure's.
type Own struct {
	Read          Answer         `json:"read"` // the budgets of all subscriptions that can be seen were read
	Why           string         `json:"why,omitempty"`
	At            time.Time      `json:"at,omitzero"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
}

// Subscription is a subscription of Azure with its budgets.
type Subscription struct {
	ID      string        `json:"id"`
	Name    string        `json:"name,omitempty"`
	State   string        `json:"state,omitempty"`
	Budgets []AzureBudget `json:"budgets,omitempty"`
}

// AzureBudget is a budget of Azure's own.
type AzureBudget struct {
	Name   string   `json:"name"`
	Amount *float64 `json:"amount,omitempty"`
	Grain  string   `json:"timeGrain,omitempty"`
	Spent  *float64 `json:"currentSpend,omitempty"`
	Unit   string   `json:"unit,omitempty"`
}

func clean(s string) string { return print.Clean(strings.TrimSpace(s), print.MaxName) }

// Build makes what is known of the partner's customers, given what was known before (nil:
// nothing). It changes neither; at is the moment of the judgement.
func Build(before *Book, f *facts.Facts, at time.Time) *Book {
	if before == nil {
		before = &Book{}
	}
	b := &Book{AsOf: at, Usage: listOf(f, evidence.CustomerUsage, at), Bought: listOf(f, evidence.CustomerSubscription, at), Partner: before.Partner, From: before.From}
	for _, o := range f.Directory.Organizations {
		b.Partner = strings.ToLower(o.ID)
	}
	if r := f.Requirements["spendingbudgetsetforcustomerazuresubscriptions"]; r != nil && r.TotalCustomers.Set {
		b.Score = &Score{With: r.CustomersBudgeted.Value, Of: r.TotalCustomers.Value, Status: print.Clean(string(r.ComplianceStatus), 40), At: r.Updated.Time}
	}
	if b.From.IsZero() && b.Usage.Whole {
		b.From = at
	}
	was := map[string]*Account{}
	for i := range before.Customers {
		was[before.Customers[i].Tenant] = &before.Customers[i]
	}
	now := map[string]*Account{}
	for tenant, u := range f.Usage {
		if a := accountOf(u, was[tenant], b.Usage.At, at); len(tenant) == 36 {
			now[tenant] = a
		}
	}
	for _, s := range f.Bought {
		if t := s.Customer(); t != "" && s.Azure() && now[t] == nil {
			now[t] = carried(was[t], t, at)
		}
	}
	for t, a := range was { // what was not read may still be there
		if now[t] == nil && !b.Usage.Whole {
			now[t] = carried(a, t, at)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(now)) {
		if len(b.Customers) == maxAccounts {
			b.Usage.Whole, b.Usage.Why = false, "it has more customers than are kept"
			break
		}
		b.Customers = append(b.Customers, *now[t])
	}
	name(b.Customers, f)
	return b
}

// name fills names and domains in from the list of customers.
func name(list []Account, f *facts.Facts) {
	of := map[string]*partner.Customer{}
	for _, c := range f.Customers {
		of[strings.ToLower(cmp.Or(c.CompanyProfile.TenantID, c.ID))] = c
	}
	for i := range list {
		a := &list[i]
		if c := of[a.Tenant]; c != nil {
			a.Name, a.Domain = cmp.Or(clean(c.CompanyProfile.CompanyName), a.Name), cmp.Or(clean(c.CompanyProfile.Domain), a.Domain)
		}
	}
}

// listOf says how much of a list was read.
func listOf(f *facts.Facts, kind evidence.Kind, at time.Time) List {
	l := List{Whole: f.Whole(kind)}
	if d, ok := f.Ages().Of(kind); ok {
		if l.At = d.Bound(); l.At.IsZero() {
			l.At = at
		}
	}
	if !l.Whole {
		l.Why = "it was not read"
		if cuts := f.Cuts(kind); len(cuts) > 0 {
			l.Why = print.Clean("it "+cuts[0].Why, print.MaxSaying)
		}
	}
	return l
}

// carried is what is kept of a customer whose usage was not read.
func carried(was *Account, tenant string, at time.Time) *Account {
	if was == nil {
		return &Account{Tenant: tenant, Budgeted: Unknown, Since: at}
	}
	a := *was
	return &a
}

// accountOf is a customer as its record says it, with what was known before.
func accountOf(u *partner.Usage, was *Account, read, at time.Time) *Account {
	a := carried(was, u.Tenant(), at)
	a.Name, a.Read = cmp.Or(clean(string(u.Name)), a.Name), read
	if a.Read.IsZero() {
		a.Read = at
	}
	yes, known := u.Budgeted()
	a.Budget, a.Budgeted = nil, Unknown
	switch {
	case known && yes:
		a.Budget, a.Budgeted = new(float64), Yes
		*a.Budget = u.Budget.Amount.Value
	case known:
		a.Budgeted = No
	}
	currency := strings.ToUpper(print.Clean(string(u.Currency), 8))
	if currency != "" && a.Currency != "" && currency != a.Currency {
		a.Days, a.Months = nil, nil // sums of another currency say nothing beside these
	}
	a.Currency = cmp.Or(currency, a.Currency)
	a.Cost, a.CostAt = nil, time.Time{}
	if !u.Total.Said || u.Total.None {
		return a
	}
	a.CostAt = u.Modified.UTC()
	if !u.Modified.Set || a.CostAt.After(a.Read) {
		a.CostAt = a.Read.UTC()
	}
	total := u.Total.Value
	a.Cost = &total
	a.remember(Day{At: a.CostAt, Total: total})
	return a
}

// remember keeps a reading, and the last one of each month that is past.
func (a *Account) remember(d Day) {
	days := slices.DeleteFunc(slices.Clone(a.Days), func(x Day) bool {
		return !x.At.Before(d.At) || x.At.Format(time.DateOnly) == d.At.Format(time.DateOnly)
	})
	months := slices.Clone(a.Months)
	this := d.At.Format("2006-01")
	for _, x := range days {
		m := x.At.Format("2006-01")
		if m == this {
			continue
		}
		months = slices.DeleteFunc(months, func(o Month) bool { return o.Month == m })
		months = append(months, Month{Month: m, Total: x.Total, At: x.At, Currency: a.Currency})
	}
	a.Days = append(days, d)
	if len(a.Days) > maxDays {
		a.Days = a.Days[len(a.Days)-maxDays:]
	}
	slices.SortFunc(months, func(x, y Month) int { return strings.Compare(x.Month, y.Month) })
	a.Months = months[max(0, len(months)-maxMonths):]
}

// BuildOwn makes a customer's own part of its facts.
func BuildOwn(f *facts.Facts, at time.Time) Own {
	subs, l := listOf(f, evidence.AzureSubscription, at), listOf(f, evidence.AzureBudget, at)
	o := Own{Read: Unknown, At: l.At, Why: cmp.Or(l.Why, subs.Why)}
	if l.Whole && subs.Whole {
		o.Read, o.Why = Yes, ""
	}
	by := map[string]*Subscription{}
	for _, id := range slices.Sorted(maps.Keys(f.Subscriptions)) {
		if s := f.Subscriptions[id]; s.ID != "" && len(by) < maxSubscriptions {
			by[strings.ToLower(s.ID)] = &Subscription{ID: strings.ToLower(clean(s.ID)), Name: clean(string(s.Name)), State: clean(string(s.State))}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.AzureBudgets)) {
		x := f.AzureBudgets[id]
		s := by[x.Subscription()]
		if s == nil || len(s.Budgets) == maxAzureBudgets {
			continue
		}
		p := &x.Properties
		s.Budgets = append(s.Budgets, AzureBudget{Name: clean(string(x.Name)), Amount: amountOf(p.Amount), Grain: clean(string(p.TimeGrain)),
			Spent: amountOf(p.Spend.Amount), Unit: clean(string(p.Spend.Unit))})
	}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		o.Subscriptions = append(o.Subscriptions, *by[id])
	}
	return o
}

func amountOf(a partner.Amount) *float64 {
	if !a.Said || a.None {
		return nil
	}
	v := a.Value
	return &v
}
