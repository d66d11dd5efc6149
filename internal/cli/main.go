package cli

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/cloud"
	"partnerguard/internal/cli/connect"
	"partnerguard/internal/cli/guard"
	"partnerguard/internal/cli/judge"
	"partnerguard/internal/cli/keep"
	"partnerguard/internal/cli/kit"
)

// Env is the world a command runs in.
type Env = kit.Env

// Main runs one command line and returns the process's exit code. It never
// calls os.Exit and may run many times in one process.
func Main(ctx context.Context, env Env) int { return kit.Main(ctx, env, newRoot) }

func newRoot(env *kit.Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "partnerguard",
		Short: "Prove, rehearse, enforce and keep the Partner security requirements",
		Long: `Partnerguard judges whether a Microsoft CSP partner meets the Partner security
requirements, and who or what does not: MFA at every sign-in of the partner
tenant, the Secure Application Model for every integration, least privilege
towards customers, and a watch over Azure fraud.

Without any input it judges an embedded sample partner, so that you see at once
what an answer looks like.`,
		Example: `  partnerguard assess
  partnerguard assess --from exports/ --output html --out report.html
  partnerguard signins --from exports/ --not-challenged --output csv > report.csv
  partnerguard rules --as-of 2022-03-01`,
		Args: kit.Suggest,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, wing := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"judge", "Judge what was read:", judge.Commands(env)},
		{"connect", "Connect a partner and its customers:", connect.Commands(env)},
		{"guard", "Hand out tokens, and serve:", guard.Commands(env, connect.NewTokenCheck(env))},
		{"keep", "Look after what is kept:", keep.Commands(env)},
		{"cloud", "Try it, offline:", cloud.Commands(env)},
	} {
		root.AddGroup(&cobra.Group{ID: wing.id, Title: wing.title})
		for _, c := range wing.commands {
			c.GroupID = wing.id
		}
		root.AddCommand(wing.commands...)
	}
	root.AddCommand(newMan(env), newVersion(env))
	return root
}
