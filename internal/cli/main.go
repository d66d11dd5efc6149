package cli

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/judge"
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
what an answer looks like.` + only,
		Example: `  partnerguard assess
  partnerguard assess --from exports/ --output html --out report.html
  partnerguard signins --from exports/ --not-challenged --output csv > report.csv
  partnerguard rules --as-of 2022-03-01`,
		Args: kit.Suggest,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, w := range wings(env) {
		root.AddGroup(&cobra.Group{ID: w.id, Title: w.title})
		for _, c := range w.commands {
			c.GroupID = w.id
		}
		root.AddCommand(w.commands...)
	}
	root.AddCommand(newMan(env), newVersion(env))
	remotely(env, root)
	return root
}

// wing is a group of commands by theme.
type wing struct {
	id, title string
	commands  []*cobra.Command
}

// judging is the wing that every build has.
func judging(env *kit.Env, more judge.Joined) wing {
	return wing{"judge", "Judge what was read:", judge.Commands(env, more)}
}
