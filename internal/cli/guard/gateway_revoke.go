package guard

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/gateway/revoke"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newGatewayRevoke(env *kit.Env, open kit.Opener) *cobra.Command {
	var why, tenant string
	var until kit.Moment
	var block bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "revoke user|session|app|token WHOM", Short: "Have somebody not come in any more",
		Args: kit.Between(2, 2, problem.New(problem.Usage, "whom? revoke takes a kind and a name").
			WithHint("partnerguard gateway revoke user ada@contoso.example --reason \"laptop was stolen\"")),
		ValidArgs: []string{"user", "session", "app", "token"},
		Long: `revoke ends what somebody has: every gateway of this installation refuses it within two
seconds. A user is named by the object id, or by an account that came through the gateway
before; a session by its sid, an app by its client id, a token by its uti.

Who signs in anew after it comes in again, where the token tells when its user signed in
(the optional claim auth_time), and else with a token issued after it. --block refuses all
sign-ins, until --until or unrevoke. It ends nothing at Entra ID: revoke the sessions there
too.`,
		Example: `  partnerguard gateway revoke user ada@contoso.example --reason "laptop was stolen"
  partnerguard gateway revoke app 9b7d5f31-2e4c-4a68-8c0f-d1e2f3a4b5c6 --block --reason "left the house"
  partnerguard gateway revoke session 005d6e7f-aaaa-bbbb-cccc-0123456789ab --reason "shared screen"`,
		RunE: open.Run(func(ctx context.Context, s *app.Installation, args []string) error {
			r := revoke.Revocation{Kind: revoke.Kind(args[0]), Value: args[1], Tenant: tenant, Why: why, Until: until.End()}
			if !block {
				r.Before = s.Now()
			}
			made, err := s.RevokeAtGateway(ctx, r, s.Actor)
			if err != nil {
				return err
			}
			kit.Next(env, "partnerguard gateway unrevoke %s takes it back", made.ID)
			return output.Answer(env, made, func(w io.Writer, _ kit.Paint) error {
				fmt.Fprintf(w, "%s: the %s %s does not come in any more%s.\n", made.ID, made.Kind, made.Value, sinceWords(&made))
				return nil
			})
		}),
	}
	f := cmd.Flags()
	f.StringVar(&why, "reason", "", "why, in one line; the audit trail has it (required)")
	f.StringVar(&tenant, "tenant", "", "in this tenant alone (default in any)")
	f.Var(&until, "until", "it ends by itself then")
	f.BoolVar(&block, "block", false, "refuse later sign-ins too")
	output.Register(cmd)
	return cmd
}

// sinceWords say which sign-ins a revocation is of.
func sinceWords(r *revoke.Revocation) string {
	out := ", however they sign in"
	if !r.Before.IsZero() {
		out = " by what was signed in until " + r.Before.Format(time.RFC3339)
	}
	if !r.Until.IsZero() {
		out += ", until " + r.Until.Format(time.RFC3339)
	}
	return out
}

func newGatewayUnrevoke(env *kit.Env, open kit.Opener) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "unrevoke ID", Short: "Take a revocation back",
		Args: kit.Between(1, 1, problem.New(problem.Usage, "which one? unrevoke takes its id").WithHint("partnerguard gateway revocations lists them")),
		Long: `unrevoke takes a revocation back: whom it named comes in again within two seconds, where
nothing else speaks against it.`,
		Example: "  partnerguard gateway unrevoke gr-8xk2m4n6p8q2r4s6",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, args []string) error {
			r, err := s.Gateway.Revoke.Unrevoke(ctx, args[0], s.Actor)
			if err != nil {
				return err
			}
			return output.Answer(env, r, func(w io.Writer, _ kit.Paint) error {
				fmt.Fprintf(w, "%s was taken back: the %s %s may come in again.\n", r.ID, r.Kind, r.Value)
				return nil
			})
		}),
	}
	output.Register(cmd)
	return cmd
}

func newGatewayRevocations(env *kit.Env, open kit.Opener) *cobra.Command {
	var all bool
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "revocations", Short: "List who may not come in any more", Args: kit.NoWords,
		Long: `revocations lists what holds; with --all also what is over or was taken back. One whose row
in the database is not as it was written is named so: it holds by the audit trail's word.`,
		Example: "  partnerguard gateway revocations\n  partnerguard gateway revocations --all --output json",
		RunE: open.Run(func(ctx context.Context, s *app.Installation, _ []string) error {
			list, err := s.Gateway.Revoke.List(ctx)
			if err != nil {
				return err
			}
			now := s.Now()
			rows := []revoke.Revocation{}
			for _, r := range list {
				if all || r.Holds(now) || r.Refused != "" {
					rows = append(rows, r)
				}
			}
			return output.Answer(env, map[string]any{"revocations": rows}, func(w io.Writer, p kit.Paint) error {
				if len(rows) == 0 {
					fmt.Fprintln(w, "Nobody is revoked.")
					return nil
				}
				type row = revoke.Revocation
				kit.Table(w, p, rows,
					kit.Col("id", func(r *row) string { return r.ID }),
					kit.Col("kind", func(r *row) string { return string(r.Kind) }),
					kit.Col("whom", func(r *row) string { return r.Value }),
					kit.Col("state", func(r *row) string { return r.State(now) }),
					kit.Col("signed in until", func(r *row) string { return whenWord(r.Before, "always") }),
					kit.Col("ends", func(r *row) string { return whenWord(r.Until, "") }),
					kit.Col("by", func(r *row) string { return r.Who }),
					kit.Col("why", func(r *row) string { return print.First(r.Why, r.Refused) }),
					kit.Col("look at", func(r *row) string { return r.Refused }))
				return nil
			})
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "also what is over or was taken back")
	output.Register(cmd)
	return cmd
}

func whenWord(t time.Time, none string) string {
	if t.IsZero() {
		return none
	}
	return t.UTC().Format("2006-01-02 15:04")
}
