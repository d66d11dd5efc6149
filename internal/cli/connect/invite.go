package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
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

The app must have publicURL/connect/callback among its redirect URIs. That is asked
of the sign-in page before the invitation is made: a link that would end with an
error at the partner's is refused.

What is connected already keeps its name: a consent of the same account renews its
connection, and a name that another connection has is refused now, not changed then.`,
		Example: `  partnerguard connect invite --tenant partner.example --client-id ID
  partnerguard connect invite --tenant partner.example --public-url https://guard.contoso.example
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
				notes, err := beforeInviting(cmd.Context(), s, f.tenant, r.ClientID, f.name)
				if err != nil {
					return err
				}
				i, link, err := s.SAM.Invite(cmd.Context(), onboard.Invitation{Tenant: f.tenant, ClientID: r.ClientID, Name: f.name, Features: features},
					time.Duration(days)*24*time.Hour)
				if err != nil {
					return err
				}
				if output.Value == "json" {
					return print.JSON(env.Stdout, map[string]any{"invitation": i, "link": link, "notes": print.List(notes)})
				}
				for _, n := range notes {
					fmt.Fprintf(env.Stderr, "partnerguard: note: %s\n", n)
				}
				fmt.Fprintf(env.Stderr, "For the tenant %s, until %s, good once. Send it to the partner:\n", i.Tenant, i.Expires.UTC().
					Format(time.DateTime)+" UTC")
				fmt.Fprintln(env.Stdout, link)
				kit.Next(env, "partnerguard serve, which answers it; partnerguard connect invite list shows what became of it")
				return nil
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.tenant, "tenant", "", "the partner tenant, id or domain")
	fl.StringVar(&f.clientID, "client-id", "", "the app that is consented to (default the only one there is)")
	fl.StringVar(&f.name, "name", "", "what to call a new connection (default the account's domain, with a number when that is taken)")
	fl.IntVar(&days, "days", 7, "how long the link waits, at most 30")
	addFeatures(cmd, &f.features)
	kit.Takes(cmd, "public-url")
	output.Register(cmd)
	cmd.AddCommand(newInviteList(env, open), newInviteWithdraw(env, open))
	return cmd
}

func newInviteWithdraw(env *kit.Env, open kit.Opener) *cobra.Command {
	return &cobra.Command{
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
	}
}

// beforeInviting refuses what would end in an error at the partner's, and tells what
// the consent would meet here.
func beforeInviting(ctx context.Context, s *app.Installation, tenant, clientID, name string) (notes []string, err error) {
	if s.Config.Web.PublicURL == "" {
		return nil, nil // Invite says it
	}
	callback, takes, err := s.SAM.TakesCallback(ctx, clientID)
	switch {
	case errors.Is(err, problem.Unavailable):
		notes = append(notes, print.Clean(err.Error(), 400)+"; look that it is one of the app's, under Authentication")
	case err != nil:
		return nil, err
	case !takes:
		return nil, problem.New(problem.BadInput, "the app %s does not take %s as a redirect address: the partner's sign-in would end with AADSTS50011",
			clientID, callback).WithHint("add it to the app registration (Authentication, Web, Redirect URIs), then invite again")
	}
	there, err := s.SAM.Standing(ctx, tenant, clientID)
	if err != nil {
		return nil, err
	}
	for _, c := range there {
		if name != "" && !strings.EqualFold(name, c.Name) {
			return nil, problem.New(problem.Usage, "the tenant is connected already, as %q: a consent of %s would renew that and keep its name",
				print.Clean(c.Name, 100), print.Clean(c.Account, 200)).WithHint("leave --name out, or remove the connection first: partnerguard connect remove")
		}
		notes = append(notes, fmt.Sprintf("connected already as %s: a consent of %s takes its place, under its name; of another account it is one more",
			print.Clean(c.Name, 100), print.Clean(c.Account, 200)))
	}
	return notes, nil
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
			named := map[string]string{}
			if all, err := s.SAM.Store.List(ctx); err == nil {
				for _, c := range all {
					named[c.ID] = c.Name
				}
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
							as := ""
							if n := named[r.Connection]; n != "" {
								as = ", connected as " + n
							}
							return "used " + r.UsedAt.Format(time.DateOnly) + as
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
