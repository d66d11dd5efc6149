//go:build !judge

package budget

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

// usage is a record of a customer's usage.
func usage(i int, total, budget, currency string, at time.Time) string {
	return fmt.Sprintf(`{"budget":{"amount":%s,"attributes":{"objectType":"SpendingBudget"}},"resourceId":%q,"resourceName":"Customer %d","totalCost":%s,
		"currencyCode":%q,"lastModifiedDate":%q}`, budget, strings.ToUpper(tenantOf(i)), i, total, currency, at.Format(time.RFC3339))
}

// read is what one reading says: records of usage, and further records by kind.
func read(t *testing.T, at time.Time, usages []string, more ...[2]string) *facts.Facts {
	t.Helper()
	f := facts.New()
	in := evidence.Input{Path: "usageRecords.json", Status: evidence.Read}
	in.Times.Stated = &at
	take := func(kind evidence.Kind, raw string) {
		t.Helper()
		if err := f.Take(kind, []byte(raw), evidence.Source{Path: in.Path}); err != nil {
			t.Fatal(err)
		}
		in.Count(kind, 1)
	}
	if usages != nil {
		in.Count(evidence.CustomerUsage, 0)
	}
	for _, u := range usages {
		take(evidence.CustomerUsage, u)
	}
	for _, m := range more {
		take(evidence.Kind(m[0]), m[1])
	}
	f.Inputs = append(f.Inputs, in)
	return f
}

func account(t *testing.T, b *Book, i int) *Account {
	t.Helper()
	for k := range b.Customers {
		if b.Customers[k].Tenant == tenantOf(i) {
			return &b.Customers[k]
		}
	}
	t.Fatalf("customer %d is not there", i)
	return nil
}

// Readings day by day become days of the month and past months; what is not read is kept,
// and another currency begins anew.
func TestBuild(t *testing.T) {
	t.Parallel()
	day := func(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }
	var b *Book
	for _, m := range []time.Month{8, 9, 10} {
		for d := 2; d <= 30; d++ {
			at := day(m, d)
			b = Build(b, read(t, at, []string{usage(0, fmt.Sprint(10*(d-1)*int(m)), "null", "EUR", at)}), at.Add(3*time.Hour))
		}
	}
	at := day(11, 20)
	b = Build(b, read(t, at, []string{usage(0, "190", "200", "EUR", at), usage(1, "5", "0", "USD", at)}), at.Add(time.Hour))
	a := account(t, b, 0)
	if a.Budgeted != Yes || *a.Budget != 200 || *a.Cost != 190 || len(a.Months) != 3 || len(a.Days) > maxDays {
		t.Fatalf("%+v", a)
	}
	if v, n := a.median(at); n != 3 || v != 2610 { // 290 times 8, 9 and 10
		t.Errorf("the median of %d months is %v", n, v)
	}
	if x := account(t, b, 1); x.Budgeted != No || !x.Since.After(b.From) {
		t.Errorf("a budget of nothing is %s, and the customer is new since %s", x.Budgeted, x.Since)
	}
	later := at.AddDate(0, 0, 1)
	kept := Build(b, read(t, later, nil), later)
	if x := account(t, kept, 0); kept.Usage.Whole || x.Budgeted != Yes || len(x.Months) != 3 {
		t.Errorf("what was not read is gone: %+v", x)
	}
	gone := Build(b, read(t, later, []string{usage(1, "6", "0", "USD", later)}), later)
	if len(gone.Customers) != 1 {
		t.Errorf("a customer that is not in the whole list is there still: %+v", gone.Customers)
	}
	other := Build(b, read(t, later, []string{usage(0, "7", "null", "CHF", later)}), later)
	if x := account(t, other, 0); len(x.Months) != 0 || len(x.Days) != 1 {
		t.Errorf("sums of another currency are kept: %+v", x)
	}
	bought := Build(nil, read(t, at, []string{}, [2]string{string(evidence.CustomerSubscription),
		`{"id":"s1","offerId":"DZH318Z0BPS6:0001","status":"active","billingType":"usage","links":{"self":{"uri":"/customers/` + tenantOf(7) + `/subscriptions/s1"}}}`}), at)
	if x := account(t, bought, 7); x.Budgeted != Unknown || x.Cost != nil {
		t.Errorf("a customer whose usage was not read: %+v", x)
	}
}

// The standing says what is wrong, and never takes what was not read for well.
func TestStand(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC)
	mid := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		a    Account
		want Standing
		says string
	}{
		"within":              {Account{Budgeted: Yes, Budget: ptr(1000), Cost: ptr(400), CostAt: mid, Read: now}, WithinBudget, "400"},
		"over":                {Account{Budgeted: Yes, Budget: ptr(300), Cost: ptr(400), CostAt: mid, Read: now}, OverBudget, "400"},
		"over, read long ago": {Account{Budgeted: Yes, Budget: ptr(300), Cost: ptr(400), CostAt: mid.AddDate(0, 0, -6), Read: now.AddDate(0, 0, -6)}, OverBudget, "400"},
		"will be":             {Account{Budgeted: Yes, Budget: ptr(700), Cost: ptr(400), CostAt: mid, Read: now}, WillBeOver, "800"},
		"none":                {Account{Budgeted: No, Cost: ptr(400), CostAt: mid, Read: now}, NoBudget, "nobody is told"},
		"not said":            {Account{Budgeted: Unknown, Cost: ptr(400), CostAt: mid, Read: now}, NotKnown, "not in what was read"},
		"no cost":             {Account{Budgeted: Yes, Budget: ptr(700), Read: now}, NotKnown, "what it cost"},
		"never read":          {Account{Budgeted: Yes, Budget: ptr(700)}, NotKnown, "was not read"},
		"old":                 {Account{Budgeted: Yes, Budget: ptr(700), Cost: ptr(4), CostAt: mid.AddDate(0, 0, -6), Read: now.AddDate(0, 0, -6)}, NotKnown, "read last"},
		"of last month":       {Account{Budgeted: Yes, Budget: ptr(100), Cost: ptr(400), CostAt: mid.AddDate(0, -1, 0), Read: now}, NotKnown, "what it cost"},
		"day one": {Account{Budgeted: Yes, Budget: ptr(100), Cost: ptr(50), CostAt: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC),
			Read: now.AddDate(0, 0, -1)}, WithinBudget, "50"},
		"grows of late": {Account{Budgeted: Yes, Budget: ptr(1000), Cost: ptr(400), CostAt: mid, Read: now,
			Days: []Day{{mid.AddDate(0, 0, -5), 100}, {mid, 400}}}, WillBeOver, "1,300"},
	} {
		c.a.Tenant = tenantOf(1)
		r := Stand(&Book{Usage: List{Whole: true, At: now}, Customers: []Account{c.a}}, nil, now, nil)
		x := r.Rows[0]
		if x.Standing != c.want || !strings.Contains(x.Why, c.says) {
			t.Errorf("%s: %s, %q (forecast %v by %s)", name, x.Standing, x.Why, x.Forecast, x.How)
		}
		if x.Azure.Read != Unknown {
			t.Errorf("%s: what was not read of Azure is %s", name, x.Azure.Read)
		}
	}
}

// The worst comes first.
func TestOrder(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC)
	acc := func(i int, y Answer, budget, cost float64) Account {
		a := Account{Tenant: tenantOf(i), Budgeted: y, Cost: &cost, CostAt: now, Read: now}
		if y == Yes {
			a.Budget = &budget
		}
		return a
	}
	b := &Book{Usage: List{Whole: false, Why: "it ends early"}, Score: &Score{With: 9, Of: 90}, Customers: []Account{acc(1, Yes, 1e6, 1), acc(2, Unknown, 0, 1),
		acc(3, No, 0, 5), acc(4, No, 0, 50), acc(5, Yes, 10, 11), acc(6, Yes, 10, 20), acc(7, Yes, 100, 80)}}
	r := Stand(b, nil, now, nil)
	var got []string
	for _, x := range r.Rows {
		got = append(got, x.Tenant[len(x.Tenant)-1:])
	}
	if s := strings.Join(got, ""); s != "6574321" {
		t.Errorf("the order is %s", s)
	}
	if len(r.Notes) != 2 || !strings.Contains(r.Notes[0], "ends early") || !strings.Contains(r.Notes[1], "9 of 90") {
		t.Errorf("%q", r.Notes)
	}
}

// A customer's own subscriptions come with their budgets, and are known only where both lists are whole.
func TestBuildOwn(t *testing.T) {
	t.Parallel()
	sub := [2]string{string(evidence.AzureSubscription), `{"subscriptionId":"` + strings.ToUpper(subOf(1)) + `","displayName":"Prod","state":"Enabled"}`}
	bud := [2]string{string(evidence.AzureBudget), `{"id":"/subscriptions/` + subOf(1) + `/providers/Microsoft.Consumption/budgets/own","name":"own",
		"type":"Microsoft.Consumption/budgets","properties":{"amount":99.5,"timeGrain":"Monthly","currentSpend":{"amount":7,"unit":"EUR"}}}`}
	o := BuildOwn(read(t, start, nil, sub, bud), start)
	if o.Read != Yes || len(o.Subscriptions) != 1 || o.Subscriptions[0].ID != subOf(1) || *o.Subscriptions[0].Budgets[0].Amount != 99.5 {
		t.Errorf("%+v", o)
	}
	if o = BuildOwn(read(t, start, nil, sub), start); o.Read != Unknown || o.Why == "" {
		t.Errorf("budgets that were not read: %+v", o)
	}
}
