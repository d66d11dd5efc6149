package keep

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/posture"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newExceptions(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "exceptions", Short: "Leave something out of a requirement for a while, with a second person's approval",
		Long: `exceptions keeps who leaves what out of a requirement, why, what stands in its place
and until when. An exception is in force once another person than the one who added
it, and than its owner, has approved it; it ends by itself, a year ahead at most.

It keeps alerts silent, and changes no verdict: reports and changes name it beside
the finding. Who you are is who the operating system says you are. Every step goes to
the audit trail, and a row that something else wrote counts for nothing.`,
		Example: `  partnerguard exceptions add --requirement mfa-every-user --account scanner@contoso.com --owner 'Cleo Park' \
      --reason 'cannot answer a prompt' --compensating-control 'signs in from one address only' --expires 2026-12-31
  partnerguard exceptions list
  partnerguard exceptions approve x-4t7kq2m5n6p3r8sv
  partnerguard exceptions end x-4t7kq2m5n6p3r8sv`,
		Args: kit.Only("exceptions", "add, list, approve and end"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	cmd.AddCommand(newExceptionsAdd(env, &in, open), newExceptionsList(env, &in),
		newExceptionsDecide(env, open, "approve", "Put one that somebody else added in force", (*posture.Store).Approve),
		newExceptionsDecide(env, open, "end", "End one, or withdraw one that waits", (*posture.Store).End))
	in.Register(cmd)
	ids := func(ctx context.Context, i *app.Installation) (out []string, err error) {
		list, err := i.Posture.Exceptions(ctx)
		for k := range list {
			if list[k].State != posture.Ended {
				out = append(out, list[k].ID)
			}
		}
		return out, err
	}
	in.Complete(env, cmd, map[string]kit.Words{"exceptions approve": ids, "exceptions end": ids, "partnerguard exceptions approve": ids,
		"partnerguard exceptions end": ids})
	return cmd
}

func newExceptionsAdd(env *kit.Env, in *kit.Installation, open kit.Opener) *cobra.Command {
	var x posture.Exception
	var expires kit.Moment
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "add", Short: "Ask for an exception; it waits for another person's approval", Args: kit.NoArgs,
		Example: `  partnerguard exceptions add --requirement mfa-every-user --account scanner@contoso.com --owner 'Cleo Park' \
      --reason 'cannot answer a prompt' --compensating-control 'signs in from one address only' --expires 2026-12-31`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := known(x.Requirement); err != nil {
				return err
			}
			x.Expires = expires.End()
			return open.With(cmd.Context(), func(i *app.Installation) error {
				got, err := i.Posture.AddException(cmd.Context(), x, i.Actor)
				if err != nil {
					return err
				}
				return output.Answer(env, &got, func(w io.Writer, p kit.Paint) error {
					fmt.Fprintf(w, "%s\n", p.Bold("waits for approval: "+got.ID))
					exceptionText(w, kit.Width(env), &got)
					_, err := fmt.Fprintf(w, "next: another person runs: partnerguard exceptions approve %s\n", got.ID)
					return err
				})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&x.Requirement, "requirement", "", "the requirement's id, as partnerguard rules lists them (required)")
	f.StringArrayVar(&x.Accounts, "account", nil, "an account that is left out, by user principal name or id; may be repeated; none is the whole requirement")
	f.StringVar(&x.Owner, "owner", "", "who answers for it (required)")
	f.StringVar(&x.Reason, "reason", "", "why (required)")
	f.StringVar(&x.Control, "compensating-control", "", "the compensating control: what stands in its place (required)")
	f.Var(&expires, "expires", "the last day on which it counts, a year ahead at most (required)")
	output.Register(cmd)
	completed(env, in, cmd)
	return cmd
}

func newExceptionsList(env *kit.Env, in *kit.Installation) *cobra.Command {
	var ended bool
	output := kit.NewOutput("text", "json", "csv")
	cmd := &cobra.Command{
		Use: "list", Short: "List exceptions, those in force first", Args: kit.NoWords,
		Example: "  partnerguard exceptions list\n  partnerguard exceptions list --all --output csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := in.Kept(cmd.Context(), env)
			if err != nil {
				return err
			}
			return kit.Closing(listExceptions(cmd.Context(), env, i, ended, &output), i.Close)
		},
	}
	cmd.Flags().BoolVar(&ended, "all", false, "those that were ended or expired, too")
	output.RegisterFile(cmd)
	return cmd
}

func listExceptions(ctx context.Context, env *kit.Env, i *app.Installation, all bool, output *kit.Output) error {
	list, err := i.Posture.Exceptions(ctx)
	if err != nil {
		return err
	}
	shown := []posture.Listed{}
	for _, x := range list {
		if all || x.Standing != "ended" && x.Standing != "expired" {
			shown = append(shown, x)
		}
	}
	return output.Write(env, kit.Forms{
		"text": func(w io.Writer) error {
			if len(shown) == 0 {
				_, err := fmt.Fprintln(w, "no exceptions: nothing is left out")
				return err
			}
			kit.Table(w, output.Paint(env), shown,
				kit.Col("id", func(x *posture.Listed) string { return x.ID }),
				kit.Col("standing", func(x *posture.Listed) string { return x.Standing }),
				kit.Col("requirement", func(x *posture.Listed) string { return x.Requirement }),
				kit.Col("owner", func(x *posture.Listed) string { return x.Owner }),
				kit.Col("until", func(x *posture.Listed) string { return kit.Until(x.Expires.Add(-time.Microsecond), i.Now()) }),
				kit.Col("approved by", func(x *posture.Listed) string { return x.DecidedBy }),
				kit.Col("accounts", func(x *posture.Listed) string { return print.First("all", few(x.Accounts)) }),
				kit.Col("why", func(x *posture.Listed) string { return print.First(x.Reason, x.Refused) }))
			return nil
		},
		"json": func(w io.Writer) error {
			return print.JSON(w, struct {
				Schema     string           `json:"schema"`
				Exceptions []posture.Listed `json:"exceptions"`
			}{"partnerguard.exceptions/1", shown})
		},
		"csv": func(w io.Writer) error {
			out := print.NewSheet(w, "id", "standing", "requirement", "accounts", "owner", "reason", "compensating_control", "added_by", "added", "expires",
				"approved_by", "approved", "ended_by", "refused")
			for k := range shown {
				x := &shown[k]
				decided := ""
				if !x.Decided.IsZero() {
					decided = x.Decided.UTC().Format(time.RFC3339)
				}
				out.Row(x.ID, x.Standing, x.Requirement, strings.Join(x.Accounts, "; "), x.Owner, x.Reason, x.Control, x.AddedBy,
					x.Added.UTC().Format(time.RFC3339),
					x.Expires.UTC().Format(time.RFC3339), x.DecidedBy, decided, x.EndedBy, x.Refused)
			}
			return out.Close()
		},
	})
}

func newExceptionsDecide(env *kit.Env, open kit.Opener, verb, short string,
	act func(*posture.Store, context.Context, string, string) (posture.Exception, error)) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: verb + " ID", Short: short, Example: "  partnerguard exceptions " + verb + " x-4t7kq2m5n6p3r8sv",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return problem.New(problem.Usage, "exceptions %s takes one id", verb).WithHint("partnerguard exceptions list shows them")
			}
			return nil
		},
		RunE: open.Run(func(ctx context.Context, i *app.Installation, args []string) error {
			x, err := act(i.Posture, ctx, args[0], i.Actor)
			if err != nil {
				return err
			}
			return output.Answer(env, &x, func(w io.Writer, p kit.Paint) error {
				fmt.Fprintf(w, "%s\n", p.Bold(x.ID+" is "+x.On(i.Now())))
				exceptionText(w, kit.Width(env), &x)
				return nil
			})
		}),
	}
	output.Register(cmd)
	return cmd
}

func exceptionText(w io.Writer, width int, x *posture.Exception) {
	who := "the whole requirement"
	if len(x.Accounts) > 0 {
		who = few(x.Accounts)
	}
	para(w, width, "  ", print.Clean(fmt.Sprintf("%s: %s, until %s", x.Requirement, who, x.Expires.UTC().Add(-time.Microsecond).Format(time.DateOnly)), 400))
	para(w, width, "  ", print.Clean(fmt.Sprintf("%s answers for it: %s; in its place: %s", x.Owner, x.Reason, x.Control), 2400))
}
