package guard

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
)

// newMFA makes our own provider of External MFA: its people, its factors, its help desk.
func newMFA(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "mfa", Short: "Second factors of our own provider: people, factors, the help desk",
		Long: `mfa is for the provider of External MFA that partnerguard serve is: who has which factor,
and what the help desk does. A reset, a temporary pass and new recovery codes want two
people. Everything that is done here goes to the audit trail.`,
		Example: `  partnerguard mfa users
  partnerguard mfa pass ada@contoso.example --reason "phone at home; stands at the desk"`,
		Args: kit.Only("mfa", "users, factors, invite, reset, pass, recovery, unlock, block and remove"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	open := kit.Opener(func(ctx context.Context) (*app.Installation, error) { return in.Open(ctx, env) })
	cmd.AddCommand(newMFAPeople(env, open)...)
	in.Register(cmd)
	in.Taking(cmd)
	words := map[string]kit.Words{}
	for _, verb := range []string{"factors", "reset", "pass", "recovery", "unlock", "block"} {
		words["mfa "+verb], words["partnerguard mfa "+verb] = mfaUsers, mfaUsers
	}
	in.Complete(env, cmd, words)
	return cmd
}
