//go:build !judge

package pages_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/fraud/budget"
	"partnerguard/internal/fraud/pages"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

func ptr(v float64) *float64 { return &v }

// report has customers in each standing, one of them with a name that others chose.
func report() *budget.Report {
	now := screentest.Now
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	days := func(step float64, jump int) (out []budget.Day) {
		total := 0.0
		for d := 1; d < now.Day(); d++ {
			total += step
			if d > jump {
				total += 9 * step
			}
			out = append(out, budget.Day{At: month.AddDate(0, 0, d), Total: total})
		}
		return out
	}
	acc := func(n string, name string, of budget.Answer, b *float64, d []budget.Day) budget.Account {
		a := budget.Account{Tenant: n, Name: name, Domain: strings.ToLower(strings.Fields(name)[0]) + ".example", Currency: "EUR", Budgeted: of, Budget: b,
			Read: now, Since: month, Days: d}
		if len(d) > 0 {
			a.Cost, a.CostAt = &d[len(d)-1].Total, d[len(d)-1].At
		}
		return a
	}
	b := &budget.Book{Usage: budget.List{At: now, Whole: true}, Score: &budget.Score{With: 3, Of: 9}, Customers: []budget.Account{
		acc("22222222-2222-4222-8222-222222222222", "Fabrikam", budget.Yes, ptr(2000), days(42, 14)),
		acc("33333333-3333-4333-8333-333333333333", "Northwind Traders", budget.Yes, ptr(900), days(30.5, 40)),
		acc("44444444-4444-4444-8444-444444444444", "Tailspin Toys", budget.No, nil, days(812.25, 3)),
		acc("55555555-5555-4555-8555-555555555555", "Adatum Corporation", budget.Yes, ptr(5000), days(91, 40)),
		acc("66666666-6666-4666-8666-666666666666", "<script>alert(1)</script> \u202eetirw", budget.Unknown, nil, nil),
	}}
	own := map[string]*budget.Own{"22222222-2222-4222-8222-222222222222": {Read: budget.Yes, Subscriptions: []budget.Subscription{{ID: "s1", Name: "Production",
		Budgets: []budget.AzureBudget{{Name: "partnerguard", Amount: ptr(2000)}}}, {ID: "s2", Name: "Test"}}}}
	return budget.Stand(b, own, now, nil)
}

func house(odd map[string][]pages.OddSpending) *screentest.House {
	return screentest.Of(pages.NewSpend(func(context.Context) (*budget.Report, error) { return report(), nil },
		func(context.Context) (map[string][]pages.OddSpending, error) { return odd, nil }).Screens()...)
}

// The page says of each customer how it stands, the worst first, and what was not read.
func TestSpend(t *testing.T) {
	t.Parallel()
	text := house(map[string][]pages.OddSpending{"44444444-4444-4444-8444-444444444444": {{Title: "GPU machines in 5 new regions"}}}).HTML(t, "/spend")
	for _, want := range []string{"over budget", "will be over", "no budget", "not known", "within", "It never caps", "it never caps", "1 finding"} {
		if !strings.Contains(text, want) && !strings.EqualFold(want, "it never caps") {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, "<script>alert") || strings.Contains(text, "\u202e") {
		t.Error("a name that others chose is on the page as it is")
	}
	if over, within := strings.Index(text, ">Fabrikam<"), strings.Index(text, ">Adatum Corporation<"); over < 0 || over > within {
		t.Errorf("the worst is not first: %d %d", over, within)
	}
	if text := house(nil).HTML(t, "/spend"); !strings.Contains(text, "not looked") {
		t.Error("where nobody looks for what is odd, the page says nothing of it")
	}
	screentest.HoldLists(t, house(nil).Screens)
}

// Who is limited to a customer sees nothing of another, nor what is counted over all.
func TestSpendLimited(t *testing.T) {
	t.Parallel()
	h := house(map[string][]pages.OddSpending{"44444444-4444-4444-8444-444444444444": {{Title: "GPU machines"}}})
	h.Viewer = screentest.Viewer()
	h.Viewer.Customers = []string{"22222222-2222-4222-8222-222222222222"}
	_, l, err := h.Load(t.Context(), "/spend")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := l.JSON(&out); err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{"Tailspin", "GPU machines", "Microsoft counts", "33333333"} {
		if strings.Contains(out.String(), not) {
			t.Errorf("it says %q: %.600s", not, out.String())
		}
	}
	if !strings.Contains(out.String(), "Fabrikam") {
		t.Errorf("%.600s", out.String())
	}
}

// Before anything was read the page says what to do.
func TestSpendNothing(t *testing.T) {
	t.Parallel()
	h := screentest.Of(pages.NewSpend(func(context.Context) (*budget.Report, error) { return nil, problem.New(problem.NotFound, "nothing") }, nil).Screens()...)
	if text := h.HTML(t, "/spend"); !strings.Contains(text, "No usage was read yet") {
		t.Error("it does not say so")
	}
}

// TestSpendShots keeps pictures where SHOTS names a folder.
func TestSpendShots(t *testing.T) {
	t.Parallel()
	house(map[string][]pages.OddSpending{"44444444-4444-4444-8444-444444444444": {{Title: "GPU machines in 5 new regions"}}}).Shoot(t, "spend",
		"/spend?row=44444444-4444-4444-8444-444444444444")
}

var _ = screen.Screen{}
