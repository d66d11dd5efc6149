package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// NewDelegation makes the commands of delegated rights: what judges is here; what changes
// something comes from another wing.
func NewDelegation(env *kit.Env, more ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "delegation", Short: "Say what you may do at your customers, by which way, and what of it is needed", Args: kit.Suggest,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDelegationRecommend(env), newDelegationExplain(env), newDelegationUnused(env))
	cmd.AddCommand(more...)
	return cmd
}
