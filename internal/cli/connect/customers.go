package connect

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/sam/suite"
)

func newCustomers(env *kit.Env) *cobra.Command {
	return kit.Installed(env, func(open func(context.Context) (*app.Installation, error)) *cobra.Command {
		cmd := &cobra.Command{
			Use: "customers", Short: "List customers, and plan and apply the app's consent at each",
			Example: "  partnerguard customers list\n  partnerguard customers consent --plan --feature sign-ins,policies\n  partnerguard customers " +
				"consent --apply",
			Args: kit.Between(0, 0, problem.New(problem.Usage, "customers knows no such command").WithHint("it knows list and consent")),
			RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		}
		cmd.AddCommand(newCustomersList(env, open), newCustomersConsent(env, open))
		return cmd
	})
}

func newCustomersList(env *kit.Env, open kit.Opener) *cobra.Command {
	var connection string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "list", Short: "List the partner's customers as Partner Center knows them", Args: kit.NoWords,
		Example: "  partnerguard customers list --output json",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, _ []string) error {
			c, err := s.SAM.Connection(ctx, connection)
			if err != nil {
				return err
			}
			p, err := s.SAM.PartnerCenter(c)
			if err != nil {
				return err
			}
			type row struct {
				ID     string `json:"id"`
				Domain string `json:"domain"`
				Name   string `json:"name"`
			}
			rows := []row{}
			for c, err := range p.Customers(ctx, 0) {
				if err != nil {
					return err
				}
				rows = append(rows, row{c.ID, c.Domain, c.Name})
			}
			return output.Answer(env, map[string]any{"customers": rows}, func(w io.Writer, p kit.Paint) error {
				kit.Table(w, p, rows,
					kit.Col("domain", func(r *row) string { return r.Domain }),
					kit.Col("name", func(r *row) string { return r.Name }),
					kit.Col("tenant id", func(r *row) string { return r.ID }))
				return nil
			})
		}),
	}
	cmd.Flags().StringVar(&connection, "connection", "", "whose customers (default the only connection there is)")
	output.Register(cmd)
	return cmd
}

// consentFlags say at whom what is looked at or granted.
type consentFlags struct {
	connection        string
	features, only    []string
	plan, apply, trim bool
}

func (f *consentFlags) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.connection, "connection", "", "whose customers (default the only connection there is)")
	fl.StringSliceVar(&f.only, "customer", nil, "only this customer, by domain or tenant id; may be repeated")
	fl.BoolVar(&f.plan, "plan", false, "look and change nothing (the default)")
	fl.BoolVar(&f.apply, "apply", false, "grant what is missing")
	fl.BoolVar(&f.trim, "trim", false, "with --apply: take away what is more than wanted, too")
	var all []string
	for _, x := range capture.Features() {
		all = append(all, string(x))
	}
	fl.StringSliceVar(&f.features, "feature", []string{string(capture.Accounts)}, "what the app is to be used for at customers: "+strings.Join(all, ", "))
	_ = cmd.RegisterFlagCompletionFunc("feature", cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp))
}

// again is the command that does what was planned.
func (f *consentFlags) again() string {
	out := "partnerguard customers consent --apply --feature " + kit.Quoted(strings.Join(f.features, ","))
	if f.connection != "" {
		out += " --connection " + kit.Quoted(f.connection)
	}
	for _, c := range f.only {
		out += " --customer " + kit.Quoted(c)
	}
	return out
}

func newCustomersConsent(env *kit.Env, open kit.Opener) *cobra.Command {
	var f consentFlags
	output := kit.NewOutput("text", "json", "jsonl")
	cmd := &cobra.Command{
		Use: "consent", Short: "Show what the app may do at each customer; with --apply, bring it to what is wanted", Args: kit.NoWords,
		Long: `consent asks, for each customer, which permissions the app really has there: it
exchanges the partner's consent for a token of that tenant and reads its scopes.
Nothing is changed without --apply. First it says which permissions are wanted, what
each lets the app do, and which feature needs it.

Missing consents are granted through Partner Center. Partner Center never adds to
a consent that exists: where permissions lack, the consent is removed and granted
anew, and the result is read from a fresh token. A run that was cut off is
noticed and finished by the next one. With --trim what was granted beyond the
features is taken away too.

Exit code 3 says that a customer is not as wanted, or could not be seen.`,
		Example: `  partnerguard customers consent --plan --feature sign-ins,policies
  partnerguard customers consent --apply --customer fabrikam.example
  partnerguard customers consent --plan --output jsonl > plan.jsonl`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.plan && f.apply {
				return problem.New(problem.Usage, "--plan and --apply exclude each other")
			}
			list, err := parseFeatures(f.features)
			if err != nil {
				return err
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				c, err := s.SAM.Connection(cmd.Context(), f.connection)
				if err != nil {
					return err
				}
				bar := kit.NewCount(env, "customers")
				r := suite.ConsentRequest{Connection: c, Features: list, Only: f.only, Apply: f.apply, Trim: f.trim, Progress: bar.Found}
				var rows []consent.Row
				enc := json.NewEncoder(env.Stdout)
				sum, err := s.SAM.Consent(cmd.Context(), r, func(row consent.Row) error {
					if output.Value == "jsonl" {
						return enc.Encode(row)
					}
					rows = append(rows, row)
					return nil
				})
				bar.Done()
				if err != nil && len(rows) == 0 {
					return err
				}
				if werr := kit.WriteOut(env, "", func(w io.Writer) error {
					switch output.Value {
					case "jsonl":
						return nil
					case "json":
						return print.JSON(w, map[string]any{"wanted": print.List(s.SAM.Wanted(r)), "customers": print.List(rows), "summary": sum})
					}
					return kit.Text(env, func(w io.Writer) error { return consentText(w, env, s.SAM.Wanted(r), rows, &sum, f.apply) })(w)
				}); werr != nil {
					return werr
				}
				if err != nil {
					return err
				}
				if bad := sum.Customers - sum.Results[consent.Unchanged] - sum.Results[consent.Applied]; bad > 0 {
					if sum.Results[consent.Planned] > 0 {
						kit.Next(env, "%s", f.again())
					}
					return problem.New(problem.Unmet, "%s not as wanted", kit.Plural(bad, "customer is", "customers are"))
				}
				kit.Next(env, "partnerguard exec --customer DOMAIN -- COMMAND")
				return nil
			})
		},
	}
	f.register(cmd)
	output.RegisterAs(cmd, "how to print; jsonl gives each customer as it is done")
	return cmd
}

// wantedText says what is asked for, and why, before at whom.
func wantedText(w io.Writer, p kit.Paint, wanted []consent.Wanted) {
	type row struct {
		resource string
		asked    *consent.Asked
	}
	var rows []row
	for _, x := range wanted {
		for i := range x.Asks {
			rows = append(rows, row{shortName(x.Resource, x.URI), &x.Asks[i]})
		}
	}
	fmt.Fprintln(w, p.Bold("Wanted at each customer"))
	kit.Table(w, p, rows,
		kit.Col("of", func(r *row) string { return r.resource }),
		kit.Col("permission", func(r *row) string { return r.asked.Scope }),
		kit.Col("lets the app", func(r *row) string { return r.asked.Allows }),
		kit.Col("because", func(r *row) string {
			var out []string
			for _, f := range r.asked.For {
				out = append(out, "--feature "+string(f)+" is to "+f.Why())
			}
			return strings.Join(out, "; ")
		}))
	fmt.Fprintln(w)
}

func consentText(w io.Writer, env *kit.Env, wanted []consent.Wanted, rows []consent.Row, sum *consent.Summary, apply bool) error {
	wantedText(w, kit.NewPaint(env), wanted)
	slices.SortFunc(rows, func(a, b consent.Row) int { return strings.Compare(a.Customer.Domain, b.Customer.Domain) })
	p := kit.NewPaint(env)
	kit.Table(w, p, rows,
		kit.Col("customer", func(r *consent.Row) string {
			if r.Customer.Domain != "" {
				return r.Customer.Domain
			}
			return r.Customer.ID
		}),
		kit.Col("stands", func(r *consent.Row) string {
			var out []string
			for _, i := range r.Items {
				s := shortName(i.Resource, i.URI) + " " + string(i.State)
				if len(i.Lacks) > 0 && i.State == consent.Drift {
					s += " (lacks " + strings.Join(i.Lacks, " ") + ")"
				}
				out = append(out, s)
			}
			return strings.Join(out, ", ")
		}),
		kit.Col("to do", func(r *consent.Row) string { return string(r.Action) }),
		kit.Col("result", func(r *consent.Row) string { return string(r.Result) }),
		kit.Col("why", func(r *consent.Row) string {
			why := r.Why
			if why == "" {
				for _, i := range r.Items {
					if i.Why != "" {
						why = i.Why
						break
					}
				}
			}
			return why
		}))
	fmt.Fprintf(w, "\n%s:", kit.Plural(sum.Customers, "customer", "customers"))
	sep := " "
	for _, r := range []consent.Result{consent.Unchanged, consent.Planned, consent.Applied, consent.Unseen, consent.Skipped, consent.Failed} {
		if n := sum.Results[r]; n > 0 {
			fmt.Fprintf(w, "%s%d %s", sep, n, r)
			sep = ", "
		}
	}
	fmt.Fprintln(w)
	if sum.Left > 0 {
		fmt.Fprintf(w, "%s found half done from an earlier run.\n", kit.Plural(sum.Left, "was", "were"))
	}
	if !apply && sum.Results[consent.Planned] > 0 {
		fmt.Fprintln(w, "Nothing was changed. The same with --apply does it.")
	}
	return nil
}

func shortName(resource, uri string) string {
	switch resource {
	case capture.GraphApp:
		return "graph"
	case capture.ARMApp:
		return "arm"
	case capture.PartnerCenterApp:
		return "partner-center"
	}
	return uri
}
