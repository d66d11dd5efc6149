package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// Commands are the commands of this wing.
//
// delegation are commands of other wings that stand under its delegation.
func Commands(env *kit.Env, delegation ...*cobra.Command) []*cobra.Command {
	return append([]*cobra.Command{newAssess(env), newSignIns(env), newProve(env), newDecide(env), newRehearse(env), newRules(env), newExport(env),
		newDates(env), newAttest(env), NewDelegation(env, delegation...)}, keeping(env)...)
}
