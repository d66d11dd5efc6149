package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// Commands are the commands of this wing; delegated are those of delegation that other
// wings have.
func Commands(env *kit.Env, delegated ...*cobra.Command) []*cobra.Command {
	return append([]*cobra.Command{newAssess(env), newSignIns(env), newProve(env), newDecide(env), newRehearse(env), newRules(env), newExport(env),
		newDates(env), newAttest(env), newDelegation(env, delegated...)}, keeping(env)...)
}
