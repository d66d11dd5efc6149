package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// newDelegation has what is said and done about delegated rights; more are commands of
// other wings.
func newDelegation(env *kit.Env, more ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "delegation", Short: "Show what the partner may do at its customers", Args: kit.Only("delegation", "probe"),
		Long:    `delegation says what the partner's people may do at its customers.`,
		Example: `  partnerguard delegation probe --customer fabrikam.example`,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(more...)
	return cmd
}
