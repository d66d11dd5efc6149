//go:build !judge

package budget

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/problem"
)

func book(list ...Account) *Book {
	for i := range list {
		list[i].Tenant, list[i].Read = tenantOf(i), start
	}
	return &Book{Partner: partnerID, AsOf: start, Usage: List{Whole: true, At: start}, Customers: list}
}

func month(m string, total float64, currency string) Month {
	first, _ := time.Parse("2006-01", m)
	return Month{Month: m, Total: total, At: first.AddDate(0, 1, -1), Currency: currency}
}

// Amounts follow the rule, and where none can be said nothing is planned, with the reason.
func TestMake(t *testing.T) {
	t.Parallel()
	spent := Account{Currency: "EUR", Budgeted: No, Domain: "a.example",
		Months: []Month{month("2026-08", 100, "EUR"), month("2026-09", 300, "EUR"), month("2026-10", 200, "EUR")}}
	for name, c := range map[string]struct {
		a    Account
		rule Rule
		want float64 // 0: nothing is done
		was  Was
		why  string
	}{
		"an amount":        {Account{Budgeted: No, Currency: "EUR"}, Rule{Amount: Amounts{"*": 500}}, 500, WasNone, "said"},
		"of its currency":  {Account{Budgeted: No, Currency: "USD"}, Rule{Amount: Amounts{"*": 500, "USD": 550}}, 550, WasNone, "said"},
		"of another":       {Account{Budgeted: No, Currency: "USD"}, Rule{Amount: Amounts{"EUR": 500}}, 0, "", "no amount was said for USD"},
		"the median":       {spent, Rule{Median: 1.5}, 300, WasNone, "1.5 times"},
		"at least":         {spent, Rule{Median: 1.5, Minimum: Amounts{"*": 1000}}, 1000, WasNone, "minimum"},
		"no month":         {Account{Budgeted: No, Currency: "EUR"}, Rule{Median: 1.5}, 0, "", "no whole month"},
		"no month, but":    {Account{Budgeted: No, Currency: "EUR"}, Rule{Median: 1.5, Amount: Amounts{"*": 70}}, 70, WasNone, "no whole month"},
		"half a month":     {Account{Budgeted: No, Currency: "EUR", Months: []Month{{"2026-10", 9, start.AddDate(0, -1, 0), "EUR"}}}, Rule{Median: 1.5}, 0, "", "no whole month"},
		"nothing spent":    {Account{Budgeted: No, Months: []Month{month("2026-10", 0, "")}}, Rule{Median: 2}, 0, "", "cost nothing"},
		"it has one":       {Account{Budgeted: Yes, Budget: ptr(900)}, Rule{Amount: Amounts{"*": 500}}, 0, "", "stays without --replace"},
		"replaced":         {Account{Budgeted: Yes, Budget: ptr(900)}, Rule{Amount: Amounts{"*": 500}, Replace: true}, 500, "900", "said"},
		"it is that":       {Account{Budgeted: Yes, Budget: ptr(500)}, Rule{Amount: Amounts{"*": 500}, Replace: true}, 0, "", "that already"},
		"budget not known": {Account{Budgeted: Unknown}, Rule{Amount: Amounts{"*": 500}}, 500, WasNotRead, "said"},
	} {
		p, err := Make(&Ask{Cloud: "public", Now: start, Book: book(c.a), Rule: c.rule})
		if err != nil {
			t.Fatal(name, err)
		}
		switch {
		case c.want == 0:
			if len(p.Customers) != 0 || len(p.Unchanged) != 1 || !strings.Contains(p.Unchanged[0].Why, c.why) {
				t.Errorf("%s: %+v %+v", name, p.Customers, p.Unchanged)
			}
		case len(p.Customers) != 1 || p.Customers[0].Center.Amount != c.want || p.Customers[0].Center.Was != c.was || !strings.Contains(p.Customers[0].Why, c.why):
			t.Errorf("%s: %+v %+v", name, p.Customers, p.Unchanged)
		}
	}
}

// Azure's own budgets: one for each subscription without one, and none where Azure was not read.
func TestMakeAzure(t *testing.T) {
	t.Parallel()
	own := map[string]*Own{tenantOf(0): {Read: Yes, Subscriptions: []Subscription{{ID: subOf(1), Name: "bare"}, {ID: subOf(2), Name: "theirs",
		Budgets: []AzureBudget{{Name: "cfo", Amount: ptr(5)}}}, {ID: subOf(3), Name: "ours", Budgets: []AzureBudget{{Name: AzureName, Amount: ptr(7)}}},
		{ID: subOf(4), State: "Deleted"}}}}
	a := &Ask{Cloud: "public", Now: start, Book: book(Account{Budgeted: No, Currency: "EUR"}, Account{Budgeted: No}), Own: own, Rule: Rule{Amount: Amounts{"*": 500}}}
	p, err := Make(a)
	if err != nil || len(p.Customers) != 2 {
		t.Fatal(p, err)
	}
	c := p.Customers[0]
	if len(c.Azure) != 1 || c.Azure[0].Subscription != subOf(1) || !reflect.DeepEqual(c.Azure[0].Roles, []string{"Owner"}) || !strings.Contains(c.Why, "cfo") {
		t.Errorf("%+v %q", c.Azure, c.Why)
	}
	if c = p.Customers[1]; len(c.Azure) != 0 || !strings.Contains(c.Why, "GDAP or consent is missing") {
		t.Errorf("%+v", c)
	}
	a.Rule.Replace, a.Emails = true, []string{"finops@contoso.example"}
	if p, err = Make(a); err != nil || len(p.Customers[0].Azure) != 3 || p.Customers[0].Azure[2].Was != "7" || len(p.Customers[0].Azure[0].Roles) != 0 {
		t.Errorf("%+v %v", p.Customers[0].Azure[2], err)
	}
	if err := p.Check(); err != nil {
		t.Error(err)
	}
}

// What cannot be meant is refused, with what to write instead.
func TestMakeRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ask  Ask
		kind problem.Kind
	}{
		"no rule":          {Ask{}, problem.Usage},
		"a negative one":   {Ask{Rule: Rule{Amount: Amounts{"*": -1}}}, problem.Usage},
		"no currency":      {Ask{Rule: Rule{Amount: Amounts{"EURO": 1}}}, problem.Usage},
		"a wild median":    {Ask{Rule: Rule{Median: 1e9}}, problem.Usage},
		"no address":       {Ask{Rule: Rule{Amount: Amounts{"*": 1}}, Emails: []string{"finops"}}, problem.Usage},
		"no role":          {Ask{Rule: Rule{Amount: Amounts{"*": 1}}, Roles: []string{"God"}}, problem.Usage},
		"another customer": {Ask{Rule: Rule{Amount: Amounts{"*": 1}}, Customers: []string{"nobody.example"}}, problem.NotFound},
		"without nobody":   {Ask{Rule: Rule{Amount: Amounts{"*": 1}}, Without: []string{"nobody.example"}}, problem.NotFound},
	} {
		c.ask.Book, c.ask.Now = book(Account{Budgeted: No}), start
		if _, err := Make(&c.ask); !errors.Is(err, c.kind) || problem.HintOf(err) == "" {
			t.Errorf("%s: %v (%s)", name, err, problem.HintOf(err))
		}
	}
	b := book(Account{Budgeted: No})
	b.Partner = ""
	if _, err := Make(&Ask{Book: b, Now: start, Rule: Rule{Amount: Amounts{"*": 1}}}); !errors.Is(err, problem.NotFound) {
		t.Errorf("whose customers they are is not known: %v", err)
	}
}
