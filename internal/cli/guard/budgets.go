package guard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/fraud/budget"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// newBudgets makes the commands of spending budgets.
func newBudgets(env *kit.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "budgets", Short: "Plan and set customers' spending budgets",
		Long: `budgets sets Partner Center's spending budget of each customer with Azure, and a budget in
Azure of each of its subscriptions: by a plan that is read and changed first, and that can
be taken back. A budget that is there stays as it is unless the plan says replace.

A budget tells people. It never caps: nothing stops at it.`,
		Example: `  partnerguard budgets plan --median 1.5x --amount 500 > budgets.yaml
  partnerguard budgets apply budgets.yaml --dry-run
  partnerguard budgets apply budgets.yaml
  partnerguard budgets status`,
		Args: kit.Only("budgets", "plan, apply, status and rollback"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, act := range []func(*kit.Env, kit.Opener) *cobra.Command{newBudgetsPlan, newBudgetsApply, newBudgetsStatus, newBudgetsRollback} {
		in := &kit.Installation{}
		c := act(env, func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
		in.Register(c)
		cmd.AddCommand(c)
	}
	return cmd
}

func newBudgetsPlan(env *kit.Env, open kit.Opener) *cobra.Command {
	var a budget.Ask
	var from, amount, minimum []string
	var customers, without, median string
	output := kit.NewOutput("yaml", "json")
	cmd := &cobra.Command{
		Use: "plan", Short: "Plan which budgets shall be set", Args: kit.NoWords,
		Long: `plan writes, customer by customer, which budget shall be set: an amount, or so many times
what the median of the last three whole months cost. Amounts are in each customer's own
currency; EUR=500 is of one currency alone. Beside Partner Center's budget each subscription of
Azure that was read gets one of the customer's amount, which tells at 50, 80 and 100 % of
what was spent and at 100 % of Azure's own forecast. A budget that is there stays, unless
--replace; customers where nothing is done are named with the reason.

It sends nothing and changes nothing: read the plan, change it, and have it done with apply.`,
		Example: `  partnerguard budgets plan --median 1.5x --amount 500 > budgets.yaml
  partnerguard budgets plan --amount EUR=500 --amount USD=550 --customers pilot.txt > budgets.yaml
  partnerguard budgets plan --median 1.5x --minimum 100 --replace --contact finops@contoso.example > budgets.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if a.Rule.Amount, err = amountsOf(amount); err != nil {
				return err
			}
			if a.Rule.Minimum, err = amountsOf(minimum); err != nil {
				return err
			}
			if a.Rule.Median, err = timesOf(median); err != nil {
				return err
			}
			if a.Customers, err = customersOf(customers); err != nil {
				return err
			}
			if a.Without, err = customersOf(without); err != nil {
				return err
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				p, err := s.BudgetPlan(cmd.Context(), from, a)
				if err != nil {
					return err
				}
				return output.Write(env, kit.Forms{
					"yaml": func(w io.Writer) error {
						b, err := p.YAML()
						if err == nil {
							_, err = w.Write(b)
						}
						return err
					},
					"json": func(w io.Writer) error { return json.NewEncoder(w).Encode(p) },
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&from, "from", nil, "plan by these files (default what was collected)")
	f.StringSliceVar(&amount, "amount", nil, "the amount, in each customer's currency, or EUR=500 of one; may be repeated")
	f.StringVar(&median, "median", "", "times the median of the last three whole months, such as 1.5x")
	f.StringSliceVar(&minimum, "minimum", nil, "at least this, with --median; may be repeated")
	f.StringVar(&customers, "customers", "all", "a file of tenant ids or domains, a line each, or all")
	f.StringVar(&without, "without", "", "a file of customers that are left out")
	f.StringSliceVar(&a.Emails, "contact", nil, "whom Azure's budgets tell by mail; may be repeated")
	f.StringSliceVar(&a.Roles, "role", nil, "which roles on the subscription they tell: Owner, Contributor, Reader (default Owner where no contact is named)")
	f.BoolVar(&a.Rule.Replace, "replace", false, "change budgets that are there, also to less")
	f.BoolVar(&a.NoAzure, "no-azure", false, "plan Partner Center's budgets alone")
	output.RegisterFile(cmd)
	return cmd
}

// amountsOf reads amounts: 500, or EUR=500.
func amountsOf(list []string) (budget.Amounts, error) {
	out := budget.Amounts{}
	for _, s := range list {
		currency, text, ok := strings.Cut(s, "=")
		if !ok {
			currency, text = "*", s
		}
		currency = strings.ToUpper(strings.TrimSpace(currency))
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if _, twice := out[currency]; err != nil || twice {
			return nil, problem.New(problem.Usage, "%.40q is no amount, or one of its currency is there already", s).WithHint("500, or EUR=500")
		}
		out[currency] = v
	}
	return out, nil
}

// timesOf reads 1.5x.
func timesOf(s string) (float64, error) {
	if s == "" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "x"), 64)
	if err != nil || v <= 0 {
		return 0, problem.New(problem.Usage, "%.20q is not so many times", s).WithHint("--median 1.5x")
	}
	return v, nil
}

func newBudgetsApply(env *kit.Env, open kit.Opener) *cobra.Command {
	var dry bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "apply PLAN", Short: "Set the budgets of a plan",
		Long: `apply sets what a plan says, several customers at a time. What is there is read first: a
budget that is so already is left, and one that is not what the plan found is told, not
overwritten. Where a right is missing it says which, and goes on with the others. It can be
stopped at any moment; run again with the same plan it goes on, and tries once more what was
refused. What has to wait, partnerguard serve does later. --dry-run says what it would
set, and sends nothing.`,
		Example: `  partnerguard budgets apply budgets.yaml --dry-run
  partnerguard budgets apply budgets.yaml`,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "apply takes one plan's file").WithHint("partnerguard budgets plan > budgets.yaml")),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := problem.ReadFile("the plan", args[0], maxPlanFile)
			if err != nil {
				return err
			}
			p, err := budget.Read(args[0], raw)
			if err != nil {
				return err
			}
			if dry {
				return output.Answer(env, p, func(w io.Writer, paint kit.Paint) error {
					writeBudgets(w, paint, &p)
					return nil
				})
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.BudgetApply(cmd.Context(), p)
				if err != nil {
					return err
				}
				return doBudgets(cmd, env, s, &output, r.ID)
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be set, and send nothing")
	output.Register(cmd)
	return cmd
}

// doBudgets does what can be done of a plan now, and shows how it stands.
func doBudgets(cmd *cobra.Command, env *kit.Env, s *app.Installation, output *kit.Output, plan string) error {
	bar := kit.NewCount(env, "setting")
	list, err := s.Budgets.Status(cmd.Context(), plan)
	if err != nil {
		return err
	}
	done, all := int64(0), int64(len(list[0].Items))
	err = s.Budgets.Now(cmd.Context(), plan, func(budget.Item) { done++; bar.Set(done, all) })
	bar.Done()
	if err != nil {
		return err
	}
	return tellBudgets(cmd, env, s, output, plan, "")
}

func writeBudgets(w io.Writer, p kit.Paint, plan *budget.Plan) {
	type line struct{ customer, what, amount, was, why string }
	var rows []line
	for i := range plan.Customers {
		c := &plan.Customers[i]
		name := print.Clean(c.Name, 60)
		if c.Center != nil {
			rows = append(rows, line{name, "Partner Center", money(&c.Center.Amount, c.Currency), string(c.Center.Was), c.Why})
		}
		for _, z := range c.Azure {
			rows = append(rows, line{name, "Azure, " + print.First(z.Subscription, z.Name), money(&z.Amount, c.Currency), string(z.Was), ""})
		}
	}
	kit.Table(w, p, rows,
		kit.Col("customer", func(r *line) string { return r.customer }), kit.Col("budget", func(r *line) string { return r.what }),
		kit.Col("amount", func(r *line) string { return r.amount }), kit.Col("was", func(r *line) string { return r.was }),
		kit.Col("why", func(r *line) string { return print.Clean(r.why, 300) }))
	if n := len(plan.Unchanged); n > 0 {
		fmt.Fprintf(w, "\nNothing is done at %s:\n", print.Plural(int64(n), "customers"))
		why := map[string]int{}
		for _, u := range plan.Unchanged {
			why[u.Why]++
		}
		for _, k := range slices.Sorted(maps.Keys(why)) {
			fmt.Fprintf(w, "  %d: %s\n", why[k], print.Clean(k, 300))
		}
	}
	fmt.Fprintln(w, "\nNothing was changed. A budget tells people; it never caps.")
}

func newBudgetsStatus(env *kit.Env, open kit.Opener) *cobra.Command {
	var customer string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "status [PLAN]", Short: "Show how far the plans came, and what is left of them",
		Example: "  partnerguard budgets status\n  partnerguard budgets status bp-0123456789abcdef --customer 0a1b2c3d-0000-4000-8000-000000000001",
		Args:    kit.Between(0, 1, problem.New(problem.Usage, "status takes one plan's id, or none")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				return tellBudgets(cmd, env, s, &output, cmp.Or(append(args, "")...), strings.ToLower(customer))
			})
		},
	}
	cmd.Flags().StringVar(&customer, "customer", "", "this customer alone, with what was asked of Microsoft for it, by tenant id")
	output.Register(cmd)
	return cmd
}

func newBudgetsRollback(env *kit.Env, open kit.Opener) *cobra.Command {
	var customer string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "rollback PLAN", Short: "Put back the budgets that a plan changed",
		Long: `rollback puts each budget that the plan set back to what was there before: another amount,
or none. What somebody changed since is left as it is and told. What was not set yet is
not set any more.`,
		Example: `  partnerguard budgets rollback bp-0123456789abcdef
  partnerguard budgets rollback bp-0123456789abcdef --customer 0a1b2c3d-0000-4000-8000-000000000001`,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "rollback takes one plan's id").WithHint("partnerguard budgets status shows them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				if err := s.Budgets.Rollback(cmd.Context(), args[0], strings.ToLower(customer)); err != nil {
					return err
				}
				return doBudgets(cmd, env, s, &output, args[0])
			})
		},
	}
	cmd.Flags().StringVar(&customer, "customer", "", "this customer alone, by tenant id")
	output.Register(cmd)
	return cmd
}

// tellBudgets shows how applied plans stand; of one customer with each step.
func tellBudgets(cmd *cobra.Command, env *kit.Env, s *app.Installation, output *kit.Output, plan, customer string) error {
	list, err := s.Budgets.Status(cmd.Context(), plan)
	if err != nil {
		return err
	}
	var steps []budget.Step
	for i := range list {
		if customer == "" {
			break
		}
		list[i].Items = slices.DeleteFunc(list[i].Items, func(x budget.Item) bool { return x.Customer != customer })
		more, err := s.Budgets.History(cmd.Context(), list[i].ID, customer)
		if err != nil {
			return err
		}
		steps = append(steps, more...)
	}
	said := map[string]any{"plans": print.List(list)}
	if customer != "" {
		said["steps"] = print.List(steps)
	}
	return output.Answer(env, said, func(w io.Writer, p kit.Paint) error {
		if len(list) == 0 {
			fmt.Fprintln(w, "No plan was applied.")
		}
		for i := range list {
			writeBudgetRun(w, p, &list[i])
		}
		if customer != "" {
			fmt.Fprintln(w)
			kit.Table(w, p, steps,
				kit.Col("asked", func(s *budget.Step) string { return s.Asked.UTC().Format(time.DateTime) }),
				kit.Col("budget", func(s *budget.Step) string { return s.What }),
				kit.Col("what", func(s *budget.Step) string { return s.Act }),
				kit.Col("answer", func(s *budget.Step) string { return cmp.Or(s.Result, "not known") }),
				kit.Col("words", func(s *budget.Step) string { return s.Words }))
		}
		return nil
	})
}

func writeBudgetRun(w io.Writer, p kit.Paint, s *budget.Status) {
	fmt.Fprintf(w, "%s: %s, applied %s by %s\n", s.ID, s.State, s.Applied.UTC().Format(time.DateTime), print.Clean(s.Actor, 60))
	var counts []string
	for _, state := range budget.States() {
		if n := s.Counts[state]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, state))
		}
	}
	fmt.Fprintf(w, "  %s\n\n", strings.Join(counts, ", "))
	kit.Table(w, p, s.Items,
		kit.Col("customer", func(x *budget.Item) string { return print.Clean(x.Name, 60) }),
		kit.Col("tenant", func(x *budget.Item) string { return x.Customer }),
		kit.Col("budget", func(x *budget.Item) string {
			if x.What == budget.CenterItem {
				return "Partner Center"
			}
			return "Azure, " + x.What
		}),
		kit.Col("amount", func(x *budget.Item) string { return money(&x.Amount, x.Currency) }),
		kit.Col("state", func(x *budget.Item) string { return string(x.State) }),
		kit.Col("why", func(x *budget.Item) string { return cmp.Or(x.Refuses, x.Why) }))
}
