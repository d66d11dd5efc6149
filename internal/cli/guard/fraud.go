package guard

import (
	"context"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
)

// newFraud makes the commands about Azure fraud.
func newFraud(env *kit.Env) *cobra.Command {
	return kit.Installed(env, func(open func(context.Context) (*app.Installation, error)) *cobra.Command {
		cmd := &cobra.Command{
			Use: "fraud", Short: "Alerts of Azure fraud: see them, stop them, answer them",
			Example: "  partnerguard fraud contain 7c3e --plan > plan.yaml",
			Args:    kit.Only("fraud", "contain, inquire, timeline, report"),
			RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		}
		cmd.AddCommand(newFraudContain(env, open))
		cmd.AddCommand(newFraudInquiries(env, open)...)
		return cmd
	})
}
