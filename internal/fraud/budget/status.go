//go:build !judge

package budget

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/print"
)

// Standing is how a customer's spending stands beside its budget, the worst first.
type Standing string

// The standings.
const (
	OverBudget   Standing = "over"          // more was spent than the budget
	WillBeOver   Standing = "forecast-over" // by the forecast more will be spent than the budget
	NoBudget     Standing = "no-budget"
	NotKnown     Standing = "unknown" // the budget or the cost was not read, or is too old
	WithinBudget Standing = "within"
)

// Standings are all, the worst first.
func Standings() []Standing {
	return []Standing{OverBudget, WillBeOver, NoBudget, NotKnown, WithinBudget}
}

// Word is a standing for people.
func (s Standing) Word() string {
	return map[Standing]string{OverBudget: "over budget", WillBeOver: "will be over", NoBudget: "no budget", NotKnown: "not known", WithinBudget: "within"}[s]
}

// Row is one customer of a report.
type Row struct {
	Tenant   string   `json:"customerTenantId"`
	Name     string   `json:"name"`
	Domain   string   `json:"domain,omitempty"`
	Standing Standing `json:"standing"`
	Why      string   `json:"why"`
	Currency string   `json:"currency,omitempty"`
	Cost     *float64 `json:"cost"`   // this month so far; null: not known
	Budget   *float64 `json:"budget"` // Partner Center's; null: none, or not known
	Budgeted Answer   `json:"budgeted"`
	Share    *float64 `json:"shareOfBudget"` // cost of budget, 1 is all of it; null: not known
	Forecast *float64 `json:"forecast"`      // of the whole month; null: not known
	How      string   `json:"forecastBy,omitempty"`
	Last     *float64 `json:"lastMonth,omitempty"`
	// CostAt is when Microsoft made the estimate, Read when it was asked for.
	CostAt time.Time `json:"costAt,omitzero"`
	Read   time.Time `json:"read,omitzero"`
	Since  time.Time `json:"azureSince,omitzero"` // first seen with Azure
	Days   []Day     `json:"days,omitempty"`
	Azure  Azure     `json:"azure"`
}

// Azure is what is known of a customer's budgets in Azure itself.
type Azure struct {
	Read          Answer    `json:"read"` // unknown: not, or not all of it
	Why           string    `json:"why,omitempty"`
	At            time.Time `json:"at,omitzero"`
	Subscriptions int       `json:"subscriptions"`
	With          int       `json:"withBudget"`
	List          []string  `json:"without,omitempty"` // subscriptions without one, at most 50
}

// Report is how the customers with Azure stand.
type Report struct {
	AsOf   time.Time        `json:"asOf"`
	Usage  List             `json:"usage"`
	Score  *Score           `json:"microsoftCounts,omitempty"`
	Counts map[Standing]int `json:"counts"`
	Rows   []Row            `json:"customers"`
	Notes  []string         `json:"notes,omitempty"`
}

// tooOld is how old an estimate may be: Microsoft makes one about once a day.
const tooOld = 3 * 24 * time.Hour

// Stand says how customers stand at a moment. own are customers' own budgets of Azure's, by
// tenant; only, where it is set, leaves others out.
func Stand(b *Book, own map[string]*Own, now time.Time, only func(tenant string) bool) *Report {
	r := &Report{AsOf: now.UTC(), Usage: b.Usage, Score: b.Score, Counts: map[Standing]int{}, Rows: []Row{}}
	for i := range b.Customers {
		a := &b.Customers[i]
		if only != nil && !only(a.Tenant) {
			continue
		}
		row := stand(a, now)
		row.Azure = azureOf(own[a.Tenant])
		r.Counts[row.Standing]++
		r.Rows = append(r.Rows, row)
	}
	slices.SortFunc(r.Rows, func(x, y Row) int {
		return cmp.Or(slices.Index(Standings(), x.Standing)-slices.Index(Standings(), y.Standing), -cmp.Compare(worst(&x), worst(&y)),
			strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)), strings.Compare(x.Tenant, y.Tenant))
	})
	r.notes(b)
	return r
}

// worst orders customers of the same standing: by the share, then by what they cost.
func worst(r *Row) float64 {
	switch {
	case r.Share != nil:
		return *r.Share
	case r.Cost != nil:
		return *r.Cost
	}
	return 0
}

// notes say what the report does not know, and where it and Microsoft differ.
func (r *Report) notes(b *Book) {
	if !b.Usage.Whole {
		r.Notes = append(r.Notes, "Partner Center's list of usage is not whole: "+cmp.Or(b.Usage.Why, "it was not read")+
			". Customers that are missing here are not known to have no Azure.")
	}
	if s := b.Score; s != nil {
		with := 0
		for i := range b.Customers {
			if b.Customers[i].Budgeted == Yes {
				with++
			}
		}
		if n := len(b.Customers); int64(with) != s.With || int64(n) != s.Of {
			r.Notes = append(r.Notes, fmt.Sprintf("Microsoft counts %d of %d customers with a budget, and the list of usage has %d of %d with Azure. Microsoft's "+
				"documentation expects a budget for all customers; the list has only those with Azure that is paid by use.", s.With, s.Of, with, n))
		}
	}
}

func stand(a *Account, now time.Time) Row {
	r := Row{Tenant: a.Tenant, Name: a.called(), Domain: a.Domain, Currency: a.Currency, Budgeted: a.Budgeted, Read: a.Read, Since: a.Since}
	if a.Budgeted == Yes {
		r.Budget = a.Budget
	}
	if n := len(a.Months); n > 0 && a.Months[n-1].Month == now.UTC().AddDate(0, 0, -now.UTC().Day()).Format("2006-01") {
		r.Last = &a.Months[n-1].Total
	}
	month := now.UTC().Format("2006-01")
	fresh := a.Cost != nil && a.CostAt.Format("2006-01") == month
	if fresh {
		r.Cost, r.CostAt = a.Cost, a.CostAt
		r.Forecast, r.How = a.forecast()
		for _, d := range a.Days {
			if d.At.Format("2006-01") == month {
				r.Days = append(r.Days, d)
			}
		}
	}
	if r.Budget != nil && r.Cost != nil {
		share := *r.Cost / *r.Budget
		r.Share = &share
	}
	old := a.Read.IsZero() || now.Sub(a.Read) > tooOld
	money := func(v float64) string {
		return print.Number(int64(math.Round(v))) + " " + cmp.Or(a.Currency, "(currency not known)")
	}
	switch {
	case r.Share != nil && *r.Share > 1: // spending never goes back: that is so also where it is old
		r.Standing, r.Why = OverBudget, fmt.Sprintf("%s of a budget of %s", money(*r.Cost), money(*r.Budget))
	case old && a.Read.IsZero():
		r.Standing, r.Why = NotKnown, "its usage was not read"
	case old:
		r.Standing, r.Why = NotKnown, "its usage was read last on "+a.Read.UTC().Format("2006-01-02 15:04 UTC")
	case a.Budgeted == Unknown:
		r.Standing, r.Why = NotKnown, "whether it has a budget is not in what was read"
	case a.Budgeted == No:
		r.Standing, r.Why = NoBudget, "nobody is told, whatever it spends"
	case r.Cost == nil:
		r.Standing, r.Why = NotKnown, "what it cost this month is not in what was read"
	case r.Forecast != nil && *r.Forecast > *r.Budget:
		r.Standing, r.Why = WillBeOver, fmt.Sprintf("about %s by the end of the month, of a budget of %s", money(*r.Forecast), money(*r.Budget))
	default:
		r.Standing, r.Why = WithinBudget, fmt.Sprintf("%s of a budget of %s", money(*r.Cost), money(*r.Budget))
	}
	return r
}

// rateOf is how many days back the rate of the forecast goes.
const rateOf = 7 * 24 * time.Hour

// forecast says what the month will have cost: what it cost so far, and each day that is left
// as the mean of the last seven days that were read, or of the month so far where those are
// not known. Within the first day of a month nothing is said.
func (a *Account) forecast() (*float64, string) {
	if a.Cost == nil {
		return nil, ""
	}
	at := a.CostAt
	first := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
	end := first.AddDate(0, 1, 0)
	gone := at.Sub(first)
	if gone < 24*time.Hour {
		return nil, ""
	}
	from, base, how := first, 0.0, "the mean day of this month"
	for _, d := range a.Days {
		if !d.At.Before(first) && at.Sub(d.At) >= 24*time.Hour && at.Sub(d.At) <= rateOf {
			from, base, how = d.At, d.Total, "the mean day since "+d.At.UTC().Format(time.DateOnly)
			break
		}
	}
	rate := (*a.Cost - base) / float64(at.Sub(from))
	v := cents(*a.Cost + max(rate, 0)*float64(end.Sub(at)))
	return &v, how
}

func azureOf(o *Own) Azure {
	if o == nil {
		return Azure{Read: Unknown, Why: "nothing of Azure itself was read there"}
	}
	z := Azure{Read: o.Read, Why: o.Why, At: o.At, Subscriptions: len(o.Subscriptions)}
	for i := range o.Subscriptions {
		s := &o.Subscriptions[i]
		if slices.ContainsFunc(s.Budgets, func(b AzureBudget) bool { return b.Amount != nil && *b.Amount > 0 }) {
			z.With++
		} else if len(z.List) < 50 {
			z.List = append(z.List, print.First(s.ID, s.Name))
		}
	}
	return z
}
