package guard

import (
	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
)

// newGateway makes the gateway's commands. Its --config names gateway.yaml; the
// installation's settings are named by --settings here.
func newGateway(env *kit.Env) *cobra.Command {
	var in kit.Installation
	var file string
	cmd := &cobra.Command{
		Use: "gateway", Short: "Let nobody in front of your tools without the MFA claim: the enforcement gateway", Args: kit.NoWords,
		Example: "  partnerguard gateway check --config gateway.yaml",
	}
	in.RegisterAs(cmd, "settings")
	cmd.PersistentFlags().StringVar(&file, "config", "", "the gateway's file (required)")
	_ = cmd.MarkPersistentFlagFilename("config", "yaml", "yml")
	cmd.AddCommand(newGatewayCheck(env, &in, &file))
	return cmd
}
