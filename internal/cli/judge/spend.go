package judge

import (
	"strings"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// NewSpend makes the commands of what customers' Azure costs; more are those of other wings.
func NewSpend(env *kit.Env, more ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "spend", Short: "Say what customers' Azure costs, and what in it is odd",
		Example: "  partnerguard spend status",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(more...)
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	cmd.Args = kit.Only("spend", strings.Join(names, ", "))
	return cmd
}
