package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// Joined are commands of other wings that stand under commands of this one.
type Joined struct {
	Delegation, Spend, Remedy []*cobra.Command
	// Sign signs plans by an installation; nil: they are nobody's.
	Sign Signing
}

// Commands are the commands of this wing.
func Commands(env *kit.Env, more Joined) []*cobra.Command {
	return append([]*cobra.Command{newAssess(env), newSignIns(env), newProve(env), newDecide(env), newRehearse(env), newRules(env), newExport(env),
		newDates(env), newAttest(env), newPractices(env), NewDelegation(env, more.Delegation...), NewSpend(env, more.Spend...),
		NewRemedy(env, more.Sign, more.Remedy...)}, keeping(env)...)
}
