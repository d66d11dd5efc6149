package guard

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/entra"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newDelegationInvite(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	return withOutput(&output, &cobra.Command{
		Use: "invite TENANT", Short: "Show the invitation of a customer who is to approve: link and text for a mail",
		Long: `invite prints what a customer's administrator needs: the link to approve the new
relationship, its roles and duration, and until when. The role Customer Delegated Admin
Relationship Administrator is enough to approve it.`,
		Example: "  partnerguard delegation invite 0a1b2c3d-0000-4000-8000-000000000001",
		Args: kit.Between(1, 1, problem.New(problem.Usage, "invite takes one customer's tenant id").
			WithHint("partnerguard delegation status shows who is waited for")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				i, err := s.Mover.Invite(cmd.Context(), strings.ToLower(args[0]))
				if err != nil {
					return err
				}
				return output.Answer(env, i, func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintf(w, "Subject: %s\n\n%s", i.Subject, i.Text)
					return nil
				})
			})
		},
	})
}

func withOutput(o *kit.Output, cmd *cobra.Command) *cobra.Command {
	o.Register(cmd)
	return cmd
}

func newDelegationCancel(env *kit.Env, open kit.Opener) *cobra.Command {
	var customer string
	output := kit.NewOutput("text", "json")
	cmd := withOutput(&output, &cobra.Command{
		Use: "cancel PLAN", Short: "End moves before the customer approved: nothing was taken from anybody",
		Long: `cancel ends the moves of a plan that have taken nothing from anybody yet. What was not
offered is deleted; an offer cannot be taken back, so it is watched until it lapses, and
ended at once should the customer approve it. What is further is taken back by rollback.`,
		Example: "  partnerguard delegation cancel dp-0123456789abcdef\n" +
			"  partnerguard delegation cancel dp-0123456789abcdef --customer 0a1b2c3d-0000-4000-8000-000000000001",
		Args: onePlan("cancel"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				n, err := s.Mover.Cancel(cmd.Context(), args[0], strings.ToLower(customer))
				if err != nil {
					return err
				}
				return output.Answer(env, map[string]int{"cancelled": n}, func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintf(w, "Cancelled: %s.\n", kit.Plural(n, "move", "moves"))
					return nil
				})
			})
		},
	})
	cmd.Flags().StringVar(&customer, "customer", "", "this customer alone, by tenant id (default all that can be)")
	return cmd
}

func onePlan(verb string) cobra.PositionalArgs {
	return kit.Between(1, 1, problem.New(problem.Usage, "%s takes one plan's id", verb).WithHint("partnerguard delegation status lists them"))
}

func newDelegationRollback(env *kit.Env, open kit.Opener) *cobra.Command {
	var customer string
	output := kit.NewOutput("text", "json")
	cmd := withOutput(&output, &cobra.Command{
		Use: "rollback PLAN", Short: "Give the old access back, as long as that can be had",
		Long: `rollback makes the old assignments again and takes the new relationship away. It can be
had until an old relationship was ended or DAP was taken away: Microsoft revives neither.
Where it cannot be had it says so, and what to do instead.`,
		Example: "  partnerguard delegation rollback dp-0123456789abcdef --customer 0a1b2c3d-0000-4000-8000-000000000001",
		Args:    onePlan("rollback"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				if err := s.Mover.Rollback(cmd.Context(), args[0], strings.ToLower(customer)); err != nil {
					return err
				}
				return tellStatus(cmd, env, s, &output, args[0], "")
			})
		},
	})
	cmd.Flags().StringVar(&customer, "customer", "", "this customer alone, by tenant id (default every customer of the plan)")
	return cmd
}

func newDelegationPin(env *kit.Env, open kit.Opener) *cobra.Command {
	var p move.Pin
	output := kit.NewOutput("text", "json")
	cmd := withOutput(&output, &cobra.Command{
		Use: "pin ROLE", Short: "Keep a role where it is, whatever was seen",
		Long: `pin keeps a role that is needed and rarely used, such as one for lock-outs: it is
recommended, and no plan takes it away, where a group has it.`,
		Example: `  partnerguard delegation pin "Service Support Administrator" --reason "tickets at Microsoft"
  partnerguard delegation pin "Privileged Authentication Administrator" --group 0a1b2c3d-0000-4000-8000-000000000001 --reason "lock-outs"`,
		Args: kit.Between(1, 1, problem.New(problem.Usage, "pin takes one role, by name or template id")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				p.Role = args[0]
				got, err := s.Mover.Pin(cmd.Context(), p)
				if err != nil {
					return err
				}
				return output.Answer(env, got, func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintf(w, "Pinned as %s: %s.\n", got.ID, roleWord(got.Role))
					return nil
				})
			})
		},
	})
	f := cmd.Flags()
	f.StringVar(&p.Group, "group", "", "for this group alone, by id (default all)")
	f.StringVar(&p.Customer, "customer", "", "at this customer alone, by tenant id (default all)")
	f.StringVar(&p.Reason, "reason", "", "why it stays (required)")
	return cmd
}

func roleWord(id string) string {
	if r, ok := entra.FindRole(id); ok {
		return r.Name
	}
	return id
}

func newDelegationUnpin(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	return withOutput(&output, &cobra.Command{
		Use: "unpin ID", Short: "Take a pin away", Example: "  partnerguard delegation unpin pin-abc",
		Args: kit.Between(1, 1, problem.New(problem.Usage, "unpin takes one pin's id").WithHint("partnerguard delegation pins lists them")),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				if err := s.Mover.Unpin(cmd.Context(), args[0]); err != nil {
					return err
				}
				return output.Answer(env, map[string]string{"unpinned": args[0]}, func(w io.Writer, _ kit.Paint) error {
					fmt.Fprintln(w, "The pin is away.")
					return nil
				})
			})
		},
	})
}

func newDelegationPins(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	return withOutput(&output, &cobra.Command{
		Use: "pins", Short: "Show the pinned roles, and why each is", Args: kit.NoWords, Example: "  partnerguard delegation pins --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return open.With(cmd.Context(), func(s *app.Installation) error {
				list, err := s.Mover.Pins(cmd.Context())
				if err != nil {
					return err
				}
				return output.Answer(env, map[string]any{"pins": print.List(list)}, func(w io.Writer, p kit.Paint) error {
					if len(list) == 0 {
						fmt.Fprintln(w, "No role is pinned.")
						return nil
					}
					kit.Table(w, p, list,
						kit.Col("id", func(x *move.Pin) string { return x.ID }),
						kit.Col("role", func(x *move.Pin) string { return roleWord(x.Role) }),
						kit.Col("group", func(x *move.Pin) string { return x.Group }),
						kit.Col("customer", func(x *move.Pin) string { return x.Customer }),
						kit.Col("by", func(x *move.Pin) string { return x.Actor }),
						kit.Col("made", func(x *move.Pin) string { return x.Made.UTC().Format(time.DateOnly) }),
						kit.Col("reason", func(x *move.Pin) string { return x.Reason }))
					return nil
				})
			})
		},
	})
}
