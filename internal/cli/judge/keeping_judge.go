//go:build judge

package judge

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// keeping are none where nothing is kept; apppassword has here what judges alone.
func keeping(env *kit.Env) []*cobra.Command {
	cmd := &cobra.Command{
		Use: "apppassword", Short: "Say what app passwords can and cannot do in this tenant", Args: kit.Suggest,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(NewAppPasswordDecide(env))
	return []*cobra.Command{cmd}
}
