package connect

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/onboard"
)

func newConnectInvite(env *kit.Env, open kit.Opener) *cobra.Command {
	var f connectFlags
	var days int
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "invite", Short: "Invite a partner to consent to a control panel vendor's app", Args: kit.NoWords,
		Long: `invite makes a link for one partner tenant, good once. Whoever opens it sees who
asks for what, signs in with MFA at Microsoft, and comes back to the callback of
partnerguard serve, where the proof is checked before anything is kept. You never
hold the partner's credentials.

The app must have publicURL/connect/callback among its redirect URIs.`,
		Example: `  partnerguard connect invite --tenant partner.example --client-id ID
  partnerguard connect invite list
  partnerguard connect invite withdraw i-abc`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			features, err := parseFeatures(f.features)
			if err != nil {
				return err
			}
			if f.tenant == "" {
				return problem.New(problem.Usage, "which partner?").WithHint("--tenant, its tenant id or domain")
			}
			if days < 1 || days > 30 {
				return problem.New(problem.Usage, "--days must be between 1 and 30, got %d", days)
			}
			return open.With(cmd.Context(), func(s *app.Installation) error {
				r, err := s.SAM.Registration(cmd.Context(), f.clientID)
				if err != nil {
					return err
				}
				i, link, err := s.SAM.Invite(cmd.Context(), onboard.Invitation{Tenant: f.tenant, ClientID: r.ClientID, Name: f.name, Features: features},
					time.Duration(days)*24*time.Hour)
				if err != nil {
					return err
				}
				if output.Value == "json" {
					return print.JSON(env.Stdout, map[string]any{"invitation": i, "link": link})
				}
				fmt.Fprintf(env.Stderr, "For the tenant %s, until %s, good once. Send it to the partner:\n", i.Tenant, i.Expires.UTC().
					Format(time.DateTime)+" UTC")
				fmt.Fprintln(env.Stdout, link)
				return nil
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.tenant, "tenant", "", "the partner tenant, id or domain")
	fl.StringVar(&f.clientID, "client-id", "", "the app that is consented to (default the only one there is)")
	fl.StringVar(&f.name, "name", "", "what to call a new connection, with a number when that is taken (default the account's domain)")
	fl.IntVar(&days, "days", 7, "how long the link waits, at most 30")
	addFeatures(cmd, &f.features)
	output.Register(cmd)
	cmd.AddCommand(newInviteList(env, open), &cobra.Command{
		Use: "withdraw ID", Short: "Delete an invitation that waits",
		Example: "  partnerguard connect invite withdraw i-abc",
		Args:    kit.Between(1, 1, problem.New(problem.Usage, "connect invite withdraw takes one id").WithHint("partnerguard connect invite list shows them")),
		RunE: open.Run(func(ctx context.Context, s *app.Installation, args []string) error {
			if err := s.SAM.Withdraw(ctx, args[0]); err != nil {
				return err
			}
			fmt.Fprintln(env.Stdout, "Withdrawn.")
			return nil
		}),
	})
	return cmd
}

func newInviteList(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "list", Short: "Show the invitations", Args: kit.NoWords,
		Example: "  partnerguard connect invite list --output json",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, _ []string) error {
			list, err := s.SAM.Invitations(ctx)
			if err != nil {
				return err
			}
			return output.Answer(env, map[string]any{"invitations": print.List(list)}, func(w io.Writer, p kit.Paint) error {
				type row = onboard.Invitation
				kit.Table(w, p, list,
					kit.Col("id", func(r *row) string { return r.ID }),
					kit.Col("tenant", func(r *row) string { return r.Tenant }),
					kit.Col("app", func(r *row) string { return r.ClientID }),
					kit.Col("made", func(r *row) string { return r.MadeAt.Format(time.DateOnly) + " by " + r.MadeBy }),
					kit.Col("state", func(r *row) string {
						switch {
						case !r.UsedAt.IsZero():
							return "used " + r.UsedAt.Format(time.DateOnly)
						case r.Expires.Before(s.Now()):
							return "out of time"
						}
						return "waits until " + r.Expires.Format(time.DateOnly)
					}))
				return nil
			})
		}),
	}
	output.Register(cmd)
	return cmd
}
