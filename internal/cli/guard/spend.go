package guard

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/fraud/budget"
	"partnerguard/internal/print"
)

// NewSpendStatus is the command of spend that says how customers stand; the parent, of
// another wing, takes it.
func NewSpendStatus(env *kit.Env) *cobra.Command {
	in := &kit.Installation{}
	var open kit.Opener = func(ctx context.Context) (*app.Installation, error) { return in.Data(ctx, env, false) }
	var from []string
	var customer string
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "status", Short: "Show what each customer's Azure costs this month, beside its budget", Args: kit.NoWords,
		Long: `status shows each customer with Azure: what this month cost so far by Partner Center's
own estimate, its spending budget, the share of it, and what the month will have cost if each
day that is left costs as the last seven did. What is wrong comes first: over budget, will
be over, no budget, not known. Each number says of when it is. What was not read is not known,
and no zero.

A budget tells people. It never caps: nothing stops at it.`,
		Example: `  partnerguard spend status
  partnerguard spend status --customer fabrikam.example --output json
  partnerguard spend status --from exports/ --output csv --out spending.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.Spending(cmd.Context(), from, customer)
				if err != nil {
					return err
				}
				return output.Write(env, kit.Forms{
					"text": kit.Text(env, func(w io.Writer) error { writeSpending(w, output.Paint(env), r); return nil }),
					"json": func(w io.Writer) error { return print.JSON(w, r) },
					"csv":  func(w io.Writer) error { return spendingCSV(w, r) },
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&from, "from", nil, "go by these files (default what was collected)")
	f.StringVar(&customer, "customer", "", "this customer alone, by tenant id or domain")
	output.RegisterFile(cmd)
	in.Register(cmd)
	return cmd
}

func money(v *float64, currency string) string {
	if v == nil {
		return "not known"
	}
	return strings.TrimSpace(strconv.FormatFloat(*v, 'f', 2, 64) + " " + currency)
}

func writeSpending(w io.Writer, p kit.Paint, r *budget.Report) {
	var counts []string
	for _, s := range budget.Standings() {
		if n := r.Counts[s]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, s.Word()))
		}
	}
	if len(r.Rows) == 0 {
		fmt.Fprintln(w, "No customer with Azure is known.")
	} else {
		fmt.Fprintf(w, "%s with Azure: %s\n\n", print.Plural(int64(len(r.Rows)), "customers"), strings.Join(counts, ", "))
	}
	kit.Table(w, p, r.Rows,
		kit.Col("customer", func(x *budget.Row) string { return print.Clean(x.Name, 60) }),
		kit.Col("standing", func(x *budget.Row) string { return x.Standing.Word() }),
		kit.Col("this month", func(x *budget.Row) string { return money(x.Cost, x.Currency) }),
		kit.Col("budget", func(x *budget.Row) string {
			if x.Budgeted == budget.No {
				return "none"
			}
			return money(x.Budget, x.Currency)
		}),
		kit.Col("share", func(x *budget.Row) string {
			if x.Share == nil {
				return ""
			}
			return fmt.Sprintf("%.0f %%", *x.Share*100)
		}),
		kit.Col("forecast", func(x *budget.Row) string { return money(x.Forecast, x.Currency) }),
		kit.Col("Azure's own", func(x *budget.Row) string {
			if x.Azure.Read != budget.Yes {
				return "not read"
			}
			return fmt.Sprintf("%d of %d", x.Azure.With, x.Azure.Subscriptions)
		}),
		kit.Col("of", func(x *budget.Row) string {
			if x.CostAt.IsZero() {
				return ""
			}
			return print.When(x.CostAt)
		}),
		kit.Col("why", func(x *budget.Row) string { return x.Why }))
	for _, n := range r.Notes {
		fmt.Fprintf(w, "\n%s\n", n)
	}
	if r.Counts[budget.NoBudget] > 0 {
		fmt.Fprintln(w, "\n→ partnerguard budgets plan --median 1.5x --amount 500 > budgets.yaml")
	}
}

func spendingCSV(w io.Writer, r *budget.Report) error {
	s := print.NewSheet(w, "customerTenantId", "name", "domain", "standing", "why", "currency", "cost", "budgeted", "budget", "shareOfBudget", "forecast",
		"forecastBy", "lastMonth", "costAt", "read", "azureRead", "azureSubscriptions", "azureWithBudget", "azureWhy")
	num := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', -1, 64)
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	for i := range r.Rows {
		x := &r.Rows[i]
		s.Row(x.Tenant, x.Name, x.Domain, string(x.Standing), x.Why, x.Currency, num(x.Cost), string(x.Budgeted), num(x.Budget), num(x.Share), num(x.Forecast),
			x.How, num(x.Last), at(x.CostAt), at(x.Read), string(x.Azure.Read), strconv.Itoa(x.Azure.Subscriptions), strconv.Itoa(x.Azure.With),
			cmp.Or(x.Azure.Why))
	}
	return s.Close()
}
