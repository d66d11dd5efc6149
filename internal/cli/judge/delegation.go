package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// newDelegation has what is said of delegated rights.
func newDelegation(env *kit.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "delegation", Short: "Show what the partner may do at its customers", Args: kit.Only("delegation", "expiring"),
		Long:    `delegation says what the partner's people may do at its customers.`,
		Example: `  partnerguard delegation expiring --from exports/`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDelegationExpiring(env))
	return cmd
}
