package guard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// DelegationMoves are the commands of delegation that change it, and that show how far a
// change came.
func DelegationMoves(env *kit.Env) (out []*cobra.Command) {
	for _, act := range []func(*kit.Env, kit.Opener) *cobra.Command{newDelegationPlan, newDelegationApply, newDelegationStatus, newDelegationInvite,
		newDelegationCancel, newDelegationRollback, newDelegationPin, newDelegationUnpin, newDelegationPins} {
		in := &kit.Installation{} // each its own: what judges beside them has other flags
		c := act(env, func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
		in.Register(c)
		out = append(out, c)
	}
	return out
}

// maxPlanFile bounds a plan's file; what a plan takes is less.
const maxPlanFile = 33 << 20

func newDelegationPlan(env *kit.Env, open kit.Opener) *cobra.Command {
	var a app.DelegationPlanAsk
	var to, customers string
	var stages []string
	output := kit.NewOutput("yaml", "json")
	cmd := &cobra.Command{
		Use: "plan", Short: "Plan what shall become of the access to customers", Args: kit.NoWords,
		Long: `plan writes, customer by customer, what shall become of DAP and GDAP: the smallest change
that comes to the roles that are needed. Where an active relationship holds them its
groups get fewer roles and nobody has to approve; else a new relationship is offered,
and the old ones end when the new access was probed. It says what each change means,
which roles go and by what evidence. Roles whose use leaves no trace stay, unless
--drop-unseen lets them go; pinned roles stay in any case.

It sends nothing and changes nothing: read the plan, change it, take customers out, and
have it done with apply.`,
		Example: `  partnerguard delegation plan --to least > plan.yaml
  partnerguard delegation plan --to template.yaml --customers pilot.txt > plan.yaml
  partnerguard delegation plan --from exports/ --days 90 --drop-unseen > plan.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if a.Stages, err = stagesOf(stages); err != nil {
				return err
			}
			if a.Customers, err = customersOf(customers); err != nil {
				return err
			}
			if to != "least" {
				raw, err := problem.ReadFile("the template", to, maxFile)
				if err != nil {
					return err
				}
				t, err := move.ReadTemplate(to, raw)
				if err != nil {
					return err
				}
				a.Template = &t
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				p, err := s.DelegationPlan(cmd.Context(), a)
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
	f.StringVar(&to, "to", "least", "least: what was seen to be needed; or a template's file, which docs/delegation-move.md shows")
	f.StringVar(&customers, "customers", "all", "a file of tenant ids or domains, a line each, or all")
	f.StringSliceVar(&a.From, "from", nil, "plan by these files (default what was collected)")
	f.IntVar(&a.Question.Days, "days", 90, "how many days of use are looked at")
	f.StringSliceVar(&a.Question.Accept, "accept", nil,
		"a role on the way to Global Administrator that may be asked for where an act needs it; may be repeated")
	f.BoolVar(&a.Drop, "drop-unseen", false, "let roles go whose use leaves no trace in what was read")
	f.BoolVar(&a.Tight, "tight", false, "make a new relationship also where an active one would do but holds more roles")
	f.BoolVar(&a.KeepDAP, "keep-dap", false, "leave DAP as it is")
	f.StringSliceVar(&stages, "stages", []string{"5", "25", "100"}, "shares of the customers in percent, one after another")
	output.RegisterFile(cmd)
	return cmd
}

func stagesOf(list []string) (out []int, err error) {
	for _, s := range list {
		n, err := percent(s)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func percent(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(s), "%"))
	if err != nil || n < 1 || n > 100 {
		return 0, problem.New(problem.Usage, "%.20q is no share", s).WithHint("1 to 100")
	}
	return n, nil
}

// customersOf reads a file of customers; all is nil.
func customersOf(path string) ([]string, error) {
	if path == "" || path == "all" {
		return nil, nil
	}
	raw, err := problem.ReadFile("the list of customers", path, maxFile)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for line := range strings.Lines(string(raw)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	if len(out) == 0 {
		return nil, problem.New(problem.Usage, "%.200q names no customer", path).WithHint("a tenant id or domain a line")
	}
	return out, nil
}

func newDelegationApply(env *kit.Env, open kit.Opener) *cobra.Command {
	var stage string
	var dry, now, resume bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "apply PLAN", Short: "Have a plan done, stage by stage",
		Long: `apply takes a plan over; partnerguard serve or worker does it from then on, and --now does
here what can be done now. A plan that was made of something that is not so any more is
refused, with the differences. The first stage begins at once, each further one when
the probes of the one before it passed; --stage lets no later one begin. A failing probe
stops the plan: nothing is changed until somebody looked and says --resume.

Running it again with the same plan goes on as far as it was let go; --stage 100 lets all
stages begin. A rollback stops the plan, too. --dry-run says what it would begin, and sends
nothing.`,
		Example: `  partnerguard delegation apply plan.yaml --dry-run
  partnerguard delegation apply plan.yaml --stage 5%
  partnerguard delegation apply plan.yaml --now
  partnerguard delegation apply plan.yaml --resume`,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "apply takes one plan's file").WithHint("partnerguard delegation plan > plan.yaml")),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := problem.ReadFile("the plan", args[0], maxPlanFile)
			if err != nil {
				return err
			}
			p, err := move.Read(args[0], raw)
			if err != nil {
				return err
			}
			until := 0
			if stage != "" {
				if until, err = percent(stage); err != nil {
					return err
				}
			}
			if dry {
				return output.Answer(env, p, func(w io.Writer, paint kit.Paint) error {
					writeWill(w, paint, &p)
					return nil
				})
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.DelegationApply(cmd.Context(), p, until)
				if err == nil && resume {
					_, err = s.Mover.Resume(cmd.Context(), r.ID, "")
				}
				if err == nil && now {
					err = s.Mover.Now(cmd.Context(), r.ID, true, nil)
				}
				if err != nil {
					return err
				}
				return tellStatus(cmd, env, s, &output, r.ID, "")
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&stage, "stage", "", "the last stage that may begin by itself, as a share of the plan's, such as 5 (default all)")
	f.BoolVar(&dry, "dry-run", false, "say what would be done, and do nothing")
	f.BoolVar(&now, "now", false, "do here what can be done now, rather than leave it to serve")
	f.BoolVar(&resume, "resume", false, "go on after somebody looked at what was held or stopped")
	output.Register(cmd)
	return cmd
}

func writeWill(w io.Writer, p kit.Paint, plan *move.Plan) {
	kit.Table(w, p, plan.Customers,
		kit.Col("stage", func(c *move.Customer) string { return strconv.Itoa(c.Stage) }),
		kit.Col("customer", func(c *move.Customer) string { return print.Clean(c.Name, 60) }),
		kit.Col("change", func(c *move.Customer) string { return string(c.Change) }),
		kit.Col("ends", func(c *move.Customer) string {
			var out []string
			for _, e := range c.End {
				out = append(out, print.Clean(e.Name, 60))
			}
			return strings.Join(out, ", ")
		}),
		kit.Col("DAP", func(c *move.Customer) string { return string(c.DAP) }),
		kit.Col("why", func(c *move.Customer) string { return print.Clean(c.Why, 300) }))
	fmt.Fprintln(w, "\nNothing was changed.")
}

func newDelegationStatus(env *kit.Env, open kit.Opener) *cobra.Command {
	var customer string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "status [PLAN]", Short: "Show how far the plans came: what is waited for, since when, and what is next",
		Example: `  partnerguard delegation status
  partnerguard delegation status dp-0123456789abcdef --customer 0a1b2c3d-0000-4000-8000-000000000001`,
		Args: kit.Between(0, 1, problem.New(problem.Usage, "status takes one plan's id, or none")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				return tellStatus(cmd, env, s, &output, cmp.Or(append(args, "")...), strings.ToLower(customer))
			})
		},
	}
	cmd.Flags().StringVar(&customer, "customer", "", "this customer alone, with what was asked of Microsoft for it, by tenant id")
	output.Register(cmd)
	return cmd
}

// tellStatus shows how applied plans stand; of one customer with each step.
func tellStatus(cmd *cobra.Command, env *kit.Env, s *app.Installation, output *kit.Output, plan, customer string) error {
	list, err := s.Mover.Status(cmd.Context(), plan)
	if err != nil {
		return err
	}
	var steps []move.Step
	for i := range list {
		if customer == "" {
			break
		}
		var left []move.Move
		for _, x := range list[i].Moves {
			if x.Customer == customer {
				left = append(left, x)
			}
		}
		list[i].Moves = left
		more, err := s.Mover.History(cmd.Context(), list[i].ID, customer)
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
			writeMoves(w, p, &list[i], s.Now())
		}
		if customer != "" {
			fmt.Fprintln(w)
			kit.Table(w, p, steps,
				kit.Col("asked", func(s *move.Step) string { return s.Asked.UTC().Format(time.DateTime) }),
				kit.Col("what", func(s *move.Step) string { return s.Act }),
				kit.Col("answer", func(s *move.Step) string { return cmp.Or(s.Result, "not known") }),
				kit.Col("words", func(s *move.Step) string { return s.Words }))
		}
		return nil
	})
}

func writeMoves(w io.Writer, p kit.Paint, s *move.Status, now time.Time) {
	fmt.Fprintf(w, "%s: %s, stage %d of %d, applied %s by %s\n", s.ID, s.State, s.Stage, len(s.Plan.Stages), s.Applied.UTC().Format(time.DateTime),
		print.Clean(s.Actor, 60))
	if s.Why != "" {
		fmt.Fprintf(w, "  %s\n  → look, then: partnerguard delegation apply PLAN --resume\n", print.Clean(s.Why, print.MaxSaying))
	}
	var counts []string
	for _, state := range move.States() {
		if n := s.Counts[state]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, state))
		}
	}
	fmt.Fprintf(w, "  %s\n\n", strings.Join(counts, ", "))
	kit.Table(w, p, s.Moves,
		kit.Col("stage", func(x *move.Move) string { return strconv.Itoa(x.Stage) }),
		kit.Col("customer", func(x *move.Move) string { return print.Clean(x.Name, 60) }),
		kit.Col("tenant", func(x *move.Move) string { return x.Customer }),
		kit.Col("state", func(x *move.Move) string { return string(x.State) }),
		kit.Col("since", func(x *move.Move) string { return x.Since.UTC().Format(time.DateTime) }),
		kit.Col("next", func(x *move.Move) string {
			switch {
			case x.Next.IsZero():
				return ""
			case !x.Next.After(now):
				return "now"
			}
			return x.Next.UTC().Format(time.DateTime)
		}),
		kit.Col("why", func(x *move.Move) string { return cmp.Or(x.Refused, x.Why) }))
}
