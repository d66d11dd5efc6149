package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// newDelegation has what is said of delegated rights.
func newDelegation(env *kit.Env) *cobra.Command {
	return &cobra.Command{
		Use: "delegation", Short: "Show and change what the partner may do at its customers", Args: kit.Only("delegation", "plan, apply and status"),
		Long:    `delegation says what the partner's people may do at its customers, and brings it to what is needed.`,
		Example: `  partnerguard delegation status`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}
