package guard

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// Commands are the commands of this wing. check is the
// second command of token.
func Commands(env *kit.Env, check *cobra.Command) []*cobra.Command {
	return []*cobra.Command{newExec(env), newToken(env, check), newUp(env), newServe(env), newWorker(env), newPolicy(env),
		newConsole(env), newMFA(env)}
}
