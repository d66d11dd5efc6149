package guard

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// Commands are the commands of this wing. check is the
// second command of token, decide one of apppassword's: both are of other wings.
func Commands(env *kit.Env, check, decide *cobra.Command) []*cobra.Command {
	return []*cobra.Command{newExec(env), newToken(env, check), newUp(env), newServe(env), newWorker(env), newPolicy(env),
		newConsole(env), newMFA(env), newOTP(env), newAppPassword(env, decide), newBridge(env), newGateway(env), newFraud(env), newBudgets(env)}
}
