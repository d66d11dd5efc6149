package guard

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// newAppPassword is the parent of what is done with app passwords; decide is of the
// wing that judges.
func newAppPassword(_ *kit.Env, decide *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "apppassword", Short: "Say what app passwords can and cannot do in this tenant",
		Long: `apppassword decide says for whom an app password of Microsoft's would work in this
tenant, until when, what breaks it, and who depends on one.`,
		Example: `  partnerguard apppassword decide
  partnerguard apppassword decide --from exports/ --account scanner@contoso.example`,
		Args: kit.Suggest,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(decide)
	return cmd
}
